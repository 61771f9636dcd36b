"""A sample against a norm that is known by its mean, SD and size, alone or in strata, with the norm's own error.

The difference is d = Σ w_k (ȳ_k − μ_k) over strata k (one stratum with w = 1 where there are none), with

    var(d) = Σ w_k² s²/n_k + Σ w_k² σ_k²/N_k,

s² the variance within strata on n − K degrees of freedom, σ_k and N_k the norm's SD and size (N_k = ∞ where it is taken
as known). Its degrees of freedom are Welch and Satterthwaite's, V² / Σ V_j²/f_j over the independent terms V_j.

**Source**: Welch 1947, Biometrika 34:28; Satterthwaite 1946, Biometrics Bull 2:110; two one-sided tests: Schuirmann
1987, J Pharmacokinet Biopharm 15:657. Direct standardization and the delta method are written out here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

__all__ = ["Against", "Equivalence", "against", "equivalence", "standardized"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """Sample less norm: d, its standard error, df, the part of its variance that is the sample's, and σ."""

    estimate: float
    std_error: float
    df: float
    sample_variance: float
    norm_sd: float
    norm_df: float

    def interval(self, conf_level: float) -> tuple[float, float]:
        """The confidence interval of the difference."""
        width = float(stdtrit(self.df, (1 + conf_level) / 2)) * self.std_error
        return self.estimate - width, self.estimate + width

    @property
    def t(self) -> float:
        """The difference over its standard error."""
        return self.estimate / self.std_error if self.std_error > 0 else np.nan

    @property
    def p(self) -> float:
        """Two-sided, for no difference."""
        return float(2 * stdtr(self.df, -abs(self.t)))


@dataclass(frozen=True, slots=True)
class Equivalence:
    """The one-sided test that is nearer to failing: its t and its p, which is the p of both together."""

    t: float
    p: float


def against(
    mean: ArrayLike,
    n: ArrayLike,
    sd: float,
    df: float,
    norm_mean: ArrayLike,
    norm_sd: ArrayLike,
    norm_n: ArrayLike,
    weights: ArrayLike = 1.0,
) -> Against:
    """d and its error; `sd` is that within strata, on `df` degrees of freedom, the other arguments are one per stratum.

    >>> found = against(3.00, 185, 0.94, 184, 2.52, 0.92, 1070)
    >>> round(found.estimate, 2), round(found.std_error, 4), round(found.df, 1)
    (0.48, 0.0746, 248.8)
    """
    y, size, mu, sigma, N, w = (
        np.atleast_1d(np.asarray(value, dtype=float)) for value in (mean, n, norm_mean, norm_sd, norm_n, weights)
    )
    own = float((w**2 / size).sum()) * sd**2
    other = w**2 * sigma**2 / N
    variance = own + float(other.sum())
    parts = own**2 / df + float((other**2 / np.maximum(N - 1, 1)).sum())
    known = bool(np.isinf(N).any())
    return Against(
        estimate=float((w * (y - mu)).sum()),
        std_error=float(np.sqrt(variance)),
        df=variance**2 / parts if parts > 0 else np.nan,
        sample_variance=own,
        norm_sd=float(np.sqrt((w * sigma**2).sum())),
        norm_df=np.inf if known else float((N - 1).sum()),
    )


def standardized(found: Against) -> tuple[float, float]:
    """d/σ and its standard error: var = var(d)/σ² + (d/σ)² / (2f), f the degrees of freedom of σ.

    σ is the norm's SD, within strata where there are some; no bias of small norms is taken away.
    """
    delta = found.estimate / found.norm_sd
    return delta, float(np.sqrt((found.std_error / found.norm_sd) ** 2 + delta**2 / (2 * found.norm_df)))


def equivalence(found: Against, low: float, high: float) -> Equivalence:
    """Two one-sided tests of d ≤ low and of d ≥ high; both must be rejected.

    >>> found = against(2.53, 185, 0.76, 184, 2.52, 0.92, 1070)
    >>> round(equivalence(found, -0.2, 0.2).p, 4)
    0.0013
    """
    above = (found.estimate - low) / found.std_error
    below = (found.estimate - high) / found.std_error
    p_above, p_below = float(stdtr(found.df, -above)), float(stdtr(found.df, below))
    return Equivalence(above, p_above) if p_above >= p_below else Equivalence(below, p_below)
