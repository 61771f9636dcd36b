"""The README and the notebooks do what they say."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ADDRESS = re.compile(r"0x[0-9a-f]+")


@pytest.fixture
def data_here(tmp_path):
    """A folder that is not the repository, with the synthetic data where the README says they are."""
    shutil.copytree(ROOT / "data" / "synthetic", tmp_path / "data" / "synthetic")
    return tmp_path


def test_the_python_of_the_readme_runs(data_here):
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert blocks
    command = [sys.executable, "-W", "error", "-c", "\n".join(blocks)]
    run = subprocess.run(command, cwd=data_here, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_the_words_of_the_documents_are_words_of_the_makefile(name):
    words = set(re.findall(r"(?:^ {4}|`)make ([a-z]+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"report", "test"} <= words <= targets


def test_the_links_of_the_readme_lead_somewhere():
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", README.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_stores_what_it_gives(path, data_here, monkeypatch):
    monkeypatch.setenv("TQDM_DISABLE", "1")  # bars are no part of a result
    stored = nbformat.read(path, as_version=4)
    fresh = nbformat.read(path, as_version=4)
    NotebookClient(fresh, timeout=120, resources={"metadata": {"path": str(data_here)}}).execute()
    assert texts(fresh) == texts(stored)


def texts(notebook: nbformat.NotebookNode) -> list[list[str]]:
    """The printed outputs of each code cell, without addresses of objects; pictures are named by their kind."""
    return [
        [ADDRESS.sub("0x", text(output)) for output in cell.outputs]
        for cell in notebook.cells
        if cell.source and cell.cell_type == "code"
    ]


def text(output: nbformat.NotebookNode) -> str:
    if output.output_type == "stream":
        return output.text
    if output.output_type == "error":
        return output.ename
    return output.data.get("text/plain", " ".join(output.data))
