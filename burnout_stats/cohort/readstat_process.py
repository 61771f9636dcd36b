"""A process of its own that reads one SPSS, Stata or SAS file with pyreadstat and writes it to stdout as JSON.

ReadStat, the C library behind pyreadstat, can crash on damaged files; here it takes down nothing but this process.
This file is run, never imported: python -P readstat_process.py FUNCTION ENCODING FILE
"""

from __future__ import annotations

import json
import sys
from typing import Any

MEMORY = 16 << 30
"""A damaged file may ask for any amount of memory; this process gets 16 GiB."""


def main(function: str, encoding: str, file: str) -> None:
    """Write the columns, value labels, variable labels and user-missing codes of the file."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    except (ImportError, ValueError, OSError):
        pass  # not a system with such limits
    import pyreadstat

    options: dict[str, Any] = {"output_format": "dict"}
    if function in ("read_sav", "read_dta", "read_sas7bdat"):
        options["user_missing"] = True
    if encoding and function != "read_por":
        options["encoding"] = encoding
    columns, about = getattr(pyreadstat, function)(file, **options)
    told = {
        "names": list(about.column_names),
        "columns": {str(name): list(values) for name, values in columns.items()},
        "rows": about.number_rows,
        "types": dict(about.readstat_variable_types),
        "encoding": about.file_encoding,
        "variable_labels": {name: label for name, label in about.column_names_to_labels.items() if label},
        "value_labels": {name: list(labels.items()) for name, labels in about.variable_value_labels.items()},
        "missing_ranges": getattr(about, "missing_ranges", None) or {},
        "missing_letters": getattr(about, "missing_user_values", None) or {},
    }
    json.dump(told, sys.stdout, default=_plain)


def _plain(value: Any) -> Any:
    """What JSON does not know: dates in ISO form, numbers of numpy as Python's."""
    if hasattr(value, "isoformat"):
        return value.isoformat(sep=" ") if hasattr(value, "hour") and hasattr(value, "year") else value.isoformat()
    return value.item() if hasattr(value, "item") else str(value)


if __name__ == "__main__":
    main(*sys.argv[1:])
