"""What theory says of a panel in continuous time, without a reference."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm, expm_frechet
from tolerances import CLOSED_FORM, IDENTITY

from burnout_stats.engine.continuous_time import ContinuousTime, Held
from burnout_stats.engine.matrix_exponential import asymptotic, directional, integral, lagged, process_noise

A = np.array([[-0.7, 0.15], [0.35, -0.9]])
Q = np.array([[0.5, 0.12], [0.12, 0.7]])


def noise(lag, drift=A, diffusion=Q):
    return (integral(drift, lag) @ diffusion.reshape(-1)).reshape(diffusion.shape)


def test_the_derivative_of_an_exponential_in_a_direction():
    rng = np.random.default_rng(1)
    M, E = rng.normal(size=(3, 4, 4)), rng.normal(size=(3, 2, 4, 4))
    value, change = directional(M, E)
    for k in range(3):
        np.testing.assert_allclose(value[k], expm(M[k]), rtol=CLOSED_FORM)
        for m in range(2):
            np.testing.assert_allclose(change[k, m], expm_frechet(M[k], E[k, m])[1], rtol=IDENTITY, atol=IDENTITY)


def test_one_process_has_closed_forms():
    a, q, lag = np.array([[-0.8]]), 0.6, 1.5
    Phi, dPhi = lagged(a, lag)
    assert Phi[0, 0] == pytest.approx(np.exp(-0.8 * lag), rel=CLOSED_FORM)
    assert dPhi[0, 0, 0] == pytest.approx(lag * np.exp(-0.8 * lag), rel=CLOSED_FORM)
    J, _ = process_noise(a, lag)
    assert J[0, 0] * q == pytest.approx(q * (1 - np.exp(-1.6 * lag)) / 1.6, rel=CLOSED_FORM)
    assert asymptotic(a, np.array([[q]]))[0][0, 0] == pytest.approx(q / 1.6, rel=CLOSED_FORM)


def test_noise_is_that_of_van_loans_block_matrix():
    lag = 2.0
    block = expm(np.block([[-A, Q], [np.zeros((2, 2)), A.T]]) * lag)
    np.testing.assert_allclose(noise(lag), block[2:, 2:].T @ block[:2, 2:], rtol=IDENTITY)


def test_noise_keeps_its_digits_where_rates_differ_much():
    fast = np.array([[-20.0, 3.0], [0.0, -0.1]])
    end = asymptotic(fast, Q)[0]
    Phi = expm(fast * 2.0)
    np.testing.assert_allclose(noise(2.0, fast), end - Phi @ end @ Phi.T, rtol=IDENTITY)


def test_two_lags_make_a_third():
    one, two, three = (lagged(A, lag)[0] for lag in (1.0, 2.0, 3.0))
    np.testing.assert_allclose(one @ two, three, rtol=IDENTITY)
    np.testing.assert_allclose(noise(2.0) + two @ noise(1.0) @ two.T, noise(3.0), rtol=IDENTITY)


def test_drift_has_real_negative_eigenvalues_wherever_its_parameters_are():
    panel = ContinuousTime((0.0, 1.0, 3.0), 3)
    theta = np.random.default_rng(2).normal(size=(200, panel.n_parameters))
    values = np.linalg.eigvals(panel.drift(theta)[0])
    np.testing.assert_allclose(values.imag, 0.0, atol=1e-5)
    np.testing.assert_allclose(np.sort(-values.real), np.sort(np.exp(theta[:, :3])), rtol=1e-5)


@pytest.mark.parametrize(
    ("processes", "traits", "used", "known"), [(1, True, 4, 6), (1, False, 3, 6), (2, True, 13, 21), (2, False, 10, 21)]
)
def test_what_three_visits_identify(processes, traits, used, known):
    panel = ContinuousTime((0.0, 1.0, 3.0), processes, traits)
    theta = panel.begin(np.zeros(panel.n_observed), np.eye(panel.n_observed) + 0.5, 0.7, 0.4)
    theta[panel.part("A")] += 0.3 * np.arange(1, processes**2 + 1) / processes**2
    d_Sigma = panel.derivatives(theta).d_Sigma
    i, j = np.tril_indices(panel.n_observed)
    J = d_Sigma[: panel.n_covariance, i, j]
    assert J.shape == (used, known)
    singular = np.linalg.svd(J / np.linalg.norm(J, axis=1, keepdims=True), compute_uv=False)
    assert singular.min() > 1e-3


def test_stable_differences_of_one_outcome_follow_from_three_visits():
    panel = ContinuousTime((0.0, 1.0, 3.0), 1)
    theta = np.array([np.log(0.6), 0.4, 0.5, 0.3, 3.0, 2.5, 2.5])
    _, S = panel.moments(theta)
    found = (S[0, 1] * S[1, 2] - S[0, 2] * S[1, 1]) / (S[0, 1] + S[1, 2] - S[0, 2] - S[1, 1])
    assert found == pytest.approx(0.3, rel=IDENTITY)


def test_moments_with_and_without_derivatives_agree_and_held_parameters_leave():
    panel = ContinuousTime((0.0, 1.0, 3.0, 4.0), 2, has_shift=True)
    theta = np.random.default_rng(3).normal(size=(4, panel.n_parameters)) * 0.3
    whole = panel.derivatives(theta)
    for found, expected in zip(panel.moments(theta), (whole.mu, whole.Sigma), strict=True):
        np.testing.assert_allclose(found, expected, rtol=IDENTITY, atol=IDENTITY)
    held = Held(panel, (1,), (0.2,))
    theta[:, 1] = 0.2
    left = held.derivatives(np.delete(theta, 1, axis=1))
    np.testing.assert_allclose(left.d_Sigma, np.delete(panel.derivatives(theta).d_Sigma, 1, axis=1), rtol=IDENTITY)


def test_where_no_number_can_tell_a_rate_there_is_no_likelihood():
    panel = ContinuousTime((0.0, 1.0, 3.0), 2)
    theta = np.zeros((3, panel.n_parameters))
    theta[0, 0], theta[1, 1] = 8.0, np.inf
    assert panel.is_outside(theta).tolist() == [True, True, False]
    assert (np.linalg.eigvalsh(panel.moments(theta)[1][:2]) < 0).all()
