"""Which of several models the data prefer: likelihood-ratio tests where one model contains the other, and information
criteria.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations_with_replacement, pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from ..display import Cell, Column, Hidden, Row, Shown, Table
from ..display.escape import for_terminal
from ..errors import StudyError
from ..estimates import Policy
from ..models import Fit
from ..notices import Notice
from .weighted import refuse_weighted

__all__ = ["Comparison", "compare"]

Array = NDArray[np.float64]

WITHIN: dict[str, tuple[str, ...]] = {
    "cs": ("csh", "toep"),
    "csh": ("toeph",),
    "ar1": ("ar1h", "toep", "ad"),
    "ar1h": ("toeph", "adh"),
    "sp_exp": ("ad",),
    "toep": ("toeph",),
    "toeph": ("us",),
    "ad": ("adh",),
    "adh": ("us",),
    "us": (),
}
"""Each structure, and the next larger ones that contain it for any number of visits."""


COLUMNS = (
    Column("model", "Model"),
    Column("covariance", "Covariance"),
    Column("loglik", "Log-likelihood", "statistic"),
    Column("aic", "AIC", "statistic"),
    Column("aicc", "AICc", "statistic"),
    Column("bic", "BIC", "statistic"),
    Column("statistic", "chi-square", "statistic", spanner="Against the row above"),
    Column("df", "df", "count", symbol=True, spanner="Against the row above"),
    Column("p_value", "p", "p", symbol=True, spanner="Against the row above"),
    Column("n", "n", "count", symbol=True),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Comparison(Shown):
    """Several fits of the same data, side by side.

    Attributes
    ----------
    frame : DataFrame
        One row per fit, by number of parameters: `model` (as given, from 1), `formula`, `covariance`, `method`,
        `n_fixed`, `n_covariance`, `loglik`, `aic`, `aicc`, `bic`; `against` (the model it is tested against, the row
        above, where that is contained in it), `statistic`, `df`, `p_value`; `n` (subjects).
    notes : tuple of str
        How the criteria were counted, and what to know of the tests.
    notices : tuple of Notice
        Of all fits.
    policy : Policy
    """

    frame: pd.DataFrame
    notes: tuple[str, ...]
    notices: tuple[Notice, ...] = ()
    policy: Policy = field(default_factory=Policy)

    def __len__(self) -> int:
        return len(self.frame)

    def _tables(self) -> tuple[Table, ...]:
        return (_table(self),)

    def __repr__(self) -> str:
        best = self.frame["model"].iloc[int(np.argmin(self.frame["aic"]))]
        return for_terminal(f"<Comparison of {len(self)} models; smallest AIC: model {best}>")


def _table(comparison: Comparison) -> Table:
    """The comparison for people; its number of subjects, and what rests on them, hidden where they are few."""
    few = comparison.policy.min_cell
    rows = []
    for record in comparison.frame.to_dict("records"):
        hide = float(record["n"]) < few
        cells: list[Cell] = [f"{record['model']}: {record['formula']}", str(record["covariance"])]
        cells += [Hidden() if hide else float(record[key]) for key in ("loglik", "aic", "aicc", "bic")]
        tests = ("statistic", "df", "p_value")
        if pd.isna(record["p_value"]):
            cells += [""] * len(tests)
        elif hide:
            cells += [Hidden()] * len(tests)
        else:
            cells += [float(record[key]) for key in tests]
        cells.append(Hidden() if hide else int(record["n"]))
        rows.append(Row(tuple(cells)))
    hidden = (f"hidden: rests on fewer than {few} persons.",)
    return Table(
        title="Models compared",
        columns=COLUMNS,
        rows=tuple(rows),
        notes=(*comparison.notes, *(hidden if any(float(n) < few for n in comparison.frame["n"]) else ())),
    )


def compare(*fits: Fit) -> Comparison:
    """Compare fits of the same outcome on the same rows.

    Each fit is tested against the next smaller one by likelihood ratio where it contains it: the columns of its fixed
    effects span those of the other, and its covariance structure has the other as a special case. Where it does not,
    the criteria are still comparable, and the test is left out.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for fewer than two fits; `E-STUDY-OTHER-DATA` where outcome or rows differ; `E-STUDY-NEEDS-ML`
        where fixed effects differ under REML (whose likelihood is about other data then), or the methods differ.
    ModelError
        `E-MODEL-VCOV` with probability weights, which make no likelihood.

    **Source**: Wilks 1938, Ann Math Stat 9:60; Verbeke & Molenberghs 2000, Linear Mixed Models for Longitudinal Data,
    sections 6.2.3 (REML) and 6.3.2; Burnham & Anderson 2002 for the criteria.

    >>> from burnout_stats.models import MMRM, fit
    >>> from burnout_stats.studies import example
    >>> cohort = example("villa_sana")
    >>> both = [fit(MMRM("exhaustion ~ visit", covariance=code), cohort) for code in ("cs", "us")]
    >>> compare(*both).frame["df"].tolist()
    [nan, 4.0]
    """
    if len(fits) < 2:
        raise StudyError(
            "E-STUDY-VALUE",
            f"{len(fits)} fit{'' if len(fits) == 1 else 's'} to compare.",
            "A comparison needs two or more.",
            "Write for example compare(fit(small, cohort), fit(large, cohort)).",
        )
    for one in fits:
        refuse_weighted(one)
    for other in fits[1:]:
        _refuse_other_data(fits[0], other)
    spans = {(a, b): _spans(fits[a], fits[b]) for a in range(len(fits)) for b in range(len(fits)) if a != b}
    _refuse_reml(fits, all(spans.values()))
    order = sorted(range(len(fits)), key=lambda k: (_counted(fits[k]), k))
    rows = []
    for above, k in zip([None, *order], order, strict=False):
        row = _row(fits[k], k)
        if above is not None and spans[k, above] and _contains(fits[k], fits[above]):
            row |= _test(fits[above], fits[k], above)
        rows.append(row)
    notices = tuple(dict.fromkeys(notice for one in fits for notice in one.notices))
    return Comparison(frame=pd.DataFrame(rows), notes=_notes(fits), notices=notices, policy=fits[0].design.policy)


def _row(fit: Fit, k: int) -> dict[str, object]:
    return {
        "model": k + 1,
        "formula": fit.spec.formula,
        "covariance": _structure(fit),
        "method": fit.spec.method,
        "n_fixed": len(fit.kept),
        "n_covariance": fit.n_parameters,
        "loglik": fit.loglik,
        "aic": fit.aic,
        "aicc": fit.aicc,
        "bic": fit.bic,
        "against": pd.NA,
        "statistic": np.nan,
        "df": np.nan,
        "p_value": np.nan,
        "n": fit.n_subjects,
    }


def _test(small: Fit, large: Fit, above: int) -> dict[str, object]:
    df = _counted(large) - _counted(small)
    statistic = max(2 * (large.loglik - small.loglik), 0.0)
    p_value = float(special.chdtrc(df, statistic)) if df else np.nan
    return {"against": above + 1, "statistic": statistic, "df": float(df), "p_value": p_value}


def _counted(fit: Fit) -> int:
    return len(fit.kept) + fit.n_parameters


def _structure(fit: Fit) -> str:
    if fit.random is not None:
        return fit.spec.structure_name
    by = fit.spec.covariance_by
    return f"{fit.spec.structure_code} by {by}" if by else fit.spec.structure_code


def _refuse_other_data(one: Fit, other: Fit) -> None:
    same = one.outcome.name == other.outcome.name and (one.n_obs, one.n_subjects) == (other.n_obs, other.n_subjects)
    if same and one.rows is not None and other.rows is not None and one.rows is not other.rows:
        a, b = one.rows, other.rows
        same = (
            len(a.z) == len(b.z)
            and np.array_equal(a.ordinal[a.subject], b.ordinal[b.subject])
            and np.array_equal(a.visit, b.visit)
            and np.array_equal(a.z[:, -1], b.z[:, -1])
            and _same_weights(a.weight, b.weight)
        )
    if not same:
        raise StudyError(
            "E-STUDY-OTHER-DATA",
            f"One fit is of `{one.outcome.name}` in {one.n_obs} rows of {one.n_subjects} subjects, another of "
            f"`{other.outcome.name}` in {other.n_obs} rows of {other.n_subjects}, or of others.",
            "Likelihoods can be compared only where they are of the same scores of the same persons.",
            "Fit both to the rows that have every covariate of either, with cohort.subset(...).",
        )


def _same_weights(a: Array | None, b: Array | None) -> bool:
    if a is None or b is None:
        return a is b
    return np.array_equal(a, b)


def _refuse_reml(fits: tuple[Fit, ...], same_columns: bool) -> None:
    methods = {fit.spec.method for fit in fits}
    if methods == {"ml"} or (methods == {"reml"} and same_columns):
        return
    raise StudyError(
        "E-STUDY-NEEDS-ML",
        "The fits differ in their fixed effects, and not all are fitted by maximum likelihood."
        if len(methods) == 1
        else "Some fits are by maximum likelihood, others by REML.",
        "A restricted likelihood is that of the data freed of their fixed effects, which are other data for others.",
        'Fit all of them with method="ml"; the one you choose can then be fitted by REML.',
    )


def _spans(large: Fit, small: Fit) -> bool:
    """Whether every estimated column of `small` is a combination of the columns of `large`."""
    if large.rows is None or small.rows is None:
        return set(_terms(small)) <= set(_terms(large))
    X, Z = large.rows.z[:, large.kept], small.rows.z[:, small.kept]
    if X.shape[1] < Z.shape[1]:
        return False
    size = np.sqrt((Z**2).sum(0))
    scaled = X / np.sqrt((X**2).sum(0))
    beta, *_ = np.linalg.lstsq(scaled, Z / size, rcond=None)
    left = Z / size - scaled @ beta
    return bool((np.sqrt((left**2).sum(0)) < 1e-8).all())


def _terms(fit: Fit) -> list[str]:
    return [fit.design.names[k] for k in fit.kept]


def _contains(large: Fit, small: Fit) -> bool:
    """Whether the covariance of `small` is a special case of that of `large`."""
    if small.clusters is not None and (large.clusters is None or small.clusters.name != large.clusters.name):
        return False
    if large.random is not None:
        return small.random is not None and _random_effects(large) >= _random_effects(small)
    if small.random is not None:
        intercept = small.random.design.names == ("Intercept",)
        nominal = small.random.design.is_nominal
        return nominal and (large.spec.structure_code == "us" or (intercept and _reaches("cs", large)))
    if small.spec.covariance_by not in (None, large.spec.covariance_by):
        return False
    return _reaches(small.spec.structure_code, large)


def _reaches(code: str, large: Fit) -> bool:
    return code == large.spec.structure_code or any(_reaches(step, large) for step in WITHIN[code])


def _random_effects(fit: Fit) -> set[tuple[str, ...]]:
    """The variances and covariances that the random effects of a fit have, by group."""
    found: set[tuple[str, ...]] = set()
    for part in fit.design.formula.random:
        names = [*(["Intercept"] if part.intercept else []), *map(str, part.terms)]
        pairs = combinations_with_replacement(sorted(names), 2)
        found |= {(part.group, a, b) for a, b in pairs if part.correlated or a == b}
    return found


def _notes(fits: tuple[Fit, ...]) -> tuple[str, ...]:
    reml = fits[0].spec.method == "reml"
    counted = "covariance parameters only" if reml else "covariance parameters and fixed effects"
    rows = "rows less that of fixed effects" if reml else "rows"
    first = (
        f"AIC and BIC count {counted}; the BIC takes the logarithm of the number of subjects, the AICc that of {rows}."
    )
    notes = [first]
    if any(fit.random is not None or fit.clusters is not None for fit in fits):
        notes.append(
            "Where a variance of a random effect is 0 in the smaller model, it lies on the edge of what is possible: "
            "the p value is too large. With one more random effect beside q, the reference is the equal mixture of "
            "chi-squares on q and q + 1 degrees of freedom (Self & Liang 1987; Stram & Lee 1994)."
        )
    if any(_counted(a) == _counted(b) for a, b in pairwise(fits)):
        notes.append("Models of the same number of parameters are not tested against each other.")
    return tuple(notes)
