"""The words about studies that are known: `simulate` published cohorts, `reproduce` their numbers, `validate` the tests
of this package by simulation.
"""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import StudyError
from .talk import progress_bar, say, tell, tell_json

if TYPE_CHECKING:
    from ..estimates import Estimates

__all__ = ["reproduce", "simulate", "validate"]

FEWEST = 100


def simulate(
    study: Annotated[str, typer.Argument(help="The study, such as villa-sana.")],
    seed: Annotated[
        int | None, typer.Option(help="The seed; without it, that of the example in the package.", show_default=False)
    ] = None,
    n: Annotated[
        int | None,
        typer.Option(
            "-n", "--subjects", help="How many subjects; without it, as many as the study had.", show_default=False
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The CSV file to write; without it, stdout.", show_default=False)
    ] = None,
) -> None:
    """Simulate the cohort of a study, as CSV."""
    from ..studies import write

    stream = io.StringIO()
    write(study, stream, n=n, seed=seed)
    if out is None:
        typer.echo(stream.getvalue(), nl=False)
    else:
        _write_new(out, stream.getvalue().encode("utf-8"))
        tell(str(out))


def reproduce(
    study: Annotated[str, typer.Argument(help="The study, such as villa-sana-2010.", show_default=False)] = "",
    every: Annotated[bool, typer.Option("--all", help="Every study.")] = False,
    replicates: Annotated[int, typer.Option(help="Synthetic cohorts of each study.")] = 1000,
    seed: Annotated[int, typer.Option(help="The seed.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
) -> None:
    """Set the printed numbers of a published study beside those of synthetic cohorts."""
    from ..display import to_text
    from ..studies import is_missed, names
    from ..studies import study as published
    from ..tables import reproduction

    if bool(study) == every:
        raise StudyError(
            "E-STUDY-OPTION",
            "Neither a study nor --all is named." if not study else "A study and --all are both named.",
            f"Studies are: {', '.join(name.replace('_', '-') for name in names())}.",
            "Write for example `burnout-stats reproduce villa-sana-2010`.",
        )
    chosen = [published(name) for name in (names() if every else [study])]
    documents, missed = [], []
    with progress_bar("reproduce") as progress:
        for done, one in enumerate(chosen):
            if progress is not None:
                progress(done, len(chosen), one.name)
            found = one.reproduce(replicates, seed=seed)
            missed += [one.name] if is_missed(found) else []
            documents.append(_reproduced(one.name, found) if as_json else to_text(reproduction(found)))
    if as_json:
        tell_json({"replicates": replicates, "seed": seed, "missed": missed, "studies": documents})
    else:
        tell("\n\n".join(map(str, documents)))
    if missed:
        say(f"A number misses its tolerance, without a reason, in: {', '.join(missed)}.", color="red")
    raise typer.Exit(int(bool(missed)))


def validate(
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The Markdown file to write; without it, stdout.", show_default=False),
    ] = None,
    replicates: Annotated[int, typer.Option(help="Cohorts of each design and size.")] = 10_000,
    seed: Annotated[int, typer.Option(help="The seed.")] = 1,
) -> None:
    """Simulate how the tests of this package keep their level, as a page of Markdown."""
    from ..reporting.validation import validation_page

    if replicates < FEWEST or seed < 0:
        raise StudyError(
            "E-STUDY-VALUE",
            f"There are {replicates} replicates, and the seed is {seed}.",
            f"A share needs {FEWEST} cohorts at least, and a seed is 0 or more.",
            "Write burnout-stats validate --replicates 10000.",
        )
    began = time.monotonic()
    with progress_bar("validate") as progress:
        page = validation_page(replicates=replicates, seed=seed, progress=progress)
    if out is None:
        typer.echo(page, nl=False)
    else:
        try:
            out.write_text(page, encoding="utf-8", newline="")
        except OSError as error:
            raise _unwritable(out, error) from None
        tell(str(out))
    say(f"It took {time.monotonic() - began:.0f} seconds.")


def _write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, or stands there already with the same bytes: simulated data replace no other
    data.
    """
    try:
        if path.exists() and not (path.is_file() and path.read_bytes() == data):
            raise StudyError(
                "E-STUDY-EXISTS",
                f"`{path.name}` is already there.",
                "Simulated data are not written over other data.",
                "Choose another name with -o, or move the file away.",
            )
        path.write_bytes(data)
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> StudyError:
    return StudyError(
        "E-STUDY-FILE",
        f"`{path.name}` cannot be written ({type(error).__name__}).",
        "The folder must exist and allow writing.",
        "Choose another path with -o.",
    )


def _reproduced(name: str, found: Estimates) -> dict[str, Any]:
    """The rows of a reproduction as JSON; a number that was not computed is null."""
    from ..estimates.tabulation import shown

    keys = ("id", "quantity", "printed", "mark", "used", "tolerance", "agrees")
    numbers = {"median": "estimate", "low": "conf_low", "high": "conf_high"}
    rows = [
        {key: row[key] for key in keys}
        | {key: None if row[column] != row[column] else float(row[column]) for key, column in numbers.items()}
        for row in shown(found).frame.to_dict("records")
    ]
    return {"study": name, "rows": rows, "notes": list(found.about.notes)}
