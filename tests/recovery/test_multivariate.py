"""Coverage of what only a model of several outcomes says: correlations between changes and the global change, with
scores missing at random given the other outcome's first score, judged against Monte-Carlo error.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from burnout_stats.cohort import read_cohort
from burnout_stats.inference import change_correlations, global_change
from burnout_stats.models import MultivariateMMRM, fit_multivariate

pytestmark = pytest.mark.slow
SIGMA = np.array([[1.0, 0.5, 0.4, 0.2], [0.5, 1.0, 0.2, 0.5], [0.4, 0.2, 1.0, 0.5], [0.2, 0.5, 0.5, 1.0]])
"""First and second outcome at baseline, then later."""
MEAN = np.array([3.0, 2.5, 2.6, 2.2])
REPLICATES = 120


def fitted(rng):
    n = 80
    y = MEAN + rng.standard_normal((n, 4)) @ np.linalg.cholesky(SIGMA).T
    lost = rng.random(n) < 1 / (1 + np.exp(1.5 - 1.5 * (y[:, 1] - 2.5)))
    y[lost, 2] = np.nan
    frame = pd.DataFrame(
        {
            "id": np.tile(np.arange(n), 2),
            "visit": np.repeat(["baseline", "1 year"], n),
            "one": np.r_[y[:, 0], y[:, 2]],
            "other": np.r_[y[:, 1], y[:, 3]],
        }
    )
    roles = {name: {"better": "lower"} for name in ("one", "other")}
    cohort = read_cohort(frame, subject="id", visit="visit", times={"baseline": 0, "1 year": 1}, outcomes=roles)
    return fit_multivariate(MultivariateMMRM(("one", "other"), "visit"), cohort)


def test_intervals_of_changes_together_cover_as_often_as_they_say():
    C = np.array([[-1.0, 0.0, 1.0, 0.0], [0.0, -1.0, 0.0, 1.0]])
    A = C @ SIGMA @ C.T
    r, g = A[0, 1] / np.sqrt(A[0, 0] * A[1, 1]), (0.4 + 0.3) / 2
    rng = np.random.default_rng(12)
    told = []
    for _ in range(REPLICATES):
        model = fitted(rng)
        correlation = change_correlations(model).frame.set_index("version").loc["change"]
        both = global_change(model).frame.iloc[0]
        told.append(
            [
                correlation["estimate"] - r,
                correlation["conf_low"] <= r <= correlation["conf_high"],
                both["estimate"] - g,
                both["conf_low"] <= g <= both["conf_high"],
            ]
        )
    off_r, covers_r, off_g, covers_g = np.array(told, dtype=float).T
    error = np.sqrt(0.05 * 0.95 / REPLICATES)
    assert abs(covers_r.mean() - 0.95) < 3 * error
    assert abs(covers_g.mean() - 0.95) < 3 * error
    assert abs(off_r.mean()) < 3 * off_r.std() / np.sqrt(REPLICATES) + 0.005  # r of a finite sample is biased by r/2n
    assert abs(off_g.mean()) < 3 * off_g.std() / np.sqrt(REPLICATES) + 0.005  # and so is 1 / an estimated SD
