"""To which stratum of a norm each subject belongs: levels of covariates, and bands of ages and other numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cohort import Cohort
from ..errors import StudyError, did_you_mean
from ..instruments.norms import Norm
from ._groups import groups_of

__all__ = ["Strata", "strata_of"]

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
Key = str | tuple[str, ...]
NUMBER = r"(-?\d+(?:\.\d+)?)"
BANDS = (
    (re.compile(rf"{NUMBER}\s*[-–]\s*{NUMBER}"), lambda low, high: (float(low), float(high) + 1)),
    (re.compile(rf"<\s*{NUMBER}"), lambda high: (-np.inf, float(high))),
    (re.compile(rf"{NUMBER}\s*\+"), lambda low: (float(low), np.inf)),
)
"""How bands are written, and their lower and upper end; "30-39" ends before 40."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Strata:
    """The norms, the stratum of each subject (-1 where none holds it), the weights of a standard population (or None
    for the composition of the cohort), and what is to be said about them.
    """

    norms: tuple[Norm, ...]
    codes: Codes
    weights: Array | None
    notes: tuple[str, ...]

    def check(self, scores: Array) -> None:
        """Refuse scores of subjects without a stratum, and weights on strata without scores.

        Raises
        ------
        StudyError
            `E-STUDY-STRATA`.
        """
        known = self.codes[~np.isnan(scores)]
        if (known < 0).any():
            raise _misfit(
                "Some subjects with a score belong to no stratum.",
                "Add the strata that are missing; a subject whose covariate is blank has no stratum either.",
            )
        sizes = np.bincount(known, minlength=len(self.norms))
        if self.weights is not None and known.size and (self.weights[sizes == 0] > 0).any():
            raise _misfit(
                "A stratum with a weight has no subjects with a score at a visit.",
                "Merge strata, or leave `weights` out.",
            )

    def weights_of(self, sizes: Array) -> Array:
        """The weights of the strata, which add to 1."""
        raw = sizes if self.weights is None else self.weights
        return np.asarray(raw / raw.sum(), dtype=float)


def strata_of(
    cohort: Cohort,
    norm: Norm | None,
    strata: Mapping[Key, Norm] | None,
    by: str | Sequence[str],
    weights: Mapping[Key, float] | None,
) -> Strata:
    """The strata of a norm in a cohort; one that holds everybody where there is a single norm.

    Raises
    ------
    StudyError
        `E-STUDY-STRATA` or `E-STUDY-COLUMN` where they do not fit.
    """
    names = (by,) if isinstance(by, str) else tuple(by)
    if strata is None:
        assert norm is not None
        if names or weights is not None:
            raise _misfit("`by` or `weights` is given without strata.", "Give `strata`, or leave them out.")
        return Strata(norms=(norm,), codes=np.zeros(cohort.n_subjects, dtype=np.int64), weights=None, notes=())
    keys = [(key,) if isinstance(key, str) else tuple(key) for key in strata]
    if not keys or not names or any(len(key) != len(names) for key in keys):
        raise _misfit(
            f"The strata have keys such as {next(iter(strata), None)!r}, and `by` is {list(names)}.",
            'Write for example by=("sex", "age"), strata={("F", "30-39"): Norm(...), ...}.',
        )
    codes = np.full(cohort.n_subjects, -1, dtype=np.int64)
    columns = [_parts(cohort, name, dict.fromkeys(key[at] for key in keys)) for at, name in enumerate(names)]
    for k, key in enumerate(keys):
        inside = np.all([column[part] for column, part in zip(columns, key, strict=True)], axis=0)
        if (codes[inside] >= 0).any():
            raise _misfit("Two strata hold the same subject.", "Bands may not overlap: 30-39 ends before 40.")
        codes[inside] = k
    standard = None if weights is None else _standard(weights, keys)
    to = "the composition of the cohort at the visit" if weights is None else "the weights that were given"
    note = f"Norms of {len(keys)} strata by {' and '.join(names)} at baseline, directly standardized to {to}."
    return Strata(norms=tuple(strata.values()), codes=codes, weights=standard, notes=(note,))


def _parts(cohort: Cohort, name: str, parts: Mapping[str, None]) -> dict[str, NDArray[np.bool_]]:
    """Which subjects belong to each part: a level, or a band of numbers."""
    if name not in cohort.covariates:
        raise StudyError(
            "E-STUDY-COLUMN",
            f"Column `{name}` is not a covariate of the cohort.",
            f"Its covariates are: {', '.join(cohort.covariates) or 'none'}.",
            did_you_mean(name, cohort.covariates) or "Name one of them in `by`.",
        )
    if cohort.covariate_roles[name].levels is not None:
        groups = groups_of(cohort, name)
        unknown = [part for part in parts if part not in groups.levels]
        if unknown:
            raise _misfit(f"`{unknown[0]}` is not a level of `{name}`.", f"Its levels are: {', '.join(groups.levels)}.")
        return {part: groups.codes == groups.levels.index(part) for part in parts}
    rows = cohort.data[["subject", name]].dropna()
    first = rows.drop_duplicates("subject")
    values = np.full(cohort.n_subjects, np.nan)
    values[first["subject"].to_numpy() - 1] = first[name].to_numpy(dtype=float)
    with np.errstate(invalid="ignore"):
        return {part: (values >= low) & (values < high) for part in parts for low, high in [_band(name, part)]}


def _band(name: str, part: str) -> tuple[float, float]:
    for pattern, ends in BANDS:
        if (match := pattern.fullmatch(part.strip())) is not None:
            return ends(*match.groups())
    raise _misfit(f"`{part}` is not a band of `{name}`.", 'Write bands as "30-39", "<30" or "60+".')


def _standard(weights: Mapping[Key, float], keys: Sequence[tuple[str, ...]]) -> Array:
    given = {(key,) if isinstance(key, str) else tuple(key): float(value) for key, value in weights.items()}
    found = np.array([given.get(key, np.nan) for key in keys])
    if set(given) != set(keys) or not np.isfinite(found).all() or (found < 0).any() or found.sum() <= 0:
        raise _misfit(
            "The weights are not those of the strata.",
            "Give one number of 0 or more for each stratum, with the same keys.",
        )
    return found


def _misfit(seen: str, advice: str) -> StudyError:
    return StudyError(
        "E-STUDY-STRATA", seen, "Every subject with a score belongs to exactly one stratum of the norm.", advice
    )
