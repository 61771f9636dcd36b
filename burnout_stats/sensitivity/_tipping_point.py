"""How much worse than expected those who were lost must be for a conclusion to change: a curve, a map, and a share.

A conclusion is where an interval lies: below the margin, above it, or around it. It changes where an end of the
interval crosses the margin, and that δ is found to rounding, because the interval at any δ comes from moments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..display import Watched
from ..errors import ModelError, StudyError, did_you_mean, one_of
from ..estimates import Estimates
from ..inference import contrast as contrasts_of
from ..inference import emmeans
from ..inference.intervals import checked_level
from ..models import MMRM
from ._delta import path, shifts
from ._draws import Draws, Method, draws
from ._imputation import analyse, impute
from ._pooling import PooledFit, pool
from ._strategies import Strategy
from ._tipping_search import TIPPING, curve, surface
from ._tipping_words import beyond, map_told, told, where

__all__ = ["Asked", "tipping_delta", "tipping_map", "tipping_point", "tipping_share"]

Array = NDArray[np.float64]
Asked = str | Mapping[str, Sequence[float]] | Callable[[PooledFit], Estimates] | None


def tipping_point(
    spec: MMRM,
    cohort: Cohort,
    *,
    visits: str | Sequence[str] | None = None,
    deltas: Sequence[float] | None = None,
    contrast: Asked = None,
    margin: float = 0.0,
    strategy: str | Strategy = "mar",
    gaps: str = "mar",
    reference: tuple[str, str] | None = None,
    auxiliaries: Sequence[str] = (),
    method: Method = "conditional-mean",
    n: int = 100,
    seed: int | np.random.SeedSequence = 1,
    df: str | None = None,
    conf_level: float = 0.95,
    drawn: Draws | None = None,
    progress: Watched = None,
) -> Estimates:
    """Estimates along a δ that is added to every imputed value, and the δ at which the conclusion changes.

    Parameters
    ----------
    spec, cohort, auxiliaries, method, n, seed, progress
        As in `draws`; by default nothing is random (conditional means with the jackknife).
    visits : label, or labels, optional
        Where δ is added; all visits but the first where left out.
    deltas : sequence of float, optional
        The grid, in points of the outcome; where left out, from a fifth of the scale's width on the better side to its
        whole width on the worse side (without a scale: four standard deviations at the first visit).
    contrast : optional
        What is concluded upon: the name of a pairwise contrast of visits ("3 years - baseline"), a mapping of name to
        weights of the visits, or a function of the pooled fit that gives Estimates; every follow-up visit against the
        first where left out.
    margin : float
        The conclusion is whether the interval lies below it, above it or around it.
    strategy, gaps, reference
        As in `impute`: what is assumed before δ is added.
    df, conf_level
        As in `emmeans`.
    drawn : Draws, optional
        Draws that were made before, instead of new ones.

    Returns
    -------
    Estimates
        Of kind "tipping_point", with columns `contrast`, `delta` and `conclusion` ("below 0", "includes 0", "above 0",
        and "tipping point" in the rows that were found by search). Statistic and p test the margin. Notes say in words
        where the conclusion changes. Off the diagonal, `vcov` is not known (NaN).

    Raises
    ------
    StudyError
        `E-STUDY-VISITS`, `E-STUDY-VALUE` or `E-STUDY-OPTION` for visits, deltas or contrasts that cannot be; otherwise
        as `draws` and `impute`.
    ModelError
        `E-MODEL-NOT-ESTIMABLE`; otherwise as `draws` and `analyse`.

    **Source**: Cro et al. 2020, Stat Med 39:2815, for δ-adjusted imputation; with δ fixed, the jackknife of conditional
    means and Rubin's rules both take it as known.

    >>> from burnout_stats.studies import example
    >>> curve = tipping_point(MMRM("exhaustion ~ visit"), example("villa_sana"), contrast="3 years - baseline")
    >>> round(tipping_delta(curve), 2) > 1
    True
    """
    found = drawn or draws(spec, cohort, auxiliaries=auxiliaries, method=method, n=n, seed=seed, progress=progress)
    fit = pool(analyse(impute(found, strategy, gaps=gaps, reference=reference), spec))
    labels = fit.visits.labels
    moved = _positions(labels, labels[1:] if visits is None else [visits] if isinstance(visits, str) else visits)
    grid = _grid(_default(fit, 20) if deltas is None else deltas, "deltas")
    level, asked = checked_level(conf_level), _asked(fit, contrast, df, conf_level)
    way = path(fit, shifts(fit.analyses.imputations, fit.outcome.name, [moved]))
    frame = curve(way, asked, grid, "delta", margin, level, df)
    notes = [
        f"Delta: points added to every imputed value of {fit.outcome.label} at {where(fit, moved)}.",
        *told(frame, "delta", "points"),
        *beyond(fit, frame, moved),
    ]
    return _estimates(asked, frame, "tipping_point", ("delta", "conclusion"), margin, notes)


def tipping_map(
    spec: MMRM,
    cohort: Cohort,
    *,
    visits: tuple[str, str] | None = None,
    deltas: Sequence[float] | tuple[Sequence[float], Sequence[float]] | None = None,
    contrast: Asked = None,
    margin: float = 0.0,
    strategy: str | Strategy = "mar",
    gaps: str = "mar",
    reference: tuple[str, str] | None = None,
    auxiliaries: Sequence[str] = (),
    method: Method = "conditional-mean",
    n: int = 100,
    seed: int | np.random.SeedSequence = 1,
    df: str | None = None,
    conf_level: float = 0.95,
    drawn: Draws | None = None,
    progress: Watched = None,
) -> Estimates:
    """Estimates over two deltas, each added to the imputed values of one visit, with the line where the conclusion
    changes.

    Parameters
    ----------
    visits : two labels, optional
        The first and the last follow-up visit where left out.
    deltas : sequence, or two sequences, optional
        The grid of both deltas, or of each.
    contrast : optional
        As in `tipping_point`, but one; the mean of the two visits less the first visit where left out, because a change
        at one visit alone hardly depends on the delta at the other.
    others
        As in `tipping_point`.

    Returns
    -------
    Estimates
        Of kind "tipping_map", with columns "delta at (visit)" for both visits and `conclusion`. The line goes through
        the rows whose conclusion is "tipping point": for every delta of the first visit that of the second at which the
        conclusion changes, and the other way round.

    Raises
    ------
    StudyError
        `E-STUDY-VISITS` without two follow-up visits; otherwise as `tipping_point`.
    """
    found = drawn or draws(spec, cohort, auxiliaries=auxiliaries, method=method, n=n, seed=seed, progress=progress)
    fit = pool(analyse(impute(found, strategy, gaps=gaps, reference=reference), spec))
    labels = fit.visits.labels
    pair = list(visits or (labels[min(1, len(labels) - 1)], labels[-1]))
    if len(set(pair)) != 2 or len(pair) != 2 or labels[0] in pair:
        raise StudyError(
            "E-STUDY-VISITS",
            f"A map was asked over deltas at {' and '.join(pair)}.",
            "It has two different visits after the first.",
            f"The visits are: {', '.join(labels)}. For one of them, draw tipping_point(...).",
        )
    moved = _positions(labels, pair)
    first, second = _two_grids(_default(fit, 5) if deltas is None else deltas)
    if contrast is None:
        weights = np.zeros(len(labels))
        weights[0], weights[moved] = -1.0, 0.5
        contrast = {f"mean of {pair[0]} and {pair[1]} - {labels[0]}": weights.tolist()}
    level, asked = checked_level(conf_level), _asked(fit, contrast, df, conf_level)
    if len(asked) != 1:
        raise StudyError(
            "E-STUDY-OPTION",
            f"A map was asked of {len(asked)} contrasts.",
            "It shows the conclusion from one.",
            'Name it: contrast="3 years - baseline".',
        )
    way = path(fit, shifts(fit.analyses.imputations, fit.outcome.name, [[v] for v in moved]))
    names = [f"delta at {visit}" for visit in pair]
    frame = surface(way, asked, first, second, names, margin, level, df)
    notes = [
        f"Deltas: points added to every imputed value of {fit.outcome.label} at {where(fit, moved)}.",
        map_told(frame, names),
    ]
    return _estimates(asked, frame, "tipping_map", (*names, "conclusion"), margin, notes)


def tipping_share(
    spec: MMRM,
    cohort: Cohort,
    strategy: str | Strategy = "return_to_baseline",
    *,
    shares: Sequence[float] | None = None,
    contrast: Asked = None,
    margin: float = 0.0,
    gaps: str = "mar",
    reference: tuple[str, str] | None = None,
    auxiliaries: Sequence[str] = (),
    conf_level: float = 0.95,
    drawn: Draws | None = None,
) -> Estimates:
    """Estimates along the share of those lost who follow a strategy while the others are missing at random, and the
    share at which the conclusion changes.

    It is deterministic: with a share π, everybody who was lost is expected at (1 − π) times what "missing at random"
    expects and π times what the strategy expects, which is what a random share of them gives on average; the jackknife
    takes the share as known.

    Parameters
    ----------
    strategy : as in `impute`
    shares : sequence of float, optional
        The grid, from 0 to 1 by 0.05 where left out.
    others
        As in `tipping_point`; `drawn` has conditional means.

    Returns
    -------
    Estimates
        Of kind "tipping_share", with columns `contrast`, `share` and `conclusion`.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for shares outside 0 to 1, `E-STUDY-OPTION` for draws that are not conditional means; otherwise
        as `tipping_point`.
    """
    found = drawn or draws(spec, cohort, auxiliaries=auxiliaries, method="conditional-mean", seed=1)
    one_of("method", found.method, ["conditional-mean"])
    grid = _grid(np.linspace(0, 1, 21) if shares is None else shares, "shares")
    if grid[0] < 0 or grid[-1] > 1:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`shares` go from {grid[0]:g} to {grid[-1]:g}.",
            "A share lies between 0 and 1.",
            "Leave them out for 0, 0.05, ..., 1.",
        )
    at_random = impute(found, gaps=gaps)
    other = impute(found, strategy, gaps=gaps, reference=reference)
    fit = pool(analyse(at_random, spec))
    name = fit.outcome.name
    level, asked = checked_level(conf_level), _asked(fit, contrast, None, conf_level)
    way = path(fit, (other.values(name) - at_random.values(name))[None])
    frame = curve(way, asked, grid, "share", margin, level, None)
    words = other.notes[0].partition(" Then: ")[2].rstrip(".") or "missing at random"
    lost = where(fit, range(1, len(fit.visits.labels)))
    share = f"Share: how many of those without a value at {lost} follow the strategy: {words}"
    notes = [f"{share}. The others are missing at random.", *told(frame, "share", "of those lost")]
    return _estimates(asked, frame, "tipping_share", ("share", "conclusion"), margin, notes)


def tipping_delta(estimates: Estimates, contrast: str | None = None) -> float:
    """The delta (or share) nearest to 0 at which the conclusion changes; NaN where it does not within the grid.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for another contrast than there is, or several without a name.
    """
    frame = estimates.frame
    if estimates.about.kind not in ("tipping_point", "tipping_share"):
        raise StudyError(
            "E-STUDY-OPTION",
            f"A tipping delta was asked of {estimates.about.kind}.",
            "A curve has one for each contrast.",
            "Give it what tipping_point() or tipping_share() answers.",
        )
    names = list(dict.fromkeys(frame["contrast"]))
    chosen = one_of("contrast", contrast if contrast is not None or len(names) > 1 else names[0], names)
    rows = frame[frame["contrast"].eq(chosen) & frame["conclusion"].str.startswith(TIPPING)]
    values = rows[estimates.about.factors[0]].to_numpy(dtype=float)
    return float(values[np.abs(values).argmin()]) if len(values) else float("nan")


# ---- what is asked --------------------------------------------------------------------------------------------------


def _asked(fit: PooledFit, asked: Asked, df: str | None, conf_level: float) -> Estimates:
    if callable(asked):
        answer = asked(fit)
    else:
        means = emmeans(fit, "visit", df=df, conf_level=conf_level)
        if isinstance(asked, str):
            answer = contrasts_of(means, "pairwise")
            names = answer.frame["contrast"].tolist()
            position = names.index(one_of("contrast", asked, names))
            assert answer.L is not None
            answer = replace(
                answer,
                frame=answer.frame.iloc[[position]].reset_index(drop=True),
                vcov=answer.vcov[[position]][:, [position]],
                L=answer.L[[position]],
            )
        else:
            answer = contrasts_of(means, "vs_baseline" if asked is None else asked)
    answer.attached()
    if "contrast" not in answer.frame:
        words = [", ".join(map(str, row)) for row in answer.frame[list(answer.about.factors)].itertuples(index=False)]
        answer = replace(answer, frame=answer.frame.assign(contrast=words))
    elif answer.about.by:
        by = answer.frame[list(answer.about.by)].astype(str).agg(", ".join, axis=1)
        answer = replace(answer, frame=answer.frame.assign(contrast=answer.frame["contrast"] + " (" + by + ")"))
    if answer.frame["estimate"].isna().any():
        raise ModelError(
            "E-MODEL-NOT-ESTIMABLE",
            "A contrast that the data cannot estimate was asked for a tipping point.",
            "Where there is no estimate there is no conclusion.",
            "Leave out the cells without data.",
        )
    return answer


def _positions(labels: Sequence[str], asked: Sequence[str]) -> list[int]:
    for label in asked:
        if label not in labels:
            raise StudyError(
                "E-STUDY-VISITS",
                f"`{label}` is not a visit.",
                f"The visits are: {', '.join(labels)}.",
                did_you_mean(label, labels),
            )
    return [labels.index(label) for label in asked]


def _grid(values: Sequence[float] | Array, name: str) -> Array:
    grid = np.unique(np.asarray(values, dtype=float))
    if len(grid) < 2 or not np.isfinite(grid).all():
        raise StudyError(
            "E-STUDY-VALUE",
            f"`{name}` has {len(grid)} different values.",
            "A curve or map goes through two finite values or more.",
            f"Write for example {name}=[0, 0.5, 1, 1.5].",
        )
    return np.unique(np.append(grid, 0.0))


def _two_grids(deltas: Sequence[float] | Array | tuple[Sequence[float], Sequence[float]]) -> tuple[Array, Array]:
    parts = list(deltas) if np.ndim(deltas[0]) else [deltas, deltas]
    first, second = (_grid(np.asarray(part, dtype=float), "deltas") for part in parts)
    return first, second


def _default(fit: PooledFit, steps: int) -> Array:
    """From a fifth of the width on the better side to all of it on the worse side (both where nobody said)."""
    outcome = fit.outcome
    if outcome.range:
        width = float(outcome.range[1] - outcome.range[0])
    else:
        data = fit.analyses.imputations.draws.data
        width = 4 * float(np.nanstd(data.wide.Y[:, data.places(outcome.name)[0]]))
        width = float(f"{width:.1g}")
    grid = np.round(np.arange(-steps if not outcome.better else -(steps // 5), steps + 1) * (width / steps), 12)
    return np.asarray(-grid[::-1] if outcome.better == "higher" else grid)


def _estimates(
    asked: Estimates, frame: pd.DataFrame, kind: str, factors: tuple[str, ...], margin: float, notes: Sequence[str]
) -> Estimates:
    known = "the share" if kind == "tipping_share" else "delta"
    tested = f" P values test a difference from {margin:g}." if margin else ""
    about = replace(
        asked.about,
        kind=kind,
        factors=factors,
        by=("contrast",),
        notes=(*asked.about.notes, *notes, f"Intervals take {known} as known.{tested}"),
    )
    vcov = np.full((len(frame), len(frame)), np.nan)
    np.fill_diagonal(vcov, frame["std_error"].to_numpy() ** 2)
    return Estimates(frame=frame, vcov=vcov, about=about, notices=asked.notices)
