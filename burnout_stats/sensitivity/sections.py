"""`[sensitivity]` of a study file: which outcomes are doubted, and what is known from outside the cohort."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, WithJsonSchema
from pydantic_core import PydanticCustomError

from ..instruments import Norm, Stability
from ._strategies import STRATEGIES

__all__ = ["NormSection", "SensitivitySection", "StabilitySection"]


def _known(name: str) -> str:
    if name not in STRATEGIES:
        listed = ", ".join(f"'{known}'" for known in STRATEGIES)
        raise PydanticCustomError("literal_error", "must be one of {expected}", {"expected": listed})
    return name


StrategyName = Annotated[str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(STRATEGIES)})]


class NormSection(BaseModel):
    """`[sensitivity.norms.<outcome>]`: a reference sample."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    mean: FiniteFloat = Field(description="The mean of the reference sample, in the units of the score.")
    sd: float = Field(gt=0, description="Its standard deviation between persons.")
    n: int | None = Field(None, ge=2, description="Its size; without one the mean is taken as known without error.")
    label: str = Field("norm", description="What people call it.")
    source: str = Field("", description="Where the numbers stand.")
    drift: FiniteFloat = Field(0.0, description="How much the mean is assumed to change per year after baseline.")

    def norm(self) -> Norm:
        """The value that the section describes."""
        return Norm(self.mean, self.sd, self.n, self.label, self.source, self.drift)


class StabilitySection(BaseModel):
    """`[sensitivity.stabilities.<outcome>]`: how much of a distance from the mean remains where nothing was done."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    value: FiniteFloat = Field(description="A correlation between two occasions, or a slope.")
    n: int | None = Field(None, ge=4, description="The size of the sample that it comes from.")
    std_error: float | None = Field(None, ge=0, description="Its standard error, in place of a size.")
    kind: Literal["correlation", "slope"] = Field("correlation", description="Which of the two it is.")
    lag: float | None = Field(None, gt=0, description="Years between the occasions.")
    source: str = Field("", description="Where the number stands; from outside the cohort.")

    def stability(self) -> Stability:
        """The value that the section describes."""
        return Stability(self.value, self.n, self.std_error, self.kind, self.lag, self.source)


class SensitivitySection(BaseModel):
    """`[sensitivity]`: what else is assumed about those who were not seen, and about what would have come without
    help.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    outcomes: tuple[str, ...] = Field(
        (), strict=False, description="The outcomes to be examined; the first of the study where nothing is said."
    )
    auxiliaries: tuple[str, ...] | None = Field(
        None,
        strict=False,
        description='Variables that make "missing at random" believable: "coping" at every visit, '
        '"job_stress[baseline]" at one; where nothing is said, other scores and numbers at the first visit.',
    )
    strategies: tuple[
        Annotated[str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(STRATEGIES)})], ...
    ] = Field(
        (), strict=False, description="Assumptions about those who were not seen; the usual ones where nothing is said."
    )
    imputations: int = Field(200, ge=20, description="Imputed data sets.")
    norms: dict[str, NormSection] = Field(default_factory=dict, description="Reference samples, by outcome.")
    stabilities: dict[str, StabilitySection] = Field(
        default_factory=dict, description="Stabilities from outside the cohort, by outcome."
    )
