"""Confidence intervals for fixed effects and for the covariance of the visits, by Wald's approximation or by the
profile likelihood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import linalg, special

from ..engine import profile
from ..engine.jets import Jet, parameters
from ..errors import ModelError, StudyError, did_you_mean, one_of
from ..estimates import Estimates
from ..models import Fit
from ..models.residuals import nominal
from ..notices import Notice, announce
from .about import about
from .intervals import checked_level
from .summary import summarize
from .weighted import refuse_weighted

__all__ = ["METHODS", "confint"]

Array = NDArray[np.float64]
METHODS = {"wald": "from standard errors", "profile": "profile likelihood"}
PARTS = ("fixed", "covariance")


@dataclass(frozen=True, slots=True, eq=False)
class _Parameter:
    """One number of Σ: its name, how many subjects it rests on, its value on a scale without bounds, and the random
    effects that it is about (one for a standard deviation, two for a correlation).
    """

    name: str
    n: float
    quantity: profile.Quantity
    group: int
    back: Callable[[Array], Array]
    slope: Callable[[float], float]
    effects: tuple[int, ...] = ()


def confint(
    fit: Fit, *, method: str = "wald", parm: str | Sequence[str] | None = None, conf_level: float = 0.95
) -> Estimates:
    """Confidence intervals for the parameters of a model.

    Parameters
    ----------
    method : "wald" or "profile"
        Estimate ± a multiple of the standard error (for standard deviations on the log scale, for correlations on
        Fisher's z, both without bounds); or all values that a likelihood-ratio test does not reject.
    parm : "fixed", "covariance", or names of terms and parameters, optional
        Fixed effects by term; standard deviations as `sd[1 year]` (`sd` where all visits share one), correlations as
        `cor[baseline, 1 year]`: those that determine the structure (one for `cs` and `ar1`, those with the first visit
        for `toep`, those of neighbors for `ad`). All of them where none are named; under REML, `method="profile"` then
        gives those of the covariance.

    Returns
    -------
    Estimates
        One row per parameter, `n` the subjects seen at the visits that it is about. `df`, `statistic` and `p_value`
        stand with Wald intervals of fixed effects only (as `summarize` has them).

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for an unknown method, `E-STUDY-VALUE` for an unknown parameter.
    ModelError
        `E-MODEL-NEEDS-ML` for profile intervals of fixed effects under REML, where the likelihood does not know them;
        `E-MODEL-VCOV` with probability weights, which make no likelihood; `E-MODEL-NOT-NOMINAL` where random effects
        give every subject a covariance of its own.

    **Source**: Venzon & Moolgavkar 1988, Appl Stat 37:87; Pinheiro & Bates 2000, Mixed-Effects Models in S and S-PLUS,
    section 2.4.

    >>> from burnout_stats.models import MMRM, fit
    >>> from burnout_stats.studies import example
    >>> fitted = fit(MMRM("exhaustion ~ visit", covariance="cs"), example("villa_sana"))
    >>> confint(fitted, method="profile", parm="covariance").frame["term"].tolist()
    ['sd', 'cor[baseline, 1 year]']
    """
    one_of("method", method, METHODS)
    refuse_weighted(fit)
    checked_level(conf_level)
    parameters = list(_parameters(fit))
    wanted = _wanted(fit, parameters, parm, method)
    fixed = [k for k, name in enumerate(fit.design.names) if name in wanted]
    chosen = [one for one in parameters if one.name in wanted]
    parts: list[pd.DataFrame] = []
    blocks: list[Array] = []
    if fixed:
        table = summarize(fit, conf_level=conf_level)
        parts.append(table.frame.iloc[fixed])
        blocks.append(table.vcov[np.ix_(fixed, fixed)])
    if chosen:
        frame, vcov = _wald(fit, chosen, conf_level)
        parts.append(frame)
        blocks.append(vcov)
    frame = pd.concat(parts, ignore_index=True)
    if method == "profile":
        frame = _profiled(fit, frame, fixed, chosen, conf_level)
    lost = int((frame["estimate"].notna() & (frame["conf_low"].isna() | frame["conf_high"].isna())).sum())
    notices = _lost(lost) if method == "profile" else ()
    announce(notices)
    likelihood = "restricted " if fit.spec.method == "reml" else ""
    notes = {
        "wald": "Intervals of SDs are made on the log scale, those of correlations on Fisher's z.",
        "profile": f"Intervals hold every value that a test of the {likelihood}likelihood ratio does not reject.",
    }
    return Estimates(
        frame=frame,
        vcov=linalg.block_diag(*blocks),
        about=replace(
            about(fit, kind="coefficients", factors=("term",), conf_level=conf_level, df_method=""),
            notes=(notes[method],),
        ),
        notices=(*fit.notices, *notices),
    )


def _parameters(fit: Fit) -> Iterator[_Parameter]:
    """The numbers that determine Σ, group by group; of an LMM, those of its random effects and the residual."""
    if fit.random is not None:
        yield from _of_random_effects(fit)
        return
    code, labels = fit.spec.structure_code, fit.visits.labels
    moments = nominal(fit).moments
    seen = moments.n[:, None, None] * (moments.patterns[:, :, None] & moments.patterns[:, None, :])
    each = code == "us" or code.endswith("h")
    scale = float(fit.state.basis.scale)
    for g, group in enumerate(fit.design.groups or ("",)):
        n = seen[moments.groups == g].sum(0)
        tail = f" ({group})" if group else ""
        for k, label in enumerate(labels if each else labels[:1]):
            yield _Parameter(
                f"sd[{label}]{tail}" if each else f"sd{tail}",
                float(n[k, k] if each else np.diagonal(n).max()),
                profile.log_deviation(k),
                g,
                *_as_deviation(scale),
            )
        for a, b in _pairs(code, len(labels)):
            yield _Parameter(
                f"cor[{labels[a]}, {labels[b]}]{tail}",
                float(n[a, b]),
                profile.correlation(a, b),
                g,
                *_AS_CORRELATION,
            )


_AS_CORRELATION = (np.tanh, lambda value: 1 - float(np.tanh(value)) ** 2)


def _as_deviation(scale: float) -> tuple[Callable[[Array], Array], Callable[[float], float]]:
    return (lambda value: scale * np.exp(value), lambda value: scale * float(np.exp(value)))


def _of_random_effects(fit: Fit) -> Iterator[_Parameter]:
    """From Σ = ZGZ' + σ²I over the visits: G = Z⁺(Σ − σ²I)Z⁺', and θ₁ = log σ. Not those of variances at zero."""
    random = fit.random
    assert random is not None
    scale = float(nominal(fit).basis.scale)
    inverse = np.linalg.pinv(random.at_visits[list(fit.seen)])
    n, names = float(fit.n_subjects), random.design.names

    def element(a: int, b: int) -> Callable[[profile.Element, Array], Jet]:
        weights = np.outer(inverse[a], inverse[b])

        def G(sigma: profile.Element, theta: Array) -> Jet:
            residual = _residual_variance(theta) * -float(np.trace(weights))
            for k, row in enumerate(weights):
                for j, weight in enumerate(row):
                    residual = residual + sigma(k, j) * float(weight)
            return residual

        return G

    def deviation(a: int) -> profile.Quantity:
        return lambda sigma, theta: profile.half_logarithm(element(a, a)(sigma, theta))

    def correlation(a: int, b: int) -> profile.Quantity:
        parts = element(a, a), element(b, b), element(a, b)
        return lambda sigma, theta: profile.fisher_z(*(part(sigma, theta) for part in parts))

    positive = np.diag(random.G) > 0
    for k, name in enumerate(names):
        if positive[k]:
            yield _Parameter(f"sd[{name}]", n, deviation(k), 0, *_as_deviation(scale), effects=(k,))
    with np.errstate(invalid="ignore", divide="ignore"):
        r = random.G / np.sqrt(np.outer(np.diag(random.G), np.diag(random.G)))
    for block in random.design.blocks:
        for a, b in combinations(block, 2):
            if positive[a] and positive[b] and abs(r[a, b]) < 1 - 1e-9:
                yield _Parameter(
                    f"cor[{names[a]}, {names[b]}]", n, correlation(a, b), 0, *_AS_CORRELATION, effects=(a, b)
                )
    yield _Parameter(
        "sd[residual]",
        n,
        lambda sigma, theta: profile.half_logarithm(_residual_variance(theta)),
        0,
        *_as_deviation(scale),
    )


def _residual_variance(theta: Array) -> Jet:
    """exp(2 θ₁)."""
    return (parameters(theta)[0] * 2.0).exp()


def _pairs(code: str, n_visits: int) -> list[tuple[int, int]]:
    """The correlations that determine all others in a structure."""
    pairs = list(combinations(range(n_visits), 2))
    kind = code.removesuffix("h")
    if kind == "toep":
        return [pair for pair in pairs if pair[0] == 0]
    if kind == "ad":
        return [(a, b) for a, b in pairs if b == a + 1]
    return pairs if kind == "us" else pairs[:1]


def _wanted(fit: Fit, parameters: list[_Parameter], parm: str | Sequence[str] | None, method: str) -> set[str]:
    terms, others = list(fit.design.names), [one.name for one in parameters]
    no_fixed = method == "profile" and fit.spec.method == "reml"
    if parm is None:
        return set(others) if no_fixed else {*terms, *others}
    names = {"fixed": terms, "covariance": others}.get(parm, [parm]) if isinstance(parm, str) else list(parm)
    for name in names:
        if name not in (*terms, *others):
            raise StudyError(
                "E-STUDY-VALUE",
                f"The model has no parameter `{name}`.",
                f"Its parameters are: {', '.join((*terms, *others))}; all of a kind are 'fixed' and 'covariance'.",
                did_you_mean(name, (*PARTS, *terms, *others)),
            )
    if no_fixed and not set(names).isdisjoint(terms):
        raise ModelError(
            "E-MODEL-NEEDS-ML",
            "A profile interval is asked for a fixed effect of a model fitted by REML.",
            "The restricted likelihood is free of the fixed effects, so it cannot tell how well a value of them fits.",
            'Fit with method="ml", or ask with method="wald".',
        )
    return set(names)


def _wald(fit: Fit, chosen: list[_Parameter], conf_level: float) -> tuple[pd.DataFrame, Array]:
    state = nominal(fit)
    W = state.theta_covariance("observed")
    at = [profile.quantity_at(state.covariance, state.optimum.theta, one.quantity, one.group) for one in chosen]
    value = np.array([float(jet.value) for jet in at])
    G = np.array([jet.gradient for jet in at])
    inner = G @ W @ G.T
    slope = np.array([one.slope(v) for one, v in zip(chosen, value, strict=True)])
    vcov = inner * np.outer(slope, slope)
    margin = float(special.ndtri((1 + conf_level) / 2)) * np.sqrt(np.diagonal(inner))
    frame = pd.DataFrame(
        {
            "outcome": fit.outcome.name,
            "term": [one.name for one in chosen],
            "estimate": [float(one.back(v)) for one, v in zip(chosen, value, strict=True)],
            "std_error": np.sqrt(np.diagonal(vcov)),
            "df": np.nan,
            "statistic": np.nan,
            "p_value": np.nan,
            "conf_low": [float(one.back(v)) for one, v in zip(chosen, value - margin, strict=True)],
            "conf_high": [float(one.back(v)) for one, v in zip(chosen, value + margin, strict=True)],
            "n": [one.n for one in chosen],
            "method": "wald",
        }
    )
    return frame, vcov


def _profiled(
    fit: Fit, frame: pd.DataFrame, fixed: list[int], chosen: list[_Parameter], conf_level: float
) -> pd.DataFrame:
    state = nominal(fit)
    q = float(special.chdtri(1, 1 - conf_level))
    low, high = np.full(len(frame), np.nan), np.full(len(frame), np.nan)
    kept = [(row, list(fit.kept).index(k)) for row, k in enumerate(fixed) if k in set(fit.kept)]
    if kept:
        where, columns = (list(part) for part in zip(*kept, strict=True))
        L, offset = state.basis.functions(np.eye(len(fit.kept))[columns])
        limits = profile.linear_limits(state.moments, state.covariance, state.optimum.theta, L, q)
        low[where], high[where] = limits[0] + offset, limits[1] + offset
    for row, one in enumerate(chosen, start=len(fixed)):
        reml = fit.spec.method == "reml"
        ends = profile.covariance_limits(
            state.moments, state.covariance, state.optimum.theta, one.quantity, q, reml=reml, group=one.group
        )
        low[row], high[row] = (float(one.back(np.asarray(end))) for end in ends)
        if any(_dispensable(fit, effect, q) for effect in one.effects):
            low[row], high[row] = (0.0, high[row]) if len(one.effects) == 1 else (-1.0, 1.0)
    blank = dict.fromkeys(("df", "statistic", "p_value"), np.nan)
    return frame.assign(**blank, conf_low=low, conf_high=high, method="profile")


def _dispensable(fit: Fit, effect: int, q: float) -> bool:
    """Whether a model without a random effect is not rejected: then its variance may be 0, and its correlations with
    others may be anything.
    """
    assert fit.random is not None
    edge = profile.criterion_without(
        nominal(fit).moments,
        fit.random.at_visits[list(fit.seen)],
        fit.random.design.blocks,
        effect,
        np.array(fit.visits.years),
        reml=fit.spec.method == "reml",
    )
    return edge + 2 * fit.loglik <= q


def _lost(count: int) -> tuple[Notice, ...]:
    if not count:
        return ()
    return (
        Notice(
            "N-MODEL-PROFILE",
            f"For {count} of the parameters a limit of the profile likelihood was not found.",
            "Mostly the likelihood never falls so far on that side: a correlation of 1 or -1 is not rejected.",
        ),
    )
