"""Comparisons of means: differences between visits or groups, with the covariance and degrees of freedom of the model
behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..engine.multiplicity import ADJUSTMENTS
from ..errors import StudyError, one_of
from ..estimates import Estimates, Policy
from .intervals import checked_level, numbers
from .ratios import as_ratio, logarithms, refuse_ratios

__all__ = ["METHODS", "contrast"]

Array = NDArray[np.float64]
Rows = NDArray[np.intp]
Weights = list[tuple[str, Array]]


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """The means that are compared with one another.

    `levels` has a column for each factor; `labels` names the rows; `values` are the times or numbers that the rows
    stand for, None where there are none.
    """

    levels: pd.DataFrame
    labels: tuple[str, ...]
    values: Array | None


def _difference(labels: Sequence[str], high: int, low: int) -> tuple[str, Array]:
    weights = np.zeros(len(labels))
    weights[high], weights[low] = 1.0, -1.0
    return f"{labels[high]} - {labels[low]}", weights


def _vs_baseline(group: Group) -> Weights:
    return [_difference(group.labels, k, 0) for k in range(1, len(group.labels))]


def _consecutive(group: Group) -> Weights:
    return [_difference(group.labels, k, k - 1) for k in range(1, len(group.labels))]


def _pairwise(group: Group) -> Weights:
    return [_difference(group.labels, high, low) for low, high in combinations(range(len(group.labels)), 2)]


def _polynomial(group: Group) -> Weights:
    """Coefficients of the highest power in the least-squares polynomials of degree 1, 2, ... through the means.

    With p_d the polynomial of degree d, leading coefficient 1, that is orthogonal over the times to all of lower
    degree, the weights are p_d / Σ p_d².
    """
    if group.values is None or len(set(group.values.tolist())) < len(group.values):
        raise StudyError(
            "E-STUDY-VALUE",
            f"Polynomial contrasts are asked of {', '.join(group.labels)}.",
            "They need means at distinct times: one factor, which is `visit` or a numeric variable.",
            'Ask emmeans(fit, "visit", by=...) first.',
        )
    x = group.values - group.values.mean()
    basis = [np.ones_like(x)]
    for _ in range(len(x) - 1):
        power = x * basis[-1]
        for lower in basis:
            power = power - lower * (lower @ power) / (lower @ lower)
        basis.append(power)
    names = ("linear", "quadratic", "cubic")
    return [
        (names[degree - 1] if degree <= len(names) else f"degree {degree}", p / (p @ p))
        for degree, p in enumerate(basis)
        if degree
    ]


def _difference_in_differences(group: Group) -> Weights:
    """Change from the first level of the first factor, in each level of the second minus its first level."""
    if group.levels.shape[1] != 2:
        raise StudyError(
            "E-STUDY-VALUE",
            f"Differences in differences are asked of means by {', '.join(map(str, group.levels)) or 'nothing'}.",
            "They compare changes over one factor between the levels of another.",
            'Ask emmeans(fit, "visit", by="sex"), or emmeans(fit, ["visit", "sex"]).',
        )
    first, second = (group.levels.iloc[:, k].astype(str) for k in (0, 1))
    rows = []
    for other in list(dict.fromkeys(second))[1:]:
        for level in list(dict.fromkeys(first))[1:]:
            sides = ((level, other, 1), (first.iloc[0], other, -1), (level, second.iloc[0], -1))
            cells = (*sides, (first.iloc[0], second.iloc[0], 1))
            weights = np.zeros(len(first))
            for a, b, sign in cells:
                weights += sign * ((first == a) & (second == b)).to_numpy()
            rows.append((f"{level} - {first.iloc[0]}, {other} - {second.iloc[0]}", weights))
    return rows


METHODS: dict[str, Callable[[Group], Weights]] = {
    "vs_baseline": _vs_baseline,
    "consecutive": _consecutive,
    "pairwise": _pairwise,
    "polynomial": _polynomial,
    "difference_in_differences": _difference_in_differences,
}


def contrast(
    means: Estimates,
    method: str | Mapping[str, Sequence[float]] = "vs_baseline",
    *,
    adjust: str = "none",
    df: str | None = None,
    vcov: str | None = None,
    conf_level: float | None = None,
    measure: str = "difference",
) -> Estimates:
    """Contrasts of marginal means (or slopes), within each level of their `by`.

    Parameters
    ----------
    means : Estimates
        From `emmeans` or `slopes`.
    method : str, or a mapping of name to weights
        - "vs_baseline", "consecutive", "pairwise": differences, later minus earlier; the baseline is the first row.
        - "polynomial": linear, quadratic, ... trend over the true times; the estimate is the coefficient of the highest
          power in the least-squares polynomial through the means (linear: points per year).
        - "difference_in_differences": how much the change from baseline in each group differs from that in the first
          group. The groups are the second factor of the means, or else the last of their `by`.
        - weights follow the order of the rows within one level of `by`.
    adjust : str
        Over the contrasts within one level of `by`: "none", "bonferroni", "sidak", "holm", "fdr" (Benjamini &
        Hochberg), "tukey" (all pairwise differences), "dunnett" (differences from baseline) or "mvt" (any contrasts, by
        the multivariate t distribution with the correlations of their estimates). Each row keeps its own degrees of
        freedom.
    df, vcov, conf_level : optional
        As the means were asked, unless said otherwise here; another `vcov` has its own default for `df`.
    measure : "difference", "ratio" or "odds_ratio"
        Of models of events, ordered categories and counts. Means on the scale of the link have differences, whose
        exponential is the odds ratio (of mean counts the rate ratio) of a given subject. Probabilities have risk
        differences, risk ratios and odds ratios, of a typical subject or of averages over subjects as the means were
        asked; mean counts have differences and ratios.

    Returns
    -------
    Estimates
        `n` is the smallest number of subjects behind the means that are compared. Intervals are simultaneous, save for
        "holm" and "fdr", which have none: there they are not adjusted, and a note says so. Ratios are of the kind
        "odds_ratios", "risk_ratios" or "rate_ratios", and statistic and p value are those of their logarithms.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for an unknown method or adjustment, or an adjustment that is made for other contrasts;
        `E-STUDY-VALUE` for weights of the wrong number, or means that do not suit the method.
    ModelError
        `E-MODEL-DETACHED` where the means no longer know their model; `E-MODEL-SCALE` for a ratio of means that have
        none, or a contrast of ratios.
    """
    _checked(adjust, method)
    refuse_ratios(means.about)
    L, answers = means.attached()
    answers, ratios = logarithms(means, answers, measure)
    about = means.about
    factors, by = _arranged(about.factors, about.by, method)
    frame = means.frame
    groups = [np.arange(len(frame))] if not by else list(frame.groupby(by, sort=False, observed=True).indices.values())
    names: list[str] = []
    rows: list[Array] = []
    n: list[float] = []
    cells: list[Array] = []
    families: list[tuple[Rows, int]] = []
    labels_by: list[tuple[object, ...]] = []
    for members in groups:
        start = len(rows)
        for name, weights in _weights(method, _group(frame.iloc[members][factors], means)):
            names.append(name)
            rows.append(weights @ L[members])
            n.append(frame["n"].to_numpy(dtype=float)[members][weights != 0].min())
            if means.cells is not None:
                cells.append(_smallest(means.cells[members][weights != 0], means.about.policy))
            labels_by.append(tuple(frame.iloc[members[0]][by]))
        families.append((np.arange(start, len(rows)), len(members)))
    K = np.array(rows).reshape(len(rows), L.shape[1])
    same = vcov in (None, about.vcov)
    answer = answers.answer(K, df=df or (about.df_method if same else None), vcov=vcov or about.vcov)
    level = about.conf_level if conf_level is None else checked_level(conf_level)
    result = numbers(answer, np.array(n), conf_level=level, adjust=adjust, families=families)
    for position, name in enumerate(by):
        result.insert(position, name, pd.Series([labels[position] for labels in labels_by], dtype=frame[name].dtype))
    result.insert(0, "contrast", names)
    result.insert(0, "outcome", frame["outcome"].iloc[0])
    about = replace(
        about,
        kind="contrasts",
        factors=("contrast",),
        by=tuple(by),
        conf_level=level,
        df_method=answer.method,
        vcov=answer.vcov_name,
        adjust=adjust,
        notes=(*about.notes, *_notes(method, adjust, families)),
    )
    covariance = answer.vcov
    if ratios:
        result, covariance, about = as_ratio(result, covariance, about, ratios)
    return Estimates(
        frame=result,
        vcov=covariance,
        about=about,
        notices=means.notices,
        L=K,
        answers=answers,
        cells=np.array(cells) if cells else None,
    )


def _smallest(cells: Array, policy: Policy) -> Array:
    """Of each count behind the means that are compared, the one that the gate would hide, or else the smallest."""
    with np.errstate(all="ignore"):
        hidden = np.vectorize(policy.hides)(cells)
        return np.array(
            [
                column[hides][0] if hides.any() else (np.nanmin(column) if np.isfinite(column).any() else np.nan)
                for column, hides in zip(cells.T, hidden.T, strict=True)
            ]
        )


def _checked(adjust: str, method: str | Mapping[str, Sequence[float]]) -> None:
    made_for = ADJUSTMENTS[one_of("adjust", adjust, list(ADJUSTMENTS))].only
    if isinstance(method, str):
        one_of("method", method, list(METHODS))
    if made_for and method != made_for:
        raise StudyError(
            "E-STUDY-OPTION",
            f"`adjust` is {adjust!r} for contrasts that are not {made_for!r}.",
            f"That adjustment holds for {made_for!r} only.",
            'Use adjust="mvt", which fits any contrasts.',
        )


def _arranged(
    factors: tuple[str, ...], by: tuple[str, ...], method: str | Mapping[str, Sequence[float]]
) -> tuple[list[str], list[str]]:
    """The factors that are compared, and those within whose levels."""
    if method == "difference_in_differences" and len(factors) == 1 and by:
        return [*factors, by[-1]], list(by[:-1])
    return list(factors), list(by)


def _group(levels: pd.DataFrame, means: Estimates) -> Group:
    labels = tuple(", ".join(map(str, row)) for row in levels.itertuples(index=False))
    values: Array | None = None
    if list(levels) == ["visit"]:
        values = np.array([means.about.visit_years[label] for label in labels])
    elif levels.shape[1] == 1 and pd.api.types.is_numeric_dtype(levels.iloc[:, 0]):
        values = levels.iloc[:, 0].to_numpy(dtype=float)
    return Group(levels, labels, values)


def _weights(method: str | Mapping[str, Sequence[float]], group: Group) -> Weights:
    if isinstance(method, str):
        return METHODS[method](group)
    labels = group.labels
    custom = [(str(name), np.asarray(weights, dtype=float)) for name, weights in method.items()]
    for name, weights in custom:
        if weights.shape != (len(labels),) or not weights.any() or not np.isfinite(weights).all():
            raise StudyError(
                "E-STUDY-VALUE",
                f"The contrast `{name}` has {weights.size} weights.",
                f"It needs one number, not all zero, for each of the {len(labels)} means: {', '.join(labels)}.",
                'Write for example {"3 years - 1 year": [0, -1, 1]}.',
            )
    return custom


def _notes(
    method: str | Mapping[str, Sequence[float]], adjust: str, families: list[tuple[Rows, int]]
) -> tuple[str, ...]:
    notes = []
    if method == "polynomial":
        notes.append("Trends are coefficients of the highest power of time in polynomials through the means.")
    if adjust != "none":
        size = max(len(rows) for rows, _ in families)
        simultaneous = ADJUSTMENTS[adjust].critical is not None
        intervals = "intervals are simultaneous" if simultaneous else "intervals are not adjusted"
        notes.append(f"P values are adjusted over {size} contrasts ({adjust}); {intervals}.")
    return tuple(notes)
