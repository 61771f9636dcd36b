"""Figures of results, ready for print.

Each verb turns Estimates into a `Figure`, which draws itself in a notebook and saves itself as SVG or PNG. matplotlib
loads when something is drawn, and its global state is left as it was.
"""

from ._balance import balance
from ._covariance import covariance
from ._figure import SIZES, Figure
from ._flow import flow
from ._forest import forest
from ._lags import lags
from ._missingness import missingness
from ._path_diagram import path_diagram
from ._power_curve import power_curve
from ._regression_to_mean import regression_to_the_mean
from ._reliable_change import reliable_change
from ._residuals import residuals
from ._spaghetti import spaghetti
from ._specification_curve import specification_curve
from ._states import states
from ._tipping_map import tipping_map
from ._tipping_point import tipping_point
from ._trajectory import trajectory
from ._triangulation import triangulation

__all__ = [
    "SIZES",
    "Figure",
    "balance",
    "covariance",
    "flow",
    "forest",
    "lags",
    "missingness",
    "path_diagram",
    "power_curve",
    "regression_to_the_mean",
    "reliable_change",
    "residuals",
    "spaghetti",
    "specification_curve",
    "states",
    "tipping_map",
    "tipping_point",
    "trajectory",
    "triangulation",
]
