"""The two voices of the command: `tell` gives data on stdout, `say` talks on stderr. Nothing else writes to a stream.

Names and labels come from files. `for_terminal` takes control characters out of them, and breaks `::` and `##[`, with
which a line of a log would command the CI system that reads it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import typer

from ..display.escape import for_terminal
from ..errors import Problem
from ..notices import Notice

__all__ = ["progress_bar", "say", "say_notices", "say_problems", "tell", "tell_json", "told_problem"]

MAX_LINES = 8


def tell(text: str) -> None:
    """One or more lines of data on stdout."""
    typer.echo(_safe(text))


def tell_json(document: object) -> None:
    """JSON in ASCII, whose `##[` would command a CI system even inside a line: the escaped bracket says the same."""
    text = json.dumps(document, indent=2, ensure_ascii=True)
    typer.echo(text.replace("##[", "##\\u005b"))


def say(text: str, *, color: str | None = None) -> None:
    """One or more lines of talk on stderr, colored only where a person looks and has not asked otherwise."""
    safe = _safe(text)
    typer.echo(typer.style(safe, fg=color) if color and _may_color() else safe, err=True)


def say_problems(problems: Sequence[Problem]) -> None:
    """Every problem, and how to learn more."""
    for problem in problems:
        say(told_problem(problem), color="red")
    codes = ", ".join(dict.fromkeys(problem.code for problem in problems))
    say(f"More about it: burnout-stats explain {codes.split(', ')[0]}" + (f" (or {codes})" if ", " in codes else ""))


def told_problem(problem: Problem) -> str:
    """A problem on one line: code, lines of the file, the three sentences."""
    return f"{problem.code}{_where(problem.lines)}: {problem.sentence()}"


def say_notices(notices: Iterable[Notice]) -> None:
    """Every notice, one a line."""
    for notice in notices:
        say(str(notice), color="yellow")


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int, str], None] | None]:
    """A progress callback that draws a bar on a terminal; None, and silence, where nobody watches or CI is set."""
    if not sys.stderr.isatty() or os.environ.get("CI"):
        yield None
        return
    from tqdm import tqdm

    with tqdm(
        desc=title, total=1, leave=False, file=sys.stderr, bar_format="{bar:30} {n_fmt}/{total_fmt} {desc}"
    ) as bar:

        def move(done: int, total: int, what: str) -> None:
            bar.total = total
            bar.set_description_str(for_terminal(what), refresh=False)
            bar.n = done
            bar.refresh()

        yield move


def _safe(text: str) -> str:
    return "\n".join((" " * (len(line) - len(line.lstrip(" ")))) + for_terminal(line) for line in text.split("\n"))


def _where(lines: Sequence[int]) -> str:
    if not lines:
        return ""
    shown = ", ".join(str(line) for line in lines[:MAX_LINES])
    more = f" and {len(lines) - MAX_LINES} more" if len(lines) > MAX_LINES else ""
    return f" ({'line' if len(lines) == 1 else 'lines'} {shown}{more})"


def _may_color() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")
