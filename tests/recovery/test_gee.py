"""Generalized estimating equations with 20 subjects: how often they find what is not there; with many, what is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, ndtr, stdtr

from burnout_stats.engine.gee import MARGINS, Panel, solve, whitened
from burnout_stats.engine.gee_sandwich import sandwich_of

pytestmark = pytest.mark.slow

N_COHORTS = 2000
N_SUBJECTS = 20
LEVEL = 0.05
MONTE_CARLO = 3 * np.sqrt(LEVEL * (1 - LEVEL) / N_COHORTS)
"""Three standard errors of a rejection rate of 5%: 1.5 percentage points."""


def cohorts(family, n, rng, *, beta=0.0):
    """y (n × 4) and X with an arm of half the subjects; scores of a subject share a normal effect on the link."""
    arm = np.repeat([0.0, 1.0], n // 2)
    V = 4
    own = rng.normal(0, 0.9 if family == "binomial" else 0.5, (n, 1))
    X = np.stack([np.ones((n, V)), np.repeat(arm[:, None], V, 1), np.tile(np.arange(V) / 3, (n, 1))], axis=2)
    eta = 0.2 + beta * X[..., 1] - 0.3 * X[..., 2] + own
    y = (rng.random((n, V)) < expit(eta)).astype(float) if family == "binomial" else rng.poisson(np.exp(eta + 0.5))
    mask = rng.random((n, V)) < [1.0, 0.9, 0.8, 0.8]
    return Panel(y=y * mask, X=X * mask[..., None], mask=mask)


def rejections(family, link, asked, seed):
    """Shares of cohorts in which the arm is told to differ, by (kind, df)."""
    rng = np.random.default_rng(seed)
    margin = MARGINS[f"{family}/{link}"]
    row = np.array([[0.0, 1.0, 0.0]])
    counts = np.ones((1, N_SUBJECTS))
    hits = dict.fromkeys(asked, 0)
    used = 0
    for _ in range(N_COHORTS):
        panel = cohorts(family, N_SUBJECTS, rng)
        found = solve(panel, margin, "exchangeable", counts, np.zeros(3))
        if not (found.solved[0] and found.definite[0]):
            continue
        used += 1
        Z, e = whitened(panel, margin, found.beta, found.R, found.phi)
        for kind, df in asked:
            sandwich = sandwich_of(Z[0], e[0], counts[0], None, kind)
            t = abs(found.beta[0][1]) / np.sqrt(sandwich.vcov()[1, 1])
            degrees = sandwich.df(df, row)[0]
            p = 2 * (1 - stdtr(degrees if np.isfinite(degrees) else 1e9, t))
            hits[kind, df] += p < LEVEL
    assert used > 0.99 * N_COHORTS
    return {key: value / used for key, value in hits.items()}


ASKED = (
    ("robust", "asymptotic"),
    ("mancl-derouen", "satterthwaite"),
    ("kauermann-carroll", "satterthwaite"),
    ("fay-graubard", "fay-graubard"),
    ("kauermann-carroll", "subjects"),
    ("robust", "pan-wall"),
)


@pytest.mark.parametrize(("family", "link"), [("binomial", "logit"), ("poisson", "log")])
def test_twenty_subjects(family, link):
    """The plain sandwich rejects too often; with the corrections the level holds, or is kept a little short."""
    share = rejections(family, link, ASKED, 20261122)
    assert share["robust", "asymptotic"] > LEVEL + MONTE_CARLO
    for key in ASKED[1:5]:
        assert share[key] < LEVEL + MONTE_CARLO, (key, share)
        assert share[key] > 0.02, (key, share)
    assert share["mancl-derouen", "satterthwaite"] < share["kauermann-carroll", "satterthwaite"] + 1e-9


def test_intervals_of_many_subjects_cover():
    """Of a marginal logistic model: the events are made so that the marginal mean is exactly logistic."""
    rng = np.random.default_rng(7)
    margin, truth, n = MARGINS["binomial/logit"], np.array([-0.4, 0.6, 0.3]), 400
    covered, estimates = np.zeros(3), []
    for _ in range(400):
        arm = rng.integers(0, 2, n).astype(float)
        X = np.stack([np.ones((n, 3)), np.repeat(arm[:, None], 3, 1), np.tile([0.0, 0.5, 1.0], (n, 1))], axis=2)
        both = rng.normal(size=(n, 1)) * np.sqrt(0.5) + rng.normal(size=(n, 3)) * np.sqrt(0.5)
        y = (ndtr(both) < expit(X @ truth)).astype(float)
        mask = np.ones((n, 3), dtype=bool)
        panel = Panel(y=y, X=X, mask=mask)
        found = solve(panel, margin, "unstructured", np.ones((1, n)), np.zeros(3))
        Z, e = whitened(panel, margin, found.beta, found.R, found.phi)
        se = np.sqrt(np.diag(sandwich_of(Z[0], e[0], np.ones(n), None, "mancl-derouen").vcov()))
        covered += np.abs(found.beta[0] - truth) < 1.96 * se
        estimates.append(found.beta[0])
    assert (np.abs(covered / 400 - 0.95) < 3 * np.sqrt(0.95 * 0.05 / 400)).all()
    spread = np.std(estimates, axis=0)
    assert (np.abs(np.mean(estimates, axis=0) - truth) < 4 * spread / np.sqrt(400)).all()
