"""F tests of several linear functions at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import StudyError
from ..estimates import Estimates
from ..estimates.answers import JointAnswer
from ..models.fitted import Fitted
from .about import about
from .intervals import f_tests
from .scales import ScaledMeans

__all__ = ["joint_test"]


def joint_test(
    fit: Fitted,
    L: Estimates | NDArray[np.float64],
    *,
    df: str | None = None,
    vcov: str | None = None,
    label: str = "joint test",
) -> Estimates:
    """Test that every row of L β is zero.

    Parameters
    ----------
    L : (k × p) array, or Estimates of contrasts of the same fit
    df, vcov : str, optional
        As in `summarize`.

    Returns
    -------
    Estimates
        One row: `statistic` is F on `num_df` and `df` degrees of freedom.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` where L does not have one column per fixed effect.
    """
    rows = L.attached()[0] if isinstance(L, Estimates) else np.atleast_2d(np.asarray(L, dtype=float))
    if isinstance(L, Estimates) and isinstance(L.answers, ScaledMeans):  # of probabilities or mean counts
        return _told(fit, L.answers.answer_joint(rows, df=df, vcov=vcov), label)
    if rows.ndim != 2 or rows.shape[1] != len(fit.design.names):
        raise StudyError(
            "E-STUDY-VALUE",
            f"L has shape {rows.shape}.",
            f"It has one column for each of the {len(fit.design.names)} fixed effects.",
            "Take the rows from contrast(...), or in the order of fit.coef.",
        )
    return _told(fit, fit.answer_joint(rows, df=df, vcov=vcov), label)


def _told(fit: Fitted, joint: JointAnswer, label: str) -> Estimates:
    frame = f_tests([joint], float(fit.n_subjects), joint.method)
    frame.insert(0, "term", label)
    frame.insert(0, "outcome", fit.outcome.name)
    kind = about(fit, kind="tests", factors=("term",), df_method=joint.method, vcov=joint.vcov_name)
    return Estimates(frame=frame, vcov=np.full((1, 1), np.nan), about=kind, notices=fit.notices)
