"""What a synthetic cohort is drawn from, as a value: scales and margins, latent correlations, groups, and dropout."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import StudyError, did_you_mean
from .roles import Covariate, Outcome, Visits

__all__ = ["Dropout", "Factor", "Grid", "Margin", "Parameters", "Pattern", "Term", "Variable"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Grid:
    """The attainable values of a scale: `steps` equal steps from `lowest` to `highest`, reported with so many
    `decimals`.

    >>> Grid(1, 2, 3).values.tolist()
    [1.0, 1.33, 1.67, 2.0]
    """

    lowest: float
    highest: float
    steps: int
    decimals: int = 2

    @property
    def values(self) -> Array:
        """All values, the lowest first."""
        fractions = np.arange(self.steps + 1) / self.steps
        return np.round(self.lowest + (self.highest - self.lowest) * fractions, self.decimals)


@dataclass(frozen=True, slots=True)
class Margin:
    """The distribution of one variable at one visit: the mean and SD of all its values, and the share of zeros where
    its family has a hurdle.

    For the family `normal` mean and SD are those of the continuous variable that is then rounded to the grid; for
    `binary` the mean is the probability of the second value.
    """

    mean: float
    sd: float = 0.0
    zero: float = 0.0


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable, its role, its grid, and its margin at each visit (a single margin: constant over the visits).

    `requires` names another variable: where that is 0, this one is 0 too (nobody is on sick leave now without weeks of
    sick leave). A covariate with `levels` shows the label in place of the grid value.
    """

    role: Outcome | Covariate
    grid: Grid
    family: str
    margins: tuple[Margin, ...]
    requires: str = ""

    @property
    def name(self) -> str:
        """The name of the column."""
        return self.role.name

    def columns(self, visits: Visits) -> list[str]:
        """The names of its latent variables: `name@visit`, or `name` where it is constant."""
        return [self.name] if len(self.margins) == 1 else [f"{self.name}@{label}" for label in visits.labels]


@dataclass(frozen=True, slots=True)
class Factor:
    """A grouping with given shares, unrelated to the scores at the first visit.

    With `quota`, n subjects hold as near as can be the given shares, in random order; without, each subject is drawn
    alone.
    """

    role: Covariate
    shares: tuple[float, ...]
    quota: bool = True

    @property
    def levels(self) -> tuple[str, ...]:
        """The labels of the groups."""
        return self.role.levels or ()


@dataclass(frozen=True, slots=True)
class Term:
    """What dropout depends on: being in `level` of a factor, or (first-visit score - center) ** power."""

    variable: str
    level: str = ""
    center: float = 0.0
    power: int = 1


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which visits are seen, and the log-odds of this pattern against the first one: intercept + slopes · terms."""

    seen: tuple[bool, ...]
    intercept: float = 0.0
    slopes: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Dropout:
    """A multinomial logit for the pattern of visits, given groups and first-visit scores only: missing at random given
    these.
    """

    terms: tuple[Term, ...] = ()
    patterns: tuple[Pattern, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Parameters:
    """All that a synthetic cohort is drawn from.

    `correlation` is that of the latent normals, in the order of `latent`: the columns of the first variable, of the
    second, and so on.
    """

    title: str
    visits: Visits
    factors: tuple[Factor, ...]
    variables: tuple[Variable, ...]
    correlation: Array
    dropout: Dropout = field(default_factory=Dropout)
    id_prefix: str = "S"
    id_digits: int = 4

    def __post_init__(self) -> None:
        correlation = np.array(self.correlation, dtype=float)
        correlation.setflags(write=False)
        object.__setattr__(self, "correlation", correlation)
        _check_variables(self)
        _check_correlation(correlation, self.latent)
        _check_patterns(self.dropout, self.visits)

    @property
    def latent(self) -> tuple[str, ...]:
        """The names of the latent normals."""
        return tuple(name for variable in self.variables for name in variable.columns(self.visits))

    def variable(self, name: str) -> Variable:
        """The variable of this name."""
        return next(variable for variable in self.variables if variable.name == name)


def _check_variables(parameters: Parameters) -> None:
    names = [variable.name for variable in parameters.variables]
    named = {variable.requires for variable in parameters.variables if variable.requires}
    named |= {term.variable for term in parameters.dropout.terms if not term.level}
    for name in sorted(named.difference(names)):
        raise StudyError(
            "E-STUDY-COLUMN",
            f"Column `{name}` is named and is not among the variables.",
            f"The variables are: {', '.join(names)}.",
            did_you_mean(name, names),
        )
    for variable in parameters.variables:
        if len(variable.margins) not in {1, len(parameters.visits)}:
            raise StudyError(
                "E-STUDY-MARGIN",
                f"`{variable.name}` has {len(variable.margins)} margins.",
                f"It has one for each of the {len(parameters.visits)} visits, or a single one if it is constant.",
                "Give each visit its mean and SD.",
            )


def _check_correlation(correlation: Array, latent: tuple[str, ...]) -> None:
    size = len(latent)
    ok = correlation.shape == (size, size) and np.allclose(correlation, correlation.T)
    ok = ok and np.allclose(np.diag(correlation), 1.0)
    smallest = float(np.linalg.eigvalsh(correlation)[0]) if ok else np.nan
    if not smallest > 0:
        seen = f"its smallest eigenvalue is {smallest:.3g}" if ok else f"it has shape {correlation.shape}"
        raise StudyError(
            "E-STUDY-CORRELATION",
            f"The latent correlation matrix cannot be one: {seen}.",
            f"It is symmetric with a diagonal of 1, positive definite, and {size} × {size} for these variables.",
            "Bring the correlations nearer to 0, or check their order.",
        )


def _check_patterns(dropout: Dropout, visits: Visits) -> None:
    for pattern in dropout.patterns:
        if (
            len(pattern.seen) != len(visits)
            or not pattern.seen[0]
            or len(pattern.slopes) not in {0, len(dropout.terms)}
        ):
            raise StudyError(
                "E-STUDY-PATTERN",
                f"A pattern of visits is {pattern.seen} with {len(pattern.slopes)} slopes.",
                f"A pattern says seen or not for each of {len(visits)} visits, sees the first, and has a slope for "
                f"each of {len(dropout.terms)} terms or none at all.",
                "Dropout depends on the first visit, so everybody has one: begin each pattern with True.",
            )
