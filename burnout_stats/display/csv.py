"""Tables as CSV for machines: full precision, ASCII minus, no formatted numbers.

Text is quoted, and guarded against being taken for a formula by a spreadsheet.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from .escape import for_csv
from .table import Cell, Column, Hidden, Interval, Missing, Pair, Table

__all__ = ["to_csv"]


def to_csv(table: Table) -> str:
    """One line a row; groups stand in a first column `group`, and an interval takes two columns; what stands in
    parentheses after a number takes one of its own, or two.

    A number that is missing or hidden is empty; a last column `hidden` tells them apart where anything is hidden.
    """
    grouped = any(row.group for row in table.rows)
    withheld = any(isinstance(cell, Hidden) for row in table.rows for cell in row.cells)
    stream = io.StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    header = [name for column in table.columns for name in _names(column, table)]
    writer.writerow([*(["group"] if grouped else []), *map(for_csv, header), *(["hidden"] if withheld else [])])
    for row in table.rows:
        cells = [
            value
            for cell, column in zip(row.cells, table.columns, strict=True)
            for value in _values(cell, column, table)
        ]
        flag = str(any(isinstance(cell, Hidden) for cell in row.cells)).lower()
        writer.writerow([*([for_csv(row.group)] if grouped else []), *cells, *([flag] if withheld else [])])
    return stream.getvalue()


def _is_interval(column: Column, table: Table) -> bool:
    place = table.columns.index(column)
    return column.kind == "interval" or any(isinstance(row.cells[place], Interval) for row in table.rows)


def _beside(column: Column, table: Table) -> tuple[str, ...]:
    """The columns that what stands in parentheses takes."""
    place = table.columns.index(column)
    pairs = [cell for row in table.rows if isinstance(cell := row.cells[place], Pair)]
    limits = any(isinstance(pair.second, Interval) for pair in pairs)
    numbers = any(not isinstance(pair.second, Interval) for pair in pairs)
    return (*(("beside",) if numbers else ()), *(("low", "high") if limits else ()))


def _names(column: Column, table: Table) -> Iterator[str]:
    if beside := _beside(column, table):
        yield from (column.key, *(f"{column.key}_{name}" for name in beside))
    elif _is_interval(column, table):
        yield from (f"{column.key}_low", f"{column.key}_high")
    else:
        yield column.key


def _values(cell: Cell, column: Column, table: Table) -> Iterator[str | float | None]:
    if beside := _beside(column, table):
        yield from _parted(cell, beside)
    elif isinstance(cell, Interval):
        yield from (cell.low, cell.high)
    elif cell is None or isinstance(cell, Hidden | Missing):
        yield from [None] * (2 if _is_interval(column, table) else 1)
    elif isinstance(cell, str):
        yield for_csv(cell)
    elif not isinstance(cell, Pair):  # those were parted
        yield cell


def _parted(cell: Cell, beside: tuple[str, ...]) -> Iterator[str | float | None]:
    second = cell.second if isinstance(cell, Pair) else cell if isinstance(cell, Interval) else None
    limits = {"low": second.low, "high": second.high} if isinstance(second, Interval) else {}
    number = {"beside": second} if isinstance(second, int | float) else {}
    if isinstance(cell, Pair):
        yield cell.first
    elif isinstance(cell, str):
        yield for_csv(cell)
    else:
        yield cell if isinstance(cell, int | float) else None
    yield from ((limits | number).get(name) for name in beside)
