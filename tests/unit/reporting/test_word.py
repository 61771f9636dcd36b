"""The Word document: what co-authors can edit, what Word can count, and what a label cannot do to it."""

import io
import re
import sys
import time
import zipfile
from xml.etree import ElementTree as ET

import docx
import pytest
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn
from paper_documents import HOSTILE, document
from PIL import Image

from burnout_stats.errors import SetupError
from burnout_stats.reporting.word import to_docx


def opened(made):
    return docx.Document(io.BytesIO(made))


def parts(made):
    """The parts of the file by name."""
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def fields(word):
    """The instructions of all fields of the text."""
    return [code.text.strip() for code in word.element.body.iter(qn("w:instrText"))]


@pytest.fixture(scope="module")
def made():
    return to_docx(document())


@pytest.fixture(scope="module")
def word(made):
    return opened(made)


@pytest.fixture(scope="module")
def hostile():
    return to_docx(document(HOSTILE, language="nb"))


def test_headings_are_those_of_word(word):
    headings = [(p.style.name, p.text) for p in word.paragraphs if p.style.name.startswith("Heading")]
    assert headings == [
        ("Heading 1", "At a glance"),
        ("Heading 1", "Exhaustion"),
        ("Heading 2", "Change"),
        ("Heading 2", "The model of Exhaustion"),
        ("Heading 3", "Within"),
        ("Heading 1", "Provenance"),
    ]
    assert [p.text for p in word.paragraphs if p.style.name == "Title"] == ["The study of Exhaustion"]


def test_a_chapter_starts_a_page(word):
    starts = [p.text for p in word.paragraphs if p.paragraph_format.page_break_before]
    assert starts == ["Exhaustion"]


def test_the_contents_read_as_they_are_and_lead_to_their_sections(word):
    entries = [p for p in word.paragraphs if p.style.name == "toc 1"]
    assert [p.text for p in entries] == ["At a glance", "Exhaustion", "Provenance"]
    assert r'TOC \o "1-1" \h \z \u' in fields(word)
    marks = {mark.get(qn("w:name")) for mark in word.element.body.iter(qn("w:bookmarkStart"))}
    targets = [link.get(qn("w:anchor")) for link in word.element.body.iter(qn("w:hyperlink"))]
    assert len(targets) == 4  # three sections, and the answer of the checklist
    assert set(targets) <= marks
    assert all(re.fullmatch(r"[A-Za-z]\w{0,39}", mark) for mark in marks)
    ids = [mark.get(qn("w:id")) for mark in word.element.body.iter(qn("w:bookmarkStart"))]
    assert len(ids) == len(set(ids)) == len(list(word.element.body.iter(qn("w:bookmarkEnd"))))


def test_every_field_that_begins_ends(word):
    kinds = [mark.get(qn("w:fldCharType")) for mark in word.element.body.iter(qn("w:fldChar"))]
    assert kinds.count("begin") == kinds.count("separate") == kinds.count("end") == len(fields(word))


def test_captions_are_counted_by_word_and_stay_with_what_they_name(word):
    captions = {p.text: p for p in word.paragraphs if p.style.name == "Caption"}
    assert list(captions) == [
        "Changes in all outcomes",
        "Figure 1. Exhaustion over time.",
        "Table 1. Exhaustion",
        "Checklist of Exhaustion",
    ]
    assert [code for code in fields(word) if code.startswith("SEQ")] == [
        r"SEQ Figure \* ARABIC",
        r"SEQ Table \* ARABIC",
    ]
    picture = next(p for p in word.paragraphs if p.style.name == "Picture")
    assert picture.style.paragraph_format.keep_with_next
    assert picture._p.getnext() is captions["Figure 1. Exhaustion over time."]._p


def test_the_picture_has_words_and_enough_pixels(made, word):
    (shape,) = word.inline_shapes
    assert shape._inline.docPr.get("descr") == "A line falls from 3.0 to 2.5. Exhaustion"
    assert shape.width.mm == pytest.approx(170, abs=0.1)
    (name,) = (name for name in parts(made) if name.endswith(".png"))
    with Image.open(io.BytesIO(parts(made)[name])) as pixels:
        assert pixels.mode == "P"
        assert pixels.width == pytest.approx(170 / 25.4 * 300, abs=2)
        assert pixels.convert("RGB").getpixel((0, 0)) == (255, 255, 255), "no gray ground on the page"


def test_the_tables_are_tables(word):
    facts, front, change, checklist = word.tables
    assert [cell.text for cell in facts.rows[0].cells] == ["Subjects", "Visits"]
    assert facts.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
    assert "−0.60 to −0.34" in [cell.text for row in front.rows for cell in row.cells]
    assert "hidden" in [cell.text for row in change.rows for cell in row.cells]
    link = next(checklist._tbl.iter(qn("w:hyperlink")))
    assert "".join(text.text for text in link.iter(qn("w:t"))) == "Where it is told"


def test_lists_notices_boxes_and_code_have_styles(word):
    by_style = {}
    for paragraph in word.paragraphs:
        by_style.setdefault(paragraph.style.name, []).append(paragraph.text)
    assert by_style["Finding"] == ["Exhaustion fell (p\u00a0<\u00a00.001).", "And code."]
    assert by_style["List Bullet"] == ["Exhaustion"]
    assert by_style["Notice Title"] == ["Notices about Exhaustion"]
    assert by_style["Notice"] == ["N-DEMO  Seen: Exhaustion. Try this."]
    assert by_style["Box Title"] == ["Exhaustion"]
    assert by_style["Box"] == ["Exhaustion", "More."]
    assert by_style["Code"] == ["score ~ visit\n  Exhaustion"]
    finding = next(p for p in word.paragraphs if p.style.name == "Finding")
    assert finding.style.base_style.element.pPr.numPr is not None, "a real list"
    spelled = [run.text for p in word.paragraphs for run in p.runs if run.font.name == "Consolas"]
    assert spelled == ["code", "N-DEMO  "]


def test_the_footer_counts_pages(word):
    line = word.sections[0].footer.paragraphs[0]
    assert line.text.startswith("burnout_stats 0.1.0\t")
    assert [code.text.strip() for code in line._p.iter(qn("w:instrText"))] == ["PAGE", "NUMPAGES"]


def test_a_table_that_is_too_wide_has_a_page_that_lies():
    sections = opened(to_docx(document(wide=True))).sections
    assert [section.orientation for section in sections] == [
        WD_ORIENT.PORTRAIT,
        WD_ORIENT.LANDSCAPE,
        WD_ORIENT.PORTRAIT,
    ]
    assert [round(section.page_width.mm) for section in sections] == [210, 297, 210]


@pytest.mark.parametrize(("language", "locale"), [("en", "en-US"), ("nb", "nb-NO")])
def test_the_document_says_its_language(language, locale):
    word = opened(to_docx(document(language=language)))
    (told,) = word.styles.element.iter(qn("w:lang"))
    assert told.get(qn("w:val")) == locale
    text = "\n".join(cell.text for table in word.tables for row in table.rows for cell in row.cells)
    assert ("−0,60 til −0,34" in text) == (language == "nb")


def test_the_file_says_who_wrote_it_and_when_only_if_that_is_known(made):
    told = opened(made).core_properties
    assert (told.title, told.author, told.comments) == ("The study of Exhaustion", "A. Exhaustion", "")
    assert told.created is None
    assert told.modified is None
    assert not any("thumbnail" in name for name in parts(made))
    assert b"python-docx" not in parts(made)["docProps/core.xml"]
    dated = opened(to_docx(document(date="2026-11-22"))).core_properties
    assert dated.created.isoformat()[:10] == dated.modified.isoformat()[:10] == "2026-11-22"


def test_the_bytes_do_not_depend_on_the_day(made, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1_900_000_000.0)
    assert to_docx(document()) == made
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_hostile_labels_are_only_words(hostile):
    for name, part in parts(hostile).items():
        if name.endswith((".xml", ".rels")):
            ET.fromstring(part)  # noqa: S314  our own file
    word = opened(hostile)
    text = "\n".join(paragraph.text for paragraph in word.paragraphs)
    assert "<w:br/><script>alert(1)</script>&amp; ]]> { SEQ Table } HYPERLINK" in text
    assert not re.search("[\x00\x0b\x1b\ufffe\uffff\u202e\u2066\u2029]", text)
    assert {code.split()[0] for code in fields(word)} == {"TOC", "SEQ"}
    external = re.findall(rb'TargetMode="External"', parts(hostile)["word/_rels/document.xml.rels"])
    assert external == []
    assert len(word.inline_shapes) == 1
    assert not re.search("[\x00-\x08\u202e]", word.inline_shapes[0]._inline.docPr.get("descr"))


@pytest.mark.raises_code("E-SETUP-EXTRA")
def test_without_python_docx_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "docx", None)
    with pytest.raises(SetupError, match=r"burnout-stats\[docx\]") as caught:
        to_docx(document())
    assert caught.value.code == "E-SETUP-EXTRA"
