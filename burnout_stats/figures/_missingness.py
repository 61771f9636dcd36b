"""The patterns of missing values: which visits were observed, by how many subjects, and their scores at baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from ..display.escape import clean
from ..display.styles import fixed
from ..errors import StudyError
from ..estimates import Summaries
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import heading, shown
from ._figure import Figure, figure_size, room
from ._palette import INK, STROKES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["missingness"]

ROW = 4.6
"""Millimeters from pattern to pattern."""
TILE = 3.0
LETTER = 1.42
"""Millimeters that a letter takes, in the mean, with some to spare."""
NUMBER, SCORE = 21.0, 21.0
"""Millimeters for n (percent) and for mean (SD)."""
EDGE = "#333333"


def missingness(summaries: Summaries, *, ax: Axes | None = None, size: str | tuple[float, float] = "single") -> Figure:
    """The patterns in which outcomes are observed: a square for each visit, filled where it was observed and crossed
    where not, a bar for the number of subjects, and their scores at the first visit.

    Parameters
    ----------
    summaries : Summaries
        From `describe.missingness`; one block for each outcome and group.
    ax : matplotlib Axes, optional
        Draws there too; the axes keep their own size and fonts.
    size : "single", "double", "slide" or (width, height) in mm
        Across one column of a journal (89 mm), or two (183 mm); with a preset the height is that of the blocks.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for summaries of another kind.
    """
    if summaries.about.kind != "missingness":
        raise StudyError(
            "E-STUDY-VALUE",
            f"A figure of patterns was asked of {summaries.about.kind or 'something else'}.",
            "It draws patterns of missing values.",
            "Give it describe.missingness(cohort).",
        )
    wide, larger = figure_size(size)[0], 1.0
    if size == "slide":
        _, larger = room(size, height=_Picture.of(summaries, wide).height)
    picture = _Picture.of(summaries, wide / larger)
    figure = Figure(
        title="Patterns of missing values",
        frame=picture.frame,
        alt=picture.alt(),
        long_description=picture.long_description(),
        draw=picture.draw,
        size=(wide, picture.height * larger) if isinstance(size, str) else figure_size(size),
        larger=larger if isinstance(size, str) else 0.0,
    )
    if ax is not None:
        figure.draw_on(ax)
    return figure


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One row: which visits were observed, how many subjects as words and as a share, and their scores."""

    seen: str
    number: str
    percent: float
    score: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Picture:
    """Blocks of patterns."""

    frame: pd.DataFrame
    visits: tuple[str, ...]
    blocks: tuple[tuple[str, tuple[_Pattern, ...]], ...]
    width: float

    @classmethod
    def of(cls, summaries: Summaries, width: float) -> _Picture:
        safe = shown(summaries)
        about = safe.about
        frame = safe.frame[safe.frame["part"].eq("pattern")].reset_index(drop=True)
        by = [name for name in about.by if name in frame]
        found: dict[str, dict[str, dict[str, dict[object, object]]]] = {}
        for record in frame.to_dict("records"):
            names = [about.outcomes.get(str(record["variable"]), str(record["variable"]))]
            block = clean(" · ".join([*names, *(f"{heading(name)}: {record[name]}" for name in by)]))
            found.setdefault(block, {}).setdefault(str(record["level"]), {})[str(record["statistic"])] = record
        blocks = tuple(
            (block, tuple(_pattern(level, rows) for level, rows in levels.items())) for block, levels in found.items()
        )
        return cls(frame=frame, visits=tuple(map(clean, about.visit_years)), blocks=blocks, width=width)

    # ---- words

    def alt(self) -> str:
        told = []
        for block, patterns in self.blocks:
            largest = max(patterns, key=lambda pattern: pattern.percent)
            told.append(f"{block}, most often {self._visits(largest.seen)} ({largest.number})")
        return f"Patterns of observed visits ({', '.join(self.visits)}): {'; '.join(told)}."

    def long_description(self) -> str:
        sentences = []
        for block, patterns in self.blocks:
            for pattern in patterns:
                score = f", mean (SD) at {self.visits[0]} {pattern.score}" if pattern.score else ""
                sentences.append(f"{block}, {self._visits(pattern.seen)}: {pattern.number}{score}.")
        return " ".join(sentences)

    def _visits(self, seen: str) -> str:
        names = [visit for visit, is_seen in zip(self.visits, seen, strict=True) if is_seen == "1"]
        return f"observed at {' and '.join(names)}" if names else "never observed"

    # ---- drawing

    @property
    def height(self) -> float:
        return ROW * (1 + sum(len(patterns) + 1 for _, patterns in self.blocks)) + 1.5 * len(self.blocks)

    @property
    def _pitch(self) -> float:
        """Millimeters from visit to visit."""
        return max(max(map(len, self.visits)) * LETTER + 1.0, TILE + 2.0)

    def draw(self, ax: Axes) -> None:
        ax.set_axis_off()
        ax.set_xlim(0, self.width)
        ax.set_ylim(0, self.height)
        bars = self._pitch * len(self.visits) + 1.0
        length = max(self.width - bars - NUMBER - SCORE - 1.0, 8.0)
        y = self.height - ROW / 2
        for place, visit in enumerate(self.visits):
            _say(ax, self._pitch * (place + 0.5), y, visit, "center")
        _say(ax, bars, y, "Subjects, n (%)", "left")
        _say(ax, self.width, y, f"Mean (SD), {self.visits[0]}", "right")
        for block, patterns in self.blocks:
            y -= ROW + 1.5
            ax.plot([0, self.width], [y + ROW / 2] * 2, color=EDGE, linewidth=0.4)
            _say(ax, 0.5, y, block, "left", bold=True)
            for pattern in patterns:
                y -= ROW
                self._row(ax, pattern, y, bars, length)

    def _row(self, ax: Axes, pattern: _Pattern, y: float, bars: float, length: float) -> None:
        from matplotlib.patches import Rectangle

        color = STROKES[0].color
        for place, is_seen in enumerate(pattern.seen):
            left, low = self._pitch * (place + 0.5) - TILE / 2, y - TILE / 2
            fill = color if is_seen == "1" else "white"
            ax.add_patch(Rectangle((left, low), TILE, TILE, facecolor=fill, edgecolor=EDGE, linewidth=0.5, zorder=2))
            if is_seen == "0":
                for ends in ((low, low + TILE), (low + TILE, low)):
                    ax.plot([left, left + TILE], ends, color=EDGE, linewidth=0.5, zorder=3)
        ax.add_patch(
            Rectangle((bars, y - TILE / 2), length * pattern.percent / 100.0, TILE, facecolor=color, linewidth=0.0)
        )
        _say(ax, bars + length * pattern.percent / 100.0 + 1.0, y, pattern.number, "left")
        _say(ax, self.width, y, pattern.score, "right")


def _pattern(level: str, rows: dict[str, dict[object, object]]) -> _Pattern:
    number, percent = _number(rows["n"]), _number(rows["percent"])
    words = "hidden" if number is None else f"{number:.0f}" + ("" if percent is None else f" ({fixed(percent, 1)}%)")
    mean, sd = (_number(rows[name]) if name in rows else None for name in ("mean", "sd"))
    score = "" if mean is None else fixed(mean, 2) + ("" if sd is None else f" ({fixed(sd, 2)})")
    if "mean" in rows and rows["mean"][HIDDEN]:
        score = "hidden"
    return _Pattern(level, words, percent or 0.0, score)


def _number(record: dict[object, object]) -> float | None:
    value = float(record["value"])  # type: ignore[arg-type]  # a number of the frame, or its NaN
    return None if record[HIDDEN] or pd.isna(value) else value


def _say(ax: Axes, x: float, y: float, words: str, align: str, *, bold: bool = False) -> None:
    ax.text(x, y, words, ha=align, va="center", color=INK, fontweight="bold" if bold else "normal", parse_math=False)
