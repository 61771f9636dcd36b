"""The bootstrap: every replicate is a fit to the resampled rows, whatever the chunk; three kinds of intervals."""

from __future__ import annotations

from inspect import signature

import numpy as np
import pandas as pd
import pytest
from cohorts import cohort_of, scores
from scipy import stats
from tolerances import IDENTITY, REFIT

from burnout_stats.engine.batch import refits, resamples, subject_products
from burnout_stats.engine.covariance import STRUCTURES
from burnout_stats.errors import ModelError, StudyError
from burnout_stats.inference import contrast, emmeans, summarize
from burnout_stats.inference.bootstrap import bootstrap
from burnout_stats.models import MMRM, fit
from burnout_stats.notices import BurnoutStatsWarning

FRAME = scores(60, seed=1, seen=0.8)


@pytest.fixture(scope="module")
def fitted():
    return fit(MMRM("score ~ visit * sex + age"), cohort_of(FRAME))


@pytest.fixture(scope="module")
def means(fitted):
    return emmeans(fitted, "visit", by="sex")


def parts(fitted):
    rows, state = fitted.rows, fitted.state
    products = subject_products(rows.z, rows.subject, rows.visit, 3, basis=state.basis, group=rows.group)
    return products, state.covariance, state.optimum.theta


def resampled(frame, weights):
    ids = frame["id"].unique()
    copies = [
        frame[frame["id"] == ids[k]].assign(id=f"{ids[k]}/{c}")
        for k in np.flatnonzero(weights)
        for c in range(int(weights[k]))
    ]
    return pd.concat(copies, ignore_index=True)


@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.parametrize("code", STRUCTURES)
def test_a_replicate_is_the_fit_to_the_resampled_rows(code, method):
    spec = MMRM("score ~ visit + age", covariance=code, method=method)
    whole = fit(spec, cohort_of(FRAME))
    products, covariance, theta = parts(whole)
    (weights,) = resamples(products.strata, 2, np.random.SeedSequence(4))
    (many,) = refits(products, [weights], covariance, theta, reml=method == "reml")
    assert many.verified.all()
    for k, one in enumerate(weights):
        alone = fit(spec, cohort_of(resampled(FRAME, one)))
        np.testing.assert_allclose(whole.state.basis.coefficients(many.beta[k]), alone.coef, rtol=REFIT)
        sigma = many.sigma[k, 0] * whole.state.basis.scale**2
        np.testing.assert_allclose(sigma, alone.covariance, rtol=REFIT, atol=REFIT)
        L, _ = whole.state.basis.functions(np.eye(4))
        np.testing.assert_allclose(L @ many.Phi[k] @ L.T, alone.vcov, rtol=REFIT, atol=REFIT)


def test_the_chunk_does_not_matter(fitted):
    products, covariance, theta = parts(fitted)
    ends = []
    for chunk in (100, 250, 1000):
        drawn = resamples(products.strata, 450, np.random.SeedSequence(1))
        many = list(refits(products, drawn, covariance, theta, reml=True, chunk=chunk))
        ends.append(np.concatenate([part.beta for part in many]))
    np.testing.assert_allclose(ends[0], ends[1], rtol=IDENTITY, atol=IDENTITY)
    np.testing.assert_allclose(ends[0], ends[2], rtol=IDENTITY, atol=IDENTITY)


def test_more_replicates_begin_with_the_same_ones(fitted):
    strata = parts(fitted)[0].strata
    few, many = (np.concatenate(list(resamples(strata, n, np.random.SeedSequence(1)))) for n in (150, 400))
    np.testing.assert_array_equal(many[:150], few)
    assert (few.sum(1) == 60).all()


def test_the_seed_is_all_that_matters(means):
    sequence = np.random.SeedSequence(7)
    one, two, other = (bootstrap(means, seed=seed, n=200).frame for seed in (7, sequence, 8))
    pd.testing.assert_frame_equal(one, two)
    assert sequence.n_children_spawned == 0
    assert not np.allclose(one["conf_low"], other["conf_low"])


@pytest.mark.parametrize("intervals", ["percentile", "bca", "studentized"])
def test_intervals_are_near_those_of_the_model(intervals):
    """200 subjects and normal scores: all intervals estimate the same; within a fifth of their width."""
    large = fit(MMRM("score ~ visit"), cohort_of(scores(200, seed=3, seen=0.9)))
    model = summarize(large).frame
    frame = bootstrap(large, seed=1, n=2000, intervals=intervals).frame
    width = model["conf_high"] - model["conf_low"]
    np.testing.assert_allclose(frame["estimate"], model["estimate"])
    assert (np.abs(frame["conf_low"] - model["conf_low"]) < 0.2 * width).all()
    assert (np.abs(frame["conf_high"] - model["conf_high"]) < 0.2 * width).all()
    assert frame["p_value"].isna().all()


def test_bca_is_that_of_scipy():
    """One visit, one mean: scipy's BCa from 20,000 of its own resamples of a skewed sample."""
    y = np.random.default_rng(0).exponential(size=40)
    frame = pd.DataFrame({"id": [f"S{k:02d}" for k in range(40)], "visit": "baseline", "score": y})
    ours = bootstrap(fit(MMRM("score ~ 1"), cohort_of(frame)), seed=1, n=20000, intervals="bca").frame.iloc[0]
    generator = "rng" if "rng" in signature(stats.bootstrap).parameters else "random_state"  # renamed in scipy 1.15
    seeded = {generator: np.random.default_rng(2)}
    theirs = stats.bootstrap((y,), np.mean, n_resamples=20000, method="BCa", **seeded)
    low, high = theirs.confidence_interval
    assert ours["estimate"] == pytest.approx(y.mean())
    assert ours["std_error"] == pytest.approx(theirs.standard_error, rel=0.02)
    assert (ours["conf_low"], ours["conf_high"]) == pytest.approx((low, high), abs=0.02)


def test_percentile_is_the_quantile_of_the_means():
    y = np.random.default_rng(0).normal(size=30)
    frame = pd.DataFrame({"id": [f"S{k:02d}" for k in range(30)], "visit": "baseline", "score": y})
    one = fit(MMRM("score ~ 1"), cohort_of(frame))
    weights = np.concatenate(list(resamples([np.arange(30)], 500, np.random.SeedSequence(5))))
    expected = np.quantile(weights @ y / 30, [0.05, 0.95], method="weibull")
    row = bootstrap(one, seed=5, n=500, conf_level=0.9).frame.iloc[0]
    np.testing.assert_allclose([row["conf_low"], row["conf_high"]], expected, rtol=IDENTITY)


def test_contrasts_keep_their_names_and_their_model(means):
    change = contrast(means)
    found = bootstrap(change, seed=1, n=200)
    pd.testing.assert_frame_equal(found.frame[["contrast", "sex"]], change.frame[["contrast", "sex"]])
    np.testing.assert_allclose(found.frame["estimate"], change.frame["estimate"])
    np.testing.assert_allclose(np.sqrt(np.diag(found.vcov)), found.frame["std_error"])
    assert found.L is not None
    assert "200 refits" in found.about.notes[-1]
    assert "Bootstrap" in str(found)


@pytest.mark.parametrize("intervals", ["percentile", "bca", "studentized"])
def test_gain_kept_is_a_ratio_of_contrasts(means, intervals):
    found = bootstrap(means, what="gain_kept", seed=1, n=300, intervals=intervals)
    change = contrast(means).frame
    share = [
        change.loc[change["sex"] == sex, "estimate"].iloc[1] / change.loc[change["sex"] == sex, "estimate"].iloc[0]
        for sex in ("F", "M")
    ]
    np.testing.assert_allclose(found.frame["estimate"], share)
    assert (found.frame["conf_low"] < found.frame["conf_high"]).all()


def test_functions_of_the_parameters(fitted):
    def ratio(beta, sigma):
        return np.stack([np.sqrt(sigma[:, 0, 0]), beta[:, 1] / beta[:, 2]], axis=1)

    frame = bootstrap(fitted, what=ratio, seed=1, n=200).frame
    assert frame["estimate"].iloc[0] == pytest.approx(fitted.varcorr["sd"].iloc[0])
    assert frame["term"].tolist() == ["function 1", "function 2"]
    row = np.eye(len(fitted.coef))[1]
    assert bootstrap(fitted, what=row, seed=1, n=200).frame["estimate"].iloc[0] == pytest.approx(fitted.coef.iloc[1])


def test_within_the_groups_of_the_covariance():
    spec = MMRM("score ~ visit + sex", covariance="cs", covariance_by="sex")
    grouped = fit(spec, cohort_of(FRAME))
    products, _, _ = parts(grouped)
    (weights,) = resamples(products.strata, 50, np.random.SeedSequence(1))
    for members in products.strata:
        assert (weights[:, members].sum(1) == len(members)).all()
    found = bootstrap(grouped, seed=1, n=200, intervals="bca")
    assert "within the groups" in found.about.notes[-1]


def test_frequency_weights_count_copies():
    """Each subject twice, or weight 2: the same sampling distribution (within its Monte-Carlo error)."""
    twice = pd.concat([FRAME, FRAME.assign(id=FRAME["id"] + "b")])
    weighted = fit(MMRM("score ~ visit", weights="w"), cohort_of(FRAME.assign(w=2.0)))
    one = bootstrap(weighted, seed=1, n=2000, intervals="percentile").frame
    two = bootstrap(fit(MMRM("score ~ visit"), cohort_of(twice)), seed=2, n=2000, intervals="percentile").frame
    np.testing.assert_allclose(one["std_error"], two["std_error"], rtol=0.15)
    np.testing.assert_allclose(one["conf_low"], two["conf_low"], atol=0.35 * two["std_error"].min())


def test_progress_is_told(fitted):
    said = []
    bootstrap(fitted, seed=1, n=150, progress=lambda done, total, what: said.append((done, total)))
    assert said[-1] == (150, 150)


@pytest.mark.raises_code("N-MODEL-REPLICATES")
def test_replicates_that_lose_a_level_are_counted():
    frame = FRAME.copy()
    rare = frame["id"].unique()[:2]
    frame["sex"] = np.where(frame["id"].isin(rare), "M", "F")
    small = fit(MMRM("score ~ visit + sex"), cohort_of(frame))
    with pytest.warns(BurnoutStatsWarning, match="are left out"):
        found = bootstrap(small, seed=1, n=300)
    lost = (1 - 2 / 60) ** 60
    counted = int(found.notices[-1].message.split()[0])
    assert counted / 300 == pytest.approx(lost, abs=4 * np.sqrt(lost * (1 - lost) / 300))


@pytest.mark.raises_code("E-MODEL-BOOTSTRAP")
def test_too_few_replicates_have_an_answer():
    frame = scores(7, seed=3)
    small = fit(MMRM("score ~ visit * sex + age", method="ml"), cohort_of(frame))
    with pytest.raises(ModelError, match="no verified optimum"):
        bootstrap(small, seed=1, n=40)


@pytest.mark.raises_code("E-STUDY-OPTION", "E-STUDY-VALUE")
def test_questions_that_cannot_be_asked(fitted, means):
    with pytest.raises(StudyError, match="It is one of"):
        bootstrap(fitted, seed=1, intervals="basic")
    with pytest.raises(StudyError, match="Studentized"):
        bootstrap(fitted, seed=1, n=100, what=lambda beta, sigma: beta, intervals="studentized")
    with pytest.raises(StudyError, match="L has shape"):
        bootstrap(fitted, seed=1, n=100, what=np.eye(2))
    with pytest.raises(StudyError, match="gives shape"):
        bootstrap(fitted, seed=1, n=100, what=lambda beta, sigma: np.zeros(3))
    with pytest.raises(StudyError, match="three visits"):
        bootstrap(contrast(means), seed=1, n=100, what="gain_kept")
    with pytest.raises(StudyError, match="`n` is 1"):
        bootstrap(fitted, seed=1, n=1)
