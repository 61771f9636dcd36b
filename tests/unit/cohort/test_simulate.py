"""A synthetic cohort: margins on their grids, groups, dropout at random, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import betabinom

from burnout_stats.cohort.margins import margin_probabilities
from burnout_stats.cohort.parameters import Dropout, Factor, Grid, Margin, Parameters, Pattern, Term, Variable
from burnout_stats.cohort.roles import Covariate, Outcome, Visits
from burnout_stats.cohort.simulate import latent_scores, pattern_probabilities, simulate
from burnout_stats.errors import StudyError

VISITS = Visits.of({"baseline": 0, "1 year": 1})
SCORE = Variable(
    Outcome("score", range=(1.0, 5.0)), Grid(1, 5, 20), "beta_binomial", (Margin(3.0, 0.9), Margin(2.5, 0.8))
)
AGE = Variable(Covariate("age"), Grid(20, 80, 60, 0), "normal", (Margin(47.0, 9.0),))
WEEKS = Variable(Covariate("weeks"), Grid(0, 52, 52, 0), "hurdle", (Margin(4.4, 7.9, 0.5), Margin(3.2, 9.8, 0.85)))
LEAVE = Variable(
    Covariate("leave", levels=("no", "yes")), Grid(0, 1, 1, 0), "binary", (Margin(0.6), Margin(0.3)), requires="weeks"
)
SEX = Factor(Covariate("sex", levels=("F", "M")), (0.5, 0.5))
DROPOUT = Dropout(
    (Term("sex", level="M"), Term("score", center=3.0), Term("score", center=3.0, power=2)),
    (Pattern((True, True)), Pattern((True, False), -1.0, (0.7, 0.4, -0.1))),
)


def made(*variables: Variable, dropout: Dropout = DROPOUT, **changes: object) -> Parameters:
    variables = variables or (SCORE, AGE, WEEKS, LEAVE)
    size = sum(len(variable.margins) for variable in variables)
    correlation = np.full((size, size), 0.3) + 0.7 * np.eye(size)
    given = {"title": "made", "visits": VISITS, "factors": (SEX,), "variables": variables, "correlation": correlation}
    return Parameters(**(given | {"dropout": dropout} | changes))


def moments(variable: Variable, k: int) -> tuple[float, float]:
    p, values = margin_probabilities(variable, variable.margins[k]), variable.grid.values
    mean = float(p @ values)
    return mean, float(np.sqrt(p @ (values - mean) ** 2))


@pytest.mark.parametrize("variable", [SCORE, WEEKS])
def test_margins_have_exactly_the_mean_and_sd_that_were_asked_for(variable):
    for k, margin in enumerate(variable.margins):
        assert moments(variable, k) == pytest.approx((margin.mean, margin.sd), abs=1e-10)


def test_the_scale_margin_is_the_beta_binomial():
    p = margin_probabilities(SCORE, SCORE.margins[0])
    share, variance = 0.5, (0.9 / 0.2) ** 2
    rho = (variance / (20 * share * (1 - share)) - 1) / 19
    a = share * (1 - rho) / rho
    np.testing.assert_allclose(p, betabinom.pmf(np.arange(21), 20, a, a), rtol=1e-10)


def test_the_rounded_normal_adds_the_variance_of_rounding():
    assert moments(AGE, 0) == pytest.approx((47.0, np.sqrt(81 + 1 / 12)), abs=0.02)


def test_the_hurdle_leaves_its_share_of_zeros():
    assert margin_probabilities(WEEKS, WEEKS.margins[1])[0] == pytest.approx(0.85, abs=1e-12)


@pytest.mark.parametrize(
    ("variable", "margin"),
    [
        (SCORE, Margin(0.9, 0.5)),  # outside the range
        (SCORE, Margin(3.0, 0.1)),  # narrower than a binomial
        (SCORE, Margin(3.0, 2.5)),  # wider than both ends
        (AGE, Margin(47.0, 0.0)),
        (WEEKS, Margin(4.4, 7.9, 0.0)),
        (LEAVE, Margin(1.0)),
        (replace(SCORE, family="gamma"), Margin(3.0, 0.9)),
    ],
)
@pytest.mark.raises_code("E-STUDY-MARGIN")
def test_impossible_margins_are_refused(variable, margin):
    with pytest.raises(StudyError, match="E-STUDY-MARGIN"):
        margin_probabilities(variable, margin)


@pytest.mark.raises_code("E-STUDY-MARGIN")
def test_a_variable_has_one_margin_or_one_for_each_visit():
    three = replace(SCORE, margins=(*SCORE.margins, Margin(2.4, 0.8)))
    with pytest.raises(StudyError, match="has 3 margins"):
        made(three)


def test_scores_rise_with_their_latent_normal_and_stay_on_the_grid():
    z = np.linspace(-6, 6, 4001)[:, None] * np.ones(7)
    scores = latent_scores(made(), z)
    for variable in (SCORE, AGE, WEEKS):
        reported = scores[variable.name]
        assert (np.diff(reported, axis=0) >= 0).all()
        assert set(np.unique(reported)) <= set(variable.grid.values)
        assert {reported.min(), reported.max()} <= {variable.grid.lowest, variable.grid.highest}


def test_a_variable_is_zero_where_the_one_it_requires_is():
    data = simulate(made(), n=2000, seed=1).data
    assert (data.loc[data["leave"] == "yes", "weeks"] > 0).all()
    assert ((data["leave"] == "no") & (data["weeks"] > 0)).any()


def test_pattern_probabilities_are_the_logit_that_was_declared():
    scores = {"score": np.array([[1.0, 2.0], [3.0, 3.0], [4.2, 1.0]])}
    p = pattern_probabilities(made(SCORE), scores, {"sex": np.array([0, 1, 1])})
    x = scores["score"][:, 0] - 3.0
    np.testing.assert_allclose(p[:, 1], expit(-1.0 + 0.7 * np.array([0, 1, 1]) + 0.4 * x - 0.1 * x**2), rtol=1e-12)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)


def test_dropout_looks_at_the_first_visit_only():
    earlier = np.array([[3.0, 1.0], [3.0, 5.0]])
    p = pattern_probabilities(made(SCORE), {"score": earlier}, {"sex": 0})
    np.testing.assert_array_equal(p[0], p[1])


def test_visits_are_missed_as_often_as_declared():
    cohort = simulate(made(), n=40_000, seed=4)
    first = cohort.data[cohort.data["visit"] == "baseline"]
    p = pattern_probabilities(
        made(), {"score": first[["score"]].to_numpy()}, {"sex": first["sex"].cat.codes.to_numpy()}
    )
    missed = 1 - (cohort.data["visit"] == "1 year").sum() / 40_000
    assert missed == pytest.approx(p[:, 1].mean(), abs=4 * np.sqrt(0.25 / 40_000))


def test_a_missed_visit_has_no_row_and_every_row_is_full():
    cohort = simulate(made(), n=300, seed=2)
    assert len(cohort.data) < 600
    assert cohort.data["visit"].value_counts()["baseline"] == 300
    assert not cohort.data.isna().any(axis=None)
    assert not cohort.data.duplicated(["subject", "visit"]).any()


def test_the_frame_is_a_cohort_s():
    cohort = simulate(made(), n=20, seed=2)
    data = cohort.data
    assert list(data) == ["subject", "visit", "years", "score", "sex", "age", "weeks", "leave"]
    assert data[["subject", "years"]].apply(tuple, axis=1).is_monotonic_increasing
    assert list(data["visit"].cat.categories) == list(VISITS.labels)
    assert list(data["leave"].cat.categories) == ["no", "yes"]
    assert cohort.ids.tolist()[:2] == ["S0001", "S0002"]
    assert data.groupby("subject")["age"].nunique().eq(1).all()


def test_quotas_hold_the_shares_as_near_as_can_be():
    sexes = simulate(made(), n=101, seed=3).data.drop_duplicates("subject")["sex"].value_counts()
    assert sorted(sexes) == [50, 51]
    drawn = Factor(SEX.role, (0.9, 0.1), quota=False)
    sexes = simulate(made(factors=(drawn,)), n=5000, seed=3).data.drop_duplicates("subject")["sex"].value_counts()
    assert sexes["M"] == pytest.approx(500, abs=4 * np.sqrt(450))
    assert sexes["M"] != 500


def test_the_seed_decides_and_nothing_else():
    once, again, other = (simulate(made(), n=50, seed=seed).data for seed in (5, 5, 6))
    pd.testing.assert_frame_equal(once, again)
    assert not once.equals(other)


def test_any_number_of_visits_variables_and_no_dropout():
    visits = Visits.of({str(k): k for k in range(5)})
    score = replace(SCORE, margins=tuple(Margin(3.0 - k / 10, 0.9) for k in range(5)))
    made_of_one = made(score, dropout=Dropout(), visits=visits, factors=())
    cohort = simulate(made_of_one, n=30_000, seed=1)
    wide = cohort.data.pivot(index="subject", columns="visit", values="score").to_numpy()
    assert wide.shape == (30_000, 5)
    np.testing.assert_allclose(wide.mean(axis=0), [3.0, 2.9, 2.8, 2.7, 2.6], atol=4 * 0.9 / np.sqrt(30_000))
    np.testing.assert_allclose(np.corrcoef(wide.T)[np.triu_indices(5, 1)], 0.29, atol=0.03)


@pytest.mark.raises_code("E-STUDY-CORRELATION")
@pytest.mark.parametrize("correlation", [np.eye(3), np.array([[1, 1.2], [1.2, 1]]), np.array([[1, 0.5], [0.1, 1]])])
def test_what_is_no_correlation_matrix_is_refused(correlation):
    with pytest.raises(StudyError, match="E-STUDY-CORRELATION"):
        made(SCORE, correlation=correlation)


@pytest.mark.raises_code("E-STUDY-PATTERN")
@pytest.mark.parametrize("pattern", [Pattern((False, True)), Pattern((True,)), Pattern((True, False), 0.0, (1.0,))])
def test_patterns_fit_the_visits_and_see_the_first(pattern):
    with pytest.raises(StudyError, match="E-STUDY-PATTERN"):
        made(dropout=replace(DROPOUT, patterns=(DROPOUT.patterns[0], pattern)))


@pytest.mark.raises_code("E-STUDY-COLUMN")
def test_unknown_names_are_refused_with_the_nearest_one():
    with pytest.raises(StudyError, match="Did you mean `score`"):
        made(dropout=Dropout((Term("scores"),), (Pattern((True, True)),)))


@pytest.mark.raises_code("E-STUDY-SIZE")
@pytest.mark.parametrize(("n", "seed"), [(0, 1), (-5, 1), (10, -1)])
def test_impossible_sizes_and_seeds_are_refused(n, seed):
    with pytest.raises(StudyError, match="E-STUDY-SIZE"):
        simulate(made(), n=n, seed=seed)
