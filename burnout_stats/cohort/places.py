"""Where something stands: rows of the source as line numbers of the file, or as positions in a data frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Places"]

SHOWN = 6
KEPT = 1000
"""How many places a message lists, and how many a Problem keeps."""


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """The number of each row: lines of a file, the header being line 1; or rows of a frame, counted from 0 as `iloc`
    does.
    """

    numbers: NDArray[np.int64]
    word: str = "line"

    def of(self, rows: Sequence[int] | NDArray[np.int64]) -> tuple[int, ...]:
        """The numbers of these rows, each once, in order."""
        return tuple(np.unique(self.numbers[np.asarray(rows, dtype=np.int64)]).tolist()[:KEPT])

    def count(self, rows: Sequence[int] | NDArray[np.int64]) -> int:
        """How many different places these rows are."""
        return len(np.unique(self.numbers[np.asarray(rows, dtype=np.int64)]))

    def say(self, rows: Sequence[int] | NDArray[np.int64]) -> str:
        """The rows in words.

        >>> Places(np.arange(2, 100)).say([0, 3, 7])
        'lines 2, 5 and 9'
        """
        numbers = np.unique(self.numbers[np.asarray(rows, dtype=np.int64)])
        if len(numbers) == 1:
            return f"{self.word} {numbers[0]}"
        if len(numbers) > SHOWN:
            return f"{self.word}s {', '.join(map(str, numbers[:SHOWN]))} and {len(numbers) - SHOWN} more"
        return f"{self.word}s {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"

    def take(self, rows: NDArray[np.int64]) -> Places:
        """The places of a selection or repetition of rows."""
        return Places(self.numbers[rows], self.word)
