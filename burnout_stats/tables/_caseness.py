"""Prevalence of cases and its change as tables, in percent."""

from __future__ import annotations

from dataclasses import replace

from ..display import Table
from ..estimates import Estimates
from ..estimates.tabulation import tabulate
from ._kinds import expect

__all__ = ["caseness", "caseness_change"]

SCALED = ["estimate", "std_error", "conf_low", "conf_high"]


def caseness(estimates: Estimates, *, title: str = "", decimals: int = 1) -> Table:
    """Percentage of cases at each visit, with its interval and how many were seen.

    Parameters
    ----------
    estimates : Estimates
        From `describe.caseness`.
    title : str, optional
        The caption.
    decimals : int
        Of percentages.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "caseness", "describe.caseness()")
    columns = ("estimate", "conf", "n")
    return tabulate(_percent(estimates), title=title, columns=columns, headers={"estimate": "%"}, decimals=decimals)


def caseness_change(estimates: Estimates, *, title: str = "", decimals: int = 1) -> Table:
    """Change of the percentage of cases, in percentage points, with intervals and McNemar's tests.

    Parameters
    ----------
    estimates : Estimates
        From `describe.caseness_change`.
    title : str, optional
        The caption.
    decimals : int
        Of percentage points.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "caseness_change", "describe.caseness_change()")
    return tabulate(
        _percent(estimates),
        title=title,
        columns=("estimate", "conf", "statistic", "p_value", "n"),
        headers={"estimate": "Change, points", "statistic": "z"},
        decimals=decimals,
    )


def _percent(estimates: Estimates) -> Estimates:
    frame = estimates.frame.assign(**{name: 100 * estimates.frame[name] for name in SCALED})
    return replace(estimates, frame=frame, vcov=1e4 * estimates.vcov)
