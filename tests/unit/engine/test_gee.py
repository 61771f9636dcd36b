"""The estimating equations: links, working correlations, the solution, and many weightings at once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from tolerances import DERIVATIVE, IDENTITY

from burnout_stats.engine.gee import MARGINS, WORKING, Panel, runs_to_zero, solve


def block(seed=1, n=50, V=4, *, seen=0.75):
    rng = np.random.default_rng(seed)
    mask = rng.random((n, V)) < seen
    mask[:, 0] = True
    X = np.stack([np.ones((n, V)), rng.normal(size=(n, V)), np.tile(np.arange(V) / V, (n, 1))], axis=2)
    eta = X @ [0.3, 0.4, -0.5] + rng.normal(0, 0.8, n)[:, None]
    y = (rng.random((n, V)) < 1 / (1 + np.exp(-eta))).astype(float)
    return Panel(y=y * mask, X=X * mask[..., None], mask=mask)


@pytest.mark.parametrize("name", list(MARGINS))
def test_links(name):
    margin = MARGINS[name]
    eta = np.linspace(0.1, 0.9, 9) if margin.link == "identity" else np.linspace(-2.5, -0.1, 9)
    h = 1e-5
    np.testing.assert_allclose(
        margin.slope(eta), (margin.mean(eta + h) - margin.mean(eta - h)) / (2 * h), rtol=DERIVATIVE
    )
    np.testing.assert_allclose(margin.predictor(margin.mean(eta)), eta, rtol=IDENTITY)


def test_the_correlation_of_ar1_is_the_least_squares_one():
    rng = np.random.default_rng(2)
    N = np.broadcast_to(rng.integers(10, 40, (5, 5)).astype(float), (1, 5, 5))
    S = N * rng.uniform(-0.3, 0.8, (5, 5))
    (alpha,), _ = WORKING["ar1"](S, N)
    j, k = np.triu_indices(5, 1)
    lag = k - j

    def loss(a):
        return (N[0, j, k] * a ** (2.0 * lag) - 2 * S[0, j, k] * a**lag).sum()

    best = minimize_scalar(loss, bounds=(-0.99, 0.99), method="bounded", options={"xatol": 1e-12})
    assert loss(alpha[0]) <= best.fun + 1e-12


@pytest.mark.parametrize("working", list(WORKING))
def test_the_equations_are_solved(working):
    panel = block()
    margin = MARGINS["binomial/logit"]
    found = solve(panel, margin, working, np.ones((1, 50)), np.zeros(3))
    assert found.solved.all()
    assert found.definite.all()
    beta, R, phi = found.beta[0], found.R[0], found.phi[0]
    score, residuals = np.zeros(3), []
    for whole, columns, mask in zip(panel.y, panel.X, panel.mask, strict=True):
        y, X = whole[mask], columns[mask]
        mu = margin.mean(X @ beta)
        root = np.sqrt(mu * (1 - mu))
        V = phi * root[:, None] * R[np.ix_(mask, mask)] * root
        score += (X * (mu * (1 - mu))[:, None]).T @ np.linalg.solve(V, y - mu)
        residuals.extend(((y - mu) / root) ** 2)
    np.testing.assert_allclose(score, 0, atol=1e-8)
    np.testing.assert_allclose(phi, np.mean(residuals), rtol=IDENTITY)


@pytest.mark.parametrize("working", list(WORKING))
def test_many_weightings_at_once_are_each_its_own(working):
    panel = block(seed=4)
    counts = np.random.default_rng(5).multinomial(50, np.full(50, 1 / 50), size=4).astype(float)
    margin = MARGINS["binomial/logit"]
    together = solve(panel, margin, working, counts, np.zeros(3))
    for k, own in enumerate(counts):
        alone = solve(panel, margin, working, own[None], np.zeros(3))
        np.testing.assert_allclose(together.beta[k], alone.beta[0], rtol=IDENTITY)
        times = own.astype(int)
        repeated = Panel(
            y=np.repeat(panel.y, times, axis=0),
            X=np.repeat(panel.X, times, axis=0),
            mask=np.repeat(panel.mask, times, axis=0),
        )
        copied = solve(repeated, margin, working, np.ones((1, int(own.sum()))), np.zeros(3))
        np.testing.assert_allclose(together.beta[k], copied.beta[0], rtol=IDENTITY)
        np.testing.assert_allclose(together.R[k], copied.R[0], atol=1e-9)


def test_means_stay_where_they_may_be():
    panel = block(seed=6)
    found = solve(panel, MARGINS["binomial/identity"], "exchangeable", np.ones((1, 50)), np.array([0.5, 0.0, 0.0]))
    mu = panel.X[panel.mask] @ found.beta[0]
    assert mu.min() > 0
    assert mu.max() < 1


def test_counts_that_run_to_zero():
    group = np.repeat([0.0, 1.0], 10)
    X = np.column_stack([np.ones(20), group])
    y = np.where(group == 1, 0.0, np.arange(20) % 3)
    assert runs_to_zero(X, y).tolist() == [False, True] or runs_to_zero(X, y)[1]
    y[-1] = 1
    assert not runs_to_zero(X, y).any()
    assert not runs_to_zero(X, np.ones(20)).any()
