"""A `Document` as one page of HTML that asks for nothing from outside: a template walks its blocks.

Every text goes through Jinja's autoescape, but for the tables, whose writer escapes for itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ..display import to_html
from ..display.escape import clean, for_html
from .document import Block, Document, Heading, Set
from .spoken import Spoken, code_lines

__all__ = ["to_page"]


@dataclass(frozen=True, slots=True)
class Group:
    """Blocks that stand together: `kind` is "" (one block), "keep" (a heading and its table) or "pair" (side by side
    where there is room).
    """

    kind: str
    blocks: tuple[Block, ...]


def to_page(document: Document) -> bytes:
    """The document as a page of UTF-8 HTML."""
    environment = _environment()
    spoken = Spoken.of(document)
    environment.filters["label"] = spoken.say
    environment.filters["spoken"] = partial(_spoken, spoken)
    environment.filters["markup"] = partial(_markup, document)
    page = environment.get_template("report.html.j2")
    return page.render(document=document).strip().encode("utf-8") + b"\n"


def grouped(blocks: tuple[Block, ...]) -> Iterator[Group]:
    """Blocks in the groups that keep together."""
    at = 0
    while at < len(blocks):
        block = blocks[at]
        after = blocks[at + 1] if at + 1 < len(blocks) else None
        if isinstance(block, Heading) and block.keep and isinstance(after, Set) and after.kind == "":
            yield Group("keep", (block, after))
            at += 2
        elif _is_narrow(block) and _is_narrow(after):
            yield Group("pair", (block, after))  # type: ignore[arg-type]  # a Set, as just asked
            at += 2
        else:
            yield Group("", (block,))
            at += 1


def _is_narrow(block: Block | None) -> bool:
    return isinstance(block, Set) and block.kind == "narrow"


def _spoken(spoken: Spoken, text: str) -> Markup:
    """A text in its language; what stands between back quotes is code."""
    parts = (Markup("<code>{}</code>").format(part.text) if part.is_code else part.text for part in spoken.parts(text))
    return Markup("").join(parts)


def _markup(document: Document, block: Set) -> Markup:
    """A table as markup; its writer has escaped every label (see `display.html`)."""
    return _linked(to_html(block.table, document.number_style, language=document.language), block.anchors)


def _linked(table: str, anchors: tuple[tuple[str, str], ...]) -> Markup:
    """The table with the cells that are among `anchors` leading there."""
    for text, anchor in anchors:
        said = for_html(text)
        table = table.replace(f">{said}</td>", f'><a href="#{for_html(anchor)}">{said}</a></td>')
    return Markup(table)  # noqa: S704  escaped by the writer of tables


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__ or "", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_one_line,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters["grouped"] = grouped
    environment.filters["lines"] = _lines
    environment.filters["kind"] = lambda block: type(block).__name__
    return environment


def _lines(text: str) -> Markup:
    """Code with its lines and its indentation, each line escaped."""
    return Markup("\n").join(code_lines(text))


def _one_line(value: object) -> object:
    """Text without control characters and marks that turn the direction of writing; markup and numbers as they are."""
    return clean(value) if type(value) is str else value
