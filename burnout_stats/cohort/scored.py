"""Items of a cohort become outcomes by the rules of an instrument."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from ..errors import StudyError, did_you_mean
from ..instruments import Instrument, Scores, Subscale, columns_of, scores
from ..instruments import instrument as instrument_by_key
from .roles import RESERVED, Covariate, Outcome

if TYPE_CHECKING:
    from .cohort import Cohort

__all__ = ["Wanted", "read_items", "scored", "with_scores"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A score that a study file asks for: the outcome it becomes, its instrument, its columns, and how it is made."""

    role: Outcome
    instrument: Instrument
    items: tuple[str, ...]
    reverse: tuple[str, ...] | None
    missing: str
    out_of_range: str

    @classmethod
    def of(
        cls,
        name: str,
        *,
        instrument: str,
        items: str | Sequence[str],
        reverse: Sequence[str] | None,
        missing: str,
        out_of_range: str,
        label: str,
        unit: str,
    ) -> Wanted:
        """A score with its instrument looked up and its columns counted, before any file is opened.

        Raises
        ------
        StudyError
            `E-STUDY-INSTRUMENT`.
        """
        key = instrument_by_key(instrument)
        if len(key.subscales) > 1 and not any(part.takes_all for part in key.subscales.values()):
            raise StudyError(
                "E-STUDY-INSTRUMENT",
                f"`{instrument}` has several scores, or is made of several.",
                f"Its subscales are: {', '.join(key.subscales)}.",
                f'Name one of them: instrument = "{key.root or key.key}_{next(iter(key.subscales))}".',
            )
        if len(key.subscales) > 1:
            key = key.only(next(part.name for part in key.subscales.values() if part.takes_all))
        present = list(items) if not isinstance(items, str) else [items.replace("{item}", str(n)) for n in key.numbers]
        if isinstance(items, str) and not present:
            raise StudyError(
                "E-STUDY-INSTRUMENT",
                f"`items` is the pattern {items!r}, and the numbers of the items of `{instrument}` are not known.",
                "`items` then lists the columns.",
                'Write items = ["b1", "b2", ...].',
            )
        part = next(iter(key.subscales.values()))
        columns = columns_of(key, {part.name: items}, present)[part.name]
        sized = replace(part, n_items=len(columns))
        role = Outcome(
            name,
            label=label or part.label,
            range=sized.range(key.response),
            unit=unit,
            better=part.better,
            instrument=instrument,
            note=_note(sized),
        )
        told = None if reverse is None else tuple(reverse)
        return cls(role=role, instrument=key, items=columns, reverse=told, missing=missing, out_of_range=out_of_range)


def read_items(wanted: Sequence[Wanted], declared: Iterable[str]) -> dict[str, Outcome]:
    """The items as the file is read: numbers at every visit, and refused outside the range of their answers."""
    others = set(declared)
    found: dict[str, Outcome] = {}
    for score in wanted:
        response = score.instrument.response
        limits = (response.low, response.high) if score.out_of_range == "refuse" else None
        found |= {name: Outcome(name, range=limits) for name in score.items if name not in others}
    return found


def scored(cohort: Cohort, wanted: Sequence[Wanted], own: Mapping[str, Outcome]) -> Cohort:
    """The cohort with the scores that a study file asks for; the items stay as covariates."""
    if not wanted:
        return cohort
    for score in wanted:
        cohort = with_scores(
            cohort,
            score.instrument,
            {next(iter(score.instrument.subscales)): score.items},
            names=score.role.name,
            reverse=score.reverse,
            missing=score.missing,
            out_of_range=score.out_of_range,
        )
    roles = dict(own) | {score.role.name: score.role for score in wanted}
    items = {name: Covariate(name) for name in cohort.outcomes if name not in roles}
    front = [name for name in cohort.data if name not in {*cohort.outcomes, *cohort.covariates}]
    covariates = {**cohort.covariate_roles, **items}
    return replace(
        cohort, data=cohort.data[[*front, *roles, *covariates]], outcome_roles=roles, covariate_roles=covariates
    )


def with_scores(
    cohort: Cohort,
    instrument: str | Instrument,
    columns: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None,
    *,
    names: str | Mapping[str, str] | None,
    reverse: Iterable[str] | None,
    missing: str,
    out_of_range: str,
) -> Cohort:
    """What `Cohort.with_scores` does."""
    columns_of_cohort = (*cohort.covariates, *cohort.outcomes)
    numeric = [name for name in columns_of_cohort if pd.api.types.is_numeric_dtype(cohort.data[name])]
    found = scores(
        cohort.data[numeric], instrument, columns, reverse=reverse, missing=missing, out_of_range=out_of_range
    )
    named = _names(found.instrument, tuple(found.frame.columns), names)
    for name in named.values():
        if name in cohort.data or name in RESERVED:
            raise StudyError(
                "E-STUDY-ROLES",
                f"A score cannot be called `{name}`.",
                "The cohort has a column of that name, or it means a role or a column of Estimates.",
                "Give another one, for example names={...} of score to name.",
            )
    roles = _roles(found, named)
    data = cohort.data.assign(**{name: found.frame[score] for score, name in named.items()})
    front = [name for name in data if name not in {*cohort.covariates, *roles}]
    told = found.notices(min_cell=cohort.policy.min_cell)
    return replace(
        cohort,
        data=data[[*front, *roles, *(name for name in data if name in cohort.covariates)]],
        outcome_roles={**cohort.outcome_roles, **roles},
        notices=(*cohort.notices, *told),
    )


def _names(instrument: Instrument, found: Sequence[str], names: str | Mapping[str, str] | None) -> Mapping[str, str]:
    """The name of the outcome that each score becomes: `cbi_personal`, and the key alone for a total or an only score.

    Raises
    ------
    StudyError
        `E-STUDY-INSTRUMENT` for names of scores that are not there, or one name for several scores.
    """
    own = {score: instrument.key_of(score) for score in found}
    if isinstance(names, str):
        if len(found) > 1:
            raise StudyError(
                "E-STUDY-INSTRUMENT",
                f"`{instrument.key}` gives {len(found)} scores, and one name is given.",
                f"The scores are: {', '.join(found)}.",
                "Write names={...} of score to name, or name one subscale as in cbi_personal.",
            )
        return {found[0]: names}
    for score in names or {}:
        if score not in own:
            raise StudyError(
                "E-STUDY-INSTRUMENT",
                f"`names` speaks of the score {score!r}.",
                f"The scores are: {', '.join(found)}.",
                did_you_mean(score, found),
            )
    return own | dict(names or {})


def _roles(found: Scores, named: Mapping[str, str]) -> dict[str, Outcome]:
    """The outcomes that the scores become, with label, range and direction from the instrument."""
    key = found.instrument
    roles = {}
    for score, name in named.items():
        if score in key.subscales:
            part = replace(key.subscales[score], n_items=found.n_items[score])
            label, better, scale = part.label, part.better, part.range(key.response)
            note = _note(part)
        else:
            made = key.composites[score]
            label, better, scale, note = made.label, made.better, None, f"From {', '.join(made.weights)}."
        roles[name] = Outcome(name, label=label, range=scale, better=better, instrument=key.key_of(score), note=note)
    return roles


def _note(part: Subscale) -> str:
    return f"{part.score.capitalize()} of {part.n_items} item{'' if part.n_items == 1 else 's'}."
