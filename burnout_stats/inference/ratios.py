"""Contrasts of means as ratios: of odds, of probabilities, of mean counts.

A ratio is made on the logarithm, by the delta method where the means are not on that scale already: with K the weights
of a contrast and g the logarithm or the logit, log R = K g(μ̂), var = K D V D K' with D = diag g'(μ̂). Limits, statistic
and p value are those of log R, and the estimate and the limits are taken back by exp; the standard error is R times
that of log R.

**Source**: McCullagh & Nelder 1989, Generalized Linear Models, sections 4.3.1 (odds ratio) and 6.2 (rate ratio); the
delta method as in `scales`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from ..errors import ModelError, one_of
from ..estimates import About, Estimates
from ..estimates.answers import Answers
from ..estimates.quantities import RATIOS
from .scales import ScaledMeans

__all__ = ["MEASURES", "as_ratio", "logarithms", "refuse_linked", "refuse_ratios", "refuse_scaled"]

MEASURES = ("difference", "ratio", "odds_ratio")
"""What contrasts of means may be made."""

KINDS = {
    ("log_odds", "ratio"): "odds_ratios",
    ("log_odds", "odds_ratio"): "odds_ratios",
    ("latent", "ratio"): "odds_ratios",
    ("latent", "odds_ratio"): "odds_ratios",
    ("log_probability", "ratio"): "risk_ratios",
    ("log_mean", "ratio"): "rate_ratios",
    ("probability", "ratio"): "risk_ratios",
    ("probability", "odds_ratio"): "odds_ratios",
    ("count", "ratio"): "rate_ratios",
}
"""The kind of a ratio, by what the means are and the measure."""


def refuse_ratios(found: About) -> None:
    """Stop where something is asked of ratios that is asked of means or differences.

    Raises
    ------
    ModelError
        `E-MODEL-SCALE`.
    """
    if found.kind in RATIOS:
        raise ModelError(
            "E-MODEL-SCALE",
            f"This was asked of {RATIOS[found.kind].name}s.",
            "It is made of means, or of differences between them.",
            'Ask contrast(..., measure="difference").',
        )


def refuse_scaled(found: About, question: str) -> None:
    """Stop where something about measured outcomes is asked of probabilities, counts, their logarithms or ratios.

    Raises
    ------
    ModelError
        `E-MODEL-SCALE`.
    """
    if found.kind in RATIOS or found.quantity:
        what = RATIOS[found.kind].name + "s" if found.kind in RATIOS else found.quantity.replace("_", " ")
        raise ModelError(
            "E-MODEL-SCALE",
            f"{question} asked of {what}.",
            "It is made for means and differences in the units of a measured outcome.",
            "Report the difference or the ratio with its interval.",
        )


def refuse_linked(found: About, question: str) -> None:
    """Stop where something is asked on the scale of a link that would change with the link.

    Raises
    ------
    ModelError
        `E-MODEL-SCALE`.
    """
    refuse_ratios(found)
    if found.quantity not in ("", "probability", "count"):
        raise ModelError(
            "E-MODEL-SCALE",
            f"{question} asked of {found.quantity.replace('_', ' ')}.",
            "It is about means that can be added: probabilities or counts, not their logarithms.",
            'Ask the means with scale="marginal" first.',
        )


def logarithms(means: Estimates, answers: Answers, measure: str) -> tuple[Answers, str]:
    """What the contrasts are asked of, and the kind of their ratios; a difference is asked of the means themselves.

    Raises
    ------
    ModelError
        `E-MODEL-SCALE` for a ratio of means that have none.
    """
    one_of("measure", measure, MEASURES)
    if measure == "difference":
        return answers, ""
    quantity = means.about.quantity
    kind = KINDS.get((quantity, measure))
    if kind is None or means.about.kind not in ("means", "slopes"):
        raise ModelError(
            "E-MODEL-SCALE",
            f"`measure` is {measure!r} for {means.about.kind} of {quantity.replace('_', ' ') or 'a measured outcome'}.",
            "Ratios are made of odds, probabilities or mean counts.",
            'Use measure="difference", or ask the means with scale="link", "response" or "marginal".',
        )
    if isinstance(answers, ScaledMeans):
        return answers.on("logit" if measure == "odds_ratio" else "log"), kind
    if quantity in ("probability", "count"):  # the link is the identity
        raise ModelError(
            "E-MODEL-SCALE",
            "A ratio is asked of means on the scale of the link, which is the identity.",
            "A ratio is made on the logarithm, which these means reach by the delta method.",
            'Ask the means with scale="response".',
        )
    return answers, kind


def as_ratio(frame: pd.DataFrame, vcov: np.ndarray, found: About, kind: str) -> tuple[pd.DataFrame, np.ndarray, About]:
    """Contrasts of logarithms as ratios."""
    ratio = np.exp(frame["estimate"].to_numpy(dtype=float))
    frame = frame.assign(
        contrast=frame["contrast"].str.replace(" - ", " / ", regex=False),
        estimate=ratio,
        std_error=ratio * frame["std_error"].to_numpy(dtype=float),
        conf_low=np.exp(frame["conf_low"].to_numpy(dtype=float)),
        conf_high=np.exp(frame["conf_high"].to_numpy(dtype=float)),
    )
    note = f"Each {RATIOS[kind].name} is tested, and its limits are found, by its logarithm; 1 is no difference."
    return frame, vcov * np.outer(ratio, ratio), replace(found, kind=kind, units={}, notes=(*found.notes, note))
