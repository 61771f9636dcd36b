"""A `Document` as PDF, set by typst: tagged for who cannot see it (PDF/UA-1), with print typography and no TeX.

The template gets every text as data, so nothing in a label is markup. It reads no other file, no font of the machine
and no package, and no date is recorded: the same document gives the same bytes.
"""

from __future__ import annotations

import json
import re
import tempfile
import textwrap
from dataclasses import dataclass
from importlib import resources
from types import ModuleType
from typing import Any

from ..display import Hidden, NumberStyle, Table
from ..display.escape import clean
from ..display.language import label
from ..display.markdown import reasons
from ..display.styles import cell_text, header_text, style_of
from ..display.word_widths import fitted, text_width
from ..errors import SetupError
from .document import (
    Aside,
    AtAGlance,
    Block,
    Code,
    Details,
    Document,
    Drawn,
    Heading,
    Listed,
    Notices,
    Paragraph,
    Set,
)
from .spoken import Spoken, code_lines

__all__ = ["as_data", "needs_typst", "to_pdf"]

TEXT_WIDTH, FLIPPED_WIDTH = 170.0, 247.0
"""The width of text in mm on a page that stands, and on one that lies."""
POINTS, SMALL_POINTS = 8.6, 7.4
MM_PER_POINT = 25.4 / 72
KEPT_WHOLE = 24
"""A table of at most so many rows is not parted by the end of a page."""
NARROWER = 0.82
"""The letters of Libertinus by the width of those of the usual fonts."""
LONG_WORD = 66
"""A word that is longer may be broken anywhere; the hash of a file is not."""


def to_pdf(document: Document) -> bytes:
    """The document as a PDF on A4.

    It keeps PDF/UA-1 (ISO 14289-1). Where a label has a letter that no font has, it cannot, since such a letter is
    drawn as an empty box: the PDF is then tagged all the same, and does not claim the standard.

    Raises
    ------
    SetupError
        `E-SETUP-EXTRA` where typst is not installed.
    """
    typst = needs_typst()
    template = resources.files(__package__ or "").joinpath("templates/report.typ").read_bytes()
    data = json.dumps(as_data(document))
    with tempfile.TemporaryDirectory() as empty:

        def compiled(standards: list[str]) -> bytes:
            made = typst.compile(
                template,
                root=empty,
                ignore_system_fonts=True,
                package_path=empty,
                package_cache_path=empty,
                sys_inputs={"report": data},
                pdf_standards=standards,
                format="pdf",
            )
            assert isinstance(made, bytes)
            return made

        try:
            return compiled(["ua-1"])
        except typst.TypstError as error:
            if "could not be displayed" not in str(error):
                raise
            return compiled([])


def needs_typst() -> ModuleType:
    """The library that writes PDF.

    Raises
    ------
    SetupError
        `E-SETUP-EXTRA` where it is not installed.
    """
    try:
        import typst
    except ImportError as error:
        raise SetupError(
            "E-SETUP-EXTRA",
            "typst is not installed.",
            "It sets the report as PDF.",
            'Install it with: pip install "burnout-stats[pdf]"',
        ) from error
    return typst


# ---- the document as data


def as_data(document: Document) -> dict[str, Any]:
    """All that the template knows: texts that are ready to be set, and sizes; nothing in it is markup."""
    return _Setting(Spoken.of(document)).report(document)


@dataclass(frozen=True, slots=True)
class _Setting:
    """The parts of a document as the template wants them."""

    spoken: Spoken

    def report(self, document: Document) -> dict[str, Any]:
        """All that the template knows."""
        return {
            "title": self.say(document.title) or " ",
            "running": textwrap.shorten(self.say(document.title), 110, placeholder=" …"),
            "eyebrow": self.say(document.eyebrow),
            "lede": self.say(document.lede),
            "authors": [self.spoken.say(author) for author in document.authors],
            "facts": [
                {"name": self.say(fact.name), "value": self.say(fact.value), "more": self.say(fact.more)}
                for fact in document.facts
            ],
            "language": self.spoken.language,
            "contents": label("Contents", self.spoken.language),
            "maker": f"burnout_stats {document.version}".strip(),
            "footer": self.say(document.footer),
            "sections": [
                {
                    "anchor": section.anchor,
                    "title": self.say(section.title),
                    "starts": section.kind == "chapter",
                    "blocks": [self.block(block) for block in section.blocks],
                }
                for section in document.sections
            ],
        }

    def say(self, text: str) -> str:
        """A text on one line, in the language."""
        return _breakable(self.spoken.say(text))

    def words(self, text: str) -> list[dict[str, Any]]:
        """The parts of a text, some of which are code."""
        return [{"text": _breakable(part.text), "code": part.is_code} for part in self.spoken.parts(text)]

    def block(self, block: Block) -> dict[str, Any]:
        """One block, by its kind."""
        match block:
            case Paragraph():
                return {"kind": "kicker" if block.kind == "kicker" else "paragraph", "words": self.words(block.text)}
            case Heading():
                return {"kind": "heading", "text": self.say(block.text), "anchor": block.anchor}
            case Listed():
                kind = "findings" if block.kind == "findings" else "list"
                return {"kind": kind, "items": [self.words(item) for item in block.items]}
            case Code():
                lines = "\n".join(map(_breakable, code_lines(block.text)))
                return {"kind": "code", "text": lines, "language": self.say(block.language)}
            case Set():
                return {"kind": "table", "table": self.table(block)}
            case Drawn():
                picture = block.picture
                return {
                    "kind": "picture",
                    "svg": picture.svg.decode("utf-8"),
                    "alt": self.say(picture.alt),
                    "width": picture.figure.size[0],
                    "caption": self.caption(picture.caption, block.name),
                }
            case Notices():
                return {
                    "kind": "notices",
                    "heading": self.say(block.heading),
                    "notices": [
                        {"code": notice.code, "words": self.words(f"{notice.message} {notice.advice}")}
                        for notice in block.notices
                    ],
                }
            case AtAGlance():
                return self.glance(block)
            case Aside():
                paragraphs = [self.words(paragraph) for paragraph in block.paragraphs]
                return {
                    "kind": "aside",
                    "title": self.say(block.title),
                    "anchor": block.anchor,
                    "paragraphs": paragraphs,
                }
            case Details():
                inner = [self.block(one) for one in block.blocks]
                return {"kind": "details", "summary": self.say(block.summary), "blocks": inner}

    def caption(self, text: str, name: str) -> dict[str, str]:
        """A caption parted from the name before it ("Table 2")."""
        return {"name": name, "text": _breakable(self.spoken.caption(text, name))}

    def columns(self, table: Table, style: NumberStyle) -> list[dict[str, Any]]:
        """The headers of a table."""
        return [
            {
                "header": self.say(header_text(column, style)),
                "spanner": self.say(column.spanner),
                "right": column.align == "right",
                "symbol": column.symbol,
                "share": 0,
            }
            for column in table.columns
        ]

    def table(self, block: Set) -> dict[str, Any]:
        """A table as texts, with the size of letters at which it fits."""
        table, links = block.table, dict(block.anchors)
        style = style_of(table, self.spoken.style)
        columns = self.columns(table, style)
        rows: list[dict[str, Any]] = []
        group = ""
        for row in table.rows:
            if row.group and row.group != group:
                rows.append({"group": self.say(row.group)})
            group = row.group
            cells: list[dict[str, Any]] = []
            for cell, column in zip(row.cells, table.columns, strict=True):
                said = self.say(cell_text(cell, column, row, style))
                link = links.get(cell, "") if isinstance(cell, str) else ""
                cells.append(
                    {
                        "text": said,
                        "hidden": isinstance(cell, Hidden),
                        "whole": column.align == "right",
                        "link": link if link in self.spoken.places else "",
                    }
                )
            is_long = max((len(cell["text"]) for cell in cells), default=0) > 1500
            rows.append({"group": None, "cells": cells, "member": bool(row.group), "breakable": is_long})
        points, flipped = _fit(columns, rows)
        return {
            "caption": self.caption(table.title, block.name),
            "columns": columns,
            "rows": rows,
            "notes": [self.say(note) for note in (*table.notes, *reasons(table, self.spoken.language))],
            "points": points,
            "flipped": flipped,
            "breakable": len(rows) > KEPT_WHOLE or any(row.get("breakable") for row in rows),
        }

    def glance(self, block: AtAGlance) -> dict[str, Any]:
        """The front table with its drawings."""
        front = block.glance
        return {
            "kind": "glance",
            "caption": self.caption(block.table.title, ""),
            "columns": self.columns(block.table, self.spoken.style),
            "axis": {
                "width": front.axis.width,
                "zero": front.axis.zero,
                "ticks": [{"x": tick.x, "text": clean(tick.text)} for tick in front.axis.ticks],
            },
            "groups": [
                {
                    "label": self.say(group.label),
                    "better": self.say(group.better),
                    "anchor": group.anchor if group.anchor in self.spoken.places else "",
                    "rows": [
                        {
                            "texts": [
                                self.say(said)
                                for said in (
                                    row.contrast,
                                    row.change,
                                    row.limits,
                                    row.p,
                                    row.standardized,
                                    row.standardized_limits,
                                )
                            ],
                            "primary": self.say("primary") if row.primary else "",
                            "mark": None
                            if row.mark is None
                            else {"at": row.mark.at, "low": row.mark.low, "high": row.mark.high},
                        }
                        for row in group.rows
                    ],
                }
                for group in front.groups
            ],
            "notes": [self.say(note) for note in front.notes],
            "breakable": sum(1 + len(group.rows) for group in front.groups) > KEPT_WHOLE,
        }


def _breakable(text: str) -> str:
    """The text with places at which its overlong words may be broken."""
    return re.sub(rf"\S{{{LONG_WORD + 1},}}", lambda word: "\u200b".join(re.findall(r"\S{1,24}", word[0])), text)


def _fit(columns: list[dict[str, Any]], rows: list[dict[str, Any]]) -> tuple[float, bool]:
    """The size of letters in points, and whether the page must lie.

    First it is tried to keep every row on one line, with small letters if need be; else words wrap, and their columns
    share the room that the numbers leave.
    """
    for points in (POINTS, SMALL_POINTS):
        natural, _ = _widths(columns, rows, points)
        if sum(natural) <= TEXT_WIDTH:
            return points, False
    points, flipped = SMALL_POINTS, True
    for small, lies in ((POINTS, False), (SMALL_POINTS, False), (POINTS, True)):
        if sum(_widths(columns, rows, small)[1]) <= (FLIPPED_WIDTH if lies else TEXT_WIDTH):
            points, flipped = small, lies
            break
    natural, least = _widths(columns, rows, points)
    for column, width in zip(columns, fitted(natural, least, FLIPPED_WIDTH if flipped else TEXT_WIDTH), strict=True):
        column["share"] = 0 if column["right"] else max(1, round(width))
    return points, flipped


def _widths(
    columns: list[dict[str, Any]], rows: list[dict[str, Any]], points: float
) -> tuple[list[float], list[float]]:
    """The widths in mm at which nothing of a column wraps, and the least, where words may wrap but numbers may not."""
    room = 1.1 * points * MM_PER_POINT
    ems = NARROWER * points * MM_PER_POINT
    natural, least = [], []
    for place, column in enumerate(columns):
        texts = [column["header"], *(row["cells"][place]["text"] for row in rows if row["group"] is None)]
        words = [word for text in texts for word in text.split()]
        natural.append(max(text_width(text, ems) for text in texts) + room)
        longest = max((text_width(word, ems) for word in words), default=0.0) + room
        least.append(natural[-1] if column["right"] else longest)
    return natural, least
