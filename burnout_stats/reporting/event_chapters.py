"""The chapter of an outcome that is counted: probabilities or mean counts at each visit, differences and ratios."""

from __future__ import annotations

from dataclasses import replace

from .. import tables, text
from ..display.styles import decimals_from
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import percent_of
from ..plan import Results
from ..plan.events import EventResults
from . import drawing
from .document import Block, Drawn, Heading, Listed, Notices, Paragraph, Section
from .numbering import Numbering

__all__ = ["event_section"]

MOST_LINES = 4
"""More lines than these are not drawn in one figure."""


def event_section(part: EventResults, results: Results, slug: str, numbers: Numbering) -> Section:
    """What is said about one counted outcome."""
    language = numbers.language
    subjects, scores = _tells(part)
    drawn: list[Drawn] = []
    lines = part.means.frame["category"].nunique() if "category" in part.means.frame else 1
    if results.plan.report.figures and lines <= MOST_LINES:
        level = percent_of(results.plan.analysis.conf_level)
        drawn = [numbers.drawn(drawing.of_events(part.means, slug, level))]
    methods = text.methods(
        part.fit,
        means=part.means,
        changes=part.ratios,
        tells_rows=scores,
        tells_subjects=subjects,
        language=language,
    )
    blocks: list[Block] = [
        Paragraph(f"Counted: {part.fit.counted.what}.", "kicker"),
        Listed(_findings(part, results.plan.report.number_style, language), "findings"),
        *([Notices(part.notices, "Notices about this model")] if part.notices else []),
        *drawn,
        Heading("Change", anchor=f"change-event-{slug}"),
        numbers.set(tables.contrasts(part.differences), f"differences_event_{slug}"),
        numbers.set(tables.contrasts(part.ratios), f"ratios_event_{slug}"),
        Heading("Model means"),
        numbers.set(tables.means(part.means), f"means_event_{slug}"),
        Heading("Method", anchor=f"method-event-{slug}"),
        Paragraph(methods),
    ]
    return Section(anchor=f"event-{slug}", title=part.label, blocks=tuple(blocks), kind="chapter")


def _tells(part: EventResults) -> tuple[bool, bool]:
    """Whether the number of subjects in the model may be told, and that of scores."""
    if part.size is None:
        return True, True
    subjects, scores = (~part.size.frame[HIDDEN]).tolist()
    return bool(subjects), bool(scores and not part.means.frame[HIDDEN].any())


def _findings(part: EventResults, style: str, language: str) -> tuple[str, ...]:
    """One sentence for each difference, and one for each ratio."""
    found: list[str] = []
    for changes in (part.differences, part.ratios):
        decimals = decimals_from(changes.frame["std_error"], style)
        for k in range(len(changes)):
            one = replace(changes, frame=changes.frame.iloc[[k]], vcov=changes.vcov[k : k + 1, k : k + 1])
            said = text.result(one, style=style, decimals=decimals, language=language, means=part.means)
            found.append(said)
    return tuple(found)
