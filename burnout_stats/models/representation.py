"""How fitted models show themselves: fixed effects and variance components, through the gate for privacy.

There are no p values: those belong to a question and its degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..display import Cell, Column, Hidden, Missing, Row, Table
from ..display.styles import decimals_from, fixed
from ..estimates import Policy
from .degrees_of_freedom import MomentsState

if TYPE_CHECKING:
    from .multivariate import MultivariateFit
    from .result import Fit

__all__ = ["coefficients", "fit_size", "fit_tables", "hidden_note", "multivariate_tables", "size_of", "subjects"]

ASK = "Tests and intervals: summarize(fit)."
NONE = Missing("no such correlation")
ALIASED = Missing("not estimable from these data")


def subjects(n: int, policy: Policy, *, of: int = 0) -> str:
    """The number of subjects in words, or that they are fewer than may be shown.

    `of` is the size of the cohort: where only a few are left out, the number would tell how few.
    """
    if n < policy.min_cell:
        return f"fewer than {policy.min_cell} subjects"
    if 0 < of - n < policy.min_cell:
        return "nearly all subjects"
    return f"{n} subject{'' if n == 1 else 's'}"


def size_of(n_subjects: int, n_obs: int, policy: Policy, *, of: int = 0) -> str:
    """Subjects and rows in words; rows only where the number of subjects may be told."""
    told = subjects(n_subjects, policy, of=of)
    return f"{told}, {n_obs} rows" if told[0].isdigit() else told


def fit_size(fit: Fit) -> str:
    """Subjects and rows of a fit in words, as far as they may be told."""
    policy, n, whole = fit.design.policy, fit.n_subjects, fit.design.n_cohort
    told = subjects(n, policy, of=whole)
    return f"{told}, {fit.n_obs} rows" if _tells_rows(fit) else told


def _tells_rows(fit: Fit) -> bool:
    """Whether the number of rows tells of no few persons: who have a visit, or who alone lack it."""
    policy, n, whole = fit.design.policy, fit.n_subjects, fit.design.n_cohort
    counts = _seen(fit)
    near = [n, whole - n, *counts.values(), *(n - seen for seen in counts.values())]
    return bool(counts) and not any(0 < count < policy.min_cell for count in near)


def hidden_note(policy: Policy) -> str:
    """What `hidden` means under this policy."""
    return f"hidden: rests on fewer than {policy.min_cell} persons."


def coefficients(
    terms: Sequence[str],
    estimates: Sequence[float],
    std_errors: Sequence[float],
    *,
    title: str,
    hide: bool = False,
    groups: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Table:
    """Fixed effects with their standard errors; all hidden where the model has too few subjects."""
    rows = []
    decimals = decimals_from(std_errors)
    for place, (term, estimate, error) in enumerate(zip(terms, estimates, std_errors, strict=True)):
        numbers: list[Cell] = [ALIASED if np.isnan(value) else value for value in (float(estimate), float(error))]
        cells = [Hidden(), Hidden()] if hide else numbers
        rows.append(Row((term, *cells), groups[place] if groups else "", decimals))
    return Table(
        title=title,
        columns=(
            Column("term", "Term"),
            Column("estimate", "Estimate", "estimate"),
            Column("std_error", "SE", "estimate"),
        ),
        rows=tuple(rows),
        notes=tuple(notes),
    )


def fit_tables(fit: Fit) -> tuple[Table, Table]:
    """Fixed effects, then what varies between subjects and within them."""
    policy, n = fit.design.policy, fit.n_subjects
    hide = n < policy.min_cell
    notes = [f"{fit.spec.formula}.", *([] if hide else [_likelihood(fit)]), ASK]
    notes += fit.notes
    notes += [str(notice) for notice in fit.notices]
    fixed_effects = coefficients(
        list(fit.coef.index),
        fit.coef.tolist(),
        np.sqrt(np.diagonal(fit.vcov.to_numpy(dtype=float))).tolist(),
        title=f"Fixed effects: {fit.outcome.label}",
        hide=hide,
        notes=[*notes, *([hidden_note(policy)] if hide else [])],
    )
    return fixed_effects, _components(fit, hide=hide, policy=policy)


def _likelihood(fit: Fit) -> str:
    state = "converged" if fit.converged else "NOT converged"
    told = f"{fit_size(fit)}, {fit.spec.method.upper()}, {state}"
    criteria = f"\u22122 log-likelihood {fixed(-2 * fit.loglik, 2)}, AIC {fixed(fit.aic, 2)}"
    if not 0 < fit.design.n_cohort - fit.n_subjects < fit.design.policy.min_cell:
        criteria += f", BIC {fixed(fit.bic, 2)}"  # it tells the number of subjects
    return f"{told}; {criteria}."


def _components(fit: Fit, *, hide: bool, policy: Policy) -> Table:
    """Standard deviations and correlations; those of a visit that too few had are hidden."""
    frame = fit.varcorr
    few = _few(fit, policy)
    rows = []
    for name, values in zip(frame.index, frame.to_numpy(dtype=float), strict=True):
        *group, own = name if isinstance(name, tuple) else (name,)
        cells: list[Cell] = [
            Hidden()
            if hide or str(own) in few or str(column) in few
            else Missing("no such correlation")
            if np.isnan(value)
            else value
            for column, value in zip(frame.columns, values, strict=True)
        ]
        rows.append(Row((str(own), *cells), " · ".join(str(part) for part in group)))
    kind = "SD at each visit, and correlations" if fit.random is None else "SD of random effects, and correlations"
    return Table(
        title=f"{kind}: {fit.outcome.label}",
        columns=(Column("name", "Visit" if fit.random is None else "Part"), *_columns(frame)),
        rows=tuple(rows),
        notes=(hidden_note(policy),) if hide or few else (),
    )


def _columns(frame: pd.DataFrame) -> list[Column]:
    return [
        Column(f"{place} {name}", "SD" if name == "sd" else str(name), "estimate")
        for place, name in enumerate(frame.columns)
    ]


def _few(fit: Fit, policy: Policy) -> frozenset[str]:
    """The visits that fewer subjects had than may be shown."""
    if fit.random is not None:
        return frozenset()
    return frozenset(label for label, n in _seen(fit).items() if n < policy.min_cell)


def _seen(fit: Fit) -> dict[str, int]:
    """How many rows there are of each visit; nothing where the fit keeps no account of it."""
    if isinstance(fit.state, MomentsState):
        moments = fit.state.moments
        counts = (moments.n[:, None] * moments.patterns).sum(axis=0)
        return {str(label): round(float(n)) for label, n in zip(fit.visits.labels, counts, strict=False)}
    if fit.rows is None:
        return {}
    counts = np.bincount(fit.rows.visit, minlength=len(fit.design.visits.labels))
    return {str(label): int(n) for label, n in zip(fit.design.visits.labels, counts, strict=False) if n}


def multivariate_tables(fit: MultivariateFit, outcomes: Sequence[str] = ()) -> tuple[Table, ...]:
    """The fixed effects of every outcome, or of some."""
    policy = fit.designs[0].policy
    hide = fit.n_subjects < policy.min_cell
    parts = [fit.of(name) for name in outcomes or fit.spec.outcomes]
    answers = [part.answer(np.eye(len(part.design.names)), df="asymptotic") for part in parts]
    told = "" if hide else f"{subjects(fit.n_subjects, policy, of=fit.designs[0].n_cohort)}, "
    state = "converged" if fit.converged else "NOT converged"
    return (
        coefficients(
            [term for part in parts for term in part.design.names],
            np.concatenate([answer.estimate for answer in answers]).tolist(),
            np.concatenate([np.sqrt(np.diagonal(answer.vcov)) for answer in answers]).tolist(),
            title="Fixed effects of several outcomes",
            hide=hide,
            groups=[part.outcome.label for part in parts for _ in part.design.names],
            notes=[
                f"{', '.join(fit.spec.outcomes)} ~ {fit.spec.formula}; {told}{fit.spec.method.upper()}, {state}.",
                ASK,
                *(str(notice) for notice in fit.notices),
                *([hidden_note(policy)] if hide else []),
            ],
        ),
    )
