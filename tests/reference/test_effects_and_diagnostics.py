"""Effect sizes against metafor, residuals against nlme, profile intervals against lme4, ICC and R² against performance
(scripts and outputs in `r/`).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from cohorts import burnout_200
from tolerances import ESTIMATE, LMER_OPTIMUM, PROFILE_SPLINE, UNPOLISHED

from burnout_stats.engine.effect_size import Pairs, correction, effect_size
from burnout_stats.inference.profile import confint
from burnout_stats.inference.variance_shares import icc, r_squared
from burnout_stats.models import LMM, MMRM, fit
from burnout_stats.models.residuals import residuals

R = Path(__file__).parent / "r"
FORMULA = "EE ~ visit * group + sex + age"
RANDOM = {"ri": f"{FORMULA} + (1 | subject)", "ris": "EE ~ years * group + (1 + years | subject)"}


def result(name):
    return json.loads((R / f"{name}.json").read_text(encoding="utf-8"))


@cache
def fitted(formula, method="reml"):
    return fit((LMM if "|" in formula else MMRM)(formula, method=method), burnout_200())


@pytest.mark.parametrize("measure", ["smcc", "smcr", "smcrh"])
def test_standardized_changes(measure):
    theirs = result("effect_sizes")
    data = theirs["data"]
    pairs = Pairs.of(n=data["n"], mean_1=data["m1"], mean_2=data["m2"], sd_1=data["s1"], sd_2=data["s2"], r=data["r"])
    ours = effect_size(pairs, measure)
    variance = np.array(theirs[measure]["vi"])
    if measure == "smcrh":  # metafor 3.8 multiplies it by J², 4.0 and Bonett 2008 do not
        variance = variance / correction(pairs.n - 1) ** 2
    np.testing.assert_allclose(ours.estimate, theirs[measure]["yi"], rtol=1e-12)
    np.testing.assert_allclose(ours.variance, variance, rtol=1e-12)


@pytest.mark.parametrize("kind", ["response", "pearson", "normalized"])
def test_residuals(kind):
    theirs = result("residuals")
    cohort = burnout_200()
    frame = residuals(fitted(FORMULA), kind)
    assert len(frame) == theirs["n"]
    where = {
        (subject, visit): value
        for subject, visit, value in zip(theirs["id"], theirs["visit"], theirs[kind], strict=True)
    }
    wanted = [
        where[str(cohort.ids[ordinal - 1]), visit]
        for ordinal, visit in zip(frame["subject"], frame["visit"], strict=True)
    ]
    np.testing.assert_allclose(frame["residual"], wanted, atol=UNPOLISHED)


@pytest.mark.parametrize("key", RANDOM)
def test_profile_intervals_of_random_effects(key):
    theirs = result("profile")[key]
    ours = confint(fitted(RANDOM[key], "ml"), method="profile").frame.set_index("term")
    names = list(ours.index)
    covariance = {"ri": ["sd[Intercept]", "sd[residual]"]}.get(
        key, ["sd[Intercept]", "cor[Intercept, years]", "sd[years]", "sd[residual]"]
    )
    order = [*covariance, *(name for name in names if not name.startswith(("sd[", "cor[")))]
    assert len(order) == len(theirs["term"])
    error = ours.loc[order, "std_error"]
    assert (np.abs(ours.loc[order, "conf_low"] - theirs["low"]) / error).max() < PROFILE_SPLINE
    assert (np.abs(ours.loc[order, "conf_high"] - theirs["high"]) / error).max() < PROFILE_SPLINE


def test_profile_intervals_of_compound_symmetry_are_those_of_a_random_intercept():
    theirs = result("profile")["ri"]
    ours = confint(fit(MMRM(FORMULA, covariance="cs", method="ml"), burnout_200()), method="profile", parm="fixed")
    np.testing.assert_allclose(ours.frame["conf_low"], theirs["low"][2:], rtol=ESTIMATE)
    np.testing.assert_allclose(ours.frame["conf_high"], theirs["high"][2:], rtol=ESTIMATE)


@pytest.mark.parametrize("key", RANDOM)
def test_shares_of_variance(key):
    theirs = result("variance_shares")[key]
    ours = [*icc(fitted(RANDOM[key])).frame["estimate"], *r_squared(fitted(RANDOM[key])).frame["estimate"]]
    wanted = [theirs[name] for name in ("icc_adjusted", "icc_conditional", "marginal", "conditional")]
    np.testing.assert_allclose(ours, wanted, rtol=LMER_OPTIMUM)
