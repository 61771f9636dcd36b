"""Changes in units of a standard deviation that is named."""

from __future__ import annotations

from dataclasses import replace

from ..errors import StudyError
from ..estimates import Estimates
from .ratios import refuse_scaled

__all__ = ["standardize"]


def standardize(change: Estimates, sd: float, standardizer: str = "the observed SD at baseline") -> Estimates:
    """Divide estimates, standard errors and limits by a standard deviation, taken as known.

    Parameters
    ----------
    change : Estimates
        Contrasts of one outcome.
    sd : float
        The standardizer, in the outcome's units; above 0.
    standardizer : str
        What it is, for the note under every table.

    Returns
    -------
    Estimates
        The interval reflects the uncertainty of the change, not that of the SD. Tests stay as they were.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` where `sd` is not above 0.
    ModelError
        `E-MODEL-SCALE` for probabilities, counts and ratios.

    **Source**: Glass 1976, Educ Res 5(10):3, Δ with the SD of one condition; Becker 1988, Br J Math Stat Psychol
    41:257, with the SD at baseline.
    """
    refuse_scaled(change.about, "A standardized change is")
    if not sd > 0:
        raise StudyError(
            "E-STUDY-VALUE",
            f"The standardizer is {sd}.",
            "A standard deviation is above 0.",
            "Take it from describe.by_visit(cohort), or from a norm sample.",
        )
    columns = ["estimate", "std_error", "conf_low", "conf_high"]
    frame = change.frame.assign(**{name: change.frame[name] / sd for name in columns})
    note = f"Standardized by {standardizer} ({sd:.3g}), taken as known."
    about = replace(change.about, units=dict.fromkeys(change.about.outcomes, "SD"), notes=(*change.about.notes, note))
    L = None if change.L is None else change.L / sd
    return replace(change, frame=frame, vcov=change.vcov / sd**2, about=about, L=L)
