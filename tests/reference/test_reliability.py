"""Reliability against psych, factanal, lavaan (`r/reliability.R`, `r/reliability_session.txt`) and pingouin."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pingouin
import pytest
from tolerances import IDENTITY, ONE_FACTOR

from burnout_stats import describe
from burnout_stats.engine import reliability as engine
from burnout_stats.estimates import Sample

R = json.loads((Path(__file__).parent / "r" / "reliability.json").read_text(encoding="utf-8"))
ITEMS = np.array(R["items"], dtype=float)
JUDGES = np.array(R["judges"], dtype=float)
TABLES = {"icc_items": ITEMS, "icc_judges": JUDGES, "icc_pair": ITEMS[:, [0, 4]]}


def estimates():
    frame = pd.DataFrame(ITEMS, columns=[f"i{place}" for place in range(1, 7)])
    return describe.reliability(frame, list(frame)).frame.set_index("term")


def test_alpha_and_its_limits_are_those_of_psych():
    row = estimates().loc["alpha"]
    np.testing.assert_allclose(row["estimate"], R["alpha"], rtol=IDENTITY)
    np.testing.assert_allclose([row["conf_low"], row["conf_high"]], R["feldt"], rtol=IDENTITY)
    assert row["n"] == 150


def test_alpha_and_its_limits_are_those_of_pingouin():
    frame = pd.DataFrame(ITEMS)
    alpha, limits = pingouin.cronbach_alpha(frame, ci=0.9)
    found = describe.reliability(frame.rename(columns=str), list("012345"), conf_level=0.9).frame.iloc[0]
    assert found["estimate"] == pytest.approx(alpha, rel=IDENTITY)
    np.testing.assert_allclose([found["conf_low"], found["conf_high"]], limits, atol=5e-4)  # it rounds to three digits


def test_items_against_the_rest_are_those_of_psych():
    np.testing.assert_allclose(engine.item_rest(np.cov(ITEMS.T)), R["item_rest"], rtol=IDENTITY)


def test_omega_is_that_of_psych_factanal_and_lavaan_with_lavaans_standard_error():
    row = estimates().loc["omega"]
    for reference in (R["omega_psych"], R["omega_factanal"], R["lavaan"]["omega"]):
        np.testing.assert_allclose(row["estimate"], reference, rtol=ONE_FACTOR)
    np.testing.assert_allclose(row["std_error"], R["lavaan"]["se"], rtol=ONE_FACTOR)
    omega, se = R["lavaan"]["omega"], R["lavaan"]["se"]
    half = 1.959963984540054 * se / (omega * (1 - omega))
    limits = [1 / (1 + (1 - omega) / omega * np.exp(sign * half)) for sign in (1, -1)]  # of the logit, by hand
    np.testing.assert_allclose([row["conf_low"], row["conf_high"]], limits, rtol=ONE_FACTOR)


def test_the_factor_model_is_lavaans():
    fit = engine.one_factor(np.cov(ITEMS.T), 150)
    np.testing.assert_allclose(fit.loadings, R["lavaan"]["loadings"], rtol=ONE_FACTOR)
    np.testing.assert_allclose(fit.uniquenesses, R["lavaan"]["uniquenesses"], rtol=ONE_FACTOR)
    np.testing.assert_allclose(149 * fit.discrepancy, R["lavaan"]["chisq"], rtol=ONE_FACTOR)
    assert fit.converged
    assert not fit.is_improper


@pytest.mark.parametrize("name", TABLES)
def test_every_intraclass_correlation_is_that_of_psych(name):
    squares = engine.squares(TABLES[name])
    for place, form in enumerate(engine.ICC_FORMS):
        found = engine.icc(form, squares)
        expected = [R[name][key][place] for key in ("icc", "lower", "upper")]
        np.testing.assert_allclose([found.estimate, found.conf_low, found.conf_high], expected, rtol=IDENTITY)


def test_the_six_numbers_of_shrout_and_fleiss():
    squares = engine.squares(JUDGES)
    found = [round(engine.icc(form, squares).estimate, 2) for form in engine.ICC_FORMS]
    assert found == [0.17, 0.29, 0.71, 0.44, 0.62, 0.91]  # Shrout & Fleiss 1979, table 4


def test_intraclass_correlations_are_those_of_pingouin():
    long = pd.DataFrame(JUDGES).melt(ignore_index=False).reset_index()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own use of pandas
        expected = pingouin.intraclass_corr(long, targets="index", raters="variable", ratings="value")["ICC"]
    squares = engine.squares(JUDGES)
    np.testing.assert_allclose(
        [engine.icc(form, squares).estimate for form in engine.ICC_FORMS], expected, rtol=IDENTITY
    )


def test_two_administrations_are_those_of_r_from_summaries_too():
    pair = TABLES["icc_pair"]
    r = float(np.corrcoef(pair.T)[0, 1])
    first, second = (Sample(float(x.mean()), float(x.std(ddof=1)), 150) for x in pair.T)
    found = describe.test_retest_from_summaries(first=first, second=second, correlation=r, nothing_between=True)
    rows = found.frame.set_index("term")
    numbers = rows[["estimate", "conf_low", "conf_high"]]
    np.testing.assert_allclose(numbers.loc["r"], [R["r"][key] for key in ("estimate", "lower", "upper")], rtol=IDENTITY)
    for form, place in (("ICC(A,1)", 1), ("ICC(C,1)", 2)):
        expected = [R["icc_pair"][key][place] for key in ("icc", "lower", "upper")]
        np.testing.assert_allclose(numbers.loc[form], expected, rtol=IDENTITY)
