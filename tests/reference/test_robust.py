"""Robust covariances, their degrees of freedom and joint tests, and df that only count, against R's mmrm
(`oracles/*.json`, made by `make_reference.R`) and clubSandwich (`r/clubsandwich.json`, made by `r/clubsandwich.R`).
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cohorts import ORACLES, burnout_200, oracle, potthoff_roy
from scipy import special
from tolerances import DF, ESTIMATE, P_VALUE

from burnout_stats.cohort import read_cohort
from burnout_stats.models import MMRM, fit

DATA = {
    "burnout_200": (burnout_200, "EE ~ visit * group + sex + age"),
    "potthoff_roy": (potthoff_roy, "distance ~ Sex * visit"),
}
MMRM_KEYS = {
    "us_REML_BetweenWithin": ("between-within", "model"),
    "us_REML_Residual": ("residual", "cr0"),
    "us_REML_Satterthwaite_Empirical": ("satterthwaite", "cr0"),
    "us_REML_Satterthwaite_Empirical-Bias-Reduced": ("satterthwaite", "cr2-mmrm"),
    "us_REML_Satterthwaite_Empirical-Jackknife": ("satterthwaite", "cr3"),
    "us_REML_Residual_Empirical": ("residual", "cr0"),
    "us_REML_Residual_Empirical-Bias-Reduced": ("residual", "cr2-mmrm"),
    "us_REML_Residual_Empirical-Jackknife": ("residual", "cr3"),
}


CLUBSANDWICH = [*DATA, "burnout_200_clinics"]


@cache
def fitted(name):
    if name == "burnout_200_clinics":
        return fit(MMRM(DATA["burnout_200"][1], cluster="clinic"), in_clinics())
    make, formula = DATA[name]
    return fit(MMRM(formula), make())


def in_clinics():
    """`burnout_200` with the clinics of `r/clubsandwich.R`."""
    frame = pd.read_csv(ORACLES / "burnout_200.csv").drop(columns="years")
    frame["clinic"] = "clinic " + (frame["id"] % 23).astype(str)
    covariates = {
        "group": {"levels": ["control", "intervention"]},
        "sex": {"levels": ["F", "M"]},
        "age": {},
        "clinic": {},
    }
    times = {"v0": 0, "v1": 1, "v3": 3}
    return read_cohort(frame, subject="id", visit="visit", times=times, outcomes=["EE"], covariates=covariates)


@cache
def clubsandwich():
    return json.loads((Path(__file__).parent / "r" / "clubsandwich.json").read_text(encoding="utf-8"))


def positions(ours, terms):
    """Where R's terms stand among ours: same words, other spelling."""

    def key(term):
        for junk in ("(", ")", "[", "]"):
            term = term.replace(junk, "")
        return term

    names = [key(name) for name in ours.coef.index]
    return [names.index(key(term)) for term in terms]


def close(ours, theirs, tolerance):
    np.testing.assert_allclose(np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float), rtol=tolerance)


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("key", MMRM_KEYS)
def test_coefficients_of_mmrm(name, key):
    ours, theirs = fitted(name), oracle(name)["mmrm"][key]
    df, vcov = MMRM_KEYS[key]
    table = theirs["coefficients"]
    at = positions(ours, table["term"])
    answer = ours.answer(np.eye(len(ours.coef))[at], df=df, vcov=vcov)
    assert (answer.method, answer.vcov_name) == (df, vcov)
    close(np.sqrt(np.diag(answer.vcov)), table["Std. Error"], ESTIMATE)
    close(answer.df, table["df"], DF)
    reference = np.array(theirs["vcov"]["matrix"])
    scale = np.sqrt(np.outer(np.diag(reference), np.diag(reference)))
    np.testing.assert_allclose(answer.vcov / scale, reference / scale, atol=ESTIMATE)


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize(
    ("key", "vcov"),
    [
        ("us_REML_BetweenWithin", "model"),
        ("us_REML_Satterthwaite_Empirical", "cr0"),
        ("us_REML_Satterthwaite_Empirical-Jackknife", "cr3"),
    ],
)
def test_means_of_mmrm(name, key, vcov):
    """Rows of L that mix columns: emmeans with equal weights and covariates at the mean over rows."""
    ours, block = fitted(name), oracle(name)["mmrm"][key]["emm"]["emmeans"]
    by = "group" if name == "burnout_200" else "Sex"
    labels, L, _, _ = ours.grid.means(("visit", by), weights="equal", at="rows")
    at = [
        int(np.flatnonzero((labels["visit"] == str(v)) & (labels[by] == g))[0])
        for v, g in zip(block["visit"], block[by], strict=True)
    ]
    answer = ours.answer(L[at], df=MMRM_KEYS[key][0], vcov=vcov)
    close(np.sqrt(np.diag(answer.vcov)), block["SE"], ESTIMATE)
    close(answer.df, block["df"], DF)


@pytest.mark.parametrize("name", CLUBSANDWICH)
@pytest.mark.parametrize("vcov", ["cr0", "cr1", "cr2", "cr3"])
def test_clubsandwich(name, vcov):
    """gls holds mmrm's covariance of the visits and only computes σ, so that both packages see the same Σ."""
    ours, theirs = fitted(name), clubsandwich()[name]
    at = positions(ours, theirs["term"])
    close(ours.coef.iloc[at], theirs["estimate"], ESTIMATE)
    block = theirs[vcov.upper()]
    answer = ours.answer(np.eye(len(ours.coef))[at], vcov=vcov)
    assert answer.method == "satterthwaite"
    reference = np.array(block["vcov"])
    scale = np.sqrt(np.outer(np.diag(reference), np.diag(reference)))
    np.testing.assert_allclose(answer.vcov / scale, reference / scale, atol=ESTIMATE)
    close(answer.df, block["df"], ESTIMATE)


@pytest.mark.parametrize("name", CLUBSANDWICH)
@pytest.mark.parametrize("vcov", ["cr0", "cr1", "cr2", "cr3"])
def test_approximate_hotelling_tests_of_clubsandwich(name, vcov):
    ours, theirs = fitted(name), clubsandwich()[name]
    at = positions(ours, theirs["term"])
    for block in theirs[vcov.upper()]["joint"]:
        rows = [k for k, term in zip(at, theirs["term"], strict=True) if re.search(block["pattern"], term)]
        joint = ours.answer_joint(np.eye(len(ours.coef))[rows], vcov=vcov)
        assert joint.num_df == block["df_num"] == len(rows)
        close([joint.statistic, joint.df], [block["Fstat"], block["df_denom"]], ESTIMATE)
        assert special.fdtrc(joint.num_df, joint.df, joint.statistic) == pytest.approx(block["p_val"], abs=P_VALUE)
