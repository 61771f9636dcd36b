"""Regression to the mean, the curve over stabilities, and Mee and Chua's change at the norm mean as tables."""

from __future__ import annotations

from ..display import Table
from ..errors import StudyError
from ..estimates import Estimates
from ..estimates.tabulation import tabulate

__all__ = ["regression_to_the_mean"]

KINDS = {
    "regression_to_the_mean": ("estimate", "conf", "std_error", "n"),
    "stability_curve": ("estimate", "conf", "n"),
    "mee_chua": ("estimate", "conf", "std_error", "df", "statistic", "p_value", "n"),
    "mee_chua_range": ("estimate", "conf", "std_error", "statistic", "p_value", "n"),
}


def regression_to_the_mean(estimates: Estimates, *, title: str = "", decimals: int = 2) -> Table:
    """What was observed, what regression to the mean alone would bring, and what is left.

    Parameters
    ----------
    estimates : Estimates
        From `sensitivity.regression_to_the_mean`, `stability_curve`, `mee_chua`, `mee_chua_range`, or a twin from
        summaries.
    title : str, optional
        The caption.
    decimals : int
        Of estimates and limits; the shares among them are numbers like the others.

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
            "It shows an observed change against regression to the mean.",
            "Give it what sensitivity.regression_to_the_mean() answers.",
        )
    return tabulate(estimates, title=title, columns=KINDS[kind], decimals=decimals)
