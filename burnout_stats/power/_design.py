"""`CohortDesign`: a study that is not made yet, as the numbers it is planned with.

Letters: A arms, V visits, P missingness patterns, K contrasts. A pattern is written as one digit per visit, "110" for
those who are seen at the first two of three visits. The mean of every arm at every visit is a parameter of the planned
model (`visit`, or `visit * arm`); with `baseline="common"` the arms share the mean at the first visit, as randomized
ones do (constrained longitudinal data analysis: Liang & Zeger 2000, Sankhyā B 62:134).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..display import Column, Row, Shown, Table
from ..display.escape import for_terminal
from ..engine.covariance import STRUCTURES
from ..errors import StudyError, one_of
from ..models.degrees_of_freedom import DF_METHODS

__all__ = [
    "ALTERNATIVES",
    "Alternative",
    "CohortDesign",
    "split",
]

Array = NDArray[np.float64]
Alternative: TypeAlias = Literal["two-sided", "less", "greater"]
ALTERNATIVES: tuple[Alternative, ...] = ("two-sided", "less", "greater")
BASELINES = ("free", "common")
SUM_TOLERANCE = 1e-6
"""How far probabilities of patterns may be from adding up to 1: those of a paper are rounded."""


def _wrong(seen: str, expected: str, advice: str) -> StudyError:
    return StudyError("E-STUDY-DESIGN", seen, expected, advice)


@dataclass(frozen=True, slots=True, repr=False)
class CohortDesign(Shown):
    """A one- or two-arm study with repeated visits, as it is assumed to be.

    Parameters
    ----------
    means : sequence of V numbers, or mapping of arm to such a sequence
        The means at the visits that are to be found out if they are true. The first arm is the one compared against.
    sd : number or sequence of V numbers
        Standard deviations between persons, the same in both arms.
    correlation : number or V × V matrix
        Between the scores of a person; one number for all pairs of visits. See `correlations`.
    visits : mapping of label to years
    contrasts : sequence of str
        "3 years - baseline": that change, and with two arms the difference of the arms in it; "3 years": the mean
        there, and with two arms their difference there. The change to the last visit where left out.
    patterns : mapping of pattern to probability, or mapping of arm to such a mapping
        "111": 0.6, "110": 0.3, ...; everyone is seen at every visit where left out. See `monotone_patterns` and
        `independent_patterns`.
    n : int
        Persons enrolled, all arms together.
    allocation : mapping of arm to share, optional
        Equal where left out; shares need not add up to 1.
    null : float
        The difference that is tested against.
    alternative : "two-sided", "less" or "greater"
    conf_level : float
    covariance : code of a covariance structure of the planned model; the assumed one must be of that kind
    df : degrees of freedom of the planned tests
    baseline : "free" or "common"
        Whether two arms have a mean each at the first visit.
    outcome, unit, better : str
        Words for the outcome.
    sources : mapping of an input ("means", "sd", "correlation", "patterns", ...) to where it is from

    Raises
    ------
    StudyError
        `E-STUDY-DESIGN`, `E-STUDY-OPTION`.

    >>> from burnout_stats.power import CohortDesign, monotone_patterns
    >>> villa = CohortDesign(
    ...     (3.0, 2.7, 2.6), sd=0.9, correlation=0.5, patterns=monotone_patterns((1, 0.85, 0.7)), n=227
    ... )
    >>> villa.differences().round(2).tolist(), villa.expected_n().round(1).tolist()
    ([-0.4], [[227.0, 193.0, 158.9]])
    """

    means: Mapping[str, Sequence[float]] | Sequence[float]
    sd: float | Sequence[float] = field(kw_only=True)
    correlation: float | Sequence[Sequence[float]] | Array = field(kw_only=True)
    visits: Mapping[str, float] = field(
        kw_only=True, default_factory=lambda: {"baseline": 0, "1 year": 1, "3 years": 3}
    )
    contrasts: tuple[str, ...] = field(kw_only=True, default=())
    patterns: Mapping[str, float] | Mapping[str, Mapping[str, float]] = field(kw_only=True, default_factory=dict)
    n: int = field(kw_only=True, default=200)
    allocation: Mapping[str, float] = field(kw_only=True, default_factory=dict)
    null: float = field(kw_only=True, default=0.0)
    alternative: Alternative = field(kw_only=True, default="two-sided")
    conf_level: float = field(kw_only=True, default=0.95)
    covariance: str = field(kw_only=True, default="us")
    df: str = field(kw_only=True, default="kenward-roger")
    baseline: Literal["free", "common"] = field(kw_only=True, default="free")
    outcome: str = field(kw_only=True, default="score")
    unit: str = field(kw_only=True, default="")
    better: str = field(kw_only=True, default="lower")
    sources: Mapping[str, str] = field(kw_only=True, default_factory=dict)

    def __post_init__(self) -> None:
        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        visits = {str(label): float(years) for label, years in self.visits.items()}
        V = len(visits)
        if V < 1 or (np.diff(list(visits.values())) <= 0).any():
            raise _wrong(
                f"The visits are {_listed(f'{k} ({v:g})' for k, v in visits.items())}.",
                "A design has at least one visit, and their years increase.",
                'Give them in order: visits={"baseline": 0, "1 year": 1, "3 years": 3}.',
            )
        given = self.means if isinstance(self.means, Mapping) else {"all": self.means}
        means = {str(arm): _numbers(values, V, f"means of {arm}") for arm, values in given.items()}
        if len(means) not in (1, 2):
            raise _wrong(
                f"The design has {len(means)} arms.", "It may have one or two.", "Plan each pair of arms by itself."
            )
        put("visits", MappingProxyType(visits))
        put("means", MappingProxyType(means))
        sd = _numbers([self.sd] * V if np.ndim(self.sd) == 0 else self.sd, V, "standard deviations")  # type: ignore[list-item, arg-type]
        put("sd", sd)
        put("correlation", _correlation(self.correlation, V))
        if min(sd) <= 0:
            raise _wrong(f"A standard deviation is {min(sd):g}.", "It is above 0.", "Give the SD between persons.")
        put(
            "contrasts",
            tuple(self.contrasts) or ((f"{self.labels[-1]} - {self.labels[0]}" if V > 1 else self.labels[0]),),
        )
        for contrast in self.contrasts:
            _visit_weights(contrast, self.labels)
        put("patterns", MappingProxyType(_patterns(self.patterns, self.arms, V)))
        shares = {arm: float(self.allocation.get(arm, 1.0 if not self.allocation else np.nan)) for arm in self.arms}
        if set(self.allocation) - set(self.arms) or not all(share > 0 for share in shares.values()):
            raise _wrong(
                f"The allocation names {_listed(self.allocation)}; the arms are {_listed(self.arms)}.",
                "Every arm has a share above 0.",
                'For one in the first arm to two in the second: allocation={"control": 1, "help": 2}.',
            )
        put("allocation", MappingProxyType({arm: share / sum(shares.values()) for arm, share in shares.items()}))
        if int(self.n) != self.n or self.n < 1:
            raise _wrong(f"n is {self.n}.", "It is the whole number of persons enrolled, in all arms.", "Give n=200.")
        put("n", int(self.n))
        if not 0.5 < self.conf_level < 1:
            raise _wrong(f"conf_level is {self.conf_level:g}.", "It lies between 0.5 and 1.", "Give conf_level=0.95.")
        one_of("alternative", self.alternative, ALTERNATIVES)
        one_of("baseline", self.baseline, BASELINES)
        one_of("covariance", self.covariance, STRUCTURES)
        one_of("df", self.df, DF_METHODS)
        if len(means) == 2 and self.baseline == "common" and np.ptp([row[0] for row in means.values()]) > 0:
            raise _wrong(
                f"The means at {self.labels[0]} are {_listed(row[0] for row in means.values())}.",
                "Arms with a common baseline have one mean there.",
                'Give them the same first mean, or say baseline="free".',
            )
        put("sources", MappingProxyType(dict(self.sources)))

    def _tables(self) -> tuple[Table, ...]:
        from ._mmrm import assumptions  # it is built on this file

        several = len(self.arms) > 1
        means = [Column(f"mean {arm}", "Mean", "estimate", spanner=arm if several else "") for arm in self.arms]
        seen = [Column(f"seen {arm}", "Expected n", "estimate", spanner=arm if several else "") for arm in self.arms]
        rows = tuple(
            Row((label, float(self.sds[v]), *(float(m) for m in self.mu[:, v]), *(f"{n:.0f}" for n in came)))
            for v, (label, came) in enumerate(zip(self.labels, self.expected_n().T, strict=True))
        )
        columns = (Column("visit", "Visit"), Column("sd", "SD", "estimate"), *means, *seen)
        return (Table(title=f"A plan: {self.outcome}", columns=columns, rows=rows, notes=assumptions(self)),)

    def __repr__(self) -> str:
        arms = f"; {', '.join(self.arms)}" if len(self.arms) > 1 else ""
        return for_terminal(f"<CohortDesign: {self.n} persons at {', '.join(self.labels)}{arms}>")

    # ---- names and shapes

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the visits, in order."""
        return tuple(self.visits)

    @property
    def years(self) -> Array:
        """Since baseline, (V,)."""
        return np.array(list(self.visits.values()))

    @property
    def arms(self) -> tuple[str, ...]:
        """The first is the one compared against."""
        return tuple(self.means)  # type: ignore[arg-type]  # a mapping after __post_init__

    @property
    def mu(self) -> Array:
        """Assumed means, (A, V)."""
        return np.array([[float(m) for m in row] for row in self.means.values()])  # type: ignore[union-attr]

    @property
    def sds(self) -> Array:
        """Assumed standard deviations, (V,)."""
        return np.asarray(self.sd, dtype=float)

    @property
    def sigma(self) -> Array:
        """Assumed covariance of the visits, (V, V)."""
        sd = self.sds
        return np.asarray(sd[:, None] * np.asarray(self.correlation, dtype=float) * sd)

    @property
    def seen(self) -> NDArray[np.bool_]:
        """The patterns of all arms, (P, V)."""
        keys = list(dict.fromkeys(key for by in self.patterns.values() for key in by))  # type: ignore[union-attr]
        return np.array([[digit == "1" for digit in key] for key in keys])

    @property
    def probabilities(self) -> Array:
        """Of each pattern in each arm, (A, P), in the order of `seen`."""
        keys = ["".join(str(int(s)) for s in row) for row in self.seen]
        return np.array([[self.patterns[arm].get(key, 0.0) for key in keys] for arm in self.arms])  # type: ignore[union-attr]

    @property
    def shares(self) -> Array:
        """Of the arms, (A,), adding up to 1."""
        return np.array(list(self.allocation.values()))

    @property
    def n_by_arm(self) -> NDArray[np.intp]:
        """Whole numbers that add up to n and follow the allocation."""
        return split(np.array(self.n), self.shares)

    def expected_n(self) -> Array:
        """Persons expected at each visit of each arm, (A, V)."""
        return np.asarray(self.n_by_arm[:, None] * (self.probabilities @ self.seen))

    def with_n(self, n: int) -> CohortDesign:
        """The same design with another number of persons."""
        return replace(self, n=n)

    # ---- the planned model

    @property
    def columns(self) -> tuple[str, ...]:
        """What each column of X is: the "intercept", "between" (the arm) or "within" (visits, and arms at visits)."""
        later = ("within",) * (len(self.labels) - 1)
        arm = ("between",) if self.baseline == "free" else ()
        return ("intercept", *later) + ((*arm, *later) if len(self.arms) == 2 else ())

    @property
    def X(self) -> Array:
        """Rows of the design matrix by arm and visit, (A, V, p): intercept, later visits; the second arm, and it at
        later visits. The arm has no column of its own where the baseline is common.
        """
        V = len(self.labels)
        visits = np.column_stack([np.ones(V), np.eye(V)[:, 1:]])
        if len(self.arms) == 1:
            return visits[None]
        X = np.stack([np.hstack([visits, 0 * visits]), np.hstack([visits, visits])])
        return np.delete(X, V, axis=2) if self.baseline == "common" else X

    @property
    def beta(self) -> Array:
        """The coefficients that give the assumed means, (p,)."""
        X = self.X
        return np.asarray(np.linalg.lstsq(X.reshape(-1, X.shape[2]), self.mu.ravel(), rcond=None)[0], dtype=np.float64)

    @property
    def L(self) -> Array:
        """The contrasts as rows in β, (K, p)."""
        weights = self.weights
        return np.asarray(np.einsum("kav,avp->kp", weights, self.X))

    @property
    def weights(self) -> Array:
        """The contrasts as weights of the means, (K, A, V); with two arms the second less the first."""
        by_visit = np.array([_visit_weights(contrast, self.labels) for contrast in self.contrasts])
        signs = np.array([1.0]) if len(self.arms) == 1 else np.array([-1.0, 1.0])
        return np.asarray(by_visit[:, None, :] * signs[:, None])

    def differences(self) -> Array:
        """What the contrasts are where the assumptions hold, (K,)."""
        return np.asarray(self.L @ self.beta)


def split(n: NDArray[np.integer], shares: Array) -> NDArray[np.intp]:
    """Whole numbers by arm (..., A) that add up to n (...) and follow the shares.

    >>> split(np.array([7, 30]), np.array([1 / 3, 2 / 3])).tolist()
    [[2, 5], [10, 20]]
    """
    ends = np.floor(np.cumsum(shares) * np.asarray(n)[..., None] + 0.5 - 1e-9).astype(np.intp)
    ends[..., -1] = n
    return np.diff(ends, prepend=0)


# ---- checks of what is given ----------------------------------------------------------------------------------------


def _numbers(values: Sequence[float], V: int, what: str) -> tuple[float, ...]:
    found = tuple(float(value) for value in values)
    if len(found) != V or not np.isfinite(found).all():
        raise _wrong(
            f"There are {len(found)} {what}: {_listed(f'{value:g}' for value in found)}.",
            f"There is one finite number for each of the {V} visits.",
            "Give them in the order of the visits.",
        )
    return found


def _correlation(given: float | Sequence[Sequence[float]] | Array, V: int) -> tuple[tuple[float, ...], ...]:
    R = (
        np.where(np.eye(V) == 1, 1.0, np.asarray(given, dtype=float))
        if np.ndim(given) == 0
        else np.asarray(given, dtype=float)
    )
    sound = R.shape == (V, V) and np.allclose(R, R.T) and np.allclose(np.diag(R), 1.0)
    if not sound or np.linalg.eigvalsh(R)[0] <= 0:
        raise _wrong(
            f"The correlation is {np.array2string(R, precision=3, separator=', ')}.",
            f"It is one number, or a symmetric positive definite matrix of {V} × {V} with ones on its diagonal.",
            "Make one with power.correlations().",
        )
    return tuple(tuple(float(r) for r in row) for row in R)


def _patterns(
    given: Mapping[str, float] | Mapping[str, Mapping[str, float]], arms: tuple[str, ...], V: int
) -> dict[str, Mapping[str, float]]:
    nested = {key: value for key, value in given.items() if isinstance(value, Mapping)}
    flat = {str(key): float(value) for key, value in given.items() if not isinstance(value, Mapping)}
    everyone = flat or {"1" * V: 1.0}
    if nested and (flat or set(nested) != set(arms)):
        raise _wrong(
            f"The patterns are given for {_listed(given)}; the arms are {_listed(arms)}.",
            "They are given once for all arms, or for every arm.",
            'For all arms: patterns={"111": 0.7, "110": 0.15, "100": 0.15}.',
        )
    made = {}
    for arm in arms:
        by = {str(key): float(p) for key, p in nested.get(arm, everyone).items()}
        odd = [key for key in by if len(key) != V or set(key) - {"0", "1"}]
        total = sum(by.values())
        if odd or min(by.values()) < 0 or abs(total - 1) > SUM_TOLERANCE:
            raise _wrong(
                f"The patterns are {_listed(f'{key}: {p:g}' for key, p in by.items())}; their sum is {total:g}.",
                f"A pattern has {V} digits, 1 where seen and 0 where not; probabilities add up to 1.",
                "Make them from retention with power.monotone_patterns() or power.independent_patterns().",
            )
        made[arm] = MappingProxyType({key: p / total for key, p in by.items()})
    return dict(made)


def _visit_weights(contrast: str, labels: tuple[str, ...]) -> list[float]:
    """The weights of the visits in "later - earlier", or in one label."""
    weights = dict.fromkeys(labels, 0.0)
    if contrast in weights:
        return list((weights | {contrast: 1.0}).values())
    for later in labels:
        for earlier in labels:
            if contrast == f"{later} - {earlier}" and later != earlier:
                return list((weights | {later: 1.0, earlier: -1.0}).values())
    raise _wrong(
        f"The contrast is {contrast!r}; the visits are {_listed(labels)}.",
        "A contrast is one visit less another, or one visit alone.",
        f'For the change to the last visit: contrasts=("{labels[-1]} - {labels[0]}",).',
    )


def _listed(items: Iterable[object]) -> str:
    return ", ".join(str(item) for item in items) or "nothing"
