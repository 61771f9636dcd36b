"""The suite's own rules: a marker that is verified, and a network that cannot be reached."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKE = shutil.which("make")

TESTS_WITH_MARKERS = """
import pytest
from burnout_stats.errors import DataError
from burnout_stats.notices import Notice

@pytest.mark.raises_code("E-DATA-X", "N-DATA-Y")
def test_both():
    Notice("N-DATA-Y", "seen")
    with pytest.raises(DataError):
        raise DataError("E-DATA-X", "seen")

@pytest.mark.raises_code("E-DATA-X")
def test_never():
    pass

@pytest.mark.parametrize("code", [pytest.param("E-DATA-X", marks=pytest.mark.raises_code("E-DATA-Y"))])
def test_another(code):
    with pytest.raises(DataError):
        raise DataError(code, "seen")
"""


def test_the_marker_fails_a_test_that_does_not_raise_its_code(tmp_path):
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = raises_code: verified\n")
    (tmp_path / "test_markers.py").write_text(TESTS_WITH_MARKERS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-rfE"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    failed = [line for line in run.stdout.splitlines() if line.startswith("FAILED")]
    assert run.returncode == 1, run.stdout + run.stderr
    assert "2 failed, 1 passed" in run.stdout
    assert any("test_never" in line and "E-DATA-X" in line for line in failed)
    assert any("test_another" in line and "E-DATA-Y" in line for line in failed)


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("example.invalid", 80)])
def test_the_network_is_out_of_reach(address):
    with socket.socket() as client, pytest.raises(pytest.fail.Exception, match="network"):
        client.connect(address)


def test_loopback_is_in_reach():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())


def test_numpy_is_not_imported_before_the_number_of_threads_is_set():
    imports = "import sys, hypothesis, pytest, xdist, burnout_stats.errors, burnout_stats.notices"
    code = f"{imports}; print('numpy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


@pytest.mark.skipif(MAKE is None, reason="there is no make here")
@pytest.mark.parametrize(
    ("python", "sentence"),
    [
        (sys.executable, "cannot make virtual environments: install that part with apt install python3-venv."),
        ("no-such-python", "Python is missing here: install Python 3.11 or newer"),
    ],
)
def test_make_says_in_one_sentence_what_to_install(python, sentence, tmp_path):
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "stripped").mkdir()
    (tmp_path / "stripped" / "ensurepip.py").write_text("raise ImportError('as on a Debian without python3-venv')")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path / "stripped")}
    command = [MAKE, "report", f"PYTHON={python}"]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert sentence in run.stderr.splitlines()[0]
    assert not (tmp_path / ".venv").exists()
