"""The study file read as a whole: `read_study(path) -> Plan`. Whatever is wrong with the file is said at once, by key
path or line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ..cohort import Cohort, Visits
from ..cohort.dates import Timing
from ..cohort.problems import problems
from ..cohort.sections import (
    CovariateSection,
    DataSection,
    DisclosureSection,
    OutcomeSection,
    ScoreSection,
    WindowSection,
    cohort_from_sections,
    nothing_measured,
)
from ..cohort.study_file import parsed_study, study_bytes
from ..display import Shown, Table
from ..display.escape import for_terminal
from ..errors import Problem, StudyError, did_you_mean
from ..models.degrees_of_freedom import DF_METHODS
from ..power.sections import PowerSection
from ..sensitivity.sections import SensitivitySection
from .estimand import EstimandSection, MissingDataSection, check_estimand, may_say_effect
from .events import EventSection, check_events
from .questions import check_questions, multiplicity, unadjusted_terms
from .sections import CONFIG_VERSION, AnalysisSection, FlowSection, ReportSection, StudyFile
from .terms import check_terms, formula

__all__ = ["Plan", "plan_of", "read_study", "schema"]

EXACT = ("exact_years",)
OPTIONAL = {
    "analysis": ("primary", "adjustment"),
    "report": ("language", "checklist", "authors", "funding", "ethics"),
}
"""Keys that the echo leaves out where nothing is said by them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan(Shown):
    """A whole analysis as a study file declares it: what the data are, what is asked of them, what is written.

    Attributes
    ----------
    path : Path
        The study file; the data file is found from its folder.
    sha256 : str
        Of the study file's bytes.
    title, description : str
    data, visits, outcomes, covariates, disclosure, analysis, report
        The sections of the file, with every default filled in; `visits` maps labels to years, `outcomes` and
        `covariates` map columns to sections.
    """

    path: Path
    sha256: str
    title: str
    description: str
    data: DataSection
    visits: Mapping[str, float]
    outcomes: Mapping[str, OutcomeSection]
    covariates: Mapping[str, CovariateSection]
    disclosure: DisclosureSection
    analysis: AnalysisSection
    report: ReportSection
    visit_windows: Mapping[str, float | WindowSection] = field(default_factory=dict)
    scores: Mapping[str, ScoreSection] = field(default_factory=dict)
    flow: FlowSection = field(default_factory=FlowSection)
    sensitivity: SensitivitySection | None = None
    estimand: EstimandSection | None = None
    missing_data: MissingDataSection | None = None
    power: PowerSection | None = None
    events: Mapping[str, EventSection] = field(default_factory=dict)

    @property
    def df(self) -> str:
        """The method for degrees of freedom, resolved."""
        return self.analysis.df or ("kenward-roger" if self.analysis.method == "reml" else "satterthwaite")

    def formula(self, outcome: str) -> str:
        """The formula of the model for one outcome.

        Raises
        ------
        StudyError
            `E-STUDY-COLUMN` where the study has no such outcome.
        """
        if outcome not in self.outcomes:
            raise StudyError(
                "E-STUDY-COLUMN",
                f"`{outcome}` is not an outcome of the study.",
                f"Its outcomes are: {', '.join(self.outcomes)}.",
                did_you_mean(outcome, self.outcomes),
            )
        return formula(outcome, self.analysis.terms, self.columns)

    @property
    def columns(self) -> tuple[str, ...]:
        """What terms may name besides the visit."""
        return (*EXACT, *self.covariates)

    @property
    def unadjusted_terms(self) -> tuple[str, ...]:
        """The terms without those for adjustment; empty where `analysis.adjustment` names none."""
        return unadjusted_terms(self.analysis, self.columns)

    @property
    def may_say_effect(self) -> bool:
        """Whether an estimate may be called an effect: only where the estimand is causal."""
        return may_say_effect(self.estimand)

    @property
    def multiplicity(self) -> tuple[str, ...]:
        """What is primary, what is secondary, and exactly which p values are adjusted together, as sentences."""
        return multiplicity(self)

    @property
    def doubted(self) -> tuple[str, ...]:
        """The outcomes that `[sensitivity]` examines."""
        if self.sensitivity is None:
            return ()
        return self.sensitivity.outcomes or tuple(self.outcomes)[:1]

    def cohort(self) -> Cohort:
        """Read and check the data that the study file declares."""
        return cohort_from_sections(
            self.data,
            self.visits,
            {name: section for name, section in self.outcomes.items() if name not in self.scores},
            self.covariates,
            self.disclosure,
            windows=self.visit_windows,
            scores=self.scores,
            folder=self.path.parent,
        )

    def echo(self) -> dict[str, Any]:
        """The plan with every default written out, as a study file would say it; without the numbers of `[flow]`, which
        stand in the participant flow, where the gate for privacy sees them.
        """
        sections: dict[str, BaseModel] = {
            "data": self.data,
            "disclosure": self.disclosure,
            "analysis": self.analysis.model_copy(update={"df": self.df}),
            "report": self.report,
        }
        plain = {name: section.model_dump(mode="json") for name, section in sections.items()}
        for name, keys in OPTIONAL.items():
            for key in keys:
                if not _is_said(sections[name], key):
                    del plain[name][key]
        return {
            "config_version": CONFIG_VERSION,
            "title": self.title,
            "description": self.description,
            "data": plain["data"],
            "visits": dict(self.visits),
            "visit_windows": {
                label: window.model_dump() if isinstance(window, WindowSection) else window
                for label, window in self.visit_windows.items()
            },
            "outcomes": {name: section.model_dump(mode="json") for name, section in self.outcomes.items()},
            "scores": {name: section.model_dump(mode="json") for name, section in self.scores.items()},
            "covariates": {name: section.model_dump(mode="json") for name, section in self.covariates.items()},
            "disclosure": plain["disclosure"],
            **({} if self.estimand is None else {"estimand": self.estimand.model_dump(mode="json")}),
            **({} if self.missing_data is None else {"missing_data": self.missing_data.model_dump(mode="json")}),
            **({} if self.power is None else {"power": self.power.model_dump(mode="json", exclude_none=True)}),
            "analysis": plain["analysis"],
            **(
                {"events": {name: section.model_dump(mode="json") for name, section in self.events.items()}}
                if self.events
                else {}
            ),
            **({} if self.sensitivity is None else {"sensitivity": self.sensitivity.model_dump(mode="json")}),
            "report": plain["report"],
        }

    def _tables(self) -> tuple[Table, ...]:
        from .representation import plan_tables

        return plan_tables(self)

    def __repr__(self) -> str:
        return for_terminal(
            f"<Plan: {self.title}; outcomes {', '.join(self.outcomes)}; terms {', '.join(self.analysis.terms)}>"
        )


def read_study(path: str | Path) -> Plan:
    """Read a study file (TOML); the data are not opened yet.

    Raises
    ------
    StudyError
        With every problem found (`.problems`): `E-STUDY-FILE`, `E-STUDY-SYNTAX` (with its line), `E-STUDY-VERSION`,
        `E-STUDY-KEY`, `E-STUDY-MISSING`, `E-STUDY-VALUE`, `E-STUDY-TERM`.
    """
    path = Path(path)
    return plan_of(path, study_bytes(path))


def plan_of(path: Path, raw: bytes) -> Plan:
    """The plan of a study file whose bytes are `raw`; refuses as `read_study`."""
    document = parsed_study(raw)
    _check_version(document)
    without = nothing_measured(document)
    try:
        study = StudyFile.model_validate(document)
    except ValidationError as error:
        raise StudyError.of([*problems(error.errors(include_url=False), schema()), *without]) from None
    wrong = [*without, *_check_visits(study), *_check_df(study)]
    wrong += _check_scores(study)
    wrong += _check_sensitivity(study)
    wrong += _check_missing_data(study)
    wrong += check_estimand(study.estimand)
    wrong += _check_power(study)
    terms = check_terms(study.analysis.terms, outcomes=(*study.outcomes, *study.scores), covariates=_covariates(study))
    wrong += terms
    if not terms:
        outcomes = (*study.outcomes, *study.scores)
        wrong += check_events(study.events, study.analysis, _covariates(study), outcomes)
    if not terms and not wrong:
        outcomes = (*study.outcomes, *study.scores)
        wrong += check_questions(study.analysis, study.visits, outcomes, _covariates(study))
    if wrong:
        raise StudyError.of(wrong)
    made = {name: section.outcome(name) for name, section in study.scores.items()}
    return Plan(
        path=path,
        sha256=hashlib.sha256(raw).hexdigest(),
        title=study.title or path.stem.replace("_", " ").replace("-", " ").capitalize(),
        description=study.description,
        data=study.data,
        visits=dict(study.visits),
        outcomes=dict(study.outcomes) | made,
        covariates=dict(study.covariates),
        disclosure=study.disclosure,
        analysis=study.analysis,
        report=study.report,
        visit_windows=dict(study.visit_windows),
        scores=dict(study.scores),
        flow=study.flow,
        sensitivity=study.sensitivity,
        estimand=study.estimand,
        missing_data=study.missing_data,
        power=study.power,
        events=dict(study.events),
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of study files."""
    return StudyFile.model_json_schema()


def _check_version(document: Mapping[str, Any]) -> None:
    version = document.get("config_version", CONFIG_VERSION)
    if type(version) is not int or version != CONFIG_VERSION:
        raise StudyError(
            "E-STUDY-VERSION",
            f"`config_version` is {version!r}.",
            f"This version of burnout_stats reads study files with config_version = {CONFIG_VERSION}.",
            "Write that number, or use the version of burnout_stats that the file was written for.",
        )


def _check_sensitivity(study: StudyFile) -> list[Problem]:
    """Outcomes and auxiliaries that the study does not have."""
    asked = study.sensitivity
    if asked is None:
        return []
    outcomes = (*study.outcomes, *study.scores)
    known = (*outcomes, *study.covariates)
    named = [("sensitivity.outcomes", name, outcomes) for name in asked.outcomes]
    named += [("sensitivity.norms", name, outcomes) for name in asked.norms]
    named += [("sensitivity.stabilities", name, outcomes) for name in asked.stabilities]
    named += [("sensitivity.auxiliaries", name.partition("[")[0], known) for name in asked.auxiliaries or ()]
    problems = _unknown_columns(named)
    if "visit" not in study.analysis.terms:
        problems.append(
            Problem(
                "E-STUDY-VALUE",
                "[sensitivity] is asked of a model without `visit`.",
                "Its question is the change from visit to visit.",
                'Put "visit" among `analysis.terms`.',
            )
        )
    return problems


def _check_missing_data(study: StudyFile) -> list[Problem]:
    """Auxiliaries that the study does not have."""
    if study.missing_data is None:
        return []
    known = (*study.outcomes, *study.scores, *study.covariates)
    auxiliaries = study.missing_data.auxiliaries
    return _unknown_columns([("missing_data.auxiliaries", name.partition("[")[0], known) for name in auxiliaries])


def _check_power(study: StudyFile) -> list[Problem]:
    """An outcome that the study does not have, or a plan whose numbers do not fit together."""
    if study.power is None:
        return []
    outcomes = (*study.outcomes, *study.scores)
    wrong = _unknown_columns([("power.outcome", study.power.outcome, outcomes)])
    try:
        study.power.design(study.visits)
    except StudyError as error:
        wrong += [replace(problem, seen=f"[power] {problem.seen}") for problem in error.problems]
    return wrong


def _unknown_columns(named: Sequence[tuple[str, str, Sequence[str]]]) -> list[Problem]:
    """The names that are not among the columns they should be among, with their key paths."""
    return [
        Problem(
            "E-STUDY-COLUMN",
            f"`{path}` names `{name}`.",
            f"The study has: {', '.join(columns)}.",
            did_you_mean(name, columns) or "Name one of them.",
        )
        for path, name, columns in named
        if name not in columns
    ]


def _covariates(study: StudyFile) -> tuple[str, ...]:
    """What terms may name besides the visit."""
    return (*(EXACT if study.data.date is not None else ()), *study.covariates)


def _check_visits(study: StudyFile) -> Sequence[Problem]:
    try:
        visits = Visits.of(study.visits)
        windows = {
            label: window.model_dump() if isinstance(window, WindowSection) else window
            for label, window in study.visit_windows.items()
        }
        Timing.of(study.data.date, windows, study.data.outside, visits)
    except StudyError as error:
        return error.problems
    return ()


def _check_scores(study: StudyFile) -> list[Problem]:
    found: list[Problem] = []
    for name, section in study.scores.items():
        if name in study.outcomes or name in study.covariates:
            found.append(
                Problem(
                    "E-STUDY-ROLES",
                    f"`{name}` is declared under [scores] and as a column.",
                    "A score is made from items and has a name of its own.",
                    "Give one of them another name.",
                )
            )
            continue
        try:
            section.wanted(name)
        except StudyError as error:
            found += [replace(problem, seen=f"[scores.{name}]: {problem.seen}") for problem in error.problems]
    return found


def _check_df(study: StudyFile) -> list[Problem]:
    asked = study.analysis
    if asked.df is None or asked.method == "reml" or not DF_METHODS[asked.df].reml_only:
        return []
    return [
        Problem(
            "E-STUDY-VALUE",
            f"`analysis.df` is {asked.df!r} with `analysis.method` {asked.method!r}.",
            "This method for degrees of freedom is derived for restricted maximum likelihood.",
            'Write method = "reml", or df = "satterthwaite".',
        )
    ]


def _is_said(section: BaseModel, key: str) -> bool:
    """Whether a section says something by this key that its default does not say."""
    return bool(getattr(section, key) != type(section).model_fields[key].get_default(call_default_factory=True))
