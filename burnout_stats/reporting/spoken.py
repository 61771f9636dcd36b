"""What each writer of a `Document` asks of its texts: one line in the language, the parts that are code, the number
before a caption, the places that a link may lead to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..display.escape import for_xml
from ..display.language import label
from ..display.styles import NumberStyle, number_style
from .document import Aside, Block, Details, Document, Heading

__all__ = ["Part", "Spoken", "code_lines"]


_P_VALUE = re.compile(r"\b([pP]) ([<=>]) (?=[0-9.])")
"""A p value in a sentence; no line ends within it."""


class Part(NamedTuple):
    """A stretch of a text; code is set letter by letter."""

    text: str
    is_code: bool


@dataclass(frozen=True, slots=True)
class Spoken:
    """The language of a document, its number style, and its places."""

    language: str
    style: NumberStyle
    places: tuple[str, ...]

    @classmethod
    def of(cls, document: Document) -> Spoken:
        """What is asked of this document."""
        places = [
            place for section in document.sections for place in (section.anchor, *_anchors(section.blocks)) if place
        ]
        style = number_style(document.number_style, language=document.language)
        return cls(document.language, style, tuple(dict.fromkeys(places)))

    def say(self, text: str) -> str:
        """A text on one line that XML can hold, in the language where the catalog has it."""
        return _P_VALUE.sub("\\1\u00a0\\2\u00a0", label(for_xml(text), self.language))

    def parts(self, text: str) -> tuple[Part, ...]:
        """A text cut at back quotes: what stands between two of them is code."""
        cut = re.split(r"`([^`]+)`", self.say(text))
        return tuple(Part(part, place % 2 == 1) for place, part in enumerate(cut) if part)

    def caption(self, text: str, name: str) -> str:
        """The words of a caption without the name that stands before them ("Table 2")."""
        return self.say(text).removeprefix(f"{name}. ") if name else self.say(text)


def code_lines(text: str) -> list[str]:
    """The lines of a code, each without control characters, its indentation kept."""
    lines = re.split(r"\r\n?|\n", text.expandtabs(4))
    return [" " * (len(line) - len(line.lstrip(" "))) + for_xml(line) for line in lines]


def _anchors(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Heading | Aside):
            yield block.anchor
        elif isinstance(block, Details):
            yield from _anchors(block.blocks)
