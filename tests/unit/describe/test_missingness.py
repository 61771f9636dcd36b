"""Patterns of missing values, and what stood in their place."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import burnout_200, cohort_of, scores

from burnout_stats import describe
from burnout_stats.cohort import read_cohort
from burnout_stats.errors import StudyError
from burnout_stats.estimates import protect

TIMES = {"a": 0, "b": 1, "c": 2}


def of_patterns(patterns, min_cell=1):
    rows = []
    for pattern, n in patterns.items():
        for _ in range(n):
            subject = len(rows)
            rows.append([(subject, visit, float(len(pattern)), 1.0 * (at + subject)) for at, visit in enumerate(TIMES)])
            rows[-1] = [
                (who, visit, value if seen == "1" else np.nan)
                for (who, visit, _, value), seen in zip(rows[-1], pattern, strict=True)
            ]
    frame = pd.DataFrame([row for subject in rows for row in subject], columns=["id", "visit", "y"])
    return read_cohort(frame, subject="id", visit="visit", times=TIMES, outcomes=["y"], min_cell=min_cell), frame


def cells(summaries, *names):
    return summaries.frame.set_index([*names, "statistic"])["value"].to_dict()


def test_patterns_and_gaps():
    cohort, frame = of_patterns({"111": 10, "110": 4, "101": 3, "011": 2, "100": 5, "000": 1})
    found = cells(describe.missingness(cohort), "part", "level")
    patterns = {level: n for (part, level, name), n in found.items() if part == "pattern" and name == "n"}
    assert patterns == {"111": 10, "110": 4, "101": 3, "100": 5, "011": 2, "000": 1}
    gaps = {level: n for (part, level, name), n in found.items() if part == "gaps" and name == "n"}
    assert gaps == {"complete": 10, "monotone": 9, "intermittent": 5, "never observed": 1}
    assert found["gaps", "monotone", "percent"] == 36
    lost = frame[frame["id"].between(14 + 3 + 2, 23) & frame["visit"].eq("a")]["y"]
    assert found["pattern", "100", "mean"] == pytest.approx(lost.mean())
    assert found["pattern", "100", "sd"] == pytest.approx(lost.std())
    assert np.isnan(found["pattern", "011", "mean"])


def test_patterns_agree_with_the_flow_of_one_outcome():
    cohort = burnout_200()
    ours = describe.missingness(cohort, "EE", by="sex").frame.query("part == 'pattern' and statistic == 'n'")
    theirs = describe.flow(cohort, by="sex").frame.query("variable == 'pattern' and statistic == 'n'")
    assert sorted(ours[["sex", "value"]].to_numpy().tolist()) == sorted(theirs[["sex", "value"]].to_numpy().tolist())
    assert ours["value"].sum() == 200


def test_what_stood_in_place_of_a_value():
    frame = pd.DataFrame(
        {
            "id": [1, 1, 2, 2, 3, 4, 4],
            "visit": ["a", "b", "a", "b", "a", "a", "b"],
            "y": [1.0, 99.0, 2.0, -9.0, 99.0, np.nan, 4.0],
        }
    )
    roles = {"subject": "id", "visit": "visit", "times": {"a": 0, "b": 1}, "outcomes": ["y"], "min_cell": 1}
    found = cells(describe.missing_values(read_cohort(frame, **roles, missing_codes=[99, -9])), "visit", "level")
    assert {key[:2]: n for key, n in found.items() if key[2] == "n"} == {
        ("a", "observed"): 2,
        ("a", "code 99"): 1,
        ("a", "code -9"): 0,
        ("a", "blank"): 1,
        ("a", "no row"): 0,
        ("b", "observed"): 1,
        ("b", "code 99"): 1,
        ("b", "code -9"): 1,
        ("b", "blank"): 0,
        ("b", "no row"): 1,
    }


def test_every_subject_is_of_one_kind_at_each_visit():
    found = describe.missing_values(cohort_of(scores(60, 2, seen=0.8)), "score").frame
    totals = found[found["statistic"].eq("n")].groupby("visit")["value"].sum()
    assert (totals == 60).all()


def test_a_pattern_of_few_is_hidden_with_another_one():
    cohort, _ = of_patterns({"111": 50, "110": 20, "101": 3, "100": 10}, min_cell=5)
    shown = protect(describe.missingness(cohort), cohort.policy).frame
    counts = shown[shown["statistic"].eq("n") & shown["part"].eq("pattern")].set_index("level")["value"]
    assert np.isnan(counts["101"])
    gaps = shown[shown["statistic"].eq("n") & shown["part"].eq("gaps")].set_index("level")["value"]
    assert np.isnan(gaps["intermittent"])
    assert np.isnan(counts).sum() >= 2
    assert np.isnan(gaps).sum() >= 2


@pytest.mark.raises_code("E-STUDY-COLUMN")
def test_unknown_columns():
    with pytest.raises(StudyError, match="not an outcome"):
        describe.missingness(burnout_200(), "FF")
    with pytest.raises(StudyError, match="not an outcome"):
        describe.missing_values(burnout_200(), "FF")
