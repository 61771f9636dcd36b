"""Optima over positive semidefinite G for a stack of replicates: those of `solve`, one by one."""

from __future__ import annotations

import numpy as np
import pytest
from tolerances import REFIT

from burnout_stats.engine.basis import Basis
from burnout_stats.engine.batch import SubjectProducts, resamples, subject_products
from burnout_stats.engine.cone import Cone, optimize_in_cone
from burnout_stats.engine.moments import moments_of_rows
from burnout_stats.engine.random_effects import MomentsProblem, solve
from burnout_stats.engine.scoring import Status, optimize

TIMES = np.arange(5.0)
QUADRATIC = np.linalg.qr(np.vander(TIMES, 3, increasing=True))[0] * np.sqrt(5)


def five_visits(n=30, seed=2):
    """Rows of n subjects with a quadratic trend and three random effects, some visits missing; and their products."""
    rng = np.random.default_rng(seed)
    effects = rng.normal(0.0, np.sqrt([0.5, 0.15, 0.1]), (n, 3))
    subject, visit = np.nonzero(rng.random((n, 5)) < 0.85)
    X = QUADRATIC[visit]
    y = X @ [3.0, 0.4, 0.0] + (effects[subject] * X).sum(1) + rng.normal(size=len(X))
    rows = {"z": np.column_stack([X, y]), "subject": subject, "visit": visit, "n_visits": 5}
    basis = moments_of_rows(**rows, basis=Basis.centered(np.zeros(4), np.zeros(3))).orthonormal().basis
    return rows, subject_products(**rows, basis=basis)


def resampled(products: SubjectProducts, n: int):
    return np.concatenate(list(resamples(products.strata, n, np.random.SeedSequence(2))))


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("blocks", [((0, 1, 2),), ((0, 2), (1,)), ((0,), (1,), (2,))])
def test_a_stack_is_its_data_sets_one_by_one(blocks, reml):
    rows, products = five_visits()
    cone = Cone(QUADRATIC, TIMES, blocks)
    weights = resampled(products, 12)
    ends = optimize_in_cone(products.weighted(weights), cone, cone.start(0.0, np.eye(3)), reml=reml)
    assert ends.verified.all()
    assert 2 < ends.edge.sum() < 12
    for k, one in enumerate(weights):
        moments = moments_of_rows(**rows, basis=products.basis, weights=one)
        factor, found = solve(MomentsProblem(moments, QUADRATIC, TIMES, reml), blocks)
        assert found.status == Status.VERIFIED
        assert ends.at.criterion[k] == pytest.approx(found.criterion, abs=REFIT)
        assert ends.edge[k] == (factor.rank < 3)
        np.testing.assert_allclose(ends.at.beta[k], found.optimum.at.beta, rtol=REFIT, atol=REFIT)
        np.testing.assert_allclose(ends.at.sigma[k], found.optimum.at.sigma, rtol=REFIT, atol=REFIT)


@pytest.mark.parametrize("size", [0.0, 1e-12, 0.3, 30.0])
def test_the_start_does_not_matter(size):
    """Not even one on the lowest face: a run begins inside."""
    _, products = five_visits()
    stack = products.weighted(resampled(products, 100))
    cone = Cone(QUADRATIC, TIMES, ((0, 1, 2),))
    near, far = (
        optimize_in_cone(stack, cone, cone.start(0.0, of * np.eye(3)), reml=True, max_iterations=50)
        for of in (1.0, size)
    )
    assert near.verified.all()
    assert far.verified.all()
    np.testing.assert_array_equal(near.edge, far.edge)
    np.testing.assert_allclose(near.at.criterion, far.at.criterion, atol=REFIT)
    np.testing.assert_allclose(near.at.beta, far.at.beta, rtol=REFIT, atol=REFIT)


def test_a_direction_that_helps_is_not_left_out():
    """The optimum of a face counts as one of the whole where, and only where, its criterion is no higher."""
    _, products = five_visits()
    stack = products.weighted(resampled(products, 100))
    cone = Cone(QUADRATIC, TIMES, ((0, 1), (2,)))
    ends = optimize_in_cone(stack, cone, cone.start(0.0, np.eye(3)), reml=True)
    assert cone.faces[0] in {(1, 1), (2, 0)}
    assert cone.faces[-1] == (0, 0)
    assert not cone.helped(stack, ends.theta, ends.at, True).any()
    theta = np.zeros((100, 1 + len(cone.factor.rows)))
    for face in cone.faces:
        start = cone.onto(cone.inside(theta), face)
        found = optimize(stack, cone.covariance, reml=True, theta=start, free=cone.free(face), restarts=False)
        there = (cone.ranks(found.theta) == face).all(-1) & (found.status == Status.VERIFIED)
        worse = found.at.criterion > ends.at.criterion + REFIT
        np.testing.assert_array_equal(cone.helped(stack, found.theta, found.at, True)[there], worse[there])


def test_replicates_that_cannot_tell_the_variances_apart():
    """All copies of subjects that were seen once: no variance between subjects."""
    rows = {
        "z": np.column_stack([np.ones(13), np.random.default_rng(0).normal(size=13)]),
        "subject": np.array([0, 1, 2, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6]),
        "visit": np.array([0, 0, 0, 0, 0, 1, 2, 0, 1, 2, 0, 1, 2]),
    }
    products = subject_products(**rows, n_visits=3, basis=Basis.centered(np.zeros(2), np.ones(1)))
    cone = Cone(np.ones((3, 1)), np.arange(3.0), ((0,),))
    stack = products.weighted(np.array([[2.0, 2, 2, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1]]))
    ends = optimize_in_cone(stack, cone, cone.start(0.0, np.eye(1)), reml=True)
    np.testing.assert_array_equal(ends.verified, [False, True])
    assert not ends.edge[0]
