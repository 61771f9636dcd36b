"""Contrasts of every kind, populations, trends and tests of terms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import cohort_of, scores
from scipy import stats

from burnout_stats.errors import StudyError
from burnout_stats.inference import contrast, emmeans, joint_test, slopes, summarize, term_tests
from burnout_stats.models import LMM, MMRM, fit
from burnout_stats.models.degrees_of_freedom import MomentsState


@pytest.fixture(scope="module")
def cohort():
    return cohort_of(scores(60, seed=1, seen=0.8))


@pytest.fixture(scope="module")
def fitted(cohort):
    return fit(MMRM("score ~ visit * sex + age"), cohort)


@pytest.fixture(scope="module")
def means(fitted):
    return emmeans(fitted, "visit", by="sex")


# ---- contrasts -------------------------------------------------------------------------------------------------------


def test_linear_trend_is_the_least_squares_slope_per_year(means):
    trends = contrast(means, "polynomial").frame
    for sex in "FM":
        y = means.frame.loc[means.frame["sex"] == sex, "estimate"]
        own = trends[trends["sex"] == sex].set_index("contrast")["estimate"]
        assert own["linear"] == pytest.approx(np.polyfit([0, 1, 3], y, 1)[0])
        assert own["quadratic"] == pytest.approx(np.polyfit([0, 1, 3], y, 2)[0])


def test_polynomials_of_a_numeric_variable(fitted):
    means = emmeans(fitted, "age", at={"age": [30, 40, 60, 61, 70]})
    frame = contrast(means, "polynomial").frame
    assert frame["contrast"].tolist() == ["linear", "quadratic", "cubic", "degree 4"]
    slope = summarize(fitted).frame.set_index("term").loc["age", "estimate"]
    np.testing.assert_allclose(frame["estimate"], [slope, 0, 0, 0], atol=1e-12)


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_polynomials_need_times(fitted):
    for asked in ("sex", ["visit", "sex"]):
        with pytest.raises(StudyError, match="distinct times"):
            contrast(emmeans(fitted, asked), "polynomial")


def test_difference_in_differences_is_the_interaction(fitted, means):
    frame = contrast(means, "difference_in_differences").frame
    assert frame["contrast"].tolist() == ["1 year - baseline, M - F", "3 years - baseline, M - F"]
    assert "sex" not in frame
    terms = summarize(fitted).frame.set_index("term").loc[["visit[1 year]:sex[M]", "visit[3 years]:sex[M]"]]
    for column in ("estimate", "std_error", "df", "p_value"):
        np.testing.assert_allclose(frame[column], terms[column])
    assert frame["n"].tolist() == [
        means.frame.loc[means.frame["visit"].isin(["baseline", visit]), "n"].min() for visit in ("1 year", "3 years")
    ]


def test_difference_in_differences_stays_within_the_other_groups():
    frame = scores(80, seed=3)
    frame["arm"] = np.array(["a", "b", "c"])[frame["id"].str[1:].astype(int) % 3]
    fitted = fit(MMRM("score ~ visit * arm * sex"), cohort_of(frame, covariates={"arm": {}, "sex": {}}))
    result = contrast(emmeans(fitted, "visit", by=["sex", "arm"]), "difference_in_differences", adjust="holm")
    assert result.about.by == ("sex",)
    assert len(result) == 2 * 2 * 2
    assert result.about.notes[-1] == "P values are adjusted over 4 contrasts (holm); intervals are not adjusted."


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_difference_in_differences_needs_two_factors(fitted):
    with pytest.raises(StudyError, match="between the levels of another"):
        contrast(emmeans(fitted, "visit"), "difference_in_differences")


@pytest.mark.raises_code("E-STUDY-OPTION")
@pytest.mark.parametrize(
    ("method", "adjust"), [("vs_baseline", "tukey"), ("pairwise", "dunnett"), ({"x": [1, -1, 0]}, "tukey")]
)
def test_adjustments_made_for_other_contrasts(means, method, adjust):
    with pytest.raises(StudyError, match="mvt"):
        contrast(means, method, adjust=adjust)


def test_dunnett_is_the_multivariate_t_of_its_contrasts(means):
    dunnett, mvt = (contrast(means, adjust=adjust).frame for adjust in ("dunnett", "mvt"))
    pd.testing.assert_frame_equal(dunnett, mvt)


def test_contrasts_may_be_asked_otherwise_than_the_means(means):
    plain, normal = contrast(means), contrast(means, df="asymptotic", conf_level=0.8)
    assert np.isinf(normal.frame["df"]).all()
    assert (normal.about.df_method, normal.about.conf_level) == ("asymptotic", 0.8)
    assert plain.about.df_method == "kenward-roger"
    z = stats.norm.ppf(0.9) * normal.frame["std_error"]
    np.testing.assert_allclose(normal.frame["conf_low"], normal.frame["estimate"] - z)
    tukey = contrast(means, "pairwise", adjust="tukey", df="asymptotic").frame
    expected = stats.studentized_range.sf(np.sqrt(2) * tukey["statistic"].abs(), 3, np.inf)
    np.testing.assert_allclose(tukey["p_value"], expected, atol=1e-8)


def test_contrasts_of_contrasts(means):
    again = contrast(contrast(means), "pairwise").frame
    assert again["contrast"].tolist() == ["3 years - baseline - 1 year - baseline"] * 2
    late = contrast(means, {"late": [0, -1, 1]}).frame
    np.testing.assert_allclose(again["estimate"], late["estimate"])


@pytest.mark.raises_code("N-MODEL-NOT-ESTIMABLE", "N-MODEL-ALIASED")
@pytest.mark.filterwarnings("ignore:.*N-MODEL-ALIASED")
def test_cells_without_anyone_are_named_and_left_out_of_the_family():
    frame = scores(60, seed=1)
    frame = frame[(frame["sex"] == "F") | (frame["visit"] != "3 years")]
    fitted = fit(MMRM("score ~ visit * sex", covariance="cs"), cohort_of(frame))
    means = emmeans(fitted, "visit", by="sex")
    assert "3 years, M" in str(means.notices[-1])
    pairs = contrast(means, "pairwise", adjust="bonferroni").frame.set_index(["sex", "contrast"])
    raw = contrast(means, "pairwise").frame.set_index(["sex", "contrast"])
    assert pairs.loc["M", "p_value"].isna().tolist() == [False, True, True]
    # one comparison is left in that family
    assert pairs.loc[("M", "1 year - baseline"), "p_value"] == raw.loc[("M", "1 year - baseline"), "p_value"]


def test_robust_standard_errors_are_named(means, fitted):
    robust = contrast(means, vcov="cr2")
    assert robust.about.vcov == "cr2"
    assert robust.about.df_method == "satterthwaite"
    again = contrast(emmeans(fitted, "visit", by="sex", vcov="cr2"))
    np.testing.assert_allclose(again.frame["std_error"], robust.frame["std_error"])
    assert "Standard errors are robust (cr2)." in again.about.notes
    assert summarize(fitted, vcov="cr0").about.vcov == "cr0"
    assert joint_test(fitted, again, vcov="cr2").about.vcov == "cr2"
    assert term_tests(fitted, vcov="cr0").about.vcov == "cr0"


# ---- populations -----------------------------------------------------------------------------------------------------


def test_a_population_lies_between_its_groups(fitted):
    by_sex = emmeans(fitted, "visit", by="sex").frame.pivot_table(
        index="visit", columns="sex", values="estimate", sort=False
    )
    given = emmeans(fitted, "visit", weights={"sex": {"F": 3, "M": 1}}).frame
    np.testing.assert_allclose(given["estimate"], 0.75 * by_sex["F"] + 0.25 * by_sex["M"])
    equal = emmeans(fitted, "visit", weights="equal").frame
    same = emmeans(fitted, "visit", weights={"sex": {"F": 1, "M": 1}, "visit": {"baseline": 1}}).frame
    np.testing.assert_allclose(equal["estimate"], same["estimate"])


def test_visits_may_have_shares_too(fitted):
    by_visit = emmeans(fitted, "visit").frame["estimate"]
    only = emmeans(fitted, [], weights={"visit": {"3 years": 1}, "sex": {"F": 0.4, "M": 0.6}}).frame
    both = emmeans(fitted, "sex", at={"visit": "3 years"}).frame["estimate"]
    assert only["estimate"].item() == pytest.approx(0.4 * both[0] + 0.6 * both[1])
    assert len(by_visit) == 3


@pytest.mark.raises_code("E-STUDY-GRID")
@pytest.mark.parametrize(
    "weights",
    [
        {"visit": {"baseline": 1}},
        {"sex": {"F": 1, "X": 1}},
        {"sex": {"F": -1, "M": 1}},
        {"sex": {"F": "many"}},
        {"sex": {"F": 0, "M": 0}},
        pd.DataFrame({"sex": ["F", "M"], "share": [1, 1]}),
        "population",
    ],
)
def test_populations_that_cannot_be_read(fitted, weights):
    with pytest.raises(StudyError):
        emmeans(fitted, "visit", weights=weights)


# ---- trends ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "transform", ["age", "log(age)", "sqrt(age)", "power(age, 3)", "center(age)", "standardize(age)", "per(age, 10)"]
)
def test_slopes_are_derivatives(cohort, transform):
    fitted = fit(MMRM(f"score ~ visit + {transform} * sex + age:{transform}"), cohort)
    h = 1e-4
    for sex in "FM":
        high, low = (
            emmeans(fitted, "sex", at={"age": 47 + step, "sex": sex}).frame["estimate"].item() for step in (h, -h)
        )
        slope = slopes(fitted, "age", at={"age": 47, "sex": sex}, by="sex").frame["estimate"].item()
        assert slope == pytest.approx((high - low) / 2 / h, rel=1e-5)


def test_slopes_may_be_compared(cohort):
    fitted = fit(MMRM("score ~ years * sex"), cohort)
    trends = slopes(fitted, "years", by="sex")
    assert list(trends.frame)[:3] == ["outcome", "variable", "sex"]
    difference = contrast(trends, "pairwise").frame
    assert difference["contrast"].tolist() == ["M - F"]
    term = summarize(fitted).frame.set_index("term").loc["years:sex[M]"]
    np.testing.assert_allclose(
        difference[["estimate", "std_error", "df"]].to_numpy()[0].astype(float),
        term[["estimate", "std_error", "df"]].to_numpy().astype(float),
    )
    assert len(slopes(fitted, "years")) == 1
    assert "Slopes" in str(trends)


@pytest.mark.raises_code("E-STUDY-GRID")
@pytest.mark.parametrize("variable", ["sex", "agee", "visit"])
def test_slopes_of_what_has_none(fitted, variable):
    with pytest.raises(StudyError, match="not a numeric variable"):
        slopes(fitted, variable)


# ---- tests of terms --------------------------------------------------------------------------------------------------


def test_type_three_is_about_equally_weighted_means(fitted):
    frame = term_tests(fitted).frame.set_index("term")
    rows = {
        "visit": contrast(emmeans(fitted, "visit", weights="equal")),
        "sex": contrast(emmeans(fitted, "sex", weights="equal"), "pairwise"),
        "visit:sex": contrast(emmeans(fitted, "visit", by="sex"), "difference_in_differences"),
    }
    for term, L in rows.items():
        joint = joint_test(fitted, L).frame.iloc[0]
        for column in ("num_df", "df", "statistic", "p_value"):
            assert frame.loc[term, column] == pytest.approx(joint[column])
    age = summarize(fitted).frame.set_index("term").loc["age"]
    assert frame.loc["age", "statistic"] == pytest.approx(age["statistic"] ** 2)


def test_a_factor_that_interacts_with_a_covariate_is_tested_where_that_is_zero(cohort):
    fitted = fit(MMRM("score ~ visit + sex * center(age)"), cohort)
    sex = summarize(fitted).frame.set_index("term").loc["sex[M]"]
    assert term_tests(fitted).frame.set_index("term").loc["sex", "statistic"] == pytest.approx(sex["statistic"] ** 2)


@pytest.mark.raises_code("N-MODEL-TEST-IN-PART", "N-MODEL-ALIASED")
@pytest.mark.filterwarnings("ignore:.*N-MODEL-ALIASED")
@pytest.mark.parametrize("kind", [2, 3])
def test_empty_cells_leave_fewer_rows_to_test(kind):
    frame = scores(60, seed=1)
    frame = frame[(frame["sex"] == "F") | (frame["visit"] != "3 years")]
    fitted = fit(MMRM("score ~ visit * sex", covariance="cs"), cohort_of(frame))
    tests = term_tests(fitted, kind)
    rows = tests.frame.set_index("term")
    assert rows.loc["visit:sex", "num_df"] == 1
    one = contrast(emmeans(fitted, "visit", by="sex"), "difference_in_differences").frame.iloc[0]
    assert rows.loc["visit:sex", "statistic"] == pytest.approx(one["statistic"] ** 2)
    assert "visit:sex (1 of 2)" in str(tests.notices[-1])
    if kind == 2:
        assert rows.loc["visit", "num_df"] == 2


@pytest.mark.raises_code("N-MODEL-TEST-IN-PART", "N-MODEL-ALIASED")
@pytest.mark.filterwarnings("ignore:.*N-MODEL-ALIASED")
@pytest.mark.parametrize("kind", [2, 3])
def test_a_term_that_repeats_another_has_no_test(kind):
    frame = scores(50, seed=5)
    frame["months"] = 12 * frame["age"]
    fitted = fit(MMRM("score ~ visit + age + months"), cohort_of(frame))
    rows = term_tests(fitted, kind).frame.set_index("term")
    assert np.isnan(rows.loc["months", "statistic"])
    assert np.isfinite(rows.loc["visit", "statistic"])


def test_models_fitted_row_by_row_have_tests_of_both_types():
    """Exact times that are the nominal ones make the same model by both paths."""
    frame = scores(150, seed=2, seen=0.8)
    frame["exact"] = frame["visit"].map({"baseline": 0.0, "1 year": 1.0, "3 years": 3.0})
    cohort = cohort_of(frame, covariates={"sex": {}, "age": {}, "exact": {}})
    nominal = fit(LMM("score ~ years * sex * age + (1 + years || subject)"), cohort)
    exact = fit(LMM("score ~ exact * sex * age + (1 + exact || subject)"), cohort)
    assert isinstance(nominal.state, MomentsState)
    assert not isinstance(exact.state, MomentsState)
    for kind in (2, 3):
        one, two = (term_tests(model, kind).frame for model in (nominal, exact))
        for column in ("statistic", "num_df", "df"):
            np.testing.assert_allclose(one[column], two[column], rtol=1e-5)


@pytest.mark.raises_code("E-STUDY-OPTION")
def test_there_is_no_type_one(fitted):
    with pytest.raises(StudyError):
        term_tests(fitted, 1)


def test_types_are_said_in_a_note(fitted):
    assert "type III" in term_tests(fitted).about.notes[0]
    assert "type II)" in term_tests(fitted, 2).about.notes[0]
    assert "F" in str(term_tests(fitted, df="asymptotic"))
