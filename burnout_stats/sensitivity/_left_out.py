"""Does the result rest on few? The contrast without each subject, or without each supporter, clinic or specialty."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..engine.multiplicity import two_sided_p
from ..errors import ModelError, StudyError, did_you_mean
from ..estimates import Estimates
from ..estimates.margins import counted
from ..inference.intervals import checked_level
from ..models import Fit, fit
from ..models.spec import Model
from ._visit_contrast import VisitContrast, unannounced
from ._without_each import without_each

__all__ = ["left_out"]

Array = NDArray[np.float64]
COARSE = 0.1
"""Of a standard error: to so much the extremes over single subjects are rounded, outward. The mean of n scores without
one differs from the mean of all by (y_i − ȳ) / (n − 1), so an exact extreme would tell that person's score.
"""


def left_out(
    spec: Model,
    cohort: Cohort,
    *,
    by: str = "subject",
    contrast: str | None = None,
    df: str | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """A change between two visits as it is without each subject in turn, or without each level of a column.

    Parameters
    ----------
    spec : MMRM or LMM
    cohort : Cohort
    by : str
        "subject", or a categorical covariate that does not change within a subject (clinic, supporter, specialty).
    contrast : str, optional
        "3 years - baseline"; by default the last visit less the first.
    df, conf_level
        As in `emmeans`.

    Returns
    -------
    Estimates
        Kind "left_out", a row for nobody left out, then for each level. Of subjects only the lowest and the highest
        estimate have a row, rounded outward to a tenth of the standard error, because an exact extreme tells one
        person's score (exact where the policy shows extremes); which subjects these are is not told. Everything is
        estimated anew without each. `n` counts the subjects in the model. Levels with fewer subjects than may be shown
        are hidden wherever the numbers are rendered.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN`, `E-STUDY-OPTION` for a numeric column, `E-STUDY-VISITS`.
    ModelError
        `E-MODEL-CHANGES` where the level changes within a subject; by subject `E-MODEL-NOT-NOMINAL` and
        `E-MODEL-CLUSTERED` as `influence`, and `E-MODEL-VCOV` for probability weights.

    **Source**: Cook 1977, Technometrics 19:15; Christensen, Pearson & Johnson 1992, Technometrics 34:38, and
    Schabenberger 2004, SUGI 29, paper 189, for leaving out all rows of a subject.

    >>> from burnout_stats.models import MMRM
    >>> from burnout_stats.studies import example
    >>> left_out(MMRM("exhaustion ~ visit"), example("villa_sana"), by="intervention").frame["left_out"].tolist()
    ['nobody', 'day', 'week']
    """
    asked = VisitContrast.of(contrast, cohort.visits)
    checked_level(conf_level)
    whole = fit(spec, cohort)
    everyone = asked.asked(whole, df=df, conf_level=conf_level)
    if by == "subject":
        return _subjects(whole, everyone, asked)
    return _levels(spec, cohort, whole, everyone, asked, by)


# ---- one subject ----------------------------------------------------------------------------------------------------


def _subjects(whole: Fit, everyone: Estimates, asked: VisitContrast) -> Estimates:
    about, policy = everyone.about, everyone.about.policy
    if everyone.frame["estimate"].isna().any():
        raise ModelError(
            "E-MODEL-NOT-ESTIMABLE",
            f"The data cannot estimate {asked.name}, with all subjects or without one.",
            "A change needs scores at both of its visits.",
            "Name another contrast, or leave the visit out of the cohort.",
        )
    without = without_each(whole, everyone)
    known = np.flatnonzero(np.isfinite(without.estimate))
    low, high = without.limits(about.conf_level)
    step = 0.0 if policy.extremes else COARSE * float(everyone.frame["std_error"].iloc[0])
    rows = [_named(everyone, "nobody", float(whole.n_subjects))]
    for name, pick, outward in (("lowest", np.argmin, np.floor), ("highest", np.argmax, np.ceil)):
        if not len(known):
            continue
        k = int(known[pick(without.estimate[known])])
        numbers = {"estimate": without.estimate[k], "conf_low": low[k], "conf_high": high[k]}
        if step:
            ways = {"estimate": outward, "conf_low": np.floor, "conf_high": np.ceil}
            numbers = {key: float(ways[key](value / step) * step) for key, value in numbers.items()}
        row = rows[0].assign(left_out=f"one subject ({name} estimate)", n=float(whole.n_subjects - 1), **numbers)
        statistic = without.estimate[k] / without.std_error[k]
        exact = {
            "std_error": without.std_error[k],
            "df": without.df[k],
            "statistic": statistic,
            "p_value": float(two_sided_p(statistic, without.df[k])),
        }
        rows.append(row.assign(**(dict.fromkeys(exact, np.nan) if step else exact)))
    frame = pd.concat(rows, ignore_index=True)
    excludes = (low[known] > 0) | (high[known] < 0)
    return _result(
        frame,
        everyone,
        (
            f"{asked.name.replace(' - ', ' less ')}; all of the model is estimated anew without each subject.",
            _verdict(excludes, len(without.estimate) - len(known), everyone),
            *(("Without one subject: rounded outward to a tenth of the standard error.",) if step else ()),
        ),
    )


def _verdict(excludes: NDArray[np.bool_], lost: int, everyone: Estimates) -> str:
    """In how many deletions the interval excludes 0, as far as that may be told."""
    row, policy = everyone.frame.iloc[0], everyone.about.policy
    total, some = len(excludes), int(excludes.sum())
    whole = "excludes" if row["conf_low"] > 0 or row["conf_high"] < 0 else "includes"
    if some in (0, total):
        told = f"it {'excludes' if some else 'includes'} 0 whoever is left out"
    elif policy.hides(min(some, total - some)):
        told = f"without some single subjects (fewer than {policy.min_cell}) it would not agree with most"
    else:
        told = f"it excludes 0 without {some} of {total} subjects, each alone"
    rest = "" if not lost else " Without some subjects the model has no answer."
    return f"With all subjects the {100 * everyone.about.conf_level:g}% interval {whole} 0; {told}.{rest}"


# ---- one level ------------------------------------------------------------------------------------------------------


def _levels(spec: Model, cohort: Cohort, whole: Fit, everyone: Estimates, asked: VisitContrast, by: str) -> Estimates:
    levels, level_of = _groups(cohort, by)
    contributes = _contributes(whole, cohort.n_subjects)
    seen = _seen(cohort, whole, asked)
    about = everyone.about
    rows = [_named(everyone, "nobody", float(whole.n_subjects))]
    members, cells, refused = [contributes], [[float(whole.n_subjects)] * 3], []
    row_subject = cohort.data["subject"].to_numpy() - 1
    for code, level in enumerate(levels):
        own = (level_of == code) & contributes
        if not own.any():
            continue
        rest = contributes & ~own
        try:
            with unannounced():
                answer = asked.asked(
                    fit(spec, cohort.subset((level_of != code)[row_subject])),
                    df=about.df_method,
                    conf_level=about.conf_level,
                )
            row = _named(answer, level, float(rest.sum()))
        except ModelError as error:
            row = _named(everyone, level, float(rest.sum()))
            row = row.assign(**dict.fromkeys(_NUMBERS, np.nan))
            refused.append(f"Without {level} the model has no answer ({error.code}).")
        rows.append(row)
        members.append(rest)
        cells.append([float(own.sum()), *(float((own & at).sum()) for at in seen)])
    frame = pd.concat(rows, ignore_index=True)
    label = cohort.covariate_roles[by].label
    how = (
        f"{asked.name.replace(' - ', ' less ')}; all of the model is estimated anew without each level of {label}, and "
        "averaged over those who are left."
    )
    result = _result(frame, everyone, (how, *refused))
    return replace(result, margins=counted(members), cells=np.array(cells))


def _groups(cohort: Cohort, by: str) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The levels of a column, and the code of each subject's (-1 where it is not known)."""
    role = cohort.covariate_roles.get(by)
    if role is None:
        raise StudyError(
            "E-STUDY-COLUMN",
            f"Column `{by}` is not a covariate of the cohort.",
            f"Its covariates are: {', '.join(cohort.covariates)}.",
            did_you_mean(by, ("subject", *cohort.covariates)),
        )
    if role.levels is None:
        raise StudyError(
            "E-STUDY-OPTION",
            f"`by` is `{by}`, which is numeric.",
            "One level after the other is left out, so the column has levels.",
            "Declare its levels under [covariates].",
        )
    codes = cohort.data[by].cat.codes.to_numpy().astype(np.int64)
    subject = cohort.data["subject"].to_numpy() - 1
    most = np.full(cohort.n_subjects, -1, dtype=np.int64)
    np.maximum.at(most, subject, codes)
    changing = len(np.unique(subject[(codes >= 0) & (codes != most[subject])]))
    if changing:
        raise ModelError(
            "E-MODEL-CHANGES",
            f"`{by}` changes between the visits of {changing} subjects.",
            "A subject is left out with one level, so it has the same level at every visit.",
            "Use the value at baseline on every row.",
        )
    return role.levels, most


def _contributes(whole: Fit, n: int) -> NDArray[np.bool_]:
    found = np.zeros(n, dtype=bool)
    found[whole.needed_rows().ordinal - 1] = True
    return found


def _seen(cohort: Cohort, whole: Fit, asked: VisitContrast) -> tuple[NDArray[np.bool_], ...]:
    """Who has the outcome at either visit of the contrast."""
    rows = whole.needed_rows()
    ordinal = rows.ordinal[rows.subject] - 1
    found = []
    for label in (asked.later, asked.earlier):
        there = np.zeros(cohort.n_subjects, dtype=bool)
        there[ordinal[rows.visit == cohort.visits.labels.index(label)]] = True
        found.append(there)
    return tuple(found)


_NUMBERS = ("estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high")


def _named(answer: Estimates, name: str, n: float) -> pd.DataFrame:
    frame = answer.frame.drop(columns="contrast").assign(n=n)
    frame.insert(1, "left_out", name)
    return frame


def _result(frame: pd.DataFrame, everyone: Estimates, notes: tuple[str, ...]) -> Estimates:
    about = replace(everyone.about, kind="left_out", factors=("left_out",), notes=(*everyone.about.notes, *notes))
    vcov = np.full((len(frame), len(frame)), np.nan)
    np.fill_diagonal(vcov, frame["std_error"].to_numpy(dtype=float) ** 2)
    return Estimates(frame=frame, vcov=vcov, about=about, notices=everyone.notices)
