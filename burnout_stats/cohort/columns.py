"""A column of the source and its conversion by declared rule: to identifiers, to numbers, to labels.

Numeric columns of a data frame stay the numbers they are. Everything else is text, and is worked on once per distinct
text: `codes` says which text stands in a row, -1 where the cell is empty.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError

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

    def __bool__(self) -> bool:
        return bool(self.texts)

    def code(self, cell: str, decimal: str) -> str | None:
        """The code that a cell holds, written as a plain number where it is one; None where it holds none."""
        if self.numbers and NUMBER[decimal].fullmatch(cell):
            number = float(cell.replace(",", "."))
            if number in self.numbers:
                return plain(number)
        return cell if cell in self.texts else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Column:
    """Either `numbers` (a numeric column of a frame) or `codes` into `texts`; `is_ordered` where the texts came in a
    declared order.

    A statistical file says more: `labels` are its value labels, by number or text; `asked` is for each row the place in
    `asked_texts` of the user-missing code that stood there (the cell itself is then empty), or -1.
    """

    numbers: NDArray[np.generic] | None = None
    codes: Codes = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    texts: tuple[str, ...] = ()
    is_ordered: bool = False
    labels: Mapping[Any, str] = field(default_factory=dict)
    asked: Codes | None = None
    asked_texts: tuple[str, ...] = ()

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
        if isinstance(kind, np.dtype) and kind.kind in "iuf":
            return cls(numbers=series.to_numpy())
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
        if pd.api.types.is_datetime64_any_dtype(kind):
            codes, days = pd.factorize(series)
            return cls._of_texts(codes.astype(np.int64), [plain(day) for day in days])
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

    @classmethod
    def of_values(cls, values: Sequence[object], labels: Mapping[Any, str] | None = None) -> Column:
        """A column of typed cells (of a workbook, of a statistical file): numbers where all cells are numbers or empty
        (None), texts otherwise.

        Whole numbers without gaps stay whole, so that identifiers are what they look like.
        """
        kinds = {type(value) for value in values} - {type(None)}
        if kinds and kinds <= {int, float} and not _beyond_float(values, kinds):
            array = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
            if np.isfinite(array).all() and (array == np.rint(array)).all() and (np.abs(array) < 2**53).all():
                return cls(numbers=array.astype(np.int64), labels=labels or {})
            return cls(numbers=array, labels=labels or {})
        cells = [None if value is None else plain(value) for value in values]
        codes, found = pd.factorize(np.array(cells, dtype=object))
        column = cls._of_texts(codes.astype(np.int64), found.tolist())
        return replace(column, labels={plain(value): label for value, label in (labels or {}).items()})

    def marked(self, asked: Codes, texts: tuple[str, ...]) -> Column:
        """The same column, with the user-missing codes that stood in its empty cells."""
        return replace(self, asked=asked, asked_texts=texts)

    @classmethod
    def stacked(cls, parts: Sequence[Column | None], n_rows: int) -> Column:
        """Columns one below the other; None stands for `n_rows` empty cells.

        Raises
        ------
        DataError
            `E-DATA-LABELS` where a value means one thing here and another there.
        """
        given = [part for part in parts if part is not None]
        labels: dict[Any, str] = {}
        for value, label in (item for part in given for item in part.labels.items()):
            if labels.setdefault(value, label) != label:
                raise DataError(
                    "E-DATA-LABELS",
                    "The columns of one variable have different value labels for the same value.",
                    "What is measured at each visit has the same value labels in all its columns.",
                    "Mend the value labels in the program that wrote the file.",
                )
        asked, asked_texts = _stacked_codes(
            [None if part is None or part.asked is None else (part.asked, part.asked_texts) for part in parts], n_rows
        )
        said: dict[str, Any] = {"asked": asked if asked_texts else None, "asked_texts": asked_texts}
        if all(part.numbers is not None for part in given):
            nothing = np.full(n_rows, np.nan)
            numbers = np.concatenate([nothing if part is None else np.asarray(part.numbers) for part in parts])
            return cls(numbers=numbers, labels=labels, **said)
        codes, texts = _stacked_codes([None if part is None else part._as_texts() for part in parts], n_rows)
        return cls(codes=codes, texts=texts, labels={plain(value): text for value, text in labels.items()}, **said)

    def _as_texts(self) -> tuple[Codes, tuple[str, ...]]:
        if self.numbers is None:
            return self.codes, self.texts
        codes, found = pd.factorize(self.numbers)
        return codes.astype(np.int64), tuple(plain(number) for number in np.asarray(found).tolist())

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

    def to_labels(self, missing: MissingCodes, known: Container[str] = ()) -> tuple[Codes, tuple[str, ...]]:
        """For each row the place of its label or -1, and the labels, each once.

        Space around a label and repeated space inside do not count. Numbers are written without needless decimals: 3.0
        is `3`. Values with value labels bear these, in order of the values, unless `known` holds the values themselves.
        """
        if self.numbers is not None:
            codes, found = pd.factorize(self.numbers, sort=bool(self.labels))
            texts = [plain(number) for number in np.asarray(found).tolist()]
        else:
            codes, texts = self.codes, [" ".join(text.split()) for text in self.texts]
        used = np.zeros(len(texts) + 1, dtype=bool)
        used[codes] = True
        places = [place for place, text in enumerate(texts) if used[place] and text and missing.code(text, ".") is None]
        names = self._named(found.tolist() if self.numbers is not None else texts, texts, places, known)
        kept: dict[str, int] = {}
        table = np.full(len(texts) + 1, -1, dtype=np.int64)
        for place in places:
            table[place] = kept.setdefault(names[place], len(kept))
        return table[codes], tuple(kept)

    def _named(
        self, values: Sequence[object], texts: Sequence[str], places: Sequence[int], known: Container[str]
    ) -> Sequence[str]:
        """The value labels of the texts; the texts themselves where these are what is declared."""
        if not self.labels:
            return texts
        names = [self.labels.get(value, text) for value, text in zip(values, texts, strict=True)]
        are_codes = all(texts[place] in known for place in places)
        return texts if are_codes and not all(names[place] in known for place in places) else names

    def met(self, missing: MissingCodes, decimal: str) -> tuple[Codes, tuple[str, ...]]:
        """For each row the place of the code for "no value" that stands in it, or -1, and the codes, in the words of
        their value labels where they have some.
        """
        kept: dict[str, int] = {}
        met = np.full(len(self), -1, dtype=np.int64)
        if self.numbers is not None:
            for number in sorted(missing.numbers):
                rows = self.numbers == number
                if rows.any():
                    met[rows] = kept.setdefault(self.labels.get(number, plain(number)), len(kept))
        elif missing:
            table = np.full(len(self.texts) + 1, -1, dtype=np.int64)
            for place in self.used():
                code = missing.code(self.texts[place].strip(), decimal)
                if code is not None:
                    table[place] = kept.setdefault(self.labels.get(code, code), len(kept))
            met = table[self.codes]
        if self.asked is not None:
            table = np.array([*(kept.setdefault(text, len(kept)) for text in self.asked_texts), -1], dtype=np.int64)
            met = np.where(self.asked >= 0, table[self.asked], met)
        return met, tuple(kept)

    def look(self, missing: MissingCodes, marks: str) -> tuple[int, int]:
        """How many distinct texts are numbers under one of the decimal marks, and how many are something else."""
        if self.labels:
            found = (
                [number for number in np.unique(self.numbers).tolist() if not np.isnan(number)]
                if self.numbers is not None
                else [self.texts[place] for place in self.used()]
            )
            values = [value for value in found if missing.code(plain(value), ".") is None]
            if values and all(value in self.labels for value in values):
                return 0, len(values)
        if self.numbers is not None:
            return 1, 0
        cells = [self.texts[place].strip() for place in self.used()]
        cells = [cell for cell in cells if cell not in missing.texts]
        numbers = sum(any(NUMBER[mark].fullmatch(cell) for mark in marks) for cell in cells)
        return numbers, len(cells) - numbers


def _stacked_codes(parts: Sequence[tuple[Codes, tuple[str, ...]] | None], n_rows: int) -> tuple[Codes, tuple[str, ...]]:
    """Codes into texts one below the other, as codes into all the texts, each once; None stands for empty rows."""
    kept: dict[str, int] = {}
    stack = []
    for part in parts:
        codes, texts = part or (np.full(n_rows, -1, dtype=np.int64), ())
        table = np.array([*(kept.setdefault(text, len(kept)) for text in texts), -1], dtype=np.int64)
        stack.append(table[codes])
    return np.concatenate(stack), tuple(kept)


def _beyond_float(values: Sequence[object], kinds: set[type]) -> bool:
    """Whether some whole number has more digits than a float keeps: it is then an identifier, and stays text."""
    return int in kinds and any(isinstance(value, int) and abs(value) > 2**53 for value in values)


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
