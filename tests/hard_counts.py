"""Events, categories and counts that are hard on purpose: rare events, people who never change, empty cells, random
effects without variance or with far too much, covariates of the size of 1e9, few scores.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from burnout_stats.cohort import Cohort, read_cohort
from burnout_stats.models.generalized import GLMM

YEARS = np.array([0.0, 1.0, 3.0, 3.5, 7.0])
FORMULAS = (
    "visit + (1 | subject)",
    "visit * sex + age + (1 | subject)",
    "years + sex + (1 + years | subject)",
    "years + (1 | subject) + (0 + years | subject)",
    "visit + big + (1 | subject)",
    "sex + (1 | subject)",
)
QUESTIONS = (
    {"family": "binomial"},
    {"family": "binomial", "link": "probit"},
    {"family": "ordinal"},
    {"family": "poisson"},
    {"family": "negative_binomial"},
    {"family": "poisson", "zeros": "inflated"},
    {"family": "negative_binomial", "zeros": "inflated"},
    {"family": "poisson", "zeros": "none"},
    {"family": "negative_binomial", "zeros": "none"},
    {"family": "binomial", "penalty": "soft"},
)


def hard_counts(seed: int) -> tuple[GLMM, Cohort]:
    """The question and the data of that number."""
    rng = np.random.default_rng([88, seed])
    question = QUESTIONS[seed % len(QUESTIONS)]
    V, n = int(rng.integers(2, 6)), int(rng.integers(8, 150))
    years = YEARS[:V]
    sd, mean = float(rng.choice([0, 0.3, 1, 2.5, 6])), float(rng.choice([-4, -2, 0, 1, 3]))
    slope, size, extra = float(rng.choice([0, 0.5])), float(rng.choice([0.3, 1, np.inf])), float(rng.choice([0, 0.4]))
    sex, age = rng.integers(0, 2, n), rng.normal(40, 10, n)
    big = rng.normal(1e9, 1e8, n) if rng.random() < 0.5 else rng.normal(0, 1e-6, n)
    eta = mean + 0.2 * years + rng.normal(0, sd, (n, 1)) + rng.normal(0, slope, (n, 1)) * years + 0.3 * sex[:, None]
    if question["family"] == "binomial":
        y = (rng.random((n, V)) < 1 / (1 + np.exp(-eta))).astype(float)
    elif question["family"] == "ordinal":
        y = np.digitize(eta + rng.logistic(size=(n, V)), [-2, 0, 2, 5]).astype(float)
    else:
        mu = np.exp(np.minimum(eta, 6)) * (1.0 if np.isinf(size) else rng.gamma(size, 1 / size, (n, V)))
        y = np.where(rng.random((n, V)) < extra, 0, rng.poisson(mu)).astype(float)
    seen = rng.random((n, V)) < float(rng.choice([1, 0.8, 0.5, 0.2]))
    seen[:, 0] |= ~seen.any(axis=1)
    formula = FORMULAS[int(rng.integers(len(FORMULAS)))]
    trouble = str(rng.choice(["none", "none", "cell", "stubborn"]))
    if trouble == "cell":
        y[sex == 1, -1] = 0
        formula = "visit * sex + (1 | subject)"
    elif trouble == "stubborn":
        y[:] = y[:, :1]
    i, v = np.nonzero(seen)
    frame = pd.DataFrame(
        {
            "id": i,
            "visit": [f"v{k}" for k in v],
            "y": y[i, v],
            "sex": np.array(["F", "M"])[sex[i]],
            "age": age[i],
            "big": big[i],
        }
    )
    cohort = read_cohort(
        frame,
        subject="id",
        visit="visit",
        times={f"v{k}": float(years[k]) for k in range(V)},
        outcomes=["y"],
        covariates={"sex": {"levels": ["F", "M"]}, "age": {}, "big": {}},
    )
    return GLMM(f"y ~ {formula}", **question), cohort
