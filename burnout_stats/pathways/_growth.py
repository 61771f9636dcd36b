"""Growth curves of one outcome: a straight line, a step, a basis that the data choose, two pieces; and how each fits.

    y_k = α + Σ_j λ_jk β_j + e_k,   (α, β) normal with free means,   Var e_k = σ²

    linear          λ_k = t_k                             β is the change per year
    step            λ_0 = 0, all others 1                 β is the change from the first visit to any other
    latent basis    λ_0 = 0, λ_last = 1, others free      β is the whole change, λ_k the share of it reached by visit k
    piecewise       λ_1k = min(t_k, τ), λ_2k = t_k − λ_1k  changes per year before and after the knot τ

**Source**: Meredith & Tisak 1990, Psychometrika 55:107 (latent basis); McArdle & Epstein 1987, Child Dev 58:110;
Bollen & Curran 2006, Latent Curve Models, chapters 2-4 (identification, freed loadings, pieces); Flora 2008, Struct Equ
Modeling 15:513 (pieces).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..cohort import Cohort
from ..describe._pairs import checked_level
from ..engine.jets import Jet
from ..engine.structural import StructuralFit
from ..errors import StudyError, did_you_mean, one_of
from ..estimates import About, Estimates
from ..notices import Notice, announce
from ._asymptotic import Part, Quantity, correlation, estimates_of_quantities, labelled
from ._change_score import known_error
from ._fitting import LIKELIHOOD, Wide, chosen, covariance_of, fit_sentence, fitted, trouble
from ._growth_curve import SHAPES, Curve, curve_of
from ._nested import compared

__all__ = ["SHAPES", "growth", "growth_shapes"]

Array = NDArray[np.float64]
NESTED = (("linear", "latent_basis"), ("step", "latent_basis"), ("step", "piecewise"))
"""Which shape is another one with restrictions."""
LINE = (
    "A straight line has one change per year from the first visit to the last; a fall that then stays flat contradicts "
    "it, and its mean change per year then describes no part of the time."
)
COUNT = (
    "{K} visits give {K} means and {C} variances and covariances. {used} parameters for variances and covariances are "
    "used here; {fixed}"
)
FIXED: Mapping[str, str] = {
    "equal": "the variance of the error is held equal over visits.",
    "free": "the variance of the error is free at every visit.",
    "known": (
        "the variance of the error is taken as {value:.3g} at every visit ({source}), without error of its own; what "
        "goes up and down from visit to visit and is no error of measurement then counts against the shape."
    ),
}
NOT_NESTED = (
    "Chi-square differences stand only between a shape and one that contains it; a straight line and two pieces with "
    "one random change are compared by BIC."
)
SHARE = (
    "Where the whole change is near 0 the share of it is not identified; where all of it is reached by the second "
    "visit, the variances need errors that are equal over visits."
)
SECOND = (
    "Three visits cannot tell a variance of the second change from error: with it there are 7 variances and "
    "covariances to be had from 6. Its variance, and its covariances with the others, are fixed to 0 (all persons have "
    "the same second change) unless a reliability is given."
)


def growth(
    cohort: Cohort,
    outcome: str,
    *,
    shape: str = "latent_basis",
    visits: Sequence[str] | None = None,
    knot: str | None = None,
    errors: str = "equal",
    reliability: float | None = None,
    error_variance: float | None = None,
    vcov: str = "model",
    conf_level: float = 0.95,
) -> Estimates:
    """The level at the first visit and the change since, with how much persons differ in them.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
        An outcome or numeric covariate.
    shape : "linear", "step", "latent_basis" or "piecewise"
    visits : names, optional
        Which visits, three or more; all where left out.
    knot : str, optional
        The visit between the two pieces; the second where left out.
    errors : "equal" or "free"
        Whether the variance of the error is the same at every visit.
    reliability, error_variance : float, optional
        Either, from outside the cohort: the variance of the error is then known, and the second piece may vary too.
    vcov : "model" or "robust"
    conf_level : float

    Returns
    -------
    Estimates
        Kind "growth", named by `term`: means, expected means at each visit, variances and correlations.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN`, `E-STUDY-VISITS`, `E-STUDY-OPTION`, `E-STUDY-VALUE`.
    ModelError
        `E-MODEL-NO-SPREAD`, `E-MODEL-NOT-IDENTIFIED`.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> found = growth(example("villa_sana"), "exhaustion")
    >>> found.frame["term"].tolist()[:3]
    ['mean, baseline', 'mean change, baseline to 3 years', 'share of the change reached, 1 year']
    """
    level = checked_level(conf_level)
    one_of("shape", shape, SHAPES)
    wide = chosen(cohort, (outcome,), visits, least=3)
    known = _known(wide, errors, reliability, error_variance)
    curve = curve_of(wide, shape, _place(wide, knot), errors, known)
    what = f"the growth curve ({shape.replace('_', ' ')})"
    fit = fitted(wide.flat, curve.template, curve.start, what=what)
    V, said = covariance_of(fit, vcov)
    notices = trouble(fit, what)
    announce(notices)
    about = About(
        kind="growth",
        outcomes={outcome: wide.labels[0]},
        visit_years=dict(zip(wide.visits, wide.years.tolist(), strict=True)),
        factors=("term",),
        conf_level=level,
        df_method="asymptotic",
        vcov=vcov,
        notes=(
            f"Shape: {shape.replace('_', ' ')} ({SHAPES[shape]}).",
            LIKELIHOOD.format(said=said),
            *_identification(wide, shape, curve, errors, known),
            fit_sentence(fit),
        ),
        policy=cohort.policy,
    )
    part = Part(quantities=_quantities(wide, curve, fit), vcov=V, seen=wide.seen)
    return estimates_of_quantities([part], about, notices=notices)


def growth_shapes(
    cohort: Cohort,
    outcome: str,
    *,
    shapes: Sequence[str] = tuple(SHAPES),
    visits: Sequence[str] | None = None,
    knot: str | None = None,
    errors: str = "equal",
    reliability: float | None = None,
    error_variance: float | None = None,
) -> Estimates:
    """How well each shape of growth fits, and chi-square differences between those of which one contains the other.

    Parameters
    ----------
    cohort, outcome, visits, knot, errors, reliability, error_variance
        As in `growth`.
    shapes : names
        Of "linear", "step", "latent_basis", "piecewise".

    Returns
    -------
    Estimates
        Kind "model_comparison", named by `model`, `measure` and `against`.

    Raises
    ------
    StudyError, ModelError
        As `growth`.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> found = growth_shapes(example("villa_sana"), "exhaustion").frame
    >>> found.loc[found["measure"] == "chi-square", "df"].tolist()
    [3.0, 3.0, 2.0, 2.0]
    """
    for shape in shapes:
        one_of("shapes", shape, SHAPES)
    wide = chosen(cohort, (outcome,), visits, least=3)
    known = _known(wide, errors, reliability, error_variance)
    fits: dict[str, StructuralFit] = {}
    notices: list[Notice] = []
    for shape in dict.fromkeys(shapes):
        curve = curve_of(wide, shape, _place(wide, knot), errors, known)
        name = shape.replace("_", " ")
        fits[name] = fitted(wide.flat, curve.template, curve.start, what=f"the growth curve ({name})")
        notices += trouble(fits[name], f"the growth curve ({name})")
    nested = [(a.replace("_", " "), b.replace("_", " ")) for a, b in NESTED if a in shapes and b in shapes]
    if _place(wide, knot) != 1:
        nested = [pair for pair in nested if pair != ("step", "piecewise")]
    about = About(
        kind="model_comparison",
        conf_level=0.90,
        outcomes={outcome: wide.labels[0]},
        visit_years=dict(zip(wide.visits, wide.years.tolist(), strict=True)),
        factors=("model", "measure", "against"),
        notes=(
            *(f"{shape.replace('_', ' ').capitalize()}: {SHAPES[shape]}." for shape in dict.fromkeys(shapes)),
            *((LINE,) if "linear" in shapes else ()),
            *((SECOND,) if "piecewise" in shapes and len(wide.visits) == 3 and known is None else ()),
            FIXED["known" if known else errors]
            .format(value=known[0] if known else np.nan, source=known[1] if known else "")
            .capitalize(),
            NOT_NESTED,
        ),
        policy=cohort.policy,
    )
    announce(notices)
    return compared(fits, nested, outcome=outcome, seen=wide.seen, about=about, notices=tuple(notices))


def _known(
    wide: Wide, errors: str, reliability: float | None, error_variance: float | None
) -> tuple[float, str] | None:
    one_of("errors", errors, ("equal", "free"))
    if reliability is not None and error_variance is not None:
        raise StudyError(
            "E-STUDY-VALUE",
            "A reliability and an error variance are given.",
            "They say the same thing.",
            "Give one of them.",
        )
    variance = {wide.names[0]: float(np.nanvar(wide.Y[:, 0, 0]))}
    found = known_error(wide, variance, reliability, error_variance)
    return found[wide.names[0]] if found else None


def _place(wide: Wide, knot: str | None) -> int:
    """Which visit the knot is."""
    if knot is None:
        return 1
    inner = wide.visits[1:-1]
    if knot not in inner:
        raise StudyError(
            "E-STUDY-VISITS",
            f"The knot is `{knot}`.",
            f"It lies between the first and the last visit: {', '.join(inner)}.",
            did_you_mean(knot, inner),
        )
    return wide.visits.index(knot)


def _means(wide: Wide, curve: Curve, theta: Mapping[str, Jet]) -> dict[str, Jet]:
    """Means, the shares that are free, and the mean expected at each visit."""
    changes = [name for name in curve.basis if name != "level"]
    rows = {f"mean, {wide.visits[0]}": theta["mean level"]}
    rows |= {f"mean change, {curve.factors[name]}": theta[f"mean {name}"] for name in changes}
    for k, visit in enumerate(wide.visits):
        for name in changes:
            if isinstance(value := curve.basis[name][k], str):
                rows[f"share of the change reached, {visit}"] = theta[value]
    for k, visit in enumerate(wide.visits):
        total = theta["mean level"]
        for name in changes:
            weight = curve.basis[name][k]
            total = total + theta[f"mean {name}"] * (theta[weight] if isinstance(weight, str) else weight)
        rows[f"expected mean, {visit}"] = total
    return rows


def _variances(wide: Wide, curve: Curve, theta: Mapping[str, Jet]) -> dict[str, Jet]:
    rows = {f"variance, {wide.visits[0]}": theta["cov level level"]}
    rows |= {
        f"variance of the change, {curve.factors[name]}": theta[f"cov {name} {name}"] for name in curve.varying[1:]
    }
    errors = {label: jet for label, jet in theta.items() if label.startswith("error")}
    return rows | {f"variance of the {label.replace('error ', 'error, ')}": jet for label, jet in errors.items()}


def _correlations(wide: Wide, curve: Curve, theta: Mapping[str, Jet]) -> dict[str, Jet]:
    rows = {}
    for a, b in combinations(curve.varying, 2):
        begin = f"{wide.visits[0]} with the change" if a == "level" else f"the changes, {curve.factors[a]} with"
        term = f"correlation of {begin}{',' if a == 'level' else ''} {curve.factors[b]}"
        rows[term] = correlation(theta[f"cov {a} {b}"], theta[f"cov {a} {a}"], theta[f"cov {b} {b}"])
    return rows


def _quantities(wide: Wide, curve: Curve, fit: StructuralFit) -> list[Quantity]:
    theta = labelled(fit.theta, fit.labels)

    def rows(jets: Mapping[str, Jet], *, r: bool = False, variance: bool = False) -> list[Quantity]:
        return [
            Quantity(outcome=wide.names[0], names={"term": term}, jet=jet, is_correlation=r, is_variance=variance)
            for term, jet in jets.items()
        ]

    return [
        *rows(_means(wide, curve, theta)),
        *rows(_variances(wide, curve, theta), variance=True),
        *rows(_correlations(wide, curve, theta), r=True),
    ]


def _identification(
    wide: Wide, shape: str, curve: Curve, errors: str, known: tuple[float, str] | None
) -> tuple[str, ...]:
    """What the visits can and cannot tell of this shape."""
    K = len(wide.visits)
    V = len(curve.varying)
    unknown = 0 if known else 1 if errors == "equal" else K
    used = V * (V + 1) // 2 + unknown
    fixed = FIXED["known" if known else errors].format(
        value=known[0] if known else np.nan, source=known[1] if known else ""
    )
    said = COUNT.format(K=K, C=K * (K + 1) // 2, used=used, fixed=fixed)
    more = {"linear": (LINE,), "latent_basis": (SHARE,)}.get(shape, ())
    return (said, *more, *((SECOND,) if shape == "piecewise" and K == 3 and known is None else ()))
