"""A `Document` as DOCX, for co-authors: real heading styles, tables that can be edited, captions and contents that Word
counts, and pictures with words for who cannot see them.
"""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..display.docx import add_table, fits, set_language
from ..display.escape import for_xml
from ..display.language import label
from ..display.repack import stable_zip
from ..errors import SetupError
from . import word_look as look
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
from .drawing import Picture
from .facts import Fact
from .spoken import Spoken, code_lines

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from docx.text.paragraph import Paragraph as WordParagraph

__all__ = ["needs_docx", "to_docx"]

DPI = 300
POINTS_PER_MM = 72 / 25.4
SMALL_POINTS = 7.5
"""A table that needs smaller letters than these has a page that lies."""
COLORS = 256
"""A figure has few colors: with a palette of so many its file has a third of the bytes."""
NEARLY_WHITE = 254
"""What the mean of white and a few shades near it comes to; as a ground it would be seen on a page."""
FACTS_IN_A_ROW = 4


def to_docx(document: Document) -> bytes:
    """The document as a Word document on A4; the same document gives the same bytes.

    Raises
    ------
    SetupError
        `E-SETUP-EXTRA` where python-docx is not installed.
    """
    needs_docx()
    import docx

    word = docx.Document()
    look.dress(word)
    set_language(word, document.language)
    writer = _Writer(word, Spoken.of(document))
    writer.masthead(document)
    writer.contents(document)
    for section in document.sections:
        writer.heading(section.title, 1, section.anchor, starts=section.kind == "chapter")
        for block in section.blocks:
            writer.block(block, 2)
    writer.turn(flipped=False)
    writer.line(document.footer, "Code Name")
    look.footer(word, writer.spoken.say(f"burnout_stats {document.version}"))
    _describe(word, document, writer.spoken)
    stream = io.BytesIO()
    word.save(stream)
    return stable_zip(stream.getvalue())


def needs_docx() -> None:
    """See that the library that writes Word documents is there.

    Raises
    ------
    SetupError
        `E-SETUP-EXTRA` where it is not installed.
    """
    try:
        import docx  # noqa: F401
    except ImportError as error:
        raise SetupError(
            "E-SETUP-EXTRA",
            "python-docx is not installed.",
            "It writes the report as a Word document.",
            'Install it with: pip install "burnout-stats[docx]"',
        ) from error


@dataclass(slots=True)
class _Writer:
    """A Word document that grows block by block."""

    word: WordDocument
    spoken: Spoken
    marked: int = 0
    flipped: bool = False

    # ---- text

    def line(self, text: str, style: str = "Normal") -> WordParagraph:
        """A paragraph, its code in the letters of code."""
        paragraph = self.word.add_paragraph(style=style)
        self.write(paragraph, text)
        return paragraph

    def write(self, paragraph: WordParagraph, text: str) -> None:
        """Add a text to a paragraph."""
        for part in self.spoken.parts(text):
            run = paragraph.add_run(part.text)
            if part.is_code:
                run.font.name = look.CODE_FONT

    def heading(self, text: str, level: int, anchor: str = "", *, starts: bool = False) -> None:
        """A heading that the contents and links lead to."""
        self.turn(flipped=False)
        paragraph = self.word.add_paragraph(self.spoken.say(text), style=f"Heading {min(level, 3)}")
        if starts:
            paragraph.paragraph_format.page_break_before = True
            paragraph.paragraph_format.space_before = 0
        self.mark(paragraph, anchor)

    def mark(self, paragraph: WordParagraph, anchor: str) -> None:
        """Let links lead to this paragraph."""
        if anchor:
            self.marked += 1
            look.bookmark(paragraph, self.place(anchor), self.marked)

    def place(self, anchor: str) -> str:
        """The name of a bookmark: Word takes few letters and no hyphen."""
        return f"place_{self.spoken.places.index(anchor) + 1}" if anchor in self.spoken.places else ""

    def caption(self, text: str, name: str) -> WordParagraph:
        """A caption whose number is a field, so that Word counts again where pictures are moved."""
        paragraph = self.word.add_paragraph(style="Caption")
        noun, _, number = name.rpartition(" ")
        if noun and number.isdecimal():
            paragraph.add_run(f"{noun} ")
            look.field(paragraph, f"SEQ {noun} \\* ARABIC", number)
            paragraph.add_run(". ")
        paragraph.add_run(self.spoken.caption(text, name)).bold = False if name else None
        return paragraph

    def turn(self, *, flipped: bool) -> None:
        """Go on, on a page that lies or stands."""
        if flipped != self.flipped:
            look.turn(self.word.add_section(), flipped=flipped)
            self.flipped = flipped

    # ---- the front

    def masthead(self, document: Document) -> None:
        """Title, one sentence, the authors, and the numbers that say how large the study is."""
        self.line(document.eyebrow, "Eyebrow")
        self.line(document.title, "Title")
        self.line(document.lede, "Subtitle")
        if authors := _authors(document):
            self.line(", ".join(authors))
        for first in range(0, len(document.facts), FACTS_IN_A_ROW):
            self.facts(document.facts[first : first + FACTS_IN_A_ROW])

    def facts(self, facts: tuple[Fact, ...]) -> None:
        """A row of numbers: name, value, and what more there is to say."""
        look.facts(
            self.word,
            [tuple(self.spoken.say(text) for text in (fact.name, fact.value, fact.more)) for fact in facts],
        )

    def contents(self, document: Document) -> None:
        """The contents: links that read as they are, and a field that puts page numbers to them when it is updated."""
        self.line(label("Contents", self.spoken.language), "TOC Heading")
        entry = None
        for number, section in enumerate(document.sections):
            entry = self.word.add_paragraph(style="toc 1")
            if number == 0:
                look.opened_field(entry, 'TOC \\o "1-1" \\h \\z \\u')
            look.linked(entry, [entry.add_run(self.spoken.say(section.title))], self.place(section.anchor))
        if entry is not None:
            look.closed_field(entry)

    # ---- blocks

    def block(self, block: Block, level: int) -> None:
        """One block; headings in it are of this level."""
        if not isinstance(block, Set | Details):
            self.turn(flipped=False)
        match block:
            case Paragraph():
                self.line(block.text, "Kicker" if block.kind == "kicker" else "Normal")
            case Heading():
                self.heading(block.text, level, block.anchor)
            case Listed():
                self.items(block)
            case Code():
                self.code(block)
            case Set():
                self.table(block)
            case Drawn():
                self.picture(block.picture, block.name)
            case Notices():
                self.notices(block)
            case AtAGlance():
                self.table(Set(block.table, block.label))
            case Aside():
                self.aside(block)
            case Details():
                self.details(block, level)

    def items(self, block: Listed) -> None:
        """A list."""
        for item in block.items:
            self.line(item, "Finding" if block.kind == "findings" else "List Bullet")

    def notices(self, block: Notices) -> None:
        """Notices in a box."""
        self.line(block.heading, "Notice Title")
        for notice in block.notices:
            paragraph = self.word.add_paragraph(style="Notice")
            paragraph.add_run(f"{notice.code}  ").font.name = look.CODE_FONT
            self.write(paragraph, f"{notice.message} {notice.advice}")
        self.word.add_paragraph(style="Gap")

    def aside(self, block: Aside) -> None:
        """Paragraphs in a box."""
        self.mark(self.line(block.title, "Box Title"), block.anchor)
        for text in block.paragraphs:
            self.line(text, "Box")
        self.word.add_paragraph(style="Gap")

    def details(self, block: Details, level: int) -> None:
        """What a screen folds away, under a heading of its own."""
        self.heading(block.summary, level)
        for inner in block.blocks:
            self.block(inner, level + 1)

    def code(self, block: Code) -> None:
        """Code, line by line in one paragraph."""
        if block.language:
            self.line(block.language, "Code Name").paragraph_format.keep_with_next = True
        paragraph = self.word.add_paragraph(style="Code")
        for number, text in enumerate(code_lines(block.text)):
            run = paragraph.add_run()
            if number:
                run.add_break()
            run.add_text(text)

    def table(self, block: Set) -> None:
        """A table with its caption; on a page that lies where it is too wide for one that stands."""
        width = look.TEXT_WIDTH * POINTS_PER_MM
        self.turn(flipped=not fits(block.table, self.spoken.style, width, points=SMALL_POINTS))
        caption = self.spoken.caption(block.table.title, block.name)
        if not block.name:
            self.caption(block.table.title, "").paragraph_format.keep_with_next = True
        made = add_table(
            self.word,
            block.table,
            self.spoken.style,
            language=self.spoken.language,
            caption=caption if block.name else "",
        )
        links = {self.spoken.say(text): anchor for text, anchor in block.anchors if anchor in self.spoken.places}
        if links:
            for cell in (cell for row in made.rows for cell in row.cells):
                paragraph = cell.paragraphs[0]
                if paragraph.text in links and paragraph.runs:
                    look.pointed(paragraph, self.place(links[paragraph.text]))

    def picture(self, picture: Picture, name: str) -> None:
        """A picture, its words for who cannot see it, and its caption on the same page."""
        from docx.shared import Mm

        width, height = picture.figure.size
        shown = min(width, look.TEXT_WIDTH, look.TEXT_HEIGHT * width / height)
        stream = io.BytesIO(_png(picture, DPI * shown / width))
        drawn = self.word.add_paragraph(style="Picture").add_run().add_picture(stream, width=Mm(shown))
        described = drawn._inline.docPr
        described.set("descr", self.spoken.say(picture.alt))
        if name:
            described.set("name", self.spoken.say(name))
        caption = self.caption(picture.caption, name)
        look.below(caption)


def _png(picture: Picture, dpi: float) -> bytes:
    """The pixels of a picture, with a palette."""
    from PIL import Image

    with Image.open(io.BytesIO(picture.figure.png(dpi=dpi))) as pixels:
        flat = Image.new("RGB", pixels.size, "white")
        flat.paste(pixels, mask=pixels.getchannel("A") if pixels.mode == "RGBA" else None)
    stream = io.BytesIO()
    few = flat.quantize(COLORS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.putpalette([255 if value == NEARLY_WHITE else value for value in few.getpalette() or ()])
    few.save(stream, format="PNG", optimize=True, dpi=(DPI, DPI))
    return stream.getvalue()


def _describe(word: WordDocument, document: Document, spoken: Spoken) -> None:
    """What the file says of itself; a time stands there only where the document has a date."""
    told = word.core_properties
    told.title, told.subject = spoken.say(document.title)[:255], spoken.say(document.lede)[:255]
    told.author = ", ".join(_authors(document))[:255]
    told.last_modified_by = told.keywords = told.comments = told.category = ""
    told.revision = 1
    if document.date:
        day = dt.datetime.fromisoformat(document.date).replace(tzinfo=dt.UTC)
        told.created = told.modified = day
    else:
        look.drop_times(word)


def _authors(document: Document) -> list[str]:
    return [for_xml(author) for author in document.authors]
