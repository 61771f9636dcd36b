"""Generalized estimating equations against R's geepack and clubSandwich (`gee/gee.R`, `gee/gee.json`) and against the
block `gee` of the oracles.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cohorts import burnout_200, oracle
from tolerances import ESTIMATE, GEEPACK

from burnout_stats.cohort import Cohort, read_cohort
from burnout_stats.inference import joint_test, summarize
from burnout_stats.inference.standardization import standardized
from burnout_stats.models.gee import GEE
from burnout_stats.models.gee_fit import fit_gee

HERE = Path(__file__).parent / "gee"
FORMULAS = {
    "gaussian": "score ~ visit * group + age",
    "binomial": "leave ~ visit * group + age",
    "poisson": "days ~ visit * group + age",
}


@cache
def reference():
    return json.loads((HERE / "gee.json").read_text(encoding="utf-8"))


@cache
def panel() -> Cohort:
    return read_cohort(
        pd.read_csv(HERE / "panel.csv").drop(columns="wave"),
        subject="id",
        visit="visit",
        times={f"v{k}": k for k in range(5)},
        outcomes=["leave", "days", "score"],
        covariates={"group": {"levels": ["early", "late"]}, "age": {}, "copies": {}},
    )


def ordered(fit, terms):
    """R's names of our columns, in its order."""
    ours = [name.replace("Intercept", "(Intercept)").replace("[", "").replace("]", "") for name in fit.coef.index]
    return [ours.index(term) for term in terms]


def compare(fit, theirs, *, small=GEEPACK):
    at = ordered(fit, theirs["terms"])
    V = fit.vcov.to_numpy()[np.ix_(at, at)]
    np.testing.assert_allclose(V, theirs["vcov"], rtol=1e-4, atol=small * np.diag(V).max())
    np.testing.assert_allclose(np.sqrt(np.diag(V)), np.sqrt(np.diag(theirs["vcov"])), rtol=small)
    error = np.abs(fit.coef.to_numpy()[at] - theirs["coef"]) / np.sqrt(np.diag(V))
    assert error.max() < small
    np.testing.assert_allclose(fit.scale, theirs["scale"], rtol=small)
    if fit.spec.working != "independence":
        np.testing.assert_allclose(fit.solution.alpha[0], np.atleast_1d(theirs["alpha"]), rtol=small, atol=small)


@pytest.mark.parametrize("working", ["independence", "exchangeable", "ar1", "unstructured"])
@pytest.mark.parametrize("family", list(FORMULAS))
def test_geepack_with_missed_visits(family, working):
    fit = fit_gee(GEE(FORMULAS[family], family=family, working=working, small_sample=None), panel())
    theirs = reference()[f"{family}_{working}"]
    assert fit.converged
    compare(fit, theirs)
    at = ordered(fit, theirs["terms"])
    naive = fit.answer(np.eye(len(at)), vcov="model").vcov[np.ix_(at, at)]
    np.testing.assert_allclose(np.diag(naive), np.diag(theirs["naive"]), rtol=1e-5)


@pytest.mark.parametrize("link", ["probit", "identity"])
def test_geepack_with_other_links(link):
    fit = fit_gee(GEE("leave ~ visit + group", link=link, small_sample=None), panel())
    compare(fit, reference()["probit_exchangeable" if link == "probit" else "risk_exchangeable"])


CASES = {
    "gaussian_exch": ("gaussian", "exchangeable"),
    "gaussian_ind": ("gaussian", "independence"),
    "logit_hi_exch": ("binomial", "exchangeable"),
    "logit_hi_ind": ("binomial", "independence"),
    "logit_hi_us": ("binomial", "unstructured"),
}


@pytest.mark.parametrize("name", list(CASES))
def test_the_oracle(name):
    family, working = CASES[name]
    case = ">= 27" if family == "binomial" else None
    spec = GEE("EE ~ visit * group + sex + age", family=family, working=working, case=case, small_sample=None)
    theirs = oracle("burnout_200")["gee"][name]
    block = {
        "terms": theirs["coefficients"]["term"],
        "coef": theirs["coefficients"]["Estimate"],
        "vcov": theirs["vcov"]["matrix"],
        "scale": theirs["scale"],
        "alpha": theirs["alpha"],
    }
    compare(fit_gee(spec, burnout_200()), block, small=1e-5)  # it was made with geepack's own stopping rule


def test_clubsandwich_of_independence():
    """CR3 is Mancl & DeRouen; df of rows and the joint test are Pustejovsky & Tipton's."""
    theirs = reference()["glm_clubsandwich"]
    for kind, club in (("robust", "CR0"), ("mancl-derouen", "CR3")):
        fit = fit_gee(GEE(FORMULAS["binomial"], working="independence"), panel())
        at = ordered(fit, reference()["binomial_independence"]["terms"])
        np.testing.assert_allclose(fit.coef.to_numpy()[at], theirs["coef"], rtol=ESTIMATE)
        answer = fit.answer(np.eye(len(at)), vcov=kind, df="satterthwaite")
        np.testing.assert_allclose(np.diag(answer.vcov)[at], np.diag(theirs[club]["vcov"]), rtol=ESTIMATE)
        np.testing.assert_allclose(answer.df[at], theirs[club]["df"], rtol=1e-4)
        L = np.eye(len(at))[at[1:5]]
        joint = joint_test(fit, L, vcov=kind, df="satterthwaite").frame.iloc[0]
        np.testing.assert_allclose(
            [joint["statistic"], joint["df"]], [theirs[club]["F"], theirs[club]["df_denom"]], rtol=1e-4
        )


def test_summarize_names_what_it_stands_on():
    found = summarize(fit_gee(GEE(FORMULAS["binomial"]), panel()))
    assert found.about.vcov == "mancl-derouen"
    assert found.about.df_method == "satterthwaite"


def test_geepack_weights_are_probability_weights():
    """geepack's `weights` multiply the scores in the equations, and their squares stand in the sandwich."""
    theirs = reference()["weighted_independence"]
    spec = GEE(
        FORMULAS["binomial"],
        working="independence",
        weights="copies",
        weights_kind="probability",
        small_sample=None,
    )
    fit = fit_gee(spec, panel())
    at = ordered(fit, theirs["terms"])
    np.testing.assert_allclose(fit.coef.to_numpy()[at], theirs["coef"], rtol=ESTIMATE)
    np.testing.assert_allclose(np.diag(fit.vcov)[at], np.diag(theirs["vcov"]), rtol=ESTIMATE)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_standardized_means(family):
    """R's by hand: predictions for everybody at each visit and in each group, differentiated numerically."""
    theirs = reference()[f"standardized_{family}"]
    fit = fit_gee(GEE(FORMULAS[family], family=family, small_sample=None), panel())
    ours = standardized(fit, "visit", by="group")
    assert ours.frame["visit"].tolist() == theirs["visit"]
    assert ours.frame["group"].tolist() == theirs["group"]
    np.testing.assert_allclose(ours.frame["estimate"], theirs["mean"], rtol=ESTIMATE)
    np.testing.assert_allclose(np.sqrt(np.diag(ours.vcov)), np.sqrt(np.diag(theirs["vcov"])), rtol=GEEPACK)


def test_statsmodels_agrees_on_complete_data():
    """Without missed visits its estimating equations with an exchangeable correlation have the same solution, but for
    its count of coefficients in the moments of the correlation, which leaves independence untouched.
    """
    from statsmodels.genmod.cov_struct import Independence
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_estimating_equations import GEE as THEIRS

    fit = fit_gee(GEE(FORMULAS["binomial"], working="independence", small_sample=None), panel())
    rows = fit.rows
    model = THEIRS(rows.z[:, -1], rows.z[:, :-1], groups=rows.subject, family=Binomial(), cov_struct=Independence())
    theirs = model.fit(ctol=1e-12)
    np.testing.assert_allclose(fit.coef, theirs.params, rtol=ESTIMATE)
    np.testing.assert_allclose(fit.vcov, theirs.cov_robust, rtol=1e-5, atol=1e-9)
    reduced = model.fit(ctol=1e-12, cov_type="bias_reduced")  # its Mancl & DeRouen
    ours = fit.answer(np.eye(11), vcov="mancl-derouen").vcov
    np.testing.assert_allclose(np.diag(ours), np.diag(reduced.cov_robust_bc), rtol=1e-5)
