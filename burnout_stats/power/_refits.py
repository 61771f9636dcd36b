"""Whole cohorts made, fitted and asked one by one: the simulation of any model that `fit` takes.

Cohort r has the random numbers of the r-th child of the seed (`SeedSequence.spawn`), so that neither blocks nor workers
nor the backend change an answer. Trouble is counted: an error of the package under its code, a fit without a verified
optimum as "no verified optimum", an answer without a p value or a limit as "not estimable". Any other exception is a
fault, of ours or of the generator's, and stops everything.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..cohort import Cohort
from ..errors import BurnoutStatsError, StudyError, one_of
from ..estimates import Estimates
from ..estimates.estimates import NUMBERS
from ..models import fit
from ..models.gee import GEE
from ..models.generalized import GLMM
from ..models.spec import Model
from ..notices import BurnoutStatsWarning, announce
from ._backends import BACKENDS
from ._performance import judged, performance, refusal_notice

__all__ = ["Generator", "Planned", "Question", "refitted"]

Array = NDArray[np.float64]
Planned: TypeAlias = Model | GLMM | GEE
Generator = Callable[[np.random.Generator], Cohort]
Question = Callable[[Any], Estimates]
BLOCK = 10
"""Cohorts that a worker is given at a time."""
KEPT = ("estimate", "std_error", "p_value", "conf_low", "conf_high")


@dataclass(frozen=True, slots=True, eq=False)
class _Answered:
    """Of one cohort: what names its rows and their numbers (rows, 5), or why there are none."""

    names: tuple[tuple[tuple[str, str], ...], ...] = ()
    numbers: Array | None = None
    conf_level: float = 0.95
    n_subjects: int = 0
    method: str = ""
    outcome: str = ""
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class _Work:
    """What a worker does with a block: numbers of cohorts."""

    generator: Generator
    model: Planned
    question: Question
    seed: int

    def __call__(self, cohorts: Sequence[int]) -> list[_Answered]:
        return [self.answer(r) for r in cohorts]

    def answer(self, r: int) -> _Answered:
        cohort = self.generator(np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(r,))))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BurnoutStatsWarning)  # what they say is counted
            try:
                fitted = fit(self.model, cohort)
                if not fitted.converged:
                    return _Answered(refusal="no verified optimum")
                asked = self.question(fitted)
            except BurnoutStatsError as error:
                return _Answered(refusal=error.code)
        frame = asked.frame
        numbers = frame[list(KEPT)].to_numpy(dtype=float)
        if not np.isfinite(numbers[:, :3]).all():
            return _Answered(refusal="not estimable")
        naming = [c for c in frame.columns if c not in {"outcome", *NUMBERS, "n", "method", "num_df"}]
        names = tuple(
            tuple((column, str(value)) for column, value in zip(naming, row, strict=True))
            for row in frame[naming].itertuples(index=False, name=None)
        )
        return _Answered(
            names=names,
            numbers=numbers,
            conf_level=asked.about.conf_level,
            n_subjects=cohort.n_subjects,
            method=asked.about.df_method,
            outcome=str(frame["outcome"].iloc[0]) if len(frame) else "",
        )


def refitted(
    generator: Generator,
    model: Planned,
    question: Question,
    *,
    replicates: int,
    seed: int,
    truth: Sequence[float] | None,
    workers: int,
    backend: str,
    progress: Callable[[int, int, str], None] | None,
) -> Estimates:
    """See `simulate`."""
    one_of("backend", backend, list(BACKENDS))
    if workers < 1:
        raise StudyError(
            "E-STUDY-VALUE", f"`workers` is {workers}.", "It is 1 or more.", "Use the number of your cores."
        )
    blocks = [range(start, min(start + BLOCK, replicates)) for start in range(0, replicates, BLOCK)]
    answers: list[_Answered] = []
    for part in BACKENDS[backend](_Work(generator, model, question, seed), blocks, workers):
        answers += part  # type: ignore[arg-type]  # what _Work gives
        if progress is not None:
            progress(len(answers), replicates, "simulated cohorts")
    refused = Counter(one.refusal for one in answers if one.refusal)
    good = [one for one in answers if not one.refusal]
    usual = Counter(one.names for one in good).most_common(1)
    if usual:
        refused.update("other rows" for one in good if one.names != usual[0][0])
        good = [one for one in good if one.names == usual[0][0]]
    notices = refusal_notice(refused, replicates)
    announce(notices, stacklevel=4)
    first = good[0]
    numbers = np.stack([one.numbers for one in good if one.numbers is not None])
    K = numbers.shape[1]
    if truth is not None and len(truth) != K:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`truth` has {len(truth)} values.",
            f"The question has {K} rows.",
            "Give the true value of every row, in order.",
        )
    rows = []
    for k, names in enumerate(first.names):
        e, s, p, low, high = numbers[:, k].T
        delta = None if truth is None else float(truth[k])
        covered = None if delta is None else (low <= delta) & (delta <= high)
        found = performance(e, s, p < 1 - first.conf_level, covered, truth=delta, null=0.0)
        rows.append((dict(names), found))
    sizes = sorted({one.n_subjects for one in good})
    persons = str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    return judged(
        rows,
        outcome=first.outcome,
        n=sizes[-1],
        kind="simulated_power",
        method="simulation",
        factors=tuple(name for name, _ in first.names[0]),
        notes=(
            f"{len(good):,} simulated cohorts of {persons} persons; errors and intervals are those of the simulation.",
            f"Each was fitted with {type(model).__name__}({model.formula!r}) and asked the same question.",
            f"A test rejects where its p value is below {1 - first.conf_level:.2g}.",
        ),
        notices=notices,
        df_method=first.method,
    )
