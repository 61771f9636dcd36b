"""What a report asks: the estimand, what is primary and what secondary, the terms that are for adjustment; and the
answers to what is primary.
"""

from __future__ import annotations

from .. import tables
from ..display import Column, Row, Table
from ..plan import Results
from ..plan.estimand import EstimandSection, may_say_effect
from ..plan.questions import multiplicity
from .document import Block, Heading, Paragraph, Section
from .numbering import Numbering

__all__ = ["estimand_section", "primary_section"]

NOT_CAUSAL = (
    "The analysis is not declared as causal. Its numbers are changes that were observed or are expected, and "
    "associations; nothing here is said to cause anything."
)


def estimand_section(results: Results, numbers: Numbering) -> Section | None:
    """What is to be estimated, by the attributes of ICH E9(R1), and which questions come first; None where the study
    file says nothing of it.
    """
    plan = results.plan
    asked = plan.analysis
    blocks: list[Block] = []
    if plan.estimand is not None:
        blocks.append(numbers.plain(_attributes(plan.estimand), "estimand"))
        causal = f"The analysis is declared as causal, under these assumptions: {plan.estimand.assumptions}"
        blocks.append(Paragraph(causal if may_say_effect(plan.estimand) else NOT_CAUSAL))
    if asked.primary is not None:
        blocks += [Heading("Primary and secondary questions", anchor="primary-questions")]
        blocks += [Paragraph(" ".join(multiplicity(plan)))]
    if asked.adjustment:
        blocks += [
            Heading("Adjustment", anchor="adjustment"),
            Paragraph(
                "These terms are in the model for adjustment. The changes of the model without them stand beside the "
                "adjusted ones under each outcome."
            ),
            numbers.plain(_adjustment(dict(asked.adjustment)), "adjustment"),
        ]
    if not blocks:
        return None
    return Section(anchor="estimand", title="What is asked", blocks=tuple(blocks))


def primary_section(results: Results, numbers: Numbering) -> Section | None:
    """The primary contrasts of all primary outcomes, as one family."""
    if results.primary is None:
        return None
    table = tables.contrasts(results.primary, title="Primary contrasts")
    return Section(
        anchor="primary",
        title="Primary results",
        blocks=(
            Paragraph(
                "The contrasts that the study was made to estimate, with p values as the plan adjusts them over all "
                "primary outcomes; everything else in this report is secondary."
            ),
            numbers.set(table, "primary"),
        ),
    )


def _attributes(estimand: EstimandSection) -> Table:
    events = [
        Row((event.event, f"{event.strategy}{f'. {event.note}' if event.note else ''}"), "Intercurrent events")
        for event in estimand.intercurrent_events
    ]
    return Table(
        title="The estimand",
        columns=(Column("attribute", "Attribute"), Column("said", "In this study")),
        rows=(
            Row(("Population", estimand.population), "Attributes"),
            Row(("Exposure or contrast", estimand.exposure), "Attributes"),
            Row(("Variable", estimand.variable), "Attributes"),
            Row(("Summary of the population", estimand.summary), "Attributes"),
            *(events or [Row(("Intercurrent events", "none is foreseen in the study file"), "Attributes")]),
        ),
        notes=("The attributes are those of ICH E9(R1); an intercurrent event is not the same as a missing score.",),
    )


def _adjustment(terms: dict[str, str]) -> Table:
    return Table(
        title="Terms for adjustment",
        columns=(Column("term", "Term"), Column("reason", "Reason")),
        rows=tuple(Row((term, reason)) for term, reason in terms.items()),
    )
