"""Which subjects the parts of a stream have brought so far: one that comes back in a later part is refused, because its
visits would count as those of two independent persons.

Of each identifier a hash of 64 bits is kept (8 bytes a subject; integers never collide, and two texts among ten million
do so with a probability of about 3 in a million, which would refuse good data but never accept bad ones). Beyond
`LIMIT` subjects nothing is kept, and the parts must come in ascending order of the identifiers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError

__all__ = ["Subjects"]

LIMIT = 50_000_000
"""So many hashes are kept: 400 megabytes."""

Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Subjects:
    """The subjects of one part, or of several that have none in common.

    Attributes
    ----------
    n : how many
    low, high : the first and the last identifier
    in_order : whether each part lay beyond all parts before it
    runs : hashes of the identifiers; each run is sorted where the parts were not in order. Empty beyond `LIMIT`.
    """

    n: int
    low: int | float | str
    high: int | float | str
    in_order: bool
    runs: tuple[Hashes, ...]

    @classmethod
    def of(cls, ids: NDArray[np.object_]) -> Subjects:
        """The subjects of one part, each once."""
        values = np.array(ids.tolist()) if not isinstance(ids[0], str) else ids
        if values.dtype.kind == "f" and (values == np.rint(values)).all() and np.abs(values).max() < 2**53:
            values = values.astype(np.int64)  # 7.0 in one part and 7 in another are one subject
        hashes = pd.util.hash_array(values, categorize=False)
        low, high = (values.min(), values.max()) if values.dtype.kind in "iuf" else (min(values), max(values))
        return cls(n=len(ids), low=low, high=high, in_order=True, runs=(hashes,))

    def again(self, part: Subjects) -> NDArray[np.bool_]:
        """Which subjects of a part, run by run, stand here already."""
        asked = np.concatenate(part.runs)
        found = np.zeros(len(asked), dtype=bool)
        for run in self._sorted_runs():
            place = np.searchsorted(run, asked)
            found |= run[np.minimum(place, len(run) - 1)] == asked
        return found

    def joined(self, part: Subjects, say: Callable[[NDArray[np.bool_]], str] = lambda again: "") -> Subjects:
        """These subjects and those of one more part; `say` tells where those stand that come back.

        Raises
        ------
        DataError
            `E-DATA-SPLIT` where a subject comes back, `E-DATA-ORDER` where there are too many to remember and the parts
            are not in order, `E-DATA-TYPE` where identifiers are numbers here and text there.
        """
        if isinstance(self.low, str) != isinstance(part.low, str):
            raise DataError(
                "E-DATA-TYPE",
                "The identifiers of subjects are numbers in one part of the stream and text in another.",
                "One column has one type, or 7 and 007 are one subject here and two there.",
                'Convert the column first, for example with frame["id"].astype(str).',
            )
        in_order = self.in_order and part.in_order and part.low > self.high  # type: ignore[operator]
        n = self.n + part.n
        if not in_order:
            if n > LIMIT:
                raise DataError(
                    "E-DATA-ORDER",
                    f"The stream has more than {LIMIT:,} subjects, and they are not in order.",
                    "So many identifiers are not kept: a part must begin after the last identifier of those before it.",
                    "Sort the data set by subject.",
                )
            again = self.again(part)
            if again.any():
                raise DataError(
                    "E-DATA-SPLIT",
                    f"{_subjects(int(again.sum()))} back in a later part of the stream{say(again)}.",
                    "All visits of a subject stand in one part, or in two that follow each other.",
                    "Sort the data set by subject.",
                )
        runs: tuple[Hashes, ...] = ()
        if n <= LIMIT:
            runs = (
                (*self.runs, *part.runs)
                if in_order
                else _merged([*self._sorted_runs(), np.sort(np.concatenate(part.runs))])
            )
        low, high = min(self.low, part.low), max(self.high, part.high)
        return Subjects(n=n, low=low, high=high, in_order=in_order, runs=runs)

    def _sorted_runs(self) -> list[Hashes]:
        return [np.sort(np.concatenate(self.runs))] if self.in_order else list(self.runs)


def _merged(runs: list[Hashes]) -> tuple[Hashes, ...]:
    """The same hashes in fewer runs, each longer than all that follow it, so that there are never many."""
    while len(runs) > 1 and len(runs[-2]) <= 2 * len(runs[-1]):
        runs[-2:] = [np.sort(np.concatenate(runs[-2:]), kind="stable")]
    return tuple(runs)


def _subjects(n: int) -> str:
    return "1 subject comes" if n == 1 else f"{n} subjects come"
