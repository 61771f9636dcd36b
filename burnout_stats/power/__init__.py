"""How many persons, and how sure: power, precision and sample size of a study before it is made."""

from ._design import CohortDesign, correlations, independent_patterns, monotone_patterns

__all__ = ["CohortDesign", "correlations", "independent_patterns", "monotone_patterns"]
