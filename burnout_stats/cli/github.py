"""What GitHub Actions reads: annotations on stdout, and the summary of a job.

Only the lines made here start with `::`. GitHub shows ten annotations of each level in a step and drops the others in
silence, so what is of one kind is told together. A summary of more than 1 MiB is dropped as a whole.

Source: GitHub Docs, Workflow commands for GitHub Actions; actions/toolkit, packages/core/src/command.ts (what is
escaped).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import typer

from ..display.escape import for_terminal
from .talk import say

__all__ = ["Mark", "annotate", "has_summary", "summarize"]

MOST = 10
"""Annotations of one level that a step may have."""

LARGEST = 1024 * 1024
"""Bytes of the summary of a step."""

LONGEST = 1000
LEVELS = ("error", "warning", "notice")
VARIABLE = "GITHUB_STEP_SUMMARY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An annotation: what is told, under which title, and at which lines of which file."""

    level: str
    title: str
    message: str
    file: Path | None = None
    lines: tuple[int, ...] = ()


def annotate(marks: Sequence[Mark]) -> None:
    """Write annotations to stdout, as many as are shown."""
    for level in LEVELS:
        for mark in _few([mark for mark in marks if mark.level == level]):
            typer.echo(command(mark))


def command(mark: Mark) -> str:
    """The workflow command of an annotation, always one line.

    >>> command(Mark(level="error", title="E-DATA-RANGE", message="9 is out of range: 100%", lines=(42, 47)))
    '::error title=E-DATA-RANGE::9 is out of range: 100%25 (2 rows, first at line 42)'
    """
    parts = [] if mark.file is None else [f"file={_property(_relative(mark.file))}"]
    parts += [f"line={mark.lines[0]}"] if mark.lines and mark.file is not None else []
    parts.append(f"title={_property(mark.title)}")
    message = mark.message if len(mark.message) <= LONGEST else f"{mark.message[:LONGEST].rstrip()}…"
    if len(mark.lines) > 1:
        message += f" ({len(mark.lines)} rows, first at line {mark.lines[0]})"
    elif mark.lines:
        message += f" (line {mark.lines[0]})"
    return f"::{mark.level} {','.join(parts)}::{_data(message)}"


def has_summary() -> bool:
    """Whether there is a job whose summary can be written."""
    return bool(os.environ.get(VARIABLE))


def summarize(sections: Iterable[str]) -> None:
    """Add Markdown to the job's summary, as many whole sections as fit; nothing where there is no job."""
    path = os.environ.get(VARIABLE)
    if not path:
        return
    try:
        target = Path(path)
        room = LARGEST - (target.stat().st_size if target.exists() else 0)
        text, left_out = "", 0
        last = "\nThe summary ends here: GitHub shows 1 MiB of it.\n"
        for section in sections:
            whole = f"{text}{section.rstrip()}\n\n"
            if len((whole + last).encode("utf-8")) > room:
                left_out += 1
            else:
                text = whole
        text += last if left_out else ""
        if len(text.encode("utf-8")) <= room:
            with target.open("a", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
    except OSError as error:
        say(f"The job summary cannot be written ({type(error).__name__}); nothing else is lost.", color="yellow")


def _few(marks: list[Mark]) -> list[Mark]:
    """At most as many as are shown: first those of one title told together, then the last ones."""
    if len(marks) <= MOST:
        return marks
    by_title: dict[str, list[Mark]] = {}
    for mark in marks:
        by_title.setdefault(mark.title, []).append(mark)
    merged = [
        own[0] if len(own) == 1 else replace(own[0], message=f"{own[0].message} ({len(own) - 1} more of this kind)")
        for own in by_title.values()
    ]
    if len(merged) <= MOST:
        return merged
    rest = merged[MOST - 1 :]
    message = f"{len(rest)} more kinds: {', '.join(mark.title for mark in rest)}."
    return [*merged[: MOST - 1], Mark(level=rest[0].level, title="And more", message=message, file=rest[0].file)]


def _relative(file: Path) -> str:
    """The path from the top of the repository, which is how GitHub finds the file."""
    top = Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd())
    whole = Path(os.path.abspath(file))  # noqa: PTH100  without following links: GitHub knows the path as it is written
    return (whole.relative_to(top) if whole.is_relative_to(top) else Path(file.name)).as_posix()


def _data(text: str) -> str:
    return for_terminal(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
