"""NHS Practitioner Health after six months (BJPsych Open 2021): standardized change of each person."""

from __future__ import annotations

from ._associations import with_associations

__all__ = ["STUDY"]

STUDY = with_associations("simpson_2021")
