"""Several plots in one figure: a grid of axes that fills the axes they stand on."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox

__all__ = ["broken", "inches_of", "panels"]

POINTS = 72.0
LETTER = 3.72
"""Points that a letter of 7 points takes, in the mean."""


def inches_of(ax: Axes) -> tuple[float, float]:
    """Width and height of the figure of some axes."""
    root = ax.get_figure(root=True)
    assert root is not None
    width, height = root.get_size_inches()
    return float(width), float(height)


def broken(ax: Axes, words: str, part: float = 0.75) -> str:
    """The words on as many lines as they need within a part of the figure's width, in letters of 7 points."""
    return textwrap.fill(words, max(int(part * inches_of(ax)[0] * POINTS / LETTER), 12))


def panels(
    ax: Axes, titles: Sequence[str], columns: int, *, across: float = 34.0, between: float = 44.0
) -> tuple[Axes, ...]:
    """Axes in rows, each under its title; the axes that were given hold them and are not drawn themselves.

    Parameters
    ----------
    columns : how many stand side by side
    across, between : points from one to the next, for their labels
    """
    ax.set_axis_off()
    columns = min(columns, len(titles))
    rows = -(-len(titles) // columns)
    made = []
    for place, title in enumerate(titles):
        child = ax.inset_axes((0.0, 0.0, 1.0, 1.0))
        place_of = _Place(ax, place // columns, place % columns, rows, columns, across, between)
        child.set_axes_locator(place_of)
        child.apply_aspect(place_of(child, None))
        if title:
            child.set_title(title, loc="left", pad=5.0, parse_math=False)
        for side in ("top", "right"):
            child.spines[side].set_visible(False)
        made.append(child)
    return tuple(made)


class _Place:
    """Where a panel stands, asked whenever the figure is drawn: the gaps keep their points when the axes grow."""

    def __init__(self, ax: Axes, row: int, column: int, rows: int, columns: int, across: float, between: float) -> None:
        self.ax, self.at, self.shape, self.gaps = ax, (row, column), (rows, columns), (across, between)

    def __call__(self, _child: object, _renderer: object) -> Bbox:
        from matplotlib.transforms import Bbox

        box = self.ax.get_position()
        width, height = inches_of(self.ax)
        (row, column), (rows, columns) = self.at, self.shape
        aside, below = self.gaps[0] / POINTS / width, self.gaps[1] / POINTS / height
        wide = (box.width - (columns - 1) * aside) / columns
        high = (box.height - (rows - 1) * below) / rows
        return Bbox.from_bounds(
            box.x0 + column * (wide + aside), box.y0 + (rows - 1 - row) * (high + below), wide, high
        )
