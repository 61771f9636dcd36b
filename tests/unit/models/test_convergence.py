"""The optimizer's verdicts in words, from optimizations that really ended that way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cohorts import cohort_of, scores
from hard_data import hard_data

from burnout_stats.design import build, parse
from burnout_stats.engine.basis import Basis
from burnout_stats.engine.covariance import STRUCTURES, Covariance
from burnout_stats.engine.moments import moments_of_rows
from burnout_stats.engine.scoring import Status, optimize
from burnout_stats.errors import ModelError
from burnout_stats.inference import summarize
from burnout_stats.models import MMRM, fit
from burnout_stats.models.convergence import verdict
from burnout_stats.notices import BurnoutStatsWarning

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
    stopped = optimize(moments, US, reml=True, theta=far, max_iterations=2, restarts=False)
    assert stopped.status == Status.NOT_CONVERGED
    (notice,) = verdict(stopped, "score")
    assert notice.code == "N-MODEL-NOT-CONVERGED"
    assert "2 iterations" in notice.message


@pytest.mark.raises_code("N-MODEL-INDEFINITE")
def test_a_hessian_that_is_not_positive_definite(moments):
    done = optimize(moments, US, reml=True)
    saddle = replace(done.curvature, observed=-done.curvature.observed)
    (notice,) = verdict(replace(done, status=np.asarray(Status.INDEFINITE), curvature=saddle), "score")
    assert notice.code == "N-MODEL-INDEFINITE"


@pytest.mark.parametrize("seed", range(5))
def test_every_start_leads_to_the_same_optimum(moments, seed):
    best = optimize(moments, US, reml=True)
    far = np.random.default_rng(seed).normal(size=6)
    other = optimize(moments, US, reml=True, theta=far)
    assert other.status == Status.VERIFIED
    assert float(other.at.criterion) == pytest.approx(float(best.at.criterion), rel=1e-10)


def never_together(n=30):
    """Nobody has both the first and the last visit."""
    frame = scores(n, seed=4)
    early = frame["id"].str[1:].astype(int) % 2 == 0
    return frame[~(early & (frame["visit"] == "3 years")) & ~(~early & (frame["visit"] == "baseline"))]


@pytest.mark.raises_code("E-MODEL-NOT-IDENTIFIED")
@pytest.mark.parametrize("code", ["toep", "toeph"])
def test_a_lag_that_nobody_has(code):
    with pytest.raises(ModelError, match="the covariance of `baseline` and `3 years`"):
        fit(MMRM("score ~ visit", covariance=code), cohort_of(never_together()))


@pytest.mark.parametrize("code", ["cs", "csh", "ar1", "ar1h", "ad", "adh", "sp_exp"])
def test_other_structures_do_without_that_lag(code):
    assert fit(MMRM("score ~ visit", covariance=code), cohort_of(never_together())).converged


@pytest.mark.raises_code("E-MODEL-NOT-IDENTIFIED")
def test_a_visit_with_as_many_subjects_as_effects():
    frame = scores(30, seed=4)
    few = frame["id"].isin(frame["id"].unique()[:1])
    with pytest.raises(ModelError, match="the variance at `3 years`"):
        fit(MMRM("score ~ visit", covariance="csh"), cohort_of(frame[few | (frame["visit"] != "3 years")]))


@pytest.mark.raises_code("E-MODEL-NO-SPREAD")
@pytest.mark.parametrize("code", ["us", "csh", "toeph"])
def test_a_constant_visit(code):
    frame = scores(30, seed=4)
    frame.loc[frame["visit"] == "baseline", "score"] = 3.0
    with pytest.raises(ModelError, match="at `baseline` by less"):
        fit(MMRM("score ~ visit", covariance=code), cohort_of(frame))
    assert fit(MMRM("score ~ visit", covariance="cs"), cohort_of(frame)).converged


@pytest.mark.raises_code("N-MODEL-BOUNDARY")
def test_exponential_decay_of_scores_that_alternate():
    frame = scores(40, seed=4)
    rng = np.random.default_rng(0)
    side = rng.normal(size=40)[frame["id"].str[1:].astype(int)]
    frame["score"] = rng.normal(size=len(frame)) + np.where(frame["visit"] == "1 year", 2 * side, -2 * side)
    frame = frame[frame["visit"] != "3 years"]
    with pytest.warns(BurnoutStatsWarning, match="bound of the covariance structure"):
        fitted = fit(MMRM("score ~ visit", covariance="sp_exp"), cohort_of(frame))
    assert not fitted.converged
    assert abs(fitted.varcorr.iloc[0, 2]) < 1e-3
    answers = summarize(fitted).frame
    assert np.isfinite(answers[["estimate", "std_error", "df"]]).all(axis=None)


@pytest.mark.raises_code("N-MODEL-UNBOUNDED")
def test_nine_subjects_and_a_toeplitz_structure_for_four_visits():
    hard = hard_data(26)
    with pytest.warns(BurnoutStatsWarning, match="grows beyond it"):
        fitted = fit(hard.model, hard.cohort)
    assert fitted.converged
    assert min(one.criterion for one in fitted.optimum.attempts) < fitted.optimum.criterion


@pytest.mark.raises_code("E-MODEL-SINGULAR")
def test_a_copied_visit_is_named():
    frame = scores(30, seed=4)
    first = frame.loc[frame["visit"] == "baseline", ["id", "score"]].set_index("id")["score"]
    last = frame["visit"] == "3 years"
    frame.loc[last, "score"] = frame.loc[last, "id"].map(first)
    with pytest.raises(ModelError, match="runs to a singular matrix"):
        fit(MMRM("score ~ visit"), cohort_of(frame))
