"""Several outcomes in one `Estimates`, with the covariance between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import StudyError
from ..estimates import Estimates
from ..estimates.estimates import NUMBERS, About
from .scores import scores

__all__ = ["combine"]

Array = NDArray[np.float64]


def combine(*estimates: Estimates) -> Estimates:
    """Estimates of one kind, of several outcomes or models of the same cohort, in one frame.

    The covariance between estimates of different models is found from the scores of the subjects who are in both
    (`sensitivity.joint_contrasts` tests with it); it is NaN where a fit has no scores: pooled, clustered, or with
    random effects at times of one's own. Each model's own covariance stays as it is.

    Returns
    -------
    Estimates
        Detached: a contrast is asked of each model first, and combined then.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for nothing, or for kinds or confidence levels that differ.

    **Source**: Pipper, Ritz & Bisgaard 2012, J R Stat Soc C 61:315.

    >>> from burnout_stats.inference import contrast, emmeans
    >>> from burnout_stats.models import MMRM, fit
    >>> from burnout_stats.studies import example
    >>> def change(outcome):
    ...     return contrast(emmeans(fit(MMRM(f"{outcome} ~ visit"), example("villa_sana")), "visit"))
    >>> both = combine(change("exhaustion"), change("depression"))
    >>> both.vcov.shape, bool(both.vcov[0, 2] > 0)
    ((4, 4), True)
    """
    _refuse(estimates)
    parts = list(estimates)
    found = scores(parts)
    joint = np.where(np.outer(found.known, found.known), found.psi.T @ found.psi, np.nan)
    starts = np.cumsum([0, *map(len, parts)])
    for k, part in enumerate(parts):
        own = slice(starts[k], starts[k + 1])
        joint[own, own] = part.vcov
    return Estimates(
        frame=_frame(parts),
        vcov=joint,
        about=_about([part.about for part in parts]),
        notices=tuple(dict.fromkeys(notice for part in parts for notice in part.notices)),
        cells=_cells(parts),
    )


def _refuse(estimates: Sequence[Estimates]) -> None:
    kinds = list(dict.fromkeys((_what(part.about), part.about.conf_level) for part in estimates))
    if len(kinds) != 1:
        seen = " and ".join(f"{kind} at {level:g}" for kind, level in kinds)
        raise StudyError(
            "E-STUDY-VALUE",
            f"Combined are {seen or 'no estimates'}.",
            "Estimates of one kind and one confidence level stand in one table.",
            "Ask each model the same question, then combine the answers.",
        )


def _what(found: About) -> str:
    return f"{found.kind} of {found.quantity.replace('_', ' ')}" if found.quantity else found.kind


def _frame(parts: Sequence[Estimates]) -> pd.DataFrame:
    whole = pd.concat([part.frame.astype(_as_text(part.frame)) for part in parts], ignore_index=True)
    numbers = [name for name in (*NUMBERS, "n", "method") if name in whole]
    naming = [str(name) for name in whole if name not in numbers]
    whole[naming] = whole[naming].fillna("")
    return whole[[*naming, *numbers]]


def _as_text(frame: pd.DataFrame) -> dict[str, str]:
    """Categories of several cohorts may differ; labels are text here."""
    return {str(name): "object" for name in frame if isinstance(frame[name].dtype, pd.CategoricalDtype)}


def _about(parts: Sequence[About]) -> About:
    first = parts[0]

    def merged(name: str) -> dict[str, object]:
        return {key: value for part in parts for key, value in getattr(part, name).items()}

    def shared(name: str, otherwise: str) -> str:
        values = {getattr(part, name) for part in parts}
        return str(values.pop()) if len(values) == 1 else otherwise

    return replace(
        first,
        **{name: merged(name) for name in ("outcomes", "units", "better", "ranges", "visit_years")},  # type: ignore[arg-type]
        factors=tuple(dict.fromkeys(name for part in parts for name in part.factors)),
        by=tuple(dict.fromkeys(name for part in parts for name in part.by)),
        df_method=shared("df_method", ""),
        vcov=shared("vcov", "of each model"),
        adjust=shared("adjust", "none"),
        notes=_notes(parts),
        policy=max((part.policy for part in parts), key=lambda policy: policy.min_cell),
        min_cell=max(part.min_cell for part in parts),
        n_withheld=any(part.n_withheld for part in parts),
    )


def _notes(parts: Sequence[About]) -> tuple[str, ...]:
    """What is said of all once; what is said of some, with the outcome that it is said of."""
    found: list[str] = []
    for part in parts:
        label = ", ".join(part.outcomes.values())
        for note in part.notes:
            everywhere = all(note in other.notes for other in parts)
            found.append(note if everywhere or not label else f"{label}: {note}")
    return tuple(dict.fromkeys(found))


def _cells(parts: Sequence[Estimates]) -> Array | None:
    widths = [0 if part.cells is None else part.cells.shape[1] for part in parts]
    if not any(widths):
        return None
    cells = np.full((sum(map(len, parts)), max(widths)), np.nan)
    start = 0
    for part, width in zip(parts, widths, strict=True):
        if part.cells is not None:
            cells[start : start + len(part), :width] = part.cells
        start += len(part)
    return cells
