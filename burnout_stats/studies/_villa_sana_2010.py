"""Villa Sana after three years (BMC Public Health 2010;10:213): paired t, analysis of variance, panel models."""

from __future__ import annotations

from ._study import from_file

__all__ = ["STUDY"]

STUDY = from_file("villa_sana_2010")
