"""Table 1, and the standardized differences beside it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from ..display import Cell, Column, Hidden, Interval, Missing, Pair, Row, Table
from ..display.styles import decimals_from
from ..errors import StudyError
from ..estimates import Estimates, Summaries
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import heading, hidden_note, percent_of, shown, summary_cell
from ._kinds import expect

__all__ = ["Characteristics", "baseline"]

ALL, SUBJECTS = "(all)", "subjects"
NOTHING = ""
OURS = frozenset({"completed", "lost", "missing"})
"""Groups that we name; others are written as the file writes them."""
_NO_ONE = Missing("of nobody is it known")
MEDIAN_DECIMALS = 1


def baseline(
    summaries: Summaries,
    differences: Estimates | None = None,
    *,
    title: str = "",
    decimals: int | None = None,
) -> Table:
    """Table 1: a column for each group and for all, the standardized mean difference, a row for what is missing.

    Parameters
    ----------
    summaries : Summaries
        From `describe.baseline`.
    differences : Estimates, optional
        From `describe.standardized_differences` of the same two groups: their intervals stand beside the differences.
    title : str, optional
        The caption.
    decimals : int, optional
        Of means and SDs; where left out, from the standard errors of a variable's means.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for summaries of another kind, or differences between more than two groups.
    """
    expect(summaries, "baseline", "describe.baseline()")
    found = Characteristics.of(summaries)
    limits = _limits(differences) if differences is not None else {}
    columns = [Column("characteristic", "Characteristic"), *found.columns()]
    has_smd = any(statistic == "smd" for _, _, statistic in found.cells)
    columns += [Column("smd", "SMD", "estimate", decimals=2)] if has_smd else []
    if limits and differences is not None:
        columns.append(Column("smd_conf", f"{percent_of(differences.about.conf_level)} CI", "interval", decimals=2))
    rows = []
    for variable in found.variables:
        smd = found.one(variable, ALL, "smd") if has_smd else None
        beside = [*([smd] if has_smd else []), *([limits.get(variable, NOTHING)] if limits else [])]
        for place, row in enumerate(found.rows(variable, decimals)):
            rows.append(
                Row((*row.cells, *(beside if place == 0 else [NOTHING] * len(beside))), row.group, row.decimals)
            )
    return Table(
        title=title or "Characteristics at baseline",
        columns=tuple(columns),
        rows=tuple(rows),
        notes=(*found.safe.about.notes, *hidden_note(found.safe)),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Characteristics:
    """Protected summaries of Table 1: cells by variable, level and statistic, then by group."""

    safe: Summaries
    cells: Mapping[tuple[str, str, str], Mapping[str, Cell]]
    groups: tuple[str, ...]

    @classmethod
    def of(cls, summaries: Summaries) -> Characteristics:
        """The cells of summaries that `describe.baseline` made."""
        safe = shown(summaries)
        by = [name for name in safe.about.by if name in safe.frame]
        cells: dict[tuple[str, str, str], dict[str, Cell]] = {}
        for record in safe.frame.to_dict("records"):
            key = (str(record["variable"]), str(record["level"]), str(record["statistic"]))
            cells.setdefault(key, {})[_group(record, by)] = summary_cell(record)
        groups = tuple(dict.fromkeys(group for row in cells.values() for group in row))
        return cls(safe=safe, cells=cells, groups=groups)

    @property
    def variables(self) -> list[str]:
        """The variables in order, without the one that counts the groups."""
        return [name for name in dict.fromkeys(variable for variable, _, _ in self.cells) if name != SUBJECTS]

    def columns(self) -> list[Column]:
        """A column for each group, its number of members in the header."""
        members = self.cells.get((SUBJECTS, ALL, "n"), {})
        words = {group: _members(members[group]) if group in members else "" for group in self.groups}
        names = {group: heading(group) if group in OURS else group or "All" for group in self.groups}
        return [Column(group or "value", f"{names[group]}{words[group]}", "estimate") for group in self.groups]

    def one(self, variable: str, level: str, statistic: str) -> Cell:
        """The only cell of a statistic that one group has."""
        return next(iter(self.cells.get((variable, level, statistic), {}).values()), NOTHING)

    def rows(self, variable: str, decimals: int | None) -> list[Row]:
        """The rows of one variable: mean (SD) or median (quartiles), or n (%) of each level; then what is missing."""
        about = self.safe.about
        label = about.outcomes.get(variable, heading(variable))
        unit = about.units.get(variable, "")
        group = f"{label} ({unit})" if unit and unit.split()[0].casefold() not in label.casefold() else label
        levels = [level for name, level, statistic in self.cells if name == variable and statistic == "percent"]
        rows = [self._pairs(f"{level}, n (%)", group, variable, level, ("n", "percent"), (0, 1)) for level in levels]
        if not levels and (variable, ALL, "mean") in self.cells:
            digits = self._decimals(variable) if decimals is None else decimals
            rows.append(self._pairs("Mean (SD)", group, variable, ALL, ("mean", "sd"), (digits, digits)))
        elif not levels:
            digits = MEDIAN_DECIMALS if decimals is None else decimals
            rows.append(
                self._pairs("Median (quartiles)", group, variable, ALL, ("median", "q1", "q3"), (digits, digits))
            )
        if (variable, ALL, "missing") in self.cells:
            missing = self.cells[variable, ALL, "missing"]
            rows.append(Row(("Missing", *(missing.get(name, NOTHING) for name in self.groups)), group, 0))
        return rows

    def _pairs(
        self,
        label: str,
        group: str,
        variable: str,
        level: str,
        statistics: Sequence[str],
        decimals: tuple[int, int],
    ) -> Row:
        found = [self.cells[variable, level, statistic] for statistic in statistics]
        cells = [_pair([one.get(name, NOTHING) for one in found], decimals) for name in self.groups]
        return Row((label, *cells), group, decimals[0])

    def _decimals(self, variable: str) -> int:
        sds, ns = self.cells[variable, ALL, "sd"], self.cells[variable, ALL, "n"]
        std_errors = [
            sd / math.sqrt(n)
            for name in self.groups
            if isinstance(sd := sds.get(name), float) and isinstance(n := ns.get(name), int) and n > 0
        ]
        return decimals_from(std_errors, default=2)


def _group(record: Mapping[Hashable, object], by: Sequence[str]) -> str:
    return " · ".join(str(record[name]) for name in by)


def _members(cell: Cell) -> str:
    return " (N hidden)" if isinstance(cell, Hidden) else f" (N = {cell})"


def _pair(parts: Sequence[Cell], decimals: tuple[int, int]) -> Cell:
    """A number with what belongs in parentheses after it; hidden or missing where one of them is hidden."""
    first, *others = parts
    if Hidden() in parts:
        return Hidden()
    if not isinstance(first, int | float):
        return _NO_ONE if isinstance(first, Missing) else first
    if len(others) == 2 and isinstance(others[0], float) and isinstance(others[1], float):
        return Pair(first, Interval(others[0], others[1]), decimals)
    second = others[0]
    return Pair(first, second if isinstance(second, int | float) else Missing("there is no spread"), decimals)


def _limits(differences: Estimates) -> dict[str, Cell]:
    expect(differences, "standardized_differences", "describe.standardized_differences()")
    safe = shown(differences)
    if safe.frame["contrast"].nunique() != 1:
        raise StudyError(
            "E-STUDY-VALUE",
            f"Table 1 was given differences between {safe.frame['contrast'].nunique()} pairs of groups.",
            "Beside Table 1 stand those of two groups.",
            "Give tables.standardized_differences(...) the others.",
        )
    return {
        str(record["outcome"]): Hidden()
        if record[HIDDEN]
        else Interval(float(record["conf_low"]), float(record["conf_high"]))
        for record in safe.frame.to_dict("records")
    }
