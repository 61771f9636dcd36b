"""Tests of several outcomes at several visits together: the familywise error rate under the null, and how often all
simultaneous intervals cover, judged against Monte-Carlo error.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import TIMES, cohort_of

from burnout_stats.engine import max_t
from burnout_stats.engine.multiplicity import t_quantile, two_sided_p
from burnout_stats.inference import contrast, emmeans
from burnout_stats.models import MMRM, fit
from burnout_stats.sensitivity import joint_contrasts

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("several outcomes")]
NAMES = ("first", "second", "third")
CORRELATED = 0.3 + 0.7 * np.kron(np.eye(3), np.full((2, 2), 0.5) + 0.5 * np.eye(2))
"""Of six changes, those of one outcome more alike."""


def rates(rejected):
    """A share and its Monte-Carlo error under the nominal level."""
    return rejected.mean(), np.sqrt(0.05 * 0.95 / len(rejected))


@pytest.mark.parametrize(("n", "skewed"), [(40, False), (200, False), (200, True)])
def test_the_familywise_error_rate_of_paired_changes(n, skewed):
    """2,000 data sets of six changes that are 0: at most 5% have a rejection, and not far fewer."""
    rng = np.random.default_rng(n + skewed)
    root = np.linalg.cholesky(CORRELATED)
    data = 2000
    z = rng.standard_normal((data, n, 6)) @ root.T
    d = np.sign(z) * z**2 if skewed else z
    mean = d.mean(1, keepdims=True)
    psi = (d - mean) / n * np.sqrt(n / (n - 1))
    se = np.sqrt((psi**2).sum(1))
    p = two_sided_p(mean[:, 0] / se, np.full((data, 6), n - 1.0))
    scale = max_t.normal_scale(p)
    seed = np.random.SeedSequence(1)
    smallest = np.array([max_t.single_step(scale[k], max_t.multiplied(psi[k], 500, seed)).min() for k in range(data)])
    rate, error = rates(smallest <= 0.05)
    assert rate < 0.05 + 3 * error
    assert rate > 0.03, "p values that are far too large would be useless"
    unadjusted = (p <= 0.05).any(1).mean()
    assert unadjusted > 0.05 + 10 * error, "the data are such that adjusting matters"


@pytest.fixture(scope="module")
def studies():
    """100 studies of three outcomes that do not change, with a fifth and three tenths of the later scores missing."""
    rng = np.random.default_rng(11)
    visits = 0.4 + 0.6 * np.eye(3)
    outcomes = 0.6 + 0.4 * np.eye(3)
    root = np.linalg.cholesky(np.kron(outcomes, visits))
    found = []
    for number in range(100):
        y = (rng.standard_normal((60, 9)) @ root.T).reshape(60, 3, 3)
        there = rng.random((60, 3)) < [1.0, 0.8, 0.7]
        subject, visit = np.nonzero(there)
        frame = pd.DataFrame({"id": subject, "visit": np.array(list(TIMES))[visit]})
        frame = frame.assign(**{name: y[subject, k, visit] for k, name in enumerate(NAMES)})
        cohort = cohort_of(frame, outcomes=list(NAMES))
        parts = [contrast(emmeans(fit(MMRM(f"{name} ~ visit"), cohort), "visit")) for name in NAMES]
        found.append((parts, joint_contrasts(*parts, seed=number, n=1000)))
    return found


def test_the_familywise_error_rate_of_models_with_dropout(studies):
    smallest = np.array([joint.frame["p_value"].min() for _, joint in studies])
    rate, error = rates(smallest <= 0.05)
    assert rate < 0.05 + 3 * error
    alone = np.array([min(part.frame["p_value"].min() for part in parts) for parts, _ in studies])
    assert (alone <= 0.05).mean() > 0.1


def test_simultaneous_intervals_cover_together_and_are_narrower_than_bonferroni(studies):
    covered = np.array(
        [((f["conf_low"] <= 0) & (f["conf_high"] >= 0)).all() for f in (joint.frame for _, joint in studies)]
    )
    rate, error = rates(~covered)
    assert rate < 0.05 + 3 * error
    frame = joint_contrasts(*studies[0][0], seed=1, method="exact").frame
    half = (frame["conf_high"] - frame["conf_low"]) / 2 / frame["std_error"]
    assert (half < t_quantile(1 - 0.05 / 6, frame["df"].to_numpy())).all()
    assert (half > t_quantile(0.95, frame["df"].to_numpy())).all()
