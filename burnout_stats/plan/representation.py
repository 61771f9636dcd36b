"""How a plan, its check and its results show themselves in a notebook and in a terminal.

Results show estimates without their counts: counts of several tables could be subtracted from each other, which only
the gate over a whole report watches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..display import Column, Row, Table
from ..display.showing import facts
from ..estimates.tabulation import WITHOUT_N, tabulate
from ..notices import Notice

if TYPE_CHECKING:
    from .check import Checked
    from .run import OutcomeResults, Results
    from .study import Plan

__all__ = ["checked_tables", "notices_table", "outcome_tables", "plan_tables", "results_tables"]


def plan_tables(plan: Plan) -> tuple[Table, ...]:
    """What a plan says, in a table."""
    pairs = [
        ("Data", plan.data.file),
        ("Visits", ", ".join(f"{label} ({years:g} years)" for label, years in plan.visits.items())),
        ("Outcomes", ", ".join(section.label or name for name, section in plan.outcomes.items())),
        ("Covariates", ", ".join(plan.covariates)),
        ("Terms", ", ".join(plan.analysis.terms)),
        ("Degrees of freedom", plan.df),
        ("Smallest group shown", str(plan.disclosure.min_cell)),
    ]
    return (facts(plan.title, [pair for pair in pairs if pair[1]]),)


def checked_tables(checked: Checked) -> tuple[Table, ...]:
    """The problems and the notices that a check found."""
    rows = [Row((one.code, _lines(one.lines), one.sentence()), "Problems") for one in checked.problems]
    rows += [Row((one.code, "", f"{one.message} {one.advice}".strip()), "Notices") for one in checked.notices]
    columns = (Column("code", "Code"), Column("lines", "Lines"), Column("said", "What was seen"))
    return (Table(title="Fine" if checked.is_fine else "Not fine", columns=columns, rows=tuple(rows)),)


def results_tables(results: Results) -> tuple[Table, ...]:
    """The changes of every outcome, and the notices."""
    tables = [tabulate(part.changes, columns=WITHOUT_N) for part in results.outcomes]
    return (*tables, *notices_table(results.notices))


def outcome_tables(part: OutcomeResults) -> tuple[Table, ...]:
    """Means and changes of one outcome."""
    return tuple(tabulate(one, columns=WITHOUT_N) for one in (part.means, part.changes))


def notices_table(notices: tuple[Notice, ...]) -> tuple[Table, ...]:
    """The notices in a table, where there are any."""
    columns = (Column("code", "Code"), Column("said", "What was seen"))
    rows = tuple(Row((one.code, f"{one.message} {one.advice}".strip())) for one in notices)
    return (Table(title="Notices", columns=columns, rows=rows),) if rows else ()


def _lines(lines: tuple[int, ...]) -> str:
    return ", ".join(map(str, lines[:5])) + (f" and {len(lines) - 5} more" if len(lines) > 5 else "")
