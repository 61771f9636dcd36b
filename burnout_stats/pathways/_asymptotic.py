"""Functions of the parameters of a structural fit, by the delta method: values, joint covariance, intervals, tests.

    V(g) = G V(θ) G',   G = ∂g/∂θ';   a correlation r by Fisher's z = artanh r with SE(z) = SE(r) / (1 − r²)

**Source**: Oehlert 1992, Am Stat 46:27 (delta method); Fisher 1921, Metron 1:3 (z).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..engine.jets import Jet, parameters
from ..engine.multiplicity import t_quantile, two_sided_p
from ..estimates import About, Estimates
from ..estimates.margins import counted
from ..notices import Notice

__all__ = ["Part", "Quantity", "correlation", "estimates_of_quantities", "labelled", "ratio", "root"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quantity:
    """A function of the parameters: the outcome and the names of its row, and its value with derivatives; whether it is
    a correlation, or a variance, of which no test against 0 is made.
    """

    outcome: str
    names: Mapping[str, str]
    jet: Jet
    is_correlation: bool = False
    is_variance: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """What is asked of one fit: the quantities, the covariance of its parameters, and who took part (subjects,)."""

    quantities: Sequence[Quantity]
    vcov: Array
    seen: NDArray[np.bool_]


def labelled(theta: Array, labels: Sequence[str]) -> dict[str, Jet]:
    """The parameters by label, each with its derivatives.

    >>> found = labelled(np.array([2.0, 3.0]), ["a", "b"])
    >>> product = found["a"] * found["b"]
    >>> float(product.value), product.gradient.tolist()
    (6.0, [3.0, 2.0])
    """
    return dict(zip(labels, parameters(np.asarray(theta, dtype=float)), strict=True))


def root(jet: Jet) -> Jet:
    """Square root; NaN below 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        s = np.sqrt(jet.value)
        return jet.map(s, 0.5 / s, -0.25 / s**3)


def ratio(above: Jet, below: Jet) -> Jet:
    """One jet over another."""
    with np.errstate(invalid="ignore", divide="ignore"):
        f = 1.0 / below.value
        return above * below.map(f, -(f**2), 2 * f**3)


def correlation(covariance: Jet, first: Jet, second: Jet) -> Jet:
    """The correlation that belongs to a covariance and two variances; NaN where one of them is not above 0."""
    return ratio(covariance, root(first * second) if first.value > 0 and second.value > 0 else first * np.nan)


def estimates_of_quantities(
    parts: Sequence[Part], about: About, *, method: str = "FIML", notices: tuple[Notice, ...] = ()
) -> Estimates:
    """Estimates with the normal distribution; a correlation has Fisher's interval and test, a variance no test.

    Parameters
    ----------
    parts : sequence of Part
        The quantities of each fit; the covariance between fits is not known (NaN).
    about, method, notices
        As in Estimates.
    """
    quantities = [quantity for part in parts for quantity in part.quantities]
    value = np.array([float(quantity.jet.value) for quantity in quantities])
    V = np.full((len(value), len(value)), np.nan)
    at = 0
    for part in parts:
        G = np.array([quantity.jet.gradient for quantity in part.quantities])
        V[at : at + len(G), at : at + len(G)] = G @ part.vcov @ G.T
        at += len(G)
    n = [int(part.seen.sum()) for part in parts for _ in part.quantities]
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(np.diag(V))
        turned = np.array([quantity.is_correlation for quantity in quantities]) & (np.abs(value) < 1)
        point = np.where(turned, np.arctanh(np.where(turned, value, 0.0)), value)
        spread = np.where(turned, error / (1 - value**2), error)
        half = t_quantile(about.conf_level, np.full(len(value), np.inf)) * spread
        low, high = point - half, point + half
        statistic = np.where([quantity.is_variance for quantity in quantities], np.nan, point / spread)
    frame = pd.DataFrame(
        {
            "outcome": [quantity.outcome for quantity in quantities],
            **{name: [quantity.names[name] for quantity in quantities] for name in about.factors},
            "estimate": value,
            "std_error": error,
            "df": np.inf,
            "statistic": statistic,
            "p_value": two_sided_p(statistic, np.full(len(value), np.inf)),
            "conf_low": np.where(turned, np.tanh(low), low),
            "conf_high": np.where(turned, np.tanh(high), high),
            "n": n,
            "method": method,
        }
    )
    seen = [part.seen for part in parts for _ in part.quantities]
    return Estimates(frame=frame, vcov=V, about=about, notices=notices, margins=counted(seen))
