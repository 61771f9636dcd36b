"""Imputation by chained equations: for variables that a joint normal distribution cannot hold, and for scores whose
imputed values are to lie on their own scale.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cohort import Cohort
from ..display import Shown, Table, Watched, teller
from ..display.escape import for_terminal
from ..display.showing import facts
from ..engine import chained as engine
from ..errors import ModelError, StudyError, did_you_mean, one_of
from ..models import MMRM
from ..models.events import counted_outcome
from ..models.generalized import GLMM
from ..notices import Notice, announce
from ._imputation import Imputations
from ._incomplete import Column, Incomplete, incomplete

__all__ = ["Chains", "chained"]

Array = NDArray[np.float64]
SETTLED = 4.5
"""Standard errors that the mean of imputed values may move from the third to the last quarter of the cycles."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Chains(Shown):
    """How data were completed by chained equations.

    Attributes
    ----------
    spec : MMRM or GLMM
        The model whose outcome was imputed.
    data : Incomplete
    method : "chained-equation"
    models : mapping of variable to a key of `engine.chained.MODELS`
    path : (cycles, M, D) array
        The mean of what was imputed in each cycle, by chain and column; NaN for complete columns.
    notices : tuple of Notice
    what, categories : of a GLMM what is counted, in words, and the labels of ordered categories
    """

    spec: MMRM | GLMM
    data: Incomplete
    method: str
    models: Mapping[str, str]
    path: Array
    notices: tuple[Notice, ...]
    what: str = ""
    categories: tuple[str, ...] = ()

    def __len__(self) -> int:
        return int(self.path.shape[1])

    def _tables(self) -> tuple[Table, ...]:
        pairs = [("Model", str(self.spec.formula)), ("Chains", str(len(self))), ("Cycles", str(len(self.path)))]
        return (facts("Chained equations", pairs, notes=tuple(map(str, self.notices))),)

    def __repr__(self) -> str:
        return for_terminal(f"<Chains: {len(self)} of {self.spec.formula}, {len(self.path)} cycles>")


def chained(
    spec: MMRM | GLMM,
    cohort: Cohort,
    *,
    outcomes: Iterable[str] = (),
    auxiliaries: Iterable[str] = (),
    methods: Mapping[str, str] | None = None,
    delta: Mapping[str, float] | None = None,
    n: int = 100,
    cycles: int = 20,
    donors: int = 5,
    seed: int | np.random.SeedSequence,
    progress: Watched = None,
) -> Imputations:
    """Complete the data by chained equations, under "missing at random".

    The data are laid out by visit: each outcome and auxiliary at each visit is a column, and is drawn given all other
    columns and the model's covariates, in turn. `analyse` and `pool` take the answer as they take that of `impute`.

    Parameters
    ----------
    spec : MMRM or GLMM
        The model that the imputed data are for. Events are drawn by logistic, ordered categories by multinomial
        logistic regression, counts by predictive mean matching.
    cohort : Cohort
    outcomes, auxiliaries : names, optional
        As of `draws`; auxiliaries may have levels, gaps and changes.
    methods : mapping of variable to "pmm", "norm", "logistic" or "polytomous", optional
        By default predictive mean matching for numbers, logistic regression for two levels and multinomial logistic
        regression for more. `"pmm"` for levels takes them as ordered.
    delta : mapping of visit label to a number, optional
        Of events: added to the log odds of those who were not seen at that visit, each time that they are drawn, so
        that 0.69 doubles their odds given everything else.
    n : int
        Imputations, each from a chain of its own.
    cycles : int
        How often every column is drawn.
    donors : int
        Of predictive mean matching, which draws values that were seen. It weakens correlations a little, and the more
        donors, the more: for questions about correlations and spread, write "norm".
    seed : int or SeedSequence
    progress : callable or bool, optional
        Called as `progress(done, total, what)`; a bar where left out and somebody watches, none with False.

    Returns
    -------
    Imputations
        Whose `draws` is a `Chains`, with the notice `N-MODEL-NOT-MIXED` where the chains still move.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION`, `E-STUDY-COLUMN`, `E-STUDY-IMPUTE`, or `E-STUDY-VALUE` for a method that does not fit its
        variable, or too few imputations, cycles or donors.
    ModelError
        `E-MODEL-EMPTY`, or `E-MODEL-IMPUTE` where a column cannot be regressed on the others.

    **Source**: van Buuren 2018, Flexible Imputation of Missing Data, 2nd ed., sections 3.2-3.6 and 4.5; Morris, White &
    Royston 2014, BMC Med Res Methodol 14:75.

    >>> from burnout_stats.studies import example
    >>> chained(MMRM("exhaustion ~ visit"), example("villa_sana"), auxiliaries=["sick_leave"], n=4, seed=1)
    <Imputations: 4 of exhaustion ~ visit, mar>
    """
    if n < 2 or cycles < 1 or donors < 1:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`n` is {n}, with cycles={cycles} and donors={donors}.",
            "There are at least 2 imputations, 1 cycle and 1 donor.",
            "Use n=100 or more, cycles=20 and donors=5.",
        )
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    own, numbers, counted = _own(spec, cohort)
    data = incomplete(spec, numbers, outcomes=outcomes, auxiliaries=auxiliaries, levels=True)
    models = _models(data, methods or {}, own)
    shift = _shift(spec, data, delta or {}, models)
    _informative(data)

    heard = teller(progress)

    def told(done: int, total: int) -> None:
        if heard is not None:
            heard(done, total, "chained equations")

    try:
        found = engine.chained(
            data.wide.Y,
            data.wide.W,
            [models[column.variable] for column in data.columns],
            [_levels(data, column.variable) is not None or column.variable in own for column in data.columns],
            n,
            root,
            cycles=cycles,
            donors=donors,
            shift=shift,
            progress=told,
        )
    except np.linalg.LinAlgError as error:
        raise ModelError(
            "E-MODEL-IMPUTE",
            f"One of {len(data.columns)} columns cannot be regressed on the others. {error}",
            "In each column there are more values than predictors.",
            "Use fewer auxiliaries or further outcomes.",
        ) from None
    notices = (*data.notices, *_moving(found.drift, data))
    announce(notices)
    chains = Chains(
        spec=spec, data=data, method="chained-equation", models=models, path=found.path, notices=notices, **counted
    )
    added = {visit: value for visit, value in (delta or {}).items() if value}
    return Imputations(
        draws=chains,
        strategy="delta on the log odds" if added else "mar",
        Y=found.Y,
        delta=added,
        notes=(*_notes(chains, donors), *_added(data, added)),
    )


def _own(spec: MMRM | GLMM, cohort: Cohort) -> tuple[dict[str, str], Cohort, dict[str, Any]]:
    """How the outcome of a generalized model is drawn where it has levels, the cohort with it as numbers, and what is
    counted.
    """
    if not isinstance(spec, GLMM):
        return {}, cohort, {}
    name = spec.parsed.response
    counted = counted_outcome(cohort, name, spec.family, event=spec.event, case=spec.case)
    fitting = {"binomial": "logistic", "ordinal": "polytomous"}.get(spec.family)
    told = {"what": counted.what, "categories": counted.categories}
    return ({} if fitting is None else {name: fitting}), counted.cohort, told


def _shift(spec: MMRM | GLMM, data: Incomplete, delta: Mapping[str, float], models: Mapping[str, str]) -> Array:
    """What is added to the log odds in each column.

    Raises
    ------
    StudyError
        `E-STUDY-VISITS` for an unknown visit, `E-STUDY-VALUE` where the outcome is no event or a number is not finite.
    """
    shift = np.zeros(len(data.columns))
    if not delta:
        return shift
    response = spec.parsed.response
    if not isinstance(spec, GLMM) or models[response] != "logistic" or not all(map(np.isfinite, delta.values())):
        raise StudyError(
            "E-STUDY-VALUE",
            f"`delta` is {dict(delta)} for `{response}`.",
            "It is added to the log odds of an event, a number for each visit.",
            "Of a measured outcome, write impute(draws(...), delta=...).",
        )
    labels = data.skeleton.visits.labels
    for visit, value in delta.items():
        if visit not in labels:
            raise StudyError(
                "E-STUDY-VISITS",
                f"`delta` names the visit {visit!r}.",
                f"The visits are: {', '.join(labels)}.",
                did_you_mean(visit, labels),
            )
        shift[data.places(response)[labels.index(visit)]] = value
    return shift


def _added(data: Incomplete, delta: Mapping[str, float]) -> tuple[str, ...]:
    if not delta:
        return ()
    told = "; ".join(f"{value:+g} at {visit}" for visit, value in delta.items())
    label = data.skeleton.outcome(data.outcomes[0]).label
    return (f"Added to the log odds of those who were not seen, given everything else ({label}): {told}.",)


def _levels(data: Incomplete, variable: str) -> tuple[str, ...] | None:
    role = data.skeleton.covariate_roles.get(variable)
    return None if role is None else role.levels


def _models(data: Incomplete, asked: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """The method of every variable."""
    variables = list(dict.fromkeys(column.variable for column in data.columns))
    for name in asked:
        if name not in variables:
            raise StudyError(
                "E-STUDY-COLUMN",
                f"`methods` names `{name}`.",
                f"What may be imputed: {', '.join(variables)}.",
                did_you_mean(name, variables) or "Name it among the outcomes or auxiliaries.",
            )
    models: dict[str, str] = {}
    for name in variables:
        levels = _levels(data, name)
        fitting = ["pmm", "norm"] if levels is None else ["polytomous", "pmm"]
        if levels is not None and len(levels) == 2:
            fitting = ["logistic", *fitting]
        if name in own:
            fitting = [own[name], "pmm"]
        models[name] = one_of(f"methods[{name!r}]", asked.get(name, fitting[0]), engine.MODELS)
        if models[name] not in fitting:
            what = "a number" if levels is None else f"a variable with {len(levels)} levels"
            raise StudyError(
                "E-STUDY-VALUE",
                f"`{models[name]}` is asked of `{name}`, which is {what}.",
                f"What fits it: {', '.join(fitting)}.",
                f'Write methods={{"{name}": "{fitting[0]}"}}, or leave it out.',
            )
    return models


def _informative(data: Incomplete) -> None:
    """Refuse a column in which all are alike."""
    low, high = np.nanmin(data.wide.Y, axis=0), np.nanmax(data.wide.Y, axis=0)
    same = [_told(data, column) for column, alike in zip(data.columns, low == high, strict=True) if alike]
    if same:
        raise ModelError(
            "E-MODEL-IMPUTE",
            f"All have the same value of {', '.join(same)}.",
            "A column that does not vary tells nothing, and nothing tells about it.",
            'Leave it out; an auxiliary can be named for some visits only, as in "coping[baseline]".',
        )


def _told(data: Incomplete, column: Column) -> str:
    roles = dict(data.skeleton.outcome_roles) | dict(data.skeleton.covariate_roles)
    return f"{roles[column.variable].label} at {data.skeleton.visits.labels[column.visit]}"


def _moving(drift: Array, data: Incomplete) -> tuple[Notice, ...]:
    moved = np.abs(drift)
    if not (moved > SETTLED).any():
        return ()
    worst = int(np.argmax(moved))
    return (
        Notice(
            "N-MODEL-NOT-MIXED",
            "The chained equations have not settled: the mean of what is imputed of "
            f"{_told(data, data.columns[worst])} still moves, by {moved[worst]:.1f} of its standard errors.",
            "Give more cycles, or leave out an auxiliary that is seldom seen.",
        ),
    )


def _notes(chains: Chains, donors: int) -> tuple[str, ...]:
    data = chains.data
    roles = dict(data.skeleton.outcome_roles) | dict(data.skeleton.covariate_roles)
    gone = np.flatnonzero(np.isnan(data.wide.Y).any(0))
    incomplete_ones = {data.columns[k].variable for k in gone}
    by_model: dict[str, list[str]] = {}
    for name, model in chains.models.items():
        if name in incomplete_ones:
            by_model.setdefault(model, []).append(roles[name].label)
    how = [
        f"{engine.MODELS[model]}{f' ({donors} donors)' if model == 'pmm' else ''} for {', '.join(labels)}"
        for model, labels in by_model.items()
    ]
    told = f"Chained equations, {len(chains.path)} cycles: {'; '.join(how)}." if how else ""
    matched = "Predictive mean matching weakens correlations a little." if "pmm" in by_model else ""
    return (f"Missing at random given: {', '.join(data.given)}.", *(note for note in (told, matched) if note))
