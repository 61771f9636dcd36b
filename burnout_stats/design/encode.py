"""Terms -> columns. What is learned from the data (levels, means) is kept, so that the same columns can be made for a
reference grid or new data.

A categorical factor in a term gets its reduced coding where the columns before it span the rest, and its full coding
where they do not, so that the columns of a formula are of full rank whenever the data allow it (the rule of Chambers &
Hastie 1992, section 2.4.1, carried to the end as patsy and formulaic do).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from .coding import TRANSFORMS, coded_columns, full_columns
from .parse import Factor, Formula, Term

__all__ = ["Block", "Encoder", "Variable", "coding_matrix", "encoder"]

Array = NDArray[np.float64]
CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Variable:
    """A column as the model sees it.

    Categorical variables have `levels` and, for polynomial coding, `values` of the levels; numeric ones have mean and
    SD over subjects (each subject's rows sharing one weight) and the mean over rows.
    """

    name: str
    levels: tuple[str, ...] = ()
    values: tuple[float, ...] = ()
    mean: float = float("nan")
    sd: float = float("nan")
    row_mean: float = float("nan")

    @property
    def is_categorical(self) -> bool:
        """Whether it has levels."""
        return bool(self.levels)


@dataclass(frozen=True, slots=True)
class Block:
    """A run of columns of one term: numeric factors multiplied, categorical ones coded (true where in full)."""

    term: Term
    numeric: tuple[Factor, ...]
    categorical: tuple[tuple[Factor, bool], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Encoder:
    """Makes the columns of X for any values of the variables.

    Attributes
    ----------
    names : names of the p columns
    blocks : what makes them, in order
    slices : for every term (by label; `Intercept` among them), its columns
    """

    variables: Mapping[str, Variable]
    blocks: tuple[Block, ...]
    names: tuple[str, ...]
    slices: Mapping[str, tuple[int, ...]]
    constant: Array

    def columns(self, values: Mapping[str, NDArray[np.generic]], n_rows: int, out: Array | None = None) -> Array:
        """X (n_rows × p) for integer codes of categorical and values of numeric variables; written into the first p
        columns of `out`.
        """
        X = np.empty((n_rows, len(self.names))) if out is None else out
        for start in range(0, n_rows, CHUNK):
            rows = slice(start, min(start + CHUNK, n_rows))
            part = {name: column[rows] for name, column in values.items()}
            at = 0
            for block in self.blocks:
                for column in self._block(block, part, rows.stop - rows.start):
                    X[rows, at] = column
                    at += 1
        return X

    def slopes(self, values: Mapping[str, NDArray[np.generic]], n_rows: int, variable: str) -> Array:
        """The derivatives of the columns by a numeric variable (n_rows × p), by the product rule over the factors of
        each term.
        """
        X = np.zeros((n_rows, len(self.names)))
        at = 0
        for block in self.blocks:
            width = len(_names(block, self.variables))
            for own in (k for k, factor in enumerate(block.numeric) if factor.variable == variable):
                for j, column in enumerate(self._block(block, values, n_rows, slope=own)):
                    X[:, at + j] += column
            at += width
        return X

    def _block(
        self, block: Block, values: Mapping[str, NDArray[np.generic]], n_rows: int, slope: int = -1
    ) -> Iterator[Array]:
        """The columns of a block; with `slope`, that numeric factor stands with its derivative."""
        multiplier: Array | None = None
        for k, factor in enumerate(block.numeric):
            column = (_slope if k == slope else _transformed)(
                factor, self.variables[factor.variable], np.asarray(values[factor.variable], dtype=float)
            )
            multiplier = column if multiplier is None else multiplier * column
        if not block.categorical:
            yield np.ones(n_rows) if multiplier is None else multiplier
            return
        coded = []
        for factor, full in block.categorical:
            matrix, _ = _coding(factor, self.variables[factor.variable], full)
            codes = np.asarray(values[factor.variable])
            coded.append([column.take(codes) for column in matrix.T])
        for reversed_choice in product(*reversed(coded)):
            factors = [*([] if multiplier is None else [multiplier]), *reversed(reversed_choice)]
            yield reduce(np.multiply, factors)


def encoder(formula: Formula, variables: Mapping[str, Variable]) -> Encoder:
    """The encoder of a formula's fixed part."""
    spanned: dict[frozenset[Factor], set[frozenset[Factor]]] = {}
    blocks: list[Block] = []
    if formula.intercept:
        spanned[frozenset()] = {frozenset()}
        blocks.append(Block((), (), ()))
    for term in formula.terms:
        numeric = tuple(f for f in term if not variables[f.variable].is_categorical)
        categorical = tuple(f for f in term if variables[f.variable].is_categorical)
        known = spanned.setdefault(frozenset(numeric), set())
        subsets = [frozenset(s) for size in range(len(categorical) + 1) for s in combinations(categorical, size)]
        fresh = [subset for subset in subsets if subset not in known]
        known.update(subsets)
        for coding in _absorbed(fresh):
            ordered = tuple((f, coding[f]) for f in categorical if f in coding)
            blocks.append(Block(term, numeric, ordered))
    names: list[str] = []
    slices: dict[str, tuple[int, ...]] = {}
    widths: list[int] = []
    for block in blocks:
        own = _names(block, variables)
        widths.append(len(own))
        label = ":".join(map(str, block.term)) or "Intercept"
        slices[label] = (*slices.get(label, ()), *range(len(names), len(names) + len(own)))
        names += own
    return Encoder(dict(variables), tuple(blocks), tuple(names), slices, _constant(blocks, widths))


def _absorbed(subsets: list[frozenset[Factor]]) -> list[dict[Factor, bool]]:
    """Merge spans: a reduced coding of S ∪ {f} next to S itself is the full coding of f on S."""
    codings: list[dict[Factor, bool]] = [dict.fromkeys(subset, False) for subset in subsets]
    merged = True
    while merged:
        merged = False
        for short, long in product(codings, codings):
            extra = [f for f in long if f not in short]
            same = all(f in long and long[f] == full for f, full in short.items())
            if len(extra) == 1 and len(long) == len(short) + 1 and same and not long[extra[0]]:
                long[extra[0]] = True
                codings = [coding for coding in codings if coding is not short]
                merged = True
                break
    return codings


def _names(block: Block, variables: Mapping[str, Variable]) -> list[str]:
    if not block.term:
        return ["Intercept"]
    parts: dict[Factor, tuple[str, ...]] = {f: (str(f),) for f in block.numeric}
    for factor, full in block.categorical:
        parts[factor] = _coding(factor, variables[factor.variable], full)[1]
    order = [f for f in block.term if f in parts]
    return [":".join(reversed(choice)) for choice in product(*(parts[f] for f in reversed(order)))]


def coding_matrix(factor: Factor, variable: Variable, full: bool) -> Array:
    """The columns (levels × columns) that stand for a categorical factor."""
    return _coding(factor, variable, full)[0]


def _coding(factor: Factor, variable: Variable, full: bool) -> tuple[Array, tuple[str, ...]]:
    if full:
        return full_columns(variable.name, variable.levels)
    coding = str(factor.arguments[0]) if factor.transform == "coded" else "treatment"
    values = np.array(variable.values or range(len(variable.levels)), dtype=float)
    return coded_columns(variable.name, variable.levels, coding, values)


def _transformed(factor: Factor, variable: Variable, column: Array) -> Array:
    if not factor.transform:
        return column
    with np.errstate(divide="ignore", invalid="ignore"):
        changed: Array = TRANSFORMS[factor.transform].function(column, variable.mean, variable.sd, *factor.arguments)
    return changed


def _slope(factor: Factor, variable: Variable, column: Array) -> Array:
    if not factor.transform:
        return np.ones_like(column)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope: Array = TRANSFORMS[factor.transform].slope(column, variable.mean, variable.sd, *factor.arguments)
    return slope


def _constant(blocks: list[Block], widths: list[int]) -> Array:
    """u with X u = 1: the intercept, or the indicators of a factor coded in full; zeros where there is neither."""
    u = np.zeros(sum(widths))
    at = 0
    for block, width in zip(blocks, widths, strict=True):
        if not block.numeric and all(full for _, full in block.categorical):
            u[at : at + width] = 1.0
            return u
        at += width
    return u
