"""Files and data frames become a checked, labelled Cohort."""

from .cohort import Cohort, Source
from .read import read_cohort
from .roles import RESERVED, Covariate, Outcome, Visits

__all__ = ["RESERVED", "Cohort", "Covariate", "Outcome", "Source", "Visits", "read_cohort"]
