"""How a report looks in Word: its page, its styles, and the parts of Word that python-docx has no words for (fields,
bookmarks, links, boxes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docx.document import Document
    from docx.oxml.xmlchemy import BaseOxmlElement
    from docx.section import Section
    from docx.styles.style import ParagraphStyle
    from docx.text.paragraph import Paragraph
    from docx.text.run import Run

__all__ = [
    "CODE_FONT",
    "TEXT_HEIGHT",
    "TEXT_WIDTH",
    "below",
    "bookmark",
    "closed_field",
    "dress",
    "drop_times",
    "element",
    "facts",
    "field",
    "footer",
    "linked",
    "opened_field",
    "pointed",
    "turn",
]

TEXT_WIDTH, TEXT_HEIGHT = 170.0, 215.0
"""The room in mm for text on a standing page of A4, and for a picture with its caption."""
SHORT, LONG, MARGIN, FOOT = 210.0, 297.0, 20.0, 22.0
FONT, CODE_FONT = "Arial", "Consolas"
INK, SOFT, ACCENT, WARN = "1C2430", "4F5B69", "0B5A78", "8A4B08"
WASH, WARN_WASH = "F4F6F8", "FDF6EC"


LOOKS = (
    ("Normal", 10, 0, 6, INK),
    ("Title", 22, 0, 6, INK),
    ("Subtitle", 12, 0, 14, SOFT),
    ("Heading 1", 16, 22, 8, INK),
    ("Heading 2", 12, 16, 5, ACCENT),
    ("Heading 3", 10.5, 14, 4, INK),
    ("TOC Heading", 13, 18, 6, INK),
    ("Caption", 9, 10, 4, INK),
    ("List Bullet", 10, 0, 4, INK),
    ("Footer", 8.5, 0, 0, SOFT),
)
"""The styles of Word that a report uses: size, distances before and after in points, color."""

OWN_LOOKS = (
    ("Eyebrow", "Normal", 9, 0, 4, ACCENT),
    ("Kicker", "Normal", 9.5, 0, 8, SOFT),
    ("Finding", "List Bullet", 10, 0, 5, INK),
    ("Code", "Normal", 7.5, 4, 8, INK),
    ("Code Name", "Normal", 8.5, 6, 2, SOFT),
    ("Picture", "Normal", 10, 8, 2, INK),
    ("Gap", "Normal", 4, 0, 0, INK),
    ("Fact", "Normal", 9, 0, 2, SOFT),
    ("Fact Value", "Normal", 19, 0, 0, INK),
    ("Box Title", "Normal", 9.5, 10, 4, INK),
    ("Box", "Normal", 9.5, 0, 4, INK),
    ("Notice Title", "Normal", 9.5, 10, 4, INK),
    ("Notice", "Normal", 9, 0, 4, INK),
    ("toc 1", "Normal", 10, 0, 2, INK),
)
"""The styles of its own: parent, size, distances, color."""


def dress(document: Document) -> None:
    """Give an empty document its page and all its styles."""
    turn(document.sections[0], flipped=False)
    _empty(document)
    for name, points, before, after, color in LOOKS:
        _set(document.styles[name], points, before, after, color)
    for name, parent, points, before, after, color in OWN_LOOKS:
        _add(document, name, parent, points, before, after, color)
    _refine(document)
    _settle(document)


def turn(section: Section, *, flipped: bool) -> None:
    """A page of A4 that stands, or lies."""
    from docx.enum.section import WD_ORIENT
    from docx.shared import Mm

    width, height = (LONG, SHORT) if flipped else (SHORT, LONG)
    section.orientation = WD_ORIENT.LANDSCAPE if flipped else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(width), Mm(height)
    section.left_margin = section.right_margin = Mm(MARGIN)
    section.top_margin = section.bottom_margin = Mm(FOOT)
    section.header_distance = section.footer_distance = Mm(11)


def footer(document: Document, maker: str) -> None:
    """The last line of every page: the software, and the page of how many."""
    from docx.enum.text import WD_TAB_ALIGNMENT
    from docx.shared import Mm

    line = document.sections[0].footer.paragraphs[0]
    line.style = document.styles["Footer"]
    line.paragraph_format.tab_stops.add_tab_stop(Mm(TEXT_WIDTH), WD_TAB_ALIGNMENT.RIGHT)
    line.add_run(f"{maker}\t")
    field(line, "PAGE", "1")
    line.add_run(" / ")
    field(line, "NUMPAGES", "1")


def facts(document: Document, facts: list[tuple[str, ...]]) -> None:
    """Name, value and more of each fact in a column of its own, under one line."""
    from docx.oxml.ns import qn
    from docx.shared import Pt

    made = document.add_table(rows=3, cols=len(facts))
    properties = made._tbl.tblPr
    for old in properties.findall(qn("w:tblStyle")):
        properties.remove(old)
    borders = element("w:tblBorders")
    borders.append(element("w:top", val="single", sz=8, space=0, color=INK))
    properties.insert_element_before(borders, "w:shd", "w:tblLayout", "w:tblCellMar", "w:tblLook")
    made.rows[0]._tr.get_or_add_trPr().append(element("w:tblHeader"))
    for column, fact in enumerate(facts):
        for row, (text, style) in enumerate(zip(fact, ("Fact", "Fact Value", "Fact"), strict=True)):
            paragraph = made.cell(row, column).paragraphs[0]
            paragraph.style = document.styles[style]
            paragraph.add_run(text)
            if row == 0:
                paragraph.paragraph_format.space_before = Pt(6)
    document.add_paragraph(style="Gap")


def below(caption: Paragraph) -> None:
    """A caption under its picture rather than over a table."""
    from docx.shared import Pt

    caption.paragraph_format.space_before, caption.paragraph_format.space_after = Pt(2), Pt(14)


def drop_times(document: Document) -> None:
    """Take the times out of what the file says of itself: those of the template mean nothing."""
    told = document.core_properties._element
    for part in [part for part in told if part.tag.endswith(("}created", "}modified", "}lastPrinted"))]:
        told.remove(part)


def field(paragraph: Paragraph, instruction: str, result: str, *, bold: bool | None = None) -> None:
    """A field that Word computes, and what it shows until then."""
    for kind in ("begin", "instruction", "separate", "result", "end"):
        run = paragraph.add_run(result if kind == "result" else "")
        run.bold = bold
        if kind == "instruction":
            run._r.append(_instruction(instruction))
        elif kind != "result":
            run._r.append(element("w:fldChar", fldCharType=kind))


def opened_field(paragraph: Paragraph, instruction: str) -> None:
    """The beginning of a field whose result is whole paragraphs; `closed_field` ends it."""
    for part in (
        element("w:fldChar", fldCharType="begin"),
        _instruction(instruction),
        element("w:fldChar", fldCharType="separate"),
    ):
        paragraph.add_run()._r.append(part)


def closed_field(paragraph: Paragraph) -> None:
    """The end of a field."""
    paragraph.add_run()._r.append(element("w:fldChar", fldCharType="end"))


def bookmark(paragraph: Paragraph, name: str, number: int) -> None:
    """Let links lead to all that stands in this paragraph."""
    start, end = element("w:bookmarkStart", id=number, name=name), element("w:bookmarkEnd", id=number)
    first = next((place for place, part in enumerate(paragraph._p) if part.tag.endswith("}r")), len(paragraph._p))
    paragraph._p.insert(first, start)
    paragraph._p.append(end)


def linked(paragraph: Paragraph, runs: list[Run], name: str) -> None:
    """Make runs of the paragraph a link to a bookmark."""
    link = element("w:hyperlink", anchor=name, history=1)
    paragraph._p.insert(list(paragraph._p).index(runs[0]._r), link)
    for run in runs:
        link.append(run._r)


def pointed(paragraph: Paragraph, name: str) -> None:
    """Make the whole of a paragraph a link that looks like one."""
    from docx.shared import RGBColor

    runs = paragraph.runs
    for run in runs:
        run.font.color.rgb, run.font.underline = RGBColor.from_string(ACCENT), True
    linked(paragraph, runs, name)


def element(tag: str, /, **attributes: object) -> BaseOxmlElement:
    """An element of Word's own XML; its attributes are of the same namespace."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    made: BaseOxmlElement = OxmlElement(tag)
    for key, value in attributes.items():
        made.set(qn(f"w:{key}"), str(value))
    return made


def _instruction(text: str) -> BaseOxmlElement:
    from docx.oxml.ns import qn

    code = element("w:instrText")
    code.set(qn("xml:space"), "preserve")
    code.text = f" {text} "
    return code


# ---- styles


def _empty(document: Document) -> None:
    """Take away the styles that nothing here uses: each of them would be read again for every paragraph."""
    kept = {
        "Normal Table",
        "No List",
        "Default Paragraph Font",
        "Body Text",
        "List Paragraph",
        *(name for name, *_ in LOOKS),
    }
    for style in [style for style in document.styles if style.name not in kept]:
        style.delete()


def _set(style: ParagraphStyle, points: float, before: float, after: float, color: str) -> None:
    """Font, size, color and distances of a style; nothing of the theme stays."""
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    style.font.name = FONT
    fonts = style.element.rPr.rFonts
    for key in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{key}"), None)
    for key in ("eastAsia", "cs"):
        fonts.set(qn(f"w:{key}"), FONT)
    style.font.size, style.font.color.rgb = Pt(points), RGBColor.from_string(color)
    style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(after)


def _add(document: Document, name: str, parent: str, points: float, before: float, after: float, color: str) -> None:
    from docx.enum.style import WD_STYLE_TYPE

    style: ParagraphStyle = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = document.styles[parent]
    style.quick_style = name != "toc 1"
    _set(style, points, before, after, color)


def _refine(document: Document) -> None:
    """What single styles have of their own."""
    from docx.enum.text import WD_TAB_ALIGNMENT, WD_TAB_LEADER
    from docx.shared import Mm, Pt

    styles: dict[str, ParagraphStyle] = {style.name: style for style in document.styles}
    normal = styles["Normal"].paragraph_format
    normal.line_spacing, normal.widow_control = 1.15, True
    title = styles["Title"]
    for line in title.element.pPr.findall(element("w:pBdr").tag):
        title.element.pPr.remove(line)
    title.font.bold = False
    title.paragraph_format.line_spacing = 1.0
    for tabs in styles["Footer"].element.pPr.findall(element("w:tabs").tag):
        styles["Footer"].element.pPr.remove(tabs)
    styles["Subtitle"].font.italic = False
    styles["Subtitle"].font.bold = False
    for name in ("Title", "Subtitle"):
        for spacing in styles[name].element.rPr.findall(element("w:spacing").tag):
            styles[name].element.rPr.remove(spacing)
    styles["Eyebrow"].font.bold = styles["Eyebrow"].font.all_caps = True
    styles["Eyebrow"].element.get_or_add_rPr().insert_element_before(
        element("w:spacing", val=16), "w:w", "w:kern", "w:position", "w:sz", "w:szCs"
    )
    styles["Kicker"].font.italic = True
    for name in ("Heading 1", "Heading 2", "Heading 3", "TOC Heading", "Caption"):
        styles[name].paragraph_format.line_spacing = 1.0
        styles[name].font.bold = True
    styles["TOC Heading"].base_style = styles["Normal"]  # or it would stand among the contents
    styles["Caption"].paragraph_format.keep_together = True
    styles["Picture"].paragraph_format.keep_with_next = True
    styles["Picture"].paragraph_format.line_spacing = 1.0
    styles["toc 1"].paragraph_format.tab_stops.add_tab_stop(Mm(TEXT_WIDTH), WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS)
    code = styles["Code"]
    code.font.name = CODE_FONT
    code.paragraph_format.line_spacing = 1.0
    _box(code, WASH, WASH)
    for name, fill, edge in (
        ("Box Title", WASH, ACCENT),
        ("Box", WASH, ACCENT),
        ("Notice Title", WARN_WASH, WARN),
        ("Notice", WARN_WASH, WARN),
    ):
        style = styles[name]
        style.paragraph_format.left_indent = style.paragraph_format.right_indent = Pt(10)
        _box(style, fill, edge)
        if name.endswith("Title"):
            style.font.bold = style.paragraph_format.keep_with_next = True


def _box(style: ParagraphStyle, fill: str, edge: str) -> None:
    """A ground of one color with an edge at its left; paragraphs that follow each other share one box."""
    sides = element("w:pBdr")
    for side, color, width in (("top", fill, 4), ("left", edge, 18), ("bottom", fill, 4), ("right", fill, 4)):
        sides.append(element(f"w:{side}", val="single", sz=width, space=6, color=color))
    rest = ("w:tabs", "w:suppressAutoHyphens", "w:spacing", "w:ind", "w:contextualSpacing", "w:jc", "w:outlineLvl")
    properties = style.element.get_or_add_pPr()
    properties.insert_element_before(sides, "w:shd", *rest)
    properties.insert_element_before(element("w:shd", val="clear", color="auto", fill=fill), *rest)


def _settle(document: Document) -> None:
    """What the template of python-docx brings and nobody asked for: its picture, and the ways of an old Word."""
    from docx.oxml.ns import qn

    package = document.part.package
    for key in [key for key, relation in package.rels.items() if relation.reltype.endswith("/thumbnail")]:
        del package.rels[key]
    for setting in document.settings.element.iter(qn("w:compatSetting")):
        if setting.get(qn("w:name")) == "compatibilityMode":
            setting.set(qn("w:val"), "15")
