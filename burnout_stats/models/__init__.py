"""A specification plus a Design becomes a Fit."""

from .fitting import fit
from .prediction import predict, ranef
from .residuals import covariance_check, mahalanobis, residuals
from .result import Fit
from .spec import LMM, MMRM
from .streaming import Tally, tally

__all__ = [
    "LMM",
    "MMRM",
    "Fit",
    "Tally",
    "covariance_check",
    "fit",
    "mahalanobis",
    "predict",
    "ranef",
    "residuals",
    "tally",
]
