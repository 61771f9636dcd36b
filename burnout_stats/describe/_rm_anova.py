"""Repeated-measures analysis of variance of those seen at every visit, as papers of the time report it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ..cohort import Cohort
from ..engine.rm_anova import Effect, RmAnova, eta_limits, from_printed, within_sums
from ..engine.rm_anova import rm_anova as analysis
from ..errors import DataError, StudyError, one_of
from ..estimates import About, Estimates
from ._groups import Groups, groups_of
from ._pairs import by_subject, checked_level, estimates_of, pair_label, pairs_of_visits, printed_about

__all__ = [
    "rm_anova",
    "rm_anova_contrasts",
    "rm_anova_from_printed",
    "rm_anova_from_summaries",
    "sphericity",
    "sphericity_from_summaries",
]

Array = NDArray[np.float64]

CORRECTIONS: Mapping[str, str] = {
    "greenhouse-geisser": "Greenhouse and Geisser's epsilon",
    "huynh-feldt": "Huynh and Feldt's epsilon as published in 1976, which with groups is too large",
    "lecoutre": "Huynh and Feldt's epsilon with Lecoutre's correction",
    "none": "no correction, which takes sphericity for granted",
}
ETA: Mapping[str, str] = {
    "partial": "Partial eta squared, with the noncentral F interval before the correction (Steiger 2004)",
    "generalized": "Generalized eta squared (Olejnik and Algina 2003; groups are measured, not assigned)",
}
CONTRAST_NOTE = (
    "Differences between visits of those seen at every visit, each with its own error; groups count alike whatever "
    "their sizes."
)


def rm_anova(
    cohort: Cohort,
    outcome: str,
    *,
    within: str = "visit",
    between: str | None = None,
    correction: str = "greenhouse-geisser",
    eta: str = "partial",
    conf_level: float = 0.90,
) -> Estimates:
    """F tests of the visits, and with groups of the groups and of their different courses, in complete cases.

    A mixed model (`MMRM`) uses everyone; this is the analysis that older papers report, which leaves out all who missed
    a visit. A notice in words stands under the table.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
    within : "visit"
        The only factor within persons that a cohort has.
    between : str, optional
        A categorical covariate. Its groups count alike, whatever their sizes (Type III, as SPSS does).
    correction : "greenhouse-geisser", "huynh-feldt", "lecoutre" or "none"
        By what ε the degrees of freedom of the visits are multiplied.
    eta : "partial" or "generalized"
        What `estimate` is.
    conf_level : float
        Of partial eta squared; 0.90 goes with a test at 0.05, since it cannot be negative.

    Returns
    -------
    Estimates
        Kind "rm_anova": a row for each `term`; `statistic` is F, `num_df` and `df` are corrected.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN`, `E-STUDY-OPTION`, `E-STUDY-VALUE`, `E-STUDY-VISITS`.
    DataError
        `E-DATA-INCOMPLETE` where too few were seen at every visit.

    **Source**: as in `engine.rm_anova`.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> rm_anova(example("villa_sana"), "exhaustion").frame[["term", "n"]].to_numpy().tolist()
    [['visit', 169.0]]
    """
    one_of("within", within, ["visit"])
    one_of("correction", correction, CORRECTIONS)
    one_of("eta", eta, ETA)
    checked_level(conf_level)
    scores, groups, whole, about = _complete(cohort, outcome, between, "rm_anova", conf_level, ("term",))
    sizes, means, E = within_sums(scores, groups.codes)
    names = ("visit", between or "", f"visit:{between}")
    rows = _rows(analysis(sizes, means, E), outcome, names, len(scores), correction, eta, conf_level)
    about = _with_notes(about, (f"Correction: {CORRECTIONS[correction]}.", f"{ETA[eta]}."))
    return estimates_of(rows, about, tests="F", cells=[sizes] * len(rows), counts=[whole] * len(rows))


def sphericity(cohort: Cohort, outcome: str, *, between: str | None = None) -> Estimates:
    """How far the visits are from sphericity: the epsilons, and Mauchly's test.

    Returns
    -------
    Estimates
        Kind "sphericity": rows `measure` "Greenhouse-Geisser epsilon", "Huynh-Feldt epsilon", "Lecoutre epsilon",
        "lower bound of epsilon" and "Mauchly's W"; the last has a chi-square as `statistic`, with `df` and p.

    Raises
    ------
    StudyError, DataError
        As in `describe.rm_anova`.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> sphericity(example("villa_sana"), "exhaustion").frame["measure"].tolist()[0]
    'Greenhouse-Geisser epsilon'
    """
    scores, groups, whole, about = _complete(cohort, outcome, between, "sphericity", 0.95, ("measure",))
    sizes, means, E = within_sums(scores, groups.codes)
    rows = _sphericity_rows(analysis(sizes, means, E), outcome, len(scores))
    return estimates_of(rows, about, cells=[sizes] * len(rows), counts=[whole] * len(rows))


def rm_anova_contrasts(
    cohort: Cohort,
    outcome: str,
    *,
    between: str | None = None,
    visits: str = "consecutive",
    conf_level: float = 0.95,
) -> Estimates:
    """Differences between visits in the same complete cases, each tested against its own error.

    Parameters
    ----------
    visits : "consecutive", "vs_baseline" or "all_pairs"
        "consecutive" are the contrasts baseline to 1 year and 1 year to 3 years.

    Returns
    -------
    Estimates
        Kind "change". F(1, df) of the printed contrasts is t².

    Raises
    ------
    StudyError, DataError
        As in `describe.rm_anova`.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> rm_anova_contrasts(example("villa_sana"), "exhaustion").frame["contrast"].tolist()
    ['1 year - baseline', '3 years - 1 year']
    """
    checked_level(conf_level)
    pairs = pairs_of_visits(cohort, visits)
    scores, groups, whole, about = _complete(cohort, outcome, between, "change", conf_level, ("contrast",))
    sizes, means, E = within_sums(scores, groups.codes)
    nu = float(sizes.sum() - len(sizes))
    rows: list[dict[str, object]] = []
    for earlier, later in pairs:
        step = np.zeros(len(E))
        step[later], step[earlier] = 1.0, -1.0
        estimate = float((means @ step).mean())
        error = float(np.sqrt(step @ E @ step / nu * (1 / sizes).sum())) / len(sizes)
        t = estimate / error if error > 0 else np.nan
        margin = float(special.stdtrit(nu, (1 + conf_level) / 2)) * error
        rows.append(
            {
                "outcome": outcome,
                "contrast": pair_label(cohort, (earlier, later)),
                "estimate": estimate,
                "std_error": error,
                "df": nu,
                "statistic": t,
                "p_value": float(2 * special.stdtr(nu, -abs(t))),
                "conf_low": estimate - margin,
                "conf_high": estimate + margin,
                "n": len(scores),
                "method": "rm-anova contrast",
            }
        )
    about = _with_notes(about, (CONTRAST_NOTE,))
    return estimates_of(rows, about, cells=[sizes] * len(rows), counts=[whole] * len(rows))


def _complete(
    cohort: Cohort, outcome: str, between: str | None, kind: str, conf_level: float, factors: tuple[str, ...]
) -> tuple[Array, Groups, NDArray[np.bool_], About]:
    """Scores of those seen at every visit and known by group, their groups, who they are, and what is said of them."""
    role = cohort.outcome(outcome)
    pairs_of_visits(cohort, "consecutive")
    groups = groups_of(cohort, between)
    levels = () if between is None else cohort.covariate_roles[between].levels or ()
    wide = by_subject(cohort, outcome)
    whole = np.asarray(~np.isnan(wide).any(axis=1))
    if between is not None:
        whole = whole & (groups.codes < len(levels))
    used, codes = np.unique(groups.codes[whole], return_inverse=True)
    n, k = int(whole.sum()), wide.shape[1]
    if n - len(used) < k - 1 or n < 2:
        raise DataError(
            "E-DATA-INCOMPLETE",
            f"{n} subjects were seen at all {k} visits with a value of `{outcome}`"
            + (f", in {len(used)} groups of `{between}`." if between else "."),
            f"Repeated-measures analysis of variance uses those alone, and needs at least {len(used) + k - 1}.",
            "Fit a mixed model, which uses every visit that was observed: bs.MMRM(...).",
        )
    left_out = cohort.n_subjects - n
    notes = (
        f"Complete cases: {n} of {cohort.n_subjects} subjects; {left_out} left out, who missed a visit"
        + (f" or whose {between} is not known." if between else "."),
    )
    about = About(
        kind=kind,
        outcomes={outcome: role.label},
        units={outcome: role.unit} if role.unit else {},
        better={outcome: role.better} if role.better else {},
        visit_years=cohort.visits.by_label(),
        factors=factors,
        conf_level=conf_level,
        notes=notes if min(n, left_out or n) >= cohort.policy.min_cell else ("Complete cases.",),
        policy=cohort.policy,
    )
    names = tuple(groups.levels[code] for code in used)
    return wide[whole], Groups(by=groups.by, levels=names, codes=codes.astype(np.int64)), whole, about


def _with_notes(about: About, notes: tuple[str, ...]) -> About:
    return replace(about, notes=(*about.notes, *notes))


def _rows(
    found: RmAnova, outcome: str, names: tuple[str, str, str], n: float, correction: str, eta: str, conf_level: float
) -> list[dict[str, object]]:
    epsilon = {
        "greenhouse-geisser": found.sphericity.greenhouse_geisser,
        "huynh-feldt": found.sphericity.huynh_feldt,
        "lecoutre": found.sphericity.lecoutre,
        "none": 1.0,
    }[correction]
    rows = []
    for name, effect in zip(names, (found.within, found.between, found.interaction), strict=True):
        if effect is not None:
            row = _test_row(found, effect, epsilon if effect.is_within else 1.0, eta, conf_level)
            rows.append({"outcome": outcome, "term": name, **row, "n": n, "method": f"rm-anova, {correction}"})
    return rows


def _test_row(found: RmAnova, effect: Effect, epsilon: float, eta: str, conf_level: float) -> dict[str, object]:
    num_df, df = epsilon * effect.num_df, epsilon * effect.df
    row: dict[str, object] = {
        "num_df": num_df,
        "df": df,
        "statistic": effect.F,
        "p_value": float(special.fdtrc(num_df, df, effect.F)),
    }
    if eta == "generalized":
        return row | {"estimate": found.generalized_eta_squared(effect)}
    low, high = eta_limits(effect.F, effect.num_df, effect.df, conf_level=conf_level)
    return row | {"estimate": effect.partial_eta_squared, "conf_low": low, "conf_high": high}


def _sphericity_rows(found: RmAnova, outcome: str, n: float) -> list[dict[str, object]]:
    s = found.sphericity
    epsilons = {
        "Greenhouse-Geisser epsilon": s.greenhouse_geisser,
        "Huynh-Feldt epsilon": s.huynh_feldt,
        "Lecoutre epsilon": s.lecoutre,
        "lower bound of epsilon": s.lower_bound,
    }
    rows: list[dict[str, object]] = [
        {"outcome": outcome, "measure": name, "estimate": value, "n": n, "method": "sphericity"}
        for name, value in epsilons.items()
    ]
    test: dict[str, object] = {"statistic": s.chi_square, "df": s.df, "p_value": s.p_value}
    last: dict[str, object] = {"outcome": outcome, "measure": "Mauchly's W", "estimate": s.W, "n": n}
    return [*rows, last | test | {"method": "mauchly"}]


# ---- from published summaries --------------------------------------------------------------------------------------


def rm_anova_from_summaries(
    means: Sequence[float],
    sds: Sequence[float],
    correlations: ArrayLike,
    n: int,
    *,
    correction: str = "greenhouse-geisser",
    eta: str = "partial",
    outcome: str = "score",
    conf_level: float = 0.90,
) -> Estimates:
    """The F test of the visits from the means, SDs and correlations of n complete cases.

    Parameters
    ----------
    means, sds : one for each visit
    correlations : array (visits × visits), or those above the diagonal row by row: r01, r02, r12
    n : persons, all seen at every visit
    correction, eta, conf_level : as in `describe.rm_anova`

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` where the numbers have other lengths, or no scores can have these correlations.

    Examples
    --------
    Numbers like those of Villa Sana (the correlations between visits were not printed):

    >>> found = rm_anova_from_summaries([3.00, 2.53, 2.40], [0.94, 0.76, 0.8], [0.40, 0.31, 0.50], 147)
    >>> round(float(found.frame.loc[0, "statistic"]), 1), round(float(found.frame.loc[0, "df"]), 1)
    (34.4, 266.9)
    """
    one_of("correction", correction, CORRECTIONS)
    one_of("eta", eta, ETA)
    checked_level(conf_level)
    found = _from_summaries(means, sds, correlations, n)
    notes = (f"Correction: {CORRECTIONS[correction]}.", f"{ETA[eta]}.", "From printed summaries of complete cases.")
    rows = _rows(found, outcome, ("visit", "", ""), float(n), correction, eta, conf_level)
    return estimates_of(rows, printed_about("rm_anova", outcome, ("term",), conf_level, notes), tests="F")


def sphericity_from_summaries(
    sds: Sequence[float], correlations: ArrayLike, n: int, *, outcome: str = "score"
) -> Estimates:
    """The epsilons and Mauchly's test from the SDs and correlations of n complete cases.

    Raises
    ------
    StudyError
        As in `describe.rm_anova_from_summaries`.

    Examples
    --------
    >>> found = sphericity_from_summaries([0.94, 0.76, 0.8], [0.40, 0.31, 0.50], 147).frame
    >>> round(float(found.loc[0, "estimate"]), 2)
    0.91
    """
    found = _from_summaries([0.0] * len(sds), sds, correlations, n)
    about = printed_about("sphericity", outcome, ("measure",), 0.95, ("From printed summaries of complete cases.",))
    return estimates_of(_sphericity_rows(found, outcome, float(n)), about)


def rm_anova_from_printed(
    statistic: float,
    df: float,
    n: int,
    *,
    visits: int,
    groups: int = 1,
    outcome: str = "score",
    conf_level: float = 0.90,
) -> Estimates:
    """What a printed F with fractional degrees of freedom tells: ε and partial eta squared.

    Parameters
    ----------
    statistic, df : F and its second degrees of freedom, which are printed with more digits than the first
    n : complete cases
    visits, groups : how many

    Returns
    -------
    Estimates
        Kind "rm_anova", one row: `estimate` is partial eta squared, `num_df` the unrounded first degrees of freedom;
        the note tells ε.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` where no ε between 1/(visits - 1) and 1 gives these degrees of freedom.

    Examples
    --------
    F(1.8, 267.0) = 33.1, n = 147 (BMC Public Health 2010;10:213):

    >>> found = rm_anova_from_printed(33.1, 267.0, 147, visits=3)
    >>> (
    ...     round(float(found.frame.loc[0, "estimate"]), 3),
    ...     round(float(found.frame.loc[0, "num_df"]), 3),
    ...     found.about.notes[0],
    ... )
    (0.185, 1.829, 'From the printed F and its degrees of freedom: epsilon 0.914.')
    """
    checked_level(conf_level)
    if n <= groups or visits < 2 or not statistic >= 0:
        epsilon, num_df, eta = np.nan, np.nan, np.nan
    else:
        epsilon, num_df, eta = from_printed(statistic, df, n, visits, groups)
    if not 1 / max(visits - 1, 1) - 0.005 <= epsilon <= 1.005:
        raise StudyError(
            "E-STUDY-VALUE",
            f"F is {statistic:g} on {df:g} second degrees of freedom, {n} persons, {visits} visits, {groups} groups.",
            f"ε = df / ((visits - 1)(n - groups)) lies between 1/(visits - 1) and 1; here it is {epsilon:.3g}.",
            "Check n, which is the number of complete cases, and which degrees of freedom were printed.",
        )
    low, high = eta_limits(statistic, num_df / epsilon, df / epsilon, conf_level=conf_level)
    row = {
        "outcome": outcome,
        "term": "visit",
        "estimate": eta,
        "num_df": num_df,
        "df": df,
        "statistic": statistic,
        "p_value": float(special.fdtrc(num_df, df, statistic)),
        "conf_low": low,
        "conf_high": high,
        "n": n,
        "method": "rm-anova, as printed",
    }
    notes = (f"From the printed F and its degrees of freedom: epsilon {epsilon:.3f}.", f"{ETA['partial']}.")
    return estimates_of([row], printed_about("rm_anova", outcome, ("term",), conf_level, notes), tests="F")


def _from_summaries(means: Sequence[float], sds: Sequence[float], correlations: ArrayLike, n: int) -> RmAnova:
    m, s, r = (np.asarray(values, dtype=float) for values in (means, sds, correlations))
    k = len(s)
    R = r
    if r.ndim == 1 and len(r) == k * (k - 1) // 2:
        R = np.eye(k)
        R[np.triu_indices(k, 1)] = r
        R = R + np.triu(R, 1).T
    fits = m.shape == (k,) and R.shape == (k, k) and k > 1 and n > k
    if not fits or not (s > 0).all() or not np.allclose(R, R.T) or np.linalg.eigvalsh(R)[0] < -1e-9:
        raise StudyError(
            "E-STUDY-VALUE",
            f"There are {len(m)} means, {k} SDs, correlations of shape {r.shape}, and n = {n}.",
            "Each visit has a mean and an SD above 0, each pair of visits a correlation, and together they are of "
            "some scores; n is larger than the number of visits.",
            "Write for three visits correlations=[r01, r02, r12].",
        )
    return analysis([float(n)], m[None, :], (n - 1) * R * np.outer(s, s))
