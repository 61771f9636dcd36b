"""Measurement invariance over visits as a table."""

from __future__ import annotations

from ..display import Table
from ..estimates import Estimates
from ._kinds import expect
from ._models_compared import models_compared

__all__ = ["invariance"]


def invariance(estimates: Estimates, *, title: str = "") -> Table:
    """A row for each model with its fit, and what holding more equal costs against the weaker one.

    Parameters
    ----------
    estimates : Estimates
        From `pathways.invariance`.
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "invariance", "pathways.invariance()")
    return models_compared(estimates, title=title or "Measurement invariance over visits")
