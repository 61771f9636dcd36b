"""Growth curves, and shapes of growth side by side, as tables."""

from __future__ import annotations

from ..display import Table
from ..estimates import Estimates
from ..estimates.tabulation import tabulate
from ._kinds import expect
from ._models_compared import models_compared

__all__ = ["growth", "growth_shapes"]


def growth(estimates: Estimates, *, title: str = "", decimals: int = 2) -> Table:
    """Means, shares, variances and correlations with intervals, standard errors, p and n.

    Parameters
    ----------
    estimates : Estimates
        From `pathways.growth`.
    title : str, optional
        The caption.
    decimals : int
        Of estimates, limits and standard errors.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "growth", "pathways.growth()")
    return tabulate(
        estimates, title=title, columns=("estimate", "conf", "std_error", "p_value", "n"), decimals=decimals
    )


def growth_shapes(estimates: Estimates, *, title: str = "") -> Table:
    """A row for each shape with its fit, and for each comparison of one shape with a fuller one.

    Parameters
    ----------
    estimates : Estimates
        From `pathways.growth_shapes`.
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "model_comparison", "pathways.growth_shapes()")
    return models_compared(estimates, title=title or "Shapes of growth")
