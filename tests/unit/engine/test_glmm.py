"""The likelihood by adaptive quadrature: its gradient, integration by another rule, weights, and the soft penalty."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit

from burnout_stats.engine.families import FAMILIES, zero_inflated
from burnout_stats.engine.glmm import Problem, information, likelihood, maximize, pooled
from burnout_stats.engine.recession import receding
from burnout_stats.engine.soft_penalty import multiplier, soft_covariance, soft_penalty


def problem(family="binomial/logit", *, q=1, n=12, V=4, seed=3):
    rng = np.random.default_rng(seed)
    chosen = zero_inflated(FAMILIES["negative_binomial/log"]) if family == "inflated" else FAMILIES[family]
    mask = (rng.random((n, V)) < 0.8).astype(float)
    mask[:, 0] = 1.0
    X = rng.normal(size=(n, V, 2))
    X[..., 0] = 1.0
    Z = np.ones((n, V, q))
    if q == 2:
        Z[..., 1] = np.arange(V) / 2
    y = rng.poisson(1.5, (n, V)).astype(float)
    if chosen.name == "binomial":
        y = (y > 1).astype(float)
    g = len(chosen.further)
    return Problem(
        family=chosen,
        y=y,
        X=X * mask[..., None],
        Z=Z * mask[..., None],
        W=tuple(np.ones((n, V, 1)) for _ in range(g)),
        tied=tuple(np.array([k]) for k in range(g)),
        fixed=tuple(np.zeros((n, V)) for _ in range(g)),
        offset=np.zeros((n, V)),
        mask=mask,
        counts=rng.integers(1, 4, n).astype(float),
        free=np.array([(i, j) for i in range(q) for j in range(i + 1)]),
    )


@pytest.mark.parametrize("family", ["binomial/logit", "binomial/probit", "poisson/log", "inflated"])
@pytest.mark.parametrize("q", [1, 2])
@pytest.mark.parametrize("n_nodes", [1, 5])
def test_gradient(family, q, n_nodes):
    given = problem(family, q=q)
    psi = np.random.default_rng(1).normal(size=sum(given.sizes)) * 0.5
    found = likelihood(given, psi, n_nodes)
    numeric = []
    for k in range(len(psi)):
        step = np.zeros(len(psi))
        step[k] = 1e-5
        numeric.append(
            (likelihood(given, psi + step, n_nodes).loglik - likelihood(given, psi - step, n_nodes).loglik) / 2e-5
        )
    np.testing.assert_allclose(given.counts @ found.scores, numeric, atol=2e-7)


def test_many_nodes_are_the_integral():
    given = problem()
    psi = np.array([0.3, -0.2, 1.4])

    def integrand(u, i):
        eta = given.X[i] @ psi[:2] + given.Z[i, :, 0] * psi[2] * u
        p = np.where(given.y[i] > 0, expit(eta), expit(-eta))
        return np.prod(np.where(given.mask[i] > 0, p, 1.0)) * np.exp(-u * u / 2) / np.sqrt(2 * np.pi)

    exact = [np.log(quad(integrand, -12, 12, args=(i,), epsabs=1e-13, epsrel=1e-12)[0]) for i in range(len(given.y))]
    np.testing.assert_allclose(likelihood(given, psi, 35).each, exact, atol=1e-9)


def test_modes_are_predicted_and_do_not_matter():
    given = problem(q=2)
    psi = np.array([0.3, -0.2, 1.0, 0.2, 0.6])
    first = likelihood(given, psi, 5)
    again = likelihood(given, psi + 0.05, 5, (first, psi))
    assert again.loglik == pytest.approx(likelihood(given, psi + 0.05, 5).loglik, abs=1e-10)


def test_identical_subjects_are_counted_once():
    given = problem(n=6)
    twice = Problem(
        **{
            **{name: getattr(given, name) for name in ("family", "W", "tied", "fixed", "free")},
            **{
                name: np.concatenate([getattr(given, name)] * 2) for name in ("y", "X", "Z", "offset", "mask", "counts")
            },
        }
    )
    small, place = pooled(twice)
    assert len(small.y) == 6
    assert place.tolist() == [*range(6), *range(6)]
    psi = np.array([0.3, -0.2, 1.4])
    assert likelihood(small, psi, 9).loglik == pytest.approx(likelihood(twice, psi, 9).loglik, rel=1e-12)


def test_optimum():
    given = problem(n=60, seed=5)
    found = maximize(given, np.array([0.0, 0.0, 1.0]), 15)
    assert found.converged
    assert np.abs(given.counts @ found.value.scores).max() < 1e-6
    np.testing.assert_allclose(np.linalg.inv(information(given, found.psi, 15)), found.vcov, rtol=1e-4)


@pytest.mark.parametrize("link", ["logit", "probit"])
@pytest.mark.parametrize("q", [1, 2])
def test_gradient_of_the_soft_penalty(link, q):
    given = problem(f"binomial/{link}", q=q)
    penalty = soft_penalty(given)
    rng = np.random.default_rng(4)
    for _ in range(3):
        psi = rng.normal(size=sum(given.sizes)) + 0.1
        numeric = [(penalty(psi + step)[0] - penalty(psi - step)[0]) / 2e-6 for step in 1e-6 * np.eye(len(psi))]
        np.testing.assert_allclose(penalty(psi)[1], numeric, atol=1e-7)
    n = float(given.counts @ given.mask.sum(axis=1))
    assert multiplier(given) == pytest.approx(2 * np.sqrt(2 / n))


def test_a_soft_penalty_keeps_what_is_separated_finite():
    given = problem(n=40)
    given.X[:, :, 1] = (np.arange(40) % 2)[:, None] * given.mask
    given.y[1::2] = 0.0
    assert receding(given)[1]
    found = maximize(given, np.array([0.0, 0.0, 0.5]), 15, penalty=soft_penalty(given))
    assert found.converged
    assert -12 < found.psi[1] < -1
    vcov, definite = soft_covariance(given, found, 15)
    assert definite
    assert np.isfinite(vcov).all()


def test_recession_of_counts():
    given = problem("poisson/log", n=20)
    given.X[:, :, 1] = (np.arange(20) % 2)[:, None] * given.mask
    assert not receding(given).any()
    given.y[1::2] = 0.0
    assert receding(given).tolist() == [False, True]
