"""Numbers of groups beside qualitative labels of the same groups, as a table."""

from __future__ import annotations

from ..display import Cell, Column, Hidden, Interval, Missing, Pair, Row, Table
from ..display.styles import decimals_from
from ..estimates import Estimates
from ..estimates.disclosure import HIDDEN
from ..estimates.estimates import NUMBERS
from ..estimates.tabulation import heading, hidden_note, percent_of, shown, tabulate
from ..inference.joint_display import JointDisplay

__all__ = ["joint_display"]

NO_LABEL = "no label given"


def joint_display(display: JointDisplay, *, title: str = "") -> Table:
    """A row for each level of the factor: its labels, and every estimate with its interval.

    Numbers go through the gate for privacy; labels are as they were given.

    Parameters
    ----------
    display : JointDisplay
        From `inference.joint_display`.
    title : str, optional
        The caption.
    """
    columns = [Column(display.factor, heading(display.factor)), Column("themes", "In words")]
    cells: dict[str, list[Cell]] = {
        level: [level, "; ".join(label for label in display.themes[level] if label) or NO_LABEL]
        for level in display.levels
    }
    notes: list[str] = [f"In words: labels of {display.source}; given, not found in these numbers."]
    for number, part in enumerate(display.parts):
        safe = shown(part)
        for name, keyed in _columns(safe, display.factor).items():
            spanner, header = name
            decimals = decimals_from([float(str(row["std_error"])) for row in keyed.values()])
            key = f"part{number + 1}_{len(columns)}"
            columns.append(Column(key, header, "estimate", spanner=spanner, decimals=decimals))
            for level in display.levels:
                cells[level].append(_cell(keyed.get(level)))
        notes += [note for note in (*tabulate(part).notes, *hidden_note(safe)) if note not in notes]
    level = percent_of(display.parts[0].about.conf_level)
    notes.insert(1, f"Estimates with {level} intervals in parentheses.")
    return Table(
        title=title or f"Joint display by {heading(display.factor).lower()}",
        columns=tuple(columns),
        rows=tuple(Row(tuple(row)) for row in cells.values()),
        notes=tuple(dict.fromkeys((*notes, *display.notes))),
    )


def _columns(safe: Estimates, factor: str) -> dict[tuple[str, str], dict[str, dict[str, object]]]:
    """By outcome and what else names a row, the records by level."""
    frame = safe.frame
    naming = [name for name in frame if name not in {"outcome", factor, *NUMBERS, "n", "method", HIDDEN}]
    found: dict[tuple[str, str], dict[str, dict[str, object]]] = {}
    for record in frame.to_dict("records"):
        outcome = str(record["outcome"])
        header = ", ".join(str(record[name]) for name in naming).replace(" - ", " − ") or heading(safe.about.kind)
        keyed = found.setdefault((safe.about.outcomes.get(outcome, outcome), header), {})
        keyed[str(record[factor])] = {str(key): value for key, value in record.items()}
    return found


def _cell(record: dict[str, object] | None) -> Cell:
    if record is None:
        return Missing("not asked")
    if record[HIDDEN]:
        return Hidden()
    estimate, low, high = (float(str(record[name])) for name in ("estimate", "conf_low", "conf_high"))
    if estimate != estimate:
        return Missing("not estimable from these data")
    return Pair(estimate, Interval(low, high))
