"""The expected change over stabilities, the observed change as a line across, and the stability that was given."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..display.escape import clean
from ..display.styles import fixed, interval
from ..errors import DisclosureError, StudyError, one_of
from ..estimates import About, Estimates
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import in_sentence, percent_of, shown
from ._figure import Figure, figure_size
from ._palette import INK, STROKES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["regression_to_the_mean"]

BAND = 0.16
"""How opaque a band is."""


def regression_to_the_mean(
    curve: Estimates,
    *,
    visit: str | None = None,
    ax: Axes | None = None,
    size: str | tuple[float, float] = (89.0, 84.0),
    title: str = "",
) -> Figure:
    """What regression to the mean alone would bring at each stability, against what was observed.

    Where the two lines meet, regression to the mean explains the whole change. Points of the curve are filled where the
    interval of observed minus expected leaves out 0 (the two bands do not tell that: they share the baseline mean). The
    stability that was given is a mark on the curve with its interval along the axis.

    Parameters
    ----------
    curve : Estimates
        From `sensitivity.stability_curve`, or its twin from summaries.
    visit : str, optional
        The later visit; the first of the curve where left out.
    ax : matplotlib Axes, optional
        Draws there too; the axes keep their own size and fonts.
    size : "single", "double", "slide" or (width, height) in mm
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind, `E-STUDY-OPTION` for an unknown visit.
    DisclosureError
        `E-DISCLOSURE-COHORT` where so few persons were seen at both visits that nothing may be shown.
    """
    if curve.about.kind != "stability_curve":
        raise StudyError(
            "E-STUDY-VALUE",
            f"A curve over stabilities was asked of {curve.about.kind}.",
            "It draws the expected change at each stability.",
            "Give it what sensitivity.stability_curve() answers.",
        )
    drawn = _Curve.of(curve, visit)
    figure = Figure(
        title=title or f"{drawn.label}: regression to the mean by {clean(drawn.visit)}",
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
    """The rows of one visit, and the words for them."""

    frame: pd.DataFrame
    about: About
    outcome: str
    visit: str

    @classmethod
    def of(cls, curve: Estimates, visit: str | None) -> _Curve:
        safe = shown(curve)
        visits = list(dict.fromkeys(safe.frame["visit"].astype(str)))
        chosen = visits[0] if visit is None else one_of("visit", visit, visits)
        frame = safe.frame[safe.frame["visit"].eq(chosen)].reset_index(drop=True)
        if frame[HIDDEN].any():
            raise DisclosureError(
                "E-DISCLOSURE-COHORT",
                f"Fewer than {safe.about.min_cell} persons were seen at baseline and at {chosen}.",
                "A figure of so few would tell about single persons.",
                "Leave the figure out; set `min_cell` under [disclosure] only as the data owner allows.",
            )
        return cls(frame=frame, about=safe.about, outcome=str(frame["outcome"].iloc[0]), visit=chosen)

    @property
    def label(self) -> str:
        return clean(self.about.outcomes.get(self.outcome, self.outcome))

    @property
    def _points(self) -> pd.DataFrame:
        rows = self.frame[self.frame["measure"].eq("expected change") & ~self.frame["stability"].isin(["any", "given"])]
        return rows.assign(at=rows["stability"].astype(float)).sort_values("at")

    def _row(self, measure: str, stability: str) -> pd.Series[Any] | None:
        found = self.frame[self.frame["measure"].eq(measure) & self.frame["stability"].eq(stability)]
        return found.iloc[0] if len(found) else None

    # ---- words

    def _with_interval(self, row: pd.Series[Any]) -> str:
        told = fixed(float(row["estimate"]), 2)
        if math.isnan(float(row["conf_low"])):
            return told
        limits = interval(float(row["conf_low"]), float(row["conf_high"]), 2)
        return f"{told} ({percent_of(self.about.conf_level)} CI {limits})"

    def alt(self) -> str:
        points = self._points
        observed, tipping = self._row("observed change", "any"), self._row("tipping stability", "any")
        told = f"Expected change in {in_sentence(self.label)} by {clean(self.visit)} from regression to the mean alone"
        if len(points):
            ends = [
                f"{fixed(float(row['estimate']), 2)} at stability {fixed(row['at'], 1)}" for _, row in _ends(points)
            ]
            told += f": {' to '.join(ends)}"
        if observed is not None:
            told += f"; the observed change is {self._with_interval(observed)}"
        if tipping is not None:
            told += f", and the two meet at stability {fixed(float(tipping['estimate']), 2)}"
        given = self._row("stability", "given")
        if given is not None:
            told += f"; the stability that was given is {self._with_interval(given)}"
        return f"{told}."

    def long_description(self) -> str:
        told = []
        for _, row in self.frame.iterrows():
            where = {"any": "", "given": ", given stability"}.get(row["stability"], f", stability {row['stability']}")
            told.append(f"{str(row['measure']).capitalize()}{where}: {self._with_interval(row)}.")
        return " ".join([*told, *self.about.notes])

    # ---- drawing

    def draw(self, ax: Axes) -> None:
        points, given = self._points, self._row("stability", "given")
        at = points["at"].to_numpy(dtype=float)
        ends = [*at, *([] if given is None else _span(given))]
        low, high = min(ends), max(ends)
        room = 0.04 * ((high - low) or 1.0)
        ax.set_xlim(low - room, high + room)
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
        ax.axhline(0.0, color="#8c8c8c", linewidth=0.6, zorder=0)
        self._observed(ax)
        stroke = STROKES[0]
        expected = points["estimate"].to_numpy(dtype=float)
        lower, upper = (points[name].fillna(points["estimate"]).to_numpy(float) for name in ("conf_low", "conf_high"))
        ax.fill_between(at, lower, upper, color=stroke.color, alpha=BAND, linewidth=0, zorder=1)
        ax.plot(at, expected, color=stroke.color, linewidth=1.3, zorder=3)
        clear = self._clear()
        look: dict[str, Any] = {"edgecolors": stroke.color, "s": 15, "linewidths": 0.9, "zorder": 4}
        ax.scatter(at[clear], expected[clear], facecolors=stroke.color, **look)
        ax.scatter(at[~clear], expected[~clear], facecolors="white", **look)
        self._given(ax)
        unit = self.about.units.get(self.outcome, "")
        axis = f"Change in {in_sentence(self.label)} by {clean(self.visit)}" + (f" ({unit})" if unit else "")
        ax.set_ylabel(textwrap.fill(axis, 42), parse_math=False)
        ax.set_xlabel("Stability without help", parse_math=False)
        self._key(ax)

    def _clear(self) -> NDArray[np.bool_]:
        """At which points the interval of the difference of observed and expected leaves out 0."""
        rows = self.frame[self.frame["measure"].eq("observed minus expected")].set_index("stability")
        limits = rows.loc[self._points["stability"], ["conf_low", "conf_high"]].to_numpy(dtype=float)
        clear: NDArray[np.bool_] = (limits[:, 0] > 0) | (limits[:, 1] < 0)
        return clear

    def _observed(self, ax: Axes) -> None:
        row = self._row("observed change", "any")
        if row is None:
            return
        stroke = STROKES[1]
        low, high = float(row["conf_low"]), float(row["conf_high"])
        ax.axhspan(low, high, color=stroke.color, alpha=BAND, linewidth=0, zorder=1)
        ax.axhline(float(row["estimate"]), color=stroke.color, linewidth=1.3, linestyle=stroke.dash, zorder=2)

    def _given(self, ax: Axes) -> None:
        share, change = self._row("stability", "given"), self._row("expected change", "given")
        if share is None or change is None:
            return
        x, y = float(share["estimate"]), float(change["estimate"])
        left, right = _span(share)
        ax.errorbar(
            [x],
            [y],
            xerr=np.array([[max(x - left, 0.0)], [max(right - x, 0.0)]]),
            fmt="D",
            color=INK,
            markersize=4.5,
            elinewidth=0.9,
            capsize=2.5,
            zorder=5,
        )

    def _key(self, ax: Axes) -> None:
        from matplotlib.lines import Line2D

        blue = STROKES[0].color
        dot: dict[str, Any] = {"marker": "o", "markersize": 4.0, "linestyle": "none"}
        dashed: dict[str, Any] = {"color": STROKES[1].color, "linestyle": STROKES[1].dash}
        marks: list[Any] = [Line2D([], [], color=blue, linewidth=1.3), Line2D([], [], linewidth=1.3, **dashed)]
        words = ["expected from regression to the mean alone", "observed"]
        clear = self._clear()
        level = percent_of(self.about.conf_level)
        if clear.any():
            marks.append(Line2D([], [], color=blue, **dot))
            words.append(f"observed differs from expected ({level} CI)")
        if not clear.all():
            marks.append(Line2D([], [], markerfacecolor="white", markeredgecolor=blue, **dot))
            words.append(f"not shown to differ ({level} CI)")
        if self._row("stability", "given") is not None:
            marks.append(Line2D([], [], color=INK, marker="D", markersize=4.5, linestyle="none"))
            words.append("stability given")
        key = ax.legend(
            marks,
            words,
            loc="lower left",
            bbox_to_anchor=(-0.02, 1.01),
            ncols=1,
            frameon=False,
            borderaxespad=0.2,
            borderpad=0.1,
            handlelength=2.2,
            handletextpad=0.6,
        )
        for text in key.get_texts():
            text.set_parse_math(False)


def _ends(points: pd.DataFrame) -> list[tuple[Any, pd.Series[Any]]]:
    """The first and the last point; the only one once."""
    return list((points if len(points) == 1 else points.iloc[[0, -1]]).iterrows())


def _span(share: pd.Series[Any]) -> list[float]:
    """The interval of the given stability, or the stability itself where it is taken as known."""
    limits = [float(share["conf_low"]), float(share["conf_high"])]
    return limits if not math.isnan(limits[0]) else [float(share["estimate"])] * 2
