"""Rubin's rules and D1 against mice and mitml on given inputs (`r/pooling.R`, `r/pooling_session.txt`)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tolerances import IDENTITY

from burnout_stats.engine.pooling import barnard_rubin, d1_test, missing_information, rubin

R = json.loads((Path(__file__).parent / "r" / "pooling.json").read_text(encoding="utf-8"))
FLOOR = 1e-4
"""Below this, mice raises lambda to it before it finds the degrees of freedom; here lambda stays what it is."""


def complete_df(case) -> float:
    return np.inf if case["df_complete"] is None else case["df_complete"]


@pytest.mark.parametrize("case", R["scalars"], ids=lambda case: f"m={len(case['Q'])}")
def test_a_pooled_scalar_is_that_of_mice(case):
    pooled = rubin(np.array(case["Q"])[:, None], np.array(case["U"])[:, None, None])
    found = [pooled.estimate, pooled.within, pooled.between, pooled.total, pooled.increase, pooled.share]
    theirs = [case[name] for name in ("qbar", "ubar", "b", "t", "r", "lambda")]
    np.testing.assert_allclose([x.item() for x in found], theirs, rtol=IDENTITY)
    complete = np.array([complete_df(case)])
    df = barnard_rubin(pooled.m, np.maximum(pooled.share, FLOOR), complete)
    np.testing.assert_allclose(df.item(), case["df"], rtol=IDENTITY)
    np.testing.assert_allclose(missing_information(pooled.increase, df).item(), case["fmi"], rtol=IDENTITY)


def test_below_the_floor_of_mice_the_degrees_of_freedom_are_our_own():
    """They go to ν_com (ν_com + 1)/(ν_com + 3) with λ; mice's stop a little below, by λ as large as its floor."""
    (case,) = [case for case in R["scalars"] if case["lambda"] < FLOOR]
    df = barnard_rubin(len(case["Q"]), np.array([case["lambda"]]), np.array([case["df_complete"]])).item()
    limit = case["df_complete"] * (case["df_complete"] + 1) / (case["df_complete"] + 3)
    assert case["df"] < df < limit
    assert limit - df < 1e-4 * limit


@pytest.mark.parametrize("case", R["jointly"], ids=lambda case: f"m={len(case['Q'])}, k={len(case['Q'][0])}")
def test_d1_is_that_of_mitml(case):
    F, num_df, df = d1_test(rubin(np.array(case["Q"]), np.array(case["U"])), complete_df(case))
    np.testing.assert_allclose([F, num_df, df], [case[name] for name in ("F", "num_df", "df")], rtol=IDENTITY)


def test_pooled_fits_and_their_d1_are_those_of_mice():
    fits = R["fits"]
    Q, U = np.array(fits["Q"]), np.array(fits["U"])
    pooled = rubin(Q, U)
    np.testing.assert_allclose(pooled.estimate, fits["estimate"], rtol=IDENTITY)
    np.testing.assert_allclose(np.sqrt(np.diagonal(pooled.total)), fits["std_error"], rtol=IDENTITY)
    df = barnard_rubin(pooled.m, pooled.share, np.full(5, float(fits["df_complete"])))
    np.testing.assert_allclose(df, fits["df"], rtol=IDENTITY)
    tested = np.array(fits["tested"]) - 1
    F, num_df, df_of_test = d1_test(rubin(Q[:, tested], U[:, tested][:, :, tested]), fits["df_complete"])
    np.testing.assert_allclose([F, num_df, df_of_test], [fits["F"], fits["num_df"], fits["test_df"]], rtol=IDENTITY)


@pytest.mark.parametrize("df_complete", [8.0, 20.0, 60.0])
def test_where_reiters_expansion_fails_d1_still_has_degrees_of_freedom(df_complete):
    """mitml gives -210 for the second of them; ours fall with the spread between imputations, and stay positive."""
    found = []
    for between in (0.1, 5.0, 20.0):
        pooled = rubin(np.ones((10, 2)), np.broadcast_to(np.eye(2), (10, 2, 2)))
        pooled = replace(pooled, between=between * np.eye(2), total=(1 + 1.1 * between) * np.eye(2))
        found.append(d1_test(pooled, df_complete)[2])
    assert df_complete > found[0] > found[1] > found[2] > 0
