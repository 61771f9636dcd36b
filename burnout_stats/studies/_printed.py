"""Numbers as a paper prints them, with what they are, where they stand, and how near a reproduction must come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ..describe import Printed
from ..errors import StudyError

__all__ = ["MARKS", "PrintedNumber"]

MARKS: Mapping[str, str] = MappingProxyType(
    {
        "seen": "read in the source",
        "derived": "computed from numbers that were read; the source line shows how",
    }
)
"""What may be called printed. What is assumed, inferred or recalled stands among the assumptions of a study."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedNumber:
    """A number of a published paper.

    Attributes
    ----------
    id : str
    quantity : what it is, for people
    text : the number with its decimals, as printed
    mark : "seen" or "derived"
    source : where it stands
    statistic : name of the statistic in `STATISTICS`; empty where the study's plan cannot produce it
    of : mapping
        What the statistic is asked of: `variable`, `visits`, and whom it is about (`seen`, `lost`, `where`).
    tolerance : float
        How far the median of the replicates may lie from the printed number.
    target : bool
        Whether the synthetic population was made to have this number, so that its agreement tests the machinery only.
    why_not : str
        Why it is not expected to agree, or is not computed; shown in the table.
    remark : str
        What is inferred or assumed about it.
    """

    id: str
    quantity: str
    text: str
    mark: str
    source: str
    statistic: str = ""
    of: Mapping[str, Any] = field(default_factory=dict)
    tolerance: float = 0.0
    target: bool = False
    why_not: str = ""
    remark: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", MappingProxyType(dict(self.of)))
        if self.mark not in MARKS:
            raise StudyError(
                "E-STUDY-PRINTED",
                f"The number `{self.id}` is marked {self.mark!r}.",
                f"What is called printed is marked: {', '.join(MARKS)}.",
                "Set it among the assumptions of the study.",
            )
        if not self.statistic and not self.why_not:
            raise StudyError(
                "E-STUDY-PRINTED",
                f"The number `{self.id}` has no statistic.",
                "A number that the plan does not produce says why.",
                "Give `statistic`, or `why_not`.",
            )
        _ = self.number

    @property
    def number(self) -> Printed:
        """The number with its decimals."""
        return Printed(self.text)

    @property
    def value(self) -> float:
        """Its value."""
        return self.number.value

    @property
    def decimals(self) -> int:
        """How many decimals are printed."""
        _, _, after = self.text.strip().partition(".")
        return len(after.rstrip("%"))
