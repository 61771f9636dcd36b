"""A specification plus a Design becomes a Fit."""

from .fitting import fit
from .multivariate import MultivariateFit, MultivariateMMRM, fit_multivariate
from .prediction import predict, ranef
from .residuals import covariance_check, mahalanobis, residuals
from .result import Fit
from .spec import LMM, MMRM
from .streaming import Tally, tally

__all__ = [
    "LMM",
    "MMRM",
    "Fit",
    "MultivariateFit",
    "MultivariateMMRM",
    "Tally",
    "covariance_check",
    "fit",
    "fit_multivariate",
    "mahalanobis",
    "predict",
    "ranef",
    "residuals",
    "tally",
]
