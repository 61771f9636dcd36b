"""Mediation through change as a table."""

from __future__ import annotations

from ..display import Table
from ..estimates import Estimates
from ..estimates.tabulation import tabulate
from ._kinds import expect

__all__ = ["mediation"]


def mediation(estimates: Estimates, *, title: str = "", decimals: int = 2) -> Table:
    """Paths and the indirect path with intervals, standard errors, p and n.

    Parameters
    ----------
    estimates : Estimates
        From `pathways.mediation`.
    title : str, optional
        The caption.
    decimals : int
        Of estimates, limits and standard errors.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "mediation", "pathways.mediation()")
    return tabulate(
        estimates, title=title, columns=("estimate", "conf", "std_error", "p_value", "n"), decimals=decimals
    )
