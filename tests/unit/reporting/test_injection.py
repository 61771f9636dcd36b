"""One hostile study through everything: whatever labels, names, values and notes say, they are words in every format,
nothing runs, no table breaks, and no file stands outside the folder.
"""

import csv
import json
import re
import shutil
import subprocess
import zipfile
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hostile_study import FILE, IDENTIFIER, write_hostile
from lxml import html as lxml_html
from typer.testing import CliRunner

from burnout_stats.cli import app
from burnout_stats.errors import StudyError
from burnout_stats.plan import read_study, run
from burnout_stats.reporting.gate import shown

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
ALL = 'formats = ["html", "docx", "pdf", "md", "tex", "json", "csv"]'
QUICK = 'formats = ["html", "md", "tex", "json", "csv"]\nfigures = false'
NEVER = {*range(32), 127} - {10}
TURNING = re.compile("[\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
ANNOTATION = re.compile(r"::(error|warning|notice) (?:file=[^,:]+(?:,line=\d+)?,)?title=[^:,]+::[^\r\n]+\Z")
NUMBER = re.compile(r"-(?:\d[\d.]*(?:e[+-]?\d+)?|inf)\Z")

pytestmark = [
    pytest.mark.filterwarnings("ignore::burnout_stats.notices.BurnoutStatsWarning"),
    pytest.mark.xdist_group("injection"),  # its reports are made once
]


@pytest.fixture(
    scope="module",
    params=[pytest.param(("en", QUICK), id="quick"), pytest.param(("nb", ALL), id="all", marks=pytest.mark.slow)],
)
def attacked(request, tmp_path_factory):
    """The folder of the study, and what the command said on its way through `check` and `report`."""
    folder = tmp_path_factory.mktemp("attacked")
    (folder / "job").mkdir()
    language, formats = request.param
    study = write_hostile(folder / "job", formats=formats, more=f'language = "{language}"')
    around = {"GITHUB_STEP_SUMMARY": str(folder / "summary.md"), "GITHUB_WORKSPACE": str(folder)}
    asked = (
        ("check", str(study), "--format", "github"),
        ("check", str(study), "--json"),
        ("check", str(study)),
        ("report", str(study), "-o", str(folder / "job/out"), "--format", "github"),
    )
    said = [CliRunner().invoke(app, list(words), env=around) for words in asked]
    assert [result.exit_code for result in said] == [0, 0, 0, 0], said[-1].output
    return folder, said


@pytest.fixture(scope="module")
def out(attacked):
    return attacked[0] / "job/out"


def texts(out, *suffixes):
    found = [path for path in sorted(out.rglob("*")) if path.suffix in suffixes]
    return {path.name: path.read_text(encoding="utf-8") for path in found}


def parts(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_no_file_stands_outside_and_every_name_is_plain(attacked, out):
    folder, _ = attacked
    names = [str(path.relative_to(out)) for path in out.rglob("*")]
    assert all(re.fullmatch(r"[a-z0-9_./-]+", name) for name in names), names
    beside = {str(path.relative_to(folder)) for path in folder.rglob("*") if out not in (path, *path.parents)}
    assert beside == {"job", "job/study.toml", f"job/{FILE}", "summary.md"}


def test_no_identifier_stands_anywhere(attacked, out):
    folder, said = attacked
    everything = [path.read_bytes() for path in out.rglob("*") if path.is_file()]
    everything += [part for path in out.glob("*.docx") for part in parts(path).values()]
    everything += [(folder / "summary.md").read_bytes(), *(result.output.encode() for result in said)]
    assert all(b"SECRETPERSON" in IDENTIFIER.encode() and b"SECRETPERSON" not in data for data in everything)


def test_no_control_character_and_no_turned_writing_reaches_a_file(attacked, out):
    found = texts(out, ".html", ".svg", ".md", ".tex", ".csv", ".json")
    found["summary.md"] = (attacked[0] / "summary.md").read_text(encoding="utf-8")
    for name, text in found.items():
        assert not NEVER & set(map(ord, text)), name
        assert not TURNING.search(text), name


VOID = {"meta", "img", "br", "hr", "circle", "path", "line"}


class Nested(HTMLParser):
    """Whether every element of a page is closed by its own end."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags = [], set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):  # noqa: ARG002  as the parser calls it
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):  # noqa: ARG002
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert tag in VOID or self.open.pop() == tag


def test_the_page_has_only_its_own_elements(out):
    text = (out / "report.html").read_text(encoding="utf-8")
    page = Nested(text)
    assert page.open == []
    assert not page.tags & {"script", "iframe", "object", "embed", "form", "link", "base", "input", "b", "h5"}
    root = lxml_html.document_fromstring(text)  # a second reader, which closes what is left open
    assert len(root.findall(".//h1")) == 1
    assert "{{ 7 * 191 }}{% for x in y %}${7*191}" in " ".join(root.text_content().split())
    everything = [(name, value) for element in root.iter() for name, value in element.attrib.items()]
    assert not [name for name, _ in everything if name.startswith("on")]
    ids = [value for name, value in everything if name == "id"]
    assert len(ids) == len(set(ids))
    links = {value for name, value in everything if name == "href"}
    assert {link.removeprefix("#") for link in links} <= set(ids)
    assert all(value.startswith("data:image/svg+xml;base64,") for name, value in everything if name == "src")
    for table in root.iter("table"):
        wide = [sum(int(cell.get("colspan", 1)) for cell in row) for row in table.findall("./tbody/tr")]
        assert len(set(wide)) == 1, wide


def test_no_field_is_a_formula_and_every_record_has_as_many(out):
    for name, text in texts(out, ".csv").items():
        records = list(csv.reader(text.splitlines(keepends=True), strict=True))
        assert len({len(record) for record in records}) == 1, name
        for field in (field for record in records for field in record):
            assert not field.startswith(("=", "+", "@", "\t", "\r")), (name, field)
            assert not field.startswith("-") or field == "-" or NUMBER.match(field), (name, field)


def markdown_is_plain(text):
    """Every table has rows of one length; what is left without its escapes holds no markup, link, command, mention."""
    for block in re.split(r"\n\s*\n", text):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) for row in rows}) <= 1, rows
    bare = re.sub(r"\\[^\w\s]", "", text)
    assert not re.search(r"<|::|##\[|(?<!\w)@\w|!\[", bare)
    assert not re.search(r"\]\((?!https://github)", bare)


def test_markdown_has_whole_tables_and_no_markup(attacked, out):
    found = texts(out, ".md")
    assert len(found) > 15
    for text in found.values():
        markdown_is_plain(text)
    markdown_is_plain((attacked[0] / "summary.md").read_text(encoding="utf-8"))


COMMANDS = set(
    """
    AE O aa addlinespace ae begin bottomrule caption centering chi cmidrule emph end endfirsthead endfoot
    endhead endlastfoot ensuremath footnotesize hspace label linewidth makebox midrule multicolumn o par quad
    r raggedright raisebox resizebox scriptsize setlength small smallskip surd tabcolsep tablename
    textasciicircum textasciitilde textbackslash textbf textgreater textit textless textsubscript
    textsuperscript toprule usepackage
    """.split()
)


def test_latex_has_only_our_commands_and_balanced_braces(out):
    found = texts(out, ".tex")
    assert len(found) > 15
    for name, text in found.items():
        bare = re.sub(r"\\[^a-zA-Z]", "", text)
        assert bare.count("{") == bare.count("}"), name
        assert set(re.findall(r"\\([a-zA-Z]+)", text.replace("\\\\", ""))) <= COMMANDS, name
        assert set(re.findall(r"\\begin\{(\w+)\}", text)) <= {"table", "tabular", "minipage", "longtable"}, name
        lines = [line for line in text.splitlines() if not line.startswith("%")]
        assert not re.search(r"(?<!\\)[$#]", "\n".join(lines)), name


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_latex_is_set_by_latex(out, tmp_path):
    files = [f"\\input{{{path}}}\\clearpage" for path in sorted(out.rglob("*.tex"))]
    head = "\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{booktabs,longtable}\\begin{document}"
    (tmp_path / "all.tex").write_text("\n".join([head, *files, "\\end{document}"]), encoding="utf-8")
    asked = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "root:x:0" not in (tmp_path / "all.log").read_text(encoding="latin-1")


def test_json_is_json_without_nan(attacked, out):
    for text in texts(out, ".json").values():
        json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert json.loads(attacked[1][1].stdout)["fine"] is True


def test_drawings_have_only_outlines(out):
    for path in out.rglob("*.svg"):
        for element in ET.fromstring(path.read_bytes()).iter():  # noqa: S314  our own file
            assert element.tag.split("}")[-1] not in {"script", "image", "a", "foreignObject", "text"}
            for name, value in element.attrib.items():
                assert not name.startswith("on")
                assert not name.endswith("href") or value.startswith("#")


def test_the_word_document_is_whole_and_has_only_its_own_fields(out):
    for path in out.glob("*.docx"):
        found = parts(path)
        for name, data in found.items():
            if name.endswith((".xml", ".rels")):
                ET.fromstring(data)  # noqa: S314  our own file
        everything = b"".join(found.values())
        assert b'TargetMode="External"' not in everything
        fields = {field.split()[0] for field in re.findall(rb"<w:instrText[^>]*>([^<]*)<", everything)}
        assert fields <= {b"TOC", b"SEQ", b"PAGE", b"NUMPAGES"}
        tables = list(ET.fromstring(found["word/document.xml"]).iter(f"{WORD}tbl"))  # noqa: S314  our own file
        assert len(tables) > 15
        for table in tables:
            wide = len(table.findall(f"{WORD}tblGrid/{WORD}gridCol"))
            for row in table.findall(f"{WORD}tr"):
                spans = [cell.find(f"{WORD}tcPr/{WORD}gridSpan") for cell in row.findall(f"{WORD}tc")]
                assert sum(1 if span is None else int(span.get(f"{WORD}val")) for span in spans) == wide


def test_the_pdf_has_no_action_and_read_no_file(out):
    for path in out.glob("*.pdf"):
        data = path.read_bytes()
        assert data.startswith(b"%PDF")
        assert not re.search(rb"/URI|/JavaScript|/Launch|/EmbeddedFile|root:x:0", data)


def test_only_our_own_lines_command_the_log(attacked):
    _, said = attacked
    for result in said:
        lines = result.output.splitlines()
        assert not [line for line in lines if re.search(r"##\[", line)]
        assert all(ANNOTATION.match(line) for line in lines if line.lstrip().startswith("::"))
        assert not NEVER & set(map(ord, result.output))
    for result in (said[1], said[2]):
        assert not [line for line in result.output.splitlines() if line.lstrip().startswith("::")]


def test_a_comparison_says_hostile_names_as_words(attacked, out, tmp_path):
    document = json.loads((out / "results.json").read_text(encoding="utf-8"))
    document["outcomes"][0]["changes"]["rows"][0]["estimate"] += 1.0
    (tmp_path / "new.json").write_text(json.dumps(document), encoding="utf-8")
    summary = tmp_path / "summary.md"
    for more in ([], ["--format", "github"], ["--json"]):
        asked = ["compare", str(out / "results.json"), str(tmp_path / "new.json"), *more]
        result = CliRunner().invoke(app, asked, env={"GITHUB_STEP_SUMMARY": str(summary)})
        assert result.exit_code == 1
        assert not re.search(r"##\[", result.output)
        assert not NEVER & set(map(ord, result.output))
        assert all(ANNOTATION.match(line) for line in result.output.splitlines() if line.startswith("::"))
        if "--json" in more:
            json.loads(result.stdout)
    markdown_is_plain(summary.read_text(encoding="utf-8"))


def test_notebooks_show_hostile_names_as_words(attacked):
    folder, _ = attacked
    results = shown(run(read_study(folder / "job/study.toml"), progress=False))
    part = results.outcomes[0]
    asked = [results.plan, results.cohort, results.flow, results.baseline, results.missingness, part.fit]
    asked += [part.means, part.changes, part.observed, *results.doubts, *results.doubts[0].estimates.values()]
    for value in asked:
        root = lxml_html.fragment_fromstring(value._repr_html_(), create_parent="div")
        assert not {"script", "img", "iframe", "object", "link"} & {element.tag for element in root.iter()}
        assert not [name for element in root.iter() for name in element.attrib if name.startswith("on")]
        markdown_is_plain(value._repr_markdown_())
        bare = re.sub(r"\\[^a-zA-Z]", "", value._repr_latex_())
        assert bare.count("{") == bare.count("}")
        for words in (repr(value), str(value)):
            assert not NEVER & set(map(ord, words))
            assert "SECRETPERSON" not in words
            assert not re.search(r"::|##\[", words)


@pytest.mark.raises_code("E-STUDY-KEY")
def test_a_text_cannot_add_keys_to_the_study_file(tmp_path):
    study = write_hostile(tmp_path)
    assert read_study(study).report.formats == ("html", "json", "csv")
    study.write_text(study.read_text(encoding="utf-8") + '\n[other]\n"__proto__" = 1\n', encoding="utf-8")
    with pytest.raises(StudyError):
        read_study(study)
