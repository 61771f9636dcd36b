"""What a number is where it is no mean in the units of the outcome: log odds, probabilities, counts, and ratios."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["QUANTITIES", "RATIOS", "Quantity", "Ratio", "decimals_of_ratio", "is_percent"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """How a kind of mean, and a difference of two, are called.

    `in_words` stands in a sentence before "of" or "in" an outcome; `unit` is that of a difference; `percent` says
    whether people write it in percent.
    """

    mean: str
    difference: str
    in_words: str
    unit: str
    percent: bool = False


@dataclass(frozen=True, slots=True)
class Ratio:
    """How a ratio of two means is called, and what it compares."""

    name: str
    of: str


QUANTITIES: Mapping[str, Quantity] = MappingProxyType(
    {
        "log_odds": Quantity("Log odds", "Difference in log odds", "log odds", "log odds"),
        "probits": Quantity("Probit", "Difference in probits", "probit", "probits"),
        "log_probability": Quantity(
            "Log probability", "Difference in log probabilities", "log probability", "on the log scale"
        ),
        "log_mean": Quantity("Log mean", "Difference in log means", "log mean", "on the log scale"),
        "latent": Quantity("Latent mean", "Difference in log odds", "log odds of a higher category", "log odds"),
        "probability": Quantity("Probability", "Risk difference", "probability", "percentage points", percent=True),
        "count": Quantity("Mean count", "Difference in mean counts", "mean", ""),
    }
)
"""By the word that `About.quantity` holds; without one a number is in the units of its outcome."""

RATIOS: Mapping[str, Ratio] = MappingProxyType(
    {
        "odds_ratios": Ratio("odds ratio", "odds"),
        "risk_ratios": Ratio("risk ratio", "probability"),
        "rate_ratios": Ratio("rate ratio", "mean"),
    }
)
"""Kinds of estimates that are ratios: 1 is no difference, and half is as far from it as double."""


def is_percent(quantity: str) -> bool:
    """Whether people write the quantity in percent."""
    return quantity in QUANTITIES and QUANTITIES[quantity].percent


def decimals_of_ratio(*values: float) -> int:
    """Decimals with which the smallest of a ratio and its limits keeps two digits: from 2 to 4.

    >>> decimals_of_ratio(0.033, 0.008, 0.13), decimals_of_ratio(2.1, 1.4, 3.2)
    (4, 2)
    """
    known = [value for value in values if math.isfinite(value) and value > 0]
    return min(max(1 - math.floor(math.log10(min(known))), 2), 4) if known else 2
