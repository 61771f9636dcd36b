"""A plan carried out: `run(plan) -> Results`. For each outcome the observed scores, the model, means, changes and
standardized changes.
"""

from __future__ import annotations

import os
import platform
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from .. import describe
from .._version import __version__
from ..cohort import Cohort, Outcome
from ..display import Shown, Table, Watched, teller
from ..display.escape import for_terminal
from ..errors import DisclosureError, ModelError, Problem, StudyError
from ..estimates import Estimates, Summaries
from ..inference import contrast, emmeans, standardize, summarize
from ..models import MMRM, Fit, fit
from ..notices import BurnoutStatsWarning, Notice, announce
from ..sensitivity import Dashboard, dashboard
from .estimand import effect_notices
from .events import EventResults, ask_events
from .questions import primary_family, questions_note
from .study import Plan
from .terms import formula

__all__ = ["OutcomeResults", "Progress", "Provenance", "Results", "run"]

Progress = Callable[[int, int, str], None]
"""Called with steps done, steps in all, and what comes next."""

STANDARDIZER = "the SD observed at baseline"
"""How the SD by which changes are divided is called wherever they are shown."""

LIBRARIES = ("numpy", "scipy", "pandas", "matplotlib", "jinja2", "pydantic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where the numbers come from: software, inputs, seed, and the plan with its defaults.

    `date` is that of SOURCE_DATE_EPOCH or empty, so that the same input gives the same bytes on any day. The numbers of
    rows are None where they would tell how many persons a small group has.
    """

    versions: Mapping[str, str]
    platform: str
    study_name: str
    study_sha256: str
    data_name: str
    data_sha256: str
    rows_read: int | None
    rows_kept: int | None
    dialect: Mapping[str, str]
    seed: int
    date: str
    plan: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutcomeResults(Shown):
    """All that is known about one outcome; `size` holds the numbers of subjects and scores once they are protected.

    `unadjusted` are the same changes from the model without the terms of `[analysis.adjustment]`, fitted to the same
    rows, so that nothing but the terms differs; None where no term is for adjustment.
    """

    outcome: Outcome
    observed: Summaries
    fit: Fit
    coefficients: Estimates
    means: Estimates
    changes: Estimates
    standardized: Estimates
    size: Summaries | None = None
    unadjusted: Estimates | None = None

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What should be known about this outcome's numbers; each notice names the outcome."""
        sources: list[Fit | Summaries | Estimates] = [self.fit, self.observed, self.coefficients, self.means]
        sources += [self.changes, self.standardized, *([] if self.unadjusted is None else [self.unadjusted])]
        name = self.outcome.name
        found = dict.fromkeys(notice for source in sources for notice in source.notices)
        return tuple(
            notice if f"`{name}`" in notice.message else replace(notice, message=f"`{name}`: {notice.message}")
            for notice in found
        )

    def _tables(self) -> tuple[Table, ...]:
        from .representation import outcome_tables

        return outcome_tables(self)

    def __repr__(self) -> str:
        return for_terminal(f"<OutcomeResults: {self.outcome.name}>")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Results(Shown):
    """A plan's results, in the order of the plan. `notices` are those of the data, then of each model, each once;
    `doubts` are what `[sensitivity]` asked for; `baseline` is Table 1, `attrition` the test of those who were
    lost against the others where there are enough of both, `missingness` the patterns of the visits;
    `primary` the contrasts of `[analysis.primary]`, of all its outcomes, as one family; `events` what `[events]` asked
    for.
    """

    plan: Plan
    cohort: Cohort
    flow: Summaries
    outcomes: tuple[OutcomeResults, ...]
    notices: tuple[Notice, ...]
    provenance: Provenance
    doubts: tuple[Dashboard, ...] = ()
    baseline: Summaries | None = None
    attrition: Estimates | None = None
    missingness: Summaries | None = None
    primary: Estimates | None = None
    events: tuple[EventResults, ...] = ()

    def _tables(self) -> tuple[Table, ...]:
        from .representation import results_tables

        return results_tables(self)

    def __repr__(self) -> str:
        names = ", ".join(part.outcome.name for part in self.outcomes)
        return for_terminal(f"<Results: {self.plan.title}; outcomes {names}; {len(self.notices)} notices>")


def run(plan: Plan, *, progress: Watched = None) -> Results:
    """Read the data of a plan, fit its models and ask its questions.

    Parameters
    ----------
    plan : Plan
    progress : callable or bool, optional
        Called as `progress(done, total, what)`; a bar where left out and somebody watches, none with False.

    Raises
    ------
    DataError
        Where the data are refused.
    ModelError
        Where a model has no answer; all outcomes are tried first, and all problems stand in `.problems`.
    """
    names = tuple(plan.outcomes)
    total = len(names) + len(plan.events) + len(plan.doubted) + 1
    tell = teller(progress) or _silent
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BurnoutStatsWarning)  # every notice is kept, and announced once below
        tell(0, total, "reading the data")
        cohort = plan.cohort()
        refuse_tiny(cohort)
        parts: list[OutcomeResults] = []
        problems: list[Problem] = []
        for done, name in enumerate(names, start=1):
            tell(done, total, name)
            try:
                parts.append(_outcome(plan, cohort, name))
            except ModelError as error:
                problems += [replace(problem, seen=f"{name}: {problem.seen}") for problem in error.problems]
        events: list[EventResults] = []
        for done, (name, section) in enumerate(plan.events.items(), start=len(names) + 1):
            tell(done, total, name)
            try:
                events.append(ask_events(name, section, plan.analysis, plan.columns, cohort))
            except ModelError as error:
                problems += [replace(problem, seen=f"events.{name}: {problem.seen}") for problem in error.problems]
        if problems:
            raise ModelError.of(problems)
        doubts: list[Dashboard] = []
        for done, name in enumerate(plan.doubted, start=len(names) + len(events) + 1):
            tell(done, total, f"{name} under other assumptions")
            doubts.append(_doubted(plan, cohort, name, partial(_told, tell, done, total)))
        flow = describe.flow(cohort, before=plan.flow.before, reasons=plan.flow.reasons)
        completed = _completion(cohort)
        table_one = describe.baseline(cohort, completed)
        lost = None if completed is None else describe.attrition(cohort, conf_level=plan.analysis.conf_level)
        missing = describe.missingness(cohort)
        primary = _primary(plan, parts)
    notices = (*effect_notices(plan), *_gathered(cohort, flow, [*parts, *events], doubts))
    announce(notices)
    tell(total, total, "done")
    return Results(
        plan=plan,
        cohort=cohort,
        flow=flow,
        outcomes=tuple(parts),
        notices=notices,
        provenance=provenance(plan, cohort),
        doubts=tuple(doubts),
        baseline=table_one,
        attrition=lost,
        missingness=missing,
        primary=primary,
        events=tuple(events),
    )


def refuse_tiny(cohort: Cohort) -> None:
    """Stop where the whole cohort is smaller than the smallest group that may be shown.

    Raises
    ------
    DisclosureError
        `E-DISCLOSURE-COHORT`.
    """
    if cohort.n_subjects < cohort.policy.min_cell:
        raise DisclosureError(
            "E-DISCLOSURE-COHORT",
            f"The cohort has fewer than {cohort.policy.min_cell} subjects.",
            "Numbers about so few persons may not be shown, so there is nothing to report.",
            "Check that the right file was read; set `min_cell` under [disclosure] only as the data owner allows.",
        )


def provenance(plan: Plan, cohort: Cohort) -> Provenance:
    """The provenance of a run of this plan on this cohort."""
    source = cohort.source
    return Provenance(
        versions={"burnout_stats": __version__, "python": platform.python_version()} | _versions(LIBRARIES),
        platform=f"{platform.system()} {platform.machine()}",
        study_name=plan.path.name,
        study_sha256=plan.sha256,
        data_name=source.name,
        data_sha256=source.sha256,
        rows_read=source.rows_read,
        rows_kept=source.rows_kept,
        dialect=dict(source.dialect),
        seed=plan.report.seed,
        date=_date(os.environ.get("SOURCE_DATE_EPOCH", "")),
        plan=plan.echo(),
    )


def _completion(cohort: Cohort) -> describe.Completed | None:
    """The groups of Table 1: who stayed and who was lost, where there are enough of both to be shown."""
    asked = describe.Completed()
    n = int(asked.seen(cohort).sum())
    fewest = max(cohort.policy.min_cell, 1)
    return asked if len(cohort.visits) > 1 and fewest <= n <= cohort.n_subjects - fewest else None


def _outcome(plan: Plan, cohort: Cohort, name: str) -> OutcomeResults:
    asked = plan.analysis
    observed = describe.by_visit(cohort, [name])
    model = MMRM(plan.formula(name), covariance=asked.covariance, method=asked.method)
    fitted = fit(model, cohort)
    means = emmeans(fitted, "visit", weights=asked.weights, df=plan.df, conf_level=asked.conf_level)
    changes = contrast(means, asked.contrasts, adjust=asked.adjust)
    changes = replace(changes, about=replace(changes.about, notes=(*changes.about.notes, *questions_note(plan, name))))
    return OutcomeResults(
        outcome=cohort.outcome(name),
        observed=observed,
        fit=fitted,
        coefficients=summarize(fitted, df=plan.df, conf_level=asked.conf_level),
        means=means,
        changes=changes,
        standardized=_in_baseline_sds(changes, observed, cohort.visits.labels[0]),
        unadjusted=_unadjusted(plan, cohort, fitted),
    )


def _unadjusted(plan: Plan, cohort: Cohort, adjusted: Fit) -> Estimates | None:
    """The changes of the model without the terms for adjustment, from the rows of the adjusted one: the two differ in
    nothing else, and count the same persons.
    """
    asked = plan.analysis
    terms = plan.unadjusted_terms
    if not terms:
        return None
    rows = adjusted.needed_rows()
    used = set(zip(rows.ordinal[rows.subject].tolist(), rows.visit.tolist(), strict=True))
    data = cohort.data
    keep = [key in used for key in zip(data["subject"].tolist(), data["visit"].cat.codes.tolist(), strict=True)]
    name = adjusted.outcome.name
    model = MMRM(formula(name, terms, plan.columns), covariance=asked.covariance, method=asked.method)
    means = emmeans(
        fit(model, cohort.subset(np.array(keep))),
        "visit",
        weights=asked.weights,
        df=plan.df,
        conf_level=asked.conf_level,
    )
    return contrast(means, asked.contrasts, adjust=asked.adjust)


def _primary(plan: Plan, parts: Iterable[OutcomeResults]) -> Estimates | None:
    """The primary contrasts as one family; each outcome is asked once more, without an adjustment of its own."""
    asked = plan.analysis
    if asked.primary is None:
        return None
    means = {part.outcome.name: part.means for part in parts}
    return primary_family(plan, [contrast(means[name], asked.contrasts) for name in asked.primary.outcomes])


def _in_baseline_sds(changes: Estimates, observed: Summaries, baseline: str) -> Estimates:
    """Changes divided by the SD of the scores observed at the first visit."""
    frame = observed.frame
    row = frame[frame["level"].eq(baseline) & frame["statistic"].eq("sd")]
    return standardize(changes, float(row["value"].iloc[0]), STANDARDIZER)


def _told(tell: Progress, done: int, total: int, _done: int, _total: int, what: str) -> None:
    """A step within a step, told as that."""
    tell(done, total, what)


def _doubted(plan: Plan, cohort: Cohort, name: str, progress: Progress) -> Dashboard:
    asked, model = plan.sensitivity, plan.analysis
    assert asked is not None
    norm, stability = asked.norms.get(name), asked.stabilities.get(name)
    return dashboard(
        MMRM(plan.formula(name), covariance=model.covariance, method=model.method),
        cohort,
        auxiliaries=asked.auxiliaries,
        norm=None if norm is None else norm.norm(),
        stability=None if stability is None else stability.stability(),
        strategies=asked.strategies,
        n=asked.imputations,
        seed=np.random.SeedSequence(plan.report.seed, spawn_key=tuple(name.encode())),
        conf_level=model.conf_level,
        progress=progress,
    )


def _gathered(
    cohort: Cohort,
    flow: Summaries,
    parts: Iterable[OutcomeResults | EventResults],
    doubts: Iterable[Dashboard],
) -> tuple[Notice, ...]:
    """Every notice once."""
    found = [*cohort.notices, *flow.notices]
    for part in parts:
        found += part.notices
    for doubt in doubts:
        found += doubt.notices
    return tuple(dict.fromkeys(found))


def _silent(_done: int, _total: int, _what: str) -> None:
    return None


def _versions(names: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _date(epoch: str) -> str:
    if not epoch:
        return ""
    try:
        return datetime.fromtimestamp(int(epoch), tz=UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        raise StudyError(
            "E-STUDY-DATE",
            f"SOURCE_DATE_EPOCH is {epoch!r}.",
            "It is a whole number of seconds since 1970-01-01, and the only date that a report shows.",
            "Write for example SOURCE_DATE_EPOCH=$(date +%s), or leave it out for a report without a date.",
        ) from None
