"""A covariance of outcomes times one of visits: its derivatives, its form, and its start."""

from __future__ import annotations

import numpy as np
import pytest
from tolerances import DERIVATIVE

from burnout_stats.engine.covariance import STRUCTURES
from burnout_stats.engine.kronecker import kronecker

TIMES = np.tile([0.0, 1.0, 3.0], 2)


@pytest.mark.parametrize("code", STRUCTURES)
def test_derivatives_are_those_of_finite_differences(code):
    structure = kronecker(2, code)
    m = structure.n_parameters(6)
    theta = np.random.default_rng(m).normal(0, 0.4, m)
    first, second = structure.derivatives(theta, TIMES)
    h = 1e-5
    for i, step in enumerate(h * np.eye(m)):
        up, down = structure.sigma(theta + step, TIMES), structure.sigma(theta - step, TIMES)
        np.testing.assert_allclose(first[i], (up - down) / (2 * h), atol=DERIVATIVE)
        rise = structure.derivatives(theta + step, TIMES)[0] - structure.derivatives(theta - step, TIMES)[0]
        np.testing.assert_allclose(second[i], rise / (2 * h), atol=DERIVATIVE * 10)


@pytest.mark.parametrize("code", STRUCTURES)
def test_a_start_from_its_own_sigma_comes_back(code):
    structure = kronecker(2, code)
    theta = np.random.default_rng(3).normal(0, 0.3, structure.n_parameters(6))
    sigma = structure.sigma(theta, TIMES)
    again = structure.sigma(structure.start(sigma, TIMES), TIMES)
    np.testing.assert_allclose(again, sigma, rtol=1e-8)
    outcomes, visits = sigma.reshape(2, 3, 2, 3)[:, 0, :, 0], sigma[:3, :3] / sigma[0, 0]
    np.testing.assert_allclose(sigma, np.kron(outcomes, visits), rtol=1e-12)


def test_a_stack_of_thetas_is_the_sigmas_one_by_one():
    structure = kronecker(2, "us")
    theta = np.random.default_rng(1).normal(0, 0.3, (4, structure.n_parameters(6)))
    first, second = structure.derivatives(theta, TIMES)
    one_first, one_second = structure.derivatives(theta[2], TIMES)
    np.testing.assert_allclose(first[2], one_first)
    np.testing.assert_allclose(second[2], one_second)
