"""The map of two deltas: an estimate in every cell, and the line where the conclusion changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..display.escape import clean
from ..display.styles import decimals_from, fixed
from ..errors import StudyError
from ..estimates import About, Estimates
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import in_sentence, percent_of, shown
from ._figure import Figure, figure_size
from ._palette import INK, ink_on

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["TIPPING", "p_band", "tipping_map"]

TIPPING = "tipping point"
"""How the conclusion of a row begins at which it changes."""
BANDS = ((0.001, "p<0.001"), (0.01, "p<0.01"), (0.05, "p<0.05"))
COLORS = "cividis"


def p_band(p: float) -> str:
    """The band of a p value.

    >>> p_band(0.0004), p_band(0.03), p_band(0.2)
    ('p<0.001', 'p<0.05', 'p≥0.05')
    """
    return next((words for limit, words in BANDS if p < limit), "p≥0.05")


def tipping_map(
    estimates: Estimates, *, ax: Axes | None = None, size: str | tuple[float, float] = "double", title: str = ""
) -> Figure:
    """A heat map over two deltas: every cell has its estimate and the band of its p, the cell without deltas is framed,
    and a line shows where the interval reaches the margin.

    Parameters
    ----------
    estimates : Estimates
        From `sensitivity.tipping_map`.
    ax : matplotlib Axes, optional
        Draws there too; the axes keep their own size and fonts.
    size : "single", "double", "slide" or (width, height) in mm
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    if estimates.about.kind != "tipping_map":
        raise StudyError(
            "E-STUDY-VALUE",
            f"A tipping map was asked of {estimates.about.kind}.",
            "It draws estimates over two deltas.",
            "Give it what sensitivity.tipping_map() answers.",
        )
    drawn = _Map.of(estimates)
    figure = Figure(
        title=title or f"Tipping map: {drawn.contrast}",
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
class _Map:
    """What is drawn: `cells` of the grid and `tips` on the line."""

    frame: pd.DataFrame
    about: About
    x: str
    y: str

    @classmethod
    def of(cls, estimates: Estimates) -> _Map:
        safe = shown(estimates)
        x, y = safe.about.factors[:2]
        return cls(frame=safe.frame.reset_index(drop=True), about=safe.about, x=x, y=y)

    @property
    def contrast(self) -> str:
        return clean(str(self.frame["contrast"].iloc[0]))

    @property
    def cells(self) -> pd.DataFrame:
        return self.frame[~self.frame["conclusion"].str.startswith(TIPPING)]

    @property
    def tips(self) -> pd.DataFrame:
        return self.frame[self.frame["conclusion"].str.startswith(TIPPING)]

    @property
    def start(self) -> pd.Series:
        """The cell without deltas."""
        cells = self.cells
        return cells[cells[self.x].eq(0) & cells[self.y].eq(0)].iloc[0]

    # ---- words

    def alt(self) -> str:
        cells, start = self.cells, self.start
        outcome = in_sentence(clean(self.about.outcomes.get(str(start["outcome"]), str(start["outcome"]))))
        decimals = decimals_from(cells["std_error"])
        same = int(cells["conclusion"].eq(start["conclusion"]).sum())
        if start[HIDDEN]:
            return f"Heat map of {self.contrast} of {outcome} over two deltas: hidden, too few persons."
        deltas = " and ".join(f"the {name} ({_span(cells[name])} points)" for name in (self.x, self.y))
        ends = [fixed(value, decimals) for value in (cells["estimate"].min(), cells["estimate"].max())]
        return (
            f"Heat map of {self.contrast} of {outcome} over {deltas}: {fixed(start['estimate'], decimals)} where both "
            f"are 0, from {ends[0]} to {ends[1]} over the map; the conclusion ({percent_of(self.about.conf_level)} "
            f"interval {start['conclusion']}) holds in {same} of {len(cells)} cells."
        )

    def long_description(self) -> str:
        decimals = decimals_from(self.cells["std_error"])
        sentences = []
        for row in self.cells.to_dict("records"):
            where = f"{self.x} {row[self.x]:+g}, {self.y} {row[self.y]:+g}"
            if row[HIDDEN]:
                sentences.append(f"{where}: hidden, too few persons.")
            else:
                sentences.append(
                    f"{where}: {fixed(row['estimate'], decimals)}, {p_band(row['p_value'])}, {row['conclusion']}."
                )
        sentences += [
            f"{row['conclusion']}: {self.x} {row[self.x]:+.2f}, {self.y} {row[self.y]:+.2f}."
            for row in self.tips.to_dict("records")
        ]
        return " ".join([*sentences, *self.about.notes])

    # ---- drawing

    def draw(self, ax: Axes) -> None:
        from matplotlib import colormaps
        from matplotlib.patches import Rectangle

        cells = self.cells
        grid = cells.pivot_table(index=self.y, columns=self.x, values="estimate", dropna=False)
        p_values = cells.pivot_table(index=self.y, columns=self.x, values="p_value", dropna=False)
        x, y = grid.columns.to_numpy(dtype=float), grid.index.to_numpy(dtype=float)
        values = grid.to_numpy()
        low, high = np.nanmin(values), np.nanmax(values)
        colors = colormaps[COLORS]
        ax.pcolormesh(_edges(x), _edges(y), values, cmap=COLORS, vmin=low, vmax=high, linewidth=0, zorder=1)
        for side in ("left", "bottom"):
            ax.spines[side].set_visible(False)
        ax.tick_params(length=0)
        ax.set_xticks(x, [_signed(value) for value in x], parse_math=False)
        ax.set_yticks(y, [_signed(value) for value in y], parse_math=False)
        unit = self.about.units.get(str(self.start["outcome"])) or "points"
        ax.set_xlabel(f"{clean(self.x)} ({unit})".replace("delta", "Delta"), parse_math=False)
        ax.set_ylabel(f"{clean(self.y)} ({unit})".replace("delta", "Delta"), parse_math=False)
        ax.set_xlim(float(_edges(x)[0]), float(_edges(x)[-1]))
        ax.set_ylim(float(_edges(y)[0]), float(_edges(y)[-1]))
        decimals = decimals_from(cells["std_error"])
        points = ax.get_window_extent().width / ax.get_figure(root=True).dpi * 72 / len(x)  # type: ignore[union-attr]
        size = float(np.clip(points / 5.2, 3.6, 6.5))
        for j, at_y in enumerate(y):
            for i, at_x in enumerate(x):
                value = values[j, i]
                words, fill = "hidden", (1.0, 1.0, 1.0, 1.0)
                if not np.isnan(value):
                    words = f"{fixed(value, decimals)}\n{p_band(float(p_values.to_numpy()[j, i]))}"
                    fill = colors((value - low) / (high - low or 1.0))
                look: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": size, "parse_math": False}
                box = {"boxstyle": "round,pad=0.12", "facecolor": fill, "edgecolor": "none"}  # breaks the line
                ax.text(at_x, at_y, words, color=ink_on(fill), zorder=4, bbox=box, **look)
        i, j = int(np.flatnonzero(x == 0)[0]), int(np.flatnonzero(y == 0)[0])
        corner = (_edges(x)[i], _edges(y)[j])
        width, height = _edges(x)[i + 1] - corner[0], _edges(y)[j + 1] - corner[1]
        ax.add_patch(Rectangle(corner, width, height, fill=False, edgecolor="white", linewidth=2.6, zorder=5))
        ax.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=INK, linewidth=1.2, zorder=6))
        self._lines(ax)
        self._key(ax)

    def _lines(self, ax: Axes) -> None:
        for _, rows in self.tips.groupby("conclusion", sort=False):
            line = rows.sort_values([self.x, self.y], ascending=[True, False])
            for color, width in (("white", 3.2), (INK, 1.4)):
                ax.plot(line[self.x], line[self.y], color=color, linewidth=width, zorder=3, solid_capstyle="round")

    def _key(self, ax: Axes) -> None:
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        margin = self.margin
        marks: list[Any] = [Patch(fill=False, edgecolor=INK, linewidth=1.2)]
        words = ["Missing at random (no delta)" if "Then:" not in " ".join(self.about.notes) else "No delta"]
        if len(self.tips):
            marks.append(Line2D([], [], color=INK, linewidth=1.4))
            words.append(f"{percent_of(self.about.conf_level)} interval reaches {margin}")
        key = ax.legend(
            marks,
            words,
            loc="lower left",
            bbox_to_anchor=(-0.01, 1.01),
            ncols=2 if ax.get_figure(root=True).get_figwidth() > 4.5 else 1,  # type: ignore[union-attr]
            frameon=False,
            borderaxespad=0.2,
            borderpad=0.1,
            handlelength=1.6,
            handletextpad=0.5,
            columnspacing=1.4,
        )
        for text in key.get_texts():
            text.set_parse_math(False)

    @property
    def margin(self) -> str:
        return str(self.start["conclusion"]).rsplit(" ", 1)[1]


def _span(values: pd.Series) -> str:
    return f"{_signed(values.min())} to {_signed(values.max())}"


def _signed(value: float) -> str:
    words = f"{value:+g}" if value else "0"
    return words.replace("-", "\N{MINUS SIGN}")


def _edges(centers: NDArray[np.float64]) -> NDArray[np.float64]:
    """The borders of cells around values, halfway to their neighbors."""
    between = (centers[1:] + centers[:-1]) / 2
    return np.concatenate([[2 * centers[0] - between[0]], between, [2 * centers[-1] - between[-1]]])
