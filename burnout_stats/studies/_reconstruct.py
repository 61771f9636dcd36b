"""A data set whose own summaries round to the printed digits: a simulated sample, moved and stretched until they do.

In every block of subjects (a pattern of visits, a selection) the simulated scores X are whitened and given the wanted
moments, Y = m + (X − x̄) L_S⁻ᵀ Lᵀ with S = L_S L_Sᵀ the sample's covariance and L Lᵀ the wanted one, so that mean,
SD and correlation hold exactly. What is no moment (a t over fewer subjects, an F, a regression coefficient) is met by
bisection on one correlation, mean or SD that no paper prints.

The answer lists every printed number with whether its digits are met; scores then lie between the values of the
scale's grid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..cohort.parameters import Dropout
from ..cohort.roles import Covariate, Outcome
from ..display import Shown, Table
from ..display.escape import for_terminal
from ..errors import StudyError
from ..estimates import About, Estimates
from ..estimates.tabulation import tabulate
from ._draw import draw
from ._reproduce import statistics_of
from ._stack import Stack, among, to_cohort
from ._statistics import statistic

if TYPE_CHECKING:
    from ._study import Study

__all__ = ["Reconstruction", "reconstruct", "shaped"]

Array = NDArray[np.float64]
Column = tuple[str, str]
PASSES, STEPS, FLOOR = 4, 44, 1e-6
MET, NOT_MET, UNTRIED = "yes", "no", "not computed"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Reconstruction(Shown):
    """A data set made to the printed digits.

    Attributes
    ----------
    cohort : Cohort
        Its scores are not on the grid of the scale, and no row is a person.
    constraints : Estimates
        Kind "reconstruction": each printed number, what the data set has, and whether its digits are `met`.
    """

    cohort: Cohort
    constraints: Estimates

    @property
    def met(self) -> tuple[str, ...]:
        """The ids of the printed numbers whose digits are met."""
        return self._with(MET)

    @property
    def not_met(self) -> tuple[str, ...]:
        """The ids of those that are not, or cannot be together with the others."""
        return self._with(NOT_MET)

    def _with(self, verdict: str) -> tuple[str, ...]:
        frame = self.constraints.frame
        return tuple(frame.loc[frame["met"].eq(verdict), "id"])

    def _tables(self) -> tuple[Table, ...]:
        return (tabulate(self.constraints, columns=("estimate",), decimals=4),)

    def __repr__(self) -> str:
        return for_terminal(f"<Reconstruction: {len(self.met)} printed numbers met, {len(self.not_met)} not>")


def shaped(X: Array, mean: Array, covariance: Array) -> Array:
    """The sample X (n × p) moved and stretched to this mean and covariance (n − 1 in its denominator).

    >>> rng = np.random.default_rng(1)
    >>> Y = shaped(rng.standard_normal((20, 2)), np.array([3.0, 2.5]), np.array([[0.9, 0.3], [0.3, 0.6]]))
    >>> np.cov(Y.T).round(9).tolist()
    [[0.9, 0.3], [0.3, 0.6]]
    """
    rest = X - X.mean(axis=0)
    root = np.linalg.cholesky(rest.T @ rest / (len(X) - 1))
    return np.asarray(mean + np.linalg.solve(root, rest.T).T @ np.linalg.cholesky(covariance).T)


def reconstruct(study: Study, seed: int) -> Reconstruction:
    """A data set of a study that has the printed digits, as far as they can be had together.

    Raises
    ------
    StudyError
        `E-STUDY-UNKNOWN` for a study whose file does not say how; `E-STUDY-SIZE` for a negative seed.
    """
    how = study.tables.get("reconstruction")
    if how is None:
        raise StudyError(
            "E-STUDY-UNKNOWN",
            f"The file of study `{study.name}` has no [reconstruction].",
            "A reconstruction needs blocks of subjects and the moments of their scores.",
            "Simulate it in place: study.simulate(seed=1).",
        )
    plan = _Plan.of(study, how, seed)
    for _ in range(PASSES):
        for row in how.get("solve", ()):
            _solve(study, plan, row)
    stack = plan.stack()
    return Reconstruction(cohort=to_cohort(stack), constraints=_constraints(study, stack, how))


# ---- the plan ------------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class _Plan:
    """The raw sample, its blocks, and the moments that are still moved; the one place where something changes."""

    raw: Stack
    blocks: list[tuple[NDArray[np.intp], bool]]
    columns: list[Column]
    mean: Array
    sd: Array
    lost: dict[Column, tuple[float, float]]
    R: Array

    @classmethod
    def of(cls, study: Study, how: Mapping[str, Any], seed: int) -> _Plan:
        arms = [
            replace(arm, parameters=replace(arm.parameters, dropout=Dropout()), fixed_patterns=False)
            for arm in study.arms()
        ]
        whole = draw(arms, replicates=1, seed=seed, outcomes=study.design.outcomes, factors=study.factors)
        raw, places = _blocked(whole, how)
        target = among(raw, how["among"])[0]
        blocks = [(at, bool(target[at].all())) for at in places]
        rows = how["columns"]
        columns = [(str(row["variable"]), str(row["visit"])) for row in rows]
        values = np.stack([whole.at(*column)[0] for column in columns], axis=1)
        lost = {
            column: (float(row["lost"][0]), float(row["lost"][1]))
            for column, row in zip(columns, rows, strict=True)
            if "lost" in row
        }
        plan = cls(
            raw=raw,
            blocks=blocks,
            columns=columns,
            mean=np.array([float(row["mean"]) for row in rows]),
            sd=np.array([float(row["sd"]) for row in rows]),
            lost=lost,
            R=np.corrcoef(values.T),
        )
        _count_cases(plan.raw, how.get("counts", ()))
        return plan

    def stack(self) -> Stack:
        """The sample with the moments of now."""
        scores = {name: values.copy() for name, values in self.raw.scores.items()}
        labels = self.raw.visits.labels
        inside = [at for at, ours in self.blocks if ours]
        for at, ours in self.blocks:
            seen = [
                k
                for k, (name, visit) in enumerate(self.columns)
                if self.raw.seen[0, at[0], labels.index(visit)] and (ours or (name, visit) in self.lost)
            ]
            if len(seen) == 0 or len(at) < len(seen) + 2:
                continue
            mean, sd = self.mean[seen], self.sd[seen]
            if not ours:
                mean = np.array([self.lost[self.columns[k]][0] for k in seen])
                sd = np.array([self.lost[self.columns[k]][1] for k in seen])
            # blocks with the same mean: their pooled SD is the wanted one when each has a little more
            alike = inside if ours else [a for a, o in self.blocks if not o]
            factors = np.array([_factor(self, alike, labels.index(self.columns[k][1])) for k in seen])
            X = np.stack(
                [self.raw.scores[self.columns[k][0]][0, at, labels.index(self.columns[k][1])] for k in seen], 1
            )
            C = _definite(self.R[np.ix_(seen, seen)]) * np.outer(sd * factors, sd * factors)
            for k, y in zip(seen, shaped(X, mean, C).T, strict=True):
                name, visit = self.columns[k]
                scores[name][0, at, labels.index(visit)] = y
        return replace(self.raw, scores=scores)


def _factor(plan: _Plan, blocks: Sequence[NDArray[np.intp]], visit: int) -> float:
    """sqrt((N − 1) / (N − b)) for b blocks of N subjects with the same mean."""
    seen = [at for at in blocks if plan.raw.seen[0, at[0], visit]]
    N = sum(len(at) for at in seen)
    return float(np.sqrt((N - 1) / (N - len(seen))))


def _blocked(whole: Stack, how: Mapping[str, Any]) -> tuple[Stack, list[NDArray[np.intp]]]:
    """The sample with the pattern and the selections of each block, and the subjects of the blocks."""
    seen = np.zeros_like(whole.seen)
    selections = sorted({name for row in how["blocks"] for name in row.get("set", {})})
    groups = dict(whole.groups) | {name: np.zeros(whole.seen.shape[:2], dtype=np.int64) for name in selections}
    roles: dict[str, Outcome | Covariate] = dict(whole.roles)
    roles |= {name: Covariate(name, levels=("no", "yes")) for name in selections}
    factor = str(how.get("by", "sex"))
    role = whole.roles[factor]
    levels = role.levels if isinstance(role, Covariate) and role.levels else ()
    free = {level: list(np.flatnonzero(whole.groups[factor][0] == code)) for code, level in enumerate(levels)}
    places = []
    for row in how["blocks"]:
        members = [free[level].pop(0) for level in levels for _ in range(int(row.get(level, 0)))]
        at = np.array(sorted(members), dtype=np.intp)
        seen[0, at] = np.array(row["seen"], dtype=bool)
        for name, level in row.get("set", {}).items():
            groups[name][0, at] = int(level == "yes")
        places.append(at)
    scores = {name: np.where(seen, values, np.nan) for name, values in whole.scores.items()}
    return replace(whole, scores=scores, groups=groups, roles=roles, seen=seen), places


def _count_cases(raw: Stack, rows: Sequence[Mapping[str, Any]]) -> None:
    """So many of so many have 1 at a visit; the others 0, and those beyond `of` no value."""
    for row in rows:
        values = raw.scores[row["variable"]][0, :, raw.visits.labels.index(row["visit"])]
        at = np.flatnonzero(among(raw, row["among"])[0])
        at = at[np.argsort(-values[at], kind="stable")]
        unknown = len(at) - int(row["of"])
        values[at] = 0.0
        values[at[: int(row["count"])]] = 1.0
        values[at[len(at) - unknown :]] = np.nan


def _definite(R: Array) -> Array:
    values, vectors = np.linalg.eigh(R)
    if values[0] >= FLOOR:
        return R
    raised = (vectors * np.maximum(values, FLOOR)) @ vectors.T
    scale = np.sqrt(np.diag(raised))
    return np.asarray(raised / np.outer(scale, scale))


# ---- solving and judging -------------------------------------------------------------------------------------------


def _solve(study: Study, plan: _Plan, row: Mapping[str, Any]) -> None:
    """Move one correlation, mean or SD until a printed number has its value."""
    number = study.number(row["id"])
    ask = statistic(number.statistic)
    named = [_named(text) for text in row["by"]]
    i, j = plan.columns.index(named[0]), plan.columns.index(named[-1])

    def put(value: float) -> float:
        if len(named) == 2:
            plan.R[i, j] = plan.R[j, i] = value
        elif row["moves"] == "mean":
            plan.mean[i] = value
        else:
            plan.sd[i] = value
        return float(ask(plan.stack(), number.of)[0]) - number.value

    low, high = map(float, row["between"])
    at_low, at_high = put(low), put(high)
    if not at_low * at_high < 0:
        put(low if abs(at_low) < abs(at_high) else high)
        return
    for _ in range(STEPS):
        middle = (low + high) / 2
        if put(middle) * at_low > 0:
            low = middle
        else:
            high = middle


def _named(text: str) -> Column:
    name, _, visit = text.partition("@")
    return name, visit


def _constraints(study: Study, stack: Stack, how: Mapping[str, Any]) -> Estimates:
    found = statistics_of(study, stack)
    cannot: Mapping[str, str] = how.get("cannot", {})
    rows = []
    empty = dict.fromkeys(("std_error", "df", "statistic", "p_value", "conf_low", "conf_high", "n"), np.nan)
    for number in study.printed:
        value = float(found[number.id][0]) if number.id in found else np.nan
        met = UNTRIED if np.isnan(value) else MET if _has_digits(number.text, number.value, value) else NOT_MET
        named = {"outcome": study.name, "id": number.id, "quantity": number.quantity, "printed": number.text}
        rows.append(named | {"met": met, "estimate": value} | empty | {"method": number.statistic or "none"})
    frame = pd.DataFrame(rows)
    missed = frame.loc[frame["met"].eq(NOT_MET), "id"]
    reasons = [f"Not met: {study.number(key).quantity}: {cannot.get(key, 'not constrained')}." for key in missed]
    return Estimates(
        frame=frame,
        vcov=np.full((len(frame), len(frame)), np.nan),
        about=About(
            kind="reconstruction",
            outcomes={study.name: study.design.title},
            factors=("id", "quantity", "printed", "met"),
            notes=(
                "Made to have the printed digits; it is one of many data sets that have them, and no row is a person.",
                _off_grid(stack, [(row["variable"], row["visit"]) for row in how["columns"]]),
                *reasons,
            ),
            min_cell=1,
        ),
    )


def _has_digits(text: str, printed: float, value: float) -> bool:
    if text.strip().startswith("<"):
        return value < printed
    if text.strip().startswith(">"):
        return value > printed
    decimals = len(text.strip().rstrip("%").partition(".")[2])
    return abs(value - printed) <= 0.5 * 10.0**-decimals + 1e-9


def _off_grid(stack: Stack, columns: Sequence[Column]) -> str:
    outside = total = 0
    for name, visit in columns:
        role = stack.roles[name]
        if isinstance(role, Outcome) and role.range is not None:
            values = stack.at(name, visit)[0]
            known = values[~np.isnan(values)]
            outside += int(((known < role.range[0]) | (known > role.range[1])).sum())
            total += len(known)
    return (
        f"Scores are moved and stretched, so they lie between the values of the scale's grid, and {outside} of {total} "
        "lie outside its range: what counts whole answers cannot be checked on them."
    )
