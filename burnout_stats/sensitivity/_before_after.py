"""Means before and after of the same persons, with the covariance of all these means, from a cohort or from print."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cohort import Cohort
from ..engine.paired import correlation_from_change, sd_of_change_from_t
from ..errors import StudyError, one_of
from ..estimates import About, Sample

__all__ = ["BeforeAfter", "of_cohort", "of_samples"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BeforeAfter:
    """The first visit and V later ones, each pair among those who were seen at both.

    Attributes
    ----------
    outcome : str
    visits : labels of the later visits
    years : (V + 1,) years of the first visit and of the later ones
    n : (V,) persons seen at both
    means : (V, 2) before and after
    sds : (V, 2)
    r : (V,) correlation of before and after
    covariance : (2V, 2V) of the means, before and after of the first pair, of the second pair, ...
    seen : for each pair the subjects in it; empty where the numbers are from print
    lowest, highest : (V,) of the scores before; NaN where the numbers are from print
    about : About
        Of the outcome and the visits; the verbs add their own words.
    """

    outcome: str
    visits: tuple[str, ...]
    years: Array
    n: NDArray[np.int64]
    means: Array
    sds: Array
    r: Array
    covariance: Array
    seen: tuple[NDArray[np.bool_], ...]
    lowest: Array
    highest: Array
    about: About

    @property
    def printed(self) -> bool:
        """Whether the numbers are from print."""
        return not self.seen


def of_cohort(cohort: Cohort, outcome: str, visits: str | Iterable[str] | None) -> BeforeAfter:
    """The pairs (first visit, later visit) of a cohort; all later visits where none were named.

    The covariance is that of means over the persons of each pair; persons in two pairs make these go together.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN`, `E-STUDY-OPTION` for unknown names, `E-STUDY-VISITS` for a cohort with one visit.
    """
    role = cohort.outcome(outcome)
    labels = cohort.visits.labels
    if len(labels) < 2:
        raise StudyError(
            "E-STUDY-VISITS",
            "The cohort has one visit.",
            "A change needs two visits.",
            "Compare the visit with a norm: describe.against_norm(cohort, ...).",
        )
    asked = labels[1:] if visits is None else (visits,) if isinstance(visits, str) else tuple(visits)
    chosen = tuple(one_of("visits", visit, labels[1:]) for visit in asked)
    wide = np.full((cohort.n_subjects, len(labels)), np.nan)
    rows = cohort.data["subject"].to_numpy() - 1
    wide[rows, cohort.data["visit"].cat.codes.to_numpy()] = cohort.data[role.name].to_numpy(dtype=float)
    places = np.array([labels.index(visit) for visit in chosen])
    pairs = np.stack([np.broadcast_to(wide[:, :1], (len(wide), len(places))), wide[:, places]], axis=-1)
    seen = ~np.isnan(pairs).any(axis=-1)
    n = seen.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.where(seen[..., None], pairs, 0.0)
        means = kept.sum(axis=0) / n[:, None]
        away = np.where(seen[..., None], pairs - means, 0.0)
        influence = (away * np.sqrt(1 / (n * (n - 1.0)))[:, None]).reshape(len(wide), -1)
        squares = np.einsum("ivp,ivq->vpq", away, away) / (n - 1.0)[:, None, None]
        sds = np.sqrt(np.diagonal(squares, axis1=1, axis2=2))
        r = squares[:, 0, 1] / sds.prod(axis=1)
    by_label = cohort.visits.by_label()
    return BeforeAfter(
        outcome=role.name,
        visits=chosen,
        years=np.array([by_label[label] for label in (labels[0], *chosen)]),
        n=n,
        means=means,
        sds=sds,
        r=r,
        covariance=influence.T @ influence,
        seen=tuple(seen.T),
        lowest=np.where(seen, pairs[..., 0], np.inf).min(axis=0),
        highest=np.where(seen, pairs[..., 0], -np.inf).max(axis=0),
        about=About(
            kind="",
            outcomes={role.name: role.label},
            units={role.name: role.unit} if role.unit else {},
            better={role.name: role.better} if role.better else {},
            ranges={role.name: role.range} if role.range is not None else {},
            visit_years=by_label,
            policy=cohort.policy,
        ),
    )


def of_samples(
    before: Sample,
    after: Sample,
    *,
    r: float | None,
    t: float | None,
    sd_change: float | None,
    outcome: str,
    visit: str,
    years: float | None,
) -> BeforeAfter:
    """One pair from printed numbers.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` where the numbers cannot be of the same persons.
    """
    given = [value for value in (r, t, sd_change) if value is not None]
    if before.n != after.n or len(given) != 1 or before.sd <= 0 or after.sd <= 0 or before.n < 4:
        raise StudyError(
            "E-STUDY-VALUE",
            f"The samples have n {before.n} and {after.n}, SDs {before.sd} and {after.sd}; of r, t and sd_change "
            f"{len(given)} are given.",
            "The mean before is that of the people whose change is told, so n is the same (4 or more); and one number "
            "ties the two scores together.",
            "Do not take the mean of all who came for that of those who were followed; give the paired t that is "
            "printed, for example t=6.76.",
        )
    if r is None:
        change = after.mean - before.mean
        s = sd_change if sd_change is not None else float(sd_of_change_from_t(change, float(t or 0.0), before.n))
        r = float(correlation_from_change(before.sd, after.sd, s))
    if not (math.isfinite(r) and abs(r) < 1):
        raise StudyError(
            "E-STUDY-VALUE",
            f"The correlation of the scores before and after is {r:.3g}.",
            "It lies between -1 and 1.",
            "Check whether the SDs, the t and the n belong to the same persons.",
        )
    sds = np.array([[before.sd, after.sd]])
    V = np.outer(sds, sds) * np.array([[1.0, r], [r, 1.0]]) / before.n
    label = outcome[:1].upper() + outcome[1:].replace("_", " ")
    end = np.nan if years is None else float(years)
    return BeforeAfter(
        outcome=outcome,
        visits=(visit,),
        years=np.array([0.0, end]),
        n=np.array([before.n]),
        means=np.array([[before.mean, after.mean]]),
        sds=sds,
        r=np.array([r]),
        covariance=V,
        seen=(),
        lowest=np.array([np.nan]),
        highest=np.array([np.nan]),
        about=About(
            kind="",
            outcomes={outcome: label},
            visit_years={} if years is None else {"baseline": 0.0, visit: end},
            min_cell=1,
        ),
    )
