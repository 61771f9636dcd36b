"""Tipping points: what they refuse, what they say, and how they look as tables and figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cohorts import cohort_of, scores

from burnout_stats import figures, tables
from burnout_stats.display import to_text
from burnout_stats.errors import ModelError, StudyError
from burnout_stats.inference import contrast, emmeans
from burnout_stats.instruments.norms import Norm
from burnout_stats.models import MMRM
from burnout_stats.sensitivity import (
    draws,
    fade,
    impute,
    jump_to_norm,
    strategies_compared,
    tipping_delta,
    tipping_map,
    tipping_point,
    tipping_share,
)

SPEC = MMRM("score ~ visit * sex")


def on_a_scale(**role):
    frame = scores(80, seed=1, seen=0.75)
    return cohort_of(frame.assign(score=frame["score"].clip(0, 6)), outcomes={"score": {"range": [0, 6], **role}})


@pytest.fixture(scope="module")
def cohort():
    return on_a_scale(better="lower")


@pytest.fixture(scope="module")
def drawn(cohort):
    return draws(SPEC, cohort, method="conditional-mean", seed=1)


@pytest.fixture(scope="module")
def curve(cohort, drawn):
    return tipping_point(SPEC, cohort, drawn=drawn)


@pytest.fixture(scope="module")
def surface(cohort, drawn):
    return tipping_map(SPEC, cohort, drawn=drawn, deltas=[0, 1.5, 3, 4.5])


def test_the_grid_goes_from_a_fifth_of_the_scale_better_to_all_of_it_worse(curve, cohort, drawn):
    grid = curve.frame.loc[~curve.frame["conclusion"].str.startswith("tipping"), "delta"]
    assert (grid.min(), grid.max()) == (-1.2, 6.0)
    assert (grid == 0).sum() == 2
    other = tipping_point(SPEC, on_a_scale(better="higher")).frame["delta"]
    assert (other.min(), other.max()) == (-6.0, 1.2)
    unsaid = tipping_point(SPEC, cohort_of(scores(80, seed=1, seen=0.75))).frame["delta"]
    assert unsaid.min() == -unsaid.max()


def test_notes_say_where_the_conclusion_changes_and_where_imputed_values_are_then(curve):
    tip = tipping_delta(curve, "3 years - baseline")
    notes = " ".join(curve.about.notes)
    sentence = "3 years - baseline: the interval lies below 0 at a delta of 0; it includes 0 beyond"
    assert f"{sentence} {tip:+.2f} points." in notes
    assert "on a scale from 0 to 6" in notes
    assert "Intervals take delta as known." in notes
    with pytest.raises(StudyError):
        tipping_delta(curve)


def test_a_conclusion_that_holds_everywhere_says_so(cohort, drawn):
    found = tipping_point(SPEC, cohort, drawn=drawn, deltas=[0, 0.1], contrast="3 years - baseline")
    assert np.isnan(tipping_delta(found))
    assert "so it does all the way from +0.00 to +0.10 points" in " ".join(found.about.notes)
    assert "changes nowhere" in figures.tipping_point(found).alt


def test_few_who_were_lost_are_not_counted():
    frame = scores(60, seed=1)
    frame = frame[~(frame["id"].isin(["S0001", "S0002"]) & frame["visit"].eq("3 years"))]
    found = tipping_point(SPEC, cohort_of(frame), visits="3 years", deltas=[0, 1])
    notes = " ".join(found.about.notes)
    assert "3 years (fewer than 5 of 60)" in notes
    assert "Imputed values average" not in notes


def test_any_question_of_the_fit_can_be_asked(cohort, drawn):
    def arms(fit):
        return contrast(emmeans(fit, "visit", by="sex"), "difference_in_differences")

    found = tipping_point(SPEC, cohort, drawn=drawn, contrast=arms, deltas=[0, 1])
    assert set(found.frame["contrast"]) == {"1 year - baseline, M - F", "3 years - baseline, M - F"}

    def by_sex(fit):
        return contrast(emmeans(fit, "visit", by="sex"))

    found = tipping_point(SPEC, cohort, drawn=drawn, contrast=by_sex, deltas=[0, 1])
    assert "1 year - baseline (F)" in set(found.frame["contrast"])


def test_a_seed_decides_and_strategies_come_before_delta(cohort):
    asked = {"method": "bayes", "n": 6, "deltas": [0, 1], "strategy": "return_to_baseline"}
    one, same = (tipping_point(SPEC, cohort, seed=3, **asked) for _ in range(2))
    assert one.frame.equals(same.frame)
    assert "Then: return to baseline" in " ".join(one.about.notes)


def test_tables_show_the_rows_and_only_where_it_changes(curve, surface, cohort, drawn):
    short = to_text(tables.tipping_point(curve, grid=False))
    assert "tipping point: upper limit at 0" in short
    assert len(to_text(tables.tipping_point(curve)).splitlines()) > len(short.splitlines()) + 20
    assert "Delta at 1 year" in to_text(tables.tipping_point(surface))
    compared = strategies_compared(SPEC, cohort, drawn=drawn)
    assert "return to baseline" in to_text(tables.strategies(compared))
    share = tipping_share(SPEC, cohort, drawn=drawn, shares=[0, 0.5, 1])
    assert "50.0%" in to_text(tables.tipping_point(share))


def test_figures_draw_what_the_frame_holds(curve, surface, cohort, drawn):
    figure = figures.tipping_point(curve, "1 year - baseline")
    assert set(figure.frame["contrast"]) == {"1 year - baseline"}
    assert f"{tipping_delta(curve, '1 year - baseline'):+.2f}" in figure.alt
    assert figure.svg().startswith("<svg")
    heat = figures.tipping_map(surface)
    assert len(heat.frame) == len(surface)
    assert "16 cells" in heat.alt
    assert "tipping point: upper limit at 0" in heat.long_description
    assert heat.svg() == figures.tipping_map(surface).svg()
    share = figures.tipping_point(tipping_share(SPEC, cohort, drawn=drawn, shares=[0, 1]))
    assert "0% to 100%" in share.alt.replace("from ", "")
    assert share.svg().startswith("<svg")


def test_too_few_persons_are_hidden_in_figures(curve, surface):
    for draw, made in ((figures.tipping_point, curve), (figures.tipping_map, surface)):
        few = replace(made, frame=made.frame.assign(n=3.0))
        assert "hidden" in draw(few).alt
        assert "hidden" in to_text(tables.tipping_point(few))


def test_names_and_notes_of_strategies_with_parameters():
    norm = Norm(2.5, 0.9, 1070, label="Norwegian doctors", drift=0.02)
    assert jump_to_norm(norm).name == "jump to Norwegian doctors"
    assert "changing by +0.02 a year" in jump_to_norm(norm).note
    assert fade(0.25) == fade(0.25)
    assert "25%" in fade(0.25).note


def test_assumptions_are_printed(drawn):
    assert "the missing visits have the mean of the baseline" in impute(drawn, "return_to_baseline").notes[0]
    assert "25% of what is left is lost each year" in impute(drawn, fade(0.25)).notes[0]


def test_the_norm_speaks_of_the_own_outcome_only():
    frame = scores(60, seed=2, seen=0.8)
    frame["stress"] = frame["score"] + np.random.default_rng(1).normal(0, 0.4, len(frame))
    cohort = cohort_of(frame, outcomes=["score", "stress"], covariates=["sex"])
    found = draws(SPEC, cohort, outcomes=["stress"], method="conditional-mean", seed=1)
    plain, moved = impute(found), impute(found, jump_to_norm(Norm(9.0, 0.5, 100)))
    np.testing.assert_allclose(moved.values("stress")[0], plain.values("stress")[0], rtol=0.2)
    assert (moved.values("score")[0].max()) > 7


# ---- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.raises_code("E-STUDY-OPTION")
def test_a_reference_is_needed(drawn):
    with pytest.raises(StudyError, match="none was named"):
        impute(drawn, "jump_to_reference")


@pytest.mark.raises_code("E-STUDY-COLUMN")
def test_a_reference_outside_the_model_is_refused(drawn):
    with pytest.raises(StudyError):
        impute(drawn, "jump_to_reference", reference=("age", "F"))


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_an_unknown_level_is_refused(drawn):
    with pytest.raises(StudyError):
        impute(drawn, "jump_to_reference", reference=("sex", "X"))


@pytest.mark.raises_code("E-STUDY-VALUE")
@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_rates_are_shares(rate):
    with pytest.raises(StudyError):
        fade(rate)


@pytest.mark.raises_code("E-STUDY-VISITS")
@pytest.mark.parametrize("visits", [("1 year", "1 year"), ("baseline", "3 years"), ("1 year", "2 years")])
def test_a_map_has_two_follow_up_visits(cohort, drawn, visits):
    with pytest.raises(StudyError):
        tipping_map(SPEC, cohort, drawn=drawn, visits=visits)


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_shares_and_grids_that_cannot_be(cohort, drawn):
    with pytest.raises(StudyError):
        tipping_share(SPEC, cohort, drawn=drawn, shares=[0, 1.5])
    with pytest.raises(StudyError):
        tipping_point(SPEC, cohort, drawn=drawn, deltas=[1.0])


@pytest.mark.raises_code("E-STUDY-OPTION")
def test_options_that_are_not_there(cohort, drawn, curve):
    proper = draws(SPEC, cohort, n=4, seed=1)
    with pytest.raises(StudyError):
        tipping_share(SPEC, cohort, drawn=proper)
    with pytest.raises(StudyError):
        strategies_compared(SPEC, cohort, drawn=proper, shifts="fixed")
    with pytest.raises(StudyError):
        tipping_point(SPEC, cohort, drawn=drawn, contrast="4 years - baseline")
    with pytest.raises(StudyError):
        tipping_map(SPEC, cohort, drawn=drawn, contrast={"a": [-1, 1, 0], "b": [-1, 0, 1]})
    with pytest.raises(StudyError):
        figures.tipping_point(curve, "2 years - baseline")
    with pytest.raises(StudyError):
        tipping_delta(strategies_compared(SPEC, cohort, drawn=drawn))


@pytest.mark.raises_code("E-MODEL-NOT-ESTIMABLE")
def test_a_contrast_without_an_estimate_has_no_tipping_point(cohort, drawn):
    def nothing(fit):
        asked = contrast(emmeans(fit, "visit"))
        return replace(asked, frame=asked.frame.assign(estimate=np.nan))

    with pytest.raises(ModelError):
        tipping_point(SPEC, cohort, drawn=drawn, contrast=nothing)


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_tables_and_figures_refuse_other_kinds(curve, surface):
    for show in (figures.tipping_map, tables.strategies):
        with pytest.raises(StudyError):
            show(curve)
    with pytest.raises(StudyError):
        figures.tipping_point(surface)
    with pytest.raises(StudyError):
        tables.tipping_point(replace(curve, about=replace(curve.about, kind="means")))
