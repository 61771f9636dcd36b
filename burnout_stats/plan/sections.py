"""What the study file says about the analysis and the report: the sections `[analysis]` and `[report]`, and the file as
a whole.

Every choice among names is checked against the registry that dispatches it, so a new covariance structure is known here
without a word.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, WithJsonSchema
from pydantic_core import PydanticCustomError

from ..cohort.sections import (
    CovariateSection,
    DataSection,
    DisclosureSection,
    OutcomeSection,
    ScoreSection,
    WindowSection,
)
from ..design.grid import WEIGHTS
from ..display import NUMBER_STYLES
from ..engine.covariance import STRUCTURES
from ..engine.multiplicity import ADJUSTMENTS
from ..inference.contrasts import METHODS as CONTRASTS
from ..models.degrees_of_freedom import DF_METHODS
from ..models.spec import METHODS
from ..power.sections import PowerSection
from ..sensitivity.sections import SensitivitySection
from .estimand import EstimandSection, MissingDataSection
from .events import EventSection

__all__ = [
    "CONFIG_VERSION",
    "FORMATS",
    "AnalysisSection",
    "FlowSection",
    "PrimarySection",
    "ReportFormat",
    "ReportSection",
    "StudyFile",
]

CONFIG_VERSION = 1
ReportFormat: TypeAlias = Literal["html", "json", "csv", "docx", "pdf", "md", "tex"]
FORMATS: tuple[ReportFormat, ...] = ("html", "json", "csv")
"""What is written where nothing is said."""
FAMILY_ADJUSTMENTS = ("none", "bonferroni", "holm", "fdr")
"""Those that need p values alone, whatever goes with what: a family may hold contrasts of several models."""


def one_of(names: Iterable[str]) -> Any:
    """A check that a text is one of these names, and their list for the JSON Schema."""
    known = tuple(names)
    listed = ", ".join(f"'{name}'" for name in known)

    def check(value: str) -> str:
        if value not in known:
            raise PydanticCustomError("literal_error", "must be one of {expected}", {"expected": listed})
        return value

    return AfterValidator(check), WithJsonSchema({"type": "string", "enum": list(known)})


class PrimarySection(BaseModel):
    """`[analysis.primary]`: the questions that the study was made to answer; all others are secondary."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    outcomes: tuple[str, ...] = Field(
        min_length=1, strict=False, description="The outcomes whose contrasts are primary."
    )
    contrasts: tuple[str, ...] = Field(
        (),
        strict=False,
        description='The primary contrasts, such as "1 year - baseline"; all of `analysis.contrasts` where nothing is '
        "said.",
    )
    adjust: Annotated[str, *one_of(FAMILY_ADJUSTMENTS)] = Field(
        "none",
        description="Adjustment of the p values of the primary contrasts, of all primary outcomes together; those of "
        "secondary ones are never part of it.",
    )


class AnalysisSection(BaseModel):
    """`[analysis]`: one model for every outcome, and the questions asked of it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    model: Literal["mmrm"] = Field("mmrm", description="The kind of model: a mixed model for repeated measures.")
    terms: tuple[str, ...] = Field(
        ("visit",),
        min_length=1,
        strict=False,
        description="Fixed effects: `visit`, covariates, and interactions joined by a colon.",
    )
    covariance: Annotated[str, *one_of(STRUCTURES)] = Field("us", description="Covariance of the visits.")
    method: Annotated[str, *one_of(METHODS)] = Field("reml", description="Restricted or full maximum likelihood.")
    df: Annotated[str, *one_of(DF_METHODS)] | None = Field(
        None,
        description="Degrees of freedom; kenward-roger under reml and satterthwaite under ml where nothing is said.",
    )
    contrasts: Annotated[str, *one_of(CONTRASTS)] = Field("vs_baseline", description="Which visits are compared.")
    adjust: Annotated[str, *one_of(ADJUSTMENTS)] = Field(
        "none", description="Adjustment of p values within an outcome."
    )
    weights: Annotated[str, *one_of(WEIGHTS)] = Field("proportional", description="How means average over factors.")
    conf_level: float = Field(0.95, gt=0.5, lt=1.0, description="Coverage of the intervals.")
    primary: PrimarySection | None = Field(
        None, description="Which contrasts of which outcomes are primary; without it none is singled out."
    )
    adjustment: dict[str, Annotated[str, Field(min_length=1)]] = Field(
        default_factory=dict,
        description="Terms that are there for adjustment, each with the reason; each outcome is then fitted without "
        "them too, and the unadjusted changes stand beside the adjusted ones.",
    )


class ReportSection(BaseModel):
    """`[report]`: which files are written, and how numbers look in them."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    formats: tuple[ReportFormat, ...] = Field(
        FORMATS,
        min_length=1,
        strict=False,
        description="The files to write; html brings the figures with it, md and tex are the tables for other texts.",
    )
    number_style: Annotated[str, *one_of(NUMBER_STYLES)] = Field(
        "plain", description="How numbers are set in tables and text."
    )
    figures: bool = Field(True, description="Draw the trajectories, in the report and as SVG files.")
    seed: int = Field(1, ge=0, description="Seed of everything random in the run.")
    language: Literal["en", "nb"] = Field(
        "en", description="The language of labels and headings, and with it the decimal mark: English or bokmål."
    )
    checklist: Literal["strobe"] | None = Field(
        None, description="A reporting guideline; each item is listed with the part of the report that answers it."
    )
    authors: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        (), strict=False, description="Who made the analysis."
    )
    funding: str = Field("", description="Who paid for the study, and what part they had in it.")
    ethics: str = Field("", description="Which board approved the study, and how people consented.")


class FlowSection(BaseModel):
    """`[flow]`: how many persons there were before the data, for the participant flow."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    before: dict[str, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict, description="Stages in their order, with the number of persons in each."
    )
    reasons: dict[str, dict[str, Annotated[int, Field(ge=0)]]] = Field(
        default_factory=dict, description="Why persons took no part after a stage, with the number for each reason."
    )


class StudyFile(BaseModel):
    """A study file: what the data are, what is asked of them, and what is written."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, title="burnout_stats study file")

    config_version: Literal[1] = Field(1, description="The version of this format.")
    title: str = Field("", description="The title of the report.")
    description: str = Field(
        "", description="Setting, dates, who was eligible, how people were followed up; copied to the report."
    )
    data: DataSection = Field(description="The file and its columns.")
    visits: dict[str, FiniteFloat] = Field(min_length=1, description="Years since baseline by visit label.")
    visit_windows: dict[str, FiniteFloat | WindowSection] = Field(
        default_factory=dict, description="Days around the nominal day of a visit, by label, where dates are declared."
    )
    outcomes: dict[str, OutcomeSection] = Field(default_factory=dict, description="The scores, by column.")
    scores: dict[str, ScoreSection] = Field(
        default_factory=dict, description="Scores made from items, by the name of the outcome."
    )
    covariates: dict[str, CovariateSection] = Field(default_factory=dict, description="Other properties, by column.")
    disclosure: DisclosureSection = Field(
        default_factory=DisclosureSection, description="How small a group may be shown."
    )
    flow: FlowSection = Field(default_factory=FlowSection, description="How many persons there were before the data.")
    estimand: EstimandSection | None = Field(
        None, description="What is to be estimated (ICH E9(R1)); printed first in the report."
    )
    missing_data: MissingDataSection | None = Field(
        None, description="The plan for missing data (TARMOS); printed beside what was found."
    )
    power: PowerSection | None = Field(None, description="What the number of persons was planned with.")
    analysis: AnalysisSection = Field(default_factory=AnalysisSection, description="The model and the questions.")
    events: dict[str, EventSection] = Field(
        default_factory=dict, description="Outcomes that are counted, not measured: events, categories, counts."
    )
    sensitivity: SensitivitySection | None = Field(
        None, description="The same question under other assumptions; left out where there is no such table."
    )
    report: ReportSection = Field(default_factory=ReportSection, description="What is written, and how.")
