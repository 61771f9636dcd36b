"""The stages of the optimizer: attempts and their log, fixed parameters, ends that are no optimum."""

from __future__ import annotations

import numpy as np
import pytest
from cohorts import cohort_of, scores
from tolerances import IDENTITY, SAME_OPTIMUM

from burnout_stats.engine.covariance import STRUCTURES, Covariance
from burnout_stats.engine.likelihood import FEW, curvature, evaluate, inverses
from burnout_stats.engine.moments import moments_of_stack
from burnout_stats.engine.packed import packed
from burnout_stats.engine.scoring import Status, optimize
from burnout_stats.engine.steps import theta_covariance
from burnout_stats.models import MMRM, fit

YEARS = np.array([0.0, 1.0, 3.0])
US = Covariance(STRUCTURES["us"], YEARS)


@pytest.fixture(scope="module")
def large():
    return fit(MMRM("score ~ visit * sex + age"), cohort_of(scores(200, seed=1, seen=0.8)))


@pytest.fixture(scope="module")
def small():
    return fit(MMRM("score ~ visit"), cohort_of(scores(25, seed=2, seen=0.8)))


def test_a_large_data_set_needs_one_attempt(large):
    (only,) = large.optimum.attempts
    assert (only.start, only.method, only.status) == ("moments", "scoring", Status.VERIFIED)
    assert only.criterion == large.optimum.criterion
    assert only.iterations == large.optimum.iterations


def test_a_small_one_is_started_from_afar_too(small):
    attempts = small.optimum.attempts
    assert len(attempts) > 5
    assert {"moments", "independent", "correlated", "flat", "scattered 1"} <= {one.start for one in attempts}
    verified = [one.criterion for one in attempts if one.status == Status.VERIFIED]
    np.testing.assert_allclose(verified, small.optimum.criterion, rtol=SAME_OPTIMUM)


def test_the_trust_region_goes_on_where_scoring_was_stopped(small):
    moments = small.state.moments
    far = np.array([3.0, -2.0, 2.0, 4.0, -5.0, 6.0])
    found = optimize(moments, US, reml=True, theta=far, max_iterations=5)
    assert "trust region" in {one.method for one in found.attempts}
    best = optimize(moments, US, reml=True, theta=far, max_iterations=200)
    assert best.status == Status.VERIFIED
    assert float(best.at.criterion) == pytest.approx(small.optimum.criterion, rel=SAME_OPTIMUM)


@pytest.mark.parametrize("reml", [True, False])
def test_fixed_parameters_stay_and_the_free_ones_are_verified(large, reml):
    moments = large.state.moments
    free = np.array([True, True, True, False, True, True])
    start = large.state.optimum.theta + np.where(free, 0.3, 0.1)
    found = optimize(moments, US, reml=reml, theta=start, free=free)
    assert found.status == Status.VERIFIED
    assert found.theta[3] == start[3]
    assert np.abs(found.curvature.gradient[free]).max() < 1e-6
    assert abs(found.curvature.gradient[3]) > 1
    whole = optimize(moments, US, reml=reml)
    assert found.at.criterion > whole.at.criterion


def test_two_optima_the_better_one_is_reported():
    """Ante-dependence with correlations near 0: the signs of neighbors can be turned together."""
    rng = np.random.default_rng(3)
    z = np.zeros((40, 12, 3, 4))
    z[..., 0] = 1
    z[:, :, 1, 1] = 1
    z[:, :, 2, 2] = 1
    z[..., 3] = rng.normal(size=(40, 12, 3))
    seen = rng.random((40, 12, 3)) < 0.6
    seen[..., 0] |= ~seen.any(-1)
    ad = Covariance(STRUCTURES["ad"], YEARS)
    better = 0
    for k in range(40):
        moments = moments_of_stack(z[k], seen[k], constant=np.eye(4)[0][:3]).orthonormal()
        found = optimize(moments, ad, reml=False)
        first, *others = found.attempts
        if found.status == Status.VERIFIED and first.status == Status.VERIFIED:
            better += float(found.at.criterion) < first.criterion - SAME_OPTIMUM * abs(first.criterion)
            ends = [one.criterion for one in others if one.status == Status.VERIFIED]
            assert float(found.at.criterion) <= min(ends, default=np.inf) + SAME_OPTIMUM * abs(first.criterion)
    assert better >= 1


def test_packed_moments_say_the_same(large):
    moments, theta = large.state.moments, large.state.optimum.theta
    small = packed(moments)
    np.testing.assert_allclose(small.gram, moments.gram, atol=IDENTITY)
    one, two = (evaluate(m, US, theta, reml=True) for m in (moments, small))
    assert float(one.criterion) == float(two.criterion)
    with_expected = curvature(small, US, theta, one, reml=True)
    without = curvature(small, US, theta, one, reml=True, expected=False)
    assert without.expected.shape == (0, 0)
    np.testing.assert_array_equal(with_expected.observed, without.observed)


def test_many_inverses_are_those_of_each():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(FEW + 20, 4, 4))
    matrices = root @ np.swapaxes(root, -1, -2)
    matrices[3, 0, 0] = -1.0
    inverse, logdet, sound = inverses(matrices)
    few, few_logdet, few_sound = inverses(matrices[:10])
    np.testing.assert_array_equal(sound, np.arange(len(root)) != 3)
    np.testing.assert_array_equal(few_sound, sound[:10])
    np.testing.assert_allclose(few[few_sound], inverse[:10][few_sound], rtol=IDENTITY)
    np.testing.assert_allclose(few_logdet[few_sound], logdet[:10][few_sound], rtol=IDENTITY)


def test_a_flat_direction_is_taken_as_known():
    hessian = np.diag([4.0, 0.0])
    np.testing.assert_allclose(theta_covariance(hessian), np.diag([0.5, 0.0]))
    np.testing.assert_allclose(theta_covariance(np.diag([4.0, 2.0])), np.diag([0.5, 1.0]))


def test_a_stack_with_one_hopeless_member():
    """A copied visit in one data set of three: it is marked, and the others are untouched."""
    rng = np.random.default_rng(5)
    z = np.zeros((3, 20, 3, 4))
    z[..., 0] = 1
    z[:, :, 1, 1] = 1
    z[:, :, 2, 2] = 1
    z[..., 3] = rng.multivariate_normal(np.zeros(3), US.sigma(np.array([0, 0, 0, 0.5, 0.4, 0.4]))[0], size=(3, 20))
    z[1, :, 2, 3] = z[1, :, 0, 3]
    seen = np.ones((3, 20, 3), dtype=bool)
    moments = moments_of_stack(z, seen, constant=np.eye(4)[0][:3]).orthonormal()
    found = optimize(moments, US, reml=True)
    assert (found.status[[0, 2]] == Status.VERIFIED).all()
    assert found.status[1] != Status.VERIFIED
    assert found.attempts == ()
