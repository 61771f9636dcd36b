"""Change against level as a table."""

from __future__ import annotations

from ..display import Table
from ..estimates import Estimates
from ..estimates.tabulation import tabulate
from ._kinds import expect

__all__ = ["level_and_change"]

HEADERS = {"oldham": "Correlation", "blomqvist": "Slope", "pitman-morgan": "Variance ratio"}


def level_and_change(estimates: Estimates, *, title: str = "", decimals: int = 2) -> Table:
    """Oldham's correlation, Blomqvist's slope or the ratio of the variances, with its interval and test.

    Parameters
    ----------
    estimates : Estimates
        From `describe.level_and_change`.
    title : str, optional
        The caption.
    decimals : int
        Of estimates and limits.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "level_and_change", "describe.level_and_change()")
    return tabulate(
        estimates,
        title=title,
        columns=("estimate", "conf", "df", "statistic", "p_value", "n"),
        headers={"estimate": HEADERS.get(str(estimates.frame["method"].iloc[0]), "Estimate")},
        decimals=decimals,
    )
