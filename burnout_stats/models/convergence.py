"""What the optimiser found, in words: no answer is a ModelError, a doubtful one a Notice."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..cohort.roles import Visits
from ..engine.covariance import Covariance
from ..engine.likelihood import curvature, evaluate
from ..engine.moments import Moments
from ..engine.scoring import SAME, Optimum, Status
from ..engine.starts import start_sigma
from ..errors import ModelError
from ..notices import Notice

__all__ = ["refuse_unanswerable", "verdict"]


class Ended(Protocol):
    """How an optimization ended, from moments or from rows."""

    @property
    def status(self) -> NDArray[np.int64]: ...
    @property
    def iterations(self) -> NDArray[np.int64]: ...
    @property
    def max_gradient(self) -> NDArray[np.float64]: ...


SINGULAR = 1e6
"""Ratio of largest to smallest eigenvalue of the correlation matrix of visits at which an unverified Σ counts as
singular.
"""
TINY = 1e-5
"""Standard deviation, in units of that of y or of another visit, at which the variance of an unverified Σ counts as
zero.
"""
UNKNOWN = 1e-8
"""Smallest eigenvalue of the expected information, scaled to a diagonal of 1, at which a direction counts as empty."""
NEARLY_FLAT = 1e-4
"""Gradient below which an unverified end at the bound of the structure counts as the limit of the likelihood there."""


def refuse_unanswerable(moments: Moments, visits: Visits, outcome: str, covariance: str, *, reml: bool = True) -> None:
    """Stop before the optimiser where no covariance, or no unstructured one, can be estimated.

    Raises
    ------
    ModelError
        `E-MODEL-SATURATED`, `E-MODEL-PAIR-UNSEEN` or `E-MODEL-NO-SPREAD`.
    """
    p = moments.n_columns
    n_obs, n_subjects = float(moments.n_obs), float(moments.n_subjects)
    if n_obs <= p:
        raise ModelError(
            "E-MODEL-SATURATED",
            f"The model of `{outcome}` has {p} fixed effects for {n_obs:.0f} rows.",
            "There must be more rows than fixed effects, or nothing is left to estimate variances from.",
            "Use fewer terms.",
        )
    patterns = moments.patterns.astype(float)
    for group in np.unique(moments.groups) if covariance == "us" else ():
        n = moments.n * (moments.groups == group)
        pairs = np.einsum("p,pa,pb->ab", n, patterns, patterns)
        unseen = np.argwhere(np.triu(pairs == 0))
        if not len(unseen):
            continue
        a, b = unseen[0]
        raise ModelError(
            "E-MODEL-PAIR-UNSEEN",
            f"No subject has `{outcome}` at both `{visits.labels[a]}` and `{visits.labels[b]}`.",
            "An unstructured covariance needs every pair of visits in somebody, or it is not identified.",
            "Leave one of the visits out with cohort.subset(...), or use a structure with fewer parameters.",
        )
    for visit in _without_spread(moments, reml) if covariance == "us" or covariance.endswith("h") else ():
        raise ModelError(
            "E-MODEL-NO-SPREAD",
            f"`{outcome}` varies around its fixed effects at `{visits.labels[visit]}` by less than {TINY:.0e} "
            "of its standard deviation.",
            f"`{covariance}` gives every visit its own variance, and needs subjects who differ there.",
            "Leave that visit out with cohort.subset(...), or use a structure with one variance.",
        )
    gram = moments.gram
    beta, *_ = np.linalg.lstsq(gram[:p, :p], gram[:p, p], rcond=None)
    residual = float(gram[p, p] - beta @ gram[:p, p])
    if residual <= 1e-12 * max(float(gram[p, p]), 1e-300) or n_subjects < 2:
        raise ModelError(
            "E-MODEL-NO-SPREAD",
            f"`{outcome}` does not vary around its fixed effects ({n_subjects:.0f} subjects).",
            "Variances can be estimated only where subjects differ from their expected values.",
            "Look at describe.by_visit(cohort); a constant score or a copy of a covariate cannot be modeled.",
        )


def _without_spread(moments: Moments, reml: bool) -> list[int]:
    """Visits at which nothing is left of y, though (REML) there are more rows than effects."""
    p = moments.n_columns
    total = moments.gram[p, p] / max(float(moments.n_obs), 1.0)
    found = []
    for visit in range(moments.patterns.shape[1]):
        at_visit = moments.T[:, visit, visit].sum(0)
        n = float(moments.n[moments.patterns[:, visit]].sum())
        d = np.sqrt(np.maximum(np.diag(at_visit), 1e-300))
        gram = at_visit / d[:, None] / d
        values, vectors = np.linalg.eigh(gram[:p, :p])
        known = values > 1e-10
        explained = ((vectors[:, known].T @ gram[:p, p]) ** 2 / values[known]).sum()
        if n > reml * known.sum() and (1 - explained) * d[p] ** 2 / n < TINY**2 * total:
            found.append(visit)
    return found


def verdict(
    optimum: Optimum,
    outcome: str,
    *,
    visits: Visits | None = None,
    moments: Moments | None = None,
    covariance: Covariance | None = None,
    reml: bool = True,
) -> tuple[Notice, ...]:
    """Notices on the optimum; with the model and its moments, why there is none.

    Raises
    ------
    ModelError
        `E-MODEL-NOT-IDENTIFIED` where the data say nothing about a covariance parameter; `E-MODEL-SINGULAR` where the Σ
        of visits seen together runs to a singular matrix, so that the likelihood has no maximum inside.
    """
    if optimum.status == Status.VERIFIED:
        return _elsewhere(optimum, outcome)
    named = visits.labels if visits is not None else tuple(f"visit {k + 1}" for k in range(optimum.at.sigma.shape[-1]))
    if moments is not None and covariance is not None:
        _refuse_unidentified(moments, covariance, named, outcome, reml)
    patterns = None if moments is None else moments.patterns
    groups = np.zeros(1, dtype=np.intp) if moments is None else moments.groups
    _refuse_singular(optimum, named, outcome, patterns, groups)
    values = np.linalg.eigvalsh(optimum.curvature.observed)
    if float(optimum.max_gradient) < NEARLY_FLAT and values[0] > -NEARLY_FLAT * max(float(values[-1]), 1.0):
        return (_at_the_bound(outcome),)
    return doubts(optimum, outcome)


def doubts(ended: Ended, outcome: str) -> tuple[Notice, ...]:
    """Notices on an end that is not verified."""
    if ended.status == Status.VERIFIED:
        return ()
    if ended.status == Status.INDEFINITE:
        return (
            Notice(
                "N-MODEL-INDEFINITE",
                f"The Hessian for `{outcome}` is not positive definite where it ended: this may be no maximum.",
                "Do not report these standard errors; use a structure with fewer parameters.",
            ),
        )
    return (
        Notice(
            "N-MODEL-NOT-CONVERGED",
            f"The optimization for `{outcome}` stopped after {int(ended.iterations)} iterations "
            f"with a gradient of {float(ended.max_gradient):.2g}.",
            "Do not report these numbers; look for an outlying value or use a structure with fewer parameters.",
        ),
    )


def _elsewhere(optimum: Optimum, outcome: str) -> tuple[Notice, ...]:
    """A verified optimum, but another attempt came lower without ending."""
    criterion = float(optimum.at.criterion)
    lower = [one for one in optimum.attempts if one.criterion < criterion - SAME * abs(criterion)]
    if not lower:
        return ()
    return (
        Notice(
            "N-MODEL-UNBOUNDED",
            f"The likelihood for `{outcome}` has a maximum, which is reported, but it grows beyond it "
            "where the covariance of the visits becomes singular.",
            "So few subjects cannot carry this covariance: use a structure with fewer parameters and compare.",
        ),
    )


def _refuse_unidentified(
    moments: Moments, covariance: Covariance, visits: tuple[str, ...], outcome: str, reml: bool
) -> None:
    """The expected information at the start has a direction with nothing in it: name the visits that it moves."""
    theta = covariance.start(start_sigma(moments))
    at = evaluate(moments, covariance, theta, reml=reml)
    expected = curvature(moments, covariance, theta, at, reml=reml).expected
    size = np.sqrt(np.maximum(np.diag(expected), 0.0))
    known = size > 1e-6 * max(float(size.max()), 1e-300)
    safe = np.where(known, size, 1.0)
    values, vectors = np.linalg.eigh(np.where(np.outer(known, known), expected / np.outer(safe, safe), 0.0))
    if values[0] > UNKNOWN:
        return
    direction = vectors[:, 0] / safe if known.all() else (~known).astype(float)
    sd = np.sqrt(np.diagonal(at.sigma, axis1=-2, axis2=-1))
    moved = np.abs(np.einsum("i,igab->gab", direction, covariance.derivatives(theta)[0]))
    moved = (moved / sd[:, :, None] / sd[:, None, :]).max(0)
    a, b = np.unravel_index(int(np.argmax(np.triu(moved))), moved.shape)
    what = f"the variance at `{visits[a]}`" if a == b else f"the covariance of `{visits[a]}` and `{visits[b]}`"
    raise ModelError(
        "E-MODEL-NOT-IDENTIFIED",
        f"The data say nothing about {what} of `{outcome}` once the fixed effects are taken out.",
        "Every covariance parameter needs subjects, more than the fixed effects use up there.",
        "Use a structure with fewer parameters, fewer fixed effects, or leave that visit out with cohort.subset(...).",
    )


def _refuse_singular(
    optimum: Optimum,
    visits: tuple[str, ...],
    outcome: str,
    patterns: NDArray[np.bool_] | None,
    groups: NDArray[np.intp],
) -> None:
    sigma = optimum.at.sigma
    n_visits = sigma.shape[-1]
    for pattern, group in zip(
        np.ones((1, n_visits), dtype=bool) if patterns is None else patterns, groups, strict=True
    ):
        seen = np.flatnonzero(pattern)
        part = sigma[group][np.ix_(seen, seen)]
        sd = np.sqrt(np.maximum(np.diag(part), 0.0))
        if not len(seen) or not (sd.min() < TINY * max(sd.max(), 1.0) or _is_singular(_correlation(part))):
            continue
        names = ", ".join(f"`{visits[k]}`" for k in seen)
        raise ModelError(
            "E-MODEL-SINGULAR",
            f"The covariance of {names} of `{outcome}` runs to a singular matrix, or so near to one that the "
            "likelihood cannot be computed."
            if len(seen) > 1 and sd.min() >= TINY * max(sd.max(), 1.0)
            else f"The variance of `{outcome}` at `{visits[seen[np.argmin(sd)]]}` runs to zero: "
            "the likelihood grows without end.",
            "There must be enough subjects for the number of visits; none of these may be constant or a copy of "
            "another, and no subject may lie far from all others at every visit.",
            "Use a structure with fewer parameters, fewer fixed effects, or leave that visit out.",
        )


def _at_the_bound(outcome: str) -> Notice:
    return Notice(
        "N-MODEL-BOUNDARY",
        f"The likelihood for `{outcome}` is largest at the bound of the covariance structure, where a correlation ends "
        "(0 for sp_exp, the most negative one for cs, or 1 or -1 for visits that nobody has all of).",
        "The fixed effects hold at that bound; the structure does not fit: compare with another one.",
    )


def _correlation(sigma: NDArray[np.float64]) -> NDArray[np.float64]:
    sd = np.sqrt(np.maximum(np.diagonal(sigma, axis1=-2, axis2=-1), 1e-300))
    return np.asarray(sigma / (sd[..., :, None] * sd[..., None, :]))


def _is_singular(correlation: NDArray[np.float64]) -> NDArray[np.bool_]:
    finite = np.asarray(np.isfinite(correlation).all((-2, -1)))
    values = np.linalg.eigvalsh(np.where(finite[..., None, None], correlation, 1.0))
    return np.asarray(values[..., 0] <= values[..., -1] / SINGULAR)
