"""A plan in words, for a protocol: one paragraph that says what is asked, what is assumed and from where, how it was
computed, and what came out.
"""

from __future__ import annotations

import numpy as np

from ..estimates.tabulation import in_sentence, percent_of
from ..models.degrees_of_freedom import DF_METHODS
from ._design import CohortDesign
from ._mmrm import assumptions, planned, sized

__all__ = ["text"]


def text(
    design: CohortDesign,
    *,
    power: float | None = None,
    half_width: float | None = None,
    assurance: float | None = None,
) -> str:
    """The paragraph on the number of persons.

    Parameters
    ----------
    design : CohortDesign
    power, half_width, assurance : float, optional
        The goal that n was, or is to be, chosen by (see `sized`); the design's own n is told where none is given.

    Examples
    --------
    >>> from burnout_stats.power import CohortDesign, text
    >>> told = text(CohortDesign((3.0, 2.7), sd=0.9, correlation=0.5, visits={"before": 0, "after": 1}), power=0.9)
    >>> told[:78]
    'The study is planned with 97 persons, the smallest number with a power of at l'
    """
    goal = power is not None or half_width is not None or assurance is not None
    chosen = sized(design, power=power, half_width=half_width, assurance=assurance) if goal else design
    if power is not None:
        why = f", the smallest number with a power of at least {power:g}"
    elif half_width is not None:
        kept = "" if assurance is None else f" with a probability of at least {assurance:g}"
        why = f", the smallest number that keeps the half-width of the interval to {half_width:g}{kept}"
    else:
        why = ""
    plan = planned(chosen)
    (found,), (width,) = plan.power(), plan.half_width()
    came = chosen.expected_n()
    seen = "; ".join(
        (f"{arm}: " if len(chosen.arms) > 1 else "")
        + ", ".join(f"{n:.0f} at {label}" for n, label in zip(row, chosen.labels, strict=True))
        for arm, row in zip(chosen.arms, came, strict=True)
    )
    unit = f" {chosen.unit}" if chosen.unit else ""
    results = [
        f"a difference of {_number(delta)}{unit} in {in_sentence(chosen.outcome)} ({_asked(chosen, contrast)}) is told "
        f"from {_number(chosen.null)} with a power of {_chance(p)}, and its {percent_of(chosen.conf_level)} interval "
        f"has an expected half-width of {w:.2g}{unit}"
        for contrast, delta, p, w in zip(chosen.contrasts, plan.difference, found, width, strict=True)
    ]
    opening = (
        f"The study is planned with {chosen.n} persons{why}. Expected are {seen}. Under the assumptions below, "
        f"{'; '.join(results)}."
    )
    structure = "unstructured" if chosen.covariance == "us" else chosen.covariance
    method = (
        f"Scores will be analyzed by a mixed model for repeated measures ({structure} covariance, REML, degrees of "
        f"freedom by {DF_METHODS[chosen.df].name}) of all who are seen at least once. Power is that of a noncentral t "
        "distribution with the expected information of each pattern of visits, after Lu, Luo & Chen (2008); it is an "
        "approximation in small studies."
    )
    return " ".join([opening, method, *assumptions(chosen)])


def _asked(design: CohortDesign, contrast: str) -> str:
    if len(design.arms) == 1:
        return contrast
    return f"{design.arms[1]} less {design.arms[0]}, {contrast}"


def _number(value: float) -> str:
    """A difference with a proper minus sign.

    >>> _number(-0.45), _number(0.0)
    ('−0.45', '0')
    """
    return f"{round(float(value), 10):.3g}".replace("-", "−")


def _chance(value: float) -> str:
    """A power as it is printed: never 1.

    >>> _chance(0.9021), _chance(0.99999)
    ('0.90', 'above 0.99')
    """
    return "above 0.99" if value > 0.99 else f"{np.floor(value * 100 + 1e-9) / 100:.2f}"
