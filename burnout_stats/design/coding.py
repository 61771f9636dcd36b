"""The columns that stand for a categorical variable, and the transforms of a numeric one: two tables.

A coding of k levels gives a k × (k − 1) matrix whose columns, with the constant, span all differences between levels;
the full coding is the identity. Names follow the columns: `visit[1 year]` is an indicator, `visit[sum: 1 year]` a
deviation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CODINGS", "TRANSFORMS", "Transform", "coded_columns", "full_columns"]

Array = NDArray[np.float64]


def _treatment(k: int, _: Array) -> Array:
    return np.eye(k)[:, 1:]


def _sum(k: int, _: Array) -> Array:
    return np.vstack([np.eye(k - 1), -np.ones(k - 1)])


def _helmert(k: int, _: Array) -> Array:
    """Each level against the mean of those before it, as R's contr.helmert."""
    columns = np.zeros((k, k - 1))
    for j in range(k - 1):
        columns[: j + 1, j] = -1.0
        columns[j + 1, j] = j + 1.0
    return columns


def _sequential(k: int, _: Array) -> Array:
    """Each level against the one before it: coefficients are successive differences of level means (Venables & Ripley's
    contr.sdif).
    """
    j = np.arange(1, k)
    return np.where(np.arange(k)[:, None] >= j, (j * 1.0)[None, :], (j - k) * 1.0) / k


def _polynomial(k: int, values: Array) -> Array:
    """Orthonormal polynomials on the levels' values (years for visits, 1, 2, ... otherwise)."""
    centered = values - values.mean()
    q, r = np.linalg.qr(np.vander(centered, k, increasing=True))
    return (q * np.sign(np.diag(r)))[:, 1:]


CODINGS: dict[str, Callable[[int, Array], Array]] = {
    "treatment": _treatment,
    "sum": _sum,
    "helmert": _helmert,
    "sequential": _sequential,
    "polynomial": _polynomial,
}


def full_columns(variable: str, levels: tuple[str, ...]) -> tuple[Array, tuple[str, ...]]:
    """One indicator per level, with names."""
    return np.eye(len(levels)), tuple(f"{variable}[{level}]" for level in levels)


def coded_columns(variable: str, levels: tuple[str, ...], coding: str, values: Array) -> tuple[Array, tuple[str, ...]]:
    """The reduced coding and the names of its columns."""
    matrix = CODINGS[coding](len(levels), values)
    if coding == "treatment":
        return matrix, tuple(f"{variable}[{level}]" for level in levels[1:])
    if coding == "polynomial":
        return matrix, tuple(f"{variable}[degree {degree}]" for degree in range(1, len(levels)))
    marked = levels[:-1] if coding == "sum" else levels[1:]
    return matrix, tuple(f"{variable}[{coding}: {level}]" for level in marked)


@dataclass(frozen=True, slots=True)
class Transform:
    """A function of one numeric column, the mean and SD of that column over subjects, and literal arguments; and its
    derivative by the column. `needs_mean` where it depends on that mean, which a stream does not know in time.
    """

    function: Callable[..., Array]
    slope: Callable[..., Array]
    n_arguments: int = 0
    needs_mean: bool = False


TRANSFORMS: dict[str, Transform] = {
    "log": Transform(lambda x, mean, sd: np.log(x), lambda x, mean, sd: 1 / x),
    "sqrt": Transform(lambda x, mean, sd: np.sqrt(x), lambda x, mean, sd: 0.5 / np.sqrt(x)),
    "center": Transform(lambda x, mean, sd: x - mean, lambda x, mean, sd: np.ones_like(x), needs_mean=True),
    "standardize": Transform(
        lambda x, mean, sd: (x - mean) / sd, lambda x, mean, sd: np.full_like(x, 1 / sd), needs_mean=True
    ),
    "power": Transform(
        lambda x, mean, sd, exponent: x**exponent, lambda x, mean, sd, exponent: exponent * x ** (exponent - 1), 1
    ),
    "per": Transform(lambda x, mean, sd, unit: x / unit, lambda x, mean, sd, unit: np.full_like(x, 1 / unit), 1),
}
