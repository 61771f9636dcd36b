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
from ..display import Shown, Table
from ..display.escape import for_terminal
from ..engine.clusters import ClusteredOptimum
from ..engine.covariance import STRUCTURES
from ..engine.moments import Moments
from ..engine.rows import RowProducts, RowsOptimum
from ..engine.sandwich import Sandwich
from ..engine.scoring import Attempt, Optimum, Status
from ..errors import ModelError, one_of
from ..estimates.answers import Answer, JointAnswer
from ..notices import Notice
from .clusters import ClusteredState, Clusters
from .degrees_of_freedom import DF_METHODS, ROBUST_METHODS, Counting, DfMethod, MomentsState, State
from .estimability import estimable_rows, independent_rows
from .random_effects import RandomEffects, RowsState, not_nominal
from .representation import fit_size
from .robust import VCOVS, Asked, stacks_of_rows
from .spec import Model

__all__ = ["Fit", "OptimumRecord"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimumRecord:
    """What the optimiser did: iterations, largest gradient of −2 log-likelihood at the end, −2 log-likelihood, its way
    there, and all attempts.
    """

    iterations: int
    max_gradient: float
    criterion: float
    trace: tuple[float, ...]
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Fit(Shown):
    """A fitted model.

    Attributes
    ----------
    spec : MMRM or LMM
        The question.
    design : Design
        How the columns were made.
    state : MomentsState, RowsState or ClusteredState
        Moments (or cross-products by subject) and optimum, in the coordinates of the engine.
    seen : tuple of int
        The visits (positions in `visits`) that have rows; Σ is over these.
    kept : array of int, null : (p, number aliased) array
        Columns estimated, and the combinations of columns that are identically zero.
    rows : Rows or None
        What the moments were built from; None where only moments are known. Sandwich estimators, residuals and
        predictions of single subjects need them.
    random : RandomEffects or None
        Of an LMM.
    clusters : Clusters or None
        What `(1 | clinic)` found: name, standard deviation between clusters, and their number.
    notices : tuple of Notice
    """

    spec: Model
    design: Design
    state: MomentsState | RowsState | ClusteredState
    seen: tuple[int, ...]
    kept: NDArray[np.intp]
    null: Array
    rows: Rows | None = None
    random: RandomEffects | None = None
    clusters: Clusters | None = None
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
        beta[self.kept] = self.state.basis.coefficients(self.state.gamma)
        return pd.Series(beta, index=list(self.design.names), name="estimate")

    @property
    def vcov(self) -> pd.DataFrame:
        """Covariance of the fixed effects without small-sample adjustment (ask `summarize` for that); NaN for aliased
        columns. With probability weights or a cluster it is the robust one (CR2).
        """
        L, _ = self.state.basis.functions(np.eye(len(self.kept)))
        whole = np.full((len(self.design.names),) * 2, np.nan)
        Phi = self.state.Phi if self.default_vcov == "model" else self._sandwich(self.default_vcov).vcov()
        whole[np.ix_(self.kept, self.kept)] = L @ Phi @ L.T
        return pd.DataFrame(whole, index=list(self.design.names), columns=list(self.design.names))

    @property
    def covariance(self) -> pd.DataFrame:
        """Σ, the covariance of the visits within a subject; one below the other where there are several.

        Raises
        ------
        ModelError
            `E-MODEL-NOT-NOMINAL` where random effects give every subject another one.
        """
        if isinstance(self.state, RowsState):
            raise not_nominal()
        state = self.state
        sigma = (state.sigma if isinstance(state, ClusteredState) else state.optimum.at.sigma) * float(
            self.state.basis.scale
        ) ** 2
        labels = list(self.visits.labels)
        index = pd.MultiIndex.from_product([self.design.groups, labels]) if self.design.groups else pd.Index(labels)
        return pd.DataFrame(sigma.reshape(-1, len(labels)), index=index, columns=labels)

    @property
    def varcorr(self) -> pd.DataFrame:
        """The standard deviation at each visit, and the correlations between visits; of an LMM, the standard deviations
        of random effects and residual, and the correlations of the effects.
        """
        if self.random is not None:
            return self.random.varcorr if self.clusters is None else _with_clusters(self.random.varcorr, self.clusters)
        covariance = self.covariance
        sigma = covariance.to_numpy().reshape(-1, covariance.shape[1], covariance.shape[1])
        sd = np.sqrt(np.diagonal(sigma, axis1=-2, axis2=-1))
        frame: pd.DataFrame = covariance / (sd[:, :, None] * sd[:, None, :]).reshape(covariance.shape)
        frame.insert(0, "sd", sd.reshape(-1))
        return frame if self.clusters is None else _with_clusters(frame, self.clusters)

    @property
    def loglik(self) -> float:
        """The log-likelihood; the restricted one, with all constants and +log|X'V⁻¹X| / 2, under REML."""
        return -float(self._optimum.at.criterion) / 2

    @property
    def n_parameters(self) -> int:
        """Covariance parameters."""
        above = self.clusters is not None
        if self.random is not None:
            return self.random.n_parameters + above
        code = self.spec.structure_code
        return above + STRUCTURES[code].n_parameters(len(self.seen)) * max(1, len(self.design.groups))

    @property
    def n_obs(self) -> int:
        """Rows used."""
        if self.has_probability_weights:
            return len(self.needed_rows().subject)
        return round(float(self._counts.n_obs))

    @property
    def n_subjects(self) -> int:
        """Subjects with at least one row used."""
        return round(float(self._counts.n_subjects))

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
            attempts=o.attempts,
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What belongs under every table of its numbers: nothing, for a model fitted once."""
        return ()

    def subject_ids(self) -> NDArray[np.object_]:
        """The identifiers of the subjects who contributed rows, in the order of the cohort: the one door from a fit to
        persons. Nothing prints them; keep them where such data may be kept.

        Raises
        ------
        ModelError
            `E-MODEL-NEEDS-ROWS` where the fit was made from moments only.
        """
        rows = self.needed_rows()
        return np.array([], dtype=object) if rows.ids is None else rows.ids[rows.ordinal - 1]

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

    def answer(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> Answer:
        """L β̂ for L (k × p), with covariance and degrees of freedom; rows that the data cannot estimate are NaN, and so
        are robust standard errors of effects that rest on one subject or cluster.

        Parameters
        ----------
        df : str, optional
            A key of the table of methods. By default Kenward-Roger under REML and Satterthwaite under ML or with a
            robust covariance.
        vcov : str, optional
            "model", or a robust covariance clustered on the subject or on the `cluster` of the model: "cr0", "cr1",
            "cr2", "cr3", "cr2-mmrm". By default "cr2" with probability weights or a cluster, and "model" otherwise.

        Raises
        ------
        StudyError
            `E-STUDY-OPTION` for an unknown method or covariance.
        ModelError
            `E-MODEL-NEEDS-REML` for Kenward-Roger on an ML fit, `E-MODEL-VCOV` where method and covariance do not go
            together, `E-MODEL-FEW-CLUSTERS` where all subjects are in one cluster.
        """
        asked = self._asked(df, vcov)
        L = np.atleast_2d(np.asarray(L, dtype=float))
        estimable = self.is_estimable(L)
        inner, offset = self._inner(L)
        estimate = inner @ self.state.gamma + offset
        covariance = inner @ asked.vcov() @ inner.T
        somewhere = np.abs(inner).max(1) > 0
        known = estimable & asked.stands(inner)
        degrees = np.full(len(L), np.nan)
        degrees[somewhere] = asked.rows(inner[somewhere], L[somewhere][:, self.kept])
        return Answer(
            estimate=np.where(estimable, estimate, np.nan),
            vcov=np.where(np.outer(known, known), covariance, np.nan),
            df=np.where(known, degrees, np.nan),
            method=asked.df,
            vcov_name=asked.vcov_name,
        )

    def answer_joint(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> JointAnswer:
        """The F test of L β = 0; rows of L that say the same twice are counted once.

        Raises
        ------
        ModelError
            `E-MODEL-NOT-ESTIMABLE` where a row cannot be estimated or all rows are zero, `E-MODEL-LEVERAGE` and
            `E-MODEL-FEW-CLUSTERS` where a robust test cannot be made; otherwise as `answer`.
        """
        asked = self._asked(df, vcov)
        L = np.atleast_2d(np.asarray(L, dtype=float))
        inner, offset = self._inner(L)
        U = independent_rows(inner, self.is_estimable(L))
        rank = len(U)
        estimate = U @ (inner @ self.state.gamma + offset)
        statistic, degrees = asked.joint(U @ inner, estimate, L[:, self.kept])
        return JointAnswer(
            statistic=float(statistic),
            num_df=float(rank),
            df=float(degrees),
            method=asked.df,
            vcov_name=asked.vcov_name,
        )

    def is_estimable(self, L: Array) -> NDArray[np.bool_]:
        """Which rows of L (k × p) the data can estimate."""
        return estimable_rows(self.null, L)

    def df_method(self, df: str | None) -> tuple[str, DfMethod[State]]:
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
    def has_probability_weights(self) -> bool:
        """Whether the weights undo unequal chances of being seen, so that only robust covariances are right."""
        return self.spec.weights is not None and self.spec.weights_kind == "probability"

    @property
    def default_vcov(self) -> str:
        """The covariance that answers stand on where none is named: robust with probability weights or a cluster."""
        return "cr2" if self.has_probability_weights or self.spec.cluster is not None else "model"

    def _asked(self, df: str | None, vcov: str | None) -> Asked[State] | Asked[Sandwich]:
        """Method and covariance by name, checked against each other."""
        name = vcov or self.default_vcov
        one_of("vcov", name, list(VCOVS))
        if name == "model":
            if self.has_probability_weights:
                raise ModelError(
                    "E-MODEL-VCOV",
                    f"The covariance of the model is asked of a fit with probability weights (`{self.spec.weights}`).",
                    "It would count a subject of weight 2 as two subjects; only a robust covariance is right.",
                    'Ask with vcov="cr2", which is the default for such a fit.',
                )
            method, whole = self.df_method(df)
            return Asked(df=method, vcov_name=name, method=whole, state=self.state, count=self._count)
        method = df or "satterthwaite"
        one_of("df", method, list(DF_METHODS))
        if method not in ROBUST_METHODS:
            raise ModelError(
                "E-MODEL-VCOV",
                f"`{method}` is asked with the robust covariance `{name}`.",
                "Kenward and Roger adjust the covariance of the model, which is not used here.",
                f"Ask with df={' or df='.join(repr(key) for key in ROBUST_METHODS)}"
                + ("." if self.has_probability_weights else ', or with vcov="model".'),
            )
        return Asked(
            df=method, vcov_name=name, method=ROBUST_METHODS[method], state=self._sandwich(name), count=self._count
        )

    def _sandwich(self, kind: str) -> Sandwich:
        rows, scale, probability = self.needed_rows(), self.state.basis.scale, self.has_probability_weights
        cluster, name, between = rows.cluster, self.spec.cluster, 0.0
        if isinstance(self.state, ClusteredState):
            if cluster is not None:
                raise ModelError(
                    "E-MODEL-VCOV",
                    f"A covariance clustered on `{name}` is asked of a model with a random effect of clusters.",
                    "The clusters of a robust covariance are those of the random effect.",
                    "Leave `cluster` out, or the random effect.",
                )
            cluster, name = rows.nested, self.clusters.name if self.clusters is not None else None
            between = self.state.optimum.tau**2
        if cluster is not None and rows.weight is not None and not probability:
            raise ModelError(
                "E-MODEL-VCOV",
                f"A covariance clustered on `{name}` is asked of a fit with frequency weights.",
                "A subject that stands for several must stand in the data several times to be in a cluster with them.",
                "Repeat the rows of such subjects, each time with an id of its own.",
            )

        def working(at: NDArray[np.intp]) -> Array:
            if self.random is not None:
                Z = self.random.columns(rows)[at]
                G, sigma = self.random.G / scale**2, self.random.sigma / scale
                return np.asarray(Z @ G @ np.swapaxes(Z, -1, -2) + sigma**2 * np.eye(at.shape[1]) + between)
            Sigma = self.covariance.to_numpy().reshape(-1, len(self.seen), len(self.seen)) / scale**2
            group = np.zeros(at.shape, dtype=np.intp) if rows.group is None else rows.group[rows.subject[at]]
            visit = np.searchsorted(np.array(self.seen), rows.visit)[at]
            return np.asarray(Sigma[group[:, :, None], visit[:, :, None], visit[:, None, :]])

        stacks = stacks_of_rows(
            rows,
            self.kept,
            cluster,
            basis=self.state.basis,
            gamma=self.state.gamma,
            working=working,
            between=between,
            probability=probability,
        )
        sandwich = Sandwich(stacks, self.state.Phi, kind)
        if sandwich.n_clusters < 2:
            raise ModelError(
                "E-MODEL-FEW-CLUSTERS",
                f"All subjects are in one cluster of `{name}`.",
                "A robust covariance compares clusters, so there must be several; 20 or more give good tests.",
                'Leave `cluster` out, or ask with vcov="model".',
            )
        return sandwich

    def _count(self) -> Counting:
        rows = self.needed_rows()
        names = [self.design.names[k] for k in self.kept]
        return Counting.of(self.n_obs, self.n_subjects, names, rows.z[:, self.kept], rows.subject)

    @property
    def _optimum(self) -> Optimum | RowsOptimum | ClusteredOptimum:
        return self.state.optimum

    @property
    def _counts(self) -> Moments | RowProducts:
        state = self.state
        if isinstance(state, ClusteredState):
            return state.model.moments
        return state.products if isinstance(state, RowsState) else state.moments

    @property
    def _counted(self) -> int:
        return self.n_parameters + (len(self.kept) if self.spec.method == "ml" else 0)

    def _inner(self, L: Array) -> tuple[Array, Array]:
        return self.state.basis.functions(L[:, self.kept])

    def _tables(self) -> tuple[Table, ...]:
        from .representation import fit_tables

        return fit_tables(self)

    def __repr__(self) -> str:
        state = "converged" if self.converged else "NOT converged"
        return for_terminal(f"<Fit: {self.spec.formula}; {fit_size(self)}, {state}>")


def _with_clusters(varcorr: pd.DataFrame, clusters: Clusters) -> pd.DataFrame:
    """A row for the clusters above the subject."""
    row: tuple[str, ...] | str = (clusters.name, "") if isinstance(varcorr.index, pd.MultiIndex) else clusters.name
    whole = varcorr.copy()
    whole.loc[row, "sd"] = clusters.sd
    return whole
