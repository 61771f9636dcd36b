"""How fitted estimating equations show themselves: coefficients on the scale of the link and the working correlation,
through the gate for privacy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..display import Cell, Column, Hidden, Row, Table
from ..display.styles import fixed
from ..engine.gee_sandwich import CORRECTIONS
from .representation import coefficients, hidden_note, subjects

if TYPE_CHECKING:
    from .gee_fit import GeeFit

__all__ = ["gee_tables"]

SCALES = {
    "logit": "log odds",
    "probit": "probits",
    "log": "logarithms of the mean",
    "identity": "on the scale of the mean",
}


def gee_tables(fit: GeeFit) -> tuple[Table, ...]:
    """Coefficients, then the working correlation of the visits."""
    policy, n = fit.design.policy, fit.n_subjects
    hide = n < policy.min_cell
    state = "converged" if fit.converged else "NOT converged"
    scale, robust = SCALES[fit.spec.link_name], CORRECTIONS[fit.default_vcov].name
    told = [f"{fit.spec.formula}.", f"Estimates are {scale}, over subjects. Standard errors are {robust}."]
    if not hide:
        told.append(f"{subjects(n, policy)}, {fit.n_obs} rows, {state}; scale {fixed(fit.scale, 3)}.")
    told += [*fit.notes, *(str(notice) for notice in fit.notices), *([hidden_note(policy)] if hide else [])]
    first = coefficients(
        list(fit.coef.index),
        fit.coef.tolist(),
        np.sqrt(np.diagonal(fit.vcov.to_numpy(dtype=float))).tolist(),
        title=f"Coefficients: {fit.outcome.label}",
        hide=hide,
        notes=told,
    )
    if fit.spec.working == "independence":
        return (first,)
    return (first, _correlation(fit, hide=hide))


def _correlation(fit: GeeFit, *, hide: bool) -> Table:
    frame = fit.correlation
    rows = []
    for label, values in zip(frame.index, frame.to_numpy(dtype=float), strict=True):
        cells: list[Cell] = [Hidden() if hide else float(value) for value in values]
        rows.append(Row((str(label), *cells), decimals=2))
    columns = [Column(f"{k} {name}", str(name), "estimate") for k, name in enumerate(frame)]
    return Table(
        title=f"Working correlation: {fit.outcome.label}",
        columns=(Column("visit", "Visit"), *columns),
        rows=tuple(rows),
    )
