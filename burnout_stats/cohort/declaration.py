"""What is said about a data source before it is opened: which column is what. The call of `read_cohort` and the study
file both become this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from ..errors import StudyError, did_you_mean
from ..estimates import Policy
from .columns import MissingCodes
from .dates import Timing
from .dialects import ENCODINGS, SEPARATORS
from .roles import Covariate, Outcome, Visits

__all__ = ["Declaration", "covariate_roles", "outcome_roles"]

Role = TypeVar("Role", Outcome, Covariate)

DECIMALS = (".", ",")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """Which columns of a source are the subject, the visit, the outcomes and the covariates, and how its cells are to
    be read.

    `covariates` is None where every remaining column is one. `wide` is a pattern such as `{outcome}_{visit}`;
    `visit_codes` maps what the source writes for a visit to its label. `timing` says which column holds the dates of
    assessment, where there is one. `is_part` is true for the parts of a stream:
    what one part lacks may stand in another.
    """

    subject: str
    visit: str | None
    visits: Visits
    outcomes: Mapping[str, Outcome]
    covariates: Mapping[str, Covariate] | None = None
    wide: str | None = None
    visit_codes: Mapping[str, str] = field(default_factory=dict)
    missing: MissingCodes = field(default_factory=MissingCodes)
    separator: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    policy: Policy = field(default_factory=Policy)
    is_part: bool = False
    sheet: str | None = None
    timing: Timing | None = None

    def __post_init__(self) -> None:
        self._check_layout()
        self._check_roles()
        _among("separator", self.separator, SEPARATORS)
        _among("decimal", self.decimal, DECIMALS)
        _among("encoding", self.encoding, ENCODINGS)

    @property
    def date(self) -> str | None:
        """The column of dates."""
        return None if self.timing is None else self.timing.column

    def _check_layout(self) -> None:
        if (self.visit is None) == (self.wide is None):
            raise StudyError(
                "E-STUDY-LAYOUT",
                "Neither `visit` nor `wide` is given." if self.visit is None else "Both `visit` and `wide` are given.",
                "A long source names its visit column, a wide one the pattern of its columns.",
                'Write visit = "visit", or wide = "{outcome}_{visit}".',
            )
        if self.wide is not None and (self.wide.count("{outcome}") != 1 or self.wide.count("{visit}") != 1):
            raise StudyError(
                "E-STUDY-LAYOUT",
                f"`wide` is {self.wide!r}.",
                "The pattern holds {outcome} and {visit}, each once.",
                'Write for example wide = "{outcome}_{visit}".',
            )
        unknown = [label for label in self.visit_codes.values() if label not in self.visits.labels]
        if unknown:
            raise StudyError(
                "E-STUDY-VISITS",
                f"`visit_codes` names the visit `{unknown[0]}`.",
                f"The visits are: {', '.join(self.visits.labels)}.",
                did_you_mean(unknown[0], self.visits.labels) or 'Write for example visit_codes = {t0 = "baseline"}.',
            )

    def _check_roles(self) -> None:
        if not self.outcomes:
            raise StudyError(
                "E-STUDY-ROLES",
                "No outcome is declared.",
                "A cohort has at least one score.",
                'Write for example outcomes=["exhaustion"].',
            )
        roles = [
            name
            for name in (self.subject, self.visit, self.date, *self.outcomes, *(self.covariates or ()))
            if name is not None
        ]
        twice = sorted({name for name in roles if roles.count(name) > 1})
        if twice:
            raise StudyError(
                "E-STUDY-ROLES",
                f"Column `{twice[0]}` is declared in two roles.",
                "A column is the subject, the visit, the date, an outcome or a covariate.",
                "Name it once.",
            )


def outcome_roles(declared: Mapping[str, Any] | Iterable[Any] | str) -> dict[str, Outcome]:
    """Outcomes by name from names, roles, or a mapping of name to role or keywords."""
    return _roles(declared, Outcome)


def covariate_roles(declared: Mapping[str, Any] | Iterable[Any] | str) -> dict[str, Covariate]:
    """Covariates by name from names, roles, or a mapping of name to role or keywords."""
    return _roles(declared, Covariate)


def _roles(declared: Mapping[str, Any] | Iterable[Any] | str, kind: type[Role]) -> dict[str, Role]:
    if isinstance(declared, str):
        declared = [declared]
    if not isinstance(declared, Mapping):
        declared = {
            item.name if isinstance(item, kind) else str(item): item if isinstance(item, kind) else None
            for item in declared
        }
    return {str(name): _role(str(name), said, kind) for name, said in declared.items()}


def _role(name: str, said: object, kind: type[Role]) -> Role:
    if said is None:
        return kind(name)
    if isinstance(said, kind):
        return replace(said, name=name)
    known = [item.name for item in fields(kind) if item.name != "name"]
    if not isinstance(said, Mapping):
        raise StudyError(
            "E-STUDY-VALUE",
            f"`{name}` is declared by a {type(said).__name__}.",
            f"It is a mapping with keys among: {', '.join(known)}.",
            f'Write for example {{"{name}": {{"label": "..."}}}}.',
        )
    for key in said:
        if key not in known:
            raise StudyError(
                "E-STUDY-KEY",
                f"Key `{name}.{key}` is not known.",
                f"`{name}` may hold: {', '.join(known)}.",
                did_you_mean(str(key), known),
            )
    told = dict(said)
    try:
        if told.get("range") is not None:
            low, high = told["range"]
            told["range"] = (float(low), float(high))
        if told.get("levels") is not None:
            told["levels"] = tuple(str(level) for level in told["levels"])
    except (TypeError, ValueError):
        raise StudyError(
            "E-STUDY-VALUE",
            f"`{name}` has a range or levels that cannot be read.",
            "A range is two numbers, levels are a list of texts.",
            'Write for example range=[1, 5] or levels=["F", "M"].',
        ) from None
    return kind(name, **told)


def _among(key: str, value: str | None, known: Iterable[str]) -> None:
    names = list(known)
    if value is not None and value not in names:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`{key}` is {value!r}.",
            f"It is one of: {', '.join(map(repr, names))}.",
            did_you_mean(value, names) or "Leave it out to have it detected.",
        )
