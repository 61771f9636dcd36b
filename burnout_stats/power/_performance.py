"""What simulated cohorts say about a test: how often it rejects, how often its interval covers, and how far it is off,
each with its Monte-Carlo error.

With R answers, estimates e_r with standard errors s_r, and truth δ:

    share (rejected, or covered) p    √(p(1 − p)/R)                                    Wilson's interval
    bias ē − δ                        s_e/√R,  s_e² = Σ(e_r − ē)²/(R − 1)
    standard error √(mean s²) / s_e   that ratio × √( var(s²)/(4R m⁴) + 1/(2(R − 1)) ),  m² = mean s²

**Source**: Morris, White & Crowther 2019, Stat Med 38:2074, table 6. For a share of 0 or 1 their formula says that
there is no error: the error then told is half of Wilson's interval, in standard errors.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from ..engine.proportions import wilson
from ..errors import ModelError
from ..estimates import About, Estimates
from ..estimates.policy import Policy
from ..notices import Notice

__all__ = ["OPEN", "Performance", "judged", "performance", "refusal_notice", "share"]

Array = NDArray[np.float64]
OPEN = Policy(min_cell=1)
"""Nothing here is about a person: simulated cohorts have no small cells to hide."""
Performance = dict[str, tuple[float, float, float, float]]
"""By measure: value, Monte-Carlo error, and the limits of its 95% interval."""
NORMAL = float(special.ndtri(0.975))


def share(count: float, total: float) -> tuple[float, float, float, float]:
    """A share with its Monte-Carlo error and Wilson's interval.

    >>> [round(value, 4) for value in share(950, 1000)]
    [0.95, 0.0069, 0.9347, 0.9619]
    """
    p = count / total
    limits = wilson(count, total)
    low, high = float(limits[0]), float(limits[1])
    error = float(np.sqrt(p * (1 - p) / total)) if 0 < count < total else (high - low) / (2 * NORMAL)
    return p, error, low, high


def performance(
    estimate: Array,
    std_error: Array,
    rejected: NDArray[np.bool_],
    covered: NDArray[np.bool_] | None,
    *,
    truth: float | None,
    null: float,
) -> Performance:
    """What R answers to one question say, each array of shape (R,)."""
    R = len(estimate)
    is_null = truth is not None and abs(truth - null) < 1e-12
    found: Performance = {"type I error" if is_null else "power": share(float(rejected.sum()), R)}
    if covered is not None:
        found["coverage"] = share(float(covered.sum()), R)
    spread = float(estimate.std(ddof=1)) if R > 1 else np.nan
    if truth is not None:
        found["bias"] = _normal(float(estimate.mean()) - truth, spread / np.sqrt(R))
    squares = std_error**2
    mean = float(squares.mean())
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = float(np.sqrt(mean) / np.float64(spread))
        relative = np.sqrt(squares.var() / (4 * R * mean**2) + 1 / np.float64(2 * (R - 1)))
    found["standard error / SD of estimates"] = _normal(ratio, ratio * float(relative))
    return found


def _normal(value: float, error: float) -> tuple[float, float, float, float]:
    return value, error, value - NORMAL * error, value + NORMAL * error


def judged(
    rows: Sequence[tuple[dict[str, str], Performance]],
    *,
    outcome: str,
    n: int | Sequence[float],
    kind: str,
    method: str,
    factors: tuple[str, ...],
    notes: tuple[str, ...],
    notices: tuple[Notice, ...] = (),
    df_method: str = "",
) -> Estimates:
    """One row for each measure of each question."""
    numbers = n if isinstance(n, Sequence) else [float(n)] * len(rows)
    records = [
        {
            "outcome": outcome,
            **naming,
            "measure": measure,
            "estimate": value,
            "std_error": error,
            "df": np.nan,
            "statistic": np.nan,
            "p_value": np.nan,
            "conf_low": low,
            "conf_high": high,
            "n": float(size),
            "method": method,
        }
        for (naming, quantities), size in zip(rows, numbers, strict=True)
        for measure, (value, error, low, high) in quantities.items()
    ]
    frame = pd.DataFrame(records)
    return Estimates(
        frame=frame,
        vcov=np.diag(frame["std_error"].to_numpy(dtype=float) ** 2),
        about=About(
            kind=kind,
            outcomes={outcome: outcome},
            factors=(*factors, "measure"),
            df_method=df_method,
            notes=notes,
            policy=OPEN,
        ),
        notices=notices,
    )


def refusal_notice(refused: Counter[str], replicates: int) -> tuple[Notice, ...]:
    """How many cohorts had no answer, and why.

    Raises
    ------
    ModelError
        `E-MODEL-SIMULATED` where fewer than half of them have one.
    """
    left = sum(refused.values())
    if not left:
        return ()
    why = ", ".join(f"{count} {code}" for code, count in sorted(refused.items()))
    if left > replicates / 2:
        raise ModelError(
            "E-MODEL-SIMULATED",
            f"The model has no answer for {left} of {replicates} simulated cohorts ({why}).",
            "At least half of them must have one, or the design cannot carry this model.",
            "Plan more persons, fewer visits, or a covariance with fewer parameters.",
        )
    return (
        Notice(
            "N-MODEL-SIMULATED",
            f"The model has no answer for {left} of {replicates} simulated cohorts ({why}).",
            "Shares are of the others; a study without an answer shows nothing.",
        ),
    )
