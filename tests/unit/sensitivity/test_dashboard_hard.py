"""Dashboards of hard cohorts: what has no answer is left out with a notice, the rest is reported, and nothing small is
told.
"""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest

from burnout_stats import text
from burnout_stats.errors import ModelError, StudyError
from burnout_stats.notices import BurnoutStatsWarning, Notice
from burnout_stats.plan import read_study, run
from burnout_stats.reporting import gate, report
from burnout_stats.sensitivity._unanswered import answered
from burnout_stats.text._sensitivity import _stability_sentence

UNANSWERED = "N-SENSITIVITY-UNANSWERED"
NORM = """
[sensitivity.norms.score]
mean = 2.5
sd = 0.9
n = 500

[sensitivity.stabilities.score]
value = 0.6
n = 300
"""


def people(n, years, seen, *, seed=1, by_age=False):
    """Scores of n people; `seen` holds, for each follow-up visit, the chance of being seen, or who is (an array)."""
    rng = np.random.default_rng(seed)
    k = len(years)
    y = 3 + rng.multivariate_normal(np.zeros(k), np.full((k, k), 0.4) + 0.5 * np.eye(k), n)
    y[:, 1:] -= 0.5
    age = rng.integers(28, 65, n)
    rows = []
    for i in range(n):
        for v in range(k):
            chance = 1.0 if v == 0 else seen[v - 1] if np.isscalar(seen[v - 1]) else float(seen[v - 1][i])
            there = age[i] > 45 if by_age and v else rng.random() < chance
            rows.append({"id": f"p{i + 1}", "visit": f"v{v}", "age": age[i], "score": y[i, v] if there else None})
    return pd.DataFrame(rows).round({"score": 2})


def results_of(folder, frame, years, *, terms='["visit"]', more=""):
    frame.to_csv(folder / "scores.csv", index=False)
    visits = "\n".join(f'"v{k}" = {year}' for k, year in enumerate(years))
    study = f"""
[data]
file = "scores.csv"
subject = "id"
visit = "visit"

[visits]
{visits}

[outcomes.score]
range = [-5, 11]
better = "lower"

[covariates.age]
unit = "years"

[analysis]
terms = {terms}
{more}
[sensitivity]
imputations = 20
{NORM}"""
    (folder / "study.toml").write_text(study, encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BurnoutStatsWarning)  # hard cohorts have notices; tests read them
        return run(read_study(folder / "study.toml"))


def unanswered(results):
    return [notice for notice in results.notices if notice.code == UNANSWERED]


def test_one_follow_up_visit_is_reported_without_a_map(tmp_path):
    results = results_of(tmp_path, people(60, [0, 1], [0.8]), [0, 1])
    assert results.doubts[0].tipping_map is None
    report(results, tmp_path / "out")
    assert "reaches 0 if those who were not seen" in (tmp_path / "out/report.html").read_text(encoding="utf-8")


def test_where_nobody_was_lost_it_says_so(tmp_path):
    results = results_of(tmp_path, people(60, [0, 1], [1.0]), [0, 1])
    told = text.sensitivity(results.doubts[0])
    assert "is the same under all assumptions about those who were not seen" in told.found
    assert "No score was missing that could move the change from v0 to v1" in told.changes
    assert not unanswered(results)


@pytest.mark.raises_code("N-SENSITIVITY-UNANSWERED")
def test_separated_weights_are_left_out_with_a_notice_and_the_rest_stands(tmp_path):
    frame = people(80, [0, 1, 3], [1.0, 1.0], by_age=True)
    results = results_of(tmp_path, frame, [0, 1, 3], terms='["visit", "age"]')
    said = " ".join(notice.message for notice in unanswered(results))
    assert "E-MODEL-SEPARATION" in said
    assert "“Weighted”" in said
    assert "`score`" in said
    kept = set(results.doubts[0].triangulation.frame["analysis"])
    assert {"MMRM", "Multiple imputation", "Complete cases", "Bounds"} <= kept
    assert "Weighted" not in kept
    assert "the notices say which, and why" in text.sensitivity(results.doubts[0]).planned
    report(results, tmp_path / "out")
    assert UNANSWERED in (tmp_path / "out/results.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(("n", "seen"), [(12, (0.8, 0.7)), (60, (0.8, 0.0))], ids=["12", "nobody at the last visit"])
def test_small_and_empty_cohorts_end_in_a_report(tmp_path, n, seen):
    results = results_of(tmp_path, people(n, [0, 1, 3], seen), [0, 1, 3])
    assert unanswered(results)
    report(results, tmp_path / "out")


def test_a_threshold_that_hides_every_change_still_gives_a_report(tmp_path):
    frame = people(60, [0, 1, 3], [0.6, 0.5])
    report(results_of(tmp_path, frame, [0, 1, 3], more="[disclosure]\nmin_cell = 40\n"), tmp_path / "out")


def test_complete_cases_do_not_tell_how_few_were_missed_in_between(tmp_path):
    person = np.arange(100)
    frame = people(100, [0, 1, 3], [(person >= 2) & (person < 85), person < 70])
    safe = gate.shown(results_of(tmp_path, frame, [0, 1, 3]))
    changes = safe.outcomes[0].changes.frame["n"].tolist()
    triangulated = safe.doubts[0].triangulation.frame
    alone = triangulated[triangulated["analysis"].eq("Complete cases")]
    assert changes == [83, 70]
    assert alone["n"].isna().all()
    assert alone["estimate"].notna().all()


def test_bounds_and_shifts_do_not_tell_how_few_were_lost(tmp_path):
    person = np.arange(100)
    frame = people(100, [0, 1, 3], [person < 97, person < 70])
    safe = gate.shown(results_of(tmp_path, frame, [0, 1, 3]))
    doubt = safe.doubts[0]
    means = safe.outcomes[0].means.frame
    assert means.loc[means["visit"].eq("v1"), "n"].isna().all()
    bounds = doubt.triangulation.frame.query("analysis == 'Bounds' and contrast == 'v1 - v0'")
    assert bounds["conf_low"].isna().all()
    assert bounds["conf_high"].isna().all()
    curve = doubt.tipping_point.frame.query("contrast == 'v1 - v0' and delta != 0")
    assert curve["estimate"].isna().all()
    assert doubt.tipping_map is not None
    assert doubt.tipping_map.frame["estimate"].isna().all()
    report(results_of(tmp_path, frame, [0, 1, 3]), tmp_path / "out")
    record = json.loads((tmp_path / "out/results.json").read_text(encoding="utf-8"))
    notes = " ".join(record["sensitivity"][0]["analyses"]["tipping_point"]["notes"])
    assert "v1 - v0: the interval" not in notes
    assert " of 100" not in notes


def test_what_was_asked_wrongly_is_still_an_error():
    def wrong():
        raise StudyError("E-STUDY-VALUE", "n is 0.")

    def nothing():
        raise ModelError("E-MODEL-EMPTY", "Only 3 subjects are left.")

    found: list[Notice] = []
    with pytest.raises(StudyError):
        answered("score", "it is", wrong, found)
    assert answered("score", "it is", nothing, found) is None
    assert "E-MODEL-EMPTY" in found[0].message
    assert "3" not in found[0].message


def test_a_tipping_stability_is_not_told_with_more_certainty_than_it_has():
    assert "does not rule it out" in _stability_sentence("1 year", -0.1, -2.0, 0.6)
    assert "does not rule it out" not in _stability_sentence("1 year", -0.9, -2.0, -0.1)
    assert "does not rule it out" in _stability_sentence("1 year", 1.2, 0.7, 3.0)


def test_few_left_out_of_the_imputation_are_not_counted(tmp_path):
    frame = people(60, [0, 1], [0.8])
    frame.loc[frame["id"].isin(["p1", "p2", "p3"]), "age"] = None
    results = results_of(tmp_path, frame, [0, 1], terms='["visit", "age"]')
    messages = [notice.message for notice in results.notices if "of the imputation" in notice.message]
    assert len(messages) == 1
    assert messages[0].startswith("Fewer than 5 subjects")
