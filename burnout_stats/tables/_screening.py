"""Screening accuracy as a table."""

from __future__ import annotations

from ..display import Table
from ..estimates import Estimates
from ..estimates.tabulation import tabulate
from ._kinds import expect

__all__ = ["screening"]


def screening(estimates: Estimates, *, title: str = "", decimals: int = 3) -> Table:
    """Accuracy of a test at its cut, agreement, and the area under the curve, with intervals and numbers of persons.

    Parameters
    ----------
    estimates : Estimates
        From `describe.screening` or its twins.
    title : str, optional
        The caption.
    decimals : int
        Of all measures and limits.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "screening", "describe.screening()")
    return tabulate(estimates, title=title, columns=("estimate", "conf", "n"), decimals=decimals)
