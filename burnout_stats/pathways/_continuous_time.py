"""A panel in continuous time: one drift matrix behind all lags, so that gaps of 1 and 2 years tell of the same process.

    y_i(t_j) = μ_j + τ_i + x_i(t_j),   dx = A x dt + G dW,   GG' = Q,   x(t_0) ~ N(0, P_0),   τ ~ N(0, B)

What three visits of two outcomes identify: 21 variances and covariances. A panel with random intercepts and free lags
uses 20 of them (3 in B, 3 in P_0, and 4 + 3 for each of two lags). One drift for both lags takes away 7: 4 elements of
A, 3 of Q, 3 of P_0 and 3 of B are 13, so 8 df are left (11 without random intercepts). One outcome has 6 variances and
covariances for 4 parameters; B = (c_01 c_12 − c_02 v_1) / (c_01 + c_12 − c_02 − v_1) whatever the lags. B and P_0 are
told apart by what is lost from visit to visit: where nothing returns to the mean (A → 0), or nothing is carried over (A
without end), parameters go together or drop out.

**Source**: Voelkle, Oud, Davidov & Schmidt 2012, Psychol Methods 17:176 (panels in continuous time); Hamaker, Kuiper &
Grasman 2015, Psychol Methods 20:102 (stable differences between persons apart from the lags); Oehlert 1992, Am Stat
46:27 (delta method). The equations stand in `engine.continuous_time`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..describe._pairs import checked_level
from ..display import Shown, Table
from ..display.escape import for_terminal
from ..engine.continuous_time import ContinuousTime, Held, Jacobian
from ..engine.drift_search import Found, search, starts
from ..engine.multiplicity import t_quantile, two_sided_p
from ..engine.structural import StructuralFit, fit_structural
from ..errors import ModelError, StudyError, one_of
from ..estimates import About, Estimates, Policy
from ..estimates.margins import counted
from ..estimates.tabulation import in_sentence, tabulate
from ..models.representation import subjects
from ..notices import Notice, announce
from ._fitting import Wide, chosen, covariance_of, fit_sentence, trouble

__all__ = ["ContinuousTimeFit", "continuous_time", "drift", "drift_residuals", "lags"]

Array = NDArray[np.float64]
MEANS: Mapping[str, str] = {
    "visit": "Means are free at every visit, so the help in between, and whatever else came with time, is in them.",
    "shift": "The means shift once, after the first visit, and then stay: that is how the help in between is taken.",
}
"""How the intervention stands in the means."""
EQUAL_RATES = 1e-3
"""Difference of log rates below which a search has come to the border of processes that swing."""
AT_BOUND = 1e-4
"""Standard errors no larger are those of a coefficient that a rate at its bound has made 0."""
MODEL = (
    "One drift matrix stands behind all lags: processes that return to their means at constant rates, with new "
    "disturbances at a constant pace from the first visit to the last. The first visit itself need not be in balance: "
    "its variances and covariances are free."
)
REAL = (
    "Only rates of return that are real are allowed (the drift is a rotated triangular matrix with negative diagonal): "
    "the eigenvalues of the autoregression lie between 0 and 1 at every lag, and nothing swings."
)
WITHIN = (
    "Stable differences between persons are kept apart, so the lags are about departures from a person's own level."
)
MIXED = (
    "Without random intercepts, stable differences between persons are mixed into the lags: what is carried over then "
    "looks longer-lasting than it is within a person."
)
EQUAL = "Every person is taken to be seen at the nominal years of the visit."
ASSOCIATED = (
    "A lag tells what a difference at one time is associated with later, other outcomes alike; causes are not shown."
)
HELD_NOTE = (
    "Nothing was seen to be carried over in {held} of {P} directions; the rate is at its bound there, and drift, "
    "diffusion and lags below the shortest gap have no value; what is at a bound does not count among the parameters "
    "of the fit."
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ContinuousTimeFit(Shown):
    """A fitted panel in continuous time.

    Attributes
    ----------
    panel : ContinuousTime
        Times and parameters.
    theta : array (q,)
        All parameters of the panel, those at a bound too.
    estimated : StructuralFit
        The fit, over the parameters that are not at a bound: log-likelihoods, covariances, fit indices.
    free : places of those parameters in theta
    outcomes : labels by name
    visit_years : years since baseline by visit
    seen : array (subjects,)
        Who has at least one score.
    n_held : rates at the bound of no carry-over
    notes : sentences that belong under every table of the fit
    notices : tuple of Notice
    policy : Policy
    """

    panel: ContinuousTime
    theta: Array
    estimated: StructuralFit
    free: NDArray[np.intp]
    outcomes: Mapping[str, str]
    visit_years: Mapping[str, float]
    seen: NDArray[np.bool_]
    n_held: int
    notes: tuple[str, ...]
    notices: tuple[Notice, ...]
    policy: Policy

    def _tables(self) -> tuple[Table, ...]:
        return (tabulate(drift(self)),)

    def __repr__(self) -> str:
        names = " and ".join(in_sentence(label) for label in self.outcomes.values())
        intercepts = "with" if self.panel.has_traits else "without"
        return for_terminal(
            f"<ContinuousTimeFit: {names}, {len(self.visit_years)} visits, {intercepts} random intercepts, "
            f"{subjects(int(self.seen.sum()), self.policy)}, {self.estimated.indices.df} df>"
        )

    @property
    def loglik(self) -> float:
        """The log-likelihood."""
        return self.estimated.loglik

    @property
    def converged(self) -> bool:
        """Whether gradient and Hessian were verified."""
        return self.estimated.verified


def continuous_time(
    cohort: Cohort,
    outcomes: str | Iterable[str] = ("coping", "exhaustion"),
    *,
    random_intercepts: bool = True,
    means: str = "visit",
    visits: Sequence[str] | None = None,
) -> ContinuousTimeFit:
    """One drift matrix for one or two outcomes over visits that need not be equally far apart.

    Parameters
    ----------
    cohort : Cohort
    outcomes : str or names
        One or two outcomes, or numeric covariates that were measured at each visit.
    random_intercepts : bool
        Whether stable differences between persons are kept apart from the lags; they take three visits.
    means : "visit" or "shift"
        A mean for each visit, or one before and one after the first visit (an intervention as a shift of the means).
    visits : names, optional
        All visits of the cohort where left out.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN`, `E-STUDY-OPTION`, `E-STUDY-VALUE`, `E-STUDY-VISITS`.
    ModelError
        `E-MODEL-NO-SPREAD`, `E-MODEL-NOT-IDENTIFIED`.

    Notes
    -----
    Searches begin at several places; of the maxima that a process in continuous time can have (diffusion and first
    covariance without negative variances in any direction) the highest is reported. Notices: `N-MODEL-DRIFT-BOUND`
    where nothing is carried over in some direction, or two rates are equal because the data would rather
    swing; `N-MODEL-IMPROPER-DRIFT` where places that no process can have fit
    better; `N-MODEL-NEGATIVE-VARIANCE`, `N-MODEL-NOT-CONVERGED`.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> continuous_time(example("villa_sana"), "exhaustion")
    <ContinuousTimeFit: emotional exhaustion, 3 visits, with random intercepts, 227 subjects, 2 df>
    """
    one_of("means", means, MEANS)
    names = (outcomes,) if isinstance(outcomes, str) else tuple(outcomes)
    if len(names) not in (1, 2):
        raise StudyError(
            "E-STUDY-VALUE",
            f"{len(names)} outcomes are named.",
            "A drift matrix is estimated for one or two.",
            "Name one or two outcomes, such as coping and exhaustion.",
        )
    wide = chosen(cohort, names, visits, least=3 if random_intercepts else 2)
    Y = np.swapaxes(wide.Y, 1, 2).reshape(len(wide.Y), -1)
    _refuse_constants(wide, Y)
    panel = ContinuousTime(
        times=tuple(float(year) for year in wide.years),
        n_processes=len(names),
        has_traits=random_intercepts,
        has_shift=means == "shift",
    )
    away = np.where(np.isnan(Y), 0.0, Y - np.nanmean(Y, axis=0))
    seen = (~np.isnan(Y)).astype(float)
    covariance = away.T @ away / np.maximum(seen.T @ seen, 1.0)
    begin = starts(panel, np.nanmean(Y, axis=0), covariance)
    found = search(Y, panel, begin)
    fit = fit_structural(Y, found.structure, start=found.theta)
    if not fit.identified:
        raise ModelError(
            "E-MODEL-NOT-IDENTIFIED",
            "The information matrix of the panel in continuous time is singular: other parameters fit as well.",
            "Traits, drift and the first visit are told apart by what is lost from visit to visit.",
            "Use one outcome, or random_intercepts=False.",
        )
    held = found.structure if isinstance(found.structure, Held) else None
    notices = _notices(found, fit, wide)
    announce(notices)
    return ContinuousTimeFit(
        panel=panel,
        theta=fit.theta if held is None else held.whole(fit.theta),
        estimated=fit,
        free=np.arange(panel.n_parameters) if held is None else held.free,
        outcomes=dict(zip(wide.names, wide.labels, strict=True)),
        visit_years=dict(zip(wide.visits, panel.times, strict=True)),
        seen=wide.seen,
        n_held=found.n_held,
        notes=_words(panel, means, found.n_held),
        notices=notices,
        policy=cohort.policy,
    )


def drift(
    fit: ContinuousTimeFit, *, at: Sequence[float] = (1.0, 2.0), vcov: str = "model", conf_level: float = 0.95
) -> Estimates:
    """The parameters of a panel in continuous time and the lags that follow from them.

    Parameters
    ----------
    fit : ContinuousTimeFit
    at : numbers
        Lags in years whose coefficients are told.
    vcov : "model" or "robust"
        Standard errors from the observed information, or Huber-White.
    conf_level : float

    Returns
    -------
    Estimates
        Kind "continuous_time", named by `quantity` and `term`: "drift" (A, per year), "lag of 1 year" (the coefficient
        of what is before the arrow), "diffusion" (Q, per year), "in the long run" (P_∞), "first visit" (P_0), "between
        persons" (B), and "mean" or "shift". Standard errors by the delta method; variances are not tested.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION`, `E-STUDY-VALUE`.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> found = drift(continuous_time(example("villa_sana"), "exhaustion")).frame
    >>> found["quantity"].tolist()[:4]
    ['drift', 'lag of 1 year', 'lag of 2 years', 'diffusion']
    """
    level = checked_level(conf_level)
    names = list(fit.outcomes)
    lower = [(names[i], names[j]) for i, j in zip(*np.tril_indices(len(names)), strict=True)]
    blocks: list[tuple[str, list[tuple[str, str]], Jacobian, bool]] = []
    arrows = [(to, source) for to in names for source in names]
    nothing = fit.n_held > 0
    blocks.append(("drift", arrows, _missing(fit.panel.drift_elements(fit.theta), nothing), True))
    blocks += [(_years(lag), arrows, _lag(fit, lag), True) for lag in _checked(at)]
    blocks.append(("diffusion", lower, _missing(fit.panel.diffusion_elements(fit.theta), nothing), False))
    blocks.append(("in the long run", lower, fit.panel.asymptotic_elements(fit.theta), False))
    parts = {"first visit": "P0", **({"between persons": "B"} if fit.panel.has_traits else {})}
    blocks += [(said, lower, _own(fit, fit.panel.part(name)), False) for said, name in parts.items()]
    rows = []
    for quantity, pairs, _, is_arrow in blocks:
        for to, source in pairs:
            rows.append((to, quantity, _term(fit, to, source, is_arrow), not is_arrow and to == source))
    blocks.append(("mean", [], _own(fit, fit.panel.part("means")), False))
    labels = list(fit.visit_years)
    told = (
        [("mean", labels[0]), ("shift", "after it")] if fit.panel.has_shift else [("mean", visit) for visit in labels]
    )
    rows += [(name, quantity, term, False) for quantity, term in told for name in names]
    about = _about(fit, "continuous_time", ("quantity", "term"), level, vcov)
    naming = {
        "outcome": [row[0] for row in rows],
        "quantity": [row[1] for row in rows],
        "term": [row[2] for row in rows],
    }
    untested = np.array([row[3] or row[1] == "mean" for row in rows])
    return _estimates(fit, naming, [block[2] for block in blocks], about, vcov, untested)


def lags(
    fit: ContinuousTimeFit, at: Sequence[float] | None = None, *, vcov: str = "model", conf_level: float = 0.95
) -> Estimates:
    """Autoregressive and cross-lagged coefficients exp(A·lag) at any lags.

    Parameters
    ----------
    fit : ContinuousTimeFit
    at : numbers, optional
        Lags in years; 24 up to the years from first to last visit where left out. Lags shorter
        than the shortest gap are an extrapolation by the model.
    vcov, conf_level
        As in `drift`.

    Returns
    -------
    Estimates
        Kind "lags", named by `from` and `lag`; the outcome is what the lag leads to. Intervals hold for each lag alone.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION`, `E-STUDY-VALUE`.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> found = lags(continuous_time(example("villa_sana"), "exhaustion"), [0.5, 1.0]).frame
    >>> bool(np.isclose(found["estimate"][0] ** 2, found["estimate"][1]))
    True
    """
    level = checked_level(conf_level)
    span = fit.panel.times[-1] - fit.panel.times[0]
    shortest = span / 24 if fit.n_held == 0 else _shortest(fit)
    chosen_lags = _checked(np.linspace(shortest, span, 24) if at is None else at)
    names = list(fit.outcomes)
    blocks = [_lag(fit, lag) for lag in chosen_lags]
    pairs = [(lag, to, source) for lag in chosen_lags for to in names for source in names]
    naming: dict[str, Sequence[object]] = {
        "outcome": [to for _, to, _ in pairs],
        "from": [fit.outcomes[source] for _, _, source in pairs],
        "lag": [lag for lag, _, _ in pairs],
    }
    about = _about(fit, "lags", ("from", "lag"), level, vcov)
    if min(chosen_lags) < _shortest(fit):
        said = f"Lags shorter than the shortest gap between visits ({_shortest(fit):g} years) are an extrapolation."
        about = replace(about, notes=(*about.notes, said))
    return _estimates(fit, naming, blocks, about, vcov, np.zeros(len(pairs), dtype=bool))


def drift_residuals(fit: ContinuousTimeFit) -> Estimates:
    """Where the model misses: observed minus implied correlations of all scores, observed ones by full information.

    Returns
    -------
    Estimates
        Kind "continuous_time_residuals", named by `term`: differences of covariances in units of the observed standard
        deviations, the largest first; without standard errors.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> len(drift_residuals(continuous_time(example("villa_sana"), "exhaustion")))
    6
    """
    found = fit.estimated
    sd = np.sqrt(np.diagonal(found.Sigma_saturated))
    gap = (found.Sigma_saturated - found.Sigma) / sd[:, None] / sd
    names = [(name, visit) for visit in fit.visit_years for name in fit.outcomes]
    i, j = np.tril_indices(len(names))
    order = np.argsort(-np.abs(gap[i, j]), kind="stable")
    i, j = i[order], j[order]
    term = [
        f"{_at(fit, names[a])}: variance" if a == b else f"{_at(fit, names[b])} with {in_sentence(_at(fit, names[a]))}"
        for a, b in zip(i, j, strict=True)
    ]
    nothing = np.full(len(i), np.nan)
    frame = pd.DataFrame(
        {
            "outcome": [names[a][0] for a in i],
            "term": term,
            "estimate": gap[i, j],
            **dict.fromkeys(("std_error", "df", "statistic", "p_value", "conf_low", "conf_high"), nothing),
            "n": int(fit.seen.sum()),
            "method": "FIML",
        }
    )
    about = _about(fit, "continuous_time_residuals", ("term",), 0.95, "model")
    vcov = np.full((len(frame), len(frame)), np.nan)
    return Estimates(frame=frame, vcov=vcov, about=about, notices=fit.notices, margins=counted([fit.seen] * len(frame)))


# ---- what stands behind ----------------------------------------------------------------------------------------------


def _estimates(
    fit: ContinuousTimeFit,
    naming: Mapping[str, Sequence[object]],
    blocks: Sequence[Jacobian],
    about: About,
    vcov: str,
    untested: NDArray[np.bool_],
) -> Estimates:
    value = np.concatenate([block.value for block in blocks])
    G = np.concatenate([block.change[fit.free] for block in blocks], axis=1)
    V = G.T @ covariance_of(fit.estimated, vcov)[0] @ G
    error = np.sqrt(np.maximum(np.diag(V), 0.0))
    error = np.where(error > AT_BOUND, error, np.nan)  # what a bound fixes has no error of its own
    infinite = np.full(len(value), np.inf)
    half = t_quantile(about.conf_level, infinite) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(untested, np.nan, value / error)
    frame = pd.DataFrame(
        {
            **naming,
            "estimate": value,
            "std_error": error,
            "df": infinite,
            "statistic": statistic,
            "p_value": two_sided_p(statistic, infinite),
            "conf_low": value - half,
            "conf_high": value + half,
            "n": int(fit.seen.sum()),
            "method": "FIML",
        }
    )
    return Estimates(frame=frame, vcov=V, about=about, notices=fit.notices, margins=counted([fit.seen] * len(frame)))


def _about(fit: ContinuousTimeFit, kind: str, factors: tuple[str, ...], level: float, vcov: str) -> About:
    _, said = covariance_of(fit.estimated, vcov)
    return About(
        kind=kind,
        outcomes=fit.outcomes,
        visit_years=fit.visit_years,
        factors=factors,
        conf_level=level,
        df_method="asymptotic",
        vcov=vcov,
        notes=(
            *fit.notes,
            f"{said[:1].upper()}{said[1:]}.",
            fit_sentence(fit.estimated),
            *(notice.message for notice in fit.notices),
        ),
        policy=fit.policy,
    )


def _words(panel: ContinuousTime, means: str, n_held: int) -> tuple[str, ...]:
    P, D = panel.n_processes, panel.n_observed
    half = P * (P + 1) // 2
    counts = f"drift {P * P}, diffusion {half}, first visit {half}"
    counts += f", stable differences {half}" if panel.has_traits else ""
    several = f"{len(panel.times)} visits of {P} outcome{'s' if P > 1 else ''}"
    known = (
        f"{several} have {D * (D + 1) // 2} variances and covariances; the model uses {panel.n_covariance} ({counts})."
    )
    held = (HELD_NOTE.format(held=n_held, P=P),) if n_held else ()
    within = WITHIN if panel.has_traits else MIXED
    fiml = "Missing scores are taken to be missing at random given all scores in the model, and scores to be normal."
    return (MODEL, REAL, within, MEANS[means], known, *held, EQUAL, fiml, ASSOCIATED)


def _notices(found: Found, fit: StructuralFit, wide: Wide) -> tuple[Notice, ...]:
    named = " and ".join(in_sentence(label) for label in wide.labels)
    notices = list(trouble(fit, f"the panel of {named} in continuous time"))
    if found.n_held:
        notices.append(
            Notice(
                "N-MODEL-DRIFT-BOUND",
                f"In {found.n_held} of {len(wide.names)} directions nothing of {named} is carried over from visit to "
                "visit: the likelihood rises as the rate of return grows without end.",
                "Read the lags as 0 there; drift and diffusion have no value. Standard errors take the bound as known.",
            )
        )
    rates = found.theta[: len(wide.names)]
    if not found.n_held and len(rates) == 2 and abs(rates[1] - rates[0]) < EQUAL_RATES:
        notices.append(
            Notice(
                "N-MODEL-DRIFT-BOUND",
                f"The two rates of return of {named} come out equal: the likelihood is higher where they are not real "
                "and departures swing back and forth, which the model leaves out.",
                "Do not use the standard errors; rates that are real are a poor account of these data.",
            )
        )
    if found.is_maximum and not found.is_proper:
        notices.append(
            Notice(
                "N-MODEL-IMPROPER-DRIFT",
                f"No process in continuous time has the covariances at which the likelihood of {named} is highest: the "
                "disturbances would have a negative variance in some direction.",
                "Do not read the diffusion; compare with random_intercepts=False, and with random_intercept().",
            )
        )
    elif found.higher > 1e-4:
        notices.append(
            Notice(
                "N-MODEL-IMPROPER-DRIFT",
                f"The log-likelihood of {named} is {found.higher:.2f} higher where no process in continuous time can "
                "be, with disturbances of negative variance in some direction; the highest proper maximum is reported.",
                "The data do not look like one process with a constant drift: see the fit and drift_residuals().",
            )
        )
    return tuple(notices)


def _refuse_constants(wide: Wide, Y: Array) -> None:
    for column, at in zip(Y.T, range(Y.shape[1]), strict=True):
        if len(np.unique(column[~np.isnan(column)])) < 2:
            name = wide.labels[at % len(wide.names)]
            raise ModelError(
                "E-MODEL-NO-SPREAD",
                f"{name} does not vary at {wide.visits[at // len(wide.names)]}.",
                "Variances and covariances need scores that differ between persons at every visit used.",
                "Leave out the visit or the column.",
            )


def _checked(at: Iterable[float]) -> tuple[float, ...]:
    found = tuple(float(lag) for lag in at)
    if not found or not all(np.isfinite(lag) and lag > 0 for lag in found):
        raise StudyError(
            "E-STUDY-VALUE",
            f"The lags asked for are {', '.join(f'{lag:g}' for lag in found) or 'none'}.",
            "A lag is a number of years above 0.",
            "Write for example at=[1, 2].",
        )
    return found


def _shortest(fit: ContinuousTimeFit) -> float:
    return float(np.diff(fit.panel.times).min())


def _lag(fit: ContinuousTimeFit, lag: float) -> Jacobian:
    """vec exp(A·lag); where a rate is at its bound, lags below the shortest gap have no value."""
    return _missing(fit.panel.lag_elements(fit.theta, lag), fit.n_held > 0 and lag < _shortest(fit) * (1 - 1e-9))


def _years(lag: float) -> str:
    return f"lag of {lag:g} year{'' if lag == 1 else 's'}"


def _own(fit: ContinuousTimeFit, part: slice) -> Jacobian:
    q = len(fit.theta)
    return Jacobian(fit.theta[part], np.eye(q)[:, part])


def _missing(found: Jacobian, is_missing: bool) -> Jacobian:
    return Jacobian(np.full_like(found.value, np.nan), found.change * np.nan) if is_missing else found


def _term(fit: ContinuousTimeFit, to: str, source: str, is_arrow: bool) -> str:
    if is_arrow:
        return f"{fit.outcomes[source]} → {in_sentence(fit.outcomes[to])}"
    return "variance" if to == source else f"covariance with {in_sentence(fit.outcomes[source])}"


def _at(fit: ContinuousTimeFit, node: tuple[str, str]) -> str:
    return f"{fit.outcomes[node[0]]} at {node[1]}"
