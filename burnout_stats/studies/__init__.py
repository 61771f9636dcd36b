"""Published studies: their synthetic cohorts by name, and the studies themselves with what they print."""

from typing import TYPE_CHECKING, Any

from ._change_regression import change_regression
from ._design import available
from ._planned import planned
from ._printed import PrintedNumber
from ._registry import names, study
from ._reproduce import is_missed
from ._study import Study, StudyDesign
from ._synthetic import example, simulate, write, write_synthetic

if TYPE_CHECKING:
    from ._peer_support_analysis import PeerSupport, peer_support_analysis

__all__ = [
    "PeerSupport",
    "PrintedNumber",
    "Study",
    "StudyDesign",
    "available",
    "change_regression",
    "example",
    "is_missed",
    "names",
    "peer_support_analysis",
    "planned",
    "simulate",
    "study",
    "write",
    "write_synthetic",
]


def __getattr__(name: str) -> Any:
    """A published study by its id, or an analysis, read when it is first asked for."""
    if name in {"PeerSupport", "peer_support_analysis"}:
        from . import _peer_support_analysis

        return getattr(_peer_support_analysis, name)
    if not name.startswith("_") and name in names():
        return study(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names and the ids of the studies."""
    return sorted({*__all__, *names()})
