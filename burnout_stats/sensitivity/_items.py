"""Items that were imputed become scores: answers left out and visits missed are dealt with in one imputation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ..cohort import Cohort
from ..cohort.scored import with_scores
from ..engine.incomplete_normal import Wide
from ..errors import StudyError
from ..instruments import Instrument, scores
from ..notices import announce
from ._chained import Chains
from ._imputation import Imputations
from ._incomplete import Column

__all__ = ["score_imputed"]


def score_imputed(
    imputations: Imputations,
    instrument: str | Instrument,
    columns: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None = None,
    *,
    names: str | Mapping[str, str] | None = None,
    reverse: Iterable[str] | None = None,
) -> Imputations:
    """Score a questionnaire in every completed data set, from items that were imputed by `chained`.

    The other way is to score first, by the instrument's rule for missing answers (often: half of them are enough), and
    to impute the scores: it takes the mean of the answered items for that of all, which is wrong where items differ in
    their means and some are left out more often than others.

    Parameters
    ----------
    imputations : Imputations
        Of `chained(MMRM("item_1 ~ visit"), cohort, outcomes=["item_2", ...])`, by predictive mean matching, which draws
        answers that the items can have.
    instrument, columns, names, reverse
        As of `Cohort.with_scores`.

    Returns
    -------
    Imputations
        With the scores as further outcomes: `analyse(scored, MMRM("exhaustion ~ visit"))`.

    Raises
    ------
    StudyError
        `E-STUDY-IMPUTE` for items that were not imputed by predictive mean matching at every visit; as `score`.

    **Source**: van Ginkel, van der Ark & Sijtsma 2007, Multivariate Behav Res 42:387 (imputing items); van Buuren 2018,
    Flexible Imputation of Missing Data, 2nd ed., section 6.4 (what is derived from imputed variables).

    >>> from burnout_stats.cohort import read_cohort
    >>> from burnout_stats.models import MMRM
    >>> from burnout_stats.sensitivity import chained
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame(rng.integers(1, 5, (120, 5)), columns=list("abcde"))
    >>> frame = frame.assign(id=np.repeat(range(60), 2), visit=["start", "end"] * 60)
    >>> frame["e"] = frame["e"].where(rng.random(120) > 0.3)
    >>> cohort = read_cohort(frame, subject="id", visit="visit", times={"start": 0, "end": 1}, outcomes=list("abcde"))
    >>> items = chained(MMRM("a ~ visit"), cohort, outcomes=list("bcde"), n=3, seed=1)
    >>> score_imputed(items, "scl5", list("abcde"), names="distress").values("distress").shape
    (3, 60, 2)
    """
    chains = imputations.draws
    if not isinstance(chains, Chains):
        raise _refused("The data were not completed by chained equations.")
    data = chains.data
    V = data.n_visits
    reverse = reverse if reverse is None or isinstance(reverse, str) else tuple(reverse)
    whole = {name: at for name, at in data.completed().items() if not _has_levels(data.skeleton, name)}
    first = scores(data.skeleton.data[list(whole)], instrument, columns, reverse=reverse, missing="complete")
    items = list(dict.fromkeys(item for part in first.columns.values() for item in part))
    gone = {data.columns[k].variable for k in np.flatnonzero(np.isnan(data.wide.Y).any(0))}
    drawn = [item for item in items if item in gone and chains.models[item] != "pmm"]
    if drawn:
        raise _refused(f"`{drawn[0]}` was imputed by {chains.models[drawn[0]]}.")
    scored = with_scores(
        data.skeleton,
        instrument,
        first.columns,
        names=names,
        reverse=reverse,
        missing="complete",
        out_of_range="refuse",
    )
    added = [name for name in scored.outcomes if name not in data.skeleton.outcomes]
    M, n, _ = imputations.Y.shape
    answers = {item: np.broadcast_to(imputations.Y[..., whole[item]], (M, n, V)).reshape(-1) for item in items}
    found = scores(pd.DataFrame(answers), instrument, first.columns, reverse=reverse, missing="complete")
    values = np.concatenate([found.frame[score].to_numpy().reshape(M, n, V) for score in found.frame], axis=-1)
    seen = np.concatenate([scored.data[name].to_numpy(dtype=float).reshape(n, V) for name in added], axis=-1)
    told = tuple(notice for notice in scored.notices if notice.code != "N-INSTRUMENT-INCOMPLETE")
    announce(told[len(data.skeleton.notices) :])
    wider = replace(
        data,
        skeleton=replace(scored, notices=told),
        columns=(*data.columns, *(Column(name, visit) for name in added for visit in range(V))),
        wide=Wide.of(np.column_stack([data.wide.Y, seen]), data.wide.W),
        outcomes=(*data.outcomes, *added),
    )
    empty = np.full((*chains.path.shape[:2], values.shape[-1]), np.nan)
    return replace(
        imputations,
        draws=replace(chains, data=wider, path=np.concatenate([chains.path, empty], axis=-1)),
        Y=np.concatenate([imputations.Y, values], axis=-1),
        notes=(
            *imputations.notes,
            f"Scored after imputing the items: {', '.join(scored.outcome(name).label for name in added)}.",
        ),
    )


def _has_levels(skeleton: Cohort, name: str) -> bool:
    return name in skeleton.covariates and skeleton.covariate_roles[name].levels is not None


def _refused(seen: str) -> StudyError:
    return StudyError(
        "E-STUDY-IMPUTE",
        seen,
        "Items are scored where every answer is one that the item can have.",
        'Impute the items by sensitivity.chained(..., outcomes=[...]), whose methods for them are "pmm".',
    )
