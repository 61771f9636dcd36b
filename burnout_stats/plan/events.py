"""`[events.<name>]`: outcomes that are counted, not measured, and what is asked of them.

Each has a generalized linear mixed model with a random intercept of the subject and the terms of `[analysis]`; the
report tells averages over subjects at each visit, their differences, and ratios.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..cohort import Cohort
from ..display import Shown, Table
from ..display.escape import for_terminal
from ..errors import Problem, StudyError, did_you_mean
from ..estimates import Estimates, Summaries
from ..estimates.tabulation import tabulate
from ..inference import contrast, emmeans
from ..models import fit
from ..models.generalized import GLMM
from ..models.generalized_fit import GeneralizedFit
from ..notices import Notice
from .terms import formula, split_term

if TYPE_CHECKING:
    from .sections import AnalysisSection

__all__ = ["EventResults", "EventSection", "ask_events", "check_events", "event_model"]


class EventSection(BaseModel):
    """`[events.<name>]`: what is counted, and by which family."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    column: str = Field("", description="The column, declared under [outcomes] or [covariates]; the name, if left out.")
    family: Literal["binomial", "ordinal", "poisson", "negative_binomial"] = Field(
        "binomial", description="Events, ordered categories, or counts."
    )
    level: str = Field("", description="Of a column with levels, the one that is the event; of two, the second.")
    case: str = Field("", description='Of a score, the rule that makes it an event, such as ">= 3.5".')
    label: str = Field("", description="What it is called in the report.")
    better: Literal["lower", "higher", ""] = Field("", description="Which direction is better.")
    zeros: Literal["inflated", "none", ""] = Field("", description="Of counts: a share of extra zeros, or none at all.")
    penalty: Literal["soft", ""] = Field(
        "", description="Keeps estimates finite where a group has no event, or nothing but events."
    )
    terms: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        (), strict=False, description="Fixed effects; those of [analysis] where left out."
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventResults(Shown):
    """All that is known about one counted outcome.

    Attributes
    ----------
    name, label : of the table in the study file, and for people
    fit : GeneralizedFit
    means : probabilities or mean counts at each visit, averaged over subjects
    differences : risk differences, or differences of mean counts
    ratios : odds ratios or rate ratios of a given subject
    size : the numbers of subjects and scores, once they are protected
    """

    name: str
    label: str
    fit: GeneralizedFit
    means: Estimates
    differences: Estimates
    ratios: Estimates
    size: Summaries | None = None

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What should be known about these numbers; each notice names the outcome."""
        found = dict.fromkeys(notice for one in (self.fit, self.means, self.differences) for notice in one.notices)
        return tuple(
            notice
            if f"`{self.name}`" in notice.message
            else replace(notice, message=f"`{self.name}`: {notice.message}")
            for notice in found
        )

    def _tables(self) -> tuple[Table, ...]:
        return tuple(tabulate(one) for one in (self.means, self.differences, self.ratios))

    def __repr__(self) -> str:
        return for_terminal(f"<EventResults: {self.name}>")


def event_model(name: str, section: EventSection, analysis: AnalysisSection, columns: tuple[str, ...]) -> GLMM:
    """The question of a counted outcome.

    Raises
    ------
    StudyError
        As `GLMM`.
    """
    terms = section.terms or analysis.terms
    return GLMM(
        f"{formula(section.column or name, terms, columns)} + (1 | subject)",
        family=section.family,
        event=section.level or None,
        case=section.case or None,
        zeros=section.zeros or None,
        penalty=section.penalty or None,
    )


def check_events(
    events: Mapping[str, EventSection], analysis: AnalysisSection, columns: tuple[str, ...], outcomes: tuple[str, ...]
) -> list[Problem]:
    """Columns that the study does not have, terms that are the outcome itself, and models that cannot be asked."""
    wrong: list[Problem] = []
    known = (*outcomes, *columns)
    for name, section in events.items():
        column = section.column or name
        if column not in known:
            wrong.append(
                Problem(
                    "E-STUDY-COLUMN",
                    f"`events.{name}` counts the column `{column}`.",
                    f"The study has: {', '.join(known)}.",
                    did_you_mean(column, known) or "Declare it under [outcomes] or [covariates].",
                )
            )
            continue
        terms = section.terms or analysis.terms
        named = {one for term in terms for one in split_term(term, known)}
        if column in named or "visit" not in named or named - {"visit", "years", *columns}:
            wrong.append(
                Problem(
                    "E-STUDY-TERM",
                    f"The terms of `events.{name}` are: {', '.join(terms)}.",
                    "They are `visit` and covariates, and not the column that is counted.",
                    f'Write terms = ["visit"] under [events.{name}].',
                )
            )
            continue
        try:
            event_model(name, section, analysis, columns)
        except StudyError as error:
            wrong += [replace(problem, seen=f"[events.{name}] {problem.seen}") for problem in error.problems]
    return wrong


def ask_events(
    name: str, section: EventSection, analysis: AnalysisSection, columns: tuple[str, ...], cohort: Cohort
) -> EventResults:
    """The model of a counted outcome, and its answers.

    Raises
    ------
    StudyError, ModelError
        As `fit`.
    """
    fitted = fit(event_model(name, section, analysis, columns), cohort)
    label = section.label or fitted.outcome.label
    better = section.better or fitted.outcome.better

    def called(found: Estimates) -> Estimates:
        about = found.about
        own = {fitted.outcome.name: better} if better and section.family != "ordinal" else about.better
        return replace(found, about=replace(about, outcomes={fitted.outcome.name: label}, better=own))

    asked: dict[str, Any] = {"weights": analysis.weights, "conf_level": analysis.conf_level}
    categories = "at_least" if section.family == "ordinal" else "each"
    means = called(emmeans(fitted, "visit", scale="marginal", categories=categories, **asked))
    link = called(emmeans(fitted, "visit", **asked))
    return EventResults(
        name=name,
        label=label,
        fit=fitted,
        means=means,
        differences=contrast(means, analysis.contrasts, adjust=analysis.adjust),
        ratios=contrast(link, analysis.contrasts, adjust=analysis.adjust, measure="ratio"),
    )
