"""Coaching of doctors in a randomized trial (JAMA Intern Med 2019;179:1406): two arms, changes and prevalences."""

from __future__ import annotations

from ._associations import with_associations

__all__ = ["STUDY"]

STUDY = with_associations("dyrbye_2019")
