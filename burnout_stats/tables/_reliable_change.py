"""Reliable change as a table."""

from __future__ import annotations

import math

from ..display import Column, Row, Table
from ..display.styles import decimals_from, fixed
from ..estimates import Summaries
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import heading, hidden_note, in_sentence, scale_note, shown, summary_cell
from ._kinds import expect

__all__ = ["reliable_change"]


def reliable_change(summaries: Summaries, *, title: str = "") -> Table:
    """Persons who recovered, improved, stayed unchanged or deteriorated, with the criterion under the table.

    Parameters
    ----------
    summaries : Summaries
        From `describe.reliable_change`.
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for summaries of another kind.
    """
    expect(summaries, "reliable_change", "describe.reliable_change()")
    safe = shown(summaries)
    about, frame = safe.about, safe.frame
    criteria = frame[frame["variable"].eq("criterion")]
    counts = frame[~frame["variable"].eq("criterion")]
    rows = []
    for (_, level), cells in counts.groupby(["variable", "level"], sort=False, observed=True):
        by_name = {str(record["statistic"]): summary_cell(record) for record in cells.to_dict("records")}
        rows.append(Row((heading(str(level)), by_name.get("n"), by_name.get("percent"))))
    known = criteria[~criteria[HIDDEN].astype(bool)]
    numbers = dict(zip(known["level"].astype(str), known["value"].astype(float), strict=True))
    names = list(dict.fromkeys(counts["variable"].astype(str)))
    label = in_sentence(about.outcomes.get(names[0], names[0])) if names else ""
    return Table(
        title=title or (f"Reliable change in {label}" if label else "Criterion of reliable change"),
        columns=(
            Column("category", "Category"),
            Column("n", "n", "count", symbol=True),
            Column("percent", "%", "percent"),
        ),
        rows=tuple(rows),
        notes=(
            *filter(None, (scale_note(about, name) for name in names)),
            *criterion_notes(numbers),
            *about.notes,
            *hidden_note(safe),
        ),
    )


def criterion_notes(numbers: dict[str, float]) -> tuple[str, ...]:
    """The criterion in words, of the numbers that may be shown."""
    if "band: slope" not in numbers:
        return ()
    sem = numbers["standard error of measurement"]
    digits = max(decimals_from([sem / 3]), 2)
    slope, low, high = (numbers[f"band: {name}"] for name in ("slope", "lower intercept", "upper intercept"))
    limits = f"{fixed(low, digits)} to {fixed(high, digits)}"
    if math.isclose(slope, 1):
        words = f"No reliable change: a change of {limits}."
    else:
        words = f"No reliable change: a score after that is {fixed(slope, 2)} × the score before, plus {limits}."
    sentences = [words, f"Standard error of measurement {fixed(sem, digits)}."]
    if "cut-off" in numbers:
        sentences.append(f"Cut-off {fixed(numbers['cut-off'], digits)}.")
    return (" ".join(sentences),)
