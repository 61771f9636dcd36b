"""Observed scores, visit by visit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import burnout_200, potthoff_roy

from burnout_stats import describe
from burnout_stats.cohort import read_cohort
from burnout_stats.errors import StudyError
from burnout_stats.estimates import protect

STATISTICS = ["n", "missing", "mean", "sd", "median", "q1", "q3"]


def wide(summaries, *keys):
    return summaries.frame.pivot(index=list(keys), columns="statistic", values="value")[STATISTICS]


def test_the_statistics_are_those_of_pandas():
    cohort = burnout_200()
    found = describe.by_visit(cohort, by="sex")
    assert list(found.frame) == ["variable", "level", "sex", "statistic", "value", "n"]
    got = wide(found, "level", "sex")
    for (level, sex), scores in cohort.data.groupby(["visit", "sex"], observed=True)["EE"]:
        row = got.loc[(level, sex)]
        expected = [scores.mean(), scores.std(), scores.median(), scores.quantile(0.25), scores.quantile(0.75)]
        assert row["n"] == len(scores)
        np.testing.assert_allclose(row[["mean", "sd", "median", "q1", "q3"]], expected, rtol=1e-12)
    everyone = got.groupby("sex")[["n", "missing"]].sum().sum(axis=1) / 3
    assert everyone.to_dict() == {"F": 89, "M": 111}


def test_boys_and_girls_of_potthoff_and_roy():
    got = wide(describe.by_visit(potthoff_roy(), by="Sex"), "level", "Sex")
    assert got.loc[("8", "Male"), "mean"] == 22.875
    assert got.loc[("14", "Female"), "mean"] == pytest.approx(24.0909, abs=5e-5)
    assert (got["missing"] == 0).all()


def test_outcomes_are_chosen_and_named():
    data = pd.DataFrame({"id": range(8), "visit": "start", "a": np.arange(8.0), "b": 1.0})
    cohort = read_cohort(
        data,
        subject="id",
        visit="visit",
        times={"start": 0},
        outcomes={"a": {"label": "First", "range": [0, 7], "better": "lower", "unit": "points"}, "b": {}},
    )
    assert list(dict.fromkeys(describe.by_visit(cohort).frame["variable"])) == ["a", "b"]
    found = describe.by_visit(cohort, "a")
    assert set(found.frame["variable"]) == {"a"}
    about = found.about
    assert (about.kind, about.outcomes["a"], about.units["a"], about.better["a"]) == (
        "by_visit",
        "First",
        "points",
        "lower",
    )
    assert about.ranges["a"] == (0, 7)


def test_a_visit_of_one_or_nobody():
    data = pd.DataFrame({"id": [1, 2, 2], "visit": ["start", "start", "end"], "a": [2.0, np.nan, np.nan]})
    cohort = read_cohort(data, subject="id", visit="visit", times={"start": 0, "end": 1}, outcomes=["a"])
    got = wide(describe.by_visit(cohort), "level")
    np.testing.assert_array_equal(got.loc["start"], [1, 1, 2, np.nan, 2, 2, 2])
    np.testing.assert_array_equal(got.loc["end"], [0, 2, *[np.nan] * 5])


@pytest.mark.raises_code("E-STUDY-COLUMN")
def test_an_unknown_outcome():
    with pytest.raises(StudyError, match="Did you mean `EE`"):
        describe.by_visit(burnout_200(), ["EEE"])


# ---- privacy -------------------------------------------------------------------------------------------------------


def scores(n, missing_later):
    data = pd.DataFrame(
        {
            "id": [*range(n), *range(n)],
            "visit": ["start"] * n + ["end"] * n,
            "a": np.r_[np.linspace(1, 5, n), np.where(np.arange(n) < missing_later, np.nan, np.linspace(1, 4, n))],
        }
    )
    return read_cohort(data, subject="id", visit="visit", times={"start": 0, "end": 1}, outcomes=["a"])


@pytest.mark.raises_code("N-DISCLOSURE-HIDDEN")
def test_few_missing_hide_the_numbers_but_not_the_mean():
    cohort = scores(50, 3)
    found = protect(describe.by_visit(cohort), cohort.policy)
    end = found.frame[found.frame["level"] == "end"].set_index("statistic")
    assert end.loc[["n", "missing"], "hidden"].all()
    assert not end.loc[["mean", "sd", "median", "q1", "q3"], "hidden"].any()
    assert end.loc["mean", "value"] == pytest.approx(np.nanmean(cohort.data["a"][1::2]))
    assert end["n"].isna().all()
    start = found.frame[found.frame["level"] == "start"]
    assert not start["hidden"].any()
    assert [notice.code for notice in found.notices] == ["N-DISCLOSURE-HIDDEN"]


def test_few_observed_hide_everything_of_the_visit():
    cohort = scores(50, 47)
    found = protect(describe.by_visit(cohort), cohort.policy)
    assert found.frame.loc[found.frame["level"] == "end", "hidden"].all()
    assert not found.frame.loc[found.frame["level"] == "start", "hidden"].any()


def test_enough_on_both_sides_hides_nothing():
    cohort = scores(50, 10)
    assert not protect(describe.by_visit(cohort), cohort.policy).frame["hidden"].any()
