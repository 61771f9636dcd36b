"""A JSON file that anybody may have written: its size and form are checked before a value is believed, and every
refusal names the place.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ..errors import StudyError

__all__ = ["MAX_BYTES", "Place", "read_untrusted", "refuse", "said"]

MAX_BYTES = 64 * 1024 * 1024
"""The standard report of four outcomes has 0.3 MB; a file beyond this is not a results.json."""

NAME = "results.json"


def read_untrusted(path: Path) -> Place:
    """The document of a results.json, or of that in a report's folder.

    Raises
    ------
    StudyError
        `E-STUDY-FILE` where it cannot be opened, `E-REPORT-SIZE` where it is far too large, `E-REPORT-RESULTS` where it
        is not JSON.
    """
    return Place(_parsed(_bytes(path), path.name), path.name)


def _bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            path = path / NAME
        if not path.is_file():
            raise FileNotFoundError
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise StudyError(
            "E-STUDY-FILE",
            f"`{path.name}` cannot be read ({type(error).__name__}).",
            "Two files are compared, the results.json of an earlier run and that of a later one, or their folders.",
            "Check both paths.",
        ) from None
    if len(raw) > MAX_BYTES:
        raise StudyError(
            "E-REPORT-SIZE",
            f"`{path.name}` has more than {MAX_BYTES // 1024**2} MB.",
            "The results of a report have less than one, so this is another file.",
            "Name the results.json that `burnout-stats report` wrote.",
        )
    return raw


def _parsed(raw: bytes, name: str) -> object:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key stands twice")
        return found

    def unknown(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    try:
        document = json.loads(raw.decode("utf-8"), object_pairs_hook=once, parse_constant=unknown)
    except RecursionError:
        refuse(name, "is nested too deep")
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        line = getattr(error, "lineno", None)
        refuse(name, "is not JSON" + (f" (line {line})" if line else f" ({type(error).__name__})"))
    return document


def refuse(place: str, what: str) -> NoReturn:
    """Refuse the file for what was found at a place.

    Raises
    ------
    StudyError
        `E-REPORT-RESULTS`.
    """
    raise StudyError(
        "E-REPORT-RESULTS",
        f"`{place}` {what}.",
        "It should be as `burnout-stats report` writes results.json (`burnout-stats schema results` prints the form).",
        "Write the report again, and compare the file as it is.",
    )


@dataclass(frozen=True, slots=True)
class Place:
    """A value of the document and where it stands."""

    value: Any
    path: str

    def at(self, key: str) -> Place:
        """What stands under a key that must be there."""
        found = self.get(key)
        if found is None:
            refuse(self.path, f"has no `{key}`")
        return found

    def get(self, key: str) -> Place | None:
        """What stands under a key that may be there."""
        if not isinstance(self.value, dict):
            refuse(self.path, "is not an object")
        return Place(self.value[key], f"{self.path}: {key}") if key in self.value else None

    def items(self) -> list[tuple[str, Place]]:
        """Keys and what stands under them, of an object."""
        if not isinstance(self.value, dict):
            refuse(self.path, "is not an object")
        return [(key, Place(item, f"{self.path}: {key}")) for key, item in self.value.items()]

    def entries(self) -> list[Place]:
        """The entries of a list."""
        if not isinstance(self.value, list):
            refuse(self.path, "is not a list")
        return [Place(item, f"{self.path}[{k}]") for k, item in enumerate(self.value)]

    def text(self) -> str:
        """A text."""
        if not isinstance(self.value, str):
            refuse(self.path, "is not a text")
        return self.value

    def number(self) -> float | None:
        """A finite number, or None where there is none."""
        if self.value is None:
            return None
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            refuse(self.path, "is not a number")
        try:
            number = float(self.value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            refuse(self.path, "is too large a number")
        return number


def said(value: object) -> str:
    """A value as text; objects within lists are written as JSON."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    except (ValueError, RecursionError):
        return "a value that cannot be written"
