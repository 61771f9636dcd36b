"""Groups of unlike size and variance under a model that takes them alike: robust intervals cover, those of the model do
not.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import TIMES, cohort_of
from scipy import special

from burnout_stats.models import MMRM, fit

pytestmark = pytest.mark.slow

N_COHORTS = 300
SIZES = {"F": 36, "M": 12}
SIGMA = {"F": 0.3, "M": 1.5}
"""Variances of the small group are five times those of the large one."""


def simulated(rng):
    sex = np.repeat(list(SIZES), list(SIZES.values()))
    sd = np.sqrt(np.array([SIGMA[s] for s in sex]))[:, None]
    y = 3 + sd * (rng.normal(size=(len(sex), 1)) + rng.normal(size=(len(sex), 3))) / np.sqrt(2)
    subject, visit = np.nonzero(rng.random((len(sex), 3)) < [1.0, 0.85, 0.75])
    return pd.DataFrame(
        {
            "id": [f"S{k:03d}" for k in subject],
            "visit": np.array(list(TIMES))[visit],
            "score": y[subject, visit],
            "sex": sex[subject],
        }
    )


def test_robust_intervals_cover_where_the_model_is_wrong():
    rng = np.random.default_rng(20261123)
    L = np.array([[0.0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 1]])  # sex, and its interaction with the last visit
    covered = {"model": [], "cr2": [], "cr0": []}
    ratios = []
    for _ in range(N_COHORTS):
        ours = fit(MMRM("score ~ visit * sex", covariance="cs"), cohort_of(simulated(rng)))
        for vcov, inside in covered.items():
            answer = ours.answer(L, vcov=vcov)
            inside.append(np.abs(answer.estimate) <= special.stdtrit(answer.df, 0.975) * np.sqrt(np.diag(answer.vcov)))
            if vcov == "cr2":
                ratios.append(np.append(answer.estimate**2, np.diag(answer.vcov)))
    share = {vcov: np.mean(inside, axis=0) for vcov, inside in covered.items()}
    monte_carlo_error = np.sqrt(0.95 * 0.05 / N_COHORTS)
    assert (share["model"] < 0.90).all()
    assert (share["cr0"] < share["cr2"]).all()
    np.testing.assert_allclose(share["cr2"], 0.95, atol=3 * monte_carlo_error)
    squares = np.mean(ratios, axis=0)
    np.testing.assert_allclose(squares[2:], squares[:2], rtol=0.25)
