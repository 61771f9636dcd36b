"""Two independent groups: comparisons and standardized differences, against scipy, pingouin and by hand."""

from __future__ import annotations

import numpy as np
import pingouin
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from tolerances import IDENTITY

from burnout_stats.engine.standardized_difference import (
    difference_of_means,
    difference_of_shares,
    interval,
    std_error,
)
from burnout_stats.engine.two_samples import chi_square, combined, compare_means, fisher_exact, wald


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(11)
    return rng.normal(3.0, 0.9, 40), rng.normal(3.4, 1.3, 17)


def summaries(x):
    return x.mean(), x.std(ddof=1), len(x)


@pytest.mark.parametrize("equal", [True, False])
def test_scipy_agrees_on_t(scores, equal):
    x, y = scores
    found = compare_means(*summaries(x), *summaries(y), equal_variances=equal)
    theirs = stats.ttest_ind(y, x, equal_var=equal)
    assert [found.t, found.df, found.p] == pytest.approx([theirs.statistic, theirs.df, theirs.pvalue], rel=IDENTITY)
    limits = theirs.confidence_interval(0.9)
    assert found.interval(0.9) == pytest.approx((limits.low, limits.high), rel=IDENTITY)


def test_combined_groups_are_the_groups_taken_together(scores):
    x, y = scores
    together = np.concatenate([x, y])
    found = combined(*zip(*(summaries(part) for part in scores), strict=True))
    assert found == pytest.approx(summaries(together), rel=IDENTITY)


tables = st.lists(st.lists(st.integers(0, 60), min_size=2, max_size=2), min_size=2, max_size=2).map(np.array)


@given(tables)
def test_scipy_agrees_on_two_by_two_tables(table):
    if not (table.sum(axis=0).all() and table.sum(axis=1).all()):
        assert np.isnan(chi_square(table)[2])
        assert np.isnan(fisher_exact(table))
        return
    for yates in (False, True):
        theirs = stats.chi2_contingency(table, correction=yates)
        assert chi_square(table, yates=yates) == pytest.approx((theirs.statistic, theirs.dof, theirs.pvalue), rel=1e-9)
    assert fisher_exact(table) == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-6)


def test_scipy_agrees_on_larger_tables_and_empty_rows_are_left_out():
    table = np.array([[10, 4], [8, 9], [3, 12]])
    theirs = stats.chi2_contingency(table)
    assert chi_square(table) == pytest.approx((theirs.statistic, theirs.dof, theirs.pvalue), rel=IDENTITY)
    assert chi_square(np.vstack([table, [0, 0]])) == chi_square(table)


def test_the_intervals_of_the_three_year_paper():
    # FACTS of the 2010 paper: 101 of 117 women and 83 of 110 men completed
    for (count, n), limits in {(101, 117): (80.1, 92.6), (83, 110): (67.4, 83.5)}.items():
        assert [round(100 * float(limit), 1) for limit in wald(count, n)] == list(limits)


def test_pingouin_agrees_where_the_groups_are_of_one_size(scores):
    # its d divides by the SD pooled over degrees of freedom, which is the mean of the variances for equal sizes
    x, y = scores[0][:17], scores[1]
    theirs = pingouin.compute_effsize(y, x, eftype="cohen")
    assert float(difference_of_means(*summaries(x)[:2], *summaries(y)[:2])) == pytest.approx(theirs, rel=IDENTITY)


def test_two_levels_are_the_formula_for_a_share():
    p, q = 101 / 184, 16 / 43
    by_hand = abs(q - p) / np.sqrt((p * (1 - p) + q * (1 - q)) / 2)
    assert difference_of_shares([101, 83], [16, 27]) == pytest.approx(by_hand, rel=IDENTITY)


@given(st.integers(3, 6), st.randoms(use_true_random=False))
def test_the_distance_does_not_depend_on_the_order_of_levels(levels, random):
    first, second = ([random.randint(1, 30) for _ in range(levels)] for _ in "ab")
    order = random.sample(range(levels), levels)
    moved = difference_of_shares([first[k] for k in order], [second[k] for k in order])
    assert moved == pytest.approx(difference_of_shares(first, second), rel=1e-7)
    empty = difference_of_shares([*first, 0], [*second, 0])  # a level that nobody has tells nothing
    assert empty == pytest.approx(difference_of_shares(first, second), rel=1e-7)


def test_groups_that_share_no_level_are_infinitely_apart():
    assert difference_of_shares([5, 0], [0, 7]) == np.inf
    assert difference_of_shares([5, 3, 0], [0, 0, 7]) == np.inf
    assert difference_of_shares([5, 0], [7, 0]) == 0
    assert np.isnan(difference_of_shares([0, 0], [7, 1]))
    assert np.isnan(interval(np.inf, 5, 7, 0.95)[0])


def test_the_standard_error_by_hand():
    # Yang & Dalton: sqrt(N/(n1 n2) + d^2/(2N)) with n 184 and 43, d 0.36
    assert float(std_error(0.36, 184, 43)) == pytest.approx(np.sqrt(227 / (184 * 43) + 0.36**2 / 454), rel=IDENTITY)
