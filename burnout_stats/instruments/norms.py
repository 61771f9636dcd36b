"""Numbers from outside the cohort: a norm sample, and how stable a score is where nothing was done."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import StudyError

__all__ = ["Norm", "Stability"]

OF_ONE_DAY = ("alpha", "cronbach", "omega", "reliability", "internal consistency", "split-half")
"""Words for what a stability is not."""


@dataclass(frozen=True, slots=True)
class Norm:
    """A reference sample known by its mean, SD and size.

    Attributes
    ----------
    mean, sd : float
        Of the score, in its own units; the SD is that between persons.
    n : int or None
        Its size; None takes the mean as known without error, which results then say.
    label, source : str
        What people call it, and where the numbers stand.
    drift : float
        How much the mean is assumed to change per year after baseline (a secular trend); 0 where nothing is known.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for an SD that is not positive, a size below 2, or a number that is not finite.

    Examples
    --------
    >>> round(Norm(mean=2.52, sd=0.92, n=1070).std_error, 4)
    0.0281
    """

    mean: float
    sd: float
    n: int | None = None
    label: str = "norm"
    source: str = ""
    drift: float = 0.0

    def __post_init__(self) -> None:
        finite = all(map(math.isfinite, (self.mean, self.sd, self.drift)))
        if not finite or self.sd <= 0 or (self.n is not None and self.n < 2):
            raise StudyError(
                "E-STUDY-VALUE",
                f"The norm has mean {self.mean}, SD {self.sd}, n {self.n} and drift {self.drift}.",
                "A norm has finite numbers, a positive SD, and at least 2 persons.",
                "Write for example Norm(mean=2.52, sd=0.92, n=1070).",
            )

    @property
    def std_error(self) -> float:
        """The standard error of the mean; 0 where no size is known."""
        return self.sd / math.sqrt(self.n) if self.n is not None else 0.0


@dataclass(frozen=True, slots=True)
class Stability:
    """How much of a distance from the mean remains after some time where nothing was done.

    Attributes
    ----------
    value : float
        A correlation between two occasions, or the slope of the later score on the earlier one.
    n : int or None, std_error : float or None
        The size of the sample that it comes from, or its standard error; with neither it is taken as known.
    kind : "correlation" or "slope"
        A slope is the correlation times SD later / SD earlier.
    lag : float or None
        Years between the occasions.
    source : str
        Where the number stands.
    from_cohort : bool
        Whether it comes from the treated cohort itself, which makes what follows from it circular.

    Raises
    ------
    StudyError
        `E-STUDY-STABILITY` for an alpha or another reliability, which is no stability; `E-STUDY-VALUE` for a
        correlation outside (-1, 1), an unknown kind, both `n` and `std_error`, or numbers that cannot be.

    Examples
    --------
    >>> Stability(0.62, n=293).kind
    'correlation'
    """

    value: float
    n: int | None = None
    std_error: float | None = None
    kind: str = "correlation"
    lag: float | None = None
    source: str = ""
    from_cohort: bool = False

    def __post_init__(self) -> None:
        if self.kind.casefold() in OF_ONE_DAY:
            raise StudyError(
                "E-STUDY-STABILITY",
                f"The stability {self.value:g} is of the kind {self.kind!r}.",
                "That is a reliability: it tells how well a score is measured on one day, not how much of it remains "
                "after months.",
                "Give the correlation of two occasions with its n, for example Stability(0.62, n=293).",
            )
        cannot = (
            not math.isfinite(self.value)
            or self.kind not in ("correlation", "slope")
            or (self.kind == "correlation" and not -1 < self.value < 1)
            or (self.n is not None and (self.n < 4 or self.std_error is not None))
            or (self.std_error is not None and not (math.isfinite(self.std_error) and self.std_error >= 0))
            or (self.lag is not None and not (math.isfinite(self.lag) and self.lag > 0))
        )
        if cannot:
            raise StudyError(
                "E-STUDY-VALUE",
                f"The stability is {self.value} ({self.kind}), n {self.n}, standard error {self.std_error}, "
                f"lag {self.lag}.",
                'It is a "correlation" between -1 and 1 or a "slope", with the size of its sample (4 or more) or its '
                "standard error, not both; a lag is in years, above 0.",
                "Write for example Stability(0.62, n=293).",
            )
