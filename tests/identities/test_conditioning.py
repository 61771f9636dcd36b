"""Digits that squaring would lose: NIST's SmLs07, and a covariate far from zero."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from cohorts import cohort_of, scores

from burnout_stats.cohort import read_cohort
from burnout_stats.inference import joint_test, summarize
from burnout_stats.models import MMRM, fit


def smls(offset: float) -> pd.DataFrame:
    """NIST StRD one-way analysis of variance SmLs01, 04 and 07: 9 treatments x 21 replicates around offset + .4.

    Each treatment is its center c, then ten pairs c - .1, c + .1; the centers are .4, .3, .2 apart so that F = 21 on 8
    and 180.
    """
    centers = [0.4, 0.3, 0.5, 0.3, 0.5, 0.3, 0.5, 0.3, 0.5]
    rows = [
        (f"t{k}", offset + round(center + step, 1))
        for k, center in enumerate(centers)
        for step in [0.0, *[-0.1, 0.1] * 10]
    ]
    frame = pd.DataFrame(rows, columns=["treatment", "score"])
    return frame.assign(id=[f"s{k}" for k in range(len(frame))], visit="baseline")


def exact_f(frame: pd.DataFrame) -> float:
    """The F ratio of the stored doubles, in rational arithmetic."""
    groups = [[Fraction(value) for value in group] for _, group in frame.groupby("treatment")["score"]]
    means = [sum(group) / len(group) for group in groups]
    grand = sum(map(sum, groups)) / sum(map(len, groups))
    between = sum(len(g) * (m - grand) ** 2 for g, m in zip(groups, means, strict=True)) / (len(groups) - 1)
    within = sum((y - m) ** 2 for g, m in zip(groups, means, strict=True) for y in g) / (len(frame) - len(groups))
    return float(between / within)


@pytest.mark.parametrize("offset", [1.0, 1e6, 1e12], ids=["SmLs01", "SmLs04", "SmLs07"])
def test_nist_one_way(offset):
    frame = smls(offset)
    cohort = read_cohort(frame, subject="id", visit="visit", times={"baseline": 0}, outcomes=["score"])
    ours = fit(MMRM("score ~ treatment"), cohort)
    joint = joint_test(ours, np.eye(9)[1:]).frame.iloc[0]
    assert joint["statistic"] == pytest.approx(exact_f(frame), rel=1e-8)
    assert joint["statistic"] == pytest.approx(
        21.0, rel=1e-3
    )  # certified; the stored doubles of SmLs07 are themselves rounded
    assert joint["df"] == pytest.approx(180, rel=1e-8)


def test_covariate_with_a_mean_of_a_billion():
    frame = scores(60, seed=1, seen=0.8)
    near = frame.assign(score=frame["score"] + 0.5 * frame["age"])
    far = near.assign(age=near["age"] + 1e9)  # the shift itself rounds ages to 1e-7
    one, two = (
        summarize(fit(MMRM("score ~ visit * sex + age"), cohort_of(data))).frame.set_index("term")
        for data in (near, far)
    )
    assert two.loc["age", "estimate"] == pytest.approx(one.loc["age", "estimate"], rel=1e-6)
    assert two.loc["age", "df"] == pytest.approx(one.loc["age", "df"], rel=1e-6)
    assert two.loc["visit[1 year]", "std_error"] == pytest.approx(one.loc["visit[1 year]", "std_error"], rel=1e-6)
