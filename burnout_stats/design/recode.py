"""The same model in another coding of its factors.

Every column of X that codes factors is a combination of products of reduced codings, one product for each set of
factors (and of numeric variables) that the model knows. With X = X* T, the coefficients of the products are T β; which
of them a term brings into the model says what the term is about, however its factors were coded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from .coding import coded_columns
from .encode import Block, Encoder, coding_matrix
from .parse import Factor, Term

__all__ = ["Recoding", "contains", "recoded"]

Array = NDArray[np.float64]
Effect = tuple[frozenset[Factor], frozenset[Factor]]
"""Numeric factors and categorical ones of a product."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recoding:
    """Coefficients in another coding.

    Attributes
    ----------
    T : (p, p) array
        X = X* T, so that T β are the coefficients of X*.
    rows : for every term, by its label, the rows of T that it brings into the model; the constant belongs to none
    """

    T: Array
    rows: Mapping[str, tuple[int, ...]]


def recoded(encoder: Encoder, coding: str) -> Recoding:
    """The columns of an encoder in terms of one reduced coding ("sum", "treatment") of all factors."""
    factors = list(dict.fromkeys(factor for block in encoder.blocks for factor, _ in block.categorical))
    expansions = {
        (factor, full): _expansion(encoder, factor, full, coding)
        for block in encoder.blocks
        for factor, full in block.categorical
    }
    places: dict[Effect, slice] = {}
    owned: dict[str, list[int]] = {}
    parts: list[tuple[slice, slice, Array]] = []
    column = row = 0
    for block in encoder.blocks:
        for effect, part in _parts(block, expansions, factors):
            if effect not in places:
                places[effect] = slice(row, row + len(part))
                if effect != (frozenset(), frozenset()):
                    owned.setdefault(_label(block.term), []).extend(range(row, row + len(part)))
                row += len(part)
            parts.append((places[effect], slice(column, column + part.shape[1]), part))
        column += int(np.prod([expansions[pair].shape[1] for pair in block.categorical]))
    T = np.zeros((row, column))
    for rows, columns, part in parts:
        T[rows, columns] += part
    return Recoding(T=T, rows={label: tuple(own) for label, own in owned.items()})


def contains(encoder: Encoder, larger: Term, smaller: Term) -> bool:
    """Whether a term contains another: the same numeric factors, and all its categorical ones and more."""

    def sides(term: Term) -> tuple[set[Factor], set[Factor]]:
        categorical = {f for f in term if encoder.variables[f.variable].is_categorical}
        return set(term) - categorical, categorical

    (numeric, categorical), (own_numeric, own) = sides(larger), sides(smaller)
    return numeric == own_numeric and own < categorical


def _label(term: Term) -> str:
    return ":".join(map(str, term))


def _expansion(encoder: Encoder, factor: Factor, full: bool, coding: str) -> Array:
    """W with M = (1, S) W, for the coded matrix M of a factor and the reduced coding S."""
    variable = encoder.variables[factor.variable]
    M = coding_matrix(factor, variable, full)
    S, _ = coded_columns(variable.name, variable.levels, coding, np.arange(float(len(variable.levels))))
    return np.asarray(np.linalg.solve(np.column_stack([np.ones(len(M)), S]), M), dtype=np.float64)


def _parts(
    block: Block, expansions: Mapping[tuple[Factor, bool], Array], order: list[Factor]
) -> list[tuple[Effect, Array]]:
    """What the columns of a block are in each product of its factors: (rows of the product × columns of the block)."""
    numeric = frozenset(block.numeric)
    parts = []
    for inside in product((False, True), repeat=len(block.categorical)):
        whole = np.ones((), dtype=np.float64)
        for pair, is_in in zip(block.categorical, inside, strict=True):
            W = expansions[pair]
            whole = np.asarray(np.multiply.outer(whole, W[1:] if is_in else W[:1]), dtype=np.float64)
        mine = [k for k, is_in in enumerate(inside) if is_in]
        mine.sort(key=lambda k: order.index(block.categorical[k][0]))
        rest = [k for k, is_in in enumerate(inside) if not is_in]
        rows = [2 * k for k in (*mine, *rest)][::-1]
        columns = [2 * k + 1 for k in range(len(inside))][::-1]
        n_columns = int(np.prod([expansions[pair].shape[1] for pair in block.categorical]))
        part = whole.transpose(*rows, *columns).reshape(-1, n_columns)
        parts.append(((numeric, frozenset(block.categorical[k][0] for k in mine)), part))
    return parts
