"""Where blocks of work are done: here one after another, in processes of this computer, or on a Dask cluster.

A backend takes a function and its arguments, block by block, and gives the answers in the order of the blocks. What a
block does depends on its arguments only, so every backend gives the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

from ..errors import SetupError
from ._dask import on_dask

__all__ = ["BACKENDS"]

Given = TypeVar("Given")
Answer = TypeVar("Answer")


def in_processes(work: Callable[[Given], Answer], blocks: Sequence[Given], workers: int) -> Iterator[Answer]:
    """Processes of this computer, by joblib's loky.

    Raises
    ------
    SetupError
        `E-SETUP-EXTRA` where joblib is not installed.
    """
    try:
        from joblib import Parallel, delayed
    except ImportError as error:
        raise SetupError(
            "E-SETUP-EXTRA",
            "joblib is not installed.",
            "It starts the processes among which the simulated cohorts are shared.",
            'Install it with: pip install "burnout-stats[distributed]", or use backend="serial".',
        ) from error
    parallel = Parallel(n_jobs=workers, backend="loky", return_as="generator")
    answers: Iterator[Answer] = parallel(delayed(work)(block) for block in blocks)
    return answers


BACKENDS: Mapping[str, Callable[..., Iterator[object]]] = MappingProxyType(
    {
        "serial": lambda work, blocks, workers: map(work, blocks),
        "joblib": in_processes,
        "dask": lambda work, blocks, workers: on_dask(work, blocks),
    }
)
"""By name."""
