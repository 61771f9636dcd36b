"""Blocks of work on the Dask cluster whose Client is active."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from ..errors import SetupError, StudyError

__all__ = ["on_dask"]

Given = TypeVar("Given")
Answer = TypeVar("Answer")


def on_dask(work: Callable[[Given], Answer], blocks: Sequence[Given]) -> Iterator[Answer]:
    """The answers of the cluster, in order; it has the workers that it has.

    Raises
    ------
    SetupError
        `E-SETUP-EXTRA` where Dask is not installed.
    StudyError
        `E-STUDY-OPTION` where no Client is active.
    """
    try:
        import distributed
    except ImportError as error:
        raise SetupError(
            "E-SETUP-EXTRA",
            "Dask is not installed.",
            "It shares the simulated cohorts among the computers of a cluster.",
            'Install it with: pip install "burnout-stats[distributed]".',
        ) from error
    find: Callable[[], Any] = distributed.default_client
    try:
        client = find()
    except ValueError:
        raise StudyError(
            "E-STUDY-OPTION",
            "The backend is Dask, and no Client of a cluster is active.",
            "The cohorts are sent to the cluster whose Client was made last.",
            "Write client = distributed.Client(address) before, or use backend='joblib'.",
        ) from None
    futures = client.map(work, blocks, pure=False)
    answers: list[Answer] = client.gather(futures)
    return iter(answers)
