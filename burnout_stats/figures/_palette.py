"""Colors, markers and dashes of groups: never color alone.

**Source.** Okabe & Ito 2008, Color Universal Design. Their yellow is left out and their order changed, so that the
first five have a contrast of about 3:1 or more with white paper; text takes a darker shade where its color has less
than 4.5:1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["INK", "STROKES", "Stroke", "ink_on"]

INK = "#1a1a1a"


@dataclass(frozen=True, slots=True)
class Stroke:
    """How a group is drawn: the color of its line and marks, of its text, its marker and its dash."""

    color: str
    text: str
    marker: str
    dash: str | tuple[float, tuple[float, ...]]


STROKES: tuple[Stroke, ...] = (
    Stroke("#0072B2", "#0072B2", "o", "-"),
    Stroke("#D55E00", "#B34F00", "s", (0.0, (4.0, 1.6))),
    Stroke("#009E73", "#007A59", "^", (0.0, (1.2, 1.2))),
    Stroke("#CC79A7", "#A34A7C", "D", (0.0, (5.0, 1.4, 1.2, 1.4))),
    Stroke("#000000", "#000000", "v", (0.0, (7.0, 2.0))),
    Stroke("#E69F00", "#8F6300", "P", (0.0, (2.4, 1.2))),
    Stroke("#56B4E9", "#1F75A6", "X", (0.0, (3.0, 1.0, 1.0, 1.0, 1.0, 1.0))),
)
"""In this order; a figure can tell apart as many groups as there are strokes."""


def ink_on(color: Sequence[float]) -> str:
    """Black or white, whichever has more contrast with a color (relative luminance of WCAG 2): 4.5 to 1 at least.

    >>> ink_on((1.0, 0.9, 0.2)), ink_on((0.0, 0.13, 0.3))
    ('black', 'white')
    """
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color[:3]]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "black" if luminance > 0.179 else "white"
