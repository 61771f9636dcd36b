"""What the optimiser found, in words: no answer is a ModelError, a doubtful one a Notice."""

from __future__ import annotations

import numpy as np

from ..cohort.roles import Visits
from ..engine.moments import Moments
from ..engine.scoring import Optimum, Status
from ..errors import ModelError
from ..notices import Notice

__all__ = ["refuse_unanswerable", "verdict"]

SINGULAR = 1e7
"""Ratio of largest to smallest eigenvalue of the correlation matrix of the visits at which Σ counts as singular."""


def refuse_unanswerable(moments: Moments, visits: Visits, outcome: str, covariance: str) -> None:
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


def verdict(optimum: Optimum, outcome: str) -> tuple[Notice, ...]:
    """Notices on the optimum.

    Raises
    ------
    ModelError
        `E-MODEL-SINGULAR` where Σ runs to a singular matrix, so that the likelihood has no maximum inside.
    """
    sd = np.sqrt(np.diagonal(optimum.at.sigma, axis1=-2, axis2=-1))
    values = np.linalg.eigvalsh(optimum.at.sigma / (sd[..., :, None] * sd[..., None, :]))
    if optimum.status == Status.VERIFIED:
        return ()
    if (values[..., 0] <= values[..., -1] / SINGULAR).any():
        raise ModelError(
            "E-MODEL-SINGULAR",
            f"The covariance of the visits of `{outcome}` runs to a singular matrix: the likelihood grows without end.",
            "There must be enough subjects for the number of visits, and no visit may be a copy of another.",
            "Use a structure with fewer parameters, or fewer fixed effects.",
        )
    if optimum.status == Status.INDEFINITE:
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
            f"The optimization for `{outcome}` stopped after {int(optimum.iterations)} iterations "
            f"with a gradient of {float(optimum.max_gradient):.2g}.",
            "Do not report these numbers; look for an outlying value or use a structure with fewer parameters.",
        ),
    )
