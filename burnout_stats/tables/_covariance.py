"""The residual covariance of the visits as a table."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..display import Cell, Column, Hidden, Row, Table
from ..display.styles import decimals_from
from ..estimates import Policy

if TYPE_CHECKING:
    from ..models import Fit

__all__ = ["covariance"]


def covariance(fit: Fit, *, title: str = "", policy: Policy | None = None, tells_subjects: bool = True) -> Table:
    """Variances and covariances of the residuals on and below the diagonal, correlations above it.

    Parameters
    ----------
    fit : Fit
    title : str, optional
        The caption.
    policy : Policy, optional
        How small a group may be shown (5 where left out); a fit to fewer subjects shows nothing.
    tells_subjects : bool
        Whether the number of subjects may be told.
    """
    Sigma = fit.covariance.to_numpy(dtype=float)
    visits = [str(visit) for visit in fit.covariance.columns]
    hide = fit.n_subjects < (policy or Policy()).min_cell
    size = len(visits)
    # the sampling error of a variance is about sqrt(2 / n) of it, which says how many decimals it deserves
    decimals = decimals_from([Sigma[k, k] * math.sqrt(2 / max(fit.n_subjects, 2)) for k in range(size)])
    rows = []
    for i in range(size):
        cells: list[Cell] = [visits[i]]
        for j in range(size):
            correlation = Sigma[i, j] / math.sqrt(Sigma[i, i] * Sigma[j, j])
            cells.append(Hidden() if hide else correlation if j > i else Sigma[i, j])
        rows.append(Row(tuple(cells), decimals=max(decimals, 2)))
    return Table(
        title=title or f"Residual covariance of the visits: {fit.outcome.label}",
        columns=(Column("visit", "Visit"), *(Column(visit, visit, "estimate") for visit in visits)),
        rows=tuple(rows),
        notes=(
            "Variances on the diagonal, covariances below it, correlations above it.",
            f"Structure: {fit.spec.structure_name}; {fit.spec.method.upper()}"
            + (f"; {fit.n_subjects} subjects." if tells_subjects else "."),
        ),
    )
