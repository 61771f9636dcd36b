"""Items of a cohort become outcomes: by the method, and in a study file."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from burnout_stats.cohort import read_cohort
from burnout_stats.errors import DataError, StudyError
from burnout_stats.notices import BurnoutStatsWarning
from burnout_stats.plan import read_study, run
from burnout_stats.plan.check import check

VISITS = ["start", "1 year"]


def answers(n=40, seed=3, gaps=0):
    """Answers to the personal scale of the Copenhagen inventory and a score, at two visits."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"id": np.repeat(np.arange(1, n + 1), 2), "visit": VISITS * n})
    frame["stress"] = rng.integers(10, 50, 2 * n) / 10
    for item in range(1, 7):
        frame[f"b{item}"] = 25.0 * rng.integers(0, 5, 2 * n)
    frame.loc[: gaps - 1, "b2"] = np.nan
    return frame


def cohort(frame, **declared):
    return read_cohort(
        frame, subject="id", visit="visit", times={"start": 0, "1 year": 1}, outcomes=["stress"], **declared
    )


def test_items_become_an_outcome_with_its_role():
    frame = answers()
    found = cohort(frame).with_scores("cbi_personal", "b{item}")
    assert found.outcomes == ("stress", "cbi_personal")
    role = found.outcome("cbi_personal")
    assert (role.label, role.range, role.better, role.instrument) == (
        "Personal burnout",
        (0, 100),
        "lower",
        "cbi_personal",
    )
    assert role.note == "Mean of 6 items."
    expected = frame[[f"b{item}" for item in range(1, 7)]].mean(axis=1)
    np.testing.assert_allclose(found.data["cbi_personal"], expected, rtol=1e-15)
    assert list(found.data)[3:5] == ["stress", "cbi_personal"]
    assert set(found.covariates) >= {"b1", "b6"}


def test_names_are_given_one_by_one_or_for_all():
    whole = cohort(answers()).with_scores("cbi_personal", "b{item}", names="strain")
    assert whole.outcomes == ("stress", "strain")
    with pytest.raises(StudyError, match="A score cannot be called `stress`"):
        cohort(answers()).with_scores("cbi_personal", "b{item}", names="stress")
    with pytest.raises(StudyError, match="A score cannot be called `term`"):
        cohort(answers()).with_scores("cbi_personal", "b{item}", names={"personal": "term"})
    with pytest.raises(StudyError, match="`names` speaks of the score 'work'"):
        cohort(answers()).with_scores("cbi_personal", "b{item}", names={"work": "w"})
    several = {"personal": [f"b{item}" for item in range(1, 7)], "client": [f"b{item}" for item in range(6, 0, -1)]}
    with pytest.raises(StudyError, match="gives 2 scores, and one name"):
        cohort(answers()).with_scores("cbi", several, names="burnout")
    assert cohort(answers()).with_scores("cbi", several).outcomes == ("stress", "cbi_personal", "cbi_client")


@pytest.mark.raises_code("N-INSTRUMENT-PRORATED")
@pytest.mark.parametrize(("gaps", "told"), [(3, "fewer than 5 of `personal`"), (7, "7 of `personal`")])
def test_prorated_scores_are_counted_under_the_policy(gaps, told):
    with pytest.warns(BurnoutStatsWarning, match=told):
        found = cohort(answers(gaps=gaps)).with_scores("cbi_personal", "b{item}")
    assert [notice.code for notice in found.notices][-1] == "N-INSTRUMENT-PRORATED"
    assert found.data["cbi_personal"].notna().all()


def test_an_answer_that_cannot_be_stops_it():
    frame = answers()
    frame.loc[5, "b3"] = 60
    with pytest.raises(DataError, match=r"Item `b3` has 1 answer that it cannot have \(row 5"):
        cohort(frame).with_scores("cbi_personal", "b{item}")


@pytest.mark.raises_code("N-INSTRUMENT-UNVERIFIED")
def test_a_composite_becomes_an_outcome_under_its_own_key():
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"id": range(20), "visit": "start", "stress": rng.normal(size=20)})
    names = [f"m{item}" for item in range(1, 17)]
    for name in names:
        frame[name] = rng.integers(0, 7, 20)
    data = read_cohort(frame, subject="id", visit="visit", times={"start": 0}, outcomes=["stress"])
    columns = {"exhaustion": names[:5], "cynicism": names[5:10], "efficacy": names[10:]}
    with pytest.warns(BurnoutStatsWarning, match="composites.burnout"):
        found = data.with_scores("mbi_gs", columns)
    assert found.outcomes[1:] == ("mbi_gs_exhaustion", "mbi_gs_cynicism", "mbi_gs_efficacy", "mbi_gs_burnout")
    assert found.outcome("mbi_gs_burnout").instrument == "mbi_gs_burnout"
    assert found.outcome("mbi_gs_efficacy").better == "higher"
    with pytest.warns(BurnoutStatsWarning, match="composites.burnout"):
        alone = data.with_scores("mbi_gs_burnout", columns)
    assert alone.outcomes == found.outcomes


STUDY = """
config_version = 1
[data]
file = "data.csv"
subject = "id"
visit = "visit"
[visits]
"start" = 0
"1 year" = 1
[scores.burnout]
instrument = "cbi_personal"
items = {items}
{more}
"""


def study(folder, frame, items='["b1", "b2", "b3", "b4", "b5", "b6"]', more=""):
    frame.to_csv(folder / "data.csv", index=False)
    path = folder / "study.toml"
    path.write_text(STUDY.replace("{items}", items).replace("{more}", more), encoding="utf-8")
    return path


@pytest.mark.parametrize("items", ['["b1", "b2", "b3", "b4", "b5", "b6"]', '"b{item}"'])
def test_a_study_file_scores_its_items(tmp_path, items):
    frame = answers()
    path = study(tmp_path, frame, items, 'label = "Burnout at work"')
    found = read_cohort(path)
    assert found.outcomes == ("burnout",)
    assert found.covariates == tuple(f"b{item}" for item in range(1, 7))
    assert found.outcome("burnout").label == "Burnout at work"
    expected = frame[[f"b{item}" for item in range(1, 7)]].mean(axis=1)
    np.testing.assert_allclose(found.data["burnout"], expected, rtol=1e-15)


def test_a_plan_fits_the_scores(tmp_path):
    path = study(tmp_path, answers(), more="[outcomes.stress]\nrange = [1, 5]")
    plan = read_study(path)
    assert list(plan.outcomes) == ["stress", "burnout"]
    assert plan.outcomes["burnout"].instrument == "cbi_personal"
    assert plan.echo()["scores"]["burnout"]["missing"] == "own"
    results = run(plan)
    assert [part.outcome.name for part in results.outcomes] == ["stress", "burnout"]
    assert results.outcomes[1].outcome.range == (0, 100)


def test_an_answer_outside_the_range_is_refused_with_its_line(tmp_path):
    frame = answers()
    frame.loc[5, "b3"] = 900
    checked = check(study(tmp_path, frame))
    assert [(problem.code, problem.lines) for problem in checked.problems] == [("E-DATA-RANGE", (7,))]
    assert check(study(tmp_path, frame, more='out_of_range = "missing"')).notices[-1].code == "N-INSTRUMENT-RANGE"


@pytest.mark.raises_code("E-STUDY-INSTRUMENT", "E-STUDY-ROLES")
@pytest.mark.parametrize(
    ("items", "more", "code", "seen"),
    [
        (
            '["b1", "b2"]',
            "",
            "E-STUDY-INSTRUMENT",
            "[scores.burnout]: 2 columns are named for `cbi_personal.personal`.",
        ),
        ('"b"', "", "E-STUDY-INSTRUMENT", "[scores.burnout]: The pattern of columns is 'b'."),
        ('"b{item}"', "[covariates.burnout]", "E-STUDY-ROLES", "`burnout` is declared under [scores] and as a column."),
    ],
)
def test_a_section_that_cannot_be_scored_is_told_before_the_file_is_opened(tmp_path, items, more, code, seen):
    path = study(tmp_path, answers(), items, more)
    (tmp_path / "data.csv").unlink()
    problems = check(path).problems
    assert [(problem.code, problem.seen) for problem in problems] == [(code, seen)]
    both = study(tmp_path, answers(), '["b1"]', "[covariates.burnout]")
    assert {problem.code for problem in check(both).problems} == {"E-STUDY-ROLES"}
    short = study(tmp_path, answers(), '["b1"]')
    assert {problem.code for problem in check(short).problems} == {"E-STUDY-INSTRUMENT"}


def test_an_unknown_instrument_names_its_section(tmp_path):
    path = study(tmp_path, answers())
    path.write_text(path.read_text(encoding="utf-8").replace("cbi_personal", "cbi"), encoding="utf-8")
    (problem,) = check(path).problems
    assert problem.seen == "[scores.burnout]: `cbi` has several scores, or is made of several."
    assert 'instrument = "cbi_personal"' in problem.advice


@pytest.mark.raises_code("N-INSTRUMENT-INCOMPLETE")
def test_a_study_file_says_what_is_turned_and_how_many_answers_are_needed(tmp_path):
    frame = answers(gaps=1)
    with pytest.warns(BurnoutStatsWarning, match="too few items were answered: fewer than 5"):
        plain = read_cohort(study(tmp_path, frame, more='missing = "complete"'))
    assert np.isnan(plain.data["burnout"].iloc[0])
    with pytest.warns(BurnoutStatsWarning, match="too few items"):
        turned = read_cohort(study(tmp_path, frame, more='reverse = ["b1"]\nmissing = "complete"'))
    expected = plain.data["burnout"] + (100 - 2 * plain.data["b1"]) / 6
    np.testing.assert_allclose(turned.data["burnout"], expected, rtol=1e-12)
