"""Which covariance of β̂ an answer stands on: the model's own, or a robust one from the residuals of clusters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..design.build import Rows
from ..engine.basis import Basis
from ..engine.sandwich import ADJUSTMENTS, Sandwich, Stack
from ..errors import ModelError
from .degrees_of_freedom import Counting, DfMethod

__all__ = ["VCOVS", "Asked", "stacks_of_rows"]

Array = NDArray[np.float64]
S = TypeVar("S")

MOST_ROWS = 4000
"""A cluster of k rows takes memory of order k² and time of order k³."""
VCOVS = {"model": "of the model", **{code: kind.name for code, kind in ADJUSTMENTS.items()}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Generic[S]):
    """A df method (named `df`) with the state that it reads: the optimum, or a sandwich."""

    df: str
    vcov_name: str
    method: DfMethod[S]
    state: S
    count: Callable[[], Counting]

    def vcov(self) -> Array:
        """Covariance of γ̂."""
        return self.method.vcov(self.state)

    def stands(self, inner: Array) -> NDArray[np.bool_]:
        """Which rows have a covariance of this kind."""
        if isinstance(self.state, Sandwich):
            return self.state.stands_without(inner)
        return np.ones(len(inner), dtype=bool)

    def rows(self, inner: Array, L: Array) -> Array:
        """df of each row, in the coordinates of the state and of the estimated columns."""
        if self.method.counted is not None:
            return self.method.counted(self.count(), L)
        return self.method.rows(self.state, inner)

    def joint(self, inner: Array, estimate: Array, L: Array) -> tuple[Array, Array]:
        """F and its denominator df."""
        if not self.stands(inner).all():
            raise ModelError(
                "E-MODEL-LEVERAGE",
                "A robust test is asked of an effect that rests on one subject or cluster.",
                "Its residuals are zero, and a robust variance would take it for known without error.",
                'Merge the level that rests on one, or ask with vcov="model".',
            )
        statistic, df = self.method.joint(self.state, inner, estimate)
        if self.method.counted is not None:
            df = self.method.counted(self.count(), L).min()
        if np.isnan(df):
            raise ModelError(
                "E-MODEL-FEW-CLUSTERS",
                f"There are too few subjects or clusters for a robust test of {len(inner)} effects at once.",
                "The approximate Hotelling test needs more degrees of freedom than it has rows.",
                'Test fewer effects at once, or ask with vcov="model".',
            )
        return statistic, df


def stacks_of_rows(
    rows: Rows,
    kept: NDArray[np.intp],
    cluster: NDArray[np.int64] | None,
    *,
    basis: Basis,
    gamma: Array,
    working: Callable[[NDArray[np.intp]], Array],
    between: float,
    probability: bool,
) -> list[Stack]:
    """The clusters of a fit, those with the same number of rows together, in the coordinates of `basis`.

    `cluster` has a code for each subject; without it, subjects are the clusters. `working` gives for row numbers (n, k)
    the covariances (n, k, k) that the rows would have if those of a line were of one subject; `between` is the
    covariance of rows of two subjects of a cluster.

    Raises
    ------
    ModelError
        `E-MODEL-LARGE-CLUSTER`.
    """
    both = np.append(kept, rows.z.shape[1] - 1)
    z = rows.z[:, both] - basis.center
    X = z[:, :-1] @ basis.transform
    e = z[:, -1] / basis.scale - X @ gamma
    weight = np.ones(len(rows.ordinal)) if rows.weight is None else rows.weight
    order = np.arange(len(e))
    of_row = rows.subject
    if cluster is not None:
        order = np.argsort(cluster[rows.subject], kind="stable")
        of_row = cluster[rows.subject][order]
    starts = np.flatnonzero(np.r_[True, of_row[1:] != of_row[:-1]])
    sizes = np.diff(np.append(starts, len(e)))
    if sizes.max() > MOST_ROWS:
        raise ModelError(
            "E-MODEL-LARGE-CLUSTER",
            f"A cluster has {sizes.max():,} rows.",
            f"Robust covariances are made for clusters of up to {MOST_ROWS:,} rows; few large clusters make poor ones.",
            "Use smaller clusters, or put the large ones into the formula as a fixed effect.",
        )
    stacks = []
    for k in np.unique(sizes):
        at = order[starts[sizes == k, None] + np.arange(k)]
        subject = rows.subject[at]
        Sigma = working(at)
        if cluster is not None:
            Sigma = np.where(subject[:, :, None] == subject[:, None, :], Sigma, between)
        stacks.append(
            Stack(
                X=X[at],
                e=e[at],
                Sigma=Sigma,
                count=np.ones(len(at)) if probability else weight[subject[:, 0]],
                omega=weight[subject] if probability else None,
            )
        )
    return stacks
