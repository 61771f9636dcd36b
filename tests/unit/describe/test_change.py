"""Observed change, the scores behind it, change in standard deviations; from a cohort and from printed numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy
from cohorts import burnout_200, cohort_of, scores
from packaging.version import Version
from scipy import stats
from tolerances import CLOSED_FORM

from burnout_stats import describe
from burnout_stats.cohort import read_cohort
from burnout_stats.errors import StudyError
from burnout_stats.estimates import Sample, protect
from burnout_stats.inference import effect_sizes

VILLA_SANA = {"before": Sample(3.00, 0.94, 185), "after": Sample(2.53, 0.76, 185)}

NORMAL = "asymptotic" if Version(scipy.__version__) >= Version("1.13") else "approx"  # as scipy names it


def wide(cohort, outcome="EE"):
    return cohort.data.pivot(index="subject", columns="visit", values=outcome)


def test_each_change_is_a_paired_t_test():
    cohort = burnout_200()
    y = wide(cohort)
    found = describe.change(cohort, "EE", visits="all_pairs").frame
    assert found["contrast"].tolist() == ["v1 - v0", "v3 - v0", "v3 - v1"]
    for row, (earlier, later) in zip(found.itertuples(), [("v0", "v1"), ("v0", "v3"), ("v1", "v3")], strict=True):
        both = y[[earlier, later]].dropna()
        theirs = stats.ttest_rel(both[later], both[earlier])
        limits = theirs.confidence_interval()
        np.testing.assert_allclose(
            [row.statistic, row.p_value, row.conf_low, row.conf_high, row.df],
            [theirs.statistic, theirs.pvalue, *limits, len(both) - 1],
            rtol=1e-9,
        )
        assert row.n == len(both)


def test_groups_are_tested_apart():
    cohort = burnout_200()
    found = describe.change(cohort, "EE", visits="consecutive", by="sex")
    assert found.about.by == ("sex",)
    assert list(found.frame.columns[:3]) == ["outcome", "contrast", "sex"]
    women = cohort.subset(cohort.data["sex"].eq("F"))
    alone = describe.change(women, "EE", visits="consecutive").frame
    ours = found.frame[found.frame["sex"].eq("F")].reset_index(drop=True).drop(columns="sex")
    pd.testing.assert_frame_equal(ours, alone)


def test_wilcoxon_as_scipy():
    cohort = burnout_200()
    both = wide(cohort)[["v0", "v1"]].dropna()
    row = describe.change(cohort, "EE", method="wilcoxon").frame.iloc[0]
    theirs = stats.wilcoxon(both["v1"], both["v0"], correction=False, method=NORMAL)
    assert row["p_value"] == pytest.approx(theirs.pvalue, rel=CLOSED_FORM)
    assert row["method"] == "signed-rank, normal"
    assert row["conf_low"] < row["estimate"] < row["conf_high"]
    few = cohort.subset(cohort.data["subject"] <= 30)
    assert describe.change(few, "EE", method="wilcoxon").frame["method"].tolist() == ["signed-rank, exact"] * 2
    assert "ranked and then left out" in describe.change(few, "EE", method="wilcoxon", zeros="pratt").about.notes[0]


def test_scores_before_and_after():
    cohort = burnout_200()
    both = wide(cohort)[["v0", "v3"]].dropna()
    found = describe.change_scores(cohort, "EE").frame
    row = found[found["level"].eq("v3 - v0")].set_index("statistic")["value"]
    moved = both["v3"] - both["v0"]
    wanted = [
        len(both),
        both["v0"].mean(),
        both["v0"].std(),
        both["v3"].mean(),
        both["v3"].std(),
        moved.mean(),
        moved.std(),
        both.corr().iloc[0, 1],
    ]
    np.testing.assert_allclose(row.to_numpy(), wanted, rtol=1e-9)
    seen = found[found["level"].eq("v3") & found["statistic"].eq("n")]["value"]
    assert seen.tolist() == [wide(cohort)["v3"].notna().sum()]


@pytest.mark.parametrize("measure", ["d_av", "d_z", "glass", "smcrh"])
def test_standardized_change_is_that_of_effect_sizes(measure):
    cohort = burnout_200()
    ours = describe.standardized_change(cohort, "EE", measure=measure).frame
    theirs = effect_sizes(cohort, "EE", measures=measure).frame
    for name in ("estimate", "std_error", "conf_low", "conf_high", "n"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-9)


def test_hardly_anyone_at_both_visits():
    data = pd.DataFrame({"id": [1, 1, 2, 3], "visit": ["start", "end", "start", "end"], "a": [2.0, 3.0, 1.0, 4.0]})
    cohort = read_cohort(data, subject="id", visit="visit", times={"start": 0, "end": 1}, outcomes=["a"])
    row = describe.change(cohort, "a").frame.iloc[0]
    assert (row["n"], row["estimate"]) == (1, 1.0)
    assert row[["std_error", "df", "statistic", "p_value", "conf_low"]].isna().all()
    rank = describe.change(cohort, "a", method="wilcoxon").frame.iloc[0]
    assert rank["p_value"] == 1.0
    assert np.isnan(describe.standardized_change(cohort, "a").frame.loc[0, "estimate"])
    assert np.isnan(describe.level_and_change(cohort, "a").frame.loc[0, "estimate"])
    values = describe.change_scores(cohort, "a").frame.set_index(["level", "statistic"])["value"]
    assert values["end - start", "n"] == 1
    assert np.isnan(values["end - start", "correlation"])


def test_few_at_both_visits_are_hidden():
    frame = scores(40, 2)
    late = frame[~frame["visit"].eq("3 years") | frame["id"].isin(sorted(frame["id"].unique())[:3])]
    cohort = cohort_of(late)
    found = protect(describe.change(cohort), cohort.policy).frame
    assert found["hidden"].tolist() == [False, True]
    told = protect(describe.change_scores(cohort), cohort.policy).frame
    assert told.loc[told["level"].eq("3 years - baseline"), "hidden"].all()
    assert not told.loc[told["level"].eq("1 year - baseline"), "hidden"].any()


# ---- printed numbers


def test_villa_sana_after_one_year():
    """FACTS: t = 6.76, 3.00 (0.94) to 2.53 (0.76), n = 185: SD of change .95, r = .40, d_av .55, d_z .50."""
    row = describe.change_from_summaries(**VILLA_SANA, t=6.76).frame.iloc[0]
    assert row["statistic"] == pytest.approx(-6.76)
    assert row["p_value"] < 0.001
    values = describe.change_scores_from_summaries(**VILLA_SANA, t=-6.76).frame.set_index("statistic")["value"]
    assert values[["sd_change", "correlation"]].round(2).tolist() == [0.95, 0.40]
    sizes = [
        describe.standardized_change_from_summaries(**VILLA_SANA, t=6.76, measure=code).frame.loc[0, "estimate"]
        for code in ("d_av", "d_z")
    ]
    assert np.round(sizes, 2).tolist() == [-0.55, -0.50]


@pytest.mark.parametrize(("n", "r"), [(165, 0.46), (185, 0.40)])
def test_the_correlation_depends_on_the_n_of_the_test(n, r):
    found = describe.change_scores_from_summaries(before=Sample(3.00, 0.94, n), after=Sample(2.53, 0.76, n), t=6.76)
    assert found.frame.set_index("statistic").loc["correlation", "value"] == pytest.approx(r, abs=0.005)


def test_what_ties_the_visits_together_is_one_number():
    by_r = describe.change_from_summaries(**VILLA_SANA, r=0.4).frame
    s = float(np.sqrt(0.94**2 + 0.76**2 - 2 * 0.4 * 0.94 * 0.76))
    by_sd = describe.change_from_summaries(**VILLA_SANA, sd_change=s).frame
    pd.testing.assert_frame_equal(by_r, by_sd)
    for wrong in ({}, {"r": 0.4, "t": 6.76}, {"t": 0.0}):
        with pytest.raises(StudyError):
            describe.change_from_summaries(**VILLA_SANA, **wrong)


def test_summaries_agree_with_the_cohort_they_come_from():
    cohort = burnout_200()
    values = describe.change_scores(cohort, "EE").frame.set_index(["level", "statistic"])["value"]["v1 - v0"]
    n = int(values["n"])
    printed = {
        "before": Sample(values["mean_before"], values["sd_before"], n),
        "after": Sample(values["mean_after"], values["sd_after"], n),
        "r": values["correlation"],
    }
    for verb, twin in (
        (describe.change, describe.change_from_summaries),
        (describe.standardized_change, describe.standardized_change_from_summaries),
    ):
        ours, theirs = verb(cohort, "EE").frame.iloc[0], twin(**printed).frame.iloc[0]
        for name in ("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high", "n"):
            assert ours[name] == pytest.approx(theirs[name], rel=1e-9, nan_ok=True)


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_numbers_that_cannot_belong_together():
    with pytest.raises(StudyError, match="need a correlation"):
        describe.change_from_summaries(**VILLA_SANA, t=2.0)
    with pytest.raises(StudyError, match="same persons"):
        describe.change_from_summaries(before=Sample(3, 1, 185), after=Sample(2.5, 1, 184), t=5)


@pytest.mark.raises_code("E-STUDY-OPTION", "E-STUDY-VISITS", "E-STUDY-COLUMN")
def test_refusals():
    cohort = burnout_200()
    for wrong in ({"method": "sign"}, {"visits": "each"}, {"zeros": "keep", "method": "wilcoxon"}):
        with pytest.raises(StudyError, match="It is one of"):
            describe.change(cohort, "EE", **wrong)
    with pytest.raises(StudyError, match="is not an outcome"):
        describe.change(cohort, "ee2")
    with pytest.raises(StudyError, match="confidence level"):
        describe.change(cohort, "EE", conf_level=95)
    with pytest.raises(StudyError, match="one visit"):
        describe.change(cohort_of(scores(9, 1).loc[lambda frame: frame["visit"].eq("baseline")]))
    with pytest.raises(StudyError, match="It is one of"):
        describe.standardized_change(cohort, "EE", measure="d")
