"""`Summaries`: observed counts, means and proportions as one long frame."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ..display import to_html, to_markdown, to_text
from ..notices import Notice
from .estimates import About
from .margins import Margins

__all__ = ["Summaries"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Summaries:
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

    def __str__(self) -> str:
        from .tabulation import tabulate

        return to_text(tabulate(self))

    def _repr_html_(self) -> str:
        from .tabulation import tabulate

        return to_html(tabulate(self), style_sheet=True)

    def _repr_markdown_(self) -> str:
        from .tabulation import tabulate

        return to_markdown(tabulate(self))
