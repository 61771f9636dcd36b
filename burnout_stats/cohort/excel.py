"""Excel workbooks (.xlsx): the values of one sheet, never a macro, a link or a formula.

A workbook is a zip archive of XML. Before openpyxl sees it, its size when unpacked is held against a limit, and every
part that will be read goes through defusedxml, which refuses declarations of entities; on the way the limits of the
sheet are checked and formulas without a stored value are found, which openpyxl would read as empty cells.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import DataError, StudyError, did_you_mean
from .columns import Column
from .dialects import MAX_CELL, MAX_COLUMNS, blank_rows, check_names
from .layout import Table
from .opened import MAX_CELLS, Opened, damaged, missing_extra, too_large
from .places import Places

__all__ = ["read_workbook"]

MAX_UNPACKED = 500_000_000
MAX_RATIO = 200
SMALL = 10_000_000
"""Unpacked bytes below which the ratio does not count: a few equal rows already pack very well."""

MAX_MEMBERS = 10_000
MAX_ROW = 1_048_576
"""The last row that Excel knows."""

WHAT = "an Excel workbook"


def read_workbook(raw: bytes, sheet: str | None = None) -> Opened:
    """The values of a sheet; the first row names the columns. Rows are numbered as Excel numbers them.

    Raises
    ------
    SetupError
        `E-SETUP-EXTRA` where openpyxl or defusedxml is not installed.
    StudyError
        `E-STUDY-SHEET` where the sheet is not there, or there are several and none is named.
    DataError
        `E-DATA-BOMB`, `E-DATA-WORKBOOK` (macros, links to other workbooks), `E-DATA-FORMULA`, `E-DATA-DAMAGED`,
        `E-DATA-EMPTY`, `E-DATA-HEADER`, `E-DATA-NAMES` or `E-DATA-SIZE`.
    """
    try:
        import defusedxml.ElementTree
        import openpyxl
    except ImportError as error:
        raise missing_extra("openpyxl" if "openpyxl" in str(error) else "defusedxml", "Excel workbooks") from None
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            _check_archive(archive)
            _check_parts(archive, defusedxml)
        book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True, keep_links=False)
        chosen = _sheet(book, sheet)
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            _check_sheet(archive, chosen._worksheet_path, defusedxml)
        chosen.reset_dimensions()
        rows = [(number, row) for number, row in enumerate(chosen.iter_rows(values_only=True), start=1) if _says(row)]
    except (DataError, StudyError):
        raise
    except Exception as error:  # whatever a damaged archive makes zipfile, the XML parser or openpyxl raise
        if any(isinstance(cause, defusedxml.DefusedXmlException) for cause in (error, error.__cause__)):
            raise too_large("The workbook declares XML entities, which unfold when they are read.") from None
        raise damaged(WHAT, type(error).__name__) from None
    return _opened(rows, chosen.title)


def _check_archive(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if unpacked > MAX_UNPACKED or (unpacked > SMALL and unpacked > MAX_RATIO * packed):
        raise too_large(f"The workbook unpacks to {unpacked:,} bytes, {unpacked / max(packed, 1):,.0f} times its size.")
    if len(members) > MAX_MEMBERS or len({member.filename for member in members}) < len(members):
        raise too_large(f"The workbook consists of {len(members):,} parts, or holds a part twice.")
    names = [member.filename.lower() for member in members]
    for what, sign in (("macros", "vbaproject.bin"), ("links to other workbooks", "xl/externallinks/")):
        if any(sign in name for name in names):
            raise DataError(
                "E-DATA-WORKBOOK",
                f"The workbook holds {what}.",
                "A data file holds values only.",
                "Copy the table into a new workbook with Paste Special, Values, and save it as .xlsx.",
            )


def _check_parts(archive: zipfile.ZipFile, defusedxml: Any) -> None:
    """Refuse XML that declares entities, in all parts that openpyxl reads."""
    for member in archive.infolist():
        if not member.filename.endswith((".xml", ".rels")) or "worksheets/sheet" in member.filename.lower():
            continue
        with archive.open(member) as part:
            for _, element in defusedxml.ElementTree.iterparse(part, forbid_dtd=True):
                element.clear()


def _check_sheet(archive: zipfile.ZipFile, path: str, defusedxml: Any) -> None:
    """The limits of the sheet, and its formulas without a stored value."""
    without: list[int] = []
    merged: list[int] = []
    row = cells = width = 0
    with archive.open(path) as part:
        for _, element in defusedxml.ElementTree.iterparse(part, forbid_dtd=True):
            tag = element.tag.rpartition("}")[2]
            if tag == "c":
                cells += 1
                children = {child.tag.rpartition("}")[2]: child.text for child in element}
                if "f" in children and children.get("v") is None and element.get("t") != "str":
                    without.append(_row_number(element.get("r") or ""))
                width = max(width, _column_number(element.get("r") or ""))
                element.clear()
            elif tag == "row":
                row = int(element.get("r") or row + 1)
                if row > MAX_ROW or width > 4 * MAX_COLUMNS or cells > MAX_CELLS:
                    raise _beyond()
                element.clear()
            elif tag == "mergeCell":
                merged.append(_row_number(element.get("ref") or ""))
    if width * row > 4 * MAX_CELLS:
        raise _beyond()
    if merged:
        rows = np.array(sorted(set(merged)))
        raise DataError(
            "E-DATA-WORKBOOK",
            f"The sheet has merged cells ({Places(rows, 'row').say(range(len(rows)))}).",
            "Each cell stands for itself; of merged cells all but the first would be read as empty.",
            "Unmerge them and fill in what they mean.",
            lines=rows[:1000].tolist(),
        )
    if without:
        rows = np.array(sorted(set(without)))
        raise DataError(
            "E-DATA-FORMULA",
            f"{len(without)} {'formula has' if len(without) == 1 else 'formulas have'} no stored value "
            f"({Places(rows, 'row').say(range(len(rows)))}).",
            "Values are read, formulas are not computed.",
            "Open the workbook in Excel, let it compute, and save it; or replace the formulas by their values.",
            lines=rows[:1000].tolist(),
        )


def _beyond() -> DataError:
    return too_large("The sheet has cells beyond the last row or column that a cohort could have.")


def _column_number(reference: str) -> int:
    """3 for `C7`."""
    number = 0
    for letter in re.match(r"[A-Z]{0,4}", reference)[0]:  # type: ignore[index]
        number = 26 * number + ord(letter) - 64
    return number


def _row_number(reference: str) -> int:
    """7 for `C7`, and for `C7:D9`."""
    found = re.search(r"[0-9]{1,9}", reference)
    return int(found[0]) if found else 0


def _sheet(book: Any, name: str | None) -> Any:
    names = [sheet.title for sheet in book.worksheets]
    if name is None and len(names) == 1:
        return book.worksheets[0]
    if name in names:
        return book.worksheets[names.index(name)]
    told = ", ".join(f"`{title}`" for title in names)
    raise StudyError(
        "E-STUDY-SHEET",
        f"The workbook has {len(names)} sheets." if name is None else f"The workbook has no sheet `{name}`.",
        f"Its sheets are: {told or 'none'}.",
        (did_you_mean(name, names) if name else "") or f'Name one: sheet = "{names[0] if names else "data"}".',
    )


def _says(row: Sequence[object]) -> bool:
    return any(cell is not None and not (isinstance(cell, str) and not cell.strip()) for cell in row)


def _opened(rows: list[tuple[int, Sequence[object]]], title: str) -> Opened:
    if len(rows) < 2:
        raise DataError(
            "E-DATA-EMPTY",
            f"The sheet `{title}` has no rows below its column names." if rows else f"The sheet `{title}` is empty.",
            "The first row names the columns, and each other row is a subject's visit.",
            "Check that it is the right sheet.",
        )
    (first, header), *body = rows
    width = max(_last(row) for _, row in rows)
    names = ["" if cell is None else str(cell).strip() for cell in [*header, *[None] * (width - len(header))][:width]]
    if width > MAX_COLUMNS:
        raise DataError(
            "E-DATA-SIZE",
            f"The sheet has {width:,} columns.",
            f"It may have {MAX_COLUMNS:,}.",
            "Keep the columns of the study.",
            lines=[first],
        )
    check_names(names, [first])
    lines = np.array([number for number, _ in body], dtype=np.int64)
    cells = [tuple(_cell(cell) for cell in [*row, *[None] * (width - len(row))][:width]) for _, row in body]
    long = [
        number
        for number, row in zip(lines.tolist(), cells, strict=True)
        if any(isinstance(cell, str) and len(cell) > MAX_CELL for cell in row)
    ]
    if long:
        raise DataError(
            "E-DATA-SIZE",
            f"A cell is longer than {MAX_CELL:,} characters ({Places(np.array(long), 'row').say(range(len(long)))}).",
            "Cells of a cohort are numbers and short texts.",
            "Remove the column.",
            lines=long[:1000],
        )
    gaps = sorted(set(range(first + 1, int(lines[-1]))) - set(lines.tolist()))
    return Opened(
        table=Table(
            columns={name: Column.of_values([row[place] for row in cells]) for place, name in enumerate(names)},
            places=Places(lines, "row"),
            n_rows=len(lines),
        ),
        rows_read=int(lines[-1]) - first,
        dialect={"format": "Excel", "sheet": title},
        notices=(blank_rows(gaps, "row"),) if gaps else (),
    )


def _last(row: Sequence[object]) -> int:
    """The number of the last column in which something stands."""
    return max((place for place, cell in enumerate(row, start=1) if _says([cell])), default=0)


def _cell(cell: object) -> object:
    """A number, a text, a truth value, or None; a date as its ISO text."""
    if cell is None or isinstance(cell, (bool, int, str)):
        return cell
    if isinstance(cell, float):
        return None if np.isnan(cell) else cell
    return str(cell).removesuffix(" 00:00:00")
