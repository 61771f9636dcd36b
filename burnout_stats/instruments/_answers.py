"""Answers as numbers, and those that an item cannot have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import Problem
from ._instrument import Instrument, Response

__all__ = ["numbers_of", "refusals"]

Array = NDArray[np.float64]

SHOWN = 6


def numbers_of(items: pd.DataFrame, used: Sequence[str], response: Response) -> tuple[Array, NDArray[np.bool_]]:
    """The answers as numbers, and which cells hold something that no answer can be."""
    answers = np.empty((len(items), len(used)))
    bad = np.zeros(answers.shape, dtype=bool)
    for place, name in enumerate(used):
        column = items[name].astype(object) if isinstance(items[name].dtype, pd.CategoricalDtype) else items[name]
        values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        answers[:, place] = values
        steps = (values - response.low) / response.step
        known = ~np.isnan(values)
        with np.errstate(invalid="ignore"):
            possible = (values >= response.low) & (values <= response.high) & (np.abs(steps - np.rint(steps)) < 1e-9)
        bad[:, place] = (known & ~possible) | (~known & column.notna().to_numpy(dtype=bool))
    return answers, bad


def refusals(used: Sequence[str], bad: NDArray[np.bool_], key: Instrument) -> list[Problem]:
    """A problem for each item with an answer that it cannot have: its rows, never persons."""
    found = []
    for place in np.flatnonzero(bad.any(axis=0)):
        rows = np.flatnonzero(bad[:, place])
        listed = ", ".join(map(str, rows[:SHOWN])) + (f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else "")
        found.append(
            Problem(
                "E-DATA-ITEM",
                f"Item `{used[int(place)]}` has {_plural(len(rows), 'answer')} that it cannot have "
                f"(row{'s' if len(rows) > 1 else ''} {listed}, counted from 0).",
                f"The answers of `{key.key}` are {key.response}.",
                'Correct the file, declare its missing codes, or write out_of_range="missing".',
                tuple(int(row) for row in rows[:1000]),
            )
        )
    return found


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
