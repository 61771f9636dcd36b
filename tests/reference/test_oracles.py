"""The unstructured model against R's mmrm and nlme on the oracle data sets (files in `oracles/`, made by
`make_reference.R` there).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from cohorts import burnout_200, oracle, potthoff_roy
from tolerances import DF, ESTIMATE, LOGLIK, P_VALUE

from burnout_stats.engine.covariance import STRUCTURES
from burnout_stats.inference import contrast, emmeans, joint_test, summarize
from burnout_stats.models import LMM, MMRM, fit

DATA = {
    "burnout_200": (burnout_200, "EE ~ visit * group + sex + age", "group"),
    "potthoff_roy": (potthoff_roy, "distance ~ Sex * visit", "Sex"),
}
METHODS = {
    "REML_Satterthwaite": "satterthwaite",
    "REML_KRlinear": "kenward-roger",
    "ML_Satterthwaite": "satterthwaite",
}
CASES = [
    (name, code, key)
    for name in DATA
    for code in STRUCTURES
    for key in METHODS
    if f"{code}_{key}" in oracle(name)["mmrm"]
]


def close(ours, theirs, tolerance):
    np.testing.assert_allclose(np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float), rtol=tolerance)


def cases(*parts):
    """The cases whose reference holds some block of results."""

    def holds(case):
        block = oracle(case[0])["mmrm"][f"{case[1]}_{case[2]}"]
        for part in parts:
            block = block.get(part, {})
        return bool(block)

    return pytest.mark.parametrize("pair", [case for case in CASES if holds(case)], indirect=True, ids="-".join)


@pytest.fixture
def pair(request):
    return fitted(*request.param)


@cache
def fitted(name, code, key):
    make, formula, by = DATA[name]
    ours = fit(MMRM(formula, covariance=code, method="ml" if key.startswith("ML") else "reml"), make())
    return ours, METHODS[key], oracle(name)["mmrm"][f"{code}_{key}"], by


def test_every_structure_has_a_reference():
    assert {code for _, code, _ in CASES} == set(STRUCTURES)


def renamed(terms):
    """mmrm's term names in our spelling, for lining up."""
    out = []
    for term in terms:
        parts = ["Intercept" if part == "(Intercept)" else part for part in term.split(":")]
        for k, part in enumerate(parts):
            for variable in ("visit", "group", "sex", "Sex"):
                if part.startswith(variable) and part != variable:
                    parts[k] = f"{variable}[{part[len(variable) :]}]"
        out.append(":".join(parts))
    return out


@cases()
def test_coefficients(pair):
    ours, df, theirs, _ = pair
    table = theirs["coefficients"]
    frame = summarize(ours, df=df).frame.set_index("term").loc[renamed(table["term"])]
    close(frame["estimate"], table["Estimate"], ESTIMATE)
    close(frame["std_error"], table["Std. Error"], ESTIMATE)
    close(frame["df"], table["df"], DF)
    close(frame["statistic"], table["t value"], ESTIMATE)
    np.testing.assert_allclose(frame["p_value"], table["Pr(>|t|)"], atol=P_VALUE)
    limits = theirs["confint95"]
    close(frame["conf_low"], limits["2.5 %"], 1e-5)
    close(frame["conf_high"], limits["97.5 %"], 1e-5)


@cases()
def test_likelihood_and_criteria(pair):
    ours, _, theirs, _ = pair
    close(ours.loglik, theirs["logLik"], LOGLIK)
    assert (ours.n_obs, ours.n_subjects, ours.n_parameters) == (
        theirs["n_obs"],
        theirs["n_subjects"],
        theirs["n_theta"],
    )
    if ours.spec.method == "reml":  # under ML mmrm leaves the fixed effects out of the count, SAS and we do not
        close([ours.aic, ours.aicc, ours.bic], [theirs["AIC"], theirs["AICc"], theirs["BIC"]], LOGLIK)


@cases()
def test_covariance_of_the_visits_and_of_the_effects(pair):
    ours, df, theirs, _ = pair
    sigma = np.array(theirs["varcor"]["matrix"])  # of sp_exp the first two visits only
    close(ours.covariance.iloc[: len(sigma), : len(sigma)], sigma, ESTIMATE)
    order = renamed(theirs["vcov"]["names"])
    vcov = summarize(ours, df=df)
    where = [list(vcov.frame["term"]).index(term) for term in order]
    theirs_vcov = np.array(theirs["vcov"]["matrix"])
    scale = np.sqrt(np.outer(np.diag(theirs_vcov), np.diag(theirs_vcov)))
    np.testing.assert_allclose(vcov.vcov[np.ix_(where, where)] / scale, theirs_vcov / scale, atol=ESTIMATE)


@cases("emm")
def test_means_and_contrasts(pair):
    ours, df, theirs, by = pair
    block = theirs["emm"]["emmeans"]
    means = emmeans(ours, "visit", by=by, weights="equal", at="rows", df=df)
    order = [
        int(np.flatnonzero((means.frame["visit"] == v) & (means.frame[by] == g))[0])
        for v, g in zip(map(str, block["visit"]), block[by], strict=True)
    ]
    frame = means.frame.iloc[order]
    close(frame["estimate"], block["emmean"], ESTIMATE)
    close(frame["std_error"], block["SE"], ESTIMATE)
    close(frame["df"], block["df"], DF)
    np.testing.assert_allclose(
        means.vcov[np.ix_(order, order)], theirs["emm"]["emmeans_vcov"], rtol=ESTIMATE, atol=ESTIMATE * means.vcov.max()
    )
    block = theirs["emm"]["change_from_first"]
    change = contrast(means, "vs_baseline").frame
    order = [
        int(np.flatnonzero((change["contrast"] == c.replace("visit", "")) & (change[by] == g))[0])
        for c, g in zip(block["contrast"], block[by], strict=True)
    ]
    change = change.iloc[order]
    close(change["estimate"], block["estimate"], ESTIMATE)
    close(change["std_error"], block["SE"], ESTIMATE)
    close(change["df"], block["df"], DF)
    np.testing.assert_allclose(change["p_value"], block["p.value"], atol=P_VALUE)
    close(change["conf_low"], block["lower.CL"], 1e-5)
    close(change["conf_high"], block["upper.CL"], 1e-5)


@cases("emm", "pairs_holm")
@pytest.mark.parametrize("adjust", ["holm", "bonferroni"])
def test_adjusted_p_values(pair, adjust):
    ours, df, theirs, by = pair
    block = theirs["emm"][f"pairs_{adjust}"]
    pairs = contrast(emmeans(ours, ["visit", by], weights="equal", at="rows", df=df), "pairwise", adjust=adjust).frame
    wanted = {
        frozenset(contrast.replace("visit", "").split(" - ")): p
        for contrast, p in zip(block["contrast"], block["p.value"], strict=True)
    }
    found = {
        frozenset(contrast.replace(",", "").split(" - ")): p
        for contrast, p in zip(pairs["contrast"], pairs["p_value"], strict=True)
    }
    assert found.keys() == wanted.keys()
    for key, p in wanted.items():
        assert found[key] == pytest.approx(p, abs=P_VALUE)


@pytest.mark.parametrize("key", ["gls_us_REML", "gls_us_ML"])
def test_log_likelihood_of_gls(key):
    """nlme's gls stops short of the optimum, so it may only be a little below ours (`oracles/README.md`, note 10)."""
    theirs = oracle("burnout_200")["nlme"][key]
    ours = fit(MMRM("EE ~ visit * group + sex + age", method=key.rsplit("_", 1)[1].lower()), burnout_200())
    assert 0 <= ours.loglik - theirs["logLik"] < 1e-4


FIXED = "EE ~ visit * group + sex + age"
OTHERS = [
    ("nlme", "gls_car1_REML", MMRM(FIXED, covariance="sp_exp"), 1e-8),
    ("nlme", "gls_exp_REML", MMRM(FIXED, covariance="sp_exp"), 1e-8),
    ("nlme", "lme_ri_REML", LMM(FIXED + " + (1 | subject)"), 1e-8),
    ("nlme", "lme_ris_REML", LMM(FIXED + " + (years | subject)"), 1e-8),
    ("glmmTMB", "ri_REML", LMM(FIXED + " + (1 | subject)"), 1e-8),
    ("glmmTMB", "us_REML", MMRM(FIXED), 1e-3),  # with dispformula = ~0 glmmTMB keeps a little residual variance
]


@pytest.mark.parametrize(("package", "key", "spec", "below"), OTHERS, ids=[f"{case[0]}-{case[1]}" for case in OTHERS])
def test_other_packages_reach_the_same_likelihood_and_no_higher_one(package, key, spec, below):
    theirs = oracle("burnout_200")[package][key]["logLik"]
    ours = fit(spec, burnout_200()).loglik
    assert -1e-8 <= ours - theirs <= below


def test_kenward_roger_with_expected_information_is_that_of_pbkrtest():
    """A random intercept with positive variance is compound symmetry; lme4's optimum is good to about nine digits."""
    theirs = oracle("burnout_200")["lmer"]["ri_REML"]
    ours = fit(MMRM("EE ~ visit * group + sex + age", covariance="cs"), burnout_200())
    close(ours.loglik, theirs["logLik"], LOGLIK)
    close(ours.covariance.iloc[0, 1], theirs["varcorr"]["id"]["matrix"][0][0], ESTIMATE)
    table = theirs["coefficients_kr"]
    frame = summarize(ours, df="kenward-roger-expected").frame.set_index("term").loc[renamed(table["term"])]
    close(frame["estimate"], table["Estimate"], ESTIMATE)
    close(frame["std_error"], table["Std. Error"], ESTIMATE)
    close(frame["df"], table["df"], DF)
    block = theirs["anova_type3_kr"]
    L = np.eye(len(ours.coef))[list(ours.design.encoder.slices["visit:group"])]
    joint = joint_test(ours, L, df="kenward-roger-expected").frame.iloc[0]
    close(joint["statistic"], block["F value"][-1], ESTIMATE)
    close(joint["df"], block["DenDF"][-1], DF)


def test_satterthwaite_is_that_of_lmer():
    """lmerTest takes the observed information as we do."""
    theirs = oracle("burnout_200")["lmer"]["ri_REML"]["coefficients_satterthwaite"]
    ours = fit(MMRM("EE ~ visit * group + sex + age", covariance="cs"), burnout_200())
    frame = summarize(ours, df="satterthwaite").frame.set_index("term").loc[renamed(theirs["term"])]
    close(frame["df"], theirs["df"], DF)


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("key", ["REML_Satterthwaite", "REML_KRlinear"])
def test_a_covariance_for_each_group(name, key):
    make, formula, by = DATA[name]
    theirs = oracle(name)["mmrm"][f"us_grouped_{key}"]
    ours = fit(MMRM(formula, covariance_by=by), make())
    close(ours.loglik, theirs["logLik"], LOGLIK)
    assert ours.n_parameters == theirs["n_theta"]
    table = theirs["coefficients"]
    frame = summarize(ours, df=METHODS[key]).frame.set_index("term").loc[renamed(table["term"])]
    close(frame["estimate"], table["Estimate"], ESTIMATE)
    close(frame["std_error"], table["Std. Error"], ESTIMATE)
    close(frame["df"], table["df"], DF)
    for level, sigma in theirs["varcor"].items():
        close(ours.covariance.loc[level], sigma["matrix"], ESTIMATE)
