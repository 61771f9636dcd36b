"""Single fits whose smallest variance is nearly zero: what stops in rounding goes on to a verified optimum."""

from __future__ import annotations

import numpy as np
import pytest
from tolerances import REFIT

from burnout_stats.engine.basis import Basis
from burnout_stats.engine.covariance import Covariance
from burnout_stats.engine.moments import moments_of_rows
from burnout_stats.engine.random_effects import MomentsProblem, full_factor, random_structure, solve
from burnout_stats.engine.rows import RowsProblem, row_products
from burnout_stats.engine.scoring import Status, optimize

TIMES = np.array([0.0, 1.0, 2.0, 4.0])
Z = np.linalg.qr(np.vander(TIMES, 2, increasing=True))[0] * 2.0
BLOCKS = ((0,), (1,))
EDGES = {1: 0.2128655039765, 3: 0.0535311664704, 8: 0.0236669046648, 15: 0.0703206899516}
"""By seed, the slope's standard deviation at which its estimated variance comes off zero (found by bisection)."""
AWAY = (1e-7, 1e-6, 1e-5, 1e-4, 1e-3)


def problems(seed, sd):
    """The same data as moments and as rows."""
    rng = np.random.default_rng(seed)
    n = 300
    effects = rng.normal(size=(n, 2)) * [0.8, sd]
    scores = effects @ Z.T + rng.normal(size=(n, 4))
    subject, visit = np.nonzero(rng.random((n, 4)) < 0.8)
    rows = np.column_stack([Z[visit], scores[subject, visit]])
    start = Basis.centered(np.zeros(3), np.zeros(2))
    moments = moments_of_rows(rows, subject, visit, 4, basis=start).orthonormal()
    basis = moments.basis
    inner = np.column_stack([rows[:, :2] @ basis.transform, rows[:, 2] / basis.scale])
    products = row_products(Z[visit], inner, subject, basis, None)
    return MomentsProblem(moments, Z, TIMES, True), RowsProblem(products, True)


@pytest.mark.parametrize("seed", EDGES)
def test_fits_close_to_a_face_are_verified(seed):
    covariance = Covariance(random_structure(Z, full_factor(BLOCKS)), TIMES)
    stopped = interior = 0
    for away in AWAY:
        of_moments, of_rows = problems(seed, EDGES[seed] * (1 + away))
        alone = optimize(of_moments.moments, covariance, reml=True, restarts=False)
        stopped += alone.status == Status.NOT_CONVERGED
        factor, found = solve(of_moments, BLOCKS)
        interior += factor.rank == 2
        assert found.status == Status.VERIFIED
        assert found.optimum.max_gradient < 1e-6
        _, ended = solve(of_rows, BLOCKS)
        assert ended.status == Status.VERIFIED
        assert ended.criterion == pytest.approx(found.criterion, abs=REFIT)
    assert stopped, "a search that asks the criterion alone stops in its rounding"
    assert interior
