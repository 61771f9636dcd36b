"""A plan is what the exact results say: two complete visits are a paired t test, complete arms a two-sample one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from burnout_stats import power
from burnout_stats.engine import power as engine
from burnout_stats.engine.covariance import STRUCTURES, Covariance
from burnout_stats.engine.expected_information import expected_information
from burnout_stats.models.degrees_of_freedom import DF_METHODS
from burnout_stats.power._mmrm import planned
from tests import tolerances as tol

THREE = np.array([[1, 0.4, 0.29], [0.4, 1, 0.47], [0.29, 0.47, 1]])
SD = (0.94, 0.76, 0.80)


def told(found, measure):
    frame = found.frame
    return frame.loc[frame["measure"].eq(measure), "estimate"].to_numpy()


@pytest.mark.parametrize("df", ["kenward-roger", "kenward-roger-second-order", "satterthwaite"])
@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
def test_complete_visits_of_one_arm_are_a_paired_t_test(df, alternative):
    design = power.CohortDesign(
        (3.0, 2.7, 2.6), sd=SD, correlation=THREE, n=25, df=df, alternative=alternative, null=-0.1
    )
    exact = power.paired(-0.4, sd=(SD[0], SD[2]), correlation=0.29, n=25, alternative=alternative, null=-0.1)
    for measure in ("difference", "power", "half-width"):
        np.testing.assert_allclose(told(power.mmrm(design), measure), told(exact, measure), rtol=tol.IDENTITY)
    assert planned(design).df[0, 0] == pytest.approx(24, rel=tol.IDENTITY)


def test_complete_arms_that_are_compared_at_one_visit_are_a_two_sample_t_test():
    design = power.CohortDesign(
        {"control": (3.0, 2.9), "help": (3.0, 2.5)},
        sd=(0.9, 0.8),
        correlation=0.5,
        visits={"before": 0, "after": 1},
        contrasts=("after",),
        allocation={"control": 1, "help": 2},
        n=30,
    )
    exact = power.two_arms(-0.4, sd=(0.9, 0.8), correlation=0.5, analysis="post", n=30, allocation=(1, 2))
    changes = power.two_arms(-0.4, sd=(0.9, 0.8), correlation=0.5, analysis="change", n=30, allocation=(1, 2))
    for measure in ("power", "half-width"):
        np.testing.assert_allclose(told(power.mmrm(design), measure), told(exact, measure), rtol=tol.IDENTITY)
        of_change = power.mmrm(power.CohortDesign(**fields(design) | {"contrasts": ("after - before",)}))
        np.testing.assert_allclose(told(of_change, measure), told(changes, measure), rtol=tol.IDENTITY)


def fields(design):
    names = ("means", "sd", "correlation", "visits", "patterns", "n", "allocation", "df", "baseline")
    return {name: getattr(design, name) for name in names}


def test_a_common_baseline_is_an_analysis_of_covariance_in_large_samples():
    design = power.CohortDesign(
        {"control": (3.0, 2.9), "help": (3.0, 2.5)},
        sd=0.9,
        correlation=0.6,
        visits={"before": 0, "after": 1},
        n=20_000,
        baseline="common",
    )
    variance = planned(design).variance[0, 0] * design.n / 4
    assert variance == pytest.approx(
        0.81 * (1 - 0.36), rel=1e-3
    )  # both correct for what is lost in baselines by chance
    ancova = float(engine.ancova_variance(0.9, 0.6, design.n))
    assert variance == pytest.approx(ancova, rel=1e-4)


def test_those_who_are_never_seen_change_nothing_but_the_number_enrolled():
    whole = power.CohortDesign((3.0, 2.7), sd=0.9, correlation=0.5, visits={"a": 0, "b": 1}, n=50)
    half = power.CohortDesign(
        (3.0, 2.7),
        sd=0.9,
        correlation=0.5,
        visits={"a": 0, "b": 1},
        n=100,
        patterns={"11": 0.5, "00": 0.5},
        df="asymptotic",
    )
    other = power.CohortDesign(**fields(whole) | {"df": "asymptotic"})
    np.testing.assert_allclose(planned(half).variance, planned(other).variance, rtol=tol.IDENTITY)


def test_curves_go_through_the_design():
    design = power.CohortDesign(
        (3.0, 2.7, 2.6), sd=SD, correlation=THREE, n=60, patterns=power.independent_patterns((1, 0.8, 0.7))
    )
    sizes = power.curve(design, n=(30, 60, 90))
    one = sizes.frame[sizes.frame["n"].eq(60)]
    for measure in ("power", "half-width"):
        np.testing.assert_allclose(
            one.loc[one["measure"].eq(measure), "estimate"], told(power.mmrm(design), measure), rtol=tol.IDENTITY
        )
    other = power.curve(design, difference=(-0.4, 0.4, 0.0))
    points = told(other, "power")
    assert points[0] == pytest.approx(told(power.mmrm(design), "power")[0], rel=tol.IDENTITY)
    assert points[1] == pytest.approx(points[0], rel=tol.IDENTITY)
    assert points[2] == pytest.approx(0.05, abs=1e-3)  # the test keeps its level but for visits missed by chance


def test_the_level_is_kept_where_nothing_is_missed():
    for df in (3, 12.5, 200, np.inf):
        assert float(engine.t_power(0.0, df)) == pytest.approx(0.05, rel=tol.IDENTITY)
        assert float(engine.t_power(0.0, df, alternative="less", alpha=0.01)) == pytest.approx(0.01, rel=tol.IDENTITY)


def test_noninferiority_is_a_one_sided_paired_test_against_the_margin():
    found = power.noninferiority(0.3, sd=0.9, difference=-0.05, n=80)
    exact = power.paired(-0.05, sd=0.9, n=80, null=0.3, alternative="less", conf_level=0.975)
    np.testing.assert_allclose(told(found, "power"), told(exact, "power"), rtol=tol.IDENTITY)
    mirrored = power.noninferiority(0.3, sd=0.9, difference=0.05, better="higher", n=80)
    np.testing.assert_allclose(told(found, "power"), told(mirrored, "power"), rtol=tol.IDENTITY)


def test_wide_margins_leave_one_side_of_equivalence():
    found = engine.equivalence_power(0.0, 0.1, 40, -50.0, 0.25)
    assert float(found) == pytest.approx(float(engine.t_power(-2.5, 40, alternative="less")), rel=1e-7)
    normal = engine.equivalence_power(0.0, 0.1, np.inf, -0.3, 0.3)
    assert float(normal) == pytest.approx(2 * special.ndtr(3 - special.ndtri(0.95)) - 1, rel=tol.IDENTITY)


def test_numbers_by_pattern_left_to_chance_raise_the_variance_as_many_draws_say():
    design = power.CohortDesign(
        {"a": (0, 0, 0), "b": (0, 0, 0)},
        sd=SD,
        correlation=THREE,
        n=80,
        patterns=power.independent_patterns((0.95, 0.8, 0.7)),
    )
    covariance = Covariance(STRUCTURES["us"], design.years)
    rng = np.random.default_rng(20)
    draws = rng.multinomial(40, design.probabilities, size=(8_000, 2)).astype(float)
    many = expected_information(design.X, design.seen, draws, covariance, design.sigma)
    one = expected_information(design.X, design.seen, 40 * design.probabilities, covariance, design.sigma)
    variances = np.einsum("kp,rpq,kq->rk", design.L, many.Phi, design.L)[:, 0]
    at = float(np.einsum("kp,pq,kq->k", design.L, one.Phi, design.L)[0])
    raised, spread = (float(value[0]) for value in one.spread(design.L))
    assert variances.mean() / at - 1 == pytest.approx(raised / at, rel=0.15)  # third order is a tenth of second here
    assert variances.var() == pytest.approx(spread, rel=0.15)


def test_degrees_of_freedom_are_found_by_the_functions_that_fits_use():
    design = power.CohortDesign(
        (3.0, 2.7, 2.6), sd=SD, correlation=THREE, n=60, patterns=power.monotone_patterns((1, 0.8, 0.7))
    )
    known = expected_information(
        design.X,
        design.seen,
        design.n_by_arm[:, None] * design.probabilities,
        Covariance(STRUCTURES["us"], design.years),
        design.sigma,
    )
    rows = DF_METHODS["satterthwaite"].rows(known, design.L)
    np.testing.assert_allclose(planned(design).df[0], rows, rtol=tol.IDENTITY)
    counted = power.CohortDesign(**fields(design) | {"df": "between-within"})
    assert planned(counted).df[0, 0] == 60 + 48 + 42 - 60 - 2


@pytest.mark.parametrize("n", [40, 80])
def test_an_estimated_covariance_costs_what_it_costs_an_analysis_of_covariance(n):
    """Complete arms with a common baseline: the estimate is that of an analysis of covariance, whose variance is known
    exactly; Λ is its first-order part.
    """
    design = power.CohortDesign(
        {"control": (3.0, 2.9), "help": (3.0, 2.5)},
        sd=0.9,
        correlation=0.6,
        visits={"before": 0, "after": 1},
        n=n,
        baseline="common",
    )
    known = 0.81 * (1 - 0.36) * 4 / n
    exact = float(engine.ancova_variance(0.9, 0.6, n)) * 4 / n
    assert planned(design).variance[0, 0] - known == pytest.approx(exact - known, rel=4 / n)
    unadjusted = planned(power.CohortDesign(**fields(design) | {"df": "satterthwaite"}))
    below, above = known - unadjusted.estimated[0, 0], unadjusted.variance[0, 0] - known
    assert below == pytest.approx(above, rel=tol.IDENTITY)
    assert above == pytest.approx(exact - known, rel=4 / n)


def test_baselines_that_differ_by_chance_cost_one_in_n_less_4():
    """E[1/n₁ + 1/n₂ + (x̄₁ − x̄₀)²/SS] over normal baselines, by many draws."""
    x = np.random.default_rng(4).standard_normal((100_000, 20))
    first, second = x[:, :7], x[:, 7:]
    within = (first.var(1) * 7) + (second.var(1) * 13)
    factor = 1 + (first.mean(1) - second.mean(1)) ** 2 / within / (1 / 7 + 1 / 13)
    error = factor.std() / np.sqrt(len(x))
    assert abs(factor.mean() - float(engine.ancova_variance(1.0, 0.0, 20))) < 4 * error
    assert error < 1e-3
