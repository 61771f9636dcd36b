"""The one registry of codes: for each its sentence and its long story, read from `codes.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["Code", "registry"]


@dataclass(frozen=True, slots=True)
class Code:
    """One code: its exit code (0 for a notice), the sentence that names it and the story that explains it."""

    code: str
    exit_code: int
    sentence: str
    story: str


@cache
def registry() -> dict[str, Code]:
    """All codes by name, in the order of the file."""
    text = files("burnout_stats").joinpath("codes.toml").read_text(encoding="utf-8")
    return {
        name: Code(name, entry["exit"], entry["sentence"], entry["story"].strip())
        for name, entry in tomllib.loads(text).items()
    }
