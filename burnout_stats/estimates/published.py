"""Numbers printed in a paper: a sample known by mean, SD and size, and a share known by its count."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import StudyError

__all__ = ["Sample", "Share"]


@dataclass(frozen=True, slots=True)
class Sample:
    """A group of persons known by the mean, SD and size that a paper prints.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for fewer than 2 persons, a negative SD or a number that is not finite.

    Examples
    --------
    >>> Sample(3.01, 0.94, 184).n
    184
    """

    mean: float
    sd: float
    n: int

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and math.isfinite(self.sd)) or self.sd < 0 or self.n < 2:
            raise StudyError(
                "E-STUDY-VALUE",
                f"The sample has mean {self.mean}, SD {self.sd} and n {self.n}.",
                "A sample has a finite mean, an SD of 0 or more, and at least 2 persons.",
                "Write for example Sample(mean=3.01, sd=0.94, n=184).",
            )


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many persons: 63 of 182.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for a count outside 0 to n, or no persons.

    Examples
    --------
    >>> round(Share(63, 182).value, 3)
    0.346
    """

    count: int
    n: int

    def __post_init__(self) -> None:
        if not 0 <= self.count <= self.n or self.n < 1:
            raise StudyError(
                "E-STUDY-VALUE",
                f"The share is {self.count} of {self.n}.",
                "It is a count of persons, from 0 to all of them.",
                "Write for example Share(63, 182).",
            )

    @property
    def value(self) -> float:
        """The proportion."""
        return self.count / self.n
