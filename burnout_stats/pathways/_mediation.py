"""Mediation through change: how much of what goes with the change of one variable runs through the change of another.

    ΔM = i_M + a ΔX + m'w + u_M,   ΔY = i_Y + b ΔM + c ΔX + y'w + u_Y,   w = (X₀, M₀, Y₀)

    indirect = ab,   total = c + ab

All that is not named is free too, so the model is saturated: it has 0 df, and (a, b, c) are functions of the means and
covariances that maximize the full-information likelihood. Two intervals for ab: percentiles over resamples of subjects,
the model refitted to each; and percentiles of the product of draws of (a, b) from the normal distribution of their
estimates.

**Source**: MacKinnon, Lockwood & Williams 2004, Multivariate Behav Res 39:99 (Monte-Carlo and resampling intervals);
Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13 (percentiles); Sobel 1982, Sociol Methodol 13:290
(standard error); VanderWeele & Vansteelandt 2009, Stat Interface 2:457 (what a causal reading needs); Maxwell & Cole
2007, Psychol Methods 12:23 (scores of the same time).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..cohort import Cohort
from ..describe._pairs import checked_level
from ..engine.structural import Rows, Saturated, Template, fit_stack
from ..errors import ModelError, StudyError
from ..estimates import About, Estimates
from ..estimates.tabulation import in_sentence
from ..notices import Notice, announce
from ._asymptotic import Part, Quantity, estimates_of_quantities, labelled
from ._fitting import COVARIANCES, LIKELIHOOD, chosen, fitted, trouble
from ._specification import specified

__all__ = ["chain", "mediation"]

Array = NDArray[np.float64]
CHUNK = 250
"""Resamples that are refitted in one stack; their number changes no result."""
CAUSAL = (
    "No causal reading is claimed. It would need that nothing unmeasured moves two of the three changes, that the "
    "order in which they stand here is the true one, that the change of {m} is measured without error, that the paths "
    "are straight lines without interaction, and that nothing which the change of {x} moves moves both others."
)
SAME_TIME = (
    "The changes stand over the same time, so the data say nothing about which came first: every other order of the "
    "three has 0 df too and fits exactly as well."
)
TWICE = (
    "Indirect path: {kept} resamples of subjects, the model refitted to each, with the standard deviation of their "
    "answers as standard error; and {draws} draws of a and b from the normal distribution of their estimates, with the "
    "standard error of the delta method."
)
FREE = (
    "The model has 0 degrees of freedom: it fits any data, and no fit index is given. All three scores at the "
    "beginning stand in every equation, so the paths are also those of the later scores."
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Asked:
    """The six columns: x, m and y at their first and at their second visit."""

    Y: Array
    labels: tuple[str, str, str]
    pairs: tuple[tuple[str, str], ...]


def mediation(
    cohort: Cohort,
    x: str,
    m: str,
    y: str,
    *,
    seed: int | np.random.SeedSequence,
    visits: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
    n_resamples: int = 2000,
    n_draws: int = 20_000,
    conf_level: float = 0.95,
) -> Estimates:
    """The indirect path from the change of `x` through the change of `m` to the change of `y`, with two intervals.

    Parameters
    ----------
    cohort : Cohort
    x, m, y : str
        Outcomes or numeric covariates, such as "coping", "job_stress" and "exhaustion".
    seed : int or SeedSequence
        The same seed gives the same answer.
    visits : pair of names, or mapping of variable to pair, optional
        From which visit to which the changes go; from the first to the last where left out.
    n_resamples, n_draws : int
        Of the bootstrap and of the Monte-Carlo interval.
    conf_level : float

    Returns
    -------
    Estimates
        Kind "mediation", named by `term` and `interval`.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN`, `E-STUDY-VISITS`, `E-STUDY-VALUE`.
    ModelError
        `E-MODEL-NO-SPREAD`, `E-MODEL-NOT-IDENTIFIED`, `E-MODEL-BOOTSTRAP` where fewer than half of the resamples can be
        fitted.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> found = mediation(example("villa_sana"), "coping", "job_stress", "exhaustion", seed=1, n_resamples=200)
    >>> found.frame["interval"].tolist()
    ['normal', 'normal', 'normal', 'normal', 'percentile bootstrap', 'Monte Carlo']
    """
    level = checked_level(conf_level)
    if n_resamples < 100 or n_draws < 1000:
        raise StudyError(
            "E-STUDY-VALUE",
            f"There are {n_resamples} resamples and {n_draws} draws.",
            "Percentiles need 100 resamples or more, and 1000 draws or more.",
            "Use 2000 and 20000.",
        )
    asked = _asked(cohort, (x, m, y), visits)
    model = _template()
    fit = fitted(asked.Y, model, _start(asked.Y, model), what="the mediation")
    notices = trouble(fit, "the mediation")
    bootstrap, draw = (np.random.default_rng(part) for part in _seeds(seed).spawn(2))
    resampled = _resampled(asked.Y, n_resamples, bootstrap)
    kept = resampled[np.isfinite(resampled)]
    lost = n_resamples - len(kept)
    if 2 * lost > n_resamples:
        raise ModelError(
            "E-MODEL-BOOTSTRAP",
            f"{lost} of {n_resamples} resamples have no maximum of the likelihood.",
            "At least half of them are needed.",
            "Too few persons were seen at both visits for six means and 21 variances and covariances.",
        )
    if lost:
        notices += (
            Notice(
                "N-MODEL-REPLICATES",
                f"{lost} of {n_resamples} resamples have no verified maximum and were left out.",
                "More than a few percent of them make the interval too narrow.",
            ),
        )
    theta = labelled(fit.theta, fit.labels)
    indirect = theta["a"] * theta["b"]
    X, M, Y = asked.labels
    paths = {
        f"a: change of {in_sentence(X)} to change of {in_sentence(M)}": theta["a"],
        f"b: change of {in_sentence(M)} to change of {in_sentence(Y)}": theta["b"],
        f"c: change of {in_sentence(X)} to change of {in_sentence(Y)}, direct": theta["c"],
        "c + ab: total": theta["c"] + indirect,
    }
    quantities = [
        Quantity(outcome=y, names={"term": term, "interval": "normal"}, jet=jet) for term, jet in paths.items()
    ] + [
        Quantity(outcome=y, names={"term": "ab: indirect", "interval": kind}, jet=indirect, is_variance=True)
        for kind in ("percentile bootstrap", "Monte Carlo")
    ]
    at = [fit.labels.index("a"), fit.labels.index("b")]
    drawn = draw.multivariate_normal(fit.theta[at], fit.vcov[np.ix_(at, at)], size=n_draws, method="cholesky").prod(
        axis=1
    )
    times = " and ".join(dict.fromkeys(f"{pair[0]} to {pair[1]}" for pair in asked.pairs))
    together = len(set(asked.pairs)) < len(asked.pairs)
    about = About(
        kind="mediation",
        outcomes={y: Y},
        visit_years=cohort.visits.by_label(),
        factors=("term", "interval"),
        conf_level=level,
        df_method="asymptotic",
        notes=(
            f"Changes from {times}.",
            LIKELIHOOD.format(said=COVARIANCES["model"]),
            FREE,
            TWICE.format(kept=len(kept), draws=n_draws),
            *((SAME_TIME,) if together else ()),
            CAUSAL.format(m=in_sentence(M), x=in_sentence(X)),
        ),
        policy=cohort.policy,
    )
    announce(notices)
    seen = np.asarray(~np.isnan(asked.Y).all(axis=1))
    return _with_intervals(
        estimates_of_quantities([Part(quantities=quantities, vcov=fit.vcov, seen=seen)], about, notices=notices),
        kept,
        drawn,
        level,
    )


def chain(Sigma: Array) -> tuple[Array, Array, Array]:
    """a, b and c from covariances (..., 6, 6) of (x₀, x₁, m₀, m₁, y₀, y₁).

    >>> a, b, c = chain(np.eye(6) + 0.5)
    >>> round(float(a), 3), round(float(b), 3), round(float(c), 3)
    (0.167, 0.143, 0.143)
    """
    first, later = [0, 2, 4], [1, 3, 5]
    T = np.eye(6)
    T[later, first] = -1.0
    V = T @ Sigma @ T.T

    def slopes(on: list[int], of: int) -> Array:
        W = V[..., np.array(on)[:, None], on]
        return np.asarray(np.linalg.solve(W, V[..., on, of][..., None])[..., 0])

    a = slopes([*first, 1], 3)[..., -1]
    onto = slopes([*first, 3, 1], 5)
    return a, onto[..., -2], onto[..., -1]


def _seeds(seed: int | np.random.SeedSequence) -> np.random.SeedSequence:
    return seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)


def _asked(
    cohort: Cohort, names: tuple[str, str, str], visits: Sequence[str] | Mapping[str, Sequence[str]] | None
) -> _Asked:
    chosen(cohort, names)  # refuses unknown names before their visits are looked up
    labels = cohort.visits.labels
    whole = (labels[0], labels[-1])
    given = {name: tuple(visits.get(name, whole) if isinstance(visits, Mapping) else visits or whole) for name in names}
    pairs, columns, called = [], [], []
    for name in names:
        if len(set(given[name])) != 2:
            raise StudyError(
                "E-STUDY-VISITS",
                f"The change of {name} goes over {len(set(given[name]))} visits.",
                "A change goes from one visit to a later one.",
                f'Write for example visits=("{whole[0]}", "{whole[1]}").',
            )
        wide = chosen(cohort, (name,), given[name])
        columns += [wide.Y[:, 0, 0], wide.Y[:, 0, 1]]
        pairs.append((wide.visits[0], wide.visits[1]))
        called.append(wide.labels[0])
    return _Asked(Y=np.column_stack(columns), labels=(called[0], called[1], called[2]), pairs=tuple(pairs))


def _template() -> Template:
    observed = ("x@0", "x@1", "m@0", "m@1", "y@0", "y@1")
    first, latent = ("x0", "m0", "y0"), ("x0", "m0", "y0", "dx", "dm", "dy")
    paths: dict[tuple[str, str], float | str] = {}
    for v in "xmy":
        paths |= {(f"{v}@0", f"{v}0"): 1.0, (f"{v}@1", f"{v}0"): 1.0, (f"{v}@1", f"d{v}"): 1.0}
        paths |= {(f"d{v}", w): f"{v} on {w}" for w in first}
    paths |= {("dm", "dx"): "a", ("dy", "dm"): "b", ("dy", "dx"): "c"}
    covariances: dict[tuple[str, str], float | str] = {
        (v, w): f"cov {v} {w}" for i, v in enumerate(first) for w in first[i:]
    }
    covariances |= {(f"d{v}", f"d{v}"): f"cov d{v} d{v}" for v in "xmy"}
    return specified(observed, latent, paths=paths, covariances=covariances, means={v: f"mean {v}" for v in latent})


def _start(Y: Array, model: Template) -> dict[str, float]:
    start = dict.fromkeys(model.labels, 0.0)
    for k, v in enumerate("xmy"):
        begin, end = np.nanmean(Y[:, 2 * k]), np.nanmean(Y[:, 2 * k + 1])
        start |= {f"mean {v}0": float(begin), f"mean d{v}": float(end - begin)}
        start |= {f"cov {v}0 {v}0": float(np.nanvar(Y[:, 2 * k])), f"cov d{v} d{v}": float(np.nanvar(Y[:, 2 * k + 1]))}
    return start


def _resampled(Y: Array, n: int, rng: np.random.Generator) -> Array:
    """ab of n resamples of the rows of Y, NaN where there is no verified maximum."""
    rows = Rows.of(Y)
    saturated = Saturated(n_observed=Y.shape[1])
    share = np.full(len(rows.Y), 1 / len(rows.Y))
    begin = fit_stack(rows.sums(), saturated).theta
    found = []
    for start in range(0, n, CHUNK):
        weights = rng.multinomial(len(rows.Y), share, size=min(CHUNK, n - start)).astype(float)
        ab = np.full(len(weights), np.nan)
        many = np.flatnonzero((weights > 0).sum(axis=1) > Y.shape[1])  # fewer persons give a singular covariance
        if len(many):
            fits = fit_stack(rows.sums(weights[many]), saturated, start=begin)
            a, b, _ = chain(saturated.moments(fits.theta[fits.verified])[1])
            ab[many[fits.verified]] = a * b
        found.append(ab)
    return np.concatenate(found)


def _with_intervals(estimates: Estimates, resampled: Array, drawn: Array, level: float) -> Estimates:
    """The two rows of the indirect path with the percentiles of the resamples and of the draws."""
    tails = [(1 - level) / 2, (1 + level) / 2]
    frame = estimates.frame.copy()
    for kind, values in (("percentile bootstrap", resampled), ("Monte Carlo", drawn)):
        row = frame["interval"] == kind
        frame.loc[row, ["conf_low", "conf_high"]] = np.quantile(values, tails)
    row = frame["interval"] == "percentile bootstrap"
    frame.loc[row, "std_error"] = resampled.std(ddof=1)
    return replace(estimates, frame=frame)
