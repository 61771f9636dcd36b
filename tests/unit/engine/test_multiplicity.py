from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from burnout_stats.engine.multiplicity import ADJUSTMENTS, Family, t_quantile
from burnout_stats.engine.multivariate_t import largest, largest_quantile, largest_tail
from burnout_stats.engine.studentized_range import studentized_range_quantile, studentized_range_tail


def family(statistic, df, correlation=None, means=2):
    t = np.asarray(statistic, dtype=float)
    R = np.eye(len(t)) if correlation is None else correlation
    return Family(t, np.broadcast_to(np.asarray(df, dtype=float), t.shape), R, means)


@pytest.mark.parametrize("name", ["bonferroni", "holm", "sidak", "fdr"])
def test_adjustments_of_p_values_agree_with_statsmodels(name):
    from statsmodels.stats.multitest import multipletests

    tests = family([3.4, 2.1, 2.2, 1.3, 0.25], [40, 30, np.inf, 8, 5])
    method = {"fdr": "fdr_bh"}.get(name, name)
    np.testing.assert_allclose(
        ADJUSTMENTS[name].p_values(tests), multipletests(tests.p_values, method=method)[1], rtol=1e-12
    )


@pytest.mark.parametrize("k", [2, 3, 6, 15])
@pytest.mark.parametrize("df", [1, 2.7, 20, 163.3, np.inf])
def test_studentized_range_is_that_of_scipy(k, df):
    q = np.array([0.5, 2.0, 3.5, 6.0])
    np.testing.assert_allclose(
        studentized_range_tail(q, k, np.array(df)), stats.studentized_range.sf(q, k, df), atol=1e-9
    )


@pytest.mark.parametrize(("k", "df"), [(2, 9.5), (3, 20.0), (8, 3.0), (4, np.inf)])
def test_quantile_of_the_studentized_range_is_where_the_tail_is(k, df):
    q = studentized_range_quantile(0.95, k, df)
    assert float(studentized_range_tail(np.array(q), k, np.array(df))) == pytest.approx(0.05, abs=1e-10)


def test_what_has_no_df_has_no_quantile():
    assert np.isnan(studentized_range_quantile(0.95, 3, np.nan))
    assert np.isnan(largest_quantile(0.95, np.nan, 3, np.ones(5), 2))


def test_two_means_need_no_adjustment():
    tests = family([2.3], [12.0], means=2)
    for name, method in ADJUSTMENTS.items():
        assert method.p_values(tests) == pytest.approx(tests.p_values, rel=1e-7), name
        if method.critical is not None:
            assert method.critical(tests, 0.95) == pytest.approx(t_quantile(0.95, tests.df), rel=1e-7), name


def pairs(k):
    rows = [(i, j) for i in range(k) for j in range(i)]
    K = np.array([np.eye(k)[i] - np.eye(k)[j] for i, j in rows])
    return K @ K.T / 2


@pytest.mark.parametrize("k", [3, 4])
def test_multivariate_t_of_all_pairs_is_the_studentized_range(k):
    """For independent means of equal variance both are exact, and the correlations are singular."""
    tests = family(np.linspace(0.5, 3.5, k * (k - 1) // 2), 30.0, pairs(k), means=k)
    np.testing.assert_allclose(ADJUSTMENTS["mvt"].p_values(tests), ADJUSTMENTS["tukey"].p_values(tests), atol=1e-6)
    np.testing.assert_allclose(
        ADJUSTMENTS["mvt"].critical(tests, 0.95), ADJUSTMENTS["tukey"].critical(tests, 0.95), atol=1e-5
    )


def test_multivariate_t_is_that_of_scipy():
    rng = np.random.default_rng(3)
    A = rng.normal(size=(3, 5))
    R = np.corrcoef(A)
    m, rank = largest(R)
    for c, df in ((1.7, 6.0), (2.4, 80.0)):
        box = np.full(3, c)
        inside = stats.multivariate_t.cdf(box, shape=R, df=df, lower_limit=-box, maxpts=200_000, random_state=1)
        assert float(largest_tail(np.array(c), np.array(df), m, rank)) == pytest.approx(1 - inside, abs=1e-4)


def test_uncorrelated_normals_need_sidak():
    tests = family([2.0, 2.5, 1.2], np.inf)
    np.testing.assert_allclose(ADJUSTMENTS["mvt"].p_values(tests), ADJUSTMENTS["sidak"].p_values(tests), atol=1e-6)
    np.testing.assert_allclose(
        ADJUSTMENTS["mvt"].critical(tests, 0.9), ADJUSTMENTS["sidak"].critical(tests, 0.9), atol=1e-5
    )


def test_the_same_call_gives_the_same_answer():
    R = np.full((6, 6), 0.4) + 0.6 * np.eye(6)
    tests = family([2.5, 2.0, 1.0, 0.5, 2.2, 3.0], [20.0, 21, 22, 23, 24, 25], R)
    once, again = (ADJUSTMENTS["mvt"].p_values(tests) for _ in range(2))
    np.testing.assert_array_equal(once, again)


def test_many_dimensions_have_points_too():
    m, rank = largest(np.eye(40))
    assert rank == 40
    sidak = 1 - (1 - 2 * stats.norm.sf(3.0)) ** 40
    assert float(largest_tail(np.array(3.0), np.array(np.inf), m, rank)) == pytest.approx(sidak, abs=3e-3)


def test_perfectly_correlated_tests_are_one_test():
    tests = family([2.1, 2.1], 15.0, np.ones((2, 2)))
    np.testing.assert_allclose(ADJUSTMENTS["mvt"].p_values(tests), tests.p_values, rtol=1e-8)
    np.testing.assert_allclose(ADJUSTMENTS["mvt"].critical(tests, 0.95), t_quantile(0.95, tests.df), rtol=1e-8)
