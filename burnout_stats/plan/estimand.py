"""What is to be estimated, and how the missing are reasoned about: `[estimand]` with the five attributes of ICH E9(R1),
`[missing_data]` with the plan that TARMOS asks for; and the one place that tells whether "effect" may be said.

**Source**: ICH E9(R1) 2019, Addendum on estimands and sensitivity analysis in clinical trials, A.3 (attributes and
strategies); Lee et al. 2021, J Clin Epidemiol 134:79 (TARMOS: plan, conduct, report).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..errors import Problem
from ..notices import Notice

if TYPE_CHECKING:
    from .study import Plan

__all__ = ["EstimandSection", "IntercurrentEvent", "MissingDataSection", "effect_notices", "may_say_effect"]

EFFECT = re.compile(r"\beffect(?:s|ive|iveness|ively)?\b|\beffekt(?:er|en|ene|iv|ivt|ive)?\b", re.IGNORECASE)
MODEL_WORDS = re.compile(
    r"\b(?:fixed|random|mixed|floor|ceiling)[ -](?:and[ -]\w+[ -])?effects?\b"
    r"|\b(?:faste|tilfeldige|blandede) effekte[rn]\w*",
    re.IGNORECASE,
)
"""Effects that are parts of a model or of a scale, and claim no cause."""

Said = Annotated[str, Field(min_length=1)]


class IntercurrentEvent(BaseModel):
    """One of `estimand.intercurrent_events`: something after baseline that changes what a score means, or whether it
    exists; a score that is only missing is not one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    event: Said = Field(description="What happens, such as full-time sick leave, a new job or psychotherapy.")
    strategy: Literal[
        "treatment policy", "hypothetical", "composite variable", "while on treatment", "principal stratum"
    ] = Field(
        description="How it is dealt with, by the names of ICH E9(R1); treatment policy takes scores as they are, "
        "whether or not it happened."
    )
    note: str = Field("", description="A sentence on why, or on how it is carried out.")


class EstimandSection(BaseModel):
    """`[estimand]`: what is to be estimated, by the five attributes of ICH E9(R1), for a cohort."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        json_schema_extra={
            "if": {"properties": {"causal": {"const": True}}, "required": ["causal"]},
            "then": {"required": ["assumptions"]},
        },
    )

    population: Said = Field(description="The people about whom something is to be said.")
    variable: Said = Field(description="What is measured in each person, and when.")
    exposure: Said = Field(
        description="What is compared (the attribute `treatment` of E9): an exposure, or a contrast of times."
    )
    intercurrent_events: tuple[IntercurrentEvent, ...] = Field(
        (), strict=False, description="What may happen after baseline, with the strategy for each."
    )
    summary: Said = Field(description="How persons are summed up, such as the difference of two means.")
    causal: bool = Field(
        False, description='Whether the analysis is causal; only then may the report be headed with the word "effect".'
    )
    assumptions: str = Field("", description="Under which assumptions it is causal; needed where causal = true.")


class MissingDataSection(BaseModel):
    """`[missing_data]`: the plan for missing data, made before they are looked at (TARMOS, step 1)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    reasons: Said = Field(description="Why scores are expected to be missing.")
    mechanism: Literal["missing completely at random", "missing at random", "missing not at random"] = Field(
        "missing at random", description="What the primary analysis assumes about the missing scores."
    )
    justification: Said = Field(description="Why the primary analysis is believed to be valid under these reasons.")
    auxiliaries: tuple[str, ...] = Field(
        (),
        strict=False,
        description="Columns outside the model that tell about the missing: by them the assumption is made believable "
        "where [sensitivity] imputes.",
    )
    complete_records: str = Field(
        "", description="Whether an analysis of complete records alone would be valid, and why or why not."
    )
    sensitivity: str = Field("", description="Which analyses are planned under other assumptions.")


def may_say_effect(estimand: EstimandSection | None) -> bool:
    """Whether an estimate may be called an effect: only where the estimand says that the analysis is causal.

    >>> may_say_effect(None)
    False
    """
    return estimand is not None and estimand.causal


def check_estimand(estimand: EstimandSection | None) -> list[Problem]:
    """A causal analysis that does not say under which assumptions it is."""
    if estimand is None or not estimand.causal or estimand.assumptions.strip():
        return []
    return [
        Problem(
            "E-STUDY-MISSING",
            "`estimand.causal` is true and `estimand.assumptions` is missing.",
            "In a cohort an estimate is causal under assumptions only, and a reader must be able to judge them.",
            'Write assumptions = "..." to [estimand], or causal = false.',
        )
    ]


def effect_notices(plan: Plan) -> tuple[Notice, ...]:
    """A notice where the study's own words speak of an effect and its estimand is not causal; `N-STUDY-EFFECT`."""
    if may_say_effect(plan.estimand):
        return ()
    found = [path for path, text in _own_words(plan).items() if EFFECT.search(MODEL_WORDS.sub("", text))]
    if not found:
        return ()
    return (
        Notice(
            "N-STUDY-EFFECT",
            f'The study file says "effect" in {", ".join(f"`{path}`" for path in found)}, and its analysis is not '
            "declared as causal.",
            'Write "change", "difference" or "association"; or add [estimand] with causal = true and the assumptions.',
        ),
    )


def _own_words(plan: Plan) -> Mapping[str, str]:
    """What the report copies from the study file, by key path."""
    words = {"title": plan.title, "description": plan.description}
    for name, outcome in plan.outcomes.items():
        words |= {f"outcomes.{name}.label": outcome.label, f"outcomes.{name}.note": outcome.note}
    words |= {f"covariates.{name}.label": covariate.label for name, covariate in plan.covariates.items()}
    estimand, missing = plan.estimand, plan.missing_data
    if estimand is not None:
        words |= {f"estimand.{key}": str(getattr(estimand, key)) for key in ("population", "variable", "exposure")}
        words |= {"estimand.summary": estimand.summary, "estimand.assumptions": estimand.assumptions}
    if missing is not None:
        words |= {f"missing_data.{key}": str(getattr(missing, key)) for key in ("reasons", "justification")}
        words |= {f"missing_data.{key}": str(getattr(missing, key)) for key in ("complete_records", "sensitivity")}
    if plan.analysis.adjustment:
        words |= {f"analysis.adjustment.{term}": reason for term, reason in plan.analysis.adjustment.items()}
    return words
