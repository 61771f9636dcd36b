"""The first verb of a sensitivity analysis: parameters of the joint distribution of everything that may be missing,
drawn so that their own uncertainty is carried along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..cohort import Cohort
from ..display import Shown, Table, Watched, teller
from ..display.escape import for_terminal
from ..display.showing import facts
from ..engine.batch import leave_one_out, resamples
from ..engine.incomplete_normal import Wide, posterior
from ..engine.restricted_em import restricted_em
from ..errors import ModelError, StudyError, one_of
from ..models import MMRM
from ..notices import Notice, announce
from ._incomplete import Incomplete, incomplete

__all__ = ["METHODS", "Draws", "Progress", "draws"]

Array = NDArray[np.float64]
Progress = Callable[[int, int, str], None]
Method = Literal["bayes", "bootstrap", "conditional-mean"]
METHODS = MappingProxyType(
    {
        "bayes": "draws from the posterior (data augmentation)",
        "bootstrap": "estimates from resampled subjects (approximate Bayesian)",
        "conditional-mean": "the estimate, and the estimates without each subject (jackknife)",
    }
)
R_HAT = 1.05
"""R̂ above which the chains are said not to have mixed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Draws(Shown):
    """Parameters (B, Σ) of the normal regression of all columns on W, M times.

    Attributes
    ----------
    spec : MMRM
        The model whose outcome is imputed.
    data : Incomplete
    method : a key of `METHODS`
    B : (M, p, D) array, Sigma : (M, D, D) array
        For "conditional-mean" the first is the estimate from all subjects, the k-th the one without subject k.
    seed : SeedSequence
        For what is random in the verbs to come.
    notices : tuple of Notice
    """

    spec: MMRM
    data: Incomplete
    method: str
    B: Array
    Sigma: Array
    seed: np.random.SeedSequence
    notices: tuple[Notice, ...]

    def __len__(self) -> int:
        return len(self.B)

    def _tables(self) -> tuple[Table, ...]:
        pairs = [("Model", str(self.spec.formula)), ("Draws", str(len(self))), ("Method", METHODS[self.method])]
        return (facts("Draws of parameters", pairs, notes=tuple(map(str, self.notices))),)

    def __repr__(self) -> str:
        return for_terminal(f"<Draws: {len(self)} of {self.spec.formula}, {METHODS[self.method]}>")


def draws(
    spec: MMRM,
    cohort: Cohort,
    *,
    outcomes: Iterable[str] = (),
    auxiliaries: Iterable[str] = (),
    method: Method = "bayes",
    n: int = 100,
    seed: int | np.random.SeedSequence,
    chains: int = 20,
    burn_in: int = 200,
    thin: int = 10,
    progress: Watched = None,
) -> Draws:
    """Draw the parameters of the joint distribution of the outcome at all visits and whatever else tells about it.

    The distribution is normal, unstructured over all columns, and its mean is a regression on the model's covariates
    with coefficients of its own for each column (every covariate crossed with visit), so it contains each MMRM of the
    same covariates.

    Parameters
    ----------
    spec : MMRM
        The model that the imputed data are for.
    cohort : Cohort
    outcomes : names, optional
        Further outcomes to be imputed together with the model's, at every visit.
    auxiliaries : names, optional
        Variables that make "missing at random" believable, and are in no model: `"coping"` at every visit where it is
        known, `"job_stress[baseline]"` at one.
    method : "bayes", "bootstrap" or "conditional-mean"
        Draws from the posterior under the prior `|Σ|^(−(D+1)/2)` (proper imputation); restricted maximum likelihood in
        resamples of the subjects (an approximation to it); or the estimate with a jackknife, where nothing is random.
    n : int
        Draws; of no meaning to "conditional-mean", which has one for each subject and one for all.
    seed : int or SeedSequence
    chains, burn_in, thin : int
        Of the data augmentation: chains that share the draws among them, sweeps before the first draw, and sweeps from
        one draw to the next.
    progress : callable or bool, optional
        Called as `progress(done, total, what)`; a bar where left out and somebody watches, none with False.

    Returns
    -------
    Draws
        With the notice `N-MODEL-NOT-MIXED` where the chains disagree (R̂ above 1.05).

    Raises
    ------
    StudyError
        `E-STUDY-OPTION`, `E-STUDY-COLUMN`, `E-STUDY-IMPUTE`, or `E-STUDY-VALUE` for fewer than 2 draws.
    ModelError
        `E-MODEL-EMPTY`, or `E-MODEL-IMPUTE` where the joint distribution cannot be estimated.

    **Source**: Schafer 1997, Analysis of Incomplete Multivariate Data, chapter 5; Honaker & King 2010, Am J Polit Sci
    54:561, for the bootstrap; Wolbers et al. 2022, Pharm Stat 21:1246, for conditional means with the jackknife.

    >>> from burnout_stats.studies import example
    >>> draws(MMRM("exhaustion ~ visit * sex"), example("villa_sana"), auxiliaries=["coping"], n=4, seed=1)
    <Draws: 4 of exhaustion ~ visit * sex, draws from the posterior (data augmentation)>
    """
    heard = teller(progress)
    one_of("method", method, METHODS)
    if n < 2 or chains < 1 or burn_in < 0 or thin < 1:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`n` is {n}, with {chains} chains, burn_in={burn_in}, thin={thin}.",
            "There are at least 2 draws and 1 chain, and one sweep from draw to draw.",
            "Use n=100 or more.",
        )
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    own, later = root.spawn(2)
    data = incomplete(spec, cohort, outcomes=outcomes, auxiliaries=auxiliaries)
    notices = data.notices
    try:
        if method == "bayes":

            def told(done: int, total: int) -> None:
                if heard is not None:
                    heard(done, total, "drawing parameters")

            found = posterior(data.wide, n, own, n_chains=chains, burn_in=burn_in, thin=thin, progress=told)
            B, Sigma = found.B, found.Sigma
            notices = (*notices, *_mixed(found.r_hat))
        else:
            B, Sigma, lost = _refitted(data.wide, n, own, method, heard)
            notices = (*notices, *_lost(lost, len(B) + lost))
    except np.linalg.LinAlgError as error:
        raise ModelError(
            "E-MODEL-IMPUTE",
            f"The joint distribution of {len(data.columns)} columns cannot be estimated from {data.n_subjects} "
            f"subjects. {error}".strip(),
            "It has a covariance between any two columns, so pairs must be seen together, no column may follow from "
            "others, and there must be more subjects than columns.",
            "Use fewer auxiliaries or further outcomes.",
        ) from None
    announce(notices)
    return Draws(spec=spec, data=data, method=method, B=B, Sigma=Sigma, seed=later, notices=notices)


def _refitted(
    wide: Wide, n: int, seed: np.random.SeedSequence, method: str, progress: Progress | None
) -> tuple[Array, Array, int]:
    """(B, Σ) by restricted maximum likelihood: in resamples, or of all subjects and without each of them; and the
    number of resamples that could not be fitted.
    """
    n_subjects = len(wide.Y)
    everyone = restricted_em(wide, np.ones((1, n_subjects)))
    if not everyone.converged[0]:
        raise np.linalg.LinAlgError("The restricted likelihood has no maximum that could be found.")
    subjects = np.arange(n_subjects)
    weights = resamples([subjects], n, seed) if method == "bootstrap" else leave_one_out(n_subjects)
    total = n if method == "bootstrap" else n_subjects
    found = [] if method == "bootstrap" else [(everyone.B, everyone.Sigma)]
    done = lost = 0
    for part in weights:
        fits = restricted_em(wide, part, start=everyone.Sigma[0])
        if method != "bootstrap" and not fits.converged.all():
            raise np.linalg.LinAlgError("Without one of the subjects there is no maximum.")
        found.append((fits.B[fits.converged], fits.Sigma[fits.converged]))
        lost += int((~fits.converged).sum())
        done += len(part)
        if progress is not None:
            progress(done, total, "refitting")
    if lost > total / 2:
        raise np.linalg.LinAlgError("Fewer than half of the resamples can be fitted.")
    return np.concatenate([B for B, _ in found]), np.concatenate([S for _, S in found]), lost


def _mixed(r_hat: Array) -> tuple[Notice, ...]:
    worst = float(np.nanmax(r_hat)) if not np.isnan(r_hat).all() else 1.0
    if worst <= R_HAT:
        return ()
    return (
        Notice(
            "N-MODEL-NOT-MIXED",
            f"The chains of the data augmentation disagree: the largest R-hat is {worst:.2f}.",
            "Give a longer burn_in, or leave out an auxiliary that is seldom seen.",
        ),
    )


def _lost(lost: int, total: int) -> tuple[Notice, ...]:
    if not lost:
        return ()
    return (
        Notice(
            "N-MODEL-REPLICATES",
            f"{lost} of {total} resamples had no verified optimum and were left out.",
            'With many of them, the rest no longer stands for all; use method="bayes".',
        ),
    )
