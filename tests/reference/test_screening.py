"""Screening accuracy of the 5 × 7 table against epiR, pROC and psych (`r/screening.R`, session beside it), kappa with
weights against statsmodels.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa
from tolerances import CLOSED_FORM

from burnout_stats.engine.screening import accuracy, area, fourfold, kappa

R = json.loads((Path(__file__).parent / "r" / "screening.json").read_text(encoding="utf-8"))
COUNTS = np.array(
    [
        [748, 154, 34, 8, 4, 5, 2],
        [427, 805, 402, 412, 170, 137, 16],
        [9, 48, 76, 238, 207, 466, 189],
        [0, 4, 11, 37, 31, 194, 269],
        [2, 2, 0, 3, 1, 50, 243],
    ],
    dtype=float,
)
FOUR = fourfold(COUNTS, 2, 4)
OURS = {
    "se": "sensitivity",
    "sp": "specificity",
    "pv.pos": "positive predictive value",
    "pv.neg": "negative predictive value",
    "lr.pos": "positive likelihood ratio",
    "lr.neg": "negative likelihood ratio",
    "diag.ac": "agreement",
    "tp": "prevalence",
}


@pytest.mark.parametrize("theirs", OURS)
def test_accuracy_is_that_of_epir(theirs):
    estimate, _, low, high = accuracy(FOUR)[OURS[theirs]][0]
    np.testing.assert_allclose([estimate, low, high], R["accuracy"][theirs], rtol=CLOSED_FORM)


def test_area_is_delongs_of_proc():
    estimate, error, low, high = area(COUNTS[:, 4:].sum(axis=1), COUNTS[:, :4].sum(axis=1))
    np.testing.assert_allclose([low, estimate, high], R["area"], rtol=CLOSED_FORM)
    assert error == pytest.approx(R["area_se"], rel=CLOSED_FORM)


def test_kappa_is_that_of_psych():
    estimate, error, *_ = kappa(FOUR)
    assert (estimate, error) == pytest.approx(
        (R["kappa_at_cut"]["plain"], R["kappa_at_cut"]["plain_se"]), rel=CLOSED_FORM
    )
    assert kappa(COUNTS[:, :5])[0] == pytest.approx(R["kappa_linear"]["plain"], rel=CLOSED_FORM)


@pytest.mark.parametrize("weights", ["linear", "quadratic"])
def test_weighted_kappa_is_that_of_psych_with_the_error_of_statsmodels(weights):
    estimate, error, low, high = kappa(COUNTS[:, :5], weights=weights)
    assert estimate == pytest.approx(R[f"kappa_{weights}"]["weighted"], rel=CLOSED_FORM)
    theirs = cohens_kappa(COUNTS[:, :5], wt=weights)
    assert (error, low, high) == pytest.approx((theirs.std_kappa, theirs.kappa_low, theirs.kappa_upp), rel=CLOSED_FORM)
