"""What is said under every number about regression to the mean: what was assumed, and what none of it can tell."""

from __future__ import annotations

from collections.abc import Sequence

from ..engine.regression_to_mean import SELECTIONS
from ..instruments.norms import Norm, Stability
from ..notices import Notice
from ._before_after import BeforeAfter
from ._judged import REPEATED, Inputs

__all__ = ["NOT_A_BOUND", "SELF_REFERRAL", "circular", "norm_note", "notes_of", "notices_of"]

NOT_A_BOUND = (
    "None of these numbers is a bound: another norm, another stability or another way of selection gives a larger or a "
    "smaller expected change."
)
SELF_REFERRAL = (
    "Why people refer themselves, and when, is not identified by a norm and a correlation. People who seek help at a "
    "low point may come back further, and faster, than their score alone foretells; people who seek it when things "
    "have settled for the worse, less far."
)
CORRELATION = (
    "A correlation is the share of a distance that remains only where, without help, the spread of scores is the same "
    "at both times; a slope is that share outright."
)
LAG_APART = 0.1
"""A lag and a gap that differ by more than this part of the longer one are told apart."""


def notices_of(pairs: BeforeAfter, inputs: Inputs, given: Sequence[Stability | None]) -> tuple[Notice, ...]:
    """What should be known before the numbers are believed."""
    notices: list[Notice] = []
    if any(one is not None and one.from_cohort for one in given):
        notices.append(circular("The stability comes from the treated cohort itself."))
    gaps = (pairs.years[1:] - pairs.years[0]).tolist()
    apart = [
        (visit, one.lag, gap)
        for visit, one, gap in zip(pairs.visits, given, gaps, strict=True)
        if one is not None and one.lag is not None and abs(gap - one.lag) > LAG_APART * max(gap, one.lag)
    ]
    if apart and not inputs.carry:
        told = "; ".join(
            f"over {lag:g} {'year' if lag == 1 else 'years'}, used for {visit} ({gap:g})" for visit, lag, gap in apart
        )
        notices.append(
            Notice(
                "N-SENSITIVITY-LAG",
                f"A stability is used for another time than it was found over: {told}.",
                "Over a shorter time more remains. Give a stability for each visit, or carry=True; look at the curve.",
            )
        )
    cutoff = inputs.cutoff
    if cutoff is not None and not pairs.printed:
        above = pairs.means[:, 0] >= inputs.norm.mean
        if (((pairs.lowest < cutoff) & above) | ((pairs.highest > cutoff) & ~above)).any():
            notices.append(
                Notice(
                    "N-SENSITIVITY-CUTOFF",
                    f"Not all scores at baseline lie beyond the cut-off {cutoff:g}.",
                    "The model of a cut-off is for people who were let in by this very score; leave `cutoff` out, and "
                    "the distance is that of the baseline mean.",
                )
            )
    return tuple(notices)


def circular(seen: str) -> Notice:
    """The notice that a stability is from the treated cohort itself."""
    return Notice(
        "N-SENSITIVITY-CIRCULAR",
        seen,
        "Whatever help did to the scores is in it, so it cannot tell what would have happened without; take one "
        "from untreated people.",
    )


def notes_of(
    inputs: Inputs, selections: Sequence[str], given: Sequence[Stability | None], kind: str
) -> tuple[str, ...]:
    """The sentences under a table."""
    what = "their distance from the norm's mean at baseline"
    if inputs.cutoff is not None:
        what = (
            f"the distance of those beyond the cut-off {inputs.cutoff:g} in a normal population like the norm (James)"
        )
    moved = "the drift of the norm plus " if inputs.norm.drift else ""
    notes = [f"Of those seen at both visits. Expected change: {moved}(share kept minus 1) times {what}."]
    notes += [f"Selection by {name}: {SELECTIONS[name]}." for name in selections]
    notes.append(norm_note(inputs.norm))
    stabilities = [one for one in dict.fromkeys(given) if one is not None]
    notes += [_stability_note(one, inputs) for one in stabilities]
    if any(one.kind == "correlation" for one in stabilities):
        notes.append(CORRELATION)
    if "state" in selections:
        error = f", standard error {inputs.reliability_se:g}" if inputs.reliability_se else ", taken as known"
        notes.append(f"Reliability {inputs.reliability:g}{error}; share kept: stability over reliability.")
    if set(selections) & set(REPEATED):
        name = "Correlation of two baselines"
        same = f"{name}: taken to be the stability."
        notes.append(same if inputs.between is None else _stability_note(inputs.between, inputs, name))
    if "mean" in selections:
        notes.append(f"The score at baseline is the mean of {inputs.baselines}.")
    if kind == "stability_curve":
        notes.append("Each stability of the curve is taken as known; the one that was given has its own uncertainty.")
    notes.append(_interval_note(inputs))
    tipping = "stability" if {"score", "state"} & set(selections) else "share"
    notes.append(
        f"Tipping {tipping}: the one at which regression to the mean alone brings the observed change; Fieller's "
        "interval, which has no end where the baseline mean is not clearly away from the norm."
    )
    return (*notes, NOT_A_BOUND, SELF_REFERRAL)


def norm_note(norm: Norm) -> str:
    """What the norm is."""
    size = f", n = {norm.n}" if norm.n is not None else ", taken as known without error"
    source = f" ({norm.source})" if norm.source else ""
    drift = f"; its mean is assumed to change by {norm.drift:+g} per year" if norm.drift else ""
    return f"{norm.label[:1].upper()}{norm.label[1:]}{source}: mean {norm.mean:g}, SD {norm.sd:g}{size}{drift}."


def _stability_note(one: Stability, inputs: Inputs, name: str = "Stability") -> str:
    error = f", n = {one.n}" if one.n is not None else ", taken as known without error"
    if one.std_error is not None:
        error = f", standard error {one.std_error:g}"
    lag = f", over {one.lag:g} years" if one.lag is not None else ", over a time that is not stated"
    source = f" ({one.source})" if one.source else ""
    where = "; from the treated cohort itself, which is circular" if one.from_cohort else ""
    told = f"{name}{source}: {one.value:g} ({one.kind}{error}{lag}){where}."
    if inputs.carry:
        how = "stability^(time/lag)"
        if inputs.reliability < 1:
            how = f"R (stability/R)^(time/lag) with the reliability R = {inputs.reliability:g}"
        told += (
            f" It is carried to the time between the visits as {how}, as if deviations faded at a constant rate and "
            "nothing lasted; where a lasting trait is part of the score, more remains over longer times."
        )
    return told


def _interval_note(inputs: Inputs) -> str:
    how = (
        f"percentiles of {inputs.draws} simulated sets of inputs"
        if inputs.draws
        else "delta method, with Satterthwaite's degrees of freedom"
    )
    return (
        "Intervals carry the errors of the means before and after, of the norm and of the stability, as far as given, "
        f"taken as independent of each other: {how}."
    )
