"""`make bench`: our fit and Kenward-Roger table beside statsmodels' MixedLM, on the same data in one run.

Times are seconds of wall clock on one BLAS thread, the best of some runs, from a data frame in memory; what counts are
the ratios. MixedLM fits a random intercept, one covariance parameter where ours has six: it is the nearest that it has.
`iteration` is one step of our optimizer, which must not grow with the number of subjects.
"""

from __future__ import annotations

import os

os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import platform
import resource
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

import burnout_stats as bs

from memory import OURS, peak  # isort: skip  (beside this file)
from peers import MODELS, PEERS, Peer, once, plain  # isort: skip

TIMES = {"baseline": 0, "1 year": 1, "3 years": 3}
COVARIANCE = np.array([[0.88, 0.30, 0.25], [0.30, 0.60, 0.35], [0.25, 0.35, 0.70]])
STATSMODELS = PEERS[0]
FORMULA = "exhaustion ~ visit * sex + age"


def cohort_frame(n_subjects: int) -> pd.DataFrame:
    """Long scores at three visits, a fifth missing at each later one: about 2.6 rows a subject."""
    rng = np.random.default_rng(n_subjects)
    scores = rng.standard_normal((n_subjects, 3)) @ np.linalg.cholesky(COVARIANCE).T + [3.0, 2.5, 2.4]
    subject, visit = np.nonzero(rng.random((n_subjects, 3)) < [1.0, 0.81, 0.81])
    return pd.DataFrame(
        {
            "id": subject,
            "visit": pd.Categorical.from_codes(visit, list(TIMES)),
            "exhaustion": scores[subject, visit],
            "sex": pd.Categorical.from_codes(rng.integers(0, 2, n_subjects)[subject], ["F", "M"]),
            "age": rng.normal(47, 9, n_subjects)[subject],
        }
    )


def best_of(runs: int, action: Callable[[], object]) -> float:
    """The shortest of some runs, in seconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def ours(frame: pd.DataFrame, runs: int) -> dict[str, float]:
    """Seconds to read, to fit, to summarize, and for one iteration of the optimizer."""
    from burnout_stats.engine.covariance import STRUCTURES, Covariance
    from burnout_stats.engine.likelihood import curvature, evaluate

    def read() -> bs.Cohort:
        return bs.read_cohort(frame, subject="id", visit="visit", times=TIMES, outcomes=["exhaustion"])

    cohort = read()
    spec = bs.MMRM(FORMULA)
    fit = bs.fit(spec, cohort)
    covariance, state = Covariance(STRUCTURES["us"], np.array(fit.visits.years)), fit.state
    theta = state.optimum.theta

    def iteration() -> object:
        at = evaluate(state.moments, covariance, theta, reml=True)
        return curvature(state.moments, covariance, theta, at, reml=True)

    return {
        "read": best_of(min(runs, 3), read),
        "fit": best_of(runs, lambda: bs.fit(spec, cohort)),
        "summary": best_of(runs, lambda: bs.summarize(fit, df="kenward-roger")),
        "iteration": best_of(50, iteration),
        "-2LL": -2 * fit.loglik,
    }


def own(model: str) -> Callable[[pd.DataFrame], object]:
    """From a frame to our Kenward-Roger table."""
    spec = bs.MMRM(FORMULA) if model == "unstructured" else bs.LMM(MODELS[model])
    read, fit, summarize = bs.read_cohort, bs.fit, bs.summarize  # loaded now, not in the first run

    def run(frame: pd.DataFrame) -> object:
        cohort = read(frame, subject="id", visit="visit", times=TIMES, outcomes=["exhaustion"])
        return summarize(fit(spec, cohort), df="kenward-roger")

    return run


def runs_of(n_subjects: int) -> int:
    """How often ours and a peer's is run, of which the best counts."""
    return 20 if n_subjects <= 2_000 else 3 if n_subjects <= 200_000 else 2


def peak_of(peer: Peer, model: str, n_subjects: int, frame: pd.DataFrame) -> float | None:
    """MiB of one fit."""
    return peak(peer.name, model, n_subjects) if peer.run is not None else peer.measured(model, plain(frame))[1]


def compare(sizes: list[int], patience: float) -> None:
    """One table a model: our seconds, and how many times as long each peer takes."""
    there = [peer for peer in PEERS if peer.is_there()]
    missing = ", ".join(peer.name for peer in PEERS if peer not in there)
    if missing:
        print(f"\nNot installed, so left out: {missing}.")
    frames = {n: cohort_frame(n) for n in sizes}
    for model, told in MODELS.items():
        print(f"\n{told}\n")
        head = f"{'':28}" + "".join(f"{n:>12,}" for n in sizes)
        print(head + "\n" + "-" * len(head))
        run = own(model)
        mine = {n: best_of(runs_of(n), partial(run, frames[n])) for n in sizes}
        peaks = {OURS: [peak(OURS, model, n) for n in sizes]}
        print(f"{'ours, fit + KR (seconds)':28}" + "".join(f"{mine[n]:12.4f}" for n in sizes), flush=True)
        for peer in there:
            if model not in peer.models:
                continue
            cells, spent = [], 0.0
            for n in sizes:
                # Growth with subjects is at least linear: a size that would take longer than the patience is not run.
                wait = spent * n / max(sizes[0], sizes[sizes.index(n) - 1]) if spent else 0.0
                seconds = (
                    once(peer, model, plain(frames[n]), runs_of(n)) if n <= peer.largest and wait <= patience else None
                )
                spent = seconds or spent
                cells.append(f"{seconds / mine[n]:11.1f}x" if seconds else f"{'-':>12}")
                peaks.setdefault(peer.name, []).append(peak_of(peer, model, n, frames[n]) if seconds else None)
            print(f"{peer.name + ', ' + peer.answers:28}" + "".join(cells), flush=True)
        print("peak memory (MiB)")
        for name, used in peaks.items():
            cells = [f"{'-':>12}" if mebibytes is None else f"{mebibytes:12,.0f}" for mebibytes in used]
            print(f"  {name:26}" + "".join(cells), flush=True)
    print(
        "\nTimes as long as ours, each the best of as many runs (R: of two at most). Ours: frame to Kenward-Roger "
        "table;\npeers: fit, with df if said. Peak memory: of a fresh process for each fit (ru_maxrss), less that of "
        "one which only\nimported the package and made the frame (R: of one process, after less before the fit); what "
        "the first fit loads is\nin it. A dash: not run (too slow, too large for it, or it failed)."
    )


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[200, 2_000, 20_000, 1_000_000])
    parser.add_argument("--peer-up-to", type=int, default=20_000, help="largest size at which statsmodels is run")
    parser.add_argument("--peers", action="store_true", help="the table of all peers too (minutes)")
    parser.add_argument("--peer-sizes", type=int, nargs="+", default=[200, 2_000, 20_000, 200_000, 1_000_000])
    parser.add_argument("--patience", type=float, default=60.0, help="seconds that one run of a peer may take")
    asked = parser.parse_args()
    versions = f"numpy {np.__version__}, pandas {pd.__version__}"
    print(f"burnout_stats {bs.__version__}, Python {platform.python_version()}, {versions}; one BLAS thread\n")
    head = (
        f"{'subjects':>9} {'rows':>9} | {'read':>8} {'fit':>8} {'KR table':>8} {'iteration':>9} | "
        f"{'MixedLM':>8} {'ratio':>8} | {'peak memory':>11}"
    )
    print(head + "\n" + "-" * len(head))
    first_iteration = None
    for n in asked.sizes:
        frame = cohort_frame(n)
        runs = 20 if n <= 2_000 else 5 if n <= 20_000 else 2
        mine = ours(frame, runs)
        first_iteration = first_iteration or mine["iteration"]
        total = mine["fit"] + mine["summary"]
        peer = once(STATSMODELS, "random intercept", plain(frame)) if n <= asked.peer_up_to else None
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        shown = f"{peer:8.3f} {peer / total:7.0f}x" if peer else f"{'-':>8} {'-':>8}"
        print(
            f"{n:>9,} {len(frame):>9,} | {mine['read']:8.3f} {mine['fit']:8.4f} {mine['summary']:8.4f} "
            f"{mine['iteration'] * 1e3:6.2f} ms | {shown} | {memory:8.2f} GiB"
        )
        last_iteration = mine["iteration"]
    print(
        f"\nOne iteration at the largest size costs {last_iteration / first_iteration:.2f} times that at the smallest."
    )
    print(
        "ratio: MixedLM's seconds over our fit and Kenward-Roger table. Frames are in memory; read: read_cohort(frame)."
    )
    if asked.peers:
        compare(asked.peer_sizes, asked.patience)
    return 0


if __name__ == "__main__":
    sys.exit(main())
