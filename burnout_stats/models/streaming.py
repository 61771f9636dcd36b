"""A model's view of data that are never in memory at once: a `Tally` keeps of each part what the likelihood needs, and
tallies add.

    fit(spec, stream)                    reads part by part, and adds each tally to the sum of those before
    fit(spec, tally(a) + tally(b))       the same, where other processes have tallied the parts

The moments of a part are taken about the part's own mean, and moved to the mean of both when two are added, so that the
result has the same digits whatever the first part looks like.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from ..cohort.cohort import Cohort
from ..cohort.stream import CohortStream
from ..cohort.subjects import Subjects
from ..design import Design, build
from ..design.build import rows_left_out
from ..design.parts import joined, refuse_means
from ..design.random import random_variables
from ..display import Shown, Table
from ..display.escape import for_terminal
from ..display.showing import facts
from ..engine.basis import Basis
from ..engine.moments import Moments, moments_of_rows
from ..errors import ModelError, StudyError
from ..estimates import Policy
from .representation import subjects
from .spec import Model

__all__ = ["Tally", "gathered", "tally"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tally(Shown):
    """What is kept of the rows of a part: counts and cross-products, by missingness pattern and by level.

    Attributes
    ----------
    spec : MMRM or LMM
        The model that it is for.
    n_cohort, n_present : subjects, and rows with the outcome
    design : Design or None
        With counts and means of this part; None where no row is complete.
    moments : Moments or None
        Over all declared visits; groups are the levels of `covariance_by`.
    subjects : Subjects or None
        Whose rows these are, to refuse a subject that stands in two tallies; None where the stream has looked.
    """

    spec: Model
    n_cohort: int
    n_present: int
    design: Design | None
    moments: Moments | None
    subjects: Subjects | None

    def __repr__(self) -> str:
        return for_terminal(f"<Tally: {self.spec.formula}; {subjects(self.n_cohort, self._policy)}>")

    @property
    def _policy(self) -> Policy:
        return Policy() if self.design is None else self.design.policy

    def _tables(self) -> tuple[Table, ...]:
        pairs = [("Model", self.spec.formula), ("Tallied", subjects(self.n_cohort, self._policy))]
        return (facts("Tally of a part", pairs),)

    def __add__(self, other: Tally) -> Tally:
        """The tally of both.

        Raises
        ------
        ValueError
            For tallies of different models.
        DataError
            `E-DATA-SPLIT` for a subject that stands in both.
        """
        if self.spec != other.spec:
            raise ValueError("Tallies of two models cannot be added.")
        subjects = self.subjects if other.subjects is None else other.subjects
        if self.subjects is not None and other.subjects is not None:
            subjects = self.subjects.joined(other.subjects)
        design, moments = self.design or other.design, self.moments or other.moments
        if self.design is not None and other.design is not None:
            design = joined(self.design, other.design)
        if self.moments is not None and other.moments is not None:
            moments = _sum(self.moments, other.moments)
        return Tally(
            spec=self.spec,
            n_cohort=self.n_cohort + other.n_cohort,
            n_present=self.n_present + other.n_present,
            design=design,
            moments=moments,
            subjects=subjects,
        )

    def finished(self) -> tuple[Design, Moments, NDArray[np.intp]]:
        """Design, moments and the visits that have rows, as of a cohort in memory.

        Raises
        ------
        ModelError
            `E-MODEL-EMPTY` where no row of any part is complete.
        """
        names = tuple(dict.fromkeys((*self.spec.parsed.variables, *random_variables(self.spec.parsed))))
        if self.design is None or self.moments is None:
            raise ModelError(
                "E-MODEL-EMPTY",
                f"No row of the cohort has `{self.spec.parsed.response}` with {', '.join(names) or 'anything'}.",
                "A model needs rows in which the outcome and every covariate are known.",
                "Look at the missing values of each column.",
            )
        design, moments = self.design, self.moments
        seen = np.flatnonzero(moments.patterns.any(0))
        present, groups = np.unique(moments.groups, return_inverse=True)
        n_complete = int(design.grid.cells.rows.sum())
        design = replace(
            design,
            n_cohort=self.n_cohort,
            groups=tuple(design.groups[k] for k in present) if design.groups else (),
            notices=rows_left_out(self.n_present, n_complete, self.spec.parsed, names, design.policy),
        )
        moments = replace(moments, groups=groups.astype(np.intp)).visits(seen)
        if self.spec.weights is not None and self.spec.weights_kind == "probability":  # weights of mean 1
            share = float(np.rint(design.grid.cells.weight.sum()) / moments.n.sum())
            moments = replace(moments, n=moments.n * share, T=moments.T * share)
        return design, moments, seen


def tally(spec: Model, cohort: Cohort) -> Tally:
    """What a model needs of one part of a cohort; parts made in other processes add up to the whole.

    Subjects stand whole in one part. With Dask, for a data frame whose partitions hold subjects whole:

        stream = read_cohort([], ..., stream=True)                   # says what the columns are
        count = lambda frame: tally(spec, stream.part(frame))
        parts = [dask.delayed(count)(part) for part in frame.to_delayed()]
        fitted = fit(spec, dask.delayed(functools.reduce)(operator.add, parts).compute())

    Raises
    ------
    StudyError
        As `fit`; `E-STUDY-STREAM` for a transform that needs the mean of all subjects.
    ModelError
        `E-MODEL-NEEDS-ROWS` for random effects of clusters, or on times that differ between subjects.
    """
    return _tally(spec, cohort, Subjects.of(cohort.ids))


def gathered(spec: Model, source: CohortStream | Tally) -> tuple[Design, Moments, NDArray[np.intp]]:
    """Design, moments and visits seen of a stream or of tallies that were made elsewhere.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for the tally of another model.
    DataError
        Whatever is wrong with the parts of the stream.
    """
    if isinstance(source, Tally):
        if source.spec != spec:
            raise StudyError(
                "E-STUDY-VALUE",
                f"The tally is for another model: {source.spec.formula}.",
                f"A tally holds what one model needs, here {spec.formula}.",
                "Make the tally with this model.",
            )
        return source.finished()
    reading = source.parts()
    total = reduce(Tally.__add__, (_tally(spec, cohort, None) for cohort in reading))
    design, moments, seen = total.finished()
    return replace(design, notices=(*reading.notices, *design.notices)), moments, seen


def _tally(spec: Model, cohort: Cohort, subjects: Subjects | None) -> Tally:
    formula = spec.parsed
    refuse_means(formula)
    try:
        design, rows = build(formula, cohort, group=spec.covariance_by, weight=spec.weights)
    except ModelError as error:
        if error.code != "E-MODEL-EMPTY":
            raise
        return Tally(
            spec=spec,
            n_cohort=cohort.n_subjects,
            n_present=int(cohort.data[formula.response].notna().sum()),
            design=None,
            moments=None,
            subjects=subjects,
        )
    if rows.random is not None or rows.nested is not None:
        raise ModelError(
            "E-MODEL-NEEDS-ROWS",
            "The random effects are of clusters of subjects, or differ between subjects seen at the same visit.",
            "A stream keeps counts and cross-products by visit, not rows.",
            "Fit the model to a cohort in memory, or use random effects of visit or years.",
        )
    group = rows.group
    if group is not None:
        levels = [str(level) for level in cohort.data[spec.covariance_by].cat.categories]
        group = np.array([levels.index(label) for label in design.groups])[group]
        design = replace(design, groups=tuple(levels))
    moments = moments_of_rows(
        rows.z,
        rows.subject,
        rows.visit,
        len(cohort.visits),
        basis=Basis.centered(rows.z.mean(axis=0), design.encoder.constant),
        group=group,
        weights=rows.weight,
    )
    return Tally(
        spec=spec,
        n_cohort=cohort.n_subjects,
        n_present=int(cohort.data[formula.response].notna().sum()),
        design=design,
        moments=moments,
        subjects=subjects,
    )


def _sum(first: Moments, second: Moments) -> Moments:
    """The moments of both, about the center of both."""
    share = float(second.n_obs) / float(first.n_obs + second.n_obs)
    center = first.basis.center + share * (second.basis.center - first.basis.center)
    return first.recentered(center) + second.recentered(center)
