"""What one contrast says, before any language has words for it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Finding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One contrast, its numbers already written in the style of the reader.

    Attributes
    ----------
    where : the group that it is about, such as "sex F"; or empty
    label, unit : of the outcome; a unit that nobody gave is empty
    contrast : as it is called
    visits : the two visits that it compares, the one it counts from last; None where it compares something else
    state : "agreed" (interval and p value both leave out zero), "adjusted" (the interval alone does), "open" (neither),
        "absent" (no estimate) or "hidden"
    is_fall : whether the estimate is below zero
    judgment : whether that is for the "better" or the "worse"; empty where nobody said which end is better
    size, interval, test, p : as they stand in a sentence
    """

    where: str
    label: str
    unit: str
    contrast: str
    visits: tuple[str, str] | None
    state: str
    is_fall: bool = False
    judgment: str = ""
    size: str = ""
    interval: str = ""
    test: str = ""
    p: str = ""

    @property
    def is_told_as_move(self) -> bool:
        """Whether it is told as a fall or a rise, rather than as an estimate whose direction is uncertain."""
        return self.state == "agreed" and self.visits is not None
