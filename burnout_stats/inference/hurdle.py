"""The overall mean of counts with a hurdle: the probability of any, times the mean of those above 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..design.grid import Weights
from ..errors import StudyError
from ..estimates import Estimates
from ..models.generalized_fit import GeneralizedFit
from .emmeans import emmeans
from .scales import ScaledMeans, mean_numbers

__all__ = ["hurdle_means"]


def hurdle_means(
    any_of: GeneralizedFit,
    above: GeneralizedFit,
    specs: str | Sequence[str],
    *,
    by: str | Sequence[str] | None = None,
    at: Mapping[str, object] | str | None = None,
    weights: Weights = "proportional",
    conf_level: float = 0.95,
    scale: str = "marginal",
) -> Estimates:
    """E y = P(y > 0) · E(y | y > 0) at each cell, from the two parts of a hurdle.

    Parameters
    ----------
    any_of : GeneralizedFit
        Of family="binomial", with case="> 0".
    above : GeneralizedFit
        Of the same counts, with zeros="none".
    specs, by, at, weights, conf_level
        As of `emmeans`.
    scale : "response" or "marginal"
        On the second, each part is averaged over its own random effects, which are taken not to go together; so are
        the errors of the two parts.

    Returns
    -------
    Estimates
        Mean counts, of which `contrast` takes differences and ratios. The variance is μ² var p̂ + p² var μ̂.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` where the fits are not the two parts of a hurdle.

    **Source**: Mullahy 1986, J Econometrics 33:341; the delta method.
    """
    if any_of.spec.family != "binomial" or above.spec.zeros != "none" or scale == "link":
        raise StudyError(
            "E-STUDY-VALUE",
            f"A hurdle is made of {any_of.spec.family} and {above.spec.family} (zeros={above.spec.zeros!r}), on the "
            f"scale {scale!r}.",
            "Its parts are the events that a count is above 0, and the counts above 0; their product is a mean.",
            'Fit GLMM(..., case="> 0") and GLMM(..., family="poisson", zeros="none"), with scale="marginal".',
        )
    first, second = (
        emmeans(one, specs, by=by, at=at, weights=weights, conf_level=conf_level, scale=scale)
        for one in (any_of, above)
    )
    p, mu = (part.frame["estimate"].to_numpy(dtype=float) for part in (first, second))
    vcov = np.outer(mu, mu) * first.vcov + np.outer(p, p) * second.vcov
    known = np.isfinite(p * mu)
    means = ScaledMeans(
        grid=any_of.grid,
        estimate=p * mu,
        vcov=np.where(np.outer(known, known), vcov, np.nan),
        df=np.where(known, np.inf, np.nan),
        link="log",
    )
    named = [*second.about.factors, *second.about.by]
    names = {"outcome": second.frame["outcome"].to_numpy()} | {name: first.frame[name].to_numpy() for name in named}
    note = (
        "Each mean is the probability of a count above 0, times the mean of such counts; the two parts of the model "
        "are taken to be independent."
    )
    return Estimates(
        frame=mean_numbers(means, first.frame["n"].to_numpy(dtype=float), conf_level=conf_level, names=names),
        vcov=means.vcov,
        about=replace(second.about, notes=(*first.about.notes, note)),
        notices=tuple(dict.fromkeys((*first.notices, *second.notices))),
        L=np.eye(len(p)),
        answers=means,
        cells=first.cells,
    )
