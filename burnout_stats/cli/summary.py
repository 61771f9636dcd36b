"""The summary of a job as Markdown, in sections of which as many are shown as fit. Everything that comes from a file is
escaped.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..display.escape import for_markdown
from ..errors import Problem
from ..notices import Notice

if TYPE_CHECKING:
    from ..plan import Checked, Results
    from ..reporting.comparison import Comparison

__all__ = ["of_check", "of_comparison", "of_refusal", "of_report"]

MOST = 50
"""Lines of a list."""

ADDRESS = re.compile(r"https://[a-z0-9.-]+(?::[0-9]+)?\Z")
REPOSITORY = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+\Z")
NUMBER = re.compile(r"[0-9]+\Z")


def of_check(found: Checked, name: str) -> Iterator[str]:
    """What a look at a study file and its data found."""
    state = "fine" if found.is_fine else "refused"
    yield f"## {for_markdown(name)}: {state}"
    if found.problems:
        yield _problems(found.problems)
    if found.is_fine and found.cohort is not None:
        cohort = found.cohort
        yield (
            f"{cohort.n_subjects} subjects; visits: {_listed(cohort.visits.labels)}; "
            f"outcomes: {_listed(cohort.outcomes)}."
        )
    if found.notices:
        yield _notices(found.notices)


def of_refusal(problems: Iterable[Problem], name: str) -> Iterator[str]:
    """Why there is no answer."""
    yield f"## {for_markdown(name)}: refused"
    yield _problems(problems)


def of_report(results: Results, notices: Iterable[Notice]) -> Iterator[str]:
    """The changes of protected results, the notices, and from what they were made."""
    from ..display import to_markdown
    from ..tables import contrasts

    plan = results.plan
    yield f"## {for_markdown(plan.title)}"
    where = _artifact()
    yield (
        f"{results.cohort.n_subjects} subjects; visits: {_listed(results.cohort.visits.labels)}. "
        f"The whole report is among the {where} of this run, where the workflow uploads it."
    )
    noticed = tuple(notices)
    yield _notices(noticed) if noticed else "No notices."
    for part in results.outcomes:
        yield f"### {for_markdown(part.outcome.label)}"
        yield to_markdown(contrasts(part.changes, part.standardized), plan.report.number_style)
    told = results.provenance
    lines = [f"- {name} {version}" for name, version in told.versions.items()]
    lines += [f"- {told.platform}", f"- {told.study_name}: SHA-256 {told.study_sha256}"]
    lines += [f"- {told.data_name}: SHA-256 {told.data_sha256 or 'none'}", f"- seed {told.seed}"]
    yield "### From what it was made\n\n" + "\n".join(f"- {for_markdown(line[2:])}" for line in lines)


def of_comparison(found: Comparison) -> Iterator[str]:
    """What differs between two runs."""
    from ..display import to_markdown

    yield f"## {'Drift' if found.has_drifted else 'No drift'}\n\n{for_markdown(found.sentence())}"
    if found.differences:
        yield to_markdown(found.table(limit=MOST))


def _problems(problems: Iterable[Problem]) -> str:
    told = []
    for problem in problems:
        lines = f" ({len(problem.lines)} rows, first at line {problem.lines[0]})" if problem.lines else ""
        told.append(f"- **{for_markdown(problem.code)}**{lines}: {for_markdown(problem.sentence())}")
    return _capped(told)


def _notices(notices: Iterable[Notice]) -> str:
    told = [f"- **{for_markdown(one.code)}**: {for_markdown(f'{one.message} {one.advice}')}" for one in notices]
    return "### Notices\n\n" + _capped(told)


def _capped(lines: list[str]) -> str:
    more = [f"- and {len(lines) - MOST} more"] if len(lines) > MOST else []
    return "\n".join([*lines[:MOST], *more])


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(for_markdown, names))


def _artifact() -> str:
    """A link to the artifacts of the run, where the job tells its address."""
    server, repository, run = (
        os.environ.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    )
    if ADDRESS.match(server) and REPOSITORY.match(repository) and NUMBER.match(run):
        return f"[artifacts]({server}/{repository}/actions/runs/{run}#artifacts)"
    return "artifacts"
