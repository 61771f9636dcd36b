"""Villa Sana: sick leave and later exhaustion (Scand J Public Health 2012;40:278-85)."""

from __future__ import annotations

from ._study import from_file

__all__ = ["STUDY"]

STUDY = from_file("villa_sana_2012")
