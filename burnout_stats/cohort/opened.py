"""`Opened`: a file after its format has been dealt with, and before its cells mean anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import DataError, SetupError
from ..notices import Notice
from .layout import Table

__all__ = ["MAX_CELLS", "Opened", "damaged", "missing_extra", "too_large"]

MAX_CELLS = 200_000_000
"""Rows times columns that are read into memory: 20 million visits of 10 columns."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Opened:
    """The table of a file, how it was read, and what the file itself says about its columns.

    `labels` are variable labels by column: what the file calls it, in words.
    """

    table: Table
    rows_read: int
    dialect: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()


def missing_extra(library: str, reads: str) -> SetupError:
    """A library that reads a format is not installed."""
    return SetupError(
        "E-SETUP-EXTRA",
        f"{library} is not installed.",
        f"It reads {reads}.",
        'Install it with: pip install "burnout-stats[io]"',
    )


def damaged(what: str, why: str) -> DataError:
    """A file that its own format's reader cannot read; `why` is a kind of trouble, never a cell."""
    return DataError(
        "E-DATA-DAMAGED",
        f"The file cannot be read as {what} ({why}).",
        "A file is read whole or not at all.",
        "Copy it again, or save it again from the program that wrote it.",
    )


def too_large(what: str) -> DataError:
    """A file that would unfold to more than any cohort."""
    return DataError(
        "E-DATA-BOMB",
        what,
        "A small file that unfolds to far more than a cohort is damaged, or made to do harm.",
        "Check where it comes from; if it is good, read it in your own way and hand the data frame to read_cohort.",
    )
