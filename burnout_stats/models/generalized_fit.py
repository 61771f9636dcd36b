"""A generalized linear mixed model fitted: `GeneralizedFit`, and how it comes about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..design import Design, build
from ..design.build import Rows
from ..display import Table
from ..display.escape import for_terminal
from ..engine.basis import Basis
from ..engine.glmm import Optimum, Problem, pooled
from ..engine.moments import aliased, moments_of_rows
from ..errors import one_of
from ..estimates.answers import Answer, JointAnswer
from ..notices import Notice, announce
from .estimability import independent_rows
from .events import Counted, counted_outcome
from .generalized import GLMM
from .generalized_limits import (
    refuse_constant,
    refuse_not_told_apart,
    refuse_runaway,
    refuse_separated,
    refuse_unchanging,
)
from .generalized_search import in_columns, search, standardized, without_random
from .link_fit import LinkFit, aliased_notice
from .representation import size_of

__all__ = ["GeneralizedFit", "fit_generalized"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class GeneralizedFit(LinkFit):
    """A fitted generalized linear mixed model.

    Attributes
    ----------
    spec : GLMM
    design : Design
    counted : Counted
        What is counted, in words, and the labels of ordered categories.
    problem : Problem
        The rows, identical subjects once; `place` says where each subject went.
    optimum : Optimum
    kept, null : columns estimated, and combinations of columns that are zero
    names_of_gamma : thresholds ("low|middle"), "log(size)", "logit(extra zeros)"
    notices : tuple of Notice
    """

    spec: GLMM
    design: Design
    counted: Counted
    problem: Problem
    place: NDArray[np.int64]
    optimum: Optimum
    kept: NDArray[np.intp]
    null: Array
    rows: Rows
    seen: tuple[int, ...]
    names_of_gamma: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def n_parameters(self) -> int:
        """Covariances of the random effects, thresholds, sizes: all but the fixed effects. Those at an edge count too,
        as in lme4.
        """
        assert self.design.random is not None
        covariances = sum(len(block) * (len(block) + 1) // 2 for block in self.design.random.blocks)
        if self.spec.family == "ordinal":
            return covariances + len(self.names_of_gamma)
        return covariances + len(self.spec.distribution.further)

    @property
    def loglik(self) -> float:
        """The log-likelihood, by quadrature."""
        return self.optimum.loglik

    @property
    def aic(self) -> float:
        """Akaike's criterion, every parameter counted."""
        return -2 * self.loglik + 2 * self._counted_parameters

    @property
    def bic(self) -> float:
        """The Bayesian criterion, with the number of subjects."""
        return float(-2 * self.loglik + np.log(self.n_subjects) * self._counted_parameters)

    @property
    def _counted_parameters(self) -> int:
        return self.problem.sizes[0] + self.n_parameters

    @property
    def distribution(self) -> tuple[str, str | None]:
        """The distribution of the estimates, by its key in `engine.families.FAMILIES`, and what is said of zeros:
        that of the question, without what came out at an edge.
        """
        further = self.problem.family.further
        family = self.spec.family
        if family == "negative_binomial" and "log_size" not in further:
            family = "poisson"
        zeros = None if self.spec.zeros == "inflated" and "zero_inflation" not in further else self.spec.zeros
        return f"{family}/{self.spec.link_name}", zeros

    @property
    def converged(self) -> bool:
        """Whether gradient and information were verified."""
        return self.optimum.converged

    @property
    def transform(self) -> Array:
        """T: the fixed effects of the kept columns are T ψ.

        Thresholds take the place of the intercept: it is minus their mean.
        """
        p, _, g = self.problem.sizes
        whole = np.zeros((len(self.kept), len(self.optimum.psi)))
        if self.spec.family != "ordinal":
            whole[:, :p] = np.eye(p)
            return whole
        whole[1:, :p] = np.eye(p)
        whole[0, -g:] = -1.0 / g
        return whole

    @property
    def coef(self) -> pd.Series:
        """Fixed effects by term, on the scale of the link; NaN for aliased columns."""
        beta = np.full(len(self.design.names), np.nan)
        beta[self.kept] = self.transform @ self.optimum.psi
        return pd.Series(beta, index=list(self.design.names), name="estimate")

    @property
    def vcov(self) -> pd.DataFrame:
        """Covariance of the fixed effects; NaN for aliased columns."""
        whole = np.full((len(self.design.names),) * 2, np.nan)
        T = self.transform
        whole[np.ix_(self.kept, self.kept)] = T @ self.optimum.vcov @ T.T
        return pd.DataFrame(whole, index=list(self.design.names), columns=list(self.design.names))

    @property
    def further(self) -> pd.DataFrame:
        """Thresholds, the logarithm of a size, the logit of extra zeros: estimate and standard error."""
        p, t, _ = self.problem.sizes
        rows = slice(p + t, None)
        return pd.DataFrame(
            {
                "estimate": self.optimum.psi[rows],
                "std_error": np.sqrt(np.diag(self.optimum.vcov)[rows]),
            },
            index=list(self.names_of_gamma),
        )

    @property
    def G(self) -> Array:
        """The covariance of the random effects."""
        p, t, _ = self.problem.sizes
        q = self.problem.Z.shape[2]
        root = np.zeros((q, q))
        root[self.problem.free[:, 0], self.problem.free[:, 1]] = self.optimum.psi[p : p + t]
        return np.asarray(root @ root.T)

    @property
    def varcorr(self) -> pd.DataFrame:
        """Standard deviations of the random effects, and their correlations."""
        assert self.design.random is not None
        names, G = list(self.design.random.names), self.G
        if not len(G):
            G = np.zeros((len(names), len(names)))
        sd = np.sqrt(np.diag(G))
        with np.errstate(invalid="ignore", divide="ignore"):
            frame = pd.DataFrame(G / np.outer(sd, sd), index=names, columns=names)
        frame.insert(0, "sd", sd)
        return frame

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that belong under every table of its numbers."""
        return (f"Counted: {self.counted.what}.",)

    def answer(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> Answer:
        """L β̂ on the scale of the link, with its covariance; df are infinite (normal distribution)."""
        method = self._method(df, vcov)
        L = np.atleast_2d(np.asarray(L, dtype=float))
        inner = L[:, self.kept] @ self.transform
        estimable = self.is_estimable(L)
        estimate = np.where(estimable, inner @ self.optimum.psi, np.nan)
        covariance = np.where(np.outer(estimable, estimable), inner @ self.optimum.vcov @ inner.T, np.nan)
        degrees = np.where(estimable, np.inf, np.nan)
        return Answer(estimate=estimate, vcov=covariance, df=degrees, method=method)

    def answer_joint(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> JointAnswer:
        """The Wald test of L β = 0, as F with infinite denominator."""
        method = self._method(df, vcov)
        L = np.atleast_2d(np.asarray(L, dtype=float))
        inner = L[:, self.kept] @ self.transform
        U = independent_rows(inner, self.is_estimable(L))
        rank = len(U)
        K = U @ inner
        estimate = K @ self.optimum.psi
        statistic = float(estimate @ np.linalg.solve(K @ self.optimum.vcov @ K.T, estimate)) / rank
        return JointAnswer(statistic=statistic, num_df=float(rank), df=np.inf, method=method)

    def _method(self, df: str | None, vcov: str | None) -> str:
        one_of("df", df or "asymptotic", ["asymptotic"])
        one_of("vcov", vcov or "model", ["model"])
        return "asymptotic"

    def _tables(self) -> tuple[Table, ...]:
        from .generalized_tables import generalized_tables

        return generalized_tables(self)

    def __repr__(self) -> str:
        state = "verified" if self.converged else "not verified"
        told = size_of(self.n_subjects, self.n_obs, self.design.policy)
        return f"<GeneralizedFit: {for_terminal(self.spec.formula)}; {self.spec.family}, {told}, optimum {state}>"


def fit_generalized(spec: GLMM, cohort: Cohort) -> GeneralizedFit:
    """Fit a generalized linear mixed model to a cohort.

    Raises
    ------
    StudyError
        For names that the cohort does not have.
    ModelError
        `E-MODEL-FAMILY` where the outcome is not what the family counts, `E-MODEL-SEPARATION` where a column tells
        events from others without error and no penalty was asked, and as `build` does.
    """
    counted = counted_outcome(cohort, spec.parsed.response, spec.family, event=spec.event, case=spec.case)
    design, rows = build(spec.parsed, counted.cohort, weight=spec.weights)
    if spec.zeros == "none":
        design, rows = _positive_part(spec, counted, design)
    counted, rows, empty = _seen_categories(counted, rows, design)
    seen = np.unique(rows.visit)
    kept, dropped, null = _independent(rows, design)
    whole = _problem(spec, design, rows, kept, counted)
    refuse_constant(spec, whole, design)
    refuse_not_told_apart(spec, whole, design)
    soft = spec.penalty is not None
    if not soft:
        refuse_unchanging(spec, whole, design)
    pooled_rows, place = pooled(whole)
    problem, back = standardized(pooled_rows)
    plain = without_random(problem, soft)
    if not soft:
        refuse_separated(problem, pooled_rows, plain, kept, design, ordinal=spec.family == "ordinal")
    assert design.random is not None
    random = design.random
    found = search(problem, random.blocks, random.names, spec.nodes(len(random.names)), plain, penalty=soft)
    if not soft:
        refuse_runaway(spec, found.problem, found.optimum, design)
    optimum = in_columns(found, back)
    notices = (*design.notices, *aliased_notice(design, dropped), *empty, *_told(spec, optimum, found.edges, design))
    announce(notices)
    return GeneralizedFit(
        spec=spec,
        design=design,
        counted=counted,
        problem=replace(found.problem, X=pooled_rows.X),
        place=place,
        optimum=optimum,
        kept=kept,
        null=null,
        rows=rows,
        seen=tuple(int(k) for k in seen),
        names_of_gamma=_names_of_gamma(spec, counted, found.problem),
        notices=notices,
    )


def _seen_categories(counted: Counted, rows: Rows, design: Design) -> tuple[Counted, Rows, tuple[Notice, ...]]:
    """Ordered categories that somebody has, numbered from 0, and a notice of those that nobody has."""
    if not counted.categories:
        return counted, rows, ()
    seen, codes = np.unique(rows.z[:, -1], return_inverse=True)
    if len(seen) == len(counted.categories):
        return counted, rows, ()
    names = tuple(counted.categories[int(k)] for k in seen)
    none = ", ".join(f"`{name}`" for name in counted.categories if name not in names)
    notice = Notice(
        "N-MODEL-EMPTY-CATEGORY",
        f"Nobody in the model of `{design.outcome.name}` has {none}: there is no threshold to estimate.",
        "The categories left are modeled in their order.",
    )
    z = np.column_stack([rows.z[:, :-1], codes.ravel()])
    return replace(counted, categories=names), replace(rows, z=z), (notice,)


def _told(spec: GLMM, optimum: Optimum, edges: tuple[str, ...], design: Design) -> tuple[Notice, ...]:
    """What the user should know of the optimum."""
    name = design.outcome.name
    notices: list[Notice] = []
    if spec.penalty is not None:
        notices.append(
            Notice(
                "N-MODEL-PENALIZED",
                f"In the model of `{name}`, a soft penalty keeps every estimate finite.",
                "It pulls little, and less the more data there are; where a group has no events, its estimate and "
                "standard error say that it is low, not how low.",
            )
        )
    if edges:
        notices.append(
            Notice(
                "N-MODEL-BOUNDARY",
                f"In the model of `{name}`, {', and '.join(edges)}.",
                "The estimates are those of the simpler model, which is the best one.",
            )
        )
    if not optimum.converged:
        notices.append(
            Notice(
                "N-MODEL-NOT-CONVERGED",
                f"In the model of `{name}`, the search ended where the optimum could not be verified.",
                "Do not report these numbers; try a simpler model or fewer categories.",
            )
        )
    return tuple(notices)


def _positive_part(spec: GLMM, counted: Counted, design: Design) -> tuple[Design, Rows]:
    """The design and rows of the scores above 0."""
    name = design.outcome.name
    values = counted.cohort.data[name]
    data = counted.cohort.data.assign(**{name: values.where(values > 0)})
    return build(spec.parsed, replace(counted.cohort, data=data), weight=spec.weights)


def _independent(rows: Rows, design: Design) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
    n_rows = len(rows.z)
    visit = np.unique(rows.visit, return_inverse=True)[1]
    basis = Basis.centered(np.full(n_rows, 1 / n_rows) @ rows.z, design.encoder.constant)
    raw = moments_of_rows(rows.z, rows.subject, visit, int(visit.max()) + 1, basis=basis)
    return aliased(raw)


def _problem(spec: GLMM, design: Design, rows: Rows, kept: NDArray[np.intp], counted: Counted) -> Problem:
    """The rows in a padded block, a subject a line, a visit a place."""
    n, V = len(rows.ordinal), len(design.visits)
    at = (rows.subject, rows.visit)

    def block(values: Array) -> Array:
        out = np.zeros((n, V, *values.shape[1:]))
        out[at] = values
        return out

    assert design.random is not None
    X = rows.z[:, kept]
    Z = design.random.at_visits(design.visits, np.arange(V))[rows.visit] if rows.random is None else rows.random
    y, mask = block(rows.z[:, -1]), block(np.ones(len(rows.z)))
    W: tuple[Array, ...] = ()
    tied: tuple[NDArray[np.int64], ...] = ()
    fixed: tuple[Array, ...] = ()
    if spec.family == "ordinal":
        K = len(counted.categories)
        codes = np.arange(K - 1)
        X = X[:, 1:]  # thresholds take the place of the intercept
        upper = (y[..., None] == codes) * mask[..., None]
        lower = (y[..., None] == codes + 1) * mask[..., None]
        W, tied = (upper, lower), (codes, codes)
        fixed = (np.where(y == K - 1, np.inf, 0.0), np.where(y == 0, -np.inf, 0.0))
        empty = mask == 0  # any finite thresholds where there is no score
        fixed = (np.where(empty, 1.0, fixed[0]), np.where(empty, -1.0, fixed[1]))
    else:
        names = spec.distribution.further
        W = tuple(np.ones((n, V, 1)) for _ in names)
        tied = tuple(np.array([k]) for k, _ in enumerate(names))
        fixed = tuple(np.zeros((n, V)) for _ in names)
    free = [(i, j) for part in design.random.blocks for place, i in enumerate(part) for j in part[: place + 1]]
    return Problem(
        family=spec.distribution,
        y=y if spec.zeros != "none" else np.where(mask > 0, y, 1.0),
        X=block(X),
        Z=block(Z),
        W=W,
        tied=tied,
        fixed=fixed,
        offset=np.zeros((n, V)),
        mask=mask,
        counts=np.ones(n) if rows.weight is None else rows.weight,
        free=np.array(free, dtype=np.int64).reshape(-1, 2),
    )


def _names_of_gamma(spec: GLMM, counted: Counted, problem: Problem) -> tuple[str, ...]:
    if spec.family == "ordinal":
        labels = counted.categories
        return tuple(f"{low}|{high}" for low, high in pairwise(labels))
    words = {"log_size": "log(size)", "zero_inflation": "logit(extra zeros)"}
    return tuple(words[name] for name in problem.family.further)
