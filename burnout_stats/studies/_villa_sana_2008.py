"""Villa Sana after one year (BMJ 2008;337:a2004): paired changes, sick leave, and what went with the fall."""

from __future__ import annotations

from ._study import from_file

__all__ = ["STUDY"]

STUDY = from_file("villa_sana_2008")
