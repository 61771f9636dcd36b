"""The results.json of an earlier run, read as text that anybody may have written: its size, form and version are
checked before a number is believed.

What is read are outcomes, their tables, the rows of these by what they are about, and the values of each row; never a
row by its position.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import StudyError
from .untrusted import Place, read_untrusted, refuse, said

__all__ = ["READABLE", "Recorded", "Row", "Value", "read_recorded"]

READABLE = (1, 2)
"""Versions of results.json that can be read."""

MAX_DEPTH = 30
MAX_VALUES = 2_000_000

KINDS = {
    "estimate": "estimate",
    "conf_low": "estimate",
    "conf_high": "estimate",
    "std_error": "std_error",
    "df": "df",
    "num_df": "df",
    "statistic": "statistic",
    "p_value": "p",
    "n": "count",
    "value": "other",
}
"""The columns of numbers, and what kind of number stands in each; every other column says what the row is about."""

COUNTED = frozenset({"n", "missing"})
"""Statistics whose value is a number of persons."""

WORDS = frozenset({"method", "conclusion", "refused"})
"""Columns that answer in words."""

LEFT_OUT = frozenset({"hidden", "outcome", "reasons"})

MODEL = {
    "n_obs": "count",
    "n_subjects": "count",
    "n_parameters": "count",
    "loglik": "criterion",
    "aic": "criterion",
    "aicc": "criterion",
    "bic": "criterion",
}
MODEL_WORDS = ("formula", "covariance_structure", "method", "converged")

SINCE = dict.fromkeys(("baseline", "attrition", "missingness", "primary", "unadjusted"), 2)
"""The version that brought a table, where it was not the first."""

STUDY_TABLES = ("baseline", "attrition", "missingness", "primary")
EVENT_TABLES = ("means", "differences", "ratios")
OUTCOME_TABLES = ("observed", "coefficients", "unadjusted", "means", "changes", "standardized_changes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A number or a word.

    Attributes
    ----------
    kind : "count", "estimate", "std_error", "df", "statistic", "p", "criterion", "covariance", "other" or "word"
    value : None where it is missing, which `reason` explains
    scale : what a difference is measured by; NaN where nothing is known
    """

    kind: str
    value: float | str | None
    reason: str = ""
    scale: float = math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The values of a row, and the number of persons that they rest on, where that is told."""

    values: Mapping[str, Value]
    counts: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recorded:
    """What a results.json says.

    Attributes
    ----------
    outcomes : outcome -> table -> row -> Row; the outcome "" stands for the whole study
    notices : (code, message) in their order
    plan, inputs, software : by name, as text
    min_cell : the smallest group that may be shown
    notes : by outcome and table
    version : of the format
    """

    outcomes: Mapping[str, Mapping[str, Mapping[str, Row]]]
    notices: tuple[tuple[str, str], ...]
    plan: Mapping[str, str]
    inputs: Mapping[str, str]
    software: Mapping[str, str]
    min_cell: int
    notes: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    version: int = READABLE[-1]

    def knows(self, table: str) -> bool:
        """Whether the version of the file has such a table at all."""
        return self.version >= SINCE.get(table, 1)


def read_recorded(path: str | Path) -> Recorded:
    """Read a results.json, or that of a report's folder.

    Raises
    ------
    StudyError
        `E-STUDY-FILE` where it cannot be opened, `E-REPORT-SIZE` where it is far too large, `E-REPORT-RESULTS` where it
        is no results.json, `E-REPORT-VERSION` where it was written for another version.
    """
    path = Path(path)
    document = read_untrusted(path)
    version = document.at("schema").value
    if type(version) is not int or version not in READABLE:
        said = f"version {version}" if type(version) is int else "no version"
        raise StudyError(
            "E-REPORT-VERSION",
            f"`{path.name}` has {said} of the format.",
            f"This version of burnout_stats reads the versions {' and '.join(map(str, READABLE))}.",
            "Use the version of burnout_stats that wrote the newer file.",
        )
    return _Reader(document).read()


class _Reader:
    """One pass over a document."""

    def __init__(self, document: Place) -> None:
        self.document = document
        self.left = MAX_VALUES
        self.notes: dict[tuple[str, str], tuple[str, ...]] = {}

    def read(self) -> Recorded:
        document = self.document
        outcomes: dict[str, dict[str, dict[str, Row]]] = {"": self.whole_study()}
        for part in document.at("outcomes").entries():
            name = part.at("name").text()
            if not name or name in outcomes:
                refuse(part.path, "has no name of its own")
            outcomes[name] = self.outcome(name, part)
        events = document.get("events")
        for event in events.entries() if events is not None else ():
            name = f"counted {event.at('name').text()}"
            if name in outcomes:
                refuse(event.path, "has no name of its own")
            outcomes[name] = self.asked(name, event, EVENT_TABLES)
        for doubt in document.at("sensitivity").entries():
            name = doubt.at("outcome").text()
            tables = outcomes.setdefault(name, {})
            for key, answer in doubt.at("analyses").items():
                tables[key] = self.table(name, key, answer)
        cohort, provenance = document.at("cohort"), document.at("provenance")
        data, study = provenance.at("data"), provenance.at("study")
        inputs = {"study file": study.at("name").text(), "study file SHA-256": study.at("sha256").text()}
        inputs |= {"data": data.at("name").text(), "data SHA-256": data.at("sha256").text()}
        inputs |= {f"data {key}": said for key, said in self.flat(data.at("dialect")).items()}
        software = self.flat(provenance.at("versions"))
        software |= {"platform": provenance.at("platform").text(), "results.json": str(document.at("schema").value)}
        return Recorded(
            outcomes=outcomes,
            notices=tuple(
                (notice.at("code").text(), notice.at("message").text()) for notice in document.at("notices").entries()
            ),
            plan=self.flat(provenance.at("plan")) | {"seed": str(provenance.at("seed").number())},
            inputs=inputs,
            software=software,
            min_cell=int(cohort.at("min_cell").number() or 0),
            notes=self.notes,
            version=document.at("schema").value,
        )

    def whole_study(self) -> dict[str, dict[str, Row]]:
        cohort, data = self.document.at("cohort"), self.document.at("provenance").at("data")
        counts = {"n_subjects": self.value("count", cohort, "n_subjects")}
        rows = {key: self.value("count", data, key) for key in ("rows_read", "rows_kept")}
        visits = {
            visit.at("label").text(): _row({"years": self.value("other", visit, "years")})
            for visit in cohort.at("visits").entries()
        }
        return {
            "cohort": {"subjects": _row(counts)},
            "data": {"rows": _row(rows)},
            "visits": visits,
            "flow": self.table("", "flow", self.document.at("flow")),
        } | self.asked("", self.document, STUDY_TABLES)

    def outcome(self, name: str, part: Place) -> dict[str, dict[str, Row]]:
        model = part.at("model")
        values = {key: self.value(kind, model, key) for key, kind in MODEL.items()}
        values |= {key: Value(kind="word", value=said(model.at(key).value)) for key in MODEL_WORDS}
        tables = {"model": {"fit": _row(values)}, "covariance": self.covariance(model.at("covariance"))}
        return tables | self.asked(name, part, OUTCOME_TABLES)

    def asked(self, outcome: str, place: Place, names: tuple[str, ...]) -> dict[str, dict[str, Row]]:
        """The tables that are there: what was not asked for is null, or was not known to an older version."""
        there = {name: found for name in names if (found := place.get(name)) is not None and found.value is not None}
        return {name: self.table(outcome, name, found) for name, found in there.items()}

    def covariance(self, place: Place) -> dict[str, Row]:
        labels = [label.text() for label in place.at("visits").entries()]
        return _matrix(labels, self.numbers(place.at("matrix"), len(labels)), diagonal=True)

    def table(self, outcome: str, name: str, place: Place) -> dict[str, Row]:
        """The rows by what they are about; with the covariances of their estimates."""
        rows: dict[str, Row] = {}
        for found in place.at("rows").entries():
            label, row = self.row(found)
            number, unique = 1, label
            while unique in rows:
                number += 1
                unique = f"{label} ({number})"
            rows[unique] = row
        self.notes[outcome, name] = tuple(note.text() for note in place.at("notes").entries())
        vcov = place.get("vcov")
        if vcov is None:
            return rows
        covariances = _matrix(list(rows), self.numbers(vcov, len(rows)), diagonal=False)
        return {
            label: Row(values={**row.values, **covariances.get(label, _row({})).values}, counts=row.counts)
            for label, row in rows.items()
        }

    def row(self, place: Place) -> tuple[str, Row]:
        kind_of = dict(KINDS)
        statistic = place.get("statistic")
        if statistic is not None and isinstance(statistic.value, str):
            del kind_of["statistic"]
            kind_of["value"] = "count" if statistic.value in COUNTED else "other"
        about, values = [], {}
        for key, item in place.items():
            if key in kind_of:
                values[key] = self.value(kind_of[key], place, key)
            elif key in WORDS:
                values[key] = Value(kind="word", value=said(item.value))
            elif key not in LEFT_OUT and item.value not in ("", None):
                about.append(_about(key, item.value))
                if isinstance(item.value, float):  # such as a delta, which may have been found by computation
                    values[key] = self.value("estimate", place, key)
        scale = _scale(values)
        values = {
            key: Value(kind=one.kind, value=one.value, reason=one.reason, scale=scale)
            if one.kind == "estimate"
            else one
            for key, one in values.items()
        }
        return ", ".join(about), _row(values)

    def value(self, kind: str, place: Place, key: str) -> Value:
        """A number, or why there is none."""
        self.left -= 1
        if self.left < 0:
            refuse(self.document.path, f"holds more than {MAX_VALUES} numbers")
        number = place.at(key).number()
        reasons = place.get("reasons")
        reason = reasons.get(key) if reasons is not None and number is None else None
        return Value(
            kind=kind,
            value=number,
            reason="" if number is not None else "no reason is given" if reason is None else reason.text(),
            scale=math.nan if number is None else abs(number),
        )

    def numbers(self, place: Place, size: int) -> list[list[float | None]]:
        """A square matrix; all None where it is withheld."""
        if place.value is None:
            return [[None] * size for _ in range(size)]
        self.left -= size * size
        if self.left < 0:
            refuse(self.document.path, f"holds more than {MAX_VALUES} numbers")
        rows = place.entries()
        found = [[cell.number() for cell in row.entries()] for row in rows] if len(rows) == size else []
        if len(found) != size or any(len(row) != size for row in found):
            refuse(place.path, f"is not a square of {size} rows")
        return found

    def flat(self, place: Place, path: str = "", depth: int = 0) -> dict[str, str]:
        """Key paths and what stands there, as text."""
        if depth > MAX_DEPTH:
            refuse(self.document.path, "is nested too deep")
        if path and (not isinstance(place.value, dict) or not place.value):
            return {path: said(place.value)}
        found: dict[str, str] = {}
        for key, item in place.items():
            found |= self.flat(item, f"{path}.{key}" if path else key, depth + 1)
        return found


def _row(values: Mapping[str, Value]) -> Row:
    counts = tuple(float(one.value) for one in values.values() if one.kind == "count" and isinstance(one.value, float))
    return Row(values=values, counts=counts)


def _matrix(labels: list[str], numbers: list[list[float | None]], *, diagonal: bool) -> dict[str, Row]:
    """The upper triangle of a matrix, by its labels."""
    found: dict[str, Row] = {}
    for a, label in enumerate(labels):
        values = {}
        for b in range(a if diagonal else a + 1, len(labels)):
            number, variances = numbers[a][b], (numbers[a][a] or 0.0) * (numbers[b][b] or 0.0)
            name = "variance" if a == b else f"covariance with {labels[b]}"
            scale = math.sqrt(variances) if variances > 0 else math.nan
            reason = "" if number is not None else "not available"
            values[name] = Value(kind="covariance", value=number, reason=reason, scale=scale)
        found[label] = _row(values)
    return found


def _scale(values: Mapping[str, Value]) -> float:
    """The standard error of a row's estimate; without one, the half width of its interval or its own size."""
    known = {key: one.value for key, one in values.items() if isinstance(one.value, float)}
    if known.get("std_error"):
        return abs(known["std_error"])
    if "conf_low" in known and "conf_high" in known and known["conf_low"] != known["conf_high"]:
        return abs(known["conf_high"] - known["conf_low"]) / 4
    return abs(known["estimate"]) if "estimate" in known else math.nan


def _about(key: str, value: object) -> str:
    if isinstance(value, bool):
        return f"{key} {str(value).lower()}"
    if isinstance(value, int | float):
        return f"{key} {value:.4g}"
    return value if isinstance(value, str) else f"{key} {said(value)}"
