"""Numbers as people read them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnout_stats.display import NUMBER_STYLES, number_style
from burnout_stats.display.styles import EM_DASH, MINUS, decimals_from, fixed, interval, p_clause, p_value
from burnout_stats.errors import StudyError


@pytest.mark.parametrize(
    ("p", "plain", "apa"),
    [
        (0.0495, "0.0495", ".0495"),
        (0.04999, "0.04999", ".04999"),
        (0.0499999999, "<0.05", "<.05"),
        (0.05, "0.050", ".050"),
        (0.0501, "0.050", ".050"),
        (0.0494, "0.049", ".049"),
        (0.0005, "<0.001", "<.001"),
        (0.00049, "<0.001", "<.001"),
        (0.000999999, "<0.001", "<.001"),
        (0.001, "0.001", ".001"),
        (0.0015, "0.002", ".002"),
        (0.9994, "0.999", ".999"),
        (0.9996, ">0.999", ">.999"),
        (1.0, ">0.999", ">.999"),
        (0.0, "<0.001", "<.001"),
        (math.nan, EM_DASH, EM_DASH),
    ],
)
def test_p_values(p: float, plain: str, apa: str) -> None:
    assert p_value(p) == plain
    assert p_value(p, "apa") == apa


@given(st.floats(0, 1))
def test_no_p_value_is_zero_or_one_or_crosses_the_line(p: float) -> None:
    text = p_value(p)
    number = float(text.lstrip("<>"))
    assert 0 < number < 1
    if text[0] not in "<>":
        assert (p < 0.05) == (number < 0.05)
        assert abs(number - p) <= 0.0005


@pytest.mark.parametrize("p", [-0.1, 1.1, math.inf])
def test_what_is_no_probability_is_not_written(p: float) -> None:
    with pytest.raises(ValueError, match="p value"):
        p_value(p)


def test_p_values_in_a_sentence() -> None:
    assert p_clause(0.034) == "p = 0.034"
    assert p_clause(0.9999) == "p > 0.999"
    assert p_clause(0.0001, "apa", symbol="Holm-adjusted p") == "Holm-adjusted p < .001"


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0.125, 2, "0.13"),
        (0.375, 2, "0.38"),
        (2.675, 2, "2.68"),
        (1.005, 2, "1.01"),
        (-0.125, 2, f"{MINUS}0.13"),
        (-0.001, 2, "0.00"),
        (0.5, 0, "1"),
        (1e-20, 3, "0.000"),
        (1e22, 1, "10000000000000000000000.0"),
        (math.inf, 1, "∞"),
        (-math.inf, 1, f"{MINUS}∞"),
    ],
)
def test_rounding_is_half_up_on_what_a_reader_sees(value: float, decimals: int, text: str) -> None:
    assert fixed(value, decimals) == text


@pytest.mark.parametrize(
    ("std_errors", "decimals"),
    [
        ([0.0712], 2),
        ([0.0354], 3),
        ([0.0355], 2),
        ([0.0949], 2),
        ([0.0950], 2),
        ([0.123], 2),
        ([0.42], 1),
        ([0.964], 1),
        ([4.2], 0),
        ([12.0], 0),
        ([0.1, 0.03], 2),
        ([4.2, 0.03], 2),
        ([math.nan, 0.0, 0.42], 1),
        ([], 2),
        ([math.nan], 2),
    ],
)
def test_decimals_come_from_standard_errors(std_errors: list[float], decimals: int) -> None:
    assert decimals_from(std_errors) == decimals


@given(st.floats(1e-6, 1e3))
def test_no_estimate_loses_more_than_a_seventh_of_its_standard_error(se: float) -> None:
    decimals = decimals_from([se])
    assert 0.5 * 10**-decimals <= se / 7 * 1.001 or decimals == 0


@given(st.floats(1e-6, 9.9))
def test_a_style_may_always_show_two_digits(se: float) -> None:
    strict = replace(NUMBER_STYLES["plain"], two_digits_up_to=999)
    shown = fixed(se, decimals_from([se], strict)).replace(".", "").lstrip("0")
    assert len(shown) in {2, 3} if se >= 0.995 else len(shown) == 2


def test_intervals_of_negative_limits_can_be_read() -> None:
    assert interval(-0.609, -0.327, 2) == "−0.61 to −0.33"
    assert interval(-0.609, 0.327, 1, "apa") == "[−0.6, 0.3]"


@pytest.mark.raises_code("E-STUDY-OPTION")
def test_an_unknown_style_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(StudyError, match=r"Did you mean `plain`\?") as caught:
        number_style("plane")
    assert caught.value.code == "E-STUDY-OPTION"


def test_a_style_passes_through() -> None:
    assert number_style(NUMBER_STYLES["apa"]) is NUMBER_STYLES["apa"]
