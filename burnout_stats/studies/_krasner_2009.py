"""A mindfulness program for primary care doctors (JAMA 2009;302:1284): one arm, four visits."""

from __future__ import annotations

from ._associations import with_associations

__all__ = ["STUDY"]

STUDY = with_associations("krasner_2009")
