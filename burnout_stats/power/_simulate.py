"""`simulate`: the study made ten thousand times before it is made once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..display import Watched, teller
from ..errors import StudyError, one_of
from ..estimates import Estimates
from ..models.robust import VCOVS
from ..notices import announce
from ._batch import BLOCK, METHODS, Scenario, fitted_blocks
from ._design import CohortDesign
from ._draw import drawer
from ._performance import judged, performance, refusal_notice
from ._refits import Generator, Planned, Question, refitted

__all__ = ["checked", "simulate", "told"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
LEAST = 100
"""Replicates below which a share says next to nothing."""


def simulate(
    planned: CohortDesign | Generator,
    model: Planned | None = None,
    question: Question | None = None,
    *,
    replicates: int | None = None,
    seed: int,
    df: str | None = None,
    vcov: str = "model",
    dropout_slope: float = 0.0,
    selected_above: float | None = None,
    truth: Sequence[float] | None = None,
    workers: int = 1,
    backend: str = "serial",
    progress: Watched = None,
) -> Estimates:
    """Power, type I error, coverage and bias of a planned analysis by simulation, with Monte-Carlo errors.

    `simulate(design, seed=1)` draws cohorts of a `CohortDesign` as sufficient statistics and fits its planned model to
    all of them as one batch. `simulate(generator, model, question, seed=1)` makes whole cohorts, fits anything that
    `fit` takes, and asks each fit a question; `generator` may be a design too.

    Parameters
    ----------
    planned : CohortDesign, or callable (numpy Generator) -> Cohort
    model : MMRM, LMM, GLMM, ..., optional
    question : callable (fit) -> Estimates, optional
        Such as `lambda fit: contrast(emmeans(fit, "visit"))`; given together with `model`.
    replicates : int
        Cohorts; 10,000 for a batch and 1,000 for a model where left out.
    seed : int
        The answer depends on nothing else, whatever the workers and the backend.
    df, vcov : str
        Of a batch: how tests are made; those of the design and the model where left out. A robust `vcov` ("cr0" ...
        "cr3") goes with df "satterthwaite" (Bell & McCaffrey) where left out.
    dropout_slope : float
        Of a design: log odds ratio of missing a visit for each SD of the baseline score (missing at random).
    selected_above : float, optional
        Of a design: persons enter because their baseline score lies above it. Under it the scores come back toward
        the mean when nothing is done; see `regression_to_the_mean_null`.
    truth : numbers, optional
        Of a model: the true values of the rows of the question, for bias and coverage.
    workers, backend : int, "serial", "joblib" or "dask"
        Of a model: processes of this computer (joblib), or the Dask cluster whose Client is active.
    progress : callable or bool, optional

    Returns
    -------
    Estimates
        A row for each contrast and measure: "power" (or "type I error", where the true difference is the one that is
        tested against), "coverage", "bias", and the mean standard error over the SD of the estimates. `std_error` and
        the interval are those of the simulation. Cohorts without an answer are counted in a notice.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION`, `E-STUDY-VALUE`, `E-STUDY-DESIGN`.
    ModelError
        `E-MODEL-SIMULATED` where fewer than half of the cohorts have an answer.
    SetupError
        `E-SETUP-EXTRA` where a backend is not installed.

    **Source**: Morris, White & Crowther 2019, Stat Med 38:2074 (what is reported, and its error).

    >>> from burnout_stats.power import CohortDesign
    >>> design = CohortDesign((3.0, 2.8), sd=0.9, correlation=0.5, visits={"before": 0, "after": 1}, n=60)
    >>> found = simulate(design, replicates=1000, seed=1)
    >>> found.frame[["measure", "estimate"]].round(2).values.tolist()[:2]
    [['power', 0.38], ['coverage', 0.95]]
    """
    tell = teller(progress)
    if model is not None or question is not None:
        if model is None or question is None:
            raise _odd(
                "Only one of `model` and `question` is given.", "A model is fitted and then asked.", "Give both."
            )
        if df is not None or vcov != "model":
            raise _odd(
                "`df` or `vcov` is given beside a question.",
                "The question itself says how it is tested.",
                "Write for example lambda fit: contrast(emmeans(fit, 'visit', df='satterthwaite')).",
            )
        total = checked(1000 if replicates is None else replicates, seed)
        scenario = Scenario(dropout_slope=dropout_slope, selected_above=selected_above)
        generator: Generator = drawer(planned, scenario) if isinstance(planned, CohortDesign) else planned
        return refitted(
            generator,
            model,
            question,
            replicates=total,
            seed=seed,
            truth=truth,
            workers=workers,
            backend=backend,
            progress=tell,
        )
    if not isinstance(planned, CohortDesign):
        raise _odd(
            f"A {type(planned).__name__} is given without a model.",
            "A batch needs a CohortDesign; whole cohorts need a model and a question.",
            "Write simulate(generator, model, question, seed=1).",
        )
    total = checked(10_000 if replicates is None else replicates, seed)
    df = df or (planned.df if vcov == "model" else "satterthwaite")
    one_of("df", df, list(METHODS))
    one_of("vcov", vcov, VCOVS)
    if vcov != "model" and df.startswith("kenward-roger"):
        raise _odd(
            "Kenward-Roger is asked of a robust covariance.",
            "It adjusts the covariance of the model.",
            'Use df="satterthwaite" with it.',
        )
    scenario = Scenario(dropout_slope=dropout_slope, selected_above=selected_above)
    return _batch(planned, scenario, total, seed, df, vcov, tell)


def _batch(
    design: CohortDesign,
    scenario: Scenario,
    replicates: int,
    seed: int,
    df: str,
    vcov: str,
    tell: Callable[[int, int, str], None] | None,
) -> Estimates:
    refused: Counter[str] = Counter()
    truth = design.differences()
    parts: list[tuple[Array, Array, Mask, Mask]] = []
    for block, fitted in enumerate(fitted_blocks(design, scenario, replicates, seed, refused)):
        if tell is not None:
            tell(min(block * BLOCK, replicates), replicates, "simulated cohorts")
        tests = fitted.tests(df, vcov)
        sound = tests.sound.all(1)
        if (rest := int((tests.rests.any(1) & ~sound).sum())) > 0:
            refused["E-MODEL-LEVERAGE"] += rest
        if (odd := int((fitted.verified & ~sound & ~tests.rests.any(1)).sum())) > 0:
            refused["no degrees of freedom"] += odd
        rejected = tests.p_value(design.null, design.alternative) < 1 - design.conf_level
        covered = np.abs(tests.estimate - truth) <= tests.half_width(design.conf_level)
        parts.append((tests.estimate[sound], tests.std_error[sound], rejected[sound], covered[sound]))
    if tell is not None:
        tell(replicates, replicates, "simulated cohorts")
    notices = refusal_notice(refused, replicates)
    announce(notices)
    estimate, std_error = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
    rejected, covered = (np.concatenate([part[k] for part in parts]) for k in (2, 3))
    rows = [
        (
            {"contrast": contrast},
            performance(
                estimate[:, k],
                std_error[:, k],
                rejected[:, k],
                covered[:, k],
                truth=float(truth[k]),
                null=design.null,
            ),
        )
        for k, contrast in enumerate(design.contrasts)
    ]
    return judged(
        rows,
        outcome=design.outcome,
        n=design.n,
        kind="simulated_power",
        method="simulation",
        factors=("contrast",),
        notes=(*told(design, scenario, len(estimate), df, vcov), *_limits(scenario)),
        notices=notices,
        df_method=df,
    )


def told(design: CohortDesign, scenario: Scenario, answered: int, df: str, vcov: str) -> tuple[str, ...]:
    """What was assumed."""
    arms = " and ".join(f"{n} in {arm}" for arm, n in zip(design.arms, design.n_by_arm, strict=True))
    persons = f"{design.n} persons" if len(design.arms) == 1 else f"{design.n} persons ({arms})"
    means = "; ".join(
        (f"{arm}: " if len(design.arms) > 1 else "") + ", ".join(f"{value:g}" for value in row)
        for arm, row in zip(design.arms, design.mu, strict=True)
    )
    R = np.asarray(design.correlation)
    pairs = R[np.triu_indices(len(R), 1)]
    together = (
        ""
        if not len(pairs)
        else (
            f"correlation {pairs[0]:g}"
            if len(set(pairs)) == 1
            else "correlations " + ", ".join(f"{r:.3g}" for r in pairs)
        )
    )
    seen = "; ".join(
        (f"{arm}: " if len(design.arms) > 1 else "") + ", ".join(f"{value:.0%}" for value in row)
        for arm, row in zip(design.arms, design.probabilities @ design.seen, strict=True)
    )
    covariance = "the model's covariance" if vcov == "model" else f"a robust covariance ({vcov})"
    side = {"two-sided": "two-sided", "less": "one-sided (less)", "greater": "one-sided (greater)"}[design.alternative]
    lost = (
        "completely at random"
        if not scenario.dropout_slope
        else f"at random, with {np.exp(scenario.dropout_slope):.2g} times the odds for each SD of the baseline score"
    )
    sd = np.sqrt(np.diag(design.sigma))
    spread = ", ".join(f"{value:.4g}" for value in sd) + (f", {together}" if len(pairs) else "")
    method = f"{df} degrees of freedom with {covariance}, covariance of the visits `{design.covariance}`"
    notes = [
        f"{answered:,} simulated cohorts of {persons}; the standard errors and intervals are those of the simulation.",
        f"Assumed: normal scores with means {means}, SD {spread}; seen at the visits: {seen}, lost {lost}.",
        f"Each test: {side}, level {1 - design.conf_level:.2g}, against {design.null:g}, {method}.",
    ]
    return tuple(notes)


def _limits(scenario: Scenario) -> tuple[str, ...]:
    if scenario.selected_above is None:
        return ()
    note = (
        f"Persons enter because their baseline score is above {scenario.selected_above:g}: without any change in the "
        "population they come back toward its mean, and a test of no change takes that for a change."
    )
    return (note,)


def checked(replicates: int, seed: int) -> int:
    if replicates < LEAST or seed < 0:
        raise StudyError(
            "E-STUDY-VALUE",
            f"There are {replicates} replicates, and the seed is {seed}.",
            f"A share needs {LEAST} cohorts at least, and a seed is 0 or more.",
            "Write for example simulate(..., replicates=10_000, seed=1).",
        )
    return int(replicates)


def _odd(seen: str, expected: str, advice: str) -> StudyError:
    return StudyError("E-STUDY-OPTION", seen, expected, advice)
