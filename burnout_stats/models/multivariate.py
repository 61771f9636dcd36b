"""All outcomes at once: a mixed model over outcome × visit. Several outcomes are more visits: the rows of a subject are
stacked outcome after outcome, and the engine sees D = outcomes × visits positions.

Every outcome has fixed effects of its own for the same formula, and is modeled in units of its standard deviation
(answers are in its own units again).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort.cohort import Cohort
from ..cohort.roles import Outcome, Visits
from ..design import Design, Formula, build
from ..design.build import Rows
from ..design.encode import Encoder
from ..design.grid import ReferenceGrid
from ..design.random import clusters_of
from ..display import Shown, Table
from ..display.escape import for_terminal
from ..engine.basis import Basis
from ..engine.covariance import STRUCTURES, Covariance, Structure
from ..engine.kronecker import kronecker
from ..engine.moments import Moments, aliased, moments_of_rows
from ..engine.scoring import Optimum, optimize
from ..engine.starts import start_sigma
from ..engine.steps import theta_covariance
from ..errors import StudyError, one_of
from ..estimates.answers import Answer, JointAnswer
from ..notices import Notice, announce
from .convergence import refuse_unanswerable, verdict
from .degrees_of_freedom import MomentsState
from .representation import subjects
from .result import Fit
from .spec import METHODS, MMRM

__all__ = ["MarginalFit", "MultivariateFit", "MultivariateMMRM", "fit_multivariate"]

Array = NDArray[np.float64]
COVARIANCES = {"us": "unstructured over outcomes and visits", "kronecker": "outcomes times visits"}
DF_NAMES = ("kenward-roger", "kenward-roger-expected", "satterthwaite", "residual", "asymptotic")
FEW_POSITIONS = 6
"""Up to so many positions thin data are fitted from further starts too, as one outcome is; beyond, where every start
costs a good part of a second, from one more and only where the first ends doubtful.
"""
MOST_POSITIONS = 30
"""Outcomes times visits, beyond which the second derivatives of an unstructured covariance fill a gigabyte."""


@dataclass(frozen=True, slots=True)
class MultivariateMMRM:
    """A mixed model for repeated measures of several outcomes at once.

    Parameters
    ----------
    outcomes : sequence of str
        Two or more outcomes of the cohort (one is allowed, and is the MMRM of it).
    formula : str
        The fixed effects, the same for every outcome, with coefficients of its own each: "visit * sex + age".
    covariance : "us" or "kronecker"
        Unstructured over outcome × visit, or a covariance of outcomes (unstructured) times one of the visits: the
        correlations over time are then the same for every outcome, and every outcome's variances change over the visits
        in the same proportion.
    over_visits : str
        The covariance of the visits of "kronecker": a code of the table of structures.
    method : "reml" or "ml"

    Raises
    ------
    StudyError
        `E-STUDY-FORMULA` for a formula that cannot be read or has random effects, `E-STUDY-OPTION` for an unknown
        covariance or method, `E-STUDY-VALUE` for no outcome or the same one twice.

    **Source**: Galecki 1994, Commun Stat Theory Methods 23:3105; Fieuws & Verbeke 2006, Biometrics 62:424 (joint models
    of several longitudinal outcomes).

    >>> MultivariateMMRM(("exhaustion", "job_stress"), "visit * sex").covariance
    'us'
    """

    outcomes: Sequence[str]
    formula: str
    _: KW_ONLY
    covariance: str = "us"
    over_visits: str = "us"
    method: str = "reml"
    parsed: tuple[Formula, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "outcomes", (self.outcomes,) if isinstance(self.outcomes, str) else tuple(self.outcomes)
        )
        one_of("covariance", self.covariance, COVARIANCES)
        one_of("over_visits", self.over_visits, {code: structure.name for code, structure in STRUCTURES.items()})
        one_of("method", self.method, METHODS)
        if not self.outcomes or len(set(self.outcomes)) < len(self.outcomes):
            raise StudyError(
                "E-STUDY-VALUE",
                f"The outcomes are: {', '.join(self.outcomes) or 'none'}.",
                "Outcomes that are modeled together differ from each other.",
                'Write for example MultivariateMMRM(("exhaustion", "job_stress"), "visit").',
            )
        parsed = tuple(MMRM(f"{_quoted(name)} ~ {self.formula}").parsed for name in self.outcomes)
        if clusters_of(parsed[0]) is not None:
            raise StudyError(
                "E-STUDY-FORMULA",
                f"The formula `{self.formula}` has a random effect.",
                "A model of several outcomes has the covariance of outcomes and visits, and nothing above the subject.",
                "Leave the part in parentheses out, or fit each outcome alone.",
            )
        object.__setattr__(self, "parsed", parsed)

    @property
    def structure_name(self) -> str:
        """The covariance in words."""
        if self.covariance == "us":
            return COVARIANCES["us"]
        return kronecker(len(self.outcomes), self.over_visits).name


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class MultivariateFit(Shown):
    """A fitted model of several outcomes. `fit.of("exhaustion")` is one outcome of it, for `emmeans`, `contrast`,
    `summarize` and `joint_test`; the questions about several outcomes take the whole fit.

    Attributes
    ----------
    spec : MultivariateMMRM
    designs : tuple of Design
        One for each outcome, in order.
    stacked : Fit
        The model as the engine sees it: positions as visits, each outcome in units of its `scales`.
    scales : (K,) array
    positions : tuple of (outcome, visit) positions
        Which outcome at which visit of the cohort each position is.
    notices : tuple of Notice
    """

    spec: MultivariateMMRM
    designs: tuple[Design, ...]
    stacked: Fit
    scales: Array
    positions: tuple[tuple[int, int], ...]
    notices: tuple[Notice, ...] = ()

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The outcomes that were modeled."""
        return tuple(design.outcome for design in self.designs)

    @property
    def visits(self) -> Visits:
        """The visits at which any outcome was seen."""
        seen = sorted({visit for _, visit in self.positions})
        whole = self.designs[0].visits
        return Visits(tuple(whole.labels[k] for k in seen), tuple(whole.years[k] for k in seen))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns: outcome, colon, term."""
        return self.stacked.design.names

    @property
    def coef(self) -> pd.Series:
        """Fixed effects by outcome and term; NaN for aliased columns."""
        index = pd.MultiIndex.from_tuples(
            [(design.outcome.name, term) for design in self.designs for term in design.names], names=["outcome", "term"]
        )
        return pd.Series(self.stacked.coef.to_numpy() * self._units, index=index, name="estimate")

    @property
    def covariance(self) -> pd.DataFrame:
        """Σ, the covariance of outcomes and visits within a subject."""
        unit = np.array([self.scales[k] for k, _ in self.positions])
        labels = self.designs[0].visits.labels
        index = pd.MultiIndex.from_tuples(
            [(self.outcomes[k].name, labels[v]) for k, v in self.positions], names=["outcome", "visit"]
        )
        return pd.DataFrame(self.stacked.covariance.to_numpy() * np.outer(unit, unit), index=index, columns=index)

    @property
    def varcorr(self) -> pd.DataFrame:
        """The standard deviation of each outcome at each visit, and the correlations."""
        covariance = self.covariance
        sd = np.sqrt(np.diag(covariance))
        names = [f"{outcome} {visit}" for outcome, visit in covariance.index]
        frame = pd.DataFrame(covariance.to_numpy() / np.outer(sd, sd), index=covariance.index, columns=names)
        frame.insert(0, "sd", sd)
        return frame

    @property
    def loglik(self) -> float:
        """The log-likelihood in the outcomes' own units; the restricted one, with all constants, under REML."""
        rows = self.stacked.needed_rows()
        own = np.array([k for k, _ in self.positions])[rows.visit]
        change = float(np.log(self.scales)[own].sum())
        if self.spec.method == "reml":
            change -= float(np.log(self._units)[self.stacked.kept].sum())
        return self.stacked.loglik - change

    @property
    def n_parameters(self) -> int:
        """Covariance parameters."""
        return int(self._optimum.theta.shape[-1])

    @property
    def aic(self) -> float:
        """−2 log-likelihood + 2k, as `Fit.aic`."""
        return -2 * self.loglik + 2 * (self.n_parameters + (self.spec.method == "ml") * len(self.stacked.kept))

    @property
    def bic(self) -> float:
        """−2 log-likelihood + k log(subjects), as `Fit.bic`."""
        k = self.n_parameters + (self.spec.method == "ml") * len(self.stacked.kept)
        return -2 * self.loglik + k * float(np.log(self.n_subjects))

    @property
    def n_obs(self) -> int:
        """Scores used."""
        return self.stacked.n_obs

    @property
    def n_subjects(self) -> int:
        """Subjects with at least one score used."""
        return self.stacked.n_subjects

    @property
    def converged(self) -> bool:
        """Whether gradient and Hessian were verified at the optimum."""
        return self.stacked.converged

    @property
    def notes(self) -> tuple[str, ...]:
        """What belongs under every table of its numbers."""
        labels = ", ".join(outcome.label for outcome in self.outcomes)
        return (f"One model of {labels}; covariance {self.spec.structure_name}.",)

    @property
    def grid(self) -> ReferenceGrid:
        """The reference grid of the first outcome."""
        return self.designs[0].grid

    def of(self, outcome: str) -> MarginalFit:
        """One outcome of the fit, which answers as a fit of it alone would.

        Raises
        ------
        StudyError
            `E-STUDY-OPTION` for an outcome that is not in the model.
        """
        names = [known.name for known in self.outcomes]
        return MarginalFit(self, names.index(one_of("outcome", outcome, names)))

    def position(self, outcome: int, visit: int) -> int | None:
        """Where an outcome at a visit of the cohort stands in Σ; None where nobody has it."""
        return self.positions.index((outcome, visit)) if (outcome, visit) in self.positions else None

    def embedded(self, outcome: int, L: Array) -> Array:
        """L over the columns of one outcome, over all columns."""
        start = self._starts[outcome]
        whole = np.zeros((len(L), len(self.names)))
        whole[:, start : start + L.shape[1]] = L
        return whole

    def answer(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> Answer:
        """L β̂ for L over the columns of all outcomes, as `Fit.answer`; df is one of `DF_NAMES`."""
        if df is not None:
            one_of("df", df, list(DF_NAMES))
        return self.stacked.answer(np.atleast_2d(np.asarray(L, dtype=float)) * self._units, df=df, vcov=vcov)

    def answer_joint(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> JointAnswer:
        """The F test of L β = 0, as `Fit.answer_joint`."""
        if df is not None:
            one_of("df", df, list(DF_NAMES))
        return self.stacked.answer_joint(np.atleast_2d(np.asarray(L, dtype=float)) * self._units, df=df, vcov=vcov)

    def sigma(self) -> tuple[Array, Array, Array]:
        """Σ̂ (D, D), its derivatives ∂Σ/∂θ_i (m, D, D) in the outcomes' own units, and W (m, m), the covariance of θ̂
        from the observed information.
        """
        state = cast("MomentsState", self.stacked.state)
        unit = np.array([self.scales[k] for k, _ in self.positions]) * float(state.basis.scale)
        size = np.outer(unit, unit)
        first, _ = state.covariance.derivatives(self._optimum.theta)
        return (
            self._optimum.at.sigma[0] * size,
            first[:, 0] * size,
            theta_covariance(self._optimum.curvature.observed),
        )

    @property
    def _optimum(self) -> Optimum:
        return cast("MomentsState", self.stacked.state).optimum

    @property
    def _starts(self) -> list[int]:
        return [0, *np.cumsum([len(design.names) for design in self.designs]).tolist()]

    @property
    def _units(self) -> Array:
        return np.repeat(self.scales, [len(design.names) for design in self.designs])

    def _tables(self) -> tuple[Table, ...]:
        from .representation import multivariate_tables

        return multivariate_tables(self)

    def __repr__(self) -> str:
        state = "converged" if self.converged else "NOT converged"
        size = subjects(self.n_subjects, self.designs[0].policy, of=self.designs[0].n_cohort)
        asked = f"{', '.join(self.spec.outcomes)} ~ {self.spec.formula}"
        return for_terminal(f"<MultivariateFit: {asked}; {size}, {state}>")


@dataclass(frozen=True, slots=True, eq=False)
class MarginalFit(Shown):
    """One outcome of a model of several: implements `Fitted`."""

    whole: MultivariateFit
    index: int

    def __repr__(self) -> str:
        return for_terminal(f"<MarginalFit: {self.outcome.name} ~ {self.whole.spec.formula}>")

    def _tables(self) -> tuple[Table, ...]:
        from .representation import multivariate_tables

        return multivariate_tables(self.whole, (self.outcome.name,))

    @property
    def spec(self) -> MMRM:
        """The question asked of this outcome."""
        spec = self.whole.spec
        code = "us" if spec.covariance == "us" else spec.over_visits
        return MMRM(f"{_quoted(self.outcome.name)} ~ {spec.formula}", covariance=code, method=spec.method)

    @property
    def design(self) -> Design:
        """How the columns were made."""
        return self.whole.designs[self.index]

    @property
    def outcome(self) -> Outcome:
        """The outcome."""
        return self.design.outcome

    @property
    def visits(self) -> Visits:
        """The visits at which the outcome was seen."""
        seen = [visit for outcome, visit in self.whole.positions if outcome == self.index]
        visits = self.design.visits
        return Visits(tuple(visits.labels[k] for k in seen), tuple(visits.years[k] for k in seen))

    @property
    def grid(self) -> ReferenceGrid:
        """The reference grid."""
        return self.design.grid

    @property
    def null(self) -> Array:
        """Combinations of this outcome's columns that are zero."""
        start, p = self.whole._starts[self.index], len(self.design.names)
        null = self.whole.stacked.null[start : start + p]
        own: Array = null[:, np.abs(null).max(0) > 0] if null.size else np.zeros((p, 0))
        return own

    @property
    def n_subjects(self) -> int:
        """Subjects with the outcome at some visit."""
        rows = self.whole.stacked.needed_rows()
        own = np.array([outcome == self.index for outcome, _ in self.whole.positions])[rows.visit]
        return len(np.unique(rows.subject[own]))

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the user should know."""
        return self.whole.notices

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that belong under every table of its numbers."""
        return self.whole.notes

    def answer(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> Answer:
        """L β̂ with covariance and degrees of freedom."""
        rows = np.atleast_2d(np.asarray(L, dtype=float))
        return self.whole.answer(self.whole.embedded(self.index, rows), df=df, vcov=vcov)

    def answer_joint(self, L: Array, *, df: str | None = None, vcov: str | None = None) -> JointAnswer:
        """The F test of L β = 0."""
        rows = np.atleast_2d(np.asarray(L, dtype=float))
        return self.whole.answer_joint(self.whole.embedded(self.index, rows), df=df, vcov=vcov)


def fit_multivariate(spec: MultivariateMMRM, cohort: Cohort) -> MultivariateFit:
    """Fit a model of several outcomes to a cohort.

    A subject counts with every score that is there, whichever outcome and visit: scores of the one outcome inform about
    missing scores of the other (missing at random given all of them).

    Raises
    ------
    StudyError
        For names that the cohort does not have; `E-STUDY-VALUE` for more than 30 outcomes × visits.
    ModelError
        Where the model has no answer for these data (`E-MODEL-...`).

    >>> from burnout_stats.studies import example
    >>> both = MultivariateMMRM(("exhaustion", "job_stress"), "visit")
    >>> fit_multivariate(both, example("villa_sana"))
    <MultivariateFit: exhaustion, job_stress ~ visit; 227 subjects, converged>
    """
    built = [build(parsed, cohort) for parsed in spec.parsed]
    designs = tuple(design for design, _ in built)
    positions = _positions([rows for _, rows in built], kronecker=spec.covariance == "kronecker")
    _refuse_many(len(positions), designs)
    scales = np.array([float(np.std(rows.z[:, -1])) or 1.0 for _, rows in built])
    rows = _stacked([part for _, part in built], scales, positions)
    constant = np.concatenate([design.encoder.constant for design in designs])
    basis = Basis.centered(rows.z.mean(0), constant)
    raw = moments_of_rows(rows.z, rows.subject, rows.visit, len(positions), basis=basis)
    kept, dropped, null = aliased(raw)
    moments = raw if not len(dropped) else raw.columns(kept)
    reml = spec.method == "reml"
    labels = cohort.visits.labels
    places = Visits(
        tuple(f"{designs[k].outcome.name} at {labels[v]}" for k, v in positions),
        tuple(cohort.visits.years[v] for _, v in positions),
    )
    told = ", ".join(spec.outcomes)
    refuse_unanswerable(moments, places, told, spec.covariance, reml=reml)
    moments = moments.orthonormal()
    covariance = Covariance(_structure(spec), np.array(places.years))
    optimum = _optimum(moments, covariance, reml=reml)
    found = verdict(optimum, told, visits=places, moments=moments, covariance=covariance, reml=reml)
    names = tuple(f"{design.outcome.name}: {term}" for design in designs for term in design.names)
    notices = tuple(
        dict.fromkeys((*(n for design in designs for n in design.notices), *_aliased(names, dropped, told), *found))
    )
    announce(notices)
    stacked = Fit(
        spec=MMRM(f"{_quoted(spec.outcomes[0])} ~ {spec.formula}", method=spec.method),
        design=_stacked_design(designs, names, constant, places, told),
        state=MomentsState(moments, optimum, covariance),
        seen=tuple(range(len(positions))),
        kept=kept,
        null=null,
        rows=rows,
        notices=notices,
    )
    return MultivariateFit(
        spec=spec, designs=designs, stacked=stacked, scales=scales, positions=positions, notices=notices
    )


def _optimum(moments: Moments, covariance: Covariance, *, reml: bool) -> Optimum:
    """The optimum; of many positions from one start, and from one without correlations where that ends doubtful."""
    few = len(covariance.times) <= FEW_POSITIONS
    first = optimize(moments, covariance, reml=reml, restarts=few)
    if few or not first.status:
        return first
    sigma = start_sigma(moments)
    apart = covariance.start(sigma * np.eye(len(sigma)))
    second = optimize(moments, covariance, reml=reml, theta=apart, restarts=False)
    return second if not second.status or second.at.criterion < first.at.criterion else first


def _structure(spec: MultivariateMMRM) -> Structure:
    if spec.covariance == "us":
        return STRUCTURES["us"]
    return kronecker(len(spec.outcomes), spec.over_visits)


def _positions(parts: Sequence[Rows], *, kronecker: bool) -> tuple[tuple[int, int], ...]:
    """Outcome and visit of every position: those with scores, or for a product all outcomes at all visits."""
    seen = [np.unique(rows.visit).tolist() for rows in parts]
    every = sorted({visit for visits in seen for visit in visits})
    return tuple((k, visit) for k, own in enumerate(seen) for visit in (every if kronecker else own))


def _stacked(parts: Sequence[Rows], scales: Array, positions: tuple[tuple[int, int], ...]) -> Rows:
    """The rows of all outcomes, by subject and position; each outcome has columns of its own and is divided by its
    scale.
    """
    widths = [rows.z.shape[1] - 1 for rows in parts]
    starts = np.cumsum([0, *widths])
    place = {position: k for k, position in enumerate(positions)}
    z, ordinal, position = [], [], []
    for k, rows in enumerate(parts):
        block = np.zeros((len(rows.z), starts[-1] + 1))
        block[:, starts[k] : starts[k + 1]] = rows.z[:, :-1]
        block[:, -1] = rows.z[:, -1] / scales[k]
        z.append(block)
        ordinal.append(rows.ordinal[rows.subject])
        of_visit = np.array([place.get((k, visit), -1) for visit in range(int(rows.visit.max()) + 1)])
        position.append(of_visit[rows.visit])
    ordinals, places = np.concatenate(ordinal), np.concatenate(position)
    order = np.lexsort((places, ordinals))
    own, subject = np.unique(ordinals[order], return_inverse=True)
    return Rows(
        z=np.concatenate(z)[order],
        subject=subject.astype(np.int64),
        visit=places[order].astype(np.int64),
        ordinal=own,
        ids=parts[0].ids,
    )


def _stacked_design(
    designs: Sequence[Design], names: tuple[str, ...], constant: Array, places: Visits, told: str
) -> Design:
    """The design that names all columns; its grid is that of the first outcome, and is not asked."""
    encoder = Encoder(variables={}, blocks=(), names=names, slices={}, constant=constant)
    return replace(designs[0], encoder=encoder, visits=places, outcome=Outcome(told, label=told))


def _aliased(names: tuple[str, ...], dropped: NDArray[np.intp], told: str) -> tuple[Notice, ...]:
    if not len(dropped):
        return ()
    left_out = ", ".join(f"`{names[k]}`" for k in dropped)
    return (
        Notice(
            "N-MODEL-ALIASED",
            f"In the model of `{told}`, {left_out} cannot be told from earlier columns, and is left out.",
            "Look for a level without subjects, or for a covariate that says the same as another.",
        ),
    )


def _refuse_many(n_positions: int, designs: Sequence[Design]) -> None:
    if n_positions > MOST_POSITIONS:
        raise StudyError(
            "E-STUDY-VALUE",
            f"{len(designs)} outcomes are asked for, {n_positions} scores of a subject in all.",
            f"A model of several outcomes has up to {MOST_POSITIONS} outcomes × visits.",
            "Model fewer outcomes together.",
        )


def _quoted(name: str) -> str:
    return name if name.isidentifier() else f"`{name}`"
