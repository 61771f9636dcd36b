"""The same change in an outcome that counseling could not move."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from ..cohort import Cohort
from ..engine.multiplicity import t_quantile, two_sided_p
from ..errors import StudyError
from ..estimates import Estimates
from ..inference import combine, standardize
from ..models import fit
from ..models.spec import Model
from ._visit_contrast import VisitContrast

__all__ = ["negative_control"]

MEANING = (
    "A negative control is an outcome that what is studied cannot have moved. A change in it means that something else "
    "changed the scores of these people over the same time (regression to the mean, the time itself, who was lost, "
    "another way of answering), and that the same may be part of the change in the outcome."
)
NO_CHANGE = (
    "No change in it speaks only against what would have moved both; that nothing else moves the control is taken from "
    "outside the data."
)
ASSUMED = (
    "The differences take the outcome and the control to drift by the same number of baseline SDs but for what is "
    "studied (additive equi-confounding); nothing in the data can show that."
)


def negative_control(
    spec: Model,
    cohort: Cohort,
    controls: str | Iterable[str],
    *,
    contrast: str | None = None,
    difference: bool = False,
    df: str | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """A change between two visits beside the same change in outcomes that counseling could not move, all in SDs.

    Parameters
    ----------
    spec : MMRM or LMM
        The model of the outcome; the controls get the same right side.
    cohort : Cohort
    controls : str or names
        Outcomes or numeric covariates of the cohort.
    contrast : str, optional
        "3 years - baseline"; by default the last visit less the first.
    difference : bool
        Whether to add rows of the outcome less each control. They are the change that remains if, but for what is
        studied, both had drifted by the same number of baseline SDs; where the two are not one scale, that is seldom
        credible.
    df, conf_level
        As in `emmeans`.

    Returns
    -------
    Estimates
        Kind "negative_control", named by `compared`; in SDs of each variable's own observed baseline scores. The
        standard error of a difference uses the covariance from the scores of subjects, and the smaller of both degrees
        of freedom.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for no control, or the outcome as its own; `E-STUDY-COLUMN`, `E-STUDY-VISITS`.
    ModelError
        Where one of the models has no answer.

    **Source**: Lipsitch, Tchetgen Tchetgen & Cohen 2010, Epidemiology 21:383; for differences (additive
    equi-confounding) Sofer et al. 2016, Stat Sci 31:348, who warn of differing scales.

    >>> from burnout_stats.models import MMRM
    >>> from burnout_stats.studies import example
    >>> found = negative_control(MMRM("exhaustion ~ visit"), example("villa_sana"), "work_hours")
    >>> found.frame["compared"].tolist()
    ['Emotional exhaustion', 'Work hours per week (negative control)']
    """
    names = (controls,) if isinstance(controls, str) else tuple(dict.fromkeys(controls))
    response = spec.parsed.response
    if not names or response in names:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`{response}` is named as its own negative control." if names else "No negative control is named.",
            "A control is another outcome, one that could not have been moved.",
            f"The outcomes are: {', '.join(cohort.outcomes)}.",
        )
    asked = VisitContrast.of(contrast, cohort.visits)
    right = spec.formula.split("~", 1)[1]
    parts = []
    for name in (response, *names):
        found = fit(replace(spec, formula=f"`{name}` ~ {right}"), cohort)
        parts.append(standardize(asked.asked(found, df=df, conf_level=conf_level), _baseline_sd(cohort, name)))
    whole = combine(*parts)
    labels = [whole.about.outcomes[name] for name in (response, *names)]
    frame = whole.frame.drop(columns="contrast")
    frame.insert(1, "compared", [labels[0], *(f"{label} (negative control)" for label in labels[1:])])
    K = np.eye(len(parts))
    if difference:
        K = np.vstack([K, np.column_stack([np.ones(len(names)), -np.eye(len(names))])])
        frame = pd.concat([frame, _differences(frame, whole.vcov, labels, conf_level)], ignore_index=True)
    own = "own observed baseline scores"
    about = replace(
        whole.about,
        kind="negative_control",
        outcomes={response: labels[0]},
        units={response: "SD at baseline"},
        better={response: whole.about.better.get(response, "")},
        ranges={},
        factors=("compared",),
        notes=(
            f"{asked.name.replace(' - ', ' less ')}, divided by the SD of each variable's {own}, taken as known.",
            *(note for note in whole.about.notes if "Standardized by" not in note),
            MEANING,
            NO_CHANGE,
            *((ASSUMED,) if difference else ()),
        ),
    )
    joint = np.where(np.isfinite(whole.vcov), whole.vcov, 0.0)
    unknown = K @ np.isnan(whole.vcov) @ np.abs(K).T != 0
    return Estimates(
        frame=frame.assign(outcome=response),
        vcov=np.where(unknown, np.nan, K @ joint @ K.T),
        about=about,
        notices=whole.notices,
    )


def _differences(frame: pd.DataFrame, V: np.ndarray, labels: list[str], level: float) -> pd.DataFrame:
    own, others = frame.iloc[[0]], frame.iloc[1:]
    k = np.arange(1, len(frame))
    estimate = own["estimate"].to_numpy() - others["estimate"].to_numpy()
    std_error = np.sqrt(V[0, 0] + V[k, k] - 2 * V[0, k])
    df = np.minimum(own["df"].to_numpy(dtype=float), others["df"].to_numpy(dtype=float))
    half = t_quantile(level, df) * std_error
    return others.assign(
        compared=[f"{labels[0]} less {label}" for label in labels[1:]],
        estimate=estimate,
        std_error=std_error,
        df=df,
        statistic=estimate / std_error,
        p_value=two_sided_p(estimate / std_error, df),
        conf_low=estimate - half,
        conf_high=estimate + half,
        n=np.minimum(own["n"].to_numpy(dtype=float), others["n"].to_numpy(dtype=float)),
    )


def _baseline_sd(cohort: Cohort, name: str) -> float:
    first = cohort.data["visit"].cat.codes.to_numpy() == 0
    return float(cohort.data.loc[first, name].std(ddof=1))
