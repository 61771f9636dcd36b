from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cohorts import cohort_of, scores
from scipy import stats

from burnout_stats.errors import ModelError, StudyError
from burnout_stats.estimates import Policy, protect
from burnout_stats.inference import contrast, emmeans, joint_test, standardize, summarize
from burnout_stats.models import MMRM, fit


@pytest.fixture(scope="module")
def fitted():
    return fit(MMRM("score ~ visit * sex + age"), cohort_of(scores(60, seed=1, seen=0.8)))


@pytest.fixture(scope="module")
def means(fitted):
    return emmeans(fitted, "visit", by="sex")


COLUMNS = "estimate std_error df statistic p_value conf_low conf_high n method".split()


def test_columns(fitted, means):
    assert list(summarize(fitted).frame) == ["outcome", "term", *COLUMNS]
    assert list(means.frame) == ["outcome", "visit", "sex", *COLUMNS]
    assert list(contrast(means).frame) == ["outcome", "contrast", "sex", *COLUMNS]
    assert list(joint_test(fitted, contrast(means)).frame)[:6] == [
        "outcome",
        "term",
        "estimate",
        "std_error",
        "num_df",
        "df",
    ]


def test_counts_are_those_of_the_cells(fitted, means):
    frame = scores(60, seed=1, seen=0.8)
    counts = frame.groupby(["visit", "sex"]).size()
    for _, row in means.frame.iterrows():
        assert row["n"] == counts[(row["visit"], row["sex"])]
    assert emmeans(fitted, "sex").frame["n"].tolist() == frame.groupby("sex")["id"].nunique().tolist()
    change = contrast(means).frame
    assert change["n"].tolist() == [
        min(counts[("baseline", sex)], counts[(visit, sex)]) for sex in ("F", "M") for visit in ("1 year", "3 years")
    ]


def test_numbers_are_those_of_t(fitted):
    frame = summarize(fitted, conf_level=0.9).frame
    np.testing.assert_allclose(frame["p_value"], 2 * stats.t.sf(abs(frame["statistic"]), frame["df"]), rtol=1e-10)
    margin = stats.t.ppf(0.95, frame["df"]) * frame["std_error"]
    np.testing.assert_allclose(frame["conf_low"], frame["estimate"] - margin)


def test_methods_of_contrast(means):
    labels = {
        "vs_baseline": ["1 year - baseline", "3 years - baseline"],
        "consecutive": ["1 year - baseline", "3 years - 1 year"],
        "pairwise": ["1 year - baseline", "3 years - baseline", "3 years - 1 year"],
    }
    for method, names in labels.items():
        frame = contrast(means, method).frame
        assert frame.loc[frame["sex"] == "F", "contrast"].tolist() == names
    own = contrast(means, {"late": [0, -1, 1]}).frame.set_index("sex")
    pair = contrast(means, "pairwise").frame.set_index(["sex", "contrast"])
    for sex in "FM":
        assert own.loc[sex, "estimate"] == pytest.approx(pair.loc[(sex, "3 years - 1 year"), "estimate"])
        assert own.loc[sex, "df"] == pytest.approx(pair.loc[(sex, "3 years - 1 year"), "df"])


def test_covariance_of_contrasts_is_that_of_the_differences(means):
    difference = contrast(means)
    np.testing.assert_allclose(np.sqrt(np.diag(difference.vcov)), difference.frame["std_error"])
    K = difference.L @ np.linalg.pinv(means.L)
    np.testing.assert_allclose(K @ means.vcov @ K.T, difference.vcov, atol=1e-12)


@pytest.mark.raises_code("E-STUDY-OPTION")
@pytest.mark.parametrize(("method", "adjust"), [("vs_basline", "none"), ("pairwise", "tukeyy")])
def test_unknown_contrasts_and_adjustments(means, method, adjust):
    with pytest.raises(StudyError, match="It is one of"):
        contrast(means, method, adjust=adjust)


@pytest.mark.raises_code("E-STUDY-VALUE")
@pytest.mark.parametrize("weights", [[1, -1], [0, 0, 0], [1, 2, 3, 4]])
def test_weights_of_the_wrong_number(means, weights):
    with pytest.raises(StudyError):
        contrast(means, {"own": weights})


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_values_out_of_bounds(fitted, means):
    with pytest.raises(StudyError):
        summarize(fitted, conf_level=95)
    with pytest.raises(StudyError):
        standardize(contrast(means), 0.0)
    with pytest.raises(StudyError):
        joint_test(fitted, np.eye(3))


@pytest.mark.raises_code("E-STUDY-GRID")
@pytest.mark.parametrize(
    "asked",
    [
        {"specs": "visits"},
        {"specs": "visit", "weights": "even"},
        {"specs": "visit", "at": {"agee": 40}},
        {"specs": "visit", "at": {"age": [40, 50]}},
        {"specs": "visit", "at": {"age": "old"}},
        {"specs": "visit", "at": {"sex": "X"}},
        {"specs": "visit", "at": "row"},
    ],
)
def test_grids_that_the_model_does_not_have(fitted, asked):
    with pytest.raises(StudyError):
        emmeans(fitted, **asked)


def test_at_holds_and_restricts(fitted):
    slope = summarize(fitted).frame.set_index("term").loc["age", "estimate"]
    old, young = (emmeans(fitted, "visit", at={"age": age}).frame["estimate"] for age in (60, 50))
    np.testing.assert_allclose(old - young, 10 * slope)
    both = emmeans(fitted, "age", at={"age": [50, 60]}).frame
    assert both["age"].tolist() == [50, 60]
    only = emmeans(fitted, ["visit", "sex"], at={"sex": "M", "visit": ["3 years", "baseline"]}).frame
    assert only["visit"].tolist() == ["3 years", "baseline"]
    assert set(only["sex"]) == {"M"}


def test_what_was_averaged_is_said(fitted):
    notes = emmeans(fitted, "visit").about.notes
    assert notes[0] == "Averaged over sex in the proportions of the subjects."
    assert notes[1].startswith("Age held at")
    assert emmeans(fitted, "visit", weights="equal").about.notes[0] == "Averaged over sex with equal weights."


def test_adjusted_intervals_hold_together_or_say_that_they_do_not(means):
    plain, bonferroni, holm = (contrast(means, "pairwise", adjust=how) for how in ("none", "bonferroni", "holm"))
    width = [float((e.frame["conf_high"] - e.frame["conf_low"]).iloc[0]) for e in (plain, bonferroni, holm)]
    quantile = stats.t.ppf([0.975, 1 - 0.025 / 3], plain.frame["df"].iloc[0])
    assert width[1] / width[0] == pytest.approx(quantile[1] / quantile[0])
    assert width[2] == width[0]
    assert "intervals are not adjusted" in holm.about.notes[-1]
    assert "simultaneous" in bonferroni.about.notes[-1]


def test_families_are_the_rows_within_by(means):
    raw = contrast(means, "pairwise").frame
    adjusted = contrast(means, "pairwise", adjust="bonferroni").frame
    np.testing.assert_allclose(adjusted["p_value"], np.minimum(3 * raw["p_value"], 1))


def test_standardized_change_keeps_the_test(means):
    change = contrast(means)
    d = standardize(change, 0.94)
    np.testing.assert_allclose(d.frame["estimate"] * 0.94, change.frame["estimate"])
    np.testing.assert_allclose(d.frame["conf_low"] * 0.94, change.frame["conf_low"])
    np.testing.assert_allclose(d.frame["p_value"], change.frame["p_value"])
    assert d.about.notes[-1] == "Standardized by the observed SD at baseline (0.94), taken as known."


@pytest.mark.raises_code("E-MODEL-DETACHED", "N-DISCLOSURE-HIDDEN")
def test_protected_means_cannot_be_asked_again(means):
    with pytest.raises(ModelError):
        contrast(protect(means, Policy(1000)))


@pytest.mark.raises_code("E-MODEL-NOT-ESTIMABLE")
def test_a_joint_test_of_nothing(fitted):
    with pytest.raises(ModelError):
        joint_test(fitted, np.zeros((1, 7)))


def test_joint_test_of_one_row_is_the_t_test(fitted):
    for df in ("kenward-roger", "satterthwaite", "asymptotic"):
        row = summarize(fitted, df=df).frame.iloc[1]
        joint = joint_test(fitted, np.eye(7)[[1]], df=df).frame.iloc[0]
        assert joint["statistic"] == pytest.approx(row["statistic"] ** 2)
        assert joint["p_value"] == pytest.approx(row["p_value"])
        assert joint["df"] == pytest.approx(row["df"])


def test_rows_that_say_the_same_count_once(fitted):
    rows = np.eye(7)[[1, 2]]
    twice = np.vstack([rows, rows.sum(0)])
    one, two = (joint_test(fitted, L).frame.iloc[0] for L in (rows, twice))
    assert two["num_df"] == 2
    assert two["statistic"] == pytest.approx(one["statistic"])


@pytest.mark.raises_code("E-MODEL-DETACHED")
def test_means_without_a_model_cannot_be_compared(means):
    with pytest.raises(ModelError):
        contrast(replace(means, answers=None))
