"""Which questions are primary, which terms are there for adjustment, and which p values are adjusted together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..cohort import Visits
from ..display.styles import MINUS
from ..engine.multiplicity import ADJUSTMENTS, Family, two_sided_p
from ..errors import Problem, did_you_mean
from ..estimates import Estimates
from ..inference import combine
from ..inference.contrasts import METHODS, Group
from .terms import VISIT_ROLES, split_term

if TYPE_CHECKING:
    from .sections import AnalysisSection
    from .study import Plan

__all__ = ["check_questions", "contrast_names", "multiplicity", "primary_family", "unadjusted_terms"]


def contrast_names(method: str, visits: Mapping[str, float]) -> tuple[str, ...]:
    """The names of the contrasts of the visits.

    >>> contrast_names("vs_baseline", {"3 years": 3, "start": 0, "1 year": 1})
    ('1 year - start', '3 years - start')
    """
    times = Visits.of(visits)
    labels = pd.DataFrame({"visit": list(times.labels)})
    group = Group(labels, tuple(times.labels), np.array(list(times.by_label().values()), dtype=float))
    return tuple(name for name, _ in METHODS[method](group))


def unadjusted_terms(analysis: AnalysisSection, columns: Iterable[str]) -> tuple[str, ...]:
    """The terms of the model without those for adjustment: an interaction goes with any part of it that is for
    adjustment; nothing where no term is.
    """
    known = (*VISIT_ROLES, *columns)
    gone = [frozenset(split_term(term, known)) for term in analysis.adjustment]
    kept = [term for term in analysis.terms if not any(part <= frozenset(split_term(term, known)) for part in gone)]
    return tuple(kept) if gone else ()


def check_questions(
    analysis: AnalysisSection, visits: Mapping[str, float], outcomes: Sequence[str], covariates: Sequence[str]
) -> list[Problem]:
    """Primary outcomes, contrasts and adjustment terms that the study does not have."""
    found = _check_adjustment(analysis, covariates)
    if analysis.contrasts == "difference_in_differences":
        found.append(
            Problem(
                "E-STUDY-VALUE",
                "`analysis.contrasts` is 'difference_in_differences'.",
                "The report compares visits, and this method compares changes between groups.",
                "Write one of: " + ", ".join(name for name in METHODS if name != "difference_in_differences") + ".",
            )
        )
        return found
    primary = analysis.primary
    if primary is None:
        return found
    named = [("outcomes", name, outcomes, "The study has") for name in primary.outcomes]
    known = contrast_names(analysis.contrasts, visits)
    there = f"With contrasts = {analysis.contrasts!r} there are"
    named += [("contrasts", name, known, there) for name in primary.contrasts]
    for key in ("outcomes", "contrasts"):
        said = getattr(primary, key)
        if len(set(said)) < len(said):
            found.append(
                Problem(
                    "E-STUDY-VALUE",
                    f"`analysis.primary.{key}` says a name twice.",
                    "Each stands once, or the family would be counted wrongly.",
                    "Remove the second.",
                )
            )
    return found + [
        Problem(
            "E-STUDY-COLUMN" if key == "outcomes" else "E-STUDY-VALUE",
            f"`analysis.primary.{key}` names `{name}`.",
            f"{there}: {', '.join(among)}.",
            did_you_mean(name, among) or "Name one of them.",
        )
        for key, name, among, there in named
        if name not in among
    ]


def _check_adjustment(analysis: AnalysisSection, covariates: Sequence[str]) -> list[Problem]:
    known = (*VISIT_ROLES, *covariates)
    terms = {frozenset(split_term(term, known)) for term in analysis.terms}
    found = []
    for term in analysis.adjustment:
        parts = frozenset(split_term(term, known))
        if parts not in terms:
            found.append(
                Problem(
                    "E-STUDY-TERM",
                    f"`analysis.adjustment` names the term {term!r}.",
                    f"The terms of the model are: {', '.join(analysis.terms)}.",
                    did_you_mean(term, analysis.terms) or "Add it to `analysis.terms`, or leave it out here.",
                )
            )
        elif parts <= {"visit", "years"}:
            found.append(
                Problem(
                    "E-STUDY-TERM",
                    f"`analysis.adjustment` names the term {term!r}.",
                    "The time is what is asked about, and not something to adjust for.",
                    "Leave it out here.",
                )
            )
    return found


def primary_family(plan: Plan, changes: Iterable[Estimates]) -> Estimates | None:
    """The primary contrasts of all primary outcomes in one frame, their p values adjusted over all of them.

    `changes` are the contrasts of each primary outcome, not adjusted. Intervals are simultaneous where the method has
    such, else not adjusted.
    """
    asked = plan.analysis.primary
    if asked is None:
        return None
    whole = combine(*changes)
    keep = np.flatnonzero(whole.frame["contrast"].isin(asked.contrasts).to_numpy() | (not asked.contrasts))
    frame = whole.frame.iloc[keep].reset_index(drop=True)
    method = ADJUSTMENTS[asked.adjust]
    statistic, df = (frame[name].to_numpy(dtype=float) for name in ("statistic", "df"))
    known = np.flatnonzero(np.isfinite(two_sided_p(statistic, df)))
    if asked.adjust != "none" and len(known):
        family = Family(statistic[known], df[known], np.eye(len(known)), 0)
        frame.loc[known, "p_value"] = method.p_values(family)
        if method.critical is not None:
            half = method.critical(family, whole.about.conf_level) * frame["std_error"].to_numpy()[known]
            middle = frame["estimate"].to_numpy()[known]
            frame.loc[known, "conf_low"], frame.loc[known, "conf_high"] = middle - half, middle + half
    about = replace(
        whole.about, adjust=asked.adjust, notes=(*whole.about.notes, _family_sentence(asked.adjust, len(known)))
    )
    cells = None if whole.cells is None else whole.cells[keep]
    return Estimates(frame=frame, vcov=whole.vcov[np.ix_(keep, keep)], about=about, notices=whole.notices, cells=cells)


def _family_sentence(adjust: str, size: int) -> str:
    if size == 1:
        return "There is one primary contrast, so nothing is adjusted for multiplicity."
    if adjust == "none":
        return "P values and intervals of the primary contrasts are not adjusted for multiplicity."
    method = ADJUSTMENTS[adjust]
    intervals = "intervals are not adjusted" if method.critical is None else "intervals are simultaneous"
    return f"P values are adjusted over all primary contrasts together ({method.name}); {intervals}."


def multiplicity(plan: Plan) -> tuple[str, ...]:
    """What is primary, what is secondary, and exactly which p values are adjusted together, as sentences."""
    asked, names = plan.analysis, contrast_names(plan.analysis.contrasts, plan.visits)
    within = (
        "P values are not adjusted for the number of contrasts within an outcome"
        if asked.adjust == "none"
        else f"P values are adjusted over the contrasts of each outcome ({ADJUSTMENTS[asked.adjust].name})"
    )
    if asked.primary is None:
        across = " nor for the number of outcomes" if asked.adjust == "none" else ", and not for the number of outcomes"
        return (within + (across if len(plan.outcomes) > 1 else "") + ".",)
    primary = asked.primary
    chosen = primary.contrasts or names
    said = [plan.outcomes[name].label or name for name in primary.outcomes]
    sentences = [f"Primary: {_listed([name.replace(' - ', f' {MINUS} ') for name in chosen])} in {_listed(said)}."]
    size = len(chosen) * len(said)
    sentences.append(_family_sentence(primary.adjust, size))
    if size < len(names) * len(plan.outcomes):
        sentences.append("All other contrasts are secondary, and no part of that family.")
    sentences.append(f"In the tables of single outcomes: {within[:1].lower()}{within[1:]}.")
    return tuple(sentences)


def questions_note(plan: Plan, outcome: str) -> tuple[str, ...]:
    """A note for the table of one outcome's contrasts, where the study says what is primary."""
    primary = plan.analysis.primary
    if primary is None:
        return ()
    names = contrast_names(plan.analysis.contrasts, plan.visits)
    chosen = tuple(name for name in names if outcome in primary.outcomes and name in (primary.contrasts or names))
    if not chosen:
        return ("Secondary outcome: no contrast here belongs to the primary family.",)
    if len(chosen) == len(names):
        return ("Primary outcome: all contrasts are primary.",)
    others = [name for name in names if name not in chosen]
    return (f"Primary: {_listed(chosen)}. Secondary: {_listed(others)}.",)


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
