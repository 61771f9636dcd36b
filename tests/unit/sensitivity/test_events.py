"""Imputation of events and counts, and what is added to their log odds, through the generalized models."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.special import expit, logit, stdtrit

import burnout_stats as bs
from burnout_stats.engine.chained import chained as engine_chained
from burnout_stats.models import fit
from burnout_stats.models.generalized import GLMM
from burnout_stats.sensitivity import PooledEvents, chained, pooled_events, tipping_delta, tipping_odds
from tests.tolerances import IDENTITY

LEAVE = GLMM("sick_leave ~ visit + (1 | subject)", n_nodes=7)


@pytest.fixture(scope="module")
def cohort() -> bs.Cohort:
    return bs.example("villa_sana")


@pytest.fixture(scope="module")
def pooled(cohort: bs.Cohort) -> PooledEvents:
    return pooled_events(chained(LEAVE, cohort, auxiliaries=["sex"], n=5, cycles=5, seed=3))


def test_pooled_estimates_are_rubins_rules_by_hand(pooled: PooledEvents) -> None:
    answers = [bs.contrast(bs.emmeans(one, "visit")).frame for one in pooled.fits]
    q = np.array([answer["estimate"] for answer in answers])
    u = np.array([answer["std_error"] ** 2 for answer in answers])
    m, between = len(q), q.var(axis=0, ddof=1)
    total = u.mean(axis=0) + (1 + 1 / m) * between
    df = (m - 1) / ((1 + 1 / m) * between / total) ** 2
    found = bs.contrast(bs.emmeans(pooled, "visit")).frame
    np.testing.assert_allclose(found["estimate"], q.mean(axis=0), rtol=IDENTITY)
    np.testing.assert_allclose(found["std_error"], np.sqrt(total), rtol=IDENTITY)
    np.testing.assert_allclose(found["df"], df, rtol=IDENTITY)
    half = stdtrit(df, 0.975) * np.sqrt(total)
    np.testing.assert_allclose(found["conf_high"], q.mean(axis=0) + half, rtol=IDENTITY)


def test_marginal_probabilities_are_pooled_on_the_logit(pooled: PooledEvents) -> None:
    parts = [bs.emmeans(one, "visit", scale="marginal") for one in pooled.fits]
    q = logit(np.array([part.frame["estimate"] for part in parts]))
    p = expit(q.mean(axis=0))
    u = np.array(
        [(part.frame["std_error"] / (part.frame["estimate"] * (1 - part.frame["estimate"]))) ** 2 for part in parts]
    )
    total = u.mean(axis=0) + 1.2 * q.var(axis=0, ddof=1)
    found = bs.emmeans(pooled, "visit", scale="marginal")
    np.testing.assert_allclose(found.frame["estimate"], p, rtol=IDENTITY)
    np.testing.assert_allclose(found.frame["std_error"], p * (1 - p) * np.sqrt(total), rtol=IDENTITY)
    seen = bs.emmeans(pooled, "visit", scale="marginal").cells
    assert seen is not None
    assert seen.sum(axis=1).tolist() == found.frame["n"].tolist()  # persons seen, not imputed ones


def test_a_pooled_fit_answers_as_a_fit(pooled: PooledEvents) -> None:
    assert bs.term_tests(pooled).frame["df"].between(1, 1e9).all()
    assert bs.contrast(bs.emmeans(pooled, "visit"), measure="ratio").about.kind == "odds_ratios"
    assert len(bs.summarize(pooled)) == 3
    assert "Rubin" in pooled.notes[-1]
    assert "yes" in pooled.notes[0]


def test_a_shift_of_the_log_odds_against_a_hand_computation() -> None:
    """With nothing to go by, the share of events among the imputed is the mean of expit(logit p* + δ)."""
    n, seen, delta = 4000, 1000, 1.2
    Y = np.full((n, 1), np.nan)
    Y[:seen, 0] = np.arange(seen) < 300
    W, shift = np.ones((n, 1)), np.array([delta])
    found = engine_chained(Y, W, ["logistic"], [True], 40, np.random.SeedSequence(1), cycles=1, shift=shift)
    beta, sd = logit(0.3), 1 / np.sqrt(seen * 0.3 * 0.7)
    z = np.linspace(-6, 6, 2001)
    weights = np.exp(-z * z / 2)
    expected = float(expit(beta + sd * z + delta) @ weights / weights.sum())
    assert found.Y[:, seen:, 0].mean() == pytest.approx(expected, abs=0.005)  # Monte-Carlo error 0.002
    plain = engine_chained(Y, W, ["logistic"], [True], 2, np.random.SeedSequence(1), cycles=1)
    zero = engine_chained(Y, W, ["logistic"], [True], 2, np.random.SeedSequence(1), cycles=1, shift=np.zeros(1))
    np.testing.assert_array_equal(plain.Y, zero.Y)


def test_a_delta_raises_what_was_not_seen_and_nothing_else(cohort: bs.Cohort) -> None:
    plain = chained(LEAVE, cohort, n=4, cycles=4, seed=2)
    much = chained(LEAVE, cohort, n=4, cycles=4, seed=2, delta={"3 years": 30.0})
    data = plain.draws.data
    place = data.places("sick_leave")
    gone = np.isnan(data.wide.Y[:, place[2]])
    assert (much.Y[:, gone, place[2]] == 1).all()
    np.testing.assert_array_equal(much.Y[:, ~gone, place[2]], plain.Y[:, ~gone, place[2]])
    assert "+30 at 3 years" in much.notes[-1]


def test_counts_and_cases_are_completed_too(cohort: bs.Cohort) -> None:
    weeks = chained(GLMM("sick_leave_weeks ~ visit + (1 | subject)", family="poisson"), cohort, n=2, cycles=2, seed=1)
    seen = cohort.data["sick_leave_weeks"].dropna().unique()
    assert np.isin(weeks.values("sick_leave_weeks"), seen).all()
    cases = chained(GLMM("exhaustion ~ visit + (1 | subject)", case=">= 3"), cohort, n=2, cycles=2, seed=1)
    assert set(np.unique(cases.values("exhaustion"))) == {0.0, 1.0}


def test_tipping_on_the_log_odds(cohort: bs.Cohort) -> None:
    model = GLMM("exhaustion ~ visit + (1 | subject)", case=">= 2.5", n_nodes=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = tipping_odds(model, cohort, deltas=[0, 6], n=4, cycles=3, contrast="3 years - 1 year")
        assert found.frame["delta"].is_monotonic_increasing
        tip = tipping_delta(found)
        assert (found.frame["conclusion"].iloc[0] == found.frame["conclusion"].iloc[-1]) == bool(np.isnan(tip))
        ratio = tipping_odds(model, cohort, deltas=[0, 1], n=2, cycles=2, measure="ratio")
    assert ratio.frame["conclusion"].iloc[0] in {"below 1", "includes 1", "above 1"}
    assert any("log odds of those who were not seen" in note for note in found.about.notes)


def test_what_is_refused(cohort: bs.Cohort) -> None:
    counts = GLMM("sick_leave_weeks ~ visit + (1 | subject)", family="poisson")
    with pytest.raises(bs.StudyError, match="log odds"):
        chained(counts, cohort, n=2, seed=1, delta={"1 year": 1.0})
    with pytest.raises(bs.StudyError, match="names the visit"):
        chained(LEAVE, cohort, n=2, seed=1, delta={"2 years": 1.0})
    with pytest.raises(bs.StudyError, match="Odds belong"):
        tipping_odds(counts, cohort)
    with pytest.raises(bs.StudyError, match="two finite values"):
        tipping_odds(LEAVE, cohort, deltas=[0.0])
    measured = chained(bs.MMRM("exhaustion ~ visit"), cohort, n=2, cycles=2, seed=1)
    with pytest.raises(bs.ModelError, match="measured"):
        pooled_events(measured)


def test_without_gaps_all_data_sets_are_the_data(cohort: bs.Cohort) -> None:
    wide = cohort.data.dropna(subset=["sick_leave"]).groupby("subject").size()
    whole = cohort.subset(np.isin(cohort.data["subject"], wide[wide == 3].index))
    both = pooled_events(chained(LEAVE, whole, n=2, cycles=1, seed=1))
    direct = bs.contrast(bs.emmeans(fit(LEAVE, whole), "visit")).frame
    found = bs.contrast(bs.emmeans(both, "visit")).frame
    np.testing.assert_allclose(found["estimate"], direct["estimate"], rtol=IDENTITY)
    assert np.isinf(found["df"]).all()
