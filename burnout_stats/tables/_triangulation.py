"""The same changes by several analyses, and what the missing scores allow, as tables."""

from __future__ import annotations

from ..display import Table
from ..estimates import Estimates
from ..estimates.tabulation import tabulate
from ._kinds import expect

__all__ = ["bounds", "triangulation"]


def triangulation(estimates: Estimates, *, title: str = "") -> Table:
    """The changes by every analysis with intervals, standard errors and p, grouped by contrast; under the table what
    each analysis assumes. The interval of the bounds is no confidence interval.

    Parameters
    ----------
    estimates : Estimates
        From `sensitivity.triangulation`.
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "triangulation", "sensitivity.triangulation()")
    return tabulate(estimates, title=title, columns=("estimate", "conf", "std_error", "p_value", "n"))


def bounds(estimates: Estimates, *, title: str = "") -> Table:
    """The lowest and the highest change that the missing scores allow.

    Parameters
    ----------
    estimates : Estimates
        From `sensitivity.bounds`.
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "bounds", "sensitivity.bounds()")
    return tabulate(estimates, title=title, columns=("estimate", "std_error", "conf", "n"))
