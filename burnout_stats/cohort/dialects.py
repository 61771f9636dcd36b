"""Bytes to a strict table of text: encoding, separator, quotes, and the same number of fields on every line, each with
its line number.

Nothing is guessed per cell here: a cell stays the text that stands in the file. Files whose quotes hide no separator
(nearly all) take a fast path whose field counts are verified on the bytes before pandas splits them; everything else is
read by the csv module in its strict mode.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError, Problem
from ..notices import Notice
from .formats import FORMATS, recognized
from .places import Places

__all__ = ["ENCODINGS", "SEPARATORS", "FieldTable", "blank_rows", "check_names", "looks_like_data", "read_fields"]

ENCODINGS = {
    "utf-8": "utf-8-sig",
    "utf-8-sig": "utf-8-sig",
    "utf-16": "utf-16",
    "cp1252": "cp1252",
    "latin-1": "latin-1",
}
"""Encodings that may be declared, with the codec that reads them."""

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
"""Separators of fields, with their names."""

MAX_BYTES = 500_000_000
MAX_COLUMNS = 10_000
MAX_CELL = 32_767
"""The longest cell that spreadsheet programs write; a longer one is a quote that was never closed, or not a table."""

Cells = NDArray[np.object_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FieldTable:
    """The text of a file as columns, with the line number of each row and how the file was read."""

    names: tuple[str, ...]
    columns: tuple[Cells, ...]
    lines: NDArray[np.int64]
    separator: str
    encoding: str
    rows_read: int
    notices: tuple[Notice, ...]


def read_fields(raw: bytes, *, separator: str | None = None, encoding: str | None = None) -> FieldTable:
    """The fields of a CSV file.

    Raises
    ------
    DataError
        `E-DATA-FORMAT`, `-SIZE`, `-ENCODING`, `-NUL`, `-EMPTY`, `-SEPARATOR`, `-HEADER`, `-NAMES`, `-FIELDS` or
        `-QUOTE`.
    """
    _refuse_binary(raw)
    text, codec, notices = decode(raw, encoding)
    _refuse_nul(text)
    if not text.strip():
        raise DataError(
            "E-DATA-EMPTY",
            "The file is empty.",
            "It needs a line of column names and rows of data.",
            "Check that it is the right file.",
        )
    start, declared = _separator_line(text)
    separator = separator or declared or _separator(text[start:])
    first = 1 + text.count("\n", 0, start)
    names, columns, lines = _fast(text[start:], separator, first) or _strict(text[start:], separator, first)
    rows_read = len(lines)
    columns, lines, skipped = _without_blank_rows(columns, lines)
    if skipped:
        notices += (blank_rows(skipped),)
    return FieldTable(
        names=names,
        columns=columns,
        lines=lines,
        separator=separator,
        encoding=codec,
        rows_read=rows_read,
        notices=notices,
    )


def decode(raw: bytes, encoding: str | None = None) -> tuple[str, str, tuple[Notice, ...]]:
    """The text of the bytes, the name of the encoding, and a notice where it had to be guessed.

    A byte order mark decides; without one the bytes are UTF-8 where they can be, and Windows-1252 with a notice where
    they cannot.
    """
    if encoding is None and raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    try:
        return raw.decode(ENCODINGS[encoding or "utf-8"]), encoding or "utf-8", ()
    except UnicodeError as error:
        if encoding is not None:
            raise _undecodable(raw, error, encoding) from None
    try:
        text = raw.decode("cp1252")
    except UnicodeError as error:
        raise _undecodable(raw, error, "UTF-8 or Windows-1252 (cp1252)") from None
    notice = Notice(
        "N-DATA-ENCODING",
        "The file is not UTF-8 and was read as Windows-1252 (cp1252).",
        'Check letters such as å, ø or é in it; then declare encoding = "cp1252".',
    )
    return text, "cp1252", (notice,)


def _undecodable(raw: bytes, error: UnicodeError, encoding: str) -> DataError:
    start = error.start if isinstance(error, UnicodeDecodeError) else 0
    before = raw[:start].decode(ENCODINGS.get(encoding, "cp1252"), "ignore")
    line = len(re.findall(r"\r\n|\r|\n", before)) + 1
    return DataError(
        "E-DATA-ENCODING",
        f"Line {line} holds bytes that are not {encoding}.",
        "A data file is text in UTF-8, UTF-16 with a byte order mark, or Windows-1252.",
        'Save it as "CSV UTF-8", or declare its encoding.',
        lines=[line],
    )


def _refuse_binary(raw: bytes) -> None:
    if len(raw) > MAX_BYTES:
        raise DataError(
            "E-DATA-SIZE",
            f"The file has {len(raw):,} bytes.",
            f"A CSV file may have {MAX_BYTES:,}.",
            "Read it in your own way and hand the data frame to read_cohort.",
        )
    found = recognized(raw)
    if found is not None:
        raise DataError(
            "E-DATA-FORMAT",
            f"The file is {FORMATS[found].what}.",
            "Here text is read: comma, semicolon or tab separated.",
            "Save it as CSV UTF-8, or let its name say what it is.",
        )


def _refuse_nul(text: str) -> None:
    if "\0" in text:
        lines = [number for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1) if "\0" in line]
        raise DataError(
            "E-DATA-NUL",
            f"There are NUL bytes in the file ({Places(np.array(lines)).say(range(len(lines)))}).",
            "Text has none: the file is damaged, or it is UTF-16 without a byte order mark.",
            'Save it again as CSV UTF-8, or declare encoding = "utf-16".',
            lines=lines,
        )


def _separator_line(text: str) -> tuple[int, str | None]:
    """Where the header starts, and the separator of a first line such as `sep=;` (some spreadsheets write it)."""
    match = re.match(r'"?sep=([,;\t])"?\r?\n', text)
    return (match.end(), match[1]) if match else (0, None)


def _separator(text: str) -> str:
    """The separator that stands most often in the header, outside quotes."""
    header = re.sub(r'"[^"]*"', "", re.search(r"[^\r\n]+", text)[0])  # type: ignore[index]
    counts = sorted(((header.count(mark), mark) for mark in SEPARATORS), reverse=True)
    if counts[0][0] == 0 or counts[0][0] == counts[1][0]:
        raise DataError(
            "E-DATA-SEPARATOR",
            "The header has no comma, semicolon or tab."
            if counts[0][0] == 0
            else "The header could be split in two ways.",
            "The fields of a line are separated by one of the three.",
            'Declare it, for example separator = ";".',
            lines=[1],
        )
    return counts[0][1]


def _fast(text: str, separator: str, first: int) -> tuple[tuple[str, ...], tuple[Cells, ...], NDArray[np.int64]] | None:
    """The table of a file in which quotes enclose whole cells and hide nothing, with the same number of separators on
    every line; None where that does not hold.
    """
    text = text.replace("\r\n", "\n").rstrip("\n")
    if '"' in text:
        unquoted = _unquoted(text, separator)
        if unquoted is None:
            return None
        text = unquoted
    header, _, body = text.partition("\n")
    names = tuple(header.split(separator))
    if "\r" in text or not header or not body or len(names) > MAX_COLUMNS:
        return None
    raw = body.encode("utf-8")
    marks = np.frombuffer(raw, dtype=np.uint8)
    ends = np.append(np.flatnonzero(marks == ord("\n")), len(marks))
    separators = np.searchsorted(np.flatnonzero(marks == ord(separator)), ends)
    longest = int(np.diff(ends, prepend=-1).max())
    if longest > MAX_CELL or (np.diff(separators, prepend=0) != len(names) - 1).any():
        return None
    _check_header(names, first)
    frame = pd.read_csv(
        io.BytesIO(raw),
        sep=separator,
        header=None,
        names=list(range(len(names))),
        index_col=False,
        dtype=object,
        keep_default_na=False,
        na_filter=False,
        quoting=csv.QUOTE_NONE,
        lineterminator="\n",
        skip_blank_lines=False,
        encoding="utf-8",
        engine="c",
        low_memory=False,
    )
    columns = tuple(frame[place].to_numpy(dtype=object) for place in range(len(names)))
    lines = np.arange(first + 1, first + 1 + len(ends), dtype=np.int64)
    return tuple(name.strip() for name in names), columns, lines


def _unquoted(text: str, separator: str) -> str | None:
    """The text without its quotes, where these come in pairs around whole cells without a separator or a line break;
    None where one of them means something.
    """
    marks = np.frombuffer(text.encode("utf-8"), dtype=np.uint8)
    quotes = np.flatnonzero(marks == ord('"'))
    ends = np.concatenate([[-1], np.flatnonzero((marks == ord(separator)) | (marks == ord("\n"))), [len(marks)]])
    if len(quotes) % 2:
        return None
    opening, closing = quotes[::2], quotes[1::2]
    cell = np.searchsorted(ends, opening)
    if (ends[cell - 1] != opening - 1).any() or (ends[cell] != closing + 1).any():
        return None
    return text.replace('"', "")


def _strict(text: str, separator: str, first: int) -> tuple[tuple[str, ...], tuple[Cells, ...], NDArray[np.int64]]:
    """The table as the csv module reads it in strict mode, with every line that has another number of fields."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    names: list[str] | None = None
    rows: list[list[str]] = []
    lines: list[int] = []
    wrong: list[int] = []
    long: list[int] = []
    problems: list[Problem] = []
    line = first
    try:
        for fields in reader:
            if names is None and fields:
                names = fields
                _check_header(names, line)
            elif names is not None:
                if len(fields) not in (len(names), 0):
                    wrong.append(line)
                elif max(map(len, fields), default=0) > MAX_CELL:
                    long.append(line)
                else:
                    rows.append(fields)
                    lines.append(line)
            line = first + reader.line_num
    except csv.Error as error:
        problems.append(_too_long([line]) if "field larger" in str(error) else _quote(line))
    if wrong:
        problems.append(_wrong_fields(wrong, len(names or ())))
    if long:
        problems.append(_too_long(long))
    if problems:
        raise DataError.of(problems)
    while rows and not rows[-1]:
        rows.pop()  # the file's last line ends with an empty one
        lines.pop()
    if not rows or names is None:
        raise DataError(
            "E-DATA-EMPTY",
            "The file has column names and no rows.",
            "Each row is a subject's visit.",
            "Check that it is the right file.",
        )
    blank = [""] * len(names)
    table = np.array([row or blank for row in rows], dtype=object).reshape(len(rows), len(names))
    columns = tuple(table[:, place].copy() for place in range(len(names)))
    return tuple(name.strip() for name in names), columns, np.array(lines, dtype=np.int64)


def _check_header(names: Sequence[str], line: int) -> None:
    stripped = [name.strip() for name in names]
    if len(names) > MAX_COLUMNS:
        raise DataError(
            "E-DATA-SIZE",
            f"The file has {len(names):,} columns.",
            f"It may have {MAX_COLUMNS:,}.",
            "Keep the columns of the study.",
            lines=[line],
        )
    if len(names) == 1:
        raise DataError(
            "E-DATA-SEPARATOR",
            "The header has one column only.",
            "A cohort has at least a subject and an outcome, separated by comma, semicolon or tab.",
            'Declare the separator, for example separator = ";".',
            lines=[line],
        )
    check_names(stripped, [line])


def check_names(names: Sequence[str], lines: Sequence[int] = ()) -> None:
    """Refuse names that are blank, unprintable or given twice."""
    blank = [place for place, name in enumerate(names, start=1) if not name]
    if blank:
        raise DataError(
            "E-DATA-HEADER",
            f"Column {blank[0]} has no name."
            if len(blank) == 1
            else f"{len(blank)} columns have no name, the first is column {blank[0]}.",
            "Every column has a name in the first line.",
            "Name it, or delete the column (row numbers saved by pandas are such a column: write index=False).",
            lines=lines,
        )
    if not all(name.isprintable() for name in names):
        raise DataError(
            "E-DATA-HEADER",
            "A column name holds a line break or another character that cannot be printed.",
            "A name is one line of text.",
            "Rename the column.",
            lines=lines,
        )
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        known = "" if looks_like_data(names) else f": {', '.join(f'`{name}`' for name in twice[:5])}"
        raise DataError(
            "E-DATA-NAMES",
            f"{len(twice)} column {'name stands' if len(twice) == 1 else 'names stand'} more than once{known}.",
            "Every column has a name of its own.",
            "Rename or delete one of them; where the first line holds data, add a line of names.",
            lines=lines,
        )


def looks_like_data(names: Sequence[str]) -> bool:
    """Whether the line of names holds a number, so that it may be a row of data, which no message should repeat."""
    return any(re.fullmatch(r"[+-]?\d+([.,]\d+)?", name) for name in names)


def _without_blank_rows(
    columns: tuple[Cells, ...], lines: NDArray[np.int64]
) -> tuple[tuple[Cells, ...], NDArray[np.int64], list[int]]:
    if not any(not cell or cell.isspace() for cell in set(columns[0])):
        return columns, lines, []
    candidates = [row for row, cell in enumerate(columns[0]) if not cell or cell.isspace()]
    blank = [row for row in candidates if not any(column[row].strip() for column in columns)]
    if not blank:
        return columns, lines, []
    keep = np.ones(len(lines), dtype=bool)
    keep[blank] = False
    if not keep.any():
        raise DataError(
            "E-DATA-EMPTY",
            "The file has column names and only blank rows.",
            "Each row is a subject's visit.",
            "Check that it is the right file.",
        )
    return tuple(column[keep] for column in columns), lines[keep], [int(line) for line in lines[blank]]


def blank_rows(lines: list[int], word: str = "line") -> Notice:
    """Lines of a file or rows of a sheet in which nothing stands."""
    what = f"1 {word} without any value was" if len(lines) == 1 else f"{len(lines)} {word}s without any value were"
    return Notice(
        "N-DATA-BLANK",
        f"{what} skipped ({Places(np.array(lines), word).say(range(len(lines)))}).",
        "Delete them from the file if they mean nothing.",
    )


def _wrong_fields(lines: list[int], expected: int) -> Problem:
    return Problem(
        "E-DATA-FIELDS",
        f"{len(lines)} {'line has' if len(lines) == 1 else 'lines have'} another number of fields than the header "
        f"({Places(np.array(lines)).say(range(len(lines)))}).",
        f"Each line has {expected} fields, as many as there are column names.",
        "Look for a separator or a decimal comma inside a cell; such a cell stands in double quotes.",
        tuple(lines[:1000]),
    )


def _quote(line: int) -> Problem:
    return Problem(
        "E-DATA-QUOTE",
        f"The row that starts on line {line} has a double quote that is not closed, or text after one that is.",
        "A cell in double quotes ends with a double quote; a double quote inside it is written twice.",
        "Mend the quotes on that line.",
        (line,),
    )


def _too_long(lines: list[int]) -> Problem:
    return Problem(
        "E-DATA-SIZE",
        f"A cell is longer than {MAX_CELL:,} characters ({Places(np.array(lines)).say(range(len(lines)))}).",
        "Cells of a cohort are numbers and short texts.",
        "Look for a double quote that is never closed, or remove the column.",
        tuple(lines[:1000]),
    )
