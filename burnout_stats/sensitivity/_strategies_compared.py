"""The same contrasts under several assumptions about what was not seen, all from the same draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ..cohort import Cohort
from ..display import Watched
from ..errors import StudyError, one_of
from ..estimates import Estimates
from ..inference import contrast as contrasts_of
from ..inference import emmeans
from ..models import MMRM
from ._draws import Draws, Method, draws
from ._imputation import Imputations, analyse, impute
from ._pooling import VARIANCES, pool
from ._strategies import STRATEGIES, Strategy

__all__ = ["ONE_ARM", "strategies_compared"]

ONE_ARM: tuple[str, ...] = (
    "mar",
    "last_mean_carried_forward",
    "no_further_change",
    "copy_increment",
    "return_to_baseline",
)
"""What is compared where nobody says, with those that need a reference arm where there is one."""
WITH_REFERENCE: tuple[str, ...] = ("jump_to_reference", "copy_reference", "copy_increments_in_reference")
FIXED = "information-anchored (jackknife of conditional means, with what a strategy adds to missing at random fixed)"


def strategies_compared(
    spec: MMRM,
    cohort: Cohort,
    strategies: Sequence[str | Strategy] = (),
    *,
    contrasts: str | Mapping[str, Sequence[float]] = "vs_baseline",
    delta: Mapping[str, float] | None = None,
    gaps: str = "mar",
    reference: tuple[str, str] | None = None,
    auxiliaries: Sequence[str] = (),
    method: Method = "bayes",
    n: int = 100,
    seed: int | np.random.SeedSequence = 1,
    shifts: str = "estimated",
    df: str | None = None,
    conf_level: float = 0.95,
    drawn: Draws | None = None,
    progress: Watched = None,
) -> Estimates:
    """Contrasts of the visits' means under each strategy.

    Parameters
    ----------
    spec, cohort, auxiliaries, method, n, seed, progress
        As in `draws`. All strategies have the same draws and the same random numbers.
    strategies : sequence of names or functions
        As in `impute`; those for one arm where left out, and those with a reference arm if there is one.
    contrasts : as in `contrast`
    delta, gaps, reference
        As in `impute`.
    shifts : "estimated" or "fixed"
        With conditional means, whether the jackknife estimates anew in every sample what a strategy expects, which
        gives the variance over repeated sampling, or holds fixed by how much it differs from "missing at random",
        which gives an information-anchored one.
    drawn : Draws, optional
        Draws that were made before, instead of new ones.

    Returns
    -------
    Estimates
        Of kind "strategies", a row for each strategy and contrast, with the columns `contrast` and `strategy`. Notes
        say what each assumes and what the variance is. Off the diagonal, `vcov` is not known (NaN).

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for `shifts` that are fixed without conditional means; otherwise as `draws` and `impute`.

    **Source**: Cro, Carpenter & Kenward 2019, JRSS A 182:623; Wolbers et al. 2022, Pharm Stat 21:1246; Lu 2021, Stat
    Biopharm Res 13:483.

    >>> from burnout_stats.studies import example
    >>> found = strategies_compared(MMRM("exhaustion ~ visit"), example("villa_sana"), ["return_to_baseline"], n=20)
    >>> found.frame["strategy"].unique().tolist()
    ['missing at random', 'return to baseline']
    """
    one_of("shifts", shifts, ["estimated", "fixed"])
    found = drawn or draws(spec, cohort, auxiliaries=auxiliaries, method=method, n=n, seed=seed, progress=progress)
    if shifts == "fixed" and found.method != "conditional-mean":
        raise StudyError(
            "E-STUDY-OPTION",
            f'Fixed shifts are asked of "{found.method}" draws.',
            "They are held fixed over the samples of a jackknife, which only conditional means have.",
            'Use method="conditional-mean".',
        )
    chosen = list(strategies) or [*ONE_ARM, *(WITH_REFERENCE if reference else ())]
    if not {"mar", STRATEGIES["mar"]} & set(chosen):
        chosen.insert(0, "mar")
    at_random = impute(found, gaps=gaps, delta=delta)
    parts, said = [], []
    notices = found.notices
    for strategy in chosen:
        completed = impute(found, strategy, delta=delta, gaps=gaps, reference=reference)
        if shifts == "fixed":
            completed = _fixed(completed, at_random)
        means = emmeans(pool(analyse(completed, spec)), "visit", df=df, conf_level=conf_level)
        answer = contrasts_of(means, contrasts)
        name = "missing at random" if completed.strategy == "mar" else completed.strategy.replace("_", " ")
        parts.append(answer.frame.assign(strategy=name))
        assumed = completed.notes[0].partition(" Then: ")[2].rstrip(".")
        said += [f"{assumed[:1].upper()}{assumed[1:]}."] if assumed else []
        about, notices = answer.about, answer.notices
    frame = pd.concat(parts, ignore_index=True)
    order = list(dict.fromkeys(frame["contrast"]))
    frame = frame.sort_values("contrast", key=lambda names: names.map(order.index), kind="stable", ignore_index=True)
    leading = ["outcome", "contrast", "strategy"]
    frame = frame[[*leading, *(name for name in frame if name not in leading)]]
    vcov = np.full((len(frame), len(frame)), np.nan)
    np.fill_diagonal(vcov, frame["std_error"].to_numpy() ** 2)
    shared = [note.partition(" Then: ")[0].rstrip(".") + "." if " Then: " in note else note for note in about.notes]
    if shifts == "fixed":
        shared = [note.replace(VARIANCES["jackknife"], FIXED) for note in shared]
    about = replace(
        about,
        kind="strategies",
        factors=("strategy",),
        by=("contrast",),
        notes=(*shared, *said),
    )
    return Estimates(frame=frame, vcov=vcov, about=about, notices=notices)


def _fixed(completed: Imputations, at_random: Imputations) -> Imputations:
    """The conditional means of "missing at random", moved by what all subjects together say that the strategy moves."""
    return replace(completed, Y=at_random.Y + (completed.Y[:1] - at_random.Y[:1]))
