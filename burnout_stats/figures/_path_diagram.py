"""A panel model as boxes, ovals and arrows: visits from left to right, the two outcomes above each other."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..display.escape import clean
from ..display.styles import fixed, interval
from ..errors import DisclosureError, StudyError
from ..estimates import About, Estimates
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import in_sentence, percent_of, shown
from ..pathways._nodes import BETWEEN, SCORE, WITHIN, Node, nodes_of
from ._figure import Figure, room
from ._palette import INK, STROKES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

__all__ = ["path_diagram"]

FAINT = "#767676"
STEP_X, STEP_Y = 3.0, 1.7
"""Between two visits, and between the two outcomes."""
MM_PER_STEP = 14.2
"""Millimeters that one unit of width takes, so that a word of 16 letters fits into a box."""
HALF = (0.72, 0.31)
"""Half the width and height of a box or an oval."""


def path_diagram(
    estimates: Estimates,
    *,
    ax: Axes | None = None,
    size: str | tuple[float, float] = "",
    title: str = "",
    decimals: int = 2,
) -> Figure:
    """A panel model drawn with its coefficients: boxes are scores, ovals are what lies behind them.

    An arrow is a path, an arc with two heads a covariance (of what is left over, where something points to both ends).
    Solid arrows are those whose interval leaves out 0; variances, means and covariates are not drawn.

    Parameters
    ----------
    estimates : Estimates
        From `pathways.paths`, standardized or not.
    ax : matplotlib Axes, optional
        Draws there too.
    size : "single", "double", "slide" or (width, height) in mm; by the number of visits where left out
        Three visits need two columns: across one, letters are small.
    title : str, optional
        The caption.
    decimals : int
        Of coefficients.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    DisclosureError
        `E-DISCLOSURE-COHORT` where so few persons took part that nothing may be shown.
    """
    if estimates.about.kind != "paths":
        raise StudyError(
            "E-STUDY-VALUE",
            f"A path diagram was asked of {estimates.about.kind}.",
            "It draws the paths of a panel model.",
            "Give it what pathways.paths() answers.",
        )
    drawn = _Diagram.of(estimates, decimals)
    height = 108.0 if drawn.latent else 72.0
    least = MM_PER_STEP * (STEP_X * (len(drawn.visits) - 1) + 3.5)
    measures, larger = room(size or (183.0 if len(drawn.visits) > 2 else 140.0, height), height=height, width=least)
    figure = Figure(
        title=title or drawn.about.notes[0].rstrip("."),
        frame=drawn.frame,
        alt=drawn.alt(),
        long_description=drawn.long_description(),
        draw=drawn.draw,
        size=measures,
        larger=larger,
    )
    if ax is not None:
        figure.draw_on(ax)
    return figure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Diagram:
    """The rows that may be shown, the nodes that they join, and the words for them."""

    frame: pd.DataFrame
    about: About
    nodes: Mapping[str, Node]
    outcomes: tuple[str, ...]
    visits: tuple[str, ...]
    latent: bool
    decimals: int

    @classmethod
    def of(cls, estimates: Estimates, decimals: int) -> _Diagram:
        safe = shown(estimates)
        if safe.frame[HIDDEN].any():
            raise DisclosureError(
                "E-DISCLOSURE-COHORT",
                f"Fewer than {safe.about.min_cell} persons took part.",
                "A figure of so few would tell about single persons.",
                "Leave the figure out; set `min_cell` under [disclosure] only as the data owner allows.",
            )
        known = nodes_of(safe.about.outcomes, safe.about.visit_years)
        met = {name: known[name] for name in dict.fromkeys([*safe.frame["from"], *safe.frame["to"]]) if name in known}
        names = tuple(dict.fromkeys(node.outcome for node in met.values()))
        return cls(
            frame=safe.frame.reset_index(drop=True),
            about=safe.about,
            nodes=met,
            outcomes=tuple(name for name in safe.about.outcomes if name in names),
            visits=tuple(safe.about.visit_years),
            latent=any(node.sort == BETWEEN for node in met.values()),
            decimals=decimals,
        )

    # ---- words

    def _label(self, outcome: str) -> str:
        return clean(self.about.outcomes[outcome])

    def _told(self, row: Any) -> str:
        told = fixed(float(row["estimate"]), self.decimals) if not np.isnan(row["estimate"]) else "not estimable"
        if np.isnan(row["conf_low"]):
            return told
        limits = interval(float(row["conf_low"]), float(row["conf_high"]), self.decimals)
        return f"{told} ({percent_of(self.about.conf_level)} CI {limits})"

    def alt(self) -> str:
        first, second = (in_sentence(self._label(name)) for name in self.outcomes)
        across = self.frame[self.frame["path"].isin(["cross-lagged", "synchronous"])]
        parts = [f"{clean(row['from'])} to {clean(row['to'])} {self._told(row)}" for _, row in across.iterrows()]
        return f"Path diagram of {first} and {second} over {len(self.visits)} visits: {'; '.join(parts)}."

    def long_description(self) -> str:
        rows = [
            f"{str(row['path']).capitalize()}, {clean(row['from'])} to {clean(row['to'])}: {self._told(row)}."
            for _, row in self.frame.iterrows()
        ]
        return " ".join([*rows, *self.about.notes])

    # ---- where things stand

    def _place(self, node: Node) -> tuple[float, float]:
        sign = 1.0 if node.outcome == self.outcomes[0] else -1.0
        middle = STEP_X * (len(self.visits) - 1) / 2
        if node.sort == BETWEEN:
            return middle, sign * (STEP_Y / 2 + 2.25)
        x = STEP_X * self.visits.index(node.visit)
        return x, sign * (STEP_Y / 2 + (1.05 if self.latent and node.sort == SCORE else 0.0))

    def _all_nodes(self) -> dict[str, Node]:
        """The nodes of the rows, and in a model with ovals the scores that stand before them."""
        if not self.latent:
            return dict(self.nodes)
        return nodes_of({name: self.about.outcomes[name] for name in self.outcomes}, self.visits)

    # ---- drawing

    def draw(self, ax: Axes) -> None:
        nodes = self._all_nodes()
        places = {name: self._place(node) for name, node in nodes.items()}
        right = STEP_X * (len(self.visits) - 1)
        top = max(y for _, y in places.values()) + HALF[1]
        bottom = min(y for _, y in places.values()) - HALF[1]
        ax.set_xlim(-1.75, right + 1.75)
        ax.set_ylim(bottom - 0.6, top + 0.5)
        ax.set_axis_off()
        patches = {name: self._shape(ax, node, places[name]) for name, node in nodes.items()}
        for k, visit in enumerate(self.visits):
            ax.text(STEP_X * k, top + 0.3, clean(visit), ha="center", va="center", fontweight="bold", parse_math=False)
        if self.latent:
            self._loadings(ax, nodes, places, patches)
        for _, row in self.frame.iterrows():
            if row["from"] not in nodes or row["to"] not in nodes or row["from"] == row["to"]:
                continue
            if "covariance" in row["path"] or row["path"] == "between persons":
                self._arc(ax, row, nodes, places)
            else:
                self._arrow(ax, row, nodes, places)
        said = f"solid: {percent_of(self.about.conf_level)} CI leaves out 0; dashed: it does not"
        if any(note.startswith("Standardized") for note in self.about.notes):
            said = f"standardized; {said}"
        ax.text(right / 2, bottom - 0.4, said, ha="center", va="center", fontsize=6.5, color=INK)

    def _shape(self, ax: Axes, node: Node, place: tuple[float, float]) -> Patch:
        from matplotlib.patches import Ellipse, FancyBboxPatch

        x, y = place
        look: dict[str, Any] = {"facecolor": "white", "edgecolor": INK, "linewidth": 0.9, "zorder": 3}
        words = self._label(node.outcome)
        if node.sort == SCORE:
            width, height = HALF
            shape: Patch = FancyBboxPatch(
                (x - width, y - height), 2 * width, 2 * height, boxstyle="square,pad=0", **look
            )
        else:
            wide = 1.15 if node.sort == BETWEEN else 1.08
            shape = Ellipse((x, y), 2 * HALF[0] * wide, 2 * HALF[1] * 1.15, **look)
            words += ", between" if node.sort == BETWEEN else ", within"
        ax.add_patch(shape)
        told = textwrap.fill(words, 16)
        ax.text(x, y, told, ha="center", va="center", fontsize=6.2, zorder=4, linespacing=1.0, parse_math=False)
        return shape

    def _loadings(
        self,
        ax: Axes,
        nodes: Mapping[str, Node],
        places: Mapping[str, tuple[float, float]],
        patches: Mapping[str, Patch],
    ) -> None:
        """Thin arrows with the fixed value 1 from ovals to boxes."""
        from matplotlib.patches import FancyArrowPatch

        for name, node in nodes.items():
            if node.sort == SCORE:
                continue
            ends = [
                other
                for other, score in nodes.items()
                if score.sort == SCORE
                and score.outcome == node.outcome
                and (node.sort == BETWEEN or score.visit == node.visit)
            ]
            for end in ends:
                ax.add_patch(
                    FancyArrowPatch(
                        places[name],
                        places[end],
                        patchA=patches[name],
                        patchB=patches[end],
                        shrinkA=0.5,
                        shrinkB=0.5,
                        arrowstyle="-|>",
                        mutation_scale=5,
                        color=FAINT,
                        linewidth=0.5,
                        zorder=2,
                    )
                )

    def _look(self, row: Any) -> dict[str, Any]:
        """Color, width and dash: strokes of kinds of path, dashed where the interval holds 0."""
        low, high = float(row["conf_low"]), float(row["conf_high"])
        clear = bool(low > 0 or high < 0)
        color = STROKES[1].color if row["path"] in {"cross-lagged", "synchronous"} else INK
        return {
            "color": color,
            "linewidth": 1.3 if clear else 0.9,
            "linestyle": "-" if clear else (0.0, (3.0, 2.0)),
        }

    def _say(self, ax: Axes, row: Any, x: float, y: float, **how: Any) -> None:
        value = float(row["estimate"])
        if np.isnan(value):
            return
        color = STROKES[1].text if row["path"] in {"cross-lagged", "synchronous"} else INK
        ax.text(
            x,
            y,
            fixed(value, self.decimals),
            ha=how.get("ha", "center"),
            va="center",
            fontsize=6.8,
            color=color,
            zorder=6,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
            parse_math=False,
        )

    def _arrow(
        self,
        ax: Axes,
        row: Any,
        nodes: Mapping[str, Node],
        places: Mapping[str, tuple[float, float]],
    ) -> None:
        from matplotlib.patches import FancyArrowPatch

        start, end = np.array(places[row["from"]]), np.array(places[row["to"]])
        synchronous = nodes[row["from"]].visit == nodes[row["to"]].visit
        if synchronous:
            aside = np.array([0.3 if end[1] > start[1] else -0.3, 0.0])
            sign = np.sign(end[1] - start[1])
            start = start + aside + np.array([0.0, sign * HALF[1]])
            end = end + aside - np.array([0.0, sign * HALF[1]])
        else:
            width = HALF[0] * (1.08 if nodes[row["from"]].sort == WITHIN else 1.0)
            rise = np.sign(end[1] - start[1]) * 0.12
            start = start + np.array([width, rise])
            end = end - np.array([width, rise])
        arrow = FancyArrowPatch(
            tuple(start),
            tuple(end),
            shrinkA=0,
            shrinkB=1,
            arrowstyle="-|>",
            mutation_scale=8,
            zorder=5,
            **self._look(row),
        )
        ax.add_patch(arrow)
        # arrows that cross carry their numbers near the start, where they are apart
        share = 0.5 if synchronous or start[1] == end[1] else 0.27
        x, y = start + share * (end - start)
        self._say(ax, row, float(x), float(y))

    def _arc(self, ax: Axes, row: Any, nodes: Mapping[str, Node], places: Mapping[str, tuple[float, float]]) -> None:
        from matplotlib.patches import FancyArrowPatch

        start, end = places[row["from"]], places[row["to"]]
        node = nodes[row["from"]]
        upper, lower = (start, end) if start[1] > end[1] else (end, start)
        if node.sort == BETWEEN:
            self._bracket(ax, row, upper, lower)
            return
        outer = -1.0 if node.visit == self.visits[0] else 1.0
        width = HALF[0] * (1.08 if node.sort == WITHIN else 1.0)
        inner = node.visit not in (self.visits[0], self.visits[-1])
        x = upper[0] + (0.0 if inner else outer * width * 0.75)
        edge = HALF[1] * (1.12 if node.sort == WITHIN and inner else 1.0 if inner or node.sort == SCORE else 0.75)
        bend = 0.35 if inner else 0.55
        arc = FancyArrowPatch(
            (x, upper[1] - edge),
            (x, lower[1] + edge),
            connectionstyle=f"arc3,rad={-outer * bend}",
            arrowstyle="<|-|>",
            mutation_scale=6,
            shrinkA=0,
            shrinkB=0,
            zorder=4,
            **self._look(row),
        )
        ax.add_patch(arc)
        length = upper[1] - lower[1] - 2 * edge
        self._say(ax, row, x + outer * bend * length / 2, (upper[1] + lower[1]) / 2)

    def _bracket(self, ax: Axes, row: Any, upper: tuple[float, float], lower: tuple[float, float]) -> None:
        """The covariance of the two outermost ovals, around everything else."""
        from matplotlib.patches import FancyArrowPatch
        from matplotlib.path import Path

        far, start = STEP_X * (len(self.visits) - 1) + 1.5, upper[0] + HALF[0] * 1.15
        high, low = upper[1], lower[1]
        corners = [(start, high), (far, high), (far, high - 0.6), (far, low + 0.6), (far, low), (start, low)]
        codes = [Path.MOVETO, Path.CURVE3, Path.CURVE3, Path.LINETO, Path.CURVE3, Path.CURVE3]
        arc = FancyArrowPatch(
            path=Path(corners, codes), arrowstyle="<|-|>", mutation_scale=6, zorder=2, **self._look(row)
        )
        ax.add_patch(arc)
        self._say(ax, row, far, (high + low) / 2)
