"""Scores before against scores after, with the band of no reliable change and the cut-off: in bins, so that a point is
never a person.
"""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..display.escape import clean
from ..display.styles import fixed
from ..errors import DisclosureError, StudyError
from ..estimates import About, Summaries
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import in_sentence, shown
from ._figure import Figure, figure_size
from ._palette import INK, STROKES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["reliable_change"]

BAND = "#e6e6e6"
EDGE = "#8c8c8c"
FILL = 0.8
"""The largest dot is this part of its bin wide."""


def reliable_change(
    points: Summaries, *, ax: Axes | None = None, size: str | tuple[float, float] = (89.0, 84.0)
) -> Figure:
    """Scores after against scores before, binned: the area of a dot is the number of persons in its bin.

    Bins whose number is withheld are small hollow dots: they hold somebody, and no more is told.

    Parameters
    ----------
    points : Summaries
        From `describe.reliable_change_points`.
    ax : matplotlib Axes, optional
        Draws there too; the axes keep their own size and fonts.
    size : "single", "double", "slide" or (width, height) in mm

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for summaries of another kind.
    DisclosureError
        `E-DISCLOSURE-COHORT` where so few persons were judged that nothing may be shown.
    """
    if points.about.kind != "reliable_change_points":
        raise StudyError(
            "E-STUDY-VALUE",
            f"A scatter of reliable change was asked of {points.about.kind}.",
            "It draws binned scores before and after.",
            "Give it what describe.reliable_change_points() answers.",
        )
    scatter = _Scatter.of(points)
    figure = Figure(
        title=f"Reliable change in {in_sentence(scatter.label)}",
        frame=scatter.frame,
        alt=scatter.alt(),
        long_description=scatter.long_description(),
        draw=scatter.draw,
        size=figure_size(size),
    )
    if ax is not None:
        figure.draw_on(ax)
    return figure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Scatter:
    """What the scatter shows: its bins, its lines, and the words for them."""

    frame: pd.DataFrame
    about: About
    outcome: str
    criterion: dict[str, float]

    @classmethod
    def of(cls, points: Summaries) -> _Scatter:
        safe = shown(points)
        frame = safe.frame.reset_index(drop=True)
        rule = frame["variable"].eq("criterion")
        if frame.loc[rule, HIDDEN].astype(bool).any():
            raise DisclosureError(
                "E-DISCLOSURE-COHORT",
                f"Fewer than {safe.about.min_cell} persons have scores at both visits.",
                "A scatter of so few would show single persons.",
                "Leave the figure out; set `min_cell` under [disclosure] only as the data owner allows.",
            )
        criterion = dict(zip(frame.loc[rule, "level"].astype(str), frame.loc[rule, "value"].astype(float), strict=True))
        bins = frame[~rule].reset_index(drop=True)
        return cls(frame=bins, about=safe.about, outcome=str(bins["variable"].iloc[0]), criterion=criterion)

    @property
    def label(self) -> str:
        return clean(self.about.outcomes.get(self.outcome, self.outcome))

    @property
    def visits(self) -> tuple[str, str]:
        before, after = (clean(visit) for visit in self.about.visit_years)
        return before, after

    @property
    def _counted(self) -> pd.DataFrame:
        return self.frame[~self.frame[HIDDEN].astype(bool)]

    @property
    def _withheld(self) -> pd.DataFrame:
        return self.frame[self.frame[HIDDEN].astype(bool)]

    # ---- words

    def _band(self) -> str:
        low, high = self.criterion["band: lower intercept"], self.criterion["band: upper intercept"]
        slope = self.criterion["band: slope"]
        if math.isclose(slope, 1):
            return f"a change of {fixed(low, 2)} to {fixed(high, 2)} is not reliable"
        return (
            f"a score after within {fixed(slope, 2)} times the score before plus {fixed(low, 2)} to {fixed(high, 2)} "
            "is no reliable change"
        )

    def alt(self) -> str:
        before, after = self.visits
        cut = f"; the cut-off is {fixed(self.criterion['cut-off'], 2)}" if "cut-off" in self.criterion else ""
        return (
            f"Scatter, in bins, of {in_sentence(self.label)} at {after} against {before}: {self._band()}{cut}; "
            f"{self.about.better.get(self.outcome, '')} scores are better."
        )

    def long_description(self) -> str:
        told = [f"{row['level']}: {row['value']:.0f}" for row in self._counted.to_dict("records")]
        hidden = len(self._withheld)
        rest = f" {hidden} further bins hold persons whose number is withheld." if hidden else ""
        counts = "; ".join(told) or "No number may be shown"
        visits = " then ".join(self.visits)
        return f"Persons by bin of scores, {visits}. {counts}.{rest} Dots stand at the centers of bins."

    # ---- drawing

    def draw(self, ax: Axes) -> None:
        low, high = self._limits()
        slope = self.criterion["band: slope"]
        lines = [
            self.criterion[f"band: {side} intercept"] + slope * np.array([low, high]) for side in ("lower", "upper")
        ]
        ax.set_xlim(low, high)
        ax.set_ylim(low, high)
        ax.set_aspect("equal", adjustable="box")
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
        ax.fill_between([low, high], lines[0], lines[1], color=BAND, linewidth=0, zorder=0)
        for line in lines:
            ax.plot([low, high], line, color=EDGE, linewidth=0.6, zorder=1)
        ax.plot([low, high], [low, high], color=EDGE, linewidth=0.6, linestyle=(0, (4, 3)), zorder=1)
        self._cut_off(ax, low, high)
        self._dots(ax, low, high)
        self._regions(ax)
        before, after = self.visits
        ax.set_xlabel(textwrap.fill(f"{self.label}, {before}", 40), parse_math=False)
        ax.set_ylabel(textwrap.fill(f"{self.label}, {after}", 40), parse_math=False)
        self._key(ax)

    def _limits(self) -> tuple[float, float]:
        """The scale where there is one, else around the bins; the same on both axes."""
        scale = self.about.ranges.get(self.outcome)
        centers = self.frame[["before", "after"]].to_numpy(dtype=float)
        edge = self._width() / 2
        low, high = float(centers.min()) - edge, float(centers.max()) + edge
        return (min(low, scale[0]), max(high, scale[1])) if scale else (low, high)

    def _width(self) -> float:
        """The width of a bin, which is the smallest distance of two centers."""
        gaps = [np.diff(np.unique(np.round(self.frame[name], 9))) for name in ("before", "after")]
        found = np.concatenate(gaps)
        return float(found.min()) if found.size else 1.0

    def _cut_off(self, ax: Axes, low: float, high: float) -> None:
        if "cut-off" not in self.criterion:
            return
        cut = self.criterion["cut-off"]
        ax.plot([cut, cut], [low, high], color=STROKES[1].color, linewidth=0.8, linestyle=(0, (1.5, 1.5)), zorder=2)
        ax.plot([low, high], [cut, cut], color=STROKES[1].color, linewidth=0.8, linestyle=(0, (1.5, 1.5)), zorder=2)
        ax.annotate(
            f"cut-off {fixed(cut, 2)}",
            (high, cut),
            xytext=(2, 0),
            textcoords="offset points",
            va="center",
            color=STROKES[1].text,
            fontsize="small",
            annotation_clip=False,
        )

    def _dots(self, ax: Axes, low: float, high: float) -> None:
        """Dots whose area is the number of persons; the largest fills most of its bin."""
        extent = ax.get_window_extent()
        figure = ax.get_figure(root=True)
        assert figure is not None
        points = min(extent.width, extent.height) / figure.dpi * 72 * self._width() / (high - low) * FILL
        counted, withheld = self._counted, self._withheld
        most = float(counted["value"].max()) if len(counted) else 1.0
        smallest = (
            points * math.sqrt(max(self.about.min_cell - 1, 1) / 2 / max(most, 1.0)) if len(counted) else points / 2
        )
        ax.scatter(
            withheld["before"],
            withheld["after"],
            s=max(smallest, 1.6) ** 2,
            facecolors="white",
            edgecolors=STROKES[0].color,
            linewidths=0.7,
            zorder=3,
        )
        ax.scatter(
            counted["before"],
            counted["after"],
            s=points**2 * counted["value"].to_numpy(dtype=float) / most,
            color=STROKES[0].color,
            linewidths=0,
            zorder=4,
        )

    def _regions(self, ax: Axes) -> None:
        """What lies above and below the band, in the corners of the plot."""
        lower = self.about.better.get(self.outcome) == "lower"
        above, below = ("deteriorated", "improved") if lower else ("improved", "deteriorated")
        look: dict[str, Any] = {"color": INK, "fontsize": "small", "zorder": 5, "fontstyle": "italic"}
        ax.text(0.02, 0.98, above, transform=ax.transAxes, ha="left", va="top", **look)
        ax.text(0.98, 0.02, below, transform=ax.transAxes, ha="right", va="bottom", **look)

    def _key(self, ax: Axes) -> None:
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        dot: dict[str, Any] = {"linestyle": "none", "marker": "o", "color": STROKES[0].color}
        marks: list[Any] = []
        words = []
        if len(self._counted):
            marks.append(Line2D([], [], markersize=5, markeredgewidth=0, **dot))
            words.append(f"persons, up to {self._counted['value'].max():.0f} in a bin")
        if len(self._withheld):
            marks.append(Line2D([], [], markersize=3, markerfacecolor="white", markeredgewidth=0.7, **dot))
            words.append(f"fewer than {self.about.min_cell}, or withheld")
        marks.append(Patch(facecolor=BAND, edgecolor=EDGE, linewidth=0.6))
        marks.append(Line2D([], [], color=EDGE, linewidth=0.6, linestyle=(0, (4, 3))))
        words += ["no reliable change", "no change"]
        key = ax.legend(
            marks,
            words,
            loc="lower left",
            bbox_to_anchor=(-0.02, 1.01),
            ncols=2,
            frameon=False,
            borderaxespad=0.2,
            borderpad=0.1,
            handlelength=1.6,
            handletextpad=0.5,
            columnspacing=1.4,
        )
        for text in key.get_texts():
            text.set_parse_math(False)
