"""Files and data frames become a checked, labelled Cohort."""

from .cohort import Cohort, Source
from .read import read_cohort
from .roles import RESERVED, Covariate, Outcome, Visits
from .stream import CohortStream

__all__ = ["RESERVED", "Cohort", "CohortStream", "Covariate", "Outcome", "Source", "Visits", "read_cohort"]
