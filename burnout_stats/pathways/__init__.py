"""Panel models: how outcomes go together over the visits, by full-information maximum likelihood."""

from ._artefact import artefact_check
from ._change_score import change_scores
from ._continuous_time import ContinuousTimeFit, continuous_time, drift, drift_residuals, lags
from ._growth import growth, growth_shapes
from ._invariance import invariance
from ._mediation import mediation
from ._panel import cross_lagged, random_intercept, synchronous
from ._path_fit import PathFit
from ._paths import fit_indices, paths

__all__ = [
    "ContinuousTimeFit",
    "PathFit",
    "artefact_check",
    "change_scores",
    "continuous_time",
    "cross_lagged",
    "drift",
    "drift_residuals",
    "fit_indices",
    "growth",
    "growth_shapes",
    "invariance",
    "lags",
    "mediation",
    "paths",
    "random_intercept",
    "synchronous",
]
