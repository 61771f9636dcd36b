"""Where the conclusion from an interval changes along a path: the search, and the numbers of the curve and the map."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..estimates import Estimates
from ._delta import Along, Path

__all__ = ["TIPPING", "curve", "surface"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
TIPPING = "tipping point"
"""How the conclusion of a row begins at which it changes."""
STEPS = 60
EXACT = 1e-10
"""How near to the crossing a search ends, as part of the grid's width or of the largest value on it."""


class Crossings(NamedTuple):
    """The line of each crossing, its place on it, and whether the upper end of the interval crosses."""

    line: Index
    place: Array
    upper: NDArray[np.bool_]


def _conclusion(along: Along, margin: float, level: float) -> NDArray[np.int64]:
    """-1 where the interval is below the margin, 1 above, 0 around it; (G, k)."""
    low, high = along.limits(level)
    return np.where(high < margin, -1, np.where(low > margin, 1, 0))


def _crossings(
    ends: Callable[[Index, Array], tuple[Array, Array]],
    grid: Array,
    state: NDArray[np.int64],
    low: Array,
    high: Array,
    margin: float,
) -> Crossings:
    """Where, along lines of points (G, lines), an end of the interval crosses the margin.

    `ends(line, place)` gives the two ends at places on lines. All brackets are narrowed together, by false position
    with Illinois' correction (Dowell & Jarratt 1971, BIT 11:168).
    """
    brackets: list[tuple[int, int, int]] = []  # line, position, whether it is the upper end
    for g, line in zip(*np.nonzero(state[1:] != state[:-1]), strict=True):
        pair = {int(state[g, line]), int(state[g + 1, line])}
        brackets += [(int(line), int(g), end) for end, value in ((1, -1), (0, 1)) if value in pair]
    if not brackets:
        return Crossings(np.zeros(0, dtype=np.intp), np.zeros(0), np.zeros(0, dtype=bool))
    line, at, which = np.array(brackets).T
    values = np.stack([low, high]) - margin
    a, b = grid[at], grid[at + 1]
    fa, fb = values[which, at, line], values[which, at + 1, line]
    place, side = a, np.zeros(len(a), dtype=int)
    active = np.arange(len(a))
    width = grid[-1] - grid[0]
    place = np.where(fa == 0, a, b)
    for _ in range(STEPS):
        active = active[(np.abs(b - a)[active] > EXACT * width) & (fa[active] != 0) & (fb[active] != 0)]
        if not len(active):
            break
        i = active
        place[i] = b[i] - fb[i] * (b[i] - a[i]) / (fb[i] - fa[i])
        f = np.stack(ends(line[i], place[i]))[which[i], np.arange(len(i))] - margin
        same = np.sign(f) == np.sign(fb[i])
        again = side[i] == np.where(same, 1, -1)
        fa[i] = np.where(same, np.where(again, fa[i] / 2, fa[i]), f)
        a[i] = np.where(same, a[i], place[i])
        fb[i] = np.where(same, f, np.where(again, fb[i] / 2, fb[i]))
        b[i] = np.where(same, place[i], b[i])
        side[i] = np.where(same, 1, -1)
        done = np.abs(f) <= EXACT * np.maximum(np.abs(values).max(), 1e-300)
        active = i[~done]
    return Crossings(line, place, which == 1)


def curve(
    way: Path, asked: Estimates, grid: Array, name: str, margin: float, level: float, df: str | None
) -> pd.DataFrame:
    """The rows of a curve: the grid, and where the conclusion from each contrast changes."""
    L, _ = asked.attached()
    along = way.answers(L, grid[:, None], df=df)

    def ends(line: Index, place: Array) -> tuple[Array, Array]:
        low, high = way.answers(L, place[:, None], df=df).limits(level)
        return low[np.arange(len(line)), line], high[np.arange(len(line)), line]

    found = _crossings(ends, grid, _conclusion(along, margin, level), *along.limits(level), margin)
    parts = []
    for k, contrast in enumerate(asked.frame["contrast"].astype(str)):
        mine = [part[found.line == k] for part in (found.place, found.upper)]
        points = np.concatenate([grid, mine[0]])
        numbers = Along(*(part[:, k : k + 1] for part in along))
        if len(mine[0]):
            tips = way.answers(L[k : k + 1], mine[0][:, None], df=df)
            numbers = Along(*map(np.concatenate, zip(numbers, tips, strict=True)))
        words = np.append(_words(_conclusion(numbers, margin, level)[: len(grid), 0], margin), _tips(mine[1], margin))
        naming = {"contrast": contrast, name: points, "conclusion": words}
        parts.append(_numbers(asked, naming, numbers, margin, level, k).sort_values(name, kind="stable"))
    return pd.concat(parts, ignore_index=True)


def surface(
    way: Path,
    asked: Estimates,
    first: Array,
    second: Array,
    names: Sequence[str],
    margin: float,
    level: float,
    df: str | None,
) -> pd.DataFrame:
    """The rows of a map: the cells of the grid, and along its lines in both directions where the conclusion changes."""
    L, _ = asked.attached()
    cells = np.stack(np.meshgrid(first, second, indexing="ij"), axis=-1).reshape(-1, 2)
    along = way.answers(L, cells, df=df)
    shape = (len(first), len(second))
    low, high = (end.reshape(shape) for end in along.limits(level))
    state = _conclusion(along, margin, level).reshape(shape)

    def across(fixed: Array, moving: Array, turn: bool) -> tuple[Array, NDArray[np.bool_]]:
        def points(line: Index, place: Array) -> Array:
            both = np.stack([fixed[line], place], axis=1)
            return both[:, ::-1] if turn else both

        def ends(line: Index, place: Array) -> tuple[Array, Array]:
            below, above = way.answers(L, points(line, place), df=df).limits(level)
            return below[:, 0], above[:, 0]

        turned = (state, low, high) if turn else (state.T, low.T, high.T)
        found = _crossings(ends, moving, turned[0], turned[1], turned[2], margin)
        return points(found.line, found.place), found.upper

    both = (across(first, second, False), across(second, first, True))
    tips = np.concatenate([points for points, _ in both])
    upper = np.concatenate([which for _, which in both])
    order = np.lexsort((tips[:, 1], tips[:, 0], ~upper))
    tips, upper = tips[order], upper[order]
    new = np.r_[True, (np.abs(np.diff(tips, axis=0)) > EXACT * np.ptp(cells)).any(1)][: len(tips)]
    tips, upper = tips[new], upper[new]
    if len(tips):
        along = Along(*map(np.concatenate, zip(along, way.answers(L, tips, df=df), strict=True)))
    points = np.concatenate([cells, tips])
    words = np.append(_words(state.reshape(-1), margin), _tips(upper, margin))
    naming = {"contrast": str(asked.frame["contrast"].iloc[0])}
    return _numbers(
        asked, {**naming, names[0]: points[:, 0], names[1]: points[:, 1], "conclusion": words}, along, margin, level, 0
    )


def _numbers(
    asked: Estimates, naming: Mapping[str, Any], along: Along, margin: float, level: float, k: int
) -> pd.DataFrame:
    statistic, p_value = (part[:, 0] for part in along.test(margin))
    low, high = (part[:, 0] for part in along.limits(level))
    return pd.DataFrame(
        {
            "outcome": asked.frame["outcome"].iloc[k],
            **naming,
            "estimate": along.estimate[:, 0],
            "std_error": along.std_error[:, 0],
            "df": along.df[:, 0],
            "statistic": statistic,
            "p_value": p_value,
            "conf_low": low,
            "conf_high": high,
            "n": asked.frame["n"].iloc[k],
            "method": asked.about.df_method,
        }
    )


def _words(state: NDArray[np.int64], margin: float) -> NDArray[np.object_]:
    words = np.array([f"below {margin:g}", f"includes {margin:g}", f"above {margin:g}"], dtype=object)
    return np.asarray(words[state + 1])


def _tips(upper: NDArray[np.bool_], margin: float) -> NDArray[np.object_]:
    return np.array([f"{TIPPING}: {'upper' if end else 'lower'} limit at {margin:g}" for end in upper], dtype=object)
