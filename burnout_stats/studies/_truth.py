"""What is true in the population that a synthetic cohort is drawn from: moments, estimands, missingness, and how near
the targets came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cohort.parameters import Parameters
from ..cohort.roles import Outcome
from ._calibrate import LATENT, pair_targets
from ._design import EVERYONE, Design, design, example_seed, parameters
from ._population import Population, normal_points, population

__all__ = ["partial_correlation", "reached", "rm_anova", "truth"]

Array = NDArray[np.float64]
POINTS = 18
SEED = 20_080_002


def truth(name: str) -> dict[str, Any]:
    """The content of `<name>.truth.json`.

    Means and SDs of everyone are exact; everything else comes from 2**18 quasi-random points (not those used for
    solving), with an error near 0.0005 SD.
    """
    plan, given = design(name), parameters(name)
    there = population(given, normal_points(POINTS, len(given.latent), SEED))
    return {
        "title": plan.tables["title"],
        "synthetic": "Made by simulation; no row is a person.",
        "n": plan.n,
        "seed": example_seed(name),
        "missingness": _missingness(given, there),
        "estimands": _estimands(given, there),
        "moments": {group: _moments(given, there, group) for group in there.groups},
        "targets": list(reached(plan, there)),
    }


def _round(value: float) -> float:
    return round(float(value), 4) + 0.0


# ---- moments and estimands -----------------------------------------------------------------------------------------


def _moments(given: Parameters, there: Population, group: str) -> dict[str, Any]:
    """Mean and SD by column, and the correlations of a variable with itself at another visit."""
    moments = {
        column: {"mean": _round(there.mean(column, group)), "sd": _round(there.sd(column, group))}
        for column in there.columns
    }
    correlations = {
        f"{a} ~ {b}": _round(there.correlation(a, b, group))
        for variable in given.variables
        for a, b in combinations(variable.columns(given.visits), 2)
    }
    return {"share": _round(there.groups[group].share), "scores": moments, "correlations": correlations}


def _estimands(given: Parameters, there: Population) -> dict[str, Any]:
    """Mean change from baseline of each outcome: in everyone (what an analysis should find), and among those seen (what
    one that ignores missed visits aims at).
    """
    told: dict[str, Any] = {}
    for variable in given.variables:
        if not isinstance(variable.role, Outcome):
            continue
        first, *later = variable.columns(given.visits)
        told[variable.name] = {}
        for label, column in zip(given.visits.labels[1:], later, strict=True):
            change = there.mean(column, EVERYONE) - there.mean(first, EVERYONE)
            told[variable.name][label] = {
                "change": _round(change),
                "change_in_baseline_sd": _round(change / there.sd(first, EVERYONE)),
                "change_among_seen": _round(there.mean(column, label) - there.mean(first, label)),
                "sex_difference_in_change": 0.0,
            }
    return told


def _missingness(given: Parameters, there: Population) -> dict[str, Any]:
    seen = np.array([pattern.seen for pattern in given.dropout.patterns])
    labels = given.visits.labels
    return {
        "mechanism": "at random given sex and the baseline scores named in the terms; a multinomial logit",
        "patterns": [
            {"seen": list(pattern.seen), "probability": _round(p)}
            | {"intercept": pattern.intercept, "slopes": list(pattern.slopes)}
            for pattern, p in zip(given.dropout.patterns, there.patterns, strict=True)
        ],
        "terms": [
            {"variable": t.variable} | ({"level": t.level} if t.level else {"center": t.center, "power": t.power})
            for t in given.dropout.terms
        ],
        "seen": {label: _round(there.patterns[seen[:, k]].sum()) for k, label in enumerate(labels)},
        "seen_by_group": {
            f"{factor} {level}": {label: _round(p) for label, p in by_visit.items()}
            for (factor, level), by_visit in there.seen_by.items()
        },
    }


# ---- targets -------------------------------------------------------------------------------------------------------


def reached(plan: Design, there: Population) -> Iterator[dict[str, Any]]:
    """Every target beside what the population reaches: what, among whom, target, reached, mark, source."""
    yield from _moment_targets(plan, there)
    for pair in pair_targets(plan):
        if pair.among != LATENT and (pair.source or pair.mark != "assumption"):
            value = there.correlation(pair.first, pair.second, pair.among)
            what = f"correlation of {pair.first} and {pair.second}"
            yield _target(plan, what, pair.among, pair.value, value, pair.mark, pair.source)
    yield from _dropout_targets(plan, there)
    yield from _further_targets(plan, there)


def _target(plan: Design, what: str, among: str, target: float, value: float, mark: str, source: str) -> dict[str, Any]:
    return {
        "what": what,
        "among": among,
        "target": target,
        "reached": _round(value),
        "mark": mark,
        "source": plan.source(source),
    }


def _moment_targets(plan: Design, there: Population) -> Iterator[dict[str, Any]]:
    for name, table in plan.variables.items():
        columns = plan.columns(name)
        for column, row in zip(columns, table["moments"], strict=True):
            among, said = row["among"], (row["mark"], row["source"])
            mean, sd = there.mean(column, among), there.sd(column, among)
            if "change" in row:
                change = mean - there.mean(columns[0], among)
                yield _target(plan, f"mean change of {column}", among, row["change"], change, *said)
            else:
                yield _target(plan, f"mean of {column}", among, row["mean"], mean, *said)
            if "sd_mark" in row:
                yield _target(plan, f"SD of {column}", among, row["sd"], sd, row["sd_mark"], "")
            elif "sd" in row:
                yield _target(plan, f"SD of {column}", among, row["sd"], sd, *said)


def _dropout_targets(plan: Design, there: Population) -> Iterator[dict[str, Any]]:
    for row, p in zip(plan.patterns, there.patterns, strict=True):
        kept = ", ".join(label for label, seen in zip(plan.visits.labels, row["seen"], strict=True) if seen)
        what = f"subjects seen at {kept} only"
        yield _target(plan, what, EVERYONE, row["count"], p * plan.n, row["mark"], row["source"])
    for row in plan.missed:
        said = row["mark"], row["source"]
        if "level" in row:
            value = there.seen_by[row["variable"], row["level"]][row["visit"]]
            what = f"share seen at {row['visit']}, {row['variable']} {row['level']}"
            yield _target(plan, what, EVERYONE, round(row["count"] / row["of"], 4), value, *said)
            continue
        column = plan.columns(row["variable"])[0]
        yield _target(plan, f"mean of {column}", row["visit"], row["mean"], there.mean(column, row["visit"]), *said)
        if "sd" in row:
            yield _target(plan, f"SD of {column}", row["visit"], row["sd"], there.sd(column, row["visit"]), *said)


def _further_targets(plan: Design, there: Population) -> Iterator[dict[str, Any]]:
    """Figures that nothing was solved for directly: the rows of [[further]], each a statistic of `FURTHER`."""
    for row in plan.tables.get("further", []):
        value = FURTHER[row["statistic"]](there, row)
        yield _target(plan, row["what"], row["among"], row["value"], value, row["mark"], row["source"])


def rm_anova(mean: Array, covariance: Array, n: int) -> tuple[float, float]:
    """F of the within-subject factor and the Box epsilon of n complete subjects with these moments.

    epsilon = tr(A)² / ((k - 1) tr(A²)), A the doubly centered covariance.

    **Source** Geisser & Greenhouse (1958), Ann. Math. Stat. 29:885-891.
    """
    k = len(mean)
    center = np.eye(k) - 1.0 / k
    A = center @ covariance @ center
    epsilon = np.trace(A) ** 2 / ((k - 1) * np.sum(A * A))
    return float(n * np.sum((mean - mean.mean()) ** 2) / np.trace(A)), float(epsilon)


def partial_correlation(covariance: Array) -> float:
    """The correlation of the first two variables given all others."""
    P = np.linalg.inv(covariance)
    return float(-P[0, 1] / np.sqrt(P[0, 0] * P[1, 1]))


def _anova(there: Population, row: dict[str, Any]) -> tuple[float, float]:
    columns = list(row["columns"])
    mean = np.array([there.mean(column, row["among"]) for column in columns])
    return rm_anova(mean, there.covariance(columns, row["among"]), row.get("n", 2))


def _partial_z(there: Population, row: dict[str, Any]) -> float:
    """The z that a partial correlation of this size has at n subjects: r sqrt(df / (1 - r²))."""
    columns = list(row["columns"])
    r = partial_correlation(there.covariance(columns, row["among"]))
    return float(r * np.sqrt((row["n"] - len(columns)) / (1.0 - r**2)))


def _beta_of_change(there: Population, row: dict[str, Any]) -> float:
    """The standardized coefficient of x (or its fall) for the fall of y, given further columns."""
    (y0, y1), x, given = row["fall"], list(row["on"]), list(row["given"])
    columns = [y0, y1, *x, *given]
    contrast = np.zeros((2 + len(given), len(columns)))
    contrast[0, :2] = 1.0, -1.0
    contrast[1, 2 : 2 + len(x)] = (1.0, -1.0)[: len(x)]
    contrast[2:, 2 + len(x) :] = np.eye(len(given))
    cov = contrast @ there.covariance(columns, row["among"]) @ contrast.T
    beta = np.linalg.solve(cov[1:, 1:], cov[1:, 0])
    return float(beta[0] * np.sqrt(cov[1, 1] / cov[0, 0]))


def _sd_of_change(there: Population, row: dict[str, Any]) -> float:
    cov = there.covariance(list(row["columns"]), row["among"])
    return float(np.sqrt(cov[0, 0] + cov[1, 1] - 2.0 * cov[0, 1]))


def _seen(there: Population, row: dict[str, Any]) -> float:
    factor, level, label = row["columns"]
    return float(there.seen_by[factor, level][label])


FURTHER: Mapping[str, Callable[[Population, dict[str, Any]], float]] = {
    "rm_anova_f": lambda there, row: _anova(there, row)[0],
    "rm_anova_epsilon": lambda there, row: _anova(there, row)[1],
    "partial_z": _partial_z,
    "beta_of_change": _beta_of_change,
    "mean": lambda there, row: there.mean(row["columns"][0], row["among"]),
    "sd": lambda there, row: there.sd(row["columns"][0], row["among"]),
    "sd_of_change": _sd_of_change,
    "seen": _seen,
}
"""Statistics of a population that a design may ask to see beside a published figure."""
