"""`burnout-stats init` from a data file and nothing else: a study file that checks and reports."""

import pandas as pd
import pytest
from cohorts import scores
from typer.testing import CliRunner

from burnout_stats.cli import app
from burnout_stats.plan import read_study


@pytest.fixture
def data(tmp_path):
    scores(60, seed=5, seen=0.8).round({"score": 2, "age": 0}).to_csv(tmp_path / "scores.csv", index=False)
    return tmp_path / "scores.csv"


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_init_then_check_then_report(data):
    study = data.with_suffix(".toml")
    found = call("init", data)
    assert found.exit_code == 0
    assert found.stdout == f"{study}\n"
    assert "one row per person and visit, 3 visits: baseline, 1 year, 3 years" in found.stderr
    assert "The data pass the check already." in found.stderr
    assert f"burnout-stats report {study}" in found.stderr
    assert call("check", study).exit_code == 0
    assert call("report", study, "-o", data.parent / "out").exit_code == 0
    assert (data.parent / "out" / "report.html").is_file()


@pytest.mark.raises_code("E-STUDY-EXISTS")
def test_init_writes_over_nothing(data):
    data.with_suffix(".toml").write_text("mine")
    found = call("init", data)
    assert (found.exit_code, found.stdout) == (2, "")
    assert "E-STUDY-EXISTS" in found.stderr
    assert data.with_suffix(".toml").read_text() == "mine"


def test_init_names_the_data_from_the_folder_of_the_study_file(data):
    folder = data.parent / "data"
    folder.mkdir()
    data.rename(folder / "scores.csv")
    study = data.parent / "my study.toml"
    assert call("init", folder / "scores.csv", "-o", study).exit_code == 0
    assert read_study(study).data.file == "data/scores.csv"
    assert call("check", study).exit_code == 0


@pytest.mark.raises_code("E-STUDY-FILE")
def test_a_study_file_away_from_its_data_is_refused(data):
    (data.parent / "elsewhere").mkdir()
    found = call("init", data, "-o", data.parent / "elsewhere" / "study.toml")
    assert found.exit_code == 2
    assert "leave -o out" in found.stderr
    assert call("init", data, "-o", data.parent / "nowhere" / "study.toml").exit_code == 2
    assert not list(data.parent.rglob("*.toml"))


def test_a_draft_whose_data_do_not_pass_is_written_with_what_is_wrong(data):
    frame = pd.read_csv(data).astype({"score": object})
    frame.loc[0, "score"] = "about 3"
    frame.to_csv(data, index=False)
    found = call("init", data)
    assert found.exit_code == 0
    assert "E-DATA-NUMBER (line 2)" in found.stderr
    assert "mend it" in found.stderr
    assert data.with_suffix(".toml").is_file()


def test_columns_may_be_said(data):
    frame = pd.read_csv(data).rename(columns={"id": "xx", "visit": "yy"})
    frame.to_csv(data, index=False)
    assert call("init", data, "--subject", "xx", "--visit", "yy").exit_code == 0
    found = call("init", data, "--subject", "xy", "-o", data.parent / "b.toml")
    assert found.exit_code == 2
    assert "There is no column `xy`." in found.stderr
