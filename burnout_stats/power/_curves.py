"""How power and precision of a design move with the number of persons, or with the difference that is assumed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ..estimates import Estimates
from ._answer import answer, refused, row
from ._design import CohortDesign
from ._mmrm import assumptions, method_of, named, planned, pointers

__all__ = ["curve"]


def curve(design: CohortDesign, *, n: Sequence[int] | None = None, difference: ArrayLike | None = None) -> Estimates:
    """Power and expected half-width of each planned contrast over numbers of persons, over differences, or over both.

    Parameters
    ----------
    design : CohortDesign
    n : whole numbers of persons enrolled, optional
        The design's own where left out.
    difference : numbers, optional
        What the contrast is assumed to be, in place of what the design's means say.

    Returns
    -------
    Estimates
        Kind "power_curve": a row for each contrast, `difference`, n and `measure` ("power"; "half-width", which does
        not depend on the difference and stands once for each n).

    Examples
    --------
    >>> from burnout_stats.power import CohortDesign, curve
    >>> design = CohortDesign((3.0, 2.8, 2.75), sd=0.9, correlation=0.5)
    >>> found = curve(design, n=(50, 100)).frame
    >>> found[found["measure"].eq("power")]["estimate"].round(3).tolist()
    [0.486, 0.785]
    """
    sizes = np.atleast_1d(np.array([design.n] if n is None else list(n)))
    if n is None and difference is None:
        raise refused(
            "A curve was asked for at one number of persons and one difference.",
            "It runs over numbers of persons, over differences, or over both.",
            "Give n=range(50, 400, 10), or difference=(-0.1, -0.2, -0.3).",
        )
    if not np.issubdtype(sizes.dtype, np.integer) or sizes.min() < 1:
        raise refused("Not all n are whole numbers above 0.", "n counts persons.", "Give n=range(50, 400, 10).")
    plan = planned(design, sizes)
    grid = None if difference is None else np.atleast_1d(np.asarray(difference, dtype=float))
    deltas = plan.difference[None] if grid is None else np.repeat(grid[:, None], len(plan.difference), axis=1)
    powers = np.stack([plan.power(delta) for delta in deltas])
    widths, method = plan.half_width(), method_of(design)
    rows = []
    for k, contrast in enumerate(design.contrasts):
        for g, delta in enumerate(deltas[:, k]):
            name = {
                "outcome": design.outcome,
                "contrast": named(design, contrast),
                "difference": float(delta),
            }
            rows += [
                row(name, "power", powers[g, b, k], df=plan.df[b, k], n=size, method=method)
                for b, size in enumerate(sizes)
            ]
            if not g:
                rows += [
                    row(name, "half-width", widths[b, k], df=plan.df[b, k], n=size, method=method)
                    for b, size in enumerate(sizes)
                ]
    return answer(
        "power_curve",
        rows,
        notes=(*assumptions(design), *pointers(design)),
        conf_level=design.conf_level,
        units={design.outcome: design.unit} if design.unit else {},
        better={design.outcome: design.better} if design.better else {},
        visit_years=dict(design.visits),
        df_method=design.df,
    )
