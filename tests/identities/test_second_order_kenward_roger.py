"""Kenward-Roger of second order, from moments in our parameters, against the paper's formula in SAS's own parameters
with matrices over all rows and derivatives by finite differences.
"""

from __future__ import annotations

import numpy as np
import pytest
from cohorts import cohort_of, scores
from scipy import linalg

from burnout_stats.models import MMRM, fit

TIMES = np.array([0.0, 1.0, 3.0])
LAG = np.abs(np.arange(3)[:, None] - np.arange(3))
STEP = 1e-3


def with_correlations(variances, R):
    sd = np.sqrt(np.broadcast_to(variances, 3))
    return R * np.outer(sd, sd)


def toeplitz(r):
    return linalg.toeplitz(np.concatenate([[1.0], r]))


def antedependent(r):
    return np.array([[1.0, r[0], r[0] * r[1]], [r[0], 1.0, r[1]], [r[0] * r[1], r[1], 1.0]])


SAS = {
    "csh": (3, lambda s: with_correlations(s[:3], np.where(LAG == 0, 1.0, s[3]))),
    "ar1": (1, lambda s: with_correlations(s[:1], s[1] ** LAG)),
    "ar1h": (3, lambda s: with_correlations(s[:3], s[3] ** LAG)),
    "toeph": (3, lambda s: with_correlations(s[:3], toeplitz(s[3:]))),
    "ad": (1, lambda s: with_correlations(s[:1], antedependent(s[1:]))),
    "adh": (3, lambda s: with_correlations(s[:3], antedependent(s[3:]))),
    "sp_exp": (1, lambda s: with_correlations(s[:1], np.exp(-np.abs(TIMES[:, None] - TIMES) / s[1]))),
}


def sas_parameters(code, sigma):
    sd = np.sqrt(np.diag(sigma))
    R = sigma / np.outer(sd, sd)
    variances = np.diag(sigma)[: SAS[code][0]]
    r = {"toeph": R[0, 1:], "ad": np.diag(R, 1), "adh": np.diag(R, 1), "sp_exp": [-1 / np.log(R[0, 1])]}
    return np.concatenate([variances, r.get(code, [R[0, 1]])])


def derivatives(function, s):
    """First and second central differences, each extrapolated from two steps."""
    steps = np.diag(STEP * np.abs(s))

    def first(i, h):
        return (function(s + h * steps[i]) - function(s - h * steps[i])) / (2 * h * steps[i, i])

    def second(i, j, h):
        a, b = h * steps[i], h * steps[j]
        corners = function(s + a + b) - function(s + a - b) - function(s - a + b) + function(s - a - b)
        return corners / (4 * h**2 * steps[i, i] * steps[j, j])

    m = range(len(s))
    one = np.array([(4 * first(i, 0.5) - first(i, 1.0)) / 3 for i in m])
    two = np.array([[(4 * second(i, j, 0.5) - second(i, j, 1.0)) / 3 for j in m] for i in m])
    return one, two


def dense(ours, code):
    """Φ_A of Kenward & Roger 1997 in SAS's parameters, of first and of second order, with the observed information."""
    rows = ours.needed_rows()
    X, y = rows.z[:, :-1], rows.z[:, -1]
    parts = [rows.visit[rows.subject == k] for k in range(len(rows.ordinal))]

    def blocks(S):
        return linalg.block_diag(*(S[np.ix_(v, v)] for v in parts))

    sigma = ours.covariance.to_numpy()
    function, s = SAS[code][1], sas_parameters(code, sigma)
    np.testing.assert_allclose(function(s), sigma, rtol=1e-9)
    first, second = derivatives(function, s)
    Vi = np.linalg.inv(blocks(sigma))
    Phi = np.linalg.inv(X.T @ Vi @ X)
    K = Vi - Vi @ X @ Phi @ X.T @ Vi
    V1 = [blocks(one) for one in first]
    V2 = [[blocks(one) for one in row] for row in second]
    Ky, m = K @ y, range(len(s))
    information = np.array(
        [
            [
                np.trace(K @ V2[i][j]) / 2
                - np.trace(K @ V1[i] @ K @ V1[j]) / 2
                - Ky @ V2[i][j] @ Ky / 2
                + Ky @ V1[i] @ K @ V1[j] @ Ky
                for j in m
            ]
            for i in m
        ]
    )
    W = np.linalg.inv(information)
    ViX = Vi @ X
    P = [-ViX.T @ V @ ViX for V in V1]
    Q = sum(W[i, j] * (ViX.T @ V1[i] @ Vi @ V1[j] @ ViX - P[i] @ Phi @ P[j]) for i in m for j in m)
    R = sum(W[i, j] * ViX.T @ V2[i][j] @ ViX for i in m for j in m)
    return Phi + 2 * Phi @ Q @ Phi, Phi + 2 * Phi @ (Q - R / 4) @ Phi


def scaled(vcov, by):
    sd = np.sqrt(np.diag(by))
    return vcov / np.outer(sd, sd)


@pytest.mark.parametrize("code", SAS)
def test_second_order_in_the_parameters_of_sas(code):
    ours = fit(MMRM("score ~ visit * sex + age", covariance=code), cohort_of(scores(24, seed=12, seen=0.7)))
    first, second = dense(ours, code)
    L = np.eye(len(ours.coef))
    one, two = (ours.answer(L, df=df) for df in ("kenward-roger", "kenward-roger-second-order"))
    np.testing.assert_allclose(scaled(one.vcov, first), scaled(first, first), atol=1e-6)
    np.testing.assert_allclose(scaled(two.vcov, second), scaled(second, second), atol=1e-6)
    assert np.abs(scaled(one.vcov, first) - scaled(two.vcov, first)).max() > 1e-4
    np.testing.assert_allclose(one.df, two.df)


def test_second_order_with_a_covariance_for_each_group():
    frame = scores(40, seed=12, seen=0.8)
    both = fit(MMRM("score ~ 0 + visit:sex", covariance="ar1h", covariance_by="sex"), cohort_of(frame))
    answer = both.answer(np.eye(6), df="kenward-roger-second-order")
    names = list(both.coef.index)
    for sex in ("F", "M"):
        part = fit(
            MMRM("score ~ 0 + visit", covariance="ar1h"), cohort_of(frame[frame["sex"] == sex], covariates=["age"])
        )
        alone = part.answer(np.eye(3), df="kenward-roger-second-order")
        at = [k for k, name in enumerate(names) if f"sex[{sex}]" in name]
        np.testing.assert_allclose(answer.vcov[np.ix_(at, at)], alone.vcov, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("code", ["us", "cs", "toep"])
def test_linear_structures_have_no_second_order(code):
    ours = fit(MMRM("score ~ visit * sex + age", covariance=code), cohort_of(scores(24, seed=12, seen=0.7)))
    L = np.eye(len(ours.coef))
    one, two = (ours.answer(L, df=df) for df in ("kenward-roger", "kenward-roger-second-order"))
    np.testing.assert_array_equal(one.vcov, two.vcov)
    joints = [ours.answer_joint(L[1:3], df=df) for df in ("kenward-roger", "kenward-roger-second-order")]
    assert joints[0].statistic == joints[1].statistic
