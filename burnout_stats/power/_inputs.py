"""What the inputs of a design are made from: correlations by a rule, patterns of visits from retention."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import one_of
from ._answer import refused

__all__ = ["correlations", "independent_patterns", "monotone_patterns"]

Array = NDArray[np.float64]


def correlations(
    structure: str, rho: float, years: Sequence[float], *, lag: float = 1.0
) -> tuple[tuple[float, ...], ...]:
    """The correlation matrix of visits at these years: "cs" (all `rho`), "ar1" (`rho` from visit to visit) or "sp_exp"
    (`rho` over `lag` years).

    >>> correlations("sp_exp", 0.62, (0, 5, 10), lag=5)
    ((1.0, 0.62, 0.3844), (0.62, 1.0, 0.62), (0.3844, 0.62, 1.0))
    """
    one_of("structure", structure, ("cs", "ar1", "sp_exp"))
    t = np.arange(len(years), dtype=float) if structure == "ar1" else np.asarray(years, dtype=float) / lag
    apart = np.abs(t[:, None] - t) if structure != "cs" else 1.0 - np.eye(len(years))
    return tuple(tuple(float(rho**gap) for gap in row) for row in apart)


def monotone_patterns(retention: Sequence[float]) -> dict[str, float]:
    """Those who are lost do not come back: patterns from the share still seen at each visit.

    >>> monotone_patterns((1, 0.85, 0.7))
    {'111': 0.7, '110': 0.15, '100': 0.15}
    """
    kept = _rates(retention)
    if (np.diff(kept) > 0).any():
        raise refused(
            f"The retention is {', '.join(f'{r:g}' for r in kept)}.",
            "Where those who are lost do not come back, it never rises.",
            "Use independent_patterns() where people may miss one visit and come to the next.",
        )
    ends = kept - np.append(kept[1:], 0.0)
    V = len(kept)
    made = {"1" * v + "0" * (V - v): round(float(ends[v - 1]), 12) for v in range(V, 0, -1)}
    made["0" * V] = round(float(1 - kept[0]), 12)
    return {key: p for key, p in made.items() if p > 0}


def independent_patterns(retention: Sequence[float]) -> dict[str, float]:
    """Each visit is missed independently of the others: patterns from the share seen at each visit.

    >>> independent_patterns((1, 0.5, 0.5))
    {'111': 0.25, '110': 0.25, '101': 0.25, '100': 0.25}
    """
    kept = _rates(retention)
    V = len(kept)
    seen = ((np.arange(2**V)[::-1, None] >> np.arange(V)[::-1]) & 1).astype(bool)
    p = np.where(seen, kept, 1 - kept).prod(1)
    keys = ("".join(str(int(s)) for s in row) for row in seen)
    return {key: round(float(value), 12) for key, value in zip(keys, p, strict=True) if value > 0}


def _rates(retention: Sequence[float]) -> Array:
    kept = np.asarray(retention, dtype=float)
    if kept.ndim != 1 or not len(kept) or not ((kept >= 0) & (kept <= 1)).all():
        raise refused(
            f"The retention is {retention}.",
            "It is the share of those enrolled who are seen at each visit, from 0 to 1.",
            "For three visits: (1, 0.85, 0.7).",
        )
    return kept
