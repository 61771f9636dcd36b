"""What was asked of a model, as the writers of other programs' calls need it: plain names, levels, terms, structure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..design.encode import Variable
from ..design.grid import AVERAGED
from ..design.parse import Factor, Formula, Random
from ..estimates import Estimates
from ._calls_quoting import plain_names

if TYPE_CHECKING:
    from ..models import Fit

__all__ = ["DATA", "Asked", "Question", "is_transformed", "question"]

DIFFERENCE = " - "
DATA = "Data: one row for each subject and visit, as they were analyzed (missing codes emptied, scores made)."


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Differences between the visits in the marginal means, and how these were averaged.

    Attributes
    ----------
    pairs : (later, earlier) positions of the visits, in the order of the contrasts
    by : factor within which they were asked, or empty
    equal : whether the other factors were averaged with equal weights
    conf_level : float
    adjust : how p values were adjusted over the contrasts, "none" where they were not
    """

    pairs: tuple[tuple[int, int], ...]
    by: str
    equal: bool
    conf_level: float
    adjust: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A fitted model's question in plain names.

    Attributes
    ----------
    fit : Fit
    files : name of each column in the data file, by our name
    names : plain name of each column, by our name
    data : name of the data file
    df_method, vcov : as of the estimates that are reported, or the defaults
    asked : Asked or None
        None where no contrast between visits was given, or one that has no short call.
    unasked : str
        Why there is no `asked`, where contrasts were given.
    """

    fit: Fit
    files: Mapping[str, str]
    names: Mapping[str, str]
    data: str
    df_method: str
    vcov: str
    asked: Asked | None
    unasked: str = ""

    @property
    def formula(self) -> Formula:
        """The formula that was fitted."""
        return self.fit.spec.parsed

    @property
    def outcome(self) -> str:
        """The plain name of the outcome."""
        return self.names[self.formula.response]

    @property
    def levels(self) -> tuple[str, ...]:
        """The visits that the model has."""
        return self.fit.visits.labels

    @property
    def variables(self) -> Mapping[str, Variable]:
        """The variables of the fixed part, with their levels."""
        return self.fit.design.encoder.variables

    @property
    def factors(self) -> tuple[str, ...]:
        """The factors of the fixed part but for the visit."""
        return tuple(name for name, v in self.variables.items() if v.is_categorical and name != "visit")

    @property
    def covariates(self) -> tuple[str, ...]:
        """The numeric variables of the fixed part."""
        return tuple(name for name, v in self.variables.items() if not v.is_categorical)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the model reads, the subject and the visit first, by our name."""
        return tuple(self.names)

    @property
    def clusters(self) -> str:
        """The cluster of a random intercept above the subject, by our name, or empty."""
        return next((part.group for part in self.formula.random if part.group != "subject"), "")

    @property
    def random(self) -> tuple[Random, ...]:
        """The random effects of the subject."""
        return tuple(part for part in self.formula.random if part.group == "subject")

    @property
    def made(self) -> dict[Factor, str]:
        """The columns that transforms make, and what SAS and Stata call them."""
        factors = [factor for term in self.formula.terms for factor in term]
        factors += [factor for part in self.random for term in part.terms for factor in term]
        made = dict.fromkeys(factor for factor in factors if is_transformed(factor))
        return {factor: f"_t{place}" for place, factor in enumerate(made, start=1)}

    def categories(self, name: str) -> tuple[str, ...]:
        """The levels of a categorical column, the reference first; none where it is numeric or only a key."""
        if name == "visit":
            return self.levels
        if name == self.fit.spec.covariance_by:
            return self.fit.design.groups
        variable = self.variables.get(name)
        return variable.levels if variable is not None else ()

    def is_number(self, name: str) -> bool:
        """Whether a column holds numbers."""
        numeric = name in (self.formula.response, self.fit.spec.weights, "years", "exact_years")
        return numeric or (name in self.variables and not self.variables[name].is_categorical) or name in self._slopes

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns that the file has: all but the years, which follow from the visits."""
        return tuple(name for name in self.names if name != "years")

    @property
    def years(self) -> tuple[str, ...]:
        """The years of the visits, as numbers of a program."""
        return tuple(f"{value:.15g}" for value in self.fit.visits.years)

    @property
    def _slopes(self) -> frozenset[str]:
        terms = (factor for part in self.random for term in part.terms for factor in term)
        return frozenset(factor.variable for factor in terms if not self.categories(factor.variable))


def question(fit: Fit, changes: Estimates | None, *, subject: str, visit: str, data: str) -> Question:
    """The question of a fit, and of the contrasts that were asked of it."""
    spec, parsed = fit.spec, fit.spec.parsed
    random = [factor.variable for part in parsed.random for term in part.terms for factor in term]
    sides = [name for name in (spec.covariance_by, spec.weights, spec.cluster) if name]
    nested = [part.group for part in parsed.random if part.group != "subject"]
    needs_years = ["years"] if spec.structure_code == "sp_exp" else []
    wanted = ["subject", "visit", *needs_years, parsed.response, *parsed.variables, *random, *sides, *nested]
    names = plain_names(wanted)
    asked, unasked = (None, "") if changes is None else _asked(fit, changes)
    return Question(
        fit=fit,
        files={name: name for name in names} | {"subject": subject, "visit": visit},
        names=names,
        data=data,
        df_method=_df_method(fit, changes),
        vcov=fit.default_vcov if changes is None else changes.about.vcov,
        asked=asked,
        unasked=unasked,
    )


def _df_method(fit: Fit, changes: Estimates | None) -> str:
    if changes is not None and changes.about.df_method:
        return changes.about.df_method
    return "kenward-roger" if fit.spec.method == "reml" and fit.default_vcov == "model" else "satterthwaite"


def _asked(fit: Fit, changes: Estimates) -> tuple[Asked | None, str]:
    about, labels = changes.about, list(fit.visits.labels)
    if about.kind != "contrasts" or "visit" not in fit.design.encoder.variables:
        return None, "the contrasts are not between visits"
    pairs = []
    for name in dict.fromkeys(changes.frame["contrast"].astype(str)):
        found = [
            (labels.index(later), labels.index(earlier))
            for later in labels
            for earlier in labels
            if later != earlier and name == f"{later}{DIFFERENCE}{earlier}"
        ]
        if len(found) != 1:
            return None, "the contrasts are not differences between two visits"
        pairs += found
    if len(about.by) > 1:
        return None, "the contrasts were asked within several factors"
    notes = " ".join(about.notes)
    others = [name for name in fit.design.encoder.variables if name != "visit" and name not in about.by]
    if "population" in notes or "mean over rows" in notes:
        return None, "the means were averaged over a given population or over rows"
    held = [name for name in others if not fit.design.encoder.variables[name].is_categorical]
    if held and notes.count("(mean over subjects)") < len(held):
        return None, "the means were held at given values of a covariate"
    by = about.by[0] if about.by else ""
    equal = AVERAGED["equal"] in notes
    return Asked(pairs=tuple(pairs), by=by, equal=equal, conf_level=about.conf_level, adjust=about.adjust), ""


def is_transformed(factor: Factor) -> bool:
    """Whether a numeric factor stands in the formula as something else than itself."""
    return bool(factor.transform) and factor.transform != "coded"
