"""The cohort against a norm as a table."""

from __future__ import annotations

from ..display import Table
from ..errors import StudyError
from ..estimates import Estimates
from ..estimates.tabulation import tabulate

__all__ = ["against_norm"]

KINDS = {"against_norm": ("estimate", "conf", "std_error", "df", "statistic", "p_value", "n"), "share_against_norm": ()}


def against_norm(estimates: Estimates, *, title: str = "", decimals: int | None = None) -> Table:
    """Differences from a norm with their intervals, and whether equivalence was shown.

    Parameters
    ----------
    estimates : Estimates
        From `describe.against_norm`, `describe.equivalent_to_norm`, `describe.share_against_norm`, or a twin from
        summaries.
    title : str, optional
        The caption.
    decimals : int, optional
        Of differences, limits and standard errors; where left out, from the standard errors.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    kind = estimates.about.kind
    if kind not in KINDS:
        raise StudyError(
            "E-STUDY-VALUE",
            f"This table was given {kind or 'something else'}.",
            "It shows differences from a norm.",
            "Give it what describe.against_norm() answers.",
        )
    shares = 1 if kind == "share_against_norm" and decimals is None else decimals
    return tabulate(estimates, title=title, columns=KINDS[kind], headers={"estimate": "Difference"}, decimals=shares)
