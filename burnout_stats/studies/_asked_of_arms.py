"""The verbs behind the statistics of arms, for one cohort: the answer, and the number in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from .. import describe
from ..cohort import Cohort
from ..estimates import Estimates
from ._stack import subjects_among

__all__ = ["ASKED_OF_ARMS"]

Of = Mapping[str, Any]
Asked = Callable[[Cohort, Of], tuple[Estimates, float]]


def _part(cohort: Cohort, of: Of) -> Cohort:
    return subjects_among(cohort, {key: of[key] for key in ("seen", "lost", "where") if key in of})


def _between(analysis: str, column: str) -> Asked:
    def asked(cohort: Cohort, of: Of) -> tuple[Estimates, float]:
        found = describe.between_arms(
            _part(cohort, of), of["variable"], arm=of["factor"], visit=of["visits"][1], method=analysis
        )
        before, after = of["visits"]
        first, other = of["levels"]
        row = found.frame[found.frame["contrast"].eq(f"{after} - {before}, {other} - {first}")].iloc[0]
        return found, float(row[column])

    return asked


def _change(column: str) -> Asked:
    def asked(cohort: Cohort, of: Of) -> tuple[Estimates, float]:
        before, after = of["visits"]
        found = describe.change(_part(cohort, of), of["variable"], visits="all_pairs")
        row = found.frame[found.frame["contrast"].eq(f"{after} - {before}")].iloc[0]
        return found, float(row[column])

    return asked


def _person(quantity: str, column: str, times: float) -> Asked:
    def asked(cohort: Cohort, of: Of) -> tuple[Estimates, float]:
        names = [of["variable"]] if "variable" in of else list(of["measures"])
        found = describe.person_effect_sizes(
            _part(cohort, of), names, least=float(of.get("least", 0.8)), visits="all_pairs"
        )
        before, after = of["visits"]
        rows = found.frame["contrast"].eq(f"{after} - {before}") & found.frame["quantity"].eq(quantity)
        return found, times * float(found.frame.loc[rows, column].iloc[0])

    return asked


ASKED_OF_ARMS: Mapping[str, Asked] = MappingProxyType(
    {
        "difference_of_change": _between("change", "estimate"),
        "p_of_change_between_arms": _between("change", "p_value"),
        "ancova_difference": _between("ancova", "estimate"),
        "ancova_p": _between("ancova", "p_value"),
        "change_low": _change("conf_low"),
        "change_high": _change("conf_high"),
        "paired_t_of_change": _change("statistic"),
        "person_es": _person("mean", "estimate", 1.0),
        "person_es_low": _person("mean", "conf_low", 1.0),
        "person_es_high": _person("mean", "conf_high", 1.0),
        "person_es_percent": _person("improved", "estimate", 100.0),
        "person_es_percent_none": _person("improved on none", "estimate", 100.0),
    }
)
"""By the name of the statistic."""
