"""Does it matter that people answered earlier or later than planned? The change at the nominal times, from nominal
visits and from exact dates, and how the outcome goes with being late.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from ..cohort import Cohort
from ..cohort.roles import Covariate
from ..errors import StudyError
from ..estimates import Estimates
from ..inference import contrast, emmeans, summarize
from ..models import Fit, fit
from ..models.spec import Model
from ..notices import Notice
from ._visit_contrast import VisitContrast

__all__ = ["exact_time"]

LATE = "years after the nominal time, "
ONE_TIME = "Exact: time runs since each subject's own first assessment; changes are read off at the nominal times."
AT_EACH_VISIT = (
    "Exact: the mean at each visit may rise or fall with the years by which an assessment came after its nominal time; "
    "changes are those of an assessment on time."
)
ASSOCIATED = (
    "Who answers late may be worse or better for other reasons: the slopes are associations within a visit, not the "
    "course of a person."
)
SPREAD = 1 / 365.25
"""Years: where assessments of a visit differ by no more than a day, there is nothing to learn from their times."""


def exact_time(spec: Model, cohort: Cohort, *, df: str | None = None, conf_level: float = 0.95) -> Estimates:
    """Changes from baseline at the nominal times, taking visits as nominal and as they were, and slopes on lateness.

    With `visit` in the formula, the exact model adds for each follow-up visit the years by which an assessment came
    after its nominal time; its changes are those at lateness 0, and the slopes are those of the outcome on lateness
    within the visit. A model with `years` alone has them replaced by `exact_years`, and no such slopes.

    Parameters
    ----------
    spec : MMRM or LMM
        With `visit` or `years`, not with `exact_years`.
    cohort : Cohort
        With dates of assessment. Rows without a date are left out of both models.
    df, conf_level
        As in `emmeans`.

    Returns
    -------
    Estimates
        Kind "exact_time", named by `contrast` and `times` ("nominal" or "exact").

    Raises
    ------
    StudyError
        `E-STUDY-DATES` for a cohort without dates; `E-STUDY-FORMULA` for a model without `visit` and `years`, or with
        `exact_years`.
    ModelError
        Where a model has no answer.

    **Source**: the model with lateness is our choice: a first-order expansion of the mean around each nominal time.
    """
    name = _time_of(spec)
    if "exact_years" not in cohort.data:
        raise StudyError(
            "E-STUDY-DATES",
            "The cohort has no dates of assessment.",
            "The exact time since baseline is counted from them.",
            "Name the column of dates: read_cohort(..., date=...).",
        )
    exact = cohort.data["exact_years"].to_numpy(dtype=float)
    dated = np.isfinite(exact)
    used = cohort if dated.all() else cohort.subset(dated)
    nominal = fit(spec, used)
    followed = [VisitContrast(label, used.visits.labels[0]) for label in used.visits.labels[1:]]
    rows = [_row(asked.asked(nominal, df=df, conf_level=conf_level), asked.name, "nominal") for asked in followed]
    if name == "visit":
        more, notices, skipped = _with_lateness(spec, used, followed, df, conf_level)
    else:
        more, notices = _with_exact_years(spec, used, followed, df, conf_level)
        skipped = ()
    first = rows[0]
    exactly = [replace(row, frame=row.frame.assign(n=own.frame["n"])) for own, row in zip(rows, more, strict=False)]
    changes = [row for pair in zip(rows, exactly, strict=True) for row in pair]
    parts = [*changes, *more[len(followed) :]]
    left_out = int((~dated & cohort.data[spec.parsed.response].notna().to_numpy()).sum())
    frame = pd.concat([part.frame for part in parts], ignore_index=True)
    vcov = np.full((len(frame), len(frame)), np.nan)
    np.fill_diagonal(vcov, frame["std_error"].to_numpy(dtype=float) ** 2)
    about = replace(
        first.about,
        kind="exact_time",
        factors=("contrast", "times"),
        notes=(
            *first.about.notes,
            *_notes(name == "visit", skipped),
            *(("Rows without a date of assessment are in neither model.",) if left_out else ()),
        ),
    )
    return Estimates(frame=frame, vcov=vcov, about=about, notices=tuple(dict.fromkeys((*nominal.notices, *notices))))


def _time_of(spec: Model) -> str:
    variables = spec.parsed.variables
    name = "visit" if "visit" in variables else "years"
    if name not in variables or "exact_years" in variables:
        raise StudyError(
            "E-STUDY-FORMULA",
            f"The formula `{spec.formula}` has {'`exact_years`' if 'exact_years' in variables else 'no time'}.",
            "Exact times are held against nominal ones, so the model has `visit` or `years`.",
            'Write for example "exhaustion ~ visit".',
        )
    return name


def _with_lateness(
    spec: Model, cohort: Cohort, followed: list[VisitContrast], df: str | None, conf_level: float
) -> tuple[list[Estimates], tuple[Notice, ...], tuple[str, ...]]:
    """The changes at lateness 0, then the slopes of each visit; and the visits without spread."""
    data = cohort.data
    codes = data["visit"].cat.codes.to_numpy()
    late = data["exact_years"].to_numpy(dtype=float) - np.array(cohort.visits.years)[codes]
    answered = data[spec.parsed.response].notna().to_numpy()
    columns: dict[str, np.ndarray] = {}
    roles = dict(cohort.covariate_roles)
    skipped = []
    for place, asked in enumerate(followed, start=1):
        own = (codes == place) & answered
        if np.ptp(late[own]) <= SPREAD if own.any() else True:
            skipped.append(asked.later)
            continue
        name = LATE + asked.later
        columns[name] = np.where(codes == place, late, 0.0)
        roles[name] = Covariate(name, unit="years")
    with_times = replace(cohort, data=data.assign(**columns), covariate_roles=roles)
    terms = "".join(f" + `{name}`" for name in columns)
    found = fit(replace(spec, formula=spec.formula + terms), with_times)
    means = emmeans(found, "visit", at=dict.fromkeys(columns, 0.0), df=df, conf_level=conf_level)
    labels = means.frame["visit"].tolist()
    rows = []
    for asked in followed:
        weights = [float(label == asked.later) - float(label == asked.earlier) for label in labels]
        rows.append(_row(contrast(means, {asked.name: weights}), asked.name, "exact"))
    whole = summarize(found, df=df, conf_level=conf_level)
    for asked in followed:
        at = np.flatnonzero(whole.frame["term"].astype(str).str.strip("`") == LATE + asked.later)
        if len(at):
            n = float(((codes == followed.index(asked) + 1) & answered).sum())
            rows.append(_slope(whole, int(at[0]), f"per year after the nominal time, {asked.later}", n))
    return rows, found.notices, tuple(skipped)


def _with_exact_years(
    spec: Model, cohort: Cohort, followed: list[VisitContrast], df: str | None, conf_level: float
) -> tuple[list[Estimates], tuple[Notice, ...]]:
    """The changes at the nominal years of the model in which exact years stand for nominal ones."""
    found: Fit = fit(replace(spec, formula=re.sub(r"(?<!`)\byears\b(?!`)", "exact_years", spec.formula)), cohort)
    years = list(cohort.visits.years)
    means = emmeans(found, "exact_years", at={"exact_years": years}, df=df, conf_level=conf_level)
    rows = []
    for asked in followed:
        weights = [float(label == asked.later) - float(label == asked.earlier) for label in cohort.visits.labels]
        rows.append(_row(contrast(means, {asked.name: weights}), asked.name, "exact"))
    return rows, found.notices


def _row(answer: Estimates, name: str, times: str) -> Estimates:
    frame = answer.frame.assign(contrast=name)
    frame.insert(2, "times", times)
    return replace(answer, frame=frame)


def _slope(whole: Estimates, at: int, name: str, n: float) -> Estimates:
    frame = whole.frame.iloc[[at]].drop(columns="term").assign(n=n)
    frame.insert(1, "contrast", name)
    frame.insert(2, "times", "exact")
    return replace(whole, frame=frame, vcov=whole.vcov[np.ix_([at], [at])], L=None, answers=None)


def _notes(lateness: bool, skipped: tuple[str, ...]) -> tuple[str, ...]:
    if not lateness:
        return (ONE_TIME,)
    nothing = (f"Everybody was assessed on the same day at: {', '.join(skipped)}.",) if skipped else ()
    return (AT_EACH_VISIT, ASSOCIATED, *nothing)
