"""Generalized estimating equations fitted: `GeeFit`, and how it comes about."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..design import Design, build
from ..design.build import Rows
from ..display import Table
from ..display.escape import for_terminal
from ..engine.basis import Basis
from ..engine.gee import Panel, Solution, solve, whitened
from ..engine.gee_sandwich import CORRECTIONS, DF, GeeSandwich, sandwich_of
from ..engine.moments import aliased, moments_of_rows
from ..errors import ModelError, one_of
from ..estimates.answers import Answer, JointAnswer
from ..notices import Notice, announce
from .estimability import independent_rows
from .events import Counted, counted_outcome
from .gee import GEE, WORKING_NAMES
from .gee_checks import impossible_pairs, refuse_unseen_pairs, refuse_unsolvable
from .link_fit import LinkFit, aliased_notice
from .representation import size_of

__all__ = ["GeeFit", "fit_gee"]

Array = NDArray[np.float64]
FEW = 40
"""Subjects below which a plain robust covariance is spoken of."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class GeeFit(LinkFit):
    """Fitted generalized estimating equations.

    Attributes
    ----------
    spec : GEE
    design : Design
    counted : Counted
        What is counted, in words, and the cohort with it.
    panel : Panel
        The rows in a block, a subject a line.
    counts : (n,) array
        How many equal subjects each stands for.
    solution : Solution
    kept, null : columns estimated, and combinations of columns that are zero
    rows : Rows
    seen : the visits with scores
    notices : tuple of Notice
    """

    spec: GEE
    design: Design
    counted: Counted
    panel: Panel
    counts: Array
    solution: Solution
    kept: NDArray[np.intp]
    null: Array
    rows: Rows
    seen: tuple[int, ...]
    notices: tuple[Notice, ...] = ()

    def needed_rows(self) -> Rows:
        """The rows, which are always there."""
        return self.rows

    @property
    def converged(self) -> bool:
        """Whether the equations were solved."""
        return bool(self.solution.solved[0])

    @property
    def coef(self) -> pd.Series:
        """Coefficients by term, on the scale of the link; NaN for aliased columns."""
        beta = np.full(len(self.design.names), np.nan)
        beta[self.kept] = self.beta
        return pd.Series(beta, index=list(self.design.names), name="estimate")

    @property
    def beta(self) -> Array:
        """Coefficients of the kept columns."""
        return np.asarray(self.solution.beta[0])

    @property
    def vcov(self) -> pd.DataFrame:
        """Their robust covariance, corrected as the specification says; NaN for aliased columns."""
        whole = np.full((len(self.design.names),) * 2, np.nan)
        whole[np.ix_(self.kept, self.kept)] = self.sandwich().vcov()
        return pd.DataFrame(whole, index=list(self.design.names), columns=list(self.design.names))

    @property
    def correlation(self) -> pd.DataFrame:
        """The working correlation of the visits."""
        labels = list(self.visits.labels)
        return pd.DataFrame(self.solution.R[0], index=labels, columns=labels)

    @property
    def scale(self) -> float:
        """φ, the mean of the squared Pearson residuals: the variance is φ v(μ)."""
        return float(self.solution.phi[0])

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that belong under every table of its numbers."""
        told = [
            f"Counted: {self.counted.what}." if self.spec.family != "gaussian" else "",
            f"Generalized estimating equations, {self.spec.structure_name}; the mean is that over subjects, and scores "
            "are taken to be missing completely at random given the covariates"
            + (" and the weights." if self.spec.weights and self.spec.weights_kind == "probability" else "."),
        ]
        if self.spec.weights and self.spec.weights_kind == "probability":
            told.append("The weights are taken as known; where they were estimated, standard errors hold roughly.")
        return tuple(filter(None, told))

    @property
    def default_vcov(self) -> str:
        """The covariance that answers stand on where none is named."""
        return self.spec.small_sample or "robust"

    def sandwich(self, kind: str | None = None) -> GeeSandwich:
        """The robust covariance of that kind, with its degrees of freedom."""
        s = self.solution
        Z, e = whitened(self.panel, self.spec.margin, s.beta, s.R, s.phi)
        return sandwich_of(Z[0], e[0], self.counts, self.panel.omega, kind or self.default_vcov)

    def answer(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> Answer:
        """L β̂ on the scale of the link with its covariance.

        `vcov` is "robust", a correction for few subjects, or "model" (right only where the working correlation is);
        `df` is "satterthwaite", "fay-graubard", "pan-wall", "subjects" (subjects less coefficients) or "asymptotic".
        """
        kind, method = self._asked(df, vcov)
        L = np.atleast_2d(np.asarray(L, dtype=float))
        inner = L[:, self.kept]
        sandwich = self.sandwich("robust" if kind == "model" else kind)
        stands = np.ones(len(L), dtype=bool)
        if kind != "model":
            stands = np.zeros(len(L), dtype=bool)
            some = inner.any(axis=1)
            stands[some] = sandwich.stands_without(inner[some])
        estimable = self.is_estimable(L)
        known = estimable & (stands | ~inner.any(axis=1))
        V = sandwich.M if kind == "model" else sandwich.vcov()
        degrees = np.full(len(L), np.nan)
        asked = known & inner.any(axis=1)
        degrees[asked] = sandwich.df(method, inner[asked])
        return Answer(
            estimate=np.where(estimable, inner @ self.beta, np.nan),
            vcov=np.where(np.outer(known, known), inner @ V @ inner.T, np.nan),
            df=degrees,
            method=method,
            vcov_name=kind,
        )

    def answer_joint(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> JointAnswer:
        """The Wald test of L β = 0 as F.

        With "satterthwaite" the approximate Hotelling test of Pustejovsky & Tipton 2018, J Bus Econ Stat 36:672; the
        other corrections of degrees of freedom are for one row, so for several they become that test too.
        """
        kind, method = self._asked(df, vcov)
        L = np.atleast_2d(np.asarray(L, dtype=float))
        U = independent_rows(L[:, self.kept], self.is_estimable(L))
        rank = len(U)
        K = U @ L[:, self.kept]
        sandwich = self.sandwich("robust" if kind == "model" else kind)
        V = sandwich.M if kind == "model" else sandwich.vcov()
        estimate = K @ self.beta
        if kind != "model" and not sandwich.stands_without(K).all():
            raise ModelError(
                "E-MODEL-LEVERAGE",
                "A robust test is asked of an effect that rests on one subject.",
                "Its residuals are zero, and a robust variance would take it for known without error.",
                "Merge the level that rests on one.",
            )
        if method in {"fay-graubard", "pan-wall"} and rank > 1:
            method = "satterthwaite"
        wald = float(estimate @ np.linalg.solve(K @ V @ K.T, estimate)) / rank
        degrees = float(sandwich.df(method, K[:1])[0])
        if method == "satterthwaite" and rank > 1:
            statistic, found = sandwich.joint_test(K, estimate, V)
            wald, degrees = float(statistic), float(found)
        if np.isnan(degrees) or degrees <= 0:
            raise ModelError(
                "E-MODEL-FEW-CLUSTERS",
                f"There are too few subjects for a robust test of {rank} effects at once.",
                "The approximate Hotelling test needs more degrees of freedom than it has rows.",
                "Test fewer effects at once.",
            )
        return JointAnswer(statistic=wald, num_df=float(rank), df=degrees, method=method, vcov_name=kind)

    def _asked(self, df: str | None, vcov: str | None) -> tuple[str, str]:
        """The covariance and the method of degrees of freedom."""
        kind = vcov or self.default_vcov
        one_of("vcov", kind, ["model", *CORRECTIONS])
        if kind == "model" and self.panel.omega is not None:
            raise ModelError(
                "E-MODEL-VCOV",
                f"The covariance of the model is asked of a fit with probability weights (`{self.spec.weights}`).",
                "It would count a subject of weight 2 as two subjects; only a robust covariance is right.",
                f"Ask with vcov={self.default_vcov!r}, which is the default.",
            )
        default = {"model": "asymptotic", "robust": "asymptotic", "fay-graubard": "fay-graubard"}
        method = df or default.get(kind, "satterthwaite")
        one_of("df", method, list(DF))
        corrected = method in {"satterthwaite", "fay-graubard", "pan-wall"} and kind == "model"
        if corrected or (method == "fay-graubard" and kind not in {"fay-graubard", "robust"}):
            raise ModelError(
                "E-MODEL-VCOV",
                f"`{method}` is asked with the covariance `{kind}`.",
                "Those degrees of freedom are for a robust covariance, Fay & Graubard's for theirs or the plain one.",
                'Ask with df="subjects", or leave `df` out.',
            )
        return kind, method

    def _tables(self) -> tuple[Table, ...]:
        from .gee_tables import gee_tables

        return gee_tables(self)

    def __repr__(self) -> str:
        state = "converged" if self.converged else "NOT converged"
        told = size_of(self.n_subjects, self.n_obs, self.design.policy)
        return for_terminal(f"<GeeFit: {self.spec.formula}; {self.spec.family}, {told}, {state}>")


def fit_gee(spec: GEE, cohort: Cohort) -> GeeFit:
    """Fit generalized estimating equations to a cohort.

    Raises
    ------
    StudyError
        For names that the cohort does not have.
    ModelError
        `E-MODEL-FAMILY` where the outcome is not what the family counts, `E-MODEL-NO-SPREAD` where all scores are the
        same, `E-MODEL-SEPARATION` where there is no solution because a column tells events (or zeros) from others,
        `E-MODEL-PAIR-UNSEEN` where an unstructured correlation has a pair of visits that nobody has,
        `E-MODEL-WORKING` where the working correlation is not positive definite, `E-MODEL-SATURATED` where there are
        no more subjects than coefficients, and as `build` does.
    """
    counted = _counted(spec, cohort)
    design, rows = build(spec.parsed, counted.cohort, weight=spec.weights)
    seen, place = np.unique(rows.visit, return_inverse=True)
    kept, dropped, null = _independent(rows, place, len(seen), design)
    refuse_unsolvable(spec, rows, kept, design)
    n, V = len(rows.ordinal), len(seen)

    def block(values: Array) -> Array:
        out = np.zeros((n, V, *values.shape[1:]))
        out[rows.subject, place] = values
        return out

    mask = block(np.ones(len(rows.z))) > 0
    probability = rows.weight is not None and spec.weights_kind == "probability"
    weight = np.ones(n) if rows.weight is None else rows.weight
    X = rows.z[:, kept]
    size = np.sqrt((X**2).mean(axis=0))
    whole = Panel(
        y=block(rows.z[:, -1]), X=block(X / size), mask=mask, omega=weight / weight.mean() if probability else None
    )
    refuse_unseen_pairs(spec, design, mask, seen)
    counts = np.ones(n) if probability else weight
    solution = _solved(spec, whole, counts, design)
    solution = replace(solution, beta=solution.beta / size)
    notices = [
        *design.notices,
        *aliased_notice(design, dropped),
        *impossible_pairs(spec, whole, solution, size, design),
    ]
    if spec.small_sample is None and n < FEW:
        told = f"fewer than {FEW}" if design.policy.hides(n) else str(n)
        notices.append(
            Notice(
                "N-MODEL-FEW-SUBJECTS",
                f"The robust standard errors of `{design.outcome.name}` rest on {told} subjects, without a correction.",
                'They are too small; fit with small_sample="mancl-derouen", which is the default.',
            )
        )
    if not solution.solved[0]:
        notices.append(
            Notice(
                "N-MODEL-NOT-CONVERGED",
                f"In the model of `{design.outcome.name}`, the estimating equations were not solved.",
                'Do not report these numbers; try working="independence", another link or a simpler model.',
            )
        )
    announce(tuple(notices))
    return GeeFit(
        spec=spec,
        design=design,
        counted=counted,
        panel=replace(whole, X=block(X)),
        counts=counts,
        solution=solution,
        kept=kept,
        null=null,
        rows=rows,
        seen=tuple(int(k) for k in seen),
        notices=tuple(notices),
    )


def _counted(spec: GEE, cohort: Cohort) -> Counted:
    """The outcome as numbers; scores are taken as they are where the family is gaussian."""
    if spec.family != "gaussian" or spec.event is not None or spec.case is not None:
        return counted_outcome(cohort, spec.parsed.response, spec.family, event=spec.event, case=spec.case)
    return Counted(cohort=cohort, what="scores")


def _solved(spec: GEE, panel: Panel, counts: Array, design: Design) -> Solution:
    """From independence to the working correlation."""
    start = _start(spec, panel, counts)
    plain = solve(panel, spec.margin, "independence", counts[None], start)
    if spec.working == "independence":
        return plain
    found = solve(panel, spec.margin, spec.working, counts[None], plain.beta)
    if found.definite[0]:
        return found
    raise ModelError(
        "E-MODEL-WORKING",
        f"The {WORKING_NAMES[spec.working]} working correlation of `{design.outcome.name}` is not positive definite.",
        "Its correlations are estimated one by one, and here they contradict each other.",
        'Use working="exchangeable" or "independence"; robust standard errors hold with either.',
    )


def _start(spec: GEE, panel: Panel, counts: Array) -> Array:
    """Least squares on the scale of the link, from scores drawn to their mean."""
    X, y = panel.X[panel.mask], panel.y[panel.mask]
    w = np.repeat(counts if panel.omega is None else counts * panel.omega, panel.mask.sum(axis=1))
    mean = float(w @ y / w.sum())
    if spec.link_name == "identity":
        share = 0.9 if spec.family != "gaussian" else 1.0
        target = mean + share * (y - mean)
        root = np.sqrt(w)
        beta = np.linalg.lstsq(X * root[:, None], target * root, rcond=None)[0]
        low, high = spec.margin.range
        if ((X @ beta > low) & (X @ beta < high)).all():
            return np.asarray(beta)
    level = spec.margin.predictor(np.array([mean if spec.family != "gaussian" else max(mean, 1e-3)]))
    return np.asarray(np.linalg.lstsq(X, np.full(len(X), level[0]), rcond=None)[0])


def _independent(
    rows: Rows, place: NDArray[np.intp], n_visits: int, design: Design
) -> tuple[NDArray[np.intp], NDArray[np.intp], Array]:
    n_rows = len(rows.z)
    basis = Basis.centered(np.full(n_rows, 1 / n_rows) @ rows.z, design.encoder.constant)
    return aliased(moments_of_rows(rows.z, rows.subject, place.ravel(), n_visits, basis=basis))
