"""The files of the project: nothing of one machine in them, and what they say of versions agrees."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import burnout_stats

ROOT = Path(__file__).parents[2]
MADE = {".git", ".venv", ".venv-oldest", "out", "dist", "build", "__pycache__", ".ipynb_checkpoints", ".hypothesis"}
CACHES = re.compile(r"\..*_cache")
TEXT = {
    ".py",
    ".toml",
    ".md",
    ".cff",
    ".txt",
    ".ipynb",
    ".csv",
    ".json",
    ".html",
    ".svg",
    ".j2",
    ".css",
    ".R",
    ".yml",
    "",
}
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|home|farm|Users|tmp|opt)/[\w.]")
REGISTRY = re.compile(r"https?://[^\s\"']*(?:pypi|pythonhosted|npmjs|deb\.debian)")
PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[0-9][\w.]*)(?: ; python_version [<>=]+ '3\.\d+')?")


def files(folder: Path = ROOT) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in MADE or CACHES.fullmatch(path.name):
            continue
        if path.is_dir():
            yield from files(path)
        elif path.suffix in TEXT:
            yield path


def pins(name: str) -> dict[str, str]:
    lines = [
        line for line in (ROOT / name).read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")
    ]
    found = [PIN.fullmatch(line) for line in lines]
    assert [line for line, match in zip(lines, found, strict=True) if match is None] == []
    return {canonical(match["name"]): match["version"] for match in found if match}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements() -> list[tuple[str, str]]:
    """What pyproject.toml asks for, as (name, lower bound)."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    parts = [re.fullmatch(r"([\w-]+)>=([\d.]+).*", line) for line in lines if not line.startswith("burnout-stats[")]
    return [(canonical(part[1]), part[2]) for part in parts if part]


def test_no_file_knows_a_machine_or_a_registry():
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if MACHINE_PATH.search(line) or REGISTRY.search(line)
    ]
    assert found == []


def test_the_scan_reads_the_files_that_matter_and_knows_what_it_looks_for():
    names = {str(path.relative_to(ROOT)) for path in files()}
    assert {"Makefile", ".ci/run", "pyproject.toml", "constraints.txt", "burnout_stats/__init__.py"} <= names
    assert MACHINE_PATH.search('open("' + "/home" + '/me/x.csv")')
    assert REGISTRY.search("--index-url https://" + "pypi.org/simple")


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-oldest.txt"])
def test_constraints_pin_everything_that_is_asked_for(name):
    assert {required for required, _ in requirements()} - set(pins(name)) == set()


def test_the_oldest_constraints_are_the_lower_bounds():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    run_time = dict(requirements()[: len(project["dependencies"])])
    oldest = pins("constraints-oldest.txt")
    assert len(run_time) == len(project["dependencies"])
    assert {
        name: oldest[name] for name, bound in run_time.items() if not f"{oldest[name]}.".startswith(f"{bound}.")
    } == {}


def test_the_version_is_said_once_and_repeated_right():
    version = burnout_stats.__version__
    assert re.search(
        rf"^version: {re.escape(version)}$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert re.search(rf"^## {re.escape(version)}\b", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
