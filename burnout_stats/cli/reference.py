"""The words that tell about the package itself: `explain`, `schema`, `version`."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer

from .._version import __version__
from ..codes import registry
from ..errors import StudyError, did_you_mean
from .talk import tell, tell_json

__all__ = ["explain", "schema", "version"]


class Schema(StrEnum):
    """The files that have a schema."""

    study = "study"
    results = "results"


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


def schema(
    which: Annotated[Schema, typer.Argument(help="Of study files, or of results.json.")] = Schema.study,
) -> None:
    """Print the JSON Schema of study files, or of results.json."""
    if which is Schema.results:
        from ..reporting.record import to_schema

        tell_json(json.loads(to_schema()))
    else:
        from ..plan import schema as study_schema

        tell_json(study_schema())


def version() -> None:
    """Print the version."""
    tell(f"burnout_stats {__version__}")
