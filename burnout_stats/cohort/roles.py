"""What the columns of a cohort are: visits on a time axis, outcomes with a scale and a direction, covariates with
levels or a unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import StudyError

__all__ = ["RESERVED", "Covariate", "Outcome", "Visits"]

RESERVED = frozenset(
    (
        "subject visit years exact_years outcome term contrast estimate std_error num_df df statistic p_value "
        "conf_low conf_high n method hidden"
    ).split()
)
"""Names that mean a role or a column of Estimates; a column of the user's with another meaning may not bear one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A score: its name, a label for people, the range of its scale, its unit, which end is better, and its instrument.

    `range` is (lowest, highest) or None; `better` is "lower", "higher" or "" where nobody said; `instrument` is a key
    such as "hads_depression".
    """

    name: str
    label: str = ""
    range: tuple[float, float] | None = None
    unit: str = ""
    better: str = ""
    instrument: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if not self.label:
            object.__setattr__(self, "label", self.name[:1].upper() + self.name[1:].replace("_", " "))
        if self.range is not None and not self.range[0] < self.range[1]:
            raise StudyError(
                "E-STUDY-VALUE",
                f"The range of `{self.name}` is {list(self.range)}.",
                "A range is [lowest, highest], the lowest first.",
                "Write for example range = [1, 5].",
            )


@dataclass(frozen=True, slots=True)
class Covariate:
    """A property of a subject or of a visit: categorical where `levels` are given (the first is the reference), numeric
    otherwise.

    With `constant` true it may not change within a subject; where nothing is said, that holds for columns named like
    sex, gender or year of birth.
    """

    name: str
    label: str = ""
    levels: tuple[str, ...] | None = None
    unit: str = ""
    constant: bool | None = None

    def __post_init__(self) -> None:
        if not self.label:
            object.__setattr__(self, "label", self.name[:1].upper() + self.name[1:].replace("_", " "))


@dataclass(frozen=True, slots=True)
class Visits:
    """Visit labels with years since baseline, ordered by years: `Visits.of({"baseline": 0, "1 year": 1, "3 years":
    3})`.
    """

    labels: tuple[str, ...]
    years: tuple[float, ...]

    @classmethod
    def of(cls, times: Mapping[str, float]) -> Visits:
        """Visits from a mapping of label to years.

        Raises
        ------
        StudyError
            `E-STUDY-VISITS` for no visit, or two visits at the same time.
        """
        pairs = sorted(((float(years), str(label)) for label, years in times.items()))
        years = tuple(year for year, _ in pairs)
        if not pairs or len(set(years)) < len(years):
            raise StudyError(
                "E-STUDY-VISITS",
                f"The visits are {dict(times)}." if pairs else "No visits are declared.",
                "Each visit has a label and its own time in years since baseline.",
                'Write for example times={"baseline": 0, "1 year": 1, "3 years": 3}.',
            )
        return cls(tuple(label for _, label in pairs), years)

    def __len__(self) -> int:
        return len(self.labels)

    def by_label(self) -> dict[str, float]:
        """Years since baseline by label."""
        return dict(zip(self.labels, self.years, strict=True))
