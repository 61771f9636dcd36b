"""Peak memory of one fit, ours or a peer's: what the process took at most (`ru_maxrss`), less what one took that only
imported the package and made the frame.

    python memory.py "glmm" "random intercept" 2000

Linux counts to a new process what its parent held when it was started, so both are started from this small one, never
from a process that holds frames. What a fit needs below the peak of making the frame is not seen.
"""

from __future__ import annotations

import os
import subprocess
import sys

__all__ = ["OURS", "peak"]

OURS = "ours"
IMPORTED, FITTED = "imported", "fitted"


def peak(name: str, model: str, n_subjects: int) -> float | None:
    """MiB that a fit of n subjects took beyond import and frame; None where it failed."""
    asked = [sys.executable, __file__, name, model, str(n_subjects)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return None if done.returncode else float(done.stdout)


def _difference(name: str, model: str, n_subjects: str) -> float:
    used = []
    for stage in (IMPORTED, FITTED):
        asked = [sys.executable, __file__, name, model, n_subjects, stage]
        done = subprocess.run(asked, capture_output=True, text=True, check=True)
        used.append(float(done.stdout.splitlines()[-1]))
    return used[1] - used[0]


def _used(name: str, model: str, n_subjects: int, stage: str) -> float:
    """MiB at most of this process after the stage."""
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    import resource
    from importlib import import_module

    from bench import cohort_frame, own
    from peers import PEERS, plain

    frame = cohort_frame(n_subjects)
    run = own(model)
    if name != OURS:
        (peer,) = (one for one in PEERS if one.name == name)
        import_module(peer.package)
        frame = plain(frame)
        run = peer.runs(model)
    if stage == FITTED:
        run(frame)
    per_mebibyte = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / per_mebibyte


if __name__ == "__main__":
    asked = sys.argv[1:]
    print(_difference(*asked) if len(asked) == 3 else _used(asked[0], asked[1], int(asked[2]), asked[3]))
