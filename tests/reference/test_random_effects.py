"""Random effects against R's lme4, lmerTest and pbkrtest: `oracles/*.json` (nominal times, through moments) and
`r/random_effects.json`, made by `r/random_effects.R` (exact times, by the row path; conditional variances; sleepstudy
as sums of products).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cohorts import burnout_200, oracle, potthoff_roy
from tolerances import DF, ESTIMATE, LMER_OPTIMUM, LOGLIK, P_VALUE

from burnout_stats.cohort import read_cohort
from burnout_stats.engine import random_effects as engine
from burnout_stats.engine.basis import Basis
from burnout_stats.engine.moments import Moments
from burnout_stats.inference import summarize
from burnout_stats.models import LMM, MMRM, fit
from burnout_stats.models.prediction import predict, ranef
from burnout_stats.notices import BurnoutStatsWarning

R = Path(__file__).parent / "r"
NOMINAL = [
    ("burnout_200", "ri_REML", "EE ~ visit * group + sex + age + (1 | subject)"),
    ("burnout_200", "ri_ML", "EE ~ visit * group + sex + age + (1 | subject)"),
    ("burnout_200", "ris_REML", "EE ~ visit * group + sex + age + (years | subject)"),
    ("burnout_200", "ris_ML", "EE ~ visit * group + sex + age + (years | subject)"),
    ("burnout_200", "risu_REML", "EE ~ visit * group + sex + age + (years || subject)"),
    ("burnout_200", "lin_ris_REML", "EE ~ years * group + sex + age + (years | subject)"),
    ("potthoff_roy", "ri_REML", "distance ~ Sex * years + (1 | subject)"),
    ("potthoff_roy", "ris_REML", "distance ~ Sex * years + (years | subject)"),
    ("potthoff_roy", "ris_ML", "distance ~ Sex * years + (years | subject)"),
    ("potthoff_roy", "ri_visit_REML", "distance ~ Sex * visit + (1 | subject)"),
]
EXACT = {
    "ris_REML": "EE ~ exact * group + sex + age + (1 + exact | subject)",
    "ris_ML": "EE ~ exact * group + sex + age + (1 + exact | subject)",
    "risu_REML": "EE ~ exact * group + sex + age + (1 + exact || subject)",
    "slope_REML": "EE ~ exact * group + sex + age + (0 + exact | subject)",
    "quadratic_REML": "EE ~ exact + power(exact, 2) + group + (1 + exact + power(exact, 2) || subject)",
}
COHORTS = {"burnout_200": burnout_200, "potthoff_roy": potthoff_roy}


@cache
def from_r():
    return json.loads((R / "random_effects.json").read_text(encoding="utf-8"))


@cache
def exact_cohort():
    return read_cohort(
        pd.read_csv(R / "data" / "burnout_200_exact.csv"),
        subject="id",
        visit="visit",
        times={"v0": 0, "v1": 1, "v3": 3},
        outcomes=["EE"],
        covariates={
            "group": {"levels": ["control", "intervention"]},
            "sex": {"levels": ["F", "M"]},
            "age": {"unit": "years"},
            "exact": {"unit": "years"},
        },
    )


@cache
def nominal_fit(name, key, formula):
    return fit(LMM(formula, method=key.rsplit("_", 1)[1].lower()), COHORTS[name]())


@cache
def exact_fit(key):
    return fit(LMM(EXACT[key], method=key.rsplit("_", 1)[1].lower()), exact_cohort())


def close(ours, theirs, tolerance):
    np.testing.assert_allclose(np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float), rtol=tolerance)


def renamed(terms, years):
    """lme4's term names in our spelling."""
    out = []
    for term in terms:
        parts = []
        for part in term.replace("I(exact^2)", "power(exact, 2.0)").split(":"):
            name = {"(Intercept)": "Intercept", years: "years"}.get(part, part)
            for variable in ("visit", "group", "sex", "Sex"):
                if part.startswith(variable) and part != variable:
                    name = f"{variable}[{part[len(variable) :]}]"
            parts.append(name)
        out.append(frozenset(parts))
    return out


def same_table(fitted, df, table, years=""):
    frame = summarize(fitted, df=df).frame
    ours = [frozenset(term.split(":")) for term in frame["term"]]
    frame = frame.iloc[[ours.index(term) for term in renamed(table["term"], years)]]
    close(frame["estimate"], table["Estimate"], LMER_OPTIMUM)
    close(frame["std_error"], table["Std. Error"], LMER_OPTIMUM)
    close(frame["df"], table["df"], DF)
    close(frame["statistic"], table["t value"], LMER_OPTIMUM * 5)
    np.testing.assert_allclose(frame["p_value"], table["Pr(>|t|)"], atol=P_VALUE)


def same_variances(fitted, matrices, sigma):
    close(fitted.varcorr.loc["residual", "sd"], sigma, LMER_OPTIMUM)
    G = fitted.random.G
    at = 0
    for matrix in matrices:
        size = len(np.atleast_2d(matrix))
        own = G[at : at + size, at : at + size]
        close(own, np.atleast_2d(matrix), LMER_OPTIMUM * 5)
        at += size
    assert at == len(G)


@pytest.mark.parametrize("case", NOMINAL, ids=lambda case: "-".join(case[:2]))
def test_nominal_times(case):
    theirs = oracle(case[0])["lmer"][case[1]]
    ours = nominal_fit(*case)
    years = "age" if case[0] == "potthoff_roy" else "years"
    assert ours.converged
    assert ours.notices == ()
    close(ours.loglik, theirs["logLik"], LOGLIK)
    same_table(ours, "satterthwaite", theirs["coefficients_satterthwaite"], years)
    if "coefficients_kr" in theirs:
        same_table(ours, "kenward-roger-expected", theirs["coefficients_kr"], years)
    same_variances(ours, [block["matrix"] for block in theirs["varcorr"].values()], theirs["sigma"])
    assert ours.n_obs == theirs["n_obs"]


@pytest.mark.parametrize("case", NOMINAL, ids=lambda case: "-".join(case[:2]))
def test_random_effects_and_fitted_values(case):
    theirs = oracle(case[0])["lmer"][case[1]]
    ours = nominal_fit(*case)
    if "term" not in theirs["ranef_first10"]:  # of Potthoff and Roy lme4 keeps another order of subjects
        wide = ranef(ours).pivot(index="subject", columns="term", values="estimate")
        for name, values in theirs["ranef_first10"].items():
            mine = wide["Intercept" if name == "(Intercept)" else name].to_numpy()[:10]
            np.testing.assert_allclose(mine, values, rtol=LMER_OPTIMUM, atol=LMER_OPTIMUM * np.std(values))
    fitted = predict(ours, level="conditional")["estimate"].to_numpy()
    if case[0] == "burnout_200":
        close(fitted[:10], theirs["fitted_first10"], LMER_OPTIMUM)


@pytest.mark.parametrize("key", ["ri_REML", "ris_REML"])
def test_conditional_standard_errors_at_nominal_times(key):
    theirs = from_r()["nominal"][key]
    ours = ranef(nominal_fit(*next(case for case in NOMINAL if case[:2] == ("burnout_200", key))))
    for (_, block), values in zip(ours.groupby("term", sort=False), theirs["condsd"], strict=True):
        close(block["std_error_conditional"].iloc[:10], values, LMER_OPTIMUM)


@pytest.mark.parametrize("key", EXACT)
def test_exact_times(key):
    theirs = from_r()["exact"][key]
    ours = exact_fit(key)
    assert ours.converged
    close(ours.loglik, theirs["logLik"], LOGLIK)
    terms = theirs["satterthwaite"]["term"]
    same_table(ours, "satterthwaite", theirs["satterthwaite"])
    if "kr" in theirs:
        same_table(ours, "kenward-roger-expected", theirs["kr"])
    robust = summarize(ours, df="satterthwaite", vcov="cr2").frame
    order = [[frozenset(term.split(":")) for term in robust["term"]].index(t) for t in renamed(terms, "")]
    close(robust["std_error"].iloc[order], theirs["cr2"], LMER_OPTIMUM)
    close(robust["df"].iloc[order], theirs["cr2_df"], DF)
    same_variances(ours, theirs["varcorr"].values(), theirs["sigma"])
    effects = ranef(ours)
    for (_, block), values, sds in zip(
        effects.groupby("term", sort=False), theirs["ranef"].values(), theirs["condsd"], strict=True
    ):
        np.testing.assert_allclose(block["estimate"].iloc[:10], values, rtol=1e-5, atol=1e-5)
        close(block["std_error_conditional"].iloc[:10], sds, LMER_OPTIMUM)
    close(predict(ours, level="conditional")["estimate"].iloc[:10], theirs["fitted"], LMER_OPTIMUM)


@pytest.mark.raises_code("N-MODEL-BOUNDARY")
def test_at_the_edge_our_criterion_is_not_above_that_of_lme4():
    """A random slope of a covariate that does not vary within subjects; lme4 calls the fit singular."""
    theirs = from_r()["exact"]["age_REML"]
    with pytest.warns(BurnoutStatsWarning, match="perfectly correlated"):
        ours = fit(LMM("EE ~ visit * group + sex + age + (1 + age | subject)"), burnout_200())
    assert theirs["singular"]
    assert ours.converged
    assert -1e-7 < ours.loglik - theirs["logLik"] < 1e-3
    correlation = ours.varcorr.loc["Intercept", "age"]
    assert abs(correlation) == pytest.approx(1.0, abs=1e-9)


@pytest.fixture(scope="module")
def sleepstudy():
    """18 subjects on 10 days, as sums of products (the data are part of lme4)."""
    data = from_r()["sleepstudy"]
    n, days = data["n"], np.array(data["days"], dtype=float)
    rows = np.empty((10, 10, 3, 3))
    y, yy = np.array(data["sums"]), np.array(data["products"])
    one = np.ones(10)
    parts = [[n * np.outer(a, b) for b in (one, days)] for a in (one, days)]
    for i in range(2):
        for j in range(2):
            rows[..., i, j] = parts[i][j]
    for i, a in enumerate((one, days)):
        rows[..., i, 2] = np.outer(a, y)
        rows[..., 2, i] = np.outer(y, a)
    rows[..., 2, 2] = yy
    moments = Moments(
        patterns=np.ones((1, 10), dtype=bool),
        groups=np.zeros(1, dtype=np.intp),
        n=np.array([float(n)]),
        T=rows[None],
        basis=Basis.centered(np.zeros(3), np.array([1.0, 0.0])),
    )
    return moments.orthonormal(), days


@pytest.mark.parametrize(
    ("key", "blocks", "slope"),
    [
        ("ri_REML", [(0,)], False),
        ("ris_REML", [(0, 1)], True),
        ("ris_ML", [(0, 1)], True),
        ("risu_REML", [(0,), (1,)], True),
    ],
)
def test_sleepstudy_from_sums_of_products(sleepstudy, key, blocks, slope):
    moments, days = sleepstudy
    theirs = oracle("sleepstudy")["lmer"][key]
    Z = np.column_stack([np.ones(10), days]) if slope else np.ones((10, 1))
    T = engine.standardized(Z.T @ Z / 10, blocks)
    factor, found = engine.solve(engine.MomentsProblem(moments, Z @ T, days, theirs["reml"]), blocks)
    close(-found.criterion / 2, theirs["logLik"], LOGLIK)
    sigma = np.exp(found.theta[0]) * float(moments.basis.scale)
    close(sigma, theirs["sigma"], LMER_OPTIMUM)
    G = sigma**2 * T @ factor.covariance(found.theta[1:]) @ T.T
    at = 0
    for block in theirs["varcorr"].values():
        matrix = np.atleast_2d(block["matrix"])
        close(G[at : at + len(matrix), at : at + len(matrix)], matrix, 5 * LMER_OPTIMUM)
        at += len(matrix)
    beta = moments.basis.coefficients(found.optimum.at.beta)
    close(beta, theirs["coefficients_satterthwaite"]["Estimate"], ESTIMATE)


@cache
def clinics():
    return read_cohort(
        pd.read_csv(R / "data" / "burnout_200_clinics.csv"),
        subject="id",
        visit="visit",
        times={"v0": 0, "v1": 1, "v3": 3},
        outcomes=["EE"],
        covariates={
            "group": {"levels": ["control", "intervention"]},
            "sex": {"levels": ["F", "M"]},
            "age": {"unit": "years"},
            "clinic": {},
        },
    )


@pytest.mark.parametrize(
    ("key", "spec"),
    [
        ("ri_REML", LMM("EE ~ visit * group + sex + age + (1 | subject) + (1 | clinic)")),
        ("ri_REML", MMRM("EE ~ visit * group + sex + age + (1 | clinic)", covariance="cs")),
        ("ri_ML", LMM("EE ~ visit * group + sex + age + (1 | subject) + (1 | clinic)", method="ml")),
        ("ris_REML", LMM("EE ~ visit * group + sex + age + (1 + years | subject) + (1 | clinic)")),
    ],
)
def test_clusters_above_the_subject(key, spec):
    theirs = from_r()["clinics"][key]
    ours = fit(spec, clinics())
    assert ours.converged
    close(ours.loglik, theirs["logLik"], LOGLIK)
    close(ours.clusters.sd**2, theirs["clinic"], 5 * LMER_OPTIMUM)
    same_table(ours, "satterthwaite", theirs["satterthwaite"])
    if "kr" in theirs:
        same_table(ours, "kenward-roger-expected", theirs["kr"])
    if ours.random is not None:
        close(ours.random.G, theirs["id"], 5 * LMER_OPTIMUM)
        close(ours.random.sigma, theirs["sigma"], LMER_OPTIMUM)
