"""The last sections of a report: notices, declarations, the checklist of a guideline, and where it all comes from."""

from __future__ import annotations

from .. import text
from ..plan import Results
from .document import Block, Details, Heading, Notices, Paragraph, Section
from .facts import origin, plan_table
from .numbering import Numbering

__all__ = ["checklist_section", "declarations_section", "notices_section", "provenance_section"]


def notices_section(results: Results) -> Section:
    """What did not stop the analysis."""
    blocks: tuple[Block, ...] = (
        Paragraph(
            "There are none: the data were read without a doubt, and every model reached an optimum that was verified."
        ),
    )
    if results.notices:
        told = "What did not stop the analysis, but should be known. `burnout-stats explain` and a code tell more."
        blocks = (Paragraph(told), Notices(results.notices, "Found in this run"))
    return Section(anchor="notices", title="Notices", blocks=blocks, kind="chapter")


def declarations_section(results: Results) -> Section | None:
    """What the study file says of ethics and funding; None where it says nothing."""
    asked = results.plan.report
    said = (("Ethics", "ethics", asked.ethics), ("Funding", "funding", asked.funding))
    blocks: list[Block] = []
    for title, anchor, words in said:
        if words.strip():
            blocks += [Heading(title, anchor=anchor), Paragraph(words)]
    return Section(anchor="declarations", title="Declarations", blocks=tuple(blocks)) if blocks else None


def checklist_section(results: Results, numbers: Numbering, slug: str) -> Section | None:
    """The checklist of the guideline that the study file names, with the places that answer it; `slug` is that of the
    first outcome.
    """
    if results.plan.report.checklist is None:
        return None
    checklist = text.strobe(text.strobe_answers(_places(results, slug)))
    table = numbers.set(checklist.table, "strobe", kind="prose", anchors=checklist.anchors)
    return Section(
        anchor="strobe",
        title="STROBE checklist",
        blocks=(Paragraph("Where this report answers each item. The rest is for the authors of a paper."), table),
        kind="chapter",
    )


def provenance_section(results: Results, numbers: Numbering) -> Section:
    """Software, inputs, seed and the plan."""
    return Section(
        anchor="provenance",
        title="Provenance",
        blocks=(
            Paragraph(text.software(results.provenance.versions, language=numbers.language)),
            Paragraph("The same data, study file, software and seed give this report again, byte for byte."),
            numbers.set(origin(results.provenance), "provenance", kind="origin"),
            Details(
                "The plan, with every default written out",
                (numbers.set(plan_table(results.provenance), "plan", kind="origin"),),
            ),
        ),
    )


def _places(results: Results, slug: str) -> dict[str, tuple[str, str]]:
    """What this report holds, by kind (`text.strobe_answers`): what it is called, and its anchor."""
    plan = results.plan
    places = {
        "title": ("Title", "title"),
        "summary": ("At a glance", "glance"),
        "visits": ("Participant flow", "flow"),
        "flow": ("Participant flow", "flow"),
        "dictionary": ("What was measured", "measures"),
        "observed": ("What was observed", f"observed-{slug}"),
        "methods": ("Method", f"method-{slug}"),
        "missing data": ("Missing-data plan", "missing-data-plan"),
        "limitations": ("What one cohort can and cannot say", "one-arm"),
    }
    maybe = {
        "estimand": (plan.estimand, "What is asked", "estimand"),
        "primary": (plan.analysis.primary, "Primary and secondary questions", "primary-questions"),
        "setting": (plan.description.strip(), "The cohort", "cohort"),
        "flow figure": (plan.report.figures, "Participant flow", "flow"),
        "reasons": (plan.flow.reasons, "Participant flow", "flow"),
        "characteristics": (results.baseline, "Who they were", "characteristics"),
        "missing values": (results.missingness, "Missingness found", "missingness-found"),
        "adjustment": (plan.analysis.adjustment, "Adjustment", "adjustment"),
        "completers": (results.attrition, "Those who stayed and those who were lost", "completers"),
        "sensitivity": (results.doubts, "Sensitivity", "sensitivity"),
        "unadjusted": (results.outcomes[0].unadjusted, "Change", f"change-{slug}"),
        "funding": (plan.report.funding.strip(), "Funding", "funding"),
    }
    held = {kind: (title, anchor) for kind, (value, title, anchor) in maybe.items() if value is not None and value}
    return places | held
