"""200,000 simulated subjects show the moments that the papers print, within Monte-Carlo error."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from burnout_stats.studies import simulate
from burnout_stats.studies._calibrate import ENOUGH, LATENT, POINTS, SEED, pair_targets, residuals
from burnout_stats.studies._design import design, parameters
from burnout_stats.studies._population import normal_points, population
from burnout_stats.studies._truth import rm_anova

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("villa_sana")]

N = 200_000
ERRORS = 4.5
"""About 700 comparisons: the chance of one beyond 4.5 standard errors is below 0.5 percent."""

EXTRA = 0.001
"""What solving leaves, in SDs or correlations."""

BLOCK = 147


@pytest.fixture(scope="module")
def wide() -> pd.DataFrame:
    """One row per subject; columns `name@visit`, or `name` where it is constant; NaN where the visit was missed."""
    data = simulate("villa_sana", n=N, seed=20_26).data
    plan = design("villa_sana")
    codes = data["visit"].cat.codes.to_numpy()
    columns: dict[str, np.ndarray] = {}
    for name in plan.variables:
        column = data[name]
        values = column.cat.codes.to_numpy() if isinstance(column.dtype, pd.CategoricalDtype) else column.to_numpy()
        for k, key in enumerate(plan.columns(name)):
            columns[key] = np.full(N, np.nan)
            at = codes == k
            columns[key][data["subject"].to_numpy()[at] - 1] = values[at]
    frame = pd.DataFrame(columns)
    frame["sex"] = data.drop_duplicates("subject")["sex"].to_numpy()
    return frame


def seen(wide: pd.DataFrame, among: str) -> np.ndarray:
    one, three = wide["exhaustion@1 year"].notna().to_numpy(), wide["exhaustion@3 years"].notna().to_numpy()
    return {"everyone": np.ones(N, dtype=bool), "1 year": one, "3 years": three, "all visits": one & three}[among]


def test_means_and_sds_are_those_of_the_papers(wide):
    """Means within their standard errors; SDs within theirs, sqrt((kurtosis - 1) / 4n) of the SD."""
    plan, checked = design("villa_sana"), 0
    for name, table in plan.variables.items():
        for column, row in zip(plan.columns(name), table["moments"], strict=True):
            if row["among"] == "everyone" and not column.endswith("@baseline"):
                continue  # the unseen have no scores in a sample
            y = wide.loc[seen(wide, row["among"]), column]
            first = wide.loc[y.index, plan.columns(name)[0]]
            y_or_change = y - first if "change" in row else y
            error = float(y_or_change.std() / np.sqrt(len(y)))
            wanted = row["change"] if "change" in row else row["mean"]
            assert y_or_change.mean() == pytest.approx(wanted, abs=ERRORS * error + EXTRA * float(y.std())), column
            if "sd" in row:
                error = float(y.std() * np.sqrt((y.kurt() + 2) / (4 * len(y))))
                assert y.std() == pytest.approx(row["sd"], abs=ERRORS * error + EXTRA * float(y.std())), column
            checked += 1
    assert checked > 20


def test_correlations_are_those_of_the_papers(wide):
    """Fisher's error is that of normal scores; half as much again covers the skewed ones."""
    checked = 0
    for pair in pair_targets(design("villa_sana")):
        everyone = pair.among == "everyone" and not all(c.endswith("@baseline") for c in (pair.first, pair.second))
        if pair.among == LATENT or everyone:
            continue
        part = wide.loc[seen(wide, pair.among), [pair.first, pair.second]]
        r = part.corr().iloc[0, 1]
        assert r == pytest.approx(pair.value, abs=1.5 * ERRORS / np.sqrt(len(part)) + EXTRA), pair
        checked += 1
    assert checked > 30


def test_dropout_is_that_of_the_papers(wide):
    one, three = seen(wide, "1 year"), seen(wide, "3 years")
    for wanted, share in ((169, one & three), (16, one & ~three), (15, ~one & three), (27, ~one & ~three)):
        p = wanted / 227
        assert share.mean() == pytest.approx(p, abs=ERRORS * np.sqrt(p * (1 - p) / N))
    for level, wanted in (("F", 101 / 117), ("M", 83 / 110)):
        assert three[wide["sex"] == level].mean() == pytest.approx(wanted, abs=ERRORS * np.sqrt(0.25 / (N / 2)))
    published = {  # BMC Public Health 2010;10:213: baseline of those who answered at 3 years and of those lost
        "exhaustion@baseline": ((3.01, 0.94), (3.33, 0.88)),
        "job_stress@baseline": ((2.39, 0.72), (2.65, 0.74)),
        "coping@baseline": ((2.90, 0.76), (3.25, 0.63)),
    }
    for column, (kept, lost) in published.items():
        for group, (mean, sd) in ((three, kept), (~three, lost)):
            y = wide.loc[group, column]
            assert y.mean() == pytest.approx(mean, abs=ERRORS * sd / np.sqrt(len(y)) + EXTRA)
            assert y.std() == pytest.approx(sd, abs=ERRORS * sd / np.sqrt(2 * len(y)) + EXTRA)


def test_samples_of_147_show_the_published_f_and_epsilon_in_the_middle(wide):
    """F(1.8, 267.0) = 33.1 (BMC Public Health 2010;10:213) is near the median of 1,000 samples, whose error is 0.4."""
    y = wide.loc[
        seen(wide, "all visits"), ["exhaustion@baseline", "exhaustion@1 year", "exhaustion@3 years"]
    ].to_numpy()
    blocks = y[: len(y) // BLOCK * BLOCK].reshape(-1, BLOCK, 3)
    f, epsilon = np.array([rm_anova(block.mean(axis=0), np.cov(block.T), BLOCK) for block in blocks]).T
    assert len(blocks) > 1000
    assert np.median(f) == pytest.approx(33.1, abs=1.5)
    assert np.median(epsilon) == pytest.approx(0.914, abs=0.006)
    low, high = np.quantile(f, [0.025, 0.975])
    assert low == pytest.approx(17, abs=2)
    assert high == pytest.approx(57, abs=4)


def test_paired_t_and_mcnemar_inputs_come_out(wide):
    """The paired t of exhaustion at n = 185 is 6.76 at the population's moments (BMJ 2008;337:a2004)."""
    part = wide.loc[seen(wide, "1 year")]
    change = part["exhaustion@baseline"] - part["exhaustion@1 year"]
    assert change.mean() / change.std() * np.sqrt(185) == pytest.approx(6.76, abs=0.1)
    stages = [part[f"sick_leave@{label}"].mean() for label in ("baseline", "1 year")]
    assert all(earlier > later for earlier, later in pairwise(stages))


def test_the_shipped_parameters_solve_their_targets():
    given = parameters("villa_sana")
    left = residuals(design("villa_sana"), population(given, normal_points(POINTS, len(given.latent), SEED)))
    worst = max(left, key=lambda key: abs(left[key]))
    assert abs(left[worst]) < 1.5 * ENOUGH, (worst, left[worst])
