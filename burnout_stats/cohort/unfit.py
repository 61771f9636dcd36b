"""What no column of a source may hold, whether it is used or not."""

from __future__ import annotations

import numpy as np

from ..errors import Problem
from .columns import UntypedError
from .declaration import Declaration
from .identity import identifying, lost_digits
from .layout import Laid, Table
from .legibility import damaged, damaged_names

__all__ = ["unfit"]


def unfit(table: Table, laid: Laid, said: Declaration) -> list[Problem]:
    """Columns that name persons, damaged letters, identifiers without their last digits: in what is used and in what is
    not.
    """
    problems = damaged_names(table.columns, is_file=laid.places.word == "line")
    columns = {said.subject: laid.subject, str(said.visit): laid.visit, str(said.date): laid.date, **laid.columns}
    for name, column in columns.items():
        if column is not None:
            problems += damaged(name, column, laid.places) + identifying(name, column, laid.places)
    for name in laid.not_used:
        try:
            column = table.column(name)
        except UntypedError:
            continue
        places = laid.places if laid.visit_codes is None else laid.places.take(np.arange(table.n_rows))
        problems += damaged(name, column, places) + identifying(name, column, places)
    return problems + (lost_digits(laid.subject, laid.places) if laid.subject is not None else [])
