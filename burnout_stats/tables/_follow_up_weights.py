"""Weights by the probability of being seen, and the balance that they bring, as tables."""

from __future__ import annotations

from ..display import Table
from ..estimates import Summaries
from ..estimates.tabulation import tabulate
from ._kinds import expect

__all__ = ["balance", "follow_up_weights"]


def follow_up_weights(summaries: Summaries, *, title: str = "") -> Table:
    """Of each visit the stabilized weights, the effective sample size and the range of the probabilities.

    Parameters
    ----------
    summaries : Summaries
        The `diagnostics` of `sensitivity.weights`.
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for summaries of another kind.
    """
    expect(summaries, "follow_up_weights", "sensitivity.weights(...).diagnostics")
    return tabulate(summaries, title=title)


def balance(summaries: Summaries, *, title: str = "") -> Table:
    """Standardized differences between those seen and everybody, before and after weighting.

    Parameters
    ----------
    summaries : Summaries
        The `balance` of `sensitivity.weights`.
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for summaries of another kind.
    """
    expect(summaries, "balance", "sensitivity.weights(...).balance")
    return tabulate(summaries, title=title)
