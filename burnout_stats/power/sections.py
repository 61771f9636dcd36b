"""`[power]` of a study file: what the study was planned with, so that the plan is stored with the study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from ._design import CohortDesign

__all__ = ["PowerSection"]

Means = Annotated[tuple[FiniteFloat, ...], Field(strict=False, min_length=1)]
Row = Annotated[tuple[FiniteFloat, ...], Field(strict=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Side = Literal["two-sided", "less", "greater"]


class PowerSection(BaseModel):
    """`[power]`: the design that the number of persons was chosen for."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    outcome: str = Field(min_length=1, description="The outcome that the study was planned by.")
    n: int = Field(ge=1, description="Persons to enroll, in all arms together.")
    power: float | None = Field(None, gt=0, lt=1, description="The power that n was chosen by.")
    half_width: float | None = Field(None, gt=0, description="The half-width of the interval that n was chosen by.")
    assurance: float | None = Field(
        None, gt=0, lt=1, description="The probability with which the half-width is to be kept."
    )
    means: dict[str, Means] = Field(
        min_length=1, max_length=2, description="Assumed means at the visits by arm; one arm may have any name."
    )
    sd: Means = Field(description="Assumed standard deviations at the visits.")
    correlation: Annotated[tuple[Row, ...], Field(strict=False)] = Field(
        description="Assumed correlations of the scores of a person, visits × visits."
    )
    patterns: dict[str, dict[str, Share]] = Field(
        default_factory=dict,
        description='Shares of the patterns of visits by arm, "110" for those who are seen at the first two of three.',
    )
    allocation: dict[str, float] = Field(default_factory=dict, description="Shares of the arms; equal where left out.")
    contrasts: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        (), description='The planned contrasts, such as "3 years - baseline".'
    )
    null: FiniteFloat = Field(0.0, description="The difference that is tested against.")
    alternative: Side = Field("two-sided", description="The side that is tested.")
    conf_level: float = Field(0.95, gt=0.5, lt=1, description="Coverage of the intervals; tests have 1 less that.")
    covariance: str = Field("us", description="Covariance structure of the planned model.")
    df: str = Field("kenward-roger", description="Degrees of freedom of the planned tests.")
    baseline: Literal["free", "common"] = Field("free", description="Whether two arms share the mean at baseline.")
    unit: str = Field("", description="The unit of the outcome.")
    better: str = Field("lower", description="Which scores are better.")
    sources: dict[str, str] = Field(default_factory=dict, description="Where the inputs are from, by their names.")

    def design(self, visits: Mapping[str, float]) -> CohortDesign:
        """The design that the section describes, at the visits of the study.

        Raises
        ------
        StudyError
            `E-STUDY-DESIGN`, `E-STUDY-OPTION`.
        """
        return CohortDesign(
            self.means,
            sd=self.sd,
            correlation=self.correlation,
            visits=visits,
            contrasts=self.contrasts,
            patterns=self.patterns,
            n=self.n,
            allocation=self.allocation,
            null=self.null,
            alternative=self.alternative,
            conf_level=self.conf_level,
            covariance=self.covariance,
            df=self.df,
            baseline=self.baseline,
            outcome=self.outcome,
            unit=self.unit,
            better=self.better,
            sources=self.sources,
        )
