"""Printed numbers beside those of synthetic replicates: median, 95% range, and whether they agree.

A number agrees where the median of the replicates lies within its tolerance of the printed value *and* the printed
value, as rounded, lies inside the range of 95% of the replicates. A wide range alone accepts almost anything.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..estimates import About, Estimates
from ._draw import checked_size
from ._printed import PrintedNumber
from ._stack import Stack
from ._statistics import statistic

if TYPE_CHECKING:
    from ._study import Study

__all__ = ["AGREES", "EXPLAINED", "MISSED", "NOT_COMPUTED", "is_missed", "replicated", "reproduce", "statistics_of"]

Array = NDArray[np.float64]

AGREES, MISSED, EXPLAINED, NOT_COMPUTED = "yes", "no", "no: see note", "not computed"
SHOWN = "Synthetic replicates, not the cohort of the paper: median and 2.5th to 97.5th percentile."
RULE = (
    "Agrees: the median lies within the tolerance of the printed value (widened by two Monte-Carlo standard errors of "
    "the median), and the printed value as rounded lies inside the range. Of a bound, the median keeps it."
)
USED = (
    "Used: a target is a number that the synthetic population was made to have (or that follows from one), so its "
    "agreement tests the analysis and not the paper; a check was not used."
)
NOTES = (SHOWN, RULE, USED)
MEDIAN_ERROR = np.sqrt(np.pi / 2)
"""Standard error of a median of normal values, in standard errors of their mean."""

BATCH = 250
"""Replicates drawn and analyzed at a time, each batch from seeds of its own: it bounds the memory."""


def replicated(study: Study, n_replicates: int, seed: int) -> Mapping[str, Array]:
    """Every printed number that the plan can produce, in each replicate."""
    checked_size(n_replicates, seed)
    parts = [
        statistics_of(study, study.stack(min(BATCH, n_replicates - done), seed=(seed, batch)))
        for batch, done in enumerate(range(0, n_replicates, BATCH))
    ]
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def statistics_of(study: Study, stack: Stack) -> Mapping[str, Array]:
    """Every printed number that the plan can produce, in each replicate of a stack."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        return {
            number.id: statistic(number.statistic)(stack, number.of) for number in study.printed if number.statistic
        }


def reproduce(study: Study, n_replicates: int, seed: int) -> Estimates:
    """The table of a study's printed numbers beside their replicates."""
    found = replicated(study, n_replicates, seed)
    rows = [_row(study, number, found.get(number.id)) for number in study.printed]
    frame = pd.DataFrame(rows)
    told = [f"{n.quantity}: {text}" for n in study.printed if (text := " ".join(filter(None, (n.remark, n.why_not))))]
    return Estimates(
        frame=frame,
        vcov=np.full((len(frame), len(frame)), np.nan),
        about=About(
            kind="reproduction",
            outcomes={study.name: study.design.title},
            factors=("id", "quantity", "printed", "mark", "used", "tolerance", "agrees"),
            notes=(
                f"{study.design.citation} {n_replicates} replicates, seed {seed}.",
                *NOTES,
                *told,
                *(f"Assumed: {a.what}" for a in study.design.assumptions),
            ),
            min_cell=1,
        ),
    )


def _row(study: Study, number: PrintedNumber, values: Array | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "outcome": study.name,
        "id": number.id,
        "quantity": number.quantity,
        "printed": number.text,
        "mark": number.mark,
        "used": "target" if number.target else "check",
        "tolerance": f"{number.tolerance:g}" if number.statistic and not number.number.bound else "",
    }
    numbers = dict.fromkeys(
        ("estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high", "n"), np.nan
    )
    agrees = NOT_COMPUTED
    if values is not None and np.isfinite(values).any():
        kept = values[np.isfinite(values)]
        low, median, high = np.quantile(kept, [0.025, 0.5, 0.975])
        spread = float(kept.std(ddof=1)) if len(kept) > 1 else np.nan
        numbers |= {"estimate": float(median), "conf_low": float(low), "conf_high": float(high), "std_error": spread}
        error = MEDIAN_ERROR * spread / np.sqrt(len(kept)) if len(kept) > 1 else 0.0
        meets = _agrees(number, float(low), float(median), float(high), error)
        agrees = AGREES if meets else EXPLAINED if number.why_not else MISSED
    return row | {"agrees": agrees} | numbers | {"method": number.statistic or "none"}


def _agrees(number: PrintedNumber, low: float, median: float, high: float, error: float) -> bool:
    printed = number.number
    if printed.bound:
        return median < printed.value if printed.bound == "<" else median > printed.value
    half = printed.unit / 2
    small = 1e-9 * max(1.0, abs(printed.value))
    near = abs(median - printed.value) <= number.tolerance + 2 * error + small
    return near and low - half - small <= printed.value <= high + half + small


def is_missed(found: Estimates) -> bool:
    """Whether some number misses its tolerance without a reason."""
    return bool(found.frame["agrees"].eq(MISSED).any())
