"""A column of the source and its conversion by declared rule: to identifiers, to numbers, to labels.

Numeric columns of a data frame stay the numbers they are. Everything else is text, and is worked on once per distinct
text: `codes` says which text stands in a row, -1 where the cell is empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Column", "MissingCodes", "UntypedError", "decimal_rows", "plain", "shape_of"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

NUMBER = {
    ".": re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"),
    ",": re.compile(r"[+-]?(?:[0-9]+,?[0-9]*|,[0-9]+)(?:[eE][+-]?[0-9]+)?"),
}
"""What a number looks like, by decimal mark. No thousands separators, no infinities, no words."""


AMBIGUOUS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
"""A number whose comma could separate decimals or thousands."""


class UntypedError(Exception):
    """A column of a data frame that holds neither numbers nor text; the reader turns it into a Problem."""


@dataclass(frozen=True, slots=True)
class MissingCodes:
    """Declared codes that mean "no value", compared as text and, where they are numbers, as numbers."""

    texts: frozenset[str] = frozenset()
    numbers: frozenset[float] = frozenset()

    @classmethod
    def of(cls, codes: Iterable[object]) -> MissingCodes:
        """From what a user writes: `[99, -9, "."]`."""
        texts = frozenset(plain(code) if isinstance(code, (int, float)) else str(code).strip() for code in codes)
        return cls(texts, frozenset(float(text) for text in texts if NUMBER["."].fullmatch(text)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """Either `numbers` (a numeric column of a frame) or `codes` into `texts`; `is_ordered` where the texts came in a
    declared order.
    """

    numbers: NDArray[np.generic] | None = None
    codes: Codes = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    texts: tuple[str, ...] = ()
    is_ordered: bool = False

    @classmethod
    def of_cells(cls, cells: NDArray[np.object_]) -> Column:
        """A column of a text file."""
        codes, texts = pd.factorize(cells)
        return cls._of_texts(codes.astype(np.int64), [str(text) for text in texts])

    @classmethod
    def of_series(cls, series: pd.Series) -> Column:
        """A column of a data frame.

        Raises
        ------
        UntypedError
            Where cells are neither numbers nor text (lists, complex numbers, ...).
        """
        kind = series.dtype
        if isinstance(kind, pd.CategoricalDtype):
            texts = [plain(level) for level in kind.categories]
            return cls._of_texts(series.cat.codes.to_numpy().astype(np.int64), texts, is_ordered=True)
        if pd.api.types.is_complex_dtype(kind):
            raise UntypedError
        if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind):
            if isinstance(kind, np.dtype):
                return cls(numbers=series.to_numpy())
            if pd.api.types.is_integer_dtype(kind) and not series.hasnans:
                return cls(numbers=series.to_numpy(dtype=np.int64))
            return cls(numbers=series.to_numpy(dtype=float, na_value=np.nan))
        try:
            codes, found = pd.factorize(series.astype(object).to_numpy())
        except TypeError:
            raise UntypedError from None
        if pd.api.types.infer_dtype(found, skipna=True) == "string":
            return cls._of_texts(codes.astype(np.int64), found.tolist())
        if not all(isinstance(cell, (str, Real, Decimal, np.bool_)) or hasattr(cell, "isoformat") for cell in found):
            raise UntypedError
        return cls._of_texts(codes.astype(np.int64), [plain(cell) for cell in found])

    @classmethod
    def _of_texts(cls, codes: Codes, texts: Sequence[str], *, is_ordered: bool = False) -> Column:
        blank = [place for place, text in enumerate(texts) if not text.strip()]
        if blank:
            codes = np.where(np.isin(codes, blank), -1, codes)
        return cls(codes=codes, texts=tuple(texts), is_ordered=is_ordered)

    def __len__(self) -> int:
        return len(self.codes if self.numbers is None else self.numbers)

    def used(self) -> list[int]:
        """The places of the texts that stand in some row."""
        stands = np.zeros(len(self.texts) + 1, dtype=bool)
        stands[self.codes] = True
        return np.flatnonzero(stands[:-1]).tolist()

    def identifiers(self) -> tuple[Codes, NDArray[np.object_], NDArray[np.int64]]:
        """For each row the place of its identifier, the identifiers in order, and the rows that have none.

        Text stays exactly as it is. Identifiers made of digits only are ordered as numbers, all others as text, so that
        the order of rows in the source does not matter.
        """
        if self.numbers is None:
            texts = self.texts
            if all(text.isascii() and text.isdigit() for text in texts):
                order = sorted(self.used(), key=lambda place: (int(texts[place]), texts[place]))
            else:
                order = sorted(self.used(), key=texts.__getitem__)
            rank = np.full(len(texts) + 1, -1, dtype=np.int64)
            rank[order] = np.arange(len(order))
            ids = np.array([*(texts[place] for place in order), None], dtype=object)[:-1]
            return rank[self.codes], ids, np.flatnonzero(self.codes < 0)
        numbers: NDArray[Any] = self.numbers
        without = np.flatnonzero(np.isnan(numbers)) if numbers.dtype.kind == "f" else np.empty(0, dtype=np.int64)
        if not len(without) and len(numbers) and (numbers[1:] >= numbers[:-1]).all():
            starts = np.concatenate([[True], numbers[1:] != numbers[:-1]])
            return np.cumsum(starts, dtype=np.int64) - 1, numbers[starts].astype(object), without
        if numbers.dtype.kind in "iu" and int(numbers.max()) - int(numbers.min()) < 4 * len(numbers):
            shifted = (numbers - numbers.min()).astype(np.int64)
            present = np.bincount(shifted) > 0
            return (
                (np.cumsum(present) - 1)[shifted],
                (np.flatnonzero(present) + int(numbers.min())).astype(object),
                without,
            )
        codes, found = pd.factorize(numbers, sort=True)
        return codes.astype(np.int64), np.asarray(found).astype(object), without

    def to_numbers(self, missing: MissingCodes, decimal: str) -> tuple[Array, NDArray[np.int64]]:
        """The numbers, NaN where there is none, and the rows whose cell is no number."""
        if self.numbers is not None:
            values = self.numbers.astype(np.float64)
            for code in missing.numbers:
                values[values == code] = np.nan
            return values, np.flatnonzero(np.isinf(values))
        table = np.full(len(self.texts) + 1, np.nan)  # the last entry answers for code -1
        wrong = np.zeros(len(self.texts) + 1, dtype=bool)
        pattern = NUMBER[decimal]
        for place, text in enumerate(self.texts):
            cell = text.strip()
            if pattern.fullmatch(cell):
                value = float(cell.replace(",", "."))
                if np.isinf(value):
                    wrong[place] = True
                elif value not in missing.numbers:
                    table[place] = value
            elif cell and cell not in missing.texts:
                wrong[place] = True
        return table[self.codes], np.flatnonzero(wrong[self.codes])

    def to_labels(self, missing: MissingCodes) -> tuple[Codes, tuple[str, ...]]:
        """For each row the place of its label or -1, and the labels, each once.

        Space around a label and repeated space inside do not count. Numbers are written without needless decimals: 3.0
        is `3`.
        """
        if self.numbers is not None:
            codes, found = pd.factorize(self.numbers)
            texts = [plain(number) for number in np.asarray(found).tolist()]
        else:
            codes, texts = self.codes, [" ".join(text.split()) for text in self.texts]
        kept: dict[str, int] = {}
        table = np.full(len(texts) + 1, -1, dtype=np.int64)
        used = np.zeros(len(texts) + 1, dtype=bool)
        used[codes] = True
        for place, text in enumerate(texts):
            number = float(text) if NUMBER["."].fullmatch(text) else None
            if used[place] and text and text not in missing.texts and number not in missing.numbers:
                table[place] = kept.setdefault(text, len(kept))
        return table[codes], tuple(kept)

    def look(self, missing: MissingCodes, marks: str) -> tuple[int, int]:
        """How many distinct texts are numbers under one of the decimal marks, and how many are something else."""
        if self.numbers is not None:
            return 1, 0
        cells = [self.texts[place].strip() for place in self.used()]
        cells = [cell for cell in cells if cell not in missing.texts]
        numbers = sum(any(NUMBER[mark].fullmatch(cell) for mark in marks) for cell in cells)
        return numbers, len(cells) - numbers


def decimal_rows(columns: Iterable[Column]) -> tuple[NDArray[np.int64], NDArray[np.int64], bool]:
    """The rows with a decimal point, those with a decimal comma, and whether some comma can only be a decimal one.

    `1,234` could be 1.234 or one thousand two hundred and thirty-four; `12,5` and `0,123` could not.
    """
    rows: dict[str, list[NDArray[np.bool_]]] = {".": [], ",": []}
    is_certain = False
    for column in columns:
        if column.numbers is not None:
            continue
        has = {mark: np.zeros(len(column.texts) + 1, dtype=bool) for mark in rows}
        for place, text in enumerate(column.texts):
            mark = "," if "," in text else "."
            if mark in text and NUMBER[mark].fullmatch(text.strip()):
                has[mark][place] = True
                is_certain |= mark == "," and not AMBIGUOUS.fullmatch(text.strip())
        for mark, texts in has.items():
            if texts.any():
                rows[mark].append(texts[column.codes])
    points, commas = (
        np.flatnonzero(np.logical_or.reduce(found)) if found else np.empty(0, dtype=np.int64) for found in rows.values()
    )
    return points, commas, is_certain


def plain(value: object) -> str:
    """A cell of a frame as the text a file would hold: 3.0 is `3`."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    return str(value)


def shape_of(text: str) -> str:
    """What a cell looks like without what it says: letters as `a`, digits as `9`.

    >>> shape_of("1.234,5")
    '9.999,9'
    """
    shape = re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", " ".join(text.split())))
    shape = "".join(mark if mark.isascii() and mark.isprintable() else "?" for mark in shape)
    return shape if len(shape) <= 12 else f"{shape[:12]}..."
