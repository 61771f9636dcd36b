"""Mixed models and reports for repeated-measures studies of burnout, job stress, depression and anxiety.

In the order of an analysis: `read_cohort` or `example`; `describe`; `MMRM` and `fit`; `summarize`, `emmeans`,
`contrast`, `joint_test`; `text`, `tables`, `figures`; or all of it at once from a study file: `read_study`, `check`,
`report`. A name loads what it needs when it is first asked for, so that `import burnout_stats` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from . import describe, figures, instruments, pathways, power, sensitivity, studies, tables, text
    from .cohort import Cohort, CohortStream, read_cohort
    from .errors import BurnoutStatsError, DataError, DisclosureError, ModelError, SetupError, StudyError
    from .estimates import Estimates, Policy, Sample, Share, Summaries
    from .inference import (
        area_under_curve,
        bootstrap,
        change_correlations,
        combine,
        compare,
        confint,
        contrast,
        effect_sizes,
        emmeans,
        gain_kept,
        global_change,
        icc,
        influence,
        joint_test,
        noninferiority,
        outcome_changes,
        outcome_means,
        outcome_tests,
        parallel_lines,
        r_squared,
        slopes,
        standardize,
        standardized,
        summarize,
        term_tests,
    )
    from .instruments import Norm, Stability, score
    from .models import (
        GEE,
        GLMM,
        LMM,
        MMRM,
        Fit,
        MultivariateMMRM,
        Tally,
        covariance_check,
        fit,
        fit_multivariate,
        mahalanobis,
        predict,
        ranef,
        residuals,
        tally,
    )
    from .notices import BurnoutStatsWarning, Notice
    from .plan import draft_study, read_study
    from .plan.check import check  # by its file: mypy meets the name twice on the way through the room
    from .reporting import compare_results, report
    from .studies import example, simulate

__all__ = [
    "GEE",
    "GLMM",
    "LMM",
    "MMRM",
    "BurnoutStatsError",
    "BurnoutStatsWarning",
    "Cohort",
    "CohortStream",
    "DataError",
    "DisclosureError",
    "Estimates",
    "Fit",
    "ModelError",
    "MultivariateMMRM",
    "Norm",
    "Notice",
    "Policy",
    "Sample",
    "SetupError",
    "Share",
    "Stability",
    "StudyError",
    "Summaries",
    "Tally",
    "__version__",
    "area_under_curve",
    "bootstrap",
    "change_correlations",
    "check",
    "combine",
    "compare",
    "compare_results",
    "confint",
    "contrast",
    "covariance_check",
    "describe",
    "draft_study",
    "effect_sizes",
    "emmeans",
    "example",
    "figures",
    "fit",
    "fit_multivariate",
    "gain_kept",
    "global_change",
    "icc",
    "influence",
    "instruments",
    "joint_test",
    "mahalanobis",
    "noninferiority",
    "outcome_changes",
    "outcome_means",
    "outcome_tests",
    "parallel_lines",
    "pathways",
    "power",
    "predict",
    "r_squared",
    "ranef",
    "read_cohort",
    "read_study",
    "report",
    "residuals",
    "score",
    "sensitivity",
    "simulate",
    "slopes",
    "standardize",
    "standardized",
    "studies",
    "summarize",
    "tables",
    "tally",
    "term_tests",
    "text",
]

_ROOMS = ("describe", "figures", "instruments", "pathways", "power", "sensitivity", "studies", "tables", "text")
_HOMES = {
    name: module
    for module, names in {
        "cohort": "Cohort CohortStream read_cohort",
        "errors": "BurnoutStatsError DataError DisclosureError ModelError SetupError StudyError",
        "estimates": "Estimates Policy Sample Share Summaries",
        "inference": (
            "area_under_curve bootstrap change_correlations combine compare confint contrast effect_sizes emmeans "
            "gain_kept global_change icc influence joint_test noninferiority outcome_changes outcome_means "
            "outcome_tests parallel_lines r_squared slopes standardize standardized summarize term_tests"
        ),
        "instruments": "Norm Stability score",
        "models": (
            "GEE GLMM LMM MMRM Fit MultivariateMMRM Tally covariance_check fit fit_multivariate mahalanobis predict "
            "ranef residuals tally"
        ),
        "notices": "BurnoutStatsWarning Notice",
        "plan": "check draft_study read_study",
        "reporting": "compare_results report",
        "studies": "example simulate",
    }.items()
    for name in names.split()
}


def __getattr__(name: str) -> object:
    """Load a public name from its room, once; afterwards it is an ordinary attribute."""
    if name in _ROOMS:
        return import_module(f".{name}", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)
