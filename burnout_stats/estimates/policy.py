"""`Policy`: what may be shown about how few persons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ..errors import StudyError, one_of

__all__ = ["ZEROS", "Policy", "Zeros"]

Zeros = Literal["show", "hide"]
ZEROS: tuple[Zeros, ...] = ("show", "hide")


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be shown; the section `[disclosure]` of a study file has the same names.

    Attributes
    ----------
    min_cell : int
        Counts from 1 to `min_cell` - 1, and all that rests on so few persons, are hidden; 1 shows everything.
    zeros : "show" or "hide"
        Whether a count of 0 may be shown. Hidden zeros are protected like other small counts.
    complementary : bool
        Whether further counts are hidden, so that none of the small ones can be worked out from those that are shown.
        Without it a reader with a pencil finds many of them.
    extremes : bool
        Whether minima and maxima, which are single persons' values, are shown where they are those of at least
        `min_cell` persons.
    quasi_identifiers : names, optional
        The covariates by which outsiders might know a person. By default all categorical covariates that do not change
        within subjects, and age in bands of ten years; an empty list names none.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for a threshold below 1, `E-STUDY-OPTION` for another word than "show" or "hide".

    Examples
    --------
    >>> Policy(10, zeros="hide").hides(0), Policy(10).hides(0)
    (True, False)
    """

    min_cell: int = 5
    zeros: Zeros = "show"
    complementary: bool = True
    extremes: bool = False
    quasi_identifiers: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.min_cell < 1:
            raise StudyError(
                "E-STUDY-VALUE",
                f"`min_cell` is {self.min_cell}.",
                "It is the smallest number of persons that may be shown, 1 or more.",
                "Use 5, or what your data owner prescribes.",
            )
        one_of("zeros", self.zeros, list(ZEROS))
        if self.quasi_identifiers is not None:
            names: Iterable[str] = self.quasi_identifiers
            object.__setattr__(self, "quasi_identifiers", (names,) if isinstance(names, str) else tuple(names))

    def hides(self, count: float) -> bool:
        """Whether a count of persons is too small to be shown."""
        return count < self.min_cell and (count > 0 or (count == 0 and self.hides_zeros))

    @property
    def hides_zeros(self) -> bool:
        """Whether a count of 0 is hidden; with a threshold of 1 nothing is."""
        return self.zeros == "hide" and self.min_cell > 1
