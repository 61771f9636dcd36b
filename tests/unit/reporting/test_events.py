"""Outcomes that are counted, from the study file to the report."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from study_files import STUDY, write_study

import burnout_stats as bs
from burnout_stats.plan import run
from burnout_stats.reporting import compare_results
from burnout_stats.reporting.gate import shown

EVENTS = (
    STUDY.replace("[analysis]", '[covariates.leave]\nlevels = ["no", "yes"]\n\n[analysis]')
    + """
[report]
formats = ["html", "json", "csv"]

[events.leave]
label = "Sick leave"
better = "lower"
terms = ["visit", "sex"]

[events.high]
column = "score"
case = ">= 3"
terms = ["visit"]
"""
)


def write(folder: Path, share: tuple[float, float, float], text: str = EVENTS) -> Path:
    path = write_study(folder, text, n=120)
    frame = pd.read_csv(folder / "scores.csv")
    rng = np.random.default_rng(4)
    chance = frame["visit"].map(dict(zip(("baseline", "1 year", "3 years"), share, strict=True)))
    own = pd.Series(rng.normal(size=frame["id"].nunique()), index=frame["id"].unique())
    odds = np.log(chance / (1 - chance)) + frame["id"].map(own)
    frame["leave"] = np.where(rng.random(len(frame)) < 1 / (1 + np.exp(-odds)), "yes", "no")
    frame.to_csv(folder / "scores.csv", index=False)
    return path


@pytest.mark.filterwarnings("ignore::burnout_stats.BurnoutStatsWarning")
def test_a_report_has_a_chapter_for_each(tmp_path: Path) -> None:
    plan = bs.read_study(write(tmp_path, (0.5, 0.3, 0.25)))
    bs.report(plan, tmp_path / "out")
    document = json.loads((tmp_path / "out" / "results.json").read_text("utf-8"))
    assert [event["name"] for event in document["events"]] == ["leave", "high"]
    assert document["events"][0]["ratios"]["kind"] == "odds_ratios"
    assert document["events"][0]["means"]["quantity"] == "probability"
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert 'id="event-leave"' in page
    assert "times those at baseline" in page
    assert (tmp_path / "out" / "tables" / "events_ratios.csv").exists()
    other = tmp_path / "other.json"
    document["events"][0]["differences"]["rows"][0]["estimate"] += 0.5
    other.write_text(json.dumps(document), encoding="utf-8")
    compared = compare_results(tmp_path / "out" / "results.json", other)
    assert {one.outcome for one in compared.drift} == {"counted leave"}
    assert (tmp_path / "out" / "figures" / "trajectory_event_leave.svg").exists()
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(
        document, json.loads(files("burnout_stats.reporting").joinpath("results.schema.json").read_text())
    )


@pytest.mark.filterwarnings("ignore::burnout_stats.BurnoutStatsWarning")
def test_few_events_are_hidden_in_all_of_the_report(tmp_path: Path) -> None:
    results = run(bs.read_study(write(tmp_path, (0.5, 0.3, 0.008))), progress=False)
    (leave, _) = results.events
    assert leave.means.cells is not None
    assert 0 < leave.means.cells[2, 0] < 5
    safe = shown(results).events[0]
    assert safe.means.frame["hidden"].tolist() == [False, False, True]
    assert safe.differences.frame["hidden"].tolist() == [False, True]
    assert safe.ratios.frame["hidden"].tolist() == [False, True]
    assert np.isnan(safe.ratios.frame["estimate"].iloc[1])
    assert safe.ratios.L is None


def test_what_a_study_file_may_not_say(tmp_path: Path) -> None:
    path = write(tmp_path, (0.5, 0.3, 0.25))

    def refused(*edits: tuple[str, str]) -> str:
        text = EVENTS
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
        with pytest.raises(bs.StudyError) as found:
            bs.read_study(path)
        return str(found.value)

    assert "counts the column `scores`" in refused(('column = "score"', 'column = "scores"'))
    assert "not the column that is counted" in refused(('terms = ["visit", "sex"]', 'terms = ["visit", "leave"]'))
    assert "events.high" in refused(('case = ">= 3"', 'case = "many"'))
    assert "family" in refused(('case = ">= 3"', 'family = "gamma"'))
