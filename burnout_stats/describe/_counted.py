"""Rows of Summaries in groups of subjects, with the margins that the gate for privacy needs: which subjects each count
includes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..estimates import Margins
from ..estimates.margins import counted
from ._groups import Groups

__all__ = ["Counted"]

Bools = NDArray[np.bool_]


class Counted:
    """Collects rows, group by group and, where `overall` names it, of all."""

    def __init__(self, groups: Groups, overall: str = "") -> None:
        everyone = np.ones(len(groups.codes), dtype=bool)
        self.everyone = everyone
        self.parts = [(groups.naming(level), groups.codes == at) for at, level in enumerate(groups.levels)]
        if overall and groups.by:
            self.parts.append((groups.naming(overall), everyone))
        self.rows: list[dict[str, object]] = []
        self._counts: list[Bools | None] = []

    def count(
        self,
        named: dict[str, str],
        member: Bools,
        of: Bools | None = None,
        *,
        statistic: str = "n",
        leave_out_empty: bool = False,
    ) -> None:
        """Rows that count the subjects of each group who are `member`; with `of`, their percentages of those."""
        for naming, part in self.parts:
            here = member & part
            n = int(here.sum())
            if leave_out_empty and not n:
                continue
            row = {**named, **naming}
            self.add(row | {"statistic": statistic, "value": float(n), "n": n}, here)
            if of is not None:
                total = int((of & part).sum())
                self.add(row | {"statistic": "percent", "value": 100.0 * n / total if total else np.nan, "n": n})

    def add(self, row: dict[str, object], member: Bools | None = None) -> None:
        """A row, and the subjects it counts where it is a count."""
        self.rows.append(row)
        self._counts.append(member)

    def margins(self) -> Margins:
        """Which subjects the counts include."""
        return counted(self._counts)
