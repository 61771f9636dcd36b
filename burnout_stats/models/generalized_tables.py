"""How a fitted generalized model shows itself: fixed effects on the scale of the link, and what varies between
subjects, through the gate for privacy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..display import Cell, Column, Hidden, Missing, Row, Table
from ..display.styles import decimals_from, fixed
from .representation import coefficients, hidden_note, subjects

if TYPE_CHECKING:
    from .generalized_fit import GeneralizedFit

__all__ = ["generalized_tables"]


def generalized_tables(fit: GeneralizedFit) -> tuple[Table, ...]:
    """Fixed effects, then thresholds and the like where there are any, then random effects."""
    policy, n = fit.design.policy, fit.n_subjects
    hide = n < policy.min_cell
    scale = {"logit": "log odds", "probit": "probits", "log": "logarithms of the mean"}[fit.spec.link_name]
    state = "converged" if fit.converged else "NOT converged"
    told = [
        f"{fit.spec.formula}.",
        f"Estimates are {scale}, for a given subject. {fit.spec.family.replace('_', ' ').capitalize()} model.",
    ]
    if not hide:
        told.append(
            f"{subjects(n, policy)}, {fit.n_obs} rows, {state}; −2 log-likelihood {fixed(-2 * fit.loglik, 2)}, "
            f"AIC {fixed(fit.aic, 2)}, BIC {fixed(fit.bic, 2)}."
        )
    told += [*fit.notes, *(str(notice) for notice in fit.notices), *([hidden_note(policy)] if hide else [])]
    fixed_effects = coefficients(
        list(fit.coef.index),
        fit.coef.tolist(),
        np.sqrt(np.diagonal(fit.vcov.to_numpy(dtype=float))).tolist(),
        title=f"Fixed effects: {fit.outcome.label}",
        hide=hide,
        notes=told,
    )
    further = fit.further
    parts = [fixed_effects]
    if len(further):
        parts.append(
            coefficients(
                list(further.index),
                further["estimate"].tolist(),
                further["std_error"].tolist(),
                title=f"{'Thresholds' if fit.spec.family == 'ordinal' else 'Distribution'}: {fit.outcome.label}",
                hide=hide,
            )
        )
    return (*parts, _components(fit, hide=hide))


def _components(fit: GeneralizedFit, *, hide: bool) -> Table:
    frame = fit.varcorr
    decimals = decimals_from(frame["sd"].abs() / 20)
    rows = []
    for name, values in zip(frame.index, frame.to_numpy(dtype=float), strict=True):
        cells: list[Cell] = [
            Hidden() if hide else Missing("no such correlation") if np.isnan(value) else float(value)
            for value in values
        ]
        rows.append(Row((str(name), *cells), decimals=decimals))
    names = [Column(f"{k} {name}", "SD" if name == "sd" else str(name), "estimate") for k, name in enumerate(frame)]
    return Table(
        title=f"SD of random effects, and correlations: {fit.outcome.label}",
        columns=(Column("name", "Part"), *names),
        rows=tuple(rows),
    )
