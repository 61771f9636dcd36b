"""Random effects where theory says what must come out: compound symmetry, least squares at zero variance, the same
answers by moments and by rows, and Henderson's mixed model equations.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import TIMES, burnout_200, cohort_of, scores
from scipy import stats
from tolerances import IDENTITY

from burnout_stats.cohort import read_cohort
from burnout_stats.inference import emmeans, summarize
from burnout_stats.models import LMM, MMRM, fit
from burnout_stats.models.prediction import predict, ranef
from burnout_stats.notices import BurnoutStatsWarning

METHODS = ["kenward-roger", "kenward-roger-expected", "satterthwaite", "asymptotic"]


def close(a, b, tolerance=IDENTITY):
    np.testing.assert_allclose(np.asarray(a, dtype=float), np.asarray(b, dtype=float), rtol=tolerance, atol=1e-10)


def same_answers(one, other, methods=METHODS, tolerance=1e-6):
    for method in methods:
        a, b = summarize(one, df=method).frame, summarize(other, df=method).frame
        for column in ("estimate", "std_error", "df"):
            close(a[column], b[column].to_numpy(), tolerance)


@pytest.fixture(scope="module")
def copied():
    """The cohort with a numeric column `copy` that says what `years` says, and so takes the row path."""
    frame = scores(60, seed=3, seen=0.8)
    frame["copy"] = frame["visit"].map(TIMES)
    frame["score"] += (
        np.random.default_rng(0).normal(0, 0.4, frame["id"].nunique())[pd.factorize(frame["id"])[0]] * frame["copy"]
    )
    frame["times"] = pd.factorize(frame["id"])[0] % 3 + 1
    return frame


def with_copy(frame):
    return cohort_of(frame, covariates={"sex": {}, "age": {}, "copy": {}, "times": {}})


def test_a_random_intercept_is_compound_symmetry():
    intercept = fit(LMM("EE ~ visit * group + age + (1 | subject)"), burnout_200())
    symmetric = fit(MMRM("EE ~ visit * group + age", covariance="cs"), burnout_200())
    close(intercept.loglik, symmetric.loglik)
    close(intercept.covariance, symmetric.covariance, 1e-6)
    same_answers(intercept, symmetric)
    assert intercept.n_parameters == symmetric.n_parameters == 2
    close([intercept.aic, intercept.bic, intercept.aicc], [symmetric.aic, symmetric.bic, symmetric.aicc])


@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.parametrize("part", ["(1 + {} | subject)", "(1 + {} || subject)", "(0 + {} | subject)"])
def test_rows_and_moments_agree(copied, part, method):
    cohort = with_copy(copied)
    moments = fit(LMM("score ~ visit * sex + age + " + part.format("years"), method=method), cohort)
    rows = fit(LMM("score ~ visit * sex + age + " + part.format("copy"), method=method), cohort)
    close(rows.loglik, moments.loglik)
    close(rows.random.G, moments.random.G, 1e-5)
    same_answers(rows, moments, METHODS if method == "reml" else METHODS[2:])
    for level in ("marginal", "conditional"):
        a = predict(rows, level=level, interval="prediction")
        b = predict(moments, level=level, interval="prediction")
        close(a.iloc[:, 2:], b.iloc[:, 2:], 1e-5)
    close(ranef(rows)["std_error"], ranef(moments)["std_error"], 1e-5)
    close(emmeans(rows, "visit").frame["std_error"], emmeans(moments, "visit").frame["std_error"], 1e-6)
    for vcov in ("cr0", "cr2"):
        a, b = summarize(rows, df="satterthwaite", vcov=vcov), summarize(moments, df="satterthwaite", vcov=vcov)
        close(a.frame["std_error"], b.frame["std_error"], 1e-6)
        close(a.frame["df"], b.frame["df"], 1e-5)


@pytest.mark.parametrize("column", ["years", "copy"])
def test_frequency_weights_are_copies_of_subjects(copied, column):
    formula = f"score ~ visit + age + (1 + {column} | subject)"
    weighted = fit(LMM(formula, weights="times"), with_copy(copied))
    parts = [copied.assign(id=copied["id"] + f"_{k}")[copied["times"] > k] for k in range(3)]
    repeated = fit(LMM(formula), with_copy(pd.concat(parts)))
    close(weighted.loglik, repeated.loglik)
    assert (weighted.n_obs, weighted.n_subjects) == (repeated.n_obs, repeated.n_subjects)
    same_answers(weighted, repeated)


@pytest.mark.raises_code("N-MODEL-BOUNDARY")
@pytest.mark.parametrize("part", ["(1 | subject)", "(1 + years || subject)", "(0 + age | subject)"])
def test_zero_variance_is_least_squares(part):
    """Scores that repel each other within subjects leave nothing for a subject."""
    frame = scores(40, seed=4)
    rng = np.random.default_rng(8)
    noise = rng.normal(size=(40, 3))
    frame["score"] = (noise - noise.mean(1, keepdims=True)).reshape(-1) + frame["age"] / 50
    with pytest.warns(BurnoutStatsWarning, match="is 0"):
        ours = fit(LMM(f"score ~ visit + age + {part}"), cohort_of(frame))
    assert ours.converged
    visit = pd.get_dummies(frame["visit"])[["1 year", "3 years"]].to_numpy(dtype=float)
    X = np.column_stack([np.ones(120), visit, frame["age"]])
    y = frame["score"].to_numpy()
    beta, rss, *_ = np.linalg.lstsq(X, y, rcond=None)
    variance = rss[0] / (120 - 4)
    for method in ("kenward-roger", "satterthwaite"):
        table = summarize(ours, df=method).frame
        close(table["estimate"], beta, 1e-7)
        close(table["std_error"], np.sqrt(variance * np.diag(np.linalg.inv(X.T @ X))), 1e-7)
        close(table["df"], np.full(4, 116.0), 1e-7)
    close(ours.varcorr["sd"].iloc[:-1], 0.0)
    close(ours.varcorr["sd"].iloc[-1], np.sqrt(variance), 1e-7)
    close(ranef(ours)[["estimate", "std_error"]], 0.0)


def test_henderson_s_equations(copied):
    """BLUPs, their errors and those of conditional predictions from the mixed model equations, dense."""
    frame = copied.assign(copy=copied["copy"] + np.random.default_rng(5).uniform(-0.2, 0.2, len(copied)))
    ours = fit(LMM("score ~ copy + age + (1 + copy | subject)"), with_copy(frame))
    G, s2 = ours.random.G, ours.random.sigma**2
    who, _ = pd.factorize(frame["id"])
    n, N = who.max() + 1, len(frame)
    X = np.column_stack([np.ones(N), frame["copy"], frame["age"]])
    Z = np.zeros((N, 2 * n))
    Z[np.arange(N), 2 * who] = 1.0
    Z[np.arange(N), 2 * who + 1] = frame["copy"]
    W = np.hstack([X, Z])
    left = W.T @ W / s2
    left[3:, 3:] += np.kron(np.eye(n), np.linalg.inv(G))
    C = np.linalg.inv(left)
    solution = C @ W.T @ frame["score"].to_numpy() / s2
    close(ours.coef, solution[:3], 1e-7)
    effects = ranef(ours)
    close(effects["estimate"], solution[3:], 1e-6)
    close(effects["std_error"], np.sqrt(np.diag(C)[3:]), 1e-7)
    V = Z @ np.kron(np.eye(n), G) @ Z.T + s2 * np.eye(N)
    A = np.linalg.inv(V)
    e = frame["score"].to_numpy() - X @ solution[:3]
    XAX = X.T @ A @ X
    restricted = (N - 3) * np.log(2 * np.pi) + np.linalg.slogdet(V)[1] + e @ A @ e + np.linalg.slogdet(XAX)[1]
    close(ours.loglik, -restricted / 2, 1e-10)
    own = predict(ours, level="conditional", df="asymptotic")
    close(own["estimate"], W @ solution, 1e-7)
    close(own["std_error"], np.sqrt(np.einsum("na,ab,nb->n", W, C, W)), 1e-7)
    scored = predict(ours, level="conditional", interval="prediction", df="asymptotic")
    close(scored["std_error"] ** 2 - own["std_error"] ** 2, s2, 1e-7)


def test_correlated_effects_do_not_depend_on_the_unit_or_origin_of_time(copied):
    years = fit(LMM("score ~ visit + (1 + years | subject)"), with_copy(copied))
    halves = fit(LMM("score ~ visit + (1 + per(years, 0.5) | subject)"), with_copy(copied))
    centered = fit(LMM("score ~ visit + (1 + center(years) | subject)"), with_copy(copied))
    close(halves.loglik, years.loglik)
    close(centered.loglik, years.loglik)
    close(centered.covariance, years.covariance, 1e-6)
    close(halves.varcorr.iloc[1, 0] * 2, years.varcorr.iloc[1, 0], 1e-6)


def test_prediction_of_a_new_score_from_one_group():
    """One visit, no covariate: t_{n-1} and s² (1 + 1/n), exactly."""
    rng = np.random.default_rng(2)
    y = rng.normal(3, 1, 20)
    frame = pd.DataFrame({"id": range(20), "visit": "baseline", "score": y})
    cohort = read_cohort(frame, subject="id", visit="visit", times={"baseline": 0}, outcomes=["score"])
    fitted = fit(MMRM("score ~ 1"), cohort)
    new = predict(fitted, pd.DataFrame({"visit": ["baseline"]}), interval="prediction", conf_level=0.9).iloc[0]
    half = stats.t.ppf(0.95, 19) * y.std(ddof=1) * np.sqrt(1 + 1 / 20)
    close([new["estimate"], new["conf_low"], new["conf_high"]], [y.mean(), y.mean() - half, y.mean() + half])


@pytest.mark.raises_code("N-MODEL-BOUNDARY")
def test_two_hundred_null_cohorts_have_an_answer():
    """No variance between subjects: half of the fits end at the edge, none raises, all are verified."""
    edge = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        frame = scores(12 + seed % 30, seed=seed, seen=0.8)
        frame["score"] = rng.normal(3, 1, len(frame))
        part = ("(1 | subject)", "(1 + years | subject)", "(1 + years || subject)")[seed % 3]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("burnout_stats.models.fitting.announce", lambda notices: None)
            ours = fit(LMM(f"score ~ visit + {part}"), cohort_of(frame))
        assert ours.converged
        codes = {notice.code for notice in ours.notices}
        assert codes <= {"N-MODEL-BOUNDARY"}
        edge += bool(codes)
        table = summarize(ours).frame
        assert np.isfinite(table[["std_error", "df"]].to_numpy()).all()
        assert (table["df"] > 1).all()
    assert 100 < edge < 190
