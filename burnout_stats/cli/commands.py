"""The command as a whole: its words, its help, and what becomes of trouble.

Each word stands in a file with its like. It asks a room below for its answer, gives data on stdout and talk on stderr,
and ends with its exit code.
"""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from .._version import __version__
from ..errors import BurnoutStatsError
from ..notices import BurnoutStatsWarning
from .analysis import check, compare, report
from .drafting import init
from .published import reproduce, simulate, validate
from .reference import explain, schema, version
from .talk import say, say_problems

__all__ = ["app", "main"]

FAULT = 70
STOPPED = 130
EXAMPLES = """\b
Examples
  burnout-stats simulate villa-sana --seed 1 -o villa_sana.csv
  burnout-stats init data.sav
  burnout-stats check study.toml
  burnout-stats report study.toml -o out/ --strict
  burnout-stats compare old/results.json out/results.json
  burnout-stats report study.toml -o out/ --format github
  burnout-stats reproduce villa-sana-2010
  burnout-stats explain E-DATA-DUPLICATE

\b
Exit codes
  0   fine
  1   finished, but --strict and there were notices, `compare` found drift, or `reproduce` missed a tolerance
  2   the command, the study file or a file of results cannot be understood
  3   the data are refused
  4   a model has no answer
  5   the output would tell about single persons
  70  a fault of ours
"""


ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Where the libraries of linear algebra look for their number of threads."""


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
for word in (init, check, report, compare, simulate, reproduce, validate, explain, schema, version):
    app.command()(word)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (those of the process where None) and give its exit code."""
    _on_one_thread()
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    try:
        app(args=None if arguments is None else list(arguments), prog_name="burnout-stats")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


def _on_one_thread() -> None:
    """Let linear algebra run on one thread, before it loads: how many there are would move the last digits, and its
    matrices are too small to gain by more.
    """
    if "numpy" not in sys.modules:
        os.environ.update(dict.fromkeys(ONE_THREAD, "1"))


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
