"""What every analytic planning verb answers with, and the number of persons that each of them can look for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..engine.power import smallest
from ..errors import StudyError
from ..estimates import About, Estimates
from ..estimates.estimates import NUMBERS
from ..estimates.policy import Policy

__all__ = ["Goal", "answer", "between", "enrolled_note", "refused", "row"]

HIGHEST = 1_000_000
"""Persons beyond which no study is planned."""
NOBODY = Policy(min_cell=1)
"""There are no persons behind a plan yet, so nothing is hidden."""


def refused(seen: str, expected: str, advice: str) -> StudyError:
    """`E-STUDY-DESIGN`."""
    return StudyError("E-STUDY-DESIGN", seen, expected, advice)


def between(value: float, low: float, high: float, what: str) -> float:
    """The value, where it lies strictly between the two.

    >>> between(0.8, 0, 1, "power")
    0.8
    """
    if not low < value < high:
        raise refused(
            f"{what} is {value:g}.", f"It lies between {low:g} and {high:g}.", f"Give another {what}, for instance 0.8."
        )
    return float(value)


def row(
    name: Mapping[str, object],
    measure: str,
    estimate: float,
    *,
    n: int,
    method: str,
    std_error: float = math.nan,
    df: float = math.nan,
    limits: tuple[float, float] = (math.nan, math.nan),
) -> dict[str, object]:
    """One row of the frame."""
    numbers = {
        "estimate": float(estimate),
        "std_error": float(std_error),
        "df": float(df),
        "statistic": math.nan,
        "p_value": math.nan,
        "conf_low": float(limits[0]),
        "conf_high": float(limits[1]),
    }
    return {**name, "measure": measure, **numbers, "n": int(n), "method": method}


def answer(
    kind: str,
    rows: Sequence[Mapping[str, object]],
    *,
    notes: Sequence[str],
    conf_level: float,
    labels: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    better: Mapping[str, str] | None = None,
    visit_years: Mapping[str, float] | None = None,
    df_method: str = "",
) -> Estimates:
    """Estimates of a plan; the rows name themselves by all columns before their numbers."""
    frame = pd.DataFrame(list(rows))
    factors = tuple(name for name in frame.columns if name not in {"outcome", "n", "method", *NUMBERS})
    return Estimates(
        frame=frame,
        vcov=np.full((len(frame), len(frame)), np.nan),
        about=About(
            kind=kind,
            outcomes=labels or {},
            units=units or {},
            better=better or {},
            visit_years=visit_years or {},
            factors=factors,
            conf_level=conf_level,
            df_method=df_method,
            notes=tuple(notes),
            policy=NOBODY,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What the number of persons is asked by: it is given, or looked for by a power or by a half-width, which may have
    to be kept with some probability.

    Raises
    ------
    StudyError
        `E-STUDY-DESIGN` where more or less than one of them is given.
    """

    n: int | None = None
    power: float | None = None
    half_width: float | None = None
    assurance: float | None = None

    def __post_init__(self) -> None:
        given = {"n": self.n, "power": self.power, "half_width": self.half_width}
        named = [name for name, value in given.items() if value is not None]
        if len(named) != 1:
            raise refused(
                f"{' and '.join(named) or 'None of n, power and half_width'} "
                f"{'are' if len(named) > 1 else 'is'} given.",
                "Exactly one of n, power and half_width says what is looked for.",
                "Give n to ask what it brings; power=0.9 or half_width=0.2 to ask for n.",
            )
        if self.power is not None:
            between(self.power, 0, 1, "power")
        if self.half_width is not None and self.half_width <= 0:
            raise refused(f"half_width is {self.half_width:g}.", "It is above 0.", "Give it in units of the score.")
        if self.assurance is not None:
            between(self.assurance, 0, 1, "assurance")
            if self.half_width is None:
                raise refused(
                    f"assurance is {self.assurance:g} and no half_width is given.",
                    "It is the probability that the interval keeps to a half-width.",
                    "Give half_width too, or leave assurance out.",
                )

    def persons(
        self,
        *,
        power_at: Callable[[int], float] | None,
        half_width_at: Callable[[int], float] | None,
        chance_at: Callable[[int, float], float] | None = None,
        lowest: int,
        stays: int = 0,
    ) -> int:
        """The number given, or the smallest that reaches the goal."""
        if self.n is not None:
            if int(self.n) != self.n or self.n < lowest:
                raise refused(
                    f"n is {self.n}.",
                    f"It is a whole number of at least {lowest}, or nothing can be estimated.",
                    "Give a larger n, or a power to look for it.",
                )
            return int(self.n)
        target, width = self.power, self.half_width
        if target is not None and power_at is not None:
            found = smallest(lambda n: power_at(n) >= target, lowest=lowest, highest=HIGHEST, stays=stays)
            wanted = f"a power of {target:g}"
        elif width is not None and self.assurance is not None and chance_at is not None:
            least = self.assurance
            found = smallest(lambda n: chance_at(n, width) >= least, lowest=lowest, highest=HIGHEST, stays=stays)
            wanted = f"a half-width of at most {width:g} with probability {least:g}"
        elif width is not None and self.assurance is None and half_width_at is not None:
            found = smallest(lambda n: half_width_at(n) <= width, lowest=lowest, highest=HIGHEST, stays=stays)
            wanted = f"a half-width of {width:g}"
        else:
            raise refused(
                "A goal was given that this verb does not look for.",
                "Not every method has a power, a half-width and an assurance.",
                "Leave assurance out, or ask with n and read what it brings.",
            )
        if found is None:
            raise refused(
                f"No number of persons up to {HIGHEST:,} brings {wanted}.",
                "The assumed difference has to differ from the one that is tested against, to the side that is tested.",
                "Look at the means (or the difference), the null and the alternative.",
            )
        return found


def enrolled_note(n: int, retention: float) -> tuple[str, ...]:
    """How many to enroll so that n are there at the end; nothing where all stay."""
    if not 0 < retention <= 1:
        raise refused(
            f"retention is {retention:g}.",
            "It is the share of those enrolled who are seen at the end, above 0 and at most 1.",
            "Give retention=0.7 where three of ten are lost.",
        )
    if retention == 1:
        return ()
    enrolled = math.ceil(n / retention - 1e-9)
    told = f"With {100 * retention:g}% of those enrolled seen at the end, {enrolled} are enrolled to have {n}"
    return (f"{told}: those lost are taken to be lost completely at random.",)
