"""Which change of a person is more than the error of measurement: three indices, and the cut-offs between functional
and dysfunctional scores.

Notation: x₁, x₂ the scores of a person before and after; M₁, M₂, s₁, s₂ means and SDs of the group, r the correlation;
r_xx the reliability of the score, S_E = s₁√(1 − r_xx) the standard error of measurement; M₀, s₀ mean and SD of the
functional population. Each index is a line in x₁ and x₂, so the scores that are not reliably changed form a band

    intercept_low ≤ x₂ − slope · x₁ ≤ intercept_high

**Source**: Jacobson & Truax 1991, J Consult Clin Psychol 59:12 (RC, and cut-offs a, b, c); Christensen & Mendoza 1986,
Behav Ther 17:305 (the √2 in S_diff); Edwards, Yarvis, Mueller, Zingale & Wagman 1978 and Nunnally 1967, as written by
Speer 1992, J Consult Clin Psychol 60:402; Hageman & Arrindell 1999, Behav Res Ther 37:1169 (RC_indiv). The equations of
the last two were read in the documentation and source of the R package clinicalsignificance, not in the papers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["CUTOFFS", "METHODS", "Band", "Method", "Occasions", "cutoff", "verdicts"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasions:
    """What an index needs of the group: M₁, s₁, M₂, s₂, r, the reliability, and S_E."""

    mean_1: float
    sd_1: float
    mean_2: float = np.nan
    sd_2: float = np.nan
    r: float = np.nan
    reliability: float
    sem: float

    @property
    def reliability_of_change(self) -> float:
        """r_DD = (s₁² r₁ + s₂² r₂ − 2 r s₁ s₂) / s_D², with r_i = 1 − S_E² / s_i²; that is 1 − 2 S_E² / s_D²."""
        return 1 - 2 * self.sem**2 / (self.sd_1**2 + self.sd_2**2 - 2 * self.r * self.sd_1 * self.sd_2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The scores after that are no reliable change: between two lines in the score before."""

    slope: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Method:
    """One index: its name, its band at a critical value, how that follows from the level, and whether it needs the
    second occasion.
    """

    name: str
    band: Callable[[Occasions, float], Band]
    critical: Callable[[float], float]
    needs_after: bool = False


def _two_sided(conf_level: float) -> float:
    return float(special.ndtri((1 + conf_level) / 2))


def _one_sided(conf_level: float) -> float:
    return float(special.ndtri(conf_level))


def jacobson_truax(group: Occasions, critical: float) -> Band:
    """RC = (x₂ − x₁) / S_diff, S_diff = √(2 S_E²)."""
    width = critical * np.sqrt(2) * group.sem
    return Band(slope=1.0, low=-width, high=width)


def edwards_nunnally(group: Occasions, critical: float) -> Band:
    """x₂ outside [r_xx (x₁ − M₁) + M₁] ± z S_E; Speer writes 2 for z, here it is the quantile (1.96 at 95%)."""
    center, width = (1 - group.reliability) * group.mean_1, critical * group.sem
    return Band(slope=group.reliability, low=center - width, high=center + width)


def hageman_arrindell(group: Occasions, critical: float) -> Band:
    """RC_indiv = [(x₂ − x₁) r_DD + (M₂ − M₁)(1 − r_DD)] / (√r_DD √(2 S_E²)); NaN where r_DD is not positive."""
    r_dd = group.reliability_of_change
    if not r_dd > 0:
        return Band(slope=1.0, low=np.nan, high=np.nan)
    shift = (group.mean_2 - group.mean_1) * (1 - r_dd) / r_dd
    width = critical * np.sqrt(2 / r_dd) * group.sem
    return Band(slope=1.0, low=-shift - width, high=-shift + width)


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "jacobson-truax": Method("Jacobson & Truax 1991", jacobson_truax, _two_sided),
        "edwards-nunnally": Method("Edwards & Nunnally, as written by Speer 1992", edwards_nunnally, _two_sided),
        "hageman-arrindell": Method("Hageman & Arrindell 1999", hageman_arrindell, _one_sided, needs_after=True),
    }
)
"""Hageman and Arrindell's critical value is one-sided: 1.65, a risk of misclassification of at most 5%."""


CUTOFFS: Mapping[str, str] = MappingProxyType(
    {
        "a": "two SDs from the mean of the cohort at the earlier visit",
        "b": "two SDs from the mean of the norm",
        "c": "between the means of cohort and norm, weighted by their SDs",
    }
)


def cutoff(kind: str, group: tuple[float, float], norm: tuple[float, float], *, lower_is_better: bool) -> float:
    """The cut-off between dysfunctional (1) and functional (0) scores, from the mean and SD of each.

    a = M₁ + 2 s₁ toward the functional side; b = M₀ + 2 s₀ toward the dysfunctional side;
    c = (s₀ M₁ + s₁ M₀) / (s₀ + s₁).

    >>> [cutoff(kind, (40, 7.5), (60, 7.5), lower_is_better=False) for kind in "abc"]
    [55.0, 45.0, 50.0]
    """
    functional = -1.0 if lower_is_better else 1.0
    (mean_1, sd_1), (mean_0, sd_0) = group, norm
    if kind == "a":
        return mean_1 + functional * 2 * sd_1
    if kind == "b":
        return mean_0 - functional * 2 * sd_0
    return (sd_0 * mean_1 + sd_1 * mean_0) / (sd_0 + sd_1)


def verdicts(
    before: Array, after: Array, band: Band, *, lower_is_better: bool, cut: float = np.nan
) -> NDArray[np.int64]:
    """For each person 0 recovered, 1 improved, 2 unchanged, 3 deteriorated.

    Improved and deteriorated lie outside the band; recovered is improved and passed from the dysfunctional side of the
    cut-off to the functional one (on it is neither). Nobody is recovered where there is no cut-off.
    """
    rest = after - band.slope * before
    up, down = rest > band.high, rest < band.low
    better, worse = (down, up) if lower_is_better else (up, down)
    sign = 1.0 if lower_is_better else -1.0
    passed = (sign * before > sign * cut) & (sign * after < sign * cut)
    return np.select([better & passed, better, worse], [0, 1, 3], default=2).astype(np.int64)
