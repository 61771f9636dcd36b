"""What a notebook shows of Estimates and Summaries, and the gate before it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from handmade import PAYLOADS, changes, coefficients, means, observed

from burnout_stats.display import Hidden
from burnout_stats.estimates import About, Policy, Summaries, protect
from burnout_stats.estimates.tabulation import in_sentence, percent_of, tabulate


def shown_everywhere(results: object) -> str:
    return "\n".join([str(results), results._repr_html_(), results._repr_markdown_(), repr(results)])  # type: ignore[attr-defined]


def test_estimates_show_their_numbers() -> None:
    for text in (str(means()), means()._repr_html_(), means()._repr_markdown_()):
        assert "2.53" in text
        assert "2.40 to 2.66" in text
        assert "Averaged over age." in text.replace("\\", "")


def test_the_short_form_tells_no_numbers() -> None:
    assert repr(means()) == "<Estimates of means: exhaustion; 3 rows, kenward-roger>"
    assert repr(observed()) == "<Summaries: by_visit; 21 rows>"


@pytest.mark.raises_code("N-DISCLOSURE-HIDDEN")
def test_no_representation_tells_of_few_persons() -> None:
    few = means(sexes=("F", "M"), few=4)
    assert "2.21" in shown_everywhere(replace(few, about=replace(few.about, min_cell=1)))
    text = shown_everywhere(few)
    assert "2.21" not in text
    assert "hidden" in text
    assert "fewer than 5 persons" in text


def test_no_representation_of_summaries_tells_of_few_persons() -> None:
    few = observed(few=4)
    assert "2.29" not in shown_everywhere(few)
    assert "2.29" in shown_everywhere(replace(few, about=replace(few.about, min_cell=1)))


def test_protection_carries_its_own_threshold() -> None:
    estimates = means(few=7)
    assert protect(estimates, Policy(10)).about.min_cell == 10
    assert "2.31 " not in str(protect(estimates, Policy(10)))
    assert protect(protect(estimates, Policy(10)), Policy(5)).about.min_cell == 10
    assert protect(estimates, Policy(1)).about.min_cell == 1


def test_what_was_hidden_before_stays_hidden() -> None:
    hidden = protect(means(few=4), Policy(5))
    table = tabulate(replace(hidden, about=replace(hidden.about, min_cell=1)))
    assert table.rows[2].cells[1:] == (Hidden(),) * 7


def test_groups_are_the_levels_of_by() -> None:
    table = tabulate(means(sexes=("F", "M")))
    assert [row.group for row in table.rows] == ["Sex: F"] * 3 + ["Sex: M"] * 3
    assert [column.key for column in table.columns][:2] == ["visit", "estimate"]


def test_groups_stay_together_when_the_frame_alternates() -> None:
    estimates = means(sexes=("F", "M"))
    mixed = estimates.frame.iloc[[0, 3, 1, 4, 2, 5]].reset_index(drop=True)
    table = tabulate(replace(estimates, frame=mixed))
    assert [(row.group, row.cells[0]) for row in table.rows] == [
        (group, visit) for group in ("Sex: F", "Sex: M") for visit in ("baseline", "1 year", "3 years")
    ]


def test_a_number_that_does_not_exist_says_why() -> None:
    assert 'title="not estimable from these data">—<' in coefficients()._repr_html_()


def test_the_statistic_has_its_name() -> None:
    normal = means().frame.assign(df=float("inf"))
    headers = [column.header for column in tabulate(replace(means(), frame=normal)).columns]
    assert "z" in headers
    assert "t" not in headers
    tests = replace(means(), frame=means().frame.assign(num_df=2.0), about=replace(means().about, kind="tests"))
    assert [column.header for column in tabulate(tests).columns] == ["Visit", "numerator df", "df", "F", "p", "n"]


def test_notes_tell_scale_df_and_adjustment_once() -> None:
    notes = tabulate(changes(adjust="holm")).notes
    assert notes == (
        "Emotional exhaustion: scale 1 to 5, lower is better.",
        "Degrees of freedom: Kenward-Roger.",
        "p values adjusted for several tests (Holm).",
    )
    said = changes(adjust="holm", notes=("P values are adjusted over 2 contrasts (holm).",))
    assert len(tabulate(said).notes) == 3


@pytest.mark.parametrize("payload", PAYLOADS)
def test_labels_that_mean_harm_are_only_text(payload: str) -> None:
    results = means(sexes=(payload,), label=payload)
    marked_up = results._repr_html_() + results._repr_markdown_().replace("\\<", "")
    assert "<script" not in marked_up
    assert "<img" not in marked_up
    assert "<svg" not in marked_up
    assert "\x1b" not in shown_everywhere(results)


def test_empty_results_make_an_empty_table() -> None:
    nothing = replace(means(), frame=means().frame.iloc[:0], vcov=np.zeros((0, 0)))
    assert len(tabulate(nothing)) == 0
    empty = Summaries(frame=observed().frame.iloc[:0], about=About(kind="by_visit"))
    assert len(tabulate(empty)) == 0


def test_words_of_coverage_and_labels() -> None:
    assert percent_of(0.9) == "90%"
    assert percent_of(1 - 0.05 / 3) == "98.3333%"
    assert in_sentence("BMI") == "BMI"
