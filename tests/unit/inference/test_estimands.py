from __future__ import annotations

import numpy as np
import pytest
from cohorts import cohort_of, scores
from scipy import integrate, stats

from burnout_stats.errors import ModelError, StudyError
from burnout_stats.inference import area_under_curve, contrast, emmeans, gain_kept, noninferiority
from burnout_stats.inference.estimands import fieller
from burnout_stats.models import MMRM, fit


def means_of(n=80, seed=1, fall=(0.0, -0.5, -0.4), **grid):
    return emmeans(fit(MMRM("score ~ visit * sex"), cohort_of(scores(n, seed=seed, seen=0.9, fall=fall))), **grid)


@pytest.fixture(scope="module")
def means():
    return means_of(specs="visit")


# ---- gain kept -------------------------------------------------------------------------------------------------------


def test_the_share_is_a_ratio_of_changes(means):
    changes = contrast(means)
    first, last = changes.frame["estimate"]
    kept = gain_kept(means)
    row = kept.frame.iloc[0]
    assert row["estimate"] == pytest.approx(last / first)
    assert row["contrast"] == "change to 3 years / change to 1 year"
    assert row["confidence_set"] == "interval"
    assert row["p_value"] == pytest.approx(changes.frame["p_value"][1])
    slopes = np.array([-last / first**2, 1 / first])
    assert row["std_error"] == pytest.approx(np.sqrt(slopes @ changes.vcov @ slopes))
    assert kept.about.units == {}
    assert "Gain kept" in str(kept)


def test_limits_are_where_the_contrast_is_just_significant(means):
    """At Fieller's limits ρ the contrast (last − ρ first) has |t| equal to its quantile."""
    row = gain_kept(means, conf_level=0.9).frame.iloc[0]
    for limit in (row["conf_low"], row["conf_high"]):
        weights = [-1 + limit, -limit, 1.0]
        found = contrast(means, {"zero": weights}).frame.iloc[0]
        assert abs(found["statistic"]) == pytest.approx(stats.t.ppf(0.95, row["df"]))


def test_visits_may_be_named(means):
    kept = gain_kept(means, baseline="3 years", first="1 year", last="baseline").frame.iloc[0]
    y = means.frame.set_index("visit")["estimate"]
    assert kept["estimate"] == pytest.approx((y["baseline"] - y["3 years"]) / (y["1 year"] - y["3 years"]))


def test_each_group_has_its_share():
    means = means_of(specs="visit", by="sex")
    kept = gain_kept(means)
    assert kept.frame["sex"].tolist() == ["F", "M"]
    for sex in "FM":
        own = contrast(means).frame.query("sex == @sex")["estimate"].to_numpy()
        assert kept.frame.set_index("sex").loc[sex, "estimate"] == pytest.approx(own[1] / own[0])
    np.testing.assert_allclose(np.sqrt(np.diag(kept.vcov)), kept.frame["std_error"])


def test_without_a_first_gain_the_set_has_no_ends():
    shares = [
        gain_kept(means_of(n=40, seed=seed, fall=fall, specs="visit"))
        for seed in range(6)
        for fall in ((0, -0.02, -0.6), (0, 0, 0))
    ]
    kinds = {share.frame["confidence_set"].item(): share for share in shares}
    assert {"all but a gap", "whole line"} <= set(kinds)
    gap = kinds["all but a gap"].frame.iloc[0]
    assert gap["conf_high"] < gap["conf_low"]
    assert not gap["conf_high"] < gap["estimate"] < gap["conf_low"]
    assert "all but what lies between" in kinds["all but a gap"].about.notes[-1]
    whole = kinds["whole line"].frame.iloc[0]
    assert (whole["conf_low"], whole["conf_high"]) == (-np.inf, np.inf)
    assert "every share" in kinds["whole line"].about.notes[-1]
    for share in kinds.values():
        assert "Gain kept" in str(share)


@pytest.mark.parametrize("b", [2.0, 0.3, 0.1])
def test_the_set_holds_just_those_shares_that_are_not_rejected(b):
    a, V, t = 1.0, np.array([[0.09, 0.02], [0.02, 0.04]]), 2.0
    kind, low, high = fieller(a, b, V, t)
    share = np.linspace(-60, 60, 240_001)
    inside = (a - share * b) ** 2 <= t**2 * (V[0, 0] - 2 * share * V[0, 1] + share**2 * V[1, 1])
    ours = {
        "interval": (share >= low) & (share <= high),
        "all but a gap": (share >= low) | (share <= high),
        "whole line": np.ones_like(inside),
    }[kind]
    assert (inside != ours).sum() <= 2
    assert kind == {2.0: "interval", 0.3: "all but a gap", 0.1: "all but a gap"}[b]


def test_fieller_covers():
    """Shares whose first change is near 0: 4,000 draws, known covariance, 95%."""
    rng = np.random.default_rng(7)
    V = np.array([[1.0, 0.4], [0.4, 0.8]])
    truth = np.array([0.9, 1.2])
    draws = rng.multivariate_normal(truth, V, size=4000)
    share, hit = truth[0] / truth[1], 0
    for a, b in draws:
        kind, low, high = fieller(a, b, V, 1.959963985)
        hit += low <= share <= high if kind != "all but a gap" else share >= low or share <= high
    assert abs(hit / 4000 - 0.95) < 3 * np.sqrt(0.95 * 0.05 / 4000)


@pytest.mark.raises_code("E-STUDY-ESTIMAND")
@pytest.mark.parametrize(
    "asked", [{"first": "2 years"}, {"first": "baseline"}, {"last": "1 year"}, {"baseline": "basline"}]
)
def test_shares_of_other_visits(means, asked):
    with pytest.raises(StudyError):
        gain_kept(means, **asked)


@pytest.mark.raises_code("E-STUDY-ESTIMAND")
def test_estimands_need_means_by_visit(means):
    for question in (gain_kept, area_under_curve):
        with pytest.raises(StudyError):
            question(contrast(means))
        with pytest.raises(StudyError):
            question(means_of(specs="sex"))
    with pytest.raises(StudyError):
        gain_kept(means_of(specs="visit", at={"visit": ["baseline", "1 year"]}))
    with pytest.raises(StudyError):
        area_under_curve(means_of(specs="visit", at={"visit": ["baseline"]}))


@pytest.mark.raises_code("E-MODEL-DETACHED")
def test_a_share_is_not_linear_and_cannot_be_asked_again(means):
    with pytest.raises(ModelError):
        contrast(gain_kept(means))


@pytest.mark.raises_code("N-MODEL-ALIASED", "N-MODEL-NOT-ESTIMABLE")
@pytest.mark.filterwarnings("ignore:.*N-MODEL-ALIASED")
def test_a_share_that_cannot_be_estimated_is_missing():
    frame = scores(60, seed=1)
    frame = frame[(frame["sex"] == "F") | (frame["visit"] != "3 years")]
    means = emmeans(fit(MMRM("score ~ visit * sex", covariance="cs"), cohort_of(frame)), "visit", by="sex")
    kept = gain_kept(means).frame.set_index("sex")
    assert np.isfinite(kept.loc["F", "estimate"])
    assert np.isnan(kept.loc["M", ["estimate", "conf_low", "conf_high", "p_value"]].astype(float)).all()


# ---- area under the curve --------------------------------------------------------------------------------------------


def test_weights_follow_the_gaps(means):
    area = area_under_curve(means)
    y = means.frame["estimate"].to_numpy()
    assert area.frame["estimate"].item() == pytest.approx(integrate.trapezoid(y, [0, 1, 3]))
    assert area.frame["estimate"].item() == pytest.approx(0.5 * y[0] + 1.5 * y[1] + y[2])
    assert "weights 0.5, 1.5, 1" in area.about.notes[-1]
    assert area.about.kind == "area_under_curve"
    above = area_under_curve(means, above_baseline=True)
    assert above.frame["estimate"].item() == pytest.approx(area.frame["estimate"].item() - 3 * y[0])
    w = np.array([-2.5, 1.5, 1.0])
    assert above.frame["std_error"].item() == pytest.approx(np.sqrt(w @ means.vcov @ w))
    assert "Area under curve" in str(area)


def test_areas_of_groups_can_be_compared():
    means = means_of(specs="visit", by="sex")
    areas = area_under_curve(means, conf_level=0.9)
    assert areas.frame["sex"].tolist() == ["F", "M"]
    assert areas.about.conf_level == 0.9


# ---- non-inferiority -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def change(means):
    return contrast(means, {"3 years - 1 year": [0, -1, 1]})


@pytest.mark.parametrize("better", ["lower", "higher"])
def test_the_interval_ends_before_the_margin_where_p_is_small(change, better):
    row = change.frame.iloc[0]
    worst = row["conf_high"] if better == "lower" else -row["conf_low"]
    for margin in (worst - 0.01, worst + 0.01, 2.0):
        if margin > 0:
            tested = noninferiority(change, margin=margin, better=better)
            assert (tested.frame["p_value"].item() < 0.025) == (margin > worst)
            assert tested.frame["conf_high"].item() == row["conf_high"]
            assert f"by {margin:g}" in tested.about.notes[-1]


def test_one_sided_p(change):
    row = change.frame.iloc[0]
    tested = noninferiority(change, 0.3, better="lower").frame.iloc[0]
    assert tested["p_value"] == pytest.approx(stats.t.cdf((row["estimate"] - 0.3) / row["std_error"], row["df"]))
    tested = noninferiority(change, 0.3, better="higher").frame.iloc[0]
    assert tested["p_value"] == pytest.approx(stats.t.sf((row["estimate"] + 0.3) / row["std_error"], row["df"]))


def test_the_direction_of_the_cohort_is_known():
    frame = scores(60, seed=1)
    cohort = cohort_of(frame, outcomes={"score": {"better": "lower"}})
    means = emmeans(fit(MMRM("score ~ visit"), cohort), "visit", df="asymptotic")
    change = contrast(means, {"late": [0, -1, 1]})
    tested = noninferiority(change, margin=0.4).frame.iloc[0]
    row = change.frame.iloc[0]
    assert tested["p_value"] == pytest.approx(stats.norm.cdf((row["estimate"] - 0.4) / row["std_error"]))


@pytest.mark.raises_code("E-STUDY-NONINFERIORITY")
@pytest.mark.parametrize(
    "asked", [{}, {"margin": 0}, {"margin": -1}, {"margin": np.inf}, {"margin": 0.3}, {"margin": 0.3, "better": "up"}]
)
def test_margin_and_direction_have_no_defaults(change, asked):
    with pytest.raises(StudyError):
        noninferiority(
            change, **({"better": "lower"} if set(asked) <= {"margin"} and asked != {"margin": 0.3} else {}) | asked
        )


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_adjusted_changes_have_no_margin(means):
    with pytest.raises(StudyError):
        noninferiority(contrast(means, adjust="holm"), 0.3, better="lower")
