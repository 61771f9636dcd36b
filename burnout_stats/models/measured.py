"""Questions that only measured outcomes answer."""

from __future__ import annotations

from ..errors import ModelError

__all__ = ["refuse_counted"]


def refuse_counted(fit: object, question: str, advice: str = "Ask emmeans and contrast, which take any model.") -> None:
    """Stop where a question about a measured outcome is asked of a model of events, ordered categories or counts.

    Raises
    ------
    ModelError
        `E-MODEL-MEASURED`.
    """
    spec = getattr(fit, "spec", None)
    if not getattr(spec, "family", ""):
        return
    raise ModelError(
        "E-MODEL-MEASURED",
        f"{question} asked of a {type(spec).__name__} ({spec.family.replace('_', ' ')}).",  # type: ignore[union-attr]
        "That is made for outcomes that are measured, with a normal distribution around their means.",
        advice,
    )
