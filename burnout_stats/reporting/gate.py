"""Before anything renders: every number of a run passes the disclosure gate of the cohort's policy, once and here."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from ..cohort import Cohort
from ..errors import DisclosureError
from ..estimates import Estimates, Summaries, protect
from ..estimates.disclosure import HIDDEN
from ..plan import OutcomeResults, Results
from ..plan.run import STANDARDIZER

__all__ = ["hides_model", "shown"]


def shown(results: Results) -> Results:
    """The results as they may be shown: the same, with the numbers of too small groups hidden.

    Raises
    ------
    DisclosureError
        `E-DISCLOSURE-COHORT` where a model rests on fewer subjects than may be shown at all.
    """
    policy = results.cohort.policy
    for part in results.outcomes:
        if part.fit.n_subjects < policy.min_cell:
            raise DisclosureError(
                "E-DISCLOSURE-COHORT",
                f"The model of `{part.outcome.name}` rests on fewer than {policy.min_cell} subjects.",
                "Numbers about so few persons may not be shown.",
                "Leave the outcome out; set `min_cell` under [disclosure] only as the data owner allows.",
            )
    flow = protect(results.flow, policy)
    parts = tuple(_part(part, results) for part in results.outcomes)
    found = [*results.notices, *flow.notices]
    for part in parts:
        found += part.notices
    provenance = results.provenance
    if flow.frame.loc[flow.frame["variable"].eq("visit"), HIDDEN].any():
        provenance = replace(provenance, rows_read=None, rows_kept=None)
    return replace(results, flow=flow, outcomes=parts, notices=tuple(dict.fromkeys(found)), provenance=provenance)


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


def _part(part: OutcomeResults, results: Results) -> OutcomeResults:
    policy = results.cohort.policy
    observed, means = protect(part.observed, policy), protect(part.means, policy)
    changes, standardized = protect(part.changes, policy), protect(part.standardized, policy)
    coefficients = part.coefficients
    if means.frame[HIDDEN].any():
        # a hidden mean is a sum of coefficients, and a hidden change may be one of them
        coefficients = _withheld(coefficients)
    if _is_sd_hidden(observed, results.cohort.visits.labels[0]):
        notes = tuple(note for note in standardized.about.notes if STANDARDIZER not in note)
        standardized = _withheld(replace(standardized, about=replace(standardized.about, notes=notes)))
    return replace(
        part,
        observed=observed,
        means=means,
        changes=changes,
        standardized=protect(standardized, policy),
        coefficients=protect(coefficients, policy),
    )


def _withheld(estimates: Estimates) -> Estimates:
    return replace(estimates, frame=estimates.frame.assign(**{HIDDEN: True}))


def _is_sd_hidden(observed: Summaries, baseline: str) -> bool:
    frame = observed.frame
    row = frame[frame["level"].eq(baseline) & frame["statistic"].eq("sd")]
    return bool(row[HIDDEN].any())
