"""What SAMPL asks for around the numbers: the software with its versions, how the model was decided on and what it
takes for granted, which tests these are, and in which units.

**Source**: Lang & Altman 2013, in Smart et al. (eds), Science Editors' Handbook (SAMPL): name the statistical package
and its version, say whether tests are one- or two-tailed, how assumptions were checked, and in which units.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..display.escape import clean
from ..display.language import ENGLISH, label, language_of
from ..estimates import Estimates
from ..estimates.tabulation import in_sentence, percent_of
from ..models.degrees_of_freedom import DF_METHODS, ROBUST_METHODS
from ..models.spec import METHODS

if TYPE_CHECKING:
    from ..models import Fit

__all__ = ["assumptions", "decisions", "software"]

FIRST = ("burnout_stats", "python")
PROGRAMS = {"python": "Python", "numpy": "NumPy", "scipy": "SciPy", "matplotlib": "Matplotlib", "jinja2": "Jinja2"}
_SOFTWARE = {
    "en": ("The analysis used {main}", " under {python}", ", with {others}", " and "),
    "nb": ("Analysen brukte {main}", " under {python}", ", med {others}", " og "),
}


def software(versions: Mapping[str, str], *, language: str = ENGLISH) -> str:
    """The software and its versions, as a sentence.

    Parameters
    ----------
    versions : mapping of program to version
        Such as `Results.provenance.versions`; `burnout_stats` and `python` come first, the others in their order.
    language : "en" or "nb"

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for a language that is not spoken here.

    >>> software({"burnout_stats": "1.0", "python": "3.12.1", "numpy": "2.4.6", "pandas": "3.0.0"})
    'The analysis used burnout_stats 1.0 under Python 3.12.1, with NumPy 2.4.6 and pandas 3.0.0.'
    """
    main, under, beside, joint = _SOFTWARE[language_of(language)]
    named = {name: clean(f"{PROGRAMS.get(name, name)} {version}") for name, version in versions.items()}
    others = [told for name, told in named.items() if name not in FIRST]
    sentence = main.format(main=named.get("burnout_stats", "burnout_stats"))
    sentence += under.format(python=named["python"]) if "python" in named else ""
    if others:
        listed = others[0] if len(others) == 1 else f"{', '.join(others[:-1])}{joint}{others[-1]}"
        sentence += beside.format(others=listed)
    return f"{sentence}."


def decisions(fit: Fit, asked: Estimates | None = None) -> tuple[str, ...]:
    """How the model came to be the one that is reported: covariance, estimation, optimum, degrees of freedom.

    Parameters
    ----------
    fit : Fit
    asked : Estimates, optional
        The estimates that are reported: their method for degrees of freedom and their covariance.

    Returns
    -------
    tuple of str
        Sentences, in the order of the decisions.
    """
    spec = fit.spec
    n = fit.n_parameters
    apart = f", separately for each level of {spec.covariance_by.replace('_', ' ')}" if spec.covariance_by else ""
    covariance = f"{spec.structure_name}{apart}, with {n} parameter{'s' * (n != 1)}"
    told = [
        f"Covariance within a subject: {covariance}, as asked; no simpler one was put in its place.",
        f"Estimation: {METHODS[spec.method]}.",
        _optimum(fit),
    ]
    if asked is not None:
        method, vcov = asked.about.df_method, asked.about.vcov
        known = DF_METHODS if vcov == "model" else ROBUST_METHODS
        name = known[method].name if method in known else method
        told.append(f"Degrees of freedom: {name}.")
        errors = "of the model" if vcov == "model" else f"robust ({vcov.upper()})"
        told.append(f"Standard errors: {errors}.")
    return tuple(clean(sentence) for sentence in told)


def _optimum(fit: Fit) -> str:
    attempts = fit.optimum.attempts
    tries = f" (the best of {len(attempts)} runs of the optimizer)" if len(attempts) > 1 else ""
    if fit.converged:
        return f"Optimum: gradient and Hessian were verified{tries}."
    return f"Optimum: it could not be verified{tries}, so these numbers should not be reported."


def assumptions(fit: Fit, changes: Estimates, *, are_plotted: bool = True, language: str = ENGLISH) -> str:
    """Which tests these are, in which units, and what the model takes for granted.

    Parameters
    ----------
    fit : Fit
    changes : Estimates
        The contrasts that are reported.
    are_plotted : bool
        Whether the report shows the plots of the residuals (`figures.residuals`).
    language : "en" or "nb"

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for a language that is not spoken here.
    """
    spoken = language_of(language)
    unit = changes.about.units.get(fit.outcome.name) or ("points" if spoken == ENGLISH else "poeng")
    level = percent_of(changes.about.conf_level)
    outcome = in_sentence(fit.outcome.label)
    if spoken == ENGLISH:
        normal = "with this covariance at every combination of the terms"
        told = [
            f"Tests are two-sided, and intervals have {level} coverage.",
            f"Changes in {outcome} are in {unit} of its scale{_scale(fit, 'from {low} to {high}')}.",
            f"The model takes the scores around their means to be normally distributed, {normal}.",
        ]
        told += ["How far that holds can be judged from the plots of the residuals."] if are_plotted else []
    else:
        percent = label(f"{level} CI", spoken).removesuffix(" KI")
        normal = "med denne kovariansen for alle kombinasjoner av leddene"
        told = [
            f"Testene er tosidige, og intervallene har {percent} dekning.",
            f"Endringer i {outcome} er i {unit} på skalaen{_scale(fit, 'fra {low} til {high}').replace('.', ',')}.",
            f"Modellen tar skårene rundt gjennomsnittene for å være normalfordelt, {normal}.",
        ]
        told += ["Hvor langt det holder, kan bedømmes ut fra residualplottene."] if are_plotted else []
    return clean(" ".join(told))


def _scale(fit: Fit, words: str) -> str:
    limits = fit.outcome.range
    if limits is None:
        return ""
    low, high = (f"{limit:g}".replace("-", "\N{MINUS SIGN}") for limit in limits)
    return f" ({words.format(low=low, high=high)})"
