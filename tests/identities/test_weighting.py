"""Weights where theory gives the answer: nothing missing, stacked estimating equations, the weighted mixed model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cohorts import TIMES, burnout_200, cohort_of, scores
from scipy.special import expit
from tolerances import DERIVATIVE, IDENTITY, STACKED, WEIGHTED

from burnout_stats.cohort.roles import Covariate
from burnout_stats.engine.logistic import fit_logistic
from burnout_stats.engine.weighting import (
    augmented_means,
    augmented_replicates,
    logistic_batch,
    weigh,
    weighted_equations,
    weighted_replicates,
)
from burnout_stats.models import MMRM, fit
from burnout_stats.sensitivity import bounds, complete_cases, triangulation, weighted, weights

SPEC = MMRM("EE ~ visit * group + age")
PREDICTORS = ["EE", "age", "sex"]


def test_with_nothing_missing_all_analyses_agree():
    cohort = cohort_of(scores(60, seed=3), outcomes={"score": {"range": [-2, 8]}})
    found = triangulation(MMRM("score ~ visit * sex"), cohort, predictors=["age"], auxiliaries=["age"], n=4, seed=1)
    for _, rows in found.frame.groupby("contrast"):
        estimates = rows["estimate"].dropna()
        assert len(estimates) == 6
        np.testing.assert_allclose(estimates, estimates.iloc[0], rtol=WEIGHTED)
        bar = rows[rows["analysis"].eq("Bounds")]
        np.testing.assert_allclose(bar[["conf_low", "conf_high"]], estimates.iloc[0], rtol=WEIGHTED)


def test_with_nothing_missing_the_weights_are_one_and_known():
    cohort = cohort_of(scores(60, seed=3))
    found = weights(MMRM("score ~ visit"), cohort, ["age"])
    assert np.array_equal(found.values, np.ones((60, 3)))
    one, other = (weighted(MMRM("score ~ visit"), cohort, ["age"], se=se) for se in ("sandwich", "sandwich-known"))
    np.testing.assert_allclose(one.vcov, other.vcov, rtol=IDENTITY)
    Y = cohort.data["score"].to_numpy().reshape(-1, 3)
    change = Y[:, 1:] - Y[:, :1]
    np.testing.assert_allclose(one.frame["std_error"], change.std(0) / np.sqrt(60), rtol=IDENTITY)
    assert len(found.balance) == 0


def test_without_missing_scores_the_bounds_meet_in_the_mean_change():
    frame = bounds(cohort_of(scores(60, seed=3), outcomes={"score": {"range": [-2, 8]}}), "score").frame
    first = frame[frame["contrast"].eq("1 year - baseline")]
    assert first["estimate"].nunique() == 1
    z = (first["conf_high"] - first["estimate"]) / first["std_error"]
    np.testing.assert_allclose(z, 1.959963985, rtol=1e-8)


def test_a_model_of_being_seen_that_tells_nothing_gives_the_unweighted_equations():
    cohort = burnout_200()
    found = weights(SPEC, cohort, PREDICTORS)
    rows, everyone = found.rows, np.ones((1, cohort.n_subjects))
    constant = replace(
        found.response, parts=tuple(replace(part, X=np.ones((cohort.n_subjects, 1))) for part in found.response.parts)
    )
    weighting = weigh(constant, everyone, limits=(0.01, 0.99))
    np.testing.assert_allclose(weighting.weights, 1.0, rtol=IDENTITY)
    X, y = rows.z[:, :-1], rows.z[:, -1]
    beta, _ = weighted_equations(X, y, found.subject, rows.visit, constant, weighting)
    np.testing.assert_allclose(beta, np.linalg.lstsq(X, y, rcond=None)[0], rtol=IDENTITY)


@pytest.mark.parametrize("by", [None, "group"])
def test_weighted_completers_are_the_weighted_mixed_model(by):
    cohort, spec = burnout_200(), replace(SPEC, covariance_by=by)
    _, ours = weighted(spec, cohort, PREDICTORS, kind="completers", se="sandwich-known").attached()
    found = ours.weights
    w = found.weighting.weights[0, :, 0][cohort.data["subject"].to_numpy() - 1]
    completed = found.response.seen[:, 0][cohort.data["subject"].to_numpy() - 1]
    whole = replace(
        cohort, data=cohort.data.assign(w=w), covariate_roles={**cohort.covariate_roles, "w": Covariate("w")}
    )
    theirs = fit(replace(spec, weights="w", weights_kind="probability"), whole.subset(completed))
    np.testing.assert_allclose(ours.coef, theirs.coef, rtol=WEIGHTED)
    answer = theirs.answer(np.eye(len(ours.coef)), vcov="cr0")
    np.testing.assert_allclose(ours.covariance, answer.vcov, rtol=WEIGHTED, atol=1e-10)


@pytest.mark.parametrize("truncate", [None, (0.05, 0.9)])
@pytest.mark.parametrize("gaps", ["visit-specific", "monotone"])
def test_the_sandwich_is_that_of_the_stacked_equations(gaps, truncate):
    found = weights(SPEC, burnout_200(), PREDICTORS, gaps=gaps, truncate=truncate)
    rows, response, weighting = found.rows, found.response, found.weighting
    X, y, subject, visit = rows.z[:, :-1], rows.z[:, -1], found.subject, rows.visit
    if gaps == "monotone":
        assert len(response.parts) == 2
        assert (response.leads.sum(1) == [0, 1, 2]).all()
        assert response.parts[1].X.shape[1] > response.parts[0].X.shape[1], "the score before is a predictor"
    beta, V = weighted_equations(X, y, subject, visit, response, weighting)
    n, visits = response.seen.shape

    def stack(theta):
        psi, log_p, place = [], np.zeros((n, visits)), 0
        for k, part in enumerate(response.parts):
            alpha = theta[place : place + part.X.shape[1]]
            place += part.X.shape[1]
            p = expit(np.where(part.at_risk[:, None], part.X, 0.0) @ alpha)
            psi.append(np.where(part.at_risk[:, None], part.X * (part.seen - p)[:, None], 0.0))
            log_p += np.outer(np.where(part.at_risk, np.log(p), 0.0), response.leads[:, k])
        share = theta[place : place + visits]
        psi.append(response.seen - share)
        w = np.where(weighting.is_cut[0], weighting.weights[0], share / np.exp(log_p))[subject, visit]
        U = np.zeros((n, X.shape[1]))
        np.add.at(U, subject, X * (w * (y - X @ theta[place + visits :]))[:, None])
        return np.hstack([*psi, U])

    theta = np.concatenate([*(alpha[0] for alpha in weighting.alpha), weighting.share[0], beta])
    np.testing.assert_allclose(V, stacked_covariance(stack, theta)[-len(beta) :, -len(beta) :], rtol=STACKED, atol=1e-8)


@pytest.mark.parametrize("truncate", [None, (0.05, 0.9)])
def test_the_variance_of_augmented_means_is_that_of_the_stacked_equations(truncate):
    found = weights(SPEC, burnout_200(), PREDICTORS, truncate=truncate)
    response, weighting, Z = found.response, found.weighting, found.X[:, [0, 2, 3]]
    Y = scores_of(found)
    mu, V = augmented_means(Z, Y, response, weighting)
    n, visits = Y.shape

    def stack(theta):
        psi, p, place = [], np.ones((n, visits)), 0
        for k, part in enumerate(response.parts):
            alpha = theta[place : place + part.X.shape[1]]
            place += part.X.shape[1]
            p[:, int(np.argmax(response.leads[:, k]))] = expit(part.X @ alpha)
            psi.append(part.X * (part.seen - expit(part.X @ alpha))[:, None])
        means = []
        for v in range(visits):
            m = Z @ theta[place : place + Z.shape[1]]
            place += Z.shape[1]
            e = np.where(response.seen[:, v], Y[:, v] - m, 0.0)
            psi.append(Z * e[:, None])
            cut = weighting.is_cut[0, :, v]
            means.append(m + e * np.where(cut, weighting.weights[0, :, v] / weighting.share[0, v], 1 / p[:, v]))
        return np.hstack([*psi, np.stack(means, 1) - theta[place:]])

    gammas = [np.linalg.lstsq(Z[r], Y[r, v], rcond=None)[0] for v, r in enumerate(response.seen.T)]
    theta = np.concatenate([*(alpha[0] for alpha in weighting.alpha), *gammas, mu])
    np.testing.assert_allclose(V, stacked_covariance(stack, theta)[-visits:, -visits:], rtol=STACKED)


def scores_of(found):
    Y = np.full(found.response.seen.shape, np.nan)
    Y[found.subject, found.rows.visit] = found.rows.z[:, -1]
    return Y


def stacked_covariance(stack, theta):
    """J⁻¹ (Σ ψψ') J⁻ᵀ with J by central differences; every equation is solved at θ."""
    psi = stack(theta)
    np.testing.assert_allclose(psi.sum(0), 0.0, atol=1e-5 * np.abs(psi).sum(0).max())
    J = np.empty((len(theta),) * 2)
    for k in range(len(theta)):
        step = DERIVATIVE * max(1.0, abs(theta[k]))
        up, down = theta.copy(), theta.copy()
        up[k] += step
        down[k] -= step
        J[:, k] = (stack(up).sum(0) - stack(down).sum(0)) / (2 * step)
    inverse = np.linalg.inv(J)
    return inverse @ (psi.T @ psi) @ inverse.T


def test_a_replicate_is_the_analysis_of_the_subjects_drawn():
    found = weights(SPEC, burnout_200(), PREDICTORS)
    rows, response = found.rows, found.response
    counts = np.random.default_rng(4).multinomial(200, np.full(200, 1 / 200), size=3).astype(float)
    weighting = weigh(response, counts, limits=(0.05, 0.95), start=found.weighting)
    beta, known = weighted_replicates(rows.z[:, :-1], rows.z[:, -1], found.subject, rows.visit, counts, weighting)
    mu, there = augmented_replicates(found.X, scores_of(found), response, counts, weighting)
    assert known.all()
    assert there.all()
    drawn = np.repeat(np.arange(200), counts[1].astype(int))
    again = replace(
        response,
        parts=tuple(replace(p, X=p.X[drawn], seen=p.seen[drawn], at_risk=p.at_risk[drawn]) for p in response.parts),
        seen=response.seen[drawn],
    )
    one = weigh(again, np.ones((1, 200)), limits=(0.05, 0.95))
    i, v = np.nonzero(again.seen)
    place = np.full(response.seen.shape, -1)
    place[found.subject, rows.visit] = np.arange(len(rows.visit))
    row = place[drawn[i], v]
    direct, _ = weighted_equations(rows.z[row, :-1], rows.z[row, -1], i, v, again, one)
    np.testing.assert_allclose(beta[1], direct, rtol=WEIGHTED)
    np.testing.assert_allclose(
        mu[1], augmented_means(found.X[drawn], scores_of(found)[drawn], again, one)[0], rtol=WEIGHTED
    )


def test_many_logistic_regressions_are_each_one():
    rng = np.random.default_rng(6)
    X = np.column_stack([np.ones(80), rng.normal(50, 9, 80), rng.normal(size=80)])
    y = (rng.random(80) < expit(0.7 + X[:, 2])).astype(float)
    counts = rng.multinomial(80, np.full(80, 1 / 80), size=4).astype(float)
    beta, converged = logistic_batch(X, y, counts)
    assert converged.all()
    for k in range(4):
        drawn = np.repeat(np.arange(80), counts[k].astype(int))
        np.testing.assert_allclose(beta[k], fit_logistic(X[drawn], y[drawn]).beta, rtol=WEIGHTED)


def test_complete_cases_are_the_model_of_those_seen_at_every_visit():
    frame = scores(80, seed=5, seen=0.8)
    everywhere = frame.groupby("id")["visit"].transform("nunique") == len(TIMES)
    ours = complete_cases(MMRM("score ~ visit"), cohort_of(frame)).frame
    Y = frame[everywhere].pivot(index="id", columns="visit", values="score")
    change = Y[["1 year", "3 years"]].sub(Y["baseline"], axis=0)
    np.testing.assert_allclose(ours["estimate"], change.mean(), rtol=WEIGHTED)
    np.testing.assert_allclose(ours["std_error"], change.std() / np.sqrt(len(change)), rtol=WEIGHTED)
