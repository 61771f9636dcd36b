"""A specification plus a Design becomes a Fit."""

from .fitting import fit
from .result import Fit
from .spec import MMRM

__all__ = ["MMRM", "Fit", "fit"]
