"""Scores by person in the wide, a structural model fitted to them, and what is said about the fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cohort import Cohort
from ..describe._pairs import by_subject
from ..engine.structural import StructuralFit, Template, fit_structural
from ..errors import ModelError, StudyError, did_you_mean, one_of
from ..estimates.tabulation import in_sentence
from ..notices import Notice

__all__ = [
    "COVARIANCES",
    "LIKELIHOOD",
    "Wide",
    "both",
    "chosen",
    "covariance_of",
    "fit_sentence",
    "fitted",
    "label_of",
    "numeric",
    "trouble",
]

Array = NDArray[np.float64]
COVARIANCES: Mapping[str, str] = {
    "model": "standard errors from the observed information",
    "robust": "Huber-White standard errors",
}
"""Whose covariance of the parameters stands behind the standard errors."""
LIKELIHOOD = (
    "Full-information maximum likelihood for normal scores, missing at random given the scores in the model; {said}."
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wide:
    """The scores `Y` (subjects, V, K) of V variables at K visits, NaN where missing; `years` (K,) and `visits`."""

    Y: Array
    names: tuple[str, ...]
    labels: tuple[str, ...]
    visits: tuple[str, ...]
    years: Array

    @property
    def columns(self) -> tuple[str, ...]:
        """A name for each column of `flat`, variables first."""
        return tuple(f"{name}@{visit}" for name in self.names for visit in self.visits)

    @property
    def flat(self) -> Array:
        """(subjects, V K), variables first."""
        return self.Y.reshape(len(self.Y), -1)

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Who has any score (subjects,)."""
        return np.asarray(~np.isnan(self.flat).all(axis=1))


def label_of(cohort: Cohort, name: str) -> str:
    """How a column is called."""
    role = cohort.outcome_roles.get(name) or cohort.covariate_roles.get(name)
    return (role.label if role is not None else "") or name[:1].upper() + name[1:].replace("_", " ")


def numeric(cohort: Cohort, names: Sequence[str]) -> tuple[str, ...]:
    """Outcomes and numeric covariates of the cohort, each named once.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for another name, `E-STUDY-VALUE` for a name that stands twice.
    """
    known = [*cohort.outcomes, *(name for name, role in cohort.covariate_roles.items() if role.levels is None)]
    for name in names:
        if name not in known:
            raise StudyError(
                "E-STUDY-COLUMN",
                f"Column `{name}` is not a numeric column of the cohort.",
                f"Its outcomes and numeric covariates are: {', '.join(known)}.",
                did_you_mean(name, known),
            )
    if len(set(names)) < len(names):
        raise StudyError(
            "E-STUDY-VALUE",
            f"The columns named are {', '.join(names)}.",
            "Each is named once.",
            "Leave out the one that stands twice.",
        )
    return tuple(names)


def chosen(cohort: Cohort, names: Sequence[str], visits: Sequence[str] | None = None, *, least: int = 2) -> Wide:
    """The scores of some columns at some visits, in the order of the years.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN`, `E-STUDY-VALUE`; `E-STUDY-VISITS` for an unknown visit or fewer than `least`.
    """
    own = cohort.visits.labels
    asked = own if visits is None else tuple(visits)
    if unknown := [visit for visit in asked if visit not in own]:
        raise StudyError(
            "E-STUDY-VISITS",
            f"`{unknown[0]}` is not a visit of the cohort.",
            f"Its visits are: {', '.join(own)}.",
            did_you_mean(unknown[0], own),
        )
    places = [k for k, visit in enumerate(own) if visit in asked]
    if len(places) < least:
        raise StudyError(
            "E-STUDY-VISITS",
            f"{len(places)} visit{'' if len(places) == 1 else 's'} of the cohort would be used.",
            f"This model needs at least {least}.",
            "Choose a model that asks less, or name further visits.",
        )
    checked = numeric(cohort, names)
    return Wide(
        Y=np.stack([by_subject(cohort, name)[:, places] for name in checked], axis=1),
        names=checked,
        labels=tuple(label_of(cohort, name) for name in checked),
        visits=tuple(own[k] for k in places),
        years=np.array([cohort.visits.years[k] for k in places], dtype=float),
    )


def fitted(Y: Array, template: Template, start: Mapping[str, float], *, what: str) -> StructuralFit:
    """The fit of a template from these starting values.

    Raises
    ------
    ModelError
        `E-MODEL-NO-SPREAD` where a column does not vary, `E-MODEL-NOT-IDENTIFIED` where the data cannot tell the
        parameters apart.
    """
    with np.errstate(invalid="ignore"):
        several = np.array([len(np.unique(column[~np.isnan(column)])) > 1 for column in Y.T])
    if not several.all():
        raise ModelError(
            "E-MODEL-NO-SPREAD",
            f"A score of {what} does not vary: {template.names[int(np.argmin(several))].replace('@', ' at ')}.",
            "Variances and covariances need scores that differ between persons at every visit used.",
            "Leave out the visit or the column.",
        )
    fit = fit_structural(Y, template, start=np.array([start[label] for label in template.labels]))
    if not fit.identified:
        raise ModelError(
            "E-MODEL-NOT-IDENTIFIED",
            f"The information matrix of {what} is singular: other parameters fit these data as well.",
            "Every parameter needs a mean or a covariance that tells of it.",
            "Choose a model with fewer parameters, or fix the error variance by a reliability.",
        )
    return fit


def trouble(fit: StructuralFit, what: str) -> tuple[Notice, ...]:
    """What a reader must know about a fit before its numbers."""
    notices = []
    if not fit.verified:
        notices.append(
            Notice(
                "N-MODEL-NOT-CONVERGED",
                f"The search for {what} ended before its maximum was verified (largest gradient {fit.gradient:.1e} in "
                "standard errors).",
                "Do not use its numbers; try a model with fewer parameters.",
            )
        )
    if fit.negative:
        names = ", ".join(_variance(fit.labels[at]) for at in fit.negative)
        notices.append(
            Notice(
                "N-MODEL-NEGATIVE-VARIANCE",
                f"In {what} the estimate of a variance is below 0 ({names}).",
                "The model is too rich for these data, or it is the wrong one; correlations that need it are not "
                "given.",
            )
        )
    return tuple(notices)


def fit_sentence(fit: StructuralFit) -> str:
    """The fit indices in a sentence; where there are no degrees of freedom, that there are none."""
    found = fit.indices
    if found.df <= 0:
        return "The model has 0 degrees of freedom: it fits any data, and no fit index is given."
    if np.isnan(found.chi_square):
        return "No fit index is given: the saturated model has no maximum in these data."
    p = "p < 0.001" if found.p_value < 0.001 else f"p = {found.p_value:.3f}"
    return (
        f"Fit: chi-square {found.chi_square:.2f} on {found.df} df, {p}; CFI {found.cfi:.3f}, TLI {found.tli:.3f}, "
        f"RMSEA {found.rmsea:.3f} (90% interval {found.rmsea_low:.3f} to {found.rmsea_high:.3f}), SRMR "
        f"{found.srmr:.3f}."
    )


def covariance_of(fit: StructuralFit, vcov: str) -> tuple[Array, str]:
    """The covariance of the parameters that was asked for, and how it is called.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION`.
    """
    one_of("vcov", vcov, COVARIANCES)
    return (fit.vcov if vcov == "model" else fit.robust_vcov), COVARIANCES[vcov]


def both(first: str, second: str) -> str:
    """Two labels in a row's name.

    >>> both("Emotional exhaustion", "Job stress")
    'Emotional exhaustion with job stress'
    """
    return f"{first} with {in_sentence(second)}"


def _variance(label: str) -> str:
    """What a variance parameter is of: "cov a a" is that of a."""
    body = label.removeprefix("cov ").removeprefix("var ")
    half = body[: len(body) // 2]
    return (half if body == f"{half} {half}" else body).replace("@", " at ")
