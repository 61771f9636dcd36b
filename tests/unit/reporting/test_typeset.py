"""The PDF: set from data, deaf to what labels say, claiming what it keeps, the same bytes everywhere."""

import hashlib
import itertools
import json
import os
import subprocess
import sys
from importlib import resources

import pytest
import typst
from paper_documents import HOSTILE, document

from burnout_stats.errors import SetupError
from burnout_stats.reporting import typeset
from burnout_stats.reporting.typeset import as_data, to_pdf
from burnout_stats.reporting.word import to_docx

TEMPLATE = resources.files("burnout_stats.reporting").joinpath("templates/report.typ")


def query(paper, selector, field=None):
    """What typst itself finds in the document that the template makes."""
    inputs = {"report": json.dumps(as_data(paper))}
    found = typst.query(TEMPLATE.read_bytes(), selector, field=field, sys_inputs=inputs, ignore_system_fonts=True)
    return json.loads(found)


def words(content):
    """The text of typst content."""
    if isinstance(content, dict):
        return content.get("text", "") + "".join(words(content[key]) for key in ("children", "body") if key in content)
    return "".join(map(words, content)) if isinstance(content, list) else ""


def blocks(data, kind):
    """Every block of a kind, those within details too."""
    found = []
    waiting = [block for section in data["sections"] for block in section["blocks"]]
    while waiting:
        block = waiting.pop(0)
        found += [block] if block["kind"] == kind else []
        waiting += block.get("blocks", [])
    return found


@pytest.fixture(scope="module")
def pdf():
    return to_pdf(document())


def test_the_pdf_claims_the_standard_for_readers_who_cannot_see_it(pdf):
    assert pdf.startswith(b"%PDF-1.7")
    assert b"<pdfuaid:part>1</pdfuaid:part>" in pdf
    assert b"<rdf:li>en</rdf:li>" in pdf


def test_a_letter_that_no_font_has_costs_the_claim_and_nothing_else():
    made = to_pdf(document("漢"))
    assert b"pdfuaid:part" not in made
    assert b"/StructTreeRoot" in made


def test_another_fault_of_the_template_is_not_hidden(monkeypatch):
    monkeypatch.setattr(typeset, "as_data", lambda _: {"title": "no more than this"})
    with pytest.raises(typst.TypstError):
        to_pdf(document())


def test_no_time_is_recorded(pdf):
    assert b"CreateDate" not in pdf
    assert b"/CreationDate" not in pdf


def test_headings_descend_one_step_at_a_time():
    levels = query(document(), "heading", "level")
    assert levels[0] == 1
    assert set(levels) == {1, 2, 3}
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_the_picture_has_its_words_and_its_size():
    (image,) = query(document(), "image")
    assert image["alt"] == "A line falls from 3.0 to 2.5. Exhaustion"
    assert image["width"] == "0% + 481.89pt"  # 170 mm
    assert image["format"] == "svg"


@pytest.mark.parametrize("language", ["en", "nb"])
def test_hostile_labels_are_only_words(language):
    paper = document(HOSTILE, language=language)
    assert b"<pdfuaid:part>1</pdfuaid:part>" in to_pdf(paper)
    assert query(paper, "math.equation") == []
    assert len(query(paper, "image")) == 1
    assert query(paper, "ref") == []
    links = {json.dumps(found["dest"]) for found in query(paper, "link")}
    assert links == {'"<outcome>"', '"<change-of-it>"'}
    said = [words(body) for body in query(paper, "heading", "body")]
    hostile = [text for text in said if "#image" in text]
    assert len(hostile) == 2
    assert all('#image("/etc/passwd") #eval("1+1") $x^2$ @nowhere <label> *b* _i_' in text for text in hostile)
    assert not any(char in text for text in said for char in "\x00\x0b\x1b\ud800\ufffe\uffff\u202e\u2066\u2029\n")


def test_the_template_takes_in_nothing_but_its_data():
    source = TEMPLATE.read_text(encoding="utf-8")
    assert not any(
        word in source for word in ("#import", "#include", "eval(", "read(", "plugin(", "datetime", "@preview")
    )
    assert source.count("sys.inputs") == 1


def test_numbers_and_headers_are_in_the_language():
    (front,), (change, _) = (
        blocks(as_data(document(language="nb")), "glance"),
        blocks(as_data(document(language="nb")), "table"),
    )
    assert [column["header"] for column in front["columns"]][1:3] == ["Endring", "95\u00a0% KI"]
    cells = [cell["text"] for row in change["table"]["rows"] if row["group"] is None for cell in row["cells"]]
    assert cells[:4] == ["1 year − baseline", "−0,47", "−0,60 til −0,34", "<0,001"]
    assert cells[5] == "skjult"


def test_a_group_stands_once_over_its_rows():
    table = blocks(as_data(document()), "table")[0]["table"]
    assert [row["group"] for row in table["rows"]] == ["Exhaustion", None, None]
    assert table["caption"] == {"name": "Table 1", "text": "Exhaustion"}
    assert table["rows"][2]["cells"][1]["hidden"]


def test_a_link_leads_only_to_a_place_that_exists():
    first, second = (block["table"] for block in blocks(as_data(document()), "table"))
    assert {cell["link"] for row in second["rows"] for cell in row["cells"]} == {"", "change-of-it"}
    assert {cell["link"] for row in first["rows"][1:] for cell in row["cells"]} == {""}


def test_a_table_that_is_too_wide_gets_small_letters_and_then_a_page_that_lies():
    tables = [block["table"] for block in blocks(as_data(document(wide=True)), "table")]
    narrow, wide = (table for table in tables if table["caption"]["name"])
    assert (narrow["points"], narrow["flipped"]) == (typeset.POINTS, False)
    assert (wide["points"], wide["flipped"]) == (typeset.SMALL_POINTS, True)


def test_an_overlong_word_may_be_broken_and_a_hash_is_not():
    data = as_data(document("x" * 200))
    assert data["title"].count("\u200b") > 5
    assert as_data(document("0" * 64))["title"] == "The study of " + "0" * 64


def test_the_indentation_of_code_is_kept():
    (code,) = blocks(as_data(document()), "code")
    assert code["text"] == "score ~ visit\n  Exhaustion"


@pytest.mark.raises_code("E-SETUP-EXTRA")
def test_without_typst_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(SetupError, match=r"burnout-stats\[pdf\]") as caught:
        to_pdf(document())
    assert caught.value.code == "E-SETUP-EXTRA"


def test_word_and_pdf_have_the_same_bytes_in_another_process(pdf, tmp_path):
    """Another hash seed, another time zone, another folder, seconds later."""
    script = (
        "import hashlib\nfrom paper_documents import document\n"
        "from burnout_stats.reporting.typeset import to_pdf\nfrom burnout_stats.reporting.word import to_docx\n"
        "import sys\nfor made in (to_pdf(document()), to_docx(document())):\n"
        "    sys.stdout.write(hashlib.sha256(made).hexdigest() + '\\n')\n"
    )
    here = [hashlib.sha256(made).hexdigest() for made in (pdf, to_docx(document()))]
    paths = os.pathsep.join(path for path in sys.path if path)
    environment = os.environ | {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "PYTHONPATH": paths, "LANG": "C"}
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == here
