"""Tables as HTML that a screen reader can walk: a caption, headers with their scope, notes in the foot."""

from __future__ import annotations

from itertools import groupby

from .escape import for_html
from .language import ENGLISH, label
from .styles import NumberStyle, cell_text, header_text, number_style, style_of
from .table import Column, Hidden, Missing, Row, Table

__all__ = ["STYLE_SHEET", "to_html", "to_html_document"]

STYLE_SHEET = """\
table.bs-table{border-collapse:collapse;border-top:1.5px solid currentColor;border-bottom:1.5px solid currentColor;\
font-variant-numeric:tabular-nums lining-nums;line-height:1.35;margin:1em 0}
.bs-table caption{caption-side:top;text-align:left;font-weight:600;padding:0 0 .45em}
.bs-table th,.bs-table td{padding:.22em .7em;text-align:left;vertical-align:baseline;font-weight:400;\
background:none;border:0}
.bs-table th:first-child,.bs-table td:first-child{padding-left:0}
.bs-table th:last-child,.bs-table td:last-child{padding-right:0}
.bs-table .bs-right{text-align:right;white-space:nowrap}
.bs-table thead th{vertical-align:bottom}
.bs-table thead tr:last-child th{border-bottom:.75px solid currentColor;padding-bottom:.35em}
.bs-table thead th.bs-spanner{text-align:center;border-bottom:.75px solid currentColor;padding-bottom:.15em}
.bs-table thead+tbody tr:first-child>*,.bs-table tbody tr.bs-group>*{padding-top:.45em}
.bs-table tr.bs-group th{font-weight:600}
.bs-table tr.bs-member th{padding-left:1.1em}
.bs-table .bs-hidden{font-style:italic}
.bs-table abbr{text-decoration:none}
.bs-table tbody tr:last-child>*{padding-bottom:.45em}
.bs-table tfoot td{border-top:.75px solid currentColor;font-size:.86em;padding-top:.5em;max-width:0}
.bs-table tfoot p{margin:0 0 .25em}
"""
"""The look of `bs-table`: rules above, below and under the head, none between; figures of one width.

It sets no colors, so that it takes those of the page or notebook around it.
"""


def to_html(
    table: Table, style: str | NumberStyle = "plain", *, style_sheet: bool = False, language: str = ENGLISH
) -> str:
    """The table as a `<table>` element; with `style_sheet`, its look stands before it."""
    chosen = style_of(table, style, language=language)
    spoken = chosen.language
    parts = [f"<style>\n{STYLE_SHEET}</style>"] if style_sheet else []
    parts += ['<table class="bs-table">', f"<caption>{for_html(label(table.title, spoken))}</caption>", "<thead>"]
    parts += _spanners(table.columns, spoken)
    parts += ["<tr>", *(_header(column, chosen) for column in table.columns), "</tr>", "</thead>"]
    for group, rows in groupby(table.rows, key=lambda row: row.group):
        parts.append("<tbody>")
        if group:
            span = len(table.columns)
            text = for_html(label(group, spoken))
            parts.append(f'<tr class="bs-group"><th scope="rowgroup" colspan="{span}">{text}</th></tr>')
        parts += [_row(row, table.columns, chosen) for row in rows]
        parts.append("</tbody>")
    if table.notes:
        notes = "".join(f"<p>{for_html(label(note, spoken))}</p>" for note in table.notes)
        parts.append(f'<tfoot><tr><td colspan="{len(table.columns)}">{notes}</td></tr></tfoot>')
    parts.append("</table>")
    return "\n".join(parts)


def to_html_document(table: Table, style: str | NumberStyle = "plain", *, language: str = ENGLISH) -> str:
    """The table as a page of its own that asks for nothing from outside."""
    chosen = number_style(style, language=language)
    return (
        f'<!DOCTYPE html>\n<html lang="{chosen.language}">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{for_html(label(table.title, chosen.language))}</title>\n"
        f"<style>\nbody{{font-family:system-ui,sans-serif;margin:2rem}}\n{STYLE_SHEET}</style>\n</head>\n<body>\n"
        f"{to_html(table, chosen)}\n</body>\n</html>\n"
    )


def _spanners(columns: tuple[Column, ...], language: str) -> list[str]:
    if not any(column.spanner for column in columns):
        return []
    cells = []
    for spanner, members in groupby(columns, key=lambda column: column.spanner):
        span = len(list(members))
        if spanner:
            text = for_html(label(spanner, language))
            cells.append(f'<th class="bs-spanner" scope="colgroup" colspan="{span}">{text}</th>')
        else:
            cells.append(f'<td colspan="{span}"></td>')
    return ["<tr>", *cells, "</tr>"]


def _header(column: Column, style: NumberStyle) -> str:
    text = for_html(header_text(column, style))
    return f'<th scope="col"{_class(column)}>{f"<i>{text}</i>" if column.symbol else text}</th>'


def _row(row: Row, columns: tuple[Column, ...], style: NumberStyle) -> str:
    cells = []
    for index, (cell, column) in enumerate(zip(row.cells, columns, strict=True)):
        text = for_html(cell_text(cell, column, row, style))
        if isinstance(cell, Missing):
            text = f'<abbr title="{for_html(label(cell.reason, style.language))}">{text}</abbr>'
        elif isinstance(cell, Hidden):
            text = f'<span class="bs-hidden">{text}</span>'
        cells.append(f'<th scope="row">{text}</th>' if index == 0 else f"<td{_class(column)}>{text}</td>")
    kind = ' class="bs-member"' if row.group else ""
    return f"<tr{kind}>{''.join(cells)}</tr>"


def _class(column: Column) -> str:
    return ' class="bs-right"' if column.align == "right" else ""
