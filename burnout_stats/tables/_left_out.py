"""The change without single subjects or levels as a table."""

from __future__ import annotations

from ..display import Table
from ..estimates import Estimates
from ..estimates.tabulation import tabulate
from ._kinds import expect

__all__ = ["left_out"]


def left_out(estimates: Estimates, *, title: str = "") -> Table:
    """The change with nobody left out, then without each level, or the extremes without one subject.

    Parameters
    ----------
    estimates : Estimates
        From `sensitivity.left_out`.
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "left_out", "sensitivity.left_out()")
    return tabulate(estimates, title=title, columns=("estimate", "conf", "p_value", "n"))
