"""`python benchmarks/power.py`: seconds of one core, whatever else the computer does, that 10,000 planned cohorts of
227 persons take, drawn, fitted and tested with Kenward-Roger, with a quarter of them missing a visit.

The limit is the one that the project set itself: 10 seconds.
"""

from __future__ import annotations

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import platform
import time

import numpy as np

import burnout_stats as bs
from burnout_stats import power

LIMIT = 10.0
ONE = power.CohortDesign(
    (3.00, 2.53, 2.40),
    sd=(0.94, 0.76, 0.80),
    correlation=((1.0, 0.40, 0.30), (0.40, 1.0, 0.50), (0.30, 0.50, 1.0)),
    patterns={"111": 169 / 227, "110": 16 / 227, "101": 15 / 227, "100": 27 / 227},
    contrasts=("1 year - baseline", "3 years - baseline"),
    n=227,
)
TWO = power.CohortDesign(
    {"control": (3.00, 2.85, 2.75), "course": (3.00, 2.53, 2.40)},
    sd=ONE.sd,
    correlation=ONE.correlation,
    patterns=dict(ONE.patterns["all"]),
    contrasts=ONE.contrasts,
    n=227,
)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=10_000)
    asked = parser.parse_args()
    versions = f"Python {platform.python_version()}, numpy {np.__version__}"
    print(f"burnout_stats {bs.__version__}, {versions}; one BLAS thread")
    print(f"{asked.replicates:,} cohorts of 227 persons at 3 visits, Kenward-Roger; limit {LIMIT:g} s\n")
    runs = {
        "one arm": (ONE, {}),
        "one arm, lost at random (rows drawn)": (ONE, {"dropout_slope": 0.7}),
        "two arms": (TWO, {}),
        "two arms, robust (CR2)": (TWO, {"vcov": "cr2"}),
    }
    for name, (design, options) in runs.items():
        began = time.process_time()
        power.simulate(design, replicates=asked.replicates, seed=1, progress=False, **options)
        print(f"{name:40s} {time.process_time() - began:6.2f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
