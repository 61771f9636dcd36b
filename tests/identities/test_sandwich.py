"""Robust covariances against the same formulas written out with matrices over all rows, and what must hold exactly."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import cohort_of, scores
from scipy import linalg
from tolerances import IDENTITY

from burnout_stats.engine.sandwich import Sandwich, Stack
from burnout_stats.models import LMM, MMRM, fit

KINDS = ["cr0", "cr1", "cr2", "cr2-mmrm", "cr3"]
FORMULA = "score ~ visit * sex + age"


def root(matrix, exponent):
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * values**exponent) @ vectors.T


class Dense:
    """X, y, V of all rows of a fit, in the units of the data; `omega` are probability weights of rows."""

    def __init__(self, ours):
        rows = ours.needed_rows()
        self.X, self.y = rows.z[:, :-1], rows.z[:, -1]
        self.parts = self.subjects = [np.flatnonzero(rows.subject == k) for k in range(len(rows.ordinal))]
        above = rows.cluster if rows.nested is None else rows.nested
        if above is not None:
            of_row = above[rows.subject]
            self.parts = [np.flatnonzero(of_row == k) for k in np.unique(of_row)]
        group = np.zeros(len(self.subjects), dtype=int) if rows.group is None else rows.group
        if ours.random is not None:
            Z, G, residual = ours.random.columns(rows), ours.random.G, ours.random.sigma**2
            self.V = linalg.block_diag(*(Z[s] @ G @ Z[s].T + residual * np.eye(len(s)) for s in self.subjects))
        else:
            sigma = ours.covariance.to_numpy().reshape(group.max() + 1, -1, ours.covariance.shape[1])
            visits = [rows.visit[s] for s in self.subjects]
            self.V = linalg.block_diag(*(sigma[g][np.ix_(v, v)] for g, v in zip(group, visits, strict=True)))
        if rows.nested is not None:
            tau = ours.clusters.sd**2
            other = rows.subject[:, None] != rows.subject
            self.V += tau * (above[rows.subject][:, None] == above[rows.subject]) * (other | (ours.random is not None))
        self.omega = rows.weight[rows.subject] if ours.has_probability_weights else np.ones(len(self.y))
        self.W = np.linalg.inv(self.V) * self.omega
        self.M = np.linalg.inv(self.X.T @ self.W @ self.X)
        self.I_H = np.eye(len(self.y)) - self.X @ self.M @ self.X.T @ self.W

    def adjustments(self, kind):
        spread = self.I_H @ self.V @ self.I_H.T
        for rows in self.parts:
            block = np.ix_(rows, rows)
            if kind in ("cr0", "cr1"):
                yield rows, np.eye(len(rows))
            elif kind == "cr2":
                U = np.linalg.cholesky(self.V[block]).T
                yield rows, U.T @ root(U @ spread[block] @ U.T, -0.5) @ U
            elif kind == "cr2-mmrm":
                working = self.V[block] / self.omega[rows]
                back = np.linalg.inv(np.linalg.cholesky(working))
                inside = np.eye(len(rows)) - back @ self.X[rows] @ self.M @ self.X[rows].T @ back.T
                yield rows, working @ back.T @ root(inside, -0.5) @ back
            else:
                yield rows, np.linalg.inv(self.I_H[block])

    def vectors(self, kind):
        """For each subject the (N, p) matrix G_i whose product with y is its part of β̂'s error."""
        out = []
        for rows, A in self.adjustments(kind):
            block = np.ix_(rows, rows)
            whole = self.M @ self.X[rows].T @ self.W[block] @ A
            out.append((whole @ self.I_H[rows]).T)
        return out

    def vcov(self, kind):
        total = sum(np.outer(g.T @ self.y, g.T @ self.y) for g in self.vectors(kind))
        m = len(self.parts)
        return total * (m / (m - 1) if kind == "cr1" else 1.0)

    def expected(self, kind):
        return sum(g.T @ self.V @ g for g in self.vectors(kind))

    def df(self, kind, row):
        G = np.column_stack([g @ row for g in self.vectors(kind)])
        P = G.T @ self.V @ G
        return np.trace(P) ** 2 / np.sum(P**2)

    def joint(self, kind, L, estimate):
        q = len(L)
        omega = root(L @ self.expected(kind) @ L.T, -0.5)
        G = np.array([g @ (omega @ L).T for g in self.vectors(kind)])
        P = np.einsum("ias,ab,jbt->ijst", G, self.V, G)
        total = np.einsum("ijst,ijts->", P, P) + np.einsum("ijss,ijtt->", P, P)
        nu = q * (q + 1) / total
        wald = estimate @ np.linalg.solve(L @ self.vcov(kind) @ L.T, estimate)
        return (nu - q + 1) / (nu * q) * wald, nu - q + 1


def weighted(frame, seed=5):
    people = frame["id"].unique()
    weights = dict(zip(people, np.random.default_rng(seed).uniform(0.4, 3.0, len(people)), strict=True))
    return frame.assign(w=frame["id"].map(weights))


QUESTIONS = {
    "plain": MMRM(FORMULA),
    "by group": MMRM("score ~ visit + age", covariance="ar1h", covariance_by="sex"),
    "probability": MMRM(FORMULA, weights="w", weights_kind="probability"),
    "clusters": MMRM("score ~ visit + age", cluster="clinic"),
    "clusters with weights": MMRM("score ~ visit + age", weights="w", weights_kind="probability", cluster="clinic"),
    "clusters of subjects by group": MMRM("score ~ visit", covariance="ar1h", covariance_by="sex", cluster="clinic"),
    "clusters in the model": MMRM("score ~ visit * sex + age + (1 | clinic)", covariance="ar1h"),
    "clusters over random slopes": LMM("score ~ visit * sex + (1 | subject) + (1 | clinic)"),
    "random slopes": LMM("score ~ visit * sex + (1 + years | subject)"),
    "random slopes of a covariate": LMM("score ~ visit * sex + (1 + dose || subject)"),
}


@pytest.fixture(scope="module", params=QUESTIONS)
def case(request):
    frame = weighted(scores(26, seed=11, seen=0.7))
    people = pd.factorize(frame["id"])[0]
    frame["clinic"] = "c" + pd.Series(people % 7).astype(str)
    rng = np.random.default_rng(2)
    frame["score"] += np.linspace(-1, 1, 7)[people % 7]
    frame["dose"] = rng.uniform(-1, 1, len(frame))
    frame["score"] += rng.normal(0, 1.5, 26)[people] * frame["dose"]
    ours = fit(QUESTIONS[request.param], cohort_of(frame))
    return ours, Dense(ours)


@pytest.mark.parametrize("kind", KINDS)
def test_covariance_and_degrees_of_freedom_are_the_dense_formulas(case, kind):
    ours, dense = case
    L = np.eye(len(ours.coef))
    answer = ours.answer(L, vcov=kind)
    np.testing.assert_allclose(answer.vcov, dense.vcov(kind), rtol=1e-7, atol=1e-7 * np.abs(answer.vcov).max())
    np.testing.assert_allclose(answer.df, [dense.df(kind, row) for row in L], rtol=1e-7)
    assert (answer.df > 0).all()
    rows = [k for k, name in enumerate(ours.coef.index) if name.startswith("visit[")]
    joint = ours.answer_joint(L[rows], vcov=kind)
    np.testing.assert_allclose(
        [joint.statistic, joint.df], dense.joint(kind, L[rows], ours.coef.to_numpy()[rows]), rtol=1e-7
    )


def test_cr2_is_unbiased_under_the_working_model(case):
    """Exact algebra: E(V) = M Σ_i X_i'W̃_i V_i W̃_i X_i M, which is Φ without probability weights."""
    ours, dense = case
    truth = dense.M @ dense.X.T @ dense.W @ dense.V @ dense.W @ dense.X @ dense.M
    np.testing.assert_allclose(dense.expected("cr2"), truth, rtol=1e-7, atol=1e-10)
    sandwich = ours._sandwich("cr2")
    L, _ = ours.state.basis.functions(np.eye(len(ours.coef)))
    np.testing.assert_allclose(L @ sandwich.expected() @ L.T, truth, rtol=1e-7, atol=1e-10)


def test_each_correction_is_larger_than_the_last(case):
    """In expectation under the working model, as positive semidefinite matrices; and here on the diagonal too."""
    ours, _ = case
    if ours.has_probability_weights:
        return  # no theorem there
    zero, two, three = (ours._sandwich(kind) for kind in ("cr0", "cr2", "cr3"))
    for low, high in ((zero, two), (two, three)):
        assert np.linalg.eigvalsh(high.expected() - low.expected()).min() > 0
        assert (np.diag(high.vcov()) > np.diag(low.vcov())).all()


def test_one_complete_visit_with_groups_is_welch():
    """Two independent groups at one visit: CR2 is the variance of Welch's t, with the df of Bell and McCaffrey."""
    frame = scores(24, seed=4)
    frame = frame[frame["visit"] == "baseline"]
    ours = fit(MMRM("score ~ sex"), cohort_of(frame))
    answer = ours.answer(np.array([[0.0, 1.0]]), vcov="cr2")
    a, b = (frame.loc[frame["sex"] == sex, "score"] for sex in ("M", "F"))
    n, m = len(a), len(b)
    assert answer.vcov[0, 0] == pytest.approx(a.var() / n + b.var() / m, rel=IDENTITY)
    equal = (1 / n + 1 / m) ** 2 / (1 / (n**2 * (n - 1)) + 1 / (m**2 * (m - 1)))
    assert answer.df[0] == pytest.approx(equal, rel=IDENTITY)


def test_the_jackknife_is_one():
    """CR3 is the sum over subjects of squared changes of β̂ when the subject is left out, at the same Σ."""
    ours = fit(MMRM("score ~ visit + age"), cohort_of(scores(20, seed=3, seen=0.8)))
    dense = Dense(ours)
    total = 0.0
    for rows in dense.parts:
        rest = np.setdiff1d(np.arange(len(dense.y)), rows)
        X, W = dense.X[rest], dense.W[np.ix_(rest, rest)]
        change = np.linalg.solve(X.T @ W @ X, X.T @ W @ dense.y[rest]) - ours.coef.to_numpy()
        total = total + np.outer(change, change)
    np.testing.assert_allclose(ours.answer(np.eye(4), vcov="cr3").vcov, total, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_frequency_weight_is_so_many_subjects(kind):
    frame = scores(30, seed=3, seen=0.8)
    times = dict(zip(frame["id"].unique(), np.random.default_rng(1).integers(1, 4, 30).astype(float), strict=True))
    frame["times"] = frame["id"].map(times)
    ours = fit(MMRM("score ~ visit + age", weights="times"), cohort_of(frame))
    copies = pd.concat(
        [frame[frame["times"] > k].assign(id=lambda d, k=k: d["id"] + f"-{k}") for k in range(3)], ignore_index=True
    )
    copied = fit(MMRM("score ~ visit + age"), cohort_of(copies))
    L = np.eye(4)
    one, two = (f.answer(L, vcov=kind) for f in (ours, copied))
    np.testing.assert_allclose(one.vcov, two.vcov, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(one.df, two.df, rtol=1e-7)
    joints = [f.answer_joint(L[1:3], vcov=kind) for f in (ours, copied)]
    np.testing.assert_allclose(*([j.statistic, j.df] for j in joints), rtol=1e-7)


def test_the_scale_of_probability_weights_means_nothing():
    frame = weighted(scores(40, seed=3, seen=0.8))
    answers = []
    for scale in (1.0, 250.0):
        cohort = cohort_of(frame.assign(w=scale * frame["w"]))
        ours = fit(MMRM("score ~ visit + age", weights="w", weights_kind="probability"), cohort)
        assert (ours.n_obs, ours.n_subjects) == (len(frame), 40)
        answers.append(ours.answer(np.eye(4)))
    np.testing.assert_allclose(answers[0].vcov, answers[1].vcov, rtol=1e-8, atol=1e-14)
    np.testing.assert_allclose(answers[0].df, answers[1].df, rtol=1e-8)


def test_equal_probability_weights_change_nothing():
    frame = scores(40, seed=3, seen=0.8).assign(w=2.5)
    ours = fit(MMRM("score ~ visit + age", weights="w", weights_kind="probability"), cohort_of(frame))
    plain = fit(MMRM("score ~ visit + age"), cohort_of(frame.drop(columns="w")))
    for kind in KINDS:
        one, two = (f.answer(np.eye(4), vcov=kind) for f in (ours, plain))
        np.testing.assert_allclose(one.vcov, two.vcov, rtol=1e-7, atol=1e-14)
        np.testing.assert_allclose(one.df, two.df, rtol=1e-7)


def test_visits_of_unlike_scale_keep_their_digits():
    """Standard deviations of 1 and 300 at two visits: CR2 still has M as its expectation."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(30, 3, 4))
    Sigma = (np.eye(3) + 0.5) * np.outer([1.0, 300.0, 1.0], [1.0, 300.0, 1.0])
    M = np.linalg.inv(np.einsum("nka,kl,nlb->ab", X, np.linalg.inv(Sigma), X))
    stack = Stack(X=X, e=np.zeros((30, 3)), Sigma=Sigma[None], count=np.ones(30))
    sd = np.sqrt(np.diag(M))
    np.testing.assert_allclose(
        Sandwich([stack], M, "cr2").expected() / np.outer(sd, sd), M / np.outer(sd, sd), atol=1e-5
    )
