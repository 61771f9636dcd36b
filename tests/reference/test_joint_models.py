"""Joint covariance of several models from stacked scores, and max-t over all of them, against R's multcomp
(`r/joint_models.R`): three linear models of a score at three visits, with subjects missing from two of them.

multcomp puts the correlations of scores on the models' own standard errors, also between the coefficients of one model;
ours keeps the whole covariance of each model. So correlations are compared where both are those of the scores.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from tolerances import CLOSED_FORM, GENZ, LATTICE

from burnout_stats.cohort import read_cohort
from burnout_stats.engine import max_t
from burnout_stats.inference import combine, summarize
from burnout_stats.models import MMRM, fit
from burnout_stats.sensitivity import joint_contrasts

HERE = Path(__file__).parent
THEIRS = json.loads((HERE / "r" / "joint_models.json").read_text(encoding="utf-8"))


@cache
def parts(vcov="cr0"):
    """Group and sex in a model of each visit's score."""
    long = pd.read_csv(HERE / "oracles" / "burnout_200.csv")
    wide = long.pivot_table(index=["id", "group", "sex"], columns="visit", values="EE").reset_index()
    cohort = read_cohort(
        wide.assign(visit="once").rename_axis(columns=None),
        subject="id",
        visit="visit",
        times={"once": 0},
        outcomes=["v0", "v1", "v3"],
        covariates={"group": {"levels": ["control", "intervention"]}, "sex": {"levels": ["F", "M"]}},
    )
    fits = [fit(MMRM(f"{name} ~ group + sex"), cohort) for name in cohort.outcomes]
    return tuple(summarize(found, df="asymptotic", vcov=vcov) for found in fits)


ASKED = [1, 2, 4, 5, 7, 8]
"""The rows of group and sex among those of all coefficients."""


def correlations(V):
    sd = np.sqrt(np.diag(V))
    return V / np.outer(sd, sd)


def test_correlations_of_all_estimates_of_all_models():
    whole = combine(*parts())
    np.testing.assert_allclose(whole.frame["estimate"].iloc[ASKED], THEIRS["estimate"], rtol=1e-9)
    ours = correlations(whole.vcov[np.ix_(ASKED, ASKED)])
    np.testing.assert_allclose(ours, correlations(np.array(THEIRS["vcov"])), rtol=CLOSED_FORM, atol=CLOSED_FORM)


def test_standard_errors_stay_those_of_each_model():
    whole = combine(*parts("model"))
    np.testing.assert_allclose(whole.frame["statistic"].iloc[ASKED], THEIRS["z"], rtol=1e-8)


def test_adjusted_p_values_and_the_critical_value():
    p, c = max_t.exact(np.array(THEIRS["z"]), correlations(np.array(THEIRS["vcov"])), 0.95)
    np.testing.assert_allclose(p, THEIRS["p_single"], atol=GENZ + LATTICE)
    np.testing.assert_allclose(c, THEIRS["critical"], atol=GENZ)


def test_the_multiplier_bootstrap_over_all_coefficients_agrees_with_the_exact_distribution():
    exact = joint_contrasts(*parts(), method="exact", seed=1).frame
    drawn = joint_contrasts(*parts(), n=20_000, seed=1).frame
    p = exact["p_value"].to_numpy()
    assert (np.abs(drawn["p_value"] - p) < 4 * np.sqrt(np.maximum(p * (1 - p), 1e-4) / 20_000)).all()
