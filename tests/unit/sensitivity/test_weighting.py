"""Weights, complete cases, bounds and the triangulation: what they refuse, what they say, what is shown of them."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from cohorts import cohort_of, scores

from burnout_stats import figures, tables
from burnout_stats.display import Hidden
from burnout_stats.errors import ModelError, StudyError
from burnout_stats.inference import contrast, emmeans, joint_test
from burnout_stats.models import MMRM
from burnout_stats.notices import BurnoutStatsWarning
from burnout_stats.sensitivity import bounds, complete_cases, triangulation, weighted, weights
from burnout_stats.studies import example

SPEC = MMRM("score ~ visit * sex")
VILLA = MMRM("exhaustion ~ visit * sex + age")
PREDICTORS = ["exhaustion", "job_stress", "coping", "sex"]


def cohort(n=80, seed=1, **roles):
    return cohort_of(scores(n, seed=seed, seen=0.8), **roles)


@pytest.fixture(scope="module")
def side_by_side():
    return triangulation(
        VILLA, example("villa_sana"), predictors=PREDICTORS, auxiliaries=["job_stress", "coping[baseline]"], n=8, seed=1
    )


# ---- weights


def test_weights_make_those_seen_like_everybody():
    found = weights(VILLA, example("villa_sana"), PREDICTORS, truncate=None)
    frame = found.balance.frame
    before, after = (frame.loc[frame["statistic"].eq(when), "value"].abs() for when in ("before", "after"))
    assert before.max() > 0.1
    assert after.max() < 0.02
    assert set(frame["variable"]) == {"1 year", "3 years"}
    assert "Job stress" in set(frame["level"])
    assert np.nanmin(found.values) > 0
    assert np.isnan(found.values).sum() == 42 + 43


def test_truncation_cuts_where_it_says():
    whole, cut = (
        weights(VILLA, example("villa_sana"), PREDICTORS, truncate=limits).values[:, 1] for limits in (None, (0.1, 0.9))
    )
    seen = ~np.isnan(whole)
    low, high = np.quantile(whole[seen], [0.1, 0.9], method="inverted_cdf")
    np.testing.assert_allclose(cut[seen], np.clip(whole[seen], low, high))
    assert (cut[seen] != whole[seen]).mean() == pytest.approx(0.2, abs=0.02)


def test_notes_say_what_is_assumed_of_gaps():
    said = " ".join(weights(VILLA, example("villa_sana"), PREDICTORS).notes)
    for words in ("Job stress", "0.01 and 0.99", "given what everybody has (baseline)", "missed between two others"):
        assert words in said
    said = " ".join(weights(VILLA, example("villa_sana"), PREDICTORS, gaps="monotone", truncate=None).notes)
    assert "scores after a missed visit are not used" in said
    assert "not truncated" in said


def test_a_monotone_model_leaves_out_who_came_back():
    found = weights(VILLA, example("villa_sana"), PREDICTORS, gaps="monotone")
    assert found.response.seen.sum(0).tolist() == [227, 185, 169]
    known = ~np.isnan(found.probability[:, 2])
    assert known.sum() == 185, "the score at the visit before is a predictor"
    assert (found.probability[known, 2] < found.probability[known, 1]).all()


def test_completers_have_one_weight_and_their_number():
    found = weights(VILLA, example("villa_sana"), PREDICTORS, kind="completers")
    assert (np.ptp(found.values[found.response.seen[:, 0]], axis=1) == 0).all()
    assert set(found.diagnostics.frame["level"]) == {"every visit"}
    assert weighted(VILLA, example("villa_sana"), PREDICTORS, kind="completers").frame["n"].tolist() == [169.0, 169.0]


def test_subjects_without_a_predictor_are_left_out_with_a_notice():
    frame = scores(80, seed=1, seen=0.8).assign(stress=1.0)
    frame["stress"] = np.random.default_rng(2).normal(size=len(frame))
    lost = frame["id"].isin(frame["id"].unique()[:7]) & frame["visit"].eq("baseline")
    frame.loc[lost, "stress"] = np.nan
    with pytest.warns(BurnoutStatsWarning, match="7 subjects were left out"):
        found = weights(SPEC, cohort_of(frame, outcomes=["score", "stress"]), ["stress"])
    assert found.cohort.n_subjects == len(frame["id"].unique()) - 7


@pytest.mark.raises_code("E-MODEL-SEPARATION")
def test_separation_is_refused_and_named():
    frame = scores(60, seed=1, seen=1.0)
    subjects = frame["id"].unique()
    frame["ward"] = np.where(frame["id"].isin(subjects[:9]), "east", "west")
    gone = (frame["id"].isin(subjects[:9]) | frame["id"].isin(subjects[30:34])) & frame["visit"].eq("3 years")
    shown = cohort_of(frame[~gone], covariates={"ward": {"levels": ["west", "east"]}, "sex": {}, "age": {}})
    with pytest.raises(ModelError, match=r"ward\[east\].*3 years"):
        weighted(SPEC, shown, ["ward", "age"])


@pytest.mark.raises_code("N-MODEL-REPLICATES")
def test_resamples_that_are_separated_are_left_out_and_counted():
    frame = scores(40, seed=1, seen=1.0)
    subjects = frame["id"].unique()
    frame["ward"] = np.where(frame["id"].isin(subjects[:8]), "east", "west")
    gone = frame["id"].isin([*subjects[:6], *subjects[30:34]]) & frame["visit"].eq("3 years")
    shown = cohort_of(frame[~gone], covariates={"ward": {"levels": ["west", "east"]}, "sex": {}, "age": {}})
    with pytest.warns(BurnoutStatsWarning, match="of 300 resamples had no answer"):
        found = weighted(MMRM("score ~ visit"), shown, ["ward"], se="bootstrap", n=300, seed=1)
    assert np.isfinite(found.frame["std_error"]).all()


@pytest.mark.raises_code("E-MODEL-SINGULAR")
def test_a_predictor_that_follows_from_others_is_refused():
    with pytest.raises(ModelError, match="`age2`"):
        weights(SPEC, cohort_of(scores(80, seed=1, seen=0.8).assign(age2=lambda f: 2 * f["age"] + 1)), ["age", "age2"])


@pytest.mark.raises_code("N-MODEL-ALIASED")
def test_a_column_of_the_model_that_follows_from_others_is_left_out_as_of_a_fit():
    spec = MMRM("score ~ visit + sex + age + age2")
    shown = cohort_of(scores(80, seed=1, seen=0.8).assign(age2=lambda f: 2 * f["age"] + 1))
    with pytest.warns(BurnoutStatsWarning, match="`age2` cannot be told"):
        found = weighted(spec, shown, ["age"])
    plain = weighted(MMRM("score ~ visit + sex + age"), shown, ["age"])
    np.testing.assert_allclose(found.frame["estimate"], plain.frame["estimate"], rtol=1e-8)


@pytest.mark.raises_code("E-MODEL-EMPTY")
def test_a_visit_at_which_nobody_was_seen_is_refused():
    frame = scores(40, seed=1).assign(other=1.0)
    frame["other"] += np.arange(len(frame)) % 7
    frame.loc[frame["visit"].eq("3 years"), "score"] = np.nan
    with pytest.warns(BurnoutStatsWarning, match="no value of `score`"):
        shown = cohort_of(frame, outcomes=["score", "other"])
    with pytest.raises(ModelError, match="3 years"):
        weights(SPEC, shown, ["age"])


@pytest.mark.raises_code("E-STUDY-WEIGHTING")
@pytest.mark.parametrize(
    "asked",
    [
        {"spec": MMRM("score ~ visit", weights="age")},
        {"spec": MMRM("score ~ visit + (1 | sex)")},
        {"spec": MMRM("score ~ visit", cluster="sex")},
        {"spec": MMRM("score ~ years")},
        {"kind": "augmented", "gaps": "monotone"},
        {"outcome_predictors": ["age"]},
    ],
)
def test_what_does_not_go_with_weights_is_refused(asked):
    with pytest.raises(StudyError):
        weighted(**({"spec": SPEC, "cohort": cohort(), "predictors": ["age"]} | asked))


@pytest.mark.raises_code("E-STUDY-WEIGHTING")
def test_complete_cases_need_visits_and_bounds_a_range():
    with pytest.raises(StudyError):
        complete_cases(MMRM("score ~ years"), cohort())
    with pytest.raises(StudyError, match="no declared range"):
        bounds(cohort(), "score")


@pytest.mark.raises_code("E-STUDY-VALUE")
@pytest.mark.parametrize("asked", [{"truncate": (0.9, 0.1)}, {"se": "bootstrap"}, {"predictors": []}])
def test_impossible_values_are_refused(asked):
    with pytest.raises(StudyError):
        weighted(**({"spec": SPEC, "cohort": cohort(), "predictors": ["age"]} | asked))


@pytest.mark.raises_code("E-STUDY-OPTION")
@pytest.mark.parametrize("asked", [{"kind": "visit"}, {"gaps": "none"}, {"se": "cr2"}])
def test_unknown_options_are_refused(asked):
    with pytest.raises(StudyError):
        weighted(SPEC, cohort(), ["age"], **asked)


def test_a_bootstrap_follows_its_seed_and_comes_near_the_sandwich():
    one, same, other = (
        weighted(SPEC, cohort(200), ["age"], se="bootstrap", n=400, seed=seed).frame["std_error"] for seed in (1, 1, 2)
    )
    assert one.equals(same)
    assert not one.equals(other)
    sandwich = weighted(SPEC, cohort(200), ["age"]).frame["std_error"]
    np.testing.assert_allclose(one, sandwich, rtol=0.15)


def test_a_weighted_fit_answers_other_questions():
    found = weighted(VILLA, example("villa_sana"), PREDICTORS)
    _, fitted = found.attached()
    by_sex = contrast(emmeans(fitted, "visit", by="sex"), "difference_in_differences")
    assert len(by_sex) == 2
    test = joint_test(fitted, found.L).frame
    z = found.frame["estimate"].to_numpy() @ np.linalg.solve(found.vcov, found.frame["estimate"].to_numpy())
    assert test["statistic"].item() == pytest.approx(z / 2)
    assert "Emotion-focused coping" in " ".join(by_sex.about.notes)


# ---- bounds and triangulation


def test_bounds_put_the_missing_at_the_ends():
    frame = pd.DataFrame(
        {"id": [1, 1, 2, 3], "visit": ["baseline", "1 year", "baseline", "1 year"], "score": [4.0, 2.0, 3.0, 5.0]}
    )
    found = bounds(cohort_of(frame, outcomes={"score": {"range": [1, 5]}}), "score").frame
    assert found["estimate"].tolist() == pytest.approx([(-2 - 2 + 0) / 3, (-2 + 2 + 4) / 3])
    assert (found["n"] == 1).all()


def test_the_order_of_wide_bounds_gives_one_sided_limits():
    frame = bounds(example("villa_sana"), "exhaustion").frame.iloc[:2]
    z = [
        (frame["estimate"].iloc[0] - frame["conf_low"].iloc[0]) / frame["std_error"].iloc[0],
        (frame["conf_high"].iloc[1] - frame["estimate"].iloc[1]) / frame["std_error"].iloc[1],
    ]
    np.testing.assert_allclose(z, 1.6448536, rtol=1e-6)


def test_a_triangulation_has_every_analysis_of_every_contrast(side_by_side):
    frame = side_by_side.frame
    assert frame.groupby("contrast")["analysis"].nunique().tolist() == [7, 7]
    bar = frame[frame["analysis"].eq("Bounds")]
    assert bar["estimate"].isna().all()
    inside = frame.merge(bar[["contrast", "conf_low", "conf_high"]], on="contrast", suffixes=("", "_bound"))
    inside = inside.dropna(subset="estimate")
    assert (inside["estimate"].between(inside["conf_low_bound"], inside["conf_high_bound"])).all()
    one = frame[frame["analysis"].eq("Weighted")]["estimate"].to_numpy()
    np.testing.assert_allclose(one, weighted(VILLA, example("villa_sana"), PREDICTORS).frame["estimate"])
    diagonal = np.sqrt(np.diag(side_by_side.vcov))
    np.testing.assert_allclose(diagonal[frame["estimate"].notna()], frame["std_error"].dropna(), rtol=1e-7)


def test_every_assumption_stands_under_the_table(side_by_side):
    said = str(tables.triangulation(side_by_side).notes)
    for name in (
        "MMRM:",
        "MMRM with auxiliaries:",
        "Multiple imputation:",
        "Weighted:",
        "augmented:",
        "Complete cases:",
    ):
        assert name in said
    assert "nothing; missing scores at the ends of the scale (1 and 5)" in said
    assert "Job stress (every visit)" in said


def test_the_triangulation_goes_without_auxiliaries_and_without_a_range():
    found = triangulation(SPEC, cohort(), predictors=["age"], n=4, seed=1).frame
    assert set(found["analysis"]) == {
        "MMRM",
        "Multiple imputation",
        "Weighted",
        "Weighted, augmented",
        "Complete cases",
    }


def test_the_figure_draws_what_the_estimates_say(side_by_side):
    from matplotlib.figure import Figure as Canvas

    figure = figures.triangulation(side_by_side)
    ax = Canvas().add_subplot()
    figure.draw(ax)
    drawn = np.sort(np.concatenate([line.get_xdata() for line in ax.lines[1:]]))
    np.testing.assert_allclose(drawn, np.sort(side_by_side.frame["estimate"].dropna()))
    assert "6 analyses put the change between" in figure.alt
    assert "the missing scores allow" in figure.alt
    assert figure.long_description.count(".") > 14
    assert figure.svg().startswith("<svg")
    assert figures.triangulation(side_by_side, ax=ax, size="double").size == (183.0, 96.0)


def test_balance_is_drawn_and_tabulated():
    found = weights(VILLA, example("villa_sana"), PREDICTORS)
    figure = figures.balance(found.balance)
    assert "the largest is 0.11 before weighting" in figure.alt
    assert "Job stress" in figure.long_description
    assert figure.svg().startswith("<svg")
    assert len(tables.balance(found.balance).rows) == 8
    assert len(tables.follow_up_weights(found.diagnostics).rows) == 3
    assert len(tables.bounds(bounds(example("villa_sana"), "exhaustion")).rows) == 4


@pytest.mark.raises_code("E-STUDY-VALUE")
@pytest.mark.parametrize(
    "builder", [figures.triangulation, figures.balance, tables.triangulation, tables.balance, tables.bounds]
)
def test_builders_refuse_other_results(builder):
    found = complete_cases(MMRM("score ~ visit"), cohort())
    with pytest.raises(StudyError):
        builder(found)


def test_few_persons_are_hidden():
    frame = scores(30, seed=1)
    few = frame["visit"].eq("3 years") & ~frame["id"].isin(frame["id"].unique()[:4])
    some = frame["visit"].eq("1 year") & frame["id"].isin(frame["id"].unique()[20:])
    shown = cohort_of(frame[~few & ~some], outcomes={"score": {"range": [-2, 8]}})
    found = weighted(MMRM("score ~ visit"), shown, ["age"])
    assert found.frame["n"].tolist() == [20, 4]
    assert "hidden" in str(found)
    assert "hidden" in str(tables.bounds(bounds(shown, "score")))
    assert "effective n" not in set(weights(MMRM("score ~ visit"), shown, ["age"]).diagnostics.frame["statistic"])


def test_imputed_scores_do_not_show_what_rests_on_few():
    frame = scores(60, seed=1)
    few = frame["visit"].eq("3 years") & ~frame["id"].isin(frame["id"].unique()[::16])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BurnoutStatsWarning)
        found = triangulation(MMRM("score ~ visit"), cohort_of(frame[~few]), predictors=["age"], n=4, seed=1)
    hidden = [row.cells[1] for row in tables.triangulation(found).rows if "3 years" in row.group]
    assert len(hidden) == 5
    assert all(isinstance(cell, Hidden) for cell in hidden)
