"""Dates of assessment against R (`r/exact_years.R`): lme4, lmerTest and pbkrtest on years that R counted itself, and
R's own means and quantiles of the follow-up times.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from tolerances import DF, IDENTITY, LMER_OPTIMUM, LOGLIK

from burnout_stats import describe
from burnout_stats.cohort import read_cohort
from burnout_stats.inference import summarize
from burnout_stats.models import LMM, fit

R = Path(__file__).parent / "r"
FORMULAS = {
    "slopes_REML": "EE ~ exact_years * group + sex + (1 + exact_years | subject)",
    "slopes_ML": "EE ~ exact_years * group + sex + (1 + exact_years | subject)",
    "fixed_REML": "EE ~ visit + exact_years + group + (1 | subject)",
}
OURS = {
    "(Intercept)": "Intercept",
    "exact": "exact_years",
    "groupintervention": "group[intervention]",
    "sexM": "sex[M]",
    "exact:groupintervention": "exact_years:group[intervention]",
    "visitv1": "visit[v1]",
    "visitv3": "visit[v3]",
}


@cache
def from_r():
    return json.loads((R / "exact_years.json").read_text(encoding="utf-8"))


@cache
def cohort():
    return read_cohort(
        R / "data" / "burnout_200_dates.csv",
        subject="id",
        visit="visit",
        times={"v0": 0, "v1": 1, "v3": 3},
        outcomes=["EE"],
        covariates={"group": {"levels": ["control", "intervention"]}, "sex": {"levels": ["F", "M"]}},
        missing_codes=["NA"],
        date="assessed",
    )


@pytest.mark.parametrize("key", FORMULAS)
def test_models_with_exact_years(key):
    theirs = from_r()[key]
    ours = fit(LMM(FORMULAS[key], method=key.rsplit("_", 1)[1].lower()), cohort())
    assert ours.n_obs == theirs["n"]
    np.testing.assert_allclose(ours.loglik, theirs["logLik"], rtol=LOGLIK)
    np.testing.assert_allclose(ours.varcorr.loc["residual", "sd"], theirs["sigma"], rtol=LMER_OPTIMUM)
    np.testing.assert_allclose(ours.random.G, theirs["varcorr"]["id"], rtol=5 * LMER_OPTIMUM)
    for df, table in (("satterthwaite", "satterthwaite"), ("kenward-roger-expected", "kr")):
        if table in theirs:
            frame = summarize(ours, df=df).frame.set_index("term").loc[[OURS[name] for name in theirs[table]["term"]]]
            np.testing.assert_allclose(frame["estimate"], theirs[table]["Estimate"], rtol=LMER_OPTIMUM)
            np.testing.assert_allclose(frame["std_error"], theirs[table]["Std. Error"], rtol=LMER_OPTIMUM)
            np.testing.assert_allclose(frame["df"], theirs[table]["df"], rtol=DF)


@pytest.mark.parametrize(("level", "key"), [("v1", "v1"), ("v3", "v3"), ("last visit", "last")])
def test_follow_up(level, key):
    theirs = from_r()["follow_up"][key]
    frame = describe.follow_up(cohort()).frame
    ours = frame[frame["level"] == level].set_index("statistic")["value"]
    np.testing.assert_allclose(ours[["n", "mean", "sd"]], [theirs["n"], theirs["mean"], theirs["sd"]], rtol=IDENTITY)
    np.testing.assert_allclose(ours[["q1", "median", "q3"]], theirs["quartiles"], rtol=IDENTITY)
    assert ours["n"] + ours["missing"] == 200
