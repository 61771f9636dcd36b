"""A study's design as its TOML file states it: scales, groups, and the targets with their marks and sources. With the
solved numbers it becomes `Parameters`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from ..cohort.parameters import Dropout, Factor, Grid, Margin, Parameters, Pattern, Term, Variable
from ..cohort.roles import Covariate, Outcome, Visits
from ..errors import StudyError, did_you_mean

__all__ = [
    "ALL_VISITS",
    "EVERYONE",
    "Design",
    "available",
    "design",
    "example_seed",
    "parameters",
    "study_id",
    "terms_of",
]

EVERYONE = "everyone"
ALL_VISITS = "all visits"

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Design:
    """What a synthetic cohort is asked to look like.

    Attributes
    ----------
    tables : mapping
        The file as read, for the dictionary of the data: notes, marks, sources.
    visits, factors, terms, patterns
        The parts of `Parameters` that need no solving.
    """

    name: str
    tables: Record
    visits: Visits
    factors: tuple[Factor, ...]
    terms: tuple[Term, ...]

    @property
    def n(self) -> int:
        """The size of the cohort."""
        return int(self.tables["n"])

    @property
    def variables(self) -> Mapping[str, Record]:
        """The tables of the variables, by name."""
        tables: Mapping[str, Record] = self.tables["variables"]
        return tables

    @property
    def patterns(self) -> Sequence[Record]:
        """The patterns of visits with their counts."""
        tables: Sequence[Record] = self.tables["dropout"]["patterns"]
        return tables

    @property
    def missed(self) -> Sequence[Record]:
        """What is known about those who answered at a visit: the equations of the dropout model."""
        tables: Sequence[Record] = self.tables["dropout"]["missed"]
        return tables

    def columns(self, name: str) -> list[str]:
        """The latent names of a variable."""
        constant = len(self.variables[name]["moments"]) == 1
        return [name] if constant else [f"{name}@{label}" for label in self.visits.labels]

    def latent(self) -> list[str]:
        """All latent names in order."""
        return [column for name in self.variables for column in self.columns(name)]

    def source(self, text: str) -> str:
        """A source line with its letters spelled out."""
        for key, long in self.tables["sources"].items():
            for mark in (", ", ":", "; "):
                text = text.replace(f"{key}{mark}", f"{long}{mark}") if text.startswith(f"{key}{mark}") else text
                text = text.replace(f" {key}{mark}", f" {long}{mark}")
        return text

    def parameters(
        self,
        margins: Mapping[str, Sequence[Margin]],
        correlation: np.ndarray,
        intercepts: Sequence[float],
        slopes: Mapping[str, Sequence[float]],
    ) -> Parameters:
        """The parameters with these margins, latent correlations, and intercepts and slopes (by visit missed)."""
        patterns = []
        for record, intercept in zip(self.patterns, (0.0, *intercepts), strict=True):
            seen = tuple(bool(x) for x in record["seen"])
            total = np.zeros(len(self.terms))
            for label, present in zip(self.visits.labels, seen, strict=True):
                total += 0.0 if present else np.array(slopes[label])
            patterns.append(Pattern(seen, float(intercept), tuple(float(x) for x in total)))
        return Parameters(
            title=str(self.tables["title"]),
            visits=self.visits,
            factors=self.factors,
            variables=tuple(_variable(name, table, margins[name]) for name, table in self.variables.items()),
            correlation=correlation,
            dropout=Dropout(self.terms, tuple(patterns)),
            id_prefix=str(self.tables["id_prefix"]),
            id_digits=int(self.tables["id_digits"]),
        )


def study_id(name: str) -> str:
    """The id of a study, underscores for the hyphens of the command line.

    Raises
    ------
    StudyError
        `E-STUDY-UNKNOWN` for a name that no study bears.
    """
    known = name.replace("-", "_")
    if known not in available():
        raise StudyError(
            "E-STUDY-UNKNOWN",
            f"There is no study `{name}`.",
            f"Studies are: {', '.join(available())}.",
            did_you_mean(known, available()),
        )
    return known


@cache
def available() -> tuple[str, ...]:
    """The ids of the studies whose cohorts can be simulated."""
    folder = files(__package__)
    return tuple(
        sorted(f.name.removesuffix(".solved.toml") for f in folder.iterdir() if f.name.endswith(".solved.toml"))
    )


def _tables(file: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(file).read_text(encoding="utf-8"))


@cache
def design(name: str) -> Design:
    """The design of a study, from `<name>.toml`."""
    tables = _tables(f"{name}.toml")
    return Design(
        name=name,
        tables=tables,
        visits=Visits.of(tables["visits"]),
        factors=tuple(_factor(key, table) for key, table in tables["factors"].items()),
        terms=_terms(tables["dropout"]["missed"]),
    )


@cache
def parameters(name: str) -> Parameters:
    """The solved parameters of a study, from `<name>.toml` and `<name>.solved.toml`.

    >>> round(parameters("villa_sana").variable("exhaustion").margins[0].mean, 2)
    3.07
    """
    solved = _tables(f"{study_id(name)}.solved.toml")
    rows = solved["latent"]["correlation"]
    lower = np.zeros((len(rows), len(rows)))
    for i, row in enumerate(rows):
        lower[i, : i + 1] = row
    return design(study_id(name)).parameters(
        {key: [Margin(**entry) for entry in entries] for key, entries in solved["margins"].items()},
        lower + np.tril(lower, -1).T,
        solved["dropout"]["intercepts"],
        solved["dropout"]["slopes"],
    )


@cache
def example_seed(name: str) -> int:
    """The seed of the shipped example of a study."""
    return int(_tables(f"{study_id(name)}.solved.toml")["example"]["seed"])


def _factor(name: str, table: Record) -> Factor:
    counts = np.array(table["counts"], dtype=float)
    role = Covariate(name, label=table["label"], levels=tuple(table["levels"]))
    return Factor(role, tuple(float(share) for share in counts / counts.sum()))


def _variable(name: str, table: Record, margins: Sequence[Margin]) -> Variable:
    lowest, highest = table["range"]
    role: Outcome | Covariate
    if table["role"] == "outcome":
        role = Outcome(
            name,
            table["label"],
            (float(lowest), float(highest)),
            "",
            table["better"],
            table["instrument"],
            table.get("remark", ""),
        )
    else:
        levels = tuple(table["levels"]) if "levels" in table else None
        role = Covariate(name, label=table["label"], levels=levels, unit=table.get("unit", ""))
    grid = Grid(float(lowest), float(highest), int(table["steps"]), int(table.get("decimals", 2)))
    return Variable(role, grid, str(table["family"]), tuple(margins), str(table.get("requires", "")))


def _terms(missed: Sequence[Record]) -> tuple[Term, ...]:
    """Each distinct term once; a score whose SD is met too brings its square."""
    terms: list[Term] = []
    for record in missed:
        for term in terms_of(record):
            if term not in terms:
                terms.append(term)
    return tuple(terms)


def terms_of(record: Record) -> list[Term]:
    """The terms that an equation of the dropout model frees: a level, or a score and (where its SD is given) its
    square.
    """
    if "level" in record:
        return [Term(record["variable"], level=record["level"])]
    powers = (1, 2) if "sd" in record else (1,)
    return [Term(record["variable"], center=record["center"], power=power) for power in powers]
