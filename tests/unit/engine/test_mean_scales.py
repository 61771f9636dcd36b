"""Means on the scale of the scores: derivatives against differences, integrals against known ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, ndtr

from burnout_stats.engine.mean_scales import (
    Mean,
    attenuated,
    averaged,
    mean_of,
    probability_at_least,
    probability_of,
)
from tests.tolerances import CLOSED_FORM, DERIVATIVE

THRESHOLDS = [-1.0, 0.2, 1.0]
CASES = {
    "logit": (mean_of("binomial/logit"), []),
    "probit": (mean_of("binomial/probit"), []),
    "poisson": (mean_of("poisson/log"), []),
    "size": (mean_of("negative_binomial/log"), [0.3]),
    "extra zeros": (mean_of("negative_binomial/log", "inflated"), [0.3, -0.4]),
    "above zero": (mean_of("poisson/log", "none"), []),
    "above zero, size": (mean_of("negative_binomial/log", "none"), [0.3]),
    "at least": (probability_at_least(2), THRESHOLDS),
    "first": (probability_of(0, 4), THRESHOLDS),
    "middle": (probability_of(2, 4), THRESHOLDS),
    "last": (probability_of(3, 4), THRESHOLDS),
}
ETA, VARIANCE = np.array([-1.0, 0.4, 1.5]), np.array([0.5, 1.2, 2.0])


@pytest.mark.parametrize("name", CASES)
def test_derivatives_are_those_of_the_integral(name: str) -> None:
    mean, further = CASES[name]
    gamma, step = np.array(further), 1e-5
    at = averaged(mean, ETA, VARIANCE, gamma)

    def slope(high: np.ndarray, low: np.ndarray) -> np.ndarray:
        return (high - low) / (2 * step)

    of_eta = slope(averaged(mean, ETA + step, VARIANCE, gamma).value, averaged(mean, ETA - step, VARIANCE, gamma).value)
    of_v = slope(averaged(mean, ETA, VARIANCE + step, gamma).value, averaged(mean, ETA, VARIANCE - step, gamma).value)
    np.testing.assert_allclose(at.of_eta, of_eta, rtol=DERIVATIVE, atol=DERIVATIVE)
    np.testing.assert_allclose(at.of_variance, of_v, rtol=DERIVATIVE, atol=DERIVATIVE)
    for k in range(len(gamma)):
        moved = np.eye(len(gamma))[k] * step
        by = slope(
            averaged(mean, ETA, VARIANCE, gamma + moved).value, averaged(mean, ETA, VARIANCE, gamma - moved).value
        )
        np.testing.assert_allclose(at.of_gamma[:, k], by, rtol=DERIVATIVE, atol=DERIVATIVE)


def test_the_derivative_by_the_variance_exists_at_zero() -> None:
    mean = mean_of("binomial/logit")
    at = averaged(mean, ETA, np.zeros(3), np.zeros(0))
    p = expit(ETA)
    np.testing.assert_allclose(at.value, p, rtol=CLOSED_FORM)
    np.testing.assert_allclose(at.of_variance, 0.5 * p * (1 - p) * (1 - 2 * p), rtol=CLOSED_FORM)


def test_known_integrals() -> None:
    probit, exponential = mean_of("binomial/probit"), mean_of("poisson/log")
    for spread in (0.3, 2.0, 10.0):
        v = np.full(3, spread**2)
        found = averaged(probit, ETA, v, np.zeros(0)).value
        np.testing.assert_allclose(found, ndtr(ETA / np.sqrt(1 + v)), rtol=CLOSED_FORM)
    found = averaged(exponential, ETA, VARIANCE, np.zeros(0)).value
    np.testing.assert_allclose(found, np.exp(ETA + VARIANCE / 2), rtol=CLOSED_FORM)


def test_a_logistic_mean_is_attenuated_nearly_as_zeger_liang_and_albert_say() -> None:
    eta, v = np.array([-3.0, -1.0, 0.5, 2.0]), np.array([4.0, 1.0, 9.0, 0.25])
    exact = averaged(mean_of("binomial/logit"), eta, v, np.zeros(0)).value
    assert np.abs(expit(attenuated(eta, v)) - exact).max() < 0.01
    assert np.abs(expit(eta) - exact).max() > 0.05


def test_categories_have_probabilities_that_add_up() -> None:
    gamma = np.array(THRESHOLDS)
    parts = [averaged(probability_of(k, 4), ETA, VARIANCE, gamma) for k in range(4)]
    np.testing.assert_allclose(sum(part.value for part in parts), 1.0, rtol=CLOSED_FORM)
    np.testing.assert_allclose(sum(part.of_eta for part in parts), 0.0, atol=CLOSED_FORM)
    above = averaged(probability_at_least(2), ETA, VARIANCE, gamma).value
    np.testing.assert_allclose(parts[2].value + parts[3].value, above, rtol=CLOSED_FORM)


@pytest.mark.parametrize("name", ["above zero", "above zero, size"])
def test_far_below_a_score_above_zero_is_one(name: str) -> None:
    mean: Mean = CASES[name][0]
    found = mean(np.array([-60.0, -30.0, -20.0]), np.array(CASES[name][1]))
    np.testing.assert_allclose(found.value, 1.0, atol=1e-8)
    assert np.isfinite(found.first).all()
    assert np.isfinite(found.second).all()
