"""Imputation where theory gives the answer: nothing missing, conditional means, Rubin's rules on given numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import burnout_200, cohort_of, scores
from tolerances import IDENTITY

from burnout_stats.engine.basis import Basis
from burnout_stats.engine.incomplete_normal import Wide, posterior
from burnout_stats.engine.moments import moments_of_outcomes, moments_of_rows
from burnout_stats.engine.pooling import barnard_rubin, d1_test, missing_information, rubin
from burnout_stats.inference import contrast, emmeans, joint_test, summarize, term_tests
from burnout_stats.models import MMRM, fit
from burnout_stats.sensitivity import analyse, draws, impute, information, pool

CROSSED = "EE ~ visit * group + visit * age"
NUMBERS = ["estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high"]


def imputed(spec, cohort, **asked):
    return pool(analyse(impute(draws(spec, cohort, seed=1, **asked))))


def test_barnard_and_rubin_on_given_numbers():
    pooled = rubin(np.array([-0.8, -0.4, 0.0, 0.4, 0.8])[:, None] * np.sqrt(0.473 / 0.4), np.full((5, 1, 1), 4.0))
    df = barnard_rubin(5, pooled.share, np.array([47.0]))
    assert pooled.total.item() == pytest.approx(4.5676, rel=IDENTITY)
    assert df.item() == pytest.approx(34.283427, abs=5e-7)
    assert missing_information(pooled.increase, df).item() == pytest.approx(0.17124366, abs=5e-9)


def test_without_differences_the_df_are_those_of_complete_data():
    pooled = rubin(np.full((4, 2), 1.5), np.broadcast_to(np.eye(2), (4, 2, 2)))
    assert barnard_rubin(4, pooled.share, np.array([11.0, np.inf])).tolist() == [11.0, np.inf]
    assert missing_information(pooled.increase, np.array([11.0, np.inf])).tolist() == [0.0, 0.0]
    assert d1_test(pooled, 11.0) == (pytest.approx(1.5**2), 2.0, 11.0)


def test_one_parameter_is_tested_by_d1_as_by_t():
    rng = np.random.default_rng(3)
    pooled = rubin(rng.normal(1, 0.2, (30, 1)), np.full((30, 1, 1), 0.09))
    F, k, _ = d1_test(pooled, np.inf)
    assert k == 1
    assert pytest.approx(pooled.estimate.item() ** 2 / pooled.total.item(), rel=IDENTITY) == F


@pytest.mark.parametrize("df", ["kenward-roger", "satterthwaite", "asymptotic"])
def test_with_nothing_missing_the_pooled_fit_is_the_fit(df):
    cohort = cohort_of(scores(40, seed=2))
    spec = MMRM("score ~ visit * sex + age")
    one, many = fit(spec, cohort), imputed(spec, cohort, n=5)
    for ask in (summarize, lambda f, df: contrast(emmeans(f, "visit", by="sex", df=df))):
        left, right = ask(one, df=df).frame[NUMBERS], ask(many, df=df).frame[NUMBERS]
        np.testing.assert_allclose(right, left, rtol=1e-7, atol=1e-9)
    change = contrast(emmeans(many, "visit"))
    assert information(change)["fmi"].tolist() == [0.0, 0.0]
    L = contrast(emmeans(one, "visit")).L
    np.testing.assert_allclose(
        joint_test(many, L, df=df).frame[["statistic", "df"]],
        joint_test(one, L, df=df).frame[["statistic", "df"]],
        rtol=1e-7,
    )
    np.testing.assert_allclose(term_tests(many).frame["statistic"], term_tests(one).frame["statistic"], rtol=1e-7)


def test_conditional_means_give_the_mixed_model_where_every_covariate_is_crossed_with_visit():
    cohort = burnout_200()
    spec = MMRM(CROSSED)
    ours = imputed(spec, cohort, method="conditional-mean").coef
    np.testing.assert_allclose(ours, fit(spec, cohort).coef, rtol=1e-7)


def test_conditional_means_differ_from_a_mixed_model_that_holds_a_covariate_equal_over_visits():
    cohort = burnout_200()
    spec = MMRM("EE ~ visit * group + age")
    ours = imputed(spec, cohort, method="conditional-mean").coef
    assert np.abs(ours - fit(spec, cohort).coef).max() > 1e-4


def test_delta_moves_a_mean_by_the_share_that_is_imputed():
    cohort = cohort_of(scores(80, seed=5, seen=0.7))
    spec = MMRM("score ~ visit")
    found = draws(spec, cohort, method="conditional-mean", seed=1)
    plain = emmeans(pool(analyse(impute(found))), "visit").frame["estimate"]
    moved = emmeans(pool(analyse(impute(found, delta={"3 years": 0.5}))), "visit").frame["estimate"]
    missing = 1 - cohort.frame.groupby("visit", observed=False)["score"].count() / cohort.n_subjects
    np.testing.assert_allclose(moved - plain, [0.0, 0.0, 0.5 * missing["3 years"]], atol=1e-9)


def test_moments_of_outcomes_are_those_of_their_rows():
    rng = np.random.default_rng(1)
    n, V, p = 30, 3, 4
    X, y = rng.normal(size=(n, V, p)), rng.normal(size=(2, n, V))
    X[..., 0] = 1.0
    group, weights = rng.integers(0, 2, n), rng.integers(0, 3, (2, n)).astype(float)
    constant = np.eye(p)[0]
    basis = Basis.centered(rng.normal(size=p + 1), constant)
    ours = moments_of_outcomes(X, y, basis=basis, group=group, weights=weights)
    for r in range(2):
        rows = np.concatenate([X.reshape(-1, p), y[r].reshape(-1, 1)], axis=1)
        subject, visit = np.repeat(np.arange(n), V), np.tile(np.arange(V), n)
        theirs = moments_of_rows(rows, subject, visit, V, basis=basis, group=group, weights=weights[r])
        np.testing.assert_allclose(ours.T[r], theirs.T, rtol=1e-12, atol=1e-10)
        np.testing.assert_allclose(ours.n[r], theirs.n)


def test_the_posterior_of_complete_data_has_its_known_mean():
    rng = np.random.default_rng(4)
    n, D = 60, 3
    W = np.column_stack([np.ones(n), rng.normal(50, 9, n)])
    Y = W @ rng.normal(size=(2, D)) + rng.multivariate_normal(np.zeros(D), np.eye(D) + 0.5, n)
    found = posterior(Wide.of(Y, W), 20_000, np.random.SeedSequence(1))
    B = np.linalg.lstsq(W, Y, rcond=None)[0]
    S = (Y - W @ B).T @ (Y - W @ B)
    error = found.B.std(0) / np.sqrt(20_000)
    assert (np.abs(found.B.mean(0) - B) < 5 * error).all()
    error = found.Sigma.std(0) / np.sqrt(20_000)
    assert (np.abs(found.Sigma.mean(0) - S / (n - 2 - D - 1)) < 5 * error).all()


def test_the_posterior_of_incomplete_data_sits_at_the_restricted_likelihood():
    """With 400 subjects posterior mean and REML estimate are within a fraction of the posterior SD."""
    frame = scores(400, seed=6, seen=0.7)
    cohort = cohort_of(frame)
    spec = MMRM("score ~ visit * sex")
    found = draws(spec, cohort, n=400, seed=2)
    reml = draws(spec, cohort, method="conditional-mean", seed=1)
    for name in ("B", "Sigma"):
        drawn, best = getattr(found, name), getattr(reml, name)[0]
        assert (np.abs(drawn.mean(0) - best) < 0.25 * drawn.std(0)).all()


def test_leaving_one_out_is_fitting_the_others():
    frame = scores(30, seed=7, seen=0.8)
    spec = MMRM("score ~ visit")
    found = draws(spec, cohort_of(frame), method="conditional-mean", seed=1)
    fewer = frame[frame["id"] != "S0004"]
    alone = draws(spec, cohort_of(fewer), method="conditional-mean", seed=1)
    np.testing.assert_allclose(found.B[5], alone.B[0], rtol=1e-6)
    np.testing.assert_allclose(found.Sigma[5], alone.Sigma[0], rtol=1e-6)
    whole, one = pool(analyse(impute(found))), pool(analyse(impute(alone)))
    state = whole.analyses.state
    np.testing.assert_allclose(state.basis.coefficients(state.gamma)[5], one.coef, rtol=1e-6)


def test_subjects_without_an_outcome_are_imputed_from_the_rest_of_what_is_known():
    frame = scores(50, seed=8, seen=0.8)
    frame["stress"] = frame["score"] + np.random.default_rng(1).normal(0, 0.3, len(frame))
    frame.loc[frame["id"].isin(["S0001", "S0002"]), "score"] = np.nan
    cohort = cohort_of(frame, outcomes=["score", "stress"], covariates=["sex"])
    found = draws(MMRM("score ~ visit"), cohort, auxiliaries=["stress"], n=4, seed=1)
    assert found.data.n_subjects == 50
    assert draws(MMRM("score ~ visit"), cohort, n=4, seed=1).data.n_subjects == 48
    completed = impute(found).cohort(0)
    assert completed.frame["score"].notna().all()
    pd.testing.assert_series_equal(
        completed.frame["sex"].value_counts(),
        cohort.subset(cohort.frame["visit"] == "baseline").frame["sex"].value_counts() * 3,
    )
