"""The whole study file: read it, check it, run it."""

from .check import Checked, check
from .run import OutcomeResults, Progress, Provenance, Results, run
from .study import Plan, read_study, schema

__all__ = [
    "Checked",
    "OutcomeResults",
    "Plan",
    "Progress",
    "Provenance",
    "Results",
    "check",
    "read_study",
    "run",
    "schema",
]
