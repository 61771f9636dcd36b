"""Several outcomes at several visits, tested together."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ..engine import max_t
from ..engine.multiplicity import t_quantile, two_sided_p
from ..errors import ModelError, StudyError, one_of
from ..estimates import Estimates
from ..inference.combine import combine
from ..inference.intervals import checked_level
from ..inference.scores import scores

__all__ = ["JOINT_METHODS", "joint_contrasts"]

Array = NDArray[np.float64]
JOINT_METHODS = MappingProxyType(
    {
        "normal": "multiplier bootstrap of subjects' scores, normal multipliers",
        "rademacher": "multiplier bootstrap of subjects' scores, random signs",
        "mammen": "multiplier bootstrap of subjects' scores, Mammen's multipliers",
        "exact": "multivariate normal distribution with the correlations of subjects' scores",
    }
)
"""How the distribution of the largest statistic is found. "normal" and "exact" have the same limit; "exact" draws
nothing.
"""


def joint_contrasts(
    *contrasts: Estimates,
    seed: int | np.random.SeedSequence,
    method: str = "normal",
    n: int = 10_000,
    step_down: bool = False,
    conf_level: float | None = None,
) -> Estimates:
    """Contrasts of several outcomes (or models) with p values and intervals that hold for all of them together.

    Parameters
    ----------
    *contrasts : Estimates
        From `contrast` (or `emmeans`, `slopes`, `summarize`), unadjusted, each of a model of the same cohort.
    seed : int or SeedSequence
    method : "normal", "rademacher", "mammen" or "exact"
        A key of `JOINT_METHODS`.
    n : int
        Draws; the error of an adjusted p value of .05 with 10,000 is about .002.
    step_down : bool
        Romano and Wolf's step-down p values, which are never larger. The intervals stay those of the single step.
    conf_level : float, optional
        As the contrasts were asked, unless said otherwise.

    Returns
    -------
    Estimates
        Kind "joint_contrasts": estimates, standard errors, degrees of freedom and t as each model gave them; `p_value`
        is adjusted and the interval simultaneous over all rows. `vcov` is joint.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for an unknown method; `E-STUDY-VALUE` for fewer than 100 draws, contrasts that are adjusted
        already, or kinds that differ.
    ModelError
        `E-MODEL-SCORES` for estimates without scores of subjects: pooled, clustered, frequency-weighted or detached
        ones, of random effects at times of one's own, or of another cohort.

    **Source**: Chernozhukov, Chetverikov & Kato 2013, Ann Stat 41:2786; Pipper, Ritz & Bisgaard 2012, J R Stat Soc C
    61:315; Hothorn, Bretz & Westfall 2008, Biometrical J 50:346; Romano & Wolf 2016, Stat Probab Lett 113:38.

    >>> from burnout_stats.inference import contrast, emmeans
    >>> from burnout_stats.models import MMRM, fit
    >>> from burnout_stats.studies import example
    >>> def change(outcome):
    ...     return contrast(emmeans(fit(MMRM(f"{outcome} ~ visit"), example("villa_sana")), "visit"))
    >>> joint_contrasts(change("exhaustion"), change("depression"), seed=1).about.adjust
    'max-t'
    """
    one_of("method", method, list(JOINT_METHODS))
    if n < 100:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`n` is {n}.",
            "A p value from few draws tells little: there are at least 100.",
            "Use n=10_000.",
        )
    whole = combine(*contrasts)
    _refuse_adjusted(whole, contrasts)
    found = scores(contrasts)
    frame = whole.frame.copy()
    alone = two_sided_p(frame["statistic"].to_numpy(dtype=float), frame["df"].to_numpy(dtype=float))
    told = np.isfinite(alone)
    if not told.any() or not found.known[told].all():
        raise _no_scores()
    level = whole.about.conf_level if conf_level is None else checked_level(conf_level)
    psi, z = found.psi[:, told], max_t.normal_scale(alone[told])
    if method == "exact":
        p, c = max_t.exact(z, max_t.correlation(psi), level)
        if step_down:
            p = _exact_step_down(z, max_t.correlation(psi), level)
    else:
        root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
        draws = max_t.multiplied(psi, n, root, kind=method)
        p, c = (max_t.step_down if step_down else max_t.single_step)(z, draws), max_t.critical(draws, level)
    adjusted = np.full(len(frame), np.nan)
    adjusted[told] = np.maximum(p, alone[told])
    coverage = 1 - 2 * float(_upper_tail(c))  # of each interval by itself
    half = t_quantile(coverage, frame["df"].to_numpy(dtype=float)) * frame["std_error"].to_numpy(dtype=float)
    frame["p_value"] = adjusted
    frame["conf_low"], frame["conf_high"] = frame["estimate"] - half, frame["estimate"] + half
    about = replace(
        whole.about,
        kind="joint_contrasts",
        conf_level=level,
        adjust="max-t",
        notes=(*whole.about.notes, *_notes(int(told.sum()), method, n, step_down, coverage)),
    )
    return replace(whole, frame=frame, about=about)


def _upper_tail(c: float) -> float:
    return float(two_sided_p(np.array([c]), np.array([np.inf]))[0]) / 2


def _exact_step_down(z: Array, R: Array, level: float) -> Array:
    order = np.argsort(-np.abs(z), kind="stable")
    p = np.empty(len(z))
    so_far = 0.0
    for place, j in enumerate(order.tolist()):
        rest = order[place:]
        here, _ = max_t.exact(z[rest], R[np.ix_(rest, rest)], level)
        so_far = max(so_far, float(here[0]))
        p[j] = so_far
    return p


def _refuse_adjusted(whole: Estimates, contrasts: tuple[Estimates, ...]) -> None:
    adjusted = {part.about.adjust for part in contrasts} - {"none"}
    if adjusted or "num_df" in whole.frame:
        raise StudyError(
            "E-STUDY-VALUE",
            f"The contrasts are adjusted already ({', '.join(sorted(adjusted))})."
            if adjusted
            else "These are F tests.",
            "All contrasts of all outcomes are adjusted together here, once.",
            'Ask contrast(..., adjust="none").',
        )


def _no_scores() -> ModelError:
    return ModelError(
        "E-MODEL-SCORES",
        "Some of the estimates have no scores of subjects.",
        "Estimates are tested together through what each subject contributes to them, so they come from fits in memory "
        "to one cohort, without clusters, frequency weights or imputation.",
        'Ask contrast(emmeans(fit(MMRM(...), cohort), "visit")) for each outcome; or adjust each by itself (adjust='
        '"holm").',
    )


def _notes(k: int, method: str, n: int, step_down: bool, coverage: float) -> tuple[str, ...]:
    draws = "" if method == "exact" else f", {n:,} draws"
    how = "step-down (Romano and Wolf)" if step_down else "single step"
    adjusted = (
        f"P values are adjusted over all {k} contrasts (max-t, {how}) and intervals are simultaneous: "
        f"{JOINT_METHODS[method]}{draws}."
    )
    alone = (
        f"Each interval alone covers {100 * coverage:.1f}%; every contrast keeps its own standard error and degrees of "
        "freedom."
    )
    return adjusted, alone
