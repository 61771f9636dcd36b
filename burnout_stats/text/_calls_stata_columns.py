"""What both parts of Stata's script need: transforms as expressions, and which degrees of freedom there are."""

from __future__ import annotations

from collections.abc import Mapping

from ..design.parse import Factor
from ._calls_question import Question

__all__ = ["DFMETHODS", "has_df", "value_of"]

DFMETHODS: Mapping[str, tuple[str, str]] = {
    "kenward-roger": ("kroger, oim", ""),
    "kenward-roger-expected": ("kroger, eim", ""),
    "kenward-roger-second-order": ("kroger, oim", ""),
    "satterthwaite": ("satterthwaite, oim", ""),
    "between-within": ("repeated", "the between-within df of Stata are those of a balanced design"),
    "residual": ("residual", ""),
    "asymptotic": ("", ""),
}


def value_of(asked: Question, factor: Factor, name: str) -> str:
    """The transform of a numeric factor, of the variable by this name."""
    if factor.transform in ("log", "sqrt"):
        return f"{factor.transform}({name})"
    if factor.transform == "power":
        return f"{name}^{factor.arguments[0]!r}"
    if factor.transform == "per":
        return f"{name} / {factor.arguments[0]!r}"
    variable = asked.variables[factor.variable]
    centered = f"({name} - {variable.mean!r})"
    return centered if factor.transform == "center" else f"{centered} / {variable.sd!r}"


def has_df(asked: Question) -> bool:
    """Whether Stata has degrees of freedom for this question."""
    method = DFMETHODS[asked.df_method][0]
    needs_reml = method.startswith(("kroger", "satterthwaite"))
    return bool(method) and (asked.fit.spec.method == "reml" or not needs_reml)
