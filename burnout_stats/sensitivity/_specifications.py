"""Specifications: what can be chosen, and where each choice is fitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ..cohort import Cohort
from ..errors import ModelError
from ..models import MMRM, fit
from ..models.fitted import Fitted
from ._draws import draws
from ._imputation import Imputations, analyse, impute
from ._pooling import pool

__all__ = ["CHOICES", "MISSING_DATA", "SCALINGS", "Bench", "Choice"]

Array = NDArray[np.float64]
CHOICES = ("covariance", "df_method", "adjustment", "missing_data", "scaling")
"""The choices, as the columns that name a specification."""
MISSING_DATA = MappingProxyType(
    {
        "mmrm": "all observed scores, by likelihood",
        "complete cases": "subjects seen at every visit",
        "imputation": "multiple imputation under missing at random",
    }
)
SCALINGS: MappingProxyType[str, Callable[[Array], Array]] = MappingProxyType(
    {"raw": lambda y: y, "log": np.log, "square root": np.sqrt}
)
"""What is done to the outcome before it is modeled."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One specification."""

    covariance: str
    df_method: str
    adjustment: str
    missing_data: str
    scaling: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where specifications are fitted: data, imputations and fits that several share are made once."""

    formulas: Mapping[str, MMRM]
    cohort: Cohort
    auxiliaries: tuple[str, ...]
    n: int
    seed: np.random.SeedSequence
    data: dict[tuple[str, str], Cohort]
    imputations: dict[tuple[str, str], Imputations]
    fits: dict[tuple[str, ...], Fitted | str]

    @property
    def response(self) -> str:
        return self.formulas["as planned"].parsed.response

    def scaled(self, scaling: str) -> Array:
        """The outcome on its scale; NaN also where the scale has no value."""
        y = self.cohort.data[self.response].to_numpy(dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(SCALINGS[scaling](y))

    def baseline_sd(self, scaling: str) -> float:
        first = self.cohort.data["visit"].cat.codes.to_numpy() == 0
        y = self.scaled(scaling)[first]
        return float(np.std(y[np.isfinite(y)], ddof=1)) if np.isfinite(y).sum() > 1 else float("nan")

    def cohort_of(self, scaling: str, missing_data: str) -> Cohort:
        """The cohort with the outcome on its scale, and the subjects that are analyzed.

        Raises
        ------
        ModelError
            `E-MODEL-NOT-FINITE` where a score has no value on the scale.
        """
        key = (scaling, missing_data)
        if key not in self.data:
            y = self.scaled(scaling)
            known = self.cohort.data[self.response].notna().to_numpy()
            if not np.isfinite(y[known]).all():
                raise ModelError(
                    "E-MODEL-NOT-FINITE",
                    f"`{self.response}` has no {scaling} at some of its scores.",
                    "log() needs positive values and sqrt() none below zero.",
                    "Leave that scaling out.",
                )
            whole = self.cohort
            if scaling != "raw":
                role = replace(whole.outcome(self.response), range=None, unit="")
                whole = replace(
                    whole,
                    data=whole.data.assign(**{self.response: y}),
                    outcome_roles={**whole.outcome_roles, self.response: role},
                )
            if missing_data == "complete cases":
                subject = whole.data["subject"].to_numpy() - 1
                seen = np.bincount(subject[known], minlength=whole.n_subjects)
                whole = whole.subset((seen == len(whole.visits))[subject])
            self.data[key] = whole
        return self.data[key]

    def fitted(self, choice: Choice) -> Fitted:
        """The fit of a specification.

        Raises
        ------
        ModelError, StudyError
            Where there is none.
        """
        spec = replace(self.formulas[choice.adjustment], covariance=choice.covariance)
        data = self.cohort_of(choice.scaling, choice.missing_data)
        if choice.missing_data == "imputation":
            return pool(analyse(self._imputed(choice, data), spec))
        return fit(spec, data)

    def _imputed(self, choice: Choice, data: Cohort) -> Imputations:
        key = (choice.adjustment, choice.scaling)
        if key not in self.imputations:
            place = (list(self.formulas).index(choice.adjustment), list(SCALINGS).index(choice.scaling))
            seed = np.random.SeedSequence(self.seed.entropy, spawn_key=(*self.seed.spawn_key, *place))
            spec = self.formulas[choice.adjustment]
            drawn = draws(spec, data, auxiliaries=self.auxiliaries, n=self.n, seed=seed, progress=False)
            self.imputations[key] = impute(drawn)
        return self.imputations[key]
