"""Questions asked of a fit; every answer is Estimates."""

from .arms import arm_differences, arm_means
from .bootstrap import bootstrap
from .combine import combine
from .comparison import Comparison, compare
from .contrasts import contrast
from .effect_sizes import effect_sizes
from .emmeans import emmeans
from .estimands import area_under_curve, gain_kept, noninferiority
from .influence import Influence, influence
from .joint_display import JointDisplay, joint_display
from .joint_tests import joint_test
from .multivariate import change_correlations, global_change, outcome_changes, outcome_means, outcome_tests
from .profile import confint
from .slopes import slopes
from .standardized import standardize
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
    "icc",
    "influence",
    "joint_display",
    "joint_test",
    "noninferiority",
    "outcome_changes",
    "outcome_means",
    "outcome_tests",
    "r_squared",
    "slopes",
    "standardize",
    "summarize",
    "term_tests",
]
