"""Change between arms as a table."""

from __future__ import annotations

from ..display import Table
from ..estimates import Estimates
from ..estimates.tabulation import tabulate
from ._kinds import expect

__all__ = ["between_arms"]


def between_arms(estimates: Estimates, *, title: str = "", decimals: int | None = None) -> Table:
    """Differences of change between arms, by change scores and adjusted for baseline, with intervals and tests.

    Parameters
    ----------
    estimates : Estimates
        From `describe.between_arms` or `describe.between_arms_from_summaries`.
    title : str, optional
        The caption.
    decimals : int, optional
        Of estimates, limits and standard errors; where left out, from the standard errors.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "between_arms", "describe.between_arms()")
    return tabulate(
        estimates,
        title=title,
        columns=("estimate", "conf", "std_error", "df", "statistic", "p_value", "n"),
        decimals=decimals,
    )
