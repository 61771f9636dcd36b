"""The nurses of Villa Sana after one year (Patient Educ Couns 2010;78:191-7)."""

from __future__ import annotations

from ._study import from_file

__all__ = ["STUDY"]

STUDY = from_file("villa_sana_nurses_2010")
