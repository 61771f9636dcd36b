"""Marginal means of models of events, ordered categories and counts: on the scale of the link, of a typical subject,
and averaged over subjects; with the sentence that says which.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..design.grid import Expanded, ReferenceGrid, Weights
from ..errors import ModelError, one_of
from ..estimates import Estimates
from ..estimates.estimates import About
from ..models.fitted import Fitted
from ..models.gee import GEE
from ..models.generalized import GLMM
from ..models.generalized_fit import GeneralizedFit
from ..notices import Notice
from .about import about
from .counting import columns_of_rows
from .intervals import checked_level
from .scales import SCALES, ScaledMeans, each_mean, linear_means, mean_numbers, pooled_means, scaled

__all__ = ["checked_scale", "event_cells", "family_of", "generalized_means", "linked"]

Array = NDArray[np.float64]

LINKED = {
    "binomial/logit": "log_odds",
    "binomial/probit": "probits",
    "binomial/log": "log_probability",
    "binomial/identity": "probability",
    "ordinal/logit": "latent",
    "poisson/log": "log_mean",
    "poisson/identity": "count",
    "negative_binomial/log": "log_mean",
}
"""What the linear predictor is, by family and link."""
COUNTS = frozenset({"poisson", "negative_binomial"})
"""Families whose scores are counts."""


def family_of(fit: Fitted) -> str:
    """The family of a generalized model; empty where the outcome is measured."""
    return str(getattr(fit.spec, "family", "") or "")


def checked_scale(fit: Fitted, scale: str) -> str:
    """The scale, where the model has it.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for an unknown one.
    ModelError
        `E-MODEL-SCALE` where a measured outcome is asked on another scale than its own.
    """
    one_of("scale", scale, SCALES)
    family = family_of(fit)
    if scale != "link" and family in ("", "gaussian"):
        raise ModelError(
            "E-MODEL-SCALE",
            f"Means of `{fit.outcome.name}` are asked on the scale {scale!r}.",
            "The outcome of this model is measured: its means have one scale, that of the outcome.",
            "Leave `scale` out.",
        )
    return scale


def linked(fit: Fitted, found: About) -> About:
    """What is said of means on the scale of the link."""
    family = family_of(fit)
    if family in ("", "gaussian"):
        return found
    assert isinstance(fit.spec, GLMM | GEE)
    quantity = LINKED[f"{family}/{fit.spec.link_name}"]
    return replace(found, quantity=quantity, units={}, ranges={}, notes=(*found.notes, *_note(fit, "link")))


def generalized_means(
    fit: Fitted,
    names: tuple[tuple[str, ...], tuple[str, ...]],
    scale: str,
    *,
    at: object,
    weights: Weights,
    df: str | None,
    vcov: str | None,
    conf_level: float,
    categories: str,
) -> Estimates:
    """Means on the scale "response" or "marginal"; `names` are the factors, and those within whose levels they are."""
    over, within = names
    level = checked_level(conf_level)
    specs = (*within, *over)
    if _mixed(fit):
        labels, means, n, notes = _of_mixed(fit, specs, scale, at, weights, df, vcov, categories)
    else:
        labels, means, n, notes = _of_linear(fit, specs, at, weights, df, vcov)
    is_ordinal = "category" in labels
    told = {"outcome": fit.outcome.name} | {name: labels[name].to_numpy() for name in (*over, *within)}
    if is_ordinal:
        told["category"] = labels["category"].to_numpy()
    frame = mean_numbers(means, n, conf_level=level, names=told)
    missing = np.isnan(means.estimate)
    found = about(
        fit,
        kind="means",
        factors=over,
        by=(*within, "category") if is_ordinal else within,
        conf_level=level,
        df_method=means.method,
        vcov=means.vcov_name,
        notes=notes,
    )
    is_count = family_of(fit) in COUNTS
    return Estimates(
        frame=frame,
        vcov=means.vcov,
        about=replace(
            found,
            quantity="count" if is_count else "probability",
            units=found.units if is_count else {},
            ranges={},
            better={} if is_ordinal else found.better,
            notes=(*found.notes, *_note(fit, scale)),
        ),
        notices=(*fit.notices, _unseen(frame[missing], specs)) if missing.any() else fit.notices,
        L=np.eye(len(frame)),
        answers=means,
        cells=event_cells(fit, labels),
    )


def _mixed(fit: object) -> tuple[GeneralizedFit, ...]:
    """The fits with random effects behind a fit: itself, or those to imputed data sets; none for other models."""
    return (fit,) if isinstance(fit, GeneralizedFit) else tuple(getattr(fit, "fits", ()))


def _of_mixed(
    fit: Fitted,
    specs: tuple[str, ...],
    scale: str,
    at: object,
    weights: Weights,
    df: str | None,
    vcov: str | None,
    categories: str,
) -> tuple[pd.DataFrame, ScaledMeans, Array, tuple[str, ...]]:
    one_of("df", df or "asymptotic", ["asymptotic"])
    one_of("vcov", vcov or "model", ["model"])
    fits = _mixed(fit)
    spec = fits[0].spec
    cells = fit.grid.expanded(specs, weights=weights, at=at)  # type: ignore[arg-type]  # checked by the grid
    names = [name for name, _ in each_mean(fits[0], categories)]
    link = "logit" if spec.family == "ordinal" else spec.link_name
    parts = [_means_of(one, cells, scale, categories, fit.grid, link) for one in fits]
    labels = pd.concat([cells.labels.assign(category=name) for name in names], ignore_index=True)
    if spec.family != "ordinal":
        labels = labels.drop(columns="category")
    averaged_over = (cells.weights > 0).sum() > 1
    notes = (*cells.notes, *(_averaging(spec.family, scale) if averaged_over else ()))
    return labels, parts[0] if len(parts) == 1 else pooled_means(parts), np.tile(cells.n, len(names)), notes


def _means_of(
    fit: GeneralizedFit, cells: Expanded, scale: str, categories: str, grid: ReferenceGrid, link: str
) -> ScaledMeans:
    parts = [scaled(fit, cells, mean, scale) for _, mean in each_mean(fit, categories)]
    value, J = np.concatenate([value for value, _ in parts]), np.concatenate([slope for _, slope in parts])
    known = ~np.isnan(value)
    J = np.where(known[:, None], J, 0.0)
    return ScaledMeans(
        grid=grid,
        estimate=value,
        vcov=np.where(np.outer(known, known), J @ fit.optimum.vcov @ J.T, np.nan),
        df=np.where(known, np.inf, np.nan),
        link=link,
    )


def _of_linear(
    fit: Fitted, specs: tuple[str, ...], at: object, weights: Weights, df: str | None, vcov: str | None
) -> tuple[pd.DataFrame, ScaledMeans, Array, tuple[str, ...]]:
    """Of a model without random effects, whose means are averages over subjects already."""
    assert isinstance(fit.spec, GEE)
    family, margin = family_of(fit), fit.spec.margin
    labels, L, n, notes = fit.grid.means(specs, weights=weights, at=at)  # type: ignore[arg-type]  # checked by the grid
    answer = fit.answer(L, df=df, vcov=vcov)
    link = "log" if family in COUNTS else margin.link if margin.link in ("logit", "probit") else "logit"
    means = linear_means(answer, fit.grid, margin.mean, margin.slope, link)
    return labels, means, n, notes


def _averaging(family: str, scale: str) -> tuple[str, ...]:
    what = "means" if family in COUNTS else "probabilities"
    if scale == "marginal":
        return (f"What is averaged are the {what} themselves.",)
    return (f"What is averaged is the linear predictor, before it becomes {what}.",)


def _unseen(cells: pd.DataFrame, names: tuple[str, ...]) -> Notice:
    shown = "; ".join(dict.fromkeys(", ".join(map(str, cell)) for cell in cells[list(names)].itertuples(index=False)))
    return Notice(
        "N-MODEL-NOT-ESTIMABLE",
        f"These means cannot be estimated, because the data have nobody there: {shown}.",
        "Leave the interaction out, or restrict the levels with `at`.",
    )


# ---- the sentence under every table ----------------------------------------------------------------------------------


def _note(fit: Fitted, scale: str) -> tuple[str, ...]:
    family = family_of(fit)
    is_count = family in COUNTS
    what = "mean" if is_count else "probability"
    zeros = getattr(fit.spec, "zeros", None)
    more = {
        "inflated": (
            "The mean counts the extra zeros in.",
            "The linear predictor is about those who are not among the extra zeros.",
        ),
        "none": ("Only scores above 0 are counted in.", "Only scores above 0 are counted in."),
    }.get(zeros or "", ("", ""))[scale == "link"]
    zero = ", 0 where the thresholds have their mean" if family == "ordinal" else ""
    if not _mixed(fit):
        note = (
            "The scale is that of the linear predictor, of averages over subjects."
            if scale == "link"
            else f"The model has no random effects: each {what} is an average over subjects."
        )
    elif not any(one.G.any() for one in _mixed(fit)):
        note = (
            "The scale is that of the linear predictor."
            if scale == "link"
            else f"The random effects have no variance here, so the {what} of a typical subject is the average one too."
        )
    elif scale == "link":
        note = (
            f"The scale is that of the linear predictor of a given subject{zero}; differences there are larger than "
            "between averages over subjects."
            if not is_count
            else "The scale is the logarithm of the mean of a given subject."
        )
    elif scale == "response":
        note = (
            f"Each {what} is that of a typical subject, whose random effects are 0; it is not the average {what}"
            f"{', which is larger' if is_count else ', which is nearer to one half'}."
        )
    else:
        note = (
            f"Each {what} is an average over subjects, the random effects integrated out; that of a "
            f"typical subject {'is smaller' if is_count else 'is farther from one half'}."
        )
    return tuple(filter(None, (note, more)))


# ---- privacy ---------------------------------------------------------------------------------------------------------


def event_cells(fit: Fitted, labels: pd.DataFrame) -> Array | None:
    """How many scores at each mean are events and how many are not: a proportion tells both to who knows n.

    Of counts, how many are above 0. Of ordered categories, how many are in the category (or in it and above) and not.
    """
    counted, rows = getattr(fit, "counted", None), getattr(fit, "rows", None)
    if counted is None or rows is None:
        return None
    variables = fit.design.encoder.variables
    asked = [name for name in map(str, labels) if name in variables and variables[name].levels]
    _, columns = columns_of_rows(rows, counted.cohort, asked)
    y, family = rows.z[:, -1], family_of(fit)
    cells = []
    for row in labels.astype(str).to_dict("records"):
        record = {str(name): str(value) for name, value in row.items()}
        here = np.ones(len(y), dtype=bool)
        for name in asked:
            here &= columns[name] == str(record[name])
        if "category" in record:
            label = record["category"]
            above = label.removesuffix(" or higher")
            k = counted.categories.index(label if label in counted.categories else above)
            is_event = y[here] == k if label in counted.categories else y[here] >= k
        else:
            is_event = y[here] > 0
        events = float(is_event.sum())
        rest = np.nan if family in COUNTS else float(here.sum()) - events
        cells.append((events, rest))
    return np.array(cells)
