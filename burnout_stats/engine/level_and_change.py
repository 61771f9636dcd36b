"""Change against the level at baseline, without the part of their correlation that arithmetic alone makes.

The change y₁ − y₀ holds −y₀, so its correlation with y₀ is negative even where nothing is related (corr = −√½ for
independent scores of equal variance). Three questions that do not have this fault, from the SDs, the correlation and n:

- Oldham: the correlation of the change with the mean (y₀ + y₁)/2, which is (s₁² − s₀²)/√((s₀² + s₁²)² − 4r²s₀²s₁²) and
  0 where the variances are equal;
- Pitman and Morgan: whether the variances are equal, which is the same test, t = r_O √((n − 2)/(1 − r_O²));
- Blomqvist: the slope of the true change on the true level at baseline, where the variance of the measurement error at
  baseline is known from elsewhere.

**Source**: Oldham 1962, J Chronic Dis 15:969; Pitman 1939, Biometrika 31:9; Morgan 1939, Biometrika 31:13; Blomqvist
1977, JASA 72:746; Tu & Gilthorpe 2007, Stat Med 26:443 (how they belong together).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

__all__ = ["Answer", "blomqvist", "oldham", "pitman_morgan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An estimate with its standard error (NaN where it has none of its own), degrees of freedom, statistic, p value
    and limits.
    """

    estimate: float
    std_error: float
    df: float
    statistic: float
    p_value: float
    conf_low: float
    conf_high: float


def _oldham(sd_0: float, sd_1: float, r: float) -> float:
    a, b = sd_0**2, sd_1**2
    below = (a + b) ** 2 - 4 * r**2 * a * b
    return float((b - a) / np.sqrt(below)) if below > 0 else float("nan")


def _t_of(correlation: float, n: float) -> tuple[float, float]:
    t = correlation * np.sqrt((n - 2) / (1 - correlation**2)) if abs(correlation) < 1 else float("nan")
    return float(t), float(2 * special.stdtr(n - 2, -abs(t)))


def oldham(sd_0: float, sd_1: float, r: float, n: float, *, conf_level: float = 0.95) -> Answer:
    """The correlation of the change with the mean of both scores, with Fisher's interval.

    >>> found = oldham(0.94, 0.76, 0.40, 185)
    >>> round(found.estimate, 3), round(found.p_value, 4)
    (-0.228, 0.0018)
    """
    correlation = _oldham(sd_0, sd_1, r)
    t, p = _t_of(correlation, n)
    margin = special.ndtri((1 + conf_level) / 2) / np.sqrt(n - 3) if n > 3 else float("nan")
    z = np.arctanh(correlation)
    return Answer(
        estimate=correlation,
        std_error=float("nan"),
        df=n - 2,
        statistic=t,
        p_value=p,
        conf_low=float(np.tanh(z - margin)),
        conf_high=float(np.tanh(z + margin)),
    )


def pitman_morgan(sd_0: float, sd_1: float, r: float, n: float, *, conf_level: float = 0.95) -> Answer:
    """The ratio of the variances s₁²/s₀² of correlated scores, with the interval that inverts the test.

    With w = s₁²/s₀² and K = 1 + 2(1 − r²) t²/(n − 2), t the quantile: w (K ± √(K² − 1)).

    >>> found = pitman_morgan(0.94, 0.76, 0.40, 185)
    >>> round(found.estimate, 3), round(found.conf_low, 3), round(found.conf_high, 3), round(found.p_value, 4)
    (0.654, 0.501, 0.853, 0.0018)
    """
    t, p = _t_of(_oldham(sd_0, sd_1, r), n)
    ratio = (sd_1 / sd_0) ** 2
    K = 1 + 2 * (1 - r**2) * special.stdtrit(n - 2, (1 + conf_level) / 2) ** 2 / (n - 2)
    reach = np.sqrt(K**2 - 1)
    return Answer(
        estimate=float(ratio),
        std_error=float("nan"),
        df=n - 2,
        statistic=t,
        p_value=p,
        conf_low=float(ratio * (K - reach)),
        conf_high=float(ratio * (K + reach)),
    )


def blomqvist(
    sd_0: float,
    sd_1: float,
    r: float,
    n: float,
    *,
    reliability: float | None = None,
    error_variance: float | None = None,
    conf_level: float = 0.95,
) -> Answer:
    """The slope of the true change on the true level, β = (b + 1 − λ)/λ, with b the slope of the observed change on y₀
    and λ the reliability of y₀.

    With λ known, its standard error is that of b over λ, on n − 2 degrees of freedom. With the error variance σ² known
    instead, λ = 1 − σ²/s₀² is estimated, β + 1 = c/(s₀² − σ²) with c the covariance of both scores, and the delta
    method with the covariance of c and s₀² in normal samples gives

        var(β) = [ (s₀²s₁² + c²) − 4 c² a/κ + 2 c² a²/κ² ] / ((n − 1) κ²),   a = s₀², κ = s₀² − σ².

    The tested hypothesis is β = 0. What is known is taken as known without error.

    >>> round(blomqvist(0.94, 0.76, 0.40, 185, reliability=0.90).estimate, 3)
    -0.641
    >>> round(blomqvist(0.94, 0.76, 0.40, 185, reliability=1.0).estimate, 3)  # the slope as observed
    -0.677
    """
    a, b, c = sd_0**2, sd_1**2, r * sd_0 * sd_1
    if reliability is not None:
        slope = c / a / reliability
        error = float(np.sqrt((b - c**2 / a) * (n - 1) / (n - 2) / (a * (n - 1)))) / reliability
        df = n - 2
    else:
        kappa = a - float(error_variance or 0.0)
        slope = c / kappa
        spread = (a * b + c**2) - 4 * c**2 * a / kappa + 2 * c**2 * a**2 / kappa**2
        error = float(np.sqrt(spread / (n - 1))) / kappa
        df = float("inf")
    beta = slope - 1
    t = beta / error if error > 0 else float("nan")
    below = special.stdtr(df, -abs(t)) if np.isfinite(df) else special.ndtr(-abs(t))
    quantile = special.stdtrit(df, (1 + conf_level) / 2) if np.isfinite(df) else special.ndtri((1 + conf_level) / 2)
    return Answer(
        estimate=float(beta),
        std_error=error,
        df=df,
        statistic=float(t),
        p_value=float(2 * below),
        conf_low=float(beta - quantile * error),
        conf_high=float(beta + quantile * error),
    )
