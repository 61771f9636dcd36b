"""Change scores, growth curves, mediation through change and invariance over visits against R's lavaan
(`r/growth_models.R`, `.json`): estimates, standard errors from the observed information, log-likelihood and fit, on
complete cases and with everybody by full-information maximum likelihood.
"""

from __future__ import annotations

import json
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tolerances import LAVAAN, LAVAAN_FIT

from burnout_stats.cohort import read_cohort
from burnout_stats.pathways import change_scores, growth, growth_shapes, invariance, mediation
from burnout_stats.pathways._change_score import change_model
from burnout_stats.pathways._fitting import chosen, fitted
from burnout_stats.pathways._growth_curve import curve_of
from burnout_stats.pathways._invariance import LEVELS, measurement_model
from burnout_stats.pathways._mediation import _start, _template

HERE = Path(__file__).parent
THEIRS = json.loads((HERE / "r" / "growth_models.json").read_text(encoding="utf-8"))
VISITS = {"baseline": 0.0, "1 year": 1.0, "3 years": 3.0}
ITEMS = ["item1", "item2", "item3", "item4"]
HOW = ("complete", "fiml")
E, J = "exhaustion", "job_stress"
ERRORS = {E: 0.1, J: 0.04}


@cache
def cohort(how="fiml", names=(E,), visits=tuple(VISITS)):
    """Everybody, or those with all scores named at all visits named."""
    long = pd.read_csv(HERE / "r" / "data" / "growth_models.csv")
    if how == "complete":
        asked = long[long["visit"].isin(visits)]
        whole = asked[list(names)].notna().all(axis=1).groupby(asked["id"]).all()
        long = long[long["id"].isin(whole.index[whole])]
    return read_cohort(
        long,
        subject="id",
        visit="visit",
        times=VISITS,
        outcomes=[E, J],
        covariates={name: {} for name in ("coping", *ITEMS)},
    )


def agrees(fit, model, how, names):
    """Estimates and standard errors by label, log-likelihood and fit."""
    theirs = THEIRS[model][how]
    ours = dict(zip(fit.labels, zip(fit.theta, np.sqrt(np.diag(fit.vcov)), strict=True), strict=True))
    known = [k for k, label in enumerate(theirs["label"]) if label in names]
    assert {names[theirs["label"][k]] for k in known} == set(fit.labels)
    est, se = np.array([ours[names[theirs["label"][k]]] for k in known]).T
    reference = np.array(theirs["se"])[known]
    np.testing.assert_allclose(est, np.array(theirs["est"])[known], rtol=LAVAAN, atol=LAVAAN * reference.min())
    np.testing.assert_allclose(se, reference, rtol=LAVAAN)
    assert fit.n == theirs["n"]
    np.testing.assert_allclose(fit.loglik, theirs["fit"]["logl"], rtol=LAVAAN_FIT)
    np.testing.assert_allclose(fit.saturated_loglik, theirs["fit"]["unrestricted.logl"], rtol=LAVAAN_FIT)


def row(estimates, term, **named):
    frame = estimates.frame
    keep = frame["term"] == term
    for name, value in named.items():
        keep &= frame[name] == value
    found = frame[keep]
    assert len(found) == 1, (term, named)
    return found.iloc[0]


def same(found, theirs, label):
    at = theirs["label"].index(label)
    np.testing.assert_allclose(
        [found["estimate"], found["std_error"]], [theirs["est"][at], theirs["se"][at]], rtol=LAVAAN, err_msg=label
    )


# ---- change scores


@pytest.mark.parametrize("how", HOW)
def test_observed_change_scores_of_two_variables(how):
    wide = chosen(cohort(how, (E, J), ("baseline", "1 year")), (E, J), ("baseline", "1 year"))
    latent = {"E": f"{E}:0", "DE": f"{E}:1", "J": f"{J}:0", "DJ": f"{J}:1"}
    names = {f"m{k}": f"mean {v}" for k, v in latent.items()} | {f"v{k}": f"cov {v} {v}" for k, v in latent.items()}
    pairs = [("E", "DE"), ("E", "J"), ("E", "DJ"), ("DE", "J"), ("DE", "DJ"), ("J", "DJ")]
    names |= {f"c{a}_{b}": f"cov {latent[a]} {latent[b]}" for a, b in pairs}
    model, start = change_model(wide, "consecutive")
    agrees(fitted(wide.flat, model, start, what=""), "change_observed", how, names)


@pytest.mark.parametrize(("how", "scores"), list(product(HOW, ("observed", "latent"))))
def test_correlations_of_changes_with_a_known_error(how, scores):
    data = cohort(how, (E, J), ("baseline", "1 year"))
    found = change_scores(data, [E, J], visits=["baseline", "1 year"], error_variance=ERRORS)
    theirs = THEIRS[f"change_{scores}"][how]
    year = "1 year - baseline"
    same(row(found, f"mean change, {year}", outcome=E), theirs, "mDE")
    same(row(found, "variance, baseline", outcome=J, scores=scores), theirs, "vJ")
    same(row(found, f"variance of the change, {year}", outcome=J, scores=scores), theirs, "vDJ")
    same(row(found, f"correlation of the changes, {year}", scores=scores), theirs, "r_change")
    same(row(found, f"correlation of baseline with the change, {year}", outcome=E, scores=scores), theirs, "r_E")


@pytest.mark.parametrize("how", HOW)
def test_three_visits_with_a_known_error(how):
    found = change_scores(cohort(how), E, error_variance=0.1)
    theirs = THEIRS["change_three"][how]
    same(row(found, "mean change, 3 years - 1 year"), theirs, "m2")
    same(row(found, "variance of the change, 3 years - 1 year", scores="latent"), theirs, "v2")
    term = "correlation of the changes, 1 year - baseline with 3 years - 1 year"
    same(row(found, term, scores="latent"), theirs, "r12")


@pytest.mark.parametrize("how", HOW)
def test_changes_of_a_factor_are_those_of_the_scalar_model(how):
    found = change_scores(cohort(how, tuple(ITEMS)), E, items={E: ITEMS}, changes="vs_baseline")
    theirs = THEIRS["scalar"][how]
    est = dict(zip(theirs["label"], theirs["est"], strict=True))
    for k, visit in ((1, "1 year"), (3, "3 years")):
        changed = row(found, f"mean change, {visit} - baseline", scores="latent")["estimate"]
        np.testing.assert_allclose(changed, est[f"m{k}"] - est["m0"], rtol=LAVAAN)
        spread = row(found, f"variance of the change, {visit} - baseline", scores="latent")["estimate"]
        np.testing.assert_allclose(spread, est[f"v{k}"] + est["v0"] - 2 * est[f"c0{k}"], rtol=LAVAAN)
    assert f"chi-square {theirs['fit']['chisq']:.2f} on {theirs['fit']['df']} df" in " ".join(found.about.notes)


# ---- growth

CURVES = {
    "mI": "mean level",
    "mS": "mean change",
    "mA": "mean change",
    "mB": "mean second",
    "l": "share 1 year",
    "vI": "cov level level",
    "cIS": "cov level change",
    "cIA": "cov level change",
    "cIB": "cov level second",
    "vS": "cov change change",
    "vA": "cov change change",
    "cAB": "cov change second",
    "vB": "cov second second",
    "s": "error",
}
SHAPES = {"linear": "linear", "step": "step", "basis": "latent_basis", "piecewise": "piecewise"}


@pytest.mark.parametrize(("how", "name"), list(product(HOW, (*SHAPES, "piecewise_fixed"))))
def test_growth_curves(how, name):
    wide = chosen(cohort(how), (E,))
    known = (0.1, "") if name == "piecewise_fixed" else None
    curve = curve_of(wide, SHAPES.get(name, "piecewise"), 1, "equal", known)
    fit = fitted(wide.flat, curve.template, curve.start, what="")
    names = {label: CURVES[label] for label in THEIRS[name][how]["label"]}
    agrees(fit, name, how, names)


@pytest.mark.filterwarnings("ignore:.*N-MODEL-NEGATIVE-VARIANCE")  # a straight line through a fall that stays flat
@pytest.mark.parametrize("how", HOW)
def test_fit_of_shapes(how):
    found = growth_shapes(cohort(how), E).frame
    for theirs, ours in SHAPES.items():
        check_fit(found, ours.replace("_", " "), THEIRS[theirs][how]["fit"])
    cost = found[found["against"] == "latent basis"].set_index(["model", "measure"])
    fits = {shape: THEIRS[shape][how]["fit"] for shape in ("linear", "step", "basis")}
    for shape in ("linear", "step"):
        difference = fits[shape]["chisq"] - fits["basis"]["chisq"]
        got = cost.loc[(shape, "chi-square difference")]
        np.testing.assert_allclose(got["estimate"], difference, rtol=LAVAAN, atol=1e-5)
        assert got["df"] == 1
        fall = cost.loc[(shape, "CFI difference"), "estimate"]
        np.testing.assert_allclose(fall, fits[shape]["cfi"] - fits["basis"]["cfi"], atol=LAVAAN)


def test_share_of_the_change():
    same(row(growth(cohort(), E), "share of the change reached, 1 year"), THEIRS["basis"]["fiml"], "l")


def check_fit(frame, model, theirs):
    own = frame[(frame["model"] == model) & (frame["against"] == "")].set_index("measure")
    got = [own.loc["chi-square", name] for name in ("estimate", "df", "p_value")]
    np.testing.assert_allclose(got, [theirs[key] for key in ("chisq", "df", "pvalue")], rtol=LAVAAN, atol=1e-12)
    got = [own.loc[name, "estimate"] for name in ("CFI", "TLI", "SRMR", "AIC", "BIC")]
    np.testing.assert_allclose(got, [theirs[key] for key in ("cfi", "tli", "srmr", "aic", "bic")], rtol=LAVAAN)
    got = own.loc["RMSEA", ["estimate", "conf_low", "conf_high"]].to_numpy(dtype=float)
    expected = [theirs[key] for key in ("rmsea", "rmsea.ci.lower", "rmsea.ci.upper")]
    np.testing.assert_allclose(got, expected, rtol=LAVAAN, atol=1e-6)


# ---- mediation


@pytest.mark.parametrize("how", HOW)
def test_mediation(how):
    variables, ends = ("coping", J, E), ("baseline", "3 years")
    data = cohort(how, variables, ends)
    wide = chosen(data, variables, ends)
    model = _template()
    fit = fitted(wide.flat, model, _start(wide.flat, model), what="")
    letters = {"X": "x", "M": "m", "Y": "y"}
    names = {key: key for key in "abc"}
    for big, v in letters.items():
        names |= {f"m{big}0": f"mean {v}0", f"i{big}": f"mean d{v}"}
        names |= {f"v{big}0": f"cov {v}0 {v}0", f"v{big}": f"cov d{v} d{v}"}
        names |= {f"{v}{k}": f"{v} on {w}0" for k, w in enumerate("xmy")}
    names |= {"cXM": "cov x0 m0", "cXY": "cov x0 y0", "cMY": "cov m0 y0"}
    agrees(fit, "mediation", how, names)
    found = mediation(data, *variables, seed=1, n_resamples=100)
    same(row(found, "ab: indirect", interval="Monte Carlo"), THEIRS["mediation"][how], "indirect")
    same(row(found, "c + ab: total"), THEIRS["mediation"][how], "total")


# ---- invariance


@pytest.mark.parametrize(("how", "level"), list(product(HOW, LEVELS)))
def test_levels_of_invariance(how, level):
    wide = chosen(cohort(how, tuple(ITEMS)), ITEMS)
    held = list(LEVELS).index(level)
    times = {"0": "baseline", "1": "1 year", "3": "3 years"}
    names = {}
    for letter, item in zip("abfg", ITEMS, strict=True):
        for what, full, least in (("l", "loading", 1), ("k", "intercept", 2), ("r", "residual", 3)):
            if held >= least:
                names[f"{what}{letter}"] = f"{full} {item}"
            else:
                names |= {f"{what}{letter}{t}": f"{full} {item}@{visit}" for t, visit in times.items()}
        for a, b in ("01", "03", "13"):
            names[f"q{letter}{a}{b}"] = f"residual {item}@{times[a]} {item}@{times[b]}"
    names |= {f"m{t}": f"mean factor@{visit}" for t, visit in times.items()}
    names |= {f"v{t}": f"cov factor@{visit} factor@{visit}" for t, visit in times.items()}
    names |= {f"c{a}{b}": f"cov factor@{times[a]} factor@{times[b]}" for a, b in ("01", "03", "13")}
    model, start = measurement_model(wide, level)
    agrees(fitted(wide.flat, model, start, what=""), level, how, names)


@pytest.mark.parametrize("how", HOW)
def test_fit_of_levels(how):
    found = invariance(cohort(how, tuple(ITEMS)), ITEMS, levels=list(LEVELS)).frame
    for level in LEVELS:
        check_fit(found, level, THEIRS[level][how]["fit"])
    cost = found[found["measure"] == "CFI difference"].set_index("model")
    expected = THEIRS["strict"][how]["fit"]["cfi"] - THEIRS["scalar"][how]["fit"]["cfi"]
    np.testing.assert_allclose(cost.loc["strict", "estimate"], expected, atol=LAVAAN)
