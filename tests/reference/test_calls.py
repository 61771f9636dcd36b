"""The scripts of R that `text.calls` writes: kept in `calls/`, run there by `run_calls.R` (versions in
`calls/session.txt`), and their numbers compared with ours. SAS and Stata were not at hand, and mmrm was not installed:
their scripts are checked for their syntax in the unit tests.
"""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest
from calls_elsewhere import CASES, HERE, STUDY, asked, script

from burnout_stats.cohort import Cohort
from burnout_stats.notices import BurnoutStatsWarning
from burnout_stats.plan import read_study

THEIRS = json.loads((HERE / "results.json").read_text(encoding="utf-8"))
CLOSE = 2e-5
"""Of estimates and standard errors of some tenths of a point: nlme stops where its criterion changes by 1e-10, which
leaves estimates six digits.
"""
DF = 0.01
"""pbkrtest's df, at lmer's optimum."""
LOGLIK = 1e-6

pytestmark = pytest.mark.filterwarnings(f"ignore::{BurnoutStatsWarning.__module__}.{BurnoutStatsWarning.__name__}")


@cache
def cohort() -> Cohort:
    return read_study(STUDY).cohort()


def test_every_kept_script_has_its_numbers() -> None:
    kept = {path.stem for path in HERE.glob("*.R")} - {"run_calls"}
    assert kept == set(CASES) == set(THEIRS)


@pytest.mark.parametrize("name", CASES)
def test_the_script_is_the_one_that_was_run(name: str) -> None:
    assert script(name, cohort()) == (HERE / f"{name}.R").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_its_numbers_are_ours(name: str) -> None:
    fit, changes = asked(name, cohort())
    theirs = THEIRS[name]
    assert theirs["n"] == fit.n_obs
    assert theirs["loglik"] == pytest.approx(fit.loglik, abs=LOGLIK)
    # gls multiplies standard errors by this under ML, as the note in its script says
    factor = np.sqrt(fit.n_obs / (fit.n_obs - len(fit.coef))) if name == "nlme_us_ml" else 1.0
    std_errors = np.sqrt(np.diag(fit.vcov))
    np.testing.assert_allclose(theirs["estimate"], fit.coef, rtol=0, atol=CLOSE)
    np.testing.assert_allclose(theirs["std_error"], factor * std_errors, rtol=0, atol=CLOSE)
    np.testing.assert_allclose(theirs["changes"]["estimate"], changes.frame["estimate"], rtol=0, atol=CLOSE)
    np.testing.assert_allclose(theirs["changes"]["SE"], factor * changes.frame["std_error"], rtol=0, atol=CLOSE)
    if changes.about.df_method == "kenward-roger-expected":
        np.testing.assert_allclose(theirs["changes"]["df"], changes.frame["df"], rtol=0, atol=DF)
