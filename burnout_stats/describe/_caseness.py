"""Prevalence of cases at each visit, and its change in the same persons; from a cohort or from printed counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ..cohort import Cohort
from ..engine.proportions import clopper_pearson, mcnemar, newcombe_paired, tango, wilson
from ..errors import StudyError, one_of
from ..estimates import About, Estimates, Share
from ._case_rule import cases_of
from ._groups import groups_of
from ._pairs import checked_level, estimates_of, pair_label, pairs_of_visits, printed_about

__all__ = ["caseness", "caseness_change", "caseness_change_from_summaries", "caseness_from_summaries"]

Array = NDArray[np.float64]
Fourfold = tuple[float, float, float, float]

INTERVALS: Mapping[str, str] = {
    "wilson": "Wilson's score interval",
    "wilson-continuity": "Wilson's score interval, corrected for continuity",
    "clopper-pearson": "Clopper and Pearson's exact interval",
}
CHANGE_NOTE = (
    "Difference in the proportion of cases among those seen at both visits, later minus earlier. Newcombe: hybrid "
    "score interval for pairs (1998, method 10), with McNemar's mid-p test. Tango: score interval (1998), with "
    "McNemar's chi-square test without continuity correction, which it inverts (the statistic is its signed root). "
    "Exact: McNemar's exact conditional test."
)
MARGINS_NOTE = (
    "From printed margins: only the difference of those who moved each way is known. Rows are for the fewest and the "
    "most that could have moved."
)
RULES = ("Newcombe, mid-p", "Tango, chi-square", "exact")
PRINTED = "after - before"


def caseness(
    cohort: Cohort,
    name: str,
    cutoff: float | str | None = None,
    *,
    direction: str | None = None,
    level: str | None = None,
    by: str | None = None,
    interval: str = "wilson",
    conf_level: float = 0.95,
) -> Estimates:
    """How many of those seen at a visit are cases: the prevalence at each visit, with its interval.

    Parameters
    ----------
    cohort : Cohort
    name : str
        A score with a cut-off, or a covariate with levels that may change from visit to visit, such as sick leave.
    cutoff : float or str, optional
        Of a score. "instrument" is the first cut-off of the outcome's instrument, another word the one with this
        meaning ("probable case").
    direction : ">=", ">", "<=" or "<", optional
        On which side of the cut-off the cases are; from the worse end of the score where left out.
    level : str, optional
        The level that makes a case; the second of two where left out.
    by : str, optional
        A categorical covariate; cases are counted within its levels.
    interval : "wilson", "wilson-continuity" or "clopper-pearson"
    conf_level : float

    Returns
    -------
    Estimates
        Kind "caseness": a row for each visit [and group]; `estimate` is the proportion, `n` those seen at the visit.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN`, `E-STUDY-OPTION`, `E-STUDY-VALUE`; `E-STUDY-INSTRUMENT` where the instrument has no such
        cut-off.

    **Source**: as in `engine.proportions`.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> found = caseness(example("villa_sana"), "sick_leave", level="yes").frame
    >>> found["visit"].tolist(), found["method"].unique().tolist()
    (['baseline', '1 year', '3 years'], ['wilson'])
    """
    one_of("interval", interval, INTERVALS)
    checked_level(conf_level)
    cases = cases_of(cohort, name, cutoff, direction, level)
    groups = groups_of(cohort, by)
    rows: list[dict[str, object]] = []
    cells: list[tuple[float, ...]] = []
    counts: list[NDArray[np.bool_]] = []
    for at, group in enumerate(groups.levels):
        for place, visit in enumerate(cohort.visits.labels):
            seen = (groups.codes == at) & ~np.isnan(cases.is_case[:, place])
            count, n = float(cases.is_case[seen, place].sum()), float(seen.sum())
            row = {"outcome": cases.name, "visit": visit, **groups.naming(group)}
            rows.append(row | _prevalence(count, n, interval, conf_level))
            cells.append((count, n - count))
            counts.append(seen)
    return estimates_of(
        rows,
        About(
            kind="caseness",
            outcomes={cases.name: cases.label},
            visit_years=cohort.visits.by_label(),
            factors=("visit",),
            by=groups.by,
            conf_level=conf_level,
            notes=(f"Proportion of cases among those seen: {cases.rule}.", f"{INTERVALS[interval]}."),
            policy=cohort.policy,
        ),
        cells=cells,
        counts=counts,
    )


def _prevalence(count: float, n: float, interval: str, conf_level: float) -> dict[str, object]:
    found: dict[str, object] = {"n": n, "method": interval}
    if not n:
        return found
    p = count / n
    if interval == "clopper-pearson":
        low, high = clopper_pearson(count, n, conf_level=conf_level)
    else:
        low, high = wilson(count, n, conf_level=conf_level, continuity=interval == "wilson-continuity")
    error = float(np.sqrt(p * (1 - p) / n))
    return found | {"estimate": p, "std_error": error, "conf_low": float(low), "conf_high": float(high)}


def caseness_from_summaries(
    shares: Mapping[str, Share], *, outcome: str = "cases", interval: str = "wilson", conf_level: float = 0.95
) -> Estimates:
    """Prevalence with its interval from printed counts, by visit.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for an unknown interval.

    Examples
    --------
    >>> found = caseness_from_summaries({"baseline": Share(63, 182), "1 year": Share(10, 182)}).frame
    >>> found[["estimate", "conf_low", "conf_high"]].round(3).to_numpy().tolist()
    [[0.346, 0.281, 0.418], [0.055, 0.03, 0.098]]
    """
    one_of("interval", interval, INTERVALS)
    checked_level(conf_level)
    rows = [
        {"outcome": outcome, "visit": visit} | _prevalence(share.count, share.n, interval, conf_level)
        for visit, share in shares.items()
    ]
    notes = (f"{INTERVALS[interval]}.", "From printed counts.")
    return estimates_of(rows, printed_about("caseness", outcome, ("visit",), conf_level, notes))


# ---- change --------------------------------------------------------------------------------------------------------


def caseness_change(
    cohort: Cohort,
    name: str,
    cutoff: float | str | None = None,
    *,
    direction: str | None = None,
    level: str | None = None,
    visits: str = "vs_baseline",
    by: str | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """Change in the proportion of cases among those seen at both visits, with McNemar's tests.

    Parameters
    ----------
    cohort, name, cutoff, direction, level, by, conf_level
        As in `describe.caseness`.
    visits : "vs_baseline", "consecutive" or "all_pairs"

    Returns
    -------
    Estimates
        Kind "caseness_change". Each pair of visits has three rows, named by `rule`: "Newcombe, mid-p" (the hybrid score
        interval and the mid-p test, which Fagerland, Lydersen and Laake recommend), "Tango, chi-square" (the score
        interval and the test that it inverts; `statistic` is z) and "exact" (the exact conditional test). `n` is the
        number of persons seen at both visits.

    Raises
    ------
    StudyError
        As in `describe.caseness`; `E-STUDY-VISITS` for a cohort with one visit.

    **Source**: as in `engine.proportions`.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> caseness_change(example("villa_sana"), "sick_leave").frame["rule"].unique().tolist()
    ['Newcombe, mid-p', 'Tango, chi-square', 'exact']
    """
    checked_level(conf_level)
    cases = cases_of(cohort, name, cutoff, direction, level)
    groups = groups_of(cohort, by)
    rows: list[dict[str, object]] = []
    cells: list[tuple[float, ...]] = []
    counts: list[NDArray[np.bool_]] = []
    for at, group in enumerate(groups.levels):
        for pair in pairs_of_visits(cohort, visits):
            both = (groups.codes == at) & ~np.isnan(cases.is_case[:, list(pair)]).any(axis=1)
            before, after = (cases.is_case[both] > 0)[:, list(pair)].T
            e, f = float((before & after).sum()), float((before & ~after).sum())
            g, h = float((~before & after).sum()), float((~before & ~after).sum())
            naming = {"outcome": cases.name, "contrast": pair_label(cohort, pair), **groups.naming(group)}
            rows += [naming | row for row in _change_rows((e, f, g, h), conf_level)]
            cells += [(e + f, g + h, e + g, f + h, f, g)] * len(RULES)
            counts += [both] * len(RULES)
    return estimates_of(
        rows,
        About(
            kind="caseness_change",
            outcomes={cases.name: cases.label},
            visit_years=cohort.visits.by_label(),
            factors=("contrast", "rule"),
            by=groups.by,
            conf_level=conf_level,
            notes=(f"Cases: {cases.rule}.", CHANGE_NOTE),
            policy=cohort.policy,
        ),
        cells=cells,
        counts=counts,
    )


def _change_rows(table: Fourfold, conf_level: float) -> list[dict[str, object]]:
    """The three answers about a fourfold table; earlier cases stand first."""
    e, f, g, h = table
    n = e + f + g + h
    if not n:
        return [{"rule": rule, "n": 0.0, "df": np.inf, "method": "mcnemar"} for rule in RULES]
    test = mcnemar(f, g)
    low, high = newcombe_paired(e, f, g, h, conf_level=conf_level)
    score_low, score_high = tango(f, g, n, conf_level=conf_level)
    shared: dict[str, object] = {
        "estimate": (g - f) / n,
        "std_error": float(np.sqrt(f + g - (f - g) ** 2 / n)) / n,
        "df": np.inf,
        "n": n,
    }
    newcombe, score, exact = RULES
    return [
        {"rule": newcombe, **shared, "p_value": float(test.p_mid), "conf_low": -float(high), "conf_high": -float(low)}
        | {"method": "mcnemar mid-p"},
        {"rule": score, **shared, "statistic": -float(test.z), "p_value": float(test.p_chi_square)}
        | {"conf_low": -float(score_high), "conf_high": -float(score_low), "method": "mcnemar chi-square"},
        {"rule": exact, **shared, "p_value": float(test.p_exact), "method": "mcnemar exact"},
    ]


def caseness_change_from_summaries(
    *,
    both: int | None = None,
    before_only: int | None = None,
    after_only: int | None = None,
    neither: int | None = None,
    before: Share | None = None,
    after: Share | None = None,
    outcome: str = "cases",
    conf_level: float = 0.95,
) -> Estimates:
    """Change in the proportion of cases from the printed fourfold table, or from its margins alone.

    Parameters
    ----------
    both, before_only, after_only, neither : counts of the fourfold table
    before, after : Share
        The cases before and after among the same persons, where a paper prints no more. How many moved each way is then
        not known, only their difference; the answers for the fewest and for the most that could have moved are given,
        and the truth lies between them.

    Returns
    -------
    Estimates
        Kind "caseness_change". From margins, the column `moved` tells how many ceased to be and became cases.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for other combinations of numbers, negative counts, or margins of different n.

    Examples
    --------
    Full-time sick leave of the doctors of Villa Sana (BMJ 2008;337:a2004):

    >>> found = caseness_change_from_summaries(before=Share(63, 182), after=Share(10, 182)).frame
    >>> found["moved"].unique().tolist(), round(float(found.loc[0, "estimate"]), 3)
    (['fewest: 53 ceased, 0 became', 'most: 63 ceased, 10 became'], -0.291)
    """
    checked_level(conf_level)
    cells = (both, before_only, after_only, neither)
    shares = (before, after)
    if before is not None and after is not None and all(cell is None for cell in cells):
        tables = _feasible(before, after)
        notes: tuple[str, ...] = (
            CHANGE_NOTE,
            MARGINS_NOTE,
        )
        rows = [
            {"outcome": outcome, "contrast": PRINTED, "moved": moved} | row
            for moved, table in tables.items()
            for row in _change_rows(table, conf_level)
        ]
        factors: tuple[str, ...] = ("contrast", "moved", "rule")
    else:
        table = _fourfold(cells, shares)
        notes = (CHANGE_NOTE, "From printed counts.")
        rows = [{"outcome": outcome, "contrast": PRINTED} | row for row in _change_rows(table, conf_level)]
        factors = ("contrast", "rule")
    return estimates_of(rows, printed_about("caseness_change", outcome, factors, conf_level, notes))


def _fourfold(cells: Sequence[int | None], shares: Sequence[Share | None]) -> Fourfold:
    known = [float(cell) for cell in cells if cell is not None]
    if len(known) < 4 or any(share is not None for share in shares) or min(known) < 0 or not sum(known):
        raise StudyError(
            "E-STUDY-VALUE",
            f"The counts of the table are {list(cells)}, the margins {list(shares)}.",
            "There are four counts of persons, or the two margins before and after, not both.",
            "Write for example caseness_change_from_summaries(before=Share(63, 182), after=Share(10, 182)).",
        )
    e, f, g, h = known
    return e, f, g, h


def _feasible(before: Share, after: Share) -> dict[str, Fourfold]:
    """The tables with these margins in which the fewest and the most persons moved."""
    if before.n != after.n:
        raise StudyError(
            "E-STUDY-VALUE",
            f"There are {before.n} persons before and {after.n} after.",
            "The margins are of the same persons, so both have one n.",
            "Use the counts among those seen at both visits.",
        )
    n, gap = before.n, before.count - after.count
    fewest, most = max(0, -gap), min(after.count, n - before.count)
    found: dict[str, Fourfold] = {}
    for word, became in (("fewest", fewest), ("most", most)):
        ceased = became + gap
        moved = f"{word}: {ceased} ceased, {became} became"
        found[moved] = (float(before.count - ceased), float(ceased), float(became), float(n - before.count - became))
    return found
