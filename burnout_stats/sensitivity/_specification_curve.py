"""The same question under every combination of choices that could have been made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..engine.covariance import STRUCTURES
from ..errors import ModelError, StudyError, one_of
from ..estimates import Estimates
from ..inference.intervals import checked_level
from ..models import MMRM, fit
from ..models.degrees_of_freedom import DF_METHODS
from ..models.fitted import Fitted
from ._draws import Progress, draws
from ._imputation import Imputations, analyse, impute
from ._pooling import pool
from ._visit_contrast import VisitContrast, unannounced

__all__ = ["CHOICES", "MISSING_DATA", "SCALINGS", "specification_curve"]

Array = NDArray[np.float64]
CHOICES = ("covariance", "df_method", "adjustment", "missing_data", "scaling")
"""The choices, as the columns that name a specification."""
MISSING_DATA = MappingProxyType(
    {
        "mmrm": "all observed scores, by likelihood",
        "complete cases": "subjects seen at every visit",
        "imputation": "multiple imputation under missing at random",
    }
)
SCALINGS: MappingProxyType[str, Callable[[Array], Array]] = MappingProxyType(
    {"raw": lambda y: y, "log": np.log, "square root": np.sqrt}
)
"""What is done to the outcome before it is modeled."""
NUMBERS = ("estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high")


@dataclass(frozen=True, slots=True)
class _Choice:
    """One specification."""

    covariance: str
    df_method: str
    adjustment: str
    missing_data: str
    scaling: str


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
    progress: Progress | None = None,
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
    progress : callable, optional
        Called as `progress(done, total, what)`.

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
    primary = _Choice(
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
    all_of_them = list(dict.fromkeys([primary, *(_Choice(*choice) for choice in choices)]))
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    bench = _Bench(
        formulas=formulas,
        cohort=cohort,
        auxiliaries=tuple(auxiliaries),
        n=n,
        seed=root,
        data={},
        imputations={},
        fits={},
    )
    answers: list[Estimates | str] = []
    for done, choice in enumerate(all_of_them):
        answers.append(_answer(bench, choice, asked, conf_level, is_primary=choice == primary))
        if progress is not None:
            progress(done + 1, len(all_of_them), "specifications")
    first = answers[0]
    assert isinstance(first, Estimates)
    units = {choice.scaling: bench.baseline_sd(choice.scaling) for choice in all_of_them}
    standardized = len(units) > 1
    rows = [
        _row(choice, answer, first, units[choice.scaling] if standardized else 1.0, choice == primary)
        for choice, answer in zip(all_of_them, answers, strict=True)
    ]
    return _result(pd.DataFrame(rows), first, asked, standardized, units, all_of_them, answers, auxiliaries)


def _named(argument: str, names: Iterable[str], known: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one_of(argument, name, known) for name in names))


def _adjusted(spec: MMRM, adjustments: Mapping[str, str] | None) -> dict[str, MMRM]:
    left = f"`{spec.parsed.response}`"
    if adjustments is None:
        alone = replace(spec, formula=f"{left} ~ visit")
        return {} if alone.parsed.terms == spec.parsed.terms else {"unadjusted": alone}
    return {name: replace(spec, formula=f"{left} ~ {right}") for name, right in adjustments.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """Where specifications are fitted: data, imputations and fits that several share are made once."""

    formulas: Mapping[str, MMRM]
    cohort: Cohort
    auxiliaries: tuple[str, ...]
    n: int
    seed: np.random.SeedSequence
    data: dict[tuple[str, str], Cohort]
    imputations: dict[tuple[str, str], Imputations]
    fits: dict[tuple[str, ...], Fitted | str]

    @property
    def response(self) -> str:
        return self.formulas["as planned"].parsed.response

    def scaled(self, scaling: str) -> Array:
        """The outcome on its scale; NaN also where the scale has no value."""
        y = self.cohort.data[self.response].to_numpy(dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(SCALINGS[scaling](y))

    def baseline_sd(self, scaling: str) -> float:
        first = self.cohort.data["visit"].cat.codes.to_numpy() == 0
        y = self.scaled(scaling)[first]
        return float(np.std(y[np.isfinite(y)], ddof=1)) if np.isfinite(y).sum() > 1 else float("nan")

    def cohort_of(self, scaling: str, missing_data: str) -> Cohort:
        """The cohort with the outcome on its scale, and the subjects that are analyzed.

        Raises
        ------
        ModelError
            `E-MODEL-NOT-FINITE` where a score has no value on the scale.
        """
        key = (scaling, missing_data)
        if key not in self.data:
            y = self.scaled(scaling)
            known = self.cohort.data[self.response].notna().to_numpy()
            if not np.isfinite(y[known]).all():
                raise ModelError(
                    "E-MODEL-NOT-FINITE",
                    f"`{self.response}` has no {scaling} at some of its scores.",
                    "log() needs positive values and sqrt() none below zero.",
                    "Leave that scaling out.",
                )
            whole = self.cohort
            if scaling != "raw":
                role = replace(whole.outcome(self.response), range=None, unit="")
                whole = replace(
                    whole,
                    data=whole.data.assign(**{self.response: y}),
                    outcome_roles={**whole.outcome_roles, self.response: role},
                )
            if missing_data == "complete cases":
                subject = whole.data["subject"].to_numpy() - 1
                seen = np.bincount(subject[known], minlength=whole.n_subjects)
                whole = whole.subset((seen == len(whole.visits))[subject])
            self.data[key] = whole
        return self.data[key]

    def fitted(self, choice: _Choice) -> Fitted:
        """The fit of a specification.

        Raises
        ------
        ModelError, StudyError
            Where there is none; a fit that did not converge is none.
        """
        spec = replace(self.formulas[choice.adjustment], covariance=choice.covariance)
        data = self.cohort_of(choice.scaling, choice.missing_data)
        if choice.missing_data == "imputation":
            return pool(analyse(self._imputed(choice, data), spec))
        found = fit(spec, data)
        if not found.converged:
            raise ModelError(
                "E-MODEL-SINGULAR",
                "The optimum could not be verified.",
                "An answer stands on a verified optimum.",
                "Use a simpler covariance.",
            )
        return found

    def _imputed(self, choice: _Choice, data: Cohort) -> Imputations:
        key = (choice.adjustment, choice.scaling)
        if key not in self.imputations:
            place = (list(self.formulas).index(choice.adjustment), list(SCALINGS).index(choice.scaling))
            seed = np.random.SeedSequence(self.seed.entropy, spawn_key=(*self.seed.spawn_key, *place))
            spec = self.formulas[choice.adjustment]
            self.imputations[key] = impute(
                draws(spec, data, auxiliaries=self.auxiliaries, n=self.n, seed=seed)
            )
        return self.imputations[key]


def _answer(
    bench: _Bench, choice: _Choice, asked: VisitContrast, conf_level: float, *, is_primary: bool
) -> Estimates | str:
    """The row of a specification, or the code of why there is none."""
    key = (choice.covariance, choice.adjustment, choice.missing_data, choice.scaling)
    try:
        with unannounced():
            if key not in bench.fits:
                try:
                    bench.fits[key] = bench.fitted(choice)
                except ModelError as error:
                    if is_primary:
                        raise
                    bench.fits[key] = error.code
            found = bench.fits[key]
            return found if isinstance(found, str) else asked.asked(found, df=choice.df_method, conf_level=conf_level)
    except ModelError as error:
        if is_primary:
            raise
        return error.code


def _row(choice: _Choice, answer: Estimates | str, first: Estimates, sd: float, is_primary: bool) -> dict[str, object]:
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
    standardized: bool,
    units: Mapping[str, float],
    choices: list[_Choice],
    answers: list[Estimates | str],
    auxiliaries: Iterable[str],
) -> Estimates:
    about = first.about
    outcome = str(frame["outcome"].iloc[0])
    told = frame["estimate"].notna()
    excludes = told & ((frame["conf_low"] > 0) | (frame["conf_high"] < 0))
    same = excludes & (np.sign(frame["estimate"]) == np.sign(frame["estimate"].iloc[0]))
    against = int((excludes & ~same).sum())
    refused = frame.loc[~told, "refused"].value_counts(sort=False)
    notes = [
        f"{asked.name.replace(' - ', ' less ')}.",
        f"In {int(same.sum())} of {int(told.sum())} specifications with an answer the {100 * about.conf_level:g}% interval "
        "excludes 0 on the side of the primary estimate"
        + (f", in {against} on the other side." if against else ", in none on the other side."),
        "The specifications are of the same data and not equally credible, so their share is no test.",
    ]
    if standardized:
        notes.append(
            "Estimates are divided by the SD of the observed baseline scores on the scale of each specification "
            f"({', '.join(f'{name} {value:.3g}' for name, value in units.items() if np.isfinite(value))}), taken as known."
        )
    if len(refused):
        notes.append(
            "Without an answer: "
            + ", ".join(f"{count} specifications ({code})" for code, count in refused.items())
            + "."
        )
    if any(choice.missing_data == "imputation" for choice in choices):
        given = next(
            (
                note
                for choice, answer in zip(choices, answers, strict=True)
                if choice.missing_data == "imputation" and isinstance(answer, Estimates)
                for note in answer.about.notes
                if note.startswith("Missing at random given")
            ),
            "",
        )
        notes.append(f"Imputation: {given[:1].lower()}{given[1:]}" if given else "Imputation had no answer.")
    about = replace(
        about,
        kind="specification_curve",
        factors=(*CHOICES, "role", "refused"),
        units={outcome: "SD at baseline"} if standardized else about.units,
        df_method="",
        notes=tuple(notes),
    )
    vcov = np.full((len(frame), len(frame)), np.nan)
    np.fill_diagonal(vcov, frame["std_error"].to_numpy(dtype=float) ** 2)
    return Estimates(frame=frame, vcov=vcov, about=about, notices=first.notices)
