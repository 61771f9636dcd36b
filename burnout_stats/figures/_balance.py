"""Those seen against everybody, before and after weighting, predictor by predictor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..display.escape import clean
from ..display.styles import fixed
from ..errors import StudyError
from ..estimates import About, Summaries
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import shown
from ._figure import Figure, room
from ._palette import INK, STROKES
from ._panels import broken, inches_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["balance"]

ROW = 5.0
FRAME = 24.0
GUIDE = "#8c8c8c"
OFTEN = 0.1
"""A difference that is often called small."""


def balance(summaries: Summaries, *, ax: Axes | None = None, size: str | tuple[float, float] | None = None) -> Figure:
    """Standardized differences between those seen and everybody: hollow before weighting, full after.

    Parameters
    ----------
    summaries : Summaries
        The `balance` of `sensitivity.weights`.
    ax : matplotlib Axes, optional
        Draws there too; the axes keep their own size and fonts.
    size : "single", "double", "slide" or (width, height) in mm
        Where left out, as wide as two columns and as high as it has rows.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for summaries of another kind, or where everybody was seen.
    """
    if summaries.about.kind != "balance" or not len(summaries):
        raise StudyError(
            "E-STUDY-VALUE",
            f"A figure of balance was asked of {summaries.about.kind or 'something else'}, {len(summaries)} rows.",
            "It draws those seen against everybody, where some were not seen.",
            "Give it sensitivity.weights(...).balance.",
        )
    rows = _Rows.of(summaries)
    measures, larger = room(size, height=FRAME + ROW * rows.height)
    figure = Figure(
        title="Those seen against everybody, before and after weighting",
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
    """A row for each predictor at each visit: `before`, `after`, and its place."""

    frame: pd.DataFrame
    about: About

    @classmethod
    def of(cls, summaries: Summaries) -> _Rows:
        safe = shown(summaries)
        long = safe.frame.astype({"value": float, "n": float})
        keys = ["variable", "level"]
        wide = long[long["statistic"].eq("before")][[*keys, "value", "n", HIDDEN]].rename(columns={"value": "before"})
        after = long[long["statistic"].eq("after")][[*keys, "value"]].rename(columns={"value": "after"})
        frame = wide.merge(after, on=keys, sort=False).reset_index(drop=True)
        block = frame["variable"].ne(frame["variable"].shift()).cumsum()
        frame.insert(2, "row", np.arange(len(frame)) + 1.6 * block - 0.6)
        return cls(frame=frame, about=safe.about)

    @property
    def height(self) -> float:
        """Rows, with those between the groups."""
        return float(self.frame["row"].max()) + 1

    def alt(self) -> str:
        before, after = self.frame["before"].abs().max(), self.frame["after"].abs().max()
        if np.isnan(before):
            return "Differences between those seen and everybody: all hidden."
        return (
            "Dots of standardized differences between those seen and everybody: the largest is "
            f"{fixed(before, 2)} before weighting and {fixed(after, 2)} after."
        )

    def long_description(self) -> str:
        sentences = []
        for row in self.frame.to_dict("records"):
            numbers = "hidden" if row[HIDDEN] else f"{fixed(row['before'], 2)} before, {fixed(row['after'], 2)} after"
            sentences.append(f"{row['variable']}, {row['level']}: {numbers}.")
        return " ".join(sentences)

    def draw(self, ax: Axes) -> None:
        stroke = STROKES[0]
        for side in ("left", "right", "top"):
            ax.spines[side].set_visible(False)
        frame = self.frame[~self.frame[HIDDEN].astype(bool)]
        ax.set_ylim(self.height - 0.2, -0.3)
        sizes = frame[["before", "after"]].abs().to_numpy()
        wide = 1.15 * max(float(sizes.max()) if sizes.size else 0.0, OFTEN)
        ax.set_xlim(-wide, wide)
        ax.axvline(0, color=INK, linewidth=0.6, zorder=1)
        for edge in (-OFTEN, OFTEN):
            ax.axvline(edge, color=GUIDE, linewidth=0.6, linestyle=(0, (1, 2)), zorder=1)
        ax.hlines(frame["row"], frame["before"], frame["after"], color=GUIDE, linewidth=0.6, zorder=2)
        for name, face in (("before", "white"), ("after", stroke.color)):
            ax.plot(
                frame[name].to_numpy(),
                frame["row"].to_numpy(),
                linestyle="none",
                marker="o",
                markersize=4.2,
                markerfacecolor=face,
                markeredgecolor=stroke.color,
                markeredgewidth=0.9,
                label=f"{name} weighting",
                zorder=3,
            )
        ax.set_yticks(self.frame["row"].to_numpy(), [clean(str(name)) for name in self.frame["level"]])
        ax.tick_params(axis="y", length=0)
        for row in self.frame.loc[self.frame[HIDDEN].astype(bool), "row"]:
            ax.annotate("hidden", (0, row), xytext=(4, 0), textcoords="offset points", va="center_baseline", color=INK)
        for visit, rows in self.frame.groupby("variable", sort=False):
            ax.text(
                0,
                rows["row"].min() - 1,
                clean(str(visit)),
                transform=ax.get_yaxis_transform(),
                va="center",
                fontweight="bold",
                color=INK,
            )
        words = "Those seen less everybody, in standard deviations of everybody (dotted: ±0.1)"
        ax.set_xlabel(broken(ax, words, 0.6))
        side_by_side = 2 if inches_of(ax)[0] > 4.5 else 1
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.02), ncols=side_by_side, frameon=False, borderaxespad=0.1)
