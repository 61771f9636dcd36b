"""The reference grid: at which combinations of factor levels and covariate values means are asked, and with which
weights they are averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import StudyError, did_you_mean
from .encode import Encoder, Variable
from .population import shares_of_combinations

__all__ = ["WEIGHTS", "Cells", "Expanded", "ReferenceGrid", "Weights"]

Array = NDArray[np.float64]
Weights = str | Mapping[str, Mapping[str, float]] | pd.DataFrame
Columns = Callable[[Mapping[str, NDArray[np.generic]], int], Array]

AVERAGED = {"proportional": "in the proportions of the subjects", "equal": "with equal weights"}
WEIGHTS = tuple(AVERAGED)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """Counts by combination of factor levels, all that a grid needs to know of the rows.

    Attributes
    ----------
    names : the factors, `visit` first
    codes : (C, number of factors) integer array
    rows : (C,) array
        Rows in each combination.
    weight : (C,) array
        Subjects, each one's rows sharing a weight of 1.
    subject_codes, subjects : the same combinations without `visit`, and the distinct subjects in each
    """

    names: tuple[str, ...]
    codes: NDArray[np.int64]
    rows: Array
    weight: Array
    subject_codes: NDArray[np.int64]
    subjects: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expanded:
    """A reference grid before anything is averaged: every cell at each combination of the factors that are averaged.

    Attributes
    ----------
    labels : a row for each cell
    rows : (cells, combinations, p) array
        The rows of X.
    weights : (combinations,) array
        How the combinations are averaged; they sum to 1.
    values : by variable (cells, combinations) array
        Integer codes of factors, values of numeric variables.
    n : (cells,) array
        Subjects seen in each cell.
    notes : what was averaged and held
    """

    labels: pd.DataFrame
    rows: Array
    weights: Array
    values: Mapping[str, NDArray[np.generic]]
    n: Array
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReferenceGrid:
    """Means of a design; implements the protocol `Grid` of the estimates floor."""

    encoder: Encoder
    cells: Cells
    visit_years: Mapping[str, float]
    units: Mapping[str, str]

    def factors(self) -> dict[str, tuple[str, ...]]:
        """Factors of the model with their levels."""
        return {name: v.levels for name, v in self.encoder.variables.items() if v.is_categorical}

    def means(
        self,
        specs: tuple[str, ...],
        *,
        weights: Weights = "proportional",
        at: Mapping[str, object] | str | None = None,
    ) -> tuple[pd.DataFrame, Array, Array, tuple[str, ...]]:
        """Labels, L, subjects seen and notes for each cell of `specs`.

        Factors that are not in `specs` are averaged: "proportional" weighs their combinations as they occur among the
        subjects (visits equally), "equal" weighs all combinations alike, and a population is given as {factor: {level:
        share}} (factors independent) or as a frame of their combinations with a column `weight`. Numeric covariates
        stand at `at`, or else at their mean over subjects; `at="rows"` takes the mean over rows, as R's emmeans does.

        Raises
        ------
        StudyError
            `E-STUDY-GRID` for a name that the model does not have, or values that it cannot take.
        """
        found = self.expanded(specs, weights=weights, at=at)
        return found.labels, found.weights @ found.rows, found.n, found.notes

    def expanded(
        self,
        specs: tuple[str, ...],
        *,
        weights: Weights = "proportional",
        at: Mapping[str, object] | str | None = None,
    ) -> Expanded:
        """As `means`, before the average is taken: for what is averaged on another scale than that of L."""
        return self._expanded(specs, weights, at, self.encoder.columns)

    def slopes(
        self,
        variable: str,
        by: tuple[str, ...],
        *,
        weights: Weights = "proportional",
        at: Mapping[str, object] | str | None = None,
    ) -> tuple[pd.DataFrame, Array, Array, tuple[str, ...]]:
        """As `means`, for the derivative of the mean by a numeric variable at each cell of `by`."""
        known = self.encoder.variables.get(variable)
        if known is None or known.is_categorical:
            numeric = [name for name, v in self.encoder.variables.items() if not v.is_categorical]
            raise _grid_error(
                f"`{variable}` is not a numeric variable of the model.",
                f"Its numeric variables are: {', '.join(numeric) or 'none'}.",
                did_you_mean(variable, numeric) or "Put `years` into the formula in place of `visit`.",
            )
        found = self._expanded(by, weights, at, partial(self.encoder.slopes, variable=variable))
        return found.labels, found.weights @ found.rows, found.n, found.notes

    def _expanded(
        self, specs: tuple[str, ...], weights: Weights, at: Mapping[str, object] | str | None, columns: Columns
    ) -> Expanded:
        over_rows = at == "rows"
        held: Mapping[str, object] = at if isinstance(at, Mapping) else {}
        if at is not None and not over_rows and not isinstance(at, Mapping):
            raise _grid_error(
                f"`at` is {at!r}.", "It is a mapping of names to values, or the word rows.", 'Write at={"age": 50}.'
            )
        axes = {name: self._axis(name, held) for name in specs}
        self._known(held)
        averaged = [v for name, v in self.encoder.variables.items() if v.is_categorical and name not in axes]
        fixed = {
            name: self._fixed(v, held, over_rows)
            for name, v in self.encoder.variables.items()
            if not v.is_categorical and name not in axes
        }
        combos, combo_weights = self._averaging([v.name for v in averaged], weights, held)
        labels, rows, counts, taken = [], [], [], []
        for choice in product(*axes.values()):
            cell = dict(zip(axes, choice, strict=True))
            values: dict[str, NDArray[np.generic]] = {
                name: np.full(len(combos), value) for name, value in fixed.items()
            }
            values |= {v.name: combos[:, k] for k, v in enumerate(averaged)}
            values |= {name: np.full(len(combos), value) for name, value in cell.items()}
            rows.append(columns(values, len(combos)))
            taken.append(values)
            labels.append([self._label(name, value) for name, value in cell.items()])
            counts.append(self._count(cell))
        frame = pd.DataFrame(labels, columns=list(axes), index=range(len(labels)))
        return Expanded(
            labels=frame,
            rows=np.array(rows),
            weights=combo_weights,
            values={name: np.array([values[name] for values in taken]) for name in taken[0]},
            n=np.array(counts, dtype=float),
            notes=self._notes(averaged, fixed, held, weights, over_rows),
        )

    def _axis(self, name: str, held: Mapping[str, object]) -> list[int] | list[float]:
        variable = self.encoder.variables.get(name)
        if variable is None:
            known = list(self.encoder.variables)
            raise _grid_error(
                f"`{name}` is not in the model.", f"Its variables are: {', '.join(known)}.", did_you_mean(name, known)
            )
        if variable.is_categorical:
            asked = _as_list(held.get(name, variable.levels))
            return [self._code(variable, level) for level in asked]
        if name in held:
            return [_number(name, value) for value in _as_list(held[name])]
        if name in ("years", "exact_years"):
            return list(self.visit_years.values())
        return [variable.mean]

    def _known(self, held: Mapping[str, object]) -> None:
        for name in held:
            if name not in self.encoder.variables:
                known = list(self.encoder.variables)
                raise _grid_error(
                    f"`at` names `{name}`, which is not in the model.",
                    f"Its variables are: {', '.join(known)}.",
                    did_you_mean(name, known),
                )

    def _code(self, variable: Variable, level: object) -> int:
        if str(level) not in variable.levels:
            raise _grid_error(
                f"`{level}` is not a level of `{variable.name}`.",
                f"Its levels are: {', '.join(variable.levels)}.",
                did_you_mean(str(level), variable.levels),
            )
        return variable.levels.index(str(level))

    def _fixed(self, variable: Variable, held: Mapping[str, object], over_rows: bool) -> float:
        if variable.name in held:
            values = _as_list(held[variable.name])
            if len(values) != 1:
                raise _grid_error(
                    f"`at` gives {len(values)} values for `{variable.name}`, which is not among the rows asked for.",
                    "A variable that is held has one value.",
                    f"Ask for it too: emmeans(fit, [..., {variable.name!r}], at=...).",
                )
            return _number(variable.name, values[0])
        return variable.row_mean if over_rows else variable.mean

    def _averaging(
        self, names: list[str], weights: Weights, held: Mapping[str, object]
    ) -> tuple[NDArray[np.int64], Array]:
        """Combinations of the averaged factors (rows of codes) and their weights."""
        if isinstance(weights, str) and weights not in WEIGHTS:
            raise _grid_error(
                f"`weights` is {weights!r}.",
                f"It is a population ({{factor: {{level: share}}}}) or one of: {', '.join(WEIGHTS)}.",
                did_you_mean(weights, WEIGHTS),
            )
        if not names:
            return np.zeros((1, 0), dtype=np.int64), np.ones(1)
        levels = [self._axis(name, held) for name in names]
        combos = np.array(list(product(*levels)), dtype=np.int64)
        if not isinstance(weights, str):
            variables = {name: self.encoder.variables[name] for name in names}
            return combos, shares_of_combinations(weights, variables, combos)
        if weights == "equal":
            return combos, np.full(len(combos), 1 / len(combos))
        over = [name for name in names if name != "visit"]
        columns = [self.cells.names.index(name) for name in over]
        seen = self.cells.codes[:, columns]
        at = [names.index(name) for name in over]
        match = (combos[:, None, at] == seen[None, :, :]).all(-1)
        share = match @ self.cells.weight
        return combos, share / share.sum()

    def _count(self, cell: Mapping[str, float]) -> float:
        where = {name: value for name, value in cell.items() if name in self.cells.names}
        if "years" in cell and "visit" not in cell:
            near = [k for k, years in enumerate(self.visit_years.values()) if np.isclose(years, cell["years"])]
            where |= {"visit": near[0]} if near else {}
        if "visit" in where:
            match = np.ones(len(self.cells.codes), dtype=bool)
            for name, code in where.items():
                match &= self.cells.codes[:, self.cells.names.index(name)] == code
            return float(self.cells.rows[match].sum())
        match = np.ones(len(self.cells.subject_codes), dtype=bool)
        for name, code in where.items():
            match &= self.cells.subject_codes[:, self.cells.names.index(name) - 1] == code
        return float(self.cells.subjects[match].sum())

    def _label(self, name: str, value: float) -> str | float:
        variable = self.encoder.variables[name]
        return variable.levels[int(value)] if variable.is_categorical else float(value)

    def _notes(
        self,
        averaged: list[Variable],
        fixed: Mapping[str, float],
        held: Mapping[str, object],
        weights: Weights,
        over_rows: bool,
    ) -> tuple[str, ...]:
        notes = []
        if averaged:
            names = " and ".join(v.name for v in averaged)
            how = AVERAGED[weights] if isinstance(weights, str) else "in the proportions of a given population"
            notes.append(f"Averaged over {names} {how}.")
        for name, value in fixed.items():
            unit = f" {self.units[name]}" if self.units.get(name) else ""
            where = "" if name in held else (" (mean over rows)" if over_rows else " (mean over subjects)")
            notes.append(f"{name.replace('_', ' ').capitalize()} held at {value:.4g}{unit}{where}.")
        return tuple(notes)


def _as_list(value: object) -> list[object]:
    if isinstance(value, str | int | float):
        return [value]
    return list(value)  # type: ignore[call-overload,no-any-return]


def _number(name: str, value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise _grid_error(
            f"`{value}` is given for `{name}`.", f"`{name}` is numeric.", f'Write at={{"{name}": 50}}.'
        ) from None


def _grid_error(seen: str, expected: str, advice: str) -> StudyError:
    return StudyError("E-STUDY-GRID", seen, expected, advice)
