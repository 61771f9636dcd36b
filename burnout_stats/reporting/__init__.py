"""A plan's results written to files: the report, the numbers behind it, and a manifest of both."""

from .manifest import Manifest
from .write import report

__all__ = ["Manifest", "report"]
