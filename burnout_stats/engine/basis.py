"""The coordinates in which cross-products are taken: columns centered, then orthonormalized, so that squaring does not
lose digits.

Rows z = (x, y) with p columns of x and one of y become

    x̃ = (x − 1 m') A,    ỹ = (y − m_y) / s_y

with A upper triangular. Where the constant 1 is a combination X u = 1 of the columns, centering only moves the
coefficients of that combination: x̃ = x (I − u m') A =: x C, and a coefficient vector γ of the new coordinates is β =
s_y C γ + m_y u in the old ones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["Basis"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Basis:
    """A change of coordinates, fixed once from the data (or from the first chunk of a stream).

    Attributes
    ----------
    center : (p + 1,) array
        Subtracted from every row of (x, y); 0 for the columns that make up the constant.
    constant : (p,) array
        u with X u = 1, or zeros where the constant is not in the span of X (then `center` is zero too).
    transform : (..., p, p) array
        A, upper triangular.
    scale : (...) array
        s_y.
    """

    center: Array
    constant: Array
    transform: Array
    scale: Array

    @classmethod
    def centered(cls, center: Array, constant: Array) -> Basis:
        """A basis that only centers; `center` is made zero where the constant needs it."""
        constant = np.asarray(constant, dtype=float)
        in_span = bool(np.any(constant))
        moved = (
            np.where(np.append(constant == 0, True), np.asarray(center, dtype=float), 0.0)
            if in_span
            else np.zeros(len(constant) + 1)
        )
        return cls(center=moved, constant=constant, transform=np.eye(len(constant)), scale=np.asarray(1.0))

    @property
    def map(self) -> Array:
        """C = (I − u m') A, shape (..., p, p): new columns in terms of the old, x̃ = x C."""
        moved = np.einsum("j,...jk->...k", self.center[:-1], self.transform)[..., None, :]
        C: Array = self.transform - self.constant[:, None] * moved
        return C

    @property
    def log_determinant(self) -> Array:
        """log |det C|, shape (...)."""
        logs: Array = np.log(np.abs(np.diagonal(self.transform, axis1=-2, axis2=-1))).sum(-1)
        return logs

    def coefficients(self, gamma: Array) -> Array:
        """β for coefficients γ of the new coordinates, shape (..., p)."""
        moved: Array = (
            self.scale[..., None] * np.einsum("...ij,...j->...i", self.map, gamma) + self.center[-1] * self.constant
        )
        return moved

    def functions(self, L: Array) -> tuple[Array, Array]:
        """Linear functions L β (k × p) as L̃ γ + offset: returns L̃ (..., k, p) and the offset (k,)."""
        return self.scale[..., None, None] * (L @ self.map), self.center[-1] * (L @ self.constant)

    def then(self, transform: Array, scale: Array) -> Basis:
        """The basis that follows this one by a further transform of the columns and a further scale of y."""
        return replace(self, transform=self.transform @ transform, scale=self.scale * scale)

    def recentered(self, center: Array) -> Basis:
        """A basis that only centers, at another place.

        Raises
        ------
        ValueError
            Where the columns have been transformed, which stands between them and their center.
        """
        if not np.array_equal(self.transform, np.eye(len(self.constant))) or np.any(self.scale != 1.0):
            raise ValueError("Only columns that have not been transformed can be centered at another place.")
        return Basis.centered(center, self.constant)

    def same_as(self, other: Basis) -> bool:
        """Whether two sets of moments stand in the same coordinates."""
        return all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name in ("center", "constant", "transform", "scale")
        )
