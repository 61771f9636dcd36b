"""A plan's results written to files: the report, the numbers behind it, and a manifest of both."""

from .compare import compare_results
from .comparison import Comparison
from .manifest import Manifest
from .write import report

__all__ = ["Comparison", "Manifest", "compare_results", "report"]
