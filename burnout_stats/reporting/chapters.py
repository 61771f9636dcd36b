"""The chapters of a report: one for each outcome, and one for each outcome under other assumptions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from .. import tables, text
from ..display import Table
from ..display.styles import decimals_from
from ..estimates import Estimates, Policy
from ..plan import OutcomeResults, Results
from ..sensitivity import Dashboard
from . import drawing
from .document import Block, Code, Details, Drawn, Heading, Listed, Notices, Paragraph, Section
from .facts import fit_table, scale
from .gate import hides_model, tells
from .numbering import Numbering

__all__ = ["doubt_section", "outcome_section"]

TABLES: Mapping[str, Callable[[Estimates], Table]] = {
    "triangulation": tables.triangulation,
    "strategies": tables.strategies,
    "tipping_point": tables.tipping_point,
    "regression_to_the_mean": tables.regression_to_the_mean,
    "specification_curve": tables.specification_curve,
    "left_out": tables.left_out,
}
"""The tables of a dashboard; its maps and curves are drawn, and stand in full in the files."""


def outcome_section(part: OutcomeResults, results: Results, slug: str, numbers: Numbering) -> Section:
    """What is said about one outcome."""
    style = results.plan.report.number_style
    is_hidden = hides_model(part, results.cohort)
    subjects, scores = tells(part)
    scores = scores and not is_hidden
    methods = text.methods(
        part.fit,
        means=part.means,
        changes=part.changes,
        tells_rows=scores,
        tells_subjects=subjects,
        language=numbers.language,
    )
    drawn: list[Drawn] = []
    if results.plan.report.figures:
        drawn = [numbers.drawn(drawing.trajectory(part, slug, results.plan.analysis.conf_level))]
    changes = [numbers.set(tables.contrasts(part.changes, part.standardized), f"changes_{slug}")]
    if part.unadjusted is not None:
        changes.append(numbers.set(_crude(part.changes, part.unadjusted), f"unadjusted_{slug}"))
    means = numbers.set(tables.means(part.means), f"means_{slug}")
    observed = numbers.set(tables.by_visit(part.observed), f"observed_{slug}")
    names = [*(block.name for block in drawn), *(block.name for block in (*changes, means, observed))]
    blocks: list[Block] = [
        Paragraph(scale(part.outcome), "kicker"),
        Listed(_findings(part, style, numbers.language), "findings"),
        *([Notices(part.notices, "Notices about this model")] if part.notices else []),
        Paragraph(_pointer(names), "pointer"),
        *drawn,
        Heading("Change", anchor=f"change-{slug}"),
        *changes,
        Heading("Model means"),
        means,
        Heading("What was observed", anchor=f"observed-{slug}"),
        observed,
        Heading("Method", anchor=f"method-{slug}"),
        Paragraph(methods),
        Paragraph(_taken_for_granted(part, results, numbers.language)),
        Details("The model in full", _model(part, results, slug, numbers, tells=(subjects, scores))),
        Details("The same model in other programs", _calls(part, results)),
    ]
    return Section(anchor=f"outcome-{slug}", title=part.outcome.label, blocks=tuple(blocks), kind="chapter")


def _taken_for_granted(part: OutcomeResults, results: Results, language: str) -> str:
    """Which tests these are, in which units, and what the model assumes."""
    are_plotted = results.plan.report.figures and not hides_model(part, results.cohort)
    return text.assumptions(part.fit, part.changes, are_plotted=are_plotted, language=language)


def _pointer(names: list[str]) -> str:
    """Where the sentences above have their numbers."""
    return f"The numbers stand in {', '.join(names[:-1])} and {names[-1]}."


def _crude(changes: Estimates, unadjusted: Estimates) -> Table:
    """The same changes without and with the terms for adjustment, side by side."""
    without, adjusted = tables.contrasts(unadjusted), tables.contrasts(changes)
    label = next(column for column in adjusted.columns if column.key == "contrast")
    columns, cells = [label], [[row.cells[adjusted.columns.index(label)] for row in adjusted.rows]]
    for name, table in (("Unadjusted", without), ("Adjusted", adjusted)):
        for place, column in enumerate(table.columns):
            if column.key in ("estimate", "conf", "p_value"):
                key = f"{name.lower()}_{column.key}"
                columns.append(replace(column, key=key, spanner=name))
                cells.append([row.cells[place] for row in table.rows])
    return Table(
        title=f"{adjusted.title}, unadjusted and adjusted",
        columns=tuple(columns),
        rows=tuple(replace(row, cells=own) for row, own in zip(adjusted.rows, zip(*cells, strict=True), strict=True)),
        notes=("Both models rest on the same rows; unadjusted: without the terms that are for adjustment.",),
    )


def _model(
    part: OutcomeResults, results: Results, slug: str, numbers: Numbering, *, tells: tuple[bool, bool]
) -> tuple[Block, ...]:
    """The model in full: its formula, coefficients, covariance and fit."""
    subjects, scores = tells
    policy = results.cohort.policy
    if hides_model(part, results.cohort):
        policy = Policy(part.fit.n_subjects + 1)  # more than there are: the table then shows no number
    covariance = tables.covariance(part.fit, policy=policy, tells_subjects=subjects)
    fit = fit_table(part.fit, tells_subjects=subjects, tells_scores=scores)
    drawn: tuple[Drawn, ...] = ()
    if results.plan.report.figures and not hides_model(part, results.cohort):
        pictures = (drawing.residuals(part.fit, slug), drawing.covariance(part.fit, slug))
        drawn = tuple(numbers.drawn(picture) for picture in pictures)
    return (
        Code(part.fit.spec.formula),
        Listed(text.decisions(part.fit, part.changes)),
        numbers.set(tables.coefficients(part.coefficients), f"coefficients_{slug}"),
        numbers.set(covariance, f"covariance_{slug}", kind="narrow"),
        numbers.set(fit, f"fit_{slug}", kind="narrow"),
        *drawn,
    )


def _calls(part: OutcomeResults, results: Results) -> tuple[Block, ...]:
    """The same model as other programs are asked for it."""
    data = results.plan.data
    scripts = text.calls(
        part.fit, part.changes, data=results.provenance.data_name, subject=data.subject, visit=data.visit or "visit"
    )
    asked = (
        "For a reviewer who wants to repeat the analysis elsewhere; the file has one row for each subject and visit."
    )
    return (Paragraph(asked), *(Code(script, program) for program, script in scripts.items()))


def doubt_section(doubt: Dashboard, results: Results, slug: str, numbers: Numbering) -> Section:
    """What is said about one outcome under other assumptions: three steps of paragraph, figures and tables, and the
    tables that stand behind.
    """
    style = results.plan.report.number_style
    words = text.sensitivity(doubt, style=style, language=numbers.language)
    regression = doubt.regression_to_the_mean

    def drawn(name: str) -> list[Block]:
        if not results.plan.report.figures:
            return []
        picture = drawing.doubtful(doubt, name, slug)
        return [] if picture is None else [numbers.drawn(picture)]

    def table(name: str) -> list[Block]:
        estimates = doubt.estimates.get(name)
        return [] if estimates is None else [numbers.set(TABLES[name](estimates), f"{name}_{slug}")]

    blocks: list[Block] = [
        Paragraph(
            "The same change under other assumptions: about the people who did not answer, about scores that come down "
            "by themselves, and about the analyst's choices.",
            "kicker",
        ),
        Heading("Planned"),
        Paragraph(words.planned),
        Heading("Found"),
        Paragraph(words.found),
        *drawn("triangulation"),
        *table("strategies"),
        Heading("What would change the conclusion"),
        Paragraph(words.changes),
        *drawn("tipping_map"),
    ]
    if regression is not None:
        said = text.regression_to_the_mean(regression, style=style, language=numbers.language)
        blocks += [Heading("Regression to the mean"), Paragraph(said)]
    blocks += [*drawn("stability_curve"), *table("regression_to_the_mean")]
    choices = [*drawn("specification_curve"), *table("left_out")]
    if choices:
        blocks += [Heading("The analyst's choices"), *choices]
    behind = [*table("triangulation"), *table("tipping_point"), *table("specification_curve")]
    if behind:
        blocks.append(Details("The numbers behind the figures", tuple(behind)))
    title = f"Would it have happened anyway? {doubt.outcome.label}"
    return Section(anchor=f"doubt-{slug}", title=title, blocks=tuple(blocks), kind="chapter")


def _findings(part: OutcomeResults, style: str, language: str) -> tuple[str, ...]:
    """One sentence for each change, all with the same decimals."""
    changes = part.changes
    decimals = decimals_from(changes.frame["std_error"], style)
    return tuple(
        text.result(
            replace(changes, frame=changes.frame.iloc[[k]], vcov=changes.vcov[k : k + 1, k : k + 1]),
            style=style,
            decimals=decimals,
            language=language,
        )
        for k in range(len(changes))
    )
