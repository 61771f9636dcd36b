"""Estimating equations where they must be something simpler."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import cohort_of, scores
from tolerances import IDENTITY

from burnout_stats.cohort import read_cohort
from burnout_stats.inference import contrast, emmeans, summarize
from burnout_stats.inference.standardization import standardized
from burnout_stats.models import MMRM, fit
from burnout_stats.models.gee import GEE
from burnout_stats.models.gee_fit import fit_gee

ROLES = {"covariates": {"sex": {"levels": ["F", "M"]}, "age": {}}}
CASE = ">= 2.7"


@pytest.fixture(scope="module")
def frame():
    return scores(80, seed=3, seen=0.8)


def test_independence_with_the_identity_is_least_squares_with_cr0(frame):
    cohort = cohort_of(frame, **ROLES)
    spec = GEE("score ~ visit + sex + age", family="gaussian", working="independence", small_sample=None)
    ours = fit_gee(spec, cohort)
    X = ours.rows.z[:, :-1]
    y = ours.rows.z[:, -1]
    beta = np.linalg.lstsq(X, y, rcond=None)[0]
    np.testing.assert_allclose(ours.coef, beta, rtol=IDENTITY)
    bread = np.linalg.inv(X.T @ X)
    u = np.zeros((ours.n_subjects, X.shape[1]))
    np.add.at(u, ours.rows.subject, X * (y - X @ beta)[:, None])
    np.testing.assert_allclose(ours.vcov, bread @ u.T @ u @ bread, rtol=1e-7)


def test_complete_data_do_not_need_a_working_correlation():
    """Saturated in the visits, every working correlation gives the observed proportions."""
    cohort = cohort_of(scores(60, seed=5), **ROLES)
    wide = cohort.data.pivot(index="subject", columns="visit", values="score") >= 2.7
    p = wide.mean().to_numpy()
    difference = wide.iloc[:, 2].astype(float) - wide.iloc[:, 0]
    for working in ("independence", "exchangeable", "ar1", "unstructured"):
        ours = fit_gee(GEE("score ~ visit", case=CASE, working=working, small_sample=None), cohort)
        means = standardized(ours, "visit")
        np.testing.assert_allclose(means.frame["estimate"], p, rtol=IDENTITY)
        change = contrast(means).frame.iloc[1]
        np.testing.assert_allclose(change["estimate"], difference.mean(), rtol=IDENTITY)
        np.testing.assert_allclose(change["std_error"], difference.std(ddof=0) / np.sqrt(60), rtol=IDENTITY)


def test_the_corrections_of_one_mean_are_n_less_one():
    """With one visit and an intercept, all leverages are 1/n: plain n, two corrections n − 1, one its square."""
    cohort = cohort_of(scores(30, seed=6).query("visit == 'baseline'"))
    y = cohort.data["score"].to_numpy()
    plain = y.var(ddof=0) / 30
    for kind, factor in (
        ("robust", 1),
        ("kauermann-carroll", 30 / 29),
        ("fay-graubard", 30 / 29),
        ("mancl-derouen", (30 / 29) ** 2),
    ):
        ours = fit_gee(GEE("score ~ 1", family="gaussian", working="independence"), cohort)
        found = summarize(ours, vcov=kind, df="satterthwaite").frame.iloc[0]
        np.testing.assert_allclose(found["std_error"] ** 2, plain * factor, rtol=IDENTITY)
        np.testing.assert_allclose(found["df"], 29, rtol=IDENTITY)


def test_frequency_weights_are_repeated_subjects(frame):
    copies = {name: 1 + k % 3 for k, name in enumerate(frame["id"].unique())}
    weighted = frame.assign(copies=frame["id"].map(copies))
    repeated = pd.concat(
        [frame[frame["id"].map(copies) > k].assign(id=lambda rows, k=k: rows["id"] + f"/{k}") for k in range(3)]
    )
    spec = "score ~ visit + sex"
    one = fit_gee(
        GEE(spec, case=CASE, weights="copies"), cohort_of(weighted, covariates={**ROLES["covariates"], "copies": {}})
    )
    many = fit_gee(GEE(spec, case=CASE), cohort_of(repeated, **ROLES))
    np.testing.assert_allclose(one.coef, many.coef, rtol=1e-7)
    a, b = summarize(one).frame, summarize(many).frame
    np.testing.assert_allclose(a[["std_error", "df"]], b[["std_error", "df"]], rtol=1e-7)
    both = [standardized(each, "visit", covariates="sampled") for each in (one, many)]
    np.testing.assert_allclose(both[0].vcov, both[1].vcov, rtol=1e-6)


def test_the_scale_of_probability_weights_says_nothing(frame):
    rng = np.random.default_rng(1)
    w = {name: rng.uniform(0.5, 2) for name in frame["id"].unique()}
    found = []
    for factor in (1.0, 40.0):
        cohort = cohort_of(frame.assign(w=frame["id"].map(w) * factor), covariates={**ROLES["covariates"], "w": {}})
        spec = GEE("score ~ visit + sex", case=CASE, weights="w", weights_kind="probability")
        found.append(summarize(fit_gee(spec, cohort)).frame[["estimate", "std_error", "df"]].to_numpy())
    np.testing.assert_allclose(found[0], found[1], rtol=1e-7)


def test_what_rows_and_levels_are_called_changes_nothing(frame):
    base = emmeans(fit_gee(GEE("score ~ visit * sex + age", case=CASE), cohort_of(frame, **ROLES)), "visit", by="sex")
    turned = frame.sample(frac=1, random_state=1).assign(sex=lambda rows: rows["sex"].map({"F": "x", "M": "a"}))
    other = cohort_of(turned, covariates={"sex": {"levels": ["a", "x"]}, "age": {}})
    again = emmeans(fit_gee(GEE("score ~ visit * sex + age", case=CASE), other), "visit", by="sex")
    a = base.frame.set_index(["sex", "visit"])[["estimate", "std_error", "df"]].rename({"F": "x", "M": "a"})
    b = again.frame.set_index(["sex", "visit"])[["estimate", "std_error", "df"]].loc[a.index]
    np.testing.assert_allclose(a, b, rtol=1e-6)


def test_events_and_the_rest_are_mirrored(frame):
    cohort = cohort_of(frame, **ROLES)
    yes, no = (summarize(fit_gee(GEE("score ~ visit + age", case=case), cohort)).frame for case in (CASE, "< 2.7"))
    np.testing.assert_allclose(yes["estimate"], -no["estimate"], rtol=1e-7)
    np.testing.assert_allclose(yes["std_error"], no["std_error"], rtol=1e-7)


def test_subjects_without_the_outcome_change_nothing(frame):
    more = pd.concat(
        [frame, frame[frame["visit"] == "baseline"].head(5).assign(id=lambda r: "z" + r["id"], score=np.nan)]
    )
    spec = GEE("score ~ visit + sex", case=CASE)
    a, b = (fit_gee(spec, cohort_of(each, **ROLES)) for each in (frame, more))
    np.testing.assert_allclose(a.coef, b.coef, rtol=IDENTITY)


def test_a_linear_model_is_averaged_to_its_marginal_means(frame):
    cohort = cohort_of(frame, **ROLES)
    ours = fit(MMRM("score ~ visit + sex + age"), cohort)
    a, b = standardized(ours, "visit", cohort=cohort), emmeans(ours, "visit")
    np.testing.assert_allclose(a.frame["estimate"], b.frame["estimate"], rtol=IDENTITY)
    np.testing.assert_allclose(a.vcov, b.vcov, rtol=1e-7)


def test_a_missed_visit_keeps_its_place():
    """Of three visits the second is missed by all: the distance of the others is still two places."""
    rng = np.random.default_rng(8)
    own = rng.normal(size=40)
    rows = [
        {"id": k, "visit": v, "score": own[k] + rng.normal()}
        for k in range(40)
        for v in ("a", "b", "c")
        if v != "b" or k == 0
    ]
    cohort = read_cohort(
        pd.DataFrame(rows), subject="id", visit="visit", times={"a": 0, "b": 1, "c": 2}, outcomes=["score"]
    )
    ours = fit_gee(GEE("score ~ years", family="gaussian", working="ar1"), cohort)
    R = ours.correlation.to_numpy()
    np.testing.assert_allclose(R[0, 2], R[0, 1] ** 2, rtol=IDENTITY)
    r = ours.rows.z[:, -1] - ours.rows.z[:, :-1] @ ours.coef.to_numpy()
    first, last = (r[ours.rows.visit == v] for v in (0, 2))
    z = first @ last / (ours.scale * 40)
    assert abs(R[0, 2] - z) < 0.05  # all pairs but two are of this distance
