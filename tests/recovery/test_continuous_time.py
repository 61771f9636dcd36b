"""A panel in continuous time finds the parameters that made the scores, with intervals that hold, though scores are
missing at random.
"""

from __future__ import annotations

import numpy as np
import pytest

from burnout_stats.engine.continuous_time import ContinuousTime
from burnout_stats.engine.structural import fit_stack, stacked

REPLICATES, PERSONS = 150, 500


@pytest.mark.slow
def test_drift_and_lags_are_found_without_bias():
    panel = ContinuousTime((0.0, 1.0, 3.0), 2)
    truth = np.concatenate(
        [[np.log(0.4), np.log(1.1), 0.6, 0.3], [0.30, 0.10, 0.35], [0.50, 0.20, 0.60], [0.35, 0.15, 0.30], np.zeros(6)]
    )
    mu, Sigma = panel.moments(truth)
    rng = np.random.default_rng(20)
    Y = mu + rng.standard_normal((REPLICATES, PERSONS, 6)) @ np.linalg.cholesky(Sigma).T
    lost = rng.random((REPLICATES, PERSONS)) < 1 / (1 + np.exp(1.5 - 0.6 * Y[..., 1]))
    Y[lost, 4:] = np.nan
    fits = fit_stack(stacked(Y), panel, start=truth[None])
    good = fits.verified
    assert good.mean() > 0.95
    for of in (
        lambda t: panel.lag_elements(t, 1.0),
        lambda t: panel.lag_elements(t, 2.0),
        lambda t: panel.noise_elements(t, 1.0),
    ):
        found, true = of(fits.theta[good]), of(truth).value
        V = np.swapaxes(found.change, 1, 2) @ fits.vcov[good] @ found.change
        error = np.sqrt(np.diagonal(V, axis1=1, axis2=2))
        gap = found.value - true
        monte_carlo = gap.std(0, ddof=1) / np.sqrt(good.sum())
        # bias of a non-linear estimate goes with 1/n: a fifth of its standard deviation beside the Monte-Carlo error
        assert (np.abs(gap.mean(0)) < 3 * monte_carlo + 0.2 * gap.std(0)).all()
        covered = (np.abs(gap) < 1.96 * error).mean(0)
        assert (covered > 0.88).all()
        assert (covered <= 1.0).all()
        ratio = np.median(error, axis=0) / gap.std(0, ddof=1)
        assert ((ratio > 0.75) & (ratio < 1.25)).all()
