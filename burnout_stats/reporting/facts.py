"""What a report says about cohort, scales, models, plan and software, as sentences and tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..cohort import Covariate, Outcome
from ..cohort.problems import key_path
from ..display import Column, Hidden, Row, Table
from ..display.styles import EM_DASH, MINUS, fixed
from ..models import Fit
from ..plan import Provenance, Results

__all__ = ["Fact", "dictionary", "facts", "fit_table", "lede", "origin", "plan_table", "scale", "source"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One number of the masthead."""

    name: str
    value: str
    more: str = ""


def lede(results: Results) -> str:
    """The report in one sentence."""
    visits = results.cohort.visits
    return (
        f"{_counted(results.cohort.n_subjects, 'subject')} at {_counted(len(visits), 'visit')}"
        f"{_span(visits.years)}; {_counted(len(results.outcomes), 'outcome')}, "
        f"{'each with' if len(results.outcomes) > 1 else 'with'} a mixed model for repeated measures."
    )


def facts(results: Results) -> tuple[Fact, ...]:
    """The numbers of the masthead."""
    visits = results.cohort.visits
    last = visits.labels[-1]
    found = [
        Fact(name="Subjects", value=str(results.cohort.n_subjects), more="all who are in the data"),
        Fact(name="Visits", value=str(len(visits)), more=", ".join(visits.labels)),
        Fact(
            name="Outcomes",
            value=str(len(results.outcomes)),
            more=", ".join(part.outcome.label for part in results.outcomes),
        ),
    ]
    flow = results.flow.frame
    rows = flow[flow["variable"].eq("visit") & flow["level"].astype(str).eq(last) & ~flow["hidden"]].set_index(
        "statistic"
    )["value"]
    if len(visits) > 1 and "percent" in rows and "n" in rows:
        found.append(
            Fact(
                name=f"Seen at {last}",
                value=f"{fixed(float(rows['percent']), 0)}%",
                more=f"{float(rows['n']):.0f} of {results.cohort.n_subjects}",
            )
        )
    return tuple(found)


def source(results: Results) -> str:
    """Which data were read, and what became of their rows."""
    told = results.provenance
    if told.rows_read is None:
        rows = "their number of rows is hidden"
    elif told.rows_kept == told.rows_read:
        rows = f"{_counted(told.rows_read, 'row')}, all of which were used"
    else:
        rows = f"{_counted(told.rows_read, 'row')}, of which {told.rows_kept} were used"
    return (
        f"The data are {told.data_name}: {rows}. No identifier of a person stands anywhere in this report or its files."
    )


def scale(outcome: Outcome) -> str:
    """What the numbers of an outcome mean."""
    parts = []
    if outcome.range:
        parts.append(f"Scale from {_span_of(outcome.range)}")
    if outcome.unit:
        parts.append(f"in {outcome.unit}")
    if outcome.better:
        parts.append(f"{outcome.better} is better")
    if outcome.instrument:
        parts.append(f"instrument: {outcome.instrument}")
    said = ", ".join(parts)
    sentence = f"{said[:1].upper()}{said[1:]}." if said else "The study file says nothing about the scale."
    note = outcome.note.strip()
    return f"{sentence} {note}{'' if note.endswith(('.', '!', '?')) else '.'}" if note else sentence


def dictionary(results: Results) -> Table:
    """Every column of the analysis: what it is and on which scale."""
    cohort = results.cohort
    rows = [_outcome_row(part.outcome) for part in results.outcomes]
    rows += [_covariate_row(role) for role in cohort.covariate_roles.values()]
    return Table(
        title="What was measured",
        columns=(
            Column("label", "Measure"),
            Column("column", "Column", "verbatim"),
            Column("scale", "Scale"),
            Column("better", "Better"),
            Column("instrument", "Instrument"),
        ),
        rows=tuple(rows),
    )


def _span_of(limits: tuple[float, float]) -> str:
    return " to ".join(f"{limit:g}".replace("-", MINUS) for limit in limits)


def _outcome_row(role: Outcome) -> Row:
    low_high = _span_of(role.range) if role.range else EM_DASH
    unit = f" {role.unit}" if role.unit else ""
    return Row((role.label, role.name, low_high + unit, role.better or EM_DASH, role.instrument or EM_DASH), "Outcomes")


def _covariate_row(role: Covariate) -> Row:
    what = ", ".join(role.levels) if role.levels else role.unit or "number"
    return Row((role.label, role.name, what, EM_DASH, EM_DASH), "Covariates")


def fit_table(fit: Fit, *, tells_subjects: bool = True, tells_scores: bool = True) -> Table:
    """What the optimizer reached, and the criteria by which models are compared.

    The numbers of subjects and scores are left out where they may not be told, and with them the criteria whose
    difference from AIC is a function of one of them.
    """
    optimum = fit.optimum
    rows = (
        Row(("Subjects", fit.n_subjects if tells_subjects else Hidden()), decimals=0),
        Row(("Scores", fit.n_obs if tells_scores else Hidden()), decimals=0),
        Row(("Covariance parameters", fit.n_parameters), decimals=0),
        Row((f"{MINUS}2 log-likelihood", -2 * fit.loglik), decimals=2),
        Row(("AIC", fit.aic), decimals=2),
        Row(("AICc", fit.aicc if tells_scores else Hidden()), decimals=2),
        Row(("BIC", fit.bic if tells_subjects else Hidden()), decimals=2),
        Row(("Iterations", optimum.iterations), decimals=0),
        Row(("Optimum", "verified" if fit.converged else "not verified")),
    )
    return Table(title="Fit", columns=(Column("quantity", "Quantity"), Column("value", "Value", "estimate")), rows=rows)


def origin(provenance: Provenance) -> Table:
    """Software, inputs and seed of a run."""
    rows = [Row((name, version), "Software") for name, version in provenance.versions.items()]
    rows += [
        Row(("platform", provenance.platform), "Software"),
        Row(("study file", provenance.study_name), "Input"),
        Row(("its SHA-256", provenance.study_sha256), "Input"),
        Row(("data", provenance.data_name), "Input"),
        Row(("their SHA-256", provenance.data_sha256 or EM_DASH), "Input"),
        *(
            Row((key.replace("_", " "), value or EM_DASH), "As it was read")
            for key, value in provenance.dialect.items()
        ),
        Row(("seed", str(provenance.seed)), "Run"),
        Row(("date", provenance.date or "not recorded (set SOURCE_DATE_EPOCH)"), "Run"),
    ]
    return Table(
        title="Software, inputs and seed", columns=(Column("what", "What"), Column("value", "Value")), rows=tuple(rows)
    )


def plan_table(provenance: Provenance) -> Table:
    """The plan, key by key."""
    return Table(
        title="The plan",
        columns=(Column("key", "Key", "verbatim"), Column("value", "Value", "verbatim")),
        rows=tuple(Row((key, value)) for key, value in _flat(provenance.plan, ())),
    )


def _flat(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, list | tuple) and value and all(isinstance(item, Mapping) for item in value):
        value = dict(enumerate(value, start=1))
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _flat(item, (*path, str(key)))
    else:
        yield key_path(path), _said(value)


def _said(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return EM_DASH
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(map(_said, value)) if isinstance(value, list | tuple) else str(value)


def _counted(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"


def _span(years: tuple[float, ...]) -> str:
    span = years[-1] - years[0]
    return f" over {span:g} {'year' if span == 1 else 'years'}" if span > 0 else ""
