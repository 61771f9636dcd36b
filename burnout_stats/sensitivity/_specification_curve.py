"""The same question under every combination of choices that could have been made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd

from ..cohort import Cohort
from ..display import Watched, teller
from ..engine.covariance import STRUCTURES
from ..errors import ModelError, StudyError, one_of
from ..estimates import Estimates
from ..inference.intervals import checked_level
from ..models import MMRM, Fit
from ..models.degrees_of_freedom import DF_METHODS
from ._specifications import CHOICES, MISSING_DATA, SCALINGS, Bench, Choice
from ._visit_contrast import VisitContrast, unannounced

__all__ = ["specification_curve"]

NUMBERS = ("estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high")


def specification_curve(
    spec: MMRM,
    cohort: Cohort,
    *,
    seed: int | np.random.SeedSequence,
    covariances: Iterable[str] = ("us", "csh", "ar1h"),
    df: Iterable[str] = ("kenward-roger", "satterthwaite"),
    adjustments: Mapping[str, str] | None = None,
    missing_data: Iterable[str] = tuple(MISSING_DATA),
    scalings: Iterable[str] = ("raw", "log"),
    contrast: str | None = None,
    auxiliaries: Iterable[str] = (),
    n: int = 50,
    conf_level: float = 0.95,
    progress: Watched = None,
) -> Estimates:
    """A change between two visits under every combination of the analyst's choices.

    Parameters
    ----------
    spec : MMRM
        The primary specification: its covariance, its formula, Kenward-Roger (under REML), all observed scores, the raw
        scale. It is among the rows whatever else is asked.
    cohort : Cohort
    seed : int or SeedSequence
        For the imputations.
    covariances, df, missing_data, scalings : names
        Keys of the tables of structures and df methods, of `MISSING_DATA` and of `SCALINGS`.
    adjustments : mapping of name to the right side of a formula, optional
        By default the primary formula as "as planned", and `visit` alone as "unadjusted".
    contrast : str, optional
        "3 years - baseline"; by default the last visit less the first.
    auxiliaries : names, optional
        Of the imputation, as in `draws`.
    n : int
        Imputations.
    conf_level : float
    progress : callable or bool, optional
        Called as `progress(done, total, what)`; a bar where left out and somebody watches, none with False.

    Returns
    -------
    Estimates
        Kind "specification_curve", a row for each specification, named by the columns `CHOICES`; `role` is "primary"
        for one of them. Where several scalings are asked, every estimate is divided by the SD of the observed baseline
        scores on its own scale, so that they share one axis. A specification without an answer has NaN, and the code
        of the error in the column `refused`. Rows are of the same data: no test counts them as if they were many.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION`, `E-STUDY-VISITS`, `E-STUDY-IMPUTE`, `E-STUDY-COLUMN` for what is asked wrongly.
    ModelError
        Where the primary specification has no answer.

    **Source**: Simonsohn, Simmons & Nelson 2020, Nat Hum Behav 4:1208, steps 1 and 2 (choose the specifications, show
    them all). Their third step, a joint test, takes all specifications for equally right; Del Giudice & Gangestad 2021,
    Adv Methods Pract Psychol Sci 4(1), tell when they are not, so it is left out.

    >>> from burnout_stats.studies import example
    >>> curve = specification_curve(
    ...     MMRM("exhaustion ~ visit * sex"),
    ...     example("villa_sana"),
    ...     covariances=["us", "cs"],
    ...     df=["satterthwaite"],
    ...     missing_data=["mmrm", "complete cases"],
    ...     scalings=["raw"],
    ...     seed=1,
    ... )
    >>> len(curve), curve.frame["role"].tolist().count("primary")
    (9, 1)
    """
    asked = VisitContrast.of(contrast, cohort.visits)
    checked_level(conf_level)
    formulas = {"as planned": spec, **_adjusted(spec, adjustments)}
    primary = Choice(
        spec.covariance, "kenward-roger" if spec.method == "reml" else "satterthwaite", "as planned", "mmrm", "raw"
    )
    choices = list(
        product(
            _named("covariances", covariances, list(STRUCTURES)),
            _named("df", df, list(DF_METHODS)),
            dict.fromkeys(["as planned", *formulas] if adjustments is None else adjustments),
            _named("missing_data", missing_data, list(MISSING_DATA)),
            _named("scalings", scalings, list(SCALINGS)),
        )
    )
    all_of_them = list(dict.fromkeys([primary, *(Choice(*choice) for choice in choices)]))
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    bench = Bench(
        formulas=formulas,
        cohort=cohort,
        auxiliaries=tuple(auxiliaries),
        n=n,
        seed=root,
        data={},
        imputations={},
        fits={},
    )
    heard = teller(progress)
    answers: list[Estimates | str] = []
    for done, choice in enumerate(all_of_them):
        answers.append(_answer(bench, choice, asked, conf_level, is_primary=choice == primary))
        if heard is not None:
            heard(done + 1, len(all_of_them), "specifications")
    first = answers[0]
    assert isinstance(first, Estimates)
    units = {choice.scaling: bench.baseline_sd(choice.scaling) for choice in all_of_them}
    rows = [
        _row(choice, answer, first, units[choice.scaling] if len(units) > 1 else 1.0, choice == primary)
        for choice, answer in zip(all_of_them, answers, strict=True)
    ]
    return _result(pd.DataFrame(rows), first, asked, units, answers)


def _named(argument: str, names: Iterable[str], known: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one_of(argument, name, known) for name in names))


def _adjusted(spec: MMRM, adjustments: Mapping[str, str] | None) -> dict[str, MMRM]:
    left = f"`{spec.parsed.response}`"
    if adjustments is None:
        alone = replace(spec, formula=f"{left} ~ visit")
        return {} if alone.parsed.terms == spec.parsed.terms else {"unadjusted": alone}
    return {name: replace(spec, formula=f"{left} ~ {right}") for name, right in adjustments.items()}


def _answer(
    bench: Bench, choice: Choice, asked: VisitContrast, conf_level: float, *, is_primary: bool
) -> Estimates | str:
    """The row of a specification, or the code of why there is none."""
    key = (choice.covariance, choice.adjustment, choice.missing_data, choice.scaling)
    try:
        with unannounced():
            found = bench.fits.get(key)
            if found is None:
                fitted = bench.fitted(choice)
                unverified = isinstance(fitted, Fit) and not fitted.converged and not is_primary
                found = bench.fits[key] = "N-MODEL-NOT-CONVERGED" if unverified else fitted
            return found if isinstance(found, str) else asked.asked(found, df=choice.df_method, conf_level=conf_level)
    except (ModelError, StudyError) as error:
        if is_primary or not (isinstance(error, ModelError) or error.code == "E-STUDY-IMPUTE"):
            raise
        bench.fits.setdefault(key, error.code)
        return error.code


def _row(choice: Choice, answer: Estimates | str, first: Estimates, sd: float, is_primary: bool) -> dict[str, object]:
    names: dict[str, object] = {name: getattr(choice, name) for name in CHOICES}
    names = {"outcome": first.frame["outcome"].iloc[0], **names, "role": "primary" if is_primary else "alternative"}
    if isinstance(answer, str):
        return {**names, "refused": answer, **dict.fromkeys(NUMBERS, np.nan), "n": np.nan, "method": choice.df_method}
    row = answer.frame.iloc[0]
    numbers = {name: float(row[name]) for name in NUMBERS}
    for name in ("estimate", "std_error", "conf_low", "conf_high"):
        numbers[name] /= sd
    return {**names, "refused": "", **numbers, "n": float(row["n"]), "method": row["method"]}


def _result(
    frame: pd.DataFrame,
    first: Estimates,
    asked: VisitContrast,
    units: Mapping[str, float],
    answers: Sequence[Estimates | str],
) -> Estimates:
    about, outcome = first.about, str(frame["outcome"].iloc[0])
    standardized = len(units) > 1
    about = replace(
        about,
        kind="specification_curve",
        factors=(*CHOICES, "role", "refused"),
        units={outcome: "SD at baseline"} if standardized else about.units,
        ranges={} if standardized else about.ranges,
        df_method="",
        notes=(f"{asked.name.replace(' - ', ' less ')}.", *_notes(frame, about.conf_level, units, answers)),
    )
    vcov = np.full((len(frame), len(frame)), np.nan)
    np.fill_diagonal(vcov, frame["std_error"].to_numpy(dtype=float) ** 2)
    return Estimates(frame=frame, vcov=vcov, about=about, notices=first.notices)


def _notes(
    frame: pd.DataFrame, conf_level: float, units: Mapping[str, float], answers: Sequence[Estimates | str]
) -> list[str]:
    """How many agree, in which units, what has no answer, and what was imputed given what."""
    told = frame["estimate"].notna()
    excludes = told & ((frame["conf_low"] > 0) | (frame["conf_high"] < 0))
    same = excludes & (np.sign(frame["estimate"]) == np.sign(frame["estimate"].iloc[0]))
    agree = (
        f"In {int(same.sum())} of {int(told.sum())} specifications with an answer the {100 * conf_level:g}% interval "
        f"excludes 0 on the side of the primary estimate, in {int((excludes & ~same).sum()) or 'none'} on the other "
        "side."
    )
    notes = [agree, "The specifications are of the same data and not equally credible, so their share is no test."]
    if len(units) > 1:
        answered = set(frame.loc[told, "scaling"])
        sizes = ", ".join(f"{name} {value:.3g}" for name, value in units.items() if name in answered)
        notes.append(
            "Estimates are divided by the SD of the observed baseline scores on the scale of each specification "
            f"({sizes}), taken as known."
        )
    refused = frame.loc[~told, "refused"].value_counts(sort=False)
    if len(refused):
        listed = ", ".join(f"{count} specifications ({code})" for code, count in refused.items())
        notes.append(f"Without an answer: {listed}.")
    given = [
        note
        for answer in answers
        if isinstance(answer, Estimates)
        for note in answer.about.notes
        if note.startswith("Missing at random given")
    ]
    if given:
        longest = max(given, key=len)
        notes.append(f"Imputation of the fullest specification: {longest[:1].lower()}{longest[1:]}")
    return notes
