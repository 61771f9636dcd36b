"""The text of a study file: bytes with a limit, TOML with the line of what is wrong."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from ..errors import StudyError, did_you_mean

__all__ = ["parsed_study", "study_bytes"]

MAX_BYTES = 1_000_000
"""A study file is written by a person; anything longer is another file."""


def study_bytes(path: Path) -> bytes:
    """The bytes of a study file.

    Raises
    ------
    StudyError
        `E-STUDY-FILE` where it cannot be read or is too long to be one.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        near = did_you_mean(path.name, _study_files(path.parent))
        raise StudyError(
            "E-STUDY-FILE",
            f"The study file `{path.name}` cannot be read ({type(error).__name__}).",
            "A study file is a TOML file on this computer.",
            near or "Check the path.",
        ) from None
    if len(raw) > MAX_BYTES:
        raise StudyError(
            "E-STUDY-FILE",
            f"`{path.name}` is longer than {MAX_BYTES:,} bytes.",
            "A study file is a short TOML file that names the data file.",
            "Give the path of the study file, not of the data.",
        )
    return raw


def _study_files(folder: Path) -> list[str]:
    try:
        return sorted(file.name for file in folder.glob("*.toml"))
    except OSError:
        return []


def parsed_study(raw: bytes) -> dict[str, Any]:
    """The tables of a study file.

    Raises
    ------
    StudyError
        `E-STUDY-SYNTAX`, with the line.
    """
    try:
        return tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise StudyError(
            "E-STUDY-SYNTAX",
            f"Line {line} holds bytes that are not UTF-8 text.",
            "A study file is TOML, written in UTF-8.",
            "Save the file as UTF-8 in your editor.",
            lines=[line],
        ) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        message = "too many brackets in brackets" if isinstance(error, RecursionError) else str(error)
        at = re.search(r"\s*\(at (?:line (\d+), column \d+|end of document)\)", message)
        line = int(at[1]) if at and at[1] else raw.rstrip().count(b"\n") + 1
        what = message[: at.start()] if at else message
        raise StudyError(
            "E-STUDY-SYNTAX",
            f"Line {line} cannot be read: {what[:1].lower()}{what[1:]}.",
            "A study file is TOML: [tables], and lines such as key = value with texts in quotes.",
            "Look at that line and the one before it for a missing quote, bracket or equals sign.",
            lines=[line],
        ) from None
