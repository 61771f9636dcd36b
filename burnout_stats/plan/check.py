"""Look before running: `check(study) -> Checked` reads the study file and its data and reports every refusal, without
fitting a model.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

from ..cohort import Cohort
from ..describe._singled_out import unique_persons
from ..display import Shown, Table
from ..display.escape import for_terminal
from ..errors import BurnoutStatsError, Problem
from ..models import MMRM
from ..notices import BurnoutStatsWarning, Notice
from .estimand import effect_notices
from .run import refuse_tiny
from .study import Plan, read_study

__all__ = ["Checked", "check"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checked(Shown):
    """What a look at a study file and its data found.

    Attributes
    ----------
    problems : tuple of Problem
        Everything that would stop a run before its models are fitted; empty where the study can run.
    notices : tuple of Notice
        What does not stop it, but should be known.
    exit_code : int
        0, or that of the first problem's stage (2 study file, 3 data, 5 disclosure).
    plan, cohort
        As far as they could be read.
    """

    problems: tuple[Problem, ...] = ()
    notices: tuple[Notice, ...] = ()
    exit_code: int = 0
    plan: Plan | None = None
    cohort: Cohort | None = None

    @property
    def is_fine(self) -> bool:
        """Whether the study can run."""
        return not self.problems

    def _tables(self) -> tuple[Table, ...]:
        from .representation import checked_tables

        return checked_tables(self)

    def __repr__(self) -> str:
        state = "fine" if self.is_fine else f"{len(self.problems)} problems"
        return for_terminal(f"<Checked: {state}, {len(self.notices)} notices>")


def check(study: Plan | str | Path) -> Checked:
    """Read a study file and its data, and report all problems and notices instead of raising the first.

    Examples
    --------
    >>> check("no_such_study.toml").problems[0].code
    'E-STUDY-FILE'
    """
    plan = cohort = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BurnoutStatsWarning)  # they stand in `notices`
        try:
            plan = study if isinstance(study, Plan) else read_study(study)
            cohort = plan.cohort()
            refuse_tiny(cohort)
            unique = unique_persons(cohort)
            for name in plan.outcomes:
                MMRM(plan.formula(name), covariance=plan.analysis.covariance, method=plan.analysis.method)
        except BurnoutStatsError as error:
            return Checked(problems=error.problems, exit_code=error.exit_code, plan=plan, cohort=cohort)
    return Checked(notices=(*effect_notices(plan), *cohort.notices, *unique), plan=plan, cohort=cohort)
