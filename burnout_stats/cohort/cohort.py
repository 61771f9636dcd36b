"""`Cohort`: checked, labelled repeated-measures data, born finished and never changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..display import Shown, Table
from ..display.escape import for_terminal
from ..errors import StudyError, did_you_mean
from ..estimates import Policy
from ..instruments import Instrument
from ..notices import Notice, announce
from .roles import Covariate, Outcome, Visits

__all__ = ["Cohort", "Source"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the data came from: a short name (never a full path), the SHA-256 of the bytes, how they were read, rows
    read and kept.
    """

    name: str = "a data frame"
    sha256: str = ""
    dialect: Mapping[str, str] = field(default_factory=dict)
    rows_read: int = 0
    rows_kept: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Cohort(Shown):
    """Repeated-measures scores of one cohort.

    Made by `read_cohort`, `example` and `simulate`; these check what the class takes for granted: one row per subject
    and visit, sorted by subject and time.

    Attributes
    ----------
    data : DataFrame
        Columns `subject` (1, 2, ...: an ordinal, not the identifier), `visit` (ordered categorical), `years`,
        `exact_years` where dates of assessment were declared, then outcomes and covariates.
    visits : Visits
    outcome_roles, covariate_roles : by name
    ids : array of the identifiers; `ids[k - 1]` belongs to subject k
    policy : Policy
        How small a group may be shown.
    notices : tuple of Notice
    source : Source
    missing_as : mapping of column to categorical Series, aligned with `data`
        The code for "no value" that stood in a cell (declared by `missing_codes` or by the file itself), NaN where a
        value or nothing stood there; only columns in which some code was met.
    """

    data: pd.DataFrame
    visits: Visits
    outcome_roles: Mapping[str, Outcome]
    covariate_roles: Mapping[str, Covariate]
    ids: NDArray[np.object_]
    policy: Policy = field(default_factory=Policy)
    notices: tuple[Notice, ...] = ()
    source: Source = field(default_factory=Source)
    missing_as: Mapping[str, pd.Series] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "missing_as", MappingProxyType(dict(self.missing_as)))
        object.__setattr__(self, "outcome_roles", MappingProxyType(dict(self.outcome_roles)))
        object.__setattr__(self, "covariate_roles", MappingProxyType(dict(self.covariate_roles)))

    @property
    def frame(self) -> pd.DataFrame:
        """The raw analysis data, one row per subject and visit: health data of single persons, so keep it where such
        data may be kept.
        """
        return self.data.copy(deep=False)

    @property
    def subjects(self) -> NDArray[np.int64]:
        """The ordinals of the subjects: 1, 2, ..."""
        return np.arange(1, len(self.ids) + 1, dtype=np.int64)

    @property
    def n_subjects(self) -> int:
        """How many subjects the cohort has."""
        return len(self.ids)

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The names of the outcomes."""
        return tuple(self.outcome_roles)

    @property
    def covariates(self) -> tuple[str, ...]:
        """The names of the covariates."""
        return tuple(self.covariate_roles)

    def outcome(self, name: str) -> Outcome:
        """The role of an outcome.

        Raises
        ------
        StudyError
            `E-STUDY-COLUMN` for an unknown name.
        """
        if name in self.outcome_roles:
            return self.outcome_roles[name]
        raise StudyError(
            "E-STUDY-COLUMN",
            f"Column `{name}` is not an outcome of the cohort.",
            f"Its outcomes are: {', '.join(self.outcomes)}.",
            did_you_mean(name, self.outcomes),
        )

    def with_scores(
        self,
        instrument: str | Instrument,
        columns: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None = None,
        *,
        names: str | Mapping[str, str] | None = None,
        reverse: Iterable[str] | None = None,
        missing: str = "own",
        out_of_range: str = "refuse",
    ) -> Cohort:
        """The cohort with the scores of a questionnaire as further outcomes, made from items that are its columns.

        Parameters
        ----------
        instrument, columns, reverse, missing, out_of_range
            As in `score`: the instrument, which numeric columns of the cohort are its items, which of them are turned,
            and what happens to missing answers and to answers that an item cannot have.
        names : str or mapping of score to name, optional
            What the outcomes are called; where left out `cbi_personal` and so on, and the key alone for a total.

        Raises
        ------
        StudyError, DataError
            As `score`; `E-STUDY-ROLES` for a name that is taken. Rows are those of `frame`, counted from 0.

        Examples
        --------
        >>> from burnout_stats.cohort import read_cohort
        >>> frame = pd.DataFrame({"id": [1, 2], "visit": "start", "stress": [2.0, 3.0], "g1": [1, 3], "g2": [5, 3]})
        >>> cohort = read_cohort(frame, subject="id", visit="visit", times={"start": 0}, outcomes=["stress"])
        >>> cohort.with_scores("cooper_job_stress", ["g1", "g2"], names="strain").outcomes
        ('stress', 'strain')
        """
        from .scored import with_scores

        cohort = with_scores(
            self, instrument, columns, names=names, reverse=reverse, missing=missing, out_of_range=out_of_range
        )
        announce(cohort.notices[len(self.notices) :])
        return cohort

    def subset(self, keep: NDArray[np.bool_] | pd.Series) -> Cohort:
        """The cohort of the rows where `keep` is true (one value per row of `frame`); subjects left without rows leave
        the cohort.

        Raises
        ------
        StudyError
            `E-STUDY-VALUE` where `keep` has another length than `frame`.
        """
        mask = np.asarray(keep, dtype=bool)
        if mask.shape != (len(self.data),):
            raise StudyError(
                "E-STUDY-VALUE",
                f"`keep` has shape {mask.shape}.",
                f"It needs one true or false for each of the {len(self.data)} rows of the cohort's frame.",
                'Write for example cohort.subset(cohort.frame["sex"] == "F").',
            )
        rows = self.data[mask]
        old, codes = np.unique(rows["subject"].to_numpy(), return_inverse=True)
        met = {name: codes[mask].reset_index(drop=True) for name, codes in self.missing_as.items()}
        return replace(
            self,
            data=rows.assign(subject=codes + 1).reset_index(drop=True),
            ids=self.ids[old - 1],
            missing_as={name: codes for name, codes in met.items() if codes.notna().any()},
        )

    def to_frame(
        self, layout: str = "long", *, ids: bool = False, codes: bool = False, wide: str = "{outcome}_{visit}"
    ) -> pd.DataFrame:
        """The cohort as a data frame that `read_cohort` reads to the same cohort: health data of single persons.

        Parameters
        ----------
        layout : {"long", "wide"}
            One row per subject and visit, or one per subject.
        ids : bool
            Whether the column `subject` holds the identifiers of the source; without, it holds ordinals.
        codes : bool
            Whether the codes for "no value" stand in their cells again (`missing_as`); such columns then hold text.
        wide : str
            The pattern of the names of columns in a wide frame; what is the same at all visits of every subject has one
            column and its own name.

        Raises
        ------
        StudyError
            `E-STUDY-OPTION` for another layout; `E-STUDY-LAYOUT` for a pattern by which the names of the columns could
            not be read back; `E-STUDY-VALUE` for a wide layout of a cohort with rows in which nothing stands.

        Examples
        --------
        >>> from burnout_stats.studies import example
        >>> example("villa_sana").to_frame("wide").filter(like="exhaustion").columns.tolist()
        ['exhaustion_baseline', 'exhaustion_1 year', 'exhaustion_3 years']
        """
        from .writing import to_frame

        return to_frame(self, layout, ids=ids, codes=codes, wide=wide)

    def __repr__(self) -> str:
        from .representation import size

        n = len(self.visits)
        visits = f"{n} visit{'' if n == 1 else 's'}"
        return for_terminal(f"<Cohort: {size(self)}, {visits}, outcomes {', '.join(self.outcomes)}>")

    def _tables(self) -> tuple[Table, ...]:
        from .representation import tables

        return tables(self)
