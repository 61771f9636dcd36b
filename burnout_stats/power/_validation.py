"""The simulation study of the package itself: how often its tests reject a true value, by df method and size.

Cohorts have the means, SDs and dropout of the Villa Sana papers. A test of the true difference rejects exactly where
the interval misses it, so that type I error and coverage are one number told twice. Each row of the answer is a test in
one of the `STUDIES` at one size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from ..display import Progress
from ..estimates import Estimates
from ._batch import FittedCohorts, Scenario, fitted_blocks
from ._design import CohortDesign
from ._inputs import independent_patterns
from ._mmrm import planned
from ._performance import Performance, judged, share

__all__ = ["SIZES", "STUDIES", "TESTS", "ValidationStudy", "agreement", "validation"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
SIZES = (12, 20, 40, 80, 227)
LEVEL = 0.05
AIM = 0.8
"""The power that the designs of the grid are made to have."""
JOINT = "all changes at once (F)"
NO_ANSWER = "no answer"
VILLA_SANA_PATTERNS = {"111": 169 / 227, "110": 16 / 227, "101": 15 / 227, "100": 27 / 227}
VILLA_SANA = CohortDesign(
    (3.00, 2.53, 2.40),
    sd=(0.94, 0.76, 0.80),
    correlation=((1.0, 0.40, 0.30), (0.40, 1.0, 0.50), (0.30, 0.50, 1.0)),
    patterns=VILLA_SANA_PATTERNS,
    contrasts=("1 year - baseline", "3 years - baseline"),
    n=227,
    outcome="exhaustion",
)
"""One arm; the correlation of 1 and 3 years is assumed, the others are derived from printed t values."""
TWO_ARMS = replace(
    VILLA_SANA,
    means={"control": (3.00, 2.85, 2.75), "course": (3.00, 2.53, 2.40)},
    patterns=VILLA_SANA_PATTERNS,
    allocation={"control": 1, "course": 1},
)
EVERYONE = {"111": 1.0}
CS = replace(VILLA_SANA, sd=0.85, correlation=0.4)
TESTS: tuple[tuple[str, str], ...] = (
    ("kenward-roger", "model"),
    ("kenward-roger-expected", "model"),
    ("kenward-roger-second-order", "model"),
    ("satterthwaite", "model"),
    ("between-within", "model"),
    ("residual", "model"),
    ("asymptotic", "model"),
    ("satterthwaite", "cr0"),
    ("satterthwaite", "cr1"),
    ("satterthwaite", "cr2"),
    ("satterthwaite", "cr3"),
    ("asymptotic", "cr0"),
)
"""df method and covariance of the coefficients; `satterthwaite` with a robust one is Bell and McCaffrey's."""


@dataclass(frozen=True, slots=True)
class ValidationStudy:
    """A design at every size: its name, what is true, and the scenario of dropout.

    `truth` is the design that cohorts are drawn from where it is not the one that is fitted.
    """

    name: str
    words: str
    design: CohortDesign
    scenario: Scenario = field(default_factory=Scenario)
    truth: CohortDesign | None = None


STUDIES: tuple[ValidationStudy, ...] = (
    ValidationStudy(
        "one arm, all seen", "nobody is lost; unstructured covariance", replace(VILLA_SANA, patterns=EVERYONE)
    ),
    ValidationStudy(
        "one arm, lost completely at random", "a quarter misses a visit, whatever the score; unstructured", VILLA_SANA
    ),
    ValidationStudy(
        "one arm, lost at random",
        "as many are lost, with twice the odds for each SD of the baseline score; unstructured",
        VILLA_SANA,
        Scenario(dropout_slope=float(np.log(2))),
    ),
    ValidationStudy(
        "one arm, 40% lost",
        "four of ten miss each later visit, whatever the score; unstructured",
        replace(VILLA_SANA, patterns=independent_patterns((1.0, 0.6, 0.6))),
    ),
    ValidationStudy("two arms, lost completely at random", "arms of equal size; unstructured", TWO_ARMS),
    ValidationStudy(
        "two arms, lost at random",
        "arms of equal size, lost with twice the odds for each SD of the baseline score; unstructured",
        TWO_ARMS,
        Scenario(dropout_slope=float(np.log(2))),
    ),
    ValidationStudy(
        "one arm, a true structure that is not linear",
        "equal correlations of 0.4, an SD for each visit, fitted as such (csh): second order differs from first here",
        replace(VILLA_SANA, correlation=0.4, covariance="csh"),
    ),
    ValidationStudy(
        "one arm, a wrong structure",
        "the SDs and correlations of Villa Sana, fitted with one SD and one correlation (cs)",
        replace(CS, covariance="cs"),
        truth=VILLA_SANA,
    ),
)


def validation(
    *,
    replicates: int = 10_000,
    seed: int = 1,
    sizes: Sequence[int] = SIZES,
    studies: Sequence[ValidationStudy] = STUDIES,
    progress: Progress | None = None,
) -> Estimates:
    """How often each test rejects a true value at the 5% level, for every study and size.

    Returns
    -------
    Estimates
        Kind "validation", by `study`, `contrast`, `df` and `vcov`; `measure` is "type I error", or "no answer" for the
        share of cohorts that the model has none for (in the rows whose contrast is "no answer"). n is the size.

    >>> found = validation(replicates=500, sizes=[40], studies=STUDIES[:1])
    >>> own = found.frame[found.frame["contrast"] == "1 year - baseline"].set_index(["test", "vcov"])["estimate"]
    >>> bool(0.02 < own["kenward-roger", "model"] < own["asymptotic", "model"] < 0.1)
    True
    """
    rows: list[tuple[dict[str, str], Performance]] = []
    numbers: list[float] = []
    total = len(studies) * len(sizes)
    for place, (study, n) in enumerate((study, n) for study in studies for n in sizes):
        if progress is not None:
            progress(place, total, "designs")
        found = _one(study, n, replicates, own_seed(seed, place))
        rows += found
        numbers += [float(n)] * len(found)
    if progress is not None:
        progress(total, total, "designs")
    return judged(
        rows,
        outcome=VILLA_SANA.outcome,
        n=numbers,
        kind="validation",
        method="simulation",
        factors=("study", "contrast", "test", "vcov"),
        notes=(f"{replicates:,} cohorts for each design and size, seed {seed}; level {LEVEL:g}.",),
    )


def own_seed(seed: int, place: int) -> int:
    """A seed for each design of a study, so that their errors are independent."""
    return int(np.random.SeedSequence((seed, place)).generate_state(1)[0])


def _one(study: ValidationStudy, n: int, replicates: int, seed: int) -> list[tuple[dict[str, str], Performance]]:
    design = study.design.with_n(n)
    source = design if study.truth is None else study.truth.with_n(n)
    truth, refused = source.differences(), Counter[str]()
    rejected: dict[tuple[str, str, str], list[int]] = {}
    answered = 0
    for fitted in fitted_blocks(design, study.scenario, replicates, seed, refused, truth=source):
        answered += int(fitted.verified.sum())
        for df, vcov in TESTS:
            tests = fitted.tests(df, vcov)
            p = tests.p_value(truth, "two-sided")
            for k, contrast in enumerate(design.contrasts):
                _count(rejected, (contrast, df, vcov), p[:, k], tests.sound[:, k])
            if vcov == "model":
                together = joint_p(fitted, df, truth)
                _count(rejected, (JOINT, df, vcov), together, fitted.verified & np.isfinite(together))
    rows = [
        ({"study": study.name, "contrast": contrast, "test": df, "vcov": vcov}, {"type I error": share(hits, sound)})
        for (contrast, df, vcov), (hits, sound) in rejected.items()
    ]
    missing = {"study": study.name, "contrast": NO_ANSWER, "test": "", "vcov": "model"}
    return [*rows, (missing, {NO_ANSWER: share(replicates - answered, replicates)})]


def _count(rejected: dict[tuple[str, str, str], list[int]], key: tuple[str, str, str], p: Array, sound: Mask) -> None:
    tally = rejected.setdefault(key, [0, 0])
    tally[0] += int((p[sound] < LEVEL).sum())
    tally[1] += int(sound.sum())


def joint_p(fitted: FittedCohorts, df: str, truth: Array) -> Array:
    """p of the F test that all contrasts have their true values, (R,)."""
    F, degrees = fitted.joint(df, truth)
    k = len(truth)
    finite = np.isfinite(degrees)
    with np.errstate(invalid="ignore"):
        p = np.where(
            finite,
            special.fdtrc(k, np.where(finite, degrees, 1.0), F),
            np.where(degrees > 0, special.chdtrc(k, k * F), np.nan),
        )
    return np.asarray(p)


# ---- power by formula and by simulation -----------------------------------------------------------------------------


def agreement(
    *,
    replicates: int = 10_000,
    seed: int = 2,
    sizes: Sequence[int] = SIZES,
    progress: Progress | None = None,
) -> Estimates:
    """Power by the formula of `mmrm` beside simulated power, over arms, sizes, dropout and correlations.

    The difference that is assumed is the one to which the formula gives a power of 80%, to three decimals.

    Returns
    -------
    Estimates
        Kind "validation", by `arms`, `lost` and `correlation`; the measures "formula" and "simulated".
    """
    grid = [
        (arms, lost, rho, n) for arms in (1, 2) for lost in (0.0, 0.2, 0.4) for rho in (0.3, 0.5, 0.7) for n in sizes
    ]
    rows: list[tuple[dict[str, str], Performance]] = []
    for place, (arms, lost, rho, n) in enumerate(grid):
        if progress is not None:
            progress(place, len(grid), "powers")
        design = grid_design(arms, lost, rho, n)
        formula = float(planned(design).power()[0, 0])
        hits, sound = rejections(design, replicates, own_seed(seed, place))
        name = {"arms": str(arms), "lost": f"{lost:.0%}", "correlation": f"{rho:g}"}
        rows.append((name, {"formula": (formula, np.nan, np.nan, np.nan), "simulated": share(hits, sound)}))
    if progress is not None:
        progress(len(grid), len(grid), "powers")
    return judged(
        rows,
        outcome=VILLA_SANA.outcome,
        n=[float(n) for *_, n in grid],
        kind="validation",
        method="formula and simulation",
        factors=("arms", "lost", "correlation"),
        notes=(f"{replicates:,} cohorts for each design, seed {seed}; Kenward-Roger tests of the change to 3 years.",),
    )


def grid_design(arms: int, lost: float, rho: float, n: int) -> CohortDesign:
    """A design whose last change has a power of 80% by the formula; half of those lost come to the second visit."""
    patterns = {"111": 1 - lost, "110": lost / 2, "100": lost / 2} if lost else EVERYONE
    same = (3.0, 3.0, 3.0)
    design = CohortDesign(
        same if arms == 1 else {"control": same, "course": same}, sd=0.9, correlation=rho, patterns=patterns, n=n
    )
    plan, low, high = planned(design), 0.0, 9.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if plan.power(np.array([-middle]))[0, 0] < AIM else (low, middle)
    means = (3.0, 3.0 - round(high, 3) / 2, 3.0 - round(high, 3))
    return replace(design, means=means if arms == 1 else {"control": same, "course": means})


def rejections(design: CohortDesign, replicates: int, seed: int) -> tuple[int, int]:
    """How many of the cohorts that have an answer reject, and how many have one; for the first contrast."""
    hits = sound = 0
    for fitted in fitted_blocks(design, Scenario(), replicates, seed, Counter()):
        tests = fitted.tests(design.df)
        p = tests.p_value(design.null, design.alternative)[:, 0]
        good = tests.sound[:, 0]
        hits += int((p[good] < 1 - design.conf_level).sum())
        sound += int(good.sum())
    return hits, sound
