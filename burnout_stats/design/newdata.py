"""Rows that a user writes, made into the values that an encoder takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort.roles import Visits
from ..errors import StudyError, did_you_mean
from .encode import Variable

__all__ = ["new_values", "new_visits"]


def new_values(
    frame: pd.DataFrame, variables: Mapping[str, Variable], visits: Visits
) -> dict[str, NDArray[np.generic]]:
    """Codes of categorical and values of numeric variables for every row of `frame`; `years` may be left out where
    `visit` is given.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for a column that is not there, `E-STUDY-VALUE` for a level that the model does not have or a
        value that is not a number.
    """
    values: dict[str, NDArray[np.generic]] = {}
    for name, variable in variables.items():
        if name == "years" and name not in frame and "visit" in frame:
            values[name] = np.array(visits.years)[new_visits(frame, visits)]
        elif variable.is_categorical:
            values[name] = _codes(name, _column(frame, name, variables), variable.levels)
        else:
            values[name] = _numbers(name, _column(frame, name, variables))
    return values


def new_visits(frame: pd.DataFrame, visits: Visits) -> NDArray[np.intp]:
    """The position of each row's visit, from its label or its years.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` where neither is there, `E-STUDY-VALUE` for a visit that the cohort does not have.
    """
    if "visit" in frame or "years" not in frame:
        return _codes("visit", _column(frame, "visit", ("visit", "years")), visits.labels)
    years = _numbers("years", frame["years"])
    distance = np.abs(years[:, None] - np.array(visits.years))
    unknown = np.flatnonzero(~(distance.min(1) < 1e-9))
    if len(unknown):
        raise _unknown("years", str(years[unknown[0]]), [str(year) for year in visits.years])
    return np.asarray(distance.argmin(1), dtype=np.intp)


def _column(frame: pd.DataFrame, name: str, wanted: Iterable[str]) -> pd.Series:
    if name in frame:
        return frame[name]
    raise StudyError(
        "E-STUDY-COLUMN",
        f"Column `{name}` is not in the new data.",
        f"The model needs: {', '.join(wanted)}.",
        did_you_mean(name, list(map(str, frame.columns))),
    )


def _codes(name: str, column: pd.Series, levels: tuple[str, ...]) -> NDArray[np.intp]:
    codes = np.asarray(pd.Index(levels).get_indexer(pd.Index(column.astype(str))), dtype=np.intp)
    unknown = np.flatnonzero(codes < 0)
    if len(unknown):
        raise _unknown(name, str(column.iloc[unknown[0]]), levels)
    return codes


def _numbers(name: str, column: pd.Series) -> NDArray[np.float64]:
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float)
    wrong = np.flatnonzero(np.isnan(numbers) & column.notna().to_numpy())
    if len(wrong):
        raise _unknown(name, str(column.iloc[wrong[0]]), ["numbers"])
    return numbers


def _unknown(name: str, value: str, known: Iterable[str]) -> StudyError:
    known = list(known)
    return StudyError(
        "E-STUDY-VALUE",
        f"`{name}` is {value!r} in the new data.",
        f"The model has: {', '.join(known)}.",
        did_you_mean(value, known),
    )
