"""What cannot be asked of a fit with probability weights, which has a criterion but no likelihood."""

from __future__ import annotations

from ..errors import ModelError
from ..models import Fit
from ..models.measured import refuse_counted

__all__ = ["refuse_weighted"]


def refuse_weighted(fit: Fit) -> None:
    """Stop where a question needs the likelihood, or the uncertainty of Σ̂ that follows from it.

    Raises
    ------
    ModelError
        `E-MODEL-VCOV`; `E-MODEL-MEASURED` where the outcome is not measured.
    """
    refuse_counted(fit, "A question of the normal likelihood is", "Ask fit.loglik, fit.aic or fit.bic, or summarize.")
    if fit.has_probability_weights:
        raise ModelError(
            "E-MODEL-VCOV",
            f"The likelihood is asked of a fit with probability weights (`{fit.spec.weights}`).",
            "Such weights give right estimates, but what is maximized is no likelihood: a subject of weight 2 counts "
            "as two.",
            "Ask for estimates with robust standard errors (summarize, contrast), or fit without weights.",
        )
