"""What was asked about regression to the mean, checked; and rows of numbers as Estimates with their words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..describe._pairs import checked_level, estimates_of
from ..engine.regression_to_mean import SELECTIONS
from ..errors import StudyError, one_of
from ..estimates import Estimates
from ..instruments.norms import Norm, Stability
from ..notices import announce
from ._before_after import BeforeAfter
from ._judged import REPEATED, Inputs, Question, judged
from ._regression_words import notes_of, notices_of

__all__ = ["WITHOUT", "Asked", "Given", "check_drift", "finished", "inputs_of", "selections_of", "stability_at"]

Given = Stability | Mapping[str, Stability] | None
WITHOUT = frozenset({"trait", "crisis"})
"""Ways of selection in which no stability plays a part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Everything that was given beside the scores."""

    inputs: Inputs
    stability: Given
    selections: tuple[str, ...]


def inputs_of(
    norm: Norm,
    reliability: float | None,
    reliability_se: float,
    cutoff: float | None,
    carry: bool,
    draws: int,
    seed: int | None,
    conf_level: float,
    between: Stability | None = None,
    baselines: int = 1,
) -> Inputs:
    """What was given from outside the cohort, checked.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE`, `E-STUDY-STABILITY`.
    """
    checked_level(conf_level)
    rightful = reliability is None or 0 < reliability <= 1
    if not rightful or not reliability_se >= 0 or draws < 0 or (draws > 0 and seed is None):
        raise StudyError(
            "E-STUDY-VALUE",
            f"The reliability is {reliability} with standard error {reliability_se}, draws are {draws}, the seed is "
            f"{seed}.",
            "A reliability lies above 0 and up to 1, a standard error is not negative, and a simulation needs a seed.",
            "Write for example reliability=0.90, or draws=10_000, seed=1.",
        )
    if between is not None and (between.value <= 0 or (between.kind == "slope" and between.n is not None)):
        raise StudyError(
            "E-STUDY-STABILITY",
            f"The correlation of two baselines is {between.value:g} ({between.kind}).",
            "It is a correlation above 0, with the n of its sample or its standard error.",
            "Write for example between=Stability(0.8, n=200).",
        )
    if cutoff is not None and not math.isfinite(cutoff):
        raise StudyError(
            "E-STUDY-VALUE", f"The cut-off is {cutoff}.", "It is a score.", "Write for example cutoff=3.0."
        )
    return Inputs(
        norm=norm,
        reliability=1.0 if reliability is None else reliability,
        reliability_se=reliability_se,
        cutoff=cutoff,
        carry=carry,
        draws=draws,
        seed=seed,
        conf_level=conf_level,
        between=between,
        baselines=baselines,
    )


def selections_of(selection: str | Sequence[str], inputs: Inputs, reliability: float | None) -> tuple[str, ...]:
    """The ways of selection, checked against what they need.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION`, `E-STUDY-VALUE`.
    """
    names = (selection,) if isinstance(selection, str) else tuple(selection)
    found = tuple(dict.fromkeys(one_of("selection", name, SELECTIONS) for name in names))
    if not found or (inputs.cutoff is not None and found != ("score",)) or ("state" in found and reliability is None):
        raise StudyError(
            "E-STUDY-VALUE",
            f"The selection is {', '.join(found) or 'empty'}, the cut-off {inputs.cutoff}, the reliability "
            f"{reliability}.",
            'A cut-off belongs to selection="score"; selection="state" needs the reliability of the score.',
            "Write for example reliability=0.90, and name its source.",
        )
    lacking = ("earlier" in found and inputs.between is None) or ("mean" in found and inputs.baselines < 2)
    if set(found) & set(REPEATED) and (lacking or inputs.carry):
        raise StudyError(
            "E-STUDY-VALUE",
            f"The selection is {', '.join(found)}; `between` is {inputs.between}, `baselines` {inputs.baselines}, "
            f"`carry` {inputs.carry}.",
            'selection="earlier" needs the correlation of the two baselines, "mean" their number, 2 or more; neither '
            "carries a stability to another time.",
            "Write for example between=Stability(0.8, n=200), or baselines=2.",
        )
    return found


def stability_at(asked: Asked, visit: str, gap: float) -> Stability | None:
    """The stability for a visit, checked.

    Raises
    ------
    StudyError
        `E-STUDY-STABILITY`.
    """
    given = asked.stability
    one = given.get(visit) if isinstance(given, Mapping) else given
    if not set(asked.selections) - WITHOUT:
        return None
    if not isinstance(one, Stability):
        raise StudyError(
            "E-STUDY-STABILITY",
            f"For {visit} the stability is {one!r}.",
            "It is a Stability from outside the cohort: a correlation over time with its n, or a slope with its "
            "standard error. A reliability such as alpha is none: it tells how well a score is measured on one day.",
            "Write for example stability=Stability(0.62, n=293), or give a mapping of visit to Stability.",
        )
    if one.kind == "slope" and one.n is not None:
        raise StudyError(
            "E-STUDY-STABILITY",
            f"For {visit} a slope of {one.value:g} is given with n = {one.n}.",
            "The error of a slope does not follow from n alone.",
            f"Write Stability({one.value:g}, std_error=..., kind='slope'), or give the correlation with its n.",
        )
    if asked.inputs.carry and (one.lag is None or one.value <= 0 or math.isnan(gap)):
        raise StudyError(
            "E-STUDY-STABILITY",
            f"The stability {one.value:g} with lag {one.lag} is to be carried over {gap:g} years.",
            "That needs a stability above 0, its lag, and the years between the visits.",
            "Write for example Stability(0.62, n=293, lag=5), and give the years.",
        )
    if one.value > asked.inputs.reliability and asked.inputs.reliability < 1:
        raise StudyError(
            "E-STUDY-STABILITY",
            f"The stability {one.value:g} is above the reliability {asked.inputs.reliability:g}.",
            "Scores of two occasions cannot go together more closely than measurement allows.",
            "Check whether both are of the same score, and of the same kind of people.",
        )
    return one


def check_drift(pairs: BeforeAfter, asked: Asked) -> None:
    if asked.inputs.norm.drift and math.isnan(float(pairs.years[1:].sum())):
        raise StudyError(
            "E-STUDY-VALUE",
            f"The norm drifts by {asked.inputs.norm.drift} per year, and the years between the visits are not given.",
            "A drift is added for each year.",
            "Give `years`, or a norm without drift.",
        )


def finished(
    pairs: BeforeAfter,
    asked: Asked,
    questions: Sequence[Question],
    given: Sequence[Stability | None],
    kind: str,
    factors: tuple[str, ...],
) -> Estimates:
    rows, vcov, counts = judged(pairs, asked.inputs, questions)
    notices = notices_of(pairs, asked.inputs, given)
    announce(notices, stacklevel=5)
    about = replace(
        pairs.about,
        kind=kind,
        factors=factors,
        conf_level=asked.inputs.conf_level,
        notes=notes_of(asked.inputs, asked.selections, given, kind),
    )
    found = estimates_of(rows, about, counts=counts or None)
    return replace(found, vcov=vcov, notices=notices)
