"""`make bench EVENTS=1`: a logistic model with a random intercept, 20,000 subjects at three visits with a continuous
age, 15 quadrature nodes, beside statsmodels' variational BinomialBayesMixedGLM and, where R is installed, lme4; with
PEERS=1 beside the native packages too.

Times are seconds of wall clock on one BLAS thread, from a cohort or data frame in memory; what counts are the ratios.
"""

from __future__ import annotations

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM

import burnout_stats as bs
from burnout_stats.models.generalized import GLMM

N_SUBJECTS = 20_000
LME4 = """
suppressMessages(library(lme4)); d <- read.csv("{path}")
t <- system.time(m <- glmer(case ~ visit + sex + age + (1 | id), d, family = binomial, nAGQ = 15))[["elapsed"]]
cat(t)
"""


def frame() -> pd.DataFrame:
    """Long scores, a fifth missing at each later visit."""
    rng = np.random.default_rng(8)
    subject, visit = np.nonzero(rng.random((N_SUBJECTS, 3)) < [1.0, 0.81, 0.81])
    sex, age = rng.integers(0, 2, N_SUBJECTS)[subject], rng.normal(47, 9, N_SUBJECTS)[subject]
    eta = -0.7 - 0.3 * (visit > 0) + 0.3 * sex + 0.02 * (age - 47) + rng.normal(0, 1.5, N_SUBJECTS)[subject]
    return pd.DataFrame(
        {
            "id": subject,
            "visit": np.array(["v0", "v1", "v3"])[visit],
            "case": (rng.random(len(eta)) < 1 / (1 + np.exp(-eta))).astype(float),
            "sex": np.array(["F", "M"])[sex],
            "age": (age - 47) / 9,
        }
    )


def seconds(action: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def of_lme4(data: pd.DataFrame) -> float:
    """lme4's own time; NaN where R or lme4 is not there."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return np.nan
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        data.to_csv(path, index=False)
        found = subprocess.run([rscript, "-e", LME4.format(path=path)], capture_output=True, text=True, check=False)
    return float(found.stdout) if found.returncode == 0 else np.nan


def of_peers(data: pd.DataFrame) -> dict[str, float]:
    """The native packages: glmm with as many nodes, mixedlm with one (Laplace) on the rows it takes in minutes."""
    import glmm
    import mixedlm

    formula = "case ~ visit + sex + age + (1 | id)"
    columns = {name: data[name].to_numpy() for name in data}
    columns["id"] = columns["id"].astype(str)
    few = data.head(3000).assign(id=lambda one: one["id"].astype(str))
    return {
        "glmm": seconds(lambda: glmm.fit(columns, formula, family="binomial", nagq=15)),
        "mixedlm (Laplace, first 3,000 rows)": seconds(
            lambda: mixedlm.glmer(formula, few, family=mixedlm.families.Binomial())
        ),
    }


def main() -> None:
    """Print times and ratios."""
    warnings.simplefilter("ignore")
    data = frame()
    cohort = bs.read_cohort(
        data,
        subject="id",
        visit="visit",
        times={"v0": 0, "v1": 1, "v3": 3},
        outcomes=["case"],
        covariates={"sex": {"levels": ["F", "M"]}, "age": {}},
    )
    spec = GLMM("case ~ visit + sex + age + (1 | subject)", n_nodes=15)
    ours = min(seconds(lambda: bs.fit(spec, cohort)) for _ in range(3))
    model = BinomialBayesMixedGLM.from_formula("case ~ visit + sex + age", {"subject": "0 + C(id)"}, data.head(3000))
    times = {
        "burnout_stats": ours,
        "statsmodels (its first 3,000 rows)": seconds(model.fit_vb),
        "lme4": of_lme4(data),
    }
    if "--peers" in sys.argv[1:]:
        times |= of_peers(data)
    for name, taken in times.items():
        sys.stdout.write(f"{name:36s} {taken:8.2f} s   {taken / ours:6.1f}\n")


if __name__ == "__main__":
    main()
