"""`docs/validation.md`: the simulation study of the package as a page of Markdown, the same bytes for the same seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from .._version import __version__
from ..display import Column, Missing, Pair, Progress, Row, Table
from ..display.markdown import to_markdown
from ..estimates import Estimates
from ..power import regression_to_the_mean_null
from ..power._validation import NO_ANSWER, SIZES, STUDIES, VILLA_SANA, ValidationStudy, agreement, validation

__all__ = ["validation_page"]

ABOVE = 3.5
"""The cut-off of the table about regression to the mean."""
VCOVS = {
    "model": "",
    "cr0": ", robust (CR0)",
    "cr1": ", robust (CR1)",
    "cr2": ", robust (CR2)",
    "cr3": ", robust (CR3)",
}
NAMES = {
    "kenward-roger": "Kenward-Roger (default)",
    "kenward-roger-expected": "Kenward-Roger, expected information",
    "kenward-roger-second-order": "Kenward-Roger, second order",
    "satterthwaite": "Satterthwaite",
    "between-within": "between-within",
    "residual": "residual",
    "asymptotic": "asymptotic",
}
NOT_VERIFIED = """\
- Scores that are not normal: questionnaires have a floor, a ceiling and steps. (The synthetic cohorts of the published
  studies have them; `burnout-stats reproduce` looks at those.)
- Dropout that depends on the unseen score itself. Every test here would be biased; that is what the sensitivity
  analyses are for.
- Covariates beside visit and arm, interactions with age or sex, three arms and more, more than three visits.
- LMM with random slopes, GLMM, GEE, pooled analyses of imputed data, and clusters of subjects. They have tests of their
  own, but no table here; `power.simulate(generator, model, question, seed=1)` makes one for a design of yours.
- Robust F tests of several contrasts at once, and `cr2-mmrm`, another root of CR2.
- Adjustment for several tests, and whatever is chosen after looking at the data.
- Other software: that the numbers of one fit are those of R is shown by `tests/reference/`, not here.
"""


def validation_page(
    *,
    replicates: int = 10_000,
    seed: int = 1,
    sizes: Sequence[int] = SIZES,
    studies: Sequence[ValidationStudy] = STUDIES,
    progress: Progress | None = None,
) -> str:
    """The page: type I error of every df method, power by formula and by simulation, and what is not verified."""
    few = max(replicates // 2, 100)
    rejected = validation(replicates=replicates, seed=seed, sizes=sizes, studies=studies, progress=progress)
    powers = agreement(replicates=few, seed=seed + 1, sizes=sizes, progress=progress)
    selected = regression_to_the_mean_null(
        VILLA_SANA, above=ABOVE, replicates=replicates, seed=seed + 2, progress=progress or False
    )
    parts = [
        _opening(replicates, seed),
        *_rejections(rejected, studies, sizes),
        *_powers(powers, sizes, few),
        *_selected(selected),
        "## What is not verified here\n",
        NOT_VERIFIED,
    ]
    return "\n".join(parts)


def _opening(replicates: int, seed: int) -> str:
    half = 1.96 * (0.05 * 0.95 / replicates) ** 0.5
    return f"""\
# Validation: a simulation study of the tests

This page is written by `burnout-stats validate` (version {__version__}, seed {seed}, {replicates:,} cohorts for each
design and size); `make validate` runs it. The same seed gives the same page.

**What is simulated.** Normal scores at 0, 1 and 3 years with the means (3.00, 2.53, 2.40) and SDs (0.94, 0.76, 0.80) of
emotional exhaustion in the Villa Sana papers, correlations 0.40 (baseline and 1 year, derived from the printed t), 0.30
(baseline and 3 years, derived too) and 0.50 (assumed), and the patterns of visits of the 227 doctors: 169 seen at all
three, 16 at the first two, 15 at the first and the last, 27 at the first only. The second arm has a smaller fall, which
is assumed. The model is the MMRM of `visit` (`visit * arm`), by REML.

**What is reported.** How often a 5% test rejects the *true* difference: the type I error. The 95% interval misses the
truth exactly then, so its coverage is 100% less the number in the table. Numbers are percentages with their Monte-Carlo
standard error in parentheses; of a test that keeps its level, 95 of 100 cells lie within {half:.1%} of 5%. Cohorts that
have no answer (a visit without anybody, no verified optimum) are left out, and counted in the last line of each table.
All tests of a design and size look at the same cohorts, so that their errors go together.

**In short.** Kenward-Roger, which is the default, keeps its level in tests of one change at every size; its F test of
all changes at once does so too, but rejects a little too often with 12 or 20 persons of whom four in ten miss each
later visit, and many such cohorts of 12 have no answer at all. Satterthwaite tests of one change are nearly as good,
its F test is not with fewer than 80 persons. Between-within, residual and asymptotic degrees of freedom, and CR0,
reject too often in small cohorts. A wrong covariance structure breaks the tests of the model at any size; the robust
ones (CR2) hold.
"""


def _rejections(found: Estimates, studies: Sequence[ValidationStudy], sizes: Sequence[int]) -> Iterator[str]:
    yield "## Type I error by df method and number of persons\n"
    frame = found.frame
    for study in studies:
        own = frame[frame["study"] == study.name]
        rows = []
        for names, cells in own.groupby(["contrast", "test", "vcov"], sort=False):
            contrast, test, vcov = (str(name) for name in names)
            label = "cohorts that the model has no answer for" if contrast == NO_ANSWER else NAMES[test] + VCOVS[vcov]
            rows.append(Row((label, *_percents(cells, sizes)), contrast, 1))
        groups = list(dict.fromkeys(row.group for row in rows))
        rows.sort(key=lambda row: groups.index(row.group))
        columns = (Column("test", "Test"), *(Column(f"n_{n}", f"n = {n}", "estimate") for n in sizes))
        title = f"{study.name[:1].upper()}{study.name[1:]}: {study.words} (percent)"
        yield to_markdown(Table(title=title, columns=columns, rows=tuple(rows)))


def _percents(cells: pd.DataFrame, sizes: Sequence[int]) -> list[Pair | Missing]:
    by_size = cells.set_index(cells["n"].astype(int))
    return [
        Pair(100 * float(by_size.loc[n, "estimate"]), 100 * float(by_size.loc[n, "std_error"]))  # type: ignore[arg-type]
        if n in by_size.index
        else Missing("no cohort has an answer")
        for n in sizes
    ]


def _powers(found: Estimates, sizes: Sequence[int], replicates: int) -> Iterator[str]:
    yield "## Power by formula and by simulation\n"
    yield f"""\
Each design is given the change to 3 years (with two arms, the difference in it) to which `power.mmrm` gives a power of
80%; the table has the power of {replicates:,} simulated cohorts with Kenward-Roger tests. The formula is an
approximation: it holds within the error of the simulation from 40 persons on, and says a few points too much where 12
or 20 are planned and many of them are lost. Plan such studies by simulation.
"""
    frame = found.frame[found.frame["measure"] == "simulated"]
    rows = []
    for names, cells in frame.groupby(["arms", "lost", "correlation"], sort=False):
        arms, lost, rho = (str(name) for name in names)
        group = "One arm" if arms == "1" else "Two arms"
        rows.append(Row((f"{lost} lost, correlation {rho}", *_percents(cells, sizes)), group, 1))
    columns = (Column("design", "Design"), *(Column(f"n_{n}", f"n = {n}", "estimate") for n in sizes))
    yield to_markdown(
        Table(title="Simulated power where the formula says 80 (percent)", columns=columns, rows=tuple(rows))
    )


def _selected(found: Estimates) -> Iterator[str]:
    yield "## Regression to the mean under the null\n"
    yield f"""\
Nothing changes in anybody here: the population mean is 3.00 at all visits. Those who enter because their score is above
{ABOVE:g} fall all the same, by what James's formula says, and the test of no change finds it nearly always. That is no
fault of the test: in those who were selected the change is there. It is no change that help has brought.
"""
    frame = found.frame
    rows = []
    for names, cells in frame.groupby(["contrast", "entered"], sort=False):
        contrast, entered = (str(name) for name in names)
        value, error = (dict(zip(cells["measure"], cells[name], strict=True)) for name in ("estimate", "std_error"))
        rows.append(
            Row(
                (
                    entered,
                    Pair(100 * value["rejected"], 100 * error["rejected"], (1, 1)),
                    Pair(value["mean change"], error["mean change"], (3, 4)),
                    value["expected change"],
                ),
                contrast,
                3,
            )
        )
    groups = list(dict.fromkeys(row.group for row in rows))
    rows.sort(key=lambda row: groups.index(row.group))
    columns = (
        Column("entered", "Who entered"),
        Column("rejected", "Rejected, %", "estimate"),
        Column("mean", "Mean change", "estimate"),
        Column("expected", "Expected by formula", "estimate"),
    )
    yield to_markdown(Table(title="227 persons, no change in the population", columns=columns, rows=tuple(rows)))
