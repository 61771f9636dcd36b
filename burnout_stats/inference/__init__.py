"""Questions asked of a fit; every answer is Estimates."""

from .bootstrap import bootstrap
from .combine import combine
from .comparison import Comparison, compare
from .contrasts import contrast
from .effect_sizes import effect_sizes
from .emmeans import emmeans
from .estimands import area_under_curve, gain_kept, noninferiority
from .influence import Influence, influence
from .joint_tests import joint_test
from .profile import confint
from .slopes import slopes
from .standardized import standardize
from .summary import summarize
from .term_tests import term_tests
from .variance_shares import icc, r_squared

__all__ = [
    "Comparison",
    "Influence",
    "area_under_curve",
    "bootstrap",
    "combine",
    "compare",
    "confint",
    "contrast",
    "effect_sizes",
    "emmeans",
    "gain_kept",
    "icc",
    "influence",
    "joint_test",
    "noninferiority",
    "r_squared",
    "slopes",
    "standardize",
    "summarize",
    "term_tests",
]
