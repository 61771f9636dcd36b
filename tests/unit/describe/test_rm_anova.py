"""Repeated-measures ANOVA of complete cases, from a cohort, from printed summaries and from a printed F."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import burnout_200, cohort_of, scores
from scipy import stats

from burnout_stats import describe
from burnout_stats.errors import DataError, StudyError
from burnout_stats.estimates import protect


def complete(cohort, outcome="EE"):
    return cohort.data.pivot(index="subject", columns="visit", values=outcome).dropna()


def test_the_printed_f_of_villa_sana():
    """FACTS 4.2: F(1.8, 267.0) = 33.1, n = 147: epsilon .914, df1 1.829, partial eta squared .185."""
    found = describe.rm_anova_from_printed(33.1, 267.0, 147, visits=3)
    row = found.frame.iloc[0]
    assert (round(row["estimate"], 3), round(row["num_df"], 3)) == (0.185, 1.829)
    assert "epsilon 0.914" in found.about.notes[0]
    assert row["p_value"] < 1e-9
    assert row["conf_low"] < row["estimate"] < row["conf_high"]


def test_who_was_left_out_is_said():
    cohort = burnout_200()
    found = describe.rm_anova(cohort, "EE")
    n = len(complete(cohort))
    assert found.frame["n"].tolist() == [n]
    assert found.about.notes[0].startswith(f"Complete cases: {n} of 200 subjects; {200 - n} left out")
    few = cohort.subset(~(cohort.data["subject"].isin(complete(cohort).index[3:]) & cohort.data["visit"].eq("v3")))
    with pytest.raises(DataError):
        describe.rm_anova(few, "EE", between="group")


@pytest.mark.parametrize("correction", ["greenhouse-geisser", "huynh-feldt", "lecoutre", "none"])
def test_only_the_degrees_of_freedom_depend_on_the_correction(correction):
    cohort = burnout_200()
    found = describe.rm_anova(cohort, "EE", between="group", correction=correction).frame.set_index("term")
    plain = describe.rm_anova(cohort, "EE", between="group", correction="none").frame.set_index("term")
    name = {"greenhouse-geisser": "Greenhouse-Geisser epsilon", "huynh-feldt": "Huynh-Feldt epsilon"}.get(
        correction, "Lecoutre epsilon"
    )
    s = describe.sphericity(cohort, "EE", between="group").frame.set_index("measure")["estimate"]
    epsilon = 1.0 if correction == "none" else s[name]
    assert found.index.tolist() == ["visit", "group", "visit:group"]
    for column in ("statistic", "estimate", "conf_low"):
        np.testing.assert_array_equal(found[column], plain[column])
    for term, factor in {"visit": epsilon, "group": 1.0, "visit:group": epsilon}.items():
        for column in ("num_df", "df"):
            assert found.loc[term, column] == pytest.approx(factor * plain.loc[term, column])
    assert found.loc["visit", "p_value"] == pytest.approx(
        stats.f.sf(found.loc["visit", "statistic"], found.loc["visit", "num_df"], found.loc["visit", "df"])
    )
    assert (
        s["Huynh-Feldt epsilon"] > s["Lecoutre epsilon"] > s["Greenhouse-Geisser epsilon"] > s["lower bound of epsilon"]
    )


def test_eta_squared():
    cohort = burnout_200()
    partial = describe.rm_anova(cohort, "EE").frame.iloc[0]
    generalized = describe.rm_anova(cohort, "EE", eta="generalized").frame.iloc[0]
    assert 0 < generalized["estimate"] < partial["estimate"] < 1
    assert np.isnan(generalized["conf_low"])
    df = describe.rm_anova(cohort, "EE", correction="none").frame.iloc[0]
    ratio = df["num_df"] * df["statistic"]
    assert partial["estimate"] == pytest.approx(ratio / (ratio + df["df"]))


def test_contrasts_are_paired_t_tests_of_complete_cases():
    cohort = burnout_200()
    y = complete(cohort)
    found = describe.rm_anova_contrasts(cohort, "EE").frame
    assert found["contrast"].tolist() == ["v1 - v0", "v3 - v1"]
    for row, (earlier, later) in zip(found.itertuples(), [("v0", "v1"), ("v1", "v3")], strict=True):
        theirs = stats.ttest_rel(y[later], y[earlier])
        assert row.statistic == pytest.approx(theirs.statistic, rel=1e-9)
        np.testing.assert_allclose([row.conf_low, row.conf_high], theirs.confidence_interval(), rtol=1e-9)


def test_contrasts_count_groups_alike():
    cohort = burnout_200()
    y = complete(cohort)
    group = cohort.data.groupby("subject")["group"].first().loc[y.index]
    row = describe.rm_anova_contrasts(cohort, "EE", between="group").frame.iloc[0]
    moved = y["v1"] - y["v0"]
    parts = [moved[group == level] for level in ("control", "intervention")]
    assert row["estimate"] == pytest.approx(np.mean([part.mean() for part in parts]))
    pooled = sum((len(part) - 1) * part.var() for part in parts) / (len(moved) - 2)
    assert row["std_error"] == pytest.approx(np.sqrt(pooled * sum(1 / len(part) for part in parts)) / 2)
    assert row["df"] == len(moved) - 2


def test_summaries_agree_with_the_cohort_they_come_from():
    cohort = burnout_200()
    y = complete(cohort)
    ours = describe.rm_anova(cohort, "EE").frame.drop(columns="outcome")
    theirs = describe.rm_anova_from_summaries(y.mean(), y.std(), y.corr().to_numpy(), len(y)).frame
    pd.testing.assert_frame_equal(ours, theirs.drop(columns="outcome"), rtol=1e-9)
    ours = describe.sphericity(cohort, "EE").frame.drop(columns="outcome")
    upper = y.corr().to_numpy()[np.triu_indices(3, 1)]
    theirs = describe.sphericity_from_summaries(y.std(), upper, len(y)).frame
    pd.testing.assert_frame_equal(ours, theirs.drop(columns="outcome"), rtol=1e-9)


@pytest.mark.raises_code("E-STUDY-VALUE", "E-STUDY-OPTION")
def test_refusals():
    cohort = burnout_200()
    for wrong in ({"correction": "box"}, {"eta": "omega"}, {"within": "sex"}):
        with pytest.raises(StudyError, match="It is one of"):
            describe.rm_anova(cohort, "EE", **wrong)
    with pytest.raises(StudyError, match="lies between"):
        describe.rm_anova_from_printed(33.1, 267.0, 100, visits=3)
    for means, sds, r, n in (
        ([3, 2], [1, 1, 1], [0.5, 0.5, 0.5], 50),
        ([3, 2, 2], [1, 1, 0], [0.5, 0.5, 0.5], 50),
        ([3, 2, 2], [1, 1, 1], [0.9, -0.9, 0.9], 50),
        ([3, 2, 2], [1, 1, 1], [0.5, 0.5], 50),
        ([3, 2, 2], [1, 1, 1], [0.5, 0.5, 0.5], 3),
    ):
        with pytest.raises(StudyError):
            describe.rm_anova_from_summaries(means, sds, r, n)


@pytest.mark.raises_code("E-DATA-INCOMPLETE")
def test_too_few_complete_cases():
    frame = scores(12, 1)
    frame = frame[~frame["visit"].eq("3 years") | frame["id"].isin(["S0000", "S0001"])]
    with pytest.raises(DataError, match="2 subjects were seen at all 3 visits"):
        describe.rm_anova(cohort_of(frame), "score")


def test_a_group_of_few_is_hidden():
    frame = scores(40, 3).assign(sex=lambda d: np.where(d["id"].isin(["S0000", "S0001", "S0002"]), "M", "F"))
    cohort = cohort_of(frame, covariates={"sex": {"levels": ["F", "M"]}})
    assert protect(describe.rm_anova(cohort, "score", between="sex"), cohort.policy).frame["hidden"].all()
    assert not protect(describe.rm_anova(cohort, "score"), cohort.policy).frame["hidden"].any()
