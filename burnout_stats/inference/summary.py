"""The table of fixed effects."""

from __future__ import annotations

import numpy as np

from ..estimates import Estimates
from ..models.fitted import Fitted
from .about import about
from .generalized import linked
from .intervals import checked_level, numbers

__all__ = ["summarize"]


def summarize(fit: Fitted, *, df: str | None = None, vcov: str | None = None, conf_level: float = 0.95) -> Estimates:
    """Every fixed effect with standard error, degrees of freedom, t, p and interval.

    Parameters
    ----------
    df : str, optional
        "kenward-roger" (the default under REML), "kenward-roger-expected", "satterthwaite" (the default under ML) or
        "asymptotic".
    vcov : str, optional
        The covariance of the coefficients: "model" (the default), or a robust one ("cr0", "cr1", "cr2", "cr3").
    conf_level : float

    Returns
    -------
    Estimates
        One row per term; aliased terms are NaN.
    """
    L = np.eye(len(fit.design.names))
    answer = fit.answer(L, df=df, vcov=vcov)
    names = {"outcome": fit.outcome.name, "term": list(fit.design.names)}
    frame = numbers(answer, np.full(len(L), float(fit.n_subjects)), conf_level=checked_level(conf_level), names=names)
    return Estimates(
        frame=frame,
        vcov=answer.vcov,
        about=linked(
            fit,
            about(
                fit,
                kind="coefficients",
                factors=("term",),
                conf_level=conf_level,
                df_method=answer.method,
                vcov=answer.vcov_name,
            ),
        ),
        notices=fit.notices,
        L=L,
        answers=fit,
    )
