"""A study's plan as printed, on one cohort, by the verbs of the package: numbers by id, and the answers behind them.

The stack of replicates is analyzed by array formulas (`_statistics`); a test holds both to the same numbers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..cohort import Cohort
from ..describe import (
    attrition,
    by_visit,
    caseness,
    caseness_change,
    change,
    change_scores,
    rm_anova,
    standardized_change,
)
from ..display import Shown, Table
from ..display.escape import for_terminal
from ..errors import BurnoutStatsError
from ..estimates import About, Estimates, Summaries
from ..inference import emmeans
from ..models import MMRM, fit
from ..notices import BurnoutStatsWarning
from ..pathways import PathFit, cross_lagged, paths, synchronous
from ._asked_of_arms import ASKED_OF_ARMS
from ._change_regression import change_regression
from ._reproduce import statistics_of
from ._stack import Stack, among, of_cohort, subjects_among

if TYPE_CHECKING:
    from ._printed import PrintedNumber
    from ._study import Study

__all__ = ["ASKED", "Analysis", "analyze"]

Answer = Estimates | Summaries
Of = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Analysis(Shown):
    """What the plan as printed finds in a cohort.

    Attributes
    ----------
    study : str
    numbers : by id of a printed number, what the cohort has; NaN where it cannot be computed
    answers : by id, the Estimates or Summaries that the number was read from
    estimates : Estimates
        Kind "as_printed": what is printed beside what was found.
    """

    study: str
    numbers: Mapping[str, float]
    answers: Mapping[str, Answer]
    estimates: Estimates

    def __post_init__(self) -> None:
        object.__setattr__(self, "numbers", MappingProxyType(dict(self.numbers)))
        object.__setattr__(self, "answers", MappingProxyType(dict(self.answers)))

    def __getitem__(self, key: str) -> float:
        return self.numbers[key]

    def _tables(self) -> tuple[Table, ...]:
        from ..tables import reproduction

        return (reproduction(self.estimates),)

    def __repr__(self) -> str:
        return for_terminal(f"<Analysis of {self.study} as printed: {len(self.numbers)} numbers>")


def analyze(study: Study, cohort: Cohort) -> Analysis:
    """The numbers of the plan as printed, and the answers behind them.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN`, `E-STUDY-VISITS` where the cohort has not the columns and visits of the study.
    """
    numbers: dict[str, float] = {}
    answers: dict[str, Answer] = {}
    counted = statistics_of(study, of_cohort(cohort))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BurnoutStatsWarning)  # notices stay with the answers
        for number in study.printed:
            if not number.statistic:
                continue
            numbers[number.id] = float(counted[number.id][0])
            if number.statistic in ASKED:
                try:
                    answer, value = ASKED[number.statistic](cohort, number.of)
                except BurnoutStatsError as error:
                    if error.problems[0].code.startswith("E-STUDY"):
                        raise
                    numbers[number.id] = float("nan")
                    continue
                answers[number.id], numbers[number.id] = answer, float(value)
    return Analysis(study=study.name, numbers=numbers, answers=answers, estimates=_estimates(study, cohort, numbers))


def _estimates(study: Study, cohort: Cohort, numbers: Mapping[str, float]) -> Estimates:
    stack = of_cohort(cohort)
    rows = [_row(study, number, numbers.get(number.id, np.nan), _persons(stack, number.of)) for number in study.printed]
    return Estimates(
        frame=pd.DataFrame(rows),
        vcov=np.full((len(rows), len(rows)), np.nan),
        about=About(
            kind="as_printed",
            outcomes={study.name: study.design.title},
            factors=("id", "quantity", "printed", "mark"),
            notes=("One cohort beside the printed numbers; the plan as printed.", *study.design.plan),
            policy=cohort.policy,
        ),
    )


def _row(study: Study, number: PrintedNumber, value: float, n: float) -> dict[str, Any]:
    empty = dict.fromkeys(("std_error", "df", "statistic", "p_value", "conf_low", "conf_high"), np.nan)
    return {
        "outcome": study.name,
        "id": number.id,
        "quantity": number.quantity,
        "printed": number.text,
        "mark": number.mark,
        "estimate": value,
        **empty,
        "n": n,
        "method": number.statistic or "none",
    }


def _persons(stack: Stack, of: Of) -> float:
    """How many a number is about: those with a value at its visits."""
    kept = among(stack, of)
    if "variable" in of:
        for visit in of.get("visits", [of["visit"]] if "visit" in of else []):
            kept = kept & ~np.isnan(stack.at(of["variable"], visit))
    return float(kept.sum())


# ---- verbs ---------------------------------------------------------------------------------------------------------


def _part(cohort: Cohort, of: Of) -> Cohort:
    return subjects_among(cohort, of)


def _pick(frame: pd.DataFrame, **named: str) -> pd.Series:
    for column, value in named.items():
        frame = frame[frame[column].astype(str).eq(value)]
    return frame.iloc[0]


def _contrast(of: Of) -> str:
    before, after = of["visits"]
    return f"{after} - {before}"


def _moment(statistic: str) -> Callable[[Cohort, Of], tuple[Answer, float]]:
    def asked(cohort: Cohort, of: Of) -> tuple[Answer, float]:
        found = by_visit(_part(cohort, of), of["variable"])
        return found, _pick(found.frame, level=of.get("visit", cohort.visits.labels[0]), statistic=statistic)["value"]

    return asked


def _change(statistic: str) -> Callable[[Cohort, Of], tuple[Answer, float]]:
    def asked(cohort: Cohort, of: Of) -> tuple[Answer, float]:
        found = change_scores(_part(cohort, of), of["variable"], visits="all_pairs")
        return found, _pick(found.frame, level=_contrast(of), statistic=statistic)["value"]

    return asked


def _test(column: str, method: str, sign: float) -> Callable[[Cohort, Of], tuple[Answer, float]]:
    def asked(cohort: Cohort, of: Of) -> tuple[Answer, float]:
        found = change(_part(cohort, of), of["variable"], visits="all_pairs", method=method)
        return found, sign * _pick(found.frame, contrast=_contrast(of))[column]

    return asked


def _d_average(cohort: Cohort, of: Of) -> tuple[Answer, float]:
    found = standardized_change(_part(cohort, of), of["variable"], visits="all_pairs", measure="d_av")
    return found, -_pick(found.frame, contrast=_contrast(of))["estimate"]


def _percent(cohort: Cohort, of: Of) -> tuple[Answer, float]:
    found = caseness(_part(cohort, of), of["variable"])
    return found, 100.0 * _pick(found.frame, visit=of["visit"])["estimate"]


def _mcnemar(cohort: Cohort, of: Of) -> tuple[Answer, float]:
    found = caseness_change(_part(cohort, of), of["variable"], visits="all_pairs")
    return found, _pick(found.frame, contrast=_contrast(of), method="mcnemar chi-square")["p_value"]


def _anova(column: str) -> Callable[[Cohort, Of], tuple[Answer, float]]:
    def asked(cohort: Cohort, of: Of) -> tuple[Answer, float]:
        found = rm_anova(_part(cohort, of), of["variable"])
        return found, found.frame.iloc[0][column]

    return asked


def _attrition_t(cohort: Cohort, of: Of) -> tuple[Answer, float]:
    found = attrition(cohort, of["follow_up"], [of["variable"]])
    return found, _pick(found.frame, quantity="difference")["statistic"]


def _attrition_chi_square(cohort: Cohort, of: Of) -> tuple[Answer, float]:
    (factor, _), *_ = dict(of["where"]).items()
    found = attrition(cohort, of["follow_up"], [factor])
    return found, _pick(found.frame, quantity="test")["statistic"]


def _regression(measure: str, column: str) -> Callable[[Cohort, Of], tuple[Answer, float]]:
    def asked(cohort: Cohort, of: Of) -> tuple[Answer, float]:
        response = str(of["response"])[5:-1]  # "fall(name)"
        part = _part(cohort, {key: value for key, value in of.items() if key in ("seen", "lost", "where")})
        found = change_regression(part, response, of["term"], visit=of["visits"][1], given=of.get("given", ()))
        return found, _pick(found.frame, model="change score", measure=measure)[column]

    return asked


def _path_z(cohort: Cohort, of: Of) -> tuple[Answer, float]:
    return _panel_z(cohort, of, cross_lagged)


def _synchronous_z(cohort: Cohort, of: Of) -> tuple[Answer, float]:
    return _panel_z(cohort, of, synchronous)


def _panel_z(cohort: Cohort, of: Of, model: Callable[..., PathFit]) -> tuple[Answer, float]:
    """The path of a two-wave panel among those seen at both visits."""
    response, visit = str(of["response"]).rstrip("]").split("[")
    visits = [cohort.visits.labels[0], visit]
    part = _part(cohort, {key: value for key, value in of.items() if key in ("lost", "where")} | {"seen": visits})
    found = paths(model(part, str(of["term"]).partition("[")[0], response, visits=visits))
    kind = "cross-lagged" if model is cross_lagged else "synchronous"
    return found, _pick(found.frame, outcome=response, path=kind)["statistic"]


def _adjusted(column: str) -> Callable[[Cohort, Of], tuple[Answer, float]]:
    """Marginal means of a linear model with one error variance, as the paper's interval has it: z = 1.96."""

    def asked(cohort: Cohort, of: Of) -> tuple[Answer, float]:
        terms = [of["factor"], *(term.partition("=")[0] for term in of.get("given", ()))]
        fitted = fit(MMRM(f"{of['variable']} ~ {' + '.join(terms)}"), _part(cohort, of))
        found = emmeans(fitted, of["factor"], weights="proportional")
        row = _pick(found.frame, **{of["factor"]: of["level"]})
        limit = {"estimate": 0.0, "conf_low": -1.96, "conf_high": 1.96}[column]
        return found, row["estimate"] + limit * row["std_error"]

    return asked


ASKED: Mapping[str, Callable[[Cohort, Of], tuple[Answer, float]]] = MappingProxyType(
    {
        "mean": _moment("mean"),
        "sd": _moment("sd"),
        "percent": _percent,
        "change_mean": _change("mean_change"),
        "change_sd": _change("sd_change"),
        "change_correlation": _change("correlation"),
        "d_average": _d_average,
        "paired_t": _test("statistic", "t", -1.0),
        "p_paired_t": _test("p_value", "t", 1.0),
        "signed_rank_z": _test("statistic", "wilcoxon", 1.0),
        "mcnemar_p": _mcnemar,
        "anova_F": _anova("statistic"),
        "anova_df_1": _anova("num_df"),
        "anova_df_2": _anova("df"),
        "anova_n": _anova("n"),
        "attrition_t": _attrition_t,
        "attrition_chi_square": _attrition_chi_square,
        "beta": _regression("beta", "estimate"),
        "slope": _regression("B", "estimate"),
        "slope_error": _regression("B", "std_error"),
        "path_z": _path_z,
        "synchronous_z": _synchronous_z,
        "adjusted_mean": _adjusted("estimate"),
        "adjusted_low": _adjusted("conf_low"),
        "adjusted_high": _adjusted("conf_high"),
        **ASKED_OF_ARMS,
    }
)
"""The verb behind a statistic, for one cohort: the answer, and the number in it. Counts have none."""
