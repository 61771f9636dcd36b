"""Movement between states: a bar of persons at each visit, and bands between the bars for those who moved."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..display.escape import clean
from ..display.styles import fixed
from ..errors import StudyError
from ..estimates import About, Summaries
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import shown
from ._figure import Figure, figure_size
from ._palette import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["states"]

ARROW = " → "
COLORS: Mapping[str, tuple[str, str, str]] = {
    "case": ("#D55E00", "#B34F00", ""),
    "not a case": ("#0072B2", "#0072B2", ""),
    "missing": ("#9a9a9a", "#5c5c5c", "////"),
}
"""Fill, text and hatch of each state, from top to bottom: the first two are colors of Okabe and Ito."""
GAP = 0.035
"""Space between two states, in parts of all persons."""
BAR = 0.05
"""Width of a bar, in parts of the time axis."""
BESIDE = 27.0
"""Points from a bar between others to the numbers of its bands, so that its own number has room."""
LEAST = 0.035
"""A band thinner than this part of all persons bears no number; the long description has it."""


def states(
    summaries: Summaries, *, ax: Axes | None = None, size: str | tuple[float, float] = "double", title: str = ""
) -> Figure:
    """Who was a case at which visit and how persons moved: bars of states joined by bands, on a true time axis.

    A band has the color of the state it comes from, and its height is the number of persons. What may not be shown is
    not drawn: where counts are hidden, bars are joined into one without a name, and bands are missing.

    Parameters
    ----------
    summaries : Summaries
        From `describe.transitions`, without `by`.
    ax : matplotlib Axes, optional
        Draws there too; the axes keep their own size and fonts.
    size : "single", "double", "slide" or (width, height) in mm
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` where these are not the transitions of one group.
    """
    if summaries.about.kind != "transitions" or summaries.about.by:
        asked = f"{summaries.about.kind} by {', '.join(summaries.about.by)}" if summaries.about.by else "another kind"
        raise StudyError(
            "E-STUDY-VALUE",
            f"A figure of states was asked of {asked}.",
            "It draws the transitions of one group.",
            "Give it describe.transitions(cohort, ...); for groups take cohort.subset(...) first.",
        )
    course = _Flow.of(summaries)
    figure = Figure(
        title=title or "Movement between states",
        frame=course.frame,
        alt=course.alt(),
        long_description=course.long_description(),
        draw=course.draw,
        size=figure_size(size),
    )
    if ax is not None:
        figure.draw_on(ax)
    return figure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Flow:
    """What is drawn: a row for each state at a visit (`to_visit` and `to_state` empty) and for each movement."""

    frame: pd.DataFrame
    about: About
    total: float

    @classmethod
    def of(cls, summaries: Summaries) -> _Flow:
        safe = shown(summaries)
        values = {
            (str(row["variable"]), str(row["level"]), str(row["statistic"])): math.nan if row[HIDDEN] else row["value"]
            for row in safe.frame.to_dict("records")
        }
        visits = list(safe.about.visit_years)
        rows: list[dict[str, object]] = []
        places = [(visit, state, "", "", "state", f"{visit}: {state}") for visit in visits for state in COLORS]
        places += [
            (earlier, source, later, target, ARROW.join((earlier, later)), ARROW.join((source, target)))
            for earlier, later in pairwise(visits)
            for source in COLORS
            for target in COLORS
        ]
        for visit, state, to_visit, to_state, variable, level in places:
            n = float(values.get((variable, level, "n"), math.nan))
            percent = float(values.get((variable, level, "percent"), math.nan))
            row = {"visit": visit, "state": state, "to_visit": to_visit, "to_state": to_state}
            rows.append(row | {"n": n, "percent": percent, HIDDEN: math.isnan(n)})
        total = float(values.get(("subjects", "all", "n"), math.nan))
        return cls(frame=pd.DataFrame(rows), about=safe.about, total=total)

    def _of_states(self) -> pd.DataFrame:
        return self.frame[self.frame["to_visit"].eq("")]

    def _of_moves(self) -> pd.DataFrame:
        return self.frame[self.frame["to_visit"].ne("")]

    # ---- words

    def alt(self) -> str:
        parts = []
        for row in self._of_states().to_dict("records"):
            if row["state"] == "case":
                number = "hidden" if row[HIDDEN] else f"{row['n']:.0f} ({fixed(row['percent'], 1)}%)"
                parts.append(f"{number} at {row['visit']}")
        everyone = "persons" if math.isnan(self.total) else f"{self.total:.0f} persons"
        return f"State flow of {everyone}: cases {', '.join(parts)}."

    def long_description(self) -> str:
        sentences = []
        for row in self.frame.to_dict("records"):
            where = f"{row['visit']}, {row['state']}"
            if row["to_visit"]:
                where = f"{row['visit']} to {row['to_visit']}, {row['state']} to {row['to_state']}"
            if row[HIDDEN]:
                sentences.append(f"{where}: hidden, it rests on too few persons or would tell a number that does.")
            elif row["n"]:
                percent = "" if math.isnan(row["percent"]) else f" ({fixed(row['percent'], 1)}%)"
                sentences.append(f"{where}: {row['n']:.0f}{percent}.")
        return " ".join([*sentences, *self.about.notes])

    # ---- drawing

    def draw(self, ax: Axes) -> None:
        from matplotlib.patches import Rectangle

        visits = list(self.about.visit_years)
        years = np.array([self.about.visit_years[visit] for visit in visits], dtype=float)
        span = float(years[-1] - years[0]) or 1.0
        width = BAR * span
        for side in ("left", "right", "top", "bottom"):
            ax.spines[side].set_visible(False)
        ax.set_yticks([])
        ax.set_xticks(years, [textwrap.fill(clean(visit), 18) for visit in visits], parse_math=False)
        ax.tick_params(axis="x", length=0)
        ax.set_xlim(years[0] - width / 2, years[-1] + width / 2)
        if math.isnan(self.total):
            ax.set_ylim(0, 1)
            ax.text(float(years.mean()), 0.5, "hidden: too few persons", ha="center", va="center", color=INK)
            return
        ax.set_ylim(0, self.total * (1 + GAP * (len(COLORS) - 1)))
        places = {visit: self._bars(visit) for visit in visits}
        for visit, year in zip(visits, years, strict=True):
            for state, low, high in places[visit]:
                fill, _, hatch = COLORS.get(state, ("#e6e6e6", INK, ""))
                look: dict[str, Any] = {
                    "facecolor": fill,
                    "edgecolor": "white",
                    "linewidth": 0.0,
                    "hatch": hatch,
                    "zorder": 3,
                }
                ax.add_patch(Rectangle((year - width / 2, low), width, high - low, **look))
        for earlier, later in pairwise(range(len(visits))):
            self._bands(ax, places[visits[earlier]], places[visits[later]], visits[earlier], years, earlier, width)
        for at, visit in enumerate(visits):
            self._name(ax, places[visit], visit, years[at], width, first=at == 0, last=at == len(visits) - 1)
        if self._of_moves()[HIDDEN].any():
            words = "Bands that are missing are hidden: too few persons."
            ax.annotate(
                words,
                (1.0, 0.0),
                xytext=(0, -20),
                xycoords="axes fraction",
                textcoords="offset points",
                ha="right",
                va="top",
                fontsize=6.0,
                color=INK,
                annotation_clip=False,
            )

    def _bars(self, visit: str) -> list[tuple[str, float, float]]:
        """State, lower and upper end of each bar at a visit, from the top; those that are hidden as one, at the end."""
        rows = self._of_states()
        known = [
            (str(row["state"]), float(row["n"]))
            for row in rows[rows["visit"].eq(visit)].to_dict("records")
            if not row[HIDDEN] and row["n"] > 0
        ]
        rest = self.total - sum(n for _, n in known)
        if rest > 0:
            known.append(("hidden", rest))
        top = self.total * (1 + GAP * (len(COLORS) - 1))
        bars = []
        for state, n in known:
            bars.append((state, top - n, top))
            top -= n + GAP * self.total
        return bars

    def _bands(
        self,
        ax: Axes,
        left: Sequence[tuple[str, float, float]],
        right: Sequence[tuple[str, float, float]],
        visit: str,
        years: np.ndarray,
        at: int,
        width: float,
    ) -> None:
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        x_0, x_1 = years[at] + width / 2, years[at + 1] - width / 2
        reach = (x_1 - x_0) * 0.45
        wide = ax.get_window_extent().width / ax.get_figure(root=True).dpi * 72 / float(np.diff(ax.get_xlim())[0])  # type: ignore[union-attr]
        near = float(np.clip(BESIDE / ((x_1 - x_0) * wide), 0.16, 0.45)) if at else 0.16
        for source, n, top_0, top_1 in self._placed(left, right, visit):
            fill, text, _ = COLORS[source]
            points = [(x_0, top_0), (x_0 + reach, top_0), (x_1 - reach, top_1), (x_1, top_1)]
            under = [(x, y - n) for x, y in reversed(points)]
            curve = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
            path = Path([*points, *under, points[0]], curve)
            ax.add_patch(PathPatch(path, facecolor=fill, alpha=0.32, edgecolor="none", zorder=2))
            if n >= LEAST * self.total:
                share = near  # to where the band begins, where bands do not cross yet
                x = x_0 + share * (x_1 - x_0)
                y = top_0 + (top_1 - top_0) * _along(share) - n / 2
                ax.text(x, y, f"{n:.0f}", ha="center", va="center", fontsize=6.0, color=text, zorder=5)

    def _placed(
        self, left: Sequence[tuple[str, float, float]], right: Sequence[tuple[str, float, float]], visit: str
    ) -> Iterator[tuple[str, float, float, float]]:
        """State it comes from, number, and upper ends of each band that may be drawn between two bars."""
        tops = {state: high for state, _, high in left}
        aims = {state: high for state, _, high in right}
        rows = self._of_moves()
        for row in rows[rows["visit"].eq(visit)].to_dict("records"):
            source, target, n = str(row["state"]), str(row["to_state"]), float(row["n"])
            if row[HIDDEN] or not n or source not in tops or target not in aims:
                continue
            yield source, n, tops[source], aims[target]
            tops[source] -= n
            aims[target] -= n

    def _name(
        self,
        ax: Axes,
        bars: Sequence[tuple[str, float, float]],
        visit: str,
        year: float,
        width: float,
        *,
        first: bool,
        last: bool,
    ) -> None:
        """Numbers on the bars, with the names of the states outside at the first and the last visit."""
        rows = self._of_states()
        known = {str(row["state"]): row for row in rows[rows["visit"].eq(visit)].to_dict("records")}
        for state, low, high in bars:
            middle = (low + high) / 2
            _, text, _ = COLORS.get(state, ("", INK, ""))
            number = f"{known[state]['n']:.0f}" if state in known else ""
            percent = float(known[state]["percent"]) if state in known else math.nan
            share = "" if math.isnan(percent) else f" ({fixed(percent, 1)}%)"
            name = f"{state.capitalize()}\n{number}{share}".strip()
            look: dict[str, Any] = {
                "va": "center",
                "color": text,
                "zorder": 6,
                "annotation_clip": False,
                "parse_math": False,
            }
            if first or last:
                side = -1 if first else 1
                ax.annotate(
                    name,
                    (year + side * width / 2, middle),
                    xytext=(4.0 * side, 0),
                    textcoords="offset points",
                    ha="right" if first else "left",
                    **look,
                )
            else:
                box = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
                ax.annotate(f"{number}{share}" or "hidden", (year, middle), ha="center", fontsize=6.0, bbox=box, **look)


def _along(share: float) -> float:
    """How far a band has risen at this share of its way: the height of its Bézier curve with reach 0.45.

    >>> round(_along(0.5), 3), round(_along(0.0), 3), round(_along(1.0), 3)
    (0.5, 0.0, 1.0)
    """
    low, high = 0.0, 1.0
    for _ in range(40):
        t = (low + high) / 2
        x = 3 * t * (1 - t) ** 2 * 0.45 + 3 * t**2 * (1 - t) * 0.55 + t**3
        low, high = (t, high) if x < share else (low, t)
    t = (low + high) / 2
    return 3 * t**2 - 2 * t**3
