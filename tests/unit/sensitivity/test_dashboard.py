"""Every doubt about one outcome as values: what it holds, what it says, and that a report may show it."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
from study_files import STUDY, write_study

from burnout_stats import text
from burnout_stats.errors import StudyError
from burnout_stats.instruments import Norm, Stability
from burnout_stats.models import MMRM
from burnout_stats.plan import read_study, run
from burnout_stats.reporting import report
from burnout_stats.sensitivity import dashboard
from burnout_stats.sensitivity._dashboard import default_auxiliaries
from burnout_stats.studies import example

SPEC = MMRM("exhaustion ~ visit * sex + age")
DOUBTED = (
    STUDY
    + """
[sensitivity]
outcomes = ["score"]
auxiliaries = ["second[baseline]"]
imputations = 20

[sensitivity.norms.score]
mean = 2.5
sd = 0.9
n = 500

[sensitivity.stabilities.score]
value = 0.6
n = 300
"""
)


@pytest.fixture(scope="module")
def found():
    return dashboard(
        SPEC,
        example("villa_sana"),
        auxiliaries=["job_stress[baseline]", "coping[baseline]"],
        norm=Norm(2.52, 0.92, 1070),
        stability=Stability(0.62, n=293),
        n=20,
        seed=1,
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("doubted")
    results = run(read_study(write_study(folder, DOUBTED)))
    report(results, folder / "out")
    return results, folder / "out"


def test_it_holds_every_answer_with_its_assumptions(found):
    assert list(found.estimates) == [
        "triangulation",
        "strategies",
        "tipping_point",
        "tipping_map",
        "regression_to_the_mean",
        "stability_curve",
        "specification_curve",
        "left_out",
    ]
    assert all(value.about.notes for value in found.estimates.values())
    assert found.predictors == ("exhaustion", "job_stress", "coping", "sex", "age")
    assert repr(found).startswith("<Dashboard: exhaustion; triangulation, ")


def test_the_primary_analysis_is_the_same_in_each_of_its_parts(found):
    change = "3 years - baseline"
    of = {name: value.frame for name, value in found.estimates.items()}
    triangulated = of["triangulation"].set_index(["contrast", "analysis"]).loc[(change, "MMRM"), "estimate"]
    left = of["left_out"].set_index("left_out").loc["nobody", "estimate"]
    assert left == pytest.approx(triangulated, rel=1e-9)
    tipping = of["tipping_point"]
    at_zero = tipping[tipping["contrast"].eq(change) & tipping["delta"].eq(0)]["estimate"].item()
    auxiliary = (
        of["triangulation"].set_index(["contrast", "analysis"]).loc[(change, "MMRM with auxiliaries"), "estimate"]
    )
    assert at_zero == pytest.approx(auxiliary, rel=1e-9)


def test_a_seed_gives_the_same_dashboard():
    cohort = example("villa_sana")
    one, same = (dashboard(MMRM("exhaustion ~ visit"), cohort, auxiliaries=[], n=20, seed=3) for _ in range(2))
    for name, value in one.estimates.items():
        pd.testing.assert_frame_equal(value.frame, same.estimates[name].frame)
    assert one.regression_to_the_mean is None


def test_auxiliaries_are_what_else_was_measured_at_the_first_visit():
    found = default_auxiliaries(SPEC, example("villa_sana"))
    assert {"job_stress[baseline]", "coping[baseline]"} <= set(found)
    assert not {"exhaustion[baseline]", "age[baseline]", "sick_leave[baseline]"} & set(found)


def test_its_words_tell_numbers_that_stand_in_its_tables(found):
    told = text.sensitivity(found)
    strange = text.unsupported_numbers(told.found, found.triangulation, found.strategies, labels=["1 year", "3 years"])
    assert strange == ()
    assert "missing at random" in told.planned
    assert "Job stress (baseline), Emotion-focused coping (baseline)" in told.planned
    assert re.search(r"effect(?!ive)", str(told)) is None


def test_its_words_follow_the_numbers(found):
    told = text.sensitivity(found).changes
    tips = found.tipping_point.frame
    tips = tips[tips["conclusion"].str.startswith("tipping point: upper") & tips["contrast"].eq("1 year - baseline")]
    assert f"{tips['delta'].item():.1f} points higher than foretold" in told
    curve = found.specification_curve.frame
    assert f"Of {curve['estimate'].notna().sum()} ways" in told


def test_a_report_has_a_chapter_of_doubts(written):
    _, folder = written
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Would it have happened anyway? Exhaustion" in page
    assert page.count("<figure>") == 2 + 2 * 3 + 4  # flow and missingness, three for each outcome, four of the doubts
    assert (folder / "figures" / "tipping_map_score.svg").exists()
    record = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    (doubt,) = record["sensitivity"]
    assert doubt["outcome"] == "score"
    assert doubt["auxiliaries"] == ["second[baseline]"]
    rows = doubt["analyses"]["triangulation"]["rows"]
    table = pd.read_csv(folder / "tables" / "triangulation_score.csv")
    told = [row["estimate"] for row in rows if row["estimate"] is not None]
    assert told == pytest.approx(table["estimate"].dropna().tolist(), rel=1e-12)
    assert "sensitivity" in record["provenance"]["plan"]


def test_a_report_that_hides_few_tells_no_numbers_of_subjects_in_its_doubts(tmp_path):
    path = write_study(tmp_path, DOUBTED + "\n[disclosure]\nmin_cell = 10\n")
    report(read_study(path), tmp_path / "out")
    record = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    for analysis in record["sensitivity"][0]["analyses"].values():
        assert all(row["n"] is None for row in analysis["rows"])
        assert not any(re.search(r"\d+ of \d+", note) for note in analysis["notes"])


@pytest.mark.raises_code("E-STUDY-COLUMN")
@pytest.mark.parametrize(
    "said",
    [
        'outcomes = ["scroe"]',
        'auxiliaries = ["copign[baseline]"]',
        "[sensitivity.norms.scroe]\nmean = 1\nsd = 1",
        "[sensitivity.stabilities.scroe]\nvalue = 0.5",
    ],
)
def test_names_that_the_study_does_not_have_are_refused(tmp_path, said):
    with pytest.raises(StudyError):
        read_study(write_study(tmp_path, f"{STUDY}\n[sensitivity]\n{said}\n"))


@pytest.mark.raises_code("E-STUDY-VALUE")
@pytest.mark.parametrize("said", ['strategies = ["jump"]', "imputations = 2"])
def test_values_that_cannot_be_are_refused(tmp_path, said):
    with pytest.raises(StudyError) as caught:
        read_study(write_study(tmp_path, f"{STUDY}\n[sensitivity]\n{said}\n"))
    assert "sensitivity." in str(caught.value)


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_a_model_without_visit_has_no_doubts(tmp_path):
    terms = STUDY.replace('terms = ["visit", "sex", "age", "visit:sex"]', 'terms = ["sex"]')
    with pytest.raises(StudyError):
        read_study(write_study(tmp_path, f"{terms}\n[sensitivity]\n"))


def test_without_the_table_there_are_no_doubts(tmp_path):
    plan = read_study(write_study(tmp_path, STUDY))
    assert plan.doubted == ()
    assert "sensitivity" not in plan.echo()


def test_the_first_outcome_is_doubted_where_none_is_named(tmp_path):
    assert read_study(write_study(tmp_path, f"{STUDY}\n[sensitivity]\n")).doubted == ("score",)


def test_progress_is_told():
    seen = []
    dashboard(
        MMRM("exhaustion ~ visit"),
        example("villa_sana"),
        auxiliaries=[],
        n=20,
        seed=1,
        progress=lambda done, total, what: seen.append((done, total, what)),
    )
    assert seen[0][:2] == (0, 6)
    assert seen[-1] == (6, 6, "exhaustion: done")
    assert np.all(np.diff([done for done, _, _ in seen]) >= 0)
