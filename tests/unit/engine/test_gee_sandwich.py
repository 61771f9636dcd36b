"""Robust covariances for few subjects against the formulas of their papers, with matrices over all rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import block_diag, sqrtm
from tolerances import IDENTITY

from burnout_stats.engine.gee import MARGINS, Panel, solve, whitened
from burnout_stats.engine.gee_sandwich import CORRECTIONS, DF, sandwich_of

MARGIN = MARGINS["poisson/log"]


def problem(omega=None):
    rng = np.random.default_rng(11)
    n, V = 12, 3
    mask = rng.random((n, V)) < 0.8
    mask[:, 0] = True
    X = np.stack([np.ones((n, V)), np.repeat(rng.normal(size=(n, 1)), V, 1), np.tile(np.arange(V), (n, 1))], axis=2)
    y = rng.poisson(np.exp(0.5 + 0.2 * X[..., 1] + rng.normal(0, 0.5, (n, 1))))
    panel = Panel(y=y * mask, X=X * mask[..., None], mask=mask, omega=omega)
    counts = np.ones((1, n))
    found = solve(panel, MARGIN, "exchangeable", counts, np.zeros(3))
    return panel, counts[0], found


def dense(panel, found):
    """D, V, y − μ and ω of every subject, as the papers write them."""
    beta, R, phi = found.beta[0], found.R[0], found.phi[0]
    parts = []
    for i, mask in enumerate(panel.mask):
        X = panel.X[i][mask]
        mu = np.exp(X @ beta)
        V = phi * np.sqrt(mu)[:, None] * R[np.ix_(mask, mask)] * np.sqrt(mu)
        parts.append((X * mu[:, None], V, panel.y[i][mask] - mu, 1.0 if panel.omega is None else panel.omega[i]))
    return parts


def written_out(parts, kind):
    """V and the scores u, by the equations of the papers."""
    M = np.linalg.inv(sum(w * D.T @ np.linalg.solve(V, D) for D, V, _, w in parts))
    scores = []
    for D, V, plain, w in parts:
        r = plain
        H = w * D @ M @ D.T @ np.linalg.inv(V)
        eye = np.eye(len(plain))
        if kind == "mancl-derouen":
            r = np.linalg.solve(eye - H, plain)
        if kind == "kauermann-carroll":
            r = np.linalg.inv(np.real(sqrtm(eye - H))) @ plain
        u = w * D.T @ np.linalg.solve(V, r)
        if kind == "fay-graubard":
            Omega = w * D.T @ np.linalg.solve(V, D)
            u = u / np.sqrt(1 - np.minimum(0.75, np.diag(Omega @ M)))
        scores.append(u)
    scores = np.array(scores)
    return M, scores, M @ scores.T @ scores @ M


def ours(panel, counts, found, kind):
    Z, e = whitened(panel, MARGIN, found.beta, found.R, found.phi)
    return sandwich_of(Z[0], e[0], counts, panel.omega, kind)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", list(CORRECTIONS))
def test_covariances(kind, weighted):
    omega = np.linspace(0.5, 1.8, 12) if weighted else None
    panel, counts, found = problem(omega)
    sandwich = ours(panel, counts, found, kind)
    M, scores, V = written_out(dense(panel, found), kind)
    np.testing.assert_allclose(sandwich.M, M, rtol=IDENTITY)
    np.testing.assert_allclose(sandwich.scores(), scores, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(sandwich.vcov(), V, rtol=1e-7)


@pytest.mark.parametrize("kind", ["robust", "fay-graubard"])
def test_the_degrees_of_freedom_of_fay_and_graubard(kind):
    """tr(ΨB)² / tr(ΨBΨB) with the matrices over all subjects, B = G'MG."""
    panel, counts, found = problem()
    sandwich = ours(panel, counts, found, kind)
    parts = dense(panel, found)
    Vm, scores, _ = written_out(parts, kind)
    Omega = [D.T @ np.linalg.solve(V, D) for D, V, _, _ in parts]
    n, p = len(Omega), 3
    L = np.array([[0.0, 1, 0], [0, 0, 1], [1, 0.5, -1]])
    expected = []
    for row in L:
        h = [1 / np.sqrt(1 - np.minimum(0.75, np.diag(own @ Vm))) if kind != "robust" else np.ones(p) for own in Omega]
        G = np.eye(n * p) - np.vstack([np.tile(own @ Vm, n) for own in Omega])
        big = block_diag(*[np.outer(a * (Vm @ row), a * (Vm @ row)) for a in h])
        w = np.array([row @ (np.linalg.inv(np.linalg.inv(Vm) - own) - Vm) @ row for own in Omega])
        Psi = block_diag(*[x / w.sum() * scores.T @ scores for x in w])
        B = Psi @ G.T @ big @ G
        expected.append(np.trace(B) ** 2 / np.trace(B @ B))
    np.testing.assert_allclose(sandwich.df("fay-graubard", L), expected, rtol=1e-7)


@pytest.mark.parametrize("kind", list(CORRECTIONS))
def test_the_degrees_of_freedom_under_the_working_model(kind):
    """The moments of a quadratic form in residuals whose covariance is (I − H) V."""
    panel, counts, found = problem()
    sandwich = ours(panel, counts, found, kind)
    parts = dense(panel, found)
    D, V = np.vstack([part[0] for part in parts]), block_diag(*[part[1] for part in parts])
    M, _, _ = written_out(parts, kind)
    cov = V - D @ M @ D.T
    starts = np.cumsum([0, *(len(part[2]) for part in parts)])
    row = np.array([0.0, 1.0, -0.5])
    A = np.zeros((len(D), len(D)))
    for i, (_, _, r, _) in enumerate(parts):
        # the score of a subject is linear in its residuals: read off its matrix
        eye = np.eye(len(r))
        columns = [
            written_out([(d, v, eye[k] if j == i else 0 * s, w) for j, (d, v, s, w) in enumerate(parts)], kind)[1][i]
            for k in range(len(r))
        ]
        c = np.array(columns) @ M @ row
        A[starts[i] : starts[i + 1], starts[i] : starts[i + 1]] = np.outer(c, c)
    B = A @ cov
    np.testing.assert_allclose(sandwich.df("satterthwaite", row[None]), np.trace(B) ** 2 / np.trace(B @ B), rtol=1e-7)


def test_degrees_of_freedom_that_count():
    panel, counts, found = problem()
    sandwich = ours(panel, counts, found, "robust")
    M, scores, _ = written_out(dense(panel, found), "robust")
    row = np.array([[0.0, 1.0, 0.0]])
    q = (scores @ M @ row[0]) ** 2
    np.testing.assert_allclose(sandwich.df("pan-wall", row), 2 * q.sum() ** 2 / (12 * q.var(ddof=1)), rtol=IDENTITY)
    assert sandwich.df("subjects", row).tolist() == [9.0]
    assert np.isinf(sandwich.df("asymptotic", row)).all()
    assert set(DF) == {"satterthwaite", "fay-graubard", "pan-wall", "subjects", "asymptotic"}


def test_counts_are_copies():
    panel, _, found = problem()
    counts = np.array([1.0, 2] * 6)
    at = solve(panel, MARGIN, "exchangeable", counts[None], np.zeros(3))
    twice = Panel(
        y=np.repeat(panel.y, counts.astype(int), 0),
        X=np.repeat(panel.X, counts.astype(int), 0),
        mask=np.repeat(panel.mask, counts.astype(int), 0),
    )
    L = np.eye(3)
    for kind in CORRECTIONS:
        a, b = ours(panel, counts, at, kind), ours(twice, np.ones(18), at, kind)
        np.testing.assert_allclose(a.vcov(), b.vcov(), rtol=IDENTITY)
        for name in DF:
            np.testing.assert_allclose(a.df(name, L), b.df(name, L), rtol=1e-7)
    assert not np.allclose(found.beta, at.beta)
