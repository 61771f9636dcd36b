"""Latent change scores: means, variances and correlations of changes, of one variable or several, with all who were
seen.

For a variable with scores y₀, y₁, ... at its visits, T the matrix that takes levels to the baseline and the changes,

    y_k = η_k + e_k,   (η₀, Δ₁, Δ₂, ...)' = T η,   Var Tη = T (Σ − D) T',   D = diag Var e

All means and covariances of the latent scores are free, so the model is the saturated one in other words and has 0 df.
With one indicator at each visit Σ says nothing about D. The observed changes take D = 0; the latent ones take D from a
reliability, D = (1 − ρ) Var y₀ at every visit, or from items, y_jk = κ_j + λ_j η_k + u_jk, where D is estimated.

**Source**: McArdle 2009, Annu Rev Psychol 60:577 (latent change scores); McArdle & Nesselroade 1994, in Cohen & Reese,
Life-Span Developmental Psychology: Methodological Contributions; Bereiter 1963, in Harris, Problems in Measuring Change
(errors that scores and their changes share).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..cohort import Cohort
from ..describe._pairs import checked_level
from ..engine.structural import Template
from ..errors import StudyError, one_of
from ..estimates import About, Estimates
from ..notices import Notice, announce
from ._asymptotic import Part, Quantity, estimates_of_quantities, labelled
from ._change_rows import Asked, between, covariance_label, levels, means, within
from ._fitting import LIKELIHOOD, Wide, both, chosen, covariance_of, fit_sentence, fitted, trouble
from ._specification import specified

__all__ = ["change_model", "change_scores", "known_error"]

Array = NDArray[np.float64]
CHANGES: Mapping[str, str] = {
    "consecutive": "from each visit to the next",
    "vs_baseline": "from the first visit to each later one",
}
SHARED = (
    "Observed changes contain the errors of the scores they are made of: that of the baseline stands in the change "
    "with a minus sign, so the change goes down with the baseline score by arithmetic alone; two changes from one "
    "baseline share its error with the same sign, two successive changes share that of the visit between them with "
    "opposite signs. Errors weaken the correlation of the changes of two variables."
)
ONE_INDICATOR = (
    "With one score at each visit all means, variances and correlations of the observed scores and changes are "
    "identified, and the means of the latent changes, which are the same. How much of a variance is error is not: that "
    "takes a reliability from elsewhere, or several indicators."
)
KNOWN = (
    "Latent: the variance of the error of {label} is taken as {value:.3g} at every visit ({source}), without error of "
    "its own, and errors as unrelated to each other and to everything else."
)
MEASURED = (
    "Latent, from {items}: one factor behind the items at every visit, with the same loadings and intercepts at all "
    "visits and residuals of an item that may go together over visits; in units of the first item ({first}). See "
    "invariance() for whether that holds."
)
READ = "A correlation of changes says that they go together, not that one follows from the other."


def change_scores(
    cohort: Cohort,
    variables: str | Iterable[str],
    *,
    visits: Sequence[str] | None = None,
    changes: str = "consecutive",
    reliability: float | Mapping[str, float] | None = None,
    error_variance: float | Mapping[str, float] | None = None,
    items: Mapping[str, Sequence[str]] | None = None,
    vcov: str = "model",
    conf_level: float = 0.95,
) -> Estimates:
    """Means, variances and correlations of changes, observed and, where that is identified, latent.

    Parameters
    ----------
    cohort : Cohort
    variables : str or names
        Outcomes or numeric covariates; with several, the correlations between them too.
    visits : names, optional
        Which visits, two or more; all where left out.
    changes : "consecutive" or "vs_baseline"
        From each visit to the next, or from the first to each later one.
    reliability, error_variance : float or mapping by variable, optional
        One of them, from outside the cohort: the reliability of a score among such persons at baseline, or the variance
        of its error. The error variance is held for all visits and taken as known.
    items : mapping of variable to names of columns, optional
        Three or more items behind each variable (two, where there are two variables or more): the latent changes are
        then those of a factor behind them.
    vcov : "model" or "robust"
        Standard errors from the observed information, or Huber-White.
    conf_level : float

    Returns
    -------
    Estimates
        Kind "latent_changes", named by `term` and `scores` ("observed" or "latent"). Missing scores are taken to be
        missing at random given all scores in the model, and normal.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN`, `E-STUDY-VISITS`, `E-STUDY-OPTION`, `E-STUDY-VALUE`.
    ModelError
        `E-MODEL-NO-SPREAD`, `E-MODEL-NOT-IDENTIFIED`.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> found = change_scores(
    ...     example("villa_sana"), ["exhaustion", "job_stress"], visits=["baseline", "1 year"], reliability=0.85
    ... )
    >>> found.frame.loc[found.frame["term"].str.startswith("correlation of the changes"), "scores"].tolist()
    ['observed', 'latent']
    """
    names = (variables,) if isinstance(variables, str) else tuple(variables)
    level = checked_level(conf_level)
    one_of("changes", changes, CHANGES)
    if not names:
        raise StudyError(
            "E-STUDY-VALUE",
            "No variable is named.",
            "A change is the change of something.",
            f"The outcomes are: {', '.join(cohort.outcomes)}.",
        )
    if sum(given is not None for given in (reliability, error_variance, items)) > 1:
        raise StudyError(
            "E-STUDY-VALUE",
            "More than one source of the error is given.",
            "It comes from a reliability, from an error variance, or from items.",
            "Give one of them.",
        )
    wide = chosen(cohort, names, visits)
    model, start = change_model(wide, changes)
    fit = fitted(wide.flat, model, start, what="the change scores")
    V, said = covariance_of(fit, vcov)
    theta = labelled(fit.theta, fit.labels)
    observed = Asked(wide=wide, changes=changes, theta=theta, scores="observed")
    quantities = [*means(observed), *within(observed), *between(observed)]
    notes = [SHARED, ONE_INDICATOR]
    notices: tuple[Notice, ...] = trouble(fit, "the observed change scores")
    parts = []
    variance = {name: float(theta[covariance_label(name, 0, name, 0)].value) for name in names}
    errors = known_error(wide, variance, reliability, error_variance)
    if errors:
        latent = replace(observed, scores="latent", errors={name: error for name, (error, _) in errors.items()})
        rows = [*within(latent), *between(latent)]
        notices += _too_much_error(rows)
        quantities += rows
        notes += [
            KNOWN.format(label=wide.labels[names.index(name)], value=value, source=source)
            for name, (value, source) in errors.items()
        ]
    parts.append(Part(quantities=quantities, vcov=V, seen=wide.seen))
    notes.append(fit_sentence(fit))
    if items is not None:
        measured, more, told = _measured(cohort, wide, items, changes, vcov)
        parts.append(measured)
        notes += more
        notices += told
    outcomes = dict(zip(names, wide.labels, strict=True))
    outcomes |= {f"{a}, {b}": both(outcomes[a], outcomes[b]) for a, b in combinations(names, 2)}
    about = About(
        kind="latent_changes",
        outcomes=outcomes,
        visit_years=dict(zip(wide.visits, wide.years.tolist(), strict=True)),
        factors=("term", "scores"),
        conf_level=level,
        df_method="asymptotic",
        vcov=vcov,
        notes=(
            LIKELIHOOD.format(said=said),
            *notes,
            READ,
            "Intervals and tests of correlations by Fisher's z.",
        ),
        policy=cohort.policy,
    )
    announce(notices)
    return estimates_of_quantities(parts, about, notices=notices)


def _too_much_error(rows: Sequence[Quantity]) -> tuple[Notice, ...]:
    """That a known error leaves less than nothing of a variance, where it does."""
    below = [f"{row.names['term']} ({row.outcome})" for row in rows if row.is_variance and row.jet.value <= 0]
    if not below:
        return ()
    return (
        Notice(
            "N-MODEL-NEGATIVE-VARIANCE",
            f"The error that was given leaves no variance of the latent scores: {'; '.join(below)}.",
            "Check the reliability; correlations that need the variance are not given.",
        ),
    )


def change_model(
    wide: Wide, changes: str, items: Mapping[str, Sequence[str]] | None = None
) -> tuple[Template, dict[str, float]]:
    """The model of baseline and changes, with values to begin with; `wide` holds the variables, or with `items` the
    items of all of them in their order.
    """
    K = len(wide.visits)
    L = levels(K, changes)
    names = list(items) if items is not None else list(wide.names)
    latent = [f"{name}:{k}" for name in names for k in range(K)]
    means: dict[str, float | str] = {each: f"mean {each}" for each in latent}
    paths: dict[tuple[str, str], float | str] = {}
    covariances: dict[tuple[str, str], float | str] = {
        (a, b): f"cov {a} {b}" for i, a in enumerate(latent) for b in latent[i:]
    }
    start = {f"cov {a} {b}": 0.0 for a, b in covariances}
    into = {
        name: [f"{name}@{visit}" if items is None else f"{name}={visit}" for visit in wide.visits] for name in names
    }
    for name in names:
        for t in range(K):
            paths |= {(into[name][t], f"{name}:{k}"): float(L[t, k]) for k in range(K) if L[t, k]}
    own = dict(zip(wide.names, range(len(wide.names)), strict=True))
    for name in names:
        first = wide.Y[:, own[name if items is None else items[name][0]]]
        spread = np.nanvar(first)
        start |= {f"mean {name}:{k}": float(v) for k, v in enumerate(np.linalg.solve(L, np.nanmean(first, axis=0)))}
        start |= {covariance_label(name, k, name, k): float(spread) * (1.0 if items is None else 0.5) for k in range(K)}
    levels_of = [] if items is None else [each for name in names for each in into[name]]
    if items is not None:
        _measurement(wide, items, into, means, paths, covariances, start)
    return specified(wide.columns, [*latent, *levels_of], paths=paths, covariances=covariances, means=means), start


def known_error(
    wide: Wide,
    variance: Mapping[str, float],
    reliability: float | Mapping[str, float] | None,
    error_variance: float | Mapping[str, float] | None,
) -> dict[str, tuple[float, str]]:
    """The error variance of each variable and where it is from, or nothing where nobody said.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` where a variable has none, or a value that it cannot have.
    """
    given = reliability if reliability is not None else error_variance
    if given is None:
        return {}
    by_name = dict(given) if isinstance(given, Mapping) else dict.fromkeys(wide.names, given)
    word = "reliability" if reliability is not None else "error variance"
    found = {}
    for name in wide.names:
        value = by_name.get(name, np.nan)
        top = 1.0 if reliability is not None else variance[name]
        if not (0 < value <= top if reliability is not None else 0 <= value < top):
            raise StudyError(
                "E-STUDY-VALUE",
                f"The {word} of {name} is {value}.",
                "A reliability lies above 0 and up to 1; the variance of the error is below that of the score, here "
                f"{variance[name]:.3g}.",
                "Give one for every variable, from outside the cohort.",
            )
        error = (1 - value) * variance[name] if reliability is not None else value
        source = f"reliability {value:g} at baseline" if reliability is not None else "as given"
        found[name] = (float(error), source)
    return found


def _measured(
    cohort: Cohort, wide: Wide, items: Mapping[str, Sequence[str]], changes: str, vcov: str
) -> tuple[Part, list[str], tuple[Notice, ...]]:
    """The same from the items of each variable."""
    least = 3 if len(wide.names) == 1 else 2
    if set(items) != set(wide.names) or min(map(len, items.values())) < least:
        raise StudyError(
            "E-STUDY-VALUE",
            "Items are given for " + ", ".join(f"{name} ({len(own)})" for name, own in items.items()) + ".",
            f"Each variable needs {least} or more of its own.",
            'Write for example items={"exhaustion": ["item1", "item2", "item3"]}.',
        )
    ordered = {name: tuple(items[name]) for name in wide.names}
    answers = chosen(cohort, [item for own in ordered.values() for item in own], wide.visits)
    model, start = change_model(answers, changes, ordered)
    fit = fitted(answers.flat, model, start, what="the change scores from items")
    V, _ = covariance_of(fit, vcov)
    asked = Asked(wide=wide, changes=changes, theta=labelled(fit.theta, fit.labels), scores="latent")
    rows = [*means(asked), *within(asked), *between(asked)]
    notes = [
        MEASURED.format(items=f"{len(own)} items of {label}", first=own[0])
        for label, own in zip(wide.labels, ordered.values(), strict=True)
    ]
    part = Part(quantities=rows, vcov=V, seen=answers.seen)
    return part, [*notes, fit_sentence(fit)], trouble(fit, "the change scores from items")


def _measurement(
    wide: Wide,
    items: Mapping[str, Sequence[str]],
    into: Mapping[str, Sequence[str]],
    means: dict[str, float | str],
    paths: dict[tuple[str, str], float | str],
    covariances: dict[tuple[str, str], float | str],
    start: dict[str, float],
) -> None:
    """Items on the level of their variable at each visit: the first with loading 1 and intercept 0, the same loadings
    and intercepts at all visits, residuals with their own variances and covariances over visits.
    """
    at = {name: place for place, name in enumerate(wide.names)}
    for name, own in items.items():
        center = np.nanmean(wide.Y[:, at[own[0]]], axis=0).mean()
        for item in own:
            scores = wide.Y[:, at[item]]
            places = [f"{item}@{visit}" for visit in wide.visits]
            for t, place in enumerate(places):
                paths[place, into[name][t]] = 1.0 if item == own[0] else f"loading {item}"
                means[place] = 0.0 if item == own[0] else f"intercept {item}"
                covariances[place, place] = f"residual {place}"
                start[f"residual {place}"] = float(np.nanvar(scores[:, t])) / 2
                for other in places[t + 1 :]:
                    covariances[place, other] = f"residual {place} {other}"
                    start[f"residual {place} {other}"] = 0.0
            start[f"loading {item}"] = 1.0
            start[f"intercept {item}"] = float(np.nanmean(scores, axis=0).mean() - center)
