"""What is shipped: the wheel holds the package and nothing else, and makes a report far from the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "burnout_stats"

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """The folder with the wheel and the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--sdist", "--wheel", "--outdir", folder, cwd=ROOT)
    return folder


def test_the_wheel_holds_the_package_and_nothing_else(shipped):
    with zipfile.ZipFile(next(shipped.glob("*.whl"))) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    files = {path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert names == {path.relative_to(ROOT).as_posix() for path in files}
    assert {"burnout_stats/codes.toml", "burnout_stats/py.typed"} <= names


def test_the_source_distribution_holds_what_pyproject_names(shipped):
    with tarfile.open(next(shipped.glob("*.tar.gz"))) as source:
        tops = {Path(name).parts[1] for name in source.getnames()}
        odd = [name for name in source.getnames() if "__pycache__" in name or name.endswith(".pyc")]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named = project["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"]
    assert tops == {*named, "PKG-INFO", "README.md", "pyproject.toml", ".gitignore"}
    assert odd == []


def test_the_wheel_makes_a_report_far_from_the_repository(shipped, tmp_path):
    venv.create(tmp_path / "env", with_pip=False)
    scripts = tmp_path / "env" / "bin"
    python = scripts / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps"]
    run(*pip, next(shipped.glob("*.whl")), cwd=tmp_path)
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).stdout.strip()
    (Path(site) / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    shutil.copytree(ROOT / "data" / "synthetic", tmp_path / "study")

    home = run(python, "-c", "import burnout_stats; print(burnout_stats.__file__)", cwd=tmp_path).stdout.strip()
    assert Path(home).is_relative_to(site)
    run(scripts / "burnout-stats", "report", "study/villa_sana.toml", "-o", "out", cwd=tmp_path)
    assert {"report.html", "results.json"} <= {path.name for path in (tmp_path / "out").iterdir()}
