"""The peer-support cohort analyzed: by category and by dose, with doctors nested in supporters and counties, and the
joint display.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..cohort import Cohort
from ..display import Shown, Table
from ..display.escape import for_terminal
from ..estimates import Estimates
from ..estimates.tabulation import WITHOUT_N, tabulate
from ..inference import JointDisplay, contrast, emmeans, joint_display, term_tests
from ..models import MMRM, Fit, fit
from ..models.representation import subjects
from ._peer_support import ASSUMPTIONS, themes

__all__ = ["PeerSupport", "peer_support_analysis"]

CHOSEN = (
    "Sessions are chosen by the doctors, more of them in greater need: a change that differs by sessions is associated "
    "with them, and no comparison of doses."
)
TREATED = (
    "Treatment is known at 12 months only and was taken up by choice: a change that differs by it is associated with "
    "it."
)
SELECTED = (
    "Who gave consent chose to: a difference at baseline shows whom the interviews leave out, and findings from them "
    "are not carried over to all."
)
NESTED = "Doctors of one supporter share a random intercept; counties are above it and not in this model."
COUNTIES = (
    "Standard errors are clustered on county (CR2), which covers supporters too; with so few counties the degrees of "
    "freedom are few."
)
SUPPORTERS_CHANGE = (
    "The random intercept is for the level of both visits: supporters may differ in whom they see, not in the change."
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PeerSupport(Shown):
    """What the analysis answers, for one outcome.

    Attributes
    ----------
    by_category : Fit
        `outcome ~ visit * category + (1 | supporter)`.
    means, changes : Estimates
        By category, from it.
    tests : Estimates
        Its terms: visit:category asks whether the course differs by category.
    supporter_sd : float
        The standard deviation between supporters.
    changes_by_sessions, changes_given_category : Estimates
        By sessions taken, without and with the category and its course in the model.
    changes_by_treatment : Estimates
        By treatment taken up before 12 months.
    means_by_consent : Estimates
        Of those who returned the form of the interview study, who were interviewed, and all others.
    clustered : Estimates
        The changes by category with standard errors clustered on county.
    display : JointDisplay
        Means and changes by category beside the categories in words.
    """

    by_category: Fit
    means: Estimates
    changes: Estimates
    tests: Estimates
    supporter_sd: float
    changes_by_sessions: Estimates
    changes_given_category: Estimates
    changes_by_treatment: Estimates
    means_by_consent: Estimates
    clustered: Estimates
    display: JointDisplay

    def _tables(self) -> tuple[Table, ...]:
        return tabulate(self.means, columns=WITHOUT_N), tabulate(self.changes, columns=WITHOUT_N)

    def __repr__(self) -> str:
        fit = self.by_category
        return for_terminal(
            f"<PeerSupport: {fit.outcome.label}; {subjects(fit.n_subjects, fit.design.policy, of=fit.design.n_cohort)}>"
        )


def peer_support_analysis(
    cohort: Cohort, outcome: str = "exhaustion", *, assumptions: Sequence[str] = ASSUMPTIONS
) -> PeerSupport:
    """Analyze a cohort with the columns of the synthetic peer-support cohort.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
    assumptions : sequence of str
        Sentences under every table and under the display: those of the synthetic cohort; say your own for another.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for a column that the cohort does not have.

    >>> from burnout_stats.studies import example
    >>> peer_support_analysis(example("peer_support"))
    <PeerSupport: Emotional exhaustion; 450 subjects>
    """

    def asked(by: str) -> Fit:
        return fit(MMRM(f"{outcome} ~ visit * {by} + (1 | supporter)"), cohort)

    def changes(fitted: Fit, by: str, *notes: str) -> Estimates:
        return _said(contrast(emmeans(fitted, "visit", by=by)), (*notes, *assumptions))

    by_category = asked("category")
    means = _said(emmeans(by_category, "visit", by="category"), (NESTED, *assumptions))
    course = changes(by_category, "category", NESTED, SUPPORTERS_CHANGE)
    given = fit(MMRM(f"{outcome} ~ visit * sessions + visit * category + (1 | supporter)"), cohort)
    robust = fit(MMRM(f"{outcome} ~ visit * category", cluster="county"), cohort)
    return PeerSupport(
        by_category=by_category,
        means=means,
        changes=course,
        tests=_said(term_tests(by_category), (NESTED, *assumptions)),
        supporter_sd=float(by_category.clusters.sd) if by_category.clusters is not None else float("nan"),
        changes_by_sessions=changes(asked("sessions"), "sessions", CHOSEN, NESTED),
        changes_given_category=changes(given, "sessions", CHOSEN, NESTED),
        changes_by_treatment=changes(asked("treatment"), "treatment", TREATED, NESTED),
        means_by_consent=_said(emmeans(asked("consent"), "visit", by="consent"), (SELECTED, NESTED, *assumptions)),
        clustered=changes(robust, "category", COUNTIES),
        display=joint_display(
            means,
            course,
            themes=themes(),
            factor="category",
            source="the 2021 interview study for its help-seeking categories",
            notes=assumptions,
        ),
    )


def _said(estimates: Estimates, notes: Sequence[str]) -> Estimates:
    """The estimates with these notes."""
    return replace(estimates, about=replace(estimates.about, notes=(*estimates.about.notes, *notes)))
