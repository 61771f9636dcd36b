"""What was observed, before any model: each verb answers with Summaries."""

from ._by_visit import by_visit
from ._flow import flow

__all__ = ["by_visit", "flow"]
