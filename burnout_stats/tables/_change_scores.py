"""Changes, observed and latent, as a table."""

from __future__ import annotations

from ..display import Table
from ..estimates import Estimates
from ..estimates.tabulation import tabulate
from ._kinds import expect

__all__ = ["change_scores"]


def change_scores(estimates: Estimates, *, title: str = "", decimals: int = 2) -> Table:
    """Means, variances and correlations of changes with intervals, standard errors, p and n, by outcome.

    Parameters
    ----------
    estimates : Estimates
        From `pathways.change_scores`.
    title : str, optional
        The caption.
    decimals : int
        Of estimates, limits and standard errors.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "latent_changes", "pathways.change_scores()")
    return tabulate(
        estimates, title=title, columns=("estimate", "conf", "std_error", "p_value", "n"), decimals=decimals
    )
