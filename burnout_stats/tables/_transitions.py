"""Movement between states as a table."""

from __future__ import annotations

from dataclasses import replace

from ..display import Table
from ..estimates import Summaries
from ..estimates.tabulation import tabulate
from ._kinds import expect

__all__ = ["transitions"]


def transitions(summaries: Summaries, *, title: str = "") -> Table:
    """States at each visit, movements from visit to visit, and courses over all visits.

    Parameters
    ----------
    summaries : Summaries
        From `describe.transitions`.
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for summaries of another kind.
    """
    expect(summaries, "transitions", "describe.transitions()")
    table = tabulate(summaries, title=title or "Movement between states")
    first, *others = table.columns
    return replace(table, columns=(replace(first, header="State"), *others))
