"""How being seen came about: logistic regressions on what was known at baseline, checked before they are fitted."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ..cohort import Cohort
from ..describe._characteristics import Known, at_baseline
from ..design import parse
from ..design.encode import Variable, encoder
from ..engine.logistic import separating
from ..engine.weighting import Part, Response
from ..errors import ModelError, StudyError

__all__ = ["independent", "predictor_columns", "response_of"]

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]


def predictor_columns(cohort: Cohort, predictors: str | Iterable[str]) -> tuple[list[Known], tuple[str, ...], Array]:
    """The variables, and the names and values of their columns, of those subjects of whom all are known."""
    text = predictors if isinstance(predictors, str) else " + ".join(f"`{name}`" for name in predictors)
    formula = parse(f"seen ~ {text}") if text else None
    if formula is None or formula.random or not formula.terms:
        raise StudyError(
            "E-STUDY-VALUE",
            f"The predictors are {text!r}.",
            "They are names of outcomes and covariates, or terms of them without random effects.",
            'Write for example ["exhaustion", "job_stress", "coping"].',
        )
    known = at_baseline(cohort, formula.variables)
    complete = np.logical_and.reduce([variable.known for variable in known])
    if not complete.any():
        raise ModelError(
            "E-MODEL-EMPTY",
            f"Nobody has {', '.join(variable.name for variable in known)} at baseline.",
            "A model of being seen needs subjects of whom the predictors are known.",
            "Leave a predictor out.",
        )
    learned, values = {}, {}
    for variable in known:
        own = variable.values[complete]
        sd = float(own.std(ddof=1)) if len(own) > 1 else np.nan
        learned[variable.name] = (
            Variable(variable.name, variable.levels)
            if variable.levels
            else Variable(variable.name, mean=float(own.mean()), sd=sd, row_mean=float(own.mean()))
        )
        values[variable.name] = own.astype(np.int64) if variable.levels else own
    made = encoder(formula, learned)
    return known, made.names, made.columns(values, int(complete.sum()))


def independent(X: Array, names: tuple[str, ...], where: str) -> None:
    """Stop where a column follows from those before it.

    Raises
    ------
    ModelError
        `E-MODEL-SINGULAR`.
    """
    size = np.sqrt((X**2).sum(0))
    short = len(X) < X.shape[1]
    R = np.linalg.qr(X / np.where(size > 0, size, 1.0), mode="r") if not short else np.zeros((X.shape[1],) * 2)
    follows = np.abs(np.diag(R)) < 1e-9
    if follows.any():
        raise ModelError(
            "E-MODEL-SINGULAR",
            f"Among {where}, the predictor `{names[int(np.argmax(follows))]}` follows from those before it, or is 0 "
            "for everyone.",
            "Each predictor must tell something of its own about the subjects.",
            "Leave it out, or merge a level that nobody has.",
        )


def response_of(
    X: Array, used: Bools, kind: str, gaps: str, scores: Array, names: tuple[str, ...], labels: tuple[str, ...]
) -> Response:
    """The logistic regressions, and which of them lead to each visit."""
    n, V = used.shape
    everyone = np.ones(n, dtype=bool)
    if kind == "completers":
        completed = used[:, 0]
        parts = [] if completed.all() else [_part(X, completed, everyone, names, "every visit")]
        return Response(parts=tuple(parts), leads=np.ones((V, len(parts)), dtype=bool), seen=used)
    parts, leads = [], np.zeros((V, 0), dtype=bool)
    for v in range(V):
        at_risk = used[:, v - 1] if gaps == "monotone" and v else everyone
        if used[at_risk, v].all():
            continue
        own, own_names = X, names
        if gaps == "monotone" and v:
            wider = np.column_stack([X, scores[:, v - 1]])
            scaled = wider[at_risk] / np.maximum(np.linalg.norm(wider[at_risk], axis=0), 1e-300)
            if np.linalg.matrix_rank(scaled) == wider.shape[1]:  # the score at baseline may be a predictor already
                own, own_names = wider, (*names, f"score at {labels[v - 1]}")
        parts.append(_part(own, used[:, v], at_risk, own_names, labels[v]))
        lead = np.arange(V) >= v if gaps == "monotone" else np.arange(V) == v
        leads = np.column_stack([leads, lead])
    return Response(parts=tuple(parts), leads=leads, seen=used)


def _part(X: Array, seen: Bools, at_risk: Bools, names: tuple[str, ...], label: str) -> Part:
    independent(X[at_risk], names, f"those who could be seen at {label}")
    apart = separating(X[at_risk], seen[at_risk].astype(float))
    if apart.any():
        told = [name for name, is_one in zip(names, apart, strict=True) if is_one and name != "Intercept"]
        raise ModelError(
            "E-MODEL-SEPARATION",
            f"{', '.join(f'`{name}`' for name in told) or 'The predictors'} tell some of those seen at {label} from "
            "the others without error.",
            "The probability of being seen is then 0 or 1 for some, and nobody who was seen can stand for those who "
            "never are.",
            "Merge levels with few subjects, or leave the predictor out.",
        )
    return Part(X=X, seen=seen, at_risk=at_risk)
