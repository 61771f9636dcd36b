"""The bootstrap of random effects at nominal times: refits one by one are the same, at the edge too."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from cohorts import TIMES, cohort_of, scores
from tolerances import REFIT

from burnout_stats.engine.batch import refits, resamples, subject_products
from burnout_stats.errors import ModelError
from burnout_stats.inference import contrast, emmeans, summarize
from burnout_stats.inference.bootstrap import bootstrap
from burnout_stats.models import LMM, fit
from burnout_stats.models.random_effects import cone_of
from burnout_stats.notices import BurnoutStatsWarning


def small_variances(n, seed, intercept, slope=0.0, correlation=0.0):
    """Scores of people who differ little."""
    rng = np.random.default_rng(seed)
    frame = scores(n, seed, seen=0.8)
    who, years = pd.factorize(frame["id"])[0], frame["visit"].map(TIMES).to_numpy()
    cross = correlation * intercept * slope
    u = rng.multivariate_normal([0, 0], [[intercept**2, cross], [cross, slope**2]], size=n)
    frame["score"] = 3 - 0.2 * years + u[who, 0] + u[who, 1] * years + rng.normal(0, 1, len(frame))
    return frame


def quiet(formula, frame, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BurnoutStatsWarning)
        return fit(LMM(formula, **options), cohort_of(frame))


def is_at_the_edge(fitted):
    return any(notice.code == "N-MODEL-BOUNDARY" for notice in fitted.notices)


def resampled(frame, weights):
    by = [part for _, part in frame.groupby("id", sort=False)]
    copies = [by[k].assign(id=f"{k}/{c}") for k in np.flatnonzero(weights) for c in range(int(weights[k]))]
    return pd.concat(copies, ignore_index=True)


@pytest.mark.parametrize(
    ("formula", "frame", "method", "whole_at_edge"),
    [
        ("score ~ visit + age + (1 | subject)", small_variances(40, 5, 0.4), "reml", False),
        ("score ~ visit + age + (1 | subject)", small_variances(60, 1, 0.25), "ml", True),
        ("score ~ years + (1 + years | subject)", small_variances(25, 13, 0.6, 0.25, 0.3), "reml", False),
        ("score ~ years + (1 + years | subject)", small_variances(60, 3, 0.5, 0.3, -0.9), "ml", True),
        ("score ~ years + (1 + years || subject)", small_variances(25, 15, 0.4, 0.3), "reml", True),
    ],
)
def test_a_replicate_is_the_fit_to_the_resampled_rows(formula, frame, method, whole_at_edge):
    whole = quiet(formula, frame, method=method)
    assert is_at_the_edge(whole) == whole_at_edge
    rows, state = whole.rows, whole.state
    products = subject_products(rows.z, rows.subject, rows.visit, 3, basis=state.basis)
    cone, theta = cone_of(whole.random, state.moments, whole.visits, whole.seen)
    (weights,) = resamples(products.strata, 15, np.random.SeedSequence(4))
    (many,) = refits(products, [weights], cone.covariance, theta, reml=method == "reml", cone=cone)
    assert many.verified.all()
    assert many.edge.sum() > 2
    L, _ = state.basis.functions(np.eye(len(whole.coef)))
    for k, one in enumerate(weights):
        alone = quiet(formula, resampled(frame, one), method=method)
        assert many.edge[k] == is_at_the_edge(alone)
        np.testing.assert_allclose(state.basis.coefficients(many.beta[k]), alone.coef, rtol=REFIT, atol=REFIT)
        sigma = many.sigma[k, 0] * state.basis.scale**2
        np.testing.assert_allclose(sigma, alone.covariance, rtol=REFIT, atol=REFIT)
        np.testing.assert_allclose(L @ many.Phi[k] @ L.T, alone.vcov, rtol=REFIT, atol=REFIT)


def test_a_correlation_near_minus_one_is_not_taken_for_it():
    """A replicate inside, so close to the edge that the criterion is flat to its rounding: the gradient decides."""
    formula, frame = "score ~ years + (1 + years | subject)", small_variances(60, 3, 0.5, 0.3, -0.9)
    whole = quiet(formula, frame)
    rows, state = whole.rows, whole.state
    products = subject_products(rows.z, rows.subject, rows.visit, 3, basis=state.basis)
    cone, theta = cone_of(whole.random, state.moments, whole.visits, whole.seen)
    weights = np.concatenate(list(resamples(products.strata, 126, np.random.SeedSequence(4))))[-1:]
    (many,) = refits(products, [weights], cone.covariance, theta, reml=True, cone=cone)
    assert many.verified.all()
    assert not many.edge.any()
    smallest = np.linalg.eigvalsh(cone.factor.covariance(many.theta[0, 1:]))[0]
    assert 1e-7 < smallest < 1e-4
    alone = quiet(formula, resampled(frame, weights[0]))
    np.testing.assert_allclose(state.basis.coefficients(many.beta[0]), alone.coef, rtol=REFIT, atol=REFIT)
    sigma = many.sigma[0, 0] * state.basis.scale**2
    np.testing.assert_allclose(sigma, alone.covariance, atol=10 * REFIT)  # a fit alone stops a little before


@pytest.mark.raises_code("N-MODEL-EDGE")
@pytest.mark.parametrize("intervals", ["percentile", "bca", "studentized"])
def test_intervals_are_near_those_of_the_model(intervals):
    """200 subjects and normal scores: all intervals estimate the same; within a fifth of their width."""
    fitted = quiet("score ~ visit + (1 | subject)", small_variances(200, 3, 0.3))
    model = summarize(fitted).frame
    with pytest.warns(BurnoutStatsWarning, match="random effect of variance 0"):
        found = bootstrap(fitted, seed=1, n=2000, intervals=intervals)
    width = model["conf_high"] - model["conf_low"]
    np.testing.assert_allclose(found.frame["estimate"], model["estimate"])
    assert (np.abs(found.frame["conf_low"] - model["conf_low"]) < 0.2 * width).all()
    assert (np.abs(found.frame["conf_high"] - model["conf_high"]) < 0.2 * width).all()
    counted = int(found.notices[-1].message.split()[0])
    assert 10 < counted < 1000
    assert "2000 refits" in found.about.notes[-1]


def test_contrasts_and_functions_of_the_covariance():
    fitted = quiet("score ~ visit * sex + (1 + years || subject)", scores(80, seed=2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BurnoutStatsWarning)
        change = bootstrap(contrast(emmeans(fitted, "visit", by="sex")), seed=1, n=200)
        variance = bootstrap(fitted, what=lambda beta, sigma: sigma[:, 0, 0], seed=1, n=200)
    assert len(change.frame) == 4
    assert (change.frame["conf_low"] < change.frame["conf_high"]).all()
    assert variance.frame["estimate"].iloc[0] == pytest.approx(fitted.covariance.iloc[0, 0])
    assert variance.frame["conf_low"].iloc[0] > 0


def test_frequency_weights_count_copies():
    frame = small_variances(40, 5, 1.0)
    weighted = quiet("score ~ visit + (1 | subject)", frame.assign(copies=2.0), weights="copies")
    twice = quiet("score ~ visit + (1 | subject)", pd.concat([frame, frame.assign(id=frame["id"] + "b")]))
    one, two = (bootstrap(fitted, seed=1, n=1000).frame for fitted in (weighted, twice))  # none of them at the edge
    np.testing.assert_allclose(one["std_error"], two["std_error"], rtol=0.15)


@pytest.mark.raises_code("E-MODEL-BOOTSTRAP")
def test_models_without_one_covariance_of_the_visits():
    frame = scores(40, seed=2)
    frame["when"] = frame["visit"].map(TIMES) + np.random.default_rng(0).uniform(0, 0.3, len(frame))
    frame["clinic"] = np.array(list("abcdefgh"))[pd.factorize(frame["id"])[0] % 8]
    cohort = cohort_of(frame, covariates={"when": {}, "clinic": {}})
    for part in ("(0 + when | subject)", "(1 | subject) + (1 | clinic)"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BurnoutStatsWarning)
            fitted = fit(LMM(f"score ~ when + {part}"), cohort)
        with pytest.raises(ModelError, match="do not share one covariance"):
            bootstrap(fitted, seed=1)
