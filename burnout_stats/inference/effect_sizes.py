"""How large a change is: standardized changes with a named standardizer, and what part of the variance a model
explains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from ..cohort.cohort import Cohort
from ..engine.effect_size import MEASURES, STANDARDIZERS, Pairs, effect_size
from ..errors import StudyError, one_of
from ..estimates import About, Estimates
from ..models import Fit
from ..models.measured import refuse_counted
from .about import about
from .contrasts import contrast
from .emmeans import emmeans
from .intervals import checked_level
from .variance_shares import average_covariance
from .weighted import refuse_weighted

__all__ = ["MODEL_STANDARDIZERS", "effect_sizes"]

Array = NDArray[np.float64]
TOTAL = "total"
MODEL_STANDARDIZERS: Mapping[str, str] = MappingProxyType(
    {code: one.name for code, one in STANDARDIZERS.items()} | {TOTAL: "the root of the mean variance of all visits"}
)
"""What a model-based change can be divided by; each SD is of one visit around the fixed effects, from Σ̂."""


def effect_sizes(
    source: Cohort | Fit,
    outcome: str | None = None,
    *,
    measures: str | Sequence[str] | None = None,
    by: str | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """Changes from baseline in units of a standard deviation that is named.

    Parameters
    ----------
    source : Cohort or Fit
        Observed changes of those seen at both visits, or the changes that a model estimates.
    outcome : str, optional
        Of a cohort; needed where it has several.
    measures : str or sequence of str, optional
        Of a cohort: "d_av", "d_z", "d_rm", "glass", "smcc", "smcr", "smcrh", "smcrp", "smcrph" (see
        `engine.effect_size`); "d_av", "d_z" and "smcrh" where none are named. Of a fit: what the change is divided by,
        "baseline" (the default), "average", "pooled", "change", "repeated" or "total".
    by : str, optional
        Of a fit: changes within each level of a factor of the model.
    conf_level : float

    Returns
    -------
    Estimates
        A row for each visit after baseline and each measure; `n` is the number of complete pairs, or the smallest
        number of subjects behind the means that are compared. Intervals are normal, for d_z exact (noncentral t). There
        are no tests: that there is a change is tested by the change itself.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for an unknown measure, `E-STUDY-VALUE` where the outcome is not named, or `by` is asked of a
        cohort.
    ModelError
        `E-MODEL-VCOV` with probability weights, under which the uncertainty of Σ̂ is not known; `E-MODEL-NOT-NOMINAL`
        where random effects give every subject a covariance of its own.

    Notes
    -----
    From a fit, d = lβ̂ / h(Σ̂), with var(d) = l var(β̂) l' / h² + d² g'Wg, where g = ∂ log h / ∂θ and W is the
    covariance of θ̂: at the optimum of a normal model β̂ and θ̂ are asymptotically independent. So the interval carries
    the uncertainty of the standardizer; no bias of small samples is taken away. Where groups have a Σ of their own, Σ
    is averaged over the subjects.

    **Source**: as in `engine.effect_size`; Westfall, Kenny & Judd 2014, J Exp Psychol Gen 143:2020, for the total
    variance; the variance by the delta method, checked by simulation.

    >>> from burnout_stats.studies import example
    >>> effect_sizes(example("villa_sana"), "exhaustion", measures="d_av").frame["contrast"].tolist()
    ['1 year - baseline', '3 years - baseline']
    """
    checked_level(conf_level)
    refuse_counted(source, "Effect sizes are")
    if isinstance(source, Fit):
        return _of_fit(source, _listed(measures, ("baseline",), MODEL_STANDARDIZERS), by, conf_level)
    if by is not None:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`by` is {by!r}, and the effect sizes are asked of a cohort.",
            "Groups are taken from the factors of a model.",
            "Take cohort.subset(...) for each group, or ask a fit.",
        )
    known = {code: MODEL_STANDARDIZERS[one.standardizer] for code, one in MEASURES.items()}
    return _of_cohort(source, outcome, _listed(measures, ("d_av", "d_z", "smcrh"), known), conf_level)


def _listed(asked: str | Sequence[str] | None, default: tuple[str, ...], known: Mapping[str, str]) -> tuple[str, ...]:
    measures = default if asked is None else (asked,) if isinstance(asked, str) else tuple(asked)
    for measure in measures:
        one_of("measures", measure, known)
    return measures


def _of_cohort(cohort: Cohort, outcome: str | None, measures: tuple[str, ...], conf_level: float) -> Estimates:
    if outcome is None and len(cohort.outcomes) > 1:
        raise StudyError(
            "E-STUDY-VALUE",
            "No outcome is named.",
            f"The cohort has several: {', '.join(cohort.outcomes)}.",
            f'Write for example effect_sizes(cohort, "{cohort.outcomes[0]}").',
        )
    role = cohort.outcome(cohort.outcomes[0] if outcome is None else outcome)
    data, labels = cohort.data, cohort.visits.labels
    wide = np.full((cohort.n_subjects, len(labels)), np.nan)
    wide[data["subject"].to_numpy() - 1, data["visit"].cat.codes.to_numpy()] = data[role.name].to_numpy(dtype=float)
    parts = []
    for k, label in enumerate(labels[1:], start=1):
        pairs = _pairs(wide[~np.isnan(wide[:, [0, k]]).any(1)][:, [0, k]])
        for measure in measures:
            size = effect_size(pairs, measure, conf_level=conf_level)
            parts.append(
                {
                    "contrast": f"{label} - {labels[0]}",
                    "measure": measure,
                    "estimate": float(size.estimate),
                    "variance": float(size.variance),
                    "conf_low": float(size.conf_low),
                    "conf_high": float(size.conf_high),
                    "n": float(pairs.n),
                }
            )
    kind = About(
        kind="effect_sizes",
        outcomes={role.name: role.label},
        units={role.name: "SD"},
        better={role.name: role.better},
        visit_years=cohort.visits.by_label(),
        factors=("contrast", "measure"),
        conf_level=conf_level,
        df_method="asymptotic",
        notes=("Complete pairs.", *(_named(code) for code in measures)),
        policy=cohort.policy,
    )
    return _estimates(pd.DataFrame(parts), role.name, kind)


def _pairs(scores: Array) -> Pairs:
    """Summaries of complete pairs; NaN where there are fewer than three or a score does not vary."""
    n = len(scores)
    if n < 3 or (np.ptp(scores, axis=0) == 0).any():
        return Pairs.of(n=n, mean_1=np.nan, mean_2=np.nan, sd_1=np.nan, sd_2=np.nan, r=np.nan)
    (mean_1, mean_2), S = scores.mean(0), np.cov(scores, rowvar=False)
    sd_1, sd_2 = np.sqrt(np.diagonal(S))
    return Pairs.of(n=n, mean_1=mean_1, mean_2=mean_2, sd_1=sd_1, sd_2=sd_2, r=S[0, 1] / (sd_1 * sd_2))


def _named(code: str) -> str:
    measure = MEASURES[code]
    corrected = ", corrected for bias" if measure.m is not None else ""
    return f"{code}: change over {STANDARDIZERS[measure.standardizer].name}{corrected}."


def _of_fit(fit: Fit, standardizers: tuple[str, ...], by: str | None, conf_level: float) -> Estimates:
    refuse_weighted(fit)
    sigma, slopes, W = average_covariance(fit)
    time = "visit" if "visit" in fit.design.encoder.variables else "years"
    means = emmeans(fit, time, by=by, conf_level=conf_level)
    change = contrast(means, "vs_baseline")
    labels = fit.design.visits.labels
    parts = []
    for row in range(len(change)):
        k = 1 + row % (len(labels) - 1)
        D, V = float(change.frame["estimate"].iloc[row]), float(change.vcov[row, row])
        for standardizer in standardizers:
            d, variance = np.nan, np.nan
            if np.isfinite(D) and {0, k} <= set(fit.seen):
                log_h, g = _log_standardizer(sigma, slopes, fit.seen.index(k), standardizer)
                d = D / float(np.exp(log_h))
                variance = V * float(np.exp(-2 * log_h)) + d**2 * float(g @ W @ g)
            margin = float(special.ndtri((1 + conf_level) / 2)) * np.sqrt(variance)
            parts.append(
                {"contrast": f"{labels[k]} - {labels[0]}"}
                | ({by: change.frame[by].iloc[row]} if by else {})
                | {
                    "measure": standardizer,
                    "estimate": d,
                    "variance": variance,
                    "conf_low": d - margin,
                    "conf_high": d + margin,
                    "n": change.frame["n"].iloc[row],
                }
            )
    notes = tuple(f"{code}: model change over {MODEL_STANDARDIZERS[code]}, from the model." for code in standardizers)
    if fit.design.groups:
        notes += ("The covariance is averaged over the subjects of its groups.",)
    kind = about(
        fit,
        kind="effect_sizes",
        factors=("contrast", "measure"),
        by=(by,) if by else (),
        conf_level=conf_level,
        df_method="asymptotic",
        notes=(*means.about.notes, *notes),
    )
    return _estimates(pd.DataFrame(parts), fit.outcome.name, kind)


def _log_standardizer(sigma: Array, slopes: Array, k: int, code: str) -> tuple[float, Array]:
    """log h and its derivatives in θ, for the change from the first visit to visit k."""
    if code == TOTAL:
        V, total = len(sigma), float(np.trace(sigma))
        return float(np.log(total / V)) / 2, np.trace(slopes, axis1=1, axis2=2) / (2 * total)
    a, b, c = sigma[0, 0], sigma[k, k], sigma[0, k]
    standardizer = STANDARDIZERS[code]
    inner = standardizer.slopes(a, b, c)
    return float(np.log(standardizer.h(a, b, c))), slopes[:, [0, k, 0], [0, k, k]] @ inner


def _estimates(frame: pd.DataFrame, outcome: str, kind: About) -> Estimates:
    frame.insert(0, "outcome", outcome)
    error = np.sqrt(frame.pop("variance").to_numpy(dtype=float))
    position = frame.columns.get_loc("estimate")
    assert isinstance(position, int)
    columns = {"std_error": error} | dict.fromkeys(("df", "statistic", "p_value"), np.nan)
    for offset, (name, values) in enumerate(columns.items(), start=1):
        frame.insert(position + offset, name, values)
    frame["method"] = "asymptotic"
    return Estimates(frame=frame, vcov=np.diag(error**2), about=kind)
