"""Marginal standardization: averages over the covariates as observed, their derivatives, the bootstrap, and privacy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cohorts import TIMES, cohort_of, scores
from scipy.special import ndtr
from tolerances import DERIVATIVE, IDENTITY

from burnout_stats.errors import ModelError, StudyError
from burnout_stats.estimates import Policy
from burnout_stats.estimates.disclosure import protect
from burnout_stats.inference import contrast, emmeans
from burnout_stats.inference.standardization import numbers_needed, risk_contrasts, standardized
from burnout_stats.models import MMRM, fit
from burnout_stats.models.gee import GEE
from burnout_stats.models.generalized import GLMM

ROLES = {"covariates": {"sex": {"levels": ["F", "M"]}, "age": {}}}
CASE = ">= 2.7"
FORMULA = "score ~ visit * sex + age"


@pytest.fixture(scope="module")
def cohort():
    return cohort_of(scores(120, seed=2, seen=0.8), **ROLES)


@pytest.fixture(scope="module")
def gee(cohort):
    return fit(GEE(FORMULA, case=CASE), cohort)


@pytest.fixture(scope="module")
def glmm(cohort):
    return fit(GLMM("score ~ visit * sex + age + (1 | subject)", case=CASE, link="probit"), cohort)


def by_hand(fitted, beta, mean):
    """m at each visit, row by row, and the shares."""
    rows = fitted.rows
    age = rows.z[:, list(fitted.coef.index).index("age")]
    male = rows.z[:, list(fitted.coef.index).index("sex[M]")]
    share = (1 / np.bincount(rows.subject))[rows.subject]
    share /= share.sum()
    found = []
    for k in range(3):
        late = np.eye(3)[k]
        X = np.column_stack(
            [
                np.ones(len(age)),
                *(np.full(len(age), late[j]) for j in (1, 2)),
                male,
                age,
                *(male * late[j] for j in (1, 2)),
            ]
        )
        found.append(share @ mean(X @ beta))
    return np.array(found)


def test_an_average_over_everybody(gee):
    means = standardized(gee, "visit")
    beta = gee.coef.to_numpy()
    np.testing.assert_allclose(means.frame["estimate"], by_hand(gee, beta, gee.spec.margin.mean), rtol=IDENTITY)
    J = np.empty((3, len(beta)))
    for k in range(len(beta)):
        h = 1e-6 * np.eye(len(beta))[k]
        J[:, k] = (by_hand(gee, beta + h, gee.spec.margin.mean) - by_hand(gee, beta - h, gee.spec.margin.mean)) / 2e-6
    np.testing.assert_allclose(means.vcov, J @ gee.vcov.to_numpy() @ J.T, rtol=1e-5)
    assert means.about.quantity == "probability"
    assert means.about.df_method == "satterthwaite"
    assert "averaged over the covariates as observed, which are taken as fixed" in " ".join(means.about.notes)
    assert not np.allclose(
        means.frame["estimate"], emmeans(gee, "visit", scale="response").frame["estimate"], rtol=1e-4
    )


def test_random_effects_are_integrated_out(glmm):
    """The mean of a probit over a normal effect is Φ(η / √(1 + σ²))."""
    means = standardized(glmm, "visit")
    psi = glmm.optimum.psi
    p, t, _ = glmm.problem.sizes
    assert t == 1

    def at(psi):
        return by_hand(glmm, glmm.transform @ psi, lambda eta: ndtr(eta / np.sqrt(1 + psi[p] ** 2)))

    np.testing.assert_allclose(means.frame["estimate"], at(psi), rtol=1e-7)
    J = np.column_stack([(at(psi + h) - at(psi - h)) / 2e-5 for h in 1e-5 * np.eye(len(psi))])
    np.testing.assert_allclose(means.vcov, J @ glmm.optimum.vcov @ J.T, rtol=10 * DERIVATIVE)
    assert "integrated out" in " ".join(means.about.notes)
    assert np.isinf(means.frame["df"]).all()
    change = contrast(means, measure="ratio")
    assert change.about.kind == "risk_ratios"


def test_differences_and_ratios(gee):
    means = standardized(gee, "visit", by="sex")
    p = means.frame.set_index(["sex", "visit"])["estimate"]
    difference = contrast(means)
    ratio = risk_contrasts(means, measure="ratio")
    np.testing.assert_allclose(difference.frame["estimate"].iloc[1], p["F", "3 years"] - p["F", "baseline"], rtol=1e-12)
    np.testing.assert_allclose(ratio.frame["estimate"].iloc[1], p["F", "3 years"] / p["F", "baseline"], rtol=1e-12)
    assert ratio.frame["contrast"].iloc[1] == "3 years / baseline"
    K = np.zeros(6)
    K[2], K[0] = 1 / p["F", "3 years"], -1 / p["F", "baseline"]
    np.testing.assert_allclose(
        ratio.frame["std_error"].iloc[1] / ratio.frame["estimate"].iloc[1], np.sqrt(K @ means.vcov @ K), rtol=IDENTITY
    )
    # the degrees of freedom are those of the row of coefficients behind the difference
    L = means.answers.J
    own = gee.answer((L[2] - L[0])[None]).df[0]
    np.testing.assert_allclose(difference.frame["df"].iloc[1], own, rtol=IDENTITY)


def test_the_sampling_of_covariates(gee, glmm, cohort):
    """Subjects deleted one by one: the jackknife has the term, the delta method with fixed covariates has not."""
    fixed, sampled = (standardized(gee, "visit", covariates=c, vcov="robust") for c in ("fixed", "sampled"))
    assert "taken as a sample" in " ".join(sampled.about.notes)
    kept = []
    for k in np.unique(cohort.data["subject"])[::4]:
        part = replace(cohort, data=cohort.data[cohort.data["subject"] != k])
        kept.append(standardized(fit(gee.spec, part), "visit").frame["estimate"].to_numpy())
    jackknife = np.var(kept, axis=0, ddof=0) * len(kept) * 4
    np.testing.assert_allclose(np.sqrt(jackknife), sampled.frame["std_error"], rtol=0.2)
    drift = [np.trace(each.vcov) for each in (fixed, sampled)]
    assert drift[0] != drift[1]
    more = standardized(glmm, "visit", covariates="sampled").vcov - standardized(glmm, "visit").vcov
    assert np.linalg.eigvalsh(more).min() > -1e-12
    assert np.diag(more).min() > 0


def test_a_saturated_model_with_sampled_covariates_is_a_proportion():
    """With sex in the model and both sampled, the variance of a complete visit is p (1 − p) / n."""
    whole = cohort_of(scores(90, seed=9), **ROLES)
    fitted = fit(GEE("score ~ visit * sex", case=CASE, working="independence"), whole)
    found = standardized(fitted, "visit", covariates="sampled", vcov="robust").frame
    p = found["estimate"].to_numpy()
    np.testing.assert_allclose(found["std_error"] ** 2, p * (1 - p) / 90, rtol=IDENTITY)


def test_the_bootstrap_agrees_with_the_delta_method(gee):
    means = standardized(gee, "visit", n_replicates=600, seed=4, covariates="sampled")
    delta = standardized(gee, "visit", covariates="sampled", vcov="robust")
    np.testing.assert_allclose(means.frame["std_error"], delta.frame["std_error"], rtol=0.1)
    again = standardized(gee, "visit", n_replicates=600, seed=4, covariates="sampled")
    pd.testing.assert_frame_equal(means.frame, again.frame)
    ratio = risk_contrasts(means, measure="ratio")
    close = contrast(delta, measure="ratio")
    np.testing.assert_allclose(ratio.frame["conf_low"], close.frame["conf_low"], atol=0.05)
    np.testing.assert_allclose(ratio.frame["conf_high"], close.frame["conf_high"], atol=0.08)
    copies = means.answers.replicates
    at = np.quantile(copies[:, 1] / copies[:, 0], [0.025, 0.975])
    np.testing.assert_allclose(ratio.frame[["conf_low", "conf_high"]].iloc[0], at, rtol=1e-12)
    assert ratio.frame["p_value"].isna().all()
    assert set(ratio.frame["method"]) == {"bootstrap"}
    notes = " ".join(means._tables()[0].notes)
    assert "600 bootstraps of subjects" in notes
    assert "robust (" not in notes
    assert "Degrees of freedom" not in notes
    normal = contrast(means).frame.iloc[0]  # without quantiles: normal limits around with the replicates' SD
    np.testing.assert_allclose(normal["conf_high"] - normal["estimate"], 1.959964 * normal["std_error"], rtol=1e-5)
    odds = risk_contrasts(means, measure="odds_ratio").frame.iloc[0]
    at = np.quantile(copies[:, 1] * (1 - copies[:, 0]) / (copies[:, 0] * (1 - copies[:, 1])), [0.025, 0.975])
    np.testing.assert_allclose(odds[["conf_low", "conf_high"]].astype(float), at, rtol=1e-10)
    held = standardized(gee, "visit", n_replicates=50, seed=4)
    assert not np.allclose(held.answers.replicates, copies[:50])


def test_numbers_needed(gee):
    differences = contrast(standardized(gee, "visit"))
    found = numbers_needed(differences)
    d = differences.frame
    np.testing.assert_allclose(found.frame["estimate"], 1 / d["estimate"].abs())
    told = (d["conf_low"] * d["conf_high"] > 0).to_numpy()
    assert told.any()
    high = d.loc[told, ["conf_low", "conf_high"]].abs()
    np.testing.assert_allclose(found.frame.loc[told, "conf_low"], 1 / high.max(axis=1))
    np.testing.assert_allclose(found.frame.loc[told, "conf_high"], 1 / high.min(axis=1))
    both = numbers_needed(replace(differences, frame=d.assign(conf_low=-0.1, conf_high=0.2)))
    assert both.frame["conf_low"].isna().all()
    assert "Without limits" in both.about.notes[-1]
    assert found._tables()[0].title.startswith("Numbers needed")


def test_counts_and_measured_scores(cohort):
    data = cohort.data.assign(score=np.floor(np.abs(cohort.data["score"]) * 2))
    fitted = fit(GEE("score ~ visit + age", family="poisson"), replace(cohort, data=data))
    means = standardized(fitted, "visit")
    assert means.about.quantity == "count"
    assert contrast(means, measure="ratio").about.kind == "rate_ratios"
    linear = fit(MMRM(FORMULA), cohort)
    found = standardized(linear, "visit", by="sex", cohort=cohort)
    assert np.isfinite(found.frame[["estimate", "df", "p_value"]].to_numpy()).all()
    assert found.about.quantity == ""
    assert contrast(found).about.df_method == "kenward-roger"


def test_time_as_a_number(cohort):
    fitted = fit(GEE("score ~ years * sex + age", case=CASE), cohort)
    found = standardized(fitted, "years", by="sex")
    assert found.frame["years"].tolist() == [0.0, 1.0, 3.0] * 2
    only = standardized(fitted, "years", by="sex", at={"years": [0, 3], "sex": ["M"]})
    np.testing.assert_allclose(only.frame["estimate"], found.frame["estimate"].iloc[[3, 5]], rtol=1e-12)


@pytest.mark.raises_code("E-STUDY-VALUE", "E-MODEL-BOOTSTRAP", "E-STUDY-OPTION")
def test_what_is_refused(gee, glmm, cohort):
    linear = fit(MMRM(FORMULA), cohort)
    with pytest.raises(StudyError, match="does not keep the covariates"):
        standardized(linear, "visit")
    with pytest.raises(ModelError, match="have the delta method here"):
        standardized(glmm, "visit", n_replicates=10, seed=1)
    with pytest.raises(StudyError, match="needs replicates, and a seed"):
        standardized(gee, "visit", n_replicates=10)
    with pytest.raises(StudyError, match="covariates"):
        standardized(gee, "visit", covariates="random")
    with pytest.raises(StudyError, match="made of risk differences"):
        numbers_needed(standardized(gee, "visit"))


@pytest.mark.raises_code("N-MODEL-NOT-ESTIMABLE", "N-MODEL-REPLICATES", "N-MODEL-ALIASED")
def test_empty_cells():
    frame = scores(60, seed=12)
    frame = frame[~((frame["sex"] == "M") & (frame["visit"] == "3 years"))]
    cohort = cohort_of(frame, **ROLES)
    additive = standardized(fit(GEE("score ~ visit + sex", case=CASE), cohort), "visit", by="sex")
    assert np.isfinite(additive.frame["estimate"]).all()
    assert "Nobody was seen in M, 3 years" in " ".join(additive.about.notes)
    with pytest.warns(UserWarning, match="left out"):
        fitted = fit(GEE("score ~ visit * sex", case=CASE), cohort)
    found = standardized(fitted, "visit", by="sex")
    assert found.frame.set_index(["sex", "visit"])["estimate"].isna().tolist() == [False] * 5 + [True]
    rare = pd.DataFrame(
        {
            "id": np.repeat(np.arange(30), 3),
            "visit": list(TIMES) * 30,
            "score": [float(k % 2 if v < 2 else k < 2) for k in range(30) for v in range(3)],
            "sex": np.repeat(np.where(np.arange(30) < 3, "M", "F"), 3),
        }
    )
    few = fit(GEE("score ~ visit", small_sample="kauermann-carroll", working="independence"), cohort_of(rare))
    told = standardized(few, "visit", n_replicates=200, seed=2)
    none = told.answers.replicates[:, 2] < 1e-6  # replicates without an event at the last visit are answers: 0
    assert none.any()
    assert told.frame["conf_low"].iloc[2] < 1e-6
    ratio = risk_contrasts(told, measure="ratio").frame.iloc[1]
    assert ratio["conf_low"] < 1e-4
    male = fit(GEE("score ~ visit + sex", working="independence"), cohort_of(rare, covariates={"sex": {}}))
    told = standardized(male, "visit", n_replicates=200, seed=2)
    assert any(notice.code == "N-MODEL-REPLICATES" for notice in told.notices)


def test_cells_with_few_events_are_hidden(gee, cohort):
    policy = Policy(min_cell=10)
    rare = fit(GEE("score ~ visit", case=">= 4.1", working="independence"), cohort)
    means = standardized(rare, "visit")
    assert (means.frame["n"] > 60).all()
    assert means.cells.min() < 10
    shown = protect(means, policy).frame
    assert shown["hidden"].tolist() == (means.cells < 10).any(axis=1).tolist()
    assert shown.loc[shown["hidden"], "estimate"].isna().all()
    changes = protect(contrast(means), policy).frame
    assert changes["hidden"].any()
