"""What goes with the fall of a score: the regression that papers report, beside the one adjusted for baseline, and a
finding in one group beside its interaction.

Change score: y₀ − y₁ = α + β x + γ'z + ε. Adjusted for baseline: y₀ − y₁ = α + β x + δ y₀ + γ'z + ε, whose β is that of
the analysis of covariance of y₁ with its sign turned. The standardized coefficient is β SD(x)/SD(y₀ − y₁).

**Source** Lord 1967, Psychol Bull 68:304; van Breukelen 2006, J Clin Epidemiol 59:920; Gelman & Stern 2006, Am Stat
60:328 (significant here and not there is no difference between here and there).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from ..cohort import Cohort
from ..errors import ModelError, StudyError
from ..estimates import About, Estimates
from ._stack import Stack, among, of_cohort
from ._statistics import design_rows, least_squares

__all__ = ["change_regression"]

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

LORD = (
    "Change score and adjusted for baseline ask different things and may disagree where the term goes with the "
    "baseline score (Lord's paradox, 1967): whether those with more of it fell more, or whether they fell more than "
    "others who started alike. Neither is a causal statement by itself."
)
FALL = "The response is the fall, baseline less {visit}: a positive coefficient goes with a larger fall."
BETA = "beta: the coefficient in SDs of the fall per SD of the term; its interval takes both SDs as known."
CONCURRENT = "{term} was measured after baseline: it is concurrent with the change and associated with it, no more."
IN_ONE = (
    "A finding within one level of {by} is read with its interaction: that one coefficient differs from 0 and another "
    "does not is no evidence that they differ (Gelman & Stern 2006)."
)
MODELS = ("change score", "adjusted for baseline")
EVERYONE = "everyone"


def change_regression(
    cohort: Cohort,
    outcome: str,
    term: str,
    *,
    visit: str,
    given: Sequence[str] = (),
    by: str | None = None,
    where: Mapping[str, str] | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """Regression of the fall of an outcome on a term, as change score and adjusted for baseline.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
    term : str
        `name` (at the first visit), `name[visit]`, `fall(name)` (its own fall to `visit`), or `factor=level`.
    visit : str
        The later visit.
    given : terms, in the same form
        What the regression is adjusted for.
    by : str, optional
        A factor: the coefficient within each of its levels, and the interaction (second level less first).
    where : mapping of factor to level, optional
        Whom to look at.
    conf_level : float

    Returns
    -------
    Estimates
        Kind "change_regression": rows by `among`, `model` ("change score", "adjusted for baseline") and `measure`
        ("B", "beta"; for interactions "B" only).

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN`, `E-STUDY-VISITS`; `E-STUDY-VALUE` for a factor `by` without two levels.
    ModelError
        `E-MODEL-SATURATED` where too few have all values.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> found = change_regression(example("villa_sana"), "exhaustion", "fall(work_hours)", visit="1 year")
    >>> found.frame[["model", "measure"]].to_numpy().tolist()[:2]
    [['change score', 'B'], ['change score', 'beta']]
    """
    stack = of_cohort(cohort)
    first = cohort.visits.labels[0]
    of = {"visits": [first, visit], "where": dict(where or {})}
    y = stack.at(outcome, first) - stack.at(outcome, visit)
    mask = among(stack, of)
    levels = _levels(cohort, by)
    rows: list[dict[str, Any]] = []
    for who, kept, own in _groups(stack, by, levels, mask, given):
        for model in MODELS:
            more = [outcome] if model == MODELS[1] else []
            X = design_rows(stack, [term, *more, *own], of)
            name = {"outcome": outcome, "term": term, "among": who, "model": model}
            rows += _rows(name, y, X, kept, conf_level)
    if by is not None:
        for model in MODELS:
            more = [outcome] if model == MODELS[1] else []
            member = f"{by}={levels[1]}"
            rest = [member, *more, *(g for g in given if not g.startswith(f"{by}="))]
            X = design_rows(stack, [term, *rest], of)
            product = X[..., 0] * X[..., 1]
            X = np.concatenate([product[..., None], X], axis=-1)
            name = {"outcome": outcome, "term": term, "among": f"{levels[1]} less {levels[0]}", "model": model}
            rows += _rows(name, y, X, mask, conf_level)[:1]
    frame = pd.DataFrame(rows)
    about = About(
        kind="change_regression",
        outcomes={outcome: cohort.outcome(outcome).label},
        factors=("term", "among", "model", "measure"),
        conf_level=conf_level,
        df_method="residual",
        notes=_notes(term, visit, given, by, first),
        policy=cohort.policy,
    )
    error = frame["std_error"].to_numpy(dtype=float)
    return Estimates(frame=frame, vcov=np.diag(error**2), about=about)


def _levels(cohort: Cohort, by: str | None) -> tuple[str, ...]:
    if by is None:
        return ()
    role = cohort.covariate_roles.get(by)
    levels = tuple(role.levels or ()) if role is not None else ()
    if len(levels) != 2:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`{by}` has {len(levels)} levels.",
            "A finding in one group is told with its interaction, for a factor of two levels.",
            "Name a categorical covariate of the cohort with two levels, such as sex.",
        )
    return levels


def _groups(
    stack: Stack, by: str | None, levels: Sequence[str], mask: Bools, given: Sequence[str]
) -> list[tuple[str, Bools, list[str]]]:
    groups = [(EVERYONE, mask, list(given))]
    if by is not None:
        own = [g for g in given if not g.startswith(f"{by}=")]
        groups += [(f"{by}: {level}", mask & stack.level(by, level), own) for level in levels]
    return groups


def _rows(name: dict[str, Any], y: Array, X: Array, mask: Bools, conf_level: float) -> list[dict[str, Any]]:
    kept = mask & ~np.isnan(y) & ~np.isnan(X).any(axis=-1)
    n, p = int(kept.sum()), X.shape[-1]
    columns = X[kept]
    rank = np.linalg.matrix_rank(columns - columns.mean(axis=0)) if n else 0
    if n < p + 3 or rank < p:
        raise ModelError(
            "E-MODEL-SATURATED",
            f"{n} subjects have all values among {name['among']}, for {p} terms of rank {rank}.",
            "A regression needs more subjects than terms, and terms that vary and do not repeat each other.",
            "Adjust for fewer terms, or look at everyone.",
        )
    b, error, sds, _ = least_squares(y, X, mask)
    df = float(n - p - 1)
    B, se, ratio = float(b[0, 0]), float(error[0, 0]), float(sds[0, 1] / sds[0, 0])
    t = B / se
    shared = {"df": df, "statistic": t, "p_value": float(2 * special.stdtr(df, -abs(t)))}
    margin = float(special.stdtrit(df, (1 + conf_level) / 2))
    return [
        name
        | {"measure": measure, "estimate": scale * B, "std_error": scale * se}
        | shared
        | {"conf_low": scale * (B - margin * se), "conf_high": scale * (B + margin * se), "n": float(n)}
        | {"method": "least squares"}
        for measure, scale in (("B", 1.0), ("beta", ratio))
    ]


def _notes(term: str, visit: str, given: Sequence[str], by: str | None, first: str) -> tuple[str, ...]:
    adjusted = f"Adjusted for {', '.join(given)}." if given else "Adjusted for nothing else."
    later = term.startswith("fall(") or ("[" in term and not term.endswith(f"[{first}]"))
    return (
        FALL.format(visit=visit),
        adjusted,
        LORD,
        BETA,
        *((CONCURRENT.format(term=term),) if later else ()),
        *((IN_ONE.format(by=by),) if by is not None else ()),
    )
