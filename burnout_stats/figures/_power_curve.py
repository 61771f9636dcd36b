"""Power, or the half-width of the interval, over numbers of persons or over assumed differences."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from ..display.escape import clean
from ..display.styles import fixed
from ..errors import StudyError, one_of
from ..estimates import About, Estimates
from ..estimates.tabulation import in_sentence, percent_of, shown
from ._figure import Figure, figure_size
from ._palette import STROKES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["power_curve"]

GUIDES = (0.8, 0.9)
"""Powers that studies are planned by, as lines across."""


def power_curve(
    curve: Estimates,
    *,
    measure: str = "power",
    ax: Axes | None = None,
    size: str | tuple[float, float] = (89.0, 78.0),
    title: str = "",
) -> Figure:
    """A line for each contrast, over the number of persons where the curve has several, else over the difference.

    Over persons each assumed difference has a line of its own. Light lines stand at powers of 0.8 and 0.9.

    Parameters
    ----------
    curve : Estimates
        From `power.curve`.
    measure : "power" or "half-width"
    ax : matplotlib Axes, optional
        Draws there too; the axes keep their own size and fonts.
    size : "single", "double", "slide" or (width, height) in mm
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind, or more lines than can be told apart; `E-STUDY-OPTION` for an
        unknown measure.
    """
    if curve.about.kind != "power_curve":
        raise StudyError(
            "E-STUDY-VALUE",
            f"A power curve was asked of {curve.about.kind}.",
            "It draws the power over numbers of persons or over differences.",
            "Give it what power.curve() answers.",
        )
    drawn = _Curve.of(curve, one_of("measure", measure, ("power", "half-width")))
    if len(drawn.lines()) > len(STROKES):
        raise StudyError(
            "E-STUDY-VALUE",
            f"The curve has {len(drawn.lines())} lines.",
            f"A figure can tell apart as many as {len(STROKES)}.",
            "Ask power.curve() for fewer contrasts or differences.",
        )
    what = "Power" if measure == "power" else "Expected half-width"
    figure = Figure(
        title=title or f"{what}: {drawn.label}",
        frame=drawn.frame,
        alt=drawn.alt(),
        long_description=drawn.long_description(),
        draw=drawn.draw,
        size=figure_size(size),
    )
    if ax is not None:
        figure.draw_on(ax)
    return figure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Curve:
    """The rows of one measure, and the words for them."""

    frame: pd.DataFrame
    about: About
    measure: str

    @classmethod
    def of(cls, curve: Estimates, measure: str) -> _Curve:
        safe = shown(curve)
        frame = safe.frame[safe.frame["measure"].eq(measure)].reset_index(drop=True)
        return cls(frame=frame, about=safe.about, measure=measure)

    @property
    def label(self) -> str:
        name = str(self.frame["outcome"].iloc[0])
        return clean(self.about.outcomes.get(name, name))

    @property
    def axis(self) -> str:
        """What the curve runs over: "n" or "difference"."""
        return "n" if self.frame["n"].nunique() > 1 or self.measure == "half-width" else "difference"

    def lines(self) -> dict[str, pd.DataFrame]:
        """The points of each line, by the words of its key."""
        by = ["contrast", "difference"] if self.axis == "n" else ["contrast"]
        several = [name for name in by if self.frame[name].nunique() > 1]
        if self.measure == "half-width":
            several = [name for name in several if name == "contrast"]
        if not several:
            return {"": self.frame.sort_values(self.axis)}
        found = {}
        for key, rows in self.frame.groupby(several, sort=False):
            parts = tuple(key)
            told = [fixed(part, 2) if isinstance(part, float) else clean(str(part)) for part in parts]
            found[", ".join(told)] = rows.sort_values(self.axis)
        return found

    # ---- words

    def _at(self, value: float) -> str:
        return f"{value:.0f} persons" if self.axis == "n" else f"a difference of {fixed(float(value), 2)}"

    def alt(self) -> str:
        what = "Power" if self.measure == "power" else f"Expected half-width of the {self._level} interval"
        told = []
        for name, rows in self.lines().items():
            first, last = rows.iloc[0], rows.iloc[-1]
            ends = " to ".join(
                f"{fixed(float(row['estimate']), 2)} at {self._at(row[self.axis])}" for row in (first, last)
            )
            told.append(f"{name}: {ends}" if name else ends)
        return f"{what} for {in_sentence(self.label)}: {'; '.join(told)}."

    @property
    def _level(self) -> str:
        return percent_of(self.about.conf_level)

    def long_description(self) -> str:
        told = []
        for name, rows in self.lines().items():
            points = ", ".join(
                f"{fixed(float(row['estimate']), 2)} at {self._at(row[self.axis])}" for _, row in rows.iterrows()
            )
            told.append(f"{name}: {points}." if name else f"{points[:1].upper()}{points[1:]}.")
        return " ".join([*told, *self.about.notes])

    # ---- drawing

    def draw(self, ax: Axes) -> None:
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
        if self.measure == "power":
            ax.set_ylim(0.0, 1.02)
            for guide in GUIDES:
                ax.axhline(guide, color="#b3b3b3", linewidth=0.6, zorder=0)
        for (name, rows), stroke in zip(self.lines().items(), STROKES, strict=False):
            x, y = rows[self.axis].to_numpy(dtype=float), rows["estimate"].to_numpy(dtype=float)
            marker = stroke.marker if len(x) <= 12 else ""
            ax.plot(
                x,
                y,
                color=stroke.color,
                linestyle=stroke.dash,
                marker=marker,
                markersize=3.5,
                linewidth=1.3,
                label=name,
                zorder=3,
            )
        if self.measure == "half-width":
            ax.set_ylim(bottom=0.0)
        unit = self.about.units.get(str(self.frame["outcome"].iloc[0]), "")
        difference = f"Assumed difference in {in_sentence(self.label)}" + (f" ({unit})" if unit else "")
        ax.set_xlabel("Persons enrolled" if self.axis == "n" else textwrap.fill(difference, 42), parse_math=False)
        width = f"Expected half-width of the {self._level} interval" + (f" ({unit})" if unit else "")
        ax.set_ylabel("Power" if self.measure == "power" else textwrap.fill(width, 36), parse_math=False)
        if len(self.lines()) > 1:
            key = ax.legend(
                loc="lower left",
                bbox_to_anchor=(-0.02, 1.01),
                frameon=False,
                borderaxespad=0.2,
                borderpad=0.1,
                handlelength=2.6,
            )
            for text in key.get_texts():
                text.set_parse_math(False)
