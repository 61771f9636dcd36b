"""`python benchmarks/imputation.py`: seconds that imputation takes on one core, of four outcomes at three visits of 227
subjects.

All outcomes are imputed together, each is analyzed by an unstructured MMRM, and its means by visit and their changes
are pooled. The limits are those that the project set itself: 20 seconds for proper imputation, 5 for bootstrap draws
and for conditional means with the jackknife.
"""

from __future__ import annotations

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import platform
import sys
import time
import warnings

import numpy as np

import burnout_stats as bs
from burnout_stats import sensitivity

OUTCOMES = ("exhaustion", "job_stress", "depression", "anxiety")
LIMITS = {"bayes": 20.0, "bootstrap": 5.0, "conditional-mean": 5.0}


def seconds(cohort: bs.Cohort, method: str, n: int, right: str) -> dict[str, float]:
    """Seconds of each verb, and of asking."""
    marks = [time.perf_counter()]
    spec = bs.MMRM(f"{OUTCOMES[0]} ~ {right}")
    if method == "chained":
        filled = sensitivity.chained(spec, cohort, outcomes=OUTCOMES[1:], n=n, seed=1)
        marks += [time.perf_counter()] * 2
    else:
        found = sensitivity.draws(spec, cohort, outcomes=OUTCOMES[1:], method=method, n=n, seed=1)
        marks.append(time.perf_counter())
        filled = sensitivity.impute(found)
        marks.append(time.perf_counter())
    fits = [sensitivity.pool(sensitivity.analyse(filled, bs.MMRM(f"{name} ~ {right}"))) for name in OUTCOMES]
    marks.append(time.perf_counter())
    for fit in fits:
        bs.contrast(bs.emmeans(fit, "visit"))
    marks.append(time.perf_counter())
    return dict(zip(("draw", "impute", "analyze", "ask"), np.diff(marks), strict=True))


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1000, help="imputations")
    parser.add_argument("--right", default="visit * sex + age", help="right-hand side of the model")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    cohort = bs.example("villa_sana")
    versions = f"Python {platform.python_version()}, numpy {np.__version__}"
    print(f"burnout_stats {bs.__version__}, {versions}; one BLAS thread")
    print(f"{cohort.n_subjects} subjects, {len(cohort.visits)} visits, {len(OUTCOMES)} outcomes ~ {asked.right}\n")
    print(f"{'':28}{'draw':>8}{'impute':>8}{'analyze':>9}{'ask':>8}{'all':>8}{'limit':>8}")
    for method in (*LIMITS, "chained"):
        took = seconds(cohort, method, asked.n, asked.right)
        what = method if method == "conditional-mean" else f"{method}, {asked.n:,}"
        limit = f"{LIMITS[method]:8.0f}" if method in LIMITS else f"{'':8}"
        cells = f"{took['draw']:8.2f}{took['impute']:8.2f}{took['analyze']:9.2f}{took['ask']:8.2f}"
        print(f"{what:28}{cells}{sum(took.values()):8.2f}{limit}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
