"""A plan as the section `[power]` of a study file."""

from __future__ import annotations

import json

import numpy as np

from ._design import CohortDesign

__all__ = ["block"]


def block(
    design: CohortDesign,
    *,
    power: float | None = None,
    half_width: float | None = None,
    assurance: float | None = None,
) -> str:
    """The design as the section `[power]` of a study file; the goal is written beside the n that it led to.

    Examples
    --------
    >>> from burnout_stats.power import CohortDesign, block
    >>> told = block(
    ...     CohortDesign((3.0, 2.7), sd=0.9, correlation=0.5, visits={"before": 0, "after": 1}, n=97), power=0.9
    ... )
    >>> told.splitlines()[:4]
    ['[power]', 'outcome = "score"', 'n = 97', 'power = 0.9']
    """
    goal = {"power": power, "half_width": half_width, "assurance": assurance}
    plain: dict[str, object] = {"outcome": design.outcome, "n": design.n}
    plain |= {name: value for name, value in goal.items() if value is not None}
    names = ("null", "alternative", "conf_level", "covariance", "df", "baseline", "unit", "better")
    plain |= {name: getattr(design, name) for name in names}
    plain |= {"contrasts": list(design.contrasts), "sd": [float(value) for value in design.sds]}
    plain |= {"correlation": np.asarray(design.correlation).tolist()}
    lines = ["[power]", *(f"{name} = {_toml(value)}" for name, value in plain.items())]
    lines += ["", "[power.means]"]
    lines += [
        f"{_toml(arm)} = {_toml([float(mean) for mean in row])}"
        for arm, row in zip(design.arms, design.mu, strict=True)
    ]
    keys = ["".join(str(int(s)) for s in row) for row in design.seen]
    for arm, shares in zip(design.arms, design.probabilities, strict=True):
        lines += ["", f"[power.patterns.{_toml(arm)}]"]
        lines += [f"{_toml(key)} = {_toml(float(share))}" for key, share in zip(keys, shares, strict=True) if share > 0]
    if len(design.arms) > 1:
        lines += ["", "[power.allocation]"]
        lines += [f"{_toml(arm)} = {_toml(float(share))}" for arm, share in design.allocation.items()]
    if design.sources:
        lines += ["", "[power.sources]", *(f"{_toml(name)} = {_toml(said)}" for name, said in design.sources.items())]
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    """A text, number or list as TOML writes it: as JSON does."""
    return json.dumps(value, ensure_ascii=False)
