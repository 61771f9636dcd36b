"""Tables and figures that get their numbers in the order in which a reader meets them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..display import Table
from ..display.language import label
from .document import Drawn, Set
from .drawing import Picture

__all__ = ["Numbering"]


@dataclass(slots=True)
class Numbering:
    """How many tables and figures a document has so far, and its language."""

    language: str = "en"
    tables: int = 0
    figures: int = 0

    def set(self, table: Table, file: str = "", *, kind: str = "", anchors: tuple[tuple[str, str], ...] = ()) -> Set:
        """The next table: its title begins with its number, in the language of the document."""
        self.tables += 1
        name = f"{label('Table', self.language)} {self.tables}"
        title = label(table.title, self.language)
        numbered = replace(table, title=f"{name}. {title}")
        return Set(numbered, label=title, kind=kind, anchors=anchors, name=name, file=file)

    def plain(self, table: Table, file: str = "", *, kind: str = "prose") -> Set:
        """A table of words that says what was planned: it gets no number, so that Table 1 is who the subjects were."""
        title = label(table.title, self.language)
        return Set(replace(table, title=title), label=title, kind=kind, file=file)

    def drawn(self, picture: Picture) -> Drawn:
        """The next figure."""
        self.figures += 1
        name = f"{label('Figure', self.language)} {self.figures}"
        caption = f"{name}. {label(picture.caption, self.language)}"
        return Drawn(replace(picture, caption=caption), name=name)
