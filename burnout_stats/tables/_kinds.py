"""Each builder takes results of its own kind and says so."""

from __future__ import annotations

from ..errors import StudyError
from ..estimates import Estimates, Summaries

__all__ = ["expect"]


def expect(results: Estimates | Summaries, kind: str, made_by: str) -> None:
    """Check that results are of the kind that a table shows.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for another kind.
    """
    if results.about.kind != kind:
        raise StudyError(
            "E-STUDY-VALUE",
            f"This table was given {results.about.kind or 'something else'}.",
            f"It shows {kind}.",
            f"Give it what {made_by} answers.",
        )
