"""Gauss-Hermite quadrature for the standard normal distribution, in one dimension or a product of some.

For a standard normal u, E f(u) ≈ Σ_k w_k f(z_k), exact for polynomials of degree 2Q − 1 in each dimension.

**Source**: Golub & Welsch 1969, Math Comp 23:221, for the nodes (`numpy.polynomial.hermite_e`); Liu & Pierce 1994,
Biometrika 81:624, for nodes that follow the integrand.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["nodes"]

Array = NDArray[np.float64]


@lru_cache(maxsize=64)
def nodes(n: int, dimensions: int = 1) -> tuple[Array, Array]:
    """Nodes (n^d × d) and the logarithms of their weights (n^d), which sum to 1.

    >>> z, log_weights = nodes(3)
    >>> [round(float(x), 6) + 0.0 for x in z[:, 0]], round(float(np.exp(log_weights).sum()), 12)
    ([-1.732051, 0.0, 1.732051], 1.0)
    """
    z, w = np.polynomial.hermite_e.hermegauss(n)
    grid = np.stack(np.meshgrid(*[z] * dimensions, indexing="ij"), axis=-1).reshape(-1, dimensions)
    single = np.log(w) - 0.5 * np.log(2 * np.pi)
    weights = np.stack(np.meshgrid(*[single] * dimensions, indexing="ij"), axis=-1).reshape(-1, dimensions).sum(axis=1)
    for array in (grid, weights):
        array.flags.writeable = False
    return grid, weights
