"""Reliability: identities that need no reference, and tables without an answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerances import DERIVATIVE, IDENTITY

from burnout_stats.engine import reliability as engine


def items(n=80, k=5, seed=4, spread=1.0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 1)) * spread + rng.normal(size=(n, k)) * np.linspace(0.6, 1.2, k)


def test_alpha_is_the_consistency_of_the_mean():
    Y = items()
    mean = engine.icc("ICC(C,k)", engine.squares(Y))
    alpha = engine.alpha_interval(engine.alpha(np.cov(Y.T)), *Y.shape)
    np.testing.assert_allclose(
        [alpha.estimate, alpha.conf_low, alpha.conf_high], [mean.estimate, mean.conf_low, mean.conf_high], rtol=IDENTITY
    )


def test_two_measurements_from_their_summaries():
    Y = items(k=2)
    r = np.corrcoef(Y.T)[0, 1]
    summaries = engine.squares_of_pairs(len(Y), *Y.mean(axis=0), *Y.std(axis=0, ddof=1), r)
    direct = engine.squares(Y)
    for name in ("msr", "msc", "mse", "msw"):
        assert getattr(summaries, name) == pytest.approx(getattr(direct, name), rel=IDENTITY)


def test_parallel_items_have_one_reliability():
    k, rho = 6, 0.4
    S = np.full((k, k), rho) + (1 - rho) * np.eye(k)
    expected = k * rho / (1 + (k - 1) * rho)  # Spearman-Brown
    assert engine.alpha(S) == pytest.approx(expected, rel=IDENTITY)
    fit = engine.one_factor(S, 200)
    assert engine.omega(fit).estimate == pytest.approx(expected, rel=IDENTITY)
    assert fit.discrepancy == pytest.approx(0, abs=1e-10)


def test_the_score_is_zero_and_the_information_is_its_slope():
    Y = items(n=60)
    R = np.corrcoef(Y.T)
    fit = engine.one_factor(R, 60)
    theta = np.concatenate([fit.loadings, fit.uniquenesses])
    gradient, information = engine._score(R, theta)
    np.testing.assert_allclose(gradient, 0, atol=IDENTITY)
    Sigma = np.outer(fit.loadings, fit.loadings) + np.diag(fit.uniquenesses)
    step, slopes = 1e-5, []
    for place in range(len(theta)):  # at R = Σ the observed information is the expected one
        moved = [theta + sign * step * np.eye(len(theta))[place] for sign in (1, -1)]
        slopes.append((engine._score(Sigma, moved[0])[0] - engine._score(Sigma, moved[1])[0]) / (2 * step))
    np.testing.assert_allclose(-np.array(slopes), information, atol=DERIVATIVE * np.abs(information).max())


@given(scale=st.lists(st.floats(0.1, 10), min_size=5, max_size=5), common=st.floats(0.1, 10))
def test_omega_does_not_depend_on_a_common_unit_nor_the_fit_on_any(scale, common):
    S = np.cov(items().T)
    plain = engine.one_factor(S, 80)
    units = np.array(scale)
    scaled = engine.one_factor(S * np.outer(units, units), 80)
    np.testing.assert_allclose(scaled.loadings, plain.loadings * units, rtol=1e-6)
    same = engine.omega(engine.one_factor(S * common**2, 80))
    np.testing.assert_allclose(same.estimate, engine.omega(plain).estimate, rtol=IDENTITY)
    np.testing.assert_allclose(same.std_error, engine.omega(plain).std_error, rtol=1e-6)


def test_an_improper_fit_has_no_interval():
    S = np.array([[1.0, 0.8, 0.8], [0.8, 1.0, 0.3], [0.8, 0.3, 1.0]])
    fit = engine.one_factor(S, 50)
    found = engine.omega(fit)
    assert fit.is_improper
    assert 0 < found.estimate < 1
    assert np.isnan([found.std_error, found.conf_low, found.conf_high]).all()


def test_bonetts_limits_hold_the_estimate_and_are_near_feldts():
    feldt = engine.alpha_interval(0.8, 200, 6)
    bonett = engine.alpha_interval(0.8, 200, 6, method="bonett")
    np.testing.assert_allclose([feldt.conf_low, feldt.conf_high], [bonett.conf_low, bonett.conf_high], atol=5e-3)
    assert bonett.conf_low < 0.8 < bonett.conf_high


def test_feldts_interval_covers_as_it_says():
    rng = np.random.default_rng(8)
    k, rho, n, replicates = 4, 0.5, 25, 2000
    Y = rng.normal(size=(replicates, n, 1)) * np.sqrt(rho) + rng.normal(size=(replicates, n, k)) * np.sqrt(1 - rho)
    truth = k * rho / (1 + (k - 1) * rho)
    covered = 0
    for table in Y:
        found = engine.alpha_interval(engine.alpha(np.cov(table.T)), n, k)
        covered += found.conf_low <= truth <= found.conf_high
    assert abs(covered / replicates - 0.95) < 3.3 * np.sqrt(0.95 * 0.05 / replicates)  # exact under parallel items


def test_what_has_no_answer_is_nan():
    assert np.isnan(engine.alpha(np.zeros((3, 3))))
    assert np.isnan(engine.alpha_interval(0.8, 2, 5).conf_low)
    assert np.isnan(engine.correlation_interval(0.5, 3).conf_low)
    assert np.isnan(engine.correlation_interval(1.0, 30).conf_low)
    np.testing.assert_allclose(engine.sem([1, 2], [0.75, 1.0]), [0.5, 0])
