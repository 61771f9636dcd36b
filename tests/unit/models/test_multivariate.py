"""Models of several outcomes: what may be asked of them, and what they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from burnout_stats.cohort import read_cohort
from burnout_stats.errors import ModelError, StudyError
from burnout_stats.inference import (
    change_correlations,
    global_change,
    outcome_changes,
    outcome_tests,
    summarize,
    term_tests,
)
from burnout_stats.models import MultivariateMMRM, fit_multivariate
from burnout_stats.studies import example
from burnout_stats.tables import contrasts

TWO = ("exhaustion", "job_stress")


@pytest.fixture(scope="module")
def fitted():
    return fit_multivariate(MultivariateMMRM(TWO, "visit * sex + age"), example("villa_sana"))


def test_a_question_holds_no_data_and_equals_its_like():
    assert MultivariateMMRM(["exhaustion", "job_stress"], "visit") == MultivariateMMRM(TWO, "visit", covariance="us")
    assert hash(MultivariateMMRM(TWO, "visit")) == hash(MultivariateMMRM(TWO, "visit"))


@pytest.mark.raises_code("E-STUDY-VALUE")
@pytest.mark.parametrize("outcomes", [(), ("exhaustion", "exhaustion")])
def test_outcomes_differ_from_each_other(outcomes):
    with pytest.raises(StudyError) as raised:
        MultivariateMMRM(outcomes, "visit")
    assert raised.value.code == "E-STUDY-VALUE"


@pytest.mark.raises_code("E-STUDY-OPTION")
@pytest.mark.parametrize("said", [{"covariance": "cs"}, {"over_visits": "un"}, {"method": "map"}])
def test_options_are_those_of_the_tables(said):
    with pytest.raises(StudyError) as raised:
        MultivariateMMRM(TWO, "visit", **said)
    assert raised.value.code == "E-STUDY-OPTION"


@pytest.mark.raises_code("E-STUDY-FORMULA")
@pytest.mark.parametrize("formula", ["visit + (1 | subject)", "visit + (1 | clinic)", "visit ~ sex"])
def test_formulas_are_fixed_effects_only(formula):
    with pytest.raises(StudyError) as raised:
        MultivariateMMRM(TWO, formula)
    assert raised.value.code == "E-STUDY-FORMULA"


def test_the_whole_fit_tells_what_it_is(fitted):
    assert fitted.converged
    assert fitted.n_subjects == 227
    assert fitted.covariance.shape == (6, 6)
    assert fitted.n_parameters == 21
    assert fitted.visits.labels == ("baseline", "1 year", "3 years")
    assert fitted.varcorr.loc[("job_stress", "baseline"), "sd"] == pytest.approx(0.73, abs=0.06)
    assert "one model" in " ".join(fitted.notes).casefold()
    assert "job_stress" in repr(fitted)


def test_one_outcome_answers_like_a_fit(fitted):
    one = fitted.of("job_stress")
    assert one.spec.formula.startswith("job_stress ~")
    assert len(summarize(one).frame) == 7
    assert set(term_tests(one).frame["term"]) == {"visit", "sex", "age", "visit:sex"}
    assert one.n_subjects == 227
    assert one.null.shape == (7, 0)
    with pytest.raises(StudyError, match="job_stress"):
        fitted.of("depression")


def test_robust_errors_are_asked_by_name(fitted):
    robust = summarize(fitted.of("exhaustion"), vcov="cr2").frame
    plain = summarize(fitted.of("exhaustion")).frame
    np.testing.assert_allclose(robust["estimate"], plain["estimate"])
    assert (
        0.7 < (robust["std_error"] / plain["std_error"]).min() < (robust["std_error"] / plain["std_error"]).max() < 1.4
    )


def test_degrees_of_freedom_that_mean_nothing_here_are_refused(fitted):
    with pytest.raises(StudyError, match="between-within"):
        outcome_changes(fitted, df="between-within")


def test_products_need_fewer_parameters_and_fit_less_well():
    cohort = example("villa_sana")
    us = fit_multivariate(MultivariateMMRM(TWO, "visit"), cohort)
    product = fit_multivariate(MultivariateMMRM(TWO, "visit", covariance="kronecker", over_visits="ar1"), cohort)
    assert (product.n_parameters, us.n_parameters) == (4, 21)
    assert product.loglik < us.loglik
    assert product.aic == pytest.approx(-2 * product.loglik + 8)
    correlation = product.varcorr.iloc[:, 1:].to_numpy()
    np.testing.assert_allclose(correlation[:3, :3], correlation[3:, 3:], rtol=1e-10)
    assert "first-order" in product.spec.structure_name


@pytest.mark.filterwarnings("ignore:.N-DATA-UNMEASURED")  # that is what the test is about
def test_an_outcome_may_be_missing_at_a_visit_altogether():
    cohort = example("villa_sana")
    frame = cohort.frame
    frame = frame.assign(job_stress=frame["job_stress"].where(frame["visit"] != "1 year"))
    fewer = read_cohort(
        frame[["subject", "visit", *TWO]].rename(columns={"subject": "id"}),
        subject="id",
        visit="visit",
        times=cohort.visits.by_label(),
        outcomes={name: {"better": "lower"} for name in TWO},
    )
    fitted = fit_multivariate(MultivariateMMRM(TWO, "years"), fewer)
    assert fitted.covariance.shape == (5, 5)
    assert fitted.of("job_stress").visits.labels == ("baseline", "3 years")
    correlations = change_correlations(fitted).frame
    assert set(correlations["contrast"]) == {"3 years - baseline"}


def test_changes_and_tests_are_tables(fitted):
    assert len(contrasts(outcome_changes(fitted, by="sex")).rows) == 8
    text = str(outcome_tests(fitted))
    assert "all outcomes, all visits" in text
    assert "as one hypothesis" in text
    shown = str(change_correlations(fitted))
    assert "mood or error that day" in shown
    assert "which came first" in shown


def test_weights_of_the_global_change_are_told(fitted):
    told = global_change(fitted, weights="gls", standardizer="change_sd")
    assert "Weights: Emotional exhaustion" in str(told)
    assert "change" in told.about.notes[0]
    assert told.about.units == {"all": "SD"}


def test_higher_may_be_better(fitted):
    one = global_change(fitted, standardizer={"exhaustion": 1.0, "job_stress": 1e9}).frame["estimate"]
    other = global_change(
        fitted, standardizer={"exhaustion": 1.0, "job_stress": 1e9}, better={"exhaustion": "higher"}
    ).frame["estimate"]
    np.testing.assert_allclose(one, -other, atol=1e-8)


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_questions_that_have_no_answer(fitted):
    cohort = example("villa_sana")
    alone = fit_multivariate(MultivariateMMRM(("exhaustion",), "visit"), cohort)
    with pytest.raises(StudyError, match="two outcomes"):
        change_correlations(alone)
    with pytest.raises(StudyError, match="above 0"):
        global_change(fitted, standardizer={"exhaustion": 1.0})
    with pytest.raises(StudyError, match="which end"):
        global_change(fitted, better={"exhaustion": "left"})
    many = {f"y{k}": cohort.frame["exhaustion"] ** (1 + k / 10) for k in range(11)}
    wide = read_cohort(
        pd.DataFrame({"id": cohort.frame["subject"], "visit": cohort.frame["visit"], **many}),
        subject="id",
        visit="visit",
        times=cohort.visits.by_label(),
        outcomes=list(many),
    )
    with pytest.raises(StudyError, match="up to 30"):
        fit_multivariate(MultivariateMMRM(tuple(many), "visit"), wide)


@pytest.mark.raises_code("E-STUDY-RELIABILITY")
def test_reliabilities_are_shares(fitted):
    with pytest.raises(StudyError) as raised:
        change_correlations(fitted, reliability={"exhaustion": 1.2})
    assert raised.value.code == "E-STUDY-RELIABILITY"
    with pytest.raises(StudyError, match="not in the model"):
        change_correlations(fitted, reliability={"exhaust": 0.9})


def test_reliabilities_that_leave_no_variance_have_no_correlation(fitted):
    told = change_correlations(fitted, reliability={"exhaustion": 0.2, "job_stress": 0.9}).frame
    assert told.loc[told["version"] == "latent", "estimate"].isna().all()
    assert told.loc[told["version"] == "change", "conf_low"].notna().all()


@pytest.mark.filterwarnings("ignore:.N-DATA-SAME")  # that is what the test is about
def test_a_copy_of_an_outcome_has_no_answer():
    cohort = example("villa_sana")
    frame = cohort.frame[["subject", "visit", "exhaustion"]].rename(columns={"subject": "id"})
    twice = read_cohort(
        frame.assign(again=frame["exhaustion"]),
        subject="id",
        visit="visit",
        times=cohort.visits.by_label(),
        outcomes=["exhaustion", "again"],
    )
    with pytest.raises(ModelError) as raised:
        fit_multivariate(MultivariateMMRM(("exhaustion", "again"), "visit"), twice)
    assert raised.value.code == "E-MODEL-SINGULAR"
