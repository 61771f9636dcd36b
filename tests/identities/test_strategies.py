"""Strategies and tipping points where theory gives the answer: the formulas by hand, a jump to one's own arm, δ = 0,
and a path of deltas against imputing and fitting anew.
"""

from __future__ import annotations

import numpy as np
import pytest
from cohorts import TIMES, cohort_of, scores
from tolerances import IDENTITY, REFIT

from burnout_stats.engine.incomplete_normal import regression
from burnout_stats.inference import contrast, emmeans
from burnout_stats.instruments.norms import Norm
from burnout_stats.models import MMRM
from burnout_stats.sensitivity import (
    STRATEGIES,
    Pattern,
    analyse,
    draws,
    fade,
    impute,
    jump_to_norm,
    pool,
    strategies_compared,
    tipping_delta,
    tipping_map,
    tipping_point,
    tipping_share,
)

SPEC = MMRM("score ~ visit * sex + age")
NORM = Norm(2.0, 0.6, 500, drift=0.1)
NUMBERS = ["estimate", "std_error", "df", "conf_low", "conf_high"]


@pytest.fixture(scope="module")
def frame():
    return scores(70, seed=1, seen=0.65)


@pytest.fixture(scope="module")
def expected_draws(frame):
    return draws(SPEC, cohort_of(frame), method="conditional-mean", seed=1)


@pytest.fixture(scope="module")
def bayes_draws(frame):
    return draws(SPEC, cohort_of(frame), n=12, seed=1)


def moved_mean(name, mu, ref, seen, years):
    """What a strategy that changes means only puts in place of the mean, for three visits, in plain arithmetic."""
    a = 1 if seen == (True, True, False) else 0
    new = list(mu)
    if name == "copy_reference":
        return list(ref)
    for v in range(a + 1, 3):
        new[v] = {
            "mar": mu[v],
            "jump_to_reference": ref[v],
            "copy_increments_in_reference": mu[a] + ref[v] - ref[a],
            "last_mean_carried_forward": mu[a],
            "return_to_baseline": mu[0],
            "fade": mu[0] + 0.7 ** (years[v] - years[a]) * (mu[a] - mu[0]),
        }[name]
    return new


def by_hand(name, mu, ref, S, y, seen, years):
    """E(y_missing | y_seen) of one subject, with the inverse of one or two visits written out."""
    if name == "no_further_change":
        return [y[1]] if seen[1] else [y[0], y[0]]
    if name == "copy_increment":
        return [y[1] + (y[1] - y[0])] if seen[1] else [y[0], y[0]]
    if name == "jump_to_norm":
        scale = [1.0 if seen[v] else 0.6 / np.sqrt(S[v, v]) for v in range(3)]
        S = np.array([[S[i, j] * scale[i] * scale[j] for j in range(3)] for i in range(3)])
        m = [mu[v] if seen[v] else 2.0 + 0.1 * years[v] for v in range(3)]
    else:
        m = moved_mean(name, mu, ref, seen, years)
    if not seen[1]:
        return [m[v] + S[v, 0] / S[0, 0] * (y[0] - m[0]) for v in (1, 2)]
    determinant = S[0, 0] * S[1, 1] - S[0, 1] ** 2
    d0, d1 = y[0] - m[0], y[1] - m[1]
    k0 = (S[2, 0] * S[1, 1] - S[2, 1] * S[0, 1]) / determinant
    k1 = (S[2, 1] * S[0, 0] - S[2, 0] * S[0, 1]) / determinant
    return [m[2] + k0 * d0 + k1 * d1]


@pytest.mark.parametrize("name", [*STRATEGIES, "fade", "jump_to_norm"])
def test_conditional_means_are_those_of_the_formula_by_hand(expected_draws, name):
    how = {"fade": fade(0.3), "jump_to_norm": jump_to_norm(NORM)}.get(name, name)
    found = impute(expected_draws, how, reference=("sex", "F"))
    wide = expected_draws.data.wide
    mean = wide.W @ expected_draws.B[0]
    reference = expected_draws.data.W_at("sex", "F") @ expected_draws.B[0]
    tried = set()
    for i, y in enumerate(wide.Y):
        seen = tuple(~np.isnan(y))
        if seen in ((True, False, False), (True, True, False)):
            hand = by_hand(name, mean[i], reference[i], expected_draws.Sigma[0], y, seen, list(TIMES.values()))
            np.testing.assert_allclose(found.Y[0, i][np.isnan(y)], hand, rtol=IDENTITY)
            tried.add((seen, bool(np.isclose(mean[i, 2], reference[i, 2]))))
    assert len(tried) == 4, "both patterns in both arms"


@pytest.mark.parametrize("name", ["jump_to_reference", "copy_reference", "copy_increments_in_reference"])
@pytest.mark.parametrize("source", ["expected_draws", "bayes_draws"])
def test_those_who_are_in_the_reference_arm_are_missing_at_random(request, source, name):
    found = request.getfixturevalue(source)
    data = found.data.skeleton.data
    own = (data["sex"].to_numpy() == "F")[::3]
    plain, moved = impute(found), impute(found, name, reference=("sex", "F"))
    np.testing.assert_allclose(moved.Y[:, own], plain.Y[:, own], rtol=IDENTITY)
    assert np.abs(moved.Y[:, ~own] - plain.Y[:, ~own]).max() > 1e-3


@pytest.mark.parametrize(("rate", "name"), [(0.0, "last_mean_carried_forward"), (1.0, "return_to_baseline")])
def test_fading_at_its_ends(bayes_draws, rate, name):
    np.testing.assert_array_equal(impute(bayes_draws, fade(rate)).Y, impute(bayes_draws, name).Y)


def test_a_delta_of_nothing_and_gaps_are_missing_at_random(bayes_draws):
    plain = impute(bayes_draws)
    np.testing.assert_array_equal(impute(bayes_draws, delta={"3 years": 0.0}).Y, plain.Y)
    wide = bayes_draws.data.wide.Y
    gap = np.isnan(wide[:, 1]) & ~np.isnan(wide[:, 2])
    assert gap.sum() > 3
    np.testing.assert_array_equal(impute(bayes_draws, "return_to_baseline").Y[:, gap], plain.Y[:, gap])
    assert np.abs(impute(bayes_draws, "return_to_baseline", gaps="strategy").Y[:, gap] - plain.Y[:, gap]).max() > 0.1


def pattern(seen, rng, D=5):
    A = rng.normal(size=(2, D, 2 * D))
    return Pattern(
        seen=np.array(seen),
        places=np.arange(3),
        years=np.array([0.0, 1.0, 3.0]),
        y=rng.normal(size=(2, 4, D)),
        mean=rng.normal(size=(2, 4, D)),
        covariance=A @ np.swapaxes(A, -1, -2),
        reference=rng.normal(size=(2, 4, D)),
    )


@pytest.mark.parametrize("seen", [(1, 0, 0, 1, 0), (1, 1, 0, 1, 1), (1, 0, 1, 0, 0), (0, 0, 0, 1, 1), (0, 1, 0, 1, 0)])
@pytest.mark.parametrize("how", [*STRATEGIES.values(), fade(0.2), jump_to_norm(NORM)])
def test_every_strategy_gives_a_covariance_and_leaves_what_was_seen(how, seen):
    one = pattern(np.array(seen, dtype=bool), np.random.default_rng(3))
    before = one.mean.copy(), one.covariance.copy()
    mean, covariance = how(one)
    np.testing.assert_array_equal(one.mean, before[0])
    np.testing.assert_array_equal(one.covariance, before[1])
    assert (np.linalg.eigvalsh(covariance) > 0).all()
    np.testing.assert_allclose(covariance, np.swapaxes(covariance, -1, -2), rtol=IDENTITY)
    among = np.ix_([0, 1], np.flatnonzero(one.seen), np.flatnonzero(one.seen))
    np.testing.assert_allclose(covariance[among], one.covariance[among], rtol=IDENTITY)
    if how is not STRATEGIES["copy_reference"]:
        np.testing.assert_array_equal(mean[..., one.seen], one.mean[..., one.seen])


def test_what_follows_the_last_value_has_slope_one_on_it_and_the_spread_of_missing_at_random():
    one = pattern(np.array([1, 1, 0, 1, 0], dtype=bool), np.random.default_rng(4))
    _, covariance = STRATEGIES["no_further_change"](one)
    K, left = regression(covariance, one.seen)
    np.testing.assert_allclose(K[:, 0], np.broadcast_to([0.0, 1.0, 0.0], K[:, 0].shape), atol=1e-10)
    np.testing.assert_allclose(left[:, 0, 0], regression(one.covariance, one.seen)[1][:, 0, 0], rtol=IDENTITY)
    _, covariance = STRATEGIES["copy_increment"](one)
    K, _ = regression(covariance, one.seen)
    np.testing.assert_allclose(K[:, 0], np.broadcast_to([-1.0, 2.0, 0.0], K[:, 0].shape), atol=1e-10)


def test_the_norm_gives_mean_and_spread_and_keeps_correlations():
    one = pattern(np.array([1, 0, 0, 1, 1], dtype=bool), np.random.default_rng(5))
    mean, covariance = jump_to_norm(NORM)(one)
    np.testing.assert_allclose(mean[..., [1, 2]], np.broadcast_to([2.1, 2.3], mean[..., [1, 2]].shape))
    np.testing.assert_allclose(np.sqrt(covariance[:, [1, 2], [1, 2]]), 0.6)

    def correlation(S):
        d = np.sqrt(np.diagonal(S, axis1=-2, axis2=-1))
        return S / d[..., None] / d[..., None, :]

    np.testing.assert_allclose(correlation(covariance), correlation(one.covariance), rtol=1e-10)


def test_of_two_outcomes_each_jumps_by_itself():
    """What the first outcome jumps is not passed on to the second through their correlation."""
    rng = np.random.default_rng(6)
    frame = scores(60, seed=2, seen=0.8)
    frame["stress"] = 0.8 * frame["score"] + rng.normal(0, 0.4, len(frame)) + 0.5 * (frame["sex"] == "M")
    cohort = cohort_of(frame, outcomes=["score", "stress"], covariates=["sex"])
    found = draws(MMRM("score ~ visit * sex"), cohort, outcomes=["stress"], method="conditional-mean", seed=1)
    Y = impute(found, "jump_to_reference", reference=("sex", "F")).Y[0]
    wide, B, S = found.data.wide, found.B[0], found.Sigma[0]
    reference = found.data.W_at("sex", "F")
    lost = np.flatnonzero((np.isnan(wide.Y) == np.array([0, 0, 1, 0, 0, 1], dtype=bool)).all(1))
    assert len(lost) > 3
    o, m = [0, 1, 3, 4], [2, 5]
    K = S[np.ix_(m, o)] @ np.linalg.inv(S[np.ix_(o, o)])
    by_formula = reference[lost] @ B[:, m] + (wide.Y[lost][:, o] - wide.W[lost] @ B[:, o]) @ K.T
    np.testing.assert_allclose(Y[lost][:, m], by_formula, rtol=1e-9)


# ---- tipping points ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["expected_draws", "bayes_draws"])
@pytest.mark.parametrize("covariance", ["us", "csh"])
def test_a_path_of_deltas_is_imputing_and_fitting_anew(request, source, covariance):
    found = request.getfixturevalue(source)
    spec = MMRM("score ~ visit * sex + age", covariance=covariance)
    cohort = cohort_of(scores(4, seed=1))  # not looked at: the draws are given
    curve = tipping_point(spec, cohort, deltas=[-0.5, 1.5], drawn=found).frame
    for delta in (-0.5, 0.0, 1.5):
        moved = impute(found, delta={"1 year": delta, "3 years": delta})
        anew = contrast(emmeans(pool(analyse(moved, spec)), "visit")).frame
        row = curve[curve["delta"].eq(delta) & ~curve["conclusion"].str.startswith("tipping")]
        np.testing.assert_allclose(row[NUMBERS], anew[NUMBERS], rtol=REFIT)


def test_the_estimate_is_no_line_where_it_depends_on_the_covariance(bayes_draws):
    """With a covariate that is not crossed with visit the covariance enters the estimate, and with it delta bends."""
    middle = {"1 year": [0.0, 1.0, 0.0]}
    spec = MMRM("score ~ visit + age", covariance="cs")
    curve = tipping_point(spec, cohort_of(scores(4, seed=1)), deltas=[0, 2, 4], contrast=middle, drawn=bayes_draws)
    values = curve.frame.loc[~curve.frame["conclusion"].str.startswith("tipping"), "std_error"].to_numpy()
    assert abs(values[0] - 2 * values[1] + values[2]) > 1e-3


@pytest.mark.parametrize("source", ["expected_draws", "bayes_draws"])
@pytest.mark.parametrize("margin", [0.0, 0.2])
def test_at_the_tipping_point_the_interval_ends_at_the_margin(request, source, margin):
    found = request.getfixturevalue(source)
    asked = "1 year - baseline"
    curve = tipping_point(SPEC, cohort_of(scores(4, seed=1)), contrast=asked, margin=margin, deltas=[0, 6], drawn=found)
    tip = tipping_delta(curve)
    moved = impute(found, delta={"1 year": tip, "3 years": tip})
    anew = contrast(emmeans(pool(analyse(moved)), "visit")).frame.iloc[0]
    assert anew["conf_high"] == pytest.approx(margin, abs=1e-8)
    assert curve.frame["conclusion"].tolist()[0] == f"below {margin:g}"


def test_the_line_of_the_map_is_where_the_interval_ends_at_the_margin(bayes_draws):
    cohort = cohort_of(scores(4, seed=1))
    found = tipping_map(SPEC, cohort, deltas=([0, 2, 4], [-1, 1, 3, 5]), drawn=bayes_draws)
    frame = found.frame
    line = frame[frame["conclusion"].str.startswith("tipping point: upper")]
    assert len(line) >= 3
    np.testing.assert_allclose(line["conf_high"], 0.0, atol=1e-8)
    row = line.iloc[1]
    moved = impute(bayes_draws, delta={"1 year": row["delta at 1 year"], "3 years": row["delta at 3 years"]})
    asked = {"mean": [-1.0, 0.5, 0.5]}
    anew = contrast(emmeans(pool(analyse(moved)), "visit"), asked).frame.iloc[0]
    np.testing.assert_allclose(row[NUMBERS].astype(float), anew[NUMBERS].astype(float), rtol=REFIT, atol=1e-7)
    on_grid = set(zip(line["delta at 1 year"], line["delta at 3 years"], strict=True))
    assert all(x in (0, 2, 4) or y in (-1, 0, 1, 3, 5) for x, y in on_grid)


def test_shares_go_from_missing_at_random_to_the_strategy(expected_draws):
    curve = tipping_share(SPEC, cohort_of(scores(4, seed=1)), "return_to_baseline", drawn=expected_draws)
    ends = curve.frame.groupby("contrast", sort=False).nth([0, -1])
    for place, strategy in ((0, "mar"), (1, "return_to_baseline")):
        anew = contrast(emmeans(pool(analyse(impute(expected_draws, strategy))), "visit")).frame
        np.testing.assert_allclose(ends.iloc[place::2][NUMBERS], anew[NUMBERS], rtol=REFIT)


def test_strategies_side_by_side_are_each_alone(bayes_draws):
    table = strategies_compared(
        SPEC, cohort_of(scores(4, seed=1)), ["return_to_baseline", fade(0.5)], drawn=bayes_draws
    )
    frame = table.frame
    for name, how in (("missing at random", "mar"), ("return to baseline", "return_to_baseline")):
        anew = contrast(emmeans(pool(analyse(impute(bayes_draws, how))), "visit")).frame
        np.testing.assert_allclose(frame.loc[frame["strategy"].eq(name), NUMBERS], anew[NUMBERS], rtol=IDENTITY)
    assert frame["strategy"].unique().tolist() == ["missing at random", "return to baseline", "fade 50% per year"]


def test_fixed_shifts_keep_the_estimate_and_lose_as_much_information_as_missing_at_random(expected_draws):
    cohort = cohort_of(scores(4, seed=1))
    free, fixed = (
        strategies_compared(SPEC, cohort, ["return_to_baseline"], drawn=expected_draws, shifts=shifts).frame
        for shifts in ("estimated", "fixed")
    )
    np.testing.assert_allclose(fixed["estimate"], free["estimate"], rtol=REFIT)
    np.testing.assert_allclose(
        fixed["std_error"][fixed["strategy"].eq("missing at random")],
        free["std_error"][free["strategy"].eq("missing at random")],
        rtol=REFIT,
    )
    moved = free["strategy"].eq("return to baseline")
    assert (free["std_error"][moved].to_numpy() < fixed["std_error"][moved].to_numpy()).all()


def test_how_many_are_fitted_at_a_time_changes_nothing(bayes_draws, monkeypatch):
    cohort = cohort_of(scores(4, seed=1))
    one = tipping_point(SPEC, cohort, deltas=[0, 1, 2], drawn=bayes_draws).frame
    monkeypatch.setattr("burnout_stats.sensitivity._delta.TOGETHER", 12)
    other = tipping_point(SPEC, cohort, deltas=[0, 1, 2], drawn=bayes_draws).frame
    np.testing.assert_allclose(other[["delta", *NUMBERS]], one[["delta", *NUMBERS]], rtol=IDENTITY, atol=1e-9)
