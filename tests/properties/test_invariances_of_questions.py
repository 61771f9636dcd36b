"""What holds for every question, whatever the data: term tests do not see the coding, contrasts sum to zero, and an
adjustment lies between no adjustment and Bonferroni's.
"""

from __future__ import annotations

import numpy as np
import pytest
from cohorts import cohort_of, scores
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import IDENTITY

from burnout_stats.design.coding import CODINGS
from burnout_stats.engine.multiplicity import ADJUSTMENTS, Family
from burnout_stats.inference import contrast, emmeans, slopes, term_tests
from burnout_stats.inference.contrasts import METHODS
from burnout_stats.models import MMRM, fit

FORMULAS = [
    "score ~ visit * sex + age",
    "score ~ visit * sex * age",
    "score ~ visit + visit:sex",
    "score ~ 0 + visit + sex:age",
]


@pytest.fixture(scope="module")
def cohort():
    return cohort_of(scores(60, seed=4, seen=0.7))


def coded(formula, coding):
    """The formula with another coding of both factors."""
    response, _, rest = formula.partition("~")
    for name in ("visit", "sex"):
        rest = rest.replace(name, f'coded({name}, "{coding}")')
    return f"{response}~{rest}"


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("kind", [2, 3])
@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger"])
def test_term_tests_do_not_depend_on_the_coding(cohort, formula, kind, df):
    plain = term_tests(fit(MMRM(formula), cohort), kind, df=df).frame
    assert np.isfinite(plain["statistic"]).all()
    for coding in CODINGS:
        other = term_tests(fit(MMRM(coded(formula, coding)), cohort), kind, df=df).frame
        for column in ("statistic", "num_df", "df", "p_value"):
            np.testing.assert_allclose(other[column], plain[column], rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("kind", [2, 3])
def test_term_tests_do_not_depend_on_the_reference_level(kind):
    frame = scores(60, seed=4, seen=0.7)
    one, two = (
        term_tests(
            fit(MMRM("score ~ visit * sex + age"), cohort_of(frame, covariates={"sex": {"levels": levels}, "age": {}})),
            kind,
        ).frame
        for levels in (["F", "M"], ["M", "F"])
    )
    np.testing.assert_allclose(one["statistic"], two["statistic"], rtol=1e-7)


def test_terms_without_anything_above_them_are_the_same_in_both_types(cohort):
    fitted = fit(MMRM("score ~ visit * sex + age"), cohort)
    two, three = (term_tests(fitted, kind).frame.set_index("term") for kind in (2, 3))
    for term in ("age", "visit:sex"):
        np.testing.assert_allclose(two.loc[term, "statistic"], three.loc[term, "statistic"], rtol=IDENTITY)
    assert abs(two.loc["sex", "statistic"] / three.loc["sex", "statistic"] - 1) > 1e-4


def test_both_types_agree_where_the_cells_are_balanced():
    frame = scores(40, seed=2)
    frame["sex"] = np.where(frame["id"].str[1:].astype(int) % 2, "F", "M")
    fitted = fit(MMRM("score ~ visit * sex"), cohort_of(frame))
    two, three = (term_tests(fitted, kind).frame for kind in (2, 3))
    np.testing.assert_allclose(two["statistic"], three["statistic"], rtol=IDENTITY)


@pytest.mark.parametrize("method", METHODS)
def test_contrasts_compare_and_nothing_more(cohort, method):
    """A constant added to the outcome, or to every mean, changes no contrast."""
    fitted = fit(MMRM("score ~ visit * sex + age"), cohort)
    rows = contrast(emmeans(fitted, "visit", by="sex"), method)
    u = np.zeros(len(fitted.coef))
    u[0] = 1.0
    np.testing.assert_allclose(rows.L @ u, 0, atol=1e-12)


@settings(max_examples=40)
@given(
    st.lists(st.floats(-4, 4), min_size=2, max_size=5),
    st.floats(2, 200),
    st.integers(0, 2**32 - 1),
)
def test_adjusted_p_values_lie_between_none_and_bonferroni(statistic, df, seed):
    t = np.array(statistic)
    R = np.corrcoef(np.random.default_rng(seed).normal(size=(len(t), len(t) + 3)))
    tests = Family(t, np.full(len(t), df), R, len(t) + 1)
    alone, most = tests.p_values, ADJUSTMENTS["bonferroni"].p_values(tests)
    for name in ("sidak", "holm", "fdr", "mvt"):
        p = ADJUSTMENTS[name].p_values(tests)
        assert (p >= alone - 1e-12).all(), name
        assert (p <= most + 1e-12).all(), name
    assert (ADJUSTMENTS["tukey"].p_values(tests) >= alone - 1e-9).all()
    for name in ("sidak", "mvt"):
        wide = ADJUSTMENTS[name].critical(tests, 0.95)
        assert (wide >= ADJUSTMENTS["none"].critical(tests, 0.95) - 1e-9).all()
        assert (wide <= ADJUSTMENTS["bonferroni"].critical(tests, 0.95) + 1e-9).all()


@pytest.mark.parametrize("adjust", ["bonferroni", "sidak", "tukey", "mvt"])
def test_simultaneous_intervals_and_p_values_say_the_same(cohort, adjust):
    fitted = fit(MMRM("score ~ visit * sex + age"), cohort)
    means = emmeans(fitted, ["visit", "sex"])
    for level in (0.8, 0.95):
        frame = contrast(means, "pairwise", adjust=adjust, conf_level=level).frame
        excluded = (frame["conf_low"] > 0) | (frame["conf_high"] < 0)
        np.testing.assert_array_equal(excluded, frame["p_value"] < 1 - level)


def test_a_slope_is_the_difference_of_means_one_unit_apart(cohort):
    fitted = fit(MMRM("score ~ visit * age + sex"), cohort)
    by_hand = contrast(emmeans(fitted, "age", by="visit", at={"age": [40, 41]})).frame
    slope = slopes(fitted, "age", by="visit").frame
    for column in ("estimate", "std_error", "df", "p_value"):
        np.testing.assert_allclose(slope[column], by_hand[column], rtol=1e-7)
