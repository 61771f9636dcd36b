"""Solve a design: margins, latent correlations and dropout coefficients so that the *reported* scores of those who
answered meet the targets.

All are solved together on one fixed quasi-random sample. Each target has one unknown that moves it almost alone (a
mean, an SD, a latent correlation), so that adding what is missing converges; the dropout coefficients, which hang
together, are solved by Newton's method inside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cohort.parameters import Margin, Parameters
from ..cohort.simulate import latent_scores, pattern_probabilities, simulate
from ..errors import StudyError
from ._design import EVERYONE, Design, terms_of
from ._population import Population, normal_points, population

__all__ = ["PairTarget", "Solution", "calibrate", "first_typical_seed", "pair_targets", "residuals"]

Array = NDArray[np.float64]
POINTS = 18
SEED = 20_100_213
ENOUGH = 1e-4
"""The largest distance from a target at which solving ends: in SDs of the score for means and SDs, else in the target's
own unit.
"""
LATENT = "latent"


@dataclass(frozen=True, slots=True, kw_only=True)
class PairTarget:
    """The correlation wanted between two columns: among whom, or of the latent normals themselves (`among` is
    "latent").
    """

    first: str
    second: str
    value: float
    among: str
    mark: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    """Solved margins, latent correlations, intercepts and slopes; `distance` is the largest one from a target that is
    left.
    """

    margins: Mapping[str, tuple[Margin, ...]]
    correlation: Array
    intercepts: Array
    slopes: Mapping[str, Array]
    distance: float

    def parameters(self, design: Design) -> Parameters:
        """The parameters of this solution."""
        return design.parameters(
            self.margins,
            self.correlation,
            [float(x) for x in self.intercepts],
            {label: [float(x) for x in slope] for label, slope in self.slopes.items()},
        )


# ---- what is wanted ------------------------------------------------------------------------------------------------


def _latent_only(design: Design, name: str) -> bool:
    return design.variables[name]["family"] in {"binary", "hurdle"}


def _association(design: Design, a: str, b: str) -> float:
    table = design.tables["associations"]
    return float(table.get(a, {}).get(b, table.get(b, {}).get(a, 0.0)))


def _stability(design: Design, name: str, s: str, t: str) -> float:
    found = [row["value"] for row in design.variables[name]["stability"] if set(row["visits"]) == {s, t}]
    return float(found[0]) if found else 1.0


def pair_targets(design: Design) -> Iterator[PairTarget]:
    """The correlation wanted for every pair of columns."""
    said = {frozenset("@".join(row[end]) for end in ("first", "second")): row for row in design.tables["pairs"]}
    for first, second in combinations(design.latent(), 2):
        (a, _, s), (b, _, t) = first.partition("@"), second.partition("@")
        row = said.get(frozenset((first, second)))
        if row is None and a == b:
            row = next(row for row in design.variables[a]["stability"] if set(row["visits"]) == {s, t})
        if row is not None:
            latent = a == b and _latent_only(design, a)
            among = LATENT if latent else row["among"]
            yield PairTarget(
                first=first, second=second, value=row["value"], among=among, mark=row["mark"], source=row["source"]
            )
        else:
            over_time = 1.0 if s == t or not (s and t) else _stability(design, a, s, t) * _stability(design, b, s, t)
            among = LATENT if _latent_only(design, a) or _latent_only(design, b) else EVERYONE
            value = _association(design, a, b) * float(np.sqrt(over_time))
            yield PairTarget(first=first, second=second, value=value, among=among, mark="assumption", source="")


def _mean_wanted(design: Design, name: str, k: int, there: Population) -> float:
    row = design.variables[name]["moments"][k]
    if "change" in row:
        return there.mean(design.columns(name)[0], row["among"]) + float(row["change"])
    return float(row["mean"])


def residuals(design: Design, there: Population) -> dict[str, float]:
    """Target less what is reached, for every moment (in SDs of the score), correlation and dropout equation."""
    left: dict[str, float] = {}
    for name, table in design.variables.items():
        for k, (column, row) in enumerate(zip(design.columns(name), table["moments"], strict=True)):
            unit = float(row.get("sd", 1.0))
            left[f"mean {column}"] = (_mean_wanted(design, name, k, there) - there.mean(column, row["among"])) / unit
            if "sd" in row:
                left[f"sd {column}"] = 1.0 - there.sd(column, row["among"]) / unit
    for pair in pair_targets(design):
        if pair.among != LATENT:
            left[f"r {pair.first} {pair.second}"] = pair.value - there.correlation(pair.first, pair.second, pair.among)
    total = sum(row["count"] for row in design.patterns)
    for k, row in enumerate(design.patterns):
        left[f"pattern {k}"] = row["count"] / total - there.patterns[k]
    for row in design.missed:
        at = f"{row['variable']}@{row['visit']}"
        if "level" in row:
            left[f"seen {at}"] = row["count"] / row["of"] - there.seen_by[row["variable"], row["level"]][row["visit"]]
        else:
            column = design.columns(row["variable"])[0]
            left[f"seen mean {at}"] = row["mean"] - there.mean(column, row["visit"])
            if "sd" in row:
                left[f"seen sd {at}"] = row["sd"] - there.sd(column, row["visit"])
    return left


# ---- dropout -------------------------------------------------------------------------------------------------------


def _solve_dropout(design: Design, parameters: Parameters, solution: Solution, scores: Mapping[str, Array]) -> Solution:
    """Intercepts and slopes that meet the pattern counts and the means, SDs and shares of those seen."""
    from scipy.optimize import root

    wanted = np.array([row["count"] for row in design.patterns], dtype=float)
    wanted /= wanted.sum()
    free: dict[str, list[int]] = {label: [] for label in design.visits.labels[1:]}
    for row in design.missed:
        free[row["visit"]] += [design.terms.index(term) for term in terms_of(row)]
    seen = np.array([pattern["seen"] for pattern in design.patterns])

    def unpack(theta: Array) -> Solution:
        intercepts, rest = theta[: len(wanted) - 1], theta[len(wanted) - 1 :]
        slopes = {design.visits.labels[0]: np.zeros(len(design.terms))}
        for label, where in free.items():
            slopes[label] = np.zeros(len(design.terms))
            slopes[label][where], rest = rest[: len(where)], rest[len(where) :]
        return replace(solution, intercepts=intercepts, slopes=slopes)

    def equations(theta: Array) -> Array:
        trial = replace(parameters, dropout=unpack(theta).parameters(design).dropout)
        factor = design.factors[0]
        by_level = [pattern_probabilities(trial, scores, {factor.role.name: k}) for k in range(len(factor.levels))]
        p = np.tensordot(np.array(factor.shares), np.stack(by_level), axes=1)
        left = list((p.mean(axis=0) - wanted)[1:])
        for row in design.missed:
            at = seen[:, design.visits.labels.index(row["visit"])]
            if "level" in row:
                member = by_level[factor.levels.index(row["level"])]
                left.append(member[:, at].sum(axis=1).mean() - row["count"] / row["of"])
                continue
            weight, y = p[:, at].sum(axis=1), scores[row["variable"]][:, 0]
            mean = weight @ y / weight.sum()
            left.append(mean - row["mean"])
            if "sd" in row:
                left.append(np.sqrt(weight @ (y - mean) ** 2 / weight.sum()) - row["sd"])
        return np.array(left)

    start = np.concatenate([solution.intercepts, *(solution.slopes[label][where] for label, where in free.items())])
    found = root(equations, start, method="hybr", tol=1e-10)
    return unpack(np.asarray(found.x, dtype=float))


# ---- everything together -------------------------------------------------------------------------------------------


def _start(design: Design) -> Solution:
    margins: dict[str, tuple[Margin, ...]] = {}
    for name, table in design.variables.items():
        rows = table["moments"]
        means = [row.get("mean", rows[0]["mean"] + row.get("change", 0.0)) for row in rows]
        margins[name] = tuple(
            Margin(mean, row.get("sd", 0.0), row.get("zero", 0.0)) for mean, row in zip(means, rows, strict=True)
        )
    size = len(design.latent())
    correlation = np.eye(size)
    at = {column: i for i, column in enumerate(design.latent())}
    for pair in pair_targets(design):
        i, j = at[pair.first], at[pair.second]
        correlation[i, j] = correlation[j, i] = pair.value
    counts = np.array([row["count"] for row in design.patterns], dtype=float)
    return Solution(
        margins=margins,
        correlation=_nearest(correlation),
        intercepts=np.log(counts[1:] / counts[0]),
        slopes={label: np.zeros(len(design.terms)) for label in design.visits.labels},
        distance=np.inf,
    )


def _nearest(correlation: Array, floor: float = 5e-3) -> Array:
    """The matrix itself where its smallest eigenvalue is above the floor; else the one with its eigenvalues raised to
    it.
    """
    values, vectors = np.linalg.eigh(correlation)
    if values[0] >= floor:
        return correlation
    raised = (vectors * np.maximum(values, floor)) @ vectors.T
    scale = np.sqrt(np.diag(raised))
    nearest: Array = raised / np.outer(scale, scale)
    return nearest


def _step(design: Design, solution: Solution, there: Population) -> Solution:
    """Add to every margin and latent correlation what its target lacks."""
    margins: dict[str, tuple[Margin, ...]] = {}
    for name, table in design.variables.items():
        moved = []
        for k, (margin, row) in enumerate(zip(solution.margins[name], table["moments"], strict=True)):
            column, among = design.columns(name)[k], row["among"]
            ratio = row["sd"] / there.sd(column, among) if "sd" in row else 1.0
            wanted, reached = _mean_wanted(design, name, k, there), there.mean(column, among)
            mean = margin.mean * wanted / reached if table["family"] == "binary" else margin.mean + wanted - reached
            moved.append(Margin(mean, margin.sd * ratio, margin.zero))
        margins[name] = tuple(moved)
    correlation = solution.correlation.copy()
    at = {column: i for i, column in enumerate(design.latent())}
    for pair in pair_targets(design):
        i, j = at[pair.first], at[pair.second]
        if pair.among != LATENT:
            more = pair.value - there.correlation(pair.first, pair.second, pair.among)
            correlation[i, j] = correlation[j, i] = np.clip(correlation[i, j] + more, -0.98, 0.98)
    return replace(solution, margins=margins, correlation=_nearest(correlation))


def _rounded(solution: Solution, decimals: int) -> Solution:
    return replace(
        solution,
        margins={
            name: tuple(Margin(round(m.mean, decimals), round(m.sd, decimals), m.zero) for m in margins)
            for name, margins in solution.margins.items()
        },
        correlation=np.round(solution.correlation, decimals),
        intercepts=np.round(solution.intercepts, decimals),
        slopes={label: np.round(slope, decimals) for label, slope in solution.slopes.items()},
    )


def calibrate(
    design: Design, *, points: int = POINTS, enough: float = ENOUGH, rounds: int = 80, decimals: int = 6
) -> Solution:
    """Solve the design on 2**points quasi-random points; the solution is rounded to so many decimals.

    Raises
    ------
    StudyError
        `E-STUDY-CALIBRATION` where the targets are not met after so many rounds.
    """
    z = normal_points(points, len(design.latent()), SEED)
    solution = _start(design)
    for _ in range(rounds):
        parameters = solution.parameters(design)
        scores = latent_scores(parameters, z @ np.linalg.cholesky(solution.correlation).T)
        solution = _solve_dropout(design, parameters, solution, scores)
        there = population(solution.parameters(design), z)
        left = residuals(design, there)
        worst = max(left, key=lambda key: abs(left[key]))
        solution = replace(solution, distance=abs(left[worst]))
        if solution.distance < enough:
            return _rounded(solution, decimals)
        solution = _step(design, solution, there)
    raise StudyError(
        "E-STUDY-CALIBRATION",
        f"After {rounds} rounds the design of `{design.name}` still misses a target: {worst}, by {left[worst]:.2g}.",
        f"Every target is met within {enough:g}.",
        "Targets may contradict each other: bring the correlations nearer to 0, or drop a target.",
    )


def first_typical_seed(design: Design, parameters: Parameters, *, limit: int = 100_000) -> int:
    """The first seed, counted from 1, whose cohort shows each pattern of visits exactly as often as it was counted.

    Raises
    ------
    StudyError
        `E-STUDY-CALIBRATION` where no seed up to the limit does.
    """
    seen = [tuple(row["seen"]) for row in design.patterns]
    wanted = [row["count"] for row in design.patterns]
    for seed in range(1, limit + 1):
        if _pattern_counts(simulate(parameters, n=design.n, seed=seed).data, design, seen) == wanted:
            return seed
    raise StudyError(
        "E-STUDY-CALIBRATION",
        f"No seed up to {limit} gives the patterns of visits of `{design.name}` exactly.",
        f"They are wanted {wanted} times.",
        "Raise the limit, or check the dropout model.",
    )


def _pattern_counts(data: Any, design: Design, seen: Sequence[tuple[bool, ...]]) -> list[int]:
    present = np.zeros((design.n, len(design.visits)), dtype=bool)
    present[data["subject"].to_numpy() - 1, data["visit"].cat.codes.to_numpy()] = True
    return [int((present == np.array(pattern)).all(axis=1).sum()) for pattern in seen]
