"""Change against level: never the raw correlation."""

from __future__ import annotations

import numpy as np
import pytest
from cohorts import burnout_200
from scipy import stats

from burnout_stats import describe
from burnout_stats.errors import StudyError

PRINTED = {"sd0": 0.94, "sd1": 0.76, "r": 0.40, "n": 185}


@pytest.mark.raises_code("E-STUDY-RAW-CHANGE")
@pytest.mark.parametrize("method", ["raw", "correlation", "pearson"])
def test_the_raw_correlation_is_refused(method):
    with pytest.raises(StudyError, match="negative by arithmetic alone"):
        describe.level_and_change(burnout_200(), "EE", method=method)
    with pytest.raises(StudyError, match="negative by arithmetic alone"):
        describe.level_and_change_from_summaries(**PRINTED, method=method)


def test_oldham_by_group():
    cohort = burnout_200()
    found = describe.level_and_change(cohort, "EE", by="sex").frame
    y = (
        cohort.data[cohort.data["sex"].eq("F")]
        .pivot(index="subject", columns="visit", values="EE")[["v0", "v1"]]
        .dropna()
    )
    theirs = stats.pearsonr(y["v1"] - y["v0"], y.mean(axis=1))
    row = found[found["sex"].eq("F")].iloc[0]
    assert row["estimate"] == pytest.approx(theirs.statistic, rel=1e-9)
    assert row["p_value"] == pytest.approx(theirs.pvalue, rel=1e-7)
    assert row["n"] == len(y)


@pytest.mark.parametrize(
    ("method", "known"),
    [
        ("oldham", {}),
        ("pitman-morgan", {}),
        ("blomqvist", {"reliability": 0.8}),
        ("blomqvist", {"error_variance": 9.0}),
    ],
)
def test_summaries_agree_with_the_cohort_they_come_from(method, known):
    cohort = burnout_200()
    values = describe.change_scores(cohort, "EE").frame.set_index(["level", "statistic"])["value"]["v1 - v0"]
    ours = describe.level_and_change(cohort, "EE", method=method, **known).frame.iloc[0]
    theirs = describe.level_and_change_from_summaries(
        sd0=values["sd_before"],
        sd1=values["sd_after"],
        r=values["correlation"],
        n=int(values["n"]),
        method=method,
        **known,
    ).frame.iloc[0]
    for name in ("estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high", "n"):
        assert ours[name] == pytest.approx(theirs[name], rel=1e-9, nan_ok=True)


def test_equal_variances_have_no_relation():
    found = describe.level_and_change_from_summaries(sd0=0.9, sd1=0.9, r=0.5, n=100).frame.iloc[0]
    assert (found["estimate"], found["p_value"]) == (0.0, 1.0)
    ratio = describe.level_and_change_from_summaries(sd0=0.9, sd1=0.9, r=0.5, n=100, method="pitman-morgan").frame.iloc[
        0
    ]
    assert ratio["conf_low"] * ratio["conf_high"] == pytest.approx(1.0)


def test_what_is_taken_as_known_is_said():
    found = describe.level_and_change_from_summaries(**PRINTED, method="blomqvist", reliability=0.9)
    assert any("A reliability of 0.9 is taken as known" in note for note in found.about.notes)
    assert np.isfinite(found.frame.loc[0, "std_error"])


@pytest.mark.raises_code("E-STUDY-VALUE", "E-STUDY-OPTION")
def test_refusals():
    for wrong in (
        {"method": "blomqvist"},
        {"method": "blomqvist", "reliability": 0.9, "error_variance": 0.1},
        {"method": "oldham", "reliability": 0.9},
        {"method": "blomqvist", "reliability": 1.2},
        {"method": "blomqvist", "error_variance": -0.1},
        {"method": "blomqvist", "error_variance": 0.9},
        {"sd0": 0.0},
        {"r": 1.0},
        {"n": 3},
    ):
        with pytest.raises(StudyError):
            describe.level_and_change_from_summaries(**(PRINTED | wrong))
    with pytest.raises(StudyError, match="It is one of"):
        describe.level_and_change_from_summaries(**PRINTED, method="spearman")
