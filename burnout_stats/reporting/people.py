"""The sections of a report that are about people rather than scores: who they were, and who was not seen."""

from __future__ import annotations

from .. import tables
from ..display import Column, Row, Table
from ..estimates import Summaries
from ..plan import Results
from . import drawing
from .document import Block, Details, Heading, Paragraph, Section
from .facts import dictionary, source
from .numbering import Numbering

__all__ = ["cohort_section", "missing_section"]


def cohort_section(results: Results, numbers: Numbering) -> Section:
    """Setting, participant flow, Table 1, and what was measured."""
    blocks: list[Block] = [
        Paragraph(paragraph) for paragraph in results.plan.description.split("\n\n") if paragraph.strip()
    ]
    blocks.append(Paragraph(source(results)))
    one: list[Block] = []
    if results.baseline is not None:
        table = tables.baseline(results.baseline)
        one = [Heading("Who they were", anchor="characteristics"), numbers.set(table, "baseline", kind="long")]
    flow = tables.flow(results.flow)
    blocks.append(Heading("Participant flow", anchor="flow"))
    if results.plan.report.figures:
        figure = numbers.drawn(drawing.flow(results.flow))
        blocks += [figure, *one, Details(f"The numbers behind {figure.name}", (numbers.set(flow, "flow"),))]
    else:
        blocks += [*one, numbers.set(flow, "flow")]
    measured = numbers.set(dictionary(results), "measures", kind="words")
    return Section(
        anchor="cohort",
        title="The cohort",
        blocks=(*blocks, Heading("What was measured", anchor="measures"), measured),
    )


def missing_section(results: Results, numbers: Numbering) -> Section:
    """The three steps of TARMOS: what was planned about missing data, what was found, and where other assumptions are
    tried.

    **Source**: Lee et al. 2021, J Clin Epidemiol 134:79.
    """
    blocks: list[Block] = [Heading("Missing-data plan", anchor="missing-data-plan"), *_planned(results, numbers)]
    if results.missingness is not None:
        blocks += [
            Heading("Missingness found", anchor="missingness-found"),
            *_found(results.missingness, numbers, results),
        ]
    if results.attrition is not None:
        blocks += [
            Heading("Those who stayed and those who were lost", anchor="completers"),
            Details(
                "Tests of those who were lost against the others",
                (numbers.set(tables.attrition(results.attrition), "attrition", kind="long"),),
            ),
        ]
    blocks += [Heading("Sensitivity", anchor="sensitivity"), Paragraph(_tried(results))]
    return Section(anchor="missing-data", title="Missing data", blocks=tuple(blocks))


def _planned(results: Results, numbers: Numbering) -> list[Block]:
    """The plan of the study file, or what the analysis itself takes for granted."""
    plan = results.plan.missing_data
    if plan is None:
        return [
            Paragraph(
                "The study file declares no plan for missing data. Every observed score is used, also those of people "
                "who were not seen at every visit. The model takes scores to be missing at random: given a person's "
                "other scores and the terms of the model, whether a score was seen does not depend on the score."
            )
        ]
    said = (
        ("Expected reasons", plan.reasons),
        ("Assumption of the primary analysis", plan.mechanism),
        ("Why it is believed", plan.justification),
        ("Auxiliary variables", ", ".join(plan.auxiliaries)),
        ("Complete records alone", plan.complete_records),
        ("Planned sensitivity analyses", plan.sensitivity),
    )
    table = Table(
        title="The plan for missing data",
        columns=(Column("what", "Question"), Column("said", "In this study")),
        rows=tuple(Row((what, answer)) for what, answer in said if answer),
        notes=("As TARMOS asks for it: planned before the data were looked at.",),
    )
    return [numbers.plain(table, "missing_data_plan")]


def _found(missingness: Summaries, numbers: Numbering, results: Results) -> list[Block]:
    pattern = tables.missingness(missingness)
    if not results.plan.report.figures:
        return [numbers.set(pattern, "missingness", kind="long")]
    figure = numbers.drawn(drawing.missingness(missingness))
    table = numbers.set(pattern, "missingness", kind="long")
    return [figure, Details(f"The numbers behind {figure.name}", (table,))]


def _tried(results: Results) -> str:
    """Where the report asks what other assumptions would change."""
    if not results.doubts:
        return (
            "The plan asks for no analysis under other assumptions, so this report cannot say how far its numbers hang "
            "on what is assumed about missing scores."
        )
    labels = [doubt.outcome.label for doubt in results.doubts]
    named = labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"
    said = f"Under other assumptions about those who were not seen: see Would it have happened anyway? for {named}."
    if len(labels) == len(results.outcomes):
        return said
    return f"{said} The plan asks for no such analysis of the other outcomes."
