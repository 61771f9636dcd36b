"""Who was lost: completers against the others at baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from ..cohort import Cohort
from ..engine.proportions import clopper_pearson, wilson
from ..engine.standardized_difference import interval, std_error
from ..engine.two_samples import chi_square, compare_means, fisher_exact, wald
from ..errors import StudyError, one_of
from ..estimates import About, Estimates, Policy, Sample, Share
from ._characteristics import Characteristic, at_baseline, characteristic_of, characteristics_from
from ._completed import COMPLETED, LOST, Completed
from ._groups import groups_of

__all__ = ["attrition", "attrition_from_summaries"]

TESTS: Mapping[str, str] = {"pooled": "Student's t with pooled variance", "welch": "Welch's t"}
COUNT_TESTS: Mapping[str, str] = {
    "chi-square": "chi-square without continuity correction",
    "yates": "chi-square with Yates' correction where there are two levels",
    "fisher": "Fisher's exact test where there are two levels, else chi-square",
}
INTERVALS = {"wald": wald, "wilson": wilson, "clopper-pearson": clopper_pearson}
Printed = Mapping[str, "tuple[Sample, Sample] | Mapping[str, Share | tuple[int, int]]"]
"""By variable, the samples (completed, lost), or for each level how many of how many completed."""


def attrition(
    cohort: Cohort,
    visit: str | Iterable[str] = (),
    variables: Iterable[str] | None = None,
    *,
    need: str = "all",
    test: str = "pooled",
    count_test: str = "chi-square",
    share_interval: str = "wald",
    conf_level: float = 0.95,
) -> Estimates:
    """Completers against those who were lost, variable by variable, at baseline.

    Parameters
    ----------
    cohort : Cohort
    visit : str or several, optional
        Where completers were seen; every visit after the first where left out.
    variables : names, optional
        Covariates and outcomes; all of them where left out. Subjects of whom one is not known are left out of it.
    need : "all" or "any"
        Of several visits: whether a completer was seen at all of them, or at one at least.
    test : "pooled" or "welch"
        Of means.
    count_test : "chi-square", "yates" or "fisher"
        Of shares; the first without a continuity correction. The corrections are for two levels.
    share_interval : "wald", "wilson" or "clopper-pearson"
        Of the shares that completed.
    conf_level : float
        Coverage of the intervals.

    Returns
    -------
    Estimates
        Kind "attrition", for each variable the rows (`quantity`): of a number "difference" (of means, lost less
        completed, with its t test); of a categorical variable "test" (its chi-square in `statistic`) and for each
        `level` "share completed"; of both "standardized difference". `n` is the smallest number of persons that a row
        rests on: the smaller group, of a categorical variable its smallest cell. `describe.baseline(cohort,
        by=Completed(visit))` has the means and counts themselves.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for an unknown variable, `E-STUDY-VALUE` for an unknown visit or where nobody was lost,
        `E-STUDY-OPTION` for an unknown test.

    **Source**: Student's t and chi-square as the three-year paper of the Villa Sana cohort has them (Isaksson Rø et al.
    2010, BMC Public Health 10:213); Wilson 1927, J Am Stat Assoc 22:209; Yang & Dalton 2012, SAS Global Forum 335-2012.

    Examples
    --------
    >>> import pandas as pd
    >>> from burnout_stats.cohort import read_cohort
    >>> frame = pd.DataFrame(
    ...     {
    ...         "id": [1, 1, 2, 2, 3, 4],
    ...         "visit": ["a", "b", "a", "b", "a", "a"],
    ...         "stress": [2.0, 2.0, 3.0, 2.0, 4.0, 5.0],
    ...     }
    ... )
    >>> cohort = read_cohort(frame, subject="id", visit="visit", times={"a": 0, "b": 1}, outcomes=["stress"])
    >>> attrition(cohort, "b").frame[["quantity", "estimate", "df"]].to_numpy().tolist()[0]
    ['difference', 2.0, 2.0]
    """
    by = Completed(visit if isinstance(visit, str) else tuple(visit), need=need)
    groups = groups_of(cohort, by)
    found = [characteristic_of(variable, groups) for variable in at_baseline(cohort, variables)]
    lost = int(groups.codes.sum())
    if not 0 < lost < cohort.n_subjects:
        raise StudyError(
            "E-STUDY-VALUE",
            f"{'Nobody' if not lost else 'Everybody'} was lost at {', '.join(by.visits(cohort))}.",
            "Completers are compared with those who were lost, so there must be some of both.",
            "Name another visit.",
        )
    return _compared(found, test, count_test, share_interval, conf_level, (by.words(cohort),), cohort.policy)


def attrition_from_summaries(
    printed: Printed,
    *,
    test: str = "pooled",
    count_test: str = "chi-square",
    share_interval: str = "wald",
    conf_level: float = 0.95,
) -> Estimates:
    """Completers against those who were lost, from the numbers that a paper prints.

    Parameters
    ----------
    printed : mapping
        By variable, (Sample, Sample) of completers and lost, or {level: Share} with the share that completed (or
        {level: (completed, lost)}).
    test, count_test, share_interval, conf_level
        As in `attrition`.

    Returns
    -------
    Estimates
        As `attrition` answers. Numbers of a paper are public already, so nothing is hidden.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` where the numbers are not those of two groups.

    Examples
    --------
    >>> found = attrition_from_summaries({"Exhaustion": (Sample(3.01, 0.94, 184), Sample(3.33, 0.88, 43))}).frame
    >>> found[["quantity", "statistic", "df"]].round(2).to_numpy().tolist()[0]
    ['difference', 2.03, 225.0]
    """
    found = characteristics_from({name: _cells(numbers) for name, numbers in printed.items()}, (COMPLETED, LOST))
    return _compared(
        found, test, count_test, share_interval, conf_level, ("From printed summaries.",), Policy(min_cell=1)
    )


def _cells(
    numbers: tuple[Sample, Sample] | Mapping[str, Share | tuple[int, int]],
) -> tuple[Sample, ...] | dict[str, tuple[int, ...]]:
    if not isinstance(numbers, Mapping):
        return numbers
    return {
        level: (share.count, share.n - share.count) if isinstance(share, Share) else share
        for level, share in numbers.items()
    }


def _compared(
    found: list[Characteristic],
    test: str,
    count_test: str,
    share_interval: str,
    conf_level: float,
    notes: tuple[str, ...],
    policy: Policy,
) -> Estimates:
    one_of("test", test, TESTS)
    one_of("count_test", count_test, COUNT_TESTS)
    one_of("share_interval", share_interval, INTERVALS)
    rows: list[dict[str, object]] = []
    for variable in found:
        rows += _shares(variable, count_test, share_interval, conf_level) if variable.levels else []
        rows += [] if variable.levels else [_difference(variable, test, conf_level)]
        rows.append(_standardized(variable, conf_level))
    frame = pd.DataFrame(rows)
    variance = frame["std_error"].to_numpy(dtype=float) ** 2
    has_levels = any(variable.levels for variable in found)
    has_numbers = not all(variable.levels for variable in found)
    return Estimates(
        frame=frame,
        vcov=np.where(np.eye(len(frame), dtype=bool), variance[:, None], np.nan),
        about=About(
            kind="attrition",
            outcomes={variable.name: variable.label for variable in found},
            factors=("quantity", "level"),
            conf_level=conf_level,
            notes=(
                *notes,
                *((f"Means: {TESTS[test]}, lost less completed.",) if has_numbers else ()),
                *((f"Shares: {COUNT_TESTS[count_test]}; {share_interval.title()} intervals.",) if has_levels else ()),
                "n: the smallest number of persons that a row rests on.",
            ),
            policy=policy,
        ),
    )


def _row(variable: Characteristic, quantity: str, level: str = "", **numbers: float | str) -> dict[str, object]:
    names = ("estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high")
    blank: dict[str, object] = dict.fromkeys(names, np.nan)
    named = {"outcome": variable.name, "quantity": quantity, "level": level}
    return named | blank | {"n": variable.fewest((0, 1))} | numbers


def _difference(variable: Characteristic, test: str, conf_level: float) -> dict[str, object]:
    """The difference of means; nothing where a group has not two persons."""
    method = f"{test} t"
    if (variable.n < 2).any():
        return _row(variable, "difference", method=method)
    (mean_1, mean_2), (sd_1, sd_2), (n_1, n_2) = variable.mean, variable.sd, variable.n
    found = compare_means(mean_1, sd_1, n_1, mean_2, sd_2, n_2, equal_variances=test == "pooled")
    low, high = found.interval(conf_level)
    return _row(
        variable,
        "difference",
        estimate=found.difference,
        std_error=found.std_error,
        df=found.df,
        statistic=found.t,
        p_value=found.p,
        conf_low=low,
        conf_high=high,
        method=method,
    )


def _shares(
    variable: Characteristic, count_test: str, share_interval: str, conf_level: float
) -> list[dict[str, object]]:
    two_levels = int((variable.counts.sum(axis=1) > 0).sum()) == 2
    used = count_test if two_levels else "chi-square"
    statistic, df, p = chi_square(variable.counts, yates=used == "yates")
    if used == "fisher":
        statistic, df, p = np.nan, np.nan, fisher_exact(variable.counts)
    rows = [_row(variable, "test", statistic=statistic, df=df, p_value=p, method=used)]
    for level, (completed, lost) in zip(variable.levels, variable.counts, strict=True):
        n = completed + lost
        if not n:
            rows.append(_row(variable, "share completed", level, method=share_interval, n=0))
            continue
        share = completed / n
        low, high = INTERVALS[share_interval](completed, n, conf_level=conf_level)
        rows.append(
            _row(
                variable,
                "share completed",
                level,
                estimate=share,
                std_error=float(np.sqrt(share * (1 - share) / n)),
                df=np.inf,
                conf_low=float(low),
                conf_high=float(high),
                method=share_interval,
            )
        )
    return rows


def _standardized(variable: Characteristic, conf_level: float) -> dict[str, object]:
    d = variable.difference(0, 1)
    n_1, n_2 = variable.n
    low, high = interval(d, n_1, n_2, conf_level)
    se = float(std_error(d, n_1, n_2)) if np.isfinite(d) else np.nan
    method = "yang-dalton" if variable.levels else "mean difference / SD"
    return _row(
        variable,
        "standardized difference",
        estimate=d,
        std_error=se,
        df=np.inf,
        conf_low=low,
        conf_high=high,
        method=method,
    )
