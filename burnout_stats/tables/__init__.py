"""Tables of results, ready for a paper: each verb turns Estimates, Summaries or a Fit into a `Table`.

What may not be shown is hidden here, whether or not it was protected before.
"""

from ._against_norm import against_norm
from ._attrition import attrition
from ._baseline import baseline
from ._between_arms import between_arms
from ._by_visit import by_visit
from ._caseness import caseness, caseness_change
from ._change import change
from ._change_scores import change_scores
from ._coefficients import coefficients
from ._consistency import consistency
from ._contrasts import contrasts
from ._covariance import covariance
from ._dropout_model import dropout_model
from ._exact_time import exact_time
from ._flow import flow
from ._follow_up import follow_up
from ._follow_up_weights import balance, follow_up_weights
from ._growth import growth, growth_shapes
from ._invariance import invariance
from ._joint_contrasts import joint_contrasts
from ._joint_display import joint_display
from ._left_out import left_out
from ._level_and_change import level_and_change
from ._means import means
from ._mediation import mediation
from ._missingness import missing_values, missingness
from ._negative_control import negative_control
from ._paths import artefact_check, fit_indices, paths
from ._regression_to_mean import regression_to_the_mean
from ._reliability import reliability
from ._reliable_change import reliable_change
from ._reproduction import reproduction
from ._rm_anova import rm_anova, sphericity
from ._screening import screening
from ._specification_curve import specification_curve
from ._standardized_differences import standardized_differences
from ._tipping_point import strategies, tipping_point
from ._transitions import transitions
from ._triangulation import bounds, triangulation

__all__ = [
    "against_norm",
    "artefact_check",
    "attrition",
    "balance",
    "baseline",
    "between_arms",
    "bounds",
    "by_visit",
    "caseness",
    "caseness_change",
    "change",
    "change_scores",
    "coefficients",
    "consistency",
    "contrasts",
    "covariance",
    "dropout_model",
    "exact_time",
    "fit_indices",
    "flow",
    "follow_up",
    "follow_up_weights",
    "growth",
    "growth_shapes",
    "invariance",
    "joint_contrasts",
    "joint_display",
    "left_out",
    "level_and_change",
    "means",
    "mediation",
    "missing_values",
    "missingness",
    "negative_control",
    "paths",
    "regression_to_the_mean",
    "reliability",
    "reliable_change",
    "reproduction",
    "rm_anova",
    "screening",
    "specification_curve",
    "sphericity",
    "standardized_differences",
    "strategies",
    "tipping_point",
    "transitions",
    "triangulation",
]
