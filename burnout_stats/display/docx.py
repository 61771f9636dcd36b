"""Tables as Word tables that co-authors can edit: header rows that repeat, a numbered caption, three rules, no frame.

`add_table` sets a table into any document of python-docx; `to_docx` makes a document of its own. What a document says
of the look it says once, in the paragraph styles `Caption`, `Table Text` and `Table Note`; a document that has them
keeps its own.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from ..errors import SetupError
from .escape import for_xml
from .language import label
from .markdown import notes as notes_of
from .repack import stable_zip
from .styles import NumberStyle, cell_text, header_text, style_of
from .table import Cell, Column, Hidden, Row, Table
from .word_widths import fitted, text_width

if TYPE_CHECKING:
    from docx.document import Document
    from docx.oxml.xmlchemy import BaseOxmlElement
    from docx.styles.style import ParagraphStyle
    from docx.table import Table as WordTable
    from docx.table import _Cell as WordCell
    from docx.table import _Row as WordRow
    from docx.text.paragraph import Paragraph

__all__ = ["TABLE_NOTE", "TABLE_TEXT", "add_table", "fits", "set_language", "to_docx"]

TABLE_TEXT, TABLE_NOTE, CAPTION = "Table Text", "Table Note", "Caption"
LOCALES = {"en": "en-US", "nb": "nb-NO"}
_FONT = "Arial"
_TEXT_POINTS, _NOTE_POINTS = 9.0, 8.0
_SMALLEST_POINTS = 7.0
_MARGIN = 4.0
"""Points on either side of a cell."""
_INDENT = 9.0
_RULE, _HAIRLINE = 8, 4
"""Widths of rules in eighths of a point."""
_KEPT_WHOLE = 30
"""A table of at most so many rows stays on one page, if it fits on one."""


def add_table(
    document: Document,
    table: Table,
    style: str | NumberStyle = "plain",
    *,
    language: str = "en",
    caption: str | None = None,
) -> WordTable:
    """Set a table at the end of a Word document: its caption, the table, its notes.

    Parameters
    ----------
    document : document of python-docx
    table : Table
    style : number style
    language : of labels, and of the word before the number of the caption
    caption : in place of the title of the table; where empty, there is none and no number is used up
    """
    chosen = style_of(table, style, language=language)
    spoken = chosen.language
    _prepare(document)
    title = for_xml(label(table.title, spoken))
    words = title if caption is None else for_xml(caption)
    if words:
        _caption(document.add_paragraph(style=CAPTION), words, label("Table", spoken), document)
    headers, body = _texts(table, chosen)
    points, widths = _layout(document, table, headers, body)
    made: WordTable = document.add_table(rows=0, cols=len(table.columns))
    _frame(made, title, widths)
    size = None if points == _TEXT_POINTS else points
    if any(column.spanner for column in table.columns):
        _spanners(made, [for_xml(label(column.spanner, spoken)) for column in table.columns], size)
    _headers(made, table.columns, headers, size)
    for group, members in groupby(zip(table.rows, body, strict=True), key=lambda pair: pair[0].group):
        if group:
            _group(made, for_xml(label(group, spoken)), size)
        for row, texts in members:
            _row(made, row, texts, table.columns, size)
    notes = [for_xml(note) for note in notes_of(table, spoken)]
    _keep_together(made, whole=len(table.rows) <= _KEPT_WHOLE, notes=bool(notes))
    for note in notes:
        document.add_paragraph(note, style=TABLE_NOTE)
    if not notes:
        document.add_paragraph(style=TABLE_NOTE)  # or a table that follows would grow together with this one
    return made


def to_docx(table: Table, style: str | NumberStyle = "plain", *, language: str = "en") -> bytes:
    """The table as a Word document of its own; the same table gives the same bytes on every day.

    Raises
    ------
    SetupError
        `E-SETUP-EXTRA` where python-docx is not installed.
    """
    try:
        from docx import Document
        from docx.enum.section import WD_ORIENT
        from docx.shared import Cm, RGBColor
    except ImportError as error:
        raise SetupError(
            "E-SETUP-EXTRA",
            "python-docx is not installed.",
            "It writes Word documents.",
            'Install it with: pip install "burnout-stats[docx]"',
        ) from error
    chosen = style_of(table, style, language=language)
    document = Document()
    page = document.sections[0]
    page.page_width, page.page_height = Cm(21), Cm(29.7)
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Cm(2.2)
    if not fits(table, chosen, _available(document)):
        page.orientation = WD_ORIENT.LANDSCAPE
        page.page_width, page.page_height = Cm(29.7), Cm(21)
    set_language(document, chosen.language)
    document.styles["Normal"].font.name = _FONT
    document.styles[CAPTION].font.color.rgb = RGBColor(0, 0, 0)
    add_table(document, table, chosen)
    first_day = dt.datetime(1980, 1, 1, tzinfo=dt.UTC)
    properties = document.core_properties
    properties.title = for_xml(label(table.title, chosen.language))[:255]
    properties.author = properties.last_modified_by = properties.comments = ""
    properties.created = properties.modified = first_day
    properties.revision = 1
    stream = io.BytesIO()
    document.save(stream)
    return stable_zip(stream.getvalue())


def set_language(document: Document, language: str) -> None:
    """Say in which language the whole document is written, so that Word spells and hyphenates by it."""
    from docx.oxml.ns import qn

    locale = LOCALES.get(language, language)
    defaults = document.styles.element.find(f"{qn('w:docDefaults')}/{qn('w:rPrDefault')}/{qn('w:rPr')}")
    if defaults is not None:
        for old in defaults.findall(qn("w:lang")):
            defaults.remove(old)
        defaults.append(_element("w:lang", val=locale, eastAsia=locale, bidi="ar-SA"))
    document.core_properties.language = locale


# ---- parts of a table ----------------------------------------------------------------------------------------------


def _caption(paragraph: Paragraph, words: str, numbered: str, document: Document) -> None:
    """`Table 3. Words`, the number as a field that Word counts again when tables are moved."""
    from docx.oxml.ns import qn

    instruction = f" SEQ {numbered} \\* ARABIC "
    number = 1 + sum(found.text == instruction for found in document.element.body.iter(qn("w:instrText")))
    paragraph.add_run(f"{numbered} ")
    for kind in ("begin", "instruction", "separate", "result", "end"):
        run = paragraph.add_run(str(number) if kind == "result" else "")
        if kind == "instruction":
            code = _element("w:instrText")
            code.set(qn("xml:space"), "preserve")
            code.text = instruction
            run._r.append(code)
        elif kind != "result":
            run._r.append(_element("w:fldChar", fldCharType=kind))
    paragraph.add_run(f". {words}")
    paragraph.paragraph_format.keep_with_next = True


def _frame(made: WordTable, title: str, widths: Sequence[float]) -> None:
    """A rule above and one below, nothing at the sides; widths, and the title for who cannot see the table."""
    from docx.enum.table import WD_TABLE_ALIGNMENT
    from docx.oxml.ns import qn
    from docx.shared import Pt

    made.alignment = WD_TABLE_ALIGNMENT.LEFT
    made.autofit = True  # Word then makes room where its letters are wider than we think
    for column, width in zip(made.columns, widths, strict=True):
        column.width = Pt(width)
    properties = made._tbl.tblPr
    for name in ("w:tblStyle", "w:tblLook", "w:tblW"):
        for old in properties.findall(qn(name)):
            properties.remove(old)
    borders = _element("w:tblBorders")
    for side in ("top", "bottom"):
        borders.append(_element(f"w:{side}", val="single", sz=_RULE, space=0, color="auto"))
    margins = _element("w:tblCellMar")
    for side in ("left", "right"):
        margins.append(_element(f"w:{side}", w=round(20 * _MARGIN), type="dxa"))
    look = _element("w:tblLook", val="00A0", firstRow=1, lastRow=0, firstColumn=1, lastColumn=0, noHBand=1, noVBand=1)
    layout = properties.find(qn("w:tblLayout"))
    alignment = properties.find(qn("w:jc"))
    width = _element("w:tblW", w=0, type="auto")
    for part in (width, alignment, borders, layout, margins, look, _element("w:tblCaption", val=title)):
        if part is not None:
            properties.append(part)  # in the order of the schema: an element that stands there is moved


def _spanners(made: WordTable, spanners: Sequence[str], size: float | None) -> None:
    cells = _new_row(made, is_header=True)
    first = 0
    for spanner, members in groupby(spanners):
        last = first + len(list(members)) - 1
        if spanner:
            cell = cells[first].merge(cells[last]) if last > first else cells[first]
            _write(cell, spanner, size, align="center")
            edge = _element("w:pBdr")
            edge.append(_element("w:bottom", val="single", sz=_HAIRLINE, space=1, color="auto"))
            cell.paragraphs[0]._p.get_or_add_pPr().insert_element_before(  # the rule ends where the cell's text ends
                edge, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:spacing", "w:ind", "w:jc", "w:rPr"
            )
        else:
            for cell in cells[first : last + 1]:
                _write(cell, "", size)
        first = last + 1


def _headers(made: WordTable, columns: Sequence[Column], headers: Sequence[str], size: float | None) -> None:
    from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT

    for cell, column, text in zip(_new_row(made, is_header=True), columns, headers, strict=True):
        _write(cell, text, size, align=column.align, italic=column.symbol)
        cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.BOTTOM
        edges = _element("w:tcBorders")
        edges.append(_element("w:bottom", val="single", sz=_HAIRLINE, space=0, color="auto"))
        cell._tc.get_or_add_tcPr().insert_element_before(edges, "w:shd", "w:noWrap", "w:tcMar", "w:vAlign")


def _group(made: WordTable, group: str, size: float | None) -> None:
    cells = _new_row(made)
    cell = cells[0].merge(cells[-1]) if len(cells) > 1 else cells[0]
    _write(cell, group, size, bold=True)
    cell.paragraphs[0].paragraph_format.keep_with_next = True


def _row(made: WordTable, row: Row, texts: Sequence[str], columns: Sequence[Column], size: float | None) -> None:
    for place, (cell, text, content, column) in enumerate(zip(_new_row(made), texts, row.cells, columns, strict=True)):
        indent = _INDENT if row.group and place == 0 else 0.0
        _write(cell, text, size, align=column.align, italic=_is_hidden(content), indent=indent)


def _is_hidden(cell: Cell) -> bool:
    return isinstance(cell, Hidden)


def _new_row(made: WordTable, *, is_header: bool = False) -> tuple[WordCell, ...]:
    row: WordRow = made.add_row()  # type: ignore[no-untyped-call]  # python-docx has not annotated it
    properties = row._tr.get_or_add_trPr()
    properties.append(_element("w:cantSplit"))
    if is_header:
        properties.append(_element("w:tblHeader"))
    cells: tuple[WordCell, ...] = row.cells
    return cells


def _write(
    cell: WordCell,
    text: str,
    size: float | None,
    *,
    align: str = "left",
    italic: bool = False,
    bold: bool = False,
    indent: float = 0.0,
) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    for more in cell.paragraphs[1:]:  # merged cells bring theirs
        more._p.getparent().remove(more._p)
    paragraph = cell.paragraphs[0]
    paragraph._p.style = TABLE_TEXT.replace(" ", "")  # by its id: a name is sought among all styles, cell by cell
    if align != "left":
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT if align == "right" else WD_ALIGN_PARAGRAPH.CENTER
    if indent:
        paragraph.paragraph_format.left_indent = Pt(indent)
    if align == "right":
        cell._tc.get_or_add_tcPr().insert_element_before(_element("w:noWrap"), "w:tcMar", "w:vAlign")
    run = paragraph.add_run(text)
    if italic:
        run.italic = True
    if bold:
        run.bold = True
    if size is not None:
        run.font.size = Pt(size)


def _keep_together(made: WordTable, *, whole: bool, notes: bool) -> None:
    """No page ends after a header, within a short table, or between a table and its notes."""
    rows = list(made.rows)
    for place, row in enumerate(rows):
        is_last = place == len(rows) - 1
        if (whole and not is_last) or place < 2 or (is_last and notes):
            for cell in row.cells:
                for paragraph in cell.paragraphs:
                    paragraph.paragraph_format.keep_with_next = True


# ---- styles, widths ------------------------------------------------------------------------------------------------


def _prepare(document: Document) -> None:
    """The paragraph styles of tables, where the document has none of its own."""
    known = {style.name for style in document.styles}
    for name, points, before, after in (
        (TABLE_TEXT, _TEXT_POINTS, 1.5, 1.5),
        (TABLE_NOTE, _NOTE_POINTS, 2.0, 4.0),
        (CAPTION, _TEXT_POINTS, 12.0, 4.0),
    ):
        if name not in known:
            _add_style(document, name, points, before, after)


def _add_style(document: Document, name: str, points: float, before: float, after: float) -> ParagraphStyle:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.shared import Pt

    style: ParagraphStyle = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = document.styles["Normal"]
    style.font.size = Pt(points)
    style.font.bold = True if name == CAPTION else None
    style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(after)
    style.paragraph_format.line_spacing = 1.0
    return style


def _texts(table: Table, style: NumberStyle) -> tuple[list[str], list[list[str]]]:
    """The words of the header and of the body."""
    headers = [for_xml(header_text(column, style)) for column in table.columns]
    body = [
        [for_xml(cell_text(cell, column, row, style)) for cell, column in zip(row.cells, table.columns, strict=True)]
        for row in table.rows
    ]
    return headers, body


def _layout(
    document: Document, table: Table, headers: Sequence[str], body: Sequence[Sequence[str]]
) -> tuple[float, list[float]]:
    """The size of the letters and the widths of the columns, in points; small letters only where a table needs them."""
    available = _available(document)
    points = _TEXT_POINTS
    while True:
        natural, least = zip(*_column_widths(table, headers, body, points), strict=True)
        if sum(least) <= available or points <= _SMALLEST_POINTS:
            return points, fitted(natural, least, available)
        points -= 0.5


def _column_widths(
    table: Table, headers: Sequence[str], body: Sequence[Sequence[str]], points: float
) -> Iterator[tuple[float, float]]:
    """Of each column the width at which nothing wraps, and the least: numbers never wrap, words may."""
    grouped = any(row.group for row in table.rows)
    for place, (column, header) in enumerate(zip(table.columns, headers, strict=True)):
        texts = [row[place] for row in body]
        room = 2 * _MARGIN + (_INDENT if grouped and place == 0 else 0.0)
        longest_word = max((text_width(word, points) for word in header.split()), default=0.0)
        if column.align == "right":
            least = max([longest_word, *(text_width(text, points) for text in texts)]) + room
            yield max(text_width(header, points) + room, least), least
        else:
            natural = max([text_width(text, points) for text in (header, *texts)]) + room
            words = [text_width(word, points) for text in texts for word in text.split()]
            yield natural, max([longest_word, *words]) + room


def _available(document: Document) -> float:
    page = document.sections[-1]
    sides = (page.page_width or 0) - (page.left_margin or 0) - (page.right_margin or 0)
    return float(sides) / 12700  # points


def fits(table: Table, style: NumberStyle, width: float, *, points: float = _TEXT_POINTS) -> bool:
    """Whether a table whose words may wrap stands in a width, in points, with letters of this size."""
    headers, body = _texts(table, style)
    return sum(least for _, least in _column_widths(table, headers, body, points)) <= width


def _element(name: str, **attributes: object) -> BaseOxmlElement:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    element: BaseOxmlElement = OxmlElement(name)
    for key, value in attributes.items():
        element.set(qn(f"w:{key}"), str(value))
    return element
