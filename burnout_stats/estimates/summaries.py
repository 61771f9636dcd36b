"""`Summaries`: observed counts, means and proportions as one long frame."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ..display import Shown, Table
from ..notices import Notice
from .estimates import About
from .margins import Margins

__all__ = ["Summaries"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Summaries(Shown):
    """What was observed, described.

    Attributes
    ----------
    frame : DataFrame
        `variable`, `level`, `by` columns, `statistic` ("n", "mean", "sd", "percent", ...), `value`, `n` (subjects
        behind the value).
    about : About
        Its `kind` names the description ("flow", "by_visit", ...).
    notices : tuple of Notice
    margins : Margins or None
        Which counts add up to which, for the gate; None where nobody said, and after the gate.
    """

    frame: pd.DataFrame
    about: About
    notices: tuple[Notice, ...] = ()
    margins: Margins | None = None

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        return f"<Summaries: {self.about.kind}; {len(self.frame)} rows>"

    def _tables(self) -> tuple[Table, ...]:
        from .tabulation import tabulate

        return (tabulate(self),)
