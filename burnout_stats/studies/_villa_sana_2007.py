"""Who comes to Villa Sana (BMC Public Health 2007;7:36): adjusted means beside the national survey."""

from __future__ import annotations

from ._study import from_file

__all__ = ["STUDY"]

STUDY = from_file("villa_sana_2007")
