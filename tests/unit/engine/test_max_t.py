"""The multiplier bootstrap: its multipliers, its draws, and the order of its p values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnout_stats.engine import max_t
from burnout_stats.engine.multiplicity import two_sided_p

PSI = np.random.default_rng(0).multivariate_normal([0, 0, 0], [[1, 0.8, 0], [0.8, 1, 0], [0, 0, 4]], size=80)
SEED = np.random.SeedSequence(7)


@pytest.mark.parametrize(("kind", "third"), [("normal", 0.0), ("rademacher", 0.0), ("mammen", 1.0)])
def test_multipliers_have_mean_0_variance_1_and_their_third_moment(kind, third):
    xi = max_t.MULTIPLIERS[kind](np.random.default_rng(1), (2000, 200))
    error = 4 / np.sqrt(xi.size)
    assert abs(xi.mean()) < error
    assert abs((xi**2).mean() - 1) < 1.5 * error
    assert abs((xi**3).mean() - third) < 4 * error


@pytest.mark.parametrize("kind", max_t.MULTIPLIERS)
def test_draws_have_the_correlation_of_the_scores(kind):
    draws = max_t.multiplied(PSI, 20_000, SEED, kind=kind)
    R = max_t.correlation(PSI)
    np.testing.assert_allclose((draws**2).mean(0), 1.0, atol=0.06)
    # for normal draws cov(T1², T2²) = 2 R²
    joint = np.cov((draws**2).T)[0, 1]
    assert joint == pytest.approx(2 * R[0, 1] ** 2, abs=0.2)


def test_draws_do_not_depend_on_how_many_are_made():
    assert np.array_equal(max_t.multiplied(PSI, 700, SEED), max_t.multiplied(PSI, 1200, SEED)[:700])
    assert not np.array_equal(max_t.multiplied(PSI, 10, SEED), max_t.multiplied(PSI, 10, np.random.SeedSequence(8)))


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=3))
def test_step_down_is_never_above_the_single_step_and_starts_with_it(z):
    z = np.array(z)
    draws = max_t.multiplied(PSI, 500, SEED)
    single, down = max_t.single_step(z, draws), max_t.step_down(z, draws)
    assert (down <= single + 1e-12).all()
    first = int(np.argmax(np.abs(z)))
    assert down[first] == single[first]
    assert np.array_equal(np.argsort(-np.abs(z), kind="stable")[0:1], [first])


def test_the_interval_and_the_p_value_agree_at_the_critical_value():
    draws = max_t.multiplied(PSI, 2000, SEED)
    c = max_t.critical(draws, 0.95)
    assert max_t.single_step(np.array([c * 1.001]), draws)[0] <= 0.0505
    assert max_t.single_step(np.array([c * 0.97]), draws)[0] > 0.05


def test_the_normal_scale_is_that_of_p():
    z = np.array([0.0, 1.0, 5.0])
    np.testing.assert_allclose(max_t.normal_scale(two_sided_p(z, np.full(3, np.inf))), z, atol=1e-12)
    assert np.isfinite(max_t.normal_scale(np.array([0.0]))).all()
