"""Sums that are drawn have the distribution of sums of rows."""

from __future__ import annotations

import numpy as np
import pytest

from burnout_stats.engine.drawn_cohorts import draw_sums, sums_of_rows

SIGMA = np.array([[0.9, 0.4, 0.3], [0.4, 0.6, 0.35], [0.3, 0.35, 0.7]])
MEANS = np.array([[3.0, 2.5, 2.4]])
SEEN = np.array([[True, True, True], [True, False, True]])
R = 20_000


@pytest.mark.parametrize("n", [1, 2, 3, 9])
def test_products_have_the_mean_and_variance_of_a_wishart_even_below_the_number_of_visits(n):
    rng = np.random.default_rng(1)
    drawn = draw_sums(rng, R, n=np.array([n]), means=MEANS, Sigma=SIGMA, patterns=SEEN[:1], shares=np.ones((1, 1)))
    s, SS = drawn.s[:, 0, 0], drawn.SS[:, 0, 0]
    W = SS - s[:, :, None] * s[:, None, :] / n
    expected = (n - 1) * SIGMA
    spread = np.sqrt((n - 1) * (SIGMA**2 + np.outer(np.diag(SIGMA), np.diag(SIGMA))))
    np.testing.assert_allclose(W.mean(0), expected, atol=4 * spread.max() / np.sqrt(R) + 1e-12)
    np.testing.assert_allclose(W.std(0), spread, rtol=0.05, atol=1e-12)
    np.testing.assert_allclose(s.mean(0), n * MEANS[0], atol=4 * np.sqrt(n * 0.9 / R))
    np.testing.assert_allclose(np.cov(s.T), n * SIGMA, atol=0.05 * n)
    assert np.linalg.matrix_rank(W[0], tol=1e-9) == min(n - 1, 3)


def test_sums_of_rows_are_those_of_a_loop_and_unseen_visits_are_zero():
    rng = np.random.default_rng(2)
    y = rng.normal(size=(2, 8, 3))
    pattern = rng.integers(0, 2, (2, 8))
    arm = np.array([0, 0, 0, 1, 1, 1, 1, 1])
    sums = sums_of_rows(y, pattern, arm, patterns=SEEN, n_arms=2)
    for r in range(2):
        for g in range(2):
            for k in range(2):
                rows = y[r][(arm == g) & (pattern[r] == k)] * SEEN[k]
                np.testing.assert_allclose(sums.s[r, g, k], rows.sum(0), atol=1e-12)
                np.testing.assert_allclose(sums.SS[r, g, k], rows.T @ rows, atol=1e-12)
                assert sums.n[r, g, k] == len(rows)
    np.testing.assert_allclose(sums.seen.sum((1, 2)), SEEN[pattern].sum((1, 2)))
