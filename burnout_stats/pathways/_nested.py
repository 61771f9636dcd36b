"""Several models of the same scores side by side: how each fits, and what the restrictions of one cost against another.

    T_r − T_f ~ χ²(d_r − d_f) for a restricted and a fuller model, where the restrictions hold
    AIC = −2 l + 2 q,   BIC = −2 l + q log n

**Source**: Steiger, Shapiro & Browne 1985, Psychometrika 50:253 (chi-square differences); Akaike 1974, IEEE Trans
Automat Contr 19:716; Schwarz 1978, Ann Stat 6:461; as lavaan, with all mean and covariance parameters counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import chdtrc

from ..engine.structural import StructuralFit
from ..estimates import About, Estimates
from ..estimates.margins import counted
from ..notices import Notice

__all__ = ["compared"]


def compared(
    fits: Mapping[str, StructuralFit],
    nested: Sequence[tuple[str, str]],
    *,
    outcome: str,
    seen: NDArray[np.bool_],
    about: About,
    notices: tuple[Notice, ...] = (),
) -> Estimates:
    """The indices of each model as rows named by `model`, `measure` and `against`.

    Parameters
    ----------
    fits : by the name of the model
    nested : pairs (restricted, fuller)
        The first is the second with restrictions.
    outcome, seen, about, notices
        Of the Estimates; `seen` (subjects,) is true for those who took part.
    """
    rows: list[dict[str, object]] = []

    def put(model: str, measure: str, value: float, *, against: str = "", **more: float) -> None:
        rows.append({"model": model, "measure": measure, "against": against, "estimate": value, **more})

    for model, fit in fits.items():
        found = fit.indices
        put(model, "chi-square", found.chi_square, df=found.df, p_value=found.p_value)
        put(model, "CFI", found.cfi)
        put(model, "TLI", found.tli)
        put(model, "RMSEA", found.rmsea, conf_low=found.rmsea_low, conf_high=found.rmsea_high)
        put(model, "SRMR", found.srmr)
        put(model, "AIC", -2 * fit.loglik + 2 * fit.n_parameters)
        put(model, "BIC", -2 * fit.loglik + fit.n_parameters * np.log(fit.n))
        for other in (fuller for restricted, fuller in nested if restricted == model):
            rich = fits[other]
            T, d = 2 * (rich.loglik - fit.loglik), rich.n_parameters - fit.n_parameters
            put(model, "chi-square difference", T, against=other, df=d, p_value=float(chdtrc(d, max(T, 0.0))))
            put(model, "CFI difference", found.cfi - (rich.indices.cfi if rich.indices.df else 1.0), against=other)
    frame = pd.DataFrame(rows).assign(outcome=outcome, std_error=np.nan, n=int(seen.sum()), method="FIML")
    frame["statistic"] = np.where(frame["measure"].str.startswith("chi-square"), frame["estimate"], np.nan)
    numbers = ["estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high", "n", "method"]
    frame = frame[["outcome", "model", "measure", "against", *numbers]]
    return Estimates(
        frame=frame,
        vcov=np.full((len(frame), len(frame)), np.nan),
        about=about,
        notices=notices,
        margins=counted([seen] * len(frame)),
    )
