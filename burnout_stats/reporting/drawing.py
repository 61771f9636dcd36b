"""The figures of a report: drawn once, used twice, in the page and as files of their own."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .. import figures
from ..estimates.tabulation import percent_of
from ..plan import Results
from .manifest import slugs

__all__ = ["Picture", "doubt_drawings", "drawings"]

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


DOUBTS: Mapping[str, tuple[Callable[..., figures.Figure], str]] = {
    "triangulation": (
        figures.triangulation,
        "the change under different assumptions about missing scores; the gray bars are bounds, which assume nothing",
    ),
    "tipping_map": (
        figures.tipping_map,
        "what is added to the scores of those who were not seen, at either visit, until the conclusion changes",
    ),
    "stability_curve": (
        figures.regression_to_the_mean,
        "the change that regression to the mean leads one to expect, over stabilities, and the one that was observed",
    ),
    "specification_curve": (figures.specification_curve, "the change under the analyst's other choices"),
}
"""The figures of a dashboard: who draws them, and what they show."""


WIDE = frozenset({"specification_curve"})
"""Those that need the whole width, on a telephone too."""


def doubt_drawings(results: Results, first: int) -> dict[str, dict[str, Picture]]:
    """The figures of every dashboard of protected results, by outcome and name, numbered from `first`."""
    names = slugs(doubt.outcome.name for doubt in results.doubts)
    found: dict[str, dict[str, Picture]] = {}
    number = first
    for doubt in results.doubts:
        outcome = doubt.outcome.name
        found[outcome] = {}
        for name, (draw, words) in DOUBTS.items():
            estimates = doubt.estimates.get(name)
            if estimates is None or not estimates.frame["estimate"].notna().any():
                continue
            figure = draw(estimates, size="double")
            width, height = figure.size
            found[outcome][name] = Picture(
                file=f"{name}_{names[outcome]}.svg",
                svg=_svg(figure),
                narrow=_svg(figure if name in WIDE else draw(estimates, size="single")),
                alt=figure.alt,
                caption=f"Figure {number}. {doubt.outcome.label}: {words}.",
                width=round(width * PIXELS_PER_MM),
                height=round(height * PIXELS_PER_MM),
            )
            number += 1
    return found


def _svg(figure: figures.Figure) -> bytes:
    return f'<?xml version="1.0" encoding="utf-8"?>\n{figure.svg()}'.encode()


def _uri(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode("ascii")
