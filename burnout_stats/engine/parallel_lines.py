"""Whether the odds are proportional: the score test of one slope for all thresholds.

Let the slopes of the columns X_s differ between thresholds, η_k = α_k − x'β − x_s'δ_k, with δ = 0 for the first one. At
the optimum of the model with δ = 0, with score U and information 𝓘 of (β, θ, α, δ), U'𝓘⁻¹U is chi-squared on as many
degrees of freedom as δ has.

**Source**: Peterson & Harrell 1990, Appl Stat 39:205 (partial proportional odds); Rao 1948, Proc Camb Phil Soc 44:50.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .glmm import Problem, information, likelihood

__all__ = ["parallel_lines_score"]

Array = NDArray[np.float64]


def parallel_lines_score(problem: Problem, psi: Array, n_nodes: int, columns: NDArray[np.intp]) -> tuple[float, int]:
    """The statistic and its degrees of freedom for some columns of X; `psi` is the optimum."""
    _, _, g = problem.sizes
    free = len(columns) * (g - 1)
    blocks, places = [], []
    for W, tied in zip(problem.W, problem.tied, strict=True):
        slopes = -W[..., 1:, None] * problem.X[..., None, columns]
        blocks.append(np.concatenate([W, slopes.reshape(*W.shape[:2], free)], axis=2))
        places.append(np.concatenate([tied, g + np.arange(free)]))
    larger = replace(problem, W=tuple(blocks), tied=tuple(places))
    at = np.concatenate([psi, np.zeros(free)])
    score = problem.counts @ likelihood(larger, at, n_nodes).scores
    matrix = information(larger, at, n_nodes)
    scale = np.sqrt(np.maximum(np.abs(np.diagonal(matrix)), 1e-300))
    values, vectors = np.linalg.eigh(matrix / np.outer(scale, scale))
    kept = values > 1e-8 * values.max()
    turned = vectors[:, kept].T @ (score / scale)
    return float(turned @ (turned / values[kept])), free - int((~kept).sum())
