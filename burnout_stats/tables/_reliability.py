"""Reliabilities as a table."""

from __future__ import annotations

from ..display import Table
from ..errors import StudyError
from ..estimates import Estimates
from ..estimates.tabulation import tabulate

__all__ = ["reliability"]

KINDS = {"reliability": "Coefficient", "test_retest": "Estimate"}


def reliability(estimates: Estimates, *, title: str = "", decimals: int = 2) -> Table:
    """Coefficients of reliability with their intervals and numbers of subjects.

    Parameters
    ----------
    estimates : Estimates
        From `describe.reliability` or `describe.test_retest`, or their twins from summaries.
    title : str, optional
        The caption.
    decimals : int
        Of coefficients and limits; two, as is customary.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    if estimates.about.kind not in KINDS:
        raise StudyError(
            "E-STUDY-VALUE",
            f"This table was given {estimates.about.kind or 'something else'}.",
            "It shows reliabilities.",
            "Give it what describe.reliability() or describe.test_retest() answers.",
        )
    return tabulate(
        estimates,
        title=title,
        columns=("estimate", "conf", "n"),
        headers={"estimate": KINDS[estimates.about.kind]},
        decimals=decimals,
    )
