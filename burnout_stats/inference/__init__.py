"""Questions asked of a fit; every answer is Estimates."""

from .contrasts import contrast
from .emmeans import emmeans
from .joint_tests import joint_test
from .standardized import standardize
from .summary import summarize

__all__ = ["contrast", "emmeans", "joint_test", "standardize", "summarize"]
