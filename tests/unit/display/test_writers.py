"""One table, five languages."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from handmade import PAYLOADS

from burnout_stats.display import (
    Column,
    Hidden,
    Interval,
    Missing,
    Row,
    Table,
    to_csv,
    to_html,
    to_json,
    to_markdown,
    to_text,
)
from burnout_stats.errors import StudyError

COLUMNS = (
    Column("visit", "Visit"),
    Column("mean", "Mean", "estimate", spanner="Score"),
    Column("conf", "95% CI", "interval", spanner="Score"),
    Column("df", "df", "df", symbol=True),
    Column("p_value", "p", "p", symbol=True),
    Column("n", "n", "count", symbol=True),
)


def table(label: str = "baseline", group: str = "Women") -> Table:
    return Table(
        title=f"Table of {label}",
        columns=COLUMNS,
        rows=(
            Row((label, -0.5213, Interval(-0.66, -0.38), 180.23, 0.00004, 12345), group),
            Row(
                ("1 year", np.float64(0.125), Interval(np.float64(-0.1), 0.35), float("inf"), 0.04996, np.int64(185)),
                group,
            ),
            Row(("3 years", Missing("nobody seen"), None, float("nan"), Hidden(), Hidden()), "Men"),
        ),
        notes=(f"A note on {label}.",),
    )


def test_a_table_takes_as_many_cells_as_columns() -> None:
    with pytest.raises(ValueError, match="2 cells for 6 columns"):
        Table(title="t", columns=COLUMNS, rows=(Row(("a", 1.0)),))


def test_cells_are_plain_numbers() -> None:
    cells = table().rows[1].cells
    assert [type(cell) for cell in cells] == [str, float, Interval, float, float, int]
    assert table().rows[2].cells[3] == Missing()


@pytest.mark.parametrize(
    ("name", "writer"),
    [
        ("table.html", to_html),
        ("table.md", to_markdown),
        ("table.txt", to_text),
        ("table.csv", to_csv),
        ("table.json", to_json),
    ],
)
def test_approved_texts(name: str, writer: Callable[[Table], str], snapshot: Callable[[str, str], None]) -> None:
    snapshot(f"display/{name}", writer(table()))


def test_people_see_a_true_minus_and_machines_an_ascii_one() -> None:
    for writer in (to_html, to_markdown, to_text):
        assert "−0.52" in writer(table())
        assert "-0.5" not in writer(table())
    assert "-0.5213" in to_csv(table())
    assert "−" not in to_csv(table()) + to_json(table())


def test_machines_get_full_precision_and_no_formatted_numbers() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(table()))))
    assert float(rows[0]["p_value"]) == 0.00004
    assert (float(rows[1]["conf_low"]), float(rows[1]["conf_high"])) == (-0.1, 0.35)
    assert [row["hidden"] for row in rows] == ["false", "false", "true"]
    assert rows[2]["n"] == rows[2]["mean"] == rows[2]["conf_low"] == ""
    cells = [row["cells"] for row in json.loads(to_json(table()))["rows"]]
    assert cells[0]["mean"] == -0.5213
    assert cells[1]["df"] == "Infinity"
    assert cells[2]["n"] == {"hidden": True}
    assert cells[2]["mean"] == {"missing": "nobody seen"}


def test_a_screen_reader_finds_caption_and_scopes() -> None:
    html = to_html(table())
    assert html.count("<caption>") == 1
    assert html.count('scope="col"') == len(COLUMNS)
    assert html.count('scope="row"') == 3
    assert html.count('scope="rowgroup"') == 2
    assert html.count('scope="colgroup"') == 1
    assert '<abbr title="nobody seen">—</abbr>' in html


def test_styles_change_the_writing_and_nothing_else() -> None:
    assert "[−0.66, −0.38]" in to_html(table(), "apa")
    assert "&lt;.001" in to_html(table(), "apa")
    assert "&lt;0.001" in to_html(table())


@pytest.mark.parametrize("payload", PAYLOADS)
def test_html_holds_only_our_elements(payload: str) -> None:
    tags: set[str] = set()
    attributes: set[str] = set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.add(tag)
            attributes.update(name for name, _ in attrs)

    Reader().feed(to_html(table(payload, payload)))
    assert tags <= {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "p", "i", "span", "abbr"}
    assert attributes <= {"class", "scope", "colspan", "title"}


@pytest.mark.parametrize("payload", PAYLOADS)
def test_markdown_keeps_its_grid(payload: str) -> None:
    lines = [line for line in to_markdown(table(payload, payload)).splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 3 + 2
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {len(COLUMNS) + 1}


@pytest.mark.parametrize("payload", PAYLOADS)
def test_text_keeps_its_lines_and_gives_no_commands(payload: str) -> None:
    text = to_text(table(payload, payload))
    assert len(text.splitlines()) == 1 + 2 + 3 + 2 + 1 + 1
    assert "\x1b" not in text
    assert "::" not in text
    assert "##[" not in text


@pytest.mark.parametrize("payload", PAYLOADS)
def test_csv_gives_no_formulas_and_keeps_its_rows(payload: str) -> None:
    rows = list(csv.reader(io.StringIO(to_csv(table(payload, payload)))))
    assert len(rows) == 4
    assert {len(row) for row in rows} == {9}
    assert not any(cell[:1] in "=+@" for row in rows for cell in row if cell)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_json_stays_json(payload: str) -> None:
    assert len(json.loads(to_json(table(payload, payload)))["rows"]) == 3


@pytest.mark.parametrize("suffix", [".html", ".md", ".txt", ".csv", ".json"])
def test_tables_are_saved_by_suffix(tmp_path: Path, suffix: str) -> None:
    first = table().save(tmp_path / f"a{suffix}").read_bytes()
    assert b"baseline" in first
    assert b"\r" not in first
    assert table().save(tmp_path / f"b{suffix}").read_bytes() == first


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_a_suffix_without_a_writer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        table().save(tmp_path / "table.xls")
    assert caught.value.code == "E-STUDY-VALUE"


def test_a_saved_page_asks_for_nothing_from_outside(tmp_path: Path) -> None:
    page = table().save(tmp_path / "t.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert "http" not in page.replace("http-equiv", "")


def test_a_notebook_shows_the_table() -> None:
    assert "<style>" in table()._repr_html_()
    assert table()._repr_markdown_() == to_markdown(table())
    assert repr(table()) == "<Table: Table of baseline; 3 rows, 6 columns>"
    assert str(table()) == to_text(table())
