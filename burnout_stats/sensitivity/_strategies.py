"""Assumptions about what was not seen, as strategies: each gives the mean and the covariance that the missing values of
a pattern are drawn from, given what was seen.

With μ and Σ of a subject under "missing at random" (μ from the subject's own covariates, one Σ for all), v a visit that
is missing, and a the last visit before it that was seen (the first visit where there is none), strategies change either
μ_v alone, so that a distance from the mean persists as it does in those who were seen, or the regression of y_v on what
was seen. `docs/strategies.md` has them side by side. The first visit is before anything was done, so where it is
missing it is always drawn as missing at random.

**Source**: Carpenter, Roger & Kenward 2013, J Biopharm Stat 23:1352, for those with a reference, in the form of R's
rbmi; Qu & Dai 2022, Pharm Stat 21:641, for return to baseline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ..engine.incomplete_normal import regression
from ..errors import StudyError
from ..instruments.norms import Norm

__all__ = [
    "STRATEGIES",
    "WORDS",
    "Fade",
    "JumpToNorm",
    "Pattern",
    "Strategy",
    "copy_increment",
    "copy_increments_in_reference",
    "copy_reference",
    "fade",
    "jump_to_norm",
    "jump_to_reference",
    "last_mean_carried_forward",
    "mar",
    "no_further_change",
    "return_to_baseline",
]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pattern:
    """The subjects who were seen at the same places, under M draws of the parameters.

    Attributes
    ----------
    seen : (D,) bool array
        Which columns were seen, or were gaps that have been filled in.
    places : (V,) index array
        Where the visits of the outcome stand among the columns.
    years : (V,) array
    y : (..., n, D) array
        What was seen; NaN where it was not.
    mean : (M, n, D) array, covariance : (M, D, D) array
        Under "missing at random"; of several imputed outcomes, as the strategy has left them for the earlier ones.
    reference : (M, n, D) array or None
        The mean that each would have in the reference arm, where there is one.
    own : bool
        Whether the outcome is that of the model, and not a further one that is imputed with it.
    """

    seen: NDArray[np.bool_]
    places: NDArray[np.intp]
    years: Array
    y: Array
    mean: Array
    covariance: Array
    reference: Array | None = None
    own: bool = True

    @property
    def last(self) -> int:
        """The last visit (a position) at which the outcome was seen; -1 where it never was."""
        found = np.flatnonzero(self.seen[self.places])
        return int(found[-1]) if len(found) else -1

    @property
    def missing(self) -> Index:
        """The visits (positions) after the first at which the outcome was not seen."""
        gone = ~self.seen[self.places]
        gone[0] = False
        return np.flatnonzero(gone)

    @property
    def anchors(self) -> Index:
        """For each of these, the last visit before it at which the outcome was seen; 0 where there is none."""
        return np.array([self.before(visit) for visit in self.missing.tolist()], dtype=np.intp)

    def before(self, visit: int) -> int:
        """The last visit before this one at which the outcome was seen; 0 where there is none."""
        found = np.flatnonzero(self.seen[self.places[:visit]])
        return int(found[-1]) if len(found) else 0


Strategy = Callable[[Pattern], tuple[Array, Array]]
"""Gives mean (M, n, D) and covariance (M, D, D), from which the missing columns are drawn given the seen ones."""


def mar(pattern: Pattern) -> tuple[Array, Array]:
    """Missing at random: those who were not seen are like those who were, given all that was seen of them.

    Mean μ, covariance Σ.
    """
    return pattern.mean, pattern.covariance


# ---- with arms: one Σ stands for all arms, so that only means are borrowed ------------------------------------------


def jump_to_reference(pattern: Pattern) -> tuple[Array, Array]:
    """From the first missing visit on as in the reference arm, whatever was reached before.

    Mean μ, with the reference's mean at the missing visits; covariance Σ.
    """
    return _moved(pattern, _reference(pattern)[..., pattern.places[pattern.missing]])


def copy_reference(pattern: Pattern) -> tuple[Array, Array]:
    """As if in the reference arm all along: what was seen is also judged by the reference's mean, so a head start fades
    only as far as it does within an arm.

    Mean that of the reference in all columns (also auxiliaries and further outcomes); covariance Σ.
    """
    return _reference(pattern), pattern.covariance


def copy_increments_in_reference(pattern: Pattern) -> tuple[Array, Array]:
    """What was reached is kept, and from there on the reference's change is copied.

    Mean μ, with μ_a + (reference_v − reference_a) at the missing visits; covariance Σ.
    """
    other, places = _reference(pattern), pattern.places
    at, visits = places[pattern.anchors], places[pattern.missing]
    return _moved(pattern, pattern.mean[..., at] + other[..., visits] - other[..., at])


def last_mean_carried_forward(pattern: Pattern) -> tuple[Array, Array]:
    """The mean stays where it was at the last visit; a person's distance from it persists as it does in those seen.

    Mean μ, with μ_a at the missing visits; covariance Σ. Needs no reference arm. For those who were seen at baseline
    only it is `return_to_baseline`.
    """
    return _moved(pattern, pattern.mean[..., pattern.places[pattern.anchors]])


# ---- for one arm ---------------------------------------------------------------------------------------------------


def return_to_baseline(pattern: Pattern) -> tuple[Array, Array]:
    """Back to where they began: the mean of the missing visits is that of the baseline.

    Mean μ, with μ_0 at the missing visits; covariance Σ. The criteria are those of Qu & Dai 2022: the mean goes back to
    the baseline's, and the variance is not inflated, as it is where noise is added to each person's own baseline score.
    So a person is expected at μ_0 + Σ_v0 Σ_00⁻¹ (y_0 − μ_0), not at y_0 itself. That the variance is the one at the
    missing visit is our choice.
    """
    return _moved(pattern, pattern.mean[..., pattern.places[:1]])


def no_further_change(pattern: Pattern) -> tuple[Array, Array]:
    """Nobody changes after the last visit, but for noise: the expected value is the last *value* seen, not its mean.

    y_v = y_a + e with e independent of everything else, of the covariance that Σ leaves to the missing visits given
    what was seen. So mean μ with μ_a at the missing visits, and covariance Cov(y_v, y_c) = Σ_ac with all others and
    Σ_aa + Σ_vv·seen among the missing. Distances from the mean persist in full, so the variance is larger than that of
    those who were seen.
    """
    weights = np.zeros((len(pattern.missing), pattern.mean.shape[-1]))
    weights[np.arange(len(weights)), pattern.places[pattern.anchors]] = 1.0
    return _followed(pattern, weights)


def copy_increment(pattern: Pattern) -> tuple[Array, Array]:
    """The last change that was seen repeats itself from visit to visit, however far apart they are.

    y_v = y_a + k (y_a − y_b) + e, with b the visit seen before a, k the number of visits from a to v, and e as in
    `no_further_change`. Those who were seen once only (at baseline: most of the lost) have no change that could be
    copied, and are taken to stay where they were, as in `no_further_change`. A gap that has been filled in counts as
    seen. The increment of a person carries all the noise of two scores, which regression to the mean would undo.
    """
    weights = np.zeros((len(pattern.missing), pattern.mean.shape[-1]))
    for row, (visit, at) in enumerate(zip(pattern.missing.tolist(), pattern.anchors.tolist(), strict=True)):
        steps = float(visit - at)
        weights[row, pattern.places[at]] = 1.0 + steps
        weights[row, pattern.places[pattern.before(at)]] -= steps
    return _followed(pattern, weights)


@dataclass(frozen=True, slots=True)
class Fade:
    """What `fade` returns."""

    rate: float

    @property
    def name(self) -> str:
        """What tables call it."""
        return f"fade {100 * self.rate:g}% per year"

    @property
    def note(self) -> str:
        """What it assumes."""
        return (
            f"of the mean change that was reached at the last visit seen, {100 * self.rate:g}% of what is left is lost "
            "each year; those seen at baseline only return to baseline"
        )

    def __call__(self, pattern: Pattern) -> tuple[Array, Array]:
        """Mean μ, with μ_0 + (1 − rate)^(t_v − t_a) (μ_a − μ_0) at the missing visits; covariance Σ."""
        first, reached = (pattern.mean[..., pattern.places[at]] for at in ([0], pattern.anchors))
        kept = (1 - self.rate) ** (pattern.years[pattern.missing] - pattern.years[pattern.anchors])
        return _moved(pattern, first + kept * (reached - first))


def fade(rate: float) -> Fade:
    """What was reached at the last visit fades toward baseline, by a share of the rest each year.

    A rate of 0 is `last_mean_carried_forward`, one of 1 is `return_to_baseline`. For those who were seen at baseline
    only there is nothing to fade, and they return to baseline too.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for a rate outside 0 to 1.

    >>> fade(0.2).name
    'fade 20% per year'
    """
    if not 0 <= rate <= 1:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`rate` is {rate}.",
            "It is the share of what was reached that is lost in a year, from 0 to 1.",
            "Write for example fade(0.2).",
        )
    return Fade(float(rate))


@dataclass(frozen=True, slots=True)
class JumpToNorm:
    """What `jump_to_norm` returns."""

    norm: Norm

    @property
    def name(self) -> str:
        """What tables call it."""
        return f"jump to {self.norm.label}"

    @property
    def note(self) -> str:
        """What it assumes."""
        norm = self.norm
        drift = f", changing by {norm.drift:+g} a year" if norm.drift else ""
        return (
            f"the missing visits have the mean {norm.mean:g}{drift} and the SD {norm.sd:g} of {norm.label}, and the "
            "correlations of those who were seen; the mean of the norm is taken as known"
        )

    def __call__(self, pattern: Pattern) -> tuple[Array, Array]:
        """Mean μ, with the norm's mean m + drift · t_v at the missing visits; covariance SΣS with S = diag(s / √Σ_vv)
        at the missing visits and 1 elsewhere, so that they have the norm's SD s.
        """
        if not pattern.own:
            return pattern.mean, pattern.covariance
        visits = pattern.places[pattern.missing]
        mean, covariance = _moved(pattern, self.norm.mean + self.norm.drift * pattern.years[pattern.missing])
        scale = np.ones(covariance.shape[:-1])
        scale[..., visits] = self.norm.sd / np.sqrt(covariance[..., visits, visits])
        return mean, scale[..., :, None] * covariance * scale[..., None, :]


def jump_to_norm(norm: Norm) -> JumpToNorm:
    """Those who were lost are like the norm population at the visits that are missing.

    It speaks of the model's own outcome; further outcomes that are imputed with it stay missing at random. The error of
    the norm's mean is not carried along.

    >>> jump_to_norm(Norm(mean=2.52, sd=0.92, n=1070, label="Norwegian doctors 1993")).name
    'jump to Norwegian doctors 1993'
    """
    return JumpToNorm(norm)


STRATEGIES: MappingProxyType[str, Strategy] = MappingProxyType(
    {
        "mar": mar,
        "jump_to_reference": jump_to_reference,
        "copy_reference": copy_reference,
        "copy_increments_in_reference": copy_increments_in_reference,
        "last_mean_carried_forward": last_mean_carried_forward,
        "return_to_baseline": return_to_baseline,
        "no_further_change": no_further_change,
        "copy_increment": copy_increment,
    }
)
"""By name."""

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "jump_to_reference": "the missing visits have the mean of the reference arm",
        "copy_reference": "those who were lost are as if they had been in the reference arm all along",
        "copy_increments_in_reference": "from the last visit seen, the change of the reference arm is copied",
        "last_mean_carried_forward": "the mean stays where it was at the last visit seen",
        "return_to_baseline": "the missing visits have the mean of the baseline",
        "no_further_change": "each person stays where he or she was at the last visit seen, but for noise",
        "copy_increment": (
            "each person's last change repeats itself from visit to visit; those seen once only stay where they were"
        ),
    }
)
"""What each assumes, as a part of a sentence."""


def _moved(pattern: Pattern, values: Array) -> tuple[Array, Array]:
    """The mean with other values at the missing visits."""
    mean = pattern.mean.copy()
    mean[..., pattern.places[pattern.missing]] = values
    return mean, pattern.covariance


def _followed(pattern: Pattern, weights: Array) -> tuple[Array, Array]:
    """Missing visits that follow other columns: y_v = w_v'y + e, with weights (missing visits, D), and e of the
    covariance that Σ leaves to the missing visits given all that was seen.
    """
    visits = pattern.places[pattern.missing]
    _, left = regression(pattern.covariance, pattern.seen)
    among = np.searchsorted(np.flatnonzero(~pattern.seen), visits)
    rows = np.eye(pattern.mean.shape[-1])
    rows[visits] = weights
    covariance = rows @ pattern.covariance @ rows.T
    covariance[..., visits[:, None], visits] += left[..., among[:, None], among]
    return pattern.mean @ rows.T, covariance


def _reference(pattern: Pattern) -> Array:
    if pattern.reference is None:
        raise StudyError(
            "E-STUDY-OPTION",
            "The strategy borrows from a reference arm, and none was named.",
            "It needs a covariate of the model and one of its levels.",
            'Write impute(draws, "jump_to_reference", reference=("intervention", "day")), or use a strategy for one '
            'arm: "return_to_baseline".',
        )
    return pattern.reference
