"""What a tipping point says, in sentences for under a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ._delta import shifts
from ._pooling import PooledFit
from ._tipping_search import TIPPING

__all__ = ["beyond", "map_told", "told", "where"]


def _lies(conclusion: str) -> str:
    return conclusion if conclusion.startswith("includes") else f"lies {conclusion}"


def where(fit: PooledFit, moved: Sequence[int]) -> str:
    """Visits, each with its number of imputed values, unless they are too few to be told."""
    data = fit.analyses.imputations.draws.data
    gone = np.isnan(data.wide.Y[:, data.places(fit.outcome.name)])
    few = fit.design.policy.min_cell
    parts = []
    for visit in moved:
        n = int(gone[:, visit].sum())
        parts.append(f"{fit.visits.labels[visit]} ({n if n >= few or n == 0 else f'fewer than {few}'} of {len(gone)})")
    return " and ".join(parts)


def told(frame: pd.DataFrame, name: str, unit: str) -> list[str]:
    """For each contrast, where its conclusion changes."""
    sentences = []
    for words, part in frame.groupby("contrast", sort=False):
        places = part[name].to_numpy(dtype=float)
        conclusions = part["conclusion"].to_numpy()
        is_tip = part["conclusion"].str.startswith(TIPPING).to_numpy()
        start = _lies(conclusions[(places == 0) & ~is_tip][0])
        begin = f"{words}: the interval {start} at a {name} of 0"
        tips = np.flatnonzero(is_tip)
        if not len(tips):
            span = f"{_shown(places[0], name)} to {_shown(places[-1], name)}"
            sentences.append(f"{begin}, and so it does all the way from {span} {unit}.")
            continue
        nearest = tips[np.abs(places[tips]).argmin()]
        onward = conclusions[nearest + 1 :] if places[nearest] > 0 else conclusions[:nearest][::-1]
        after = next((_lies(word) for word in onward if not word.startswith(TIPPING)), "changes")
        sentences.append(f"{begin}; it {after} beyond {_shown(places[nearest], name)} {unit}.")
    return sentences


def _shown(value: float, name: str) -> str:
    return f"{100 * value:.1f}%" if name == "share" else f"{value:+.2f}"


def beyond(fit: PooledFit, frame: pd.DataFrame, moved: Sequence[int]) -> list[str]:
    """Where imputed values lie at the nearest tipping delta, on a scale that has ends."""
    scale = fit.outcome.range
    values = frame.loc[frame["conclusion"].str.startswith(TIPPING), "delta"].to_numpy(dtype=float)
    if scale is None or not len(values):
        return []
    value = float(values[np.abs(values).argmin()])
    imputations = fit.analyses.imputations
    gone = shifts(imputations, fit.outcome.name, [list(moved)])[0] > 0
    if gone.sum() < fit.design.policy.min_cell:
        return []
    y = imputations.values(fit.outcome.name)
    mean = float((y[0] if imputations.is_expected else y.mean(0))[gone].mean())
    known = f"Imputed values average {mean:.2f} at a delta of 0 and {mean + value:.2f} at {value:+.2f}"
    return [f"{known}, on a scale from {scale[0]:g} to {scale[1]:g}."]


def map_told(frame: pd.DataFrame, names: Sequence[str]) -> str:
    """What is concluded where both deltas are 0, and where that changes along either axis."""
    is_tip = frame["conclusion"].str.startswith(TIPPING)
    cells, tips = frame[~is_tip], frame[is_tip]
    start = cells.loc[cells[names[0]].eq(0) & cells[names[1]].eq(0), "conclusion"].iloc[0]
    parts = []
    for moving, still in ((names[0], names[1]), (names[1], names[0])):
        values = tips.loc[tips[still].eq(0), moving].to_numpy(dtype=float)
        span = f"{cells[moving].min():+g} to {cells[moving].max():+g}"
        found = f"{values[np.abs(values).argmin()]:+.2f}" if len(values) else f"no value from {span}"
        parts.append(f"at {found} of the {moving} alone")
    same = int(cells["conclusion"].eq(start).sum())
    return (
        f"The interval {_lies(start)} where both deltas are 0, as in {same} of the {len(cells)} cells; that changes "
        f"{' and '.join(parts)}."
    )
