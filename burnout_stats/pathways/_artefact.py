"""Whether a cross-lagged path may be an artefact: three looks at the same data that agree where x raises or lowers y.

    a: y₁ on x₀ given y₀      b: y₀ on x₀ given y₁      c: y₁ − y₀ on x₀

If y rises more in those with high x₀, then a > 0, b < 0 (of two persons who end alike, the one with high x₀ began
lower) and c > 0. Two scores that share a lasting cause and are measured with error give a > 0 and b > 0 without any
change that goes with x₀, by regression to the mean. All three are functions of the saturated mean and covariance of x₀,
y₀, x₁, y₁ and the covariates, estimated with everyone who has a score; their covariance is by the delta method.

**Source**: Sorjonen, Melin, Folke & Melin 2025, Front Psychol 16:1618120, and the papers cited there (the three models
and how their signs are read); Eriksson & Häggström 2014, PLoS ONE 9:e95949 (why a arises by itself).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..describe._characteristics import at_baseline
from ..describe._pairs import checked_level
from ..engine.multiplicity import t_quantile, two_sided_p
from ..engine.structural import Saturated, fit_structural
from ..errors import ModelError, StudyError, did_you_mean, one_of
from ..estimates import About, Estimates
from ..estimates.margins import counted
from ..notices import Notice, announce
from ._fitting import COVARIANCES, Wide, chosen
from ._nodes import COVARIATE, Node, score

__all__ = ["CHECKS", "Checked", "artefact_check", "checked", "covariate_columns", "flagged"]

Array = NDArray[np.float64]
CHECKS: tuple[tuple[str, float], ...] = (
    ("later given earlier", 1.0),
    ("earlier given later", -1.0),
    ("difference, unadjusted", 1.0),
)
"""The three looks, and the sign of each where y rises with x₀."""
RULE = (
    "Where the outcome rises more in those with a high earlier score of the other variable, the first and the third "
    "check are above 0 and the second is below it; where it falls more, the other way round."
)
VERDICT = (
    "Checks that disagree are what regression to the mean and errors of measurement bring about without any such "
    "change; they do not prove that there is none. Checks that agree do not prove a cause."
)
STEP = 1e-20
"""Of derivatives along the imaginary axis, which have no error of cancellation."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checked:
    """Claims between two visits: the variables of each claim (source, outcome), the `visits`, the values (claims, 3),
    their joint covariance (3 claims, 3 claims) by the name of the covariance of the parameters, and who took part.
    """

    claims: tuple[tuple[str, str], ...]
    visits: tuple[str, str]
    values: Array
    vcov: Mapping[str, Array]
    seen: NDArray[np.bool_]

    @property
    def disagree(self) -> NDArray[np.bool_]:
        """Whether the signs of a claim speak of different changes (claims,)."""
        signs = np.sign(self.values) * np.array([sign for _, sign in CHECKS])
        return np.asarray((signs != signs[:, :1]).any(axis=1))

    def said(self, outcomes: Mapping[str, str]) -> tuple[str, ...]:
        """The claims in words."""
        before, after = self.visits
        return tuple(
            f"{score(a, outcomes[a], before).label} \N{RIGHTWARDS ARROW} {score(b, outcomes[b], after).label}"
            for a, b in self.claims
        )


def artefact_check(
    cohort: Cohort,
    x: str,
    y: str,
    *,
    visits: Sequence[str] | None = None,
    covariates: Sequence[str] = (),
    vcov: str = "model",
    conf_level: float = 0.95,
) -> Estimates:
    """The three checks of the path from x to y, and of that from y to x, between two visits.

    Parameters
    ----------
    cohort : Cohort
    x, y : str
        Outcomes, or numeric covariates that were measured at each visit.
    visits : two names, optional
        The first two visits where left out.
    covariates : names
        As in `cross_lagged`; they enter all three checks.
    vcov : "model" or "robust"
        Standard errors from the observed information, or Huber-White.
    conf_level : float

    Returns
    -------
    Estimates
        Kind "artefact_check": rows named by `claim` and `check`. With the notice `N-MODEL-ARTEFACT` where the signs
        disagree.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN`, `E-STUDY-VISITS`, `E-STUDY-OPTION`, `E-STUDY-VALUE`.
    ModelError
        `E-MODEL-NOT-IDENTIFIED`.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> found = artefact_check(example("villa_sana"), "depression", "anxiety")
    >>> found.frame["check"].tolist()[:3]
    ['later given earlier', 'earlier given later', 'difference, unadjusted']
    """
    level = checked_level(conf_level)
    labels = cohort.visits.labels[:2] if visits is None else tuple(visits)
    wide = chosen(cohort, (x, y), labels)
    if len(wide.visits) != 2:
        raise StudyError(
            "E-STUDY-VISITS",
            f"The checks are asked of {len(wide.visits)} visits.",
            "They compare two visits.",
            "Name two visits.",
        )
    Z, _ = covariate_columns(cohort, covariates, (x, y))
    one_of("vcov", vcov, COVARIANCES)
    found = checked(wide, (0, 1), Z)
    values, own = found.values.reshape(-1), found.vcov[vcov]
    error = np.sqrt(np.diag(own))
    infinite = np.full(len(values), np.inf)
    half = t_quantile(level, infinite) * error
    outcomes = dict(zip(wide.names, wide.labels, strict=True))
    frame = pd.DataFrame(
        {
            "outcome": [to for _, to in found.claims for _ in CHECKS],
            "claim": [claim for claim in found.said(outcomes) for _ in CHECKS],
            "check": [name for name, _ in CHECKS] * len(found.claims),
            "estimate": values,
            "std_error": error,
            "df": infinite,
            "statistic": values / error,
            "p_value": two_sided_p(values / error, infinite),
            "conf_low": values - half,
            "conf_high": values + half,
            "n": int(found.seen.sum()),
            "method": "FIML",
        }
    )
    notice = flagged([found], outcomes)
    notices = () if notice is None else (notice,)
    announce(notices)
    spread = f"From the saturated mean and covariance of everyone with a score: {COVARIANCES[vcov]}."
    about = About(
        kind="artefact_check",
        outcomes=outcomes,
        visit_years=dict(zip(wide.visits, map(float, wide.years), strict=True)),
        factors=("claim", "check"),
        conf_level=level,
        df_method="asymptotic",
        vcov=vcov,
        notes=(RULE, *(notice.message for notice in notices), VERDICT, spread),
        policy=cohort.policy,
    )
    return Estimates(frame=frame, vcov=own, about=about, notices=notices, margins=counted([found.seen] * len(frame)))


def checked(wide: Wide, pair: tuple[int, int], Z: Array) -> Checked:
    """The claims x -> y and y -> x between two visits of `wide`, two variables at each, with covariates Z (n, c).

    Raises
    ------
    ModelError
        `E-MODEL-NOT-IDENTIFIED` where the data do not tell the mean and covariance of these scores.
    """
    before, after = pair
    scores = wide.Y[:, :, [before, after]].reshape(len(wide.Y), 4)
    seen = np.asarray(~np.isnan(scores).all(axis=1))
    Y = np.column_stack([scores, Z])[seen]
    structure = Saturated(n_observed=Y.shape[1])
    fit = fit_structural(Y, structure)
    if not (fit.verified and fit.identified):
        raise ModelError(
            "E-MODEL-NOT-IDENTIFIED",
            f"No mean and covariance fit the scores at {wide.visits[before]} and {wide.visits[after]} best.",
            "Each two of them need persons in whom both were seen, and none may follow from the others.",
            "Leave out a covariate, or name other visits.",
        )
    theta = fit.theta + 1j * STEP * np.vstack([np.zeros(len(fit.theta)), np.eye(len(fit.theta))])
    _, S = structure.moments(theta)
    rest = list(range(4, Y.shape[1]))
    found = []
    for x, y0, y1 in ((0, 2, 3), (2, 0, 1)):  # the columns are x₀ x₁ y₀ y₁
        found += [
            _slope(S, S[..., y1], [x, y0, *rest]),
            _slope(S, S[..., y0], [x, y1, *rest]),
            _slope(S, S[..., y1] - S[..., y0], [x, *rest]),
        ]
    values = np.array([one[0].real for one in found])
    G = np.array([one[1:].imag / STEP for one in found])
    return Checked(
        claims=(wide.names, (wide.names[1], wide.names[0])),  # type: ignore[arg-type]  # two names
        visits=(wide.visits[before], wide.visits[after]),
        values=values.reshape(2, 3),
        vcov={"model": G @ fit.vcov @ G.T, "robust": G @ fit.robust_vcov @ G.T},
        seen=seen,
    )


def flagged(checks: Iterable[Checked], outcomes: Mapping[str, str]) -> Notice | None:
    """The notice that names the claims whose checks disagree."""
    claims = [claim for one in checks for claim, at in zip(one.said(outcomes), one.disagree, strict=True) if at]
    if not claims:
        return None
    return Notice(
        "N-MODEL-ARTEFACT",
        f"The artefact checks disagree in sign for: {'; '.join(claims)}.",
        "The path may be brought about by regression to the mean and errors of measurement; see artefact_check().",
    )


def covariate_columns(cohort: Cohort, names: Sequence[str], leave_out: Sequence[str]) -> tuple[Array, tuple[Node, ...]]:
    """Covariates as known at baseline (subjects, c), a column for each level of a factor after the first.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for a name that is none, or stands in the model already.
    """
    columns, nodes = [], []
    for name in names:
        if name not in cohort.covariates or name in leave_out:
            raise StudyError(
                "E-STUDY-COLUMN",
                f"`{name}` cannot be a covariate of this model.",
                f"The covariates of the cohort are: {', '.join(cohort.covariates) or 'none'}.",
                did_you_mean(name, cohort.covariates) or "Name one of them that is not an outcome of the model.",
            )
        (known,) = at_baseline(cohort, [name])
        if not known.levels:
            columns.append(known.values)
            nodes.append(Node(COVARIATE, name, "", known.label))
        for code, level in enumerate(known.levels[1:], 1):
            columns.append(np.where(known.known, (known.values == code).astype(float), np.nan))
            nodes.append(Node(COVARIATE, name, "", f"{known.label} ({level})"))
    return np.column_stack(columns) if columns else np.zeros((cohort.n_subjects, 0)), tuple(nodes)


def _slope(S: Array, with_target: Array, given: list[int]) -> Array:
    """The first coefficient of a regression on the columns `given` (..., ), from covariances."""
    across = with_target[..., given]
    return np.asarray(np.linalg.solve(S[..., given, :][..., given], across[..., None])[..., 0, 0])
