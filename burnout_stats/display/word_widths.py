"""How wide text is and how columns share a page: Word lays a table out by the widths it is told."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["fitted", "text_width"]

_NARROW = frozenset(" .,:;il|!'()[]/jtfI")
_WIDE = frozenset("mwMW%@—")
_MOST_AIR = 1.2


def text_width(text: str, points: float) -> float:
    """The width of the text in points, near that of the usual fonts and rather too wide."""
    ems = sum(0.36 if char in _NARROW else 1.0 if char in _WIDE else 0.76 if char.isupper() else 0.61 for char in text)
    return ems * points


def fitted(natural: Sequence[float], least: Sequence[float], available: float) -> list[float]:
    """Widths of columns: natural ones and a little air where there is room; else those give that can.

    >>> fitted([100, 40], [60, 40], 200), fitted([100, 40], [60, 40], 120), fitted([100, 50], [60, 40], 50)
    ([120.0, 48.0], [80.0, 40.0], [30.0, 20.0])
    """
    if sum(natural) <= available:
        air = min(_MOST_AIR, available / sum(natural))
        return [width * air for width in natural]
    floor, slack = sum(least), sum(natural) - sum(least)
    if floor >= available or slack <= 0:
        return [width * available / floor for width in least]
    share = (available - floor) / slack
    return [low + share * (high - low) for high, low in zip(natural, least, strict=True)]
