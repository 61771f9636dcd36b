"""`Fit`: a model that has been fitted, born finished. It answers linear questions (`Answers`); tests and intervals
belong to `inference`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort.roles import Outcome, Visits
from ..design import Design
from ..design.build import Rows
from ..design.grid import ReferenceGrid
from ..engine.covariance import STRUCTURES
from ..engine.scoring import Optimum, Status
from ..errors import ModelError, one_of
from ..estimates.answers import Answer, JointAnswer
from ..notices import Notice
from .degrees_of_freedom import DF_METHODS, DfMethod, MomentsState
from .spec import MMRM

__all__ = ["Fit", "OptimumRecord"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimumRecord:
    """What the optimiser did: iterations, largest gradient of −2 log-likelihood at the end, −2 log-likelihood, and its
    way there.
    """

    iterations: int
    max_gradient: float
    criterion: float
    trace: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Fit:
    """A fitted model.

    Attributes
    ----------
    spec : MMRM
        The question.
    design : Design
        How the columns were made.
    state : MomentsState
        Moments and optimum, in the coordinates of the engine.
    seen : tuple of int
        The visits (positions in `visits`) that have rows; Σ is over these.
    kept : array of int, null : (p, number aliased) array
        Columns estimated, and the combinations of columns that are identically zero.
    rows : Rows or None
        What the moments were built from; None where only moments are known. Sandwich estimators, residuals and
        predictions of single subjects need them.
    notices : tuple of Notice
    """

    spec: MMRM
    design: Design
    state: MomentsState
    seen: tuple[int, ...]
    kept: NDArray[np.intp]
    null: Array
    rows: Rows | None = None
    notices: tuple[Notice, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """The outcome that was modeled."""
        return self.design.outcome

    @property
    def visits(self) -> Visits:
        """The visits at which the outcome was seen."""
        visits = self.design.visits
        return Visits(tuple(visits.labels[k] for k in self.seen), tuple(visits.years[k] for k in self.seen))

    @property
    def grid(self) -> ReferenceGrid:
        """The reference grid for marginal means."""
        return self.design.grid

    @property
    def coef(self) -> pd.Series:
        """Fixed effects by term; NaN for aliased columns."""
        beta = np.full(len(self.design.names), np.nan)
        beta[self.kept] = self.state.basis.coefficients(self._optimum.at.beta)
        return pd.Series(beta, index=list(self.design.names), name="estimate")

    @property
    def vcov(self) -> pd.DataFrame:
        """Covariance of the fixed effects without small-sample adjustment (ask `summarize` for that); NaN for aliased
        columns.
        """
        L, _ = self.state.basis.functions(np.eye(len(self.kept)))
        whole = np.full((len(self.design.names),) * 2, np.nan)
        whole[np.ix_(self.kept, self.kept)] = L @ self._optimum.at.Phi @ L.T
        return pd.DataFrame(whole, index=list(self.design.names), columns=list(self.design.names))

    @property
    def covariance(self) -> pd.DataFrame:
        """Σ, the covariance of the visits within a subject; one below the other where there are several."""
        sigma = self._optimum.at.sigma * float(self.state.basis.scale) ** 2
        labels = list(self.visits.labels)
        index = pd.MultiIndex.from_product([self.design.groups, labels]) if self.design.groups else pd.Index(labels)
        return pd.DataFrame(sigma.reshape(-1, len(labels)), index=index, columns=labels)

    @property
    def varcorr(self) -> pd.DataFrame:
        """The standard deviation at each visit, and the correlations between visits."""
        covariance = self.covariance
        sigma = covariance.to_numpy().reshape(-1, covariance.shape[1], covariance.shape[1])
        sd = np.sqrt(np.diagonal(sigma, axis1=-2, axis2=-1))
        frame: pd.DataFrame = covariance / (sd[:, :, None] * sd[:, None, :]).reshape(covariance.shape)
        frame.insert(0, "sd", sd.reshape(-1))
        return frame

    @property
    def loglik(self) -> float:
        """The log-likelihood; the restricted one, with all constants and +log|X'V⁻¹X| / 2, under REML."""
        return -float(self._optimum.at.criterion) / 2

    @property
    def n_parameters(self) -> int:
        """Covariance parameters."""
        return STRUCTURES[self.spec.covariance].n_parameters(len(self.seen)) * max(1, len(self.design.groups))

    @property
    def n_obs(self) -> int:
        """Rows used."""
        return round(float(self.state.moments.n_obs))

    @property
    def n_subjects(self) -> int:
        """Subjects with at least one row used."""
        return round(float(self.state.moments.n_subjects))

    @property
    def aic(self) -> float:
        """−2 log-likelihood + 2k; k counts covariance parameters, and under ML the fixed effects too (as SAS)."""
        return -2 * self.loglik + 2 * self._counted

    @property
    def aicc(self) -> float:
        """AIC with the correction of Hurvich & Tsai 1989 (Biometrika 76:297); n = rows, less the number of fixed
        effects under REML (as SAS).
        """
        n = self.n_obs - (len(self.kept) if self.spec.method == "reml" else 0)
        k = self._counted
        n = max(n, k + 2)
        return -2 * self.loglik + 2 * k * n / (n - k - 1)

    @property
    def bic(self) -> float:
        """−2 log-likelihood + k log(subjects), k as for the AIC, subjects those who contribute rows (as SAS and
        mmrm).
        """
        return -2 * self.loglik + self._counted * float(np.log(self.n_subjects))

    @property
    def converged(self) -> bool:
        """Whether gradient and Hessian were verified at the optimum."""
        return bool(self._optimum.status == Status.VERIFIED)

    @property
    def optimum(self) -> OptimumRecord:
        """The record of the optimization."""
        o = self._optimum
        return OptimumRecord(
            iterations=int(o.iterations),
            max_gradient=float(o.max_gradient),
            criterion=float(o.at.criterion),
            trace=tuple(float(value) for value in o.trace),
        )

    def needed_rows(self) -> Rows:
        """The rows of the fit.

        Raises
        ------
        ModelError
            `E-MODEL-NEEDS-ROWS` where the fit was made from moments only.
        """
        if self.rows is None:
            raise ModelError(
                "E-MODEL-NEEDS-ROWS",
                "This fit knows cross-products only, not the rows they came from.",
                "Robust standard errors, residuals and predictions of single subjects are made from rows.",
                "Fit the model to a cohort in memory.",
            )
        return self.rows

    def answer(self, L: Array, *, df: str | None = None) -> Answer:
        """L β̂ for L (k × p), with covariance and degrees of freedom; rows that the data cannot estimate are NaN.

        Raises
        ------
        StudyError
            `E-STUDY-OPTION` for an unknown method.
        ModelError
            `E-MODEL-NEEDS-REML` for Kenward-Roger on an ML fit.
        """
        name, method = self.df_method(df)
        L = np.atleast_2d(np.asarray(L, dtype=float))
        estimable = self.is_estimable(L)
        inner, offset = self._inner(L)
        estimate = inner @ self._optimum.at.beta + offset
        vcov = inner @ method.vcov(self.state) @ inner.T
        nowhere = np.abs(inner).max(1) == 0
        degrees = np.full(len(L), np.nan)
        degrees[~nowhere] = method.rows(self.state, inner[~nowhere])
        return Answer(
            estimate=np.where(estimable, estimate, np.nan),
            vcov=np.where(np.outer(estimable, estimable), vcov, np.nan),
            df=np.where(estimable, degrees, np.nan),
            method=name,
        )

    def answer_joint(self, L: Array, *, df: str | None = None) -> JointAnswer:
        """The F test of L β = 0; rows of L that say the same twice are counted once.

        Raises
        ------
        ModelError
            `E-MODEL-NOT-ESTIMABLE` where a row cannot be estimated or all rows are zero.
        """
        name, method = self.df_method(df)
        L = np.atleast_2d(np.asarray(L, dtype=float))
        inner, offset = self._inner(L)
        u, s, _ = np.linalg.svd(inner, full_matrices=False)
        rank = int((s > 1e-10 * max(float(s[0]), 1e-300)).sum()) if s[0] > 0 else 0
        if not rank or not self.is_estimable(L).all():
            raise ModelError(
                "E-MODEL-NOT-ESTIMABLE",
                "The joint test asks for a combination of fixed effects that the data cannot estimate.",
                "Every row of L must be a combination of estimable effects, and not zero.",
                "Leave out the cells without data.",
            )
        independent = u[:, :rank].T
        estimate = independent @ (inner @ self._optimum.at.beta + offset)
        statistic, degrees = method.joint(self.state, independent @ inner, estimate)
        return JointAnswer(statistic=float(statistic), num_df=float(rank), df=float(degrees), method=name)

    def is_estimable(self, L: Array) -> NDArray[np.bool_]:
        """Which rows of L (k × p) the data can estimate."""
        if not self.null.size:
            return np.ones(len(L), dtype=bool)
        size = np.abs(L) @ np.abs(self.null)
        estimable: NDArray[np.bool_] = (np.abs(L @ self.null) <= 1e-8 * np.maximum(size, 1e-300)).all(1)
        return estimable

    def df_method(self, df: str | None) -> tuple[str, DfMethod]:
        """The method of that name; Kenward-Roger under REML and Satterthwaite under ML where none is named."""
        name = df or ("kenward-roger" if self.spec.method == "reml" else "satterthwaite")
        one_of("df", name, list(DF_METHODS))
        if DF_METHODS[name].reml_only and self.spec.method != "reml":
            raise ModelError(
                "E-MODEL-NEEDS-REML",
                f"`{name}` is asked of a model fitted by maximum likelihood.",
                "The adjustment of Kenward and Roger is derived for REML.",
                'Fit with method="reml", or ask with df="satterthwaite".',
            )
        return name, DF_METHODS[name]

    @property
    def _optimum(self) -> Optimum:
        return self.state.optimum

    @property
    def _counted(self) -> int:
        return self.n_parameters + (len(self.kept) if self.spec.method == "ml" else 0)

    def _inner(self, L: Array) -> tuple[Array, Array]:
        return self.state.basis.functions(L[:, self.kept])

    def __repr__(self) -> str:
        state = "converged" if self.converged else "NOT converged"
        return f"<Fit: {self.spec.formula}; {self.n_subjects} subjects, {self.n_obs} rows, {state}>"

    def __str__(self) -> str:
        lines = [
            repr(self),
            "",
            f"-2 log-likelihood ({self.spec.method}) {-2 * self.loglik:.4f}   AIC {self.aic:.2f}   BIC {self.bic:.2f}",
            "",
            "Fixed effects (tests and intervals: summarize(fit))",
            self.coef.to_string(float_format=lambda value: f"{value:.4f}"),
            "",
            "SD at each visit, and correlations",
            self.varcorr.to_string(float_format=lambda value: f"{value:.3f}"),
        ]
        return "\n".join([*lines, *(f"\n{notice}" for notice in self.notices)])
