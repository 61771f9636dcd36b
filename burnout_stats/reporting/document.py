"""`Document`: a report before it has a format: sections of paragraphs, tables and pictures, as text and numbers.

One function makes it from protected results (`compose`); `page` writes it as HTML, `word` as DOCX, `typeset` as PDF.
Nothing in it is escaped or formatted yet: that belongs to each writer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ..display import Table
from ..notices import Notice
from .drawing import Picture
from .facts import Fact
from .glance import Glance

__all__ = [
    "Aside",
    "AtAGlance",
    "Block",
    "Code",
    "Details",
    "Document",
    "Drawn",
    "Heading",
    "Listed",
    "Notices",
    "Paragraph",
    "Section",
    "Set",
    "blocks_of",
]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; `kind` is "" or "kicker" (what stands small under a heading)."""

    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a section; `keep` asks that it is not parted from what follows; `anchor` is its id, if any."""

    text: str
    keep: bool = True
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A list; `kind` is "" or "findings" (the sentences that readers came for)."""

    items: tuple[str, ...]
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """Text to be set letter by letter: a formula, or a call of another program; `language` is its name for people."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Set:
    """A table. `label` names it for who cannot see it; `kind` is "" or "words" (much text), "origin" (keys), "narrow"
    (may stand beside the next), "long" (may break over pages) or "prose" (sentences, which wrap).

    `anchors` are the sections that the text of a cell points to, by that text: a checklist links to its answers.
    `name` is how text refers to it ("Table 2"), and its title begins with that; `file` is its name as a file.
    """

    table: Table
    label: str
    kind: str = ""
    anchors: tuple[tuple[str, str], ...] = ()
    name: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture with its caption and words; `name` is how text refers to it ("Figure 2")."""

    picture: Picture
    name: str = ""


@dataclass(frozen=True, slots=True)
class Notices:
    """What did not stop the analysis, but should be known."""

    notices: tuple[Notice, ...]
    heading: str


@dataclass(frozen=True, slots=True)
class AtAGlance:
    """The changes of all outcomes: drawn as strips where the format can, else as the table."""

    glance: Glance
    table: Table
    label: str


@dataclass(frozen=True, slots=True)
class Aside:
    """Paragraphs in a box."""

    title: str
    anchor: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Details:
    """Blocks that a reader opens on a screen; on paper they stand open under their summary."""

    summary: str
    blocks: tuple[Block, ...]


Block: TypeAlias = "Paragraph | Heading | Listed | Code | Set | Drawn | Notices | AtAGlance | Aside | Details"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section with a heading of the second order.

    Attributes
    ----------
    anchor : its id, a slug
    title : str
    blocks : what it holds
    kind : "" or "chapter" (starts a new page on paper)
    """

    anchor: str
    title: str
    blocks: tuple[Block, ...]
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A whole report.

    Attributes
    ----------
    title, eyebrow, lede : the masthead
    facts : the numbers of the masthead
    sections : in the order of reading
    footer : the last line
    language : of labels and headings, such as "en"
    number_style : how tables set their numbers
    version : of the software that made it
    date : ISO date, or empty
    authors : who made the analysis; they stand under the title
    """

    title: str
    eyebrow: str
    lede: str
    facts: tuple[Fact, ...]
    sections: tuple[Section, ...]
    footer: str
    authors: tuple[str, ...] = ()
    language: str = "en"
    number_style: str = "plain"
    version: str = ""
    date: str = ""


def blocks_of(document: Document) -> Iterator[Block]:
    """Every block, those within details too, in the order of reading."""
    waiting: list[Block] = [block for section in reversed(document.sections) for block in reversed(section.blocks)]
    while waiting:
        block = waiting.pop()
        yield block
        if isinstance(block, Details):
            waiting += reversed(block.blocks)
