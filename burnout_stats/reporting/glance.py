"""The front table of a report: the changes of all outcomes, each with its interval drawn in standard deviations on one
common scale.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..display.language import word
from ..display.styles import EM_DASH, MINUS, NumberStyle, decimals_from, fixed, interval, number_style, p_value
from ..estimates import Estimates
from ..estimates.tabulation import percent_of
from ..plan import OutcomeResults, Results

__all__ = ["Axis", "Glance", "axis_over", "glance"]

WIDTH = 210
MARGIN = 18
STEPS = (0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A mark on the scale: where it stands, and what it says."""

    x: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A linear scale from `low` to `high` on `width` pixels."""

    low: float
    high: float
    width: int
    ticks: tuple[Tick, ...]

    @property
    def zero(self) -> float:
        """Where no change stands."""
        return self.x(0.0)

    def x(self, value: float) -> float:
        """The pixel of a value, to a tenth."""
        share = (value - self.low) / (self.high - self.low)
        return round(MARGIN + share * (self.width - 2 * MARGIN), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An estimate and its interval in pixels."""

    at: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """One change as it is printed, and drawn where it may be shown; `primary` where it is among the primary ones."""

    contrast: str
    primary: bool
    change: str
    limits: str
    p: str
    standardized: str
    standardized_limits: str
    mark: Mark | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The changes of one outcome."""

    label: str
    better: str
    anchor: str
    rows: tuple[ChangeRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """The whole front table."""

    introduction: str
    level: str
    axis: Axis
    groups: tuple[Group, ...]
    notes: tuple[str, ...]


def axis_over(values: Iterable[float], style: str | NumberStyle = "plain") -> Axis:
    """A scale that holds all values and zero, with three to six round ticks.

    >>> [tick.text for tick in axis_over([-0.71, -0.22]).ticks]
    ['−0.8', '−0.6', '−0.4', '−0.2', '0']
    """
    known = [0.0, *(value for value in values if math.isfinite(value))]
    low, high = min(known), max(known)
    span = high - low or 1.0
    step = next((step for step in STEPS if span / step <= 4.5), 10.0 ** math.ceil(math.log10(span / 4)))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    if first == last:
        first, last = first - 1, last + 1
    bare = Axis(low=first * step, high=last * step, width=WIDTH, ticks=())
    decimals = max(0, -math.floor(math.log10(step)) + (step == 0.25))
    ticks = tuple(
        Tick(x=bare.x(k * step), text="0" if k == 0 else fixed(k * step, decimals, style))
        for k in range(first, last + 1)
    )
    return Axis(low=bare.low, high=bare.high, width=WIDTH, ticks=ticks)


def glance(results: Results, anchors: Mapping[str, str]) -> Glance:
    """The front table of protected results; `anchors` leads from an outcome to its section."""
    asked = results.plan.report
    style = number_style(asked.number_style, language=asked.language)
    primary = frozenset() if results.primary is None else _keys(results.primary)
    parts = results.outcomes
    limits = [
        float(value) for part in parts for name in ("conf_low", "conf_high") for value in part.standardized.frame[name]
    ]
    axis = axis_over(limits, style)
    level = percent_of(results.plan.analysis.conf_level)
    groups = tuple(
        Group(
            label=part.outcome.label,
            better={"lower": "lower is better", "higher": "higher is better"}.get(part.outcome.better, ""),
            anchor=anchors[part.outcome.name],
            rows=tuple(_rows(part, axis, style, primary)),
        )
        for part in parts
    )
    return Glance(
        introduction=(
            "Each line is the change in the model mean between two visits: in the units of the scale, then in standard "
            "deviations, which makes the outcomes comparable. The drawing shows the standardized change with its "
            "interval; the vertical line is no change."
        ),
        level=level,
        axis=axis,
        groups=groups,
        notes=_notes(results),
    )


def _keys(estimates: Estimates) -> frozenset[tuple[str, str]]:
    return frozenset(zip(map(str, estimates.frame["outcome"]), map(str, estimates.frame["contrast"]), strict=True))


def _rows(
    part: OutcomeResults, axis: Axis, style: NumberStyle, primary: frozenset[tuple[str, str]]
) -> Iterable[ChangeRow]:
    hidden = word("hidden", style.language)
    changes = part.changes.frame.to_dict("records")
    standardized = part.standardized.frame.to_dict("records")
    decimals = decimals_from(part.changes.frame["std_error"], style)
    for change, in_sds in zip(changes, standardized, strict=True):
        estimate, limits = _written(change, decimals, style)
        std_estimate, std_limits = _written(in_sds, 2, style)
        p = math.nan if change["p_value"] is None else float(change["p_value"])
        yield ChangeRow(
            contrast=str(change["contrast"]).replace(" - ", f" {MINUS} "),
            primary=(part.outcome.name, str(change["contrast"])) in primary,
            change=estimate,
            limits=limits,
            p=hidden if change["hidden"] else p_value(p, style),
            standardized=std_estimate,
            standardized_limits=std_limits,
            mark=_mark(in_sds, axis),
        )


def _written(row: Mapping[Any, Any], decimals: int, style: NumberStyle) -> tuple[str, str]:
    if row["hidden"]:
        hidden = word("hidden", style.language)
        return hidden, hidden
    estimate, low, high = (float(row[name]) for name in ("estimate", "conf_low", "conf_high"))
    if math.isnan(estimate):
        return EM_DASH, EM_DASH
    return fixed(estimate, decimals, style), EM_DASH if math.isnan(low) else interval(low, high, decimals, style)


def _mark(row: Mapping[Any, Any], axis: Axis) -> Mark | None:
    estimate, low, high = (float(row[name]) for name in ("estimate", "conf_low", "conf_high"))
    if not all(map(math.isfinite, (estimate, low, high))):
        return None
    return Mark(at=axis.x(estimate), low=axis.x(low), high=axis.x(high))


def _notes(results: Results) -> tuple[str, ...]:
    """What stands under the table: the standardizer, and what all outcomes have in common."""
    shared = [part.changes.about.notes for part in results.outcomes]
    notes = [note for note in shared[0] if all(note in notes for notes in shared)]
    hidden = any(part.changes.frame["hidden"].any() for part in results.outcomes)
    few = f"hidden: rests on fewer than {results.cohort.policy.min_cell} persons." if hidden else ""
    several = (
        "p values are not adjusted for the number of outcomes or visits."
        if results.plan.analysis.adjust == "none"
        else "p values are not adjusted for the number of outcomes."
    )
    return tuple(
        note
        for note in (
            "Standardized by each outcome's SD observed at baseline.",
            *notes,
            several if _is_many(results) else "",
            few,
        )
        if note
    )


def _is_many(results: Results) -> bool:
    return sum(len(part.changes) for part in results.outcomes) > 1
