"""Who was seen, and how likely that was: weights that make those who were seen stand for everybody, with what shows
whether they do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..design import Design, build
from ..design.build import Rows
from ..display import Shown, Table
from ..display.escape import for_terminal
from ..engine.weighting import Response, Weighting, effective_size, weigh
from ..errors import ModelError, StudyError, one_of
from ..estimates import About, Summaries, counted
from ..estimates.tabulation import tabulate
from ..models import MMRM
from ..models.representation import subjects
from ..notices import Notice, announce
from ._being_seen import predictor_columns, response_of

__all__ = ["GAPS", "KINDS", "FollowUpWeights", "weights"]

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
KINDS = MappingProxyType(
    {
        "visits": "each score is weighted by the inverse probability of being seen at its visit",
        "completers": "those seen at every visit are weighted by the inverse probability of that",
        "augmented": "a regression predicts every score, and weighted residuals correct it",
    }
)
GAPS = MappingProxyType(
    {
        "visit-specific": "each visit has its own model of being seen, given what everybody has (baseline); whether "
        "other visits were missed does not enter, so a visit missed between two others needs nothing special",
        "monotone": "each visit has a model of being seen among those seen until then, given baseline and the score "
        "before; scores after a missed visit are not used",
    }
)
"""What is done about subjects who miss a visit and come back."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class FollowUpWeights(Shown):
    """Weights by the inverse probability of being seen.

    Attributes
    ----------
    spec : MMRM
    cohort : Cohort
        The subjects of whom all predictors are known; scores that the weights leave out are missing in it.
    kind, gaps : keys of `KINDS` and `GAPS`
    truncate : (low, high) quantiles, or None
    predictors : their labels
    names : the columns of the model of being seen, in words where they are variables
    X : (n, p) array
        These columns.
    response : Response
        The engine's account of who was seen.
    weighting : Weighting
        The weights, in a stack of one.
    design, rows
        Of the model, on `cohort`.
    n_cohort : int
        Subjects before those without a predictor were left out.
    notices : tuple of Notice
    """

    spec: MMRM
    cohort: Cohort
    kind: str
    gaps: str
    truncate: tuple[float, float] | None
    predictors: tuple[str, ...]
    names: tuple[str, ...]
    X: Array
    response: Response
    weighting: Weighting
    design: Design
    rows: Rows
    n_cohort: int
    notices: tuple[Notice, ...]

    @property
    def values(self) -> Array:
        """The stabilized weights (n, V); NaN where there is no score."""
        return np.where(self.response.seen, self.weighting.weights[0], np.nan)

    @property
    def probability(self) -> Array:
        """The estimated probability of being seen at every visit (n, V); NaN where it rests on a score that was not
        seen (of monotone models).
        """
        response = self.response
        lost = (
            np.column_stack([~part.at_risk for part in response.parts])
            if response.parts
            else np.zeros((len(self.X), 0))
        )
        unknown = lost.astype(float) @ response.leads.T > 0
        return np.where(unknown, np.nan, self.weighting.probability[0])

    @property
    def subject(self) -> NDArray[np.int64]:
        """The subject of each row of the model, from 0."""
        return np.asarray(self.rows.ordinal[self.rows.subject] - 1)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed."""
        where = "" if self.kind == "completers" else " at each visit"
        cut = (
            f"stabilized weights held between their quantiles {self.truncate[0]:g} and {self.truncate[1]:g}{where}"
            if self.truncate
            else "stabilized weights, not truncated"
        )
        how = GAPS[self.gaps] if self.kind != "completers" else "one model of having been seen at every visit"
        return (
            f"Being seen is taken to depend on {', '.join(self.predictors)} (at baseline), by logistic regression.",
            "Nothing else is taken to tell both of the scores and of who was seen.",
            f"{KINDS[self.kind][:1].upper()}{KINDS[self.kind][1:]}; {cut}.",
            f"{how[:1].upper()}{how[1:]}.",
        )

    @property
    def diagnostics(self) -> Summaries:
        """Of each visit: scores seen, mean, smallest and largest of their stabilized weights, effective sample size
        (Kish; left out where so few were seen, or not seen, that n may not be told), and the range of the estimated
        probabilities over all subjects. A mean far from 1, or a probability near 0, is a sign of a wrong model or of
        people who are never seen.
        """
        rows: list[dict[str, object]] = []
        counts: list[Bools | None] = []
        told = np.array([self.response.seen.sum(0), (~self.response.seen).sum(0)])
        hides = any(self.cohort.policy.hides(count) for count in told.ravel().tolist() if count)
        for v, label in self._places:
            seen = self.response.seen[:, v]
            w, p = self.weighting.weights[0, seen, v], self.probability[:, v]
            found = {
                "n": seen.sum(),
                "mean weight": w.mean(),
                "smallest weight": w.min(),
                "largest weight": w.max(),
                **({} if hides else {"effective n": effective_size(w)}),  # it is near to n
                "lowest probability": np.nanmin(p),
                "highest probability": np.nanmax(p),
            }
            rows += [
                {
                    "variable": "visit",
                    "level": label,
                    "statistic": name,
                    "value": float(value),
                    "n": int(seen.sum()),
                }
                for name, value in found.items()
            ]
            counts += [seen if name == "n" else None for name in found]
        return Summaries(
            frame=pd.DataFrame(rows),
            about=self._about("follow_up_weights"),
            notices=self.notices,
            margins=counted(counts) if len(self.X) == self.n_cohort else None,
        )

    @property
    def balance(self) -> Summaries:
        """Standardized differences between those seen at each visit and everybody, before and after weighting: of each
        column of the model of being seen, mean of those seen less mean of all, over the standard deviation of all.
        """
        sd = self.X.std(0, ddof=1)
        mean = self.X.mean(0)
        rows = []
        for v, label in self._places:
            seen = self.response.seen[:, v]
            if seen.all():
                continue
            w = self.weighting.weights[0, seen, v]
            before, after = self.X[seen].mean(0), w @ self.X[seen] / w.sum()
            rows += [
                {
                    "variable": label,
                    "level": self.names[k],
                    "statistic": when,
                    "value": float((value[k] - mean[k]) / sd[k]),
                    "n": int(min(seen.sum(), (~seen).sum())),
                }
                for k in np.flatnonzero(sd > 0)
                for when, value in (("before", before), ("after", after))
            ]
        note = (
            "Those seen less everybody, in standard deviations of everybody; before and after weighting.",
            "n: the smaller of the numbers seen and not seen.",
        )
        columns = ["variable", "level", "statistic", "value", "n"]
        about = self._about("balance")
        return Summaries(
            frame=pd.DataFrame(rows, columns=columns),
            about=replace(about, notes=(*note, *about.notes)),
            notices=self.notices,
        )

    @property
    def _places(self) -> list[tuple[int, str]]:
        """The visits; of completers, whose weight is the same at all, one that stands for them."""
        return [(0, "every visit")] if self.kind == "completers" else list(enumerate(self.cohort.visits.labels))

    def _about(self, kind: str) -> About:
        visits = self.cohort.visits
        outcome = self.design.outcome
        return About(
            kind=kind,
            outcomes={outcome.name: outcome.label},
            visit_years=visits.by_label(),
            notes=self.notes,
            policy=self.cohort.policy,
        )

    def _tables(self) -> tuple[Table, ...]:
        return tabulate(self.diagnostics), tabulate(self.balance)

    def __repr__(self) -> str:
        size = subjects(len(self.X), self.design.policy, of=self.n_cohort)
        return for_terminal(f"<FollowUpWeights: {self.spec.formula}, {self.kind}; {size}>")


def weights(
    spec: MMRM,
    cohort: Cohort,
    predictors: str | Iterable[str],
    *,
    kind: str = "visits",
    gaps: str = "visit-specific",
    truncate: tuple[float, float] | None = (0.01, 0.99),
) -> FollowUpWeights:
    """Weights by the inverse probability of being seen, given what was known at baseline.

    Parameters
    ----------
    spec : MMRM
        The model that the weights are for: a score counts as seen where it and the model's covariates are known.
    cohort : Cohort
    predictors : str or names
        What being seen may depend on: outcomes and covariates at baseline, or the right side of a formula of them.
        `describe.dropout_model` shows their odds ratios.
    kind : "visits", "completers" or "augmented"
        What is weighted: every score at its visit, or the subjects seen at every visit. "augmented" is as "visits".
    gaps : "visit-specific" or "monotone"
        What is done about a visit that was missed and followed by one that was not; see `GAPS`.
    truncate : (low, high) or None
        The quantiles of the weights of a visit beyond which they are cut; None leaves them. The default takes away one
        score in a hundred at each end.

    Returns
    -------
    FollowUpWeights
        `values`, `diagnostics` and `balance`.

    Raises
    ------
    StudyError
        `E-STUDY-WEIGHTING` for a model with weights or clusters, `E-STUDY-COLUMN`, `E-STUDY-OPTION`, `E-STUDY-VALUE`
        for impossible quantiles.
    ModelError
        `E-MODEL-SEPARATION` where the predictors tell some of those seen from the others without error,
        `E-MODEL-SINGULAR` where one follows from the others, `E-MODEL-EMPTY` where nobody was seen.

    **Source**: Cole & Hernán 2008, Am J Epidemiol 168:656; Robins, Rotnitzky & Zhao 1995, JASA 90:106. SAS PROC GEE has
    visit- and subject-level weights for dropout, and stops where somebody comes back.

    >>> from burnout_stats.studies import example
    >>> weights(MMRM("exhaustion ~ visit"), example("villa_sana"), ["exhaustion", "job_stress", "coping"])
    <FollowUpWeights: exhaustion ~ visit, visits; 227 subjects>
    """
    one_of("kind", kind, list(KINDS))
    one_of("gaps", gaps, list(GAPS))
    _refuse(spec, kind, gaps, truncate)
    known, names, X = predictor_columns(cohort, predictors)
    complete = np.logical_and.reduce([variable.known for variable in known])
    kept, notices = cohort, _left_out(int((~complete).sum()), cohort)
    if not complete.all():
        kept = cohort.subset(complete[cohort.data["subject"].to_numpy() - 1])
    design, rows = build(spec.parsed, kept, group=spec.covariance_by)
    seen = np.zeros((kept.n_subjects, len(kept.visits)), dtype=bool)
    seen[rows.ordinal[rows.subject] - 1, rows.visit] = True
    used = seen
    if kind == "completers":
        used = np.repeat(seen.all(1, keepdims=True), seen.shape[1], axis=1)
    elif gaps == "monotone":
        used = np.logical_and.accumulate(seen, axis=1)
    if (used != seen).any() and kind != "completers":
        kept = _without(kept, spec.parsed.response, used)
        design, rows = build(spec.parsed, kept, group=spec.covariance_by)
    if not used.any(0).all():
        raise ModelError(
            "E-MODEL-EMPTY",
            f"Nobody is left to be weighted at {kept.visits.labels[int(np.argmin(used.any(0)))]}.",
            "At every visit some subjects must have been seen, of completers at all of them.",
            "Leave that visit out of the cohort.",
        )
    scores = np.zeros(seen.shape)
    scores[rows.ordinal[rows.subject] - 1, rows.visit] = rows.z[:, -1]
    response = response_of(X, used, kind, gaps, scores, names, kept.visits.labels)
    weighting = weigh(response, np.ones((1, len(X))), limits=truncate)
    if not weighting.converged.all():
        raise ModelError(
            "E-MODEL-NOT-FINITE",
            "The model of being seen did not reach an optimum.",
            "Newton's method arrives wherever the probabilities are neither 0 nor 1.",
            "Take fewer predictors, in units nearer to 1.",
        )
    announce((*notices, *design.notices))
    return FollowUpWeights(
        spec=spec,
        cohort=kept,
        kind=kind,
        gaps=gaps,
        truncate=truncate,
        predictors=tuple(variable.label for variable in known),
        names=tuple({variable.name: variable.label for variable in known}.get(name, name) for name in names),
        X=X,
        response=response,
        weighting=weighting,
        design=design,
        rows=rows,
        n_cohort=cohort.n_subjects,
        notices=(*notices, *design.notices),
    )


def _without(cohort: Cohort, response: str, used: Bools) -> Cohort:
    """The cohort in which scores that are not used are missing."""
    data = cohort.data
    here = used[data["subject"].to_numpy() - 1, data["visit"].cat.codes.to_numpy()]
    return replace(cohort, data=data.assign(**{response: data[response].where(here)}))


def _refuse(spec: MMRM, kind: str, gaps: str, truncate: tuple[float, float] | None) -> None:
    reasons = {
        "weights": spec.weights,
        "clusters": spec.cluster or next((part.group for part in spec.parsed.random), None),
    }
    for what, name in reasons.items():
        if name is not None:
            raise StudyError(
                "E-STUDY-WEIGHTING",
                f"The model has {what} (`{name}`).",
                "Follow-up weights take subjects as independent and alike in weight.",
                f"Leave {what} out.",
            )
    if kind == "augmented" and gaps != "visit-specific":
        raise StudyError(
            "E-STUDY-WEIGHTING",
            f"Augmented means are asked with gaps={gaps!r}.",
            "They are made for models of being seen given baseline.",
            'Ask with gaps="visit-specific", or with kind="visits".',
        )
    if truncate is not None and not 0 <= truncate[0] < truncate[1] <= 1:
        raise StudyError(
            "E-STUDY-VALUE",
            f"`truncate` is {truncate}.",
            "It holds two quantiles between 0 and 1, the lower first, or is None.",
            "Use (0.01, 0.99).",
        )


def _left_out(n: int, cohort: Cohort) -> tuple[Notice, ...]:
    if not n:
        return ()
    told = f"Fewer than {cohort.policy.min_cell}" if cohort.policy.hides(n) else str(n)
    return (
        Notice(
            "N-MODEL-ROWS-LEFT-OUT",
            f"{told} subjects were left out of the weighted analysis, because a predictor of being seen is missing.",
            "Fill in what does not change over time, or leave the predictor out.",
        ),
    )
