"""`provenance.json`: from what, with what and by which decisions the numbers of a report were made.

Nothing stands in it that changes without the numbers changing: no time of day, no folder, no number of threads or
workers. The command runs linear algebra on one thread; from Python, several can move the last digits of full precision.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath
from typing import Any

from ..engine.scoring import Attempt
from ..notices import Notice
from ..plan import OutcomeResults, Results
from .gate import tells
from .record import tidy

__all__ = ["SCHEMA", "to_provenance"]

SCHEMA = 1

READERS = {
    ".sav": ("pyreadstat",),
    ".zsav": ("pyreadstat",),
    ".por": ("pyreadstat",),
    ".dta": ("pyreadstat",),
    ".sas7bdat": ("pyreadstat",),
    ".xpt": ("pyreadstat",),
    ".xlsx": ("openpyxl", "defusedxml"),
    ".xlsm": ("openpyxl", "defusedxml"),
    ".parquet": ("pyarrow",),
    ".feather": ("pyarrow",),
}
"""What reads data files of other programs, by suffix."""

WRITERS = {"docx": ("python-docx",), "pdf": ("typst",)}
"""What writes the formats that need an extra."""

STATUS = {0: "verified", 1: "not converged", 2: "at a saddle or a bound"}
BOUNDARY = frozenset({"N-MODEL-BOUNDARY", "N-MODEL-INDEFINITE", "N-MODEL-EDGE", "N-MODEL-UNBOUNDED"})
SIMPLER = frozenset({"N-MODEL-ALIASED", "N-MODEL-ROWS-LEFT-OUT", "N-MODEL-ONE-SUBJECT"})


def to_provenance(results: Results) -> bytes:
    """The provenance of protected results, as UTF-8 JSON with sorted keys."""
    told = results.provenance
    document = {
        "schema": SCHEMA,
        "title": results.plan.title,
        "software": {
            "versions": dict(told.versions),
            "extras": _versions(_extras(results)),
            "python": platform.python_implementation(),
            "platform": told.platform,
            "blas": _blas(),
        },
        "inputs": {
            "study": {"name": told.study_name, "sha256": told.study_sha256},
            "data": {
                "name": told.data_name,
                "sha256": told.data_sha256,
                "dialect": dict(told.dialect),
                **_rows(told.rows_read, told.rows_kept),
            },
        },
        "seed": told.seed,
        "date": told.date or None,
        "plan": dict(told.plan),
        "decisions": _decisions(results),
    }
    text = json.dumps(tidy(document), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8")


def _rows(read: int | None, kept: int | None) -> dict[str, Any]:
    """Rows read, kept and dropped; the gate has left out those that would tell of few persons."""
    numbers = {
        "rows_read": read,
        "rows_kept": kept,
        "rows_dropped": None if read is None or kept is None else read - kept,
    }
    hidden = {name: "hidden" for name, number in numbers.items() if number is None}
    return {**numbers, **({"reasons": hidden} if hidden else {})}


def _decisions(results: Results) -> dict[str, Any]:
    """What was decided on the way, by the program or by the data: for each outcome every attempt of the optimizer, what
    was left out or made simpler, and every notice; each notice stands once.
    """
    left = dict.fromkeys(results.notices)
    outcomes = [_outcome(part, left) for part in results.outcomes]
    sensitivity = [
        {
            "outcome": doubt.outcome.name,
            "auxiliaries": list(doubt.auxiliaries),
            "predictors": list(doubt.predictors),
            "analyses": list(doubt.estimates),
            "unanswered": _taken(left, doubt.unanswered),
            "notices": _taken(left, doubt.notices),
        }
        for doubt in results.doubts
    ]
    return {"outcomes": outcomes, "sensitivity": sensitivity, "data": [_notice(notice) for notice in left]}


def _outcome(part: OutcomeResults, left: dict[Notice, None]) -> dict[str, Any]:
    fit, optimum = part.fit, part.fit.optimum
    subjects, _ = tells(part)
    attempts = [_attempt(one) for one in optimum.attempts]
    notices = _taken(left, part.notices)
    codes = {notice["code"] for notice in notices}
    return {
        "outcome": part.outcome.name,
        "formula": fit.spec.formula,
        "covariance_structure": fit.spec.structure_code,
        "method": fit.spec.method,
        "df_method": part.changes.about.df_method,
        "n_subjects": fit.n_subjects if subjects else None,
        **({} if subjects else {"reasons": {"n_subjects": "hidden"}}),
        "optimum": {
            "converged": fit.converged,
            "iterations": optimum.iterations,
            "max_gradient": optimum.max_gradient,
            "minus_2_loglik": optimum.criterion,
            "attempts": attempts,
            "restarted": len(attempts) > 1,
            "at_boundary": bool(codes & BOUNDARY) or [one["status"] for one in attempts[-1:]] == [STATUS[2]],
        },
        "simplified": sorted(codes & SIMPLER),
        "notices": notices,
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "start": attempt.start,
        "method": attempt.method,
        "iterations": int(attempt.iterations),
        "minus_2_loglik": float(attempt.criterion),
        "max_gradient": float(attempt.max_gradient),
        "status": STATUS[int(attempt.status)],
    }


def _taken(left: dict[Notice, None], own: Iterable[Notice]) -> list[dict[str, str]]:
    """Those of `own` that the protected results show, taken out of what is left."""
    found = [notice for notice in dict.fromkeys(own) if notice in left]
    for notice in found:
        del left[notice]
    return [_notice(notice) for notice in found]


def _notice(notice: Notice) -> dict[str, str]:
    return {"code": notice.code, "message": notice.message, "advice": notice.advice}


def _extras(results: Results) -> Iterable[str]:
    """The optional libraries that this run used."""
    suffixes = PurePath(results.plan.data.file).suffixes
    readers = [name for suffix in suffixes for name in READERS.get(suffix.lower(), ())]
    return [*readers, *(name for asked in results.plan.report.formats for name in WRITERS.get(asked, ()))]


def _versions(names: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _blas() -> dict[str, str]:
    """The library of linear algebra that NumPy was built with: its last digits may differ from another's."""
    import numpy as np

    built: Mapping[str, Any] = np.show_config(mode="dicts")
    blas = built.get("Build Dependencies", {}).get("blas", {})
    return {key: str(blas[key]) for key in ("name", "version") if key in blas}
