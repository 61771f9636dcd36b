from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cohorts import cohort_of, scores

from burnout_stats.cohort import read_cohort
from burnout_stats.errors import ModelError, StudyError
from burnout_stats.inference import contrast, emmeans, summarize
from burnout_stats.models import MMRM, fit
from burnout_stats.notices import BurnoutStatsWarning


@pytest.fixture(scope="module")
def cohort():
    return cohort_of(scores(60, seed=1, seen=0.8))


@pytest.fixture(scope="module")
def fitted(cohort):
    return fit(MMRM("score ~ visit * sex + age"), cohort)


def test_a_question_holds_no_data_and_compares():
    assert MMRM("y ~ visit") == MMRM("y ~ visit", covariance="us", method="reml")
    assert MMRM("y ~ visit") != MMRM("y ~ visit", method="ml")
    assert len({MMRM("y ~ visit"), MMRM("y ~ visit")}) == 1


@pytest.mark.raises_code("E-STUDY-OPTION")
@pytest.mark.parametrize("options", [{"covariance": "usx"}, {"method": "mle"}])
def test_unknown_options(options):
    with pytest.raises(StudyError, match="It is one of"):
        MMRM("y ~ visit", **options)


@pytest.mark.raises_code("E-STUDY-FORMULA")
@pytest.mark.parametrize("text", ["score ~ visit + (1 | subject)", "score ~ visit + subject"])
def test_no_random_effects_and_no_subject_in_an_mmrm(text, cohort):
    with pytest.raises(StudyError):
        fit(MMRM(text), cohort)


@pytest.mark.raises_code("E-STUDY-COLUMN")
@pytest.mark.parametrize("text", ["scroe ~ visit", "score ~ visit + agee", "sex ~ visit"])
def test_unknown_columns(text, cohort):
    with pytest.raises(StudyError):
        fit(MMRM(text), cohort)


def test_the_nearest_name_is_offered(cohort):
    with pytest.raises(StudyError, match="Did you mean `score`"):
        fit(MMRM("scroe ~ visit"), cohort)


def test_results(fitted):
    assert fitted.converged
    assert fitted.optimum.max_gradient < 1e-6
    assert fitted.optimum.criterion == pytest.approx(-2 * fitted.loglik)
    assert list(fitted.optimum.trace) == sorted(fitted.optimum.trace, reverse=True)
    assert fitted.n_parameters == 6
    assert list(fitted.covariance) == ["baseline", "1 year", "3 years"]
    np.testing.assert_allclose(np.diag(fitted.covariance), fitted.varcorr["sd"] ** 2)
    assert fitted.aic == pytest.approx(-2 * fitted.loglik + 12)
    assert fitted.bic == pytest.approx(-2 * fitted.loglik + 6 * np.log(60))
    assert fitted.aicc > fitted.aic


def test_print_shows_no_p_values_and_repr_is_short(fitted):
    text = str(fitted)
    assert "visit[1 year]" in text
    assert "p_value" not in text
    assert len(repr(fitted)) < 120
    assert "S00" not in text + repr(fitted)


def test_results_cannot_be_changed(fitted):
    with pytest.raises(AttributeError):
        fitted.notices = ()
    with pytest.raises(ValueError, match="read-only"):
        summarize(fitted).vcov[0, 0] = 0


def test_ml_counts_fixed_effects(cohort):
    ml = fit(MMRM("score ~ visit", method="ml"), cohort)
    assert ml.aic == pytest.approx(-2 * ml.loglik + 2 * (6 + 3))
    assert summarize(ml).about.df_method == "satterthwaite"


@pytest.mark.raises_code("E-MODEL-NEEDS-REML")
def test_kenward_roger_needs_reml(cohort):
    with pytest.raises(ModelError):
        summarize(fit(MMRM("score ~ visit", method="ml"), cohort), df="kenward-roger")


@pytest.mark.raises_code("E-STUDY-OPTION")
def test_unknown_df(fitted):
    with pytest.raises(StudyError, match="Did you mean `satterthwaite`"):
        summarize(fitted, df="satterthwait")


def test_asymptotic_is_normal(fitted):
    frame = summarize(fitted, df="asymptotic").frame
    assert np.isinf(frame["df"]).all()
    np.testing.assert_allclose(frame["conf_high"] - frame["estimate"], 1.959963984540054 * frame["std_error"])


@pytest.mark.raises_code("N-MODEL-ROWS-LEFT-OUT")
def test_rows_without_a_covariate_are_left_out_and_said():
    frame = scores(40, seed=2, seen=0.8)
    frame.loc[[3, 10, 11], "age"] = np.nan
    with pytest.warns(BurnoutStatsWarning, match="Fewer than 5 rows"):
        ours = fit(MMRM("score ~ visit + age"), cohort_of(frame))
    assert [notice.code for notice in ours.notices] == ["N-MODEL-ROWS-LEFT-OUT"]
    assert ours.n_obs == len(frame) - 3


@pytest.mark.raises_code("N-MODEL-ALIASED")
def test_aliased_columns_are_named_and_nothing_else_changes():
    """As in mmrm: a column that says the same again leaves every other answer as it was."""
    frame = scores(40, seed=3, seen=0.8)
    doubled = frame.assign(months=12 * frame["age"] + 7)
    plain = fit(MMRM("score ~ visit * sex + age"), cohort_of(frame))
    with pytest.warns(BurnoutStatsWarning, match="`months`"):
        aliased = fit(MMRM("score ~ visit * sex + age + months"), cohort_of(doubled))
    assert np.isnan(aliased.coef["months"])
    assert aliased.loglik == pytest.approx(plain.loglik, rel=1e-10)
    numbers = ["estimate", "std_error", "df"]
    one, two = (emmeans(f, "visit", by="sex").frame[numbers] for f in (plain, aliased))
    np.testing.assert_allclose(one, two, rtol=1e-8)
    row = summarize(aliased).frame.set_index("term").loc["months", numbers]
    assert row.astype(float).isna().all()


@pytest.mark.raises_code("N-MODEL-ALIASED", "N-MODEL-NOT-ESTIMABLE")
def test_empty_cells_are_not_guessed():
    frame = scores(40, seed=4)
    frame = frame[~((frame["sex"] == "M") & (frame["visit"] == "3 years"))]
    with pytest.warns(BurnoutStatsWarning, match=r"visit\[3 years\]:sex\[M\]"):
        ours = fit(MMRM("score ~ visit * sex"), cohort_of(frame))
    means = emmeans(ours, "visit", by="sex")
    nan = means.frame[means.frame["estimate"].isna()]
    assert nan[["visit", "sex"]].to_numpy().tolist() == [["3 years", "M"]]
    assert nan["n"].tolist() == [0]
    assert means.notices[-1].code == "N-MODEL-NOT-ESTIMABLE"
    assert contrast(means).frame["estimate"].isna().sum() == 1


@pytest.mark.raises_code("E-MODEL-EMPTY")
@pytest.mark.filterwarnings("ignore:.N-DATA-UNMEASURED")
def test_no_complete_row():
    frame = scores(20, seed=5)
    frame["other"] = np.where(frame["visit"] == "baseline", 1.5 + frame["age"], np.nan)
    frame.loc[frame["visit"] == "baseline", "score"] = np.nan
    with pytest.raises(ModelError):
        fit(MMRM("score ~ other"), cohort_of(frame))


@pytest.mark.raises_code("E-MODEL-NOT-FINITE")
def test_logarithm_of_a_negative_number():
    with pytest.raises(ModelError):
        fit(MMRM("score ~ visit + log(shift)"), cohort_of(scores(20, seed=5).assign(shift=lambda d: d["age"] - 47)))


@pytest.mark.raises_code("E-MODEL-SATURATED")
def test_more_effects_than_rows():
    frame = scores(2, seed=6)
    with pytest.raises(ModelError):
        fit(MMRM("score ~ visit * sex + age"), cohort_of(frame.iloc[:4]))


@pytest.mark.raises_code("E-MODEL-PAIR-UNSEEN")
def test_visits_never_seen_together():
    frame = scores(30, seed=7)
    odd = frame["id"].str[-1].astype(int) % 2 == 1
    frame = frame[~(odd & (frame["visit"] == "1 year")) & ~(~odd & (frame["visit"] == "3 years"))]
    with pytest.raises(ModelError, match="`1 year` and `3 years`"):
        fit(MMRM("score ~ visit"), cohort_of(frame))


@pytest.mark.raises_code("E-MODEL-NO-SPREAD")
@pytest.mark.filterwarnings("ignore:.N-DATA")
@pytest.mark.parametrize("formula", ["score ~ visit", "score ~ visit + copy"])
def test_nothing_left_to_estimate(formula):
    frame = scores(20, seed=8)
    frame = frame.assign(score=2.0) if "copy" not in formula else frame.assign(copy=frame["score"])
    with pytest.raises(ModelError):
        fit(MMRM(formula), cohort_of(frame))


@pytest.mark.raises_code("E-MODEL-SINGULAR")
def test_a_visit_that_is_a_copy_of_another():
    frame = scores(20, seed=9)
    baseline = frame[frame["visit"] == "baseline"].set_index("id")["score"]
    copy = frame["visit"] == "1 year"
    frame.loc[copy, "score"] = frame.loc[copy, "id"].map(baseline) - 0.5
    with pytest.raises(ModelError):
        fit(MMRM("score ~ visit"), cohort_of(frame))


def test_a_visit_nobody_came_to_is_left_out_of_sigma():
    frame = scores(30, seed=10)
    frame = frame[frame["visit"] != "1 year"]
    times = {"baseline": 0, "1 year": 1, "3 years": 3}
    with pytest.warns(BurnoutStatsWarning, match="1 year"):
        cohort = read_cohort(frame, subject="id", visit="visit", times=times, outcomes=["score"])
    ours = fit(MMRM("score ~ years"), cohort)
    assert list(ours.covariance) == ["baseline", "3 years"]
    assert ours.n_parameters == 3


def test_outcomes_with_one_subject_per_pattern_are_fitted():
    frame = scores(12, seed=11, seen=0.5)
    ours = fit(MMRM("score ~ visit"), cohort_of(frame))
    assert ours.converged


def test_a_numeric_covariate_may_be_the_outcome(cohort):
    assert fit(MMRM("age ~ sex"), cohort_of(scores(30, seed=1).query("visit == 'baseline'"))).outcome.name == "age"


def test_weights_of_sex_do_not_need_the_order_of_rows(fitted):
    proportional = emmeans(fitted, "visit").frame["estimate"].to_numpy()
    by = emmeans(fitted, "visit", by="sex").frame
    share = pd.Series(
        dict(zip(*np.unique(scores(60, 1, seen=0.8).groupby("id")["sex"].first(), return_counts=True), strict=True))
    )
    mixed = by.assign(w=by["sex"].map(share / share.sum()))
    expected = (mixed["estimate"] * mixed["w"]).groupby(mixed["visit"], sort=False).sum()
    np.testing.assert_allclose(proportional, expected)


@pytest.mark.raises_code("E-MODEL-CHANGES", "E-STUDY-OPTION", "E-MODEL-WEIGHT")
def test_groups_and_weights_belong_to_subjects():
    frame = scores(30, seed=3)
    changing = frame.assign(arm=np.where(frame["visit"] == "baseline", "a", "b"))
    with pytest.raises(ModelError):
        fit(MMRM("score ~ visit", covariance_by="arm"), cohort_of(changing))
    with pytest.raises(StudyError):
        fit(MMRM("score ~ visit", covariance_by="age"), cohort_of(frame))
    with pytest.raises(ModelError):
        fit(MMRM("score ~ visit", weights="age"), cohort_of(frame.assign(age=-1.5)))


def test_frequency_weights_are_copies():
    frame = scores(30, seed=3, seen=0.8)
    times = dict(zip(frame["id"].unique(), np.random.default_rng(1).integers(1, 4, 30).astype(float), strict=True))
    frame["times"] = frame["id"].map(times)
    weighted = fit(MMRM("score ~ visit + age", weights="times"), cohort_of(frame))
    copies = pd.concat(
        [frame[frame["times"] > k].assign(id=lambda d, k=k: d["id"] + f"-{k}") for k in range(3)], ignore_index=True
    )
    copied = fit(MMRM("score ~ visit + age"), cohort_of(copies))
    assert weighted.loglik == pytest.approx(copied.loglik, rel=1e-10)
    assert (weighted.n_subjects, weighted.n_obs) == (copied.n_subjects, copied.n_obs)
    numbers = ["estimate", "std_error", "df"]
    np.testing.assert_allclose(summarize(weighted).frame[numbers], summarize(copied).frame[numbers], rtol=1e-8)


def test_a_group_without_subjects_has_no_parameters():
    frame = scores(30, seed=3)
    with pytest.warns(BurnoutStatsWarning, match="`X`"):
        cohort = cohort_of(frame, covariates={"sex": {"levels": ["F", "M", "X"]}, "age": {}})
    ours = fit(MMRM("score ~ visit", covariance_by="sex"), cohort)
    assert ours.n_parameters == 12
    assert list(ours.covariance.index.levels[0]) == ["F", "M"]


@pytest.mark.raises_code("E-MODEL-NEEDS-ROWS")
def test_a_fit_without_rows_says_so(fitted):
    assert fitted.needed_rows().z.shape == (fitted.n_obs, len(fitted.coef) + 1)
    with pytest.raises(ModelError):
        replace(fitted, rows=None).needed_rows()
