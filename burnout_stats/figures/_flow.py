"""The participant flow: who was invited, who was seen when, who was lost, and who contributes to the model."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from ..display.escape import clean
from ..display.styles import fixed
from ..errors import StudyError
from ..estimates import Summaries
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import shown
from ._figure import Figure, figure_size, room
from ._palette import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["flow"]

LEFT = "left after "
LINE = 3.4
"""Millimeters from line to line."""
PAD = 1.7
"""Millimeters between a frame and its words."""
GAP = 4.2
"""Millimeters between boxes, where nothing stands between them."""
BETWEEN = 5.0
"""Millimeters between a box and those at its side."""
LETTER = 1.42
"""Millimeters that a letter takes, in the mean, with some to spare."""
SLIDE = 128.0
"""Millimeters of width on paper whose boxes are as high as on a slide, or higher."""
RAIL = 3.5
"""Millimeters of the margin in which the visits are led to the model."""
EDGE, PALE = "#333333", "#F3F6FA"


def flow(summaries: Summaries, *, ax: Axes | None = None, size: str | tuple[float, float] = "single") -> Figure:
    """A diagram of the participant flow: boxes for the stages and visits, side boxes for those who were not there.

    Those seen at a visit and those who contribute to a model are different counts: the visits follow one another down
    the page, and a rail on the left leads from all of them to the last box, because each score of each visit counts.

    Parameters
    ----------
    summaries : Summaries
        From `describe.flow`.
    ax : matplotlib Axes, optional
        Draws there too; the axes keep their own size and fonts.
    size : "single", "double", "slide" or (width, height) in mm
        Across one column of a journal (89 mm), or two (183 mm); with a preset the height is that of the boxes.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for summaries of another kind.
    """
    if summaries.about.kind != "flow":
        raise StudyError(
            "E-STUDY-VALUE",
            f"A flow diagram was asked of {summaries.about.kind or 'something else'}.",
            "It draws a participant flow.",
            "Give it describe.flow(cohort).",
        )
    wide = figure_size(size)[0]
    measures, larger = figure_size(size), 1.0
    if size == "slide":
        measures, larger = room(size, height=_Diagram.of(summaries, SLIDE).height)
        wide = measures[0] / larger
    diagram = _Diagram.of(summaries, wide)
    if isinstance(size, str) and size != "slide":
        measures = diagram.breadth, diagram.height
    figure = Figure(
        title="Participant flow",
        frame=diagram.frame,
        alt=diagram.alt(),
        long_description=diagram.long_description(),
        draw=diagram.draw,
        size=measures,
        larger=larger if size == "slide" else 0.0,
    )
    if ax is not None:
        figure.draw_on(ax)
    return figure


@dataclass(frozen=True, slots=True)
class _Box:
    """A box: its heading, its lines, and the box at its side that stands between it and the next one."""

    heading: str
    lines: tuple[str, ...]
    side: _Box | None = None
    is_visit: bool = False

    @property
    def height(self) -> float:
        return 2 * PAD + LINE * (bool(self.heading) + len(self.lines))

    @property
    def below(self) -> float:
        """The space under the box."""
        return GAP if self.side is None else self.side.height + 2 * GAP * 0.7

    def wrapped(self, main: float, beside: float) -> _Box:
        """The box with lines that fit its width in mm."""
        side = None if self.side is None else self.side.wrapped(beside, beside)
        heading, *more = textwrap.wrap(self.heading, _letters(main, bold=True)) or [""]
        lines = [part for line in self.lines for part in _hanging(line, _letters(main))]
        return _Box(heading, (*more, *lines), side, self.is_visit)

    def sentence(self) -> str:
        words = "; ".join(line.strip() for line in self.lines).replace(":;", ":")
        return f"{self.heading}: {words}."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Diagram:
    """The boxes from top to bottom, and the last one apart."""

    frame: pd.DataFrame
    boxes: tuple[_Box, ...]
    model: _Box
    width: float

    @classmethod
    def of(cls, summaries: Summaries, width: float) -> _Diagram:
        safe = shown(summaries)
        numbers = _Numbers(safe)
        labels = list(safe.about.visit_years)
        stages = numbers.levels("before")
        boxes = [
            _Box(clean(stage), numbers.lines("before", stage, shares=place > 0), numbers.left(stage))
            for place, stage in enumerate(stages)
        ]
        boxes.append(_Box("In the cohort", numbers.lines("subjects", "all", shares=False), numbers.away(labels, 0)))
        for place, label in enumerate(labels):
            side = numbers.away(labels, place + 1)
            boxes.append(_Box(f"Seen at {clean(label)}", numbers.lines("visit", label), side, is_visit=True))
        return cls(frame=safe.frame.reset_index(drop=True), boxes=tuple(boxes), model=numbers.model(), width=width)

    # ---- words

    def alt(self) -> str:
        told = "; ".join(f"{box.heading}: {', '.join(box.lines)}" for box in self.boxes)
        return f"Flow diagram of participants. {told}. {self.model.sentence()}"

    def long_description(self) -> str:
        sentences = []
        for box in self.boxes:
            sentences.append(box.sentence())
            if box.side is not None:
                sentences.append(box.side.sentence())
        return " ".join([*sentences, self.model.sentence()])

    # ---- drawing

    @property
    def _main(self) -> float:
        """The width of the boxes on the way down."""
        return min(0.5 * self.width, 70.0)

    @property
    def _beside(self) -> float:
        return min(self.width - RAIL - self._main - BETWEEN - 0.5, 62.0)

    @property
    def breadth(self) -> float:
        """The width that the boxes take."""
        return RAIL + self._main + BETWEEN + self._beside + 0.5

    @property
    def _stack(self) -> list[_Box]:
        return [box.wrapped(self._main, self._beside) for box in (*self.boxes, self.model)]

    @property
    def height(self) -> float:
        stack = self._stack
        return sum(box.height for box in stack) + sum(box.below for box in stack[:-1]) + 1.0

    def draw(self, ax: Axes) -> None:
        stack = self._stack
        ax.set_axis_off()
        ax.set_xlim(0, self.breadth)
        ax.set_ylim(0, self.height)
        middle = RAIL + self._main / 2
        top = self.height - 0.5
        rail_from, rail_to = 0.0, 0.0
        for place, box in enumerate(stack):
            is_model = place == len(stack) - 1
            _frame(ax, RAIL, top, self._main, box, fill=PALE if is_model else "white")
            center = top - box.height / 2
            if box.is_visit:
                rail_from = rail_from or center
                ax.plot([RAIL, RAIL / 3], [center, center], color=EDGE, linewidth=0.6, linestyle=(0, (2, 1.5)))
            if is_model:
                rail_to = center
                break
            bottom = top - box.height
            follows = place + 2 < len(stack)
            if follows:
                _arrow(ax, (middle, bottom), (middle, bottom - box.below))
            if box.side is not None:
                level = bottom - box.below / 2
                left = RAIL + self._main + BETWEEN
                _arrow(ax, (middle, level), (left, level))
                _frame(ax, left, level + box.side.height / 2, self._beside, box.side)
            top = bottom - box.below
        ax.plot([RAIL / 3, RAIL / 3], [rail_from, rail_to], color=EDGE, linewidth=0.6, linestyle=(0, (2, 1.5)))
        _arrow(ax, (RAIL / 3, rail_to), (RAIL, rail_to))


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The protected counts as words."""

    safe: Summaries

    def levels(self, variable: str) -> list[str]:
        frame = self.safe.frame
        return list(dict.fromkeys(frame.loc[frame["variable"].eq(variable), "level"].astype(str)))

    def lines(self, variable: str, level: str, *, shares: bool = True) -> tuple[str, ...]:
        """n and percent of each group, one line for each."""
        frame = self.safe.frame
        by = [name for name in self.safe.about.by if name in frame]
        rows = frame[frame["variable"].eq(variable) & frame["level"].astype(str).eq(level)]
        counts, percents = (rows[rows["statistic"].eq(name)].to_dict("records") for name in ("n", "percent"))
        found = []
        for place, record in enumerate(counts):
            group = " · ".join(clean(str(record[name])) for name in by)
            share = percents[place] if shares and place < len(percents) else None
            found.append(f"{group}: {_n(record, share)}" if group else _n(record, share))
        return tuple(found)

    def left(self, stage: str) -> _Box | None:
        """Those who took no part after a stage, with the reasons."""
        variable = f"{LEFT}{stage}"
        levels = self.levels(variable)
        if not levels:
            return None
        reasons = tuple(
            f"  {clean(level)}: {self.lines(variable, level)[0].removeprefix('n = ')}" for level in levels[1:]
        )
        return _Box("Did not take part", (self.lines(variable, "all")[0], *reasons))

    def away(self, labels: Sequence[str], place: int) -> _Box | None:
        """Those who were not seen at a visit, and how many of them not later either."""
        if place >= len(labels) or labels[place] not in self.levels("not_seen"):
            return None
        label = labels[place]
        lines = list(self.lines("not_seen", label))
        if label in self.levels("lost"):
            lines += [f"  {_again(line)}" for line in self.lines("lost", label, shares=False)]
        return _Box(f"Not seen at {clean(label)}", tuple(lines))

    def model(self) -> _Box:
        """Those with at least one value, together where it is one number for every outcome."""
        found = {level: self.lines("contributing", level) for level in self.levels("contributing")}
        heading = "Contributing to the model"
        different = set(found.values())
        if len(different) == 1 and len(found) > 1:
            return _Box(heading, ("each outcome, at any visit:", *(f"  {line}" for line in different.pop())))
        return _Box(heading, tuple(part for level, lines in found.items() for part in _of(clean(level), lines)))


def _again(line: str) -> str:
    """How many of a group, if it is named, were not seen again."""
    group, _, told = line.rpartition(": ")
    return f"{group + ', ' if group else ''}not again: {told.removeprefix('n = ').removeprefix('n ')}"


def _of(label: str, lines: tuple[str, ...]) -> list[str]:
    return [f"{label}: {lines[0]}"] if len(lines) == 1 else [f"{label}:", *(f"  {line}" for line in lines)]


def _n(record: dict[object, object], share: dict[object, object] | None) -> str:
    if record[HIDDEN]:
        return "n hidden"
    told = f"n = {float(record['value']):.0f}"  # type: ignore[arg-type]
    percent = math.nan if share is None or share[HIDDEN] else float(share["value"])  # type: ignore[arg-type]
    return told if math.isnan(percent) else f"{told} ({fixed(percent, 1)}%)"


def _letters(width: float, *, bold: bool = False) -> int:
    """How many letters a line of this width in mm takes."""
    return max(int((width - 2 * PAD) / (LETTER * (1.12 if bold else 1.0))), 8)


def _hanging(line: str, letters: int) -> list[str]:
    indent = "  " if line.startswith("  ") else ""
    return textwrap.wrap(line.strip(), letters, initial_indent=indent, subsequent_indent=f"{indent}  ") or [""]


def _frame(ax: Axes, left: float, top: float, width: float, box: _Box, *, fill: str = "white") -> None:
    from matplotlib.patches import Rectangle

    ax.add_patch(
        Rectangle((left, top - box.height), width, box.height, facecolor=fill, edgecolor=EDGE, linewidth=0.7, zorder=3)
    )
    for place, line in enumerate((*([box.heading] if box.heading else []), *box.lines)):
        is_heading = bool(box.heading) and place == 0
        indent = (len(line) - len(line.lstrip())) * LETTER * 0.6
        ax.text(
            left + PAD + indent,
            top - PAD - LINE * (place + 0.5),
            line.strip(),
            ha="left",
            va="center",
            color=INK,
            fontweight="bold" if is_heading else "normal",
            zorder=4,
            parse_math=False,
        )


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    ax.annotate(
        "",
        xy=end,
        xytext=start,
        arrowprops={
            "arrowstyle": "-|>,head_width=0.14,head_length=0.3",
            "color": EDGE,
            "linewidth": 0.7,
            "shrinkA": 0,
            "shrinkB": 0,
        },
        zorder=2,
    )
