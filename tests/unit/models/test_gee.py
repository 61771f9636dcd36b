"""`GEE` and its fit: what is refused, what is noticed, and how it answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import cohort_of, scores

from burnout_stats.cohort import read_cohort
from burnout_stats.errors import ModelError, StudyError
from burnout_stats.inference import combine, contrast, emmeans, joint_test, summarize, term_tests
from burnout_stats.models import MMRM, fit, tally
from burnout_stats.models.gee import GEE
from burnout_stats.models.gee_fit import GeeFit
from burnout_stats.notices import BurnoutStatsWarning

ROLES = {"covariates": {"sex": {"levels": ["F", "M"]}, "age": {}}}
CASE = ">= 2.7"


@pytest.fixture(scope="module")
def frame():
    return scores(60, seed=1, seen=0.8)


@pytest.fixture(scope="module")
def fitted(frame):
    return fit(GEE("score ~ visit * sex + age", case=CASE), cohort_of(frame, **ROLES))


def small(y):
    """Subjects with scores y (n × visits), NaN where missed, in two groups by turns."""
    y = np.asarray(y, dtype=float)
    rows = [
        {"id": f"{i}", "visit": "abcd"[k], "y": y[i, k], "arm": "AB"[i % 2]}
        for i in range(len(y))
        for k in range(y.shape[1])
        if not np.isnan(y[i, k])
    ]
    times = {label: k for k, label in enumerate("abcd"[: y.shape[1]])}
    return read_cohort(
        pd.DataFrame(rows),
        subject="id",
        visit="visit",
        times=times,
        outcomes=["y"],
        covariates={"arm": {"levels": ["A", "B"]}},
    )


def test_a_question_is_a_value():
    assert GEE("y ~ visit") == GEE("y ~ visit", family="binomial", working="exchangeable")
    assert GEE("y ~ visit", family="poisson").link_name == "log"
    assert GEE("y ~ visit", working="ar1").structure_name == "first-order autoregressive working correlation"
    assert GEE("y ~ visit").method == "gee"


@pytest.mark.raises_code("E-STUDY-FORMULA", "E-STUDY-OPTION", "E-STUDY-VALUE")
def test_questions_that_are_refused():
    with pytest.raises(StudyError, match="mean over subjects"):
        GEE("y ~ visit + (1 | subject)")
    for bad in (
        {"family": "ordinal"},
        {"link": "cauchit"},
        {"family": "poisson", "link": "logit"},
        {"working": "toeplitz"},
        {"small_sample": "hc3"},
        {"weights_kind": "sampling"},
    ):
        with pytest.raises(StudyError):
            GEE("y ~ visit", **bad)
    with pytest.raises(StudyError, match="sign and a number"):
        GEE("y ~ visit", case="high")


def test_a_fit_describes_itself(fitted):
    assert isinstance(fitted, GeeFit)
    assert fitted.converged
    assert list(fitted.visits.labels) == ["baseline", "1 year", "3 years"]
    assert fitted.n_obs == len(fitted.rows.subject)
    assert "mean is that over subjects" in fitted.notes[1]
    assert fitted.notes[0] == "Counted: Score ≥ 2.7."
    first, second = fitted._tables()
    assert "Mancl" in " ".join(first.notes)
    assert [row.cells[0] for row in second.rows] == list(fitted.visits.labels)
    assert "missing completely at random" in " ".join(summarize(fitted).about.notes)
    assert "binomial" in GeeFit.__repr__(fitted)


def test_it_answers_every_question(fitted):
    means = emmeans(fitted, "visit", by="sex")
    assert means.about.vcov == "mancl-derouen"
    changes = contrast(means)
    assert np.isfinite(changes.frame[["estimate", "std_error", "df", "p_value"]].to_numpy()).all()
    joint = joint_test(fitted, changes).frame.iloc[0]
    assert joint["num_df"] == 4
    assert set(term_tests(fitted).frame["term"]) == {"visit", "sex", "age", "visit:sex"}


def test_several_models_stand_in_one_table(fitted, frame):
    other = fit(GEE("score ~ visit * sex + age", case=">= 2.4"), cohort_of(frame, **ROLES))
    both = combine(contrast(emmeans(fitted, "visit")), contrast(emmeans(other, "visit")))
    assert len(both.frame) == 4
    with pytest.raises(StudyError, match="one kind"):
        combine(summarize(fitted), summarize(fit(GEE("score ~ visit", family="gaussian"), cohort_of(frame, **ROLES))))


def test_corrections_stand_in_their_order(fitted):
    at = {
        kind: np.sqrt(np.diag(fitted.answer(np.eye(7), vcov=kind).vcov))
        for kind in ("robust", "kauermann-carroll", "mancl-derouen")
    }
    assert (at["robust"] < at["kauermann-carroll"]).all()
    assert (at["kauermann-carroll"] < at["mancl-derouen"]).all()
    for kind, df in (("robust", "asymptotic"), ("fay-graubard", "fay-graubard"), ("model", "asymptotic")):
        answer = fitted.answer(np.eye(7), vcov=kind)
        assert answer.method == df
        assert answer.vcov_name == kind
    assert fitted.answer(np.eye(7), df="subjects").df.tolist() == [53.0] * 7
    one = fitted.answer_joint(np.eye(7)[[1]], vcov="fay-graubard")
    row = fitted.answer(np.eye(7)[[1]], vcov="fay-graubard")
    np.testing.assert_allclose(one.df, row.df[0])
    np.testing.assert_allclose(one.statistic, row.estimate[0] ** 2 / row.vcov[0, 0])
    assert fitted.answer_joint(np.eye(7)[1:3], vcov="fay-graubard").method == "satterthwaite"
    assert np.isinf(fitted.answer_joint(np.eye(7)[1:3], vcov="model").df)


@pytest.mark.raises_code("E-MODEL-VCOV", "E-STUDY-OPTION", "E-MODEL-NOT-ESTIMABLE", "E-MODEL-FEW-CLUSTERS")
def test_answers_that_are_refused(fitted, frame):
    for asked in ({"vcov": "model", "df": "satterthwaite"}, {"vcov": "mancl-derouen", "df": "fay-graubard"}):
        with pytest.raises(ModelError, match="degrees of freedom are for"):
            fitted.answer(np.eye(7), **asked)
    for asked in ({"vcov": "cr2"}, {"df": "kenward-roger"}):
        with pytest.raises(StudyError):
            fitted.answer(np.eye(7), **asked)
    with pytest.raises(ModelError, match="cannot estimate"):
        fitted.answer_joint(np.zeros((1, 7)))
    weighted = cohort_of(frame.assign(w=frame["id"].str[1:].astype(int) % 3 + 1.0), covariates={"w": {}})
    probability = fit(GEE("score ~ visit", case=CASE, weights="w", weights_kind="probability"), weighted)
    assert "taken as known" in probability.notes[-1]
    with pytest.raises(ModelError, match="count a subject of weight 2"):
        summarize(probability, vcov="model")
    y = np.random.default_rng(2).normal(size=(7, 3))
    y[0, 2] = y[2, 1] = np.nan
    few = fit(GEE("y ~ visit * arm", family="gaussian", working="independence"), small(y))
    with pytest.raises(ModelError, match="too few subjects"):
        few.answer_joint(np.eye(6)[1:])


@pytest.mark.raises_code("E-MODEL-LEVERAGE")
def test_an_effect_that_rests_on_one_subject():
    y = np.random.default_rng(3).normal(size=(12, 2))
    frame = small(y).data
    rows = pd.DataFrame({"id": frame["subject"], "visit": frame["visit"].astype(str), "y": frame["y"]}).assign(
        one=lambda rows: np.where(rows["id"] == 1, "yes", "no")
    )
    cohort = read_cohort(
        rows,
        subject="id",
        visit="visit",
        times={"a": 0, "b": 1},
        outcomes=["y"],
        covariates={"one": {"levels": ["no", "yes"]}},
    )
    fitted = fit(GEE("y ~ visit + one", family="gaussian"), cohort)
    found = summarize(fitted).frame.set_index("term")
    assert np.isnan(found.loc["one[yes]", "std_error"])
    assert np.isfinite(found.loc["visit[b]", "std_error"])
    with pytest.raises(ModelError, match="rests on one subject"):
        fitted.answer_joint(np.eye(3)[[2]])


@pytest.mark.raises_code("E-MODEL-SEPARATION", "E-MODEL-NO-SPREAD", "E-MODEL-SATURATED", "E-MODEL-FAMILY")
def test_data_without_a_solution():
    rng = np.random.default_rng(4)
    events = rng.integers(0, 2, (30, 2)).astype(float)
    none = events.copy()
    none[1::2] = 0.0
    for family, link in (("binomial", None), ("binomial", "log"), ("poisson", None)):
        with pytest.raises(ModelError, match="run to infinity"):
            fit(GEE("y ~ visit + arm", family=family, link=link), small(none))
    with pytest.raises(ModelError, match="is the same"):
        fit(GEE("y ~ visit", case="> 9"), small(rng.normal(size=(20, 2))))
    with pytest.raises(ModelError, match="more of them than coefficients"):
        fit(GEE("y ~ visit * arm", family="gaussian"), small(rng.normal(size=(4, 2))))
    with pytest.raises(ModelError, match="no counts"):
        fit(GEE("y ~ visit", family="poisson"), small(rng.normal(size=(20, 2))))


@pytest.mark.raises_code("E-MODEL-PAIR-UNSEEN", "E-MODEL-WORKING")
def test_working_correlations_that_are_none():
    y = np.random.default_rng(5).normal(size=(30, 3))
    apart = y.copy()
    apart[::2, 0] = np.nan
    apart[1::2, 2] = np.nan
    with pytest.raises(ModelError, match="at both a and c"):
        fit(GEE("y ~ visit", family="gaussian", working="unstructured"), small(apart))
    # three correlations, each from other subjects, that contradict each other
    u = np.random.default_rng(6).normal(size=(40, 1))
    contradiction = np.full((122, 3), np.nan)
    contradiction[:40, [0, 1]] = np.hstack([u, u])
    contradiction[40:80, [1, 2]] = np.hstack([u, u])
    contradiction[80:120, [0, 2]] = np.hstack([u, -u])
    contradiction[120:] = [[1, 1, 1], [-1, -1, -1]]
    with pytest.raises(ModelError, match="contradict each other"):
        fit(GEE("y ~ visit", family="gaussian", working="unstructured"), small(contradiction + 1e-3 * np.arange(3)))


@pytest.mark.raises_code("N-MODEL-FEW-SUBJECTS", "N-MODEL-WORKING", "N-MODEL-ALIASED", "N-MODEL-NOT-ESTIMABLE")
def test_what_is_noticed():
    rng = np.random.default_rng(7)
    with pytest.warns(BurnoutStatsWarning, match="without a correction"):
        fit(GEE("y ~ visit", family="gaussian", small_sample=None), small(rng.normal(size=(20, 2))))
    own = rng.random((60, 1)) < 0.5
    strong = np.hstack([own, own, own & (rng.random((60, 1)) < 0.25)]).astype(float)
    with pytest.warns(BurnoutStatsWarning, match="stronger than some pairs"):
        fit(GEE("y ~ visit"), small(strong))
    empty = rng.integers(0, 2, (40, 2)).astype(float)
    empty[1::2, 1] = np.nan  # nobody of the second arm at the second visit
    with pytest.warns(BurnoutStatsWarning, match="left out"):
        fitted = fit(GEE("y ~ visit * arm"), small(empty))
    found = emmeans(fitted, "visit", by="arm")
    assert np.isnan(found.frame["estimate"]).sum() == 1
    assert np.isnan(summarize(fitted).frame["estimate"]).sum() == 1


@pytest.mark.raises_code("E-MODEL-NEEDS-ROWS")
def test_a_cohort_that_is_read_part_by_part(frame):
    cohort = cohort_of(frame, **ROLES)
    tallied = tally(MMRM("score ~ visit"), cohort)
    with pytest.raises(ModelError, match="read part by part"):
        fit(GEE("score ~ visit", case=CASE), tallied)


def test_few_subjects_are_not_told():
    fitted = fit(GEE("y ~ 1", family="gaussian"), small(np.random.default_rng(8).normal(size=(4, 2))))
    shown = GeeFit._tables(fitted)
    assert all(
        "hidden" in str(cell).lower() or not isinstance(cell, float) for row in shown[1].rows for cell in row.cells
    )
    assert "fewer than" in GeeFit.__repr__(fitted)
