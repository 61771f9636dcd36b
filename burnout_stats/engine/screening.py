"""How well a test finds what a reference finds: accuracy at a cut, agreement, and the area under the curve.

Counts are a table of test categories (rows) by reference categories (columns), both in ascending order, so a million
persons cost no more than ten. At one cut of each it is

                        reference positive   reference negative
    test positive               a                    b
    test negative               c                    d

**Source**: Wilson 1927, JASA 22:209 (proportions); Simel, Samsa & Matchar 1991, J Clin Epidemiol 44:763 (likelihood
ratios, on the log scale); Mercaldo, Lau & Zhou 2007, Stat Med 26:2170, equations 8 to 11 (predictive values at a
declared prevalence, on the logit scale); Fleiss, Cohen & Everitt 1969, Psychol Bull 72:323 (variance of kappa, plain
and weighted); DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44:837 (variance of the area), written for tables.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from .proportions import wilson

__all__ = ["Row", "accuracy", "area", "fourfold", "kappa", "predictive_at"]

Array = NDArray[np.float64]
Row = tuple[float, float, float, float]
"""Estimate, standard error (NaN where the interval comes from another scale), lower and upper limit."""


def fourfold(counts: Array, test_at: int, reference_at: int) -> Array:
    """[[a, b], [c, d]] where rows from `test_at` on, and columns from `reference_at` on, are positive."""
    high, low = counts[test_at:], counts[:test_at]
    return np.array([[part[:, reference_at:].sum(), part[:, :reference_at].sum()] for part in (high, low)])


def accuracy(table: Array, *, conf_level: float = 0.95) -> dict[str, tuple[Row, float]]:
    """Each measure of a fourfold table as a Row, with the number of persons it is a share of.

    Proportions have Wilson's intervals. LR+ = Se / (1 − Sp) and LR− = (1 − Se) / Sp have
    exp(log LR ± z √(1/x₁ − 1/n₁ + 1/x₂ − 1/n₂)), x and n the counts behind the two proportions.
    """
    (a, b), (c, d) = table
    ill, well, n = a + c, b + d, table.sum()
    shares = {
        "sensitivity": (a, ill),
        "specificity": (d, well),
        "positive predictive value": (a, a + b),
        "negative predictive value": (d, c + d),
        "prevalence": (ill, n),
        "agreement": (a + d, n),
    }
    found = {name: (_share(x, of, conf_level), float(of)) for name, (x, of) in shares.items()}
    found["positive likelihood ratio"] = (_ratio(a, ill, b, well, conf_level), float(n))
    found["negative likelihood ratio"] = (_ratio(c, ill, d, well, conf_level), float(n))
    return found


def _share(x: float, n: float, conf_level: float) -> Row:
    if n == 0:
        return (np.nan, np.nan, np.nan, np.nan)
    low, high = wilson(x, n, conf_level=conf_level)
    return (float(x / n), np.nan, float(low), float(high))


def _ratio(x_1: float, n_1: float, x_2: float, n_2: float, conf_level: float) -> Row:
    if min(n_1, n_2) == 0 or x_2 == 0:
        return (np.nan, np.nan, np.nan, np.nan)
    ratio = (x_1 / n_1) / (x_2 / n_2)
    if x_1 == 0:
        return (0.0, np.nan, np.nan, np.nan)
    width = special.ndtri((1 + conf_level) / 2) * np.sqrt(1 / x_1 - 1 / n_1 + 1 / x_2 - 1 / n_2)
    return (float(ratio), np.nan, float(ratio * np.exp(-width)), float(ratio * np.exp(width)))


def predictive_at(table: Array, prevalence: float, *, conf_level: float = 0.95) -> dict[str, Row]:
    """Predictive values by Bayes' rule at a prevalence that is taken as known.

    logit PPV = log(π Se / ((1 − π)(1 − Sp))), with variance (1 − Se)/(Se n₁) + Sp/((1 − Sp) n₀); NPV alike.
    """
    (a, b), (c, d) = table
    ill, well = a + c, b + d
    odds = prevalence / (1 - prevalence)
    with np.errstate(divide="ignore", invalid="ignore"):
        logits = {
            "positive predictive value": (np.log(odds * (a / ill) / (b / well)), 1 / a - 1 / ill + 1 / b - 1 / well),
            "negative predictive value": (np.log((d / well) / (c / ill) / odds), 1 / c - 1 / ill + 1 / d - 1 / well),
        }
    z = special.ndtri((1 + conf_level) / 2)
    found = {}
    for name, (logit, variance) in logits.items():
        width = z * np.sqrt(variance) if np.isfinite(variance) else np.nan
        limits = (special.expit(logit - width), special.expit(logit + width))
        found[name] = (float(special.expit(logit)), np.nan, float(limits[0]), float(limits[1]))
    return found


def kappa(counts: Array, *, weights: str = "none", conf_level: float = 0.95) -> Row:
    """Cohen's kappa of a square table, plain or with "linear" or "quadratic" weights.

    κ_w = (p_o − p_e) / (1 − p_e) with p_o = Σ w p_ij, p_e = Σ w p_i. p_.j, and for κ ≠ 0 the variance (Fleiss, Cohen &
    Everitt)

        [Σ p_ij (w_ij − (w̄_i. + w̄_.j)(1 − κ_w))² − (κ_w − p_e (1 − κ_w))²] / (n (1 − p_e)²)
    """
    size, n = len(counts), counts.sum()
    away = np.abs(np.subtract.outer(np.arange(size), np.arange(size))) / max(size - 1, 1)
    w = {"none": np.eye(size), "linear": 1 - away, "quadratic": 1 - away**2}[weights]
    with np.errstate(divide="ignore", invalid="ignore"):
        p = counts / n
        rows, columns = p.sum(axis=1), p.sum(axis=0)
        agreed, expected = (w * p).sum(), rows @ w @ columns
        value = (agreed - expected) / (1 - expected)
        mean = np.add.outer(w @ columns, w.T @ rows)
        spread = (p * (w - mean * (1 - value)) ** 2).sum() - (value - expected * (1 - value)) ** 2
        error = np.sqrt(max(spread, 0.0) / n) / (1 - expected)
    width = special.ndtri((1 + conf_level) / 2) * error
    return (float(value), float(error), float(value - width), float(value + width))


def area(positive: Array, negative: Array, *, conf_level: float = 0.95) -> Row:
    """The area under the curve of a test with ordered categories: P(higher if positive) + ½ P(equal).

    `positive` and `negative` count the persons in each category by the reference. The variance is DeLong's,
    S₁₀/n₁ + S₀₁/n₀, with the sample variances of the placements V₁₀(x) = P(Y < x) + ½ P(Y = x), and V₀₁ alike; the
    interval is symmetric and cut at 0 and 1, as in pROC.
    """
    n_1, n_0 = positive.sum(), negative.sum()
    if min(n_1, n_0) < 2:
        return (np.nan, np.nan, np.nan, np.nan)
    q, p = negative / n_0, positive / n_1
    v_10 = np.cumsum(q) - q / 2
    v_01 = 1 - np.cumsum(p) + p / 2
    value = float(p @ v_10)
    s_10 = positive @ (v_10 - value) ** 2 / (n_1 - 1)
    s_01 = negative @ (v_01 - value) ** 2 / (n_0 - 1)
    error = float(np.sqrt(s_10 / n_1 + s_01 / n_0))
    width = float(special.ndtri((1 + conf_level) / 2)) * error
    return (value, error, max(value - width, 0.0), min(value + width, 1.0))
