"""How far a structural model is from the saturated one.

With T = 2 (l_sat − l) and d = df,

    CFI = 1 − max(T − d, 0) / max(T − d, T_b − d_b, 0)      TLI = 1 − (T − d) d_b / {(T_b − d_b) d}
    RMSEA = √{ max(T − d, 0) / (n d) },  its limits the noncentralities at which T is the 5th and 95th percentile
    SRMR = √{ [Σ_{i≤j} ((s_ij − σ_ij) / √(s_ii s_jj))² + Σ_i ((m_i − μ_i) / √s_ii)²] / p* }

with s and m those of the saturated model. n, not n − 1, stands in RMSEA, as in lavaan with estimator ML.

**Source**: Bentler 1990, Psychol Bull 107:238 (CFI); Tucker & Lewis 1973, Psychometrika 38:1; Steiger & Lind 1980 and
Browne & Cudeck 1993, in Bollen & Long, Testing Structural Equation Models (RMSEA and its interval); Bentler 1995, EQS
manual (SRMR, with means).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import chdtrc, chndtr

from .path_template import Moments
from .pattern_sums import coordinates

__all__ = ["FitIndices", "fit_indices", "rmsea_interval"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FitIndices:
    """How far a model is from the saturated one; NaN where its df is 0 or the saturated model has no answer."""

    chi_square: float
    df: int
    p_value: float
    baseline_chi_square: float
    baseline_df: int
    cfi: float
    tli: float
    rmsea: float
    rmsea_low: float
    rmsea_high: float
    srmr: float


def fit_indices(
    model: float,
    saturated: float,
    baseline: float,
    n_parameters: int,
    n: float,
    implied: Moments,
    mu_saturated: Array,
    Sigma_saturated: Array,
) -> FitIndices:
    """Chi-square, CFI, TLI, RMSEA with its 90% interval, and SRMR."""
    D = len(mu_saturated)
    p_star = D + D * (D + 1) // 2
    df, df_b = p_star - n_parameters, D * (D - 1) // 2
    T, T_b = 2 * (saturated - model), 2 * (saturated - baseline)
    if df <= 0 or np.isnan(T):
        return FitIndices(
            chi_square=T if np.isnan(T) else max(T, 0.0),
            df=df,
            p_value=np.nan,
            baseline_chi_square=T_b,
            baseline_df=df_b,
            **dict.fromkeys(("cfi", "tli", "rmsea", "rmsea_low", "rmsea_high", "srmr"), np.nan),
        )
    over, over_b = T - df, T_b - df_b
    most = max(over, over_b, 0.0)
    sd = np.sqrt(np.diagonal(Sigma_saturated))
    i, j, _ = coordinates(D)
    gap = ((Sigma_saturated - implied.Sigma[0]) / sd[:, None] / sd)[i, j]
    gap_mean = (mu_saturated - implied.mu[0]) / sd
    low, high = rmsea_interval(T, df, n)
    return FitIndices(
        chi_square=T,
        df=df,
        p_value=float(chdtrc(df, max(T, 0.0))),
        baseline_chi_square=T_b,
        baseline_df=df_b,
        cfi=1 - max(over, 0.0) / most if most > 0 else 1.0,
        tli=1 - over * df_b / (over_b * df) if over_b != 0 else np.nan,
        rmsea=float(np.sqrt(max(over, 0.0) / (n * df))),
        rmsea_low=low,
        rmsea_high=high,
        srmr=float(np.sqrt(((gap**2).sum() + (gap_mean**2).sum()) / p_star)),
    )


def rmsea_interval(T: float, df: int, n: float, level: float = 0.90) -> tuple[float, float]:
    """The limits of RMSEA, from the noncentral chi-square distribution.

    >>> low, high = rmsea_interval(10.0, 4, 200)
    >>> round(low, 3), round(high, 3)
    (0.017, 0.156)
    """
    out = []
    for share in ((1 + level) / 2, (1 - level) / 2):

        def over(ncp: float, share: float = share) -> float:
            return float(chndtr(max(T, 0.0), df, ncp)) - share

        if over(0.0) <= 0:
            out.append(0.0)
            continue
        top = max(T, 1.0)
        while over(top) > 0:
            top *= 2
        out.append(float(np.sqrt(brentq(over, 0.0, top, xtol=1e-12, rtol=1e-12) / (n * df))))
    return out[0], out[1]
