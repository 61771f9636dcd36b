"""How many persons, and how sure: power, precision and sample size of a study before it is made."""

from ._assurance import Beta, Grid, Normal, assurance
from ._block import block
from ._curves import curve
from ._design import CohortDesign
from ._draw import draw
from ._equivalence import equivalence, noninferiority
from ._expected_fall import expected_fall
from ._inputs import correlations, independent_patterns, monotone_patterns
from ._mmrm import mmrm, sized
from ._null import regression_to_the_mean_null
from ._paired import paired, two_arms
from ._proportions import mcnemar, proportion, two_proportions
from ._simulate import simulate
from ._words import text

__all__ = [
    "Beta",
    "CohortDesign",
    "Grid",
    "Normal",
    "assurance",
    "block",
    "correlations",
    "curve",
    "draw",
    "equivalence",
    "expected_fall",
    "independent_patterns",
    "mcnemar",
    "mmrm",
    "monotone_patterns",
    "noninferiority",
    "paired",
    "proportion",
    "regression_to_the_mean_null",
    "simulate",
    "sized",
    "text",
    "two_arms",
    "two_proportions",
]
