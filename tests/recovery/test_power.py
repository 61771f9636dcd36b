"""Power by formula against power by simulation, over a grid of designs: the formula is an approximation of ours, and
this is what it is judged by.

20,000 simulated cohorts for each design leave a Monte-Carlo error of at most 0.0036; they are to agree within 4 of
them. (Below 20 persons cohorts without an answer are many, and the formula is no longer judged.)
"""

from __future__ import annotations

import numpy as np
import pytest

from burnout_stats import power
from burnout_stats.power._mmrm import planned

pytestmark = pytest.mark.slow
R = 20_000
THREE = ((1, 0.4, 0.29), (0.4, 1, 0.47), (0.29, 0.47, 1))
ONE = {"sd": (0.94, 0.76, 0.80), "correlation": THREE}
TWO = {"sd": 0.9, "correlation": 0.45}
SOME, MANY = power.independent_patterns((1, 0.82, 0.81)), power.monotone_patterns((1, 0.8, 0.6))

GRID = {
    "one arm, 20": power.CohortDesign((3, 2.7, 2.5), n=20, patterns=SOME, **ONE),
    "one arm, 40": power.CohortDesign((3, 2.8, 2.6), n=40, patterns=SOME, **ONE),
    "one arm, 40, many lost": power.CohortDesign((3, 2.8, 2.6), n=40, patterns=MANY, **ONE),
    "one arm, 227": power.CohortDesign((3, 2.9, 2.83), n=227, patterns=SOME, **ONE),
    "one arm, Satterthwaite": power.CohortDesign((3, 2.8, 2.6), n=40, patterns=MANY, df="satterthwaite", **ONE),
    "one arm, one side": power.CohortDesign((3, 2.8, 2.6), n=40, patterns=SOME, alternative="less", **ONE),
    "two arms": power.CohortDesign({"a": (3, 2.8, 2.7), "b": (3, 2.5, 2.3)}, n=80, patterns=SOME, **TWO),
    "two arms, common baseline": power.CohortDesign(
        {"a": (3, 2.8, 2.7), "b": (3, 2.5, 2.3)}, n=80, patterns=MANY, baseline="common", **TWO
    ),
    "two arms, one to two": power.CohortDesign(
        {"a": (3, 2.8, 2.7), "b": (3, 2.5, 2.3)}, n=90, patterns=MANY, allocation={"a": 1, "b": 2}, **TWO
    ),
    "compound symmetry": power.CohortDesign((3, 2.8, 2.7), n=30, patterns=MANY, covariance="cs", **TWO),
}


@pytest.mark.parametrize("name", GRID)
def test_the_formula_agrees_with_simulated_cohorts(name):
    design = GRID[name]
    found = power.simulate(design, replicates=R, seed=20_000 + len(name)).frame
    simulated = found[found["measure"].eq("power")].iloc[0]
    formula = planned(design).power()[0, 0]
    assert 0.2 < formula < 0.97
    assert abs(formula - simulated["estimate"]) < 4 * np.sqrt(formula * (1 - formula) / R)
