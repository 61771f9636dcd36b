"""A change beside that of outcomes which could not have been moved, as a table."""

from __future__ import annotations

from ..display import Table
from ..estimates import Estimates
from ..estimates.tabulation import tabulate
from ._kinds import expect

__all__ = ["negative_control"]


def negative_control(estimates: Estimates, *, title: str = "") -> Table:
    """Changes in standard deviations with intervals, standard errors, p and n.

    Parameters
    ----------
    estimates : Estimates
        From `sensitivity.negative_control`.
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "negative_control", "sensitivity.negative_control()")
    return tabulate(estimates, title=title, columns=("estimate", "conf", "std_error", "p_value", "n"), decimals=2)
