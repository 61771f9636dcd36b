"""The analyst's choices: specifications, what is left out, negative controls, several outcomes, exact times."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cohorts import burnout_200, cohort_of, scores
from tolerances import IDENTITY, REFIT

from burnout_stats import figures, tables
from burnout_stats.cohort import read_cohort
from burnout_stats.errors import DisclosureError, ModelError, StudyError
from burnout_stats.estimates import Policy, protect
from burnout_stats.inference import combine, contrast, emmeans
from burnout_stats.models import LMM, MMRM, fit
from burnout_stats.sensitivity import (
    analyse,
    draws,
    exact_time,
    impute,
    joint_contrasts,
    left_out,
    negative_control,
    pool,
    specification_curve,
)
from burnout_stats.studies import example

SPEC = MMRM("score ~ visit * sex")
SCALE = ["estimate", "std_error", "conf_low", "conf_high"]


@cache
def cohort(n=60, seen=0.8):
    frame = scores(n, seed=1, seen=seen).assign(score=lambda frame: frame["score"] + 2)
    place = frame["id"].map({name: k for k, name in enumerate(frame["id"].unique())})
    clinic = np.select([place < 3, place < 30], ["south", "north"], "west")
    return cohort_of(frame.assign(clinic=clinic, other=frame["age"] / 10 + np.sin(7 * frame["score"])))


def change(outcome="score", data=None, spec=None):
    return contrast(emmeans(fit(spec or MMRM(f"{outcome} ~ visit"), data or cohort()), "visit"))


def again(**columns):
    """The rows of the cohort as a frame to read, with some columns changed."""
    frame = cohort().frame.rename(columns={"subject": "id"}).drop(columns="years")
    return frame.astype({"visit": str}).assign(**columns)


# ---- specifications -------------------------------------------------------------------------------------------------


@cache
def curve(**asked):
    return specification_curve(SPEC, cohort(), seed=1, n=5, covariances=("us", "cs"), df=("satterthwaite",), **asked)


def row(estimates, **choice):
    frame = estimates.frame
    found = frame[np.logical_and.reduce([frame[name] == value for name, value in choice.items()])]
    assert len(found) == 1
    return found.iloc[0]


def test_every_combination_is_there_once_and_the_primary_first():
    frame = curve().frame
    assert len(frame) == 1 + 2 * 1 * 2 * 3 * 2
    assert frame["role"].eq("primary").to_numpy().nonzero()[0].tolist() == [0]
    assert not frame.duplicated(["covariance", "df_method", "adjustment", "missing_data", "scaling"]).any()


def test_specifications_are_the_models_that_they_name():
    raw = curve(scalings=("raw",))
    data = cohort().frame
    complete = data.groupby("subject")["score"].transform("size") == 3
    whole = change(spec=replace(SPEC, covariance="cs"))
    cases = contrast(emmeans(fit(MMRM("score ~ visit"), cohort().subset(complete)), "visit", df="satterthwaite"))
    for answer, choice in ((whole, ("cs", "as planned", "mmrm")), (cases, ("us", "unadjusted", "complete cases"))):
        found = row(raw, covariance=choice[0], adjustment=choice[1], missing_data=choice[2], role="alternative")
        np.testing.assert_allclose(
            found[SCALE[:1]].astype(float), answer.frame[SCALE[:1]].iloc[1].astype(float), rtol=IDENTITY
        )
    assert found["n"] == complete.sum() / 3
    np.testing.assert_allclose(found[SCALE].astype(float), cases.frame[SCALE].iloc[1].astype(float), rtol=IDENTITY)
    assert raw.about.units["score"] == ""


def test_with_nothing_missing_all_ways_with_missing_data_give_the_same():
    found = specification_curve(
        SPEC, cohort(seen=1.0), seed=1, n=4, covariances=["us"], df=["kenward-roger"], scalings=["raw"]
    ).frame
    planned = found[found["adjustment"] == "as planned"]
    assert len(planned) == 3
    for name in SCALE:
        np.testing.assert_allclose(planned[name], planned[name].iloc[0], rtol=1e-7)


def test_several_scalings_share_the_unit_of_a_baseline_sd():
    found = curve()
    first = found.frame.iloc[0]
    at_baseline = cohort().frame.query("visit == 'baseline'")["score"]
    answer = change(spec=SPEC).frame.iloc[1]
    np.testing.assert_allclose(first["estimate"], answer["estimate"] / at_baseline.std(), rtol=IDENTITY)
    assert first["p_value"] == pytest.approx(answer["p_value"])
    logs = cohort_of(again(score=lambda f: np.log(f["score"])))
    log = row(found, scaling="log", missing_data="mmrm", covariance="us", adjustment="as planned")
    expected = change(data=logs, spec=SPEC).frame["estimate"].iloc[1] / np.log(at_baseline).std()
    assert log["estimate"] == pytest.approx(expected)
    assert any("SD of the observed baseline scores" in note for note in found.about.notes)


def test_a_specification_without_an_answer_is_named_with_its_code():
    found = specification_curve(
        SPEC, cohort_of(again(score=lambda f: f["score"] - 4)), seed=1, covariances=["us"], missing_data=["mmrm"]
    )
    logs = found.frame[found.frame["scaling"] == "log"]
    assert len(logs) == 4
    assert logs["refused"].eq("E-MODEL-NOT-FINITE").all()
    assert logs["estimate"].isna().all()
    assert any("4 specifications (E-MODEL-NOT-FINITE)" in note for note in found.about.notes)
    assert "E-MODEL-NOT-FINITE" in str(tables.specification_curve(found))
    assert "4 specifications have no answer" in figures.specification_curve(found).alt


def test_what_cannot_be_imputed_is_named_too_and_what_is_misspelled_is_refused():
    spec = MMRM("score ~ visit", weights="w")
    found = specification_curve(spec, cohort_of(again(w=2.0)), seed=1, covariances=["us"], scalings=["raw"])
    assert found.frame.loc[found.frame["missing_data"] == "imputation", "refused"].eq("E-STUDY-IMPUTE").all()
    with pytest.raises(StudyError, match="covariances"):
        specification_curve(SPEC, cohort(), seed=1, covariances=["unstructured"])
    with pytest.raises(StudyError, match="sexx"):
        specification_curve(SPEC, cohort(), seed=1, adjustments={"sexx": "visit + sexx"})


def test_adjustments_of_ones_own_are_named_and_the_primary_stays():
    found = specification_curve(
        SPEC,
        cohort(),
        seed=1,
        covariances=["us"],
        df=["kenward-roger"],
        missing_data=["mmrm"],
        scalings=["raw"],
        adjustments={"age": "visit + age", "nothing": "visit"},
    ).frame
    assert found["adjustment"].tolist() == ["as planned", "age", "nothing"]
    assert found["estimate"].iloc[2] == pytest.approx(change().frame["estimate"].iloc[1])


def test_a_seed_decides_the_imputations_and_imputation_is_that_of_the_verbs():
    one, same = (
        specification_curve(SPEC, cohort(), seed=2, n=4, missing_data=["imputation"], covariances=["us"]) for _ in "ab"
    )
    pd.testing.assert_frame_equal(one.frame, same.frame)
    other = specification_curve(SPEC, cohort(), seed=3, n=4, missing_data=["imputation"], covariances=["us"])
    assert not np.allclose(other.frame["estimate"].iloc[1:], one.frame["estimate"].iloc[1:])
    many = specification_curve(
        SPEC, cohort(), seed=2, n=200, missing_data=["imputation"], covariances=["us"], scalings=["raw"]
    ).frame
    pooled = pool(analyse(impute(draws(SPEC, cohort(), n=200, seed=9))))
    asked = contrast(emmeans(pooled, "visit", df="kenward-roger")).frame.iloc[1]
    found = many[(many["missing_data"] == "imputation") & (many["df_method"] == "kenward-roger")].iloc[0]
    assert found["estimate"] == pytest.approx(asked["estimate"], abs=asked["std_error"] / 5)


def test_the_note_counts_intervals_that_exclude_zero():
    found = curve()
    low, high = found.frame["conf_low"], found.frame["conf_high"]
    side = np.sign(found.frame["estimate"].iloc[0])
    count = int((((low > 0) | (high < 0)) & (np.sign(found.frame["estimate"]) == side)).sum())
    assert any(f"In {count} of {len(found)} specifications" in note for note in found.about.notes)


def test_the_curve_is_drawn_in_order_with_all_choices_that_differ():
    figure = figures.specification_curve(curve())
    assert figure.frame["estimate"].is_monotonic_increasing
    assert "primary specification gives" in figure.alt
    assert "unadjusted" in figure.long_description
    assert (
        "degrees of freedom"
        not in figures.specification_curve(curve(missing_data=("mmrm",))).long_description.split(".")[0]
    )
    assert figure.png(dpi=60)[:4] == b"\x89PNG"
    with pytest.raises(StudyError, match="one estimate for each specification"):
        figures.specification_curve(change())


@pytest.mark.raises_code("E-DISCLOSURE-COHORT")
def test_a_curve_of_a_few_persons_is_not_drawn():
    few = replace(curve(), about=replace(curve().about, policy=Policy(1000), min_cell=1000))
    with pytest.raises(DisclosureError):
        figures.specification_curve(few)
    assert "hidden" in str(tables.specification_curve(few))


# ---- left out -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spec", [MMRM("score ~ visit"), MMRM("score ~ visit + age", covariance="cs"), LMM("score ~ visit + (1 | subject)")]
)
def test_single_deletions_are_exact_with_their_own_degrees_of_freedom(spec):
    few = cohort(n=15)
    found = left_out(spec, replace(few, policy=Policy(extremes=True))).frame
    each = [
        contrast(emmeans(fit(spec, few.subset(few.frame["subject"] != k)), "visit")).frame.iloc[1] for k in range(1, 16)
    ]
    brute = pd.DataFrame(each)
    low, high = brute.iloc[int(brute["estimate"].argmin())], brute.iloc[int(brute["estimate"].argmax())]
    for name in (*SCALE, "df", "p_value"):
        np.testing.assert_allclose(found[name].iloc[[1, 2]], [low[name], high[name]], rtol=REFIT)


def test_extremes_over_single_subjects_are_rounded_outward_where_the_policy_hides_extremes():
    exact = left_out(SPEC, replace(cohort(), policy=Policy(extremes=True))).frame
    found = left_out(SPEC, cohort())
    step = found.frame["std_error"].iloc[0] / 10
    told = found.frame
    assert told["std_error"].iloc[1:].isna().all()
    assert told["p_value"].iloc[1:].isna().all()
    assert (told["conf_low"].iloc[1:] <= exact["conf_low"].iloc[1:]).all()
    assert (told["conf_high"].iloc[1:] >= exact["conf_high"].iloc[1:]).all()
    assert told["estimate"].iloc[1] <= exact["estimate"].iloc[1] <= told["estimate"].iloc[1] + step
    assert told["estimate"].iloc[2] - step <= exact["estimate"].iloc[2] <= told["estimate"].iloc[2]
    ratios = told["estimate"].iloc[1:] / step
    np.testing.assert_allclose(ratios, np.round(ratios), atol=1e-8)
    assert "outward" in " ".join(found.about.notes)
    assert "subject" not in told.columns


def test_levels_are_left_out_whole_and_small_ones_are_hidden():
    found = left_out(SPEC, cohort(), by="clinic")
    assert found.frame["left_out"].tolist() == ["nobody", "north", "south", "west"]
    rest = cohort().subset(cohort().frame["clinic"] != "west")
    expected = contrast(emmeans(fit(SPEC, rest), "visit")).frame.iloc[1]
    np.testing.assert_allclose(found.frame[SCALE].iloc[3].astype(float), expected[SCALE].astype(float), rtol=IDENTITY)
    shown = protect(found, Policy()).frame
    assert shown["hidden"].tolist() == [False, False, True, False]
    assert np.isnan(shown["n"].iloc[2])
    known = shown["n"].iloc[[0, 1, 3]].to_numpy()
    assert np.isnan(known).any(), "all - north - west would tell the size of south"
    assert "hidden" in str(tables.left_out(found))


def test_a_level_without_which_there_is_no_answer_is_named():
    frame = scores(40, seed=2)
    number = frame["id"].str[1:].astype(int)
    frame["clinic"] = np.where(number < 20, "whole", "parted")
    gone = np.where(number % 2 == 0, "1 year", "3 years")
    frame = frame[(number < 20) | (frame["visit"] != gone)]
    found = left_out(MMRM("score ~ visit"), cohort_of(frame), by="clinic")
    assert found.frame["estimate"].isna().tolist() == [False, False, True]
    assert found.frame["left_out"].iloc[2] == "whole"
    assert any("Without whole the model has no answer (E-MODEL-PAIR-UNSEEN)." in note for note in found.about.notes)


@pytest.mark.parametrize(("by", "says"), [("age", "numeric"), ("klinik", "not a covariate")])
def test_by_is_a_categorical_covariate(by, says):
    with pytest.raises(StudyError, match=says):
        left_out(SPEC, cohort(), by=by)


@pytest.mark.raises_code("E-MODEL-CHANGES")
def test_by_does_not_change_within_a_subject():
    with pytest.raises(ModelError, match="changes between the visits"):
        left_out(MMRM("exhaustion ~ visit"), example("villa_sana"), by="psychotherapy")


@pytest.mark.raises_code("E-STUDY-VISITS")
def test_a_contrast_is_one_visit_less_another():
    with pytest.raises(StudyError, match="Did you mean"):
        left_out(SPEC, cohort(), contrast="3 year - baseline")
    found = left_out(SPEC, cohort(), contrast="1 year - baseline")
    assert found.frame["estimate"].iloc[0] == pytest.approx(change(spec=SPEC).frame["estimate"].iloc[0])


def test_a_linear_trend_answers_for_visits_too():
    found = left_out(LMM("score ~ years + (1 | subject)"), cohort(), by="sex")
    slope = fit(LMM("score ~ years + (1 | subject)"), cohort()).coef["years"]
    assert found.frame["estimate"].iloc[0] == pytest.approx(3 * slope)


# ---- several outcomes -----------------------------------------------------------------------------------------------


def villa_sana_changes(method="vs_baseline"):
    data = example("villa_sana")
    return [
        contrast(emmeans(fit(MMRM(f"{name} ~ visit"), data), "visit"), method) for name in ("exhaustion", "depression")
    ]


def test_adjusted_p_values_lie_between_the_single_ones_and_bonferroni():
    parts = villa_sana_changes("consecutive")
    alone = combine(*parts).frame["p_value"].to_numpy()
    for kwargs in ({}, {"method": "exact"}, {"method": "mammen"}, {"step_down": True}):
        joint = joint_contrasts(*parts, seed=1, **kwargs)
        p = joint.frame["p_value"].to_numpy()
        assert (p >= alone).all()
        assert (p <= np.minimum(4 * alone, 1) + 0.01).all()
        assert joint.about.kind == "joint_contrasts"
    assert (joint.frame["conf_low"] < combine(*parts).frame["conf_low"]).all()


def test_joint_contrasts_take_the_same_seed_to_the_same_numbers():
    parts = villa_sana_changes("consecutive")
    one, same, other = (joint_contrasts(*parts, seed=seed).frame["p_value"] for seed in (1, 1, 2))
    assert one.equals(same)
    assert not one.equals(other)


def test_the_table_shows_p_by_itself_beside_the_adjusted_one():
    parts = villa_sana_changes("consecutive")
    text = str(tables.joint_contrasts(joint_contrasts(*parts, seed=1), combine(*parts)))
    assert "adjusted p" in text
    assert "p, each by itself" in text
    with pytest.raises(StudyError, match="other rows"):
        tables.joint_contrasts(joint_contrasts(*parts, seed=1), combine(*reversed(parts)))


@pytest.mark.raises_code("E-MODEL-SCORES")
def test_estimates_without_scores_are_combined_but_not_tested_together():
    pooled = pool(analyse(impute(draws(SPEC, cohort(), n=4, seed=1))))
    parts = (change(), contrast(emmeans(pooled, "visit")))
    whole = combine(*parts)
    assert np.isnan(whole.vcov[:2, 2:]).all()
    np.testing.assert_array_equal(whole.vcov[2:, 2:], parts[1].vcov)
    with pytest.raises(ModelError, match="no scores of subjects"):
        joint_contrasts(*parts, seed=1)


def test_another_cohort_has_no_scores_with_this_one():
    other = cohort_of(scores(30, seed=9))
    assert np.isnan(combine(change(), change(data=other)).vcov[:2, 2:]).all()


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_what_cannot_be_combined_or_adjusted_again():
    means = emmeans(fit(SPEC, cohort()), "visit")
    with pytest.raises(StudyError, match="one kind"):
        combine(means, contrast(means))
    with pytest.raises(StudyError, match="no estimates"):
        combine()
    with pytest.raises(StudyError, match="adjusted already"):
        joint_contrasts(contrast(means, adjust="holm"), seed=1)
    with pytest.raises(StudyError, match="at least 100"):
        joint_contrasts(contrast(means), seed=1, n=10)


def test_notes_of_one_outcome_bear_its_name():
    whole = combine(change(spec=MMRM("score ~ visit + age")), change())
    assert any(note.startswith("Score: Age held") for note in whole.about.notes)


# ---- negative controls ----------------------------------------------------------------------------------------------


def test_controls_stand_beside_the_outcome_in_their_own_sds():
    found = negative_control(SPEC, cohort(), ["other"])
    assert found.frame["compared"].tolist() == ["Score", "Other (negative control)"]
    answer = change(spec=SPEC).frame.iloc[1]
    sd = cohort().frame.query("visit == 'baseline'")["score"].std()
    assert found.frame["estimate"].iloc[0] == pytest.approx(answer["estimate"] / sd)
    assert found.frame["p_value"].iloc[0] == pytest.approx(answer["p_value"])
    assert any("cannot have moved" in note for note in found.about.notes)
    assert not any("equi-confounding" in note for note in found.about.notes)
    told = negative_control(SPEC, cohort(), "other", difference=True)
    assert any("equi-confounding" in note for note in told.about.notes)
    np.testing.assert_allclose(np.sqrt(np.diag(told.vcov)), told.frame["std_error"])
    assert "negative control" in str(tables.negative_control(told))


def test_an_outcome_is_no_control_of_itself():
    for controls in ((), ["score"]):
        with pytest.raises(StudyError, match="negative control"):
            negative_control(SPEC, cohort(), controls)


# ---- exact times ----------------------------------------------------------------------------------------------------


def dated(slope=0.0, spread=60, n=200):
    """Scores that rise by `slope` a year after the nominal time of each visit, by up to `spread` days."""
    rng = np.random.default_rng(5)
    frame = scores(n, seed=6)
    nominal = frame["visit"].map({"baseline": 0, "1 year": 1, "3 years": 3}).to_numpy(dtype=float)
    days = np.where(nominal > 0, rng.integers(-spread, spread + 1, len(frame)) if spread else 0, 0)
    start = pd.Timestamp("2004-03-01") + pd.to_timedelta(rng.integers(0, 300, n)[pd.factorize(frame["id"])[0]], "D")
    date = start + pd.to_timedelta(np.round(nominal * 365.25).astype(int) + days, "D")
    score = frame["score"] + slope * days / 365.25
    return cohort_of(frame.assign(score=score, assessed=date.strftime("%Y-%m-%d")), date="assessed")


def test_a_slope_on_lateness_is_found_and_changes_are_those_on_time():
    found = exact_time(MMRM("score ~ visit"), dated(slope=5.0))
    frame = found.frame.set_index(["contrast", "times"])
    truth = exact_time(MMRM("score ~ visit"), dated(slope=0.0)).frame.set_index(["contrast", "times"])
    for label in ("1 year", "3 years"):
        slope = frame.loc[(f"per year after the nominal time, {label}", "exact")]
        own = truth.loc[(f"per year after the nominal time, {label}", "exact")]
        assert slope["estimate"] == pytest.approx(own["estimate"] + 5.0, abs=0.05)  # days are rounded once
        one, other = (part.loc[(f"{label} - baseline", "exact"), "estimate"] for part in (frame, truth))
        assert one == pytest.approx(other, abs=0.01)
    assert (
        frame.loc[("1 year - baseline", "exact"), "std_error"]
        < frame.loc[("1 year - baseline", "nominal"), "std_error"]
    )


def test_where_everybody_was_on_time_nothing_changes():
    found = exact_time(MMRM("score ~ visit"), dated(spread=0, n=60))
    frame = found.frame
    assert len(frame) == 4
    for name in SCALE:
        np.testing.assert_allclose(frame[name].iloc[0::2], frame[name].iloc[1::2], rtol=IDENTITY)
    assert any("on the same day" in note for note in found.about.notes)


def test_a_linear_trend_runs_on_exact_years():
    data = dated(slope=0.0, n=60)
    frame = exact_time(LMM("score ~ years + (1 | subject)"), data).frame
    exact = fit(LMM("score ~ exact_years + (1 | subject)"), data)
    assert frame["times"].tolist() == ["nominal", "exact"] * 2
    assert frame["estimate"].iloc[3] == pytest.approx(3 * exact.coef["exact_years"])


def test_the_dates_of_a_file():
    data = read_cohort(
        Path(__file__).parents[2] / "reference" / "r" / "data" / "burnout_200_dates.csv",
        subject="id",
        visit="visit",
        times={"v0": 0, "v1": 1, "v3": 3},
        outcomes=["EE"],
        covariates={"group": {"levels": ["control", "intervention"]}},
        missing_codes=["NA"],
        date="assessed",
    )
    found = exact_time(MMRM("EE ~ visit * group"), data)
    assert len(found) == 6
    assert "per year after" in str(tables.exact_time(found))
    drawn = figures.forest(found)
    assert drawn.png(dpi=50)[:4] == b"\x89PNG"
    assert len(drawn.frame) == 4, "changes are drawn, slopes per year are not"


@pytest.mark.raises_code("E-STUDY-DATES")
def test_exact_times_need_dates():
    with pytest.raises(StudyError, match="no dates"):
        exact_time(MMRM("EE ~ visit"), burnout_200())


@pytest.mark.raises_code("E-STUDY-FORMULA")
def test_exact_times_are_held_against_nominal_ones():
    for formula in ("score ~ sex", "score ~ visit + exact_years"):
        with pytest.raises(StudyError, match="nominal"):
            exact_time(MMRM(formula), dated(n=20))


# ---- figures and tables ---------------------------------------------------------------------------------------------


def test_a_forest_says_what_it_shows():
    figure = figures.forest(left_out(SPEC, cohort(), by="clinic"))
    assert figure.frame["hidden"].tolist() == [False, False, True, False]
    assert "intervals exclude 0" in figure.alt
    assert "south: estimate (95% CI) hidden" in figure.long_description
    several = figures.forest(joint_contrasts(*villa_sana_changes(), seed=1))
    assert "Emotional exhaustion" in several.alt
    assert several.png(dpi=50)[:4] == b"\x89PNG"
    empty = replace(change(), frame=change().frame.assign(conf_low=np.nan))
    with pytest.raises(StudyError, match="estimates with intervals"):
        figures.forest(empty)


@pytest.mark.parametrize(
    "name", ["specification_curve", "left_out", "joint_contrasts", "negative_control", "exact_time"]
)
def test_each_table_takes_its_own_kind(name):
    with pytest.raises(StudyError, match="was given contrasts"):
        getattr(tables, name)(change())
