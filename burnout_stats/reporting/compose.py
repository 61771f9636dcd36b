"""`compose(results)`: protected results as a `Document`, before it has a format."""

from __future__ import annotations

from dataclasses import replace

from .. import tables
from ..display import Table
from ..plan import Results
from .asked import estimand_section, primary_section
from .chapters import doubt_section, outcome_section
from .closing import checklist_section, declarations_section, notices_section, provenance_section
from .document import Aside, AtAGlance, Document, Paragraph, Section
from .event_chapters import event_section
from .facts import facts, lede
from .glance import glance
from .manifest import slugs
from .numbering import Numbering
from .people import cohort_section, missing_section

__all__ = ["compose"]

ONE_ARM = (
    (
        "This report follows one group of people, with nobody to compare them with. It says how far the group's scores "
        "moved, and how surely. It does not say why. People often join such a cohort when they are at their worst, and "
        "scores that start high tend to come down by themselves (regression to the mean); time, leave from work and "
        "other help move scores too."
    ),
    (
        "Nor did everybody answer every time. The models use every answer that was given, and allow for people staying "
        "away as far as their earlier scores and the terms of the model foretell it. They cannot see those who stay "
        "away because of how they fare just then."
    ),
)
AS_CHANGES = "Read the numbers below as changes, not as effects."


def compose(results: Results) -> Document:
    """The report of protected results (`gate.shown`): what it says, in the order of reading, without a format."""
    names = slugs(part.outcome.name for part in results.outcomes)
    numbers = Numbering(language=results.plan.report.language)
    asked = [
        estimand_section(results, numbers),
        _glance_section(results, {name: f"outcome-{slug}" for name, slug in names.items()}),
        cohort_section(results, numbers),
        missing_section(results, numbers),
        primary_section(results, numbers),
    ]
    sections = [section for section in asked if section is not None]
    sections += [outcome_section(part, results, names[part.outcome.name], numbers) for part in results.outcomes]
    events = slugs(part.name for part in results.events)
    sections += [event_section(part, results, events[part.name], numbers) for part in results.events]
    sections += [doubt_section(doubt, results, names[doubt.outcome.name], numbers) for doubt in results.doubts]
    last = [
        notices_section(results),
        declarations_section(results),
        checklist_section(results, numbers, next(iter(names.values()))),
        provenance_section(results, numbers),
    ]
    sections += [section for section in last if section is not None]
    told = results.provenance
    version = told.versions["burnout_stats"]
    return Document(
        title=results.plan.title,
        eyebrow="Report of a repeated-measures cohort",
        lede=lede(results),
        facts=facts(results),
        sections=tuple(sections),
        footer=(
            f"Made with burnout_stats {version}{f', {told.date}' if told.date else ''}. The numbers stand in full "
            "precision in results.json and tables/ where these were asked for."
        ),
        language=numbers.language,
        number_style=results.plan.report.number_style,
        version=version,
        date=told.date,
        authors=results.plan.report.authors,
    )


def _glance_section(results: Results, anchors: dict[str, str]) -> Section:
    front = glance(results, anchors)
    return Section(
        anchor="glance",
        title="At a glance",
        blocks=(
            Paragraph(front.introduction),
            AtAGlance(front, _front_table(results, front.notes), "Changes in all outcomes"),
            Aside("What one cohort can and cannot say", "one-arm", _one_arm(results)),
        ),
    )


def _one_arm(results: Results) -> tuple[str, ...]:
    """What stands beside the front; a causal analysis has said under which assumptions its changes are effects."""
    if results.plan.may_say_effect:
        return ONE_ARM
    return (*ONE_ARM[:-1], f"{ONE_ARM[-1]} {AS_CHANGES}")


def _front_table(results: Results, notes: tuple[str, ...]) -> Table:
    """The changes of all outcomes as one table."""
    every = [(part.outcome.label, tables.contrasts(part.changes, part.standardized)) for part in results.outcomes]
    columns = every[0][1].columns
    kept = [
        place
        for place, column in enumerate(columns)
        if column.key in ("contrast", "estimate", "conf", "p_value", "standardized", "standardized_conf")
    ]
    rows = tuple(
        replace(row, cells=tuple(row.cells[place] for place in kept), group=label)
        for label, table in every
        for row in table.rows
    )
    return Table(
        title="Changes in all outcomes", columns=tuple(columns[place] for place in kept), rows=rows, notes=notes
    )
