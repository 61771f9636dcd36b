"""A part of a whole that the data cannot answer: left out, with a notice that says which and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..codes import registry
from ..errors import ModelError, StudyError
from ..notices import Notice

__all__ = ["answered"]

T = TypeVar("T")


def answered(outcome: str, what: str, ask: Callable[[], T], unanswered: list[Notice]) -> T | None:
    """What `ask` answers; where the data have no answer, None, and one more in `unanswered`.

    The reason is the registry's sentence, not the error's own, which may count persons. What was asked wrongly is still
    an error.
    """
    try:
        return ask()
    except (ModelError, StudyError) as error:
        if not (isinstance(error, ModelError) or error.code == "E-STUDY-IMPUTE"):
            raise
        code = error.code
    unanswered.append(
        Notice(
            "N-SENSITIVITY-UNANSWERED",
            f"`{outcome}`: {what} left out, for want of an answer ({code}: {registry()[code].sentence})",
            f"`burnout-stats explain {code}` tells what can be done.",
        )
    )
    return None
