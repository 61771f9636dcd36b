"""What is measured: instruments with their scoring keys, and the norms that scores are compared with.

`names()` lists the instruments that ship, `instrument("cbi")` is one of them, `read_instrument(path)` reads one of your
own, and `score(items, "cbi")` turns answers into scores.
"""

from ._columns import columns_of
from ._instrument import Composite, Cutoff, Instrument, Mark, Response, Subscale
from ._reading import instrument, names, read_instrument
from ._scoring import Scores, score, scores
from .norms import Norm, Stability

__all__ = [
    "Composite",
    "Cutoff",
    "Instrument",
    "Mark",
    "Norm",
    "Response",
    "Scores",
    "Stability",
    "Subscale",
    "columns_of",
    "instrument",
    "names",
    "read_instrument",
    "score",
    "scores",
]
