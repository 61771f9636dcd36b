"""Every number in the prose of a whole report stands in a table of the same section, in every number style; and one
that is changed is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from burnout_stats.display import NUMBER_STYLES, Column, Interval, Pair, Row, Table
from burnout_stats.display.styles import number_style
from burnout_stats.notices import BurnoutStatsWarning
from burnout_stats.plan import Results, read_study, run
from burnout_stats.reporting import document as d
from burnout_stats.reporting.compose import compose
from burnout_stats.reporting.gate import shown
from burnout_stats.reporting.spoken import Spoken
from burnout_stats.text import NumbersInTables

STUDY = Path(__file__).parents[3] / "data" / "synthetic" / "villa_sana.toml"
STYLES = [(style, language) for style in NUMBER_STYLES for language in ("en", "nb")]
pytestmark = pytest.mark.filterwarnings(f"ignore::{BurnoutStatsWarning.__module__}.{BurnoutStatsWarning.__name__}")


@cache
def results() -> Results:
    plan = read_study(STUDY)
    assert plan.sensitivity is not None
    few = plan.sensitivity.model_copy(update={"imputations": 10, "strategies": plan.sensitivity.strategies[:2]})
    two = {name: plan.outcomes[name] for name in ("exhaustion", "job_stress")}
    return shown(run(replace(plan, outcomes=two, sensitivity=few)))


@cache
def document(style: str, language: str = "en") -> d.Document:
    base = results()
    asked = base.plan.report.model_copy(
        update={"number_style": style, "language": language, "figures": False, "checklist": "strobe"}
    )
    return compose(replace(base, plan=replace(base.plan, report=asked)))


def labels() -> list[str]:
    base = results()
    names = [*base.cohort.visits.labels, *(role.label for role in base.cohort.covariate_roles.values())]
    return [*names, *(word for part in base.outcomes for word in (part.outcome.name, part.outcome.label))]


def prose(section: d.Section) -> Iterator[str]:
    """What a section says in sentences, but for what the authors wrote themselves."""
    own = set(results().plan.description.split("\n\n"))
    for block in d.blocks_of(replace(document("plain"), sections=(section,))):
        if isinstance(block, d.Paragraph | d.Heading):
            yield from [] if block.text in own else [block.text]
        elif isinstance(block, d.Listed):
            yield from block.items
        elif isinstance(block, d.Aside):
            yield from block.paragraphs
        elif isinstance(block, d.Drawn):
            yield block.picture.caption


def tables(whole: d.Document) -> list[Table]:
    return [block.table for block in d.blocks_of(whole) if isinstance(block, d.Set | d.AtAGlance)]


def unsupported(whole: d.Document) -> list[tuple[str, str, str]]:
    """Section, number and text of what stands in no table of its section."""
    spoken = Spoken.of(whole)
    found = []
    for section in whole.sections:
        checker = NumbersInTables(
            tables(replace(whole, sections=(section,))), style=whole.number_style, language=whole.language
        )
        for text in prose(section):
            said = spoken.say(text)
            found += [(section.anchor, number, said) for number in checker.unsupported(said, labels=labels())]
    return found


@pytest.mark.parametrize(("style", "language"), STYLES)
def test_every_number_in_the_prose_stands_in_a_table_of_its_section(style: str, language: str) -> None:
    left = unsupported(document(style, language))
    rows = str(results().provenance.rows_read)
    assert [(anchor, number) for anchor, number, _ in left] == [("cohort", rows)]  # told of the file; see the next test


def test_the_masthead_stands_in_the_tables_of_the_report() -> None:
    whole = document("plain")
    checker = NumbersInTables(tables(whole))
    told = [whole.lede, *(f"{fact.value} {fact.more}" for fact in whole.facts), str(results().provenance.rows_read)]
    assert [checker.unsupported(text, labels=labels()) for text in told] == [()] * len(told)


def test_every_estimate_that_is_changed_in_the_prose_is_found() -> None:
    """Each number with decimals, moved by one in its last digit: nearly all are then in no table of the section."""
    whole = document("plain")
    tried = missed = 0
    for section in whole.sections:
        checker = NumbersInTables(tables(replace(whole, sections=(section,))))
        for text in prose(section):
            for number in re.finditer(r"(?<![\d.<])(?<!< )\d+\.\d+(?![\d.])", text):
                last = (int(number[0][-1]) + 1) % 10
                changed = text[: number.start()] + number[0][:-1] + str(last) + text[number.end() :]
                tried += 1
                missed += not checker.unsupported(changed, labels=labels())
    assert tried > 50
    assert missed / tried < 0.1  # the tables of a section hold many numbers: some neighbor stands there by chance


def test_one_change_in_one_sentence_is_named() -> None:
    whole = document("plain")
    section = next(section for section in whole.sections if section.anchor.startswith("outcome-"))
    findings = next(block for block in section.blocks if isinstance(block, d.Listed))
    estimate = re.search(r"fell by (\d\.\d\d)", findings.items[0])
    assert estimate is not None
    wrong = f"{float(estimate[1]) + 3:.2f}"
    checker = NumbersInTables(tables(replace(whole, sections=(section,))))
    assert checker.unsupported(findings.items[0], labels=labels()) == ()
    assert checker.unsupported(findings.items[0].replace(estimate[1], wrong), labels=labels()) == (wrong,)


TABLE = Table(
    title="Table 7. Something of 99 people",
    columns=(
        Column("what", "What"),
        Column("n", "n", "count"),
        Column("x", "95% CI", "interval"),
        Column("p", "p", "p"),
    ),
    rows=(
        Row(("SCL-5", 12345, Interval(-0.512, 1.25), 0.0341)),
        Row(("range 1 to 6", Pair(42, 81.25, (0, 1)), Interval(0.004, 2.0), 0.4), decimals=3),
    ),
    notes=("Held at 47.12 years.",),
)


@pytest.mark.parametrize(
    ("style", "language", "text"),
    [
        (
            "plain",
            "en",
            "from −0.51 to 1.25, p = 0.034; 12\u202f345 or 12345 rows; 42 (81.3%), 81%, 1 to 6, 47.12, 95%",
        ),
        ("apa", "en", "from −0.51 to 1.25, p = .034 and p < .001"),
        ("ama", "en", "of 12,345 rows, P = .03"),
        ("plain", "nb", "fra −0,51 til 1,25, p = 0,034; p < 0,001; 81,3 %"),
    ],
)
def test_a_number_stands_as_it_is_written(style: str, language: str, text: str) -> None:
    assert NumbersInTables([TABLE], style=style, language=language).unsupported(text) == ()


@pytest.mark.parametrize(
    ("style", "language", "text", "found"),
    [
        ("plain", "en", "0.52 and 0.513", ("0.52", "0.513")),
        ("plain", "en", "0.512", ("0.512",)),  # the table has two decimals there: a reader cannot find a third
        ("plain", "en", "p = 0.001", ("0.001",)),
        ("plain", "en", "99 people, see Table 99", ("99",)),  # its title is no place for a number
        ("plain", "nb", "0.51", ("51",)),  # the mark of another language
        ("apa", "en", "p = .035", (".035",)),
        ("ama", "en", "12,346", ("12346",)),
    ],
)
def test_what_stands_nowhere_is_found(style: str, language: str, text: str, found: tuple[str, ...]) -> None:
    assert NumbersInTables([TABLE], style=style, language=language).unsupported(text) == found


def test_names_with_digits_and_labels_are_no_numbers() -> None:
    checker = NumbersInTables([], style=number_style("plain"))
    assert checker.unsupported("SCL-5 at 3 years by mbi2 of burnout_stats 0.7.1", labels=["3 years"]) == ()
