"""The report as one page of HTML that asks for nothing from outside: protected results become words, tables and
pictures, and a template sets them.

Every text goes through Jinja's autoescape, but for the tables, whose writer escapes for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from .. import tables, text
from ..display import Table, to_html
from ..display.escape import clean
from ..display.styles import decimals_from
from ..estimates import Estimates, Policy
from ..notices import Notice
from ..plan import OutcomeResults, Results
from ..sensitivity import Dashboard
from .drawing import Picture
from .facts import dictionary, facts, fit_table, lede, origin, plan_table, scale, source
from .gate import hides_model, tells
from .glance import glance
from .manifest import slugs

__all__ = ["to_page"]

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
        "away because of how they fare just then. Read the numbers below as changes, not as effects."
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """What the page says about one outcome."""

    anchor: str
    label: str
    scale: str
    findings: tuple[str, ...]
    notices: tuple[Notice, ...]
    picture: Picture | None
    changes: Markup
    means: Markup
    observed: Markup
    methods: str
    formula: str
    coefficients: Markup
    covariance: Markup
    fit: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """What the page says about one outcome under other assumptions: three steps of paragraph, pictures and tables, and
    the tables that stand behind.
    """

    anchor: str
    label: str
    words: text.SensitivityText
    regression: str
    pictures: Mapping[str, Picture]
    tables: Mapping[str, Markup]
    notices: tuple[Notice, ...]


def to_page(results: Results, pictures: Mapping[str, Picture], doubted: Mapping[str, Mapping[str, Picture]]) -> bytes:
    """The page of protected results, as UTF-8 HTML; `pictures` by outcome, and those of dashboards (`doubted`)."""
    names = slugs(part.outcome.name for part in results.outcomes)
    anchors = {name: f"outcome-{slug}" for name, slug in names.items()}
    style = results.plan.report.number_style
    chapters = [
        _chapter(part, results, anchors[part.outcome.name], pictures.get(part.outcome.name))
        for part in results.outcomes
    ]
    page = _environment().get_template("report.html.j2")
    return (
        page.render(
            title=results.plan.title,
            lede=lede(results),
            facts=facts(results),
            glance=glance(results, anchors),
            one_arm=ONE_ARM,
            description=[paragraph for paragraph in results.plan.description.split("\n\n") if paragraph.strip()],
            source=source(results),
            flow=_html(tables.flow(results.flow), style),
            dictionary=_html(dictionary(results), style),
            chapters=chapters,
            doubts=[
                _doubt(doubt, names[doubt.outcome.name], doubted.get(doubt.outcome.name, {}), style)
                for doubt in results.doubts
            ],
            all_notices=results.notices,
            provenance=results.provenance,
            origin=_html(origin(results.provenance), style),
            plan=_html(plan_table(results.provenance), style),
        )
        .strip()
        .encode("utf-8")
        + b"\n"
    )


def _chapter(part: OutcomeResults, results: Results, anchor: str, picture: Picture | None) -> Chapter:
    style = results.plan.report.number_style
    policy = results.cohort.policy
    is_hidden = hides_model(part, results.cohort)
    subjects, scores = tells(part)
    scores = scores and not is_hidden
    methods = text.methods(part.fit, means=part.means, changes=part.changes, tells_rows=scores, tells_subjects=subjects)
    if is_hidden:
        policy = Policy(part.fit.n_subjects + 1)  # more than there are: the table then shows no number
    return Chapter(
        anchor=anchor,
        label=part.outcome.label,
        scale=scale(part.outcome),
        findings=_findings(part, style),
        notices=part.notices,
        picture=picture,
        changes=_html(tables.contrasts(part.changes, part.standardized), style),
        means=_html(tables.means(part.means), style),
        observed=_html(tables.by_visit(part.observed), style),
        methods=methods,
        formula=part.fit.spec.formula,
        coefficients=_html(tables.coefficients(part.coefficients), style),
        covariance=_html(tables.covariance(part.fit, policy=policy, tells_subjects=subjects), style),
        fit=_html(fit_table(part.fit, tells_subjects=subjects, tells_scores=scores), style),
    )


TABLES: Mapping[str, Callable[[Estimates], Table]] = {
    "triangulation": tables.triangulation,
    "strategies": tables.strategies,
    "tipping_point": tables.tipping_point,
    "regression_to_the_mean": tables.regression_to_the_mean,
    "specification_curve": tables.specification_curve,
    "left_out": tables.left_out,
}
"""The tables of a dashboard; its maps and curves are drawn, and stand in full in the files."""


def _doubt(doubt: Dashboard, slug: str, pictures: Mapping[str, Picture], style: str) -> Doubt:
    regression = doubt.regression_to_the_mean
    return Doubt(
        anchor=f"doubt-{slug}",
        label=doubt.outcome.label,
        words=text.sensitivity(doubt, style=style),
        regression="" if regression is None else text.regression_to_the_mean(regression, style=style),
        pictures=pictures,
        tables={name: _html(TABLES[name](value), style) for name, value in doubt.estimates.items() if name in TABLES},
        notices=doubt.notices,
    )


def _html(table: Table, style: str) -> Markup:
    """A table as markup; its writer has escaped every label (see `display.html`)."""
    return Markup(to_html(table, style))  # noqa: S704


def _findings(part: OutcomeResults, style: str) -> tuple[str, ...]:
    """One sentence for each change, all with the same decimals."""
    changes = part.changes
    decimals = decimals_from(changes.frame["std_error"], style)
    return tuple(
        text.result(
            replace(changes, frame=changes.frame.iloc[[k]], vcov=changes.vcov[k : k + 1, k : k + 1]),
            style=style,
            decimals=decimals,
        )
        for k in range(len(changes))
    )


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader(__package__ or "", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_one_line,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )


def _one_line(value: object) -> object:
    """Text without control characters and marks that turn the direction of writing; markup and numbers as they are."""
    return clean(value) if type(value) is str else value
