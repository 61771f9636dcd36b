"""Questions asked of a fit; every answer is Estimates."""

from .arms import arm_differences, arm_means
from .bootstrap import bootstrap
from .combine import combine
from .comparison import Comparison, compare
from .contrasts import contrast
from .effect_sizes import effect_sizes
from .emmeans import emmeans
from .estimands import area_under_curve, gain_kept, noninferiority
from .hurdle import hurdle_means
from .in_standard_deviations import standardize
from .influence import Influence, influence
from .joint_display import JointDisplay, joint_display
from .joint_tests import joint_test
from .multivariate import change_correlations, global_change, outcome_changes, outcome_means, outcome_tests
from .parallel_lines import parallel_lines
from .profile import confint
from .slopes import slopes
from .standardization import numbers_needed, risk_contrasts, standardized
from .summary import summarize
from .term_tests import term_tests
from .variance_shares import icc, r_squared

__all__ = [
    "Comparison",
    "Influence",
    "JointDisplay",
    "area_under_curve",
    "arm_differences",
    "arm_means",
    "bootstrap",
    "change_correlations",
    "combine",
    "compare",
    "confint",
    "contrast",
    "effect_sizes",
    "emmeans",
    "gain_kept",
    "global_change",
    "hurdle_means",
    "icc",
    "influence",
    "joint_display",
    "joint_test",
    "noninferiority",
    "numbers_needed",
    "outcome_changes",
    "outcome_means",
    "outcome_tests",
    "parallel_lines",
    "r_squared",
    "risk_contrasts",
    "slopes",
    "standardize",
    "standardized",
    "summarize",
    "term_tests",
]
