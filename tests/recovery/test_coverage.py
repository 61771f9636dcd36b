"""2,000 simulated cohorts of 60, lost at random given what was seen, fitted as one batch: the intervals cover as they
say.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from burnout_stats.engine import kenward_roger, satterthwaite
from burnout_stats.engine.covariance import STRUCTURES, Covariance
from burnout_stats.engine.moments import moments_of_stack
from burnout_stats.engine.scoring import Status, optimize

US = Covariance(STRUCTURES["us"], np.array([0.0, 1.0, 3.0]))
N_COHORTS, N_SUBJECTS = 2000, 60
TRUTH = np.array([3.0, -0.5, -0.6, 0.02])
SIGMA = np.array([[0.88, 0.30, 0.25], [0.30, 0.60, 0.35], [0.25, 0.35, 0.70]])


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(20261122)
    age = rng.normal(0, 9, size=(N_COHORTS, N_SUBJECTS))
    x = np.zeros((N_COHORTS, N_SUBJECTS, 3, 4))
    x[..., 0] = 1
    x[:, :, 1, 1] = 1
    x[:, :, 2, 2] = 1
    x[..., 3] = age[..., None]
    y = x @ TRUTH + rng.multivariate_normal(np.zeros(3), SIGMA, size=(N_COHORTS, N_SUBJECTS))
    seen = np.ones((N_COHORTS, N_SUBJECTS, 3), dtype=bool)
    seen[..., 1] = rng.random((N_COHORTS, N_SUBJECTS)) > special.expit(-1.5 + 0.8 * (y[..., 0] - 3))
    last = np.where(seen[..., 1], y[..., 1], y[..., 0])
    seen[..., 2] = rng.random((N_COHORTS, N_SUBJECTS)) > special.expit(-1.5 + 0.8 * (last - 2.5))
    moments = moments_of_stack(np.concatenate([x, y[..., None]], -1), seen, constant=np.eye(4)[0]).orthonormal()
    return moments, optimize(moments, US, reml=True)


def test_every_optimum_is_verified(fitted):
    _, optimum = fitted
    assert (optimum.status == Status.VERIFIED).all()


@pytest.mark.parametrize("method", ["kenward-roger", "satterthwaite"])
def test_intervals_cover(fitted, method):
    moments, optimum = fitted
    L = np.eye(4)
    inner, offset = moments.basis.functions(L)
    W = 2 * np.linalg.inv(optimum.curvature.observed)
    Phi, P = optimum.at.Phi, optimum.curvature.P
    vcov = Phi
    if method == "kenward-roger":
        Q = kenward_roger.weighted_Q(optimum.at.A, optimum.curvature.first, moments.T, W)
        vcov = kenward_roger.adjusted_covariance(Q, Phi, P, W)
    estimate = np.einsum("bkp,bp->bk", inner, optimum.at.beta) + offset
    std_error = np.sqrt(np.einsum("bkp,bpq,bkq->bk", inner, vcov, inner))
    df = satterthwaite.row_df(inner, Phi, P, W)
    covered = np.abs(estimate - TRUTH) <= special.stdtrit(df, 0.975) * std_error
    monte_carlo_error = np.sqrt(0.95 * 0.05 / N_COHORTS)
    np.testing.assert_allclose(covered.mean(0), 0.95, atol=3 * monte_carlo_error)
    bias = (estimate - TRUTH).mean(0) / (estimate.std(0) / np.sqrt(N_COHORTS))
    assert np.abs(bias).max() < 4
