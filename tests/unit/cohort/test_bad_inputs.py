"""The table of bad inputs in docs/data.md, tried: every row is a test whose id is its code, with a suffix where one
code has several inputs, and the message quoted there is the one that is produced.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest

from burnout_stats.codes import registry
from burnout_stats.cohort import read_cohort
from burnout_stats.errors import BurnoutStatsError
from burnout_stats.notices import BurnoutStatsWarning

DOCS = Path(__file__).parents[3] / "docs" / "data.md"
ANN, BOB = "PERSON-7731", "PERSON-8842"
TIMES = {"start": 0, "1 year": 1}
SAY = {"subject": "id", "visit": "visit", "times": TIMES, "outcomes": {"score": {"range": [1, 5]}}}
FREE = SAY | {"outcomes": ["score"]}
ONE = FREE | {"times": {"start": 0}}
DATED = FREE | {"date": "assessed"}
HEAD = "id,visit,score,sex\n"
GOOD = f"{ANN},start,3.2,F\n{ANN},1 year,2.8,F\n{BOB},start,4.0,M\n"
STUDY = """
[data]
file = "{file}"
subject = "id"
visit = "visit"
{more}
[visits]
start = 0
"1 year" = 1
[outcomes.score]
range = [1, 5]
"""


@dataclass(frozen=True)
class Bad:
    """An input: the bytes of a file, a frame, or what makes a path in a folder; and how it is declared."""

    source: bytes | str | pd.DataFrame | Callable[[Path], object]
    say: dict[str, Any] = field(default_factory=lambda: SAY)
    lines: tuple[int, ...] | None = None
    name: str = "cohort.csv"
    also: tuple[str, ...] = ()
    """Codes that the same input brings with it."""


def frame(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(
        {"id": [ANN, ANN, BOB], "visit": ["start", "1 year", "start"], "score": [3.0, 2.5, 4.0]} | columns
    )


def many(n: int = 30, **columns: object) -> pd.DataFrame:
    """n subjects at two visits."""
    return pd.DataFrame(
        {
            "id": [f"S{k // 2}" for k in range(2 * n)],
            "visit": ["start", "1 year"] * n,
            "score": [1.0 + k % 7 / 2 for k in range(2 * n)],
        }
        | columns
    )


def dates(*texts: str) -> pd.DataFrame:
    return frame(assessed=list(texts))


def ids(*texts: object) -> pd.DataFrame:
    return pd.DataFrame({"id": list(texts), "visit": "start", "score": [1.0 + k for k in range(len(texts))]})


def study(file: str, more: str = "") -> Callable[[Path], object]:
    def write(folder: Path) -> Path:
        (folder / "study").mkdir()
        (folder / "cohort.csv").write_text(HEAD + GOOD, encoding="utf-8")
        path = folder / "study" / "study.toml"
        path.write_text(STUDY.format(file=file, more=more), encoding="utf-8")
        return path

    return write


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def linked(folder: Path) -> object:
    path = study("link.csv")(folder)
    assert isinstance(path, Path)
    (path.parent / "link.csv").symlink_to(folder / "cohort.csv")
    return path


def items(folder: Path) -> object:
    """Nine items that run from 0 to 3, with a 6 in one."""
    names = ",".join(f"phq{k}" for k in range(1, 10))
    rows = f"{ANN},start,{','.join('1' * 9)}\n{BOB},start,6,{','.join('2' * 8)}\n"
    (folder / "cohort.csv").write_text(f"id,visit,{names}\n{rows}", encoding="utf-8")
    study = STUDY.replace(
        "[outcomes.score]\nrange = [1, 5]", '[scores.depression]\ninstrument = "phq9"\nitems = "phq{{item}}"'
    )
    (folder / "study.toml").write_text(study.format(file="cohort.csv", more=""), encoding="utf-8")
    return folder / "study.toml"


def utf8_taken_for_cp1252(text: str) -> str:
    return text.encode().decode("cp1252")


def norwegian(first: str) -> str:
    """Nine digits with the two check digits. All numbers here are synthetic: 80 is added to the month."""
    digits = [int(digit) for digit in first]
    for weights in ((3, 7, 6, 1, 8, 9, 4, 5, 2), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)):
        digits.append(-sum(w * d for w, d in zip(weights, digits, strict=True)) % 11)
    assert max(digits) < 10, "these nine digits have no check digits"
    return "".join(map(str, digits))


SHEET = "xl/worksheets/sheet1.xml"


def workbook(cell: object = None, *, sheets: int = 1) -> bytes:
    """The good rows as a workbook, with something else in its cell C3."""
    book = openpyxl.Workbook()
    for place in range(sheets):
        sheet = book.active if place == 0 else book.create_sheet(f"sheet {place}")
        for row in [list(frame().columns), *frame().to_numpy().tolist()]:
            sheet.append(row)
    if cell is not None:
        book.active["C3"] = cell
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def with_part(name: str, text: bytes | Callable[[bytes], bytes]) -> bytes:
    """The workbook with a part more, or with one changed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook())) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            new.writestr(part, text(old.read(part)) if part == name and callable(text) else old.read(part))
        if isinstance(text, bytes):
            new.writestr(name, text)
    return stream.getvalue()


def contradicting(folder: Path) -> object:
    """A wide SPSS file whose value labels are turned at the second visit."""
    data = pd.DataFrame({"id": [1.0, 2], "y_start": [1.0, 2], "y_t1": [1.0, 2], "s_start": [1.0, 2], "s_t1": [2.0, 1]})
    labels = {"s_start": {1: "yes", 2: "no"}, "s_t1": {1: "no", 2: "yes"}}
    pyreadstat.write_sav(data, str(folder / "cohort.sav"), variable_value_labels=labels)
    return folder / "cohort.sav"


SPIKE = many(score=[99.0 if k in (4, 9) else 1.0 + k % 7 / 2 for k in range(60)])

BAD = {
    # ---- the file ----
    "E-STUDY-FILE-absent": Bad(lambda folder: folder / "no_such.csv"),
    "E-STUDY-FILE-url": Bad(lambda folder: "https://example.org/cohort.csv"),
    "E-STUDY-FILE-device": Bad(lambda folder: "/dev/zero"),
    "E-STUDY-FILE-folder": Bad(lambda folder: made(folder / "data")),
    "E-STUDY-FILE-outside": Bad(study("../cohort.csv"), say={}),
    "E-STUDY-FILE-link": Bad(linked, say={}),
    "E-DATA-FORMAT-zip": Bad(b"PK\x03\x04\x14\x00"),
    "E-DATA-FORMAT-gzip": Bad(b"\x1f\x8b\x08\x00" + b"\0" * 100),
    "E-DATA-FORMAT-bzip2": Bad(b"BZh91AY&SY"),
    "E-DATA-FORMAT-pdf": Bad(b"%PDF-1.7"),
    "E-DATA-EMPTY-nothing": Bad(b""),
    "E-DATA-EMPTY-header": Bad(HEAD),
    "E-DATA-EMPTY-blank": Bad(HEAD + ",,,\n,,,\n"),
    "E-DATA-ENCODING": Bad(HEAD.encode() + b"\x81,start,3,F\n", lines=(2,)),
    "E-DATA-MOJIBAKE-cells": Bad(
        HEAD + utf8_taken_for_cp1252(f"{ANN},start,3,kvinne på vakt\n{BOB},start,3,M\n"), lines=(2,)
    ),
    "E-DATA-MOJIBAKE-names": Bad(utf8_taken_for_cp1252("id,visit,score,kjønn\n") + GOOD, lines=(1,)),
    "E-DATA-MOJIBAKE-lost": Bad(HEAD + GOOD.replace("M", "Troms\ufffd"), lines=(4,)),
    "N-DATA-ENCODING": Bad((HEAD + GOOD.replace("M", "Tromsø")).encode("cp1252")),
    "E-DATA-NUL": Bad(HEAD + GOOD + "\0", lines=(5,)),
    "E-DATA-SIZE-cell": Bad(HEAD + "A" * 40_000 + ",start,3,F\n", lines=(2,)),
    "E-DATA-SIZE-columns": Bad(",".join(f"c{k}" for k in range(10_001)) + "\n1\n", lines=(1,)),
    "E-DATA-SEPARATOR": Bad("id|visit|score\nA|start|3\n", lines=(1,)),
    "E-DATA-FIELDS-more": Bad(HEAD + GOOD + f"{BOB},1 year,3,5,M\n", lines=(5,)),
    "E-DATA-FIELDS-fewer": Bad(HEAD + f"{ANN},start,3\n" + GOOD, lines=(2,)),
    "E-DATA-QUOTE": Bad(HEAD + GOOD + f'"{BOB},1 year,3,M\n', lines=(5,)),
    "N-DATA-BLANK": Bad(HEAD + GOOD + ",,,\n"),
    "E-STUDY-SHEET": Bad(workbook(sheets=2), name="cohort.xlsx"),
    "E-DATA-DAMAGED": Bad(workbook()[:-30], name="cohort.xlsx"),
    "E-DATA-BOMB-zeros": Bad(with_part("xl/media/zeros", bytes(30_000_000)), name="cohort.xlsx"),
    "E-DATA-BOMB-entities": Bad(
        with_part(SHEET, lambda text: text.replace(b"<worksheet", b'<!DOCTYPE a [<!ENTITY b "c">]><worksheet', 1)),
        name="cohort.xlsx",
    ),
    "E-DATA-WORKBOOK-macros": Bad(with_part("xl/vbaProject.bin", b"x"), name="cohort.xlsx"),
    "E-DATA-WORKBOOK-links": Bad(with_part("xl/externalLinks/externalLink1.xml", b"<a/>"), name="cohort.xlsx"),
    "E-DATA-FORMULA": Bad(workbook("=1+1"), name="cohort.xlsx", lines=(3,)),
    # ---- columns ----
    "E-DATA-HEADER-none": Bad(GOOD, lines=(1,)),
    "E-DATA-HEADER-nameless": Bad(",id,visit,score\n1,A,start,3\n", lines=(1,)),
    "E-DATA-NAMES": Bad("id,visit,score,score\nA,start,3,3\n", lines=(1,)),
    "E-DATA-COLUMN": Bad("id,visit,Score\nA,start,3\n"),
    "E-DATA-RESERVED": Bad("id,visit,score,estimate\nA,start,3,3\n"),
    "E-DATA-BLANK": Bad("id,visit,score\nA,start,\nB,start,\n"),
    "E-DATA-TYPE": Bad(frame(score=[[1], [2], [3]])),
    "E-DATA-TEXT-dates": Bad(
        frame(hired=["1999-01-01", "1999-01-01", "2001-07-01"]), say=SAY | {"covariates": ["hired"]}
    ),
    "E-DATA-TEXT-many": Bad(many(note=[f"said {k}" for k in range(60)]), say=SAY | {"covariates": ["note"]}),
    "N-DATA-COLUMN-dates": Bad(frame(hired=["1999-01-01", "1999-01-01", "2001-07-01"])),
    "N-DATA-COLUMN-many": Bad(many(note=[f"said {k}" for k in range(60)])),
    "N-DATA-SAME": Bad(many(copy=[1.0 + k % 7 / 2 for k in range(60)])),
    "N-DATA-WIDE": Bad(
        "id,score_start,rest_start,rest_1 year\nA,3,1,2\nB,4,2,3\n",
        say={"subject": "id", "times": TIMES, "outcomes": ["score", "rest"], "wide": "{outcome}_{visit}"},
    ),
    "E-DATA-LABELS": Bad(
        contradicting,
        say={
            "subject": "id",
            "times": TIMES,
            "outcomes": ["y"],
            "wide": "{outcome}_{visit}",
            "visit_codes": {"t1": "1 year"},
        },
    ),
    # ---- who ----
    "E-DATA-ID": Bad(HEAD + ",start,3,F\n" + GOOD, lines=(2,)),
    "E-DATA-DIGITS": Bad(ids(12345678901234567890.0, 2.0), lines=(0,)),
    "E-DATA-DUPLICATE": Bad(HEAD + GOOD + f"{ANN},start,3.3,F\n", lines=(2, 5)),
    "E-DATA-IDENTITY-norwegian": Bad(ids(norwegian("018190123"), "P2"), lines=(0,)),
    "E-DATA-IDENTITY-number": Bad(ids(int(norwegian("018190123")), 5, 6), lines=(0,)),
    "E-DATA-IDENTITY-d-number": Bad(ids(norwegian("418190125"), "P2"), lines=(0,)),
    "E-DATA-IDENTITY-swedish": Bad(ids("P1", "19701063-2391"), lines=(1,)),
    "E-DATA-IDENTITY-danish": Bad(ids("310190-0000", "P2"), lines=(0,)),
    "E-DATA-IDENTITY-finnish": Bad(ids("010190-900P", "P2"), lines=(0,)),
    "E-DATA-CONTACT-mail": Bad(frame(contact=["ann@example.org", "", ""]), say=SAY | {"covariates": []}, lines=(0,)),
    "E-DATA-CONTACT-telephone": Bad(frame(note=["", "ring +47 555 12 345", ""]), lines=(1,)),
    "N-DATA-IDS-case": Bad(ids("A17", "a17"), say=ONE),
    "N-DATA-IDS-space": Bad(ids("A 17", "A\u00a017"), say=ONE),
    "N-DATA-IDS-zeros": Bad(ids("007", "7"), say=ONE),
    "N-DATA-SUBJECTS": Bad(frame()[:2]),
    "E-DATA-CHANGES-sex": Bad(HEAD + GOOD.replace("2.8,F", "2.8,M"), lines=(3,)),
    "E-DATA-CHANGES-born": Bad(frame(birth_year=[1960, 1966, 1970]), lines=(1,)),
    "E-DATA-CHANGES-declared": Bad(
        frame(ward=["a", "b", "a"]), say=SAY | {"covariates": {"ward": {"constant": True}}}, lines=(1,)
    ),
    # ---- when ----
    "E-DATA-VISIT-unknown": Bad(HEAD + GOOD + f"{BOB},1 Year,3,M\n", lines=(5,)),
    "E-DATA-VISIT-blank": Bad(HEAD + GOOD + f"{BOB},,3,M\n", lines=(5,)),
    "N-DATA-VISIT": Bad(HEAD + GOOD, say=SAY | {"times": TIMES | {"5 years": 5}}),
    "N-DATA-UNMEASURED": Bad(many(score=[np.nan if k % 2 else 1.0 + k % 7 / 2 for k in range(60)])),
    "E-DATA-YEARS": Bad("id,visit,score,years\nA,start,3,12\n", lines=(2,)),
    "E-DATA-DATE-form": Bad(dates("31.05.2004", "2005-05-31", "2004-06-01"), say=DATED, lines=(0,)),
    "E-DATA-DATE-impossible": Bad(dates("2004-02-30", "2005-05-31", "2004-06-01"), say=DATED, lines=(0,)),
    "E-DATA-DATE-serial": Bad(frame(assessed=[38110, 38480, 38120]), say=DATED, lines=(0, 1, 2)),
    "E-DATA-DATE-RANGE-early": Bad(dates("0204-05-31", "2005-05-31", "2004-06-01"), say=DATED, lines=(0,)),
    "E-DATA-DATE-RANGE-late": Bad(dates("2004-05-31", "2095-05-31", "2004-06-01"), say=DATED, lines=(1,)),
    "E-DATA-DATE-ORDER": Bad(dates("2004-05-31", "2004-05-30", "2004-06-01"), say=DATED, lines=(0, 1)),
    "E-DATA-WINDOW": Bad(
        dates("2004-05-31", "2005-09-30", "2004-06-01"),
        say=DATED | {"windows": {"1 year": 20}, "outside": "refuse"},
        lines=(1,),
    ),
    "N-DATA-WINDOW": Bad(dates("2004-05-31", "2005-09-30", "2004-06-01"), say=DATED | {"windows": {"1 year": 20}}),
    "N-DATA-BASELINE": Bad(dates("", "2005-05-31", "2004-06-01"), say=DATED),
    # ---- what ----
    "E-DATA-NUMBER-text": Bad(HEAD + GOOD + f"{BOB},1 year,three,M\n", lines=(5,)),
    "E-DATA-NUMBER-word": Bad(HEAD + GOOD + f"{BOB},1 year,NA,M\n", lines=(5,)),
    "E-DATA-NUMBER-spreadsheet": Bad(HEAD + GOOD + f"{BOB},1 year,#DIV/0!,M\n", lines=(5,)),
    "E-DATA-NUMBER-infinite": Bad(HEAD + GOOD + f"{BOB},1 year,1e999,M\n", lines=(5,)),
    "E-DATA-NUMBER-thousands": Bad("id;visit;score\nA;start;1.234,5\nB;start;12,5\n", say=FREE, lines=(2,)),
    "E-DATA-DECIMAL-mixed": Bad(HEAD + GOOD + f'{BOB},1 year,"3,5",M\n', lines=(5,), also=("E-DATA-NUMBER",)),
    "E-DATA-DECIMAL-thousands": Bad("id;visit;score\nA;start;1,234\nB;start;2,500\n", say=FREE, lines=(2, 3)),
    "E-DATA-RANGE-score": Bad(HEAD + GOOD + f"{BOB},1 year,5.01,M\n", lines=(5,)),
    "E-DATA-RANGE-item": Bad(items, say={}, lines=(3,)),
    "E-DATA-RANGE-code": Bad(HEAD + GOOD + f"{BOB},1 year,99,M\n", lines=(5,)),
    "N-DATA-SPIKE-high": Bad(SPIKE, say=FREE),
    "N-DATA-SPIKE-low": Bad(SPIKE.replace(99.0, -9.0), say=FREE),
    "N-DATA-SPIKE-edge": Bad(SPIKE.replace(99.0, 9.0), say=SAY | {"outcomes": {"score": {"range": [1, 9]}}}),
    "N-DATA-CONSTANT": Bad(many(score=3.0)),
    "E-DATA-LEVEL": Bad(
        HEAD + GOOD + f"{BOB},1 year,3,x\n", say=SAY | {"covariates": {"sex": {"levels": ["F", "M"]}}}, lines=(5,)
    ),
    "N-DATA-LEVEL": Bad(HEAD + GOOD, say=SAY | {"covariates": {"sex": {"levels": ["F", "M", "X"]}}}),
    "N-DATA-WORD": Bad(HEAD + GOOD.replace("M", "NA")),
}


def code_of(name: str) -> str:
    """The code in an id: the longest one of the registry with which it begins."""
    return max((code for code in registry() if name == code or name.startswith(f"{code}-")), key=len)


def rows_of_the_table() -> dict[str, tuple[str, str]]:
    """Id to code and quoted message, from every table row of docs/data.md that begins with a code in back-quotes."""
    found: dict[str, tuple[str, str]] = {}
    for line in DOCS.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 4 and (match := re.fullmatch(r"`((?:E|N)-[A-Za-z0-9-]+)`", cells[0])):
            assert match[1] not in found, f"{match[1]} stands twice"
            found[match[1]] = (cells[1], cells[2])
    return found


def said_about(bad: Bad, folder: Path) -> list[tuple[str, str, tuple[int, ...], str]]:
    """Code, first sentence, lines and whole text of every problem and notice."""
    source: Any = bad.source
    if callable(source):
        source = source(folder)
    elif isinstance(source, bytes | str):
        path = folder / bad.name
        path.write_bytes(source if isinstance(source, bytes) else source.encode())
        source = path
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BurnoutStatsWarning)
        try:
            cohort = read_cohort(source, **bad.say)
        except BurnoutStatsError as error:
            return [(problem.code, problem.seen, problem.lines, problem.sentence()) for problem in error.problems]
    return [(notice.code, notice.message, (), str(notice)) for notice in cohort.notices]


CASES = [pytest.param(name, id=name, marks=pytest.mark.raises_code(code_of(name))) for name in BAD]


@pytest.mark.parametrize("name", CASES)
def test_a_bad_input_is_met_with_its_code(tmp_path, name):
    bad = BAD[name]
    said = said_about(bad, tmp_path)
    code, message, lines, whole = said[0]
    assert code == code_of(name)
    assert {code for code, *_ in said} <= {code_of(name), *bad.also}
    if bad.lines is not None:
        assert lines == bad.lines
    for secret in ("PERSON", "7731", "8842", "example.org", "555 12", norwegian("018190123"), "010190", "310190"):
        assert secret not in whole
    quoted = rows_of_the_table()[name][1]
    if name == "E-DATA-BOMB-zeros":  # how large a workbook is depends on the library that wrote it
        message, quoted = (re.sub(r"[0-9,]+", "9", text) for text in (message, quoted))
    assert message.replace("|", "\\|") == quoted


def test_the_table_of_the_document_and_the_tests_are_the_same():
    assert list(rows_of_the_table()) == list(BAD)
    assert len(BAD) >= 60


def test_what_looks_bad_and_is_kept_is_kept_exactly(tmp_path):
    names = ["NA", "1e3", "12345678901234567890", "12345678901234567891", "007", "-", "99", "12345678", "0098765432"]
    path = tmp_path / "cohort.csv"
    path.write_text(
        "id,visit,score\n" + "".join(f"{name},start,{k}\n" for k, name in enumerate(names)), encoding="utf-8"
    )
    cohort = read_cohort(path, **FREE | {"times": {"start": 0}, "missing_codes": ["-", "NA", 99]})
    assert sorted(cohort.ids) == sorted(names)


@pytest.mark.raises_code("E-DATA-IDENTITY", "E-DATA-CONTACT", "E-DATA-DIGITS", "E-DATA-MOJIBAKE", "E-DATA-CHANGES")
@pytest.mark.raises_code("E-DATA-DATE", "E-DATA-DATE-RANGE", "E-DATA-DATE-ORDER", "E-DATA-WINDOW")
@pytest.mark.raises_code("N-DATA-SPIKE", "N-DATA-CONSTANT", "N-DATA-SAME", "N-DATA-SUBJECTS", "N-DATA-UNMEASURED")
def test_advice_and_expectation_stand_in_every_message(tmp_path):
    for name, bad in BAD.items():
        folder = tmp_path / name
        folder.mkdir()
        whole = said_about(bad, folder)[0][3]
        assert whole.count(". ") + whole.count("? ") >= 1, name
        assert whole.endswith((".", "?")), name


CONSTANT = pytest.mark.parametrize("name", ["sex", "Gender", "kjønn", "kjonn", "birth_year", "fødselsår", "yob"])


@pytest.mark.raises_code("E-DATA-CHANGES")
@CONSTANT
def test_columns_known_by_name_do_not_change(name):
    assert [said[0] for said in said_about(Bad(frame(**{name: [1, 2, 1]})), Path())] == ["E-DATA-CHANGES"]
    declared = SAY | {"covariates": {name: {"constant": False}}}
    assert said_about(Bad(frame(**{name: [1, 2, 1]}), say=declared), Path()) == []
    assert said_about(Bad(frame(**{f"{name}_drive": [1, 2, 1], "year": [1, 2, 1]})), Path()) == []


def test_random_numbers_that_pass_a_check_by_chance_are_no_identity_numbers():
    rng = np.random.default_rng(3)
    for digits in (10, 11, 12):
        numbers = rng.integers(10 ** (digits - 1), 10**digits, 5000).astype(str)
        assert said_about(Bad(ids(*numbers)), Path())[0][0] == "E-DATA-RANGE"
        assert said_about(Bad(ids(*numbers), say=ONE), Path()) == []


@pytest.mark.parametrize("text", ["2004-05-31", "12345678", "1234567890", "A-12-34-56", "+3.5", "91 mm", "12.5 km"])
def test_what_only_looks_like_a_contact_is_none(text):
    assert said_about(Bad(ids(text, "P2"), say=ONE), Path()) == []
