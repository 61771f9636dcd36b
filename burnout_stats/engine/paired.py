"""Two scores of the same persons: the paired t test, the identities that tie its parts together, and the signed-rank
test.

From n pairs with SDs s₁, s₂, correlation r and mean change D: s_D² = s₁² + s₂² − 2 r s₁ s₂, t = D √n / s_D. Any one of
t, s_D and r follows from the others, which is how the unprinted correlation of a paper is found.

**Source**: Student 1908, Biometrika 6:1; Wilcoxon 1945, Biometrics Bull 1:80; Pratt 1959, JASA 54:655 (zeros kept in
the ranking); Lehmann 1975, Nonparametrics, p. 329-330 (ties); Hodges & Lehmann 1963, Ann Math Stat 34:598; Hollander &
Wolfe 1999, Nonparametric Statistical Methods, section 3.3 (interval).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

__all__ = [
    "PairedT",
    "SignedRank",
    "correlation_from_change",
    "hodges_lehmann",
    "paired_t",
    "sd_of_change",
    "sd_of_change_from_t",
    "signed_rank",
    "signed_rank_counts",
]

Array = NDArray[np.float64]
EXACT_UP_TO = 50
"""Without ties and zeros, the exact distribution is used for at most so many changes (as scipy and R do)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PairedT:
    """Mean change with its standard error, t on n − 1 degrees of freedom, p, and interval."""

    estimate: Array
    std_error: Array
    df: Array
    t: Array
    p_value: Array
    conf_low: Array
    conf_high: Array


def paired_t(change: ArrayLike, sd: ArrayLike, n: ArrayLike, *, conf_level: float = 0.95) -> PairedT:
    """The paired t test from the mean and SD of the change of n persons; t is NaN where nothing varies.

    >>> found = paired_t(-0.47, 0.9457, 185)
    >>> round(float(found.t), 2), float(found.df)
    (-6.76, 184.0)
    """
    D, s, n = (np.asarray(value, dtype=float) for value in np.broadcast_arrays(change, sd, n))
    df = n - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.where(n > 1, s / np.sqrt(n), np.nan)
        t = np.where(error > 0, D / error, np.nan)
    p = 2 * special.stdtr(df, -np.abs(t))
    margin = special.stdtrit(df, (1 + conf_level) / 2) * error
    return PairedT(estimate=D, std_error=error, df=df, t=t, p_value=p, conf_low=D - margin, conf_high=D + margin)


def sd_of_change(sd_1: ArrayLike, sd_2: ArrayLike, r: ArrayLike) -> Array:
    """s_D from both SDs and their correlation.

    >>> round(float(sd_of_change(0.94, 0.76, 0.40)), 2)
    0.94
    """
    a, b, r = (np.asarray(value, dtype=float) for value in (sd_1, sd_2, r))
    return np.asarray(np.sqrt(np.maximum(a**2 + b**2 - 2 * r * a * b, 0.0)))


def sd_of_change_from_t(change: ArrayLike, t: ArrayLike, n: ArrayLike) -> Array:
    """s_D = |D| √n / |t|.

    >>> round(float(sd_of_change_from_t(3.00 - 2.53, 6.76, 185)), 2)
    0.95
    """
    D, t, n = (np.asarray(value, dtype=float) for value in (change, t, n))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.abs(D) * np.sqrt(n) / np.abs(t))


def correlation_from_change(sd_1: ArrayLike, sd_2: ArrayLike, sd_change: ArrayLike) -> Array:
    """r = (s₁² + s₂² − s_D²) / (2 s₁ s₂); beyond ±1 the three SDs cannot belong to the same persons.

    >>> s = sd_of_change_from_t(3.00 - 2.53, 6.76, 185)
    >>> round(float(correlation_from_change(0.94, 0.76, s)), 2)
    0.4
    """
    a, b, s = (np.asarray(value, dtype=float) for value in (sd_1, sd_2, sd_change))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((a**2 + b**2 - s**2) / (2 * a * b))


# ---- signed ranks --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRank:
    """Wilcoxon's test of n changes.

    `w_plus` and `w_minus` are the sums of the ranks of the rises and of the falls; `z` is the normal deviate of the sum
    of the rises, without continuity correction unless that was asked for, negative where scores fall; `p_value` is
    exact where `is_exact`; `n_ranked` counts the changes that were ranked and tested (not the zeros), `n_zero` those of
    zero.
    """

    w_plus: float
    w_minus: float
    z: float
    p_value: float
    is_exact: bool
    n_ranked: int
    n_zero: int
    has_ties: bool


def signed_rank_counts(n: int) -> Array:
    """In how many of the 2ⁿ sign patterns of the ranks 1..n the sum of the positive ones is 0, 1, ..., n(n + 1)/2.

    >>> signed_rank_counts(3).tolist()
    [1.0, 1.0, 1.0, 2.0, 1.0, 1.0, 1.0]
    """
    counts = np.zeros(n * (n + 1) // 2 + 1)
    counts[0] = 1.0
    for rank in range(1, n + 1):
        counts[rank:] = counts[rank:] + counts[:-rank]
    return counts


def signed_rank(
    change: ArrayLike, *, zeros: str = "drop", exact: bool | None = None, continuity: bool = False
) -> SignedRank:
    """Wilcoxon's signed-rank test that changes are as often up as down, and as far.

    Parameters
    ----------
    change : array (n,)
        Without NaN.
    zeros : "drop" or "pratt"
        Changes of zero are left out before the ranking (Wilcoxon; SPSS, R and most papers), or are ranked and then left
        out (Pratt).
    exact : bool, optional
        Where left out: at most 50 changes, no ties and no zeros. Otherwise the normal approximation with the variance
        Σ r²/4 of the midranks r, which is n(n + 1)(2n + 1)/24 − Σ(t³ − t)/48 for ties of t.
    continuity : bool
        Half a unit nearer to the expectation (as R's default); z as papers print it has none (SPSS).

    >>> found = signed_rank([-1.2, 0.4, -2.0, -0.9, -0.1, -1.5])
    >>> found.w_plus, found.is_exact, round(found.p_value, 4), round(found.z, 2)
    (2.0, True, 0.0938, -1.78)
    """
    d = np.asarray(change, dtype=float)
    is_zero = d == 0
    kept = d if zeros == "pratt" else d[~is_zero]
    values, place, sizes = np.unique(np.abs(kept), return_inverse=True, return_counts=True)
    midranks = (np.cumsum(sizes) - (sizes - 1) / 2)[place]
    tested = kept != 0
    ranks, up = midranks[tested], kept[tested] > 0
    has_ties = bool((sizes[values > 0] > 1).any())
    m, n_zero = int(tested.sum()), int(is_zero.sum())
    w_plus, w_minus = float(ranks[up].sum()), float(ranks[~up].sum())
    if exact is None:
        exact = 0 < m <= EXACT_UP_TO and not has_ties and not n_zero
    gap = (w_plus - w_minus) / 2
    if continuity:
        gap = float(np.sign(gap) * max(abs(gap) - 0.5, 0.0))
    spread = float(np.sqrt((ranks**2).sum() / 4))
    z = gap / spread if spread > 0 else float("nan")
    if exact:
        counts = signed_rank_counts(m)
        p = min(2 * float(counts[: int(min(w_plus, w_minus)) + 1].sum() / counts.sum()), 1.0)
    else:
        p = float(2 * special.ndtr(-abs(z))) if m else float("nan")
    return SignedRank(
        w_plus=w_plus,
        w_minus=w_minus,
        z=z,
        p_value=p,
        is_exact=bool(exact),
        n_ranked=m,
        n_zero=n_zero,
        has_ties=has_ties,
    )


def hodges_lehmann(change: ArrayLike, *, conf_level: float = 0.95) -> tuple[float, float, float]:
    """The median of all Walsh averages (dᵢ + dⱼ)/2, i ≤ j, and an interval between two of them.

    The limits are the averages number c and M + 1 − c of M = n(n + 1)/2, where c is the quantile of the signed-rank
    distribution (exact up to n = 50, otherwise normal), so the coverage is at least the level asked for. The interval
    is NaN where the changes are too few for any to have that coverage. Changes of zero count as they are.

    >>> hodges_lehmann([-1.2, 0.4, -2.0, -0.9, -0.1, -1.5])
    (-0.9, -2.0, 0.4)
    """
    d = np.sort(np.asarray(change, dtype=float))
    n = len(d)
    if not n:
        return (float("nan"),) * 3
    M = n * (n + 1) // 2
    middle = (_walsh(d, (M + 1) // 2) + _walsh(d, M // 2 + 1)) / 2
    tail = (1 - conf_level) / 2
    if n <= EXACT_UP_TO:
        below = np.cumsum(signed_rank_counts(n)) / 2.0**n
        c = int(np.searchsorted(below, tail * (1 + 1e-12), side="right"))  # P(W <= c - 1) <= tail
    else:
        c = int(np.floor(M / 2 - special.ndtri(1 - tail) * np.sqrt(n * (n + 1) * (2 * n + 1) / 24)))
    if c < 1:
        return middle, float("nan"), float("nan")
    return middle, _walsh(d, c), _walsh(d, M + 1 - c)


def _walsh(d: Array, k: int) -> float:
    """The k-th smallest of the averages of sorted changes, without writing all of them down."""
    n, later = len(d), np.arange(len(d))
    low, high = d[0], d[-1]
    for _ in range(200):
        middle = low + (high - low) / 2
        if not low < middle < high:
            break
        if _at_most(d, middle, later) >= k:
            high = middle
        else:
            low = middle
    if _at_most(d, low, later) >= k:
        return float(low)
    first = np.maximum(_places(d, low), later)  # for each change, the first partner whose average lies above `low`
    reachable = first < n
    return float(((d[reachable] + d[first[reachable]]) / 2).min())


def _places(d: Array, bound: float) -> NDArray[np.intp]:
    """For each dᵢ the number of dⱼ with (dᵢ + dⱼ)/2 <= bound; moved where 2 bound − dᵢ was rounded."""
    place = np.searchsorted(d, 2 * bound - d, side="right")
    for _ in range(2):
        up = (place < len(d)) & ((d + d[np.minimum(place, len(d) - 1)]) / 2 <= bound)
        down = (place > 0) & ((d + d[np.maximum(place - 1, 0)]) / 2 > bound)
        place = place + up - down
    return place


def _at_most(d: Array, bound: float, later: NDArray[np.intp]) -> int:
    return int(np.maximum(_places(d, bound) - later, 0).sum())
