"""The solved numbers of a study as a TOML file in which every number tells its target."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ._calibrate import Solution
from ._design import Design

__all__ = ["solved_text"]


def solved_text(design: Design, solution: Solution, seed: int) -> str:
    """The text of `<name>.solved.toml`."""
    return "\n".join(_lines(design, solution, seed)) + "\n"


def _lines(design: Design, solution: Solution, seed: int) -> Iterator[str]:
    yield f"# Solved from {design.name}.toml; not to be edited, but made again by"
    yield f"# python -m burnout_stats.studies calibrate {design.name.replace('_', '-')}"
    yield "#"
    yield "# A margin belongs to everyone, seen or not. Its remark tells what the reported scores of those seen are to"
    yield "# have, with the mark and the source of that target."
    yield ""
    yield "[example]"
    yield f"seed = {seed} # the first whose cohort of {design.n} shows every pattern of visits as often as counted"
    yield ""
    yield "[margins]"
    for name, table in design.variables.items():
        yield f"{name} = ["
        for column, margin, row in zip(design.columns(name), solution.margins[name], table["moments"], strict=True):
            numbers = f"mean = {margin.mean:.6f}"
            numbers += f", sd = {margin.sd:.6f}" if margin.sd else ""
            numbers += f", zero = {margin.zero:g}" if margin.zero else ""
            wanted = f"change {row['change']:g}" if "change" in row else f"mean {row['mean']:g}"
            wanted += f" (SD {row['sd']:g})" if "sd" in row else ""
            where = column.partition("@")[2] or "constant"
            source = f", {design.source(row['source'])}" if row["source"] else ""
            yield f"    {{ {numbers} }}, # {where}: {wanted} among {row['among']}; {row['mark']}{source}"
        yield "]"
    yield ""
    yield "[dropout] # log-odds of the patterns after the first; slopes by visit missed, in the order of the terms"
    terms = [f"{t.variable} {t.level}" if t.level else f"({t.variable} - {t.center:g})^{t.power}" for t in design.terms]
    yield f"terms = {_strings(terms)}"
    yield f"intercepts = {_numbers(solution.intercepts)}"
    for label in design.visits.labels[1:]:
        yield f'slopes."{label}" = {_numbers(solution.slopes[label])}'
    yield ""
    yield "[latent] # the lower triangle of the correlation matrix of the latent normals"
    yield f"names = {_strings(design.latent())}"
    yield "correlation = ["
    for i, row in enumerate(solution.correlation):
        yield f"    {_numbers(row[: i + 1])},"
    yield "]"


def _numbers(values: np.ndarray) -> str:
    return "[" + ", ".join(f"{float(value) + 0.0:.6f}" for value in values) + "]"


def _strings(values: list[str]) -> str:
    return "[" + ", ".join(f'"{value}"' for value in values) + "]"
