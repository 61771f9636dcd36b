"""400 simulated cohorts of 80 with dropout: the interval of a model-based effect size covers, because it carries the
uncertainty of the standardizer. The change is large, so that without it the standard errors would be a third too small.
"""

from __future__ import annotations

import numpy as np
import pytest
from cohorts import cohort_of, scores

from burnout_stats.inference.effect_sizes import effect_sizes
from burnout_stats.models import MMRM, fit

SIGMA = np.array([[0.88, 0.30, 0.25], [0.30, 0.60, 0.35], [0.25, 0.35, 0.70]])
CHANGE = -2.0
TRUTH = {
    "baseline": CHANGE / np.sqrt(0.88),
    "average": CHANGE / ((np.sqrt(0.88) + np.sqrt(0.60)) / 2),
    "change": CHANGE / np.sqrt(0.88 + 0.60 - 0.60),
    "total": CHANGE / np.sqrt((0.88 + 0.60 + 0.70) / 3),
}
N = 400


@pytest.fixture(scope="module")
def simulated():
    found = []
    for seed in range(N):
        cohort = cohort_of(scores(80, seed=1000 + seed, seen=0.75, fall=(0.0, CHANGE, CHANGE)))
        frame = effect_sizes(fit(MMRM("score ~ visit"), cohort), measures=list(TRUTH)).frame
        found.append(frame.iloc[: len(TRUTH)][["estimate", "std_error", "conf_low", "conf_high"]].to_numpy())
    return np.array(found)


@pytest.mark.slow
@pytest.mark.xdist_group("effect sizes")
@pytest.mark.parametrize("standardizer", TRUTH)
def test_intervals_of_model_based_effect_sizes_cover(simulated, standardizer):
    estimate, error, low, high = simulated[:, list(TRUTH).index(standardizer)].T
    truth = TRUTH[standardizer]
    covered = np.mean((low < truth) & (truth < high))
    assert abs(covered - 0.95) < 3 * np.sqrt(0.95 * 0.05 / N)
    assert error.mean() == pytest.approx(estimate.std(), rel=3 / np.sqrt(2 * N))
    assert estimate.mean() == pytest.approx(truth, rel=0.03)
