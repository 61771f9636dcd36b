"""A structural model written down by names: which arrows, variances and means are fixed, and which are parameters.

A number fixes an element; a label makes it a parameter, and the same label twice makes two elements equal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..engine.structural import Template

__all__ = ["Elements", "specified"]

Elements = Mapping[tuple[str, str], float | str]
"""(to, from) of an arrow, or both ends of a covariance (a variance where they are one), with its number or label."""


def specified(
    observed: Sequence[str],
    latent: Sequence[str],
    *,
    paths: Elements,
    covariances: Elements,
    means: Mapping[str, float | str],
) -> Template:
    """The template of a model; whatever is not named is 0. Parameters are numbered as means, paths, then covariances,
    in the order of naming.

    Examples
    --------
    >>> one = specified(["y"], ["f"], paths={("y", "f"): 1.0}, covariances={("f", "f"): "v"}, means={"f": "m"})
    >>> one.labels, one.A.tolist(), one.S_free.tolist()
    (('m', 'v'), [[0.0, 1.0], [0.0, 0.0]], [[-1, -1], [-1, 1]])
    """
    names = (*observed, *latent)
    at = {name: place for place, name in enumerate(names)}
    p = len(names)
    A, S, m = np.zeros((p, p)), np.zeros((p, p)), np.zeros(p)
    A_free, S_free, m_free = (np.full(shape, -1) for shape in ((p, p), (p, p), (p,)))
    number: dict[str, int] = {}

    def put(fixed: np.ndarray, free: np.ndarray, place: tuple[int, ...], given: float | str) -> None:
        if isinstance(given, str):
            free[place] = number.setdefault(given, len(number))
        else:
            fixed[place] = given

    for name, given in means.items():
        put(m, m_free, (at[name],), given)
    for (to, source), given in paths.items():
        put(A, A_free, (at[to], at[source]), given)
    for (a, b), given in covariances.items():
        put(S, S_free, (at[a], at[b]), given)
        put(S, S_free, (at[b], at[a]), given)
    return Template(
        names=names,
        n_observed=len(observed),
        A=A,
        S=S,
        m=m,
        A_free=A_free,
        S_free=S_free,
        m_free=m_free,
        labels=tuple(number),
    )
