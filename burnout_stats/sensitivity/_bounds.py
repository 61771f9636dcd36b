"""What the change could be whatever the missing scores were, as long as they lie on the scale."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from ..cohort import Cohort
from ..errors import StudyError
from ..estimates import About, Estimates

__all__ = ["LOWEST", "bounds"]

Array = NDArray[np.float64]
LOWEST, HIGHEST = "lowest possible", "highest possible"


def bounds(cohort: Cohort, outcome: str, *, conf_level: float = 0.95) -> Estimates:
    """The lowest and the highest mean change from baseline that the missing scores allow.

    Every missing score is put at one end of the scale, so that the change of its subject is as low, or as high, as it
    can be. Nothing is assumed of why scores are missing; the answer is wide.

    Parameters
    ----------
    cohort : Cohort
        All its subjects count.
    outcome : str
        With a declared range.
    conf_level : float
        How often the limits hold the true change (Imbens & Manski): a little below the lowest possible change of the
        sample to a little above the highest.

    Returns
    -------
    Estimates
        Kind "bounds", two rows for each contrast (`bound`), which have the same limits. `n` counts subjects of whom
        both scores are known.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for an unknown outcome, `E-STUDY-WEIGHTING` for one without a range.

    **Source**: Manski 1990, Am Econ Rev 80 (2):319; Imbens & Manski 2004, Econometrica 72:1845, whose interval holds
    where, as here, the higher bound cannot fall below the lower one (Stoye 2009, Econometrica 77:1299).

    >>> from burnout_stats.studies import example
    >>> bounds(example("villa_sana"), "exhaustion").frame["estimate"].round(2).tolist()[:2]
    [-0.79, -0.05]
    """
    role = cohort.outcome(outcome)
    if role.range is None:
        raise StudyError(
            "E-STUDY-WEIGHTING",
            f"The outcome `{outcome}` has no declared range.",
            "Bounds put missing scores at the ends of the scale.",
            f"Declare it, for example range = [1, 5] under [outcomes.{outcome}].",
        )
    low, high = role.range
    Y = np.full((cohort.n_subjects, len(cohort.visits)), np.nan)
    Y[cohort.data["subject"].to_numpy() - 1, cohort.data["visit"].cat.codes.to_numpy()] = cohort.data[outcome]
    at_low, at_high = np.where(np.isnan(Y), low, Y), np.where(np.isnan(Y), high, Y)
    labels = cohort.visits.labels
    rows, changes = [], []
    for v in range(1, len(labels)):
        ends = (at_low[:, v] - at_high[:, 0], at_high[:, v] - at_low[:, 0])
        mean = [float(end.mean()) for end in ends]
        error = [float(end.std(ddof=1) / np.sqrt(len(end))) if len(end) > 1 else np.nan for end in ends]
        c = _critical(mean[1] - mean[0], max(error), conf_level)
        seen = ~np.isnan(Y[:, [0, v]]).any(1)
        changes += list(ends)
        for k, name in enumerate((LOWEST, HIGHEST)):
            rows.append(
                {
                    "outcome": outcome,
                    "contrast": f"{labels[v]} - {labels[0]}",
                    "bound": name,
                    "estimate": mean[k],
                    "std_error": error[k],
                    "df": np.inf,
                    "statistic": np.nan,
                    "p_value": np.nan,
                    "conf_low": mean[0] - c * error[0],
                    "conf_high": mean[1] + c * error[1],
                    "n": int(seen.sum()),
                    "method": "bounds",
                }
            )
    n = len(Y)
    covariance = (
        np.atleast_2d(np.cov(np.array(changes))) / n if n > 1 and changes else np.full((len(rows),) * 2, np.nan)
    )
    return Estimates(
        frame=pd.DataFrame(rows),
        vcov=covariance,
        about=About(
            kind="bounds",
            outcomes={outcome: role.label},
            units={outcome: role.unit},
            better={outcome: role.better},
            ranges={outcome: role.range},
            visit_years=cohort.visits.by_label(),
            factors=("contrast", "bound"),
            conf_level=conf_level,
            notes=(
                f"Missing scores are put at the ends of the scale ({low:g} and {high:g}).",
                "Nothing is assumed of why they are missing.",
                "The mean change of the sample lies between the two; the limits hold the true one (Imbens & Manski).",
                "n: subjects of whom both scores are known.",
            ),
            policy=cohort.policy,
        ),
    )


def _critical(width: float, error: float, conf_level: float) -> float:
    """C with Φ(C + width / error) − Φ(−C) = conf_level: between the one-sided quantile, for wide bounds, and the
    two-sided one, where they meet.
    """
    if not error > 0:
        return 0.0
    low, high = float(ndtri(conf_level)), float(ndtri((1 + conf_level) / 2))
    for _ in range(60):
        middle = (low + high) / 2
        short = ndtr(middle + width / error) - ndtr(-middle) < conf_level
        low, high = (middle, high) if short else (low, middle)
    return high
