"""The bytes of a data file become a table, by the reader of its format; every cell still means nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import DataError, StudyError
from .dialects import SEPARATORS, check_names, read_fields
from .formats import format_of
from .layout import Table
from .opened import Opened
from .places import Places

__all__ = ["open_file", "table_of_frame"]


def open_file(
    path: Path, raw: bytes, *, sheet: str | None = None, separator: str | None = None, encoding: str | None = None
) -> Opened:
    """The table of a file whose bytes are `raw`.

    Raises
    ------
    SetupError
        `E-SETUP-EXTRA` where the library that reads the format is not installed.
    StudyError
        `E-STUDY-SHEET`, also for a sheet of a file that has none.
    DataError
        `E-DATA-FORMAT`, `E-DATA-DAMAGED`, `E-DATA-BOMB` and what the readers raise.
    """
    kind = format_of(path.name, raw)
    if sheet is not None and kind != "excel":
        raise StudyError(
            "E-STUDY-SHEET",
            f"`sheet` is {sheet!r}, and the file is no Excel workbook.",
            "Only workbooks have sheets.",
            "Leave it out.",
        )
    if kind == "excel":
        from .excel import read_workbook

        return read_workbook(raw, sheet)
    if kind in ("parquet", "feather"):
        from .arrow import read_arrow

        frame = read_arrow(raw, kind)
        return Opened(table=table_of_frame(frame, first=1), rows_read=len(frame), dialect={"format": kind.capitalize()})
    if kind != "text":
        from .statistical import read_statistical

        return read_statistical(path, kind, encoding)
    fields = read_fields(raw, separator=separator, encoding=encoding)
    return Opened(
        table=Table(
            columns=dict(zip(fields.names, fields.columns, strict=True)),
            places=Places(fields.lines),
            n_rows=len(fields.lines),
        ),
        rows_read=fields.rows_read,
        dialect={"encoding": fields.encoding, "separator": SEPARATORS[fields.separator]},
        notices=fields.notices,
    )


def table_of_frame(frame: pd.DataFrame, *, first: int = 0) -> Table:
    """The table of a data frame; its rows are counted from `first`.

    Raises
    ------
    DataError
        `E-DATA-EMPTY`, `E-DATA-HEADER` or `E-DATA-NAMES`.
    """
    names = [str(name) for name in frame.columns]
    check_names(names)
    if not len(frame):
        raise DataError(
            "E-DATA-EMPTY",
            "The data have no rows." if first else "The data frame has no rows.",
            "Each row is a subject's visit.",
            "Check how it was made.",
        )
    return Table(
        columns={name: column for name, (_, column) in zip(names, frame.items(), strict=True)},
        places=Places(np.arange(first, first + len(frame)), "row"),
        n_rows=len(frame),
    )
