"""Sentences about results, made from the numbers themselves: what was done, and what came out.

They never speak of effects or causes, and never of "no change" where the data cannot tell.
"""

from ._calls import calls
from ._checklist import Checklist, Item
from ._inline import inline
from ._methods import methods
from ._numbers import numbers_in, unsupported_numbers
from ._numbers_in_tables import NumbersInTables
from ._regression_to_mean import regression_to_the_mean
from ._result import result
from ._sensitivity import SensitivityText, sensitivity
from ._software import assumptions, decisions, software
from ._strobe import SECTION_KINDS, strobe, strobe_answers, tarmos, tarmos_answers

__all__ = [
    "SECTION_KINDS",
    "Checklist",
    "Item",
    "NumbersInTables",
    "SensitivityText",
    "assumptions",
    "calls",
    "decisions",
    "inline",
    "methods",
    "numbers_in",
    "regression_to_the_mean",
    "result",
    "sensitivity",
    "software",
    "strobe",
    "strobe_answers",
    "tarmos",
    "tarmos_answers",
    "unsupported_numbers",
]
