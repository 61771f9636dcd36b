"""Progress of long work: a bar where somebody watches, nothing where nobody does, or whatever the caller wants.

A bar comes after half a second, so that what is quick shows none, and leaves nothing behind.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from .escape import for_terminal
from .showing import in_notebook

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["Progress", "Watched", "teller"]

Progress = Callable[[int, int, str], None]
"""Called as `progress(done, total, what)`."""
Watched: TypeAlias = "Progress | bool | None"
"""None: a bar where somebody watches; True: a bar in any case; False: silence; else who is to be told."""

_DELAY = 0.5


def teller(progress: Watched) -> Progress | None:
    """Whom long work tells how far it is; None for nobody.

    Nobody watches where there is neither a notebook nor a terminal, where `CI` is set, or `TQDM_DISABLE`.

    >>> teller(False) is None
    True
    """
    if progress is None:
        progress = _is_watched()
    if isinstance(progress, bool):
        return _Bar() if progress else None
    return progress


def _is_watched() -> bool:
    if os.environ.get("CI") or os.environ.get("TQDM_DISABLE"):
        return False
    return in_notebook() or bool(sys.stderr is not None and sys.stderr.isatty())


class _Bar:
    """A bar that opens when work begins and closes itself when it is done."""

    __slots__ = ("_bar",)

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None

    def __call__(self, done: int, total: int, what: str) -> None:
        bar = self._bar
        if bar is None:
            bar = self._bar = _opened(total)
        bar.total = total
        bar.set_description_str(for_terminal(what), refresh=False)
        bar.update(done - bar.n)
        if done >= total:
            bar.close()
            self._bar = None


def _opened(total: int) -> tqdm[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a notebook without ipywidgets gets a bar of letters, and no sermon
        from tqdm.auto import tqdm

    return tqdm(total=total, leave=False, delay=_DELAY)
