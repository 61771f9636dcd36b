"""Whether what outsiders may know about a person (specialty, sex and age together) singles out somebody."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..errors import StudyError, did_you_mean
from ..estimates import About, Summaries, counted, protect
from ..estimates.disclosure import HIDDEN
from ..notices import Notice

__all__ = ["singled_out", "unique_persons"]

AGES = ("age", "age_at_baseline", "age_years", "alder")
BIRTH_YEARS = ("birth_year", "year_of_birth", "born")
BAND = 10.0
SEVERAL = 3

Codes = NDArray[np.int64]


def singled_out(cohort: Cohort, quasi_identifiers: Iterable[str] | None = None, *, k: int | None = None) -> Summaries:
    """How many subjects share their combination of quasi-identifiers with few others; never who.

    Data are k-anonymous if every combination that occurs has at least k persons. A value that is not known counts as a
    value of its own, and numbers are taken in bands of ten (0 to 9, 10 to 19, ...), as they are first known.

    Parameters
    ----------
    cohort : Cohort
    quasi_identifiers : names, optional
        The covariates by which an outsider might know a person. By default those of the cohort's policy, or else every
        categorical covariate that does not change within subjects, and age or year of birth.
    k : int, optional
        The number of persons that hides one of them; the policy's `min_cell` where left out.

    Returns
    -------
    Summaries
        Kind "singled_out", with `n` and `percent` of all subjects: `unique` (nobody else has the combination), `few`
        (fewer than k have it, the unique among them), and `without` each quasi-identifier in turn, how many would still
        be among the few: where that is far less, a coarser version of it helps most.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for an unknown covariate, `E-STUDY-VALUE` where k is below 2 or there is no quasi-identifier.

    **Source**: Sweeney (2002), k-anonymity: a model for protecting privacy, Int J Uncertainty Fuzziness
    Knowledge-Based Syst 10:557. Which covariates are quasi-identifiers is a judgment about what others know.

    Examples
    --------
    >>> import pandas as pd
    >>> from burnout_stats.cohort import read_cohort
    >>> frame = pd.DataFrame({"id": range(9), "visit": "start", "stress": 3.0, "sex": list("FFFFFFFMM")})
    >>> frame["specialty"] = ["surgery"] * 5 + ["pathology"] * 4
    >>> cohort = read_cohort(frame, subject="id", visit="visit", times={"start": 0}, outcomes=["stress"], min_cell=1)
    >>> found = singled_out(cohort, k=3).frame
    >>> found.loc[found["statistic"].eq("n"), ["variable", "level", "value"]].to_numpy().tolist()[:2]
    [['unique', 'sex, specialty', 0.0], ['few', 'sex, specialty', 4.0]]
    """
    names = _named(cohort, quasi_identifiers)
    few = max(cohort.policy.min_cell, 2) if k is None else k
    if few < 2 or not names:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`k` is {few}." if names else "The cohort has no quasi-identifiers.",
            "Singled out are persons of whom fewer than k, 2 or more, have the same values of one or more covariates.",
            'Write for example singled_out(cohort, ["specialty", "sex", "age"], k=5).',
        )
    values = {name: _values(cohort, name) for name in names}
    sizes = _sharing(values.values(), cohort.n_subjects)
    told = ", ".join(names)
    groups = [("unique", told, sizes == 1), ("few", told, sizes < few)]
    if len(names) > 1:
        for name in names:
            others = [column for other, column in values.items() if other != name]
            groups.append(("without", name, _sharing(others, cohort.n_subjects) < few))
    rows: list[dict[str, object]] = []
    counts: list[NDArray[np.bool_] | None] = []
    for variable, level, members in groups:
        n = int(members.sum())
        row = {"variable": variable, "level": level, "n": n}
        rows.append(row | {"statistic": "n", "value": float(n)})
        rows.append(row | {"statistic": "percent", "value": 100.0 * n / max(cohort.n_subjects, 1)})
        counts += [members, None]
    numeric = [name for name in names if cohort.covariate_roles[name].levels is None]
    return Summaries(
        frame=pd.DataFrame(rows)[["variable", "level", "statistic", "value", "n"]],
        about=About(
            kind="singled_out",
            outcomes={
                "unique": "Nobody else has the combination of",
                "few": f"Fewer than {few} have the combination of",
                "without": f"Fewer than {few} have the combination without",
            },
            factors=("level",),
            notes=(
                f"Of {cohort.n_subjects} subjects. Values that are not known count as values of their own.",
                *((f"In bands of ten: {', '.join(numeric)}.",) if numeric else ()),
            ),
            policy=cohort.policy,
        ),
        margins=counted(counts),
    )


def unique_persons(cohort: Cohort) -> tuple[Notice, ...]:
    """The notice that the quasi-identifiers of the cohort's policy single people out, where they do; it tells how many
    as far as that may be told. Where nobody named them, at least `SEVERAL` are needed: nearly every cohort has a few
    persons of rare age and sex.
    """
    policy = cohort.policy
    names = _named(cohort, None)
    if policy.min_cell < 2 or len(names) < (SEVERAL if policy.quasi_identifiers is None else 1):
        return ()
    found = singled_out(cohort)
    n = dict(zip(found.frame["variable"], found.frame["n"], strict=True))
    if not n["few"]:
        return ()
    frame = protect(found, policy).frame
    hidden = dict(zip(frame["variable"], frame[HIDDEN], strict=True))
    few = str(n["few"])
    if hidden["few"]:
        few = f"Fewer than {policy.min_cell}" if policy.hides(n["few"]) else "Some"
    unique = "some of them" if hidden["unique"] else f"{n['unique']} of them" if n["unique"] else "none of them"
    return (
        Notice(
            "N-DISCLOSURE-UNIQUE",
            f"{few} of {cohort.n_subjects} subjects share their {_listed(names)} with fewer than {policy.min_cell - 1} "
            f"others, {unique} with nobody: whoever knows these of a person can find the person in the data.",
            "Give the data to nobody who may not know who took part, cross no table by all of these, and merge levels; "
            "`quasi_identifiers` under [disclosure] says which covariates outsiders may know.",
        ),
    )


def _named(cohort: Cohort, asked: Iterable[str] | None) -> tuple[str, ...]:
    if asked is None:
        asked = cohort.policy.quasi_identifiers
    if asked is None:
        return tuple(name for name in cohort.covariates if _is_likely(cohort, name))
    names = (asked,) if isinstance(asked, str) else tuple(dict.fromkeys(asked))
    for name in names:
        if name not in cohort.covariates:
            raise StudyError(
                "E-STUDY-COLUMN",
                f"Quasi-identifier `{name}` is not a covariate of the cohort.",
                f"Its covariates are: {', '.join(cohort.covariates) or 'none'}.",
                did_you_mean(name, cohort.covariates) or "Name covariates, or leave the list out.",
            )
    return names


def _is_likely(cohort: Cohort, name: str) -> bool:
    """Whether a covariate is one by default."""
    if cohort.covariate_roles[name].levels is None:
        return name.casefold() in (*AGES, *BIRTH_YEARS)
    codes = pd.Categorical(cohort.data[name]).codes
    known = codes >= 0
    pairs = np.unique(
        np.column_stack([cohort.data["subject"].to_numpy()[known], codes[known].astype(np.int64)]), axis=0
    )
    return bool(len(np.unique(pairs[:, 0])) == len(pairs))


def _values(cohort: Cohort, name: str) -> Codes:
    """The value of each subject where it is first known, as a code; -1 where it never is."""
    column = cohort.data[name]
    if cohort.covariate_roles[name].levels is None:
        bands = np.floor(column.to_numpy(dtype=float) / BAND)
        codes = np.where(np.isnan(bands), -1, pd.factorize(bands)[0])
    else:
        codes = pd.Categorical(column).codes
    rows = np.flatnonzero(codes >= 0)[::-1]  # the first visit is written last, so it stays
    values = np.full(cohort.n_subjects, -1, dtype=np.int64)
    values[cohort.data["subject"].to_numpy()[rows] - 1] = codes[rows]
    return values


def _sharing(columns: Iterable[Codes], n: int) -> Codes:
    """How many subjects have the same values as each."""
    place = np.zeros(n, dtype=np.int64)
    for column in columns:
        place, _ = pd.factorize(place * (int(column.max(initial=0)) + 2) + column + 1)
    sizes: Codes = np.bincount(place)[place]
    return sizes


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
