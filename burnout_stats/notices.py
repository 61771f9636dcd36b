"""Trouble that does not stop an analysis, as data: a `Notice` is stored with the result it is about, listed in the
report, and fatal only under `--strict`. `announce` shows notices once, through the standard `warnings`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["BurnoutStatsWarning", "Notice", "announce"]


class BurnoutStatsWarning(UserWarning):
    """The category of every warning of this package."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A code of the registry (`N-<STAGE>-<WORD>`), what was found, and what to do about it."""

    code: str
    message: str
    advice: str = ""

    def __str__(self) -> str:
        return f"[{self.code}] {self.message} {self.advice}".rstrip()


def announce(notices: Iterable[Notice], *, stacklevel: int = 3) -> None:
    """Show each notice as a warning at the caller's line."""
    for notice in notices:
        warnings.warn(str(notice), BurnoutStatsWarning, stacklevel=stacklevel)
