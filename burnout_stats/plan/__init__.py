"""The whole study file: read it, check it, run it."""

from .check import Checked, check
from .draft import Draft, draft_study
from .run import OutcomeResults, Progress, Provenance, Results, run
from .study import Plan, read_study, schema

__all__ = [
    "Checked",
    "Draft",
    "OutcomeResults",
    "Plan",
    "Progress",
    "Provenance",
    "Results",
    "check",
    "draft_study",
    "read_study",
    "run",
    "schema",
]
