"""Arithmetic that carries first and second derivatives along: how covariance structures get theirs exactly.

A jet in m parameters is a value with its gradient and Hessian. Its elements may be arrays of `rank` axes s: value
(..., *s), gradient (..., m, *s), Hessian (..., m, m, *s). Sums, products and smooth functions follow the rules of
Leibniz and Faà di Bruno to second order, so derivatives have as many digits as values.

**Source**: Griewank & Walther 2008, Evaluating Derivatives (SIAM), chapter 13.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["Jet", "parameters"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Jet:
    """A value with first and second derivatives."""

    value: Array
    gradient: Array
    hessian: Array
    rank: int = 0

    def __add__(self, other: Jet | Array | float) -> Jet:
        if not isinstance(other, Jet):
            return Jet(self.value + other, self.gradient, self.hessian, self.rank)
        a, b = _alike(self, other)
        return Jet(a.value + b.value, a.gradient + b.gradient, a.hessian + b.hessian, a.rank)

    def __neg__(self) -> Jet:
        return self * -1.0

    def __sub__(self, other: Jet | Array | float) -> Jet:
        return self + (-other)

    def __mul__(self, other: Jet | Array | float) -> Jet:
        """Times a jet, or times a fixed number or array of the shape of an element."""
        if not isinstance(other, Jet):
            return Jet(self.value * other, self.gradient * other, self.hessian * other, self.rank)
        a, b = _alike(self, other)
        outer = a._column() * b._row()
        hessian = a.hessian * b._value(2) + b.hessian * a._value(2) + outer + _transposed(outer, a.rank)
        return Jet(a.value * b.value, a.gradient * b._value(1) + b.gradient * a._value(1), hessian, a.rank)

    def map(self, value: Array, first: Array, second: Array) -> Jet:
        """f of the jet, from f, f' and f'' at its value."""
        f = Jet(first, self.gradient, self.hessian, self.rank)
        g = Jet(second, self.gradient, self.hessian, self.rank)
        outer = self._column() * self._row()
        return Jet(value, self.gradient * f._value(1), self.hessian * f._value(2) + outer * g._value(2), self.rank)

    def exp(self) -> Jet:
        """e to the power of the jet."""
        e = np.exp(self.value)
        return self.map(e, e, e)

    def tanh(self) -> Jet:
        """Hyperbolic tangent, the real line onto (-1, 1)."""
        t = np.tanh(self.value)
        return self.map(t, 1 - t**2, -2 * t * (1 - t**2))

    def expit(self) -> Jet:
        """Logistic function, the real line onto (0, 1)."""
        f = special.expit(self.value)
        return self.map(f, f * (1 - f), f * (1 - f) * (1 - 2 * f))

    def power(self, exponent: Array) -> Jet:
        """A jet of numbers to fixed powers, an array of shape s: a jet of elements of that shape."""
        grown = self.spread(exponent.ndim)

        def falling(order: int) -> Array:
            factor = np.ones_like(exponent)
            for k in range(order):
                factor = factor * (exponent - k)
            return factor * grown.value ** np.where(factor == 0, 0.0, exponent - order)

        return grown.map(falling(0), falling(1), falling(2))

    def spread(self, rank: int) -> Jet:
        """The same jet with axes of length 1 for elements of that rank."""
        grow = (..., *(None,) * (rank - self.rank))
        return Jet(self.value[grow], self.gradient[grow], self.hessian[grow], rank)

    def _value(self, axes: int) -> Array:
        return _inserted(self.value, self.value.ndim - self.rank, axes)

    def _column(self) -> Array:
        return _inserted(self.gradient, self.gradient.ndim - self.rank, 1)

    def _row(self) -> Array:
        return _inserted(self.gradient, self.gradient.ndim - self.rank - 1, 1)


def parameters(theta: Array, *, derivatives: bool = True) -> list[Jet]:
    """θ (..., m) as m jets of numbers, each its own first derivative; without derivatives where none are wanted."""
    m = theta.shape[-1]
    carried = m if derivatives else 0
    none = np.zeros((carried, carried))
    return [Jet(theta[..., i], np.eye(m, carried)[i], none) for i in range(m)]


def _alike(a: Jet, b: Jet) -> tuple[Jet, Jet]:
    rank = max(a.rank, b.rank)
    return a.spread(rank), b.spread(rank)


def _inserted(array: Array, position: int, axes: int) -> Array:
    return array.reshape(*array.shape[:position], *(1,) * axes, *array.shape[position:])


def _transposed(array: Array, rank: int) -> Array:
    return np.swapaxes(array, array.ndim - rank - 1, array.ndim - rank - 2)
