"""`assurance`: the power that can be expected where nobody knows the numbers that it is planned with.

Power answers for one difference, one SD, one correlation and one share of dropout. Here each of them may have a prior;
the power is reckoned at every draw, by the formula of `mmrm`, and its mean is the probability that the study will find
what it looks for. Letters: D draws, K contrasts.

**Source**: Spiegelhalter & Freedman 1986, Stat Med 5:1 (the average of power over a prior); O'Hagan, Stevens & Campbell
2005, Pharm Stat 4:187 (its name, and success in the direction of interest).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import StudyError
from ..estimates import Estimates
from ._design import Alternative, CohortDesign
from ._mmrm import assumptions, named, planned, planned_at
from ._performance import Performance, judged

__all__ = ["Beta", "Grid", "Normal", "Prior", "assurance"]

Array = NDArray[np.float64]
QUANTILES = (0.1, 0.5, 0.9)
ONE_SIDED: tuple[Alternative, Alternative] = ("less", "greater")
ENOUGH = 0.8
"""The power that studies are usually planned for."""


class Prior(Protocol):
    """What is believed of a number before the study."""

    def draws(self, rng: np.random.Generator, n: int) -> Array:
        """So many values, (n,)."""
        ...


@dataclass(frozen=True, slots=True)
class Normal:
    """A normal prior: `Normal(-0.5, 0.2)` puts 95% between -0.9 and -0.1."""

    mean: float
    sd: float

    def __post_init__(self) -> None:
        if not self.sd > 0:
            raise _wrong(
                f"The SD of a normal prior is {self.sd:g}.", "It is above 0.", "A number known for sure has none."
            )

    def draws(self, rng: np.random.Generator, n: int) -> Array:
        """(n,)."""
        return self.mean + self.sd * rng.standard_normal(n)

    def __str__(self) -> str:
        return f"normal with mean {self.mean:g} and SD {self.sd:g}"


@dataclass(frozen=True, slots=True)
class Beta:
    """A beta prior of a share or a correlation: `Beta(20, 80)` is what 20 of 100 tell."""

    a: float
    b: float

    def __post_init__(self) -> None:
        if not (self.a > 0 and self.b > 0):
            raise _wrong(f"The beta prior is Beta({self.a:g}, {self.b:g}).", "Both are above 0.", "Write Beta(20, 80).")

    def draws(self, rng: np.random.Generator, n: int) -> Array:
        """(n,)."""
        return rng.beta(self.a, self.b, n)

    def __str__(self) -> str:
        return f"beta with a = {self.a:g} and b = {self.b:g} (mean {self.a / (self.a + self.b):.3g})"


@dataclass(frozen=True, slots=True)
class Grid:
    """Some values with weights, all alike where left out; the draws take them in exact proportion."""

    values: tuple[float, ...]
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(float(value) for value in self.values))
        weights = tuple(float(weight) for weight in self.weights) or (1.0,) * len(self.values)
        object.__setattr__(self, "weights", weights)
        if not self.values or len(weights) != len(self.values) or min(weights) < 0 or not sum(weights) > 0:
            raise _wrong(
                f"A grid has {len(self.values)} values and {len(weights)} weights.",
                "Each value has a weight of 0 or more.",
                "Write Grid((0.4, 0.5, 0.6), weights=(1, 2, 1)).",
            )

    def draws(self, rng: np.random.Generator, n: int) -> Array:
        """(n,), in random order."""
        ends = np.cumsum(self.weights) / np.sum(self.weights)
        found: Array = np.array(self.values)[np.searchsorted(ends, (rng.permutation(n) + 0.5) / n)]
        return found

    def __str__(self) -> str:
        values, weights = (", ".join(f"{x:g}" for x in numbers) for numbers in (self.values, self.weights))
        return f"the values {values} weighted {weights}"


def assurance(
    design: CohortDesign,
    *,
    difference: Prior | None = None,
    sd: Prior | None = None,
    correlation: Prior | None = None,
    lost: Prior | None = None,
    draws: int = 10_000,
    seed: int,
) -> Estimates:
    """The probability that the planned study succeeds, over what is believed of its inputs.

    Parameters
    ----------
    design : CohortDesign
        Its numbers stand where no prior is given.
    difference : Normal, Beta or Grid, optional
        Of the first contrast; the differences of the others change in proportion.
    sd : prior, optional
        Of the SD at the first visit; those of the others change in proportion.
    correlation : prior, optional
        Between the first and the last visit; all others are moved as far as it on Fisher's scale.
    lost : prior, optional
        Of the share of those enrolled who miss a visit; how it is divided among the patterns stays.
    draws, seed : int

    Returns
    -------
    Estimates
        For each contrast the `measure` "power as assumed", "assurance" (the mean power, with the error of the draws),
        quantiles of the power, and the probability that it is at least 80%.

    Raises
    ------
    StudyError
        `E-STUDY-DESIGN`.

    **Source**: O'Hagan, Stevens & Campbell 2005, Pharm Stat 4:187; a success is a rejection in the direction of the
    assumed difference.

    >>> from burnout_stats.power import CohortDesign
    >>> design = CohortDesign((3.0, 2.7), sd=0.9, correlation=0.5, visits={"before": 0, "after": 1}, n=80)
    >>> found = assurance(design, difference=Normal(-0.3, 0.15), draws=2000, seed=1)
    >>> found.frame.set_index("measure")["estimate"].round(2).to_dict()
    {'power as assumed': 0.84, 'assurance': 0.71, 'power, 10% quantile': 0.2, 'power, 50% quantile': 0.83,
     'power, 90% quantile': 1.0, 'probability of a power of 80%': 0.53}
    """
    given = {"difference": difference, "sd": sd, "correlation": correlation, "lost": lost}
    known = {name: prior for name, prior in given.items() if prior is not None}
    if not known or draws < 100 or seed < 0:
        raise _wrong(
            f"{len(known)} inputs have a prior, with {draws} draws and seed {seed}.",
            "Assurance is power over one prior or more, with 100 draws or more.",
            "Write for example assurance(design, difference=Normal(-0.5, 0.2), seed=1).",
        )
    parts = np.random.SeedSequence(seed).spawn(len(given))
    drawn = {
        name: prior.draws(np.random.default_rng(part), draws)
        for (name, prior), part in zip(given.items(), parts, strict=True)
        if prior is not None
    }
    delta = design.differences()
    if "difference" in drawn and abs(delta[0]) < 1e-12:
        raise _wrong(
            "The design assumes no difference, and a prior of it is given.",
            "The prior stands for the difference of the first contrast, and the others change in proportion.",
            "Give the design means that differ.",
        )
    differences = (
        np.outer(drawn["difference"] / delta[0], delta) if "difference" in drawn else np.tile(delta, (draws, 1))
    )
    sigma, sound = _sigmas(design, drawn, draws)
    shares = _shares(design, drawn, draws)
    sound &= ((shares >= 0) & (shares <= 1)).all((-2, -1))
    if sound.mean() < 0.5:
        raise _wrong(
            f"{int((~sound).sum())} of {draws} draws are impossible: correlations that contradict each other, an SD "
            "that is not above 0, or a share beyond 0 and 1.",
            "At least half of the draws are possible.",
            "Use narrower priors; Beta for shares and correlations.",
        )
    power = _powers(design, differences[sound], sigma[sound], shares[sound])
    return _told(design, known, power, draws)


def _sigmas(design: CohortDesign, drawn: dict[str, Array], draws: int) -> tuple[Array, NDArray[np.bool_]]:
    """Σ of every draw (D, V, V), the identity where there is none, and whether there is one."""
    R = np.asarray(design.correlation, dtype=float)
    scale = np.sqrt(np.diag(design.sigma))
    if "correlation" in drawn:
        off = ~np.eye(len(R), dtype=bool)
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = np.arctanh(drawn["correlation"]) - np.arctanh(R[0, -1])
            z = np.arctanh(np.where(off, R, 0.0)) + moved[:, None, None]
        many = np.where(off, np.tanh(z), 1.0)
    else:
        many = np.broadcast_to(R, (draws, *R.shape))
    sd = scale * (drawn["sd"] / scale[0])[:, None] if "sd" in drawn else np.broadcast_to(scale, (draws, len(scale)))
    finite = np.isfinite(many).all((-2, -1))
    values = np.linalg.eigvalsh(np.where(np.reshape(finite, (-1, 1, 1)), many, np.eye(len(R))))
    sound = np.asarray(finite & (values[:, 0] > 1e-8) & (sd > 0).all(-1))
    sigma = np.where(sound[:, None, None], sd[:, :, None] * many * sd[:, None, :], np.eye(len(R)))
    return sigma, sound


def _shares(design: CohortDesign, drawn: dict[str, Array], draws: int) -> Array:
    """The probability of each pattern in each arm, (D, A, P)."""
    shares = design.probabilities
    whole: NDArray[np.bool_] = np.asarray(design.seen.all(1))
    many = np.broadcast_to(shares, (draws, *shares.shape))
    if "lost" not in drawn:
        return np.asarray(many)
    gone: Array = np.asarray(1 - (shares * whole).sum(1))
    if not (gone > 0).all() or not whole.any():
        raise _wrong(
            "A prior of the share lost is given, and in an arm of the design nobody is lost, or everybody.",
            "The prior says how many are lost; the design, who of them at which visits.",
            "Give the design patterns: power.monotone_patterns((1, 0.85, 0.7)).",
        )
    overall = float(design.shares @ gone)
    lost = drawn["lost"][:, None] * gone / overall
    parts = np.where(whole, 0.0, shares) / gone[:, None]
    found: Array = lost[..., None] * parts + np.where(whole, 1.0, 0.0) * (1 - lost)[..., None]
    return found


def _powers(design: CohortDesign, differences: Array, sigma: Array, shares: Array) -> Array:
    """The probability of a rejection in the direction of the design, (D, K); 0 where nothing can be estimated."""
    plan = planned_at(design, np.full(len(sigma), design.n), design.n_by_arm[:, None] * shares, sigma)
    if design.alternative != "two-sided":
        return np.nan_to_num(plan.power(differences))
    level = (1 + design.conf_level) / 2
    less, greater = (
        replace(plan, design=replace(design, alternative=side, conf_level=level)).power(differences)
        for side in ONE_SIDED
    )
    return np.nan_to_num(np.where(design.differences() < design.null, less, greater))


def _told(design: CohortDesign, known: dict[str, Prior], power: Array, draws: int) -> Estimates:
    assumed = planned(design).power()[0]
    rows: list[tuple[dict[str, str], Performance]] = []
    for k, contrast in enumerate(design.contrasts):
        values = power[:, k]
        mean, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
        enough = float((values >= ENOUGH).mean())
        spread = float(np.sqrt(enough * (1 - enough) / len(values)))
        found: Performance = {
            "power as assumed": (float(assumed[k]), np.nan, np.nan, np.nan),
            "assurance": (mean, error, max(mean - 1.96 * error, 0.0), min(mean + 1.96 * error, 1.0)),
        }
        for q in QUANTILES:
            found[f"power, {q:.0%} quantile"] = (float(np.quantile(values, q)), np.nan, np.nan, np.nan)
        found[f"probability of a power of {ENOUGH:.0%}"] = (
            enough,
            spread,
            max(enough - 1.96 * spread, 0.0),
            min(enough + 1.96 * spread, 1.0),
        )
        rows.append(({"contrast": named(design, contrast)}, found))
    words = {
        "difference": "the difference of the first contrast",
        "sd": "the SD at the first visit",
        "correlation": "the correlation of the first and the last visit",
        "lost": "the share who miss a visit",
    }
    beliefs = "; ".join(f"{words[name]}: {prior}" for name, prior in known.items())
    left = draws - len(power)
    notes = [
        f"Assurance is the mean power over {len(power):,} draws of what is believed: {beliefs}.",
        "Success is a rejection in the direction of the assumed difference; errors are those of the draws.",
        *([f"{left:,} impossible draws are left out."] if left else []),
        *assumptions(design),
    ]
    return judged(
        rows,
        outcome=design.outcome,
        n=design.n,
        kind="assurance",
        method="assurance",
        factors=("contrast",),
        notes=tuple(notes),
        df_method=design.df,
    )


def _wrong(seen: str, expected: str, advice: str) -> StudyError:
    return StudyError("E-STUDY-DESIGN", seen, expected, advice)
