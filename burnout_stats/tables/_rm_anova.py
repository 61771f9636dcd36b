"""Repeated-measures analysis of variance as a table, and sphericity beside it."""

from __future__ import annotations

from ..display import Table
from ..estimates import Estimates
from ..estimates.tabulation import tabulate
from ._kinds import expect

__all__ = ["rm_anova", "sphericity"]


def rm_anova(estimates: Estimates, *, title: str = "", decimals: int = 3) -> Table:
    """F tests with corrected degrees of freedom, p, eta squared and its interval.

    Parameters
    ----------
    estimates : Estimates
        From `describe.rm_anova`.
    title : str, optional
        The caption.
    decimals : int
        Of eta squared.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "rm_anova", "describe.rm_anova()")
    return tabulate(
        estimates,
        title=title,
        columns=("estimate", "conf", "num_df", "df", "statistic", "p_value", "n")
        if estimates.frame["conf_low"].notna().any()
        else ("estimate", "num_df", "df", "statistic", "p_value", "n"),
        headers={"estimate": "Eta squared"},
        decimals=decimals,
    )


def sphericity(estimates: Estimates, *, title: str = "", decimals: int = 3) -> Table:
    """The epsilons, and Mauchly's test.

    Parameters
    ----------
    estimates : Estimates
        From `describe.sphericity`.
    title : str, optional
        The caption.
    decimals : int
        Of the epsilons and of W.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "sphericity", "describe.sphericity()")
    columns = ("estimate", "df", "statistic", "p_value", "n")
    return tabulate(estimates, title=title, columns=columns, headers={"estimate": "Value"}, decimals=decimals)
