"""Consistency of printed numbers as a table."""

from __future__ import annotations

from ..display import Table
from ..estimates import Estimates
from ..estimates.tabulation import tabulate
from ._kinds import expect

__all__ = ["consistency"]


def consistency(estimates: Estimates, *, title: str = "", decimals: int = 3) -> Table:
    """Each check with what was printed, the verdict, the reading under which the numbers agree, and the recomputed one.

    Parameters
    ----------
    estimates : Estimates
        From `describe.consistency`.
    title : str, optional
        The caption.
    decimals : int
        Of recomputed numbers and their ranges.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "consistency", "describe.consistency()")
    title = title or "Consistency of printed numbers"
    return tabulate(estimates, title=title, columns=("estimate", "conf"), decimals=decimals)
