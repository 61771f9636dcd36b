"""How much each subject matters: leverage, Cook's distance, and every estimate as it would be without that subject."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..display import Shown, Table
from ..display.escape import for_terminal
from ..display.showing import facts
from ..engine import influence as deletion
from ..models import Fit
from ..models.measured import refuse_counted
from ..models.residuals import nominal
from ..notices import Notice, announce

__all__ = ["Influence", "influence"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Influence(Shown):
    """What leaving out one subject does, for each subject: numbers about single persons.

    For the eyes of those who may see the data. Nothing here passes the gate for small cells, and none of it belongs in
    a report: a subject's change in an estimate tells how that person scored.

    Attributes
    ----------
    frame : DataFrame
        `subject` (its ordinal in the cohort), `n_visits`, `leverage` (the subject's share of the p fixed effects),
        `cooks_distance`, `cov_ratio`, then `dfbeta <term>`: the estimate from all less the one without this subject.
    covariance : (subjects, groups, visits, visits) array
        Σ̂ without each subject; Σ̂ of all where it was held.
    refitted : bool
        Whether Σ was estimated anew without each subject.
    notices : tuple of Notice
    """

    frame: pd.DataFrame
    covariance: Array
    refitted: bool
    notices: tuple[Notice, ...] = ()

    def __len__(self) -> int:
        return len(self.frame)

    def _tables(self) -> tuple[Table, ...]:
        kind = "estimated anew without each subject" if self.refitted else "held at that of all"
        return (
            facts(
                "Influence of single subjects",
                [("Covariance", kind), ("Columns", ", ".join(map(str, self.frame.columns)))],
                notes=("Its numbers are about single persons; those who may see them find them in .frame.",),
            ),
        )

    def __repr__(self) -> str:
        kind = "covariance estimated anew" if self.refitted else "covariance held"
        return for_terminal(f"<Influence of {len(self)} subjects, {kind}; about single persons: .frame>")


def influence(fit: Fit, *, refit: bool = True) -> Influence:
    """The influence of every subject on the fit.

    The result is about single persons (see `Influence`).

    Parameters
    ----------
    refit : bool
        Whether the covariance is estimated anew without each subject (exact), or held at that of all (faster, and the
        usual approximation).

    Returns
    -------
    Influence
        Cook's distance is (β̂ − β̂_(i))' Φ⁻¹ (β̂ − β̂_(i)) / p and the covariance ratio det Φ_(i) / det Φ, with Φ the
        model's covariance of β̂ (also with probability weights). A weighted subject is left out whole. Subjects without
        whom the model has no answer are NaN, with a notice.

    Raises
    ------
    ModelError
        `E-MODEL-NEEDS-ROWS` where the fit was made from moments only, `E-MODEL-NOT-NOMINAL` where random effects give
        every subject a covariance of its own, `E-MODEL-CLUSTERED` where subjects are not independent.

    **Source**: Cook 1977, Technometrics 19:15; Christensen, Pearson & Johnson 1992, Technometrics 34:38; Belsley, Kuh &
    Welsch 1980, Regression Diagnostics, chapter 2.

    >>> from burnout_stats.models import MMRM, fit
    >>> from burnout_stats.studies import example
    >>> influence(fit(MMRM("exhaustion ~ visit"), example("villa_sana")))
    <Influence of 227 subjects, covariance estimated anew; about single persons: .frame>
    """
    refuse_counted(fit, "Influence is")
    rows = fit.needed_rows()
    state = nominal(fit)
    moments, optimum = state.moments, state.optimum
    columns = np.append(fit.kept, rows.z.shape[1] - 1)
    subjects = deletion.subjects_of(
        moments,
        rows.z[:, columns],
        rows.subject,
        np.searchsorted(fit.seen, rows.visit),
        group=rows.group,
        weights=rows.weight,
    )
    at = optimum.at
    left, leverage = deletion.held(moments, subjects, at.A, at.sigma)
    if refit:
        reml = fit.spec.method == "reml"
        left = deletion.refitted(moments, subjects, state.covariance, optimum.theta, reml=reml)
    change = at.beta - left.beta
    cook = np.einsum("na,ab,nb->n", change, np.linalg.inv(at.Phi), change) / len(at.beta)
    sound = ~np.isnan(cook)
    ratio = np.full(len(cook), np.nan)
    ratio[sound] = np.exp(np.linalg.slogdet(left.Phi[sound])[1] - np.linalg.slogdet(at.Phi)[1])
    frame = pd.DataFrame(
        {
            "subject": rows.ordinal,
            "n_visits": np.bincount(rows.subject),
            "leverage": leverage,
            "cooks_distance": cook,
            "cov_ratio": ratio,
        }
    )
    L, _ = state.basis.functions(np.eye(len(fit.kept)))
    dfbeta = np.full((len(frame), len(fit.design.names)), np.nan)
    dfbeta[:, fit.kept] = change @ L.T
    names = [f"dfbeta {name}" for name in fit.design.names]
    frame = pd.concat([frame, pd.DataFrame(dfbeta, columns=names)], axis=1)
    notices = _unanswered(int((~sound).sum()))
    announce(notices)
    scale = float(state.basis.scale)
    return Influence(frame=frame, covariance=left.sigma * scale**2, refitted=refit, notices=notices)


def _unanswered(count: int) -> tuple[Notice, ...]:
    if not count:
        return ()
    return (
        Notice(
            "N-MODEL-ONE-SUBJECT",
            f"Without {count} of the subjects, each alone, the model has no answer.",
            "Something in the model rests on one person: use fewer terms, or a covariance with fewer parameters.",
        ),
    )
