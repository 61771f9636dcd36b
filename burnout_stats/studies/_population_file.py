"""The synthetic population of a study from the tables of its data file.

`[population] cohort = "villa_sana"` takes the solved parameters of a synthetic cohort. Otherwise `[variables.NAME]`
hold scale and moments (`moments`: mean and SD at each visit, one entry where constant; `stability`: correlations of
visits (0, 1), (0, 2), (1, 2), ...), `[factors.NAME]` levels and counts, `[[pairs]]` correlations of two different
columns, `[[patterns]]` the patterns of visits with their counts, and `[[arms]]` their sizes, with other `moments` where
an arm differs. Moments and correlations are those of reported scores, among everyone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cohort.parameters import Dropout, Factor, Grid, Margin, Parameters, Pattern, Variable
from ..cohort.roles import Covariate, Outcome, Visits
from ._design import design, parameters
from ._draw import Arm, latent_correlation

__all__ = ["arms_of", "factors_of"]

Array = NDArray[np.float64]
Tables = Mapping[str, Any]
FLOOR = 1e-4
"""The smallest eigenvalue that a latent correlation matrix is left with."""


def factors_of(tables: Tables) -> dict[str, Covariate]:
    """The factors that arms set: [arm_factors.NAME] with label and levels."""
    return {
        name: Covariate(name, label=row["label"], levels=tuple(row["levels"]), constant=True)
        for name, row in tables.get("arm_factors", {}).items()
    }


def arms_of(tables: Tables) -> Sequence[Arm]:
    """The arms of a study."""
    shared = tables.get("population", {}).get("cohort", "")
    if shared:
        return (_shared(shared),)
    rows = tables.get("arms", [{"n": tables["design"]["n"]}])
    return tuple(_arm(tables, row) for row in rows)


@cache
def _shared(name: str) -> Arm:
    return Arm(parameters=parameters(name), n=design(name).n)


def _arm(tables: Tables, row: Tables) -> Arm:
    visits = Visits.of(tables["visits"])
    other = row.get("moments", {})
    variables = tuple(
        _variable(name, table, other.get(name, table["moments"])) for name, table in tables["variables"].items()
    )
    factors = tuple(_factor(name, table | row.get("factors", {}).get(name, {})) for name, table in _factors(tables))
    patterns = row.get("patterns", tables.get("patterns", []))
    counts = [float(pattern["count"]) for pattern in patterns]
    return Arm(
        parameters=Parameters(
            title=f"Synthetic cohort: {tables['design']['title']}",
            visits=visits,
            factors=factors,
            variables=variables,
            correlation=_latent(tables, variables, visits, row),
            dropout=Dropout(
                patterns=tuple(
                    Pattern(tuple(map(bool, pattern["seen"])), float(np.log(count / counts[0])))
                    for pattern, count in zip(patterns, counts, strict=True)
                )
            ),
        ),
        n=int(row["n"]),
        levels=dict(row.get("levels", {})),
        fixed_patterns=True,
    )


def _factors(tables: Tables) -> list[tuple[str, dict[str, Any]]]:
    return [(name, dict(table)) for name, table in tables.get("factors", {}).items()]


def _factor(name: str, table: Tables) -> Factor:
    counts = np.array(table["counts"], dtype=float)
    role = Covariate(name, label=table["label"], levels=tuple(table["levels"]))
    return Factor(role, tuple(float(share) for share in counts / counts.sum()))


def _variable(name: str, table: Tables, moments: Sequence[Tables]) -> Variable:
    low, high = map(float, table["range"])
    role: Outcome | Covariate
    if table.get("role", "outcome") == "outcome":
        role = Outcome(name, table["label"], (low, high), table.get("unit", ""), table.get("better", ""))
    else:
        levels = tuple(table["levels"]) if "levels" in table else None
        role = Covariate(name, label=table["label"], levels=levels, unit=table.get("unit", ""))
    margins = tuple(Margin(float(m["mean"]), float(m.get("sd", 0.0)), float(m.get("zero", 0.0))) for m in moments)
    grid = Grid(low, high, int(table["steps"]), int(table.get("decimals", 2)))
    return Variable(role, grid, str(table.get("family", "beta_binomial")), margins, str(table.get("requires", "")))


def _latent(tables: Tables, variables: Sequence[Variable], visits: Visits, row: Tables) -> Array:
    """The latent correlation matrix with which reported scores correlate as the file says; 0 where it says nothing."""
    columns = [(v, m, label) for v in variables for m, label in zip(v.margins, v.columns(visits), strict=True)]
    at = {label: k for k, (_, _, label) in enumerate(columns)}
    R = np.eye(len(columns))

    def put(first: int, second: int, value: float) -> None:
        R[first, second] = R[second, first] = latent_correlation(columns[first][:2], columns[second][:2], value)

    for variable in variables:
        places = [at[label] for label in variable.columns(visits)]
        wanted = row.get("stability", {}).get(variable.name, tables["variables"][variable.name].get("stability", []))
        for (i, j), value in zip(combinations(places, 2), wanted, strict=True):
            put(i, j, float(value))
    for pair in [*tables.get("pairs", []), *row.get("pairs", [])]:
        put(at[_column(pair["first"])], at[_column(pair["second"])], float(pair["value"]))
    return _positive(R)


def _column(named: str | Sequence[str]) -> str:
    return named if isinstance(named, str) else "@".join(named)


def _positive(R: Array) -> Array:
    """R, or the correlation matrix with its small eigenvalues raised."""
    values, vectors = np.linalg.eigh(R)
    if values[0] >= FLOOR:
        return R
    raised = (vectors * np.maximum(values, FLOOR)) @ vectors.T
    scale = np.sqrt(np.diag(raised))
    return np.asarray(raised / np.outer(scale, scale))
