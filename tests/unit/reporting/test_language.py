"""No label of ours is forgotten: every title, header, spanner, note and heading of a report has a word in bokmål."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import burnout_stats
from burnout_stats.display.language import is_known
from burnout_stats.display.table import Missing, Table
from burnout_stats.notices import BurnoutStatsWarning
from burnout_stats.plan import read_study, run
from burnout_stats.reporting.compose import compose
from burnout_stats.reporting.document import Aside, AtAGlance, Details, Document, Heading, Set, blocks_of
from burnout_stats.reporting.gate import shown
from burnout_stats.reporting.page import to_page

DATA = Path(__file__).parents[3] / "data/synthetic"
PACKAGE = Path(burnout_stats.__file__).parent
THEIRS = frozenset({"baseline", "1 year", "3 years"})
"""Labels of the study file, which stay as they are."""
WHERE = {"Column": slice(1, 2), "Row": slice(1, 2)} | dict.fromkeys(
    ("Heading", "Paragraph", "Missing", "Details", "Aside"), slice(0, 1)
)
"""The arguments that are labels, by the name of the call."""


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Document:
    """The report of the synthetic cohort in bokmål, of its first people and with few imputations."""
    folder = tmp_path_factory.mktemp("study")
    frame = pd.read_csv(DATA / "villa_sana.csv", dtype=str, keep_default_na=False)
    frame[frame["id"].isin(list(dict.fromkeys(frame["id"]))[:100])].to_csv(folder / "villa_sana.csv", index=False)
    study = (DATA / "villa_sana.toml").read_text(encoding="utf-8").replace("imputations = 200", "imputations = 20")
    (folder / "study.toml").write_text(study.replace("[report]", '[report]\nlanguage = "nb"'), encoding="utf-8")
    with pytest.warns(BurnoutStatsWarning, match="N-SENSITIVITY-LAG"):
        results = run(read_study(folder / "study.toml"))
    return compose(shown(results))


def tables(document: Document) -> Iterator[Table]:
    for block in blocks_of(document):
        if isinstance(block, Set | AtAGlance):
            yield block.table


def unknown(texts: Iterator[str]) -> set[str]:
    return {text for text in texts if text and text not in THEIRS and not is_known(text, "nb")}


def labels(document: Document) -> Iterator[str]:
    for table in tables(document):
        yield from table.notes
        for column in table.columns:
            yield from (column.header, column.spanner)
        yield from (cell.reason for row in table.rows for cell in row.cells if isinstance(cell, Missing))


def test_every_label_of_a_table_has_a_word(document: Document) -> None:
    assert len(list(tables(document))) > 30
    assert unknown(labels(document)) == set()


def test_every_title_is_norwegian(document: Document) -> None:
    titles = [block.table.title for block in blocks_of(document) if isinstance(block, Set)]
    for title in titles:
        assert not re.search(r"\b(the|of|at|to|in|change|estimated|scores|means|other|seed)\b", title, re.IGNORECASE), (
            title
        )


def test_every_heading_has_a_word(document: Document) -> None:
    outcomes = {"Emotional exhaustion", "Job stress", "Depression", "Anxiety"}
    titles = {section.title for section in document.sections} - outcomes
    for block in blocks_of(document):
        if isinstance(block, Heading):
            titles.add(block.text)
        elif isinstance(block, Details):
            titles.add(block.summary)
        elif isinstance(block, Aside):
            titles |= {block.title, *block.paragraphs}
    assert unknown(iter(titles)) == set()


def test_the_page_is_norwegian(document: Document) -> None:
    page = to_page(document).decode()
    assert '<html lang="nb">' in page
    assert "Endring i emotional exhaustion" in page
    assert re.search(r"Emotional exhaustion sank med [0-9],[0-9]+ poeng fra baseline til 1 year \(95\u00a0% KI", page)
    before_the_plan = page[: page.rindex("Planen")]
    assert not re.search(r">[\u22120-9]+[.][0-9]+<", before_the_plan)


def constants(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for part in [*getattr(node, "values", ()), *(getattr(node, name, None) for name in ("body", "orelse"))]:
        if isinstance(part, ast.expr) and not isinstance(node, ast.JoinedStr):
            yield from constants(part)


def written(path: Path) -> Iterator[str]:
    """Labels that stand in the code as they are."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            asked = list(node.args[WHERE[name]]) if name in WHERE else []
            keys = {"Column": ("header", "spanner"), "Table": ("title",), "Section": ("title",)}.get(name, ())
            for argument in [*asked, *(keyword.value for keyword in node.keywords if keyword.arg in keys)]:
                yield from constants(argument)


ENGLISH = {"validation.py"}
"""It writes a document of the project, which is in English."""


@pytest.mark.parametrize("room", ["tables", "estimates", "reporting"])
def test_no_label_in_the_code_is_without_a_word(room: str) -> None:
    files = [path for path in sorted((PACKAGE / room).glob("*.py")) if path.name not in ENGLISH]
    found = [text for path in files for text in written(path)]
    assert len(set(found)) > (3 if room == "estimates" else 20)
    assert unknown(iter(found)) == set()
