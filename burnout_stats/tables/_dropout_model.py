"""The model of dropout as a table."""

from __future__ import annotations

from ..display import Table
from ..estimates import Estimates
from ..estimates.tabulation import tabulate
from ._kinds import expect

__all__ = ["dropout_model"]


def dropout_model(estimates: Estimates, *, title: str = "") -> Table:
    """Odds ratios of being lost, with intervals, z and p.

    Parameters
    ----------
    estimates : Estimates
        From `describe.dropout_model`.
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "odds_ratios", "describe.dropout_model()")
    return tabulate(estimates, title=title, columns=("estimate", "conf", "statistic", "p_value", "n"), decimals=2)
