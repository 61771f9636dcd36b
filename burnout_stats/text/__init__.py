"""Sentences about results, made from the numbers themselves: what was done, and what came out.

They never speak of effects or causes, and never of "no change" where the data cannot tell.
"""

from ._methods import methods
from ._numbers import numbers_in, unsupported_numbers
from ._result import result

__all__ = ["methods", "numbers_in", "result", "unsupported_numbers"]
