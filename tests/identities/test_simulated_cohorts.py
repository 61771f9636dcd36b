"""A stack of simulated cohorts answers as each of them does when it is fitted by itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from tolerances import STACK_AND_SINGLE

from burnout_stats.engine import kenward_roger
from burnout_stats.engine.covariance import STRUCTURES, Covariance
from burnout_stats.engine.drawn_cohorts import sums_of_rows
from burnout_stats.engine.scoring import Status, optimize
from burnout_stats.engine.steps import theta_covariance
from burnout_stats.models import MMRM, fit
from burnout_stats.power import CohortDesign
from burnout_stats.power._batch import KINDS, METHODS, FittedCohorts, Scenario, fitted_blocks
from burnout_stats.power._draw import drawer

ONE = CohortDesign(
    (3.0, 2.5, 2.4),
    sd=(0.94, 0.76, 0.8),
    correlation=[[1, 0.4, 0.3], [0.4, 1, 0.5], [0.3, 0.5, 1]],
    patterns={"111": 0.7, "110": 0.1, "101": 0.1, "100": 0.1},
    contrasts=("1 year - baseline", "3 years", "3 years - baseline"),
    n=60,
)
TWO = replace(
    ONE,
    means={"control": (3.0, 2.9, 2.8), "help": (3.0, 2.5, 2.4)},
    patterns=ONE.patterns["all"],
    allocation={"control": 1, "help": 2},
)
MISSING = Scenario(dropout_slope=0.7)
FORMULAS = {1: "score ~ visit", 2: "score ~ visit * arm"}


def stacked(design: CohortDesign, seeds: range) -> FittedCohorts:
    """Cohorts of these seeds, drawn with rows, as one stack."""
    y, pattern, arm = zip(*(MISSING.rows(design, 1, np.random.default_rng(seed)) for seed in seeds), strict=True)
    sums = sums_of_rows(
        np.concatenate(y), np.concatenate(pattern), arm[0], patterns=design.seen, n_arms=len(design.arms)
    )
    moments = sums.moments(design.X).orthonormal()
    structure = Covariance(STRUCTURES[design.covariance], design.years)
    return FittedCohorts(design, sums, moments, optimize(moments, structure, reml=True))


@pytest.mark.parametrize("covariance", ["us", "csh", "ar1h", "toeph", "adh", "sp_exp"])
@pytest.mark.parametrize("design", [ONE, TWO], ids=["one arm", "two arms"])
def test_every_df_method_of_a_stack_is_that_of_the_single_fit(design, covariance):
    design = replace(design, covariance=covariance)
    seeds = range(3)
    many = stacked(design, seeds)
    assert (many.optimum.status == Status.VERIFIED).all()
    singles = [
        fit(
            MMRM(FORMULAS[len(design.arms)], covariance=covariance),
            drawer(design, MISSING)(np.random.default_rng(seed)),
        )
        for seed in seeds
    ]
    asked = [(df, "model") for df in METHODS]
    if covariance == "us":
        asked += [("satterthwaite", kind) for kind in KINDS if kind != "model"] + [("between-within", "cr1")]
    for df, vcov in asked:
        tests = many.tests(df, vcov)
        for r, single in enumerate(singles):
            answer = single.answer(design.L, df=df, vcov=vcov)
            np.testing.assert_allclose(tests.estimate[r], answer.estimate, rtol=STACK_AND_SINGLE)
            np.testing.assert_allclose(tests.std_error[r], np.sqrt(np.diag(answer.vcov)), rtol=STACK_AND_SINGLE)
            np.testing.assert_allclose(tests.df[r], answer.df, rtol=STACK_AND_SINGLE)


def test_the_joint_tests_of_a_stack_are_those_of_the_single_fit():
    many = stacked(TWO, range(3))
    o, W = many.optimum, theta_covariance(many.optimum.curvature.observed)
    Q = kenward_roger.weighted_Q(o.at.A, o.curvature.first, many.moments.T, W)
    adjusted = kenward_roger.adjusted_covariance(Q, o.at.Phi, o.curvature.P, W)
    F, df = kenward_roger.joint_test(many.inner[:, :2], many.estimate[:, :2], o.at.Phi, adjusted, o.curvature.P, W)
    for r in range(3):
        single = fit(MMRM(FORMULAS[2]), drawer(TWO, MISSING)(np.random.default_rng(r)))
        answer = single.answer_joint(TWO.L[:2], df="kenward-roger")
        np.testing.assert_allclose([F[r], df[r]], [answer.statistic, answer.df], rtol=STACK_AND_SINGLE)


def test_an_answer_depends_on_the_seed_only_and_not_on_how_many_follow():
    few, many = (next(fitted_blocks(ONE, Scenario(), replicates, 7, Counter())).estimate for replicates in (120, 700))
    np.testing.assert_allclose(few, many[:120], rtol=STACK_AND_SINGLE)
