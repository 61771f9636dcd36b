"""The criterion of reliable change: the reliability it rests on, the band of changes that are error, the cut-off."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..engine.reliable_change import CUTOFFS, METHODS, Band, Occasions
from ..engine.reliable_change import cutoff as cutoff_between
from ..errors import ModelError, StudyError, one_of
from ..instruments.norms import Norm

__all__ = ["CRITERION", "Reliability", "Rule", "rule_of"]

CRITERION = "criterion"
KINDS = ("alpha", "omega", "test-retest", "icc")


@dataclass(frozen=True, slots=True)
class Reliability:
    """How reliable a score is, of what kind that number is, and where it comes from.

    Attributes
    ----------
    value : float
        Between 0 and 1.
    kind : "alpha", "omega", "test-retest" or "icc"
    source : str
        Where the number stands; it must be given.
    n : int or None
        The size of the sample that it comes from.
    from_cohort : bool
        Whether it was found in the cohort itself; a test-retest correlation of the cohort is refused.

    Raises
    ------
    StudyError
        `E-STUDY-RELIABILITY` for a value that cannot be, an unknown kind or no source; `E-STUDY-RETEST` for a retest
        across the intervention.

    Examples
    --------
    >>> Reliability(0.90, kind="alpha", source="Falkum 2000").value
    0.9
    """

    value: float
    kind: str = "alpha"
    source: str = ""
    n: int | None = None
    from_cohort: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.value < 1 or self.kind not in KINDS or not self.source.strip():
            raise StudyError(
                "E-STUDY-RELIABILITY",
                f"The reliability is {self.value} ({self.kind}), its source {self.source!r}.",
                f"It lies between 0 and 1, its kind is one of {', '.join(KINDS)}, and its source is named.",
                'Write for example Reliability(0.90, kind="alpha", source="Falkum 2000").',
            )
        if self.kind == "test-retest" and self.from_cohort:
            raise StudyError(
                "E-STUDY-RETEST",
                f"The test-retest reliability {self.value} comes from the cohort itself.",
                "Between its visits something was done, and people changed: their correlation is no reliability.",
                'Use an internal consistency (kind="alpha"), or a retest from a sample where nothing was done.',
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How persons are judged: band, cut-off (NaN where there is none), direction, and the words for it."""

    band: Band
    cut: float
    sem: float
    lower_is_better: bool
    notes: tuple[str, ...]

    def rows(self, n: int) -> list[dict[str, object]]:
        """The numbers of the rule, as rows of Summaries."""
        numbers = {
            "standard error of measurement": self.sem,
            "band: slope": self.band.slope,
            "band: lower intercept": self.band.low,
            "band: upper intercept": self.band.high,
            "cut-off": self.cut,
        }
        return [
            {"variable": CRITERION, "level": name, "statistic": "value", "value": value, "n": n}
            for name, value in numbers.items()
            if not math.isnan(value)
        ]


def rule_of(
    group: tuple[float, float, float, float, float],
    reliability: Reliability | None,
    method: str,
    norm: Norm | None,
    cutoff: str | float | None,
    sd: float | None,
    better: str,
    conf_level: float,
) -> Rule:
    """The rule that persons of a group (M₁, s₁, M₂, s₂, r) are judged by.

    Raises
    ------
    StudyError, ModelError
        As `reliable_change` says.
    """
    index = METHODS[one_of("method", method, {name: one.name for name, one in METHODS.items()})]
    if reliability is None:
        raise StudyError(
            "E-STUDY-RELIABILITY",
            "No reliability is given.",
            "Reliable change is defined by the reliability of the score, with its kind and its source.",
            'Write for example reliability=Reliability(0.90, kind="alpha", source="Falkum 2000").',
        )
    if not 0 < conf_level < 1 or (sd is not None and not sd > 0):
        raise StudyError(
            "E-STUDY-VALUE",
            f"`conf_level` is {conf_level} and `sd` is {sd}.",
            "A level lies between 0 and 1, and an SD is above 0.",
            "Leave them out, or write for example conf_level=0.95.",
        )
    mean_1, sd_1, mean_2, sd_2, r = group
    if index.needs_after and math.isnan(mean_2 + sd_2 + r):
        raise StudyError(
            "E-STUDY-VALUE",
            f"The method of {index.name} has no mean, SD and correlation of the later visit.",
            "Its index corrects for what the whole group changed.",
            "Give `after` and `r`, or choose another method.",
        )
    spread = sd_1 if sd is None else sd
    sem = spread * math.sqrt(1 - reliability.value)
    occasions = Occasions(
        mean_1=mean_1, sd_1=sd_1, mean_2=mean_2, sd_2=sd_2, r=r, reliability=reliability.value, sem=sem
    )
    band = index.band(occasions, index.critical(conf_level))
    if math.isnan(band.low):
        raise ModelError(
            "E-MODEL-NO-TRUE-CHANGE",
            f"With a reliability of {reliability.value} the differences vary no more than error makes them.",
            f"The index of {index.name} needs differences with some reliability.",
            'Check the reliability, or use method="jacobson-truax".',
        )
    cut, words = _cut(cutoff, norm, (mean_1, sd_1), better)
    of = f" (n = {reliability.n})" if reliability.n else ""
    level = f"{100 * conf_level:g}%"
    sides = "one-sided" if index.needs_after else "two-sided"
    which = "the SD at the earlier visit" if sd is None else f"the SD {sd:g} that was given"
    source = f"{reliability.value:g} ({reliability.kind}), {reliability.source}{of}"
    notes = (
        f"Method: {index.name}, {level} {sides}; reliability {source}.",
        f"Standard error of measurement from {which}.",
        words,
    )
    return Rule(band=band, cut=cut, sem=sem, lower_is_better=better == "lower", notes=tuple(filter(None, notes)))


def _cut(cutoff: str | float | None, norm: Norm | None, group: tuple[float, float], better: str) -> tuple[float, str]:
    """The cut-off and the sentence about it."""
    kind = "c" if cutoff is None and norm is not None else cutoff
    if kind is None:
        return (
            np.nan,
            "No cut-off of functional scores was given, so nobody is called recovered.",
        )
    if not isinstance(kind, str):
        if not math.isfinite(kind):
            raise StudyError(
                "E-STUDY-VALUE", f"The cut-off is {kind}.", "It is a finite number.", "Write for example cutoff=2.76."
            )
        return float(kind), f"Cut-off {kind:g}, as given. {_RECOVERED}"
    one_of("cutoff", kind, CUTOFFS)
    if kind != "a" and (norm is None or (norm.mean < group[0]) != (better == "lower")):
        raise StudyError(
            "E-STUDY-VALUE",
            "There is no norm for the cut-off." if norm is None else "The norm is not better than the cohort was.",
            f"Cut-off {kind} stands {CUTOFFS[kind]}, a functional population on the better side of the cohort.",
            'Give such a norm, cutoff="a", or a number.',
        )
    functional = (norm.mean, norm.sd) if norm is not None else (np.nan, np.nan)
    source = ""
    if norm is not None and kind != "a":
        named = ", ".join(filter(None, (norm.label, norm.source)))
        source = f" Functional population: {named} (mean {norm.mean:g}, SD {norm.sd:g})."
    found = cutoff_between(kind, group, functional, lower_is_better=better == "lower")
    return found, f"Cut-off {kind}: {CUTOFFS[kind]}.{source} {_RECOVERED}"


_RECOVERED = "Recovered: reliably improved, and from the dysfunctional to the functional side of the cut-off."
