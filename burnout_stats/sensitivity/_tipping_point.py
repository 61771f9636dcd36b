"""How much worse than expected those who were lost must be for a conclusion to change: a curve, a map, and a share.

A conclusion is where an interval lies: below the margin, above it, or around it. It changes where an end of the
interval crosses the margin, and that δ is found to rounding, because the interval at any δ comes from moments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..errors import ModelError, StudyError, did_you_mean, one_of
from ..estimates import Estimates
from ..inference import contrast as contrasts_of
from ..inference import emmeans
from ..inference.intervals import checked_level
from ..models import MMRM
from ._delta import Along, Path, path, shifts
from ._draws import Draws, Method, Progress, draws
from ._imputation import analyse, impute
from ._pooling import PooledFit, pool
from ._strategies import Strategy

__all__ = ["TIPPING", "Asked", "tipping_delta", "tipping_map", "tipping_point", "tipping_share"]

Array = NDArray[np.float64]
Asked = str | Mapping[str, Sequence[float]] | Callable[[PooledFit], Estimates] | None
TIPPING = "tipping point"
"""How a row is marked at which the conclusion changes."""
STEPS = 60
EXACT = 1e-10
"""Of the searched range, how near to the crossing a search ends."""


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
    progress: Progress | None = None,
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
    frame = _curve(way, asked, grid, "delta", margin, level, df)
    where = "; ".join(labels[v] for v in moved)
    notes = [
        f"Delta: points added to every imputed value of {fit.outcome.label} at {where} ({_persons(fit, moved)}).",
        *_told(frame, "delta", margin, f"points at {where}"),
        *_beyond(fit, frame, moved),
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
    progress: Progress | None = None,
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
    if visits is None:
        visits = (labels[min(1, len(labels) - 1)], labels[-1])
    if len(visits) != 2 or visits[0] == visits[1] or labels[0] in visits:
        raise StudyError(
            "E-STUDY-VISITS",
            f"A map was asked over deltas at {' and '.join(visits)}.",
            "It has two different visits after the first.",
            f"The visits are: {', '.join(labels)}. For one of them, draw tipping_point(...).",
        )
    moved = _positions(labels, visits)
    both = deltas if deltas is not None and np.ndim(deltas[0]) else (deltas, deltas)
    first, second = (_grid(_default(fit, 5) if part is None else part, "deltas") for part in both)  # type: ignore[arg-type]
    if contrast is None:
        weights = np.zeros(len(labels))
        weights[0], weights[moved] = -1.0, 0.5
        contrast = {f"mean of {visits[0]} and {visits[1]} - {labels[0]}": weights.tolist()}
    level, asked = checked_level(conf_level), _asked(fit, contrast, df, conf_level)
    if len(asked) != 1:
        raise StudyError(
            "E-STUDY-OPTION",
            f"A map was asked of {len(asked)} contrasts.",
            "It shows the conclusion from one.",
            'Name it: contrast="3 years - baseline".',
        )
    way = path(fit, shifts(fit.analyses.imputations, fit.outcome.name, [[v] for v in moved]))
    names = [f"delta at {visit}" for visit in visits]
    frame = _map(way, asked, first, second, names, margin, level, df)
    notes = [
        f"Deltas: points added to every imputed value of {fit.outcome.label}, at {visits[0]} ({_persons(fit, moved[:1])}) "
        f"and at {visits[1]} ({_persons(fit, moved[1:])}).",
        _map_told(frame, names, margin),
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
    frame = _curve(way, asked, grid, "share", margin, level, None)
    words = other.notes[0].partition(" Then: ")[2].rstrip(".") or "missing at random"
    followers = _positions(fit.visits.labels, fit.visits.labels[1:])
    notes = [
        f"Share: of those lost ({_persons(fit, followers)}), how many follow the strategy: {words}. The others are "
        "missing at random.",
        *_told(frame, "share", margin, "of those lost"),
    ]
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
    rows = frame[frame["contrast"].eq(chosen) & frame["conclusion"].eq(TIPPING)]
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


def _default(fit: PooledFit, steps: int) -> Array:
    """From a fifth of the width on the better side to all of it on the worse side (both where nobody said)."""
    outcome = fit.outcome
    if outcome.range:
        width = float(outcome.range[1] - outcome.range[0])
    else:
        data = fit.analyses.imputations.draws.data
        width = 4 * float(np.nanstd(data.wide.Y[:, data.places(outcome.name)[0]]))
        width = float(f"{width:.1g}")
    grid = np.arange(-steps if not outcome.better else -(steps // 5), steps + 1) * (width / steps)
    return np.asarray(-grid[::-1] if outcome.better == "higher" else grid)


# ---- the curve and the map ------------------------------------------------------------------------------------------


def _conclusion(along: Along, margin: float, level: float) -> NDArray[np.int64]:
    """-1 where the interval is below the margin, 1 above, 0 around it; (G, k)."""
    low, high = along.limits(level)
    return np.where(high < margin, -1, np.where(low > margin, 1, 0))


def _crossings(
    ends: Callable[[Array, Array], tuple[Array, Array]],
    grid: Array,
    state: NDArray[np.int64],
    low: Array,
    high: Array,
    margin: float,
) -> tuple[NDArray[np.intp], Array]:
    """Where, along lines of points (G, lines), an end of the interval crosses the margin: the line of each crossing and
    its place.

    `ends(line, place)` gives the two ends at places on lines. All brackets are narrowed together, by false position
    with Illinois' correction (Dowell & Jarratt 1971, BIT 11:168).
    """
    brackets: list[tuple[int, int, int]] = []  # line, position, which end
    for g, line in zip(*np.nonzero(state[1:] != state[:-1]), strict=True):
        pair = {int(state[g, line]), int(state[g + 1, line])}
        brackets += [(int(line), int(g), end) for end, value in ((1, -1), (0, 1)) if value in pair]
    if not brackets:
        return np.zeros(0, dtype=np.intp), np.zeros(0)
    line, at, which = np.array(brackets).T
    values = np.stack([low, high]) - margin
    a, b = grid[at], grid[at + 1]
    fa, fb = values[which, at, line], values[which, at + 1, line]
    place, side = a, np.zeros(len(a), dtype=int)
    active = np.arange(len(a))
    width = grid[-1] - grid[0]
    place = np.where(fa == 0, a, b)
    for _ in range(STEPS):
        active = active[(np.abs(b - a)[active] > EXACT * width) & (fa[active] != 0) & (fb[active] != 0)]
        if not len(active):
            break
        i = active
        place[i] = b[i] - fb[i] * (b[i] - a[i]) / (fb[i] - fa[i])
        f = np.stack(ends(line[i], place[i]))[which[i], np.arange(len(i))] - margin
        same = np.sign(f) == np.sign(fb[i])
        again = side[i] == np.where(same, 1, -1)
        fa[i] = np.where(same, np.where(again, fa[i] / 2, fa[i]), f)
        a[i] = np.where(same, a[i], place[i])
        fb[i] = np.where(same, f, np.where(again, fb[i] / 2, fb[i]))
        b[i] = np.where(same, place[i], b[i])
        side[i] = np.where(same, 1, -1)
        done = np.abs(f) <= EXACT * np.maximum(np.abs(values).max(), 1e-300)
        active = i[~done]
    return line, place


def _curve(
    way: Path, asked: Estimates, grid: Array, name: str, margin: float, level: float, df: str | None
) -> pd.DataFrame:
    L, _ = asked.attached()
    along = way.answers(L, grid[:, None], df=df)
    state = _conclusion(along, margin, level)

    def ends(line: NDArray[np.intp], place: Array) -> tuple[Array, Array]:
        low, high = way.answers(L, place[:, None], df=df).limits(level)
        return low[np.arange(len(line)), line], high[np.arange(len(line)), line]

    line, place = _crossings(ends, grid, state, *along.limits(level), margin)
    parts = []
    for k, words in enumerate(asked.frame["contrast"].astype(str)):
        found = np.unique(place[line == k])
        points = np.concatenate([grid, found])
        order = np.argsort(points, kind="stable")
        both = (
            along
            if not len(found)
            else Along(*map(np.concatenate, zip(along, way.answers(L, found[:, None], df=df), strict=True)))
        )
        mine = Along(*(part[order, k : k + 1] for part in both))
        told = _words(_conclusion(mine, margin, level)[:, 0], margin)
        told[np.isin(order, np.arange(len(grid), len(points)))] = TIPPING
        parts.append(
            _numbers(asked, {"contrast": words, name: points[order], "conclusion": told}, mine, margin, level, k)
        )
    return pd.concat(parts, ignore_index=True)


def _map(
    way: Path,
    asked: Estimates,
    first: Array,
    second: Array,
    names: Sequence[str],
    margin: float,
    level: float,
    df: str | None,
) -> pd.DataFrame:
    L, _ = asked.attached()
    points = np.stack(np.meshgrid(first, second, indexing="ij"), axis=-1).reshape(-1, 2)
    along = way.answers(L, points, df=df)
    shape = (len(first), len(second))
    low, high = (end.reshape(shape) for end in along.limits(level))
    state = _conclusion(along, margin, level).reshape(shape)
    found = []
    for axis, (fixed, moving) in enumerate(((first, second), (second, first))):

        def ends(line: NDArray[np.intp], place: Array, fixed: Array = fixed, axis: int = axis) -> tuple[Array, Array]:
            at = np.stack([fixed[line], place], axis=1)[:, :: 1 - 2 * axis]
            below, above = way.answers(L, at, df=df).limits(level)
            return below[:, 0], above[:, 0]

        turned = [part.T if axis == 0 else part for part in (state, low, high)]
        line, place = _crossings(ends, moving, turned[0], turned[1], turned[2], margin)
        found.append(np.stack([fixed[line], place], axis=1)[:, :: 1 - 2 * axis])
    line_points = np.concatenate(found)
    told = _words(state.reshape(-1), margin)
    if len(line_points):
        line_points = line_points[np.lexsort(line_points.T[::-1])]
        line_points = line_points[np.r_[True, (np.abs(np.diff(line_points, axis=0)) > 1e-7).any(1)]]
        along = Along(*map(np.concatenate, zip(along, way.answers(L, line_points, df=df), strict=True)))
        points = np.concatenate([points, line_points])
        told = np.append(told, [TIPPING] * len(line_points))
    naming: dict[str, Any] = {"contrast": str(asked.frame["contrast"].iloc[0])}
    naming |= {names[0]: points[:, 0], names[1]: points[:, 1], "conclusion": told}
    return _numbers(asked, naming, along, margin, level, 0)


def _numbers(
    asked: Estimates, naming: Mapping[str, Any], along: Along, margin: float, level: float, k: int
) -> pd.DataFrame:
    statistic, p_value = (part[:, 0] for part in along.test(margin))
    low, high = (part[:, 0] for part in along.limits(level))
    return pd.DataFrame(
        {
            "outcome": asked.frame["outcome"].iloc[k],
            **naming,
            "estimate": along.estimate[:, 0],
            "std_error": along.std_error[:, 0],
            "df": along.df[:, 0],
            "statistic": statistic,
            "p_value": p_value,
            "conf_low": low,
            "conf_high": high,
            "n": asked.frame["n"].iloc[k],
            "method": asked.about.df_method,
        }
    )


def _estimates(
    asked: Estimates, frame: pd.DataFrame, kind: str, factors: tuple[str, ...], margin: float, notes: Sequence[str]
) -> Estimates:
    tested = f" P values test a difference from {margin:g}." if margin else ""
    about = replace(
        asked.about,
        kind=kind,
        factors=factors,
        by=("contrast",),
        notes=(
            *asked.about.notes,
            *notes,
            f"Intervals take delta as known.{tested}"
            if kind != "tipping_share"
            else f"Intervals take the share as known.{tested}",
        ),
    )
    vcov = np.full((len(frame), len(frame)), np.nan)
    np.fill_diagonal(vcov, frame["std_error"].to_numpy() ** 2)
    return Estimates(frame=frame, vcov=vcov, about=about, notices=asked.notices)


# ---- words ----------------------------------------------------------------------------------------------------------


def _words(state: NDArray[np.int64], margin: float) -> NDArray[np.object_]:
    words = np.array([f"below {margin:g}", f"includes {margin:g}", f"above {margin:g}"], dtype=object)
    return np.asarray(words[state + 1])


def _persons(fit: PooledFit, moved: Sequence[int]) -> str:
    """How many subjects have an imputed value, unless they are too few to be told."""
    data = fit.analyses.imputations.draws.data
    gone = np.isnan(data.wide.Y[:, data.places(fit.outcome.name)[list(moved)]]).any(1)
    few = fit.design.policy.min_cell
    n = int(gone.sum())
    return f"{n} of {len(gone)} subjects" if n >= few else f"fewer than {few} subjects"


def _told(frame: pd.DataFrame, name: str, margin: float, unit: str) -> list[str]:
    sentences = []
    for words, rows in frame.groupby("contrast", sort=False):
        rows = rows.reset_index(drop=True)
        start = rows.loc[rows[name].eq(0) & rows["conclusion"].ne(TIPPING), "conclusion"].iloc[0]
        tips = rows.index[rows["conclusion"].eq(TIPPING)]
        values = rows.loc[tips, name].to_numpy(dtype=float)
        shown = (lambda value: f"{100 * value:.0f}%") if name == "share" else (lambda value: f"{value:+.2f}")
        if not len(tips):
            span = f"from {shown(rows[name].iloc[0])} to {shown(rows[name].iloc[-1])}"
            sentences.append(f"{words}: the interval is {start} at a {name} of 0, and stays so {span} {unit}.")
            continue
        value = values[np.abs(values).argmin()]
        place = int(tips[np.abs(values).argmin()])
        after = (
            rows["conclusion"].iloc[place + 1 if value > 0 else place - 1] if 0 < place < len(rows) - 1 else "another"
        )
        sentences.append(
            f"{words}: the interval is {start} at a {name} of 0; it is {after} beyond {shown(value)} {unit}."
        )
    return sentences


def _beyond(fit: PooledFit, frame: pd.DataFrame, moved: Sequence[int]) -> list[str]:
    """Where imputed values lie at the tipping delta, on a scale that has ends."""
    scale = fit.outcome.range
    rows = frame[frame["conclusion"].eq(TIPPING)]
    if scale is None or rows.empty:
        return []
    value = float(rows["delta"].to_numpy()[np.abs(rows["delta"].to_numpy(dtype=float)).argmin()])
    imputations = fit.analyses.imputations
    gone = shifts(imputations, fit.outcome.name, [list(moved)])[0] > 0
    if gone.any(1).sum() < fit.design.policy.min_cell:
        return []
    y = imputations.values(fit.outcome.name)
    mean = float((y[0] if imputations.is_expected else y.mean(0))[gone].mean())
    return [
        f"Imputed values average {mean:.2f} at a delta of 0 and {mean + value:.2f} at {value:+.2f}, on a scale from "
        f"{scale[0]:g} to {scale[1]:g}."
    ]


def _map_told(frame: pd.DataFrame, names: Sequence[str], margin: float) -> str:
    cells = frame[frame["conclusion"].ne(TIPPING)]
    start = cells.loc[cells[names[0]].eq(0) & cells[names[1]].eq(0), "conclusion"].iloc[0]
    same = int(cells["conclusion"].eq(start).sum())
    equal = cells[np.isclose(cells[names[0]], cells[names[1]]) & cells["conclusion"].ne(start)]
    nearest = (
        ""
        if equal.empty
        else (
            f" Along equal deltas it has changed at {float(equal[names[0]].to_numpy()[np.abs(equal[names[0]]).to_numpy().argmin()]):+g}."
        )
    )
    return f"The interval is {start} where both deltas are 0, and in {same} of {len(cells)} cells.{nearest}"
