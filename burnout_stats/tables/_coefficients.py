"""The coefficients of a model as a table."""

from __future__ import annotations

from ..display import Table
from ..estimates import Estimates
from ..estimates.tabulation import tabulate
from ._kinds import expect

__all__ = ["coefficients"]


def coefficients(estimates: Estimates, *, title: str = "", decimals: int | None = None) -> Table:
    """Fixed effects with intervals, standard errors, degrees of freedom, t and p.

    The terms are in different units, so each row has the decimals of its own standard error.

    Parameters
    ----------
    estimates : Estimates
        From `summarize`.
    title : str, optional
        The caption.
    decimals : int, optional
        Of estimates, limits and standard errors of all rows.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "coefficients", "summarize()")
    shown = ("estimate", "conf", "std_error", "df", "statistic", "p_value")
    return tabulate(estimates, title=title, columns=shown, decimals=decimals, per_row=True)
