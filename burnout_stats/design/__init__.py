"""Formula + Cohort -> matrices; the only floor that knows formulas."""

from .build import Design, build
from .parse import Formula, parse

__all__ = ["Design", "Formula", "build", "parse"]
