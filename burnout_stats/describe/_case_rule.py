"""Who is a case: a score above a cut-off, or a level of a covariate that may change from visit to visit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..cohort import Cohort
from ..errors import StudyError, did_you_mean, one_of
from ._pairs import by_subject

__all__ = ["Cases", "cases_of"]

Array = NDArray[np.float64]

DIRECTIONS: Mapping[str, tuple[str, Callable[[Array, float], NDArray[np.bool_]]]] = {
    ">=": ("or more", np.greater_equal),
    ">": ("exceeded", np.greater),
    "<=": ("or less", np.less_equal),
    "<": ("not reached", np.less),
}
WORSE = {"lower": ">=", "higher": "<="}
"""On which side of a cut-off the cases are, from the end of the scale that is better."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cases:
    """Cases among subjects × visits: 1 where one was, 0 where not, NaN where nobody knows; and the rule in words."""

    name: str
    label: str
    is_case: Array
    rule: str


def cases_of(
    cohort: Cohort,
    name: str,
    cutoff: float | str | None,
    direction: str | None,
    level: str | None,
) -> Cases:
    """Who was a case at which visit.

    A cut-off in words is one of the outcome's instrument: "instrument" is its first, another word that with this
    meaning.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for an unknown column; `E-STUDY-OPTION` for an unknown direction or level; `E-STUDY-VALUE`
        where a score has no cut-off or nobody said on which side of it the cases are, or where a covariate with levels
        is given a cut-off.
    """
    known = (*cohort.outcomes, *cohort.covariates)
    if name not in known:
        raise StudyError(
            "E-STUDY-COLUMN",
            f"Column `{name}` is not in the cohort.",
            f"Its outcomes and covariates are: {', '.join(known)}.",
            did_you_mean(name, known) or "Name one of them.",
        )
    role = cohort.outcome_roles.get(name) or cohort.covariate_roles[name]
    levels = getattr(role, "levels", None)
    if levels is not None:
        return _by_level(cohort, name, role.label, levels, cutoff, level)
    if level is not None or cutoff is None:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`{name}` is a score, and " + ("a level is asked for." if level is not None else "no cut-off is given."),
            "A case has a score on one side of a cut-off.",
            f'Write for example caseness(cohort, "{name}", cutoff=...); a cut-off belongs to an instrument.',
        )
    source = ""
    if isinstance(cutoff, str):
        cutoff, told, source = _of_instrument(cohort, name, cutoff)
        direction = direction or told
    chosen = direction or WORSE.get(getattr(role, "better", ""), "")
    if not chosen:
        raise StudyError(
            "E-STUDY-VALUE",
            f"Nobody said which end of `{name}` is better.",
            "Cases are on the worse side of the cut-off.",
            'Declare `better`, or write direction=">=" (or ">", "<=", "<").',
        )
    one_of("direction", chosen, {sign: f"the cut-off {words}" for sign, (words, _) in DIRECTIONS.items()})
    scores = by_subject(cohort, name)
    is_case = np.where(np.isnan(scores), np.nan, DIRECTIONS[chosen][1](scores, cutoff))
    return Cases(name=name, label=role.label, is_case=is_case, rule=f"a score {_sign(chosen)} {cutoff:g}{source}")


def _of_instrument(cohort: Cohort, name: str, meaning: str) -> tuple[float, str, str]:
    """A cut-off of an instrument, the side on which the cases are, and where it comes from."""
    from ..instruments import instrument

    role = cohort.outcome_roles.get(name)
    if role is None or not role.instrument:
        raise StudyError(
            "E-STUDY-VALUE",
            f"Nobody said with which instrument `{name}` was measured.",
            "A cut-off in words is one of the outcome's instrument.",
            "Declare `instrument` for the outcome, or give the cut-off as a number with its source.",
        )
    used = instrument(role.instrument)
    found = used.cutoff(meaning="" if meaning == "instrument" else meaning)
    part = used.subscales.get(found.subscale)
    scale = part.range(used.response) if part is not None else None
    if scale is not None and role.range is not None and tuple(role.range) != tuple(scale):
        raise StudyError(
            "E-STUDY-VALUE",
            f"`{name}` runs from {role.range[0]:g} to {role.range[1]:g}, `{role.instrument}` from {scale[0]:g} to "
            f"{scale[1]:g}.",
            "A cut-off of an instrument holds for its own scale.",
            "Give the cut-off as a number on the scale of the file, with its source.",
        )
    checked = "" if found.mark.verified else "; not verified by us"
    return found.at, found.rule, f" ({found.meaning}; {found.mark.source}{checked})"


def _sign(direction: str) -> str:
    return {">=": "≥", "<=": "≤"}.get(direction, direction)


def _by_level(
    cohort: Cohort, name: str, label: str, levels: tuple[str, ...], cutoff: float | str | None, level: str | None
) -> Cases:
    if cutoff is not None:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`{name}` has levels, and a cut-off of {cutoff} is asked for.",
            f"A case has one of its levels: {', '.join(levels)}.",
            f'Write for example caseness(cohort, "{name}", level="{levels[-1]}").',
        )
    if level is None and len(levels) == 2:
        level = levels[1]
    chosen = one_of("level", level, levels)
    column = cohort.data[name].array
    codes = np.asarray(column.codes if hasattr(column, "codes") else [], dtype=np.int64)
    place = list(column.categories).index(chosen) if hasattr(column, "categories") else -1
    is_case = np.full((cohort.n_subjects, len(cohort.visits)), np.nan)
    at = (cohort.data["subject"].to_numpy() - 1, cohort.data["visit"].cat.codes.to_numpy())
    is_case[at] = np.where(codes < 0, np.nan, codes == place)
    return Cases(name=name, label=label, is_case=is_case, rule=f"{label}: {chosen}")
