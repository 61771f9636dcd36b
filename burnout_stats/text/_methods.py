"""The paragraph on statistical methods, built from the objects that did the work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from .._version import __version__
from ..display.escape import clean
from ..display.language import ENGLISH, label, language_of
from ..display.styles import MINUS
from ..engine.multiplicity import ADJUSTMENTS
from ..estimates import Estimates
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import in_sentence, percent_of
from ..models import Fit
from ..models.degrees_of_freedom import DF_METHODS
from ..models.fitted import Fitted
from ..models.spec import METHODS
from ._methods_counted import counted_methods

if TYPE_CHECKING:
    from ..design.parse import Factor, Random

__all__ = ["methods"]


def methods(
    fit: Fit | Fitted,
    *,
    means: Estimates | None = None,
    changes: Estimates | None = None,
    tells_rows: bool = True,
    tells_subjects: bool = True,
    language: str = ENGLISH,
) -> str:
    """A paragraph that says what was modeled and how.

    Outcome, fixed effects, covariance, estimation, missing visits, degrees of freedom, averaging, contrasts,
    multiplicity and software.

    Parameters
    ----------
    fit : Fit, or a fitted model of events, ordered categories or counts
    means : Estimates, optional
        The marginal means that are reported; the paragraph then says what they were averaged over.
    changes : Estimates, optional
        The contrasts that are reported; the paragraph then says which they are and how their p values were adjusted.
    tells_rows : bool
        Whether the number of scores may be told: less those of the visits that are shown, it tells a hidden one. It is
        never told with means of which some are hidden.
    tells_subjects : bool
        Whether the number of subjects may be told.
    language : str
        "en", or "nb" for Norwegian bokmål; a paragraph with a sentence that the catalog does not know stays English.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for a language that is not spoken here.
    """
    spoken = language_of(language)
    asked = means if changes is None else changes
    if getattr(fit.spec, "family", ""):
        found = counted_methods(fit, means, changes, tells_rows=tells_rows, tells_subjects=tells_subjects)
        return label(found, spoken)
    fit = cast(Fit, fit)
    tells_rows = tells_rows and not (means is not None and HIDDEN in means.frame and means.frame[HIDDEN].any())
    sentences = [
        _model(fit),
        *([_random(fit)] if fit.spec.parsed.random else []),
        _estimation(fit, tells_rows, tells_subjects),
        _missing(fit),
        *([_degrees_of_freedom(asked.about.df_method)] if asked is not None else []),
        *([_means(means)] if means is not None else []),
        *([_contrasts(changes)] if changes is not None else []),
        *([] if fit.converged else ["The optimization did not converge, so these numbers should not be reported."]),
        f"The analysis used burnout_stats {__version__}.",
    ]
    return label(clean(" ".join(sentences)), spoken)


def _model(fit: Fit) -> str:
    terms = [[_word(factor) for factor in term] for term in fit.spec.parsed.terms]
    alone = [term[0] for term in terms if len(term) == 1]
    together = [" × ".join(term) for term in terms if len(term) > 1]
    parts = [_listed(alone)] if alone else []
    if together:
        parts.append(f"the {'interaction' if len(together) == 1 else 'interactions'} {_listed(together)}")
    fixed = f" with {', and '.join(parts)} as fixed effects" if parts else " with an intercept alone"
    kind = "linear mixed model" if _of_subjects(fit) else "mixed model for repeated measures"
    return f"{fit.outcome.label} was analyzed with a {kind}{fixed}."


def _of_subjects(fit: Fit) -> list[Random]:
    return [part for part in fit.spec.parsed.random if part.group == "subject"]


def _random(fit: Fit) -> str:
    """The random effects, where there are any, as a sentence."""
    told = []
    for part in fit.spec.parsed.random:
        effects = ["an intercept"] * part.intercept + [" × ".join(map(_word, term)) for term in part.terms]
        several = ", correlated" if part.correlated else ", uncorrelated"
        told.append(f"{_listed(effects)} of the {part.group.replace('_', ' ')}{several if len(effects) > 1 else ''}")
    return f"Random effects were {'; '.join(told)}." if told else ""


def _estimation(fit: Fit, tells_rows: bool, tells_subjects: bool) -> str:
    structure = fit.spec.structure_name
    article = "an" if structure[:1] in "aeiou" else "a"
    visits = _listed(list(fit.visits.labels))
    scores = f"{fit.n_obs} scores" if tells_rows else "the scores"
    subjects = f"{fit.n_subjects} subjects" if tells_subjects else "the subjects"
    if _of_subjects(fit):
        return f"It was fitted by {METHODS[fit.spec.method]} to {scores} of {subjects}."
    return (
        f"The scores of a subject at {visits} had {article} {structure} covariance matrix, and the model was fitted by "
        f"{METHODS[fit.spec.method]} to {scores} of {subjects}."
    )


def _missing(fit: Fit) -> str:
    whole = fit.n_obs == fit.n_subjects * len(fit.visits)
    if whole:
        return "Every subject had a score at every visit."
    return (
        "Subjects with missing visits contributed the scores they had, without imputation; this likelihood-based "
        "analysis is valid if, given the observed scores and the covariates, whether a score is missing does not "
        "depend on its value (missing at random)."
    )


def _degrees_of_freedom(method: str) -> str:
    name = DF_METHODS[method].name if method in DF_METHODS else method
    if method == "asymptotic":
        return "Tests and intervals used the normal distribution."
    corrected = "Standard errors and degrees of freedom" if method.startswith("kenward-roger") else "Degrees of freedom"
    return f"{corrected} were those of {name}."


def _means(means: Estimates) -> str:
    over = " and ".join(name.replace("_", " ") for name in (*means.about.factors, *means.about.by))
    level = percent_of(means.about.conf_level)
    how = "; ".join(in_sentence(note.rstrip(".")) for note in means.about.notes)
    return f"Model means by {over} are given with {level} confidence intervals{f': {how}' if how else ''}."


def _contrasts(changes: Estimates) -> str:
    about = changes.about
    names = list(dict.fromkeys(changes.frame["contrast"].astype(str)))
    shown = [name.replace(" - ", f" {MINUS} ") for name in names]
    within = f", within each level of {_listed([name.replace('_', ' ') for name in about.by])}" if about.by else ""
    sentence = f"The contrasts of these means were {_listed(shown)}{within}."
    if about.adjust != "none":
        method = ADJUSTMENTS.get(about.adjust)
        simultaneous = method is not None and method.critical is not None
        intervals = "their intervals are simultaneous too" if simultaneous else "their intervals were not adjusted"
        name = about.adjust if method is None else method.name
        return f"{sentence} Their p values were adjusted for several tests by the method of {name}; {intervals}."
    if len(names) > 1:
        return f"{sentence} P values were not adjusted for several tests."
    return sentence


def _word(factor: Factor) -> str:
    words = factor.variable.replace("_", " ")
    return f"{words} ({factor.transform})" if factor.transform else words


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
