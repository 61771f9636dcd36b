"""Panels in continuous time against lavaan: waves at 0, 1, (2 unseen) and 3 years, and at equal steps.

Script, session and output stand in `r/continuous_time.*`, the data in `r/data/continuous_time.csv`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from tolerances import LAVAAN, LAVAAN_FIT

from burnout_stats.engine.continuous_time import ContinuousTime, Jacobian
from burnout_stats.engine.drift_search import search, starts
from burnout_stats.engine.structural import fit_structural

HERE = Path(__file__).parent / "r"
R = json.loads((HERE / "continuous_time.json").read_text(encoding="utf-8"))
GAP, STEPS = (0.0, 1.0, 3.0), (0.0, 1.0, 2.0)
CASES = {
    "gap_traits": (ContinuousTime(GAP, 2), slice(None)),
    "gap_traits_complete": (ContinuousTime(GAP, 2), slice(None)),
    "gap_traits_shift": (ContinuousTime(GAP, 2, has_shift=True), slice(None)),
    "gap": (ContinuousTime(GAP, 2, has_traits=False), slice(None)),
    "steps": (ContinuousTime(STEPS, 2, has_traits=False), slice(None)),
    "steps_traits": (ContinuousTime(STEPS, 2), slice(None)),
    "one_traits": (ContinuousTime(GAP, 1), slice(1, None, 2)),
    "one": (ContinuousTime(GAP, 1, has_traits=False), slice(1, None, 2)),
}


@cache
def fit_of(name):
    panel, columns = CASES[name]
    Y = np.genfromtxt(HERE / "data" / "continuous_time.csv", delimiter=",", skip_header=1)[:, columns]
    if name.endswith("complete"):
        Y = Y[~np.isnan(Y).any(1)]
    covariance = np.ma.cov(np.ma.masked_invalid(Y), rowvar=False).data
    found = search(Y, panel, starts(panel, np.nanmean(Y, axis=0), covariance))
    assert found.is_maximum
    assert found.is_proper
    assert found.n_held == 0
    return fit_structural(Y, found.structure, start=found.theta)


@pytest.mark.parametrize("name", list(CASES))
def test_likelihood_and_fit(name):
    fit, measures = fit_of(name), R[name]["measures"]
    assert fit.loglik == pytest.approx(measures["logl"], rel=LAVAAN_FIT)
    assert fit.indices.df == measures["df"]
    assert fit.indices.chi_square == pytest.approx(measures["chisq"], rel=LAVAAN)
    for own, key in (("cfi", "cfi"), ("tli", "tli"), ("rmsea", "rmsea"), ("srmr", "srmr")):
        assert getattr(fit.indices, own) == pytest.approx(measures[key], rel=LAVAAN, abs=1e-6)


@pytest.mark.parametrize("name", list(CASES))
def test_estimates_and_standard_errors(name):
    fit, (panel, _) = fit_of(name), CASES[name]
    letters = "xy" if panel.n_processes == 2 else "y"
    half = [(i, j) for k, i in enumerate(letters) for j in letters[: k + 1]]
    eye = np.eye(len(fit.theta))
    parts = {
        "phi": (panel.lag_elements(fit.theta, 1.0), [a + b for a in letters for b in letters]),
        "psi": (panel.noise_elements(fit.theta, 1.0), [a + b for a, b in half]),
        "p0": (Jacobian(fit.theta[panel.part("P0")], eye[:, panel.part("P0")]), [a + b for a, b in half]),
    }
    if panel.has_traits:
        parts["b"] = (Jacobian(fit.theta[panel.part("B")], eye[:, panel.part("B")]), [a + b for a, b in half])
    reference = {label: (e, s) for label, e, s in zip(R[name]["label"], R[name]["est"], R[name]["se"], strict=True)}
    for part, (found, suffixes) in parts.items():
        error = np.sqrt(np.diag(found.change.T @ fit.vcov @ found.change))
        expected = np.array([reference[part + suffix] for suffix in suffixes])
        np.testing.assert_allclose(found.value, expected[:, 0], rtol=LAVAAN, atol=1e-6)
        np.testing.assert_allclose(error, expected[:, 1], rtol=LAVAAN)
