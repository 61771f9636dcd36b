"""Panel models as tables: paths with their standardized values beside them, artefact checks, fit indices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..display import Cell, Column, Hidden, Interval, Missing, Table
from ..errors import StudyError
from ..estimates import Estimates
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import percent_of, shown, tabulate
from ._kinds import expect

__all__ = ["artefact_check", "fit_indices", "paths"]

NAMES = ["outcome", "path", "from", "to"]


def paths(
    estimates: Estimates, standardized: Estimates | None = None, *, title: str = "", decimals: int | None = None
) -> Table:
    """Paths with intervals, standard errors, z and p.

    Parameters
    ----------
    estimates : Estimates
        From `pathways.paths`.
    standardized : Estimates, optional
        The same paths from `pathways.paths(fit, standardized=True)`; they stand beside the others.
    title : str, optional
        The caption.
    decimals : int, optional
        Of estimates, limits and standard errors; where left out, from the standard errors.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind, or standardized ones of other paths.
    """
    expect(estimates, "paths", "pathways.paths()")
    table = tabulate(
        estimates,
        title=title,
        columns=("estimate", "conf", "std_error", "statistic", "p_value"),
        beside=() if standardized is None else _beside(estimates, standardized),
        decimals=decimals,
    )
    if standardized is None:
        return table
    return replace(table, notes=tuple(dict.fromkeys((*table.notes, *standardized.about.notes))))


def artefact_check(estimates: Estimates, *, title: str = "", decimals: int | None = None) -> Table:
    """The three looks at each cross-lagged claim.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "artefact_check", "pathways.artefact_check()")
    columns = ("estimate", "conf", "std_error", "statistic", "p_value")
    return tabulate(estimates, title=title, columns=columns, decimals=decimals)


def fit_indices(estimates: Estimates, *, title: str = "", decimals: int = 3) -> Table:
    """Chi-square, CFI, TLI, RMSEA with its interval, and SRMR.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "fit_indices", "pathways.fit_indices()")
    return tabulate(estimates, title=title, columns=("estimate", "conf", "df", "p_value"), decimals=decimals)


def _beside(estimates: Estimates, standardized: Estimates) -> Sequence[tuple[Column, Sequence[Cell]]]:
    expect(standardized, "paths", "pathways.paths(fit, standardized=True)")
    same = len(estimates) == len(standardized) and (
        estimates.frame[NAMES].astype(str).to_numpy() == standardized.frame[NAMES].astype(str).to_numpy()
    )
    if not np.all(same):
        raise StudyError(
            "E-STUDY-VALUE",
            "The standardized paths have other rows than the paths.",
            "Both tell of the same paths in the same order.",
            "Write paths(pathways.paths(fit), pathways.paths(fit, standardized=True)).",
        )
    frame = shown(standardized).frame
    hidden = frame[HIDDEN].to_numpy(dtype=bool) | shown(estimates).frame[HIDDEN].to_numpy(dtype=bool)
    value: list[Cell] = []
    conf: list[Cell] = []
    numbers = frame[["estimate", "conf_low", "conf_high"]].to_numpy(dtype=float)
    for (estimate, low, high), withheld in zip(numbers.tolist(), hidden, strict=True):
        absent = Missing("needs a variance that is estimated below 0")
        value.append(Hidden() if withheld else absent if np.isnan(estimate) else estimate)
        conf.append(Hidden() if withheld else Missing() if np.isnan(low) else Interval(low, high))
    spanner, level = "Standardized", percent_of(standardized.about.conf_level)
    return (
        (Column("standardized", "Estimate", "estimate", spanner=spanner, decimals=2), value),
        (Column("standardized_conf", f"{level} CI", "interval", spanner=spanner, decimals=2), conf),
    )
