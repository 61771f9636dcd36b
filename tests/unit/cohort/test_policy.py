"""A cohort carries its policy to everything that is made from it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from burnout_stats import describe
from burnout_stats.cohort import read_cohort
from burnout_stats.errors import StudyError
from burnout_stats.estimates import Policy
from burnout_stats.inference import emmeans
from burnout_stats.models import MMRM, fit


def read(**more):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"id": np.repeat(np.arange(40), 2), "visit": ["start", "end"] * 40, "stress": rng.normal(size=80)}
    )
    return read_cohort(
        frame, subject="id", visit="visit", times={"start": 0, "end": 1}, outcomes=["stress"], covariates=[], **more
    )


def test_a_policy_reaches_every_result():
    policy = Policy(7, zeros="hide", extremes=True)
    cohort = read(disclosure=policy)
    assert cohort.policy == policy
    assert cohort.subset(np.ones(80, dtype=bool)).policy == policy
    fitted = fit(MMRM("stress ~ visit"), cohort)
    for result in (describe.flow(cohort), describe.by_visit(cohort), emmeans(fitted, "visit")):
        assert result.about.policy == policy
        assert result.about.min_cell == 7


def test_the_threshold_alone_is_a_policy():
    assert read().policy == Policy()
    assert read(min_cell=9).policy == Policy(9)
    assert read(min_cell=9, disclosure=Policy(9, zeros="hide")).policy.zeros == "hide"


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_the_threshold_is_said_once():
    with pytest.raises(StudyError, match="`min_cell` is 9, and `disclosure` has 7"):
        read(min_cell=9, disclosure=Policy(7))


def test_hidden_zeros_are_hidden_in_notebooks():
    cohort = read(disclosure=Policy(zeros="hide"))
    assert "hidden" in str(describe.by_visit(cohort))  # that nobody is missing is a count of 0
    assert "hidden" not in str(describe.by_visit(read()))


@pytest.mark.raises_code("E-STUDY-COLUMN", "E-STUDY-VALUE")
def test_quasi_identifiers_are_checked():
    with pytest.raises(StudyError, match="`sex` is not a covariate"):
        describe.singled_out(read(), ["sex"])
    with pytest.raises(StudyError, match="no quasi-identifiers"):
        describe.singled_out(read())
