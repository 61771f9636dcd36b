"""Sentences about results, made from the numbers themselves: what was done, and what came out.

They never speak of effects or causes, and never of "no change" where the data cannot tell.
"""

from ._methods import methods
from ._numbers import numbers_in, unsupported_numbers
from ._regression_to_mean import regression_to_the_mean
from ._result import result
from ._sensitivity import SensitivityText, sensitivity

__all__ = [
    "SensitivityText",
    "methods",
    "numbers_in",
    "regression_to_the_mean",
    "result",
    "sensitivity",
    "unsupported_numbers",
]
