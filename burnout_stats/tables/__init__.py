"""Tables of results, ready for a paper: each verb turns Estimates, Summaries or a Fit into a `Table`.

What may not be shown is hidden here, whether or not it was protected before.
"""

from ._against_norm import against_norm
from ._attrition import attrition
from ._baseline import baseline
from ._by_visit import by_visit
from ._caseness import caseness, caseness_change
from ._change import change
from ._coefficients import coefficients
from ._consistency import consistency
from ._contrasts import contrasts
from ._covariance import covariance
from ._dropout_model import dropout_model
from ._flow import flow
from ._follow_up import follow_up
from ._level_and_change import level_and_change
from ._means import means
from ._missingness import missing_values, missingness
from ._reliability import reliability
from ._reliable_change import reliable_change
from ._rm_anova import rm_anova, sphericity
from ._screening import screening
from ._standardized_differences import standardized_differences
from ._transitions import transitions

__all__ = [
    "against_norm",
    "attrition",
    "baseline",
    "by_visit",
    "caseness",
    "caseness_change",
    "change",
    "coefficients",
    "consistency",
    "contrasts",
    "covariance",
    "dropout_model",
    "flow",
    "follow_up",
    "level_and_change",
    "means",
    "missing_values",
    "missingness",
    "reliability",
    "reliable_change",
    "rm_anova",
    "screening",
    "sphericity",
    "standardized_differences",
    "transitions",
]
