"""Tables in Word: what co-authors open, and the same bytes on every day."""

from __future__ import annotations

import io
import time
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest
from handmade import PAYLOADS

from burnout_stats.display import Column, Hidden, Interval, Missing, Row, Table
from burnout_stats.display.docx import add_table, to_docx
from burnout_stats.display.repack import stable_zip
from burnout_stats.errors import SetupError

docx = pytest.importorskip("docx")
qn = pytest.importorskip("docx.oxml.ns").qn


def table(label: str = "baseline") -> Table:
    return Table(
        title=f"Title {label}",
        columns=(
            Column("visit", "Visit"),
            Column("mean", "Mean", "estimate", spanner="Score"),
            Column("conf", "95% CI", "interval", spanner="Score"),
            Column("p", "p", "p", symbol=True),
        ),
        rows=(
            Row((label, -0.52, Interval(-0.66, -0.38), 0.0001), "Women"),
            Row(("1 year", 0.125, Interval(-0.1, 0.35), 0.2), "Women"),
            Row(("3 years", Missing("nobody seen"), None, Hidden()), "Men"),
        ),
        notes=("A note.",),
    )


def opened(data: bytes):
    return docx.Document(io.BytesIO(data))


def words(document) -> str:
    return " ".join(node.text or "" for node in document.element.body.iter(qn("w:t")))


def test_it_is_a_real_table() -> None:
    document = opened(to_docx(table()))
    (made,) = document.tables
    texts = [[cell.text for cell in row.cells] for row in made.rows]
    assert texts[1] == ["Visit", "Mean", "95% CI", "p"]
    assert texts[3] == ["baseline", "−0.52", "−0.66 to −0.38", "<0.001"]
    assert texts[6] == ["3 years", "—", "—", "hidden"]
    assert [p.text for p in document.paragraphs][-2:] == ["A note.", "— nobody seen; not available."]


def test_header_rows_repeat_and_no_row_splits() -> None:
    (made,) = opened(to_docx(table())).tables
    assert [row._tr.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None for row in made.rows] == [True] * 2 + [
        False
    ] * 5
    assert all(row._tr.find(f"{qn('w:trPr')}/{qn('w:cantSplit')}") is not None for row in made.rows)


def test_three_rules_and_no_vertical_one() -> None:
    (made,) = opened(to_docx(table())).tables
    borders = made._tbl.tblPr.find(qn("w:tblBorders"))
    assert [edge.tag for edge in borders] == [qn("w:top"), qn("w:bottom")]
    edges = [edge for row in made.rows for edges in row._tr.iter(qn("w:tcBorders")) for edge in edges]
    assert {edge.tag for edge in edges} == {qn("w:bottom")}
    assert len(edges) == len(table().columns)
    assert made._tbl.tblPr.find(qn("w:tblStyle")) is None


def test_spanners_are_merged_symbols_italic_groups_bold_members_indented() -> None:
    (made,) = opened(to_docx(table())).tables
    spans = [tc.grid_span for tc in made.rows[0]._tr.tc_lst]
    assert spans == [1, 2, 1]
    assert made.rows[1].cells[3].paragraphs[0].runs[0].italic
    assert made.rows[2].cells[0].paragraphs[0].runs[0].bold
    assert made.rows[2]._tr.tc_lst[0].grid_span == 4
    assert made.rows[3].cells[0].paragraphs[0].paragraph_format.left_indent is not None
    assert made.rows[3].cells[1].paragraphs[0].alignment == 2
    assert made.rows[6].cells[3].paragraphs[0].runs[0].italic


def test_captions_count_themselves() -> None:
    document = docx.Document()
    for caption in (None, "", "Another"):
        add_table(document, table(), caption=caption)
    add_table(document, table(), language="nb")
    captions = [p.text for p in document.paragraphs if p.style.name == "Caption"]
    assert captions == ["Table 1. Title baseline", "Table 2. Another", "Tabell 1. Title baseline"]
    codes = [node.text for node in document.element.body.iter(qn("w:instrText"))]
    assert codes == [" SEQ Table \\* ARABIC "] * 2 + [" SEQ Tabell \\* ARABIC "]
    bodies = [child.tag for child in document.element.body]
    assert (qn("w:tbl"), qn("w:tbl")) not in set(pairwise(bodies))


def test_language_and_decimal_comma() -> None:
    document = opened(to_docx(table(), language="nb"))
    assert "−0,52" in words(document)
    assert document.core_properties.language == "nb-NO"
    lang = document.styles.element.find(f"{qn('w:docDefaults')}/{qn('w:rPrDefault')}/{qn('w:rPr')}/{qn('w:lang')}")
    assert lang.get(qn("w:val")) == "nb-NO"


@pytest.mark.parametrize("label", [*PAYLOADS, "a\x00b\ufffe\ud800c", "SEQ Table"])
def test_labels_are_only_words(label: str) -> None:
    data = to_docx(table(label))
    document = opened(data)
    assert len(document.tables) == 1
    names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    assert not any("embed" in name or "vba" in name.lower() for name in names)
    assert len(list(document.element.body.iter(qn("w:instrText")))) == 1
    assert b'TargetMode="External"' not in zipfile.ZipFile(io.BytesIO(data)).read("word/_rels/document.xml.rels")


def test_the_same_bytes_after_a_while() -> None:
    first = to_docx(table())
    time.sleep(2.1)  # zip entries count in steps of two seconds
    assert to_docx(table()) == first
    entries = zipfile.ZipFile(io.BytesIO(first)).infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    names = [entry.filename for entry in entries]
    assert names[0] == "[Content_Types].xml"
    assert names[1:] == sorted(names[1:])
    assert opened(first).core_properties.created.year == 1980


def test_repacking_changes_no_content_and_refuses_two_of_a_name() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        made.writestr("b.txt", "second")
        made.writestr("a.txt", "first")
    packed = stable_zip(stream.getvalue())
    with zipfile.ZipFile(io.BytesIO(packed)) as found:
        assert found.namelist() == ["a.txt", "b.txt"]
        assert found.read("b.txt") == b"second"
    assert stable_zip(packed) == packed
    with zipfile.ZipFile(stream, "a") as made, pytest.warns(UserWarning, match="Duplicate name"):
        made.writestr("a.txt", "again")
    with pytest.raises(ValueError, match="one name"):
        stable_zip(stream.getvalue())


def test_wide_tables_lie_on_their_side() -> None:
    columns = (Column("a", "Label"), *(Column(str(k), f"Column {k}", "estimate") for k in range(14)))
    wide = Table(title="Wide", columns=columns, rows=(Row(("x", *map(float, range(14)))),))
    page = opened(to_docx(wide)).sections[0]
    assert page.page_width > page.page_height
    assert opened(to_docx(table())).sections[0].page_width < page.page_width


def test_save_by_suffix(tmp_path: Path) -> None:
    assert opened(table().save(tmp_path / "t.docx").read_bytes()).tables
    assert table().save(tmp_path / "t.tex", language="nb").read_bytes().decode("ascii").count("0,52") == 1


@pytest.mark.raises_code("E-SETUP-EXTRA")
@pytest.mark.parametrize(("module", "extra"), [("docx", "docx"), ("great_tables", "notebook")])
def test_a_missing_library_is_named(module: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(SetupError, match=rf"E-SETUP-EXTRA.*pip install \"burnout-stats\[{extra}\]\""):
        to_docx(table()) if module == "docx" else table().to_great_tables()
