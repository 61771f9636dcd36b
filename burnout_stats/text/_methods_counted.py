"""The paragraph on statistical methods of models of events, ordered categories and counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._version import __version__
from ..display.escape import clean
from ..display.styles import MINUS
from ..engine.multiplicity import ADJUSTMENTS
from ..estimates import Estimates
from ..estimates.quantities import RATIOS
from ..estimates.tabulation import in_sentence, percent_of
from ..models.fitted import Fitted
from ..models.gee import GEE
from ..models.generalized import GLMM
from ..models.generalized_fit import GeneralizedFit

__all__ = ["counted_methods"]

_KINDS = {
    "binomial": "a mixed-effects {link} model",
    "ordinal": "a mixed-effects model of cumulative logits with proportional odds",
    "poisson": "a mixed-effects Poisson model",
    "negative_binomial": "a mixed-effects negative binomial model",
}
MISSING = (
    "Subjects with missing visits contributed the scores they had, which is valid if, given the observed scores and "
    "the covariates, whether a score is missing does not depend on its value (missing at random)."
)
_LINKS = {"logit": "logistic", "probit": "probit"}
_ZEROS = {"inflated": ", with a share of extra zeros", "none": ", given that they were above 0"}


def counted_methods(
    fit: Fitted, means: Estimates | None, changes: Estimates | None, *, tells_rows: bool, tells_subjects: bool
) -> str:
    """What was modeled and how; `changes` may be differences or ratios."""
    spec = fit.spec
    assert isinstance(spec, GLMM | GEE)
    label = next(iter(means.about.outcomes.values())) if means is not None else fit.outcome.label
    terms = [" × ".join(factor.variable.replace("_", " ") for factor in term) for term in spec.parsed.terms]
    fixed = f"with {_listed(terms)} as fixed effects" if terms else "with an intercept alone"
    n_obs, n = getattr(fit, "n_obs", None), fit.n_subjects
    scores = f"{n_obs} scores" if tells_rows and n_obs is not None else "the scores"
    subjects = f"{n} subjects" if tells_subjects else "the subjects"
    if isinstance(spec, GEE):
        how = f"{spec.family}, {spec.link_name} link, {spec.structure_name}"
        sentences = [
            f"{label} was analyzed by generalized estimating equations ({how}) {fixed}.",
            f"They were solved for {scores} of {subjects}; standard errors are robust.",
            "Scores are taken to be missing completely at random given the covariates.",
        ]
    else:
        kind = _KINDS[spec.family].format(link=_LINKS.get(spec.link_name, spec.link_name))
        parts = _listed([str(part) for part in spec.parsed.random])
        kind += _ZEROS.get(spec.zeros or "", "")
        sentences = [
            f"{label} was analyzed with {kind}, {fixed} and the random effects {parts}.",
            f"It was fitted by maximum likelihood to {scores} of {subjects}, {_nodes(fit, spec)}.",
            MISSING,
        ]
    if spec.parsed.terms and getattr(spec, "penalty", None):
        sentences.append("A penalty that vanishes as data grow kept the estimates finite.")
    if means is not None:
        sentences.append(_means(means))
    if changes is not None:
        sentences.append(_changes(changes))
    if not getattr(fit, "converged", True):
        sentences.append("The optimization did not converge, so these numbers should not be reported.")
    sentences.append(f"The analysis used burnout_stats {__version__}.")
    return clean(" ".join(sentences))


def _nodes(fit: Fitted, spec: GLMM) -> str:
    if isinstance(fit, GeneralizedFit) and not fit.problem.sizes[1]:
        return "in which the random effects had no variance"
    n = spec.nodes(len(fit.design.random.names) if fit.design.random is not None else 1)
    return "by Laplace's approximation" if n == 1 else f"by adaptive Gauss-Hermite quadrature with {n} nodes"


def _means(means: Estimates) -> str:
    about = means.about
    over = " and ".join(name.replace("_", " ") for name in (*about.factors, *about.by))
    what = {"probability": "Probabilities", "count": "Mean counts"}.get(about.quantity, "Linear predictors")
    how = "; ".join(in_sentence(note.rstrip(".")) for note in about.notes if not note.startswith("Counted:"))
    return f"{what} by {over} are given with {percent_of(about.conf_level)} confidence intervals: {how}."


def _changes(changes: Estimates) -> str:
    about = changes.about
    names = list(dict.fromkeys(changes.frame["contrast"].astype(str)))
    shown = _listed([name.replace(" - ", f" {MINUS} ") for name in names])
    what = f"{RATIOS[about.kind].name}s" if about.kind in RATIOS else "differences"
    sentence = f"The {what} were {shown}, tested by the {_distribution(changes)}."
    if about.adjust != "none":
        name = ADJUSTMENTS[about.adjust].name
        return f"{sentence} Their p values were adjusted for several tests by the method of {name}."
    return sentence


def _distribution(changes: Estimates) -> str:
    df = changes.frame["df"].to_numpy(dtype=float)
    return "normal distribution" if np.isinf(df[~np.isnan(df)]).all() else "t distribution"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
