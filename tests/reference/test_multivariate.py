"""A model of two outcomes at three visits, scores missing one by one, against R (`r/multivariate.R`): nlme's `gls` for
the unstructured covariance, and the likelihood written out and given to `optim` for outcomes times visits.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tolerances import GLS_OPTIMUM, LOGLIK

from burnout_stats.cohort import read_cohort
from burnout_stats.models.multivariate import MultivariateMMRM, fit_multivariate

HERE = Path(__file__).parent / "r"
THEIRS = json.loads((HERE / "multivariate.json").read_text(encoding="utf-8"))
ASKED = {
    "us": {},
    "kronecker_us": {"covariance": "kronecker"},
    "kronecker_ar1": {"covariance": "kronecker", "over_visits": "ar1"},
    "kronecker_ar1_ml": {"covariance": "kronecker", "over_visits": "ar1", "method": "ml"},
}


@pytest.mark.parametrize("name", ASKED)
def test_two_outcomes_agree_with_r(name):
    cohort = read_cohort(
        pd.read_csv(HERE / "data" / "two_outcomes.csv"),
        subject="id",
        visit="visit",
        times={"baseline": 0, "1 year": 1, "3 years": 3},
        outcomes=["exhaustion", "depression"],
        covariates={"sex": {"levels": ["F", "M"]}},
    )
    ours = fit_multivariate(MultivariateMMRM(("exhaustion", "depression"), "visit * sex", **ASKED[name]), cohort)
    theirs = THEIRS[name]
    errors = np.sqrt(np.diag(ours.answer(np.eye(12), df="asymptotic").vcov))
    assert ours.converged
    assert ours.loglik == pytest.approx(theirs["loglik"], rel=LOGLIK)
    np.testing.assert_allclose(ours.coef, theirs["beta"], rtol=GLS_OPTIMUM)
    np.testing.assert_allclose(errors, np.sqrt(np.diag(theirs["vcov"])), rtol=GLS_OPTIMUM)
    np.testing.assert_allclose(ours.covariance, theirs["Sigma"], rtol=GLS_OPTIMUM)
