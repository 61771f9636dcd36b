"""The optimizer's verdicts in words, from optimizations that really ended that way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cohorts import cohort_of, scores

from burnout_stats.design import build, parse
from burnout_stats.engine.basis import Basis
from burnout_stats.engine.covariance import STRUCTURES, Covariance
from burnout_stats.engine.moments import moments_of_rows
from burnout_stats.engine.scoring import Status, optimize
from burnout_stats.models.convergence import verdict

US = Covariance(STRUCTURES["us"], np.array([0.0, 1.0, 3.0]))


@pytest.fixture(scope="module")
def moments():
    design, rows = build(parse("score ~ visit + age"), cohort_of(scores(40, seed=1, seen=0.8)))
    basis = Basis.centered(rows.z.mean(0), design.encoder.constant)
    return moments_of_rows(rows.z, rows.subject, rows.visit, 3, basis=basis).orthonormal()


def test_a_verified_optimum_needs_no_words(moments):
    assert verdict(optimize(moments, US, reml=True), "score") == ()


@pytest.mark.raises_code("N-MODEL-NOT-CONVERGED")
def test_stopped_too_early(moments):
    far = np.array([1.0, -1.0, 1.0, 0.0, 0.0, 0.0])
    stopped = optimize(moments, US, reml=True, theta=far, max_iterations=2)
    assert stopped.status == Status.NOT_CONVERGED
    (notice,) = verdict(stopped, "score")
    assert notice.code == "N-MODEL-NOT-CONVERGED"
    assert "2 iterations" in notice.message


@pytest.mark.raises_code("N-MODEL-INDEFINITE")
def test_a_hessian_that_is_not_positive_definite(moments):
    done = optimize(moments, US, reml=True)
    (notice,) = verdict(replace(done, status=np.asarray(Status.INDEFINITE)), "score")
    assert notice.code == "N-MODEL-INDEFINITE"


@pytest.mark.parametrize("seed", range(5))
def test_every_start_leads_to_the_same_optimum(moments, seed):
    best = optimize(moments, US, reml=True)
    far = np.random.default_rng(seed).normal(size=6)
    other = optimize(moments, US, reml=True, theta=far)
    assert other.status == Status.VERIFIED
    assert float(other.at.criterion) == pytest.approx(float(best.at.criterion), rel=1e-10)
