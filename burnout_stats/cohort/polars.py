"""Frames of polars become frames of pandas, column by column; polars itself is never imported here."""

from __future__ import annotations

import sys
from typing import Any

import pandas as pd

__all__ = ["from_polars", "is_polars"]


def is_polars(source: object) -> bool:
    """Whether this is a data frame of polars, which the user must then have imported."""
    polars = sys.modules.get("polars")
    return polars is not None and isinstance(source, polars.DataFrame)


def from_polars(frame: Any) -> pd.DataFrame:
    """The same columns: numbers, texts, categories in the order of an Enum, dates; nothing where there is null."""
    series = {place: _series(column) for place, column in enumerate(frame.get_columns())}
    columns = pd.DataFrame(series, index=range(frame.height))
    columns.columns = pd.Index([str(name) for name in frame.columns], dtype=object)
    return columns


def _series(column: Any) -> pd.Series:
    kind = str(column.dtype)
    if kind.startswith("Enum"):
        levels = column.dtype.categories.to_list()
        return pd.Series(pd.Categorical(column.cast(sys.modules["polars"].String).to_list(), categories=levels))
    if column.dtype.is_float() or (column.dtype.is_integer() and not column.null_count()):
        return pd.Series(column.to_numpy())
    return pd.Series(column.to_list(), dtype=object)
