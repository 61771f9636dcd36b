"""Before anything renders: all numbers of a run pass the disclosure gate of the cohort's policy, together and here.

Results that count subjects are protected jointly: the flow, the numbers at each visit, the n of every mean and
contrast, the size of every model and the number of rows read. So no count of a report, less another, tells of few
persons.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..codes import registry
from ..cohort import Cohort
from ..describe._singled_out import unique_persons
from ..errors import DisclosureError
from ..estimates import About, Estimates, Policy, Summaries, counted, protect, protect_all
from ..estimates.disclosure import HIDDEN
from ..inference.counting import contributing, counting, scores_by_subject
from ..models import Fit
from ..models.generalized_fit import GeneralizedFit
from ..notices import Notice
from ..plan import OutcomeResults, Results
from ..plan.run import STANDARDIZER
from ..sensitivity import Dashboard
from ..sensitivity._triangulation import ANALYSES
from .gate_of_events import counted_pieces, shown_events

__all__ = ["hides_model", "shown", "tells"]

DESCRIBED = ("baseline", "missingness")
"""What counts subjects of the whole cohort, beside the flow."""

COUNTED = re.compile(r"\b\d+ of \d+\b")
"""A note that tells how many of how many."""

PLACED = frozenset(
    f"N-DATA-{name}" for name in ("BASELINE", "BLANK", "CONSTANT", "IDS", "SPIKE", "UNMEASURED", "WINDOW")
)
"""Notices that name rows of the data, count them, or tell a value that few have."""

COLUMN = re.compile(r"(?:Column|Outcome|The visit) `.*?`(?= has )")
LOOK = "`burnout-stats check` tells who reads the data how many, and where."


def shown(results: Results) -> Results:
    """The results as they may be shown: the same, with the numbers of too small groups hidden, and those from which
    they could be worked out.

    Raises
    ------
    DisclosureError
        `E-DISCLOSURE-COHORT` where a model rests on fewer subjects than may be shown at all.
    """
    cohort = results.cohort
    policy = cohort.policy
    for part in results.outcomes:
        if part.fit.n_subjects < policy.min_cell:
            raise DisclosureError(
                "E-DISCLOSURE-COHORT",
                f"The model of `{part.outcome.name}` rests on fewer than {policy.min_cell} subjects.",
                "Numbers about so few persons may not be shown.",
                "Leave the outcome out; set `min_cell` under [disclosure] only as the data owner allows.",
            )
    counts: list[Estimates | Summaries] = [results.flow, _rows_of(cohort)]
    for part in results.outcomes:
        counts += [part.observed, _size_of(part.fit, cohort)]
        counts += [replace(asked, margins=counting(asked, part.fit, cohort)) for asked in _asked(part)]
    described = {name: value for name in DESCRIBED if (value := getattr(results, name)) is not None}
    of_events = [piece for event in results.events for piece in counted_pieces(event, cohort)]
    everything = protect_all([*counts, *described.values(), *of_events], policy)
    protected = everything[: len(counts) + len(described)]
    events = shown_events(results.events, everything[len(protected) :], policy)
    described = dict(zip(described, protected[len(counts) :], strict=True))
    flow, rows, *of_parts = (result for result in protected[: len(counts)] if isinstance(result, Summaries))
    answers = [result for result in protected if isinstance(result, Estimates)]
    parts = tuple(
        _part(part, (of_parts[2 * k], of_parts[2 * k + 1]), (answers[2 * k], answers[2 * k + 1]), results)
        for k, part in enumerate(results.outcomes)
    )
    primary = None if results.primary is None else _hidden_alike(results.primary, parts, policy)
    found = [*map(_without_places, results.notices), *unique_persons(cohort)]
    is_any_hidden = any(result.frame[HIDDEN].any() or result.frame["n"].isna().any() for result in everything)
    by_name = {part.outcome.name: part for part in parts}
    doubts = tuple(_doubt(doubt, by_name[doubt.outcome.name], policy, is_any_hidden) for doubt in results.doubts)
    if is_any_hidden:
        found = list(map(_without_numbers, found))
        parts = tuple(map(_quiet, parts))
        events = tuple(replace(event, fit=_quiet_fit(event.fit)) for event in events)
    found += flow.notices
    for value in described.values():
        found += value.notices
    for part in parts:
        found += part.notices
    for event in events:
        found += event.notices
    provenance = results.provenance
    if _is_hidden(rows) or any(hides_model(part, cohort) for part in parts) or _few_visits(flow):
        provenance = replace(provenance, rows_read=None, rows_kept=None)
    elif provenance.rows_read != provenance.rows_kept and policy.hides(
        (provenance.rows_read or 0) - (provenance.rows_kept or 0)
    ):
        provenance = replace(provenance, rows_read=None)
    return replace(
        results,
        flow=flow,
        outcomes=parts,
        events=events,
        doubts=doubts,
        notices=tuple(dict.fromkeys(found)),
        provenance=provenance,
        primary=primary,
        attrition=None if _tells_less(described.get("baseline")) else results.attrition,
        **described,
    )


def tells(part: OutcomeResults) -> tuple[bool, bool]:
    """Whether, in protected results, the number of subjects in the model may be told, and that of scores."""
    if part.size is None:
        return True, True
    subjects, scores = (~part.size.frame[HIDDEN]).tolist()
    return bool(subjects), bool(scores)


def hides_model(part: OutcomeResults, cohort: Cohort) -> bool:
    """Whether, in protected results, the covariance of the visits and the number of scores stay hidden.

    They do where a visit, or a pair of visits, has too few persons: a variance tells about them, and the number of all
    scores less those of the visits that are shown would tell how many they are.
    """
    if part.means.frame[HIDDEN].any():
        return True
    data = cohort.data[["subject", "visit", part.outcome.name]].dropna()
    seen = pd.crosstab(data["subject"], data["visit"]).to_numpy(dtype=float)
    together = seen.T @ seen
    return bool(((together > 0) & (together < cohort.policy.min_cell)).any())


def _doubt(doubt: Dashboard, part: OutcomeResults, policy: Policy, is_any_hidden: bool) -> Dashboard:
    """A dashboard as it may be shown, beside the protected results of its outcome.

    Its numbers of subjects are shown where they are among those of the outcome's other results: complete cases less
    those of a visit would tell of few. Where anything of the report is hidden, notes that count go too. Bounds and
    shifts move with the share of the missing, so they would tell the number of scores of a visit where it is hidden.
    """
    told = _told(part)
    unsure = _unsure(part)

    def safe(name: str, estimates: Estimates) -> Estimates:
        frame, about = estimates.frame, estimates.about
        n = frame["n"].to_numpy(dtype=float)
        known = np.isin(n, told) | (np.isin(n + 1, told) if name == "left_out" else False)
        if is_any_hidden or not known[~np.isnan(n)].all():
            large = np.where(n < policy.min_cell, 1.0, np.nan)
            frame = frame.assign(n=np.where(known & (not is_any_hidden), n, large))
            about = replace(about, n_withheld=True)
        if is_any_hidden:
            about = replace(about, notes=tuple(note for note in about.notes if not COUNTED.search(note)))
        gone = _moved_by_the_missing(name, frame, unsure)
        if gone.any():
            contrasts = tuple(f"{contrast}: " for contrast in frame.loc[gone, "contrast"].unique())
            notes = [note for note in about.notes if not note.startswith((*contrasts, "Imputed values average"))]
            about = replace(about, notes=tuple(notes))
            frame = frame.assign(**{HIDDEN: gone})
        return protect(replace(estimates, frame=frame, about=about), policy)

    changed: dict[str, Any] = {name: safe(name, value) for name, value in doubt.estimates.items()}
    return replace(doubt, **changed)


def _told(part: OutcomeResults) -> NDArray[np.float64]:
    """The numbers of subjects that the protected results of an outcome tell."""
    numbers = [value.frame["n"].to_numpy(dtype=float) for value in (part.means, part.changes)]
    if tells(part)[0]:
        numbers.append(np.array([float(part.fit.n_subjects)]))
    return np.concatenate(numbers)


def _unsure(part: OutcomeResults) -> frozenset[str]:
    """The visits whose number of scores is not told."""
    means, observed = part.means.frame, part.observed.frame
    counts = observed[observed["statistic"].eq("n")]
    gone = [*means.loc[means["n"].isna() | means[HIDDEN], "visit"], *counts.loc[counts[HIDDEN], "level"]]
    return frozenset(map(str, gone))


def _moved_by_the_missing(name: str, frame: pd.DataFrame, unsure: frozenset[str]) -> NDArray[np.bool_]:
    """The rows that would tell how many scores a visit has of which that is hidden."""
    contrast = frame["contrast"].astype(str) if "contrast" in frame else pd.Series("", index=frame.index)
    about = contrast.map(lambda words: any(visit in words for visit in unsure)).to_numpy(dtype=bool)
    if name == "triangulation":
        return np.asarray(about & frame["analysis"].eq(ANALYSES["bounds"]).to_numpy())
    if name == "tipping_point":
        return np.asarray(about & ~frame["delta"].eq(0.0).to_numpy())
    return about & (name == "tipping_map")


def _tells_less(baseline: Estimates | Summaries | None) -> bool:
    """Whether Table 1 hides anything: the shares of those who stayed are its counts in other words."""
    return baseline is None or bool(baseline.frame[HIDDEN].any() or baseline.frame["n"].isna().any())


def _asked(part: OutcomeResults) -> tuple[Estimates, Estimates]:
    return part.means, part.coefficients


def _part(
    part: OutcomeResults,
    counts: tuple[Summaries, Summaries],
    answers: tuple[Estimates, Estimates],
    results: Results,
) -> OutcomeResults:
    policy = results.cohort.policy
    (observed, size), (means, coefficients) = counts, answers
    if means.frame[HIDDEN].any():
        # a hidden mean is a sum of coefficients, and a hidden change may be one of them
        coefficients = protect(_withheld(coefficients), policy)
    changes, standardized = (
        protect(_without_n(asked, part.means, means), policy) for asked in (part.changes, part.standardized)
    )
    if _is_sd_hidden(observed, results.cohort.visits.labels[0]):
        notes = tuple(note for note in standardized.about.notes if STANDARDIZER not in note)
        standardized = _withheld(replace(standardized, about=replace(standardized.about, notes=notes)))
    shown_changes = replace(part, changes=changes)
    unadjusted = None if part.unadjusted is None else _hidden_alike(part.unadjusted, [shown_changes], policy)
    return replace(
        part,
        observed=observed,
        size=size,
        means=means,
        changes=changes,
        unadjusted=unadjusted,
        standardized=protect(standardized, policy),
        coefficients=coefficients,
    )


def _hidden_alike(estimates: Estimates, parts: Iterable[OutcomeResults], policy: Policy) -> Estimates:
    """The contrasts of primary questions, or of the unadjusted model, with the n and the gaps of the protected changes:
    they are about the same persons.
    """
    changes = pd.concat([part.changes.frame[["outcome", "contrast", "n", HIDDEN]] for part in parts])
    told = changes.astype({"outcome": object}).set_index(["outcome", "contrast"])
    frame = estimates.frame.astype({"outcome": object})
    alike = told.loc[list(zip(frame["outcome"], frame["contrast"], strict=True))]
    n, hidden = alike["n"].to_numpy(dtype=float), alike[HIDDEN].to_numpy(dtype=bool)
    about = replace(estimates.about, n_withheld=estimates.about.n_withheld or bool(np.isnan(n).any()))
    changed = estimates.frame.assign(n=n, **{HIDDEN: hidden})
    return protect(replace(estimates, frame=changed, about=about), policy)


def _without_n(changes: Estimates, means: Estimates, protected: Estimates) -> Estimates:
    """Changes without the n that are those of means whose n may not be told."""
    gone = means.frame["n"].to_numpy(dtype=float)[protected.frame["n"].isna().to_numpy()]
    n = changes.frame["n"].to_numpy(dtype=float)
    told = np.isin(n, gone) & ~(n < changes.about.min_cell)
    if not told.any():
        return changes
    frame = changes.frame.assign(n=np.where(told, np.nan, n))
    return replace(changes, frame=frame, about=replace(changes.about, n_withheld=True))


def _size_of(fit: Fit, cohort: Cohort) -> Summaries:
    """The number of subjects and of scores in a model."""
    frame = pd.DataFrame(
        {
            "variable": fit.outcome.name,
            "level": ["subjects", "scores"],
            "statistic": "n",
            "value": [float(fit.n_subjects), float(fit.n_obs)],
            "n": [fit.n_subjects, fit.n_obs],
        }
    )
    margins = None
    if fit.rows is not None:
        margins = counted([contributing(fit, cohort), scores_by_subject(fit, cohort)])
    return Summaries(frame=frame, about=About(kind="size", policy=cohort.policy), margins=margins)


def _rows_of(cohort: Cohort) -> Summaries:
    """The number of rows that were used."""
    rows: NDArray[np.int64] = np.bincount(cohort.data["subject"].to_numpy() - 1, minlength=cohort.n_subjects)
    frame = pd.DataFrame(
        {"variable": ["rows"], "level": "kept", "statistic": "n", "value": float(rows.sum()), "n": int(rows.sum())}
    )
    return Summaries(frame=frame, about=About(kind="rows", policy=cohort.policy), margins=counted([rows]))


def _is_hidden(counts: Summaries) -> bool:
    return bool(counts.frame[HIDDEN].any())


def _few_visits(flow: Summaries) -> bool:
    return bool(flow.frame.loc[flow.frame["variable"].eq("visit"), HIDDEN].any())


def _quiet(part: OutcomeResults) -> OutcomeResults:
    """The part with notices that tell no numbers."""

    def quiet(notices: tuple[Notice, ...]) -> tuple[Notice, ...]:
        return tuple(map(_without_numbers, notices))

    return replace(
        part,
        fit=replace(part.fit, notices=quiet(part.fit.notices)),
        coefficients=replace(part.coefficients, notices=quiet(part.coefficients.notices)),
        means=replace(part.means, notices=quiet(part.means.notices)),
        changes=replace(part.changes, notices=quiet(part.changes.notices)),
        standardized=replace(part.standardized, notices=quiet(part.standardized.notices)),
        unadjusted=None
        if part.unadjusted is None
        else replace(part.unadjusted, notices=quiet(part.unadjusted.notices)),
    )


def _quiet_fit(fit: GeneralizedFit) -> GeneralizedFit:
    return replace(fit, notices=tuple(map(_without_numbers, fit.notices)))


def _without_numbers(notice: Notice) -> Notice:
    """A notice of rows left out does not tell how many where that is part of a number that is hidden."""
    if notice.code != "N-MODEL-ROWS-LEFT-OUT":
        return notice
    message = re.sub(r"\d+ of \d+ rows", "Some rows", notice.message)
    return replace(notice, message=re.sub(r"\d+ subjects were left out", "Some subjects were left out", message))


def _without_places(notice: Notice) -> Notice:
    """What was noticed in the data, without how often, where and with which value: these would be single persons'."""
    if notice.code not in PLACED:
        return notice
    column = COLUMN.match(notice.message)
    sentence = registry()[notice.code].sentence
    message = f"{column[0]}: {sentence[0].lower()}{sentence[1:]}" if column else sentence
    decided = notice.advice if notice.code == "N-DATA-WINDOW" else ""
    return replace(notice, message=message, advice=f"{decided} {LOOK}".strip())


def _withheld(estimates: Estimates) -> Estimates:
    return replace(estimates, frame=estimates.frame.assign(**{HIDDEN: True}))


def _is_sd_hidden(observed: Summaries, baseline: str) -> bool:
    frame = observed.frame
    row = frame[frame["level"].eq(baseline) & frame["statistic"].eq("sd")]
    return bool(row[HIDDEN].any())
