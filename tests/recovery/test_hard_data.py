"""Hard data sets (`hard_data.py`): each ends in a verified optimum, in a truthful notice, or in a coded error; never in
another exception, never in silence.

"Verified" is checked against an optimizer of another kind (L-BFGS of scipy, from random starts, on the same criterion).
What 1,000 data sets end in is committed in `tests/recovery/hard_data.json` as a record, with room for rounding.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hard_data import hard_data
from scipy import optimize
from tolerances import SAME_OPTIMUM

from burnout_stats.engine.covariance import STRUCTURES, Covariance
from burnout_stats.engine.likelihood import curvature, evaluate
from burnout_stats.engine.scoring import GRADIENT_TOLERANCE, Status
from burnout_stats.errors import ModelError
from burnout_stats.inference import summarize
from burnout_stats.models import fit

RECORD = Path(__file__).parent / "hard_data.json"
BEYOND = {"N-MODEL-UNBOUNDED", "N-MODEL-NOT-CONVERGED", "N-MODEL-INDEFINITE"}
"""Notices that say that a lower criterion may exist."""


def ends(seed: int, n_starts: int) -> str:
    """How a data set ends, and that it is the truth."""
    hard = hard_data(seed)
    try:
        fitted = fit(hard.model, hard.cohort)
    except ModelError as error:
        return error.code
    codes = {notice.code for notice in fitted.notices} - {"N-MODEL-ALIASED", "N-MODEL-ROWS-LEFT-OUT"}
    assert fitted.converged or codes, f"in silence: {hard.story}"
    summarize(fitted)
    if fitted.converged:
        verified(fitted, hard.story)
    if not codes & BEYOND:
        lowest = brute_force(fitted, n_starts, seed)
        criterion = fitted.optimum.criterion
        slack = SAME_OPTIMUM if fitted.converged else 100 * SAME_OPTIMUM
        assert lowest >= criterion - slack * abs(criterion), f"{lowest} below {criterion}: {hard.story}"
    return ", ".join(sorted(codes)) or "verified"


def verified(fitted, story):
    slope = fitted.state.optimum.curvature
    assert np.abs(slope.gradient).max() < GRADIENT_TOLERANCE, f"gradient: {story}"
    assert np.linalg.eigvalsh(slope.observed)[0] > 0, f"Hessian: {story}"
    best = fitted.optimum.criterion
    for attempt in fitted.optimum.attempts:
        if attempt.status == Status.VERIFIED:
            assert attempt.criterion >= best - SAME_OPTIMUM * abs(best), f"another start: {story}"


def brute_force(fitted, n_starts, seed):
    """The lowest criterion that L-BFGS finds from random starts."""
    moments, reml = fitted.state.moments, fitted.spec.method == "reml"
    covariance = Covariance(STRUCTURES[fitted.spec.covariance], np.array(fitted.visits.years))
    rng = np.random.default_rng(seed)

    def criterion(theta):
        with np.errstate(all="ignore"):
            at = evaluate(moments, covariance, theta, reml=reml)
            slope = curvature(moments, covariance, theta, at, reml=reml, expected=False).gradient
        if not (np.isfinite(at.criterion) and np.isfinite(slope).all()):
            return 1e12, np.zeros_like(theta)
        return float(at.criterion), slope

    found = [
        optimize.minimize(
            criterion,
            rng.choice([0, 1]) * fitted.state.optimum.theta + rng.normal(0, 1.5, covariance.n_parameters),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": 300},
        ).fun
        for _ in range(n_starts)
    ]
    return min(found, default=np.inf)


@pytest.mark.filterwarnings("ignore::burnout_stats.notices.BurnoutStatsWarning")
@pytest.mark.parametrize("structure", range(len(STRUCTURES)), ids=list(STRUCTURES))
def test_150_hard_data_sets(structure):
    """Fifteen for each structure; every third one against the brute force."""
    for k in range(15):
        ends(structure + k * len(STRUCTURES), n_starts=2 if k % 3 == 0 else 0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::burnout_stats.notices.BurnoutStatsWarning")
def test_1000_hard_data_sets():
    counts = Counter(ends(seed, n_starts=2) for seed in range(1000))
    expected = json.loads(RECORD.read_text(encoding="utf-8"))
    assert set(counts) <= set(expected)
    for outcome, count in expected.items():
        assert abs(counts[outcome] - count) <= 15, (outcome, counts)
