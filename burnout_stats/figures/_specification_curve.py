"""The specification curve: sorted estimates above, and below them which choices each was made under."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..display.escape import clean
from ..display.styles import decimals_from, fixed
from ..engine.covariance import STRUCTURES
from ..errors import DisclosureError, StudyError
from ..estimates import About, Estimates
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import DF_NAMES, heading, in_sentence, percent_of, shown
from ._figure import MM_PER_INCH, Figure, room
from ._palette import INK, STROKES
from ._panels import inches_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["specification_curve"]

CHOICES = ("covariance", "df_method", "adjustment", "missing_data", "scaling")
HEADINGS = {"df_method": "Degrees of freedom", "missing_data": "Missing data"}
QUIET = "#b3b3b3"
NARROW = 140.0
"""Millimeters of width below which the names of choices are broken and small."""
ROW, CURVE = 4.0, 52.0
"""Height in mm of a row of choices, and of the curve with what is around it."""


def specification_curve(
    estimates: Estimates, *, ax: Axes | None = None, size: str | tuple[float, float] | None = None, title: str = ""
) -> Figure:
    """Estimates of all specifications in order, with intervals, over a grid of dots that tells the choices of each.

    The primary specification is a filled diamond, and its line goes through the choices; hollow dots are estimates
    whose interval includes 0. Choices that all specifications share have no rows.

    Parameters
    ----------
    estimates : Estimates
        From `sensitivity.specification_curve`.
    ax : matplotlib Axes, optional
        Draws there too; the axes keep their own size and fonts.
    size : "single", "double", "slide" or (width, height) in mm; by default as high as the choices need
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    DisclosureError
        `E-DISCLOSURE-COHORT` where nothing may be shown.

    **Source**: Simonsohn, Simmons & Nelson 2020, Nat Hum Behav 4:1208.
    """
    if estimates.about.kind != "specification_curve":
        raise StudyError(
            "E-STUDY-VALUE",
            f"A specification curve was asked of {estimates.about.kind}.",
            "It draws one estimate for each specification.",
            "Give it what sensitivity.specification_curve() answers.",
        )
    curve = _Curve.of(estimates)
    measures, larger = room(size, height=CURVE + ROW * len(curve.rows()))
    figure = Figure(
        title=title or f"Specification curve of the change in {in_sentence(curve.label)}",
        frame=curve.frame,
        alt=curve.alt(),
        long_description=curve.long_description(),
        draw=curve.draw,
        size=measures,
        larger=larger,
    )
    if ax is not None:
        figure.draw_on(ax)
    return figure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Curve:
    """The specifications with an answer, in the order of their estimates, and the words for them."""

    frame: pd.DataFrame
    about: About
    refused: int

    @classmethod
    def of(cls, estimates: Estimates) -> _Curve:
        safe = shown(estimates)
        frame = safe.frame
        if frame[HIDDEN].astype(bool).all():
            raise DisclosureError(
                "E-DISCLOSURE-COHORT",
                f"Every specification rests on fewer than {safe.about.min_cell} persons.",
                "A figure of so few would tell about single persons.",
                "Leave the figure out; set `min_cell` under [disclosure] only as the data owner allows.",
            )
        told = frame[frame["estimate"].notna()].sort_values("estimate", kind="stable").reset_index(drop=True)
        return cls(frame=told, about=safe.about, refused=int(frame["refused"].astype(str).ne("").sum()))

    @property
    def label(self) -> str:
        outcome = str(self.frame["outcome"].iloc[0])
        return clean(self.about.outcomes.get(outcome, outcome))

    @property
    def _excludes(self) -> np.ndarray:
        return ((self.frame["conf_low"] > 0) | (self.frame["conf_high"] < 0)).to_numpy()

    def rows(self) -> list[tuple[str, str, str]]:
        """The rows below the curve, from top to bottom: (choice, level, text); a heading has no level."""
        found = []
        for choice in CHOICES:
            levels = self._ordered(choice)
            if len(levels) > 1:
                found.append((choice, "", HEADINGS.get(choice, heading(choice))))
                found += [(choice, level, _word(choice, level)) for level in levels]
        return found

    def _ordered(self, choice: str) -> list[str]:
        """The levels of a choice, that of the primary specification first."""
        return list(dict.fromkeys(self.frame.sort_values("role", ascending=False, kind="stable")[choice].astype(str)))

    # ---- words

    def _unit(self) -> str:
        outcome = str(self.frame["outcome"].iloc[0])
        return self.about.units.get(outcome, "")

    def alt(self) -> str:
        decimals = decimals_from(self.frame["std_error"])
        low, high = (fixed(value, decimals) for value in (self.frame["estimate"].min(), self.frame["estimate"].max()))
        first = self.frame[self.frame["role"] == "primary"]["estimate"]
        primary = f"; the primary specification gives {fixed(first.iloc[0], decimals)}" if len(first) else ""
        lost = f"; {self.refused} specifications have no answer" if self.refused else ""
        unit = f" ({self._unit()})" if self._unit() else ""
        return (
            f"Specification curve of the change in {in_sentence(self.label)}{unit}: {len(self.frame)} estimates from "
            f"{low} to {high}{primary}; {int(self._excludes.sum())} of {len(self.frame)} "
            f"{percent_of(self.about.conf_level)} intervals exclude 0{lost}."
        )

    def long_description(self) -> str:
        decimals = decimals_from(self.frame["std_error"])
        sentences = []
        for choice, level, text in self.rows():
            if level:
                own = self.frame.loc[self.frame[choice].astype(str) == level, "estimate"]
                low, high = fixed(own.min(), decimals), fixed(own.max(), decimals)
                name = in_sentence(HEADINGS.get(choice, heading(choice)))
                sentences.append(f"With {name} {text}: {len(own)} estimates from {low} to {high}.")
        return " ".join([*sentences, *self.about.notes])

    # ---- drawing

    def draw(self, ax: Axes) -> None:
        from matplotlib.ticker import MaxNLocator

        frame, rows = self.frame, self.rows()
        x = np.arange(len(frame), dtype=float)
        low, high = min(float(frame["conf_low"].min()), 0.0), max(float(frame["conf_high"].max()), 0.0)
        part = ROW * len(rows) / (ROW * len(rows) + CURVE - 12.0)  # of the height, for the choices
        step = (high - low) * part / (1 - part) / max(len(rows), 1)
        pad = 0.04 * (high - low)
        bottom = low - pad - step * (len(rows) + 0.2)
        ax.set_ylim(bottom, high + pad)
        ax.set_xlim(-1, len(frame))
        for side in ("right", "top", "bottom"):
            ax.spines[side].set_visible(False)
        ax.spines["left"].set_bounds(low, high)
        ax.set_xticks([])
        self._curve(ax, x)
        primary = x[frame["role"].eq("primary").to_numpy()]
        for place, (choice, level, text) in enumerate(rows):
            y = low - pad - step * (place + 0.9)
            if not level:
                self._name(ax, y, text, "bold")
                continue
            self._name(ax, y, clean(text), "normal")
            on = frame[choice].astype(str).eq(level).to_numpy()
            ax.plot(x, np.full(len(x), y), linestyle="none", marker=".", markersize=1.2, color=QUIET, zorder=2)
            ax.plot(x[on], np.full(int(on.sum()), y), linestyle="none", marker="|", markersize=6.0, markeredgewidth=1.1,
                    color=INK, zorder=3)  # fmt: skip
            if len(primary) and on[int(primary[0])]:
                ax.plot(primary, [y], linestyle="none", marker="D", markersize=3.4, color=STROKES[1].color, zorder=5)
        if len(primary):
            ax.plot([primary[0]] * 2, [bottom, high], color=STROKES[1].color, linewidth=0.5, zorder=1)
        ax.set_yticks(
            [tick for tick in MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low, high) if low <= tick <= high]
        )
        outcome = str(frame["outcome"].iloc[0])
        side = {"lower": "below 0 is better", "higher": "above 0 is better"}.get(self.about.better.get(outcome, ""), "")
        words = ", ".join(filter(None, (self._unit(), side)))
        wide = inches_of(ax)[0] * MM_PER_INCH
        said = (
            f"Change in {in_sentence(self.label)}{f' ({words})' if words else ''}",
            f"line: {percent_of(self.about.conf_level)} CI; hollow: it includes 0; diamond: primary specification",
        )
        ax.annotate(
            "\n".join(textwrap.fill(line, int(wide / 1.6)) for line in said),
            (1.0 if wide < NARROW else 0.0, 1.0),
            xycoords="axes fraction",
            xytext=(0, 5),
            textcoords="offset points",
            va="bottom",
            ha="right" if wide < NARROW else "left",
            color=INK,
            parse_math=False,
        )

    def _name(self, ax: Axes, y: float, text: str, weight: str) -> None:
        narrow = inches_of(ax)[0] * MM_PER_INCH < NARROW
        ax.annotate(
            textwrap.fill(text, 24) if narrow else text,
            (0.0, y),
            xycoords=ax.get_yaxis_transform(),
            xytext=(-6, 0),
            textcoords="offset points",
            va="center",
            ha="right",
            fontweight=weight,
            fontsize=5.2 if narrow else None,
            linespacing=0.95 if narrow else None,
            color=INK,
            annotation_clip=False,
        )

    def _curve(self, ax: Axes, x: np.ndarray) -> None:
        frame, stroke = self.frame, STROKES[0]
        ax.plot([-1, len(x)], [0, 0], color=INK, linewidth=0.6, zorder=1)
        ax.vlines(x, frame["conf_low"], frame["conf_high"], color=stroke.color, linewidth=0.7, alpha=0.45, zorder=2)
        primary = frame["role"].eq("primary").to_numpy()
        for chosen, face in ((self._excludes & ~primary, stroke.color), (~self._excludes & ~primary, "white")):
            ax.plot(
                x[chosen],
                frame["estimate"].to_numpy()[chosen],
                linestyle="none",
                marker="o",
                markersize=2.6,
                markerfacecolor=face,
                markeredgecolor=stroke.color,
                markeredgewidth=0.7,
                zorder=4,
            )
        ax.vlines(x[primary], frame["conf_low"][primary], frame["conf_high"][primary], color=STROKES[1].color,
                  linewidth=1.2, zorder=5)  # fmt: skip
        ax.plot(x[primary], frame["estimate"].to_numpy()[primary], linestyle="none", marker="D", markersize=4.2,
                color=STROKES[1].color, zorder=6)  # fmt: skip


def _word(choice: str, level: str) -> str:
    """A level as people write it."""
    if choice == "covariance" and level in STRUCTURES:
        return STRUCTURES[level].name
    if choice == "df_method":
        return DF_NAMES.get(level, level)
    return {"mmrm": "all observed scores (MMRM)"}.get(level, level)
