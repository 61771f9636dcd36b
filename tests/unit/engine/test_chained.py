"""Chained equations: each regression against its known answer, donors, and chains that do not depend on others."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from burnout_stats.engine import chained as engine
from burnout_stats.engine.chained import chained, nearest_donors
from burnout_stats.engine.logistic import fit_logistic


def correlated(n, seed):
    rng = np.random.default_rng(seed)
    return rng.multivariate_normal(np.zeros(3), [[1, 0.6, 0.4], [0.6, 1, 0.5], [0.4, 0.5, 1]], n), rng


def run(Y, models, levels=None, *, n=40, seed=1, cycles=5, **asked):
    levels = levels or [False] * Y.shape[1]
    return chained(Y, np.ones((len(Y), 1)), models, levels, n, np.random.SeedSequence(seed), cycles=cycles, **asked)


def test_one_column_is_drawn_from_its_posterior_predictive():
    """With one incomplete column, draws have mean X_m β̂ and variance s² ν/(ν − 2) (1 + x'(X'X)⁻¹x), a t's."""
    y, _ = correlated(30, 2)
    Y = y.copy()
    Y[:4, 2] = np.nan
    found = run(Y, ["norm"] * 3, n=20_000, cycles=1).Y[:, :4, 2]
    X = np.column_stack([np.ones(30), y[:, :2]])
    beta, rss = np.linalg.lstsq(X[4:], y[4:, 2], rcond=None)[:2]
    leverage = np.einsum("ij,jk,ik->i", X[:4], np.linalg.inv(X[4:].T @ X[4:]), X[:4])
    variance = rss / (26 - 3 - 2) * (1 + leverage)
    np.testing.assert_allclose(found.mean(0), X[:4] @ beta, atol=5 * np.sqrt(variance.max() / 20_000))
    np.testing.assert_allclose(found.var(0), variance, rtol=0.06)


def test_levels_are_drawn_with_the_chances_of_a_logistic_regression():
    """With 1,500 rows the posterior is narrow, and the added rows weigh nothing: shares are those at the optimum."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=1500)
    level = (rng.random(1500) < expit(0.5 + x)).astype(float)
    Y = np.column_stack([x, level])
    Y[:3, 1], Y[:3, 0] = np.nan, [-1.5, 0.0, 1.0]
    found = run(Y, ["norm", "logistic"], [False, True], n=1000, cycles=1).Y[:, :3, 1]
    X = np.column_stack([np.ones(1500), Y[:, 0]])
    at = expit(X[:3] @ fit_logistic(X[3:], level[3:]).beta)
    np.testing.assert_allclose(found.mean(0), at, atol=0.06)
    assert set(np.unique(found)) == {0.0, 1.0}


def test_the_logit_of_more_levels_has_a_score_of_zero_and_for_two_is_the_logistic_one():
    rng = np.random.default_rng(4)
    X = np.concatenate([np.ones((2, 200, 1)), rng.normal(size=(2, 200, 2))], -1)
    level = rng.integers(0, 3, 200)
    weights = rng.uniform(0.5, 1.5, 200)
    beta, _ = engine._logit(X, level, weights, 3, None)
    p = engine._probabilities(X, beta)
    score = np.swapaxes(weights[:, None] * (np.eye(3)[level] - p), -1, -2) @ X
    assert np.abs(score).max() < 1e-3
    two, information = engine._logit(X, (level > 0).astype(int), np.ones(200), 2, None)
    theirs = fit_logistic(X[1], (level > 0).astype(float))
    np.testing.assert_allclose(two[1, 0], theirs.beta, atol=1e-5)
    np.testing.assert_allclose(np.linalg.inv(information[1]), theirs.vcov, rtol=1e-3)


def test_a_predictor_that_separates_the_levels_does_no_harm():
    x = np.linspace(-2, 2, 60)
    Y = np.column_stack([x, (x > 0).astype(float)])
    Y[[3, 57], 1] = np.nan
    found = run(Y, ["norm", "logistic"], [False, True], n=400).Y[:, [3, 57], 1]
    assert found[:, 0].mean() < 0.2
    assert found[:, 1].mean() > 0.8


def test_added_rows_weigh_as_many_as_there_are_coefficients_and_leave_the_means():
    rng = np.random.default_rng(11)
    X = np.concatenate([np.ones((2, 50, 1)), rng.normal(size=(2, 50, 3))], -1)
    rows, levels, weights = engine._with_added(X, np.arange(40), rng.integers(0, 3, 40), 3)
    assert rows.shape == (2, 40 + 18, 4)
    assert weights[40:].sum() == pytest.approx(4.0)
    assert np.bincount(levels[40:]).tolist() == [6, 6, 6]
    np.testing.assert_allclose(rows[:, 40:].mean(1), X.mean(1), atol=1e-12)
    np.testing.assert_allclose(np.ptp(rows[:, 40:, 1:], axis=1), X[..., 1:].std(1), rtol=1e-12)


def test_donors_are_the_nearest_and_alike_likely():
    rng = np.random.default_rng(5)
    of_seen = np.broadcast_to(np.array([5.0, 1.0, 2.0, 9.0, 3.0, 4.2]), (30_000, 6))
    found = nearest_donors(of_seen, np.full((30_000, 1), 2.1), 3, rng)[:, 0]
    np.testing.assert_allclose(np.bincount(found, minlength=6) / 30_000, [0, 1 / 3, 1 / 3, 0, 1 / 3, 0], atol=0.015)


def test_donors_that_are_predicted_alike_are_all_drawn_and_independently_for_each_recipient():
    rng = np.random.default_rng(6)
    of_seen = np.broadcast_to(np.r_[np.ones(20), 2.0], (4000, 21))
    found = nearest_donors(of_seen, np.ones((4000, 2)), 5, rng)
    np.testing.assert_allclose(np.bincount(found.ravel(), minlength=21)[:20] / 8000, 0.05, atol=0.02)
    assert (found[:, 0] == found[:, 1]).mean() == pytest.approx(0.05, abs=0.02)  # 1 in 5 where five are fixed for all


def test_matching_draws_what_was_seen():
    y, rng = correlated(80, 7)
    Y = np.round(y, 1)
    Y[rng.random(Y.shape) < 0.2] = np.nan
    Y[:, 0] = y[:, 0]
    found = run(Y, ["pmm"] * 3).Y
    for j in (1, 2):
        assert set(np.unique(found[..., j])) <= set(Y[~np.isnan(Y[:, j]), j])
    assert np.array_equal(found[3][~np.isnan(Y)], Y[~np.isnan(Y)])


def test_chains_do_not_depend_on_how_many_there_are():
    y, rng = correlated(80, 8)
    Y = np.where(rng.random(y.shape) < 0.2, np.nan, y)
    assert np.array_equal(run(Y, ["norm"] * 3, n=120).Y[:50], run(Y, ["norm"] * 3, n=50).Y)
    assert not np.array_equal(run(Y, ["norm"] * 3, n=50, seed=2).Y, run(Y, ["norm"] * 3, n=50).Y)


def test_matching_weakens_a_correlation_and_normal_regression_does_not():
    """50 data sets of 60 with half of one column missing, and the donors many: what `PMM` costs."""
    found = {"norm": [], "pmm": []}
    for seed in range(50):
        y, rng = correlated(60, 100 + seed)
        Y = y.copy()
        Y[rng.random(60) < 0.5, 1] = np.nan
        for model, answers in found.items():
            whole = run(Y[:, :2], [model] * 2, n=20, cycles=1, donors=10).Y
            answers.append(np.mean([np.corrcoef(one.T)[0, 1] for one in whole]))
    lost = np.array(found["norm"]) - np.array(found["pmm"])
    assert lost.mean() > 4 * lost.std() / np.sqrt(50)
    assert np.mean(found["norm"]) == pytest.approx(0.6, abs=0.06)


def test_drift_tells_chains_that_still_move_from_those_that_do_not():
    rng = np.random.default_rng(9)
    path = rng.normal(size=(20, 100, 2))
    still = engine.Chained(Y=np.zeros((100, 1, 2)), path=path).drift
    path = path + np.array([0.0, 0.1]) * np.arange(20)[:, None, None]
    assert np.abs(still).max() < 4
    moving = engine.Chained(Y=np.zeros((100, 1, 2)), path=path).drift
    assert moving[1] > 5


def test_a_column_with_fewer_values_than_predictors_is_refused():
    y, _ = correlated(10, 10)
    Y = np.column_stack([y, y**2])
    Y[5:, 2] = np.nan
    with pytest.raises(np.linalg.LinAlgError, match="5 values, and 6 coefficients"):
        run(Y, ["norm"] * 6)
