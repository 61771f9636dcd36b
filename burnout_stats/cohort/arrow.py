"""Parquet and Feather files read whole into memory, through pyarrow.

What pandas may have noted in the file about an index is not followed: a column that identifies subjects stays a column.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from ..errors import DataError
from .opened import MAX_CELLS, damaged, missing_extra, too_large

__all__ = ["read_arrow"]

MAX_UNPACKED = 8_000_000_000


def read_arrow(raw: bytes, kind: str) -> pd.DataFrame:
    """The columns of a Parquet or Feather file.

    Raises
    ------
    SetupError
        `E-SETUP-EXTRA` where pyarrow is not installed.
    DataError
        `E-DATA-DAMAGED`; `E-DATA-BOMB` for more cells than are read into memory.
    """
    try:
        import pyarrow as pa
    except ImportError:
        raise missing_extra("pyarrow", "Parquet and Feather files") from None
    what = "a Parquet file" if kind == "parquet" else "a Feather file"
    try:
        table = _parquet(pa.BufferReader(raw)) if kind == "parquet" else _feather(pa.BufferReader(raw))
        table.validate(full=True)
        frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    except DataError:
        raise
    except Exception as error:  # whatever damaged bytes make Arrow and its conversion raise
        raise damaged(what, type(error).__name__) from None
    return frame


def _parquet(file: Any) -> Any:
    from pyarrow import parquet

    opened = parquet.ParquetFile(file, page_checksum_verification=True)
    about = opened.metadata
    unpacked = sum(about.row_group(place).total_byte_size for place in range(about.num_row_groups))
    _refuse_more(about.num_rows, about.num_columns, unpacked)
    return opened.read()


def _feather(file: Any) -> Any:
    import pyarrow as pa
    from pyarrow import feather

    if file.read(6) != b"ARROW1":
        file.seek(0)
        return feather.read_table(file)
    opened = pa.ipc.open_file(file)
    batches: list[Any] = []
    n_rows = 0
    for place in range(opened.num_record_batches):
        batches.append(opened.get_batch(place))
        n_rows += batches[-1].num_rows
        _refuse_more(n_rows, len(opened.schema), sum(batch.nbytes for batch in batches))
    return pa.Table.from_batches(batches, schema=opened.schema)


def _refuse_more(n_rows: int, n_columns: int, unpacked: int) -> None:
    if n_rows * n_columns > MAX_CELLS or unpacked > MAX_UNPACKED:
        raise too_large(f"The file unpacks to {n_rows:,} rows, {n_columns:,} columns and {unpacked:,} bytes.")
