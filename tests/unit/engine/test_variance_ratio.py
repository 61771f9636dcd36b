"""The search over one variance ratio: its derivatives, and its end beside that of the general optimizer."""

from __future__ import annotations

import numpy as np
import pytest

from burnout_stats.engine.basis import Basis
from burnout_stats.engine.covariance import Covariance
from burnout_stats.engine.likelihood import evaluate
from burnout_stats.engine.moments import moments_of_rows
from burnout_stats.engine.random_effects import full_factor, random_structure
from burnout_stats.engine.scoring import Status, optimize
from burnout_stats.engine.variance_ratio import VarianceRatio

TIMES = np.arange(4.0)
COLUMNS = {"intercept": np.ones(4), "slope": np.array([0.0, 0.5, 1.0, 2.0])}


def moments(z, sd=0.7, n=80, seed=4):
    rng = np.random.default_rng(seed)
    subject, visit = np.nonzero(rng.random((n, 4)) < 0.8)
    x = rng.normal(size=len(subject))
    y = 0.5 * x + sd * rng.normal(size=n)[subject] * z[visit] + rng.normal(size=len(x))
    rows = np.column_stack([np.ones(len(x)), x, y])
    basis = Basis.centered(rows.mean(0), np.array([1.0, 0.0]))
    return moments_of_rows(rows, subject, visit, 4, basis=basis).orthonormal()


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("name", COLUMNS)
def test_derivatives_are_those_of_the_profiled_criterion(name, reml):
    z = COLUMNS[name]
    data = moments(z)
    ratio = VarianceRatio.of(data, z, reml=reml)
    covariance = Covariance(random_structure(z[:, None], full_factor([(0,)])), TIMES)

    def criterion(u):
        theta = np.array([np.log(ratio.at(u)[2]) / 2, np.sqrt(np.expm1(u) / ratio.mean)])
        return float(evaluate(data, covariance, theta, reml=reml).criterion)

    for u in (0.05, 0.6, 2.0):
        first, second, variance, change = ratio.at(u)
        h = 1e-4
        assert first == pytest.approx((criterion(u + h) - criterion(u - h)) / (2 * h), rel=1e-5, abs=1e-5)
        assert second == pytest.approx((ratio.at(u + h)[0] - ratio.at(u - h)[0]) / (2 * h), rel=1e-6)
        slope = (ratio.at(u + h)[2] - ratio.at(u - h)[2]) / (2 * h)
        assert variance * change == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("name", COLUMNS)
def test_it_ends_where_the_general_optimizer_ends(name, reml):
    z = COLUMNS[name]
    data = moments(z)
    covariance = Covariance(random_structure(z[:, None], full_factor([(0,)])), TIMES)
    from_rows = optimize(data, covariance, reml=reml, restarts=False)
    assert from_rows.attempts[0].start == "moments"
    theta = VarianceRatio.of(data, z, reml=reml).solve()
    np.testing.assert_allclose(theta, from_rows.theta, rtol=1e-7)
    at_once = optimize(data, covariance, reml=reml, theta=theta)
    assert (int(at_once.iterations), at_once.status) == (1, Status.VERIFIED)
    assert at_once.max_gradient < 1e-9
    assert at_once.curvature.expected.shape == (2, 2)
    np.testing.assert_array_equal(at_once.theta, theta)


def test_near_zero_it_leaves_the_answer_to_the_general_optimizer():
    z = COLUMNS["intercept"]
    found = [VarianceRatio.of(moments(z, sd=0.0, seed=seed), z, reml=True).solve() for seed in range(6)]
    assert any(theta is None for theta in found)
