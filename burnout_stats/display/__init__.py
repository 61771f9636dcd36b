"""How results look: the `Table` value, the number styles, escaping, and one writer a file.

Nothing here knows what the numbers mean.
"""

from .csv import to_csv
from .html import STYLE_SHEET, to_html
from .json import to_json
from .latex import to_latex
from .markdown import to_markdown
from .progress import Progress, Watched, teller
from .showing import Shown
from .styles import NUMBER_STYLES, NumberStyle, number_style
from .table import Cell, Column, Hidden, Interval, Missing, Pair, Row, Table
from .text import to_text

__all__ = [
    "NUMBER_STYLES",
    "STYLE_SHEET",
    "Cell",
    "Column",
    "Hidden",
    "Interval",
    "Missing",
    "NumberStyle",
    "Pair",
    "Progress",
    "Row",
    "Shown",
    "Table",
    "Watched",
    "number_style",
    "teller",
    "to_csv",
    "to_html",
    "to_json",
    "to_latex",
    "to_markdown",
    "to_text",
]
