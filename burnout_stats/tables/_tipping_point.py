"""Tipping points, and strategies side by side, as tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..display import Table
from ..errors import StudyError
from ..estimates import Estimates
from ..estimates.tabulation import tabulate
from ._kinds import expect

__all__ = ["strategies", "tipping_point"]

KINDS = ("tipping_point", "tipping_share", "tipping_map")
TIPPING = "tipping point"


def tipping_point(estimates: Estimates, *, grid: bool = True, title: str = "", decimals: int | None = None) -> Table:
    """Estimates along delta (or over two deltas, or along a share), with what is concluded in each row.

    Parameters
    ----------
    estimates : Estimates
        From `sensitivity.tipping_point`, `tipping_share` or `tipping_map`.
    grid : bool
        Whether all rows are shown, or only the start (no delta) and where the conclusion changes.
    title : str, optional
        The caption.
    decimals : int, optional
        Of estimates and limits; where left out, from the standard errors.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    about, frame = estimates.about, estimates.frame
    if about.kind not in KINDS:
        raise StudyError(
            "E-STUDY-VALUE",
            f"This table was given {about.kind or 'something else'}.",
            "It shows estimates along a delta.",
            "Give it what sensitivity.tipping_point() answers.",
        )
    places = list(about.factors[:-1])
    if not grid:
        start = frame[places].eq(0).all(axis=1)
        frame = frame[start | frame["conclusion"].str.startswith(TIPPING)].reset_index(drop=True)
    words = {name: [_place(value, name) for value in frame[name]] for name in places}
    kept = replace(estimates, frame=frame.assign(**words), vcov=np.diag(frame["std_error"].to_numpy(dtype=float) ** 2))
    return tabulate(kept, title=title, columns=("estimate", "conf", "p_value"), decimals=decimals)


def strategies(estimates: Estimates, *, title: str = "", decimals: int | None = None) -> Table:
    """Contrasts under several assumptions about what was not seen.

    Parameters
    ----------
    estimates : Estimates
        From `sensitivity.strategies_compared`.
    title : str, optional
        The caption.
    decimals : int, optional
        Of estimates, limits and standard errors; where left out, from the standard errors.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "strategies", "sensitivity.strategies_compared()")
    return tabulate(estimates, title=title, columns=("estimate", "conf", "std_error", "p_value"), decimals=decimals)


def _place(value: float, name: str) -> str:
    if name == "share":
        return f"{100 * value:.1f}%"
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}") if value else "0"
