"""What is known of each subject at baseline, and what it comes to in groups of subjects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..engine.standardized_difference import difference_of_means, difference_of_shares
from ..errors import StudyError, did_you_mean
from ..estimates import Sample
from ._groups import Groups

__all__ = ["Characteristic", "Known", "Printed", "at_baseline", "characteristic_of", "characteristics_from"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
Printed = Mapping[str, "tuple[Sample, ...] | Mapping[str, tuple[int, ...]]"]
"""Numbers of a paper by variable: a `Sample` for each group, or for each level its counts in the groups."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """One variable at baseline, subject by subject: values (NaN unknown), which are codes into `levels` where there are
    any.
    """

    name: str
    label: str
    levels: tuple[str, ...]
    values: Array

    @property
    def known(self) -> NDArray[np.bool_]:
        """Of whom it is known."""
        return ~np.isnan(self.values)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Characteristic:
    """One variable in groups: n known, mean and SD (G,), or counts of the levels (K × G)."""

    name: str
    label: str
    levels: tuple[str, ...]
    groups: tuple[str, ...]
    n: Array
    mean: Array
    sd: Array
    counts: Array

    def difference(self, first: int, second: int) -> float:
        """The standardized difference of two groups."""
        if self.levels:
            return difference_of_shares(self.counts[:, first], self.counts[:, second])
        return float(difference_of_means(self.mean[first], self.sd[first], self.mean[second], self.sd[second]))

    def largest_difference(self, groups: Iterable[int]) -> float:
        """Of two groups the standardized difference; of more the largest in size."""
        all_pairs = list(combinations(groups, 2))
        found = [self.difference(a, b) for a, b in all_pairs]
        if len(found) == 1:
            return found[0]
        sizes = [abs(d) for d in found if not np.isnan(d)]
        return max(sizes, default=float("nan"))

    def fewest(self, groups: Iterable[int]) -> int:
        """The smallest number of persons, above 0, that a comparison of these groups rests on."""
        columns = list(groups)
        cells = self.counts[:, columns].ravel() if self.levels else self.n[columns]
        return int(min(cells[cells > 0], default=0))


def at_baseline(cohort: Cohort, variables: Iterable[str] | None, leave_out: Iterable[str] = ()) -> list[Known]:
    """The values of covariates and outcomes at the first visit; a covariate that does not change within a subject is
    taken from the first visit where it is known.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for a name that is neither.
    """
    known = (*cohort.covariates, *cohort.outcomes)
    names = [name for name in known if name not in set(leave_out)] if variables is None else list(variables)
    for name in names:
        if name not in known:
            raise StudyError(
                "E-STUDY-COLUMN",
                f"Column `{name}` is neither a covariate nor an outcome of the cohort.",
                f"They are: {', '.join(known)}.",
                did_you_mean(name, known) or "Name one of them.",
            )
    return [_known(cohort, name) for name in names]


def _known(cohort: Cohort, name: str) -> Known:
    role = cohort.covariate_roles.get(name)
    column = cohort.data[name]
    levels = () if role is None or role.levels is None else role.levels
    if levels:
        codes = np.asarray(pd.Categorical(column.array, categories=list(levels)).codes, dtype=float)
        of_row = np.where(codes < 0, np.nan, codes)
    else:
        of_row = column.to_numpy(dtype=float)
    subject = cohort.data["subject"].to_numpy() - 1
    rows = np.flatnonzero(~np.isnan(of_row))[::-1]  # the first visit is written last, so it stays
    values = np.full(cohort.n_subjects, np.nan)
    values[subject[rows]] = of_row[rows]
    if role is None or (of_row[rows] != values[subject[rows]]).any():
        first = rows[cohort.data["visit"].cat.codes.to_numpy()[rows] == 0]
        values = np.full(cohort.n_subjects, np.nan)
        values[subject[first]] = of_row[first]
    label = cohort.outcome(name).label if role is None else role.label
    return Known(name=name, label=label, levels=levels, values=values)


def characteristic_of(known: Known, groups: Groups) -> Characteristic:
    """A variable in groups of subjects."""
    n_groups = len(groups.levels)
    has = known.known
    code, values = groups.codes[has], known.values[has]
    n = np.bincount(code, minlength=n_groups).astype(float)
    mean = sd = np.full(n_groups, np.nan)
    counts = np.zeros((len(known.levels), n_groups))
    if known.levels:
        np.add.at(counts, (values.astype(np.int64), code), 1.0)
    else:
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.bincount(code, values, n_groups) / n
            squares = np.bincount(code, (values - mean[code]) ** 2, n_groups)
            sd = np.where(n > 1, np.sqrt(squares / (n - 1)), np.nan)
    return Characteristic(
        name=known.name,
        label=known.label,
        levels=known.levels,
        groups=groups.levels,
        n=n,
        mean=mean,
        sd=sd,
        counts=counts,
    )


def characteristics_from(printed: Printed, groups: tuple[str, ...]) -> list[Characteristic]:
    """The numbers of a paper, in groups.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` where a variable does not have one entry for each group.
    """
    return [_from(name, numbers, groups) for name, numbers in printed.items()]


def _from(
    name: str, numbers: tuple[Sample, ...] | Mapping[str, tuple[int, ...]], groups: tuple[str, ...]
) -> Characteristic:
    entries: list[object] = list(numbers.values()) if isinstance(numbers, Mapping) else [numbers]
    if not entries or not all(_one_each(entry, len(groups), isinstance(numbers, Mapping)) for entry in entries):
        raise StudyError(
            "E-STUDY-VALUE",
            f"The numbers of `{name}` are not one for each of the groups {', '.join(groups)}.",
            "A number is given as (Sample, Sample, ...), a categorical variable as {level: (count, count, ...), ...}.",
            'Write for example {"Age": (Sample(47, 9, 184), Sample(48, 9, 43)), "Sex": {"women": (101, 16), ...}}.',
        )
    none = np.full(len(groups), np.nan)
    if isinstance(numbers, Mapping):
        counts = np.array(list(numbers.values()), dtype=float)
        if not (np.isfinite(counts).all() and (counts >= 0).all() and (counts == np.rint(counts)).all()):
            raise StudyError(
                "E-STUDY-VALUE",
                f"The counts of `{name}` are not all whole numbers of 0 or more.",
                "They count persons.",
                "Give counts, not percentages.",
            )
        levels = tuple(map(str, numbers))
        return Characteristic(
            name=name, label=name, levels=levels, groups=groups, n=counts.sum(axis=0), mean=none, sd=none, counts=counts
        )
    n, mean, sd = (np.array([getattr(sample, part) for sample in numbers], dtype=float) for part in ("n", "mean", "sd"))
    return Characteristic(
        name=name, label=name, levels=(), groups=groups, n=n, mean=mean, sd=sd, counts=np.zeros((0, len(groups)))
    )


def _one_each(entry: object, n_groups: int, is_counts: bool) -> bool:
    """Whether an entry has what belongs to each group."""
    if not isinstance(entry, tuple | list) or len(entry) != n_groups:
        return False
    return is_counts or all(isinstance(sample, Sample) for sample in entry)
