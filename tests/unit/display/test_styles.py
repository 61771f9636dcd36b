"""Numbers as people read them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnout_stats.display import (
    NUMBER_STYLES,
    Column,
    Hidden,
    Interval,
    NumberStyle,
    Pair,
    Row,
    Table,
    number_style,
    to_markdown,
    to_text,
)
from burnout_stats.display.styles import (
    EM_DASH,
    MINUS,
    cell_text,
    decimals_from,
    fixed,
    header_text,
    interval,
    p_clause,
    p_value,
    style_of,
)
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


@pytest.mark.parametrize(
    ("p", "ama", "nejm"),
    [
        (0.0495, ".0495", "0.0495"),
        (0.04999, ".04999", "0.04999"),
        (0.0499999999, "<.05", "<0.05"),
        (0.05, ".05", "0.05"),
        (0.0501, ".05", "0.05"),
        (0.0449, ".04", "0.04"),
        (0.045, ".045", "0.045"),
        (0.0494, ".049", "0.049"),
        (0.046, ".046", "0.046"),
        (0.0095, ".010", "0.010"),
        (0.0099, ".010", "0.010"),
        (0.01, ".01", "0.01"),
        (0.0104, ".01", "0.01"),
        (0.0105, ".01", "0.01"),
        (0.0085, ".009", "0.009"),
        (0.0005, "<.001", "<0.001"),
        (0.00049, "<.001", "<0.001"),
        (0.001, ".001", "0.001"),
        (0.34, ".34", "0.34"),
        (0.345, ".35", "0.35"),
        (0.9949, ".99", "0.99"),
        (0.995, ">.99", ">0.99"),
        (0.9996, ">.99", ">0.99"),
        (1.0, ">.99", ">0.99"),
        (0.0, "<.001", "<0.001"),
        (math.nan, EM_DASH, EM_DASH),
    ],
)
def test_p_values_of_the_medical_journals(p: float, ama: str, nejm: str) -> None:
    assert p_value(p, "ama") == ama
    assert p_value(p, "nejm") == nejm
    assert p_value(p, "bmj") == nejm


@pytest.mark.parametrize("style", NUMBER_STYLES)
@pytest.mark.parametrize("language", ["en", "nb"])
@given(p=st.floats(0, 1))
def test_no_p_value_is_zero_or_one_or_crosses_the_line(style: str, language: str, p: float) -> None:
    chosen = number_style(style, language=language)
    text = p_value(p, chosen)
    number = float(text.lstrip("<>").replace(",", "."))
    assert 0 < number < 1
    assert ("," in text) == (language == "nb")
    if text[0] == "<":
        assert p < number
    elif text[0] == ">":
        assert p > number
    else:
        assert (p < 0.05) == (number < 0.05)
        assert abs(number - p) <= (0.0050001 if chosen.coarse_p and p >= 0.01 else 0.0005001)


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


@pytest.mark.parametrize(
    ("style", "text", "symbol", "limits"),
    [
        ("plain", "0.034", "p", "−0.61 to 0.33"),
        ("apa", ".034", "p", "[−0.61, 0.33]"),
        ("ama", ".03", "P", "−0.61 to 0.33"),
        ("nejm", "0.03", "P", "−0.61 to 0.33"),
        ("bmj", "0.03", "P", "−0.61 to 0.33"),
    ],
)
def test_each_journal_has_its_way(style: str, text: str, symbol: str, limits: str) -> None:
    assert p_value(0.034, style) == text
    assert p_clause(0.034, style) == f"{symbol} = {text}"
    assert header_text(Column("p_value", "p", "p", symbol=True), number_style(style)) == symbol
    assert interval(-0.609, 0.327, 2, style) == limits


def test_an_adjusted_p_keeps_its_own_header() -> None:
    assert header_text(Column("p", "adjusted p", "p"), number_style("ama")) == "adjusted p"


def _percentages(*shares: tuple[int, int]) -> Table:
    """Counts and percentages of (count, size), as two columns and as pairs."""
    return Table(
        title="Shares",
        columns=(Column("n", "n", "count"), Column("percent", "%", "percent"), Column("both", "n (%)", "estimate")),
        rows=tuple(Row((k, 100 * k / n, Pair(k, 100 * k / n, (0, 1)))) for k, n in shares),
    )


@pytest.mark.parametrize(
    ("style", "shares", "told"),
    [
        ("ama", [(9, 28), (1, 99)], ["32 9 (32)", "1 1 (1)"]),
        ("ama", [(9, 28), (25, 104)], ["32.1 9 (32.1)", "24.0 25 (24.0)"]),
        ("ama", [(0, 28)], ["0.0 0 (0.0)"]),
        ("plain", [(9, 28)], ["32.1 9 (32.1)"]),
        ("nejm", [(9, 28)], ["32.1 9 (32.1)"]),
    ],
)
def test_percentages_of_small_groups_have_no_decimals_with_ama(
    style: str, shares: list[tuple[int, int]], told: list[str]
) -> None:
    table = _percentages(*shares)
    chosen = style_of(table, style)
    found = [
        " ".join(cell_text(cell, column, row, chosen) for cell, column in zip(row.cells, table.columns, strict=True))
        for row in table.rows
    ]
    assert found == [f"{k} {rest}" for (k, _), rest in zip(shares, told, strict=True)]
    for text in (to_text(table, style), to_markdown(table, style)):
        assert told[0].split()[0] in text.replace("|", " ").split()


def test_a_mean_with_its_sd_is_no_share() -> None:
    table = Table(title="", columns=(Column("a", "a", "estimate"),), rows=(Row((Pair(47.0, 9.0, (0, 1)),)),))
    assert style_of(table, "ama").percent_decimals == 1
    row, column = table.rows[0], table.columns[0]
    small = replace(number_style("ama"), percent_decimals=0)
    assert cell_text(row.cells[0], column, row, small) == "47 (9.0)"


def test_thousands_stand_apart() -> None:
    row, column = Row((12345,)), Column("n", "n", "count")
    assert cell_text(12345, column, row, number_style("plain")) == "12\u202f345"
    assert cell_text(12345, column, row, number_style("ama")) == "12,345"
    assert cell_text(12345, column, row, number_style("ama", language="nb")) == "12\u202f345"
    assert cell_text(9999, column, row, number_style("ama")) == "9999"


def test_norwegian_numbers() -> None:
    norwegian = number_style("plain", language="nb")
    assert fixed(-1.25, 1, norwegian) == f"{MINUS}1,3"
    assert p_clause(0.0001, norwegian) == "p < 0,001"
    assert interval(-0.609, 0.327, 2, norwegian) == "−0,61 til 0,33"
    assert interval(-0.609, 0.327, 2, number_style("apa", language="nb")) == "[−0,61; 0,33]"
    row = Row((Interval(-1.0, 2.0), Hidden(), Pair(1.5, Interval(1.0, 2.0))), decimals=1)
    texts = [cell_text(cell, Column("c", "c", "estimate"), row, norwegian) for cell in row.cells]
    assert texts == ["−1,0 til 2,0", "skjult", "1,5 (1,0 til 2,0)"]


def test_a_style_that_has_a_language_keeps_it() -> None:
    norwegian = number_style("nejm", language="nb")
    assert number_style(norwegian) is norwegian
    assert number_style(norwegian, language="nb") is norwegian
    own = NumberStyle("own", decimal_mark=",")
    assert p_value(0.034, own) == "0,034"


@pytest.mark.raises_code("E-STUDY-OPTION")
def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(StudyError, match="bokmål") as caught:
        number_style("plain", language="nn")
    assert caught.value.code == "E-STUDY-OPTION"
