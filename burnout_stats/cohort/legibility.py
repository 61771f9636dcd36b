"""Letters that were damaged on the way: UTF-8 read as a one-byte encoding (`Ã¥` for `å`), and letters that a program
replaced because it could not read them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from ..errors import Problem
from .columns import Column
from .places import Places

__all__ = ["damaged", "damaged_names"]

LOST = "\ufffd"
RUNS = re.compile(r"[^\x00-\x7f]+")


def damaged(name: str, column: Column, places: Places) -> list[Problem]:
    """A column with damaged letters."""
    texts = column.texts
    if column.numbers is not None or all(map(str.isascii, texts)):
        return []
    is_hit = np.zeros(len(texts) + 1, dtype=bool)
    is_hit[:-1] = [not text.isascii() and is_damaged(text) for text in texts]
    rows = np.flatnonzero(is_hit[column.codes])
    is_lost = LOST in "".join(text for text, hit in zip(texts, is_hit, strict=False) if hit)
    return [_problem(f"Column `{name}` holds", f" ({places.say(rows)})", places.of(rows), is_lost)] if len(rows) else []


def damaged_names(names: Iterable[str], *, is_file: bool) -> list[Problem]:
    """Column names with damaged letters."""
    found = [name for name in names if not name.isascii() and is_damaged(name)]
    is_lost = any(LOST in name for name in found)
    return [_problem("A column name holds", "", (1,) if is_file else (), is_lost)] if found else []


def is_damaged(text: str) -> bool:
    """Whether letters of a text are UTF-8 that was read as Windows-1252 or Latin-1, or were lost.

    Two or more letters in a row that are, in the one-byte encoding, exactly the bytes of one or more letters in UTF-8
    do not occur in any word.

    >>> is_damaged("BjÃ¸rn"), is_damaged("Bjørn"), is_damaged("São João")
    (True, False, False)
    """
    return LOST in text or any(_is_twice(run) for run in RUNS.findall(text))


def _is_twice(run: str) -> bool:
    for codec in ("cp1252", "latin-1"):
        try:
            run.encode(codec).decode("utf-8")
        except UnicodeError:
            continue
        return True
    return False


def _problem(what: str, where: str, lines: tuple[int, ...], is_lost: bool) -> Problem:
    seen = "a mark in place of letters that were lost" if is_lost else "damaged letters, such as `Ã¥` where an å was"
    return Problem(
        "E-DATA-MOJIBAKE",
        f"{what} {seen}{where}.",
        "A program before this one read the text in another encoding than it was written in.",
        "Export the data again as UTF-8 from the program that still shows them rightly.",
        lines,
    )
