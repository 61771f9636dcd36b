"""How much higher the odds of those who were lost must be, given everything else, for a conclusion about events to
change.

At each δ the data are completed anew by chained equations with the same random numbers, the model is fitted to every
completed data set and pooled, and the contrast is asked. Where its conclusion changes, δ is found by halving. As few
draws change at once, the interval moves in small steps, and δ is found to a hundredth.

**Source**: Tompsett et al. 2018, Stat Med 37:2338 (delta on the log odds, inside the cycles); Cro, Morris, Kenward &
Carpenter 2020, Stat Med 39:2815 (tipping points by repeated imputation).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd

from ..cohort import Cohort
from ..display import Watched, teller
from ..errors import StudyError, one_of
from ..estimates import Estimates
from ..estimates.quantities import RATIOS
from ..inference import contrast as contrasts_of
from ..inference import emmeans
from ..models.generalized import GLMM
from ._chained import chained
from ._pooled_events import pooled_events
from ._tipping_search import TIPPING
from ._tipping_words import told

__all__ = ["tipping_odds"]

NEAR = 0.01
"""How near to the tipping delta the search ends, in log odds."""


def tipping_odds(
    spec: GLMM,
    cohort: Cohort,
    *,
    deltas: Sequence[float] = (-1.0, 0.0, 1.0, 2.0, 3.0),
    visits: str | Sequence[str] | None = None,
    contrast: str | None = None,
    scale: str = "marginal",
    measure: str = "difference",
    auxiliaries: Iterable[str] = (),
    n: int = 50,
    cycles: int = 10,
    seed: int = 1,
    progress: Watched = None,
) -> Estimates:
    """Contrasts of events along a δ that is added to the log odds of those who were not seen, and where they tip.

    Parameters
    ----------
    spec : GLMM
        With family="binomial" and `visit` in its formula.
    deltas : numbers
        The grid, in log odds; 0 ("missing at random") is added. 0.69 doubles the odds.
    visits : str or sequence of str, optional
        Where δ is added; at every visit after the first where not said.
    contrast : str, optional
        Such as "3 years - baseline"; that of the last visit where not said.
    scale, measure
        As of `emmeans` and `contrast`.
    auxiliaries, n, cycles, seed, progress
        As of `chained`.

    Returns
    -------
    Estimates
        Of kind "tipping_point", with columns `contrast`, `delta` and `conclusion`, as `tipping_point` gives them for
        measured outcomes.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for another family or a grid of one value, `E-STUDY-OPTION` for an unknown contrast,
        `E-STUDY-VISITS` for an unknown visit; and as `chained` and `fit`.

    >>> from burnout_stats.studies import example
    >>> model = GLMM("sick_leave ~ visit + (1 | subject)")
    >>> found = tipping_odds(model, example("villa_sana"), deltas=[0, 1], n=4, cycles=3)
    >>> found.frame["conclusion"].tolist()
    ['below 0', 'below 0']
    """
    if spec.family != "binomial":
        raise StudyError(
            "E-STUDY-VALUE",
            f"Odds of those who were lost are asked of the family {spec.family!r}.",
            "Odds belong to events.",
            'Use family="binomial", with case=">= 3.5" for a score.',
        )
    grid = np.unique(np.append(np.asarray(deltas, dtype=float), 0.0))
    if len(grid) < 2 or not np.isfinite(grid).all():
        raise StudyError(
            "E-STUDY-VALUE",
            f"`deltas` has {len(grid)} different values.",
            "A curve goes through two finite values or more.",
            "Write for example deltas=[0, 1, 2].",
        )
    moved = _moved(cohort, visits)
    heard = teller(progress)
    extra = tuple(auxiliaries)

    def asked(delta: float) -> Estimates:
        completed = chained(
            spec,
            cohort,
            auxiliaries=extra,
            delta=dict.fromkeys(moved, float(delta)),
            n=n,
            cycles=cycles,
            seed=seed,
            progress=False,
        )
        means = emmeans(pooled_events(completed, progress=False), "visit", scale=scale)
        return _one(contrasts_of(means, "pairwise", measure=measure), contrast, cohort)

    answers: dict[float, Estimates] = {}
    for k, delta in enumerate(grid):
        answers[float(delta)] = asked(float(delta))
        if heard is not None:
            heard(k + 1, len(grid), "odds of those who were lost")
    at_zero = answers[0.0]
    none = 1.0 if at_zero.about.kind in RATIOS else 0.0
    rows = [_row(delta, answer, none) for delta, answer in answers.items()]
    for low, high in pairwise(grid):
        ends = [_conclusion(answers[float(end)], none) for end in (low, high)]
        if ends[0] != ends[1]:
            a, b = float(low), float(high)
            while b - a > NEAR:
                middle = (a + b) / 2
                a, b = (middle, b) if _conclusion(asked(middle), none) == ends[0] else (a, middle)
            row = _row(b, asked(b), none)
            rows.append(row.assign(conclusion=f"{TIPPING}: from {ends[0]} to {ends[1]}"))
    frame = pd.concat(rows).sort_values("delta", kind="stable").reset_index(drop=True)
    where = (
        f"delta: added to the log odds of those who were not seen at {' and '.join(moved)}, given everything else; "
        "0.69 doubles the odds."
    )
    vcov = np.full((len(frame), len(frame)), np.nan)
    np.fill_diagonal(vcov, frame["std_error"].to_numpy(dtype=float) ** 2)
    about = replace(
        at_zero.about,
        kind="tipping_point",
        factors=("delta", "conclusion"),
        by=("contrast",),
        notes=(
            *at_zero.about.notes,
            where,
            *told(frame, "delta", "log odds"),
            "Intervals take delta as known.",
        ),
    )
    return Estimates(frame=frame, vcov=vcov, about=about, notices=at_zero.notices, cells=_cells(at_zero, len(frame)))


def _moved(cohort: Cohort, visits: str | Sequence[str] | None) -> tuple[str, ...]:
    if visits is None:
        return cohort.visits.labels[1:]
    return (visits,) if isinstance(visits, str) else tuple(visits)


def _one(answers: Estimates, contrast: str | None, cohort: Cohort) -> Estimates:
    """The row of one contrast."""
    names = answers.frame["contrast"].tolist()
    first, last = cohort.visits.labels[0], cohort.visits.labels[-1]
    mark = " / " if answers.about.kind in RATIOS else " - "
    wanted = (contrast or f"{last} - {first}").replace(" - ", mark)
    place = names.index(one_of("contrast", wanted, names))
    return replace(
        answers,
        frame=answers.frame.iloc[[place]].reset_index(drop=True),
        vcov=answers.vcov[[place]][:, [place]],
        cells=None if answers.cells is None else answers.cells[[place]],
        L=None,
        answers=None,
    )


def _conclusion(answer: Estimates, none: float) -> str:
    row = answer.frame.iloc[0]
    side = "below" if row["conf_high"] < none else "above" if row["conf_low"] > none else "includes"
    return f"{side} {none:g}"


def _row(delta: float, answer: Estimates, none: float) -> pd.DataFrame:
    frame = answer.frame.copy()
    frame.insert(2, "delta", delta)
    frame.insert(3, "conclusion", _conclusion(answer, none))
    return frame


def _cells(answer: Estimates, n: int) -> np.ndarray | None:
    return None if answer.cells is None else np.repeat(answer.cells, n, axis=0)
