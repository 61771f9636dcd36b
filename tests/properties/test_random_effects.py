"""Derivatives of the random-effects structure and of the row path, and the conditions of an optimum in the cone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import DERIVATIVE

from burnout_stats.engine.basis import Basis
from burnout_stats.engine.clusters import Clustered, cluster_sums
from burnout_stats.engine.covariance import STRUCTURES, Covariance
from burnout_stats.engine.moments import moments_of_rows
from burnout_stats.engine.random_effects import (
    MomentsProblem,
    _factored,
    _with_what_helps,
    full_factor,
    identified,
    random_structure,
    solve,
    standardized,
)
from burnout_stats.engine.rows import RowsProblem, curvature_rows, evaluate_rows, row_products

TIMES = np.array([0.0, 1.0, 3.0, 4.0])
Z3 = np.column_stack([np.ones(4), TIMES, TIMES**2])
BLOCKS = [[(0,)], [(0, 1)], [(0,), (1,)], [(0, 1, 2)], [(0, 2), (1,)]]


def factors(blocks, rng):
    """Every rank of the blocks, at a random G."""
    q = sum(map(len, blocks))
    root = rng.normal(size=(q, q))
    G = np.zeros((q, q))
    for block in blocks:
        own = np.ix_(block, block)
        G[own] = (root @ root.T)[own]
    yield full_factor(blocks)
    for lost in range(1, q + 1):
        ranks = [len(block) for block in blocks]
        for _ in range(lost):
            ranks[int(np.argmax(ranks))] -= 1
        yield _factored(G, blocks, ranks)[0]


@pytest.mark.parametrize("blocks", BLOCKS, ids=str)
def test_structure_derivatives(blocks):
    rng = np.random.default_rng(3)
    Z = Z3[:, : sum(map(len, blocks))]
    for factor in factors(blocks, rng):
        covariance = Covariance(random_structure(Z, factor), TIMES)
        theta = rng.normal(0, 0.5, (2, covariance.n_parameters))
        first, second = covariance.derivatives(theta)
        h = 1e-5
        for i in range(theta.shape[-1]):
            step = h * np.eye(theta.shape[-1])[i]
            numeric = (covariance.sigma(theta + step) - covariance.sigma(theta - step)) / (2 * h)
            np.testing.assert_allclose(first[:, i], numeric, atol=DERIVATIVE * 100)
            plus, minus = covariance.derivatives(theta + step)[0], covariance.derivatives(theta - step)[0]
            np.testing.assert_allclose(second[:, i], (plus - minus) / (2 * h), atol=DERIVATIVE * 100)


def data(seed, n=14):
    rng = np.random.default_rng(seed)
    seen = rng.random((n, 4)) < 0.8
    seen[:, 0] = True
    subject, visit = np.nonzero(seen)
    times = TIMES[visit] + rng.uniform(-0.3, 0.3, len(visit))
    y = rng.normal(size=len(visit)) + 0.3 * rng.normal(size=n)[subject] * times
    z = np.column_stack([np.ones(len(visit)), times, rng.normal(size=n)[subject], y])
    return z, subject, visit, times


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("blocks", BLOCKS, ids=str)
def test_row_path_derivatives(blocks, reml):
    z, subject, _, times = data(1)
    Z = np.column_stack([np.ones(len(times)), times, times**2 / 5])[:, : sum(map(len, blocks))]
    basis = Basis.centered(np.zeros(4), np.array([1.0, 0, 0]))
    products = row_products(Z, z, subject, basis, np.random.default_rng(0).uniform(0.5, 2, subject[-1] + 1))
    rng = np.random.default_rng(7)
    for factor in factors(blocks, rng):
        theta = rng.normal(0, 0.4, 1 + len(factor.rows))

        def criterion(t, factor=factor):
            return float(evaluate_rows(products, factor, t, reml=reml).criterion)

        def gradient(t, factor=factor):
            return curvature_rows(
                products, factor, t, evaluate_rows(products, factor, t, reml=reml), reml=reml
            ).gradient

        slope = curvature_rows(products, factor, theta, evaluate_rows(products, factor, theta, reml=reml), reml=reml)
        h = 1e-5
        steps = h * np.eye(len(theta))
        numeric = np.array([(criterion(theta + s) - criterion(theta - s)) / (2 * h) for s in steps])
        np.testing.assert_allclose(slope.gradient, numeric, rtol=1e-6, atol=1e-6)
        numeric = np.array([(gradient(theta + s) - gradient(theta - s)) / (2 * h) for s in steps])
        np.testing.assert_allclose(slope.observed, numeric, rtol=1e-6, atol=1e-5)
        lam, dL = theta[1:], factor.units()
        L = factor.matrix(lam)
        by_chain = np.array([np.sum(slope.slope * (d @ L.T + L @ d.T)) for d in dL])
        np.testing.assert_allclose(by_chain, slope.gradient[1:], atol=1e-8)


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), which=st.integers(0, 3), reml=st.booleans())
def test_an_optimum_in_the_cone(seed, which, reml):
    """At the end (∂f/∂G) G = 0 and ∂f/∂G has no negative direction within a block, by rows and by moments alike."""
    blocks = BLOCKS[which]
    z, subject, visit, times = data(seed, n=20)
    q = sum(map(len, blocks))
    basis = Basis.centered(z.mean(0), np.array([1.0, 0, 0]))
    moments = moments_of_rows(z, subject, visit, 4, basis=basis).orthonormal()
    Z = Z3[:, :q]
    cross = np.einsum("sv,va,vb->sab", moments.patterns.astype(float), Z, Z)
    T = standardized(np.einsum("s,sab->ab", moments.n, cross) / float(moments.n_obs), blocks)
    nominal = MomentsProblem(moments, Z @ T, TIMES, reml)
    moved = z - moments.basis.center
    moved = np.column_stack([moved[:, :-1] @ moments.basis.transform, moved[:, -1] / moments.basis.scale])
    own = np.column_stack([np.ones(len(times)), times, times**2])[:, :q]
    T2 = standardized(own.T @ own / len(own), blocks)
    rows = RowsProblem(row_products(own @ T2, moved, subject, moments.basis, None), reml)
    for problem in (nominal, rows):
        factor, found = solve(problem, blocks)
        assert found.status == 0
        slope, G = problem.slope(found), factor.covariance(found.theta[1:])
        for block in blocks:
            at = np.ix_(block, block)
            assert np.linalg.eigvalsh(slope[at])[0] > -1e-4
            np.testing.assert_allclose(slope[at] @ G[at], 0.0, atol=1e-4)


def test_what_can_be_told_apart():
    ones = np.ones(1)
    Z = Z3[:3, :2]
    assert identified((Z.T @ Z)[None], np.array([3.0]), ones, [(0, 1)])
    assert not identified((Z[:2].T @ Z[:2])[None], np.array([2.0]), ones, [(0, 1)])
    assert not identified(np.eye(3)[None], np.array([3.0]), ones, [(0, 1, 2)])
    assert not identified(np.ones((1, 1, 1)), np.array([1.0]), ones, [(0,)])
    assert standardized(np.ones((2, 2)), [(0, 1)]) is None


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("code", ["us", "ar1h"])
def test_clusters_against_dense_matrices(code, reml):
    """Criterion, derivatives, expected information and the sums of Kenward-Roger with a random effect of clusters and a
    covariance for each of two groups.
    """
    z, subject, visit, _ = data(4, n=24)
    rng = np.random.default_rng(11)
    cluster, group = rng.integers(0, 5, 24), rng.integers(0, 2, 24)
    z[:, -1] += rng.normal(size=5)[cluster[subject]]
    basis = Basis.centered(z.mean(0), np.array([1.0, 0, 0]))
    moments = moments_of_rows(z, subject, visit, 4, basis=basis, group=group).orthonormal()
    moved = z - moments.basis.center
    moved = np.column_stack([moved[:, :-1] @ moments.basis.transform, moved[:, -1] / moments.basis.scale])
    sums = cluster_sums(moments, moved, subject, visit, cluster, group, None)
    covariance = Covariance(STRUCTURES[code], TIMES, 2)
    model = Clustered(moments, sums, covariance, reml)
    theta = np.append(covariance.start(0.5 * np.eye(4) + 0.3) + rng.normal(0, 0.1, covariance.n_parameters), 0.4)
    at = model.evaluate(theta)
    slope = model.curvature(theta, at)
    steps = 1e-5 * np.eye(len(theta))
    numeric = [float(model.evaluate(theta + s).criterion - model.evaluate(theta - s).criterion) / 2e-5 for s in steps]
    np.testing.assert_allclose(slope.gradient, numeric, rtol=1e-6, atol=1e-6)

    def gradient(t):
        return model.curvature(t, model.evaluate(t)).gradient

    numeric = [(gradient(theta + s) - gradient(theta - s)) / 2e-5 for s in steps]
    np.testing.assert_allclose(slope.observed, numeric, rtol=1e-6, atol=1e-5)

    same, together = subject[:, None] == subject, cluster[subject][:, None] == cluster[subject]

    def spread(by_group):
        return np.where(same, by_group[group[subject][:, None], visit[:, None], visit], 0.0)

    V = spread(covariance.sigma(theta[:-1])) + theta[-1] ** 2 * together
    parts = [spread(one) for one in covariance.derivatives(theta[:-1])[0]] + [2 * theta[-1] * together]
    X, y = moved[:, :-1], moved[:, -1]
    N, p = X.shape
    A = np.linalg.inv(V)
    Phi = np.linalg.inv(X.T @ A @ X)
    e = y - X @ Phi @ X.T @ A @ y
    unit = np.log(2 * np.pi) + 2 * np.log(float(moments.basis.scale))
    criterion = np.linalg.slogdet(V)[1] + e @ A @ e + N * unit
    if reml:
        criterion -= np.linalg.slogdet(Phi)[1] + p * unit + 2 * float(moments.basis.log_determinant)
    np.testing.assert_allclose(at.criterion, criterion, rtol=1e-10)
    np.testing.assert_allclose(at.Phi, Phi, rtol=1e-7, atol=1e-10)
    R = A - A @ X @ Phi @ X.T @ A if reml else A
    expected = [[np.trace(R @ one @ R @ other) for other in parts] for one in parts]
    np.testing.assert_allclose(slope.expected, expected, rtol=1e-7, atol=1e-8)
    Q = np.array([[X.T @ A @ one @ A @ other @ A @ X for other in parts] for one in parts])
    np.testing.assert_allclose(slope.Q, (Q + np.swapaxes(Q, 0, 1)) / 2, atol=1e-7)


@pytest.mark.parametrize("rank", [0, 1])
def test_a_direction_that_helps_is_taken_back(rank):
    """From an optimum without a variance that the data want, the way leads to the optimum of the whole."""
    z, subject, visit, _ = data(2, n=40)
    z[:, -1] += 2 * np.random.default_rng(1).normal(size=40)[subject]
    z[:, -1] += np.random.default_rng(2).normal(size=40)[subject] * TIMES[visit]
    basis = Basis.centered(z.mean(0), np.array([1.0, 0, 0]))
    moments = moments_of_rows(z, subject, visit, 4, basis=basis).orthonormal()
    problem = MomentsProblem(moments, np.column_stack([np.ones(4), (TIMES - 2) / 2]), TIMES, True)
    whole, best = solve(problem, [(0, 1)])
    assert whole.rank == 2
    factor, lam = _factored(np.eye(2), [(0, 1)], [rank])
    found = problem.minimize(factor, np.concatenate([best.theta[:1], lam]))
    for _ in range(2 - rank):
        assert found.criterion > best.criterion + 0.1
        factor, found = _with_what_helps(problem, factor, found)
    assert factor.rank == 2
    assert found.criterion == pytest.approx(best.criterion, abs=1e-7)
    assert _with_what_helps(problem, factor, found) is None
