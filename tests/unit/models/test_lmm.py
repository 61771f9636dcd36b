"""`LMM`, `ranef` and `predict`: what is asked, refused and said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import TIMES, cohort_of, scores

from burnout_stats.errors import ModelError, StudyError
from burnout_stats.inference import joint_test, summarize
from burnout_stats.models import LMM, MMRM, fit
from burnout_stats.models.prediction import predict, ranef
from burnout_stats.notices import BurnoutStatsWarning


@pytest.fixture(scope="module")
def cohort():
    frame = scores(50, seed=2, seen=0.8)
    frame["when"] = frame["visit"].map(TIMES) + np.random.default_rng(0).uniform(0, 0.3, len(frame))
    frame["copies"] = 2.0
    return cohort_of(frame, covariates={"sex": {}, "age": {}, "when": {}, "copies": {}})


@pytest.fixture(scope="module")
def nominal(cohort):
    return fit(LMM("score ~ visit * sex + (1 | subject)"), cohort)


@pytest.fixture(scope="module")
def exact(cohort):
    return fit(LMM("score ~ when + sex + (0 + when | subject)"), cohort)


def test_questions_compare():
    assert LMM("a ~ 1 + (1 | subject)") == LMM("a ~ 1 + (1 | subject)", method="reml")
    assert LMM("a ~ 1 + (1 | subject)") != LMM("a ~ 1 + (1 | subject)", method="ml")
    assert LMM("a ~ b + (b || subject) + (1 | subject)").structure_name == (
        "random-effects (1 + b || subject) + (1 | subject)"
    )


@pytest.mark.raises_code("E-STUDY-FORMULA", "E-STUDY-CLUSTER", "E-STUDY-OPTION")
def test_questions_that_are_refused(cohort):
    with pytest.raises(StudyError, match="has no random effects"):
        LMM("score ~ visit")
    for part in ("(1 + years | clinic)", "(0 + years | clinic)", "(1 | clinic) + (1 | town)"):
        with pytest.raises(StudyError, match="one random intercept"):
            LMM(f"score ~ visit + (1 | subject) + {part}")
        with pytest.raises(StudyError, match="one random intercept"):
            MMRM(f"score ~ visit + {part}")
    with pytest.raises(StudyError, match="weights_kind"):
        LMM("score ~ visit + (1 | subject)", weights="copies", weights_kind="probability")
    with pytest.raises(StudyError, match="hold nothing"):
        fit(LMM("score ~ visit + (0 | subject)"), cohort)
    with pytest.raises(StudyError, match="random effects for `subject`"):
        MMRM("score ~ visit + (1 | subject)")


@pytest.mark.raises_code("E-MODEL-RANDOM")
@pytest.mark.parametrize(
    "part", ["(visit | subject)", "(1 | subject) + (1 + years | subject)", "(1 + when + per(when, 2) | subject)"]
)
def test_variances_that_cannot_be_told_apart(cohort, part):
    with pytest.raises(ModelError, match="cannot be told apart"):
        fit(LMM(f"score ~ visit + {part}"), cohort)


@pytest.mark.raises_code("E-MODEL-RANDOM")
def test_a_single_row_in_every_subject(cohort):
    one = cohort_of(scores(30, seed=5).query("visit == 'baseline'"))
    with pytest.raises(ModelError, match="cannot be told apart"):
        fit(LMM("score ~ age + (1 | subject)"), one)


@pytest.mark.raises_code("E-MODEL-NOT-NOMINAL")
def test_what_needs_one_covariance(exact):
    for ask in (lambda: exact.covariance, lambda: exact.state.moments, lambda: exact.state.covariance):
        with pytest.raises(ModelError, match="every subject has another covariance"):
            ask()


@pytest.mark.raises_code("E-MODEL-NO-RANDOM")
def test_a_model_without_random_effects(cohort):
    fitted = fit(MMRM("score ~ visit"), cohort)
    with pytest.raises(ModelError, match="has no random effects"):
        ranef(fitted)
    with pytest.raises(ModelError, match="has no random effects"):
        predict(fitted, level="conditional")


def test_a_fit_describes_itself(nominal, exact):
    assert list(nominal.varcorr.index) == ["Intercept", "residual"]
    assert list(nominal.varcorr.columns) == ["sd", "Intercept"]
    assert list(exact.varcorr.index) == ["when", "residual"]
    assert "SD of random effects" in str(nominal)
    assert nominal.n_parameters == exact.n_parameters == 2
    assert exact.converged
    assert exact.optimum.iterations > 1
    assert nominal.covariance.shape == (3, 3)
    assert list(exact.coef.index) == ["Intercept", "when", "sex[M]"]
    assert joint_test(exact, np.eye(3)[1:]).frame["num_df"].iloc[0] == 2


def test_aliased_columns_take_the_row_path_too(cohort):
    with pytest.warns(BurnoutStatsWarning, match="N-MODEL-ALIASED"):
        twice = fit(LMM("score ~ when + per(when, 2) + sex + (0 + when | subject)"), cohort)
    once = fit(LMM("score ~ when + sex + (0 + when | subject)"), cohort)
    assert twice.loglik == pytest.approx(once.loglik, rel=1e-9)
    pd.testing.assert_frame_equal(ranef(twice), ranef(once), rtol=1e-7)
    pd.testing.assert_frame_equal(predict(twice, level="conditional"), predict(once, level="conditional"), rtol=1e-6)


def test_every_subject_with_an_outcome_has_random_effects(cohort):
    with pytest.warns(BurnoutStatsWarning, match="random slope of `years` is 0"):
        fitted = fit(LMM("score ~ visit + (1 + years || subject)"), cohort)
    effects = ranef(fitted)
    assert len(effects) == 2 * fitted.n_subjects
    assert (effects.loc[effects["term"] == "years", "estimate"] == 0).all()
    assert (effects["std_error"] >= effects["std_error_conditional"]).all()
    assert effects.groupby("term")["estimate"].sum().abs().max() < 1e-8


def test_new_subjects_and_known_ones(nominal):
    rows = predict(nominal, level="conditional", interval="prediction")
    first = rows.iloc[[0]]
    frame = pd.DataFrame({"visit": first["visit"], "sex": ["F"], "subject": first["subject"]})
    marginal = predict(nominal, frame)
    known = predict(nominal, frame, level="conditional", interval="prediction")
    new = predict(nominal, frame.assign(subject=-5), level="conditional", interval="prediction")
    nobody = predict(nominal, frame.drop(columns="subject"), level="conditional", interval="prediction")
    scored = predict(nominal, frame, interval="prediction")
    effect = ranef(nominal)["estimate"].iloc[0]
    assert known["estimate"].iloc[0] == pytest.approx(marginal["estimate"].iloc[0] + effect)
    assert new["estimate"].iloc[0] == marginal["estimate"].iloc[0]
    assert new["std_error"].iloc[0] == pytest.approx(scored["std_error"].iloc[0])
    assert nobody["std_error"].iloc[0] == new["std_error"].iloc[0]
    assert known["std_error"].iloc[0] < new["std_error"].iloc[0]


def test_years_or_visit_may_be_left_out(cohort):
    by_years = fit(LMM("score ~ years + (1 | subject)"), cohort)
    a = predict(by_years, pd.DataFrame({"visit": ["1 year", "3 years"]}))
    b = predict(by_years, pd.DataFrame({"years": [1, 3]}))
    np.testing.assert_array_equal(a["estimate"], b["estimate"])
    unstructured = fit(MMRM("score ~ years"), cohort)
    variance = predict(unstructured, pd.DataFrame({"years": [3]}), interval="prediction")["std_error"] ** 2
    assert variance.iloc[0] > unstructured.covariance.loc["3 years", "3 years"]


@pytest.mark.raises_code("E-STUDY-COLUMN", "E-STUDY-VALUE", "E-STUDY-OPTION")
@pytest.mark.parametrize(
    ("frame", "asked", "message"),
    [
        ({"sex": ["F"]}, {}, "`visit` is not in the new data"),
        ({"visit": ["1 year"]}, {}, "`sex` is not in the new data"),
        ({"visit": ["2 years"], "sex": ["F"]}, {}, "`visit` is '2 years'"),
        ({"visit": ["1 year"], "sex": ["X"]}, {}, "`sex` is 'X'"),
        (None, {"level": "own"}, "level"),
        (None, {"interval": "credible"}, "interval"),
        (None, {"conf_level": 1.5}, "conf_level"),
    ],
)
def test_new_data_that_are_refused(nominal, frame, asked, message):
    with pytest.raises(StudyError, match=message):
        predict(nominal, None if frame is None else pd.DataFrame(frame), **asked)
    with pytest.raises(StudyError):  # the same codes, in one test
        predict(nominal, pd.DataFrame({"visit": ["x"], "sex": ["F"]}))
    with pytest.raises(StudyError):
        predict(nominal, pd.DataFrame({}))
    with pytest.raises(StudyError):
        predict(nominal, level="")


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_new_numbers_that_are_refused(cohort, exact):
    with pytest.raises(StudyError, match="`when` is 'soon'"):
        predict(exact, pd.DataFrame({"when": ["soon"], "sex": ["F"]}))
    with pytest.raises(StudyError, match=r"`years` is '2\.0'"):
        predict(fit(MMRM("score ~ years"), cohort), pd.DataFrame({"years": [2]}), interval="prediction")


def test_a_missing_random_covariate_leaves_the_row_out(cohort):
    frame = scores(40, seed=9)
    frame["when"] = frame["visit"].map(TIMES) + 0.1
    frame.loc[0, "when"] = np.nan
    with pytest.warns(BurnoutStatsWarning, match="Fewer than 5 rows"):
        fitted = fit(LMM("score ~ visit + (0 + when | subject)"), cohort_of(frame, covariates={"when": {}}))
    assert fitted.n_obs == 119
    assert np.isfinite(summarize(fitted).frame["std_error"]).all()


@pytest.fixture(scope="module")
def clinics():
    frame = scores(60, seed=12, seen=0.8)
    who = pd.factorize(frame["id"])[0]
    rng = np.random.default_rng(3)
    frame["clinic"] = np.array([f"c{k}" for k in range(8)])[who % 8]
    frame["score"] += rng.normal(0, 0.8, 8)[who % 8]
    frame["when"] = frame["visit"].map(TIMES) + 0.1 * rng.random(len(frame))
    frame["own"] = who
    frame["copies"] = who % 3 + 1
    return frame


def with_clinics(frame):
    return cohort_of(frame, covariates={"sex": {}, "age": {}, "clinic": {}, "when": {}, "own": {}, "copies": {}})


def test_clusters_describe_themselves(clinics):
    fitted = fit(MMRM("score ~ visit + age + (1 | clinic)"), with_clinics(clinics))
    assert fitted.clusters.n_clusters == 8
    assert fitted.n_parameters == 7
    assert fitted.varcorr.loc["clinic", "sd"] == fitted.clusters.sd > 0
    without = fit(MMRM("score ~ visit + age"), with_clinics(clinics))
    assert fitted.loglik > without.loglik
    assert (fitted.n_obs, fitted.n_subjects) == (without.n_obs, without.n_subjects)
    scored = predict(fitted, interval="prediction", df="asymptotic")["std_error"].iloc[0]
    mean = predict(fitted, df="asymptotic")["std_error"].iloc[0]
    assert scored**2 - mean**2 == pytest.approx(fitted.covariance.iloc[0, 0])


def test_frequency_weights_in_clusters_are_copies(clinics):
    formula = "score ~ visit + (1 | clinic)"
    weighted = fit(MMRM(formula, weights="copies"), with_clinics(clinics))
    parts = [clinics.assign(id=clinics["id"] + f"_{k}")[clinics["copies"] > k] for k in range(3)]
    repeated = fit(MMRM(formula), with_clinics(pd.concat(parts)))
    assert weighted.loglik == pytest.approx(repeated.loglik, rel=1e-9)
    assert weighted.clusters.sd == pytest.approx(repeated.clusters.sd, rel=1e-6)


@pytest.mark.raises_code("N-MODEL-BOUNDARY")
def test_no_variance_between_clusters(clinics):
    frame = clinics.assign(clinic=np.array(["a", "b", "c"])[pd.factorize(clinics["id"])[0] % 3])
    frame["score"] = frame["score"] - frame.groupby("clinic")["score"].transform("mean")
    with pytest.warns(BurnoutStatsWarning, match="between the levels of `clinic` is 0"):
        ours = fit(MMRM("score ~ visit + age + (1 | clinic)"), with_clinics(frame))
    plain = fit(MMRM("score ~ visit + age"), with_clinics(frame))
    assert ours.clusters.sd == 0
    assert ours.converged
    a, b = summarize(ours).frame, summarize(plain).frame
    np.testing.assert_allclose(a[["estimate", "std_error", "df"]], b[["estimate", "std_error", "df"]], rtol=1e-7)


@pytest.mark.raises_code("E-MODEL-CLUSTERED")
def test_what_needs_independent_subjects(clinics):
    fitted = fit(LMM("score ~ visit + (1 | subject) + (1 | clinic)"), with_clinics(clinics))
    asked = (
        lambda: ranef(fitted),
        lambda: predict(fitted, level="conditional"),
        lambda: fitted.state.moments,
        lambda: fitted.state.covariance,
    )
    for ask in asked:
        with pytest.raises(ModelError, match="the subjects of one cluster are correlated"):
            ask()


@pytest.mark.raises_code("E-STUDY-CLUSTER", "E-MODEL-RANDOM", "E-MODEL-CHANGES")
def test_clusters_that_are_refused(clinics):
    cohort = with_clinics(clinics)
    with pytest.raises(StudyError, match="times of each subject's own"):
        fit(LMM("score ~ visit + (0 + when | subject) + (1 | clinic)"), cohort)
    with pytest.raises(ModelError, match="has 60 levels for 60 subjects"):
        fit(MMRM("score ~ visit + (1 | own)"), cohort)
    with pytest.raises(ModelError, match="changes between the visits"):
        fit(MMRM("score ~ age + (1 | when)"), cohort)
