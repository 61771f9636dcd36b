"""Published studies: their synthetic cohorts by name."""

from ._design import available
from ._synthetic import example, simulate, write, write_synthetic

__all__ = ["available", "example", "simulate", "write", "write_synthetic"]
