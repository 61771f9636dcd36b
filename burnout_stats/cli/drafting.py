"""`burnout-stats init`: a first study file for data that have none."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import StudyError
from .talk import say, say_notices, tell, told_problem

__all__ = ["init"]


def init(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA", help="The data file: CSV, Excel, SPSS, Stata, SAS, Parquet.", show_default=False
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The study file; without it, beside the data.", show_default=False),
    ] = None,
    subject: Annotated[str, typer.Option(help="The column that tells whose row it is.", show_default=False)] = "",
    visit: Annotated[str, typer.Option(help="The column that tells the visit.", show_default=False)] = "",
    sheet: Annotated[
        str | None, typer.Option(help="The sheet, of a workbook that has several.", show_default=False)
    ] = None,
) -> None:
    """Draft a study file by looking at the data; no file is written over."""
    from ..plan import check
    from ..plan.draft import draft_study

    path = data.with_suffix(".toml") if out is None else out
    _refuse_existing(path)
    draft = draft_study(data, subject=subject, visit=visit, sheet=sheet, file=_from(path, data))
    _write_new(path, draft.text)
    tell(str(path))
    for sentence in draft.found:
        say(sentence)
    found = check(path)
    say_notices(found.notices)
    for problem in found.problems:
        say(told_problem(problem), color="red")
    todo = f"{path.name} has {len(draft.questions)} questions for you, marked TODO: read it in an editor."
    if found.is_fine:
        say(f"{todo} The data pass the check already.")
        say(f"Then: burnout-stats report {path} -o {path.with_suffix('')}_report")
    else:
        say(f"{todo} The check found what stands above; mend it, then: burnout-stats check {path}")


def _refuse_existing(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise StudyError(
            "E-STUDY-EXISTS",
            f"`{path.name}` is already there.",
            "A draft is not written over another file.",
            "Choose another name with -o, or move the file away.",
        )


def _from(path: Path, data: Path) -> str:
    """The data file as the study file names it."""
    try:
        return data.resolve().relative_to(path.resolve().parent).as_posix()
    except (ValueError, OSError, RuntimeError):
        raise StudyError(
            "E-STUDY-FILE",
            f"`{data.name}` does not lie in the folder of `{path.name}`, or below it.",
            "A study file names its data from its own folder.",
            "Choose another place with -o, or leave -o out: the study file then stands beside the data.",
        ) from None


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        _refuse_existing(path)
    except OSError as error:
        raise StudyError(
            "E-STUDY-FILE",
            f"`{path.name}` cannot be written ({type(error).__name__}).",
            "The folder must exist and allow writing.",
            "Choose another place with -o.",
        ) from None
