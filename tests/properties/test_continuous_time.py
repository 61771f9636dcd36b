"""Derivatives of panels in continuous time are those of their values."""

from __future__ import annotations

import numpy as np
import pytest
from tolerances import DERIVATIVE

from burnout_stats.engine.continuous_time import ContinuousTime

STEP = 1e-5
PANELS = [
    ContinuousTime(times, P, traits, shift, real)
    for times in ((0.0, 1.0, 3.0), (0.0, 0.5))
    for P in (1, 2, 3)
    for traits, shift in ((True, False), (False, True))
    for real in (True, False)
]


def at(panel, seed):
    rng = np.random.default_rng(seed)
    theta = 0.3 * rng.normal(size=panel.n_parameters)
    if not panel.is_real:
        P = panel.n_processes
        theta[panel.part("A")] = (-np.diag([0.5, 0.8, 1.2][:P]) + 0.1 * rng.normal(size=(P, P))).ravel()
    return theta


def central(of, theta):
    ends = [[of(theta + sign * STEP * row) for row in np.eye(len(theta))] for sign in (1, -1)]
    return (np.array(ends[0]) - np.array(ends[1])) / (2 * STEP)


def close(found, expected):
    np.testing.assert_allclose(found, expected, atol=DERIVATIVE * max(1.0, np.abs(expected).max()), rtol=0)


@pytest.mark.parametrize("panel", PANELS, ids=str)
def test_first_derivatives(panel):
    theta = at(panel, 4)
    found = panel.derivatives(theta)
    close(found.d_mu, central(lambda t: panel.moments(t)[0], theta))
    close(found.d_Sigma, central(lambda t: panel.moments(t)[1], theta))
    quantities = (
        panel.drift_elements,
        panel.diffusion_elements,
        panel.asymptotic_elements,
        lambda t: panel.lag_elements(t, 1.7),
        lambda t: panel.noise_elements(t, 1.7),
    )
    for quantity in quantities:
        close(quantity(theta).change, central(lambda t, q=quantity: q(t).value, theta))


@pytest.mark.parametrize("panel", PANELS[:8:3], ids=str)
def test_curvature(panel):
    theta = at(panel, 5)
    rng = np.random.default_rng(6)
    G = rng.normal(size=(panel.n_observed, panel.n_observed))
    G = G + G.T
    expected = central(lambda t: np.einsum("qde,de->q", panel.derivatives(t).d_Sigma, G), theta)
    close(panel.curvature(theta, np.zeros(panel.n_observed), G), expected)
