"""Weights by the probability of being seen, independence estimating equations and augmented means against R (glm,
geepack; script and output in `r/weighting.*`), and against statsmodels.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from cohorts import burnout_200
from tolerances import ESTIMATE

from burnout_stats.models import MMRM
from burnout_stats.sensitivity import weighted, weights

R = json.loads((Path(__file__).parent / "r" / "weighting.json").read_text(encoding="utf-8"))
SPEC = MMRM("EE ~ visit * group + age")
PREDICTORS = ["EE", "age", "sex"]
CUT = {"whole": None, "cut": (0.05, 0.95)}


@cache
def weights_of(name):
    return weights(SPEC, burnout_200(), PREDICTORS, truncate=CUT[name])


@cache
def fit_of(name, se):
    _, found = weighted(SPEC, burnout_200(), PREDICTORS, truncate=CUT[name], se=se).attached()
    return found


@pytest.mark.parametrize("name", list(CUT))
@pytest.mark.parametrize("place", [1, 2])
def test_weights_and_probabilities(name, place):
    reference = R[name]["models"][["v0", "v1", "v3"][place]]
    ours = weights_of(name)
    w = ours.values[ours.response.seen[:, place], place]
    np.testing.assert_allclose(ours.weighting.alpha[place - 1][0], reference["beta"], rtol=ESTIMATE)
    assert w.mean() == pytest.approx(reference["mean"], rel=ESTIMATE)
    shown = ours.diagnostics.frame.set_index(["level", "statistic"])["value"].loc[ours.cohort.visits.labels[place]]
    assert shown["largest weight"] == pytest.approx(reference["largest"], rel=ESTIMATE)
    assert shown["effective n"] == pytest.approx(reference["ess"], rel=ESTIMATE)
    assert shown["lowest probability"] == pytest.approx(reference["lowest"], rel=ESTIMATE)
    assert shown["highest probability"] == pytest.approx(reference["highest"], rel=ESTIMATE)


@pytest.mark.parametrize("name", list(CUT))
def test_independence_estimating_equations(name):
    ours = fit_of(name, "sandwich-known")
    order = [R[name]["terms"].index(term) for term in in_r(ours.design.names)]
    np.testing.assert_allclose(ours.beta, np.array(R[name]["beta"])[order], rtol=ESTIMATE)
    np.testing.assert_allclose(
        ours.covariance, np.array(R[name]["vcov"])[np.ix_(order, order)], rtol=ESTIMATE, atol=1e-9
    )


def in_r(names):
    table = {"Intercept": "(Intercept)", "group[intervention]": "groupintervention", "age": "age"}
    table |= {f"visit[{v}]": f"visit{v}" for v in ("v1", "v3")}
    table |= {f"visit[{v}]:group[intervention]": f"visit{v}:groupintervention" for v in ("v1", "v3")}
    return [table[name] for name in names]


def test_statsmodels_says_the_same():
    ours, found = fit_of("whole", "sandwich-known"), weights_of("whole")
    rows = found.rows
    w = found.values[found.subject, rows.visit]
    theirs = sm.GEE(rows.z[:, -1], rows.z[:, :-1], groups=rows.subject, weights=w).fit()
    np.testing.assert_allclose(ours.beta, theirs.params, rtol=ESTIMATE)
    np.testing.assert_allclose(ours.covariance, theirs.cov_params(), rtol=ESTIMATE, atol=1e-9)
    seen = found.response.seen[:, 1].astype(float)
    logit = sm.Logit(seen, found.X).fit(disp=0, tol=1e-12, maxiter=100)
    np.testing.assert_allclose(found.weighting.alpha[0][0], logit.params, rtol=ESTIMATE)


@pytest.mark.parametrize("name", list(CUT))
def test_augmented_changes_with_the_influence_function_of_known_models(name):
    ours = weighted(SPEC, burnout_200(), PREDICTORS, kind="augmented", truncate=CUT[name], se="sandwich-known")
    K = np.array([[-1.0, 1, 0], [-1, 0, 1]])
    np.testing.assert_allclose(ours.frame["estimate"], K @ R[name]["means"], rtol=ESTIMATE)
    np.testing.assert_allclose(ours.vcov, K @ np.array(R[name]["means_vcov"]) @ K.T, rtol=ESTIMATE)
