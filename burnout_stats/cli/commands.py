"""The commands, one function each. Each asks a room below for its answer, gives data on stdout and talk on stderr, and
ends with its exit code.
"""

from __future__ import annotations

import io
import json
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from .._version import __version__
from ..codes import registry
from ..errors import BurnoutStatsError, Problem, StudyError, did_you_mean
from ..notices import BurnoutStatsWarning, Notice
from .talk import progress_bar, say, say_notices, say_problems, tell, told_problem

if TYPE_CHECKING:
    from ..estimates import Estimates
    from ..plan import Checked

__all__ = ["app", "main"]

FAULT = 70
STOPPED = 130
EXAMPLES = """\b
Examples
  burnout-stats simulate villa-sana --seed 1 -o villa_sana.csv
  burnout-stats check study.toml
  burnout-stats report study.toml -o out/ --strict
  burnout-stats reproduce villa-sana-2010
  burnout-stats explain E-DATA-DUPLICATE

\b
Exit codes
  0   fine
  1   finished, but --strict and there were notices, or `reproduce` missed a tolerance
  2   the command or the study file cannot be understood
  3   the data are refused
  4   a model has no answer
  5   the output would tell about single persons
  70  a fault of ours
"""


class Guarded(TyperGroup):
    """A group of commands in which every trouble ends with its exit code and a sentence, never with a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command of `ctx`."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", BurnoutStatsWarning)  # notices are said in our own words
                return super().invoke(ctx)
        except BurnoutStatsError as error:
            say_problems(error.problems)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            say("Stopped.")
            ctx.exit(STOPPED)
        except Exception as error:
            if isinstance(error, BrokenPipeError) or _is_usage(error):
                raise
            _say_fault(error)
            ctx.exit(FAULT)


app = typer.Typer(
    cls=Guarded,
    name="burnout-stats",
    help="Mixed models and reports for repeated-measures studies of burnout, job stress, depression and anxiety.\n\n"
    + EXAMPLES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

StudyPath = Annotated[Path, typer.Argument(metavar="STUDY.toml", help="The study file.", show_default=False)]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 where there are notices.")]


@app.command()
def check(
    study: StudyPath,
    strict: Strict = False,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
) -> None:
    """Check a study file and its data, without fitting a model."""
    from ..plan import check as look

    found = look(study)
    exit_code = found.exit_code or int(strict and bool(found.notices))
    if as_json:
        _tell_json(_checked(found, exit_code))
    else:
        _tell_checked(found, study.name)
    raise typer.Exit(exit_code)


@app.command()
def report(
    study: StudyPath,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write to.")] = Path("out"),
    strict: Strict = False,
) -> None:
    """Fit the models of a study file and write the report; stdout lists the files."""
    from ..plan import read_study
    from ..reporting import report as write

    plan = read_study(study)
    with progress_bar("report") as progress:
        manifest = write(plan, out, strict=strict, progress=progress)
    say_notices(manifest.notices)
    tell("\n".join(str(out / name) for name in manifest.files))
    if manifest.exit_code:
        say(f"Finished, with {len(manifest.notices)} notices; --strict counts them as failure.")
    raise typer.Exit(manifest.exit_code)


@app.command()
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


@app.command()
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
        _tell_json({"replicates": replicates, "seed": seed, "missed": missed, "studies": documents})
    else:
        tell("\n\n".join(map(str, documents)))
    if missed:
        say(f"A number misses its tolerance, without a reason, in: {', '.join(missed)}.", color="red")
    raise typer.Exit(int(bool(missed)))


@app.command()
def explain(
    code: Annotated[str, typer.Argument(help="A code, such as E-DATA-DUPLICATE; without one, all are listed.")] = "",
) -> None:
    """Tell the long story of a code."""
    codes = registry()
    if not code:
        tell("\n".join(f"{entry.code}: {entry.sentence}" for entry in codes.values()))
        return
    wanted = code.strip().strip("[]").upper()
    if wanted not in codes:
        raise StudyError(
            "E-STUDY-CODE",
            f"There is no code `{code}`.",
            "Codes look like E-DATA-DUPLICATE or N-MODEL-BOUNDARY; `burnout-stats explain` lists them all.",
            did_you_mean(wanted, codes),
        )
    entry = codes[wanted]
    ending = (
        f"It ends the command with exit code {entry.exit_code}."
        if entry.exit_code
        else "It stops nothing, except under --strict."
    )
    tell(f"{entry.code}\n{entry.sentence}\n\n{entry.story}\n\n{ending}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of study files."""
    from ..plan import schema as study_schema

    _tell_json(study_schema())


@app.command()
def version() -> None:
    """Print the version."""
    tell(f"burnout_stats {__version__}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (those of the process where None) and give its exit code."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    try:
        app(args=None if arguments is None else list(arguments), prog_name="burnout-stats")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


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
        raise StudyError(
            "E-STUDY-FILE",
            f"`{path.name}` cannot be written ({type(error).__name__}).",
            "The folder must exist and allow writing.",
            "Choose another path with -o.",
        ) from None


def _checked(found: Checked, exit_code: int) -> dict[str, Any]:
    return {
        "fine": found.is_fine,
        "exit_code": exit_code,
        "problems": [_problem(problem) for problem in found.problems],
        "notices": [_notice(notice) for notice in found.notices],
    }


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "seen": problem.seen,
        "expected": problem.expected,
        "advice": problem.advice,
        "lines": list(problem.lines),
    }


def _notice(notice: Notice) -> dict[str, str]:
    return {"code": notice.code, "message": notice.message, "advice": notice.advice}


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


def _tell_checked(found: Checked, name: str) -> None:
    for problem in found.problems:
        tell(told_problem(problem))
    for notice in found.notices:
        tell(str(notice))
    if found.cohort is not None and found.is_fine:
        cohort = found.cohort
        visits, outcomes = ", ".join(cohort.visits.labels), ", ".join(cohort.outcomes)
        tell(f"{name}: {cohort.n_subjects} subjects, visits {visits}, outcomes {outcomes}")
    n_problems, n_notices = len(found.problems), len(found.notices)
    if n_problems:
        say(f"{_count(n_problems, 'problem')}, {_count(n_notices, 'notice')}. More: burnout-stats explain CODE")
    else:
        say(f"Fine, with {_count(n_notices, 'notice')}." if n_notices else "Fine.")


def _count(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"


def _tell_json(document: object) -> None:
    """JSON in ASCII, whose `##[` would command a CI system even inside a line: the escaped bracket says the same."""
    text = json.dumps(document, indent=2, ensure_ascii=True)
    typer.echo(text.replace("##[", "##\\u005b"))


def _is_usage(error: Exception) -> bool:
    """Whether the command-line library raised it on purpose (wrong usage, exit, abort); it then knows what to say."""
    return type(error).__module__.partition(".")[0] in {"click", "typer"}


def _say_fault(error: Exception) -> None:
    """The kind and the place of an unexpected exception; not its message, which may hold values of the data."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "burnout_stats" in Path(frame.filename).parts]
    place = own[-1] if own else frames[-1]
    say(
        f"A fault of ours: {type(error).__name__} in {Path(place.filename).name}, line {place.lineno} "
        f"(burnout_stats {__version__}). "
        "Please tell us the command and this line; BURNOUT_STATS_TRACEBACK=1 shows more.",
        color="red",
    )
    if os.environ.get("BURNOUT_STATS_TRACEBACK"):
        traceback.print_exception(error)
