"""One estimate as it is without each subject in turn, everything estimated anew."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..engine import influence as deletion
from ..engine.multiplicity import t_quantile
from ..engine.scoring import Status, optimize
from ..estimates import Estimates
from ..inference.weighted import refuse_weighted
from ..models import Fit
from ..models.degrees_of_freedom import MomentsState
from ..models.residuals import nominal

__all__ = ["WithoutEach", "without_each"]

Array = NDArray[np.float64]
CELLS = 4_000_000
"""Numbers in the cross-products of one stack of refits: 32 megabytes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WithoutEach:
    """The contrast without each subject: (n,) arrays, NaN where the model has no answer then."""

    estimate: Array
    std_error: Array
    df: Array

    def limits(self, level: float) -> tuple[Array, Array]:
        """Intervals."""
        half = t_quantile(level, self.df) * self.std_error
        return self.estimate - half, self.estimate + half


def without_each(whole: Fit, everyone: Estimates) -> WithoutEach:
    """The contrast without each subject, with the model's small-sample method applied to every refit."""
    refuse_weighted(whole)
    rows, state = whole.needed_rows(), nominal(whole)
    moments = state.moments
    columns = np.append(whole.kept, rows.z.shape[1] - 1)
    subjects = deletion.subjects_of(
        moments,
        rows.z[:, columns],
        rows.subject,
        np.searchsorted(whole.seen, rows.visit),
        group=rows.group,
        weights=rows.weight,
    )
    held, _ = deletion.held(moments, subjects, state.optimum.at.A, state.optimum.at.sigma)
    sound = np.flatnonzero(np.isfinite(held.beta).all(1))
    L, _ = everyone.attached()
    inner, offset = state.basis.functions(np.asarray(L)[:, whole.kept])
    _, method = whole.df_method(everyone.about.df_method)
    n = len(subjects.starts)
    found = WithoutEach(estimate=np.full(n, np.nan), std_error=np.full(n, np.nan), df=np.full(n, np.nan))
    at_once = max(1, CELLS // moments.T.size)
    for first in range(0, len(sound), at_once):
        members = sound[first : first + at_once]
        stack = deletion.without(moments, subjects, members)
        start = np.repeat(state.optimum.theta[None], len(members), axis=0)
        optimum = optimize(stack, state.covariance, reml=whole.spec.method == "reml", theta=start)
        part = MomentsState(stack, optimum, state.covariance)
        verified = optimum.status == Status.VERIFIED
        kept = members[verified]
        function = np.repeat(inner[None], len(members), axis=0)
        variance = np.einsum("nkp,npq,nkq->n", function, method.vcov(part), function)
        found.estimate[kept] = ((part.gamma @ inner[0]) + offset[0])[verified]
        found.std_error[kept] = np.sqrt(variance)[verified]
        found.df[kept] = method.rows(part, function)[:, 0][verified] if method.counted is None else np.nan
    if method.counted is not None:
        found.df[:] = everyone.frame["df"].iloc[0]
    return found
