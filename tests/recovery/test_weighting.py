"""Dropout by something known at baseline that the model leaves out: weights find the true change, those who were seen
alone do not; augmented means stand on either of two legs.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import TIMES, cohort_of
from scipy.special import expit, ndtri

from burnout_stats.engine.weighting import Part, Response, augmented_means, weigh, weighted_equations
from burnout_stats.models import MMRM
from burnout_stats.sensitivity import complete_cases, weighted

pytestmark = pytest.mark.slow

N_COHORTS, N = 1000, 300
TRUE = -0.5
LEVEL = ndtri(0.975)
MCSE = np.sqrt(0.95 * 0.05 / N_COHORTS)


def simulated(rng):
    """Two visits: the change depends on z (curved), and so does being seen at the second."""
    z = rng.uniform(-np.sqrt(3), np.sqrt(3), N)
    before = 3 + 0.5 * z + rng.normal(size=N) * 0.7
    after = before + TRUE + 0.3 * z + 0.4 * (z**2 - 1) + rng.normal(size=N) * 0.7
    seen = rng.random(N) < expit(0.8 - 0.6 * z - 0.7 * (z**2 - 1))
    return z, np.column_stack([before, after]), seen


def columns(z, right):
    return np.column_stack([np.ones(N), z, z**2] if right else [np.ones(N), z])


def weighting_of(X, seen):
    everyone = np.ones(N, dtype=bool)
    response = Response(
        parts=(Part(X=X, seen=seen, at_risk=everyone),),
        leads=np.array([[False], [True]]),
        seen=np.column_stack([everyone, seen]),
    )
    return response, weigh(response, np.ones((1, N)), limits=None)


@pytest.fixture(scope="module")
def replicates():
    rng = np.random.default_rng(20261122)
    found = {name: [] for name in ("weighted", "known", "seen only", "both", "weights", "outcome", "neither")}
    contrast, nobody_lost = np.array([-1.0, 1.0]), []
    for _ in range(N_COHORTS):
        z, Y, seen = simulated(rng)
        right, wrong = weighting_of(columns(z, True), seen), weighting_of(columns(z, False), seen)
        subject, visit = np.nonzero(right[0].seen)
        X, y = np.column_stack([np.ones(len(visit)), visit == 1]).astype(float), Y[subject, visit]
        for name, known in (("weighted", False), ("known", True)):
            beta, V = weighted_equations(X, y, subject, visit, *right, known=known)
            found[name].append((beta[1], V[1, 1]))
        change = Y[seen, 1] - Y[seen, 0]
        found["seen only"].append((change.mean(), change.var(ddof=1) / seen.sum()))
        nobody_lost.append((Y @ contrast).mean())
        legs = {"both": (True, right), "weights": (False, right), "outcome": (True, wrong), "neither": (False, wrong)}
        for name, (outcome, (response, weighting)) in legs.items():
            mu, V = augmented_means(columns(z, outcome), Y, response, weighting)
            found[name].append((contrast @ mu, contrast @ V @ contrast))
    whole = np.array(nobody_lost)[:, None]
    return {name: np.hstack([np.array(values), whole]) for name, values in found.items()}


def bias(values):
    """Against the same cohorts with nobody lost, in Monte-Carlo standard errors."""
    away = values[:, 0] - values[:, 2]
    return away.mean() / (away.std(ddof=1) / np.sqrt(len(away)))


def coverage(values):
    return np.mean(np.abs(values[:, 0] - TRUE) <= LEVEL * np.sqrt(values[:, 1]))


def test_weights_find_the_true_change_and_those_seen_alone_do_not(replicates):
    assert abs(bias(replicates["weighted"])) < 3
    assert coverage(replicates["weighted"]) == pytest.approx(0.95, abs=4 * MCSE)
    assert bias(replicates["seen only"]) < -30
    assert coverage(replicates["seen only"]) < 0.5


@pytest.mark.parametrize("name", ["both", "weights", "outcome"])
def test_augmented_means_stand_on_either_leg(replicates, name):
    assert abs(bias(replicates[name])) < 3
    assert coverage(replicates[name]) == pytest.approx(0.95, abs=4 * MCSE)


def test_augmented_means_do_not_stand_on_none(replicates):
    assert abs(bias(replicates["neither"])) > 10


def test_weights_taken_as_known_overstate_the_error_and_estimated_ones_tell_it(replicates):
    spread = replicates["weighted"][:, 0].std(ddof=1)
    assert np.sqrt(replicates["known"][:, 1].mean()) > 1.15 * spread
    assert np.sqrt(replicates["weighted"][:, 1].mean()) == pytest.approx(spread, rel=0.1)


def test_the_verbs_find_the_change_of_a_large_cohort_and_complete_cases_miss_it():
    rng = np.random.default_rng(20261123)
    n = 3000
    stress = rng.normal(size=n)
    y = 3 + 0.4 * stress[:, None] + np.array([0.0, -0.5, -0.6]) + rng.normal(size=(n, 3)) * 0.8
    y[:, 1:] += 0.4 * stress[:, None]
    seen = rng.random((n, 3)) < np.column_stack([np.ones(n), *[expit(1 - stress)] * 2])
    subject, visit = np.nonzero(seen)
    frame = pd.DataFrame(
        {
            "id": [f"S{k:05d}" for k in subject],
            "visit": np.array(list(TIMES))[visit],
            "score": y[subject, visit],
            "stress": stress[subject],
        }
    )
    cohort, spec = cohort_of(frame), MMRM("score ~ visit")
    truth = (y[:, 1:] - y[:, :1]).mean(0)
    for kind in ("visits", "completers", "augmented"):
        found = weighted(spec, cohort, ["stress"], kind=kind).frame
        assert (np.abs(found["estimate"] - truth) < 3 * found["std_error"]).all(), kind
    monotone = weighted(spec, cohort, ["stress"], gaps="monotone").frame
    assert (np.abs(monotone["estimate"] - truth) < 3 * monotone["std_error"]).all()
    alone = complete_cases(spec, cohort).frame
    assert (np.abs(alone["estimate"] - truth) > 6 * alone["std_error"]).all()
