"""The same changes under every assumption about the missing scores that stands here, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..display import Watched
from ..estimates import Estimates
from ..estimates.estimates import NUMBERS
from ..models import MMRM, fit
from ..notices import Notice
from ._bounds import LOWEST, bounds
from ._complete_cases import change_from_baseline, complete_cases
from ._draws import Draws, draws
from ._imputation import analyse, impute
from ._pooling import pool
from ._unanswered import answered
from ._weighting import weighted

__all__ = ["ANALYSES", "triangulation"]

Array = NDArray[np.float64]
ANALYSES = MappingProxyType(
    {
        "mmrm": "MMRM",
        "auxiliaries": "MMRM with auxiliaries",
        "imputation": "Multiple imputation",
        "weighted": "Weighted",
        "augmented": "Weighted, augmented",
        "complete": "Complete cases",
        "bounds": "Bounds",
    }
)
"""In the order in which they stand."""


@dataclass(frozen=True, slots=True, eq=False)
class _Analysis:
    """One of the analyses: its changes, and what it assumes in a sentence."""

    name: str
    changes: Estimates
    assumes: str


def triangulation(
    spec: MMRM,
    cohort: Cohort,
    *,
    predictors: str | Iterable[str],
    auxiliaries: Iterable[str] = (),
    truncate: tuple[float, float] | None = (0.01, 0.99),
    n: int = 100,
    seed: int | np.random.SeedSequence,
    conf_level: float = 0.95,
    progress: Watched = None,
) -> Estimates:
    """The changes from baseline by models, imputation, weights, complete cases and bounds.

    Where they agree, the answer does not hang on how missing scores are dealt with; where they do not, their
    assumptions tell why. All but the bounds take what is missing as explained by something that was seen, so their
    agreement does not show that nothing unseen matters.

    Parameters
    ----------
    spec : MMRM
        Its formula has `visit`.
    cohort : Cohort
    predictors : str or names
        What being seen may depend on, as in `weights`.
    auxiliaries : names, optional
        As in `draws`. Without any, the model with auxiliaries is left out.
    truncate : (low, high) or None
        As in `weights`.
    n : int
        Imputations.
    seed : int or SeedSequence
        Of the imputation.
    conf_level : float
    progress : callable or bool, optional
        Called as `progress(done, total, what)`; a bar where left out and somebody watches, none with False.

    Returns
    -------
    Estimates
        Kind "triangulation": `contrast` and `analysis`. The row of the bounds has no estimate; its limits are the
        lowest and the highest mean change that the missing scores allow in this sample. It is left out where the
        outcome has no declared range, and any analysis but the first where the data have no answer, with a notice
        (`N-SENSITIVITY-UNANSWERED`). Covariances between analyses are not known.

    Raises
    ------
    StudyError
        As `draws`, `weighted` and `complete_cases`.
    ModelError
        Where the primary model has no answer.

    **Source**: Lee et al. 2021, J Clin Epidemiol 134:79 (TARMOS: a main analysis, and others under other assumptions,
    reported together); for each analysis see its own verb.
    """
    asked = predictors if isinstance(predictors, str) else tuple(predictors)
    helped = tuple(auxiliaries)
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    by_means, by_chance = root.spawn(2)
    main = change_from_baseline(fit(spec, cohort), conf_level)
    covariates = [name for name in spec.parsed.variables if name != "visit"]
    labels = {name: role.label for name, role in cohort.covariate_roles.items()}
    labels |= {name: role.label for name, role in cohort.outcome_roles.items()}
    given = ", ".join(["the scores that were seen", *(labels[name] for name in covariates if name in labels)])
    found = [_Analysis("mmrm", main, f"missing at random given {given}")]
    unanswered: list[Notice] = []

    def add(name: str, ask: Callable[[], _Analysis]) -> None:
        analysis = answered(spec.parsed.response, f"“{ANALYSES[name]}” is", ask, unanswered)
        found.extend([] if analysis is None else [analysis])

    def auxiliaries_too() -> _Analysis:
        joint = draws(spec, cohort, auxiliaries=helped, method="conditional-mean", seed=by_means, progress=progress)
        words = f"{_at_random(joint)}; one model of all of them, standard errors by the jackknife"
        return _Analysis("auxiliaries", _pooled(joint, conf_level), words)

    def imputation() -> _Analysis:
        drawn = draws(spec, cohort, auxiliaries=helped, n=n, seed=by_chance, progress=progress)
        words = f"{_at_random(drawn)}; {n} imputations, Rubin's rules"
        return _Analysis("imputation", _pooled(drawn, conf_level), words)

    def by_visit() -> _Analysis:
        changes = weighted(spec, cohort, asked, truncate=truncate, conf_level=conf_level)
        return _Analysis("weighted", changes, _first_sentences(changes))

    def augmented() -> _Analysis:
        changes = weighted(spec, cohort, asked, kind="augmented", truncate=truncate, conf_level=conf_level)
        words = "the same, or that a regression of the scores on the same predictors is right"
        return _Analysis("augmented", changes, words)

    def alone() -> _Analysis:
        words = "those seen at every visit are like those lost, given the model's covariates"
        return _Analysis("complete", complete_cases(spec, cohort, conf_level=conf_level), words)

    if helped:
        add("auxiliaries", auxiliaries_too)
    add("imputation", imputation)
    add("weighted", by_visit)
    add("augmented", augmented)
    add("complete", alone)
    role = cohort.outcome_roles.get(spec.parsed.response)
    if role is not None and role.range is not None:
        low, high = role.range
        words = (
            f"nothing; missing scores at the ends of the scale ({low:g} and {high:g}), limits of this sample and no "
            "confidence interval"
        )
        assumed = words
        add("bounds", lambda: _Analysis("bounds", _ends(cohort, spec.parsed.response), assumed))
    return _together(found, main, unanswered)


def _pooled(drawn: Draws, conf_level: float) -> Estimates:
    return change_from_baseline(pool(analyse(impute(drawn))), conf_level)


def _at_random(drawn: Draws) -> str:
    return f"missing at random given {', '.join(drawn.data.given)}"


def _first_sentences(estimates: Estimates) -> str:
    said = [note for note in estimates.about.notes if note.startswith(("Being seen", "Nothing else", "Each score"))]
    return " ".join(note[:1].lower() + note[1:] if not k else note for k, note in enumerate(said)).rstrip(".")


def _ends(cohort: Cohort, outcome: str) -> Estimates:
    """The bounds in one row for each contrast."""
    found = bounds(cohort, outcome)
    lowest = found.frame["bound"].eq(LOWEST).to_numpy()
    low, high = found.frame[lowest], found.frame[~lowest]
    blank = dict.fromkeys((name for name in NUMBERS if name in low), np.nan)
    limits = {"conf_low": low["estimate"].to_numpy(), "conf_high": high["estimate"].to_numpy()}
    frame = low.drop(columns="bound").assign(**(blank | limits)).reset_index(drop=True)
    return replace(found, frame=frame, vcov=np.full((len(frame),) * 2, np.nan))


def _together(found: list[_Analysis], main: Estimates, unanswered: Iterable[Notice]) -> Estimates:
    contrasts = list(main.frame["contrast"])
    parts, notices = [], dict[Notice, None]()
    size = sum(len(one.changes) for one in found)
    vcov = np.full((size, size), np.nan)
    start = 0
    for one in found:
        frame = one.changes.frame.reset_index(drop=True)
        parts.append(frame.assign(analysis=ANALYSES[one.name], order=np.arange(start, start + len(frame))))
        vcov[start : start + len(frame), start : start + len(frame)] = one.changes.vcov
        start += len(frame)
        notices |= dict.fromkeys(one.changes.notices)
    whole = pd.concat(parts, ignore_index=True)
    whole = whole.sort_values(
        ["contrast", "order"], key=lambda column: column.map(contrasts.index) if column.name == "contrast" else column
    )
    order = whole["order"].to_numpy()
    columns = ["outcome", "contrast", "analysis", *(name for name in NUMBERS if name in whole), "n", "method"]
    averaged = [note for note in main.about.notes if note.startswith("Averaged") or " held at " in note]
    words = tuple(f"{ANALYSES[one.name]}: {one.assumes}." for one in found)
    return Estimates(
        frame=whole[columns].reset_index(drop=True),
        vcov=vcov[np.ix_(order, order)],
        about=replace(
            main.about,
            kind="triangulation",
            factors=("contrast", "analysis"),
            by=("contrast",),
            df_method="",
            notes=(
                *averaged,
                *words,
                "No analysis but the bounds allows for something unseen that tells of the scores and of who was lost.",
            ),
        ),
        notices=(*notices, *unanswered),
        cells=whole["contrast"].map(main.frame.set_index("contrast")["n"]).to_numpy(dtype=float)[:, None],
    )
