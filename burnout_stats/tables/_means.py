"""Estimated marginal means as a table."""

from __future__ import annotations

from ..display import Table
from ..estimates import Estimates
from ..estimates.tabulation import tabulate
from ._kinds import expect

__all__ = ["means"]


def means(estimates: Estimates, *, title: str = "", decimals: int | None = None) -> Table:
    """Model means with intervals, standard errors and numbers of subjects; one group of rows for each level of `by`.

    Parameters
    ----------
    estimates : Estimates
        From `emmeans`.
    title : str, optional
        The caption.
    decimals : int, optional
        Of means, limits and standard errors; where left out, from the standard errors.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "means", "emmeans()")
    return tabulate(estimates, title=title, columns=("estimate", "conf", "std_error", "n"), decimals=decimals)
