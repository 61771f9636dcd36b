"""Estimated marginal means: what the model says of groups and visits, averaged over everything else in a stated way."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

import numpy as np
import pandas as pd

from ..design.grid import Weights
from ..estimates import Estimates
from ..models.fitted import Fitted
from ..notices import Notice
from .about import about
from .generalized import checked_scale, event_cells, generalized_means, linked
from .intervals import checked_level, numbers

__all__ = ["emmeans", "named", "not_estimable"]


def emmeans(
    fit: Fitted,
    specs: str | Sequence[str],
    *,
    by: str | Sequence[str] | None = None,
    at: Mapping[str, object] | str | None = None,
    weights: Weights = "proportional",
    df: str | None = None,
    vcov: str | None = None,
    conf_level: float = 0.95,
    scale: str = "link",
    categories: str = "each",
) -> Estimates:
    """Marginal means over the levels of `specs`, separately within the levels of `by`.

    Parameters
    ----------
    specs, by : str or sequence of str
        Factors of the model (or numeric variables with values in `at`; `years` takes the visits' years). "visit:sex" is
        short for ["visit", "sex"].
    at : mapping or "rows", optional
        Values at which to hold numeric covariates, or levels to which to restrict factors. Covariates not named stand
        at their mean over subjects; "rows" takes the mean over rows (as R's emmeans).
    weights : "proportional", "equal", or a population
        How other factors are averaged: as their combinations occur among the subjects (visits always equally); all
        alike (R's default); or by the shares of a population that you give, {"sex": {"F": 0.7, "M": 0.3}} for
        independent factors, or a frame with a row for each combination and a column `weight`.
    df, vcov, conf_level
        As in `summarize`.
    scale : "link", "response" or "marginal"
        Of models of events, ordered categories and counts: the linear predictor (log odds, logarithms of means); the
        probability or mean of a typical subject, whose random effects are 0; or their average over the subjects, the
        random effects integrated out. The last two differ, and a note says which it is. Their standard errors are of
        the delta method, their limits found on the scale of the link and taken back.
    categories : "each" or "at_least"
        Of ordered categories, on the last two scales: the probability of each category, or of at least each one.

    Returns
    -------
    Estimates
        One row per cell; `n` is the number of subjects seen in it. Cells that the data cannot estimate are NaN, with a
        notice.

    Raises
    ------
    ModelError
        `E-MODEL-SCALE` where the outcome is measured, and so has one scale.

    **Source**: Searle, Speed & Milliken 1980, Am Stat 34:216; reference grid as in the R package emmeans; for the
    scales Zeger, Liang & Albert 1988, Biometrics 44:1049, and Hedeker et al. 2018, Biometrics 74:354.
    """
    known = fit.design.encoder.variables
    over, within = named(specs, known), () if by is None else named(by, known)
    level = checked_level(conf_level)
    if checked_scale(fit, scale) != "link":
        return generalized_means(
            fit,
            (over, within),
            scale,
            at=at,
            weights=weights,
            df=df,
            vcov=vcov,
            conf_level=level,
            categories=categories,
        )
    labels, L, n, notes = fit.grid.means((*within, *over), weights=weights, at=at)
    answer = fit.answer(L, df=df, vcov=vcov)
    names = {"outcome": fit.outcome.name} | {name: labels[name].to_numpy() for name in (*over, *within)}
    frame = numbers(answer, n, conf_level=level, names=names)
    missing = np.isnan(answer.estimate)
    notices = fit.notices if not missing.any() else (*fit.notices, not_estimable(frame[missing], (*over, *within)))
    return Estimates(
        frame=frame,
        vcov=answer.vcov,
        about=linked(
            fit,
            about(
                fit,
                kind="means",
                factors=over,
                by=within,
                conf_level=level,
                df_method=answer.method,
                vcov=answer.vcov_name,
                notes=notes,
            ),
        ),
        notices=notices,
        L=L,
        answers=fit,
        cells=event_cells(fit, labels),
    )


def named(asked: str | Sequence[str], known: Container[str]) -> tuple[str, ...]:
    """The variables that a word, an interaction with colons or a list names."""
    if isinstance(asked, str):
        asked = [asked] if asked in known else asked.split(":")
    return tuple(name.strip() for name in asked)


def not_estimable(cells: pd.DataFrame, names: tuple[str, ...]) -> Notice:
    """The notice that names the cells without an estimate."""
    shown = "; ".join(", ".join(map(str, cell)) for cell in cells[list(names)].itertuples(index=False))
    return Notice(
        "N-MODEL-NOT-ESTIMABLE",
        f"These means cannot be estimated, because the data have nobody there: {shown}.",
        "Leave the interaction out, or restrict the levels with `at`.",
    )
