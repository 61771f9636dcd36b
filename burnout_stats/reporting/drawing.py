"""The figures of a report: drawn once, used twice, in the page and as files of their own."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from .. import figures
from ..estimates.tabulation import percent_of
from ..plan import Results
from .manifest import slugs

__all__ = ["Picture", "drawings"]

PIXELS_PER_MM = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure as SVG with its words: `svg` for a page or paper, `narrow` with larger letters for a telephone."""

    file: str
    svg: bytes
    narrow: bytes
    alt: str
    caption: str
    width: int
    height: int

    @property
    def uri(self) -> str:
        """The picture as a data URI, which a page shows without asking for anything."""
        return _uri(self.svg)

    @property
    def narrow_uri(self) -> str:
        """The narrow picture as a data URI."""
        return _uri(self.narrow)


def drawings(results: Results) -> dict[str, Picture]:
    """The trajectory of every outcome of protected results, by outcome."""
    names = slugs(part.outcome.name for part in results.outcomes)
    level = percent_of(results.plan.analysis.conf_level)
    found = {}
    for number, part in enumerate(results.outcomes, start=1):
        name = part.outcome.name
        figure = figures.trajectory(part.means, observed=part.observed, size="double")
        width, height = figure.size
        found[name] = Picture(
            file=f"trajectory_{names[name]}.svg",
            svg=_svg(figure),
            narrow=_svg(figures.trajectory(part.means, observed=part.observed, size="single")),
            alt=figure.alt,
            caption=(
                f"Figure {number}. {figure.title}: model means with {level} confidence intervals, and the means that "
                "were observed (rings), on a true time axis; below it the number of subjects with a score."
            ),
            width=round(width * PIXELS_PER_MM),
            height=round(height * PIXELS_PER_MM),
        )
    return found


def _svg(figure: figures.Figure) -> bytes:
    return f'<?xml version="1.0" encoding="utf-8"?>\n{figure.svg()}'.encode()


def _uri(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode("ascii")
