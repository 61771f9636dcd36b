"""`make bench STREAM=50000000`: a Parquet data set of so many rows, and a model fitted to it in constant memory.

The data are written part by part into a folder for the time of the run and deleted afterwards (50 million rows take
0.7 GB). Writing and fitting have a process each, so that the peak memory is that of the fit alone, with all libraries.
"""

from __future__ import annotations

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

VISITS = ["baseline", "1 year", "3 years"]
TIMES = {"baseline": 0, "1 year": 1, "3 years": 3}
LEVELS = {"sex": ["F", "M"]}
FORMULA = "exhaustion ~ visit * sex + age"
COVARIANCE = np.array([[0.88, 0.30, 0.25], [0.30, 0.60, 0.35], [0.25, 0.35, 0.70]])
SUBJECTS = 400_000
"""Subjects written at a time."""


def write(folder: Path, n_rows: int) -> int:
    """Write long scores at three visits, a fifth missing at each later one: about 2.6 rows a subject. Tell how many."""
    import pyarrow as pa
    from pyarrow import parquet

    factor = np.linalg.cholesky(COVARIANCE).T
    written, first = 0, 0
    writer = None
    for seed in range(1 + n_rows // SUBJECTS):
        if written >= n_rows:
            break
        rng = np.random.default_rng(seed)
        n = min(SUBJECTS, int((n_rows - written) / 2.6) + 1)
        scores = rng.standard_normal((n, 3)) @ factor + [3.0, 2.5, 2.4]
        subject, visit = np.nonzero(rng.random((n, 3)) < [1.0, 0.8, 0.8])
        table = pa.table(
            {
                "id": subject + first,
                "visit": pa.DictionaryArray.from_arrays(visit.astype(np.int8), VISITS),
                "exhaustion": scores[subject, visit],
                "sex": pa.DictionaryArray.from_arrays(rng.integers(0, 2, n).astype(np.int8)[subject], LEVELS["sex"]),
                "age": rng.integers(25, 70, n)[subject],
            }
        )
        writer = writer or parquet.ParquetWriter(folder / "cohort.parquet", table.schema)
        writer.write_table(table, row_group_size=250_000)
        written += len(table)
        first += n
    assert writer is not None
    writer.close()
    return written


def measure(folder: Path) -> dict[str, float]:
    """Seconds from the call to the finished coefficient table, and peak memory of this process in gigabytes."""
    import burnout_stats as bs

    start = time.perf_counter()
    stream = bs.read_cohort(
        folder,
        subject="id",
        visit="visit",
        times=TIMES,
        outcomes=["exhaustion"],
        covariates=["age"],
        levels=LEVELS,
        stream=True,
    )
    fit = bs.fit(bs.MMRM(FORMULA), stream)
    table = bs.summarize(fit)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "rows": fit.n_obs,
        "subjects": fit.n_subjects,
        "seconds": seconds,
        "gigabytes": peak / 1e9,
        "terms": len(table.frame),
        "converged": fit.converged,
    }


def fresh(*arguments: str) -> Any:
    """What this file answers in a process of its own."""
    run = subprocess.run([sys.executable, __file__, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(run.stdout)


def main() -> None:
    """Write, measure in a fresh process, tell, delete."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    said = parser.parse_args()
    if said.write:
        print(json.dumps(write(said.write, said.rows)))
        return
    if said.measure:
        print(json.dumps(measure(said.measure)))
        return
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        written = fresh("--write", folder, "--rows", str(said.rows))
        size = sum(file.stat().st_size for file in Path(folder).iterdir()) / 1e9
        print(f"{written:,} rows written in {time.perf_counter() - start:.0f} s, {size:.2f} GB of Parquet", flush=True)
        found = fresh("--measure", folder)
    print(
        f"{FORMULA}, unstructured, Kenward-Roger: {found['rows']:,} rows of {found['subjects']:,} subjects in "
        f"{found['seconds']:.1f} s, peak memory {found['gigabytes']:.2f} GB, converged: {found['converged']}"
    )


if __name__ == "__main__":
    main()
