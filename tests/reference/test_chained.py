"""Chained equations against mice (`r/chained.R`, `r/chained_session.txt`) on one data set with gaps, in which each of
the two draws its own imputations: pooled estimates agree within Monte-Carlo error.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cohorts import TIMES, cohort_of
from tolerances import IDENTITY

from burnout_stats.engine.pooling import rubin
from burnout_stats.models import MMRM
from burnout_stats.sensitivity import chained

HERE = Path(__file__).parent / "r"
R = json.loads((HERE / "chained.json").read_text(encoding="utf-8"))
NUMBERS = ["exhaustion", "job_stress", "coping"]
N = 300
ERRORS = 4.0
"""Monte-Carlo standard errors of a difference."""
WITHIN = 0.06
"""Relative, variances within imputations: that of a share of 7% moves with the share, whose Monte-Carlo error is 3%."""


@pytest.fixture(scope="module", params=["norm", "pmm"])
def both(request):
    """Ours, by column (N, n), and theirs."""
    frame = pd.read_csv(HERE / "data" / "villa_sana_gaps.csv").rename(columns={"subject": "id"})
    covariates = {"sex": {"levels": ["F", "M"]}, "age": {}, "sick_leave": {"levels": ["no", "yes"]}}
    cohort = cohort_of(frame, outcomes=NUMBERS, covariates=covariates)
    found = chained(
        MMRM("exhaustion ~ visit * sex + visit * age"),
        cohort,
        outcomes=NUMBERS[1:],
        auxiliaries=["sick_leave"],
        methods=dict.fromkeys(NUMBERS, request.param),
        n=N,
        cycles=10,
        seed=1,
    )
    columns = [
        (column.variable, list(TIMES).index(found.draws.data.skeleton.visits.labels[column.visit]))
        for column in found.draws.data.columns
    ]
    years = [0, 1, 3]
    ours = {f"{name}_{years[visit]}": found.Y[..., k] for k, (name, visit) in enumerate(columns)}
    first = cohort.frame.drop_duplicates("subject")
    known = np.column_stack([np.ones(len(first)), first["sex"] == "M", first["age"] - 47]).astype(float)
    return ours, known, R[request.param]


def agree(estimates, errors, theirs):
    """Pooled estimates, and what is within and between, of (N, k) estimates with variances."""
    ours = [rubin(q[:, None], u[:, None, None]) for q, u in zip(estimates.T, errors.T, strict=True)]
    ours_between = np.array([p.between.item() for p in ours])
    between = np.array(theirs["between"])
    apart = np.array([p.estimate.item() for p in ours]) - theirs["estimate"]
    noise = np.sqrt(ours_between / N + between / R["m"])
    assert (np.abs(apart) <= ERRORS * noise + IDENTITY).all()
    np.testing.assert_allclose([p.within.item() for p in ours], theirs["within"], rtol=WITHIN)
    drawn = between > 0
    spread = ERRORS * np.sqrt(2 / R["m"] + 2 / N)
    np.testing.assert_allclose(np.log(ours_between[drawn] / between[drawn]), 0.0, atol=spread)


def test_means_and_shares_are_those_of_mice(both):
    ours, _, theirs = both
    columns = theirs["means"]["columns"]
    whole = np.stack([ours[column] for column in columns], axis=1)  # (N, columns, n)
    agree(whole.mean(-1), whole.var(-1, ddof=1) / whole.shape[-1], theirs["means"])


def test_a_regression_of_change_is_that_of_mice(both):
    ours, known, theirs = both
    estimates, variances = [], []
    for k in range(N):
        X = np.column_stack([known, ours["coping_0"][k], ours["sick_leave_0"][k]])
        y = ours["exhaustion_3"][k] - ours["exhaustion_0"][k]
        inverse = np.linalg.inv(X.T @ X)
        beta = inverse @ X.T @ y
        estimates.append(beta)
        variances.append(np.diagonal(inverse) * ((y - X @ beta) ** 2).sum() / (len(y) - X.shape[1]))
    agree(np.stack(estimates), np.stack(variances), theirs["change"])


def test_correlations_are_those_of_mice(both):
    ours, _, theirs = both
    pairs = [("exhaustion_0", "exhaustion_3"), ("exhaustion_1", "exhaustion_3"), ("exhaustion_3", "coping_3")]
    found = np.array([[np.corrcoef(ours[a][k], ours[b][k])[0, 1] for a, b in pairs] for k in range(N)])
    between = np.array(theirs["correlations"]["between"])
    noise = np.sqrt(found.var(0, ddof=1) / N + between / R["m"])
    assert (np.abs(found.mean(0) - theirs["correlations"]["estimate"]) <= ERRORS * noise).all()
