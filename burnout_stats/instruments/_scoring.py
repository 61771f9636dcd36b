"""Answers become scores, by the rules of an instrument and no others; what was done is counted and said.

For a subscale with k items of which m were answered, x̄ is the mean of the answered ones, turned items first turned
(x becomes low + high - x). The score is x̄ (`mean`), k x̄ (`sum`), or 100 (x̄ - low) / (high - low) (`percent`), where m
reaches the rule for missing answers, and missing where it does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError, StudyError, one_of
from ..notices import Notice, announce
from ._answers import numbers_of, refusals
from ._columns import columns_of
from ._instrument import Composite, Instrument, Response, Subscale
from ._reading import instrument as instrument_by_key

__all__ = ["Scores", "score", "scores"]

Array = NDArray[np.float64]

MISSING: Mapping[str, str] = {
    "own": "the rule of the instrument; all answers where it has none",
    "complete": "all answers are needed",
    "half": "at least half of the answers are needed",
}
OUT_OF_RANGE: Mapping[str, str] = {"refuse": "an error", "missing": "taken as not answered, with a notice"}
SUFFIX = "_answered"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scores:
    """Scores with what was done to get them.

    Attributes
    ----------
    instrument : Instrument
    frame : DataFrame
        A column for each score, in the rows of the answers.
    answered : DataFrame
        How many items were answered, a column for each subscale.
    n_items : number of items by subscale
    columns : the columns of each subscale
    prorated : how many rows have a score although answers are missing, by subscale
    incomplete : how many rows have answers, but too few for a score, by subscale
    out_of_range : how many answers were taken as missing because the instrument cannot have them
    floor, ceiling : the share of scores at the lowest and the highest possible value, by subscale
    unverified : the rules that were used and that nobody looked up
    """

    instrument: Instrument
    frame: pd.DataFrame
    answered: pd.DataFrame
    n_items: Mapping[str, int]
    columns: Mapping[str, tuple[str, ...]]
    prorated: Mapping[str, int]
    incomplete: Mapping[str, int]
    out_of_range: int
    floor: Mapping[str, float]
    ceiling: Mapping[str, float]
    unverified: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Scores of {self.instrument.key}: {', '.join(self.frame.columns)}; {len(self.frame)} rows>"

    def notices(self, *, min_cell: int = 1) -> tuple[Notice, ...]:
        """What a user should know; counts below `min_cell` are not told."""
        found = list(self.instrument.doubts(self.unverified))
        key = self.instrument.key
        filled = {name: count for name, count in self.prorated.items() if count}
        if filled:
            told = ", ".join(f"{_few(count, min_cell)} of `{name}`" for name, count in filled.items())
            found.append(
                Notice(
                    "N-INSTRUMENT-PRORATED",
                    f"Scores of `{key}` rest on the answered items only where some are missing: {told}.",
                    'Write missing="complete" to leave them out, and compare.',
                )
            )
        lost = {name: count for name, count in self.incomplete.items() if count}
        if lost:
            told = ", ".join(f"{_few(count, min_cell)} of `{name}`" for name, count in lost.items())
            found.append(
                Notice(
                    "N-INSTRUMENT-INCOMPLETE",
                    f"Scores of `{key}` are missing because too few items were answered: {told}.",
                    "The rule for missing answers is that of the instrument, or all of them where it has none.",
                )
            )
        if self.out_of_range:
            found.append(
                Notice(
                    "N-INSTRUMENT-RANGE",
                    f"Answers that an item of `{key}` cannot have were taken as missing: "
                    f"{_few(self.out_of_range, min_cell)}.",
                    f"Answers are {self.instrument.response}; look at the file.",
                )
            )
        return tuple(found)


def _few(count: int, min_cell: int) -> str:
    return f"fewer than {min_cell}" if count < min_cell else str(count)


def score(
    items: pd.DataFrame,
    instrument: str | Instrument,
    columns: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None = None,
    *,
    reverse: Iterable[str] | None = None,
    missing: str = "own",
    out_of_range: str = "refuse",
) -> pd.DataFrame:
    """Score the answers to a questionnaire.

    Parameters
    ----------
    items : DataFrame
        A row for each person (and visit), a numeric column for each item.
    instrument : str or Instrument
        A key such as "cbi", a subscale such as "cbi_personal", or one of your own from `read_instrument`.
    columns : pattern, names, or mapping of subscale to pattern or names, optional
        Which columns the items are: a pattern such as "b{item}", with the numbers that the items have in the whole
        instrument, or names in its order. A mapping is needed where it is not known which items belong to a subscale.
        Where left out, the columns are found by their usual names, or taken in order where the frame has as many as the
        instrument.
    reverse : names of columns, optional
        The items to be turned. Where left out, those that the instrument lists; an empty list says that the file has
        turned them already.
    missing : "own", "complete" or "half"
        How many answers a score needs: the rule of the instrument (all where it has none), all, or at least half.
    out_of_range : "refuse" or "missing"
        What happens to an answer that an item cannot have.

    Returns
    -------
    DataFrame
        In the rows of `items`: a column for each subscale, one for each composite, and then for each subscale
        `<subscale>_answered`, the number of items that were answered. Prorated scores and unverified rules are told as
        warnings; `bs.instruments.scores` gives them, and floor and ceiling shares, as a value.

    Raises
    ------
    StudyError
        `E-STUDY-INSTRUMENT` for an unknown instrument or subscale, columns that cannot be told, or items that are
        turned nobody knows which; `E-STUDY-OPTION` for an unknown rule.
    DataError
        `E-DATA-ITEM` for answers that are no numbers or that an item cannot have, by column and row.

    Examples
    --------
    >>> answers = pd.DataFrame({"a": [1, 4], "b": [2, 4], "c": [1, 3], "d": [1, 4], "e": [2, None]})
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     found = score(answers, "scl5")
    >>> found.to_dict("list")
    {'total': [1.4, 3.75], 'total_answered': [5, 4]}
    """
    found = scores(items, instrument, columns, reverse=reverse, missing=missing, out_of_range=out_of_range)
    announce(found.notices(), stacklevel=3)
    return pd.concat([found.frame, found.answered.add_suffix(SUFFIX)], axis=1)


def scores(
    items: pd.DataFrame,
    instrument: str | Instrument,
    columns: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None = None,
    *,
    reverse: Iterable[str] | None = None,
    missing: str = "own",
    out_of_range: str = "refuse",
) -> Scores:
    """As `score`, with everything that was counted on the way; no warning is shown.

    Examples
    --------
    >>> answers = pd.DataFrame({"a": [1, 4], "b": [1, 4], "c": [1, 3], "d": [1, 4], "e": [1, None]})
    >>> found = scores(answers, "scl5")
    >>> dict(found.prorated), dict(found.floor)
    ({'total': 1}, {'total': 0.5})
    """
    key = instrument if isinstance(instrument, Instrument) else instrument_by_key(instrument)
    one_of("missing", missing, MISSING)
    one_of("out_of_range", out_of_range, OUT_OF_RANGE)
    named = columns_of(key, columns, [str(name) for name in items.columns])
    used = tuple(dict.fromkeys(name for part in named.values() for name in part))
    turned = _turned(key, named, reverse)
    answers, bad = numbers_of(items.set_axis([str(name) for name in items.columns], axis=1), used, key.response)
    if out_of_range == "refuse" and bad.any():
        raise DataError.of(refusals(used, bad, key))
    answers[bad] = np.nan
    low, high = key.response.low, key.response.high
    at = {name: place for place, name in enumerate(used)}
    for name in turned:
        answers[:, at[name]] = low + high - answers[:, at[name]]

    frame, answered, counts, unverified = {}, {}, {}, set()
    prorated, incomplete, floor, ceiling = {}, {}, {}, {}
    for name, own in named.items():
        part = key.subscales[name]
        x = answers[:, [at[column] for column in own]]
        m = (~np.isnan(x)).sum(axis=1)
        needed = _needed(part, len(own), missing)
        is_scored = m >= needed
        value = np.where(is_scored, _value(part, x, m, key.response), np.nan)
        frame[name], answered[name], counts[name] = value, m, len(own)
        prorated[name] = int((is_scored & (m < len(own))).sum())
        incomplete[name] = int((~is_scored & (m > 0)).sum())
        if not part.mark.verified:
            unverified.add(f"subscales.{name}")
        partly = missing == "own" and part.missing_mark is not None and (prorated[name] or incomplete[name])
        if partly and part.missing_mark is not None and not part.missing_mark.verified:
            unverified.add(f"subscales.{name}.missing")
        limits = _limits(part, len(own), key.response)
        known = value[~np.isnan(value)]
        floor[name], ceiling[name] = (
            float((np.abs(known - end) < 1e-9).mean()) if len(known) else np.nan for end in limits
        )
    for name, made in key.composites.items():
        if all(part in frame for part in made.weights):
            frame[name] = _composite(made, frame, key, counts)
            if not made.mark.verified:
                unverified.add(f"composites.{name}")
    if not key.response.mark.verified:
        unverified.add("response")
    if not key.items_mark.verified:
        unverified.add("items")
    if reverse is None and turned and not key.reverse_mark.verified:
        unverified.add("reverse")
    return Scores(
        instrument=key,
        frame=pd.DataFrame(frame, index=items.index),
        answered=pd.DataFrame(answered, index=items.index),
        n_items=counts,
        columns=named,
        prorated=prorated,
        incomplete=incomplete,
        out_of_range=int(bad.sum()),
        floor=floor,
        ceiling=ceiling,
        unverified=tuple(rule for rule in key.rules() if rule in unverified),
    )


def _turned(key: Instrument, named: Mapping[str, tuple[str, ...]], reverse: Iterable[str] | None) -> tuple[str, ...]:
    """The columns that are turned."""
    if reverse is not None:
        asked = (reverse,) if isinstance(reverse, str) else tuple(reverse)
        used = {column for part in named.values() for column in part}
        for name in asked:
            if name not in used:
                raise StudyError(
                    "E-STUDY-INSTRUMENT",
                    f"`reverse` names {name!r}.",
                    f"The columns of the items are: {', '.join(sorted(used))}.",
                    "Name the columns to be turned, or write reverse=[] where the file has turned them already.",
                )
        return asked
    unknown = [name for name in named if key.subscales[name].reverse == "ask"]
    if unknown:
        raise StudyError(
            "E-STUDY-INSTRUMENT",
            f"Some items of {', '.join(f'`{name}`' for name in unknown)} are turned before scoring, and the package "
            "does not know which.",
            "`reverse` names the columns that are to be turned.",
            "Write reverse=[...] after the manual, or reverse=[] where the file has turned them already.",
        )
    found = []
    for name, own in named.items():
        for item, column in zip(key.subscales[name].items, own, strict=False):
            if item in key.reverse:
                found.append(column)
    return tuple(dict.fromkeys(found))


def _needed(part: Subscale, n_items: int, missing: str) -> int:
    if missing == "half":
        return (n_items + 1) // 2
    return n_items if missing == "complete" or part.min_answered is None else part.min_answered


def _value(part: Subscale, x: Array, m: NDArray[np.int64], response: Response) -> Array:
    mean = np.nansum(x, axis=1) / np.maximum(m, 1)
    if part.score == "percent":
        mean = 100.0 * (mean - response.low) / (response.high - response.low)
    return np.asarray(mean * x.shape[1] if part.score == "sum" else mean)


def _limits(part: Subscale, n_items: int, response: Response) -> tuple[float, float]:
    if part.score == "percent":
        return 0.0, 100.0
    times = n_items if part.score == "sum" else 1
    return times * response.low, times * response.high


def _composite(made: Composite, frame: Mapping[str, Array], key: Instrument, counts: Mapping[str, int]) -> Array:
    if made.kind == "weighted":
        return np.asarray(made.constant + sum(weight * frame[name] for name, weight in made.weights.items()))
    above, below = sorted(made.weights, key=lambda name: -made.weights[name])
    means = [frame[name] / (counts[name] if key.subscales[name].score == "sum" else 1) for name in (above, below)]
    return np.asarray(np.divide(means[0], means[1], out=np.full_like(means[0], np.nan), where=means[1] != 0))
