"""SPSS (.sav, .zsav, .por), Stata (.dta) and SAS (.sas7bdat, .xpt) files, through pyreadstat in a process of its own.

These files say more than a table of text: value labels (1 is "Female"), variable labels, and user-missing codes (99 is
"refused"). Value labels become the levels of categorical covariates and the labels of visits, never numbers of an
outcome; user-missing codes are kept apart from blank cells.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError
from .columns import Column, plain
from .dialects import MAX_COLUMNS, check_names
from .formats import FORMATS
from .layout import Table
from .opened import MAX_CELLS, Opened, damaged, missing_extra, too_large
from .places import Places

__all__ = ["READERS", "read_statistical"]

READERS = {
    "spss": "read_sav",
    "spss_portable": "read_por",
    "stata": "read_dta",
    "sas": "read_sas7bdat",
    "sas_transport": "read_xport",
}
"""pyreadstat's function for a format."""

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "WINDOWS-1252",
    "latin-1": "ISO-8859-1",
}
"""The names of encodings as iconv knows them."""

SECONDS = 600
"""A file that takes longer is damaged, or larger than what is read into memory."""


def read_statistical(path: Path, kind: str, encoding: str | None = None) -> Opened:
    """The columns of the file; rows are counted from 1, as these programs show them.

    Raises
    ------
    SetupError
        `E-SETUP-EXTRA` where pyreadstat is not installed.
    DataError
        `E-DATA-DAMAGED`, `E-DATA-ENCODING`, `E-DATA-BOMB`, `E-DATA-EMPTY`, `E-DATA-HEADER`, `E-DATA-NAMES` or
        `E-DATA-SIZE`.
    """
    what = FORMATS[kind].what
    if find_spec("pyreadstat") is None:
        raise missing_extra("pyreadstat", "SPSS, Stata and SAS files")
    told = _told(path, kind, encoding, what)
    names, columns, n_rows = told["names"], told["columns"], told["rows"]
    if len(names) > MAX_COLUMNS:
        raise DataError(
            "E-DATA-SIZE",
            f"The file has {len(names):,} columns.",
            f"It may have {MAX_COLUMNS:,}.",
            "Keep the columns of the study.",
        )
    check_names([str(name).strip() for name in names])
    lengths = {len(values) for values in columns.values()}
    n = lengths.pop() if lengths else 0
    if set(columns) != set(names) or lengths or n_rows not in (None, -1, n):
        raise damaged(what, "it does not hold the number of values that it announces")
    if not n:
        raise DataError(
            "E-DATA-EMPTY",
            "The file has no rows.",
            "Each row is a subject's visit.",
            "Check that it is the right file.",
        )
    if n * len(names) > MAX_CELLS:
        raise too_large(f"The file has {n:,} rows and {len(names):,} columns.")
    return Opened(
        table=Table(
            columns={
                str(name).strip(): _column(
                    columns[name],
                    told["value_labels"].get(name, ()),
                    told["missing_ranges"].get(name, ()),
                    told["missing_letters"].get(name, ()),
                    is_text=told["types"].get(name) == "string",
                )
                for name in names
            },
            places=Places(np.arange(1, n + 1), "row"),
            n_rows=n,
        ),
        rows_read=n,
        dialect={"format": what.split(" ", 1)[1]} | ({"encoding": told["encoding"]} if told["encoding"] else {}),
        labels={str(name).strip(): " ".join(str(text).split()) for name, text in told["variable_labels"].items()},
    )


def _told(path: Path, kind: str, encoding: str | None, what: str) -> dict[str, Any]:
    """What the process tells of the file."""
    worker = Path(__file__).with_name("readstat_process.py")
    command = [sys.executable, "-P", str(worker), READERS[kind], ENCODINGS.get(encoding or "", ""), str(path.resolve())]
    environment = os.environ | {"PYTHONIOENCODING": "utf-8", "OPENBLAS_NUM_THREADS": "1"}
    try:
        run = subprocess.run(command, capture_output=True, check=False, timeout=SECONDS, env=environment)  # noqa: S603 - our own file, no shell
        if run.returncode:
            raise _refusal(run, what)
        told: dict[str, Any] = json.loads(run.stdout)
    except subprocess.TimeoutExpired:
        raise damaged(what, "it takes too long") from None
    except (OSError, ValueError) as error:
        raise damaged(what, type(error).__name__) from None
    return told


def _refusal(run: subprocess.CompletedProcess[bytes], what: str) -> DataError:
    """The kind of the exception that ended the process, without its message, or that it crashed."""
    last = run.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    kind = last.partition(":")[0].rpartition(".")[2]
    if kind == "UnicodeDecodeError" or "Unable to convert string" in last:
        return DataError(
            "E-DATA-ENCODING",
            "The file holds texts that are not in the encoding that it announces.",
            "A statistical file says how its letters are stored; older ones often say nothing, or something wrong.",
            'Declare it, for example encoding = "cp1252", and check letters such as å, ø or é.',
        )
    return damaged(what, kind if kind.isidentifier() else "the reader crashed")


def _column(
    values: Sequence[Any],
    value_labels: Sequence[tuple[Any, str]],
    ranges: Sequence[Any],
    letters: Sequence[str],
    *,
    is_text: bool,
) -> Column:
    """A column with its user-missing codes taken out and remembered; NaN and empty texts are blank."""
    labels = _told_apart({value: " ".join(str(label).split()) for value, label in value_labels})
    kept: dict[str, int] = {}
    place: dict[Any, int] = {}
    for value in set(values):
        if _is_asked(value, ranges, () if is_text else letters):
            name = f".{value}" if isinstance(value, str) and not is_text else plain(value)
            place[value] = kept.setdefault(labels.get(value, name), len(kept))
    blank = {*place, ""}
    cells = [None if value in blank or value != value else value for value in values]
    column = Column.of_values(cells, {value: label for value, label in labels.items() if value not in place})
    if not place:
        return column
    asked = np.array([place.get(value, -1) for value in values], dtype=np.int64)
    return column.marked(asked, tuple(kept))


def _is_asked(value: Any, ranges: Sequence[Any], letters: Sequence[str]) -> bool:
    """Whether the file declares a value as user-missing: in a range of SPSS, or a letter of Stata and SAS."""
    if value is None or value == "":
        return False
    if isinstance(value, str):
        return value in letters or any(_bounds(span) == (value, value) for span in ranges)
    bounds = [_bounds(span) for span in ranges]
    return any(not isinstance(low, str) and not isinstance(high, str) and low <= value <= high for low, high in bounds)


def _bounds(span: Any) -> tuple[Any, Any]:
    return (span["lo"], span["hi"]) if isinstance(span, Mapping) else (span, span)


def _told_apart(labels: Mapping[Any, str]) -> dict[Any, str]:
    """Value labels without empty ones; a label that two values bear is told apart by the value, so that they do not
    become one category.
    """
    found = list(labels.values())
    return {
        value: label if found.count(label) == 1 else f"{label} ({plain(value)})"
        for value, label in labels.items()
        if label
    }
