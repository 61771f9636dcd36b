"""An observed change against what regression to the mean alone would bring, with an interval that carries the
uncertainty of every input.

The inputs are θ = (means before and after of each pair | the norm's mean | its SD | the stabilities | the reliability),
with a covariance that has a block for the cohort and is diagonal elsewhere: norm, stability and reliability come from
other people. Each number is a function of θ; its variance is g′Vg by the delta method, on Satterthwaite's degrees of
freedom over the independent parts. The tipping stability is a ratio and takes Fieller's limits.

**Source**: as in `engine.regression_to_mean`; Satterthwaite 1946, Biometrics Bull 2:110. The gradients are written out
here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from ..engine.regression_to_mean import (
    carried,
    correlation_error,
    correlation_interval,
    cutoff_distance,
    expected_change,
    fieller,
    share_kept,
    tipping_share,
)
from ..instruments.norms import Norm, Stability
from ._before_after import BeforeAfter

__all__ = ["REPEATED", "Inputs", "Question", "judged"]

Array = NDArray[np.float64]
Row = dict[str, object]

Y0, Y1, MU, SD, BETA, LAMBDA = range(6)
REPEATED = ("mean", "earlier")
"""Ways of selection with more than one baseline."""
OBSERVED = np.array([-1.0, 1.0, 0.0, 0.0, 0.0, 0.0])
"""The gradient of the observed change by (before, after, norm mean, norm SD, stability, reliability or the correlation
of two baselines).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What was given from outside the cohort, and how intervals are made."""

    norm: Norm
    reliability: float = 1.0
    reliability_se: float = 0.0
    between: Stability | None = None
    baselines: int = 1
    cutoff: float | None = None
    carry: bool = False
    draws: int = 0
    seed: int | None = None
    conf_level: float = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One pair of visits, a way of selection and a stability; `naming` are the columns that tell it from others."""

    pair: int
    selection: str
    stability: Stability | None
    naming: Mapping[str, str]
    measures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Number:
    """A number with its gradient by the six local inputs; a ratio has that of its two parts instead."""

    measure: str
    value: float
    gradient: Array
    parts: tuple[float, float, Array, Array] | None = None


def judged(
    pairs: BeforeAfter, inputs: Inputs, questions: Sequence[Question]
) -> tuple[list[Row], Array, list[NDArray[np.bool_]]]:
    """Rows of numbers for each question, their joint covariance, and for each row the subjects behind it."""
    stabilities = list(dict.fromkeys(one.stability for one in questions if one.stability is not None))
    V = _covariance(pairs, inputs, stabilities)
    simulated = _simulated(pairs, inputs, stabilities, V) if inputs.draws else None
    rows: list[Row] = []
    gradients: list[Array] = []
    counts: list[NDArray[np.bool_]] = []
    for question in questions:
        at = _places(pairs, question, stabilities)
        enough = pairs.n[question.pair] > 1
        drawn = _drawn(pairs, inputs, question, simulated[:, at]) if simulated is not None and enough else {}
        for number in _numbers(pairs, inputs, question):
            if question.measures and number.measure not in question.measures:
                continue
            row: Row = {"outcome": pairs.outcome, **question.naming, "measure": number.measure}
            row |= {"n": float(pairs.n[question.pair])}
            if enough:
                row |= _with_interval(number, V[np.ix_(at, at)], pairs, inputs, question)
                if number.measure in drawn and np.isfinite(float(str(row["std_error"]))):
                    row |= drawn[number.measure]
            else:
                row |= {"method": ""}
            rows.append(row)
            whole = np.zeros(len(V))
            whole[at] = number.gradient
            gradients.append(whole if enough else np.full(len(V), np.nan))
            counts += [pairs.seen[question.pair]] if pairs.seen else []
    J = np.array(gradients)
    with np.errstate(invalid="ignore"):
        return rows, np.asarray(J @ np.nan_to_num(V) @ J.T), counts


# ---- inputs --------------------------------------------------------------------------------------------------------


def _error(stability: Stability) -> float:
    if stability.n is None:
        return stability.std_error or 0.0
    if stability.kind == "correlation":
        return float(correlation_error(stability.value, stability.n))
    return math.nan  # a slope has no standard error from its n alone; refused before


def _covariance(pairs: BeforeAfter, inputs: Inputs, stabilities: Sequence[Stability]) -> Array:
    norm = inputs.norm
    own = len(pairs.covariance)
    V = np.zeros((own + 4 + len(stabilities),) * 2)
    V[:own, :own] = pairs.covariance
    spread = norm.sd / math.sqrt(2 * (norm.n - 1)) if norm.n is not None else 0.0
    errors = [norm.std_error, spread, *map(_error, stabilities), inputs.reliability_se]
    errors.append(0.0 if inputs.between is None else _error(inputs.between))
    V[range(own, len(V)), range(own, len(V))] = np.square(errors)
    return V


def _places(pairs: BeforeAfter, question: Question, stabilities: Sequence[Stability]) -> list[int]:
    """Where the six local inputs of a question stand in θ; without a stability the last one stands in, whose gradient
    is then 0.
    """
    own = len(pairs.covariance)
    last = own + 2 + len(stabilities) + (question.selection in REPEATED)
    beta = last if question.stability is None else own + 2 + stabilities.index(question.stability)
    return [2 * question.pair, 2 * question.pair + 1, own, own + 1, beta, last]


def _beta(stability: Stability | None, inputs: Inputs, gap: float) -> tuple[float, float, float]:
    """The stability at the gap between the visits, and its derivatives by the one given and by the reliability."""
    if stability is None:
        return 0.0, 0.0, 0.0
    if not inputs.carry or stability.lag is None:
        return stability.value, 1.0, 0.0
    k = gap / stability.lag
    beta = float(carried(stability.value, stability.lag, gap, inputs.reliability))
    return beta, k * beta / stability.value, (1 - k) * beta / inputs.reliability


def _shift(pairs: BeforeAfter, inputs: Inputs, pair: int) -> tuple[float, float, float]:
    """How far the norm's mean has drifted at the first visit and between the visits, and the years between them."""
    start, end = float(pairs.years[0]), float(pairs.years[pair + 1])
    drift = inputs.norm.drift
    return (drift * start, drift * (end - start), end - start) if drift else (0.0, 0.0, end - start)


# ---- numbers -------------------------------------------------------------------------------------------------------


def _numbers(pairs: BeforeAfter, inputs: Inputs, question: Question) -> list[_Number]:
    """The distance, the observed change, the share kept, the expected change, their difference, the tipping point."""
    before, after = (float(value) for value in pairs.means[question.pair])
    drifted, shift, gap = _shift(pairs, inputs, question.pair)
    mu = inputs.norm.mean + drifted
    beta, by_stability, by_reliability = _beta(question.stability, inputs, gap)
    g_beta = np.array([0.0, 0.0, 0.0, 0.0, by_stability, by_reliability])
    kappa, by_beta, by_other = _share(inputs, question.selection, beta)
    g_kappa = by_beta * g_beta + by_other * np.eye(6)[LAMBDA]
    own = before - mu
    g_own = np.array([1.0, 0.0, -1.0, 0.0, 0.0, 0.0])
    distance, g_distance = own, g_own
    found = [_Number("baseline less norm", own, g_own)]
    if inputs.cutoff is not None:
        far, by_mu, by_sd = cutoff_distance(inputs.cutoff, mu, inputs.norm.sd, above=before >= mu)
        distance, g_distance = float(far), np.array([0.0, 0.0, float(by_mu), float(by_sd), 0.0, 0.0])
        found.append(_Number("distance by the cut-off", distance, g_distance))
    change = after - before
    expected = float(expected_change(distance, kappa, shift))
    g_expected = -(1 - kappa) * g_distance + distance * g_kappa
    found += [
        _Number("observed change", change, OBSERVED),
        *([_Number("stability", beta, g_beta)] if "stability" in question.measures else []),
        _Number("share kept", kappa, g_kappa),
        _Number("expected change", expected, g_expected),
        _Number("observed minus expected", change - expected, OBSERVED - g_expected),
    ]
    scale, g_scale = (inputs.reliability, np.eye(6)[LAMBDA]) if question.selection == "state" else (1.0, np.zeros(6))
    above = distance + change - shift
    g_above = scale * (g_distance + OBSERVED) + above * g_scale
    tipping = float(tipping_share(distance, change, shift)) * scale
    with np.errstate(divide="ignore", invalid="ignore"):
        g_tipping = (g_above - tipping * g_distance) / distance
    name = "tipping stability" if question.selection in ("score", "state") else "tipping share"
    return [*found, _Number(name, tipping, g_tipping, (above * scale, distance, g_above, g_distance))]


def _share(inputs: Inputs, selection: str, beta: float) -> tuple[float, float, float]:
    """The share kept, and its derivatives by the stability and by the reliability or the correlation of baselines."""
    kappa = float(share_kept(beta, selection=selection, **_known(inputs)))
    if selection == "score":
        return kappa, 1.0, 0.0
    if selection == "state":
        return kappa, 1 / inputs.reliability, -beta / inputs.reliability**2
    if selection == "mean":
        m, own = inputs.baselines, inputs.between is None
        below = 1 + (m - 1) * (beta if inputs.between is None else inputs.between.value)
        return kappa, m / below**2 if own else m / below, 0.0 if own else -m * beta * (m - 1) / below**2
    if selection == "earlier" and inputs.between is not None:
        return kappa, 1 / inputs.between.value, -beta / inputs.between.value**2
    return kappa, 0.0, 0.0


def _known(inputs: Inputs) -> dict[str, Any]:
    between = None if inputs.between is None else inputs.between.value
    return {"reliability": inputs.reliability, "between": between, "baselines": inputs.baselines}


def _with_interval(number: _Number, V: Array, pairs: BeforeAfter, inputs: Inputs, question: Question) -> Row:
    """Standard error, degrees of freedom and interval of a number; V is the covariance of its six inputs."""
    level = (1 + inputs.conf_level) / 2
    if number.parts is not None:
        above, below, g_above, g_below = number.parts
        G = np.array([g_above, g_below])
        df = _df(g_above - number.value * g_below, V, pairs, inputs, question) if below else np.inf
        ratio = fieller(above, below, G @ V @ G.T, float(stdtrit(df, level)))
        return {
            "estimate": ratio.estimate,
            "std_error": ratio.std_error,
            "conf_low": ratio.conf_low,
            "conf_high": ratio.conf_high,
            "method": "fieller",
        }
    variance = float(number.gradient @ V @ number.gradient)
    if not variance > 0:
        return {"estimate": number.value, "std_error": np.nan, "method": "given"}
    error = math.sqrt(variance)
    df = _df(number.gradient, V, pairs, inputs, question)
    reach = float(stdtrit(df, level)) * error
    row: Row = {"estimate": number.value, "std_error": error, "df": df, "method": "delta method"}
    row |= {"conf_low": number.value - reach, "conf_high": number.value + reach}
    stability = question.stability
    if number.measure in ("share kept", "stability") and stability is not None:
        selection = question.selection if number.measure == "share kept" else "score"
        return row | _fisher(stability, inputs, _shift(pairs, inputs, question.pair)[2], selection)
    if number.measure in ("observed change", "observed minus expected"):
        t = number.value / error
        row |= {"statistic": t, "p_value": float(2 * stdtr(df, -abs(t)))}
    return row


def _fisher(stability: Stability, inputs: Inputs, gap: float, selection: str) -> Row:
    """Fisher's interval of a share kept that is a correlation, carried to the gap; nothing for others."""
    other = inputs.reliability_se or (inputs.between is not None and selection in REPEATED)
    if stability.kind != "correlation" or stability.n is None or other:
        return {}
    limits = correlation_interval(stability.value, stability.n, inputs.conf_level)
    if inputs.carry and stability.lag is not None:
        limits = tuple(float(carried(max(limit, 0.0), stability.lag, gap, inputs.reliability)) for limit in limits)  # type: ignore[assignment]
    low, high = (float(share_kept(limit, selection=selection, **_known(inputs))) for limit in limits)
    return {"conf_low": low, "conf_high": high, "method": "fisher"}


def _df(g: Array, V: Array, pairs: BeforeAfter, inputs: Inputs, question: Question) -> float:
    """Satterthwaite's degrees of freedom over the cohort, the norm's mean and its SD; all else counts as known well."""
    parts = [float(g[:2] @ V[:2, :2] @ g[:2]), g[MU] ** 2 * V[MU, MU], g[SD] ** 2 * V[SD, SD]]
    rest = g[BETA] ** 2 * V[BETA, BETA] + g[LAMBDA] ** 2 * V[LAMBDA, LAMBDA] if question.stability else 0.0
    size = (inputs.norm.n or 2) - 1
    below = sum(part**2 / f for part, f in zip(parts, (pairs.n[question.pair] - 1, size, size), strict=True))
    return float((sum(parts) + rest) ** 2 / below) if below > 0 else math.inf


# ---- simulation ----------------------------------------------------------------------------------------------------


def _simulated(pairs: BeforeAfter, inputs: Inputs, stabilities: Sequence[Stability], V: Array) -> Array:
    """Draws of θ from the sampling distributions of its parts: normal, but Fisher's for a correlation with its n, and
    the norm's variance from χ².
    """
    rng = np.random.default_rng(inputs.seed)
    own, norm = len(pairs.covariance), inputs.norm
    theta = np.empty((inputs.draws, len(V)))
    theta[:, :own] = rng.multivariate_normal(
        np.nan_to_num(pairs.means.ravel()), np.nan_to_num(pairs.covariance), inputs.draws, method="eigh"
    )
    theta[:, own] = norm.mean + norm.std_error * rng.standard_normal(inputs.draws)
    size = math.inf if norm.n is None else norm.n - 1
    chi = rng.chisquare(size, inputs.draws) / size if math.isfinite(size) else np.ones(inputs.draws)
    theta[:, own + 1] = norm.sd * np.sqrt(chi)
    for at, stability in enumerate(stabilities, start=own + 2):
        theta[:, at] = _stabilities(stability, rng.standard_normal(inputs.draws))
    theta[:, -2] = inputs.reliability + inputs.reliability_se * rng.standard_normal(inputs.draws)
    theta[:, -1] = 0.0
    if inputs.between is not None:
        theta[:, -1] = _stabilities(inputs.between, rng.standard_normal(inputs.draws))
    return theta


def _stabilities(stability: Stability, z: Array) -> Array:
    if stability.kind == "correlation" and stability.n is not None:
        return np.asarray(np.tanh(np.arctanh(stability.value) + z / math.sqrt(stability.n - 3)))
    return np.asarray(stability.value + _error(stability) * z)


def _drawn(pairs: BeforeAfter, inputs: Inputs, question: Question, theta: Array) -> dict[str, Row]:
    """Percentile intervals of all numbers of a question."""
    before, after, mean, sd, beta, other = theta.T
    drifted, shift, gap = _shift(pairs, inputs, question.pair)
    mu = mean + drifted
    stability = question.stability
    if stability is None:
        beta = np.zeros(len(theta))
    elif inputs.carry and stability.lag is not None:
        beta = carried(np.maximum(beta, 0.0), stability.lag, gap, other)
    known = _known(inputs) | {"reliability": other}
    if question.selection in REPEATED and inputs.between is not None:
        known |= {"between": other}
    kappa = share_kept(beta, selection=question.selection, **known)
    distance = before - mu
    if inputs.cutoff is not None:
        above = bool(pairs.means[question.pair, 0] >= inputs.norm.mean + drifted)
        distance = cutoff_distance(inputs.cutoff, mu, sd, above=above)[0]
    change = after - before
    expected = expected_change(distance, kappa, shift)
    found = {
        "baseline less norm": before - mu,
        "distance by the cut-off": distance,
        "observed change": change,
        "share kept": kappa,
        "expected change": expected,
        "observed minus expected": change - expected,
    }
    tails = [(1 - inputs.conf_level) / 2, (1 + inputs.conf_level) / 2]
    limits = {name: np.quantile(values, tails) for name, values in found.items()}
    return {
        name: {"conf_low": float(low), "conf_high": float(high), "method": "simulation"}
        for name, (low, high) in limits.items()
    }
