"""What estimating equations cannot be solved for, and working correlations that events cannot have."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..design import Design
from ..design.build import Rows
from ..engine.gee import Panel, Solution, runs_to_zero
from ..engine.logistic import separating
from ..errors import ModelError
from ..notices import Notice
from .gee import GEE

__all__ = ["impossible_pairs", "refuse_unseen_pairs", "refuse_unsolvable"]

Array = NDArray[np.float64]


def refuse_unsolvable(spec: GEE, rows: Rows, kept: NDArray[np.intp], design: Design) -> None:
    """Stop where the equations have no solution."""
    name, y = design.outcome.name, rows.z[:, -1]
    if len(np.unique(y)) < 2:
        raise ModelError(
            "E-MODEL-NO-SPREAD",
            f"Every score of `{name}` is the same ({spec.family}).",
            "A model needs scores that differ.",
            "Look at the data with describe.by_visit, or at the rule that makes the event.",
        )
    if len(rows.ordinal) <= len(kept):
        raise ModelError(
            "E-MODEL-SATURATED",
            f"The model of `{name}` has {len(kept)} coefficients for {len(rows.ordinal)} subjects.",
            "A robust covariance compares subjects, so there must be more of them than coefficients.",
            "Leave terms out.",
        )
    if spec.family == "gaussian":
        return
    distinct = np.unique(np.column_stack([rows.z[:, kept], y]), axis=0)
    finds = separating if spec.family == "binomial" and spec.link_name != "log" else runs_to_zero
    found = finds(distinct[:, :-1], distinct[:, -1])
    if found.any():
        names = ", ".join(f"`{design.names[kept[k]]}`" for k in np.flatnonzero(found))
        what = "events" if spec.family == "binomial" else "counts above 0"
        raise ModelError(
            "E-MODEL-SEPARATION",
            f"In the model of `{name}`, {names} tells {what} from others without error: a group has none, or nothing "
            "else.",
            "The equations then have no solution: an estimate would run to infinity, or a mean out of its range.",
            'Merge the group with another, leave the term out, or fit a GLMM with penalty="soft".',
        )


def refuse_unseen_pairs(spec: GEE, design: Design, mask: NDArray[np.bool_], seen: NDArray[np.int64]) -> None:
    """Stop where an unstructured correlation has a pair of visits that nobody has."""
    together = mask.astype(float).T @ mask.astype(float)
    if spec.working != "unstructured" or (together > 0).all():
        return
    j, k = (int(place[0]) for place in np.nonzero(np.triu(together == 0)))
    labels = design.visits.labels
    raise ModelError(
        "E-MODEL-PAIR-UNSEEN",
        f"Nobody has `{design.outcome.name}` at both {labels[seen[j]]} and {labels[seen[k]]}.",
        "An unstructured working correlation has a parameter for every pair of visits.",
        'Use working="exchangeable" or "independence".',
    )


def impossible_pairs(spec: GEE, panel: Panel, solution: Solution, size: Array, design: Design) -> tuple[Notice, ...]:
    """A notice where events of these probabilities could not correlate as the working correlation says.

    **Source**: Prentice 1988, Biometrics 44:1033, section 3: P(both) lies between max(0, μ_j + μ_k − 1) and min(μ_j,
    μ_k).
    """
    if spec.family != "binomial" or spec.working == "independence":
        return ()
    mu = spec.margin.mean(panel.X @ (solution.beta[0] * size))
    mu = np.where(panel.mask, np.clip(mu, 1e-12, 1 - 1e-12), 0.5)
    j, k = np.triu_indices(mu.shape[1], 1)
    a, b = mu[:, j], mu[:, k]
    sd = np.sqrt(a * (1 - a) * b * (1 - b))
    both = a * b + solution.R[0][j, k] * sd
    here = panel.mask[:, j] & panel.mask[:, k]
    wrong = here & ((both > np.minimum(a, b) + 1e-9) | (both < np.maximum(0, a + b - 1) - 1e-9))
    if not wrong.any():
        return ()
    return (
        Notice(
            "N-MODEL-WORKING",
            f"The working correlation of `{design.outcome.name}` is stronger than some pairs of probabilities allow.",
            'Estimates and robust standard errors hold; working="independence" is a check.',
        ),
    )
