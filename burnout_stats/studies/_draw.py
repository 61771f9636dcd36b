"""Stacks of synthetic cohorts drawn from parameters: all replicates in one array.

Groups, latent normals, patterns of visits and selections come from streams of their own, each read in the order of
the replicates, so that a stack drawn in chunks is the same stack.

**Source** Mehler's formula (Kibble 1945, Math Proc Camb Phil Soc 41:12): for standard normals with correlation ρ,
E f(z₁) g(z₂) = Σ_k a_k b_k ρ^k with the Hermite coefficients a, b; so the correlation of two scores on a grid is a
power series of the latent one (Cario & Nelson 1997, NORTA).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ..cohort.margins import margin_probabilities
from ..cohort.parameters import Factor, Margin, Parameters, Variable
from ..cohort.roles import Covariate, Outcome
from ..cohort.simulate import latent_scores, pattern_probabilities
from ..errors import StudyError
from ._stack import Stack

__all__ = ["Arm", "Selection", "checked_size", "draw", "latent_correlation"]

Array = NDArray[np.float64]
ORDER = 24
CHUNK = 2_000_000
"""Latent normals drawn at a time."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arm:
    """A part of a study that is drawn by itself: an arm, a survey, a sample.

    Attributes
    ----------
    parameters : Parameters
    n : int
    levels : mapping of factor to the level that all its subjects have, such as {"arm": "coaching"}
    fixed_patterns : bool
        Whether each pattern of visits has as many subjects as its probability says, in random order (only where
        patterns depend on nothing).
    """

    parameters: Parameters
    n: int
    levels: Mapping[str, str] = field(default_factory=dict)
    fixed_patterns: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A yes-or-no factor drawn at random for each subject: those who were at work, those whose forms were complete."""

    name: str
    label: str
    probability: float
    within: Mapping[str, float] = field(default_factory=dict)
    factor: str = ""


def draw(
    arms: Sequence[Arm],
    *,
    replicates: int,
    seed: int | Sequence[int],
    selections: Sequence[Selection] = (),
    outcomes: Sequence[str] = (),
    factors: Mapping[str, Covariate] | None = None,
) -> Stack:
    """Replicates of a study of one or several arms.

    Parameters
    ----------
    arms : sequence of Arm
        With the same visits and variables.
    replicates : int
    seed : int or several
    selections : sequence of Selection
    outcomes : names
        Variables that are outcomes of this study, whatever their role in the parameters.
    factors : by name, the factors that `Arm.levels` names

    Raises
    ------
    StudyError
        `E-STUDY-SIZE` for fewer than one replicate, or a negative seed.
    """
    entropy = [seed] if isinstance(seed, int) else list(seed)
    checked_size(replicates, min(entropy))
    parts = [
        _draw_arm(arm, replicates, sequence)
        for arm, sequence in zip(arms, np.random.SeedSequence(entropy).spawn(len(arms)), strict=True)
    ]
    first = arms[0].parameters
    named = dict(factors or {})
    groups: dict[str, NDArray[np.int64]] = {
        key: np.concatenate([part.groups[key] for part in parts], axis=1) for key in parts[0].groups
    }
    for name, role in named.items():
        levels = list(role.levels or ())
        codes = [np.full((replicates, arm.n), levels.index(arm.levels[name]), dtype=np.int64) for arm in arms]
        groups[name] = np.concatenate(codes, axis=1)
    roles: dict[str, Outcome | Covariate] = {v.name: _role(v, outcomes) for v in first.variables}
    roles |= {f.role.name: f.role for f in first.factors} | named
    scores = {key: np.concatenate([part.scores[key] for part in parts], axis=1) for key in parts[0].scores}
    seen = np.concatenate([part.seen for part in parts], axis=1)
    stack = Stack(visits=first.visits, scores=scores, groups=groups, seen=seen, roles=roles, title=first.title)
    return _selected(stack, selections, entropy) if selections else stack


def checked_size(replicates: int, seed: int) -> None:
    """Refuse fewer than one replicate, and a negative seed.

    Raises
    ------
    StudyError
        `E-STUDY-SIZE`.
    """
    if replicates < 1 or seed < 0:
        raise StudyError(
            "E-STUDY-SIZE",
            f"{replicates} replicates were asked for, with seed {seed}.",
            "There is one replicate or more, and the seed is 0 or more, both whole numbers.",
            "Write for example reproduce(n_replicates=1000, seed=1).",
        )


def _role(variable: Variable, outcomes: Sequence[str]) -> Outcome | Covariate:
    role = variable.role
    if variable.name in outcomes and isinstance(role, Covariate) and not role.levels:
        limits = (float(variable.grid.lowest), float(variable.grid.highest))
        return Outcome(role.name, role.label, limits, role.unit)
    return role


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    scores: dict[str, Array]
    groups: dict[str, NDArray[np.int64]]
    seen: NDArray[np.bool_]


def _draw_arm(arm: Arm, replicates: int, sequence: np.random.SeedSequence) -> _Part:
    given, n = arm.parameters, arm.n
    streams = [np.random.Generator(np.random.PCG64(part)) for part in sequence.spawn(2 + len(given.factors))]
    groups = {f.role.name: _levels(f, replicates, n, rng) for f, rng in zip(given.factors, streams[2:], strict=True)}
    root = np.linalg.cholesky(given.correlation).T
    size, k = max(1, CHUNK // (n * len(given.latent))), len(given.visits)
    scores = {v.name: np.empty((replicates, n, k)) for v in given.variables}
    seen = np.ones((replicates, n, k), dtype=bool)
    for start in range(0, replicates, size):
        rows = slice(start, min(start + size, replicates))
        m = (rows.stop - rows.start) * n
        found = latent_scores(given, streams[0].standard_normal((m, len(given.latent))) @ root)
        for name, values in found.items():
            scores[name][rows] = values.reshape(-1, n, k)
        if given.dropout.patterns:
            u = streams[1].random((rows.stop - rows.start, n))
            seen[rows] = _patterns(arm, found, {key: codes[rows] for key, codes in groups.items()}, u)
    for values in scores.values():
        values[~seen] = np.nan
    return _Part(scores, groups, seen)


def _levels(factor: Factor, replicates: int, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    bounds = np.cumsum(factor.shares)[:-1]
    u = rng.random((replicates, n))
    if factor.quota:
        u = (np.argsort(u, axis=1) + 0.5) / n
    return np.searchsorted(bounds, u).astype(np.int64)


def _patterns(
    arm: Arm, scores: Mapping[str, Array], groups: Mapping[str, NDArray[np.int64]], u: Array
) -> NDArray[np.bool_]:
    given = arm.parameters
    flat = {key: codes.reshape(-1) for key, codes in groups.items()}
    chances = pattern_probabilities(given, scores, flat)
    below = np.cumsum(chances, axis=1)[:, :-1].reshape(*u.shape, -1)
    if arm.fixed_patterns:
        u = (np.argsort(u, axis=1) + 0.5) / arm.n
    kinds = np.array([pattern.seen for pattern in given.dropout.patterns])
    drawn: NDArray[np.bool_] = kinds[(u[..., None] > below).sum(axis=-1)]
    return drawn


def _selected(stack: Stack, selections: Sequence[Selection], entropy: Sequence[int]) -> Stack:
    groups, roles = dict(stack.groups), dict(stack.roles)
    streams = np.random.SeedSequence([*entropy, 1, 1]).spawn(len(selections))
    for selection, stream in zip(selections, streams, strict=True):
        u = np.random.Generator(np.random.PCG64(stream)).random(stack.seen.shape[:2])
        chance = np.full(u.shape, selection.probability)
        for level, probability in selection.within.items():
            chance = np.where(stack.level(selection.factor, level), probability, chance)
        groups[selection.name] = (u < chance).astype(np.int64)
        roles[selection.name] = Covariate(selection.name, label=selection.label, levels=("no", "yes"))
    return Stack(
        visits=stack.visits, scores=stack.scores, groups=groups, seen=stack.seen, roles=roles, title=stack.title
    )


# ---- latent correlations -------------------------------------------------------------------------------------------


def latent_correlation(first: tuple[Variable, Margin], second: tuple[Variable, Margin], wanted: float) -> float:
    """The latent correlation with which two scores correlate as wanted; the nearest one where none does.

    >>> from burnout_stats.cohort.parameters import Grid
    >>> yes_no = Variable(Covariate("leave"), Grid(0, 1, 1), "binary", (Margin(0.5),))
    >>> round(latent_correlation((yes_no, Margin(0.5)), (yes_no, Margin(0.5)), 1 / 3), 3)
    0.5
    """
    products = _hermite(*first) * _hermite(*second)
    low, high = -0.995, 0.995
    for _ in range(60):
        middle = (low + high) / 2
        if float(products @ middle ** np.arange(1, ORDER + 1)) < wanted:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _hermite(variable: Variable, margin: Margin) -> Array:
    """Coefficients a_k / SD, k = 1..ORDER, of the step function from a normal to the score:
    a_k = Σ_j (v_j − v_{j−1}) φ(t_j) He_{k−1}(t_j) / √k!.
    """
    p = margin_probabilities(variable, margin)
    values = variable.grid.values
    inner = np.cumsum(p)[:-1]
    kept = (inner > 1e-14) & (inner < 1 - 1e-14)
    t, rise = ndtri(inner[kept]), np.diff(values)[kept]
    weight = rise * np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)
    mean = float(p @ values)
    sd = np.sqrt(float(p @ (values - mean) ** 2))
    # h_k = He_k / √k!:  h_{k+1} = (t h_k − √k h_{k−1}) / √(k + 1);  a_k = Σ weight h_{k−1} / √k
    before, now = np.zeros_like(t), np.ones_like(t)
    found = np.empty(ORDER)
    for k in range(1, ORDER + 1):
        found[k - 1] = weight @ now / np.sqrt(k)
        before, now = now, (t * now - np.sqrt(k - 1) * before) / np.sqrt(k)
    return np.asarray(found / sd)
