"""`CohortStream`: a cohort that is read part by part, because it does not fit in memory.

Each part goes through the checks of `read_cohort`. A subject whose rows are cut in two by neighboring parts is put
together again; one that comes back later is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..display import Shown
from ..display import Table as DisplayTable
from ..display.escape import for_terminal
from ..errors import DataError, StudyError
from ..estimates import Policy
from ..notices import Notice
from .assemble import assemble, unseen_visits, unused_levels
from .checks import no_values
from .cohort import Cohort, Source
from .declaration import Declaration
from .dialects import check_names
from .layout import Table
from .parquet import parquet_frames
from .places import Places
from .roles import Covariate, Outcome, Visits
from .subjects import Subjects

__all__ = ["CohortStream", "Reading", "cohort_stream"]

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CohortStream(Shown):
    """Repeated-measures scores of one cohort, read part by part; `fit` goes through it once, and holds one part at a
    time.

    Attributes
    ----------
    said : Declaration
        What the columns are.
    frames : callable
        Begins to read: gives the data frames one after another.
    name : where they come from
    """

    said: Declaration
    frames: Callable[[], Iterable[pd.DataFrame]]
    name: str

    @property
    def visits(self) -> Visits:
        """The declared visits."""
        return self.said.visits

    @property
    def outcome_roles(self) -> Mapping[str, Outcome]:
        """The outcomes by name."""
        return self.said.outcomes

    @property
    def covariate_roles(self) -> Mapping[str, Covariate]:
        """The covariates by name."""
        return self.said.covariates or {}

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The names of the outcomes."""
        return tuple(self.outcome_roles)

    @property
    def covariates(self) -> tuple[str, ...]:
        """The names of the covariates."""
        return tuple(self.covariate_roles)

    @property
    def policy(self) -> Policy:
        """How small a group may be shown."""
        return self.said.policy

    @property
    def data(self) -> NoReturn:
        """Not here: the rows are never in memory at once.

        Raises
        ------
        StudyError
            `E-STUDY-STREAM`.
        """
        raise StudyError(
            "E-STUDY-STREAM",
            "The cohort is read part by part, and all its rows are asked for at once.",
            "A stream can be fitted; describing, subsets and tests of single subjects need a cohort in memory.",
            "Leave out stream=True, or ask cohort by cohort: for part in stream.parts(): ...",
        )

    frame = ids = n_subjects = notices = outcome = subset = data

    def part(self, frame: pd.DataFrame, rows: Rows | None = None) -> Cohort:
        """The checked cohort of some rows that hold their subjects whole; `rows` are their numbers in the stream.

        Raises
        ------
        DataError
            With all that is wrong, as `read_cohort`.
        StudyError
            `E-STUDY-LEVELS` for a covariate that holds text and has no declared levels.
        """
        names = [str(name) for name in frame.columns]
        check_names(names)
        numbers = np.arange(len(frame), dtype=np.int64) if rows is None else rows
        table = Table(
            columns={name: frame.iloc[:, place] for place, name in enumerate(names)},
            places=Places(numbers, "row"),
            n_rows=len(frame),
        )
        cohort = assemble(table, self.said, Source(name=self.name, rows_read=len(frame)), ())
        for name, role in self.covariate_roles.items():
            if role.levels is None and cohort.covariate_roles[name].levels is not None:
                raise StudyError(
                    "E-STUDY-LEVELS",
                    f"Covariate `{name}` holds text, and its levels are not declared.",
                    "A stream is read once, so all levels of a category must be known before.",
                    f'Write levels={{"{name}": [...]}}, the reference level first.',
                )
        return cohort

    def parts(self) -> Reading:
        """Begin to read: one checked cohort after another."""
        return Reading(self)

    def _tables(self) -> tuple[DisplayTable, ...]:
        from .representation import declared

        return (declared(self),)

    def __repr__(self) -> str:
        return for_terminal(
            f"<CohortStream: {self.name}; {len(self.visits)} visits, outcomes {', '.join(self.outcomes)}>"
        )


@dataclass(slots=True, eq=False)
class Reading:
    """One way through a stream: iterate over it for the parts, and ask for `notices` at the end."""

    stream: CohortStream
    notices: tuple[Notice, ...] = ()
    _subjects: Subjects | None = None
    _seen: dict[str, NDArray[np.bool_]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Cohort]:
        """The parts.

        Raises
        ------
        DataError
            With all that is wrong with a part, by row of the stream; `E-DATA-SPLIT` for a subject that comes back,
            `E-DATA-BLANK` for a column without any value, `E-DATA-EMPTY` where there is no row.
        StudyError
            `E-STUDY-LEVELS`; `E-STUDY-VALUE` for what is not a data frame; `E-STUDY-SPENT` for an iterator that has
            been read before.
        """
        said = self.stream.said
        for frame, rows in _whole(self.stream.frames(), said.subject, len(said.visits)):
            cohort = self.stream.part(frame, rows)
            self._remember(cohort, frame, rows)
            yield cohort
        if self._subjects is None:
            raise DataError(
                "E-DATA-EMPTY", "The stream has no rows.", "Each row is a subject's visit.", "Check how it was made."
            )
        self._conclude()

    def _remember(self, cohort: Cohort, frame: pd.DataFrame, rows: Rows) -> None:
        """Keep of a part who was in it and what was seen there."""
        own = Subjects.of(cohort.ids)

        def say(again: NDArray[np.bool_]) -> str:
            theirs = frame[self.stream.said.subject].isin(list(cohort.ids[again])).to_numpy()
            return f" ({Places(rows, 'row').say(np.flatnonzero(theirs))})"

        self._subjects = own if self._subjects is None else self._subjects.joined(own, say)
        fresh = [notice for notice in cohort.notices if notice.code not in ("N-DATA-VISIT", "N-DATA-LEVEL")]
        self.notices = tuple(dict.fromkeys([*self.notices, *fresh]))
        for name in ("visit", *cohort.outcomes, *cohort.covariates):
            column = cohort.data[name]
            if isinstance(column.dtype, pd.CategoricalDtype):
                seen = np.bincount(column.cat.codes.to_numpy() + 1, minlength=len(column.cat.categories) + 1)[1:] > 0
            else:
                seen = np.array([not np.isnan(column.to_numpy()).all()])
            self._seen[name] = seen | self._seen.get(name, np.zeros(len(seen), dtype=bool))

    def _conclude(self) -> None:
        """What can be said only of the whole: columns without values, visits and levels that never came."""
        stream = self.stream
        empty = [name for name in (*stream.outcomes, *stream.covariates) if not self._seen[name].any()]
        if empty:
            raise DataError.of([problem for name in empty for problem in no_values(name, np.array([np.nan]))])
        notices = unseen_visits(stream.visits, self._seen["visit"])
        for name, role in stream.covariate_roles.items():
            unused = [level for level, seen in zip(role.levels or (), self._seen[name], strict=False) if not seen]
            notices += [unused_levels(name, unused)] if unused else []
        self.notices = (*self.notices, *notices)


def cohort_stream(source: object, said: Declaration) -> CohortStream:
    """The stream of a Parquet data set (a path), or of data frames one after another: an iterable, or a callable that
    begins them anew.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for any other source.
    """
    said = replace(said, is_part=True, covariates=said.covariates or {}, decimal=said.decimal or ".")
    if isinstance(source, Path):
        labels = [name for name, role in (said.covariates or {}).items() if role.levels is not None]
        if said.visit is None:
            columns = None
        else:
            dates = [] if said.date is None else [said.date]
            columns = list(dict.fromkeys([said.subject, said.visit, *dates, *said.outcomes, *(said.covariates or ())]))
            labels.append(said.visit)
        return CohortStream(said=said, frames=lambda: parquet_frames(source, columns, labels), name=source.name)
    if isinstance(source, pd.DataFrame):
        return CohortStream(said=said, frames=lambda: [source], name="a data frame")
    if callable(source):
        return CohortStream(said=said, frames=source, name="data frames")
    if isinstance(source, Iterator):
        return CohortStream(said=said, frames=_once(source), name="an iterator of data frames")
    if isinstance(source, Iterable):
        return CohortStream(said=said, frames=lambda: source, name="data frames")
    raise _not_frames(f"The source is a {type(source).__name__}.")


def _once(frames: Iterator[pd.DataFrame]) -> Callable[[], Iterator[pd.DataFrame]]:
    """An iterator that refuses to begin again, where it would silently give nothing."""
    begun: list[bool] = []

    def begin() -> Iterator[pd.DataFrame]:
        if begun:
            raise StudyError(
                "E-STUDY-SPENT",
                "The iterator of data frames has been read already.",
                "An iterator gives its frames once, so that one model can be fitted to it.",
                "Hand over a list, or a function that begins anew: read_cohort(lambda: ..., stream=True).",
            )
        begun.append(True)
        return frames

    return begin


def _whole(frames: object, subject: str, n_visits: int) -> Iterator[tuple[pd.DataFrame, Rows]]:
    """The frames with the numbers of their rows; the last subject of each waits for the next frame, where it may go
    on.
    """
    if not isinstance(frames, Iterable):
        raise _not_frames(f"The source gives a {type(frames).__name__}.")
    waiting: tuple[pd.DataFrame, Rows] | None = None
    n = 0
    for part in frames:
        if not isinstance(part, pd.DataFrame):
            raise _not_frames(f"A part of the stream is a {type(part).__name__}.")
        if not len(part):
            continue
        rows = np.arange(n, n + len(part))
        n += len(part)
        if list(part.columns).count(subject) != 1:
            yield part, rows  # which is refused
            continue
        frame = part
        if waiting is not None and set(waiting[0].columns) != set(part.columns):
            yield waiting  # what lacks a column is refused, not filled
        elif waiting is not None:
            frame, rows = _joined(waiting[0], part), np.concatenate([waiting[1], rows])
        last = frame[subject].eq(frame[subject].iloc[-1]).fillna(False).to_numpy(dtype=bool)
        begin = len(frame) - int(last.sum())
        if begin == len(frame) or (begin == 0 and len(frame) > n_visits):
            waiting = None  # no identifier, or more rows than visits: these are refused now, not gathered
            yield frame, rows
        elif last[begin:].all():
            waiting = frame.iloc[begin:], rows[begin:]
            if begin:
                yield frame.iloc[:begin], rows[:begin]
        else:
            waiting = frame[last], rows[last]
            yield frame[~last], rows[~last]
    if waiting is not None:
        yield waiting


def _joined(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """The rows of both; categories stay categories."""
    categorical = [
        name
        for name in first.columns
        if all(isinstance(part[name].dtype, pd.CategoricalDtype) for part in (first, second))
    ]
    joined = pd.concat([first.drop(columns=categorical), second.drop(columns=categorical)], ignore_index=True)
    for name in categorical:
        both = pd.api.types.union_categoricals([first[name], second[name]], ignore_order=True)
        joined[name] = both
    return joined[list(second.columns)]


def _not_frames(seen: str) -> StudyError:
    return StudyError(
        "E-STUDY-VALUE",
        seen,
        "A stream is the path of a Parquet data set, or pandas data frames one after another.",
        "Hand over a list or an iterator of frames, or a function that begins one.",
    )
