"""F tests of several linear functions at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from ..errors import StudyError
from ..estimates import Estimates
from ..models import Fit
from .about import about

__all__ = ["joint_test"]


def joint_test(
    fit: Fit, L: Estimates | NDArray[np.float64], *, df: str | None = None, label: str = "joint test"
) -> Estimates:
    """Test that every row of L β is zero.

    Parameters
    ----------
    L : (k × p) array, or Estimates of contrasts of the same fit
    df : str, optional
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
    if rows.ndim != 2 or rows.shape[1] != len(fit.design.names):
        raise StudyError(
            "E-STUDY-VALUE",
            f"L has shape {rows.shape}.",
            f"It has one column for each of the {len(fit.design.names)} fixed effects.",
            "Take the rows from contrast(...), or in the order of fit.coef.",
        )
    joint = fit.answer_joint(rows, df=df)
    p_value = float(
        special.chdtrc(joint.num_df, joint.statistic * joint.num_df)
        if np.isposinf(joint.df)
        else special.fdtrc(joint.num_df, joint.df, joint.statistic)
    )
    frame = pd.DataFrame(
        {
            "outcome": [fit.outcome.name],
            "term": [label],
            "estimate": [np.nan],
            "std_error": [np.nan],
            "num_df": [joint.num_df],
            "df": [joint.df],
            "statistic": [joint.statistic],
            "p_value": [p_value],
            "conf_low": [np.nan],
            "conf_high": [np.nan],
            "n": [float(fit.n_subjects)],
            "method": [joint.method],
        }
    )
    kind = about(fit, kind="tests", factors=("term",), conf_level=0.95, df_method=joint.method)
    return Estimates(frame=frame, vcov=np.full((1, 1), np.nan), about=kind, notices=fit.notices)
