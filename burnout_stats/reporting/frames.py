"""The long frames as CSV for machines: full precision, no formatting, labels guarded against spreadsheets' formulas."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable

import pandas as pd

from ..display.escape import for_csv
from ..plan import Results
from .manifest import slugs

__all__ = ["csv_files", "to_csv"]


def csv_files(results: Results) -> dict[str, bytes]:
    """The CSV files of protected results, by path below the output folder."""
    parts = results.outcomes
    whole = {
        "baseline": results.baseline,
        "attrition": results.attrition,
        "missingness": results.missingness,
        "primary": results.primary,
    }
    frames = {
        "flow": [results.flow.frame],
        **{name: [value.frame] for name, value in whole.items() if value is not None},
        "observed": [part.observed.frame for part in parts],
        "means": [part.means.frame for part in parts],
        "changes": [part.changes.frame for part in parts],
        "standardized_changes": [part.standardized.frame for part in parts],
        "coefficients": [part.coefficients.frame for part in parts],
    }
    if unadjusted := [part.unadjusted.frame for part in parts if part.unadjusted is not None]:
        frames["unadjusted"] = unadjusted
    if events := results.events:
        for name in ("means", "differences", "ratios"):
            frames[f"events_{name}"] = [getattr(event, name).frame for event in events]
    names = slugs(doubt.outcome.name for doubt in results.doubts)
    for doubt in results.doubts:
        own = {f"{name}_{names[doubt.outcome.name]}": [value.frame] for name, value in doubt.estimates.items()}
        frames |= own
    return {f"tables/{name}.csv": to_csv(pd.concat(long, ignore_index=True)) for name, long in frames.items()}


def to_csv(frame: pd.DataFrame) -> bytes:
    """A frame as UTF-8 CSV: text quoted and guarded, numbers as they are, nothing where a number is missing or hidden.

    >>> print(to_csv(pd.DataFrame({"term": ["=1+1", "-"], "estimate": [-0.5, float("nan")]})).decode())
    "term","estimate"
    "'=1+1",-0.5
    "-",""
    <BLANKLINE>
    """
    stream = io.StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow(for_csv(str(name)) for name in frame.columns)
    columns: Iterable[list[object]] = [frame[name].astype(object).tolist() for name in frame.columns]
    writer.writerows([_cell(value) for value in row] for row in zip(*columns, strict=True))
    return stream.getvalue().encode("utf-8")


def _cell(value: object) -> str | int | float:
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return str(bool(value)).lower()
    if isinstance(value, str):
        return for_csv(value)
    if value is None or pd.isna(value):  # type: ignore[call-overload]
        return ""
    number = float(value)  # type: ignore[arg-type]
    if number.is_integer() and abs(number) < 2**53:
        return int(number)
    return "inf" if math.isinf(number) else number
