"""What estimates of a fit are about, taken from the fit once and in one place."""

from __future__ import annotations

from ..estimates import About
from ..models.fitted import Fitted

__all__ = ["about"]


def about(
    fit: Fitted,
    *,
    kind: str,
    factors: tuple[str, ...],
    df_method: str,
    conf_level: float = 0.95,
    vcov: str | None = None,
    by: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> About:
    """The `About` of estimates from this fit."""
    outcome = fit.outcome
    return About(
        kind=kind,
        outcomes={outcome.name: outcome.label},
        units={outcome.name: outcome.unit},
        better={outcome.name: outcome.better},
        ranges={outcome.name: outcome.range} if outcome.range else {},
        visit_years=fit.design.visits.by_label(),
        factors=factors,
        by=by,
        conf_level=conf_level,
        df_method=df_method,
        vcov=vcov or "model",
        notes=(*notes, *fit.notes, *(() if vcov in (None, "model") else (f"Standard errors are robust ({vcov}).",))),
        policy=fit.design.policy,
    )
