"""Tables of results, ready for a paper: each verb turns Estimates, Summaries or a Fit into a `Table`.

What may not be shown is hidden here, whether or not it was protected before.
"""

from ._by_visit import by_visit
from ._coefficients import coefficients
from ._contrasts import contrasts
from ._covariance import covariance
from ._flow import flow
from ._means import means

__all__ = ["by_visit", "coefficients", "contrasts", "covariance", "flow", "means"]
