"""One number for a sentence of one's own."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from handmade import PAYLOADS, changes, means, one_change

from burnout_stats import text
from burnout_stats.errors import StudyError


def test_a_change_with_its_interval_and_p_value() -> None:
    told = text.inline(changes(), contrast="3 years - baseline")
    assert told == "−0.65 (95% CI −0.80 to −0.51; p = 0.04996)"


@pytest.mark.parametrize(
    ("style", "language", "told"),
    [
        ("apa", "en", "−0.52 (95% CI [−0.66, −0.38]; p < .001)"),
        ("ama", "en", "−0.52 (95% CI −0.66 to −0.38; P < .001)"),
        ("plain", "nb", "−0,52 (95\xa0% KI −0,66 til −0,38; p < 0,001)"),
    ],
)
def test_in_every_style_and_language(style: str, language: str, told: str) -> None:
    assert text.inline(changes(), style=style, language=language, contrast="1 year - baseline") == told


def test_any_pattern() -> None:
    told = text.inline(
        changes(adjust="holm"),
        pattern="{estimate} SE {std_error}, t({df}) = {statistic}, {p}, n = {n}",
        contrast="1 year - baseline",
    )
    assert told == "−0.52 SE 0.07, t(180.2) = −7.32, Holm-adjusted p < 0.001, n = 185"


def test_a_mean_in_a_group_with_the_decimals_of_its_table() -> None:
    told = text.inline(means(sexes=["F", "M"]), visit="baseline", sex="M", pattern="{estimate}")
    assert told == "2.95"
    assert text.inline(means(), visit="baseline", pattern="{estimate}", decimals=1) == "3.1"


def test_hidden_and_missing_numbers_are_not_told() -> None:
    few = replace(changes(), frame=changes().frame.assign(n=[185, 4]))
    assert (
        text.inline(few, contrast="3 years - baseline", pattern="{estimate} {interval} {p} {n}")
        == "hidden " * 3 + "hidden"
    )
    unknown = replace(one_change(-0.5), frame=one_change(-0.5).frame.assign(estimate=math.nan, std_error=math.nan))
    assert text.inline(unknown, pattern="{estimate}") == "not estimable"


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_exactly_one_row_is_meant() -> None:
    with pytest.raises(StudyError, match="2 rows of these estimates are meant"):
        text.inline(changes())
    with pytest.raises(StudyError, match="0 rows of these estimates are meant"):
        text.inline(changes(), contrast="2 years - baseline")


@pytest.mark.raises_code("E-STUDY-COLUMN")
def test_a_row_has_its_names() -> None:
    with pytest.raises(StudyError, match="Did you mean `contrast`"):
        text.inline(changes(), contrasts="1 year - baseline")


@pytest.mark.raises_code("E-STUDY-OPTION")
@pytest.mark.parametrize("pattern", ["{estimat}", "{estimate.__class__}", "{0}", "{estimate!r}", "{estimate"])
def test_a_pattern_reaches_nothing_but_its_names(pattern: str) -> None:
    with pytest.raises(StudyError) as caught:
        text.inline(changes(), pattern=pattern, contrast="1 year - baseline")
    assert caught.value.code == "E-STUDY-OPTION"


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_pattern_gives_one_clean_line(payload: str) -> None:
    plain = payload.replace("{", "(").replace("}", ")")
    told = text.inline(changes(), pattern=plain + "{p}", contrast="1 year - baseline")
    assert "\n" not in told
    assert "\x1b" not in told
    assert "\u202e" not in told
