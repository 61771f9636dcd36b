"""Probabilities and odds ratios of a logistic mixed model against emmeans on lme4, and averages against integrate()."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import burnout_stats as bs
from burnout_stats.models import fit
from burnout_stats.models.generalized import GLMM
from tests.tolerances import NUMERICAL_HESSIAN, WITHOUT_GRADIENT

HERE = Path(__file__).parent / "scales"  # scales.R, leave.csv, scales.json, session.txt


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    found = json.loads((HERE / "scales.json").read_text("utf-8"))
    return {name: np.array(values) for name, values in found.items()}


def test_scales_against_emmeans_and_integrate(expected: dict[str, np.ndarray]) -> None:
    fitted = fit(GLMM("sick_leave ~ visit * sex + (1 | subject)"), bs.example("villa_sana"))
    response = bs.emmeans(fitted, "visit", by="sex", scale="response").frame
    np.testing.assert_allclose(response["estimate"], expected["probability"], rtol=WITHOUT_GRADIENT)
    np.testing.assert_allclose(response["std_error"], expected["probability_se"], rtol=NUMERICAL_HESSIAN)
    odds = bs.contrast(bs.emmeans(fitted, "visit", by="sex"), measure="ratio").frame
    np.testing.assert_allclose(odds["estimate"], expected["odds_ratio"], rtol=WITHOUT_GRADIENT)
    np.testing.assert_allclose(odds["std_error"], expected["odds_ratio_se"], rtol=NUMERICAL_HESSIAN)
    marginal = bs.emmeans(fitted, "visit", by="sex", scale="marginal").frame
    np.testing.assert_allclose(marginal["estimate"], expected["marginal"], rtol=WITHOUT_GRADIENT)
