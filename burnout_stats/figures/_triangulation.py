"""The same changes by several analyses, one under the other, with the bounds as a bar behind which no assumption
stands.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..display.escape import clean
from ..display.styles import decimals_from, fixed, interval
from ..errors import StudyError
from ..estimates import About, Estimates
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import in_sentence, percent_of, shown
from ._figure import Figure, room
from ._palette import INK, STROKES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["triangulation"]

ROW = 5.0
"""Millimeters from one analysis to the next."""
FRAME = 20.0
"""Millimeters for the axis and its label."""
BAR = "#c9c9c9"
GUIDE = "#8c8c8c"


def triangulation(
    estimates: Estimates, *, ax: Axes | None = None, size: str | tuple[float, float] | None = None
) -> Figure:
    """The changes by every analysis, grouped by contrast; the dotted line is the first analysis of a group.

    Parameters
    ----------
    estimates : Estimates
        From `sensitivity.triangulation`.
    ax : matplotlib Axes, optional
        Draws there too; the axes keep their own size and fonts.
    size : "single", "double", "slide" or (width, height) in mm
        Where left out, as wide as two columns and as high as it has rows.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    if estimates.about.kind != "triangulation":
        raise StudyError(
            "E-STUDY-VALUE",
            f"A triangulation was asked of {estimates.about.kind}.",
            "It draws the same changes by several analyses.",
            "Give it what sensitivity.triangulation() answers.",
        )
    rows = _Rows.of(estimates)
    measures, larger = room(size, height=FRAME + ROW * rows.height)
    figure = Figure(
        title=f"Change in {in_sentence(rows.label)} by analysis",
        frame=rows.frame,
        alt=rows.alt(),
        long_description=rows.long_description(),
        draw=rows.draw,
        size=measures,
        larger=larger,
    )
    if ax is not None:
        figure.draw_on(ax)
    return figure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """What is drawn, with the place of each row, and the words for it."""

    frame: pd.DataFrame
    about: About

    @classmethod
    def of(cls, estimates: Estimates) -> _Rows:
        safe = shown(estimates)
        numbers = ["estimate", "std_error", "conf_low", "conf_high", "n"]
        frame = safe.frame[["outcome", "contrast", "analysis", *numbers, HIDDEN]].reset_index(drop=True)
        frame = frame.astype(dict.fromkeys(numbers, float))
        block = frame["contrast"].ne(frame["contrast"].shift()).cumsum()
        frame.insert(3, "row", np.arange(len(frame)) + 1.6 * block - 0.6)
        return cls(frame=frame, about=safe.about)

    @property
    def label(self) -> str:
        outcome = str(self.frame["outcome"].iloc[0])
        return clean(self.about.outcomes.get(outcome, outcome))

    @property
    def height(self) -> float:
        """Rows, with those between the groups."""
        return float(self.frame["row"].max()) + 1

    @property
    def _decimals(self) -> int:
        return decimals_from(self.frame["std_error"].dropna())

    def _numbers(self, row: pd.Series) -> str:
        if row[HIDDEN]:
            return "hidden"
        if math.isnan(row["conf_low"]):
            return "without an answer"
        limits = interval(row["conf_low"], row["conf_high"], self._decimals)
        if math.isnan(row["estimate"]):
            return limits
        return f"{fixed(row['estimate'], self._decimals)} ({limits})"

    # ---- words

    def alt(self) -> str:
        said = []
        for name, rows in self.frame.groupby("contrast", sort=False):
            points = rows["estimate"].dropna()
            shown_rows = rows[~rows[HIDDEN].astype(bool)]
            ranges = shown_rows[shown_rows["estimate"].isna() & shown_rows["conf_low"].notna()]
            way = "no analysis has an answer" if len(shown_rows) else "all hidden"
            if len(points):
                ends = f"between {fixed(points.min(), self._decimals)} and {fixed(points.max(), self._decimals)}"
                way = f"{len(points)} analyses put the change {ends}"
            for _, row in ranges.iterrows():
                way += f"; the missing scores allow {interval(row['conf_low'], row['conf_high'], self._decimals)}"
            said.append(f"{name}: {way}")
        return f"Dots and intervals of the change in {in_sentence(self.label)} by analysis. {'. '.join(said)}."

    def long_description(self) -> str:
        level = percent_of(self.about.conf_level)
        sentences = []
        for _, row in self.frame.iterrows():
            what = (
                "bounds"
                if math.isnan(row["estimate"]) and not math.isnan(row["conf_low"])
                else f"estimate ({level} CI)"
            )
            count = "" if math.isnan(row["n"]) else f", n = {row['n']:.0f}"
            sentences.append(f"{row['contrast']}, {row['analysis']}: {what} {self._numbers(row)}{count}.")
        return " ".join(sentences)

    # ---- drawing

    def draw(self, ax: Axes) -> None:
        stroke = STROKES[0]
        for side in ("left", "right", "top"):
            ax.spines[side].set_visible(False)
        ax.set_ylim(self.height - 0.2, -0.3)
        drawn = self.frame[~self.frame[HIDDEN].astype(bool)]
        is_range = drawn["estimate"].isna()
        bars, points = drawn[is_range], drawn[~is_range]
        ax.axvline(0, color=INK, linewidth=0.6, zorder=1)
        for _, group in points.groupby("contrast", sort=False):
            first = group.iloc[0]
            top, bottom = group["row"].min() - 0.4, group["row"].max() + 1.4
            ax.vlines(first["estimate"], top, bottom, color=GUIDE, linewidth=0.6, linestyle=(0, (1, 2)), zorder=1)
        ax.hlines(bars["row"], bars["conf_low"], bars["conf_high"], color=BAR, linewidth=5.0, zorder=2)
        ax.hlines(points["row"], points["conf_low"], points["conf_high"], color=stroke.color, linewidth=1.1, zorder=3)
        heads = points.groupby("contrast", sort=False).head(1).index
        for is_first, marker, face in ((True, "s", stroke.color), (False, "o", "white")):
            some = points[points.index.isin(heads) == is_first]
            ax.plot(
                some["estimate"].to_numpy(),
                some["row"].to_numpy(),
                linestyle="none",
                marker=marker,
                markersize=4.2,
                markerfacecolor=face,
                markeredgecolor=stroke.color,
                markeredgewidth=0.9,
                zorder=4,
            )
        ax.set_yticks(self.frame["row"].to_numpy(), [clean(name) for name in self.frame["analysis"]])
        ax.tick_params(axis="y", length=0)
        beside = ax.get_yaxis_transform()
        for _, row in self.frame.iterrows():
            ax.annotate(
                self._numbers(row),
                (1, row["row"]),
                xycoords=beside,
                xytext=(6, 0),
                textcoords="offset points",
                va="center_baseline",
                color=INK,
                annotation_clip=False,
            )
        for name, rows in self.frame.groupby("contrast", sort=False):
            ax.text(
                0,
                rows["row"].min() - 1,
                clean(str(name)).replace(" - ", " − "),
                transform=beside,
                va="center",
                fontweight="bold",
                color=INK,
            )
        ax.set_xlabel(self._axis(), parse_math=False)

    def _axis(self) -> str:
        outcome = str(self.frame["outcome"].iloc[0])
        better = self.about.better.get(outcome, "")
        unit = self.about.units.get(outcome, "")
        level = percent_of(self.about.conf_level)
        side = {"lower": "below 0 is better", "higher": "above 0 is better"}.get(better, "")
        words = "; ".join(filter(None, (side, f"line: {level} CI", "bar: bounds")))
        return f"Change in {in_sentence(self.label)}{f', {unit}' if unit else ''}\n({words})"
