"""The tree of exceptions: one class per stage of an analysis, each with the exit code that the command line gives it.

    BurnoutStatsError
    ├── SetupError        2   an optional part is not installed
    ├── StudyError        2   the call or the study file
    ├── DataError         3   the data are refused
    ├── ModelError        4   the model has no answer
    └── DisclosureError   5   the output would tell about single persons

Every error carries a stable code (`E-<STAGE>-<WORD>`, told at length by `burnout-stats explain`) and three sentences:
what was seen, what was expected, what to try.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import ClassVar

__all__ = [
    "BurnoutStatsError",
    "DataError",
    "DisclosureError",
    "ModelError",
    "Problem",
    "SetupError",
    "StudyError",
    "did_you_mean",
    "one_of",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: its code, what was seen, what was expected, what to try, and where.

    `lines` are line numbers of the file (1 is the first line), never identifiers; empty where no line is meant.
    """

    code: str
    seen: str
    expected: str
    advice: str
    lines: tuple[int, ...] = ()

    def sentence(self) -> str:
        """The problem as prose: seen, expected, try."""
        return " ".join(part for part in (self.seen, self.expected, self.advice) if part)


class BurnoutStatsError(Exception):
    """The root of all errors that the package raises on purpose.

    Parameters
    ----------
    code : str
        The code in the registry (`codes.toml`).
    seen, expected, advice : str
        Three sentences. `advice` says what to try.
    lines : sequence of int
        Line numbers of the input file, where there are any.
    others : sequence of Problem
        Further problems found in the same pass, so that a user mends a file once.
    """

    exit_code: ClassVar[int] = 70

    def __init__(
        self,
        code: str,
        seen: str,
        expected: str = "",
        advice: str = "",
        *,
        lines: Sequence[int] = (),
        others: Sequence[Problem] = (),
    ) -> None:
        first = Problem(code, seen, expected, advice, tuple(int(line) for line in lines))
        self.problems: tuple[Problem, ...] = (first, *others)
        more = f" ({len(others)} more of the kind or of others: see .problems)" if others else ""
        super().__init__(f"[{code}] {first.sentence()}{more}")

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> BurnoutStatsError:
        """The error that carries these problems, the first one in its message."""
        first, *others = problems
        return cls(first.code, first.seen, first.expected, first.advice, lines=first.lines, others=others)

    @property
    def code(self) -> str:
        """The code of the first problem."""
        return self.problems[0].code

    @property
    def lines(self) -> tuple[int, ...]:
        """The line numbers of the first problem."""
        return self.problems[0].lines


class SetupError(BurnoutStatsError):
    """An optional part of the package is needed and not installed."""

    exit_code = 2


class StudyError(BurnoutStatsError):
    """The call, the formula or the study file cannot be understood."""

    exit_code = 2


class DataError(BurnoutStatsError):
    """The data are refused, because a result from them would be wrong."""

    exit_code = 3


class ModelError(BurnoutStatsError):
    """The model has no answer for these data, or not for this question."""

    exit_code = 4


class DisclosureError(BurnoutStatsError):
    """The output would tell about single persons."""

    exit_code = 5


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`Did you mean `x`?` for the nearest known name, or an empty string.

    >>> did_you_mean("excaustion", ["exhaustion", "job_stress"])
    'Did you mean `exhaustion`?'
    """
    names = [str(name) for name in known]
    folded = {name.casefold(): name for name in names}
    near = get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    return f"Did you mean `{folded[near[0]]}`?" if near else ""


def one_of(option: str, value: object, known: Iterable[str]) -> str:
    """The value of an option, where it is one of the known ones; a mapping of known ones tells what each means.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION`.
    """
    if value in (names := list(known)):
        return str(value)
    told = [f"{name} ({known[name]})" for name in names] if isinstance(known, Mapping) else names
    raise StudyError(
        "E-STUDY-OPTION",
        f"`{option}` is {value!r}.",
        f"It is one of: {', '.join(told)}.",
        did_you_mean(str(value), names),
    )
