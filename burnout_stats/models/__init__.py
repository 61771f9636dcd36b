"""A specification plus a Design becomes a Fit."""

from .fitting import fit
from .gee import GEE
from .gee_fit import GeeFit
from .generalized import GLMM
from .generalized_fit import GeneralizedFit
from .multivariate import MultivariateFit, MultivariateMMRM, fit_multivariate
from .prediction import predict, ranef
from .residuals import covariance_check, mahalanobis, residuals
from .result import Fit
from .spec import LMM, MMRM
from .streaming import Tally, tally

__all__ = [
    "GEE",
    "GLMM",
    "LMM",
    "MMRM",
    "Fit",
    "GeeFit",
    "GeneralizedFit",
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
