"""Data sets that are hard on purpose: few subjects, correlations near 1, sparse patterns, visits never seen together,
covariates of the size of 1e9, columns that say the same, visits that are copies or constant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from burnout_stats.cohort import Cohort, read_cohort
from burnout_stats.engine.covariance import STRUCTURES
from burnout_stats.models import MMRM

YEARS = np.array([0.0, 1.0, 3.0, 3.5, 7.0])
FORMULAS = (
    "score ~ visit",
    "score ~ visit + age",
    "score ~ visit * sex + age",
    "score ~ visit + big",
    "score ~ visit + age + twin",
    "score ~ visit * sex + big + twin",
)
TROUBLES = (
    "none",
    "none",
    "none",
    "apart",
    "copy",
    "constant visit",
    "one visit rare",
    "tiny visit",
    "one subject far",
)


@dataclass(frozen=True)
class Hard:
    """One hard data set, its question, and what is hard about it."""

    cohort: Cohort
    model: MMRM
    story: str


def hard_data(seed: int) -> Hard:
    """The data set of that number; numbers that differ by a multiple of the number of structures share theirs."""
    rng = np.random.default_rng([20261122, seed])
    structure = list(STRUCTURES)[seed % len(STRUCTURES)]
    n, n_visits = int(rng.integers(8, 61)), int(rng.integers(2, 6))
    correlation = float(rng.choice([0.0, 0.3, 0.6, 0.9, 0.99, -0.2]))
    seen_share = float(rng.choice([1.0, 0.9, 0.7, 0.5, 0.35]))
    trouble = TROUBLES[int(rng.integers(len(TROUBLES)))]
    model = MMRM(
        FORMULAS[int(rng.integers(len(FORMULAS)))], covariance=structure, method=str(rng.choice(["reml", "reml", "ml"]))
    )
    years = YEARS[:n_visits]
    even = rng.random() < 0.5
    R = (
        np.full((n_visits, n_visits), correlation)
        if even
        else abs(correlation) ** np.abs(np.subtract.outer(years, years))
    )
    R = np.where(np.eye(n_visits, dtype=bool), 1.0, R)
    R += np.eye(n_visits) * max(0.0, 0.01 - np.linalg.eigvalsh(R).min())
    sd = np.exp(rng.normal(0, rng.choice([0.0, 0.3, 1.5]), n_visits))
    y = 3 + rng.multivariate_normal(np.zeros(n_visits), R * np.outer(sd, sd), size=n) - 0.2 * years
    seen = rng.random((n, n_visits)) < seen_share
    y, seen = _troubled(trouble, y, seen, rng)
    age = rng.normal(47, 9, n)
    subject, visit = np.nonzero(seen)
    labels = [f"year {value:g}" for value in years]
    frame = pd.DataFrame(
        {
            "id": [f"S{k:03d}" for k in subject],
            "visit": np.array(labels)[visit],
            "score": y[subject, visit],
            "sex": np.array(["F", "M"])[rng.integers(0, 2, n)][subject],
            "age": age[subject],
            "big": (1e9 + rng.normal(0, 1, n))[subject],
            "twin": (2 * age + 1)[subject],
        }
    )
    cohort = read_cohort(
        frame, subject="id", visit="visit", times=dict(zip(labels, map(float, years), strict=True)), outcomes=["score"]
    )
    story = (
        f"{seed}: {model.formula} {structure} {model.method}, n {n}, visits {n_visits}, r {correlation}, "
        f"seen {seen_share}, {trouble}"
    )
    return Hard(cohort, model, story)


def _troubled(trouble: str, y: np.ndarray, seen: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    y, seen = y.copy(), seen.copy()
    last = y.shape[1] - 1
    if trouble == "apart":
        first = rng.random(len(y)) < 0.5
        seen[first, last] = False
        seen[~first, 0] = False
    if trouble == "copy":
        y[:, last] = y[:, 0]
    if trouble == "constant visit":
        y[:, 0] = 3.0
    if trouble == "one visit rare":
        seen[:, last] = False
        seen[rng.integers(0, len(y), 2), last] = True
    if trouble == "tiny visit":
        y[:, last] = 3 + 1e-6 * y[:, last]
    if trouble == "one subject far":
        y[0] += 1e4
    seen[~seen.any(1), 0] = True
    return y, seen
