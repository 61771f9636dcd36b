"""How a cohort shows itself: subjects, visits, outcomes, covariates and notices, through the gate for privacy.

The lowest and highest observed score are single persons' values, so the scale is shown as it is declared.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..display import Cell, Column, Hidden, Row, Table
from ..display.showing import facts
from ..estimates import About, Summaries, counted, protect
from .cohort import Cohort
from .missingness import observed_at
from .roles import Covariate, Outcome
from .stream import CohortStream

__all__ = ["declared", "size", "tables"]


def size(cohort: Cohort) -> str:
    """The number of subjects in words, or that they are fewer than may be shown."""
    if cohort.n_subjects < cohort.policy.min_cell:
        return f"fewer than {cohort.policy.min_cell} subjects"
    return f"{cohort.n_subjects} subject{'' if cohort.n_subjects == 1 else 's'}"


def tables(cohort: Cohort) -> tuple[Table, Table]:
    """The cohort as a table of its visits and a table of its outcomes, with everything else in the notes."""
    shown = protect(_counted(cohort), cohort.policy).frame.set_index(["variable", "level", "statistic"])
    cells: dict[object, Cell] = {
        key: Hidden() if is_hidden else float(value)
        for key, value, is_hidden in zip(shown.index, shown["value"], shown["hidden"], strict=True)
    }
    visits = Table(
        title=f"Cohort of {size(cohort)}",
        columns=(
            Column("visit", "Visit"),
            Column("years", "Years", "statistic"),
            Column("n", "Seen", "count"),
            Column("percent", "%", "percent"),
        ),
        rows=tuple(
            Row((label, f"{years:g}", cells["visit", label, "n"], cells["visit", label, "percent"]))
            for label, years in cohort.visits.by_label().items()
        ),
        notes=("Seen: at least one outcome was observed at the visit.",),
    )
    outcomes = Table(
        title="Outcomes",
        columns=(
            Column("outcome", "Outcome"),
            Column("scale", "Scale"),
            Column("n", "Subjects", "count"),
            Column("mean", "Mean", "estimate"),
        ),
        rows=tuple(
            Row((role.label, _scale(role), cells["outcome", name, "n"], cells["outcome", name, "mean"]))
            for name, role in cohort.outcome_roles.items()
        ),
        notes=("Mean: of all values observed.", *_notes(cohort)),
    )
    return visits, outcomes


def _counted(cohort: Cohort) -> Summaries:
    seen = observed_at(cohort, cohort.outcomes)
    rows: list[dict[str, object]] = []
    counts: list[NDArray[np.bool_] | None] = []

    def add(variable: str, level: str, members: NDArray[np.bool_], statistic: str, value: float | None = None) -> None:
        n = int(members.sum())
        told = 100.0 * n / max(cohort.n_subjects, 1) if value is None else value
        rows.append({"variable": variable, "level": level, "statistic": "n", "value": float(n), "n": n})
        rows.append({"variable": variable, "level": level, "statistic": statistic, "value": told, "n": n})
        counts.extend([members, None])

    for at, label in enumerate(cohort.visits.labels):
        add("visit", label, seen[:, at], "percent")
    for name in cohort.outcomes:
        measured: NDArray[np.bool_] = np.asarray(observed_at(cohort, [name]).any(axis=1))
        add("outcome", name, measured, "mean", float(cohort.data[name].mean()))
    return Summaries(
        frame=pd.DataFrame(rows),
        about=About(kind="cohort", policy=cohort.policy),
        margins=counted(counts),
    )


def _scale(role: Outcome) -> str:
    parts = [f"{role.range[0]:g} to {role.range[1]:g}"] if role.range else []
    parts += [role.unit] if role.unit else []
    parts += [f"{role.better} is better"] if role.better else []
    return ", ".join(parts)


def _notes(cohort: Cohort) -> list[str]:
    notes = []
    if cohort.covariates:
        notes.append(f"Covariates: {'; '.join(_covariate(role) for role in cohort.covariate_roles.values())}.")
    if "not_used" in cohort.source.dialect:
        notes.append(f"Columns not used: {cohort.source.dialect['not_used']}.")
    return notes + [str(notice) for notice in cohort.notices]


def _covariate(role: Covariate) -> str:
    what = ", ".join(role.levels) if role.levels else role.unit or "number"
    return f"{role.name} ({what})"


def declared(stream: CohortStream) -> Table:
    """What is declared of a cohort that nobody has counted yet."""
    return facts(
        "Cohort read part by part",
        [
            ("Read from", stream.name),
            ("Visits", ", ".join(map(str, stream.visits.labels))),
            ("Outcomes", ", ".join(role.label for role in stream.outcome_roles.values())),
        ],
    )
