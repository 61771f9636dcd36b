"""The shapes of growth as structural models, with values to begin with (equations in `_growth`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..engine.structural import Template
from ._fitting import Wide
from ._specification import specified

__all__ = ["SHAPES", "Curve", "curve_of"]

SHAPES: Mapping[str, str] = {
    "linear": "the same change every year",
    "step": "a change between the first visit and the second, none after",
    "latent_basis": "the data choose what share of the whole change is reached at each visit",
    "piecewise": "one change per year up to a visit, another after it",
}
"""The shapes of growth."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """One shape: its template and starting values, the names of its changes by factor, and the free shares."""

    template: Template
    start: Mapping[str, float]
    factors: Mapping[str, str]
    basis: Mapping[str, tuple[float | str, ...]]
    varying: tuple[str, ...]


def curve_of(wide: Wide, shape: str, knot: int, errors: str, known: tuple[float, str] | None) -> Curve:
    """A shape at these visits, with the knot at that visit; `errors` "equal" or "free", or a known variance of the
    error.
    """
    t = wide.years - wide.years[0]
    K, first, last = len(t), wide.visits[0], wide.visits[-1]
    ones = (1.0,) * K
    basis: dict[str, tuple[float | str, ...]] = {"level": ones}
    factors = {"level": first}
    if shape == "linear":
        basis["change"], factors["change"] = tuple(t.tolist()), "per year"
    elif shape == "step":
        basis["change"], factors["change"] = (0.0, *ones[1:]), f"{first} to any later visit"
    elif shape == "latent_basis":
        basis["change"] = (0.0, *(f"share {visit}" for visit in wide.visits[1:-1]), 1.0)
        factors["change"] = f"{first} to {last}"
    else:
        early = np.minimum(t, t[knot])
        basis["change"], basis["second"] = tuple(early.tolist()), tuple((t - early).tolist())
        factors["change"] = f"per year, {first} to {wide.visits[knot]}"
        factors["second"] = f"per year, {wide.visits[knot]} to {last}"
    varying = tuple(name for name in basis if name != "second" or known is not None or K > 3)
    columns = wide.columns
    paths = {(columns[k], name): own[k] for name, own in basis.items() for k in range(K) if own[k] != 0.0}
    covariances: dict[tuple[str, str], float | str] = {
        (a, b): f"cov {a} {b}" for i, a in enumerate(varying) for b in varying[i:]
    }
    for k, column in enumerate(columns):
        equal = "error" if errors == "equal" else f"error {wide.visits[k]}"
        covariances[column, column] = equal if known is None else known[0]
    model = specified(
        columns, list(basis), paths=paths, covariances=covariances, means={name: f"mean {name}" for name in basis}
    )
    return Curve(template=model, start=_start(wide, basis, model), factors=factors, basis=basis, varying=varying)


def _start(wide: Wide, basis: Mapping[str, tuple[float | str, ...]], model: Template) -> dict[str, float]:
    mean, variance = np.nanmean(wide.Y[:, 0], axis=0), float(np.nanvar(wide.Y[:, 0]))
    whole = mean[-1] - mean[0]
    shares = (mean - mean[0]) / whole if abs(whole) > 1e-6 else np.linspace(0, 1, len(mean))
    numbers = {
        name: np.array([shares[k] if isinstance(value, str) else value for k, value in enumerate(own)])
        for name, own in basis.items()
    }
    X = np.column_stack(list(numbers.values()))
    beta = dict(zip(basis, np.linalg.lstsq(X, mean, rcond=None)[0], strict=True))
    start = dict.fromkeys(model.labels, 0.0)
    for name in basis:
        start[f"mean {name}"] = float(beta[name])
        start[f"cov {name} {name}"] = variance * (0.5 if name == "level" else 0.2 / float(np.max(numbers[name]) ** 2))
    start |= {f"share {visit}": float(shares[k]) for k, visit in enumerate(wide.visits)}
    start |= {label: variance / 3 for label in model.labels if label.startswith("error")}
    return start
