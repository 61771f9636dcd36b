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

from ..errors import Problem, StudyError
from ..estimates import Policy
from .cohort import Cohort
from .columns import MissingCodes, plain
from .dates import Timing
from .declaration import Declaration
from .problems import problems
from .read import as_path, read_file
from .roles import Covariate, Outcome, Visits
from .scored import Wanted, read_items, scored
from .study_file import parsed_study, study_bytes

__all__ = [
    "CohortSections",
    "CovariateSection",
    "DataSection",
    "DisclosureSection",
    "OutcomeSection",
    "ScoreSection",
    "WindowSection",
    "cohort_from_sections",
    "nothing_measured",
    "read_sections",
]


def _level(value: object) -> object:
    return plain(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Level = Annotated[str, BeforeValidator(_level)]


class Section(BaseModel):
    """A table of a study file: unknown keys are errors, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class DataSection(Section):
    """`[data]`: the file and its columns."""

    file: str = Field(
        min_length=1,
        description="The file (CSV, Excel, SPSS, Stata, SAS, Parquet, Feather), relative to the study file and in its "
        "folder.",
    )
    sheet: str | None = Field(None, min_length=1, description="The sheet of an Excel workbook that has several.")
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
    encoding: Literal["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"] | None = Field(
        None, description="How letters are stored; detected where nothing is said."
    )
    date: str | None = Field(
        None, min_length=1, description="The column of dates of assessment (2004-05-31); it becomes exact_years."
    )
    outside: Literal["keep", "drop", "refuse"] = Field(
        "keep", description="What happens to an assessment outside the window of its visit."
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


class ScoreSection(Section):
    """`[scores.<outcome>]`: a score made from items by the rules of an instrument."""

    instrument: str = Field(
        min_length=1, description="The key of an instrument with one score, or of a subscale: cbi_personal."
    )
    items: Annotated[str | Annotated[tuple[str, ...], Field(min_length=1)], BeforeValidator(_as_tuple)] = Field(
        description='The columns of the items, in order, or a pattern such as "b{item}".'
    )
    reverse: tuple[str, ...] | None = Field(
        None, strict=False, description="The columns to be turned; those of the instrument where nothing is said."
    )
    missing: Literal["own", "complete", "half"] = Field("own", description="How many answers a score needs.")
    out_of_range: Literal["refuse", "missing"] = Field(
        "refuse", description="What happens to an answer that an item cannot have."
    )
    label: str = Field("", description="What people call the score; that of the instrument where nothing is said.")
    unit: str = Field("", description="What the score counts.")

    def wanted(self, name: str) -> Wanted:
        """What is wanted, with the instrument looked up."""
        return Wanted.of(name, **self.model_dump())

    def outcome(self, name: str) -> OutcomeSection:
        """The outcome that the score becomes, as an `[outcomes]` section would describe it."""
        role = self.wanted(name).role
        return OutcomeSection(
            label=role.label,
            range=role.range,
            unit=role.unit,
            better="lower" if role.better == "lower" else "higher",
            instrument=role.instrument,
            note=role.note,
        )


class CovariateSection(Section):
    """`[covariates.<column>]`: a property of a subject or of a visit."""

    label: str = Field("", description="What people call it; the name of the column where nothing is said.")
    levels: tuple[Level, ...] | None = Field(
        None, min_length=1, strict=False, description="The categories, the reference first."
    )
    unit: str = Field("", description="The unit of a number.")
    constant: bool | None = Field(
        None, description="Whether it may not change within a person; known by the name for sex, gender, birth year."
    )

    @model_validator(mode="after")
    def _once(self) -> CovariateSection:
        if self.levels is not None and len(set(self.levels)) < len(self.levels):
            raise ValueError("each level stands once")
        return self

    def role(self, name: str) -> Covariate:
        """The covariate that the section describes."""
        return Covariate(name, self.label, self.levels, self.unit, self.constant)


class WindowSection(Section):
    """`[visit_windows]`: the window of one visit, where it is not the same on both sides."""

    before: FiniteFloat = Field(ge=0, description="Days before the nominal day of the visit.")
    after: FiniteFloat = Field(ge=0, description="Days after it.")


Windows = Mapping[str, float | WindowSection]


class DisclosureSection(Section):
    """`[disclosure]`: how small a group may be shown."""

    min_cell: int = Field(5, ge=1, description="The smallest number of persons that may be shown; 1 shows everything.")
    zeros: Literal["show", "hide"] = Field("show", description="Whether a count of 0 may be shown.")
    complementary: bool = Field(
        True, description="Whether further counts are hidden, so that small ones cannot be worked out."
    )
    extremes: bool = Field(
        False, description="Whether minima and maxima, which are single persons' values, are shown for large groups."
    )
    quasi_identifiers: tuple[str, ...] | None = Field(
        None,
        strict=False,
        description="The covariates by which outsiders might know a person; where nothing is said, the categorical "
        "ones that do not change, and age.",
    )

    def policy(self) -> Policy:
        """The policy that the section describes."""
        return Policy(self.min_cell, self.zeros, self.complementary, self.extremes, self.quasi_identifiers)


class CohortSections(BaseModel):
    """The sections of a study file that describe its data; other tables belong to other floors."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    data: DataSection
    visits: dict[str, FiniteFloat] = Field(min_length=1)
    visit_windows: dict[str, FiniteFloat | WindowSection] = Field(default_factory=dict)
    outcomes: dict[str, OutcomeSection] = Field(default_factory=dict)
    scores: dict[str, ScoreSection] = Field(default_factory=dict)
    covariates: dict[str, CovariateSection] = Field(default_factory=dict)
    disclosure: DisclosureSection = Field(default_factory=DisclosureSection)

    def cohort(self, folder: Path) -> Cohort:
        """The cohort that the sections describe, its file found from `folder`."""
        return cohort_from_sections(
            self.data,
            self.visits,
            self.outcomes,
            self.covariates,
            self.disclosure,
            windows=self.visit_windows,
            scores=self.scores,
            folder=folder,
        )


def cohort_from_sections(
    data: DataSection,
    visits: Mapping[str, float],
    outcomes: Mapping[str, OutcomeSection],
    covariates: Mapping[str, CovariateSection],
    disclosure: DisclosureSection,
    *,
    windows: Windows | None = None,
    scores: Mapping[str, ScoreSection] | None = None,
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
    times = Visits.of(visits)
    days = {
        label: said.model_dump() if isinstance(said, WindowSection) else said for label, said in (windows or {}).items()
    }
    wanted = [section.wanted(name) for name, section in (scores or {}).items()]
    own = {name: section.role(name) for name, section in outcomes.items()}
    others = {name: section.role(name) for name, section in covariates.items()}
    declaration = Declaration(
        subject=data.subject,
        visit=data.visit,
        visits=times,
        timing=Timing.of(data.date, days, data.outside, times),
        outcomes=own | read_items(wanted, (*own, *others)),
        covariates=others,
        wide=data.wide,
        visit_codes=data.visit_codes,
        missing=MissingCodes.of(data.missing_codes),
        separator=data.separator,
        decimal=data.decimal,
        encoding=data.encoding,
        sheet=data.sheet,
        policy=disclosure.policy(),
    )
    return scored(read_file(_inside(folder, data.file), declaration), wanted, own)


def read_sections(path: Path) -> CohortSections:
    """The sections of a study file that describe its data.

    Raises
    ------
    StudyError
        `E-STUDY-FILE`, `E-STUDY-SYNTAX`, or with the key path: `E-STUDY-KEY`, `E-STUDY-MISSING`, `E-STUDY-VALUE`.
    """
    document = parsed_study(study_bytes(path))
    wrong = nothing_measured(document)
    try:
        found = CohortSections.model_validate(document)
    except ValidationError as error:
        schema = CohortSections.model_json_schema()
        raise StudyError.of([*problems(error.errors(include_url=False), schema), *wrong]) from None
    if wrong:
        raise StudyError.of(wrong)
    return found


def nothing_measured(document: Mapping[str, object]) -> list[Problem]:
    """The problem of a study file without any score."""
    if document.get("outcomes") or document.get("scores"):
        return []
    return [
        Problem(
            "E-STUDY-MISSING",
            "`outcomes` is missing.",
            "A study has at least one score, as a column or made from items.",
            "Add [outcomes.<column>] or [scores.<outcome>] for each score.",
        )
    ]


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
