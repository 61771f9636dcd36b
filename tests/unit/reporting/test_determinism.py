"""The whole report in every format, sensitivity included: its bytes depend on nothing but study file, data, seed and
versions.
"""

import os
import subprocess
import sys
import time

import pytest
from study_files import STUDY, write_study

MORE = """
[analysis.adjustment]
age = "It was known before."

[analysis.primary]
outcomes = ["score"]
adjust = "holm"

[estimand]
population = "Who came."
variable = "Exhaustion."
exposure = "The time."
summary = "The mean change."

[sensitivity]
outcomes = ["score"]
imputations = 20

[sensitivity.norms.score]
mean = 2.5
sd = 0.9
n = 1000

[report]
formats = ["html", "docx", "pdf", "md", "tex", "json", "csv"]
language = "{language}"
checklist = "strobe"
"""

ASKED = """
import sys
from burnout_stats.cli import main
raise SystemExit(main(["report", sys.argv[1], "-o", sys.argv[2]]))
"""

WORLDS = (
    {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    {
        "PYTHONHASHSEED": "77",
        "TZ": "Asia/Kathmandu",
        "LC_ALL": "C.UTF-8",
        "LANG": "nb_NO.UTF-8",
        "OMP_NUM_THREADS": "2",
        "OPENBLAS_NUM_THREADS": "2",
        "COLUMNS": "40",
        "NO_COLOR": "1",
        "MPLBACKEND": "svg",
        "USER": "another",
    },
)


def all_bytes(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.slow
@pytest.mark.pinned
@pytest.mark.parametrize("language", ["nb"])  # which passes through all that English does, and the catalog
def test_every_format_has_the_same_bytes_in_another_world(tmp_path, language):
    study = write_study(tmp_path, STUDY + MORE.replace("{language}", language), n=60)
    known = {name: value for name, value in os.environ.items() if name not in {"SOURCE_DATE_EPOCH", "COLUMNS"}}
    known["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    written = []
    for number, world in enumerate(WORLDS):
        place = tmp_path / f"world {number}"
        (place / "home").mkdir(parents=True)
        named = {"HOME": str(place / "home"), "MPLCONFIGDIR": str(place / "home"), "TMPDIR": str(place / "home")}
        name = study if number else os.path.relpath(study, place)  # by another path too
        command = [sys.executable, "-W", "ignore", "-c", ASKED, str(name), str(place / "out")]
        start = time.monotonic()
        subprocess.run(command, cwd=place, env=known | named | world, check=True, capture_output=True, timeout=300)
        time.sleep(max(0.0, 2.5 - (time.monotonic() - start)))  # a zip file counts time in steps of two seconds
        written.append(all_bytes(place / "out"))
    one, other = written
    assert {name.rpartition(".")[2] for name in one} == {
        *("html", "docx", "pdf", "md", "tex", "json", "csv", "svg", "png")
    }
    assert sorted(one) == sorted(other)
    assert [name for name in one if one[name] != other[name]] == []
