"""Where a generalized mixed model has no answer: refusals before the search, and after it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..design import Design
from ..engine.glmm import Optimum, Problem
from ..engine.recession import receding
from ..errors import ModelError
from .generalized import GLMM

__all__ = ["refuse_constant", "refuse_not_told_apart", "refuse_runaway", "refuse_separated", "refuse_unchanging"]

Array = NDArray[np.float64]
ORDINARY = 12.0
"""A linear predictor beyond this is looked at: a group may have no event, or only events."""
RUNAWAY = 15.0
"""A standard deviation of random effects on the scale of the link, at an unverified end, that runs to infinity."""


def refuse_constant(spec: GLMM, problem: Problem, design: Design) -> None:
    """Stop where every score is the same.

    Raises
    ------
    ModelError
        `E-MODEL-NO-SPREAD`.
    """
    seen = np.unique(problem.y[problem.mask > 0])
    if len(seen) < 2:
        raise ModelError(
            "E-MODEL-NO-SPREAD",
            f"Every score of `{design.outcome.name}` is the same ({spec.family.replace('_', ' ')}).",
            "A model needs scores that differ.",
            "Look at the data with describe.by_visit, or at the rule that makes the event.",
        )


def refuse_not_told_apart(spec: GLMM, problem: Problem, design: Design) -> None:
    """Stop where the data cannot tell the random effects from chance, or from one another.

    Raises
    ------
    ModelError
        `E-MODEL-RANDOM`.
    """
    assert design.random is not None
    rows = problem.mask.sum(axis=1)
    Z = problem.Z * problem.mask[..., None]
    cross = np.einsum("nvq,nvr->qr", Z, Z)
    scale = np.sqrt(np.maximum(np.diag(cross), 1e-300))
    values = np.linalg.eigvalsh(cross / np.outer(scale, scale))
    alone = rows.max() < 2 and not (spec.family == "poisson" and spec.zeros is None)
    if not alone and values.min() > 1e-10:
        return
    seen = "no subject has two scores" if alone else "one is a combination of the others"
    raise ModelError(
        "E-MODEL-RANDOM",
        f"The random effects of `{design.outcome.name}` ({', '.join(design.random.names)}) cannot be told apart: "
        f"{seen}.",
        "Random effects are what the scores of one subject share, so some subjects must have several.",
        "Use fewer random effects, or a model without them for one score of each subject.",
    )


def refuse_separated(
    problem: Problem, given: Problem, plain: Optimum, kept: NDArray[np.intp], design: Design, *, ordinal: bool
) -> None:
    """Stop where the likelihood of the model without random effects, whose search ended at `plain`, has no maximum;
    `given` has the columns as they were named.

    Raises
    ------
    ModelError
        `E-MODEL-SEPARATION`.
    """
    p = problem.sizes[0]
    on = problem.mask > 0
    eta = (problem.X @ plain.psi[:p] + problem.offset)[on]
    ends = plain.psi[p:] if ordinal else np.zeros(1)
    if plain.converged and np.abs(eta).max() < ORDINARY and np.abs(ends).max() < ORDINARY:
        return
    found = receding(given)
    if not found.any():
        return
    names = [design.names[kept[k + ordinal]] for k in np.flatnonzero(found[:p])]
    told = ", ".join(f"`{name}`" for name in names) or "a threshold"
    raise ModelError(
        "E-MODEL-SEPARATION",
        f"In the model of `{design.outcome.name}`, {told} tells some scores from the others without error: a group has "
        "no events, or nothing else.",
        "The likelihood then has no maximum: an estimate would run to infinity.",
        'For events, fit with penalty="soft", which keeps every estimate finite; or leave the term out.',
    )


def refuse_unchanging(spec: GLMM, problem: Problem, design: Design) -> None:
    """Stop where no subject ever changes.

    Raises
    ------
    ModelError
        `E-MODEL-SEPARATION`.
    """
    if spec.family not in {"binomial", "ordinal"}:
        return
    on = problem.mask > 0
    highest, lowest = np.where(on, problem.y, -np.inf).max(axis=1), np.where(on, problem.y, np.inf).min(axis=1)
    if (highest == lowest).all():
        raise _runaway(design, "no subject's score changes")


def refuse_runaway(spec: GLMM, problem: Problem, optimum: Optimum, design: Design) -> None:
    """Stop where the variance of the random effects runs to infinity, because hardly any subject changes.

    Raises
    ------
    ModelError
        `E-MODEL-SEPARATION`.
    """
    if spec.family not in {"binomial", "ordinal"} or optimum.converged or not problem.Z.shape[2]:
        return
    p, t, _ = problem.sizes
    theta = optimum.psi[p : p + t]
    if np.abs(problem.Z[:, :, problem.free[:, 0]] * theta).max() > RUNAWAY:
        raise _runaway(design, "nearly all subjects have the same score at all of their visits")


def _runaway(design: Design, seen: str) -> ModelError:
    return ModelError(
        "E-MODEL-SEPARATION",
        f"In the model of `{design.outcome.name}`, {seen}, so the variance of the random effects runs to infinity.",
        "A model of change needs subjects who change.",
        'For events, fit with penalty="soft", which keeps every estimate finite; or compare subjects at one visit.',
    )
