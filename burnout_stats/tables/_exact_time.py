"""Changes at nominal and at exact times as a table."""

from __future__ import annotations

from ..display import Table
from ..estimates import Estimates
from ..estimates.tabulation import tabulate
from ._kinds import expect

__all__ = ["exact_time"]


def exact_time(estimates: Estimates, *, title: str = "") -> Table:
    """Changes from baseline with visits as nominal and as they were, then slopes on lateness.

    Parameters
    ----------
    estimates : Estimates
        From `sensitivity.exact_time`.
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "exact_time", "sensitivity.exact_time()")
    return tabulate(estimates, title=title, columns=("estimate", "conf", "std_error", "p_value", "n"), per_row=True)
