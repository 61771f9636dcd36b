"""Gauss-Hermite nodes: moments of the standard normal distribution."""

from __future__ import annotations

import numpy as np
import pytest

from burnout_stats.engine.quadrature import nodes


@pytest.mark.parametrize("n", [1, 3, 15, 101])
def test_moments_up_to_degree_2n_minus_1(n):
    z, log_w = nodes(n)
    for degree, moment in [(0, 1.0), (1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0)]:
        if degree <= 2 * n - 1:
            assert np.exp(log_w) @ z[:, 0] ** degree == pytest.approx(moment, abs=1e-10)


def test_a_product_of_two():
    z, log_w = nodes(5, 2)
    assert z.shape == (25, 2)
    assert np.exp(log_w) @ (z[:, 0] ** 2 * z[:, 1] ** 2) == pytest.approx(1.0)
    assert not z.flags.writeable
