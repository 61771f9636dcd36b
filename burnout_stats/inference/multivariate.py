"""Questions about several outcomes at once, asked of a model of all of them: means, changes, correlations between
changes, tests over outcomes, and the global change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..design.grid import Weights
from ..errors import StudyError, did_you_mean, one_of
from ..estimates import Estimates
from ..estimates.answers import Answer
from ..estimates.estimates import About
from ..models.multivariate import MultivariateFit
from .about import about
from .contrasts import contrast
from .emmeans import emmeans
from .intervals import checked_level, f_tests, numbers

__all__ = ["change_correlations", "global_change", "outcome_changes", "outcome_means", "outcome_tests"]

Array = NDArray[np.float64]
STANDARDIZERS = {"baseline_sd": "the model's SD at baseline", "change_sd": "the model's SD of the change"}
GLOBAL_WEIGHTS = {"ols": "alike", "gls": "by generalized least squares"}
CLOCK = "Correlated changes do not say which came first, nor that one brought the other about."
OF_MODEL = (
    "Correlations are those of the model's covariance of outcomes and visits, from every score that is there; "
    "intervals by the delta method on Fisher's z."
)
SHARED = (
    "Both changes start from baselines of one sitting: what the two baselines share by mood or error that day makes "
    "the changes look alike. The version given baseline is the correlation of the later scores among subjects with "
    "equal baselines on both outcomes."
)


def outcome_means(
    fit: MultivariateFit,
    specs: str | Sequence[str] = "visit",
    *,
    by: str | Sequence[str] | None = None,
    at: Mapping[str, object] | str | None = None,
    weights: Weights = "proportional",
    df: str | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """Marginal means of every outcome, as `emmeans`, with the covariance between outcomes.

    Each outcome's means stand at the covariate means of the subjects who have that outcome.

    >>> from burnout_stats.models.multivariate import MultivariateMMRM, fit_multivariate
    >>> from burnout_stats.studies import example
    >>> both = fit_multivariate(MultivariateMMRM(("exhaustion", "job_stress"), "visit"), example("villa_sana"))
    >>> outcome_means(both).frame[["outcome", "visit"]].shape
    (6, 2)
    """
    asked = [
        emmeans(fit.of(outcome.name), specs, by=by, at=at, weights=weights, df=df, conf_level=conf_level)
        for outcome in fit.outcomes
    ]
    return _together(fit, asked)


def outcome_changes(
    fit: MultivariateFit,
    *,
    by: str | Sequence[str] | None = None,
    method: str = "vs_baseline",
    at: Mapping[str, object] | str | None = None,
    weights: Weights = "proportional",
    df: str | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """Changes of every outcome between visits (by the methods of `contrast`), with the covariance between outcomes.

    >>> from burnout_stats.models.multivariate import MultivariateMMRM, fit_multivariate
    >>> from burnout_stats.studies import example
    >>> both = fit_multivariate(MultivariateMMRM(("exhaustion", "job_stress"), "visit"), example("villa_sana"))
    >>> changes = outcome_changes(both)
    >>> changes.vcov.shape, bool(changes.vcov[0, 2] > 0)
    ((4, 4), True)
    """
    return _together(fit, _changes(fit, by, method, at, weights, df, conf_level))


def outcome_tests(
    fit: MultivariateFit,
    *,
    by: str | None = None,
    at: Mapping[str, object] | str | None = None,
    weights: Weights = "proportional",
    df: str | None = None,
) -> Estimates:
    """F tests over outcomes: no outcome changed from baseline, at each visit and at all of them.

    Parameters
    ----------
    by : str, optional
        A factor of the model: the tests then ask whether the changes differ between its levels.

    Returns
    -------
    Estimates
        Rows for each visit over all outcomes, for each outcome over all visits, and for everything. With complete data,
        an unstructured covariance and Kenward-Roger each is Hotelling's T².

    **Source**: Hotelling 1931, Ann Math Stat 2:360; Kenward & Roger 1997, Biometrics 53:983, section 4 (the exact F of
    T² as a special case).

    >>> from burnout_stats.models.multivariate import MultivariateMMRM, fit_multivariate
    >>> from burnout_stats.studies import example
    >>> both = fit_multivariate(MultivariateMMRM(("exhaustion", "job_stress"), "visit"), example("villa_sana"))
    >>> outcome_tests(both).frame["num_df"].tolist()
    [2.0, 2.0, 2.0, 2.0, 4.0]
    """
    method = "vs_baseline" if by is None else "difference_in_differences"
    asked = _changes(fit, by, method, at, weights, df, 0.95)
    L = [fit.embedded(k, part.attached()[0]) for k, part in enumerate(asked)]
    names = [part.frame["contrast"].astype(str).to_numpy() for part in asked]
    whole, labels = np.concatenate(L), np.concatenate(names)
    wanted = {f"{name}, all outcomes": labels == name for name in dict.fromkeys(labels.tolist())}
    of_outcome = np.repeat(np.arange(len(L)), [len(part) for part in L])
    wanted |= {f"{outcome.label}, all visits": of_outcome == k for k, outcome in enumerate(fit.outcomes)}
    wanted["all outcomes, all visits"] = np.ones(len(whole), dtype=bool)
    joints = [fit.answer_joint(whole[rows], df=df) for rows in wanted.values()]
    frame = f_tests(joints, float(fit.n_subjects), joints[0].method)
    frame.insert(0, "term", list(wanted))
    frame.insert(0, "outcome", "all")
    what = "no change from baseline" if by is None else f"equal changes from baseline at every level of {by}"
    told = about(
        fit.of(fit.outcomes[0].name),
        kind="outcome_tests",
        factors=("term",),
        df_method=joints[0].method,
        notes=(f"Each row tests {what} in everything that it names, as one hypothesis.",),
    )
    return Estimates(
        frame=frame,
        vcov=np.full((len(frame), len(frame)), np.nan),
        about=replace(told, outcomes={"all": "All outcomes"}, units={}, better={}, ranges={}),
        notices=fit.notices,
    )


def change_correlations(
    fit: MultivariateFit, *, reliability: Mapping[str, float] | None = None, conf_level: float = 0.95
) -> Estimates:
    """Correlations between the changes of two outcomes: whether the one falls in those in whom the other falls.

    With Σ̂ of the model and a contrast C that takes the scores to the two changes, A = C Σ̂ C' and r = A₁₂ / √(A₁₁ A₂₂).
    Versions, by the column `version`:

    - change: C subtracts baseline from the later visit;
    - given baseline: C takes the regression on both baselines out of the later scores;
    - latent: where reliabilities are given, the error variances (1 − reliability) · Σ_aa are taken from Σ̂ before;
      errors are assumed independent between outcomes and visits, and the reliability the same at every visit.

    Parameters
    ----------
    reliability : mapping of outcome to number, optional
        Between 0 and 1, such as coefficient alpha, taken as known.

    Returns
    -------
    Estimates
        A row for each pair, later visit and version; n is the number of subjects with all four scores, while the model
        uses every score. The standard error is by the delta method on θ̂ (observed information); the interval is
        symmetric in Fisher's z and normal. NaN where the reliabilities leave no variance.

    Raises
    ------
    StudyError
        `E-STUDY-RELIABILITY` for a reliability that is not in (0, 1], `E-STUDY-COLUMN` for one of another outcome.

    **Source**: for the multivariate mixed model as the way to correlated changes, Fieuws & Verbeke 2004, Stat Med
    23:3093; Lord & Novick 1968, Statistical Theories of Mental Test Scores, section 3.6 (attenuation).

    >>> from burnout_stats.models.multivariate import MultivariateMMRM, fit_multivariate
    >>> from burnout_stats.studies import example
    >>> both = fit_multivariate(MultivariateMMRM(("exhaustion", "job_stress"), "visit"), example("villa_sana"))
    >>> change_correlations(both).frame[["contrast", "version"]].shape
    (4, 2)
    """
    level = checked_level(conf_level)
    known = _reliabilities(fit, reliability)
    sigma, first, W = fit.sigma()
    present = _present(fit)
    labels = fit.designs[0].visits.labels
    names: list[dict[str, str]] = []
    values, slopes, counts = [], [], []
    for (k, one), (j, other) in combinations(enumerate(fit.outcomes), 2):
        shared = [v for v in range(len(labels)) if None not in (fit.position(k, v), fit.position(j, v))]
        for visit in shared[1:]:
            four = _four(fit, (k, j), (shared[0], visit))
            part, change = sigma[np.ix_(four, four)], first[:, four[:, None], four]
            error = np.array([0.0 if row is None else 1.0 - row for row in (known[k], known[j], known[k], known[j])])
            for version, C in _versions(part, latent=known[k] is not None and known[j] is not None):
                noise = error if version == "latent" else np.zeros(4)
                r, slope = _correlation(part, change, C, noise)
                names.append(
                    {
                        "outcome": one.name,
                        "other": other.label,
                        "contrast": f"{labels[visit]} - {labels[shared[0]]}",
                        "version": version,
                    }
                )
                values.append(r)
                slopes.append(slope)
                counts.append(float(present[:, four].all(1).sum()))
    _refuse_none(fit, names)
    found, J = np.array(values), np.array(slopes)
    vcov = J @ W @ J.T
    answer = Answer(estimate=found, vcov=vcov, df=np.full(len(found), np.inf), method="asymptotic")
    frame = numbers(answer, np.array(counts), conf_level=level)
    frame = _on_fisher_scale(frame, level)
    for place, name in enumerate(names[0]):
        frame.insert(place, name, [row[name] for row in names])
    told = _merged(fit, kind="change_correlations", factors=("other", "contrast", "version"))
    notes = [OF_MODEL, SHARED, CLOCK]
    if reliability:
        given = ", ".join(f"{fit.outcomes[k].label} {value:g}" for k, value in known.items() if value is not None)
        notes.append(
            f"Latent: error variance taken out with reliabilities {given}, taken as known and equal at every visit; "
            "errors assumed independent between outcomes and visits."
        )
    return Estimates(
        frame=frame,
        vcov=vcov,
        about=replace(
            told, conf_level=level, df_method="asymptotic", units={}, better={}, ranges={}, notes=(*notes, *fit.notes)
        ),
        notices=fit.notices,
    )


def global_change(
    fit: MultivariateFit,
    *,
    by: str | Sequence[str] | None = None,
    standardizer: str | Mapping[str, float] = "baseline_sd",
    weights: str = "ols",
    better: Mapping[str, str] | None = None,
    df: str | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """The mean of the outcomes' changes in standard deviations, turned so that more is better.

    g = Σ_k w_k d_k with d_k = ± change_k / s_k. Weights are 1/K ("ols") or V⁻¹1 / 1'V⁻¹1 with V the covariance of the d
    ("gls": the smallest variance if all d are equal, but weights can be negative; they are told).

    Parameters
    ----------
    standardizer : "baseline_sd", "change_sd", or a mapping of outcome to a standard deviation from elsewhere
        s_k: the model's own at baseline or of the change (their uncertainty is in the standard error), or one from a
        norm sample (taken as known).
    better : mapping of outcome to "lower" or "higher", optional
        Where the cohort does not say which end is better.

    Returns
    -------
    Estimates
        One row for each later visit (and level of `by`). The degrees of freedom are those of the weighted change, with
        weights and standardizers held; var(g) = w'Vw + Σ_ij g_i W_ij g_j, g_i = ∂g/∂θ_i through the s_k.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for an unknown standardizer or weights, `E-STUDY-VALUE` for an outcome whose better end nobody
        said or a standard deviation that is not above 0.

    **Source**: O'Brien 1984, Biometrics 40:1079 (ordinary and generalized least-squares combinations of standardized
    outcomes); Pocock, Geller & Tsiatis 1987, Biometrics 43:487. That effects are divided by standard deviations and not
    by standard errors is our choice, for an estimate that has a unit.

    >>> from burnout_stats.models.multivariate import MultivariateMMRM, fit_multivariate
    >>> from burnout_stats.studies import example
    >>> both = fit_multivariate(MultivariateMMRM(("exhaustion", "job_stress"), "visit"), example("villa_sana"))
    >>> bool((global_change(both).frame["estimate"] > 0.3).all())
    True
    """
    one_of("weights", weights, GLOBAL_WEIGHTS)
    level = checked_level(conf_level)
    signs = _signs(fit, better or {})
    changes = _changes(fit, by, "vs_baseline", None, "proportional", df, level)
    frames = [part.frame.reset_index(drop=True) for part in changes]
    naming = [name for name in ("contrast", *changes[0].about.by) if name in frames[0]]
    sigma, first, W = fit.sigma()
    labels = list(fit.designs[0].visits.labels)
    L_rows, extra, told, counts, kept = [], [], [], [], []
    for start_row in range(len(frames[0])):
        row = frames[0].iloc[start_row]
        same = [np.flatnonzero((frame[naming] == row[naming]).all(axis=1).to_numpy()) for frame in frames]
        if any(not len(found) for found in same):
            continue
        L = np.concatenate([fit.embedded(k, changes[k].attached()[0][found]) for k, found in enumerate(same)])
        later, start = (labels.index(label) for label in str(row["contrast"]).split(" - "))
        s, ds = _standardizers(fit, standardizer, sigma, first, start, later)
        D = L * (signs / s)[:, None]
        answer = fit.answer(D, df=df)
        w = _weights_of(weights, answer.vcov)
        g_i = -(ds / s) @ (w * answer.estimate)
        L_rows.append(w @ D)
        extra.append(g_i)
        told.append(w)
        kept.append(start_row)
        counts.append(min(float(frame["n"].iloc[found[0]]) for frame, found in zip(frames, same, strict=True)))
    J = np.array(extra)
    answer = fit.answer(np.array(L_rows), df=df)
    vcov = answer.vcov + J @ W @ J.T
    frame = numbers(replace(answer, vcov=vcov), np.array(counts), conf_level=level)
    for place, name in enumerate(naming):
        frame.insert(place, name, frames[0][name].iloc[kept].to_numpy())
    frame.insert(0, "outcome", "all")
    base = changes[0].about
    notes = (_global_note(fit, standardizer, weights, np.array(told)), *base.notes)
    return Estimates(
        frame=frame,
        vcov=vcov,
        about=replace(
            base,
            kind="global_change",
            outcomes={"all": "All outcomes"},
            units={"all": "SD"},
            better={"all": "higher"},
            ranges={},
            notes=notes,
            df_method=answer.method,
            conf_level=level,
        ),
        notices=fit.notices,
        L=np.array(L_rows),
        answers=None,
    )


def _changes(
    fit: MultivariateFit,
    by: str | Sequence[str] | None,
    method: str,
    at: Mapping[str, object] | str | None,
    weights: Weights,
    df: str | None,
    conf_level: float,
) -> list[Estimates]:
    """The changes of each outcome; visits at which nobody has it are left out."""
    parts = []
    for outcome in fit.outcomes:
        one = fit.of(outcome.name)
        seen = {"visit": list(one.visits.labels)} if len(one.visits) < len(one.design.visits) else {}
        held = {**at, **seen} if isinstance(at, Mapping) else seen or at
        means = emmeans(one, "visit", by=by, at=held, weights=weights, df=df, conf_level=conf_level)
        parts.append(contrast(means, method))
    return parts


def _together(fit: MultivariateFit, parts: Sequence[Estimates]) -> Estimates:
    """Estimates of each outcome as one, with the covariance between outcomes."""
    L = np.concatenate([fit.embedded(k, part.attached()[0]) for k, part in enumerate(parts)])
    first = parts[0].about
    answer = fit.answer(L, df=first.df_method, vcov=first.vcov)
    told = _merged(fit, kind=first.kind, factors=first.factors)
    notes = tuple(dict.fromkeys(note for part in parts for note in part.about.notes))
    return Estimates(
        frame=pd.concat([part.frame for part in parts], ignore_index=True),
        vcov=answer.vcov,
        about=replace(
            told, by=first.by, conf_level=first.conf_level, df_method=first.df_method, adjust=first.adjust, notes=notes
        ),
        notices=tuple(dict.fromkeys(notice for part in parts for notice in part.notices)),
        L=L,
        answers=fit,
    )


def _merged(fit: MultivariateFit, *, kind: str, factors: tuple[str, ...]) -> About:
    """What estimates of several outcomes are about."""
    each = [about(fit.of(outcome.name), kind=kind, factors=factors, df_method="") for outcome in fit.outcomes]
    return replace(
        each[0],
        outcomes={key: value for one in each for key, value in one.outcomes.items()},
        units={key: value for one in each for key, value in one.units.items()},
        better={key: value for one in each for key, value in one.better.items()},
        ranges={key: value for one in each for key, value in one.ranges.items()},
    )


def _reliabilities(fit: MultivariateFit, given: Mapping[str, float] | None) -> dict[int, float | None]:
    names = [outcome.name for outcome in fit.outcomes]
    for name, value in (given or {}).items():
        if name not in names:
            raise StudyError(
                "E-STUDY-COLUMN",
                f"A reliability is given for `{name}`, which is not in the model.",
                f"Its outcomes are: {', '.join(names)}.",
                did_you_mean(name, names),
            )
        if not 0 < value <= 1:
            raise StudyError(
                "E-STUDY-RELIABILITY",
                f"The reliability of `{name}` is {value}.",
                "A reliability lies above 0 and is at most 1.",
                'Write for example reliability={"exhaustion": 0.9}.',
            )
    return {k: None if given is None or name not in given else float(given[name]) for k, name in enumerate(names)}


def _present(fit: MultivariateFit) -> NDArray[np.bool_]:
    """Which subject has which position."""
    rows = fit.stacked.needed_rows()
    present = np.zeros((len(rows.ordinal), len(fit.positions)), dtype=bool)
    present[rows.subject, rows.visit] = True
    return present


def _four(fit: MultivariateFit, outcomes: tuple[int, int], visits: tuple[int, int]) -> NDArray[np.intp]:
    """The positions of two outcomes at the first visit, then at the later one."""
    return np.array([fit.position(k, v) for v in visits for k in outcomes], dtype=np.intp)


def _versions(part: Array, *, latent: bool) -> list[tuple[str, Array]]:
    """C (2 × 4) of each version: what takes both outcomes' scores (baseline, baseline, later, later) to two numbers."""
    change = np.hstack([-np.eye(2), np.eye(2)])
    slopes = np.linalg.solve(part[:2, :2], part[:2, 2:]).T
    given = np.hstack([-slopes, np.eye(2)])
    versions = [("change", change), ("given baseline", given)]
    return [*versions, ("latent", change)] if latent else versions


@dataclass(frozen=True, slots=True)
class _Pair:
    """The 2 × 2 covariance of two numbers, as the three elements that a correlation needs."""

    one: float
    other: float
    both: float


def _correlation(sigma: Array, first: Array, C: Array, error: Array) -> tuple[float, Array]:
    """r of A = C (Σ − diag(error ∘ diag Σ)) C' and ∂r/∂θ_i (m,), from ∂A = C (∂Σ − diag(error ∘ diag ∂Σ)) C'.

    Where C holds the regression on the baselines, ∂C does not count: the residual covariance is smallest at that C.
    """
    diagonal = np.arange(len(sigma))
    left, change = sigma.copy(), first.copy()
    left[diagonal, diagonal] *= 1.0 - error
    change[:, diagonal, diagonal] *= 1.0 - error
    A, dA = C @ left @ C.T, C @ change @ C.T
    pair = _Pair(float(A[0, 0]), float(A[1, 1]), float(A[0, 1]))
    if pair.one <= 0 or pair.other <= 0:
        return float("nan"), np.full(len(first), np.nan)
    size = np.sqrt(pair.one * pair.other)
    r = pair.both / size
    slope: Array = dA[:, 0, 1] / size - r / 2 * (dA[:, 0, 0] / pair.one + dA[:, 1, 1] / pair.other)
    return float(r), slope


def _on_fisher_scale(frame: pd.DataFrame, level: float) -> pd.DataFrame:
    """Statistic, p value and interval of correlations from z = artanh r with se(z) = se(r) / (1 − r²)."""
    r = frame["estimate"].to_numpy(dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        z, se = np.arctanh(np.where(np.abs(r) < 1, r, np.nan)), frame["std_error"].to_numpy(dtype=float) / (1 - r**2)
    answer = Answer(estimate=z, vcov=np.diag(se**2), df=np.full(len(z), np.inf), method="asymptotic")
    on_z = numbers(answer, frame["n"].to_numpy(dtype=float), conf_level=level)
    limits = {name: np.tanh(on_z[name]) for name in ("conf_low", "conf_high")}
    return frame.assign(statistic=on_z["statistic"], p_value=on_z["p_value"], **limits)


def _refuse_none(fit: MultivariateFit, names: Sequence[object]) -> None:
    if not names:
        raise StudyError(
            "E-STUDY-VALUE",
            f"The model has {len(fit.outcomes)} outcome{'s' * (len(fit.outcomes) > 1)} and {len(fit.visits)} visits.",
            "Correlations between changes need two outcomes that were both seen at two visits.",
            "Model several outcomes together.",
        )


def _signs(fit: MultivariateFit, better: Mapping[str, str]) -> Array:
    signs = []
    for outcome in fit.outcomes:
        end = better.get(outcome.name, outcome.better)
        if end not in ("lower", "higher"):
            raise StudyError(
                "E-STUDY-VALUE",
                f"Nobody said which end of `{outcome.name}` is better.",
                "A global change adds improvements, so each outcome needs a direction.",
                f'Write better={{"{outcome.name}": "lower"}}, or declare it with the outcome.',
            )
        signs.append(-1.0 if end == "lower" else 1.0)
    return np.array(signs)


def _standardizers(
    fit: MultivariateFit,
    standardizer: str | Mapping[str, float],
    sigma: Array,
    first: Array,
    start: int,
    later: int,
) -> tuple[Array, Array]:
    """s (K,) and ∂s/∂θ_i (m, K); zero where s is known."""
    K = len(fit.outcomes)
    if isinstance(standardizer, Mapping):
        s = np.array([float(standardizer.get(outcome.name, np.nan)) for outcome in fit.outcomes])
        for outcome, value in zip(fit.outcomes, s, strict=True):
            if not value > 0:
                raise StudyError(
                    "E-STUDY-VALUE",
                    f"The standardizer of `{outcome.name}` is {value}.",
                    "Every outcome of the model needs a standard deviation above 0.",
                    'Write for example standardizer={"exhaustion": 0.92, "job_stress": 0.76}.',
                )
        return s, np.zeros((len(first), K))
    one_of("standardizer", standardizer, STANDARDIZERS)
    variance, slope = np.empty(K), np.empty((len(first), K))
    for k in range(K):
        place = np.array([fit.position(k, start), fit.position(k, later)], dtype=np.intp)
        c = np.array([1.0, 0.0]) if standardizer == "baseline_sd" else np.array([-1.0, 1.0])
        variance[k] = c @ sigma[np.ix_(place, place)] @ c
        slope[:, k] = c @ first[:, place[:, None], place] @ c
    s = np.sqrt(variance)
    return s, slope / (2 * s)


def _weights_of(weights: str, V: Array) -> Array:
    if weights == "ols":
        return np.full(len(V), 1.0 / len(V))
    raw = np.linalg.solve(V, np.ones(len(V)))
    return np.asarray(raw / raw.sum())


def _global_note(fit: MultivariateFit, standardizer: str | Mapping[str, float], weights: str, told: Array) -> str:
    labels = [outcome.label for outcome in fit.outcomes]
    by = STANDARDIZERS.get(standardizer) if isinstance(standardizer, str) else "given standard deviations (known)"
    note = (
        f"Mean of the improvements of {', '.join(labels)}, each divided by {by}, weighted {GLOBAL_WEIGHTS[weights]}; "
        "above 0 is better."
    )
    if weights == "gls":
        shown = "; ".join(
            f"{label} {' to '.join(dict.fromkeys(f'{value:.2f}' for value in (column.min(), column.max())))}"
            for label, column in zip(labels, told.T, strict=True)
        )
        note += f" Weights: {shown}" + (" (a negative one turns an improvement around)." if told.min() < 0 else ".")
    return note
