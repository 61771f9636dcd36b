"""The bootstrap: subjects drawn with replacement and the model refitted to every resample, all of them in one run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from ..display import Watched, teller
from ..engine.batch import Refits, SubjectProducts, leave_one_out, refits, resamples, subject_products
from ..errors import ModelError, StudyError, one_of
from ..estimates import About, Estimates
from ..models import Fit
from ..models.degrees_of_freedom import MomentsState
from ..models.measured import refuse_counted
from ..models.random_effects import cone_of
from ..notices import Notice, announce
from .about import about
from .intervals import checked_level
from .summary import summarize

__all__ = ["INTERVALS", "bootstrap"]

Array = NDArray[np.float64]
Statistic = Callable[[Array, Array], Array]
Progress = Callable[[int, int, str], None]
INTERVALS = {
    "percentile": "quantiles of the replicates",
    "bca": "quantiles corrected for bias and skewness",
    "studentized": "quantiles of the replicates' t",
}


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What is asked of every replicate: its values (..., k), their standard errors where there are any, and the
    frame of names that the numbers are set beside.
    """

    values: Callable[[Refits], Array]
    errors: Callable[[Refits], Array] | None
    names: pd.DataFrame
    n: Array
    about: About
    L: Array | None = None


def bootstrap(
    asked: Fit | Estimates,
    *,
    seed: int | np.random.SeedSequence,
    n: int = 2000,
    what: Estimates | Array | Statistic | str | None = None,
    intervals: str = "percentile",
    conf_level: float = 0.95,
    progress: Watched = None,
) -> Estimates:
    """Intervals by resampling subjects, within covariance groups where there are any, and refitting the model.

    Parameters
    ----------
    asked : Fit, or Estimates of it (coefficients, means or contrasts)
    seed : int or SeedSequence
        The answer depends on nothing else, however many replicates are worked on at a time.
    n : int
        Replicates.
    what : optional
        Of a Fit: Estimates or an array L (k × p) for L β; a function of β (..., p) and Σ (..., V, V), or
        (..., groups, V, V), that gives (..., k), for stacks on the leading axis; the fixed effects where it is left
        out. Of Estimates of means by visit: "gain_kept", the change to the last visit as a share of the change to the
        second.
    intervals : "percentile", "bca" or "studentized"
        The last one divides by the model's own standard error of every replicate (for "gain_kept", by the delta
        method), and does not exist for a function.
    conf_level : float
    progress : callable or bool, optional
        Called as `progress(done, total, what)`; a bar where left out and somebody watches, none with False.

    Returns
    -------
    Estimates
        `std_error` is the standard deviation of the replicates; there is no test. Replicates without a verified
        optimum are left out, and counted in a notice. Replicates of an LMM with a variance of 0 or a correlation of
        1 or -1 are answers like others; a notice counts them.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for unknown intervals, `E-STUDY-VALUE` for an L or a function of the wrong shape, or for
        fewer than 2 replicates.
    ModelError
        `E-MODEL-BOOTSTRAP` where fewer than half of the replicates can be fitted or the covariance of a subject is not
        one of nominal visits,
        `E-MODEL-NEEDS-ROWS` where the fit was made from cross-products only.

    **Source**: Davison & Hinkley 1997, Bootstrap Methods and their Application, chapter 5; Efron 1987, JASA 82:171, and
    DiCiccio & Efron 1996, Stat Sci 11:189, for BCa.

    >>> from burnout_stats.inference import contrast, emmeans
    >>> from burnout_stats.models import MMRM, fit
    >>> from burnout_stats.studies import example
    >>> change = contrast(emmeans(fit(MMRM("exhaustion ~ visit"), example("villa_sana")), "visit"))
    >>> bootstrap(change, seed=1, n=200).frame["contrast"].tolist()
    ['1 year - baseline', '3 years - baseline']
    """
    one_of("intervals", intervals, INTERVALS)
    level = checked_level(conf_level)
    if n < 2:
        raise StudyError("E-STUDY-VALUE", f"`n` is {n}.", "A bootstrap needs replicates.", "Use 2000 or more.")
    fit = _fit_behind(asked)
    question = _question(asked, fit, what)
    if intervals == "studentized" and question.errors is None:
        raise StudyError(
            "E-STUDY-OPTION",
            "Studentized intervals are asked of a function of the parameters.",
            "They need a standard error in every replicate, which a function does not have.",
            'Use intervals="bca".',
        )
    products, frequency = _products(fit)
    sequence = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    drawn = resamples(products.strata, n, sequence, frequency=frequency)
    values, errors, verified, edge = _replicates(fit, products, drawn, question, n, teller(progress), "resamples")
    notices = (*_left_out(verified, fit), *_at_the_edge(edge, verified, fit))
    whole = _whole(fit)
    estimate = question.values(whole)[0]
    kept = values[verified]
    if intervals == "studentized" and question.errors is not None:
        own = question.errors(whole)[0]
        t = (kept - estimate) / errors[verified]
        low, high = (estimate - own * _quantile(t, 1 - share) for share in _tails(level, len(estimate)))
    elif intervals == "bca":
        low, high = (
            _quantile(kept, share) for share in _bca(fit, products, frequency, question, kept, estimate, level)
        )
    else:
        low, high = (_quantile(kept, share) for share in _tails(level, len(estimate)))
    frame = question.names.assign(
        estimate=estimate,
        std_error=kept.std(0, ddof=1),
        df=np.nan,
        statistic=np.nan,
        p_value=np.nan,
        conf_low=low,
        conf_high=high,
        n=question.n,
        method=f"bootstrap ({intervals})",
    )
    how = "subjects drawn" if len(products.strata) == 1 else "subjects drawn within the groups of the covariance"
    note = f"Bootstrap of {int(verified.sum())} refits, {how}; {intervals} intervals, seed {sequence.entropy}."
    announce(notices)
    return Estimates(
        frame=frame,
        vcov=np.atleast_2d(np.cov(kept, rowvar=False)),
        about=replace(
            question.about,
            conf_level=level,
            df_method="bootstrap",
            adjust="none",
            notes=(*question.about.notes, note),
        ),
        notices=(*fit.notices, *notices),
        L=question.L,
        answers=None if question.L is None else fit,
    )


# ---- what is asked -------------------------------------------------------------------------------------------------


def _fit_behind(asked: Fit | Estimates) -> Fit:
    fit = asked.attached()[1] if isinstance(asked, Estimates) else asked
    refuse_counted(fit, "This bootstrap is")
    if not isinstance(fit, Fit) or not isinstance(fit.state, MomentsState):
        raise _not_nominal()
    if fit.spec.cluster is not None:
        raise _no_bootstrap(f"Subjects are not independent: they belong to clusters (`{fit.spec.cluster}`).")
    return fit


def _not_nominal() -> ModelError:
    return _no_bootstrap(
        "The bootstrap is asked of a model in which subjects do not share one covariance of the visits."
    )


def _no_bootstrap(seen: str) -> ModelError:
    return ModelError(
        "E-MODEL-BOOTSTRAP",
        seen,
        "Resampling takes independent subjects and a covariance of nominal visits.",
        "Fit MMRM(...), or LMM(...) with random effects of `visit` or `years`, without clusters.",
    )


def _question(asked: Fit | Estimates, fit: Fit, what: Estimates | Array | Statistic | str | None) -> _Asked:
    if isinstance(asked, Estimates) and isinstance(what, str):
        one_of("what", what, ["gain_kept"])
        return _gain_kept(asked, fit)
    if isinstance(asked, Estimates) or what is None or isinstance(what, Estimates):
        given = asked if isinstance(asked, Estimates) else what if isinstance(what, Estimates) else summarize(fit)
        return _linear(given, fit)
    if callable(what):
        return _function(what, fit)
    L = np.atleast_2d(np.asarray(what, dtype=float))
    if L.shape[1] != len(fit.design.names):
        raise _wrong_shape(f"L has shape {L.shape}.", f"one column for each of {len(fit.design.names)} fixed effects")
    values, errors = _functions(fit, L)
    return _Asked(values, errors, *_numbered(fit, len(L)), L)


def _linear(given: Estimates, fit: Fit) -> _Asked:
    L, _ = given.attached()
    values, errors = _functions(fit, L)
    naming = {"outcome", *given.about.by, *given.about.factors}
    names = given.frame[[column for column in given.frame.columns if column in naming]].reset_index(drop=True)
    return _Asked(values, errors, names, given.frame["n"].to_numpy(dtype=float), given.about, L)


def _functions(fit: Fit, L: Array) -> tuple[Callable[[Refits], Array], Callable[[Refits], Array]]:
    """L β of every replicate, and its standard error; NaN where the data cannot estimate it."""
    inner, offset = fit.state.basis.functions(L[:, fit.kept])
    unknown = np.where(fit.is_estimable(L), 0.0, np.nan)

    def values(many: Refits) -> Array:
        return np.asarray(many.beta @ inner.T + offset + unknown)

    def errors(many: Refits) -> Array:
        return np.asarray(np.sqrt(np.maximum(((inner @ many.Phi) * inner).sum(-1), 0.0)) + unknown)

    return values, errors


def _function(what: Statistic, fit: Fit) -> _Asked:
    basis = fit.state.basis

    def values(many: Refits) -> Array:
        beta = np.full((len(many.beta), len(fit.design.names)), np.nan)
        beta[:, fit.kept] = basis.coefficients(many.beta)
        sigma = many.sigma * float(basis.scale) ** 2
        found = np.asarray(what(beta, sigma if fit.design.groups else sigma[:, 0]), dtype=float)
        if found.ndim not in (1, 2) or len(found) != len(beta):
            raise _wrong_shape(
                f"The function gives shape {found.shape} for {len(beta)} replicates.", "one row for each"
            )
        return found.reshape(len(beta), -1)

    k = values(_whole(fit)).shape[1]
    return _Asked(values, None, *_numbered(fit, k))


def _numbered(fit: Fit, k: int) -> tuple[pd.DataFrame, Array, About]:
    names = pd.DataFrame({"outcome": fit.outcome.name, "term": [f"function {i + 1}" for i in range(k)]})
    return (
        names,
        np.full(k, float(fit.n_subjects)),
        about(fit, kind="coefficients", factors=("term",), df_method="bootstrap"),
    )


def _gain_kept(means: Estimates, fit: Fit) -> _Asked:
    """(last − first visit) / (second − first visit) of the means within each level of `by`."""
    L, _ = means.attached()
    by = list(means.about.by)
    frame = means.frame
    families = list(frame.groupby(by, sort=False, observed=True).indices.values()) if by else [np.arange(len(frame))]
    if means.about.factors != ("visit",) or any(len(rows) < 3 for rows in families):
        raise _wrong_shape("The share of a gain is asked of other rows.", "the means of three visits or more")
    last = np.array([L[rows[-1]] - L[rows[0]] for rows in families])
    first = np.array([L[rows[1]] - L[rows[0]] for rows in families])
    top, _ = _functions(fit, last)
    bottom, _ = _functions(fit, first)
    inner_top, inner_bottom = (fit.state.basis.functions(rows[:, fit.kept])[0] for rows in (last, first))

    def values(many: Refits) -> Array:
        return np.asarray(top(many) / bottom(many))

    def errors(many: Refits) -> Array:
        share = values(many)[..., None]
        slopes = (inner_top - share * inner_bottom) / bottom(many)[..., None]
        return np.asarray(np.sqrt(((slopes @ many.Phi) * slopes).sum(-1)))

    names = frame.iloc[[rows[0] for rows in families]][by].reset_index(drop=True)
    visits = frame["visit"].to_numpy()[families[0]]
    names.insert(0, "contrast", f"change to {visits[-1]} / change to {visits[1]}")
    names.insert(0, "outcome", fit.outcome.name)
    n = np.array([frame["n"].to_numpy(dtype=float)[np.asarray(rows)[[0, 1, -1]]].min() for rows in families])
    note = f"The change from {visits[0]} to {visits[-1]} as a share of the change to {visits[1]}."
    told = replace(means.about, kind="gain_kept", factors=("contrast",), units={}, ranges={})
    return _Asked(values, errors, names, n, replace(told, notes=(*means.about.notes, note)))


def _wrong_shape(seen: str, expected: str) -> StudyError:
    return StudyError("E-STUDY-VALUE", seen, f"It has {expected}.", "See the documentation of bootstrap().")


# ---- replicates ----------------------------------------------------------------------------------------------------


def _products(fit: Fit) -> tuple[SubjectProducts, Array | None]:
    """Cross-products by subject in the coordinates of the fit, and how many identical subjects each one stands for."""
    rows = fit.needed_rows()
    both = np.append(fit.kept, rows.z.shape[1] - 1)
    seen, visit = np.unique(rows.visit, return_inverse=True)
    products = subject_products(
        rows.z[:, both], rows.subject, visit, len(seen), basis=fit.state.basis, group=rows.group
    )
    if rows.weight is None:
        return products, None
    if fit.has_probability_weights:
        raise _no_bootstrap("The subjects have probability weights, which every resample would have to estimate anew.")
    return products, rows.weight


def _replicates(
    fit: Fit,
    products: SubjectProducts,
    weights: Iterable[Array],
    question: _Asked,
    total: int,
    progress: Progress | None,
    what: str,
) -> tuple[Array, Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """Values (R, k), standard errors (R, k; empty where there are none), whether each replicate is verified, and
    whether its random effects are at the edge.
    """
    values, errors, verified, edge, done = [], [], [], [], 0
    state = fit.state
    if not isinstance(state, MomentsState):
        raise _not_nominal()
    reml = fit.spec.method == "reml"
    if fit.random is None:
        many = refits(products, weights, state.covariance, state.optimum.theta, reml=reml)
    else:
        cone, theta = cone_of(fit.random, state.moments, fit.visits, fit.seen)
        many = refits(products, weights, cone.covariance, theta, reml=reml, cone=cone)
    with np.errstate(divide="ignore", invalid="ignore"):
        for part in many:
            if progress is not None:
                progress(done, total, what)
            done += len(part.verified)
            values.append(question.values(part))
            errors.append(question.errors(part) if question.errors is not None else np.zeros((len(part.verified), 0)))
            verified.append(part.verified)
            edge.append(part.edge)
    if progress is not None:
        progress(total, total, what)
    return np.concatenate(values), np.concatenate(errors), np.concatenate(verified), np.concatenate(edge)


def _whole(fit: Fit) -> Refits:
    """The fit itself, as a stack of one."""
    state = fit.state
    if not isinstance(state, MomentsState):
        raise _not_nominal()
    o = state.optimum
    return Refits(
        beta=o.at.beta[None],
        Phi=o.at.Phi[None],
        theta=o.theta[None],
        sigma=o.at.sigma[None],
        verified=np.ones(1, bool),
        edge=np.zeros(1, bool),
    )


def _left_out(verified: NDArray[np.bool_], fit: Fit) -> tuple[Notice, ...]:
    missing = int((~verified).sum())
    if not missing:
        return ()
    if missing > len(verified) / 2:
        raise ModelError(
            "E-MODEL-BOOTSTRAP",
            f"{missing} of {len(verified)} resamples of `{fit.outcome.name}` have no verified optimum.",
            "At least half of them must have one for their quantiles to mean anything.",
            "Use a covariance with fewer parameters, or fewer fixed effects.",
        )
    return (
        Notice(
            "N-MODEL-REPLICATES",
            f"{missing} of {len(verified)} refits of `{fit.outcome.name}` have no verified optimum and are left out.",
            "Above a few percent the intervals are too narrow: use a structure with fewer parameters.",
        ),
    )


def _at_the_edge(edge: NDArray[np.bool_], verified: NDArray[np.bool_], fit: Fit) -> tuple[Notice, ...]:
    if not edge.any():
        return ()
    return (
        Notice(
            "N-MODEL-EDGE",
            f"{int(edge.sum())} of {int(verified.sum())} refits of `{fit.outcome.name}` have a random effect of "
            "variance 0, or perfectly correlated ones.",
            "They are counted like the others. Where they are many, ask whether the term is needed.",
        ),
    )


# ---- intervals -----------------------------------------------------------------------------------------------------


def _tails(level: float, k: int) -> tuple[Array, Array]:
    return np.full(k, (1 - level) / 2), np.full(k, (1 + level) / 2)


def _quantile(values: Array, shares: Array) -> Array:
    """The (n + 1)·share-th of the ordered values of each column, interpolated (Davison & Hinkley 1997,
    chapter 5); NaN columns stay NaN.
    """
    found = [
        np.nan if np.isnan(column).any() or np.isnan(share) else float(np.quantile(column, share, method="weibull"))
        for column, share in zip(values.T, shares, strict=True)
    ]
    return np.array(found)


def _bca(
    fit: Fit,
    products: SubjectProducts,
    frequency: Array | None,
    question: _Asked,
    kept: Array,
    estimate: Array,
    level: float,
) -> tuple[Array, Array]:
    """Shares at which the quantiles are taken: Φ(z₀ + (z₀ + z) / (1 − a(z₀ + z))).

    z₀ comes from the share of replicates below the estimate. With empirical influence values l_ij = (n_i − 1)(mean −
    value without subject j) in group i, the acceleration is a = Σ n_i⁻³ Σ l_ij³ / {6 (Σ n_i⁻² Σ l_ij²)^(3/2)}: a sixth
    of the skewness of the linear approximation, which for one group is Efron's.
    """
    total = products.n_subjects
    weights = leave_one_out(total, frequency=frequency)
    values, _, verified, _ = _replicates(fit, products, weights, question, total, None, "subjects left out")
    copies = np.where(verified, np.ones(total) if frequency is None else frequency, 0.0)
    values = np.where(verified[:, None], values, 0.0)
    cubes, squares = np.zeros(len(estimate)), np.zeros(len(estimate))
    for members in products.strata:
        w = copies[members, None]
        size = w.sum()
        influence = (size - 1) * ((w * values[members]).sum(0) / size - values[members])
        cubes += (w * influence**3).sum(0) / size**3
        squares += (w * influence**2).sum(0) / size**2
    with np.errstate(divide="ignore", invalid="ignore"):
        a = np.where(squares > 0, cubes / (6 * squares**1.5), 0.0)
        below = (kept < estimate).mean(0) + (kept == estimate).mean(0) / 2
        z0 = special.ndtri(np.clip(below, 0.5 / len(kept), 1 - 0.5 / len(kept)))
        shares = [
            special.ndtr(z0 + (z0 + z) / (1 - a * (z0 + z)))
            for z in (special.ndtri((1 - level) / 2), special.ndtri((1 + level) / 2))
        ]
    return shares[0], shares[1]
