"""The plan that we would use today on the cohort of a published study, told apart from the plan as printed.

A mixed model for repeated measures of each outcome with baseline as one of its outcomes: everyone who was seen once
counts, missed visits are missing at random given the scores that were seen. Baseline means of the arms are held equal
only where the study says that arms were randomized (Liang & Zeger 2000, Sankhya B 62:134; Liu et al. 2009, Stat Med
28:2509); otherwise each arm has its own.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..cohort import Cohort
from ..display import Shown, Table
from ..display.escape import for_terminal
from ..display.showing import facts
from ..errors import StudyError
from ..estimates import Estimates
from ..estimates.tabulation import WITHOUT_N, tabulate
from ..inference import combine, contrast, emmeans
from ..inference.arms import arm_differences
from ..instruments import Norm, Stability
from ..models import MMRM, fit
from ..notices import BurnoutStatsWarning, Notice, announce
from ..sensitivity import Dashboard
from ..sensitivity import dashboard as doubts

if TYPE_CHECKING:
    from ._study import Study

__all__ = ["Today", "baseline_twice", "today"]

CONSTRAINED = (
    "Arms were randomized, so their baseline means are held equal: one mean at baseline, a difference between arms at "
    "each later visit."
)
FREE = "Arms were not randomized, so each has its own mean at baseline."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Today(Shown):
    """The plan of today on one cohort.

    Attributes
    ----------
    study : str
    changes : Estimates
        Change from baseline of each outcome, adjusted; with arms, the differences between arms at each later visit.
    dashboard : Dashboard or None
        What other assumptions make of the main outcome; None for one visit or where it was not asked for.
    formulas : mapping of outcome to formula
    plan, as_printed : sentences
        Today's methods, and those of the paper.
    notices : tuple of Notice
    """

    study: str
    changes: Estimates
    dashboard: Dashboard | None
    formulas: MappingProxyType[str, str]
    plan: tuple[str, ...]
    as_printed: tuple[str, ...]
    notices: tuple[Notice, ...] = ()

    def _tables(self) -> tuple[Table, ...]:
        words = [("As printed", line) for line in self.as_printed] + [("Today", line) for line in self.plan]
        return facts(f"Plans for {self.study}", words), tabulate(self.changes, columns=WITHOUT_N)

    def __repr__(self) -> str:
        more = "" if self.dashboard is None else ", with dashboard"
        return for_terminal(f"<Today's plan for {self.study}: {', '.join(self.formulas)}{more}>")


def today(
    study: Study,
    cohort: Cohort,
    *,
    n_imputations: int,
    seed: int,
    with_dashboard: bool,
    covariates: Sequence[str] = (),
) -> Today:
    """The changes of every outcome of a study by mixed models, and the dashboard of its main outcome.

    Raises
    ------
    StudyError
        `E-STUDY-VISITS` for a cohort with one visit; `E-STUDY-COLUMN` for columns that it has not.
    """
    first, *later = cohort.visits.labels
    if not later:
        raise StudyError(
            "E-STUDY-VISITS",
            f"Study `{study.name}` has one visit, {first}.",
            "A mixed model of change needs a later visit.",
            "Compare it with a norm: describe.against_norm(cohort, ...).",
        )
    arm = _arm(study)
    adjusted = (*study.design.adjusted_for, *covariates)
    terms = (f"visit*{arm}" if not study.design.randomized else "arm_at_visit",) if arm else ("visit",)
    notices = [n for name in study.design.outcomes if (n := baseline_twice(cohort, name, adjusted)) is not None]
    announce(notices)  # before the fit, which may have no answer for this very reason
    formulas: dict[str, str] = {}
    found: list[Estimates] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BurnoutStatsWarning)  # kept in the answers, announced once below
        for name in study.design.outcomes:
            formulas[name] = f"{name} ~ {' + '.join([*terms, *adjusted])}"
            found.append(_changes(study, cohort, name, formulas[name], arm, adjusted))
    changes = combine(*found) if len(found) > 1 else found[0]
    said = (*study.design.today, *((CONSTRAINED if study.design.randomized else FREE,) if arm else ()))
    changes = replace(changes, about=replace(changes.about, notes=(*changes.about.notes, *said)))
    seen = None
    if with_dashboard and study.design.main_outcome in study.design.outcomes:
        model = MMRM(f"{study.design.main_outcome} ~ {' + '.join(['visit', *([arm] if arm else []), *adjusted])}")
        norm, stability = study.tables.get("norm"), study.tables.get("stability")
        seen = doubts(
            model,
            cohort,
            norm=None if norm is None else Norm(**norm),
            stability=None if stability is None else Stability(**stability),
            n=n_imputations,
            seed=seed,
        )
    later_ones = tuple(dict.fromkeys(notice for one in found for notice in one.notices))
    announce(later_ones)
    return Today(
        study=study.name,
        changes=changes,
        dashboard=seen,
        formulas=MappingProxyType(formulas),
        plan=said,
        as_printed=study.design.plan,
        notices=(*notices, *later_ones),
    )


def _arm(study: Study) -> str:
    names = list(study.factors)
    return names[0] if study.design.arms and names else ""


def _changes(study: Study, cohort: Cohort, outcome: str, formula: str, arm: str, adjusted: Sequence[str]) -> Estimates:
    if arm:
        return arm_differences(
            cohort,
            outcome,
            arm=arm,
            randomized=study.design.randomized,
            adjust_for=adjusted,
            df="kenward-roger",
        )
    return contrast(emmeans(fit(MMRM(formula), cohort), "visit", df="kenward-roger"), "vs_baseline")


def baseline_twice(cohort: Cohort, outcome: str, covariates: Sequence[str]) -> Notice | None:
    """A notice where a covariate is the baseline score of an outcome, which the model has among its outcomes too."""
    data = cohort.data
    first = data["visit"].eq(cohort.visits.labels[0]).to_numpy()
    score = data[outcome].to_numpy(dtype=float)[first]
    for name in covariates:
        column: Any = data.get(name)
        if column is None or not pd.api.types.is_numeric_dtype(column.dtype) or name == outcome:
            continue
        values = column.to_numpy(dtype=float)[first]
        both = ~np.isnan(values) & ~np.isnan(score)
        if both.sum() > 2 and np.ptp(score[both]) > 0 and np.allclose(values[both], score[both], rtol=0, atol=1e-12):
            return Notice(
                "N-STUDY-BASELINE-TWICE",
                f"`{name}` is the baseline score of {outcome}, which is also an outcome of the model.",
                "Leave the covariate out: the model uses baseline through the covariance of the visits.",
            )
    return None
