"""Would it have happened anyway? The same question under other assumptions about what was not seen, and about what
would have come to pass without help.
"""

from ._draws import Draws, draws
from ._imputation import Analyses, Imputations, analyse, impute
from ._pooling import PooledFit, information, pool
from ._strategies import STRATEGIES, Pattern, Strategy

__all__ = [
    "STRATEGIES",
    "Analyses",
    "Draws",
    "Imputations",
    "Pattern",
    "PooledFit",
    "Strategy",
    "analyse",
    "draws",
    "impute",
    "information",
    "pool",
]
