"""Would it have happened anyway? The same question under other assumptions about what was not seen, and about what
would have come to pass without help.
"""

from ._bounds import bounds
from ._chained import Chains, chained
from ._complete_cases import complete_cases
from ._dashboard import Dashboard, dashboard
from ._draws import Draws, draws
from ._follow_up_time import exact_time
from ._follow_up_weights import FollowUpWeights, weights
from ._imputation import Analyses, Imputations, analyse, impute
from ._items import score_imputed
from ._left_out import left_out
from ._mee_chua import mee_chua, mee_chua_from_summaries, mee_chua_range, mee_chua_range_from_summaries
from ._multiplicity import joint_contrasts
from ._negative_control import negative_control
from ._pooled_events import PooledEvents, pooled_events
from ._pooling import PooledFit, information, pool
from ._regression_to_mean import regression_to_the_mean, regression_to_the_mean_from_summaries
from ._specification_curve import specification_curve
from ._stability_curve import stability_curve, stability_curve_from_summaries
from ._strategies import STRATEGIES, Pattern, Strategy, fade, jump_to_norm
from ._strategies_compared import strategies_compared
from ._tipping_odds import tipping_odds
from ._tipping_point import tipping_delta, tipping_map, tipping_point, tipping_share
from ._triangulation import triangulation
from ._weighted_fit import WeightedFit
from ._weighting import weighted

__all__ = [
    "STRATEGIES",
    "Analyses",
    "Chains",
    "Dashboard",
    "Draws",
    "FollowUpWeights",
    "Imputations",
    "Pattern",
    "PooledEvents",
    "PooledFit",
    "Strategy",
    "WeightedFit",
    "analyse",
    "bounds",
    "chained",
    "complete_cases",
    "dashboard",
    "draws",
    "exact_time",
    "fade",
    "impute",
    "information",
    "joint_contrasts",
    "jump_to_norm",
    "left_out",
    "mee_chua",
    "mee_chua_from_summaries",
    "mee_chua_range",
    "mee_chua_range_from_summaries",
    "negative_control",
    "pool",
    "pooled_events",
    "regression_to_the_mean",
    "regression_to_the_mean_from_summaries",
    "score_imputed",
    "specification_curve",
    "stability_curve",
    "stability_curve_from_summaries",
    "strategies_compared",
    "tipping_delta",
    "tipping_map",
    "tipping_odds",
    "tipping_point",
    "tipping_share",
    "triangulation",
    "weighted",
    "weights",
]
