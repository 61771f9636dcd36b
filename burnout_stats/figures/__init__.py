"""Figures of results, ready for print.

Each verb turns Estimates into a `Figure`, which draws itself in a notebook and saves itself as SVG or PNG. matplotlib
loads when something is drawn, and its global state is left as it was.
"""

from ._figure import SIZES, Figure
from ._flow import flow
from ._missingness import missingness
from ._reliable_change import reliable_change
from ._states import states
from ._trajectory import trajectory

__all__ = [
    "SIZES",
    "Figure",
    "flow",
    "missingness",
    "reliable_change",
    "states",
    "trajectory",
]
