"""Trends: how fast the mean changes with a numeric variable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..design.grid import Weights
from ..estimates import Estimates
from ..models.fitted import Fitted
from .about import about
from .emmeans import named, not_estimable
from .generalized import linked
from .intervals import checked_level, numbers

__all__ = ["slopes"]


def slopes(
    fit: Fitted,
    variable: str,
    *,
    by: str | Sequence[str] | None = None,
    at: Mapping[str, object] | str | None = None,
    weights: Weights = "proportional",
    df: str | None = None,
    vcov: str | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """The derivative of the mean outcome by a numeric variable, at each level of `by`.

    Parameters
    ----------
    variable : str
        A numeric variable of the model, such as `years` or `age`; transforms of it in the formula are differentiated
        through.
    by : str or sequence of str, optional
        Factors (or numeric variables with values in `at`) at whose levels the slope is asked. `contrast` compares the
        slopes of different levels.
    at : mapping or "rows", optional
        As in `emmeans`. A curved trend is asked where `at` holds the variable itself, or at its mean.
    weights, df, vcov, conf_level
        As in `emmeans`.

    Returns
    -------
    Estimates
        One row per level of `by`, in outcome units per unit of the variable.

    **Source**: the row of X is differentiated column by column (product rule); Searle, Speed & Milliken 1980, Am Stat
    34:216, for the averaging.
    """
    levels = () if by is None else named(by, fit.design.encoder.variables)
    level = checked_level(conf_level)
    labels, L, n, notes = fit.grid.slopes(variable, levels, weights=weights, at=at)
    answer = fit.answer(L, df=df, vcov=vcov)
    named_by = {name: labels[name].to_numpy() for name in levels}
    told = {"outcome": fit.outcome.name, "variable": variable} | named_by
    frame = numbers(answer, n, conf_level=level, names=told)
    names = levels or ("variable",)
    missing = np.isnan(answer.estimate)
    return Estimates(
        frame=frame,
        vcov=answer.vcov,
        about=linked(
            fit,
            about(
                fit,
                kind="slopes",
                factors=names,
                conf_level=level,
                df_method=answer.method,
                vcov=answer.vcov_name,
                notes=notes,
            ),
        ),
        notices=fit.notices if not missing.any() else (*fit.notices, not_estimable(frame[missing], names)),
        L=L,
        answers=fit,
    )
