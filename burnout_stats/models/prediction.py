"""`ranef` and `predict`: what a fit says of single subjects, of those in the cohort and of new ones.

    b̂_i = B_i Z_i'(y_i − X_iβ̂),    B_i = Λ(I + Λ'Z_i'Z_iΛ)⁻¹Λ'    (best linear unbiased prediction, θ̂ taken as known)
    var(b̂_i − b_i) = σ²B_i + B_iZ_i'X_i Φ X_i'Z_iB_i
    var(xβ̂ + zb̂_i − xβ − zb_i) = hΦh' + σ² zB_iz',    h = x − zB_iZ_i'X_i

**Source**: Henderson 1975, Biometrics 31:423; McLean, Sanders & Stroup 1991, Am Stat 45:54. The first term of
var(b̂ − b) alone is the conditional variance of R's lme4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from ..design.build import Rows
from ..design.encode import Variable
from ..design.newdata import new_values, new_visits
from ..engine.rows import woodbury
from ..errors import ModelError, StudyError, one_of
from .clusters import clustered
from .measured import refuse_counted
from .random_effects import RandomEffects
from .result import Fit

__all__ = ["predict", "ranef"]

Array = NDArray[np.float64]
LEVELS = {"marginal": "the mean of subjects alike", "conditional": "the subject itself"}
INTERVALS = {"confidence": "of the mean, or of the subject's own level", "prediction": "of one new score"}
CHUNK = 512
"""Rows asked of the fit at a time: the covariance of their means is made whole."""


@dataclass(frozen=True, slots=True, eq=False)
class _Subjects:
    """By subject of the fit: ordinal (n,), b̂ (n, q), B (n, q, q) and Z'X (n, q, p)."""

    ordinal: NDArray[np.int64]
    b: Array
    B: Array
    ZX: Array


def ranef(fit: Fit) -> pd.DataFrame:
    """The random effects of every subject with an outcome (BLUPs).

    Returns
    -------
    DataFrame
        `subject` (its ordinal in the cohort), `term`, `estimate`, `std_error` and `std_error_conditional`. The first
        standard error is that of b̂ − b and has the uncertainty of β̂ in it (as SAS); the second takes β̂ as known (as
        lme4's condVar). Both take variances as known.

    Raises
    ------
    ModelError
        `E-MODEL-NO-RANDOM` for an MMRM, `E-MODEL-NEEDS-ROWS` for a fit without rows.

    >>> from burnout_stats.models import LMM, fit
    >>> from burnout_stats.studies import example
    >>> ranef(fit(LMM("exhaustion ~ visit + (1 | subject)"), example("villa_sana"))).columns.to_list()
    ['subject', 'term', 'estimate', 'std_error', 'std_error_conditional']
    """
    random = _random(fit)
    of = _subjects(fit, random)
    conditional = random.sigma**2 * of.B
    n, q = of.b.shape
    BZX = (of.B @ of.ZX).reshape(n * q, -1)
    L, _ = fit.state.basis.functions(BZX[:, fit.kept])
    from_beta = np.einsum("na,ab,nb->n", L, fit.state.Phi, L).reshape(n, q)
    own = np.diagonal(conditional, axis1=1, axis2=2)
    return pd.DataFrame(
        {
            "subject": np.repeat(of.ordinal, q),
            "term": list(random.design.names) * n,
            "estimate": of.b.reshape(-1),
            "std_error": np.sqrt(own + from_beta).reshape(-1),
            "std_error_conditional": np.sqrt(own).reshape(-1),
        }
    )


def predict(
    fit: Fit,
    newdata: pd.DataFrame | None = None,
    *,
    level: str = "marginal",
    interval: str = "confidence",
    conf_level: float = 0.95,
    df: str | None = None,
) -> pd.DataFrame:
    """Predicted scores with intervals, for the rows of the fit or for new ones.

    Parameters
    ----------
    newdata : DataFrame, optional
        The columns of the formula, `visit` by its label. A column `subject` with ordinals, as in `ranef`, says whose
        rows they are; anyone else is a new subject, whose random effects are predicted as zero.
    level : "marginal" or "conditional"
        The mean of all subjects alike, or of the subject itself with its random effects (LMM only).
    interval : "confidence" or "prediction"
        Of that mean, or of one further score.
    df : str, optional
        As in `summarize`.

    Returns
    -------
    DataFrame
        `subject` and `visit` (for the rows of the fit; for new ones, the columns given), `estimate`, `std_error`, `df`,
        `conf_low`, `conf_high`. Variances beyond that of β̂ are taken as known.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION`, `E-STUDY-COLUMN`, `E-STUDY-VALUE`.
    ModelError
        `E-MODEL-NO-RANDOM` for conditional predictions of an MMRM.

    >>> from burnout_stats.models import MMRM, fit
    >>> from burnout_stats.studies import example
    >>> fitted = fit(MMRM("exhaustion ~ visit"), example("villa_sana"))
    >>> len(predict(fitted, pd.DataFrame({"visit": ["baseline", "1 year"]}), interval="prediction"))
    2
    """
    refuse_counted(fit, "Predictions are")
    one_of("level", level, LEVELS)
    one_of("interval", interval, INTERVALS)
    if not 0 < conf_level < 1:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`conf_level` is {conf_level}.",
            "It is a number between 0 and 1.",
            "Write conf_level=0.95.",
        )
    if level == "conditional":
        _random(fit)
    named, X, Z, variance = _asked(fit, newdata, needs_variance=interval == "prediction" and level == "marginal")
    extra = np.zeros(len(X)) if variance is None else variance
    shift = np.zeros(len(X))
    h = X
    if level == "conditional" and fit.random is not None:
        of = _subjects(fit, fit.random)
        who = _positions(of.ordinal, named)
        known = who >= 0
        at = who[known]
        zB = np.einsum("nq,nqr->nr", Z[known], of.B[at])
        shift[known] = np.einsum("nq,nq->n", Z[known], of.b[at])
        h = X.copy()
        h[known] -= np.einsum("nq,nqp->np", zB, of.ZX[at])
        extra[known] = fit.random.sigma**2 * np.einsum("nq,nq->n", zB, Z[known])
        extra[~known] = np.einsum("nq,qr,nr->n", Z[~known], fit.random.G, Z[~known])
        extra = extra + (fit.random.sigma**2 if interval == "prediction" else 0.0)
    estimate, std_error, degrees = np.empty(len(X)), np.empty(len(X)), np.empty(len(X))
    for start in range(0, len(X), CHUNK):
        rows = slice(start, start + CHUNK)
        answer = fit.answer(h[rows], df=df)
        std_error[rows] = np.sqrt(np.diag(answer.vcov) + extra[rows])
        degrees[rows] = answer.df
        estimate[rows] = fit.answer(X[rows], df="asymptotic").estimate + shift[rows]
    half = special.stdtrit(degrees, (1 + conf_level) / 2) * std_error
    return named.assign(
        estimate=estimate, std_error=std_error, df=degrees, conf_low=estimate - half, conf_high=estimate + half
    )


def _random(fit: Fit) -> RandomEffects:
    refuse_counted(fit, "Random effects of single subjects are")
    if fit.random is None:
        raise ModelError(
            "E-MODEL-NO-RANDOM",
            f"The model `{fit.spec.formula}` has no random effects.",
            "Random effects and predictions for single subjects come from an LMM.",
            'Fit LMM("... + (1 | subject)"), or ask for level="marginal".',
        )
    if fit.clusters is not None:
        raise clustered()
    return fit.random


def _asked(
    fit: Fit, newdata: pd.DataFrame | None, *, needs_variance: bool
) -> tuple[pd.DataFrame, Array, Array, Array | None]:
    """What names the rows, X, Z, and the variance of a score about its mean where it is needed."""
    random, visits = fit.random, fit.design.visits
    group = np.zeros(0, dtype=np.int64)
    if newdata is None:
        rows = fit.needed_rows()
        named = pd.DataFrame(
            {"subject": rows.ordinal[rows.subject], "visit": np.array(visits.labels, dtype=object)[rows.visit]}
        )
        X, position = rows.z[:, :-1], rows.visit
        Z = np.zeros((len(X), 0)) if random is None else random.columns(rows)
        group = np.zeros(len(X), dtype=np.int64) if rows.group is None else rows.group[rows.subject]
    else:
        named = newdata.reset_index(drop=True)
        parts = () if random is None else random.design.parts
        variables = dict(fit.design.encoder.variables)
        for part in parts:
            variables |= part.variables
        values = new_values(named, variables, visits)
        X = fit.design.encoder.columns(values, len(named))
        Z = np.zeros((len(X), 0)) if random is None else random.design.columns(values, len(named))
    if not needs_variance:
        return named, X, Z, None
    if random is not None:
        between = 0.0 if fit.clusters is None else fit.clusters.sd**2
        return named, X, Z, random.sigma**2 + between + np.einsum("nq,qr,nr->n", Z, random.G, Z)
    if newdata is not None:
        position = new_visits(named, visits)
        group = _groups(fit, named)
    where = np.searchsorted(np.array(fit.seen), position)
    V = len(fit.seen)
    variances = np.einsum("gvv->gv", fit.covariance.to_numpy().reshape(-1, V, V))
    return named, X, Z, variances[group, np.minimum(where, V - 1)]


def _groups(fit: Fit, frame: pd.DataFrame) -> NDArray[np.int64]:
    name, labels = fit.spec.covariance_by, fit.design.groups
    if name is None:
        return np.zeros(len(frame), dtype=np.int64)
    return new_values(frame, {name: Variable(name, labels)}, fit.design.visits)[name].astype(np.int64)


def _positions(ordinal: NDArray[np.int64], named: pd.DataFrame) -> NDArray[np.intp]:
    """Where each row's subject stands among those of the fit; -1 for a new one."""
    if "subject" not in named:
        return np.full(len(named), -1, dtype=np.intp)
    return np.asarray(pd.Index(ordinal).get_indexer(pd.Index(named["subject"])), dtype=np.intp)


def _subjects(fit: Fit, random: RandomEffects) -> _Subjects:
    rows = fit.needed_rows()
    Z = random.columns(rows)
    starts = np.flatnonzero(np.r_[True, rows.subject[1:] != rows.subject[:-1]])
    e = _residuals(fit, rows)
    q = Z.shape[1]

    def sums(columns: Array) -> Array:
        return np.stack([np.add.reduceat(Z[:, [a]] * columns, starts, axis=0) for a in range(q)], axis=1)

    d = np.sqrt(np.diag(random.G)) / random.sigma
    safe = np.where(d > 0, d, 1.0)
    values, vectors = np.linalg.eigh(random.G / random.sigma**2 / np.outer(safe, safe))
    B, _ = woodbury(sums(Z), safe[:, None] * vectors * np.sqrt(np.maximum(values, 0.0)))
    b = np.einsum("nqr,nr->nq", B, sums(e[:, None])[..., 0])
    return _Subjects(rows.ordinal, b, B, sums(rows.z[:, :-1]))


def _residuals(fit: Fit, rows: Rows) -> Array:
    """y − Xβ̂, (N,)."""
    basis = fit.state.basis
    z = rows.z[:, np.append(fit.kept, rows.z.shape[1] - 1)] - basis.center
    e: Array = z[:, -1] - float(basis.scale) * (z[:, :-1] @ (basis.transform @ fit.state.gamma))
    return e
