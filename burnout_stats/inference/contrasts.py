"""Comparisons of means: differences between visits or groups, with the covariance and degrees of freedom of the model
behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..engine.multiplicity import ADJUSTMENTS
from ..errors import StudyError, one_of
from ..estimates import Estimates
from .intervals import numbers

__all__ = ["METHODS", "contrast"]

Array = NDArray[np.float64]
Rows = NDArray[np.intp]
Weights = list[tuple[str, Array]]


def _difference(labels: Sequence[str], high: int, low: int) -> tuple[str, Array]:
    weights = np.zeros(len(labels))
    weights[high], weights[low] = 1.0, -1.0
    return f"{labels[high]} - {labels[low]}", weights


def _vs_baseline(labels: Sequence[str]) -> Weights:
    return [_difference(labels, k, 0) for k in range(1, len(labels))]


def _consecutive(labels: Sequence[str]) -> Weights:
    return [_difference(labels, k, k - 1) for k in range(1, len(labels))]


def _pairwise(labels: Sequence[str]) -> Weights:
    return [_difference(labels, high, low) for low, high in combinations(range(len(labels)), 2)]


METHODS: dict[str, Callable[[Sequence[str]], Weights]] = {
    "vs_baseline": _vs_baseline,
    "consecutive": _consecutive,
    "pairwise": _pairwise,
}


def contrast(
    means: Estimates, method: str | Mapping[str, Sequence[float]] = "vs_baseline", *, adjust: str = "none"
) -> Estimates:
    """Contrasts of marginal means, within each level of their `by`.

    Parameters
    ----------
    means : Estimates
        From `emmeans`.
    method : "vs_baseline", "consecutive", "pairwise", or a mapping of name to weights
        Differences are later minus earlier; the baseline is the first row. Weights follow the order of the rows.
    adjust : "none", "bonferroni", "holm" or "sidak"
        Over the contrasts within one level of `by`.

    Returns
    -------
    Estimates
        `n` is the smallest number of subjects behind the means that are compared.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for an unknown method or adjustment, `E-STUDY-VALUE` for weights of the wrong number.
    ModelError
        `E-MODEL-DETACHED` where the means no longer know their model.
    """
    one_of("adjust", adjust, list(ADJUSTMENTS))
    L, answers = means.attached()
    factors, by = list(means.about.factors), list(means.about.by)
    frame = means.frame
    groups = [np.arange(len(frame))] if not by else list(frame.groupby(by, sort=False, observed=True).indices.values())
    names: list[str] = []
    rows: list[Array] = []
    n: list[float] = []
    families: list[Rows] = []
    labels_by: list[tuple[object, ...]] = []
    for members in groups:
        labels = [", ".join(map(str, row)) for row in frame.iloc[members][factors].itertuples(index=False)]
        start = len(rows)
        for name, weights in _weights(method, labels):
            names.append(name)
            rows.append(weights @ L[members])
            n.append(frame["n"].to_numpy(dtype=float)[members][weights != 0].min())
            labels_by.append(tuple(frame.iloc[members[0]][by]))
        families.append(np.arange(start, len(rows)))
    K = np.array(rows).reshape(len(rows), L.shape[1])
    answer = answers.answer(K, df=means.about.df_method)
    result = numbers(answer, np.array(n), conf_level=means.about.conf_level, adjust=adjust, families=families)
    for position, name in enumerate(by):
        result.insert(position, name, pd.Series([labels[position] for labels in labels_by], dtype=frame[name].dtype))
    result.insert(0, "contrast", names)
    result.insert(0, "outcome", frame["outcome"].iloc[0])
    about = replace(
        means.about,
        kind="contrasts",
        factors=("contrast",),
        adjust=adjust,
        notes=(*means.about.notes, *_notes(adjust, families)),
    )
    return Estimates(frame=result, vcov=answer.vcov, about=about, notices=means.notices, L=K, answers=answers)


def _weights(method: str | Mapping[str, Sequence[float]], labels: Sequence[str]) -> Weights:
    if isinstance(method, str):
        return METHODS[one_of("method", method, list(METHODS))](labels)
    custom = [(str(name), np.asarray(weights, dtype=float)) for name, weights in method.items()]
    for name, weights in custom:
        if weights.shape != (len(labels),) or not weights.any():
            raise StudyError(
                "E-STUDY-VALUE",
                f"The contrast `{name}` has {weights.size} weights.",
                f"It needs one weight, not all zero, for each of the {len(labels)} means: {', '.join(labels)}.",
                'Write for example {"3 years - 1 year": [0, -1, 1]}.',
            )
    return custom


def _notes(adjust: str, families: list[Rows]) -> tuple[str, ...]:
    if adjust == "none":
        return ()
    size = max(len(rows) for rows in families)
    intervals = "intervals are simultaneous" if ADJUSTMENTS[adjust].level is not None else "intervals are not adjusted"
    return (f"P values are adjusted over {size} contrasts ({adjust}); {intervals}.",)
