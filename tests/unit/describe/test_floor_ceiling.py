"""Scores at the ends of their scale."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from burnout_stats import describe
from burnout_stats.cohort import read_cohort
from burnout_stats.errors import StudyError


def cohort(ranges=True):
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"id": np.repeat(np.arange(60), 2), "visit": ["start", "later"] * 60})
    frame["sex"] = np.repeat(rng.choice(["F", "M"], 60), 2)
    frame["a"] = rng.integers(1, 6, 120).astype(float)
    frame.loc[7, "a"] = np.nan
    frame["b"] = rng.normal(size=120)
    outcomes = {"a": {"range": [1, 5]} if ranges else {}, "b": {}}
    return read_cohort(
        frame,
        subject="id",
        visit="visit",
        times={"start": 0, "later": 1},
        outcomes=outcomes,
        covariates={"sex": {"levels": ["F", "M"]}},
    )


def test_counts_and_percentages_are_of_the_observed():
    data = cohort()
    found = describe.floor_ceiling(data).frame
    assert set(found["variable"]) == {"a"}
    got = found.set_index(["level", "statistic"])["value"]
    later = data.data.loc[data.data["visit"].eq("later").to_numpy(), "a"]
    assert got[("later, observed", "n")] == 59
    assert got[("later, lowest", "n")] == (later == 1).sum()
    assert got[("later, highest", "percent")] == pytest.approx(100 * (later == 5).sum() / 59)


def test_groups_add_up_and_small_counts_are_hidden():
    data = cohort()
    by_sex = describe.floor_ceiling(data, "a", by="sex")
    whole = describe.floor_ceiling(data, "a").frame
    counts = by_sex.frame[by_sex.frame["statistic"].eq("n")].groupby("level")["value"].sum()
    expected = whole[whole["statistic"].eq("n")].set_index("level")["value"]
    pd.testing.assert_series_equal(counts.sort_index(), expected.sort_index(), check_names=False)
    keep = data.data["subject"].le(12).to_numpy()
    assert "hidden" in str(describe.floor_ceiling(data.subset(keep), "a"))


def test_a_scale_without_ends_is_refused():
    with pytest.raises(StudyError, match="`b` has no declared range"):
        describe.floor_ceiling(cohort(), "b")
    with pytest.raises(StudyError, match="`a` has no declared range"):
        describe.floor_ceiling(cohort(ranges=False))
