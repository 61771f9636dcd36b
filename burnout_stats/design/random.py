"""The random part of a formula: which columns vary between subjects, and which of them may correlate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cohort.roles import Visits
from ..errors import StudyError
from .encode import Encoder, Variable, encoder
from .parse import Formula, Random

__all__ = ["NOMINAL", "RandomDesign", "clusters_of", "random_design", "random_variables", "subject_parts"]

Array = NDArray[np.float64]
NOMINAL = frozenset({"visit", "years"})
"""Variables that are the same for all subjects at one visit."""


@dataclass(frozen=True, slots=True, eq=False)
class RandomDesign:
    """How the q columns of Z are made, for every part `(terms | subject)` of a formula.

    Attributes
    ----------
    parts : tuple of Encoder
    names : tuple of str
        The random effects: `Intercept`, `years`.
    blocks : tuple of tuple of int
        Which of them may correlate.
    variables : tuple of str
        The columns of the cohort that they are made of.
    """

    parts: tuple[Encoder, ...]
    names: tuple[str, ...]
    blocks: tuple[tuple[int, ...], ...]
    variables: tuple[str, ...]

    @property
    def is_nominal(self) -> bool:
        """Whether Z depends on the visit alone, so that the random effects are a covariance of the visits."""
        return NOMINAL.issuperset(self.variables)

    def columns(self, values: Mapping[str, NDArray[np.generic]], n_rows: int) -> Array:
        """Z (n_rows × q), for integer codes of categorical and values of numeric variables."""
        return np.hstack([part.columns(values, n_rows) for part in self.parts])

    def at_visits(self, visits: Visits, seen: NDArray[np.integer]) -> Array:
        """Z (V × q) at some of the visits, where it is nominal."""
        return self.columns({"visit": np.asarray(seen), "years": np.array(visits.years)[seen]}, len(seen))


def subject_parts(formula: Formula) -> tuple[Random, ...]:
    """The parts that are random effects of the subject."""
    return tuple(part for part in formula.random if part.group == "subject")


def clusters_of(formula: Formula) -> str | None:
    """The column of the clusters above the subject that have a random effect, if any."""
    return next((part.group for part in formula.random if part.group != "subject"), None)


def random_variables(formula: Formula) -> tuple[str, ...]:
    """The columns that the random part names, in order of appearance."""
    return tuple(dict.fromkeys(f.variable for part in subject_parts(formula) for term in part.terms for f in term))


def random_design(formula: Formula, variables: Mapping[str, Variable]) -> RandomDesign:
    """The random part of a formula, for variables as they were learned from the data.

    With `||` every column stands alone, the indicators of a categorical variable too (lme4 lets those correlate).

    Raises
    ------
    StudyError
        `E-STUDY-FORMULA` for a part without effects.
    """
    parts: list[Encoder] = []
    names: list[str] = []
    blocks: list[tuple[int, ...]] = []
    for part in subject_parts(formula):
        made = encoder(_as_formula(part, formula), {name: variables[name] for name in _names(part)})
        own = tuple(range(len(names), len(names) + len(made.names)))
        if not own:
            raise StudyError(
                "E-STUDY-FORMULA",
                f"The formula `{formula.text}` has random effects of `{part.group}` that hold nothing.",
                "At least an intercept or one term must vary between subjects.",
                'Write for example "(1 | subject)" or "(1 + years | subject)".',
            )
        parts.append(made)
        names += made.names
        blocks += [own] if part.correlated else [(k,) for k in own]
    return RandomDesign(tuple(parts), tuple(names), tuple(blocks), random_variables(formula))


def _names(part: Random) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f.variable for term in part.terms for f in term))


def _as_formula(part: Random, formula: Formula) -> Formula:
    return Formula(formula.response, part.terms, part.intercept, (), formula.text)
