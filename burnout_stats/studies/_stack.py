"""A stack of synthetic cohorts as arrays: what a study is simulated as a thousand times and analyzed as at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..cohort.cohort import Source
from ..cohort.roles import Covariate, Outcome, Visits
from ..errors import StudyError, did_you_mean

__all__ = ["Stack", "among", "of_cohort", "subjects_among", "to_cohort"]

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """Replicates of one cohort.

    Attributes
    ----------
    visits : Visits
    scores : by variable, arrays (replicates × subjects × visits); NaN where there is no value
        A covariate with levels holds 0, 1, ... in the order of its levels.
    groups : by factor, arrays (replicates × subjects) of level indices
    seen : array (replicates × subjects × visits) of bool
    roles : what the variables and factors are, by name
    title : str
    """

    visits: Visits
    scores: Mapping[str, Array]
    groups: Mapping[str, NDArray[np.int64]]
    seen: Bools
    roles: Mapping[str, Outcome | Covariate]
    title: str = ""

    def __post_init__(self) -> None:
        for name in ("scores", "groups", "roles"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __len__(self) -> int:
        return len(self.seen)

    @property
    def n_subjects(self) -> int:
        """How many subjects each replicate has, seen later or not."""
        return int(self.seen.shape[1])

    def at(self, name: str, visit: str) -> Array:
        """The values of a variable at a visit (replicates × subjects), NaN where missing.

        Raises
        ------
        StudyError
            `E-STUDY-COLUMN` for an unknown variable, `E-STUDY-VISITS` for an unknown visit.
        """
        if name not in self.scores:
            raise StudyError(
                "E-STUDY-COLUMN",
                f"Column `{name}` is not a variable of the study.",
                f"Its variables are: {', '.join(self.scores)}.",
                did_you_mean(name, self.scores),
            )
        if visit not in self.visits.labels:
            raise StudyError(
                "E-STUDY-VISITS",
                f"There is no visit `{visit}`.",
                f"The visits are: {', '.join(self.visits.labels)}.",
                did_you_mean(visit, self.visits.labels),
            )
        values: Array = self.scores[name][:, :, self.visits.labels.index(visit)]
        return values

    def level(self, factor: str, level: str) -> Bools:
        """Whether each subject belongs to a level of a factor (replicates × subjects)."""
        role = self.roles.get(factor)
        levels = role.levels if isinstance(role, Covariate) and role.levels else ()
        if level not in levels:
            raise StudyError(
                "E-STUDY-COLUMN",
                f"`{factor}` has no level `{level}`.",
                f"Its levels are: {', '.join(levels) or 'none, it is no factor of the study'}.",
                "Name a factor of the study and one of its levels.",
            )
        code = levels.index(level)
        if factor in self.groups:
            return np.asarray(self.groups[factor] == code)
        return np.asarray(self.scores[factor][:, :, 0] == code)


def among(stack: Stack, of: Mapping[str, Any]) -> Bools:
    """Who a number is about (replicates × subjects).

    `seen` names visits at which they were all seen, `lost` visits at which they were not, `where` levels of factors.
    """
    mask = np.ones(stack.seen.shape[:2], dtype=bool)
    labels = stack.visits.labels
    for visit in of.get("seen", ()):
        mask &= stack.seen[:, :, labels.index(visit)]
    for visit in of.get("lost", ()):
        mask &= ~stack.seen[:, :, labels.index(visit)]
    for factor, level in dict(of.get("where", {})).items():
        mask &= stack.level(factor, level)
    return mask


def of_cohort(cohort: Cohort) -> Stack:
    """A cohort as a stack of one; covariates with levels that never change are its factors."""
    subject = cohort.data["subject"].to_numpy() - 1
    visit = cohort.data["visit"].cat.codes.to_numpy()
    shape = (1, cohort.n_subjects, len(cohort.visits))
    seen = np.zeros(shape, dtype=bool)
    seen[0, subject, visit] = True
    scores: dict[str, Array] = {}
    groups: dict[str, NDArray[np.int64]] = {}
    roles: dict[str, Outcome | Covariate] = {**cohort.outcome_roles, **cohort.covariate_roles}
    for name, role in list(roles.items()):
        column = cohort.data[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            values = column.cat.codes.to_numpy().astype(float)
            values[values < 0] = np.nan
            if isinstance(role, Covariate) and role.levels is None:
                roles[name] = replace(role, levels=tuple(map(str, column.cat.categories)))
        else:
            values = column.to_numpy(dtype=float)
        wide = np.full(shape, np.nan)
        wide[0, subject, visit] = values
        scores[name] = wide
        constant = isinstance(role, Covariate) and isinstance(column.dtype, pd.CategoricalDtype)
        if constant and seen[0, :, 0].all() and _never_changes(wide[0]):
            groups[name] = wide[:, :, 0].astype(np.int64)
            del scores[name]
    return Stack(visits=cohort.visits, scores=scores, groups=groups, seen=seen, roles=roles, title=cohort.source.name)


def _never_changes(values: Array) -> bool:
    same = (values == values[:, :1]) | np.isnan(values)
    return bool(same.all() and not np.isnan(values[:, 0]).any())


def to_cohort(stack: Stack, replicate: int = 0, *, ids: Sequence[str] = ()) -> Cohort:
    """One replicate as a Cohort; a missed visit has no row."""
    subject, visit = np.nonzero(stack.seen[replicate])
    labels = list(stack.visits.labels)
    columns: dict[str, Any] = {
        "subject": subject.astype(np.int64) + 1,
        "visit": pd.Categorical.from_codes(visit, categories=pd.Index(labels), ordered=True),
        "years": np.array(stack.visits.years, dtype=float)[visit],
    }
    outcomes = {name: role for name, role in stack.roles.items() if isinstance(role, Outcome)}
    covariates = {name: role for name, role in stack.roles.items() if isinstance(role, Covariate)}
    for name, role in {**outcomes, **covariates}.items():
        if name in stack.groups:
            values = stack.groups[name][replicate][subject].astype(float)
        else:
            values = stack.scores[name][replicate, subject, visit]
        levels = role.levels if isinstance(role, Covariate) else None
        if levels:
            codes = np.where(np.isnan(values), -1, np.nan_to_num(values)).astype(np.int64)
            columns[name] = pd.Categorical.from_codes(codes, categories=pd.Index(levels))
        else:
            columns[name] = values
    data = pd.DataFrame(columns)
    n = stack.n_subjects
    named = list(ids) or [f"S{k:0{len(str(n))}d}" for k in range(1, n + 1)]
    return Cohort(
        data=data,
        visits=stack.visits,
        outcome_roles=outcomes,
        covariate_roles=covariates,
        ids=np.array(named, dtype=object),
        source=Source(name=stack.title, rows_read=len(data), rows_kept=len(data)),
    )


def subjects_among(cohort: Cohort, of: Mapping[str, Any]) -> Cohort:
    """The cohort of those whom a number is about, with all their visits."""
    mask = among(of_cohort(cohort), of)[0]
    return cohort.subset(mask[cohort.data["subject"].to_numpy() - 1])
