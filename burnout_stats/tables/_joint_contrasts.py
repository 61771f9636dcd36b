"""Contrasts of several outcomes that are tested together, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from ..display import Cell, Column, Hidden, Table
from ..errors import StudyError
from ..estimates import Estimates
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import shown, tabulate
from ._kinds import expect

__all__ = ["joint_contrasts"]


def joint_contrasts(estimates: Estimates, alone: Estimates | None = None, *, title: str = "") -> Table:
    """Contrasts with simultaneous intervals and adjusted p, by outcome.

    Parameters
    ----------
    estimates : Estimates
        From `sensitivity.joint_contrasts`.
    alone : Estimates, optional
        The same rows unadjusted, from `combine`; their p values stand beside the adjusted ones.
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind, or unadjusted ones of other rows.
    """
    expect(estimates, "joint_contrasts", "sensitivity.joint_contrasts()")
    return tabulate(
        estimates,
        title=title,
        columns=("estimate", "conf", "std_error", "df", "statistic", "p_value", "n"),
        headers={"p_value": "adjusted p" if alone is not None else "p"},
        beside=() if alone is None else _beside(estimates, alone),
    )


def _beside(estimates: Estimates, alone: Estimates) -> Sequence[tuple[Column, Sequence[Cell]]]:
    naming = ["outcome", *estimates.about.factors, *estimates.about.by]
    same = len(alone) == len(estimates) and all(name in alone.frame for name in naming)
    if not same or not estimates.frame[naming].astype(str).equals(alone.frame[naming].astype(str)):
        raise StudyError(
            "E-STUDY-VALUE",
            "The unadjusted contrasts have other rows than the joint ones.",
            "Both tell of the same contrasts in the same order.",
            "Write joint_contrasts(sensitivity.joint_contrasts(a, b, seed=1), combine(a, b)).",
        )
    hidden = shown(estimates).frame[HIDDEN].astype(bool)
    own = shown(alone).frame
    gone = hidden.to_numpy() | own[HIDDEN].astype(bool).to_numpy()
    cells: list[Cell] = [Hidden() if out else float(p) for out, p in zip(gone, own["p_value"], strict=True)]
    return ((Column("p_value_alone", "p, each by itself", "p"), cells),)
