"""Who was seen when, as a table."""

from __future__ import annotations

from dataclasses import replace

from ..display import Table
from ..estimates import Summaries
from ..estimates.tabulation import tabulate
from ._kinds import expect

__all__ = ["flow"]


def flow(summaries: Summaries, *, title: str = "") -> Table:
    """Subjects seen at each visit, with percentages of all, and the patterns of visits.

    Parameters
    ----------
    summaries : Summaries
        From `describe.flow`.
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for summaries of another kind.
    """
    expect(summaries, "flow", "describe.flow()")
    table = tabulate(summaries, title=title or "Participants at each visit")
    first, *others = table.columns
    return replace(table, columns=(replace(first, header="Subjects"), *others))
