"""`compare`, and the options of `report` and `check`: exit codes, JSON, dates, several studies."""

from __future__ import annotations

import json

import pytest
from study_files import MINIMAL, write_study
from typer.testing import CliRunner

from burnout_stats.cli import app

JSON_ONLY = '\n[report]\nformats = ["json"]\n'


def call(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of a report."""
    folder = tmp_path_factory.mktemp("study")
    assert call("report", write_study(folder, MINIMAL + JSON_ONLY), "-o", folder / "out").exit_code == 0
    return folder / "out"


@pytest.fixture
def changed(written, tmp_path):
    """A copy of the results, changed by a function."""

    def change(how):
        document = json.loads((written / "results.json").read_text(encoding="utf-8"))
        how(document)
        path = tmp_path / "new.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    return change


def drift(document):
    document["outcomes"][0]["changes"]["rows"][0]["estimate"] += 0.01


def software(document):
    document["provenance"]["versions"]["numpy"] = "9.9"


def test_no_drift_ends_with_0(written):
    result = call("compare", written, written / "results.json")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("No drift: ")


def test_drift_ends_with_1_and_a_table(written, changed):
    result = call("compare", written, changed(drift))
    assert result.exit_code == 1
    assert "score, changes: 1 year − baseline" in result.stdout
    assert result.stderr == "Drift in score: 1 number of " + result.stderr.partition(" of ")[2]
    assert call("compare", written, changed(drift), "--rtol", "0.5").exit_code == 0


def test_what_surrounds_the_numbers_fails_only_when_strict(written, changed):
    new = changed(software)
    assert call("compare", written, new).exit_code == 0
    assert "numpy" in call("compare", written, new).stdout
    assert call("compare", written, new, "--strict").exit_code == 1


def test_a_comparison_in_json_is_whole(written, changed):
    result = call("compare", written, changed(drift), "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == document["exit_code"] == 1
    (one,) = document["differences"]
    assert one["difference"] == pytest.approx(0.01)
    assert (one["outcome"], one["quantity"], one["drift"]) == ("score", "estimate", True)


def test_a_comparison_in_ci_is_annotated(written, changed, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))

    def both(document):
        drift(document)
        software(document)
        document["outcomes"][0]["changes"]["rows"][1]["contrast"] = "::error::forged | <b> @you"

    result = call("compare", written, changed(both), "--format", "github")
    assert result.exit_code == 1
    lines = [line for line in result.stdout.splitlines() if line.lstrip().startswith("::")]
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::notice"]
    assert "title=Drift in score::" in lines[0]
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert summary.startswith("## Drift\n")
    assert "<b>" not in summary.replace(r"\<b\>", "")


@pytest.mark.parametrize("name", ["nowhere.json", "study.toml"])
@pytest.mark.raises_code("E-STUDY-OPTION")
def test_what_is_no_results_json_ends_with_2(written, name):
    assert call("compare", written, written.parent / name).exit_code == 2
    told = call("compare", written, written.parent / name, "--json")
    assert json.loads(told.stdout)["problems"][0]["code"] in {"E-STUDY-FILE", "E-REPORT-RESULTS"}
    both = call("compare", written, written, "--json", "--format", "github")
    assert both.exit_code == 2


def test_a_report_in_json_names_its_files(written, tmp_path):
    result = call("report", written.parent / "study.toml", "-o", tmp_path / "out", "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == document["exit_code"] == 0
    assert {file["path"].rpartition("/")[2] for file in document["files"]} >= {"results.json", "provenance.json"}
    assert all(len(file["sha256"]) == 64 for file in document["files"][:-1])
    refused = call("report", tmp_path / "nowhere.toml", "--json")
    assert json.loads(refused.stdout)["exit_code"] == refused.exit_code == 2


@pytest.mark.raises_code("E-STUDY-DATE")
def test_the_date_of_a_report_can_be_said(written, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    study = written.parent / "study.toml"
    for options, date in (((), "1970-01-01"), (("--date", "2026-06-30"), "2026-06-30")):
        assert call("report", study, "-o", tmp_path / "out", *options).exit_code == 0
        document = json.loads((tmp_path / "out/results.json").read_text(encoding="utf-8"))
        assert document["provenance"]["date"] == date
        assert json.loads((tmp_path / "out/provenance.json").read_text(encoding="utf-8"))["date"] == date
    assert call("report", study, "-o", tmp_path / "out", "--date", "today").exit_code == 2


def test_a_checklist_can_be_asked_for(written, tmp_path):
    study = written.parent / "study.toml"
    assert call("report", study, "-o", tmp_path / "out", "--checklist", "strobe").exit_code == 0
    plan = json.loads((tmp_path / "out/results.json").read_text(encoding="utf-8"))["provenance"]["plan"]
    assert plan["report"]["checklist"] == "strobe"
    assert call("report", study, "--checklist", "nope").exit_code == 2


def test_several_studies_are_checked_at_once(tmp_path):
    good = write_study(tmp_path, MINIMAL)
    bad = write_study(tmp_path, MINIMAL + "nothing = 1\n", name="bad.toml")
    result = call("check", good, bad)
    assert result.exit_code == 2
    assert "study.toml: 100 subjects" in result.stdout
    assert "E-STUDY-KEY" in result.stdout
    document = json.loads(call("check", good, bad, "--json").stdout)
    assert (document["exit_code"], [study["fine"] for study in document["studies"]]) == (2, [True, False])


def test_the_schema_of_results_is_printed():
    document = json.loads(call("schema", "results").stdout)
    assert document["$schema"].endswith("2020-12/schema")
    assert {"outcomes", "provenance"} <= set(document["properties"])
    assert call("schema", "nothing").exit_code == 2
