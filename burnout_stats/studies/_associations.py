"""Correlations between the variables of a study from one number for each pair of them.

`[associations]` in a study's data file gives the correlation of the reported scores a and b at one visit. Of the latent
normals, it is ρ_s at visit s; between visits s and t it is taken as

    ρ(a at s, b at t) = (ρ_s + ρ_t)/2 · √(r_a r_b),

r_a and r_b being the latent correlations of each variable with itself between s and t, in each arm its own. A pair that
the file does not name is unrelated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..cohort.parameters import Parameters, Variable
from ._draw import Arm, latent_correlation
from ._population_file import arms_of
from ._study import Study, from_file

if TYPE_CHECKING:
    from ._reconstruct import Reconstruction

__all__ = ["StudyOfArms", "associated", "with_associations"]

Tables = Mapping[str, Any]


def with_associations(name: str) -> Study:
    """The study of `<name>.toml`, whose file has `[associations]`."""
    made: list[Sequence[Arm]] = []

    def arms(tables: Tables) -> Sequence[Arm]:
        if not made:
            made.append([associated(arm, tables["associations"]) for arm in arms_of(tables)])
        return made[0]

    read = from_file(name, arms=arms)
    return StudyOfArms(**{field.name: getattr(read, field.name) for field in fields(read)})


class StudyOfArms(Study):
    """A study of one or several arms, each drawn by itself."""

    __slots__ = ()

    def reconstruct(self, seed: int) -> Reconstruction:
        """A data set whose own summaries round to the printed digits, as far as they can together."""
        from ._reconstruct import reconstruct
        from ._reconstruct_arms import reconstruct_arms

        how = self.tables.get("reconstruction")
        return reconstruct(self, seed) if how is None else reconstruct_arms(self, how, seed)


def associated(arm: Arm, associations: Mapping[str, Mapping[str, float]]) -> Arm:
    """The arm with its variables associated; so far each was related to itself only.

    Raises
    ------
    StudyError
        `E-STUDY-CORRELATION` where such correlations cannot be together.
    """
    given = arm.parameters
    at = _places(given)
    R = given.correlation.copy()
    for a, others in associations.items():
        for b, wanted in others.items():
            first, second = given.variable(a), given.variable(b)
            latent = np.array([_latent(first, second, k, float(wanted)) for k in range(len(given.visits))])
            stable = np.sqrt(np.maximum(R[np.ix_(at[a], at[a])] * R[np.ix_(at[b], at[b])], 0.0))
            block = (latent[:, None] + latent[None, :]) / 2 * stable
            R[np.ix_(at[a], at[b])] = block
            R[np.ix_(at[b], at[a])] = block.T
    return replace(arm, parameters=replace(given, correlation=R))


def _places(given: Parameters) -> dict[str, list[int]]:
    """The place of each variable among the latent normals, by visit."""
    names = list(given.latent)
    return {
        v.name: [names.index(column) for column in v.columns(given.visits)]
        for v in given.variables
        if len(v.margins) == len(given.visits)
    }


def _latent(first: Variable, second: Variable, visit: int, wanted: float) -> float:
    return latent_correlation((first, first.margins[visit]), (second, second.margins[visit]), wanted)
