"""Improvement of each person in standard deviations at baseline: its mean, and how many improved by so much."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ..cohort import Cohort
from ..engine.proportions import wilson
from ..errors import StudyError
from ..estimates import About, Estimates
from ._groups import groups_of
from ._pairs import by_subject, checked_level, estimates_of, listed, pair_label, pairs_of_visits

__all__ = ["person_effect_sizes"]

Array = NDArray[np.float64]
TOGETHER = "all_measures"
NOTES = (
    (
        "A person's effect size: improvement over the SD at baseline of those seen at both visits. The limits of its "
        "mean take that SD as known; those of a share are Wilson's."
    ),
    (
        "Improved: an effect size of {least:g} or more. The line is drawn in SDs of these persons: the more alike they "
        "were at baseline, the smaller the change that crosses it. Whether a change is more than the error of "
        "measurement is asked by describe.reliable_change."
    ),
    "Those who score worst at baseline cross the line by regression to the mean alone more often than others do.",
)


def person_effect_sizes(
    cohort: Cohort,
    outcomes: str | Sequence[str] | None = None,
    *,
    least: float = 0.8,
    visits: str = "vs_baseline",
    by: str | None = None,
    conf_level: float = 0.95,
) -> Estimates:
    """The mean of the persons' standardized improvements, the share who improved by so much, and on no outcome.

    Parameters
    ----------
    cohort : Cohort
    outcomes : name or names, optional
        All outcomes where left out; each must say which end is better.
    least : float
        From how many SDs at baseline on a person counts as improved.
    visits : "vs_baseline", "consecutive" or "all_pairs"
    by : str, optional
        A categorical covariate; each of its levels has its own SD at baseline.
    conf_level : float

    Returns
    -------
    Estimates
        Kind "person_effect_sizes", by `quantity`: "mean", "improved" (a proportion); with several outcomes, rows of
        `all_measures` with "improved on none" of them, among those seen at both visits on all.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for an outcome whose better end nobody said, `E-STUDY-COLUMN`, `E-STUDY-VISITS`.

    **Source**: Simpson et al. 2021, BJPsych Open (the rule of 0.80); Wilson 1927, JASA 22:209 (limits of shares).

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> found = person_effect_sizes(example("villa_sana"), "exhaustion").frame
    >>> found["quantity"].tolist()
    ['mean', 'improved', 'mean', 'improved']
    """
    checked_level(conf_level)
    names, groups = listed(cohort, outcomes), groups_of(cohort, by)
    roles = {name: cohort.outcome(name) for name in names}
    for name, role in roles.items():
        if not role.better:
            raise StudyError(
                "E-STUDY-VALUE",
                f"Nobody said which end of `{name}` is better.",
                "An improvement goes to the better end of the scale.",
                'Declare better = "lower" or better = "higher" under its [outcomes].',
            )
    rows: list[dict[str, object]] = []
    counts: list[NDArray[np.bool_]] = []
    cells: list[tuple[float, float]] = []
    for pair in pairs_of_visits(cohort, visits):
        for at, level in enumerate(groups.levels):
            member = groups.codes == at
            naming = {"contrast": pair_label(cohort, pair), **groups.naming(level)}
            sizes = [_sizes(by_subject(cohort, name)[:, pair], member, roles[name].better) for name in names]
            for name, es in zip(names, sizes, strict=True):
                known = ~np.isnan(es)
                rows += [{"outcome": name, **naming} | row for row in _rows(es[known], least, conf_level)]
                counts += [known, known]
                improved = float((es[known] >= least).sum())
                cells += [(float(known.sum()),) * 2, (improved, known.sum() - improved)]
            if len(names) > 1:
                known = np.asarray(~np.isnan(np.stack(sizes)).any(axis=0), dtype=bool)
                none = np.asarray((np.stack(sizes)[:, known] < least).all(axis=0), dtype=bool)
                rows.append({"outcome": TOGETHER, **naming} | _share("improved on none", none, conf_level))
                counts.append(known)
                cells.append((float(none.sum()), float((~none).sum())))
    labels = {name: role.label for name, role in roles.items()}
    about = About(
        kind="person_effect_sizes",
        outcomes=labels | ({TOGETHER: "All of these"} if len(names) > 1 else {}),
        visit_years=cohort.visits.by_label(),
        factors=("contrast", "quantity"),
        by=groups.by,
        conf_level=conf_level,
        notes=tuple(note.format(least=least) for note in NOTES),
        policy=cohort.policy,
    )
    return estimates_of(rows, about, counts=counts, cells=cells)


def _sizes(scores: Array, member: NDArray[np.bool_], better: str) -> Array:
    """Improvement over the SD at baseline, NaN for those not seen at both visits."""
    both = member & ~np.isnan(scores).any(axis=1)
    sizes = np.full(len(scores), np.nan)
    sd = float(scores[both, 0].std(ddof=1)) if both.sum() > 1 else 0.0
    if sd > 0:
        moved = (scores[both, 1] - scores[both, 0]) / sd
        sizes[both] = moved if better == "higher" else -moved
    return sizes


def _rows(es: Array, least: float, conf_level: float) -> list[dict[str, object]]:
    n = len(es)
    mean = float(es.mean()) if n else np.nan
    error = float(es.std(ddof=1)) / np.sqrt(n) if n > 1 else np.nan
    half = float(ndtri((1 + conf_level) / 2)) * error
    first: dict[str, object] = {
        "quantity": "mean",
        "estimate": mean,
        "std_error": error,
        "df": np.inf,
        "conf_low": mean - half,
        "conf_high": mean + half,
        "n": float(n),
        "method": "normal",
    }
    return [first, _share("improved", es >= least, conf_level)]


def _share(quantity: str, those: NDArray[np.bool_], conf_level: float) -> dict[str, object]:
    n, count = len(those), float(those.sum())
    share = count / n if n else np.nan
    low, high = wilson(count, n, conf_level=conf_level) if n else (np.nan, np.nan)
    return {
        "quantity": quantity,
        "estimate": share,
        "std_error": float(np.sqrt(share * (1 - share) / n)) if n else np.nan,
        "df": np.inf,
        "conf_low": float(low),
        "conf_high": float(high),
        "n": float(n),
        "method": "wilson",
    }
