"""The sections of a study file that describe the data, and the file found beside them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from burnout_stats.cohort import Covariate, Outcome, read_cohort
from burnout_stats.errors import DataError, StudyError

raises_code = pytest.mark.raises_code

CSV = "id,visit,score,sex,age,note\nA1,start,3,F,40,x\nA1,1 year,2,F,40,y\nB2,start,99,M,50,z\n"
STUDY = """
title = "A study"

[data]
file = "study.csv"
subject = "id"
visit = "visit"
missing_codes = [99, "."]

[visits]
"start" = 0
"1 year" = 1

[outcomes.score]
label = "Emotional exhaustion"
range = [1, 5]
better = "lower"
instrument = "mbi_norwegian_ee"

[covariates.sex]
levels = ["F", "M"]
[covariates.age]
unit = "years"

[disclosure]
min_cell = 3

[analysis]
terms = ["visit"]
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "study.csv").write_text(CSV, encoding="utf-8")
    (tmp_path / "study.toml").write_text(STUDY, encoding="utf-8")
    return tmp_path


def study(folder, old, new):
    assert old in STUDY
    (folder / "study.toml").write_text(STUDY.replace(old, new), encoding="utf-8")
    return folder / "study.toml"


def test_the_study_file_beside_the_data_says_what_the_columns_are(folder):
    cohort = read_cohort(folder / "study.csv")
    assert cohort.outcome("score") == Outcome("score", "Emotional exhaustion", (1, 5), "", "lower", "mbi_norwegian_ee")
    assert cohort.covariate_roles == {"sex": Covariate("sex", levels=("F", "M")), "age": Covariate("age", unit="years")}
    assert cohort.policy.min_cell == 3
    assert cohort.source.dialect["not_used"] == "note"
    assert cohort.data["score"].isna().tolist() == [False, False, True]
    pd.testing.assert_frame_equal(read_cohort(str(folder / "study.toml")).data, cohort.data)


def test_the_call_can_say_the_same(folder):
    said = read_cohort(
        folder / "study.csv",
        subject="id",
        visit="visit",
        times={"start": 0, "1 year": 1},
        outcomes={
            "score": {
                "label": "Emotional exhaustion",
                "range": [1, 5],
                "better": "lower",
                "instrument": "mbi_norwegian_ee",
            }
        },
        covariates={"sex": {"levels": ["F", "M"]}, "age": {"unit": "years"}},
        missing_codes=[99, "."],
        min_cell=3,
    )
    told = read_cohort(folder / "study.csv")
    pd.testing.assert_frame_equal(said.data, told.data)
    assert (said.source, said.outcome_roles, said.policy) == (told.source, told.outcome_roles, told.policy)


def test_a_wide_file_and_whole_numbers_as_levels(folder):
    (folder / "study.csv").write_text("id,score_t0,score_t1,leave\nA,3,2,0\nB,4,3,1\n", encoding="utf-8")
    text = (
        STUDY.replace('visit = "visit"', 'wide = "{outcome}_{visit}"\nvisit_codes = {t0 = "start", t1 = "1 year"}')
        .replace('[covariates.sex]\nlevels = ["F", "M"]', "[covariates.leave]\nlevels = [0, 1]")
        .replace('[covariates.age]\nunit = "years"', "")
    )
    (folder / "study.toml").write_text(text, encoding="utf-8")
    cohort = read_cohort(folder / "study.csv")
    assert cohort.data["score"].tolist() == [3, 2, 4, 3]
    assert cohort.data["leave"].tolist() == ["0", "0", "1", "1"]


@raises_code("E-STUDY-BOTH")
def test_a_study_file_and_keywords_are_not_merged(folder):
    with pytest.raises(StudyError, match="subject, min_cell") as caught:
        read_cohort(folder / "study.toml", subject="id", min_cell=1)
    assert caught.value.code == "E-STUDY-BOTH"


BAD_STUDIES = [
    pytest.param("subject =", "subjet =", "data.subjet", marks=raises_code("E-STUDY-KEY", "E-STUDY-MISSING")),
    pytest.param("range =", "rnage =", "outcomes.score.rnage", marks=raises_code("E-STUDY-KEY")),
    pytest.param("min_cell", "mincell", "disclosure.mincell", marks=raises_code("E-STUDY-KEY")),
    pytest.param('subject = "id"', "", "data.subject", marks=raises_code("E-STUDY-MISSING")),
    pytest.param("[1, 5]", "[5, 1]", "outcomes.score", marks=raises_code("E-STUDY-VALUE")),
    pytest.param("[1, 5]", '["1", 5]', "outcomes.score.range[0]", marks=raises_code("E-STUDY-VALUE")),
    pytest.param("[1, 5]", "[1, inf]", "outcomes.score.range[1]", marks=raises_code("E-STUDY-VALUE")),
    pytest.param('"lower"', '"down"', "outcomes.score.better", marks=raises_code("E-STUDY-VALUE")),
    pytest.param('visit = "visit"', "", "wide", marks=raises_code("E-STUDY-VALUE")),
    pytest.param('["F", "M"]', '["F", "F"]', "covariates.sex", marks=raises_code("E-STUDY-VALUE")),
    pytest.param('["F", "M"]', "[]", "covariates.sex.levels", marks=raises_code("E-STUDY-VALUE")),
    pytest.param('"1 year" = 1', '"1 year" = 0', "visits", marks=raises_code("E-STUDY-VISITS")),
    pytest.param("= 3", "= 0", "disclosure.min_cell", marks=raises_code("E-STUDY-VALUE")),
    pytest.param("= 3", "= 3\n[", "line", marks=raises_code("E-STUDY-SYNTAX")),
]


@pytest.mark.parametrize(("old", "new", "path"), BAD_STUDIES)
def test_a_bad_study_file_is_refused_with_the_key(folder, request, old, new, path):
    with pytest.raises(StudyError) as caught:
        read_cohort(study(folder, old, new))
    found = [problem.code for problem in caught.value.problems]
    promised = [code for marker in request.node.iter_markers("raises_code") for code in marker.args]
    assert sorted(found) == sorted(promised)
    assert path in str(caught.value.problems)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        pytest.param(b"\xff\xfe\x00", "E-STUDY-SYNTAX", marks=raises_code("E-STUDY-SYNTAX")),
        pytest.param(b"#" * 1_000_001, "E-STUDY-FILE", marks=raises_code("E-STUDY-FILE")),
        pytest.param(b"a = " + b"[" * 5_000, "E-STUDY-SYNTAX", marks=raises_code("E-STUDY-SYNTAX")),
    ],
    ids=["bytes", "too long", "brackets"],
)
def test_a_study_file_that_is_no_text(folder, raw, code):
    (folder / "study.toml").write_bytes(raw)
    with pytest.raises(StudyError) as caught:
        read_cohort(folder / "study.csv")
    assert caught.value.code == code


# ---- which files are opened ----------------------------------------------------------------------------------------


@raises_code("E-STUDY-FILE")
@pytest.mark.parametrize(
    "file",
    [
        "../outside.csv",
        "missing.csv",
        "folder",
        "link.csv",
        "loop.csv",
        "linked/outside.csv",
        "/dev/zero",
        "pipe",
        "https://example.org/study.csv",
        "file:///etc/passwd",
        "C:\\\\data\\\\study.csv",
        "a\\u0000b",
        "x" * 5_000,
        ".",
    ],
)
def test_a_study_file_reads_only_ordinary_files_of_its_folder(tmp_path, file):
    folder = tmp_path / "inside"
    (folder / "folder").mkdir(parents=True)
    (tmp_path / "outside.csv").write_text(CSV, encoding="utf-8")
    (folder / "link.csv").symlink_to(tmp_path / "outside.csv")
    (folder / "linked").symlink_to(tmp_path)
    (folder / "loop.csv").symlink_to(folder / "loop.csv")
    os.mkfifo(folder / "pipe")
    with pytest.raises(StudyError) as caught:
        read_cohort(study(folder, "study.csv", file))
    assert caught.value.code == "E-STUDY-FILE"
    assert str(tmp_path) not in str(caught.value)


def test_a_file_below_the_folder_and_a_link_inside_it_are_read(folder):
    (folder / "data").mkdir()
    (folder / "study.csv").rename(folder / "data" / "wave.csv")
    (folder / "alias.csv").symlink_to(folder / "data" / "wave.csv")
    for file in ("data/wave.csv", "alias.csv"):
        assert read_cohort(study(folder, "study.csv", file)).source.name == "wave.csv"


@raises_code("E-STUDY-FILE")
@pytest.mark.parametrize(
    "source", ["no_such.csv", "no_such.toml", "https://example.org/a.csv", "s3://bucket/a.csv", "a\0.csv", "/dev/null"]
)
def test_what_is_no_file_here(folder, source):
    for say in ({}, {"subject": "id", "visit": "visit", "times": {"start": 0}, "outcomes": ["score"]}):
        if source.endswith("toml") and say:
            continue
        with pytest.raises(StudyError) as caught:
            read_cohort(source, **say)
        assert caught.value.code == "E-STUDY-FILE"


@raises_code("E-STUDY-FILE")
def test_a_study_file_about_another_file(folder):
    (folder / "other.csv").write_text(CSV, encoding="utf-8")
    study(folder, "study.csv", "other.csv")
    with pytest.raises(StudyError, match=r"other\.csv"):
        read_cohort(folder / "study.csv")


@raises_code("E-DATA-RANGE")
def test_data_are_refused_as_from_a_call(folder):
    with pytest.raises(DataError) as caught:
        read_cohort(study(folder, "[99,", "[98,"))
    assert (caught.value.code, caught.value.lines) == ("E-DATA-RANGE", (4,))


def test_pydantic_loads_only_with_a_study_file():
    code = "import sys, burnout_stats.cohort; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[3]).returncode == 0
