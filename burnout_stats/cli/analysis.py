"""The words about a study of one's own: `check` it, `report` it, `compare` two reports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import BurnoutStatsError, Problem, StudyError
from ..notices import Notice
from . import github
from .talk import progress_bar, say, say_notices, tell, tell_json, told_problem

if TYPE_CHECKING:
    from ..plan import Checked, Plan, Results
    from ..reporting.comparison import Comparison

__all__ = ["check", "compare", "report"]


class Format(StrEnum):
    """How an answer is given."""

    text = "text"
    json = "json"
    github = "github"


class Checklist(StrEnum):
    """The reporting guidelines that a report can answer."""

    strobe = "strobe"


StudyPath = Annotated[Path, typer.Argument(metavar="STUDY.toml", help="The study file.", show_default=False)]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 where there are notices.")]
AsJson = Annotated[bool, typer.Option("--json", help="Say it as JSON.")]
How = Annotated[
    Format, typer.Option("--format", help="For people, for machines, or as annotations and job summary of GitHub.")
]


def check(
    studies: Annotated[
        list[Path], typer.Argument(metavar="STUDY.toml...", help="The study file, or several.", show_default=False)
    ],
    strict: Strict = False,
    as_json: AsJson = False,
    how: How = Format.text,
) -> None:
    """Check a study file and its data, without fitting a model."""
    from ..plan import check as look

    asked = _asked(how, as_json=as_json)
    documents: list[dict[str, Any]] = []
    marks: list[github.Mark] = []
    exit_code = 0
    for study in studies:
        found = look(study)
        own = found.exit_code or int(strict and bool(found.notices))
        exit_code = exit_code or own
        if asked is Format.json:
            documents.append(_checked(found, own))
            continue
        if asked is Format.github:
            from .summary import of_check

            marks += _marks(found.problems, found.notices, study, found.plan, strict=strict)
            github.summarize(of_check(found, study.name))
        else:
            _tell_checked(found, study.name)
        _say_checked(found)
    if asked is Format.json:
        tell_json(documents[0] if len(documents) == 1 else {"exit_code": exit_code, "studies": documents})
    github.annotate(marks)
    raise typer.Exit(exit_code)


def report(
    study: StudyPath,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder to write to.")] = Path("out"),
    strict: Strict = False,
    as_json: AsJson = False,
    how: How = Format.text,
    date: Annotated[
        str,
        typer.Option(
            metavar="YYYY-MM-DD", help="The date of the report; without it that of SOURCE_DATE_EPOCH, or none."
        ),
    ] = "",
    checklist: Annotated[
        Checklist | None, typer.Option(help="Answer a reporting guideline, whatever the study file says.")
    ] = None,
) -> None:
    """Fit the models of a study file and write the report; stdout lists the files."""
    from ..plan import read_study, run
    from ..reporting import report as write

    asked = _asked(how, as_json=as_json)
    day = _day(date)
    with _refused(asked, study) as known:
        plan = read_study(study)
        if checklist is not None:
            plan = replace(plan, report=plan.report.model_copy(update={"checklist": checklist.value}))
        known.append(plan)
        with progress_bar("report") as progress:
            results = run(plan, progress=progress)
            if day:
                results = replace(results, provenance=replace(results.provenance, date=day))
            manifest = write(results, out, strict=strict)
    if asked is Format.json:
        tell_json(
            {
                "exit_code": manifest.exit_code,
                "files": [{"path": str(out / name), "sha256": manifest.sha256.get(name)} for name in manifest.files],
                "notices": [_notice(notice) for notice in manifest.notices],
            }
        )
    else:
        if asked is Format.github:
            _summarize(results, manifest.notices)
            github.annotate(_marks((), manifest.notices, study, plan, strict=strict))
        else:
            say_notices(manifest.notices)
        tell("\n".join(str(out / name) for name in manifest.files))
    if manifest.exit_code:
        say(f"Finished, with {_count(len(manifest.notices), 'notice')}; --strict counts them as failure.")
    raise typer.Exit(manifest.exit_code)


def compare(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A results.json, or the folder of a report.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The later one.")],
    rtol: Annotated[
        float,
        typer.Option(
            help="What may move: an estimate by so many standard errors, other numbers by that share of themselves."
        ),
    ] = 1e-4,
    atol: Annotated[
        float, typer.Option(help="The smallest difference that counts; counts of persons must agree.")
    ] = 1e-8,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 where plan, input, software or notices differ, too.")
    ] = False,
    as_json: AsJson = False,
    how: How = Format.text,
) -> None:
    """Compare two results.json: exit code 1 where a number moved, or something came or went."""
    from ..reporting.compare import compare_results

    asked = _asked(how, as_json=as_json)
    with _refused(asked, new):
        found = compare_results(old, new, rtol=rtol, atol=atol)
    exit_code = int(found.has_drifted or (strict and bool(found.differences)))
    if asked is Format.json:
        tell_json({"exit_code": exit_code, **found.to_dict()})
    else:
        if asked is Format.github:
            from .summary import of_comparison

            file = new / "results.json" if new.is_dir() else new
            github.annotate(_drifted(found, file, strict=strict))
            github.summarize(of_comparison(found))
        if found.differences:
            tell(str(found.table()))
        say(found.sentence(), color="red" if exit_code else None)
    raise typer.Exit(exit_code)


def _asked(how: Format, *, as_json: bool) -> Format:
    if as_json and how is Format.github:
        raise StudyError(
            "E-STUDY-OPTION",
            "`--json` and `--format github` are both asked for.",
            "Stdout has one form.",
            "Leave one of them out.",
        )
    return Format.json if as_json else how


def _day(date: str) -> str:
    if not date:
        return ""
    try:
        return dt.date.fromisoformat(date).isoformat()
    except ValueError:
        raise StudyError(
            "E-STUDY-DATE",
            f"`--date` is {date!r}.",
            "It is a day as YYYY-MM-DD, and the only date that a report shows.",
            "Write for example --date 2026-06-30, or leave it out for a report without a date.",
        ) from None


@contextmanager
def _refused(asked: Format, file: Path) -> Iterator[list[Plan]]:
    """Tell a refusal in the form that was asked for; the plan is known once it has been read."""
    known: list[Plan] = []
    try:
        yield known
    except BurnoutStatsError as error:
        if asked is Format.json:
            tell_json({"exit_code": error.exit_code, "problems": [_problem(problem) for problem in error.problems]})
        elif asked is Format.github:
            from .summary import of_refusal

            github.annotate(_marks(error.problems, (), file, known[0] if known else None))
            github.summarize(of_refusal(error.problems, file.name))
        raise


def _summarize(results: Results, notices: tuple[Notice, ...]) -> None:
    if github.has_summary():
        from ..reporting.gate import shown
        from .summary import of_report

        github.summarize(of_report(shown(results), notices))


def _marks(
    problems: tuple[Problem, ...], notices: tuple[Notice, ...], study: Path, plan: Plan | None, *, strict: bool = False
) -> list[github.Mark]:
    """Problems as errors at their lines, notices as warnings, or as errors where they fail the job."""
    data = study if plan is None else study.parent / plan.data.file
    marks = [
        github.Mark(
            level="error",
            title=problem.code,
            message=problem.sentence(),
            file=data if problem.code.startswith("E-DATA-") else study,
            lines=problem.lines,
        )
        for problem in problems
    ]
    level = "error" if strict else "warning"
    return marks + [
        github.Mark(level=level, title=notice.code, message=f"{notice.message} {notice.advice}".rstrip(), file=study)
        for notice in notices
    ]


def _drifted(found: Comparison, file: Path, *, strict: bool) -> list[github.Mark]:
    """One annotation for the drift of each outcome, one for each kind of thing around it."""
    marks: list[github.Mark] = []
    for outcome in dict.fromkeys(one.outcome for one in found.drift):
        own = [one for one in found.drift if one.outcome == outcome]
        said = f"{own[0].where} {own[0].quantity}".strip()
        more = f", the first: {said}" if len(own) > 1 else f": {said}"
        message = f"{_count(len(own), 'difference')}{more}."
        marks.append(github.Mark(level="error", title=f"Drift in {outcome or 'the study'}", message=message, file=file))
    for kind in ("notice", "plan", "input", "software"):
        names = [one.where for one in found.differences if one.kind == kind]
        if names:
            listed = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
            level = "error" if strict else "notice"
            marks.append(
                github.Mark(level=level, title=f"{kind.capitalize()} changed", message=f"{listed}.", file=file)
            )
    return marks


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


def _tell_checked(found: Checked, name: str) -> None:
    for problem in found.problems:
        tell(told_problem(problem))
    for notice in found.notices:
        tell(str(notice))
    if found.cohort is not None and found.is_fine:
        cohort = found.cohort
        visits, outcomes = ", ".join(cohort.visits.labels), ", ".join(cohort.outcomes)
        tell(f"{name}: {cohort.n_subjects} subjects, visits {visits}, outcomes {outcomes}")


def _say_checked(found: Checked) -> None:
    n_problems, n_notices = len(found.problems), len(found.notices)
    if n_problems:
        say(f"{_count(n_problems, 'problem')}, {_count(n_notices, 'notice')}. More: burnout-stats explain CODE")
    else:
        say(f"Fine, with {_count(n_notices, 'notice')}." if n_notices else "Fine.")


def _count(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"
