"""Files that are not what they say, that would fill the memory, or that hold more than values: each has its code."""

from __future__ import annotations

import builtins
import importlib.util
import io
import re
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pyreadstat
import pytest

from burnout_stats.cohort import excel, opened, read_cohort, statistical
from burnout_stats.cohort.columns import Column
from burnout_stats.errors import BurnoutStatsError, DataError, SetupError, StudyError

raises_code = pytest.mark.raises_code

ANN = "PERSON-7731"
SAY = {"subject": "id", "visit": "visit", "times": {"start": 0, "1 year": 1}, "outcomes": ["score"]}
FRAME = pd.DataFrame({"id": [ANN, ANN, "B"], "visit": ["start", "1 year", "start"], "score": [3.0, 2.5, 4.0]})
CSV = FRAME.to_csv(index=False).encode()


def written(write, frame=FRAME):
    """The bytes that a writer of files makes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "written"
        write(frame, path)
        return path.read_bytes()


def sheets(*tables, formula=None):
    book = openpyxl.Workbook()
    for place, table in enumerate(tables or (FRAME,)):
        sheet = book.active if place == 0 else book.create_sheet(f"sheet {place}")
        for row in [list(table.columns), *table.to_numpy().tolist()]:
            sheet.append(row)
    if formula:
        book.active["C3"] = formula
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def repacked(raw, *, change=None, **members):
    """The archive with members replaced or added (`/` is written `__`), or with one changed by a function."""
    members = {name.replace("__", "/"): text for name, text in members.items()}
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            text = members.pop(name, None) or old.read(name)
            new.writestr(name, change[1](text) if change and change[0] == name else text)
        for name, text in members.items():
            new.writestr(name, text)
    return stream.getvalue()


def refusal(tmp_path, name, raw, **say):
    path = tmp_path / name
    path.write_bytes(raw)
    with pytest.raises(BurnoutStatsError) as refused:
        read_cohort(path, **(SAY | say))
    for problem in refused.value.problems:
        assert problem.seen.endswith(".")
        assert problem.expected.endswith(".")
        assert problem.advice.endswith((".", "?", "]", '"', ")"))
        assert ANN not in problem.sentence()
    return refused.value


SHEET = "xl/worksheets/sheet1.xml"
XLSX = sheets()
ENTITY = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">]>'


def sav():
    return written(lambda frame, path: pyreadstat.write_sav(frame, str(path)))


def parquet():
    return written(lambda frame, path: frame.to_parquet(path))


def with_entity(text):
    return ENTITY + text.partition(b"?>")[2] if text.startswith(b"<?xml") else ENTITY + text


def zipped(name="study.csv", text=CSV):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, text)
    return stream.getvalue()


FORMATS = {
    "xlsx named csv": ("study.csv", lambda: XLSX, "Excel workbook by its first bytes, and its name ends with .csv"),
    "csv named xlsx": ("study.xlsx", lambda: CSV, "its first bytes are not those of an Excel workbook"),
    "sav named dta": ("study.dta", sav, "an SPSS file by its first bytes"),
    "parquet named txt": ("study.txt", parquet, "a Parquet file by its first bytes"),
    "sav without a suffix": ("study", sav, "an SPSS file by its first bytes, and its name ends with nothing"),
    "csv named sav": ("study.sav", lambda: CSV, "not those of an SPSS file"),
    "gzip": ("study.csv.gz", lambda: b"\x1f\x8b\x08\x00" + CSV, "a gzip archive"),
    "gzip named csv": ("study.csv", lambda: b"\x1f\x8b\x08\x00" + CSV, "a gzip archive"),
    "zip": ("study.zip", zipped, "a zip archive"),
    "old Excel": ("study.xls", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old or locked Excel workbook"),
    "locked Excel": ("study.xlsx", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old or locked Excel workbook"),
    "text named xls": ("study.xls", lambda: CSV, "an old or locked Excel workbook"),
    "binary Excel": ("study.xlsb", lambda: repacked(XLSX, xl__workbook__bin=b"") + b"xl/workbook.bin", "binary Excel"),
    "OpenDocument": (
        "study.ods",
        lambda: zipped("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        "an OpenDocument spreadsheet",
    ),
    "pickle": ("study.pkl", lambda: b"\x80\x04", "a file of Python objects"),
    "R": ("study.rds", lambda: b"RDX3", "a file of R objects"),
    "SQLite": ("study.db", lambda: b"SQLite format 3\0", "an SQLite database"),
}


@raises_code("E-DATA-FORMAT")
@pytest.mark.parametrize("case", FORMATS)
def test_a_file_that_is_not_what_it_says(tmp_path, case):
    name, make, seen = FORMATS[case]
    refused = refusal(tmp_path, name, make())
    assert refused.code == "E-DATA-FORMAT"
    assert refused.exit_code == 3
    assert seen in refused.problems[0].seen


@raises_code("E-DATA-EMPTY")
@pytest.mark.parametrize("name", ["study.csv", "study.xlsx", "study.sav", "study.parquet"])
def test_no_bytes(tmp_path, name):
    assert refusal(tmp_path, name, b"").code == "E-DATA-EMPTY"


@raises_code("E-DATA-DAMAGED")
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("study.xlsx", lambda: XLSX[:-30]),
        ("study.xlsx", lambda: repacked(XLSX, change=(SHEET, lambda text: text[:200]))),
        ("study.sav", lambda: sav()[:400]),
        ("study.dta", lambda: b"<stata_dta><header><release>118</release>"),
        (
            "study.sas7bdat",
            lambda: bytes(12) + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf\xbd\x92\x08\x00\x09\xc7\x31\x8c" + b"x" * 500,
        ),
        ("study.xpt", lambda: b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!"),
        ("study.parquet", lambda: parquet()[:-9]),
        ("study.feather", lambda: b"ARROW1\0\0" + b"x" * 100),
    ],
)
def test_a_file_that_was_cut(tmp_path, name, make):
    assert refusal(tmp_path, name, make()).code == "E-DATA-DAMAGED"


@raises_code("E-DATA-DAMAGED")
def test_a_crash_of_the_reader_is_a_coded_error(tmp_path, monkeypatch):
    """ReadStat dies of some damaged files by a signal; the process that it takes down is not ours."""
    crash = tmp_path / "readstat_process.py"
    crash.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n", encoding="utf-8")
    monkeypatch.setattr(statistical, "__file__", str(tmp_path / "statistical.py"))
    refused = refusal(tmp_path, "study.sav", sav())
    assert refused.code == "E-DATA-DAMAGED"
    assert "the reader crashed" in refused.problems[0].seen


# ---- bombs ---------------------------------------------------------------------------------------------------------


def doubled():
    stream = io.BytesIO(XLSX)
    with zipfile.ZipFile(stream, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(SHEET, "<a/>")
    return stream.getvalue()


BOMBS = {
    "zeros": lambda: repacked(XLSX, xl__media__zeros=bytes(30_000_000)),
    "a part twice": doubled,
    "entities in the sheet": lambda: repacked(XLSX, change=(SHEET, with_entity)),
    "entities in the workbook": lambda: repacked(XLSX, change=("xl/workbook.xml", with_entity)),
    "entities in the content types": lambda: repacked(XLSX, change=("[Content_Types].xml", with_entity)),
    "a row beyond the last": lambda: repacked(
        XLSX, change=(SHEET, lambda text: text.replace(b'<row r="4"', b'<row r="999999999"'))
    ),
    "a cell beyond the last column": lambda: repacked(
        XLSX, change=(SHEET, lambda text: text.replace(b'r="C4"', b'r="ZZZZ4"'))
    ),
}


@raises_code("E-DATA-BOMB")
@pytest.mark.parametrize("case", BOMBS)
def test_a_workbook_that_would_fill_the_memory(tmp_path, case):
    raw = BOMBS[case]()
    assert len(raw) < 100_000
    assert refusal(tmp_path, "study.xlsx", raw).code == "E-DATA-BOMB"


@raises_code("E-DATA-BOMB")
def test_columns_that_unfold(tmp_path, monkeypatch):
    table = pa.table({"id": pa.array(["a"] * 50_000).dictionary_encode(), "score": np.zeros(50_000)})
    for name, write in (("study.parquet", pa.parquet.write_table), ("study.feather", pa.feather.write_feather)):
        path = tmp_path / f"made.{name}"
        write(table, path)
        raw = path.read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr("burnout_stats.cohort.arrow.MAX_CELLS", 99_999)
            assert refusal(tmp_path, name, raw).code == "E-DATA-BOMB"
    monkeypatch.setattr(statistical, "MAX_CELLS", 8)
    assert refusal(tmp_path, "study.sav", sav()).code == "E-DATA-BOMB"


# ---- workbooks -----------------------------------------------------------------------------------------------------


@raises_code("E-DATA-WORKBOOK")
@pytest.mark.parametrize(
    ("member", "name", "seen"),
    [
        ("xl__vbaProject.bin", "study.xlsx", "macros"),
        ("xl__vbaProject.bin", "study.xlsm", "macros"),
        ("xl__externalLinks__externalLink1.xml", "study.xlsx", "links to other workbooks"),
    ],
)
def test_a_workbook_with_more_than_values(tmp_path, member, name, seen):
    refused = refusal(tmp_path, name, repacked(XLSX, **{member: "<a/>"}))
    assert refused.code == "E-DATA-WORKBOOK"
    assert seen in refused.problems[0].seen


@raises_code("E-DATA-WORKBOOK")
def test_merged_cells(tmp_path):
    book = openpyxl.load_workbook(io.BytesIO(XLSX))
    book.active.merge_cells("C3:C4")
    stream = io.BytesIO()
    book.save(stream)
    refused = refusal(tmp_path, "study.xlsx", stream.getvalue())
    assert (refused.code, refused.lines) == ("E-DATA-WORKBOOK", (3,))
    assert "merged cells (row 3)" in refused.problems[0].seen


@raises_code("E-DATA-FORMULA")
def test_a_formula_without_a_stored_value(tmp_path):
    refused = refusal(tmp_path, "study.xlsx", sheets(formula="=1+1"))
    assert refused.code == "E-DATA-FORMULA"
    assert refused.lines == (3,)


def test_a_formula_with_a_stored_value_is_that_value(tmp_path):
    path = tmp_path / "study.xlsx"
    path.write_bytes(
        repacked(
            sheets(formula="=1+1"),
            change=(SHEET, lambda text: re.sub(rb"<v ?/>|<v></v>", b"<v>2</v>", text)),
        )
    )
    assert read_cohort(path, **SAY).data["score"].tolist() == [4, 3, 2]


@raises_code("E-DATA-NUMBER")
def test_a_number_too_large_for_a_float_is_not_blank(tmp_path):
    raw = repacked(XLSX, change=(SHEET, lambda text: text.replace(b"<v>2.5</v>", b"<v>1.5E+400</v>")))
    refused = refusal(tmp_path, "study.xlsx", raw)
    assert (refused.code, refused.lines) == ("E-DATA-NUMBER", (3,))


@raises_code("E-STUDY-SHEET")
def test_which_sheet(tmp_path):
    two = sheets(FRAME, FRAME)
    refused = refusal(tmp_path, "study.xlsx", two)
    assert (refused.code, refused.exit_code) == ("E-STUDY-SHEET", 2)
    assert "`Sheet`, `sheet 1`" in refused.problems[0].expected
    assert "Did you mean `sheet 1`?" in refusal(tmp_path, "study.xlsx", two, sheet="sheet1").problems[0].advice
    assert refusal(tmp_path, "study.csv", CSV, sheet="data").code == "E-STUDY-SHEET"


BAD_SHEETS = [
    pytest.param(FRAME.iloc[:0], "E-DATA-EMPTY", (), id="no rows", marks=raises_code("E-DATA-EMPTY")),
    pytest.param(
        FRAME.set_axis(["id", "visit", None], axis=1),
        "E-DATA-HEADER",
        (1,),
        id="nameless",
        marks=raises_code("E-DATA-HEADER"),
    ),
    pytest.param(
        FRAME.set_axis(["id", "visit", "id "], axis=1),
        "E-DATA-NAMES",
        (1,),
        id="name twice",
        marks=raises_code("E-DATA-NAMES"),
    ),
    pytest.param(
        FRAME.assign(score=[3, "x" * 32_767 + "y", 4]),
        "E-DATA-SIZE",
        (3,),
        id="giant cell",
        marks=raises_code("E-DATA-SIZE"),
    ),
    pytest.param(
        FRAME.assign(score=[3, "#DIV/0!", 4]),
        "E-DATA-NUMBER",
        (3,),
        id="error cell",
        marks=raises_code("E-DATA-NUMBER"),
    ),
    pytest.param(
        FRAME.assign(score=[3.5, "2,5", 4]), "E-DATA-DECIMAL", (3,), id="two marks", marks=raises_code("E-DATA-DECIMAL")
    ),
    pytest.param(FRAME.assign(id=[ANN, ANN, None]), "E-DATA-ID", (4,), id="no id", marks=raises_code("E-DATA-ID")),
    pytest.param(
        FRAME.assign(visit="start"), "E-DATA-DUPLICATE", (2, 3), id="duplicate", marks=raises_code("E-DATA-DUPLICATE")
    ),
]


@pytest.mark.parametrize(("table", "code", "lines"), BAD_SHEETS)
def test_a_bad_sheet_is_refused_with_the_rows_of_excel(tmp_path, monkeypatch, table, code, lines):
    if code == "E-DATA-SIZE":  # openpyxl cuts a longer cell when it writes
        monkeypatch.setattr(excel, "MAX_CELL", 30_000)
    refused = refusal(tmp_path, "study.xlsx", sheets(table))
    assert (refused.code, refused.lines) == (code, lines)


@raises_code("E-DATA-EMPTY")
def test_an_empty_sheet(tmp_path):
    assert refusal(tmp_path, "study.xlsx", sheets(pd.DataFrame())).code == "E-DATA-EMPTY"


@raises_code("E-DATA-SIZE")
def test_too_many_columns_of_a_workbook(tmp_path, monkeypatch):
    monkeypatch.setattr(excel, "MAX_COLUMNS", 2)
    assert refusal(tmp_path, "study.xlsx", XLSX).code == "E-DATA-SIZE"


# ---- statistical files ---------------------------------------------------------------------------------------------


@raises_code("E-DATA-DUPLICATE")
def test_rows_of_a_statistical_file_are_counted_from_one(tmp_path):
    raw = written(lambda frame, path: pyreadstat.write_sav(frame, str(path)), FRAME.assign(visit="start"))
    refused = refusal(tmp_path, "study.sav", raw)
    assert (refused.code, refused.lines) == ("E-DATA-DUPLICATE", (1, 2))
    assert "rows 1 and 2" in refused.problems[0].seen


@raises_code("E-DATA-VISIT", "E-DATA-ID")
def test_a_user_missing_code_is_no_visit_and_no_identifier(tmp_path):
    frame = pd.DataFrame({"id": [1.0, 2, 9], "visit": [0.0, 9, 0], "score": [1.0, 2, 3]})
    options = {"variable_value_labels": {"visit": {0: "start"}}, "missing_ranges": {"visit": [9], "id": [9]}}
    raw = written(lambda frame, path: pyreadstat.write_sav(frame, str(path), **options), frame)
    refused = refusal(tmp_path, "study.sav", raw)
    assert {problem.code: problem.lines for problem in refused.problems} == {"E-DATA-ID": (3,), "E-DATA-VISIT": (2,)}


@pytest.mark.pinned  # pyreadstat before 1.3 cannot write one
@raises_code("E-DATA-EMPTY")
def test_a_statistical_file_without_rows(tmp_path):
    raw = written(lambda frame, path: pyreadstat.write_sav(frame, str(path)), FRAME.iloc[:0])
    assert refusal(tmp_path, "study.sav", raw).code == "E-DATA-EMPTY"


@raises_code("E-DATA-ENCODING")
def test_the_encoding_of_an_old_statistical_file_is_declared(tmp_path):
    frame = FRAME.assign(ward=["Ål", "Bø", "Ål"])
    raw = written(lambda frame, path: pyreadstat.write_sav(frame, str(path)), frame)
    for letter in ("Å", "ø"):
        raw = raw.replace(letter.encode(), letter.encode("cp1252") + b" ")
    assert refusal(tmp_path, "study.sav", raw).code == "E-DATA-ENCODING"
    cohort = read_cohort(tmp_path / "study.sav", encoding="cp1252", **SAY)
    assert cohort.covariate_roles["ward"].levels == ("Bø", "Å l")


@raises_code("E-DATA-LABELS")
def test_value_labels_that_contradict_each_other(tmp_path):
    frame = pd.DataFrame(
        {"id": [1.0, 2], "y_start": [1.0, 2], "y_1_year": [1.0, 2], "s_start": [1.0, 2], "s_1_year": [2.0, 1]}
    )
    labels = {"s_start": {1: "yes", 2: "no"}, "s_1_year": {1: "no", 2: "yes"}}
    raw = written(lambda frame, path: pyreadstat.write_sav(frame, str(path), variable_value_labels=labels), frame)
    say = {"visit": None, "wide": "{outcome}_{visit}", "visit_codes": {"1_year": "1 year"}, "outcomes": ["y"]}
    assert refusal(tmp_path, "study.sav", raw, **say).code == "E-DATA-LABELS"


@raises_code("E-DATA-SIZE")
def test_too_many_columns_of_a_statistical_file(tmp_path, monkeypatch):
    monkeypatch.setattr(statistical, "MAX_COLUMNS", 2)
    assert refusal(tmp_path, "study.sav", sav()).code == "E-DATA-SIZE"


# ---- what is not installed, and other frames -----------------------------------------------------------------------


@raises_code("E-SETUP-EXTRA")
@pytest.mark.parametrize(
    ("library", "name", "make"),
    [
        ("openpyxl", "study.xlsx", lambda: XLSX),
        ("defusedxml", "study.xlsx", lambda: XLSX),
        ("pyreadstat", "study.sav", sav),
        ("pyarrow", "study.parquet", parquet),
    ],
)
def test_a_missing_extra_says_how_to_install_it(tmp_path, monkeypatch, library, name, make):
    raw = make()
    find, load = importlib.util.find_spec, builtins.__import__

    def absent(module, *rest):
        if module.partition(".")[0] == library:
            raise ImportError(f"No module named {library!r}")
        return load(module, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    monkeypatch.setattr(statistical, "find_spec", lambda module: None if module == library else find(module))
    refused = refusal(tmp_path, name, raw)
    assert isinstance(refused, SetupError)
    assert library in refused.problems[0].seen
    assert 'pip install "burnout-stats[io]"' in refused.problems[0].advice


@raises_code("E-STUDY-VALUE")
def test_a_lazy_frame_is_collected_by_the_user():
    with pytest.raises(StudyError, match="collect"):
        read_cohort(pl.from_pandas(FRAME).lazy(), **SAY)


@raises_code("E-DATA-TYPE")
def test_lists_in_a_frame_of_polars():
    frame = pl.DataFrame({"id": ["a", "b"], "visit": ["start"] * 2, "score": [[1], [2]]})
    with pytest.raises(DataError) as refused:
        read_cohort(frame, **SAY)
    assert refused.value.code == "E-DATA-TYPE"


def test_limits_are_those_that_the_stories_tell():
    assert opened.MAX_CELLS == 200_000_000
    assert (excel.MAX_UNPACKED, excel.MAX_RATIO) == (500_000_000, 200)
    assert len(Column()) == 0
