"""Facilitated small groups in a randomized trial (JAMA Intern Med 2014;174:527): two arms, three visits."""

from __future__ import annotations

from ._associations import with_associations

__all__ = ["STUDY"]

STUDY = with_associations("west_2014")
