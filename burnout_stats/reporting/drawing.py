"""The figures of a report: drawn once, used twice, in the document and as files of their own."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .. import figures
from ..estimates import Estimates, Summaries
from ..estimates.tabulation import percent_of
from ..models import Fit
from ..plan import OutcomeResults
from ..sensitivity import Dashboard

__all__ = ["DOUBTS", "Picture", "covariance", "doubtful", "flow", "missingness", "of_events", "residuals", "trajectory"]

PIXELS_PER_MM = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure as SVG with its words: `svg` for a page or paper, `narrow` with larger letters for a telephone; and the
    `figure` itself, for a format that needs pixels.
    """

    file: str
    figure: figures.Figure
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
        """The narrow picture as a data URI; empty where both are the same."""
        return "" if self.narrow == self.svg else _uri(self.narrow)


def flow(summaries: Summaries) -> Picture:
    """The participant flow as a diagram."""
    return _picture(
        lambda size: figures.flow(summaries, size=size),
        "flow",
        "Participant flow. Those seen at a visit and those who contribute to a model are different counts: a person "
        "contributes with each score.",
    )


def missingness(summaries: Summaries) -> Picture:
    """The patterns of missing values."""
    return _picture(
        lambda size: figures.missingness(summaries, size=size),
        "missingness",
        "Patterns in which the outcomes were observed over the visits, the number of subjects of each, and their "
        "scores at the first visit.",
    )


def trajectory(part: OutcomeResults, slug: str, conf_level: float) -> Picture:
    """The means of an outcome over time."""
    level = percent_of(conf_level)
    return _picture(
        lambda size: figures.trajectory(part.means, observed=part.observed, size=size),
        f"trajectory_{slug}",
        f"{part.outcome.label} over time: model means with {level} confidence intervals, and the means that were "
        "observed (rings), on a true time axis; below it the number of subjects with a score.",
    )


def of_events(means: Estimates, slug: str, level: str) -> Picture:
    """The probabilities or mean counts of a counted outcome over time."""
    label = ", ".join(means.about.outcomes.values())
    return _picture(
        lambda size: figures.trajectory(means, size=size),
        f"trajectory_event_{slug}",
        f"{label} over time: averages over subjects with {level} confidence intervals, on a true time axis; below it "
        "the number of subjects with a score.",
    )


def residuals(fit: Fit, slug: str) -> Picture:
    """What the model leaves over."""
    return _picture(
        lambda size: figures.residuals(fit, size=size),
        f"residuals_{slug}",
        f"{fit.outcome.label}: what the model leaves over, against the fitted scores, against the normal distribution, "
        "by visit, and as distances of subjects. No point is a single person.",
        is_wide=True,
    )


def covariance(fit: Fit, slug: str) -> Picture:
    """The correlations of the visits as a heat map."""
    return _picture(
        lambda _size: figures.covariance(fit, size="single"),
        f"correlation_{slug}",
        f"{fit.outcome.label}: correlations of the visits in the model, with standard deviations on the diagonal.",
        is_wide=True,
    )


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


def doubtful(doubt: Dashboard, name: str, slug: str) -> Picture | None:
    """One figure of a dashboard; None where there is nothing to draw."""
    draw, words = DOUBTS[name]
    estimates: Estimates | None = doubt.estimates.get(name)
    if estimates is None or not estimates.frame["estimate"].notna().any():
        return None
    return _picture(
        lambda size: draw(estimates, size=size),
        f"{name}_{slug}",
        f"{doubt.outcome.label}: {words}.",
        is_wide=name in WIDE,
    )


def _picture(draw: Callable[[str], figures.Figure], stem: str, caption: str, *, is_wide: bool = False) -> Picture:
    figure = draw("double")
    svg = _svg(figure)
    width, height = figure.size
    return Picture(
        file=f"{stem}.svg",
        figure=figure,
        svg=svg,
        narrow=svg if is_wide else _svg(draw("single")),
        alt=figure.alt,
        caption=caption,
        width=round(width * PIXELS_PER_MM),
        height=round(height * PIXELS_PER_MM),
    )


def _svg(figure: figures.Figure) -> bytes:
    return f'<?xml version="1.0" encoding="utf-8"?>\n{figure.svg()}'.encode()


def _uri(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode("ascii")
