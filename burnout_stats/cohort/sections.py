"""What a study file says about its data: `[data] [visits] [outcomes] [covariates] [disclosure]`, as pydantic models,
and the cohort they describe.

The plan floor composes these sections with its own; `read_cohort` reads them alone and leaves the rest of the file to
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from ..errors import StudyError
from ..estimates import Policy
from .cohort import Cohort
from .columns import MissingCodes, plain
from .declaration import Declaration
from .problems import problems
from .read import as_path, read_file
from .roles import Covariate, Outcome, Visits
from .study_file import parsed_study, study_bytes

__all__ = [
    "CohortSections",
    "CovariateSection",
    "DataSection",
    "DisclosureSection",
    "OutcomeSection",
    "cohort_from_sections",
    "read_sections",
]


def _level(value: object) -> object:
    return plain(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


Level = Annotated[str, BeforeValidator(_level)]


class Section(BaseModel):
    """A table of a study file: unknown keys are errors, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DataSection(Section):
    """`[data]`: the file and its columns."""

    file: str = Field(min_length=1, description="The CSV file, relative to the study file and in its folder.")
    subject: str = Field(min_length=1, description="The column that identifies the subject.")
    visit: str | None = Field(
        None, description="The column of visit labels, in a file with a row for each subject and visit."
    )
    wide: str | None = Field(
        None, description="The pattern of columns in a file with a row for each subject, such as {outcome}_{visit}."
    )
    visit_codes: dict[str, str] = Field(
        default_factory=dict, description="What the file writes for a visit, to its label."
    )
    missing_codes: tuple[int | float | str, ...] = Field(
        (), strict=False, description="Codes that mean a missing value in outcomes and covariates."
    )
    separator: Literal[",", ";", "\t"] | None = Field(
        None, description="Between the fields of a line; detected where nothing is said."
    )
    decimal: Literal[".", ","] | None = Field(
        None, description="The decimal mark of the whole file; detected where nothing is said."
    )
    encoding: Literal["utf-8", "utf-16", "cp1252", "latin-1"] | None = Field(
        None, description="How letters are stored; detected where nothing is said."
    )

    @model_validator(mode="after")
    def _layout(self) -> DataSection:
        if (self.visit is None) == (self.wide is None):
            raise ValueError(
                '[data] needs either visit = "visit" (a long file) or wide = "{outcome}_{visit}" (a wide one)'
            )
        return self


class OutcomeSection(Section):
    """`[outcomes.<column>]`: a score."""

    label: str = Field("", description="What people call the score; the name of the column where nothing is said.")
    range: tuple[FiniteFloat, FiniteFloat] | None = Field(
        None, strict=False, description="The lowest and the highest possible score."
    )
    unit: str = Field("", description="What the score counts.")
    better: Literal["lower", "higher", ""] = Field("", description="Which end of the scale is better.")
    instrument: str = Field("", description="The key of the instrument.")
    note: str = Field("", description="A sentence for tables.")

    @model_validator(mode="after")
    def _order(self) -> OutcomeSection:
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError("a range is [lowest, highest], the lowest first")
        return self

    def role(self, name: str) -> Outcome:
        """The outcome that the section describes."""
        return Outcome(name, self.label, self.range, self.unit, self.better, self.instrument, self.note)


class CovariateSection(Section):
    """`[covariates.<column>]`: a property of a subject or of a visit."""

    label: str = Field("", description="What people call it; the name of the column where nothing is said.")
    levels: tuple[Level, ...] | None = Field(
        None, min_length=1, strict=False, description="The categories, the reference first."
    )
    unit: str = Field("", description="The unit of a number.")

    @model_validator(mode="after")
    def _once(self) -> CovariateSection:
        if self.levels is not None and len(set(self.levels)) < len(self.levels):
            raise ValueError("each level stands once")
        return self

    def role(self, name: str) -> Covariate:
        """The covariate that the section describes."""
        return Covariate(name, self.label, self.levels, self.unit)


class DisclosureSection(Section):
    """`[disclosure]`: how small a group may be shown."""

    min_cell: int = Field(5, ge=1, description="The smallest number of persons that may be shown; 1 shows everything.")


class CohortSections(BaseModel):
    """The sections of a study file that describe its data; other tables belong to other floors."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    data: DataSection
    visits: dict[str, FiniteFloat] = Field(min_length=1)
    outcomes: dict[str, OutcomeSection] = Field(min_length=1)
    covariates: dict[str, CovariateSection] = Field(default_factory=dict)
    disclosure: DisclosureSection = Field(default_factory=DisclosureSection)

    def cohort(self, folder: Path) -> Cohort:
        """The cohort that the sections describe, its file found from `folder`."""
        return cohort_from_sections(
            self.data, self.visits, self.outcomes, self.covariates, self.disclosure, folder=folder
        )


def cohort_from_sections(
    data: DataSection,
    visits: Mapping[str, float],
    outcomes: Mapping[str, OutcomeSection],
    covariates: Mapping[str, CovariateSection],
    disclosure: DisclosureSection,
    *,
    folder: Path,
) -> Cohort:
    """Read and check the data that a study file declares; only its declared covariates are read.

    Raises
    ------
    StudyError
        `E-STUDY-FILE` where the data file is not in the study file's folder, and what `read_cohort` raises.
    DataError
        As `read_cohort`.
    """
    declaration = Declaration(
        subject=data.subject,
        visit=data.visit,
        visits=Visits.of(visits),
        outcomes={name: section.role(name) for name, section in outcomes.items()},
        covariates={name: section.role(name) for name, section in covariates.items()},
        wide=data.wide,
        visit_codes=data.visit_codes,
        missing=MissingCodes.of(data.missing_codes),
        separator=data.separator,
        decimal=data.decimal,
        encoding=data.encoding,
        policy=Policy(disclosure.min_cell),
    )
    return read_file(_inside(folder, data.file), declaration)


def read_sections(path: Path) -> CohortSections:
    """The sections of a study file that describe its data.

    Raises
    ------
    StudyError
        `E-STUDY-FILE`, `E-STUDY-SYNTAX`, or with the key path: `E-STUDY-KEY`, `E-STUDY-MISSING`, `E-STUDY-VALUE`.
    """
    document = parsed_study(study_bytes(path))
    try:
        return CohortSections.model_validate(document)
    except ValidationError as error:
        raise StudyError.of(problems(error.errors(include_url=False), CohortSections.model_json_schema())) from None


def _inside(folder: Path, file: str) -> Path:
    """The data file, which may not lie outside the folder of the study file, not even through a link."""
    as_path(file)
    is_absolute = PurePosixPath(file).is_absolute() or bool(PureWindowsPath(file).anchor)
    try:
        target = (folder / file).resolve()
        is_inside = not is_absolute and target.is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):
        is_inside = False
    if not is_inside:
        raise StudyError(
            "E-STUDY-FILE",
            f"`data.file` is {file!r}, which is not in the folder of the study file.",
            "The data file lies in that folder or below it, and no link leads out of it.",
            "Put both files into one folder and write the name of the data file.",
        )
    return target
