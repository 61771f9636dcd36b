"""Scores as subjects × visits, the pairs of visits that are compared, and rows of numbers as Estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..errors import StudyError, one_of
from ..estimates import About, Estimates
from ..estimates.margins import counted

__all__ = [
    "PAIRS",
    "by_subject",
    "checked_level",
    "estimates_of",
    "listed",
    "pair_label",
    "pairs_of_visits",
    "printed_about",
]

Array = NDArray[np.float64]

PAIRS: Mapping[str, str] = {
    "vs_baseline": "each later visit with the first",
    "consecutive": "each visit with the one before it",
    "all_pairs": "every visit with every earlier one",
}
"""Which visits are compared."""

NUMBER_COLUMNS = ("estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high", "n")


def by_subject(cohort: Cohort, name: str) -> Array:
    """A numeric column as subjects × visits, NaN where it was not observed."""
    wide = np.full((cohort.n_subjects, len(cohort.visits)), np.nan)
    rows = cohort.data["subject"].to_numpy() - 1
    wide[rows, cohort.data["visit"].cat.codes.to_numpy()] = cohort.data[name].to_numpy(dtype=float)
    return wide


def pairs_of_visits(cohort: Cohort, visits: str) -> list[tuple[int, int]]:
    """Positions (earlier, later) of the visits that are compared.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for an unknown choice, `E-STUDY-VISITS` for a cohort with one visit.
    """
    k = len(cohort.visits)
    one_of("visits", visits, PAIRS)
    if k < 2:
        raise StudyError(
            "E-STUDY-VISITS",
            "The cohort has one visit.",
            "A change needs two visits.",
            "Describe the visit with describe.by_visit(cohort).",
        )
    if visits == "vs_baseline":
        return [(0, later) for later in range(1, k)]
    if visits == "consecutive":
        return [(later - 1, later) for later in range(1, k)]
    return [(earlier, later) for later in range(1, k) for earlier in range(later)]


def pair_label(cohort: Cohort, pair: tuple[int, int]) -> str:
    """The name of a change, the later visit first."""
    labels = cohort.visits.labels
    return f"{labels[pair[1]]} - {labels[pair[0]]}"


def listed(cohort: Cohort, outcomes: str | Sequence[str] | None) -> tuple[str, ...]:
    """The outcomes asked for; all of the cohort where none were named.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for an unknown one.
    """
    names = cohort.outcomes if outcomes is None else (outcomes,) if isinstance(outcomes, str) else tuple(outcomes)
    return tuple(cohort.outcome(name).name for name in names)


def checked_level(conf_level: float) -> float:
    """A confidence level between 0 and 1.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` otherwise.
    """
    if not 0 < conf_level < 1:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`conf_level` is {conf_level}.",
            "A confidence level lies between 0 and 1.",
            "Use 0.95 for 95% intervals.",
        )
    return float(conf_level)


def estimates_of(
    rows: Sequence[Mapping[str, object]],
    about: About,
    *,
    tests: str = "t",
    cells: Sequence[Sequence[float] | Array] | None = None,
    counts: Sequence[NDArray[np.bool_]] | None = None,
) -> Estimates:
    """Estimates from rows that hold `outcome`, naming columns, numbers and `method`; a number left out is NaN.

    With `tests="F"` there are numerator degrees of freedom. `cells` are counts that the numbers of each row tell beside
    its n, `counts` the subjects in its n.
    """
    frame = pd.DataFrame(list(rows))
    numbers = [*NUMBER_COLUMNS[:2], *(["num_df"] if tests == "F" else []), *NUMBER_COLUMNS[2:]]
    naming = [name for name in frame.columns if name not in {*numbers, "num_df", "method"}]
    for name in numbers:
        frame[name] = frame[name].astype(float) if name in frame else np.nan
    frame = frame[[*naming, *numbers, "method"]]
    error = frame["std_error"].to_numpy(dtype=float)
    vcov = np.full((len(frame), len(frame)), np.nan)
    np.fill_diagonal(vcov, error**2)
    return Estimates(
        frame=frame,
        vcov=vcov,
        about=about,
        margins=None if counts is None else counted(counts),
        cells=None if cells is None else np.asarray(cells, dtype=float),
    )


def printed_about(
    kind: str, outcome: str, factors: tuple[str, ...], conf_level: float, notes: tuple[str, ...]
) -> About:
    """What is said about numbers from a paper: the outcome has a name, and nothing else is known of it."""
    label = outcome[:1].upper() + outcome[1:].replace("_", " ")
    return About(kind=kind, outcomes={outcome: label}, factors=factors, conf_level=conf_level, notes=notes)
