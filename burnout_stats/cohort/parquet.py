"""A Parquet data set as data frames one after another, through pyarrow: only some rows are in memory at a time."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ..errors import DataError, SetupError, StudyError, did_you_mean
from .checks import missing_columns

__all__ = ["ROWS", "parquet_frames"]

ROWS = 1 << 18
"""Rows in memory at a time: enough that a frame's own cost does not count, few enough for any computer."""


def parquet_frames(
    path: Path, columns: Sequence[str] | None, labels: Collection[str], *, rows: int = ROWS
) -> Iterator[pd.DataFrame]:
    """The rows of a Parquet file, or of all files of a folder in the order of their names (2 before 10).

    Parameters
    ----------
    columns : names, optional
        Those that are needed; nothing else is read.
    labels : names
        Columns of few different texts, read as categories.

    Raises
    ------
    SetupError
        `E-SETUP-EXTRA` where pyarrow is not installed.
    StudyError
        `E-STUDY-FILE` where there is no such file, or no Parquet file in the folder.
    DataError
        `E-DATA-PARQUET` for a file that is not Parquet, `E-DATA-COLUMN` for columns that are not there.
    """
    try:
        import pyarrow as pa
    except ImportError:
        raise SetupError(
            "E-SETUP-EXTRA",
            "pyarrow is not installed.",
            "It reads Parquet files.",
            'Install it with: pip install "burnout-stats[io]"',
        ) from None
    files = _files(path)
    try:
        data = _data_set(path, files, labels)
        yield from _frames(_batches(data, columns, rows), rows)
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            "E-DATA-PARQUET",
            f"`{path.name}` cannot be read as Parquet ({type(error).__name__}).",
            "A data set is a Parquet file, or a folder of Parquet files with the same columns.",
            "Check how it was written.",
        ) from None


def _data_set(path: Path, files: Sequence[Path], labels: Collection[str]) -> Any:
    """The files as one, with columns for what the names of folders say (`site=3`), and labels as categories."""
    import pyarrow as pa
    from pyarrow import dataset as arrow
    from pyarrow import parquet

    schema = parquet.read_schema(files[0])
    texts = [name for name in labels if name in schema.names and pa.types.is_string(schema.field(name).type)]
    return arrow.dataset(
        [str(file) for file in files],
        format=arrow.ParquetFileFormat(read_options=arrow.ParquetReadOptions(dictionary_columns=texts)),
        partitioning="hive" if path.is_dir() else None,
        partition_base_dir=str(path) if path.is_dir() else None,
    )


def _batches(data: Any, columns: Sequence[str] | None, rows: int) -> Iterator[Any]:
    """Row group after row group: a scan of the whole would read ahead of us, into memory.

    A file that lacks a column is refused; Arrow would fill it with nothing.
    """
    from pyarrow import dataset as arrow

    wanted = list(columns or data.schema.names)
    from_folders: set[str] | None = None
    for file in data.get_fragments():
        here = file.physical_schema.names
        if from_folders is None:
            from_folders = set(data.schema.names) - set(here)
        absent = missing_columns([name for name in wanted if name not in from_folders], here)
        if absent:
            raise DataError.of(absent)
        for group in file.split_by_row_group():
            yield from group.to_batches(
                schema=data.schema,
                columns=wanted,
                batch_size=rows,
                batch_readahead=1,
                fragment_readahead=1,
                fragment_scan_options=arrow.ParquetFragmentScanOptions(pre_buffer=False, use_buffered_stream=True),
            )


def _frames(batches: Iterator[Any], rows: int) -> Iterator[pd.DataFrame]:
    """Batches put together until there are enough rows for a frame."""
    import pyarrow as pa

    gathered: list[Any] = []
    for batch in batches:
        gathered.append(batch)
        if sum(part.num_rows for part in gathered) >= rows:
            yield pa.Table.from_batches(gathered).unify_dictionaries().to_pandas()
            gathered = []
    if gathered:
        yield pa.Table.from_batches(gathered).unify_dictionaries().to_pandas()


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        files = sorted((file for file in path.rglob("*.parquet") if file.is_file()), key=_natural)
        if files:
            return files
    elif path.is_file() and path.suffix.lower() not in (".csv", ".tsv", ".txt", ".toml"):
        return [path]
    if path.is_file():
        seen, near = f"`{path.name}` is not a Parquet file.", ""
    elif path.is_dir():
        seen, near = f"The folder `{path.name}` holds no file whose name ends with .parquet.", ""
    else:
        seen = f"There is no data set `{path.name}`."
        near = did_you_mean(path.name, (file.name for file in path.parent.glob("*")))
    raise StudyError(
        "E-STUDY-FILE",
        seen,
        "A stream reads a Parquet file, a folder of such files, or data frames one after another.",
        near or f'For a CSV file, write lambda: pandas.read_csv("{path.stem}.csv", chunksize=100_000).',
    )


def _natural(path: Path) -> list[tuple[int, str]]:
    """Names in the order in which people count: part.2 before part.10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.as_posix()) if part]
