"""The minimal clinically important difference, as figures take it."""

from __future__ import annotations

import math

from ..errors import StudyError

__all__ = ["important"]


def important(mcid: float) -> float:
    """The difference itself, where it is one.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` where it is not a positive number.
    """
    if not (math.isfinite(mcid) and mcid > 0):
        raise StudyError(
            "E-STUDY-VALUE",
            f"The minimal clinically important difference is {mcid:g}.",
            "It is a positive number in the points of the outcome; which direction is better is known.",
            "Write for example mcid=0.5.",
        )
    return float(mcid)
