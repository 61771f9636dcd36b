"""What a one-arm design would see where nothing is done, because people come when they feel unwell: the power against 0
is then power against the wrong null.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..engine.regression_to_mean import (
    SELECTIONS,
    carried,
    cutoff_distance,
    expected_change,
    inverse_mills,
    share_kept,
)
from ..errors import one_of
from ..estimates import Estimates
from ..instruments.norms import Norm, Stability
from ._answer import answer, refused, row
from ._design import CohortDesign
from ._mmrm import assumptions, method_of, planned, pointers

__all__ = ["expected_fall"]

Array = NDArray[np.float64]
NEEDS_MORE = ("mean", "earlier")
"""Selections on several baselines, which a design with one does not have."""


def expected_fall(
    design: CohortDesign,
    *,
    norm: Norm,
    stability: Stability | Mapping[str, Stability],
    selection: str = "score",
    reliability: float = 1.0,
    cutoff: float | None = None,
    carry: bool = False,
) -> Estimates:
    """The change that regression to the mean alone is expected to bring, and what that does to the planned tests.

    Parameters
    ----------
    design : CohortDesign
        With one arm.
    norm : Norm
        The population that people come out of.
    stability : Stability, or mapping of later visit to Stability
        How much of a distance from the mean remains over the time to the visit where nothing is done.
    selection : "score", "state", "trait" or "crisis"
        What people come because of, as in `sensitivity.regression_to_the_mean`.
    reliability : float
        Of the score at baseline, for "state" and to carry a stability.
    cutoff : float, optional
        Where people are let in because their own score lies beyond it: the distance then follows from it and the norm
        (James 1973), and the standard deviation at baseline that goes with it is told. With "score" only.
    carry : bool
        Whether a stability with a `lag` is carried to the years of each visit, as R (stability/R)^(years/lag).

    Returns
    -------
    Estimates
        Kind "expected_fall": for each contrast the `measure` "assumed difference", "expected without help", "power
        against 0", "rejected without help" (how often the test against 0 rejects where regression to the mean is all
        there is) and "power against what is expected" (the same test against that change).

    Raises
    ------
    StudyError
        `E-STUDY-DESIGN`, `E-STUDY-OPTION`.

    Examples
    --------
    >>> from burnout_stats.instruments import Norm, Stability
    >>> from burnout_stats.power import CohortDesign, expected_fall
    >>> design = CohortDesign((3.0, 2.55), sd=0.9, correlation=0.5, visits={"baseline": 0, "1 year": 1}, n=80)
    >>> found = expected_fall(design, norm=Norm(2.52, 0.92, 1070), stability=Stability(0.62, n=293))
    >>> found.frame.set_index("measure")["estimate"].round(3).to_dict()  # doctest: +NORMALIZE_WHITESPACE
    {'assumed difference': -0.45, 'expected without help': -0.182, 'power against 0': 0.993,
     'rejected without help': 0.433, 'power against what is expected': 0.748}
    """
    one_of("selection", selection, SELECTIONS)
    if len(design.arms) > 1:
        raise refused(
            "The design has two arms.",
            "Regression to the mean falls on both arms alike, so their difference is compared with the right null.",
            "Ask it of a one-arm design.",
        )
    if selection in NEEDS_MORE or (cutoff is not None and selection != "score"):
        raise refused(
            f"The selection is {selection}{'' if cutoff is None else f' with the cut-off {cutoff:g}'}.",
            'A design has one baseline, and a cut-off belongs to selection="score".',
            "Use sensitivity.regression_to_the_mean() for several baselines.",
        )
    kept = [_stability(stability, label, years, reliability, carry) for label, years in list(design.visits.items())[1:]]
    above = design.mu[0, 0] >= norm.mean
    distance = float(design.mu[0, 0] - norm.mean)
    if cutoff is not None:
        distance = float(cutoff_distance(cutoff, norm.mean, norm.sd, above=bool(above))[0])
    shares = share_kept(np.array(kept), selection=selection, reliability=reliability)
    gaps = design.years[1:] - design.years[0]
    fall = np.append(0.0, expected_change(distance, shares, norm.drift * gaps))
    plan = planned(design)
    expected = design.weights[:, 0, :] @ (design.mu[0, 0] + fall)
    (against_zero,) = plan.power()
    (rejected,) = plan.power(expected)
    (against_fall,) = plan.power(plan.difference - expected + design.null)
    measures = {
        "assumed difference": plan.difference,
        "expected without help": expected,
        f"power against {design.null:g}": against_zero,
        "rejected without help": rejected,
        "power against what is expected": against_fall,
    }
    rows = [
        row(
            {"outcome": design.outcome, "contrast": contrast},
            name,
            values[k],
            df=plan.df[0, k] if name.startswith(("power", "rejected")) else np.nan,
            n=design.n,
            method=method_of(design),
        )
        for k, contrast in enumerate(design.contrasts)
        for name, values in measures.items()
    ]
    return answer(
        "expected_fall",
        rows,
        notes=(
            *_notes(design, norm, distance, shares, selection, cutoff, bool(above)),
            *assumptions(design),
            pointers(design)[0],
        ),
        conf_level=design.conf_level,
        units={design.outcome: design.unit} if design.unit else {},
        visit_years=dict(design.visits),
        df_method=design.df,
    )


def _stability(
    given: Stability | Mapping[str, Stability], label: str, years: float, reliability: float, carry: bool
) -> float:
    one = given.get(label) if isinstance(given, Mapping) else given
    if one is None:
        raise refused(
            f"There is no stability for {label}.", "Every later visit has one.", "Give one Stability for all visits."
        )
    if not carry:
        return one.value
    if one.lag is None:
        raise refused(
            f"The stability {one.value:g} is to be carried to {label}, and has no lag.",
            "It is carried from the years that it was measured over.",
            "Write Stability(0.62, n=293, lag=5).",
        )
    return float(carried(one.value, one.lag, years, reliability))


def _notes(
    design: CohortDesign, norm: Norm, distance: float, shares: Array, selection: str, cutoff: float | None, above: bool
) -> tuple[str, ...]:
    kept = ", ".join(f"{share:.3g} at {label}" for share, label in zip(shares, design.labels[1:], strict=True))
    source = f" ({norm.source})" if norm.source else ""
    reason = SELECTIONS[selection].removeprefix("they came because of ")
    told = [
        "Power against 0 is power to tell a change from none.",
        "Where people come because they feel unwell, scores fall without help too.",
        "A study that only rejects 0 has not shown that anything but regression to the mean took place.",
        f"Expected without help, where people come because of {reason}.",
        f"The group lies {distance:.3g} from the mean {norm.mean:g} of {norm.label}{source}, and keeps {kept} of that.",
        "The expected change is taken as known; its own uncertainty lowers the power against it further.",
    ]
    if cutoff is not None:
        z = (cutoff - norm.mean) / norm.sd * (1 if above else -1)
        h = float(inverse_mills(z))
        told.append(
            f"Those beyond the cut-off {cutoff:g} have a mean of {norm.mean + distance:.3g} and a standard deviation "
            f"of {norm.sd * np.sqrt(1 - h * (h - z)):.3g} at baseline; the design assumes {design.mu[0, 0]:g} and "
            f"{design.sds[0]:g}."
        )
    return tuple(told)
