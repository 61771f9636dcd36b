"""What a test of "no change" finds where nothing has changed, and persons came because their scores were high."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from ..display import Watched, teller
from ..estimates import Estimates
from ..notices import announce
from ._batch import BLOCK, Scenario, expected_baseline, fitted_blocks
from ._design import CohortDesign
from ._performance import Performance, judged, refusal_notice, share
from ._simulate import checked, told

__all__ = ["regression_to_the_mean_null"]


def regression_to_the_mean_null(
    design: CohortDesign, *, above: float, replicates: int = 10_000, seed: int, progress: Watched = None
) -> Estimates:
    """How often the planned tests find a change that did not happen, because persons were selected by their score.

    The means of the design are made equal over the visits in each arm, so nothing changes in anybody's population. The
    cohorts are drawn twice: everyone, and those whose baseline score lies above the cut-off (rows are then truncated
    normal). What those are expected to fall by comes from James's formula.

    Parameters
    ----------
    design : CohortDesign
    above : float
        The cut-off at baseline.
    replicates, seed, progress : as in `simulate`

    Returns
    -------
    Estimates
        By contrast and by who `entered`: "rejected" (the type I error), "mean change" (of simulated cohorts) and
        "expected change" (by formula, without error of simulation).

    **Source**: James 1973, Biometrics 29:121 (the expected change).

    >>> from burnout_stats.power import CohortDesign
    >>> design = CohortDesign((2.5, 2.5), sd=0.9, correlation=0.6, visits={"before": 0, "after": 1}, n=60)
    >>> found = regression_to_the_mean_null(design, above=3.0, replicates=1000, seed=1)
    >>> selected = found.frame[found.frame["entered"] != "everyone"]
    >>> selected.set_index("measure")["estimate"].round(2).to_dict()
    {'rejected': 1.0, 'mean change': -0.43, 'expected change': -0.43}
    """
    total = checked(replicates, seed)
    tell = teller(progress)
    level = design.mu[:, 0]
    nobody = replace(
        design, means={arm: [float(mean)] * len(design.labels) for arm, mean in zip(design.arms, level, strict=True)}
    )
    rows: list[tuple[dict[str, str], Performance]] = []
    refused: Counter[str] = Counter()
    for entered, cutoff in (("everyone", None), (f"baseline above {above:g}", above)):
        parts, done = [], 0
        for fitted in fitted_blocks(nobody, Scenario(selected_above=cutoff), total, seed, refused):
            tests = fitted.tests(design.df)
            sound = tests.sound.all(1)
            rejected = tests.p_value(design.null, design.alternative) < 1 - design.conf_level
            parts.append((tests.estimate[sound], rejected[sound]))
            done += BLOCK
            if tell is not None:
                tell(min(done, total), total, "simulated cohorts")
        estimate, rejected = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
        shift = np.zeros(len(level)) if cutoff is None else expected_baseline(nobody, cutoff) - level
        means = nobody.mu + shift[:, None] * nobody.sigma[0] / nobody.sigma[0, 0]
        expected = np.einsum("kav,av->k", nobody.weights, means)
        for k, contrast in enumerate(nobody.contrasts):
            mean, error = float(estimate[:, k].mean()), float(estimate[:, k].std(ddof=1) / np.sqrt(len(estimate)))
            exact = float(expected[k])
            found = {
                "rejected": share(float(rejected[:, k].sum()), len(rejected)),
                "mean change": (mean, error, mean - 1.96 * error, mean + 1.96 * error),
                "expected change": (exact, 0.0, exact, exact),
            }
            rows.append(({"contrast": contrast, "entered": entered}, found))
    notices = refusal_notice(refused, 2 * total)
    announce(notices)
    note = (
        "Nothing changes in the populations of these cohorts: what a test finds among those who were selected is "
        "regression to the mean. A second arm that is selected alike has it too, and their difference has none."
    )
    return judged(
        rows,
        outcome=design.outcome,
        n=design.n,
        kind="simulated_power",
        method="simulation",
        factors=("contrast", "entered"),
        notes=(*told(nobody, Scenario(), total, design.df, "model"), note),
        notices=notices,
        df_method=design.df,
    )
