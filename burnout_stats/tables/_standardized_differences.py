"""Standardized differences as a table."""

from __future__ import annotations

from ..display import Table
from ..estimates import Estimates
from ..estimates.tabulation import tabulate
from ._kinds import expect

__all__ = ["standardized_differences"]


def standardized_differences(estimates: Estimates, *, title: str = "") -> Table:
    """Standardized differences with their intervals, one row for each variable and pair of groups.

    Parameters
    ----------
    estimates : Estimates
        From `describe.standardized_differences`.
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "standardized_differences", "describe.standardized_differences()")
    return tabulate(estimates, title=title, columns=("estimate", "conf", "n"), decimals=2)
