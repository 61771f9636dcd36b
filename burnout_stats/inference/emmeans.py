"""Estimated marginal means: what the model says of groups and visits, averaged over everything else in a stated way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ..estimates import Estimates
from ..models import Fit
from ..notices import Notice
from .about import about
from .intervals import checked_level, numbers

__all__ = ["emmeans"]


def emmeans(
    fit: Fit,
    specs: str | Sequence[str],
    *,
    by: str | Sequence[str] | None = None,
    at: Mapping[str, object] | str | None = None,
    weights: str = "proportional",
    df: str | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """Marginal means over the levels of `specs`, separately within the levels of `by`.

    Parameters
    ----------
    specs, by : str or sequence of str
        Factors of the model (or numeric variables with values in `at`; `years` takes the visits' years).
    at : mapping or "rows", optional
        Values at which to hold numeric covariates, or levels to which to restrict factors. Covariates not named stand
        at their mean over subjects; "rows" takes the mean over rows (as R's emmeans).
    weights : "proportional" or "equal"
        How other factors are averaged: as their combinations occur among the subjects (visits always equally), or all
        alike (R's default).
    df, conf_level
        As in `summarize`.

    Returns
    -------
    Estimates
        One row per cell; `n` is the number of subjects seen in it. Cells that the data cannot estimate are NaN, with a
        notice.

    **Source**: Searle, Speed & Milliken 1980, Am Stat 34:216; reference grid as in the R package emmeans.
    """
    over = (specs,) if isinstance(specs, str) else tuple(specs)
    within = () if by is None else (by,) if isinstance(by, str) else tuple(by)
    labels, L, n, notes = fit.grid.means((*within, *over), weights=weights, at=at)
    answer = fit.answer(L, df=df)
    frame = numbers(answer, n, conf_level=checked_level(conf_level))
    for name in reversed((*over, *within)):
        frame.insert(0, name, labels[name].to_numpy())
    frame.insert(0, "outcome", fit.outcome.name)
    missing = np.isnan(answer.estimate)
    notices = fit.notices if not missing.any() else (*fit.notices, _not_estimable(frame[missing], (*over, *within)))
    return Estimates(
        frame=frame,
        vcov=answer.vcov,
        about=about(
            fit, kind="means", factors=over, by=within, conf_level=conf_level, df_method=answer.method, notes=notes
        ),
        notices=notices,
        L=L,
        answers=fit,
    )


def _not_estimable(cells: pd.DataFrame, names: tuple[str, ...]) -> Notice:
    shown = "; ".join(", ".join(map(str, cell)) for cell in cells[list(names)].itertuples(index=False))
    return Notice(
        "N-MODEL-NOT-ESTIMABLE",
        f"These means cannot be estimated, because the data have nobody there: {shown}.",
        "Leave the interaction out, or restrict the levels with `at`.",
    )
