"""Every specification and its answer as a table."""

from __future__ import annotations

from dataclasses import replace

from ..display import Table
from ..engine.covariance import STRUCTURES
from ..estimates import Estimates
from ..estimates.tabulation import DF_NAMES, tabulate
from ._kinds import expect

__all__ = ["specification_curve"]

CHOICES = ("covariance", "df_method", "adjustment", "missing_data", "scaling")


def specification_curve(estimates: Estimates, *, title: str = "") -> Table:
    """One row for each specification, the primary first: its choices, estimate, interval, p and n.

    Choices that all share are told in a note. A specification without an answer shows the code of the reason.

    Parameters
    ----------
    estimates : Estimates
        From `sensitivity.specification_curve`.
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    """
    expect(estimates, "specification_curve", "sensitivity.specification_curve()")
    frame = estimates.frame.assign(
        covariance=[STRUCTURES[code].name for code in estimates.frame["covariance"]],
        df_method=[DF_NAMES.get(name, name) for name in estimates.frame["df_method"]],
    )
    shared = {name: str(frame[name].iloc[0]) for name in CHOICES if frame[name].nunique() == 1}
    gone = [*shared, *(["refused"] if frame["refused"].eq("").all() else [])]
    frame = frame.drop(columns=gone).rename(columns={"df_method": "degrees_of_freedom", "refused": "no_answer"})
    said = "; ".join(f"{name.replace('_', ' ')}: {level}" for name, level in shared.items())
    notes = (*estimates.about.notes, *((f"In all specifications {said}.",) if said else ()))
    shown = replace(estimates, frame=frame, about=replace(estimates.about, notes=notes))
    return tabulate(shown, title=title, columns=("estimate", "conf", "p_value", "n"))
