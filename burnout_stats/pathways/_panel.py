"""Two outcomes over two visits or more: cross-lagged, synchronous and random-intercept cross-lagged panel models.

With x and y of a person at visits 0, 1, ..., and u, v correlated within a visit,

    cross-lagged         x_k = α_k x_{k−1} + β_k y_{k−1} + u_k        y_k = γ_k x_{k−1} + δ_k y_{k−1} + v_k
    synchronous          x_1 = α x_0 + β y_1 + u                      y_1 = γ x_1 + δ y_0 + v
    random intercepts    x_k = μ_k + ξ + x*_k,   y_k = ν_k + η + y*_k,   and the cross-lagged equations for x*, y*

Means are free. Two waves have 10 variances and covariances, and both two-wave models use 10: they fit alike, whatever
the data. In the synchronous model x_0 serves as an instrument for x_1, and y_0 for y_1. Random intercepts with three
waves use 20 of 21.

**Source**: Finkel 1995, Causal Analysis with Panel Data, chapters 2-3 (cross-lagged and synchronous models); Hamaker,
Kuiper & Grasman 2015, Psychol Methods 20:102 (random intercepts).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..cohort import Cohort
from ..errors import StudyError, one_of
from ..estimates.tabulation import in_sentence
from ._artefact import checked, flagged
from ._nodes import between, within
from ._panel_data import PanelData
from ._path_fit import PathFit

__all__ = ["cross_lagged", "random_intercept", "synchronous"]

DIRECTIONS: Mapping[str, str] = {
    "both": "x and y at the second visit point to each other",
    "x_to_y": "x points to y",
    "y_to_x": "y points to x",
}
TWO_WAVES = (
    "Cross-lagged and synchronous models of two visits each use all 10 variances and covariances. They fit alike, so "
    "data of two visits cannot tell which family is right."
)
INSTRUMENTS = (
    "Synchronous paths rest on the assumption that the first score of either outcome is associated with the second "
    "score of the other one only through that outcome's own second score."
)
ONE_WAY = "No path leads from {to} to {source} at the second visit: an assumption."
OWN_LAGS = "Paths over different lengths of time ({gaps}) are not held equal."
MIXED = (
    "Without random intercepts a cross-lagged path mixes differences between persons that last with changes "
    "within persons."
)
WITHIN_PERSONS = (
    "Paths are those of deviations from a person's own level. The random intercepts are assumed to weigh the same at "
    "all visits, and to be unrelated to the deviations."
)
ALMOST = "Three visits of two outcomes just suffice: {used} of {known} variances and covariances are used."


def cross_lagged(
    cohort: Cohort,
    x: str,
    y: str,
    *,
    waves: int | None = None,
    visits: Sequence[str] | None = None,
    covariates: Sequence[str] = (),
) -> PathFit:
    """Each outcome at a visit on both outcomes at the visit before.

    Each cross-lagged path comes with its artefact check (`artefact_check`); a notice says where the checks disagree.

    Parameters
    ----------
    cohort : Cohort
    x, y : str
        Outcomes, or numeric covariates that were measured at each visit.
    waves : int, optional
        The first so many visits, 2 where neither is given.
    visits : names, optional
        Which visits, in place of `waves`.
    covariates : names
        Properties of persons, as known at baseline; a factor gives a variable for each level after the first.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN`, `E-STUDY-VISITS`, `E-STUDY-VALUE`.
    ModelError
        `E-MODEL-NO-SPREAD`, `E-MODEL-NOT-IDENTIFIED`.

    **Source**: Finkel 1995, chapter 3; Sorjonen 2025, Front Psychol 16:1618120, for the checks.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> cross_lagged(example("villa_sana"), "depression", "anxiety")
    <PathFit: cross-lagged model of depression and anxiety, 2 visits, 227 subjects, 0 df>
    """
    data = PanelData.of(cohort, x, y, _visits(cohort, visits, waves, 2), covariates)
    last = len(data.visits) - 1
    paths: dict[tuple[str, str], float | str] = {}
    for k in range(last):
        for to in (data.x(k + 1), data.y(k + 1)):
            for source in (data.x(k), data.y(k), *data.covariates):
                paths[to, source] = f"{to} on {source}"
    gaps = [later - earlier for earlier, later in zip(data.years, data.years[1:], strict=False)]
    notes = [MIXED, *([TWO_WAVES] if last == 1 else [OWN_LAGS.format(gaps=_gaps(gaps))] if len(set(gaps)) > 1 else [])]
    found = flagged([checked(data.wide, (k, k + 1), data.Z) for k in range(last)], data.outcomes)
    told = () if found is None else (found,)
    return data.fit("cross-lagged", paths, {}, (), notes, told)


def synchronous(
    cohort: Cohort,
    x: str,
    y: str,
    *,
    visits: Sequence[str] | None = None,
    covariates: Sequence[str] = (),
    direction: str = "both",
    residual_covariance: bool = True,
) -> PathFit:
    """Each outcome at the second of two visits on its own first score and on the other outcome at the second visit.

    Parameters
    ----------
    cohort : Cohort
    x, y : str
    visits : two names, optional
        The first two visits where left out.
    covariates : names
        As in `cross_lagged`.
    direction : "both", "x_to_y" or "y_to_x"
        Which of the two synchronous paths there are.
    residual_covariance : bool
        Whether what is left of both outcomes at the second visit may go together. Without it the model is tested
        against the data on the strength of that assumption alone.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN`, `E-STUDY-VISITS`, `E-STUDY-VALUE`, `E-STUDY-OPTION`.
    ModelError
        `E-MODEL-NO-SPREAD`, `E-MODEL-NOT-IDENTIFIED`.

    **Source**: Finkel 1995, chapter 3.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> synchronous(example("villa_sana"), "job_stress", "exhaustion", direction="x_to_y").df
    1
    """
    one_of("direction", direction, DIRECTIONS)
    labels = _visits(cohort, visits, None, 2)
    if len(labels) != 2:
        raise StudyError(
            "E-STUDY-VISITS",
            f"A synchronous model is asked of {len(labels)} visits.",
            "It is a model of two visits.",
            "Name two visits, or use cross_lagged() for more.",
        )
    data = PanelData.of(cohort, x, y, labels, covariates)
    paths: dict[tuple[str, str], float | str] = {}
    ends = ((data.x(1), data.x(0), data.y(1), "y_to_x"), (data.y(1), data.y(0), data.x(1), "x_to_y"))
    for to, own, other, way in ends:
        sources = [own, *([other] if direction in {"both", way} else []), *data.covariates]
        paths |= {(to, source): f"{to} on {source}" for source in sources}
    notes = [INSTRUMENTS, TWO_WAVES] if direction == "both" and residual_covariance else [INSTRUMENTS]
    if direction != "both":
        source, to = (x, y) if direction == "x_to_y" else (y, x)
        named = {name: in_sentence(data.outcomes[name]) for name in (x, y)}
        notes.append(ONE_WAY.format(to=named[to], source=named[source]))
    if not residual_covariance:
        notes.append("What is left of both outcomes at the second visit is assumed not to go together.")
    fixed = {} if residual_covariance else {(data.x(1), data.y(1)): 0.0}
    return data.fit("synchronous", paths, fixed, (), notes, ())


def random_intercept(cohort: Cohort, x: str, y: str, *, visits: Sequence[str] | None = None) -> PathFit:
    """Cross-lagged paths between deviations from each person's own level, over three visits or more.

    Parameters
    ----------
    cohort : Cohort
    x, y : str
    visits : names, optional
        Three or more; all visits of the cohort where left out. Lags of different length are not held equal.

    Returns
    -------
    PathFit
        With the notice `N-MODEL-NEGATIVE-VARIANCE` where a variance, such as that between persons, is estimated below
        0.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN`, `E-STUDY-VISITS`, `E-STUDY-VALUE`.
    ModelError
        `E-MODEL-NO-SPREAD`, `E-MODEL-NOT-IDENTIFIED`.

    **Source**: Hamaker, Kuiper & Grasman 2015, Psychol Methods 20:102; Mulder & Hamaker 2021, Struct Equ
    Modeling 28:638.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> random_intercept(example("villa_sana"), "depression", "anxiety").df
    1
    """
    labels = _visits(cohort, visits, None, len(cohort.visits))
    if len(labels) < 3:
        raise StudyError(
            "E-STUDY-VISITS",
            f"Random intercepts and lags are asked of {len(labels)} visits.",
            "To tell what lasts between persons from what carries over within them takes three visits.",
            "Use cross_lagged(), which does not tell them apart.",
        )
    data = PanelData.of(cohort, x, y, labels, ())
    paths: dict[tuple[str, str], float | str] = {}
    for name, of in ((x, data.x), (y, data.y)):
        for k in range(len(labels)):
            paths[of(k), f"{name} between"] = 1.0
            paths[of(k), f"{of(k)} within"] = 1.0
    for k in range(len(labels) - 1):
        for to in (data.x(k + 1), data.y(k + 1)):
            for source in (data.x(k), data.y(k)):
                paths[f"{to} within", f"{source} within"] = f"{to} on {source}"
    latent = (
        between(x, data.outcomes[x]),
        between(y, data.outcomes[y]),
        *(within(name, data.outcomes[name], visit) for name in (x, y) for visit in labels),
    )
    gaps = [later - earlier for earlier, later in zip(data.years, data.years[1:], strict=False)]
    notes = [WITHIN_PERSONS, *([OWN_LAGS.format(gaps=_gaps(gaps))] if len(set(gaps)) > 1 else [])]
    K = 2 * len(labels)
    known = K * (K + 1) // 2
    if len(labels) == 3:
        notes.append(ALMOST.format(used=known - 1, known=known))
    return data.fit("random-intercept", paths, {}, latent, notes, ())


def _gaps(gaps: Sequence[float]) -> str:
    return ", ".join(f"{gap:g} year{'' if gap == 1 else 's'}" for gap in gaps)


def _visits(cohort: Cohort, visits: Sequence[str] | None, waves: int | None, default: int) -> tuple[str, ...]:
    if visits is not None and waves is not None:
        raise StudyError(
            "E-STUDY-VISITS",
            "Both `waves` and `visits` are given.",
            "`waves` takes the first visits, `visits` names them.",
            "Give one of the two.",
        )
    if visits is not None:
        return tuple(visits)
    k = default if waves is None else waves
    own = cohort.visits.labels
    if not 2 <= k <= len(own):
        raise StudyError(
            "E-STUDY-VISITS",
            f"{k} visits would be used; the cohort has {len(own)}.",
            "A panel model needs two visits or more.",
            "Give `waves` between 2 and the number of visits.",
        )
    return own[:k]
