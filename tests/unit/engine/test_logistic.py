"""Logistic regression: the optimum, its profile, and where there is none."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import chdtri, expit
from tolerances import IDENTITY, LOGISTIC

from burnout_stats.engine.logistic import fit_logistic, profile_limits, separating


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    X = np.column_stack([np.ones(150), rng.normal(size=150), rng.integers(0, 2, 150)])
    return X, (rng.random(150) < expit(X @ [-1.0, 0.8, 0.5])).astype(float)


def test_statsmodels_agrees(data):
    X, y = data
    found, theirs = fit_logistic(X, y), sm.Logit(y, X).fit(disp=0)
    assert found.converged
    np.testing.assert_allclose(found.beta, theirs.params, rtol=LOGISTIC)
    np.testing.assert_allclose(found.vcov, theirs.cov_params(), rtol=1e-6)
    assert found.loglik == pytest.approx(theirs.llf, rel=IDENTITY)


def test_the_score_is_zero_at_the_optimum(data):
    X, y = data
    np.testing.assert_allclose(X.T @ (y - expit(X @ fit_logistic(X, y).beta)), 0, atol=1e-9)


def test_one_binary_covariate_gives_the_odds_ratio_of_the_table():
    y = np.repeat([0.0, 1, 0, 1], [101, 16, 83, 27])
    x = np.repeat([0.0, 0, 1, 1], [101, 16, 83, 27])
    found = fit_logistic(np.column_stack([np.ones_like(x), x]), y)
    assert np.exp(found.beta[1]) == pytest.approx(27 * 101 / (83 * 16), rel=IDENTITY)
    assert found.vcov[1, 1] == pytest.approx(1 / 101 + 1 / 16 + 1 / 83 + 1 / 27, rel=IDENTITY)


def test_at_a_profile_limit_the_likelihood_has_fallen_as_allowed(data):
    X, y = data
    best = fit_logistic(X, y)
    for place in range(3):
        for limit in profile_limits(X, y, best, place, 0.9):
            held = fit_logistic(np.delete(X, place, axis=1), y, X[:, place] * limit)
            assert 2 * (best.loglik - held.loglik) == pytest.approx(chdtri(1, 0.1), rel=1e-6)


def test_separation_is_found_where_a_column_tells_without_error(data):
    X, y = data
    assert not separating(X, y).any()
    only_lost = np.column_stack([X, (y == 1) & (np.arange(len(y)) < 60)])  # nobody of this level stayed
    assert list(separating(only_lost, y)) == [False, False, False, True]
    assert separating(np.column_stack([np.ones(6), [1.0, 2, 3, 4, 5, 6]]), np.array([0.0, 0, 0, 1, 1, 1])).all()
