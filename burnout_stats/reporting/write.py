"""`report(plan, out)`: run a plan and write what it found, all files or none."""

from __future__ import annotations

from pathlib import Path

from ..plan import Plan, Progress, Results, run
from .gate import shown
from .manifest import MANIFEST, Manifest, write_files

__all__ = ["report"]


def report(
    plan: Plan | Results, out: str | Path, *, strict: bool = False, progress: Progress | None = None
) -> Manifest:
    """Run a plan and write its report: `report.html`, `results.json`, `tables/*.csv`, `figures/*.svg`, and
    `manifest.json`, which lists them.

    Parameters
    ----------
    plan : Plan or Results
        What `read_study` gave, or what `run` made of it.
    out : path
        The folder to write to. A run replaces only files that an earlier run wrote.
    strict : bool
        Let notices count as failure: the files are written all the same, and the manifest's `exit_code` is 1.
    progress : callable, optional
        Called as `progress(done, total, what)`.

    Raises
    ------
    DataError, ModelError
        As `run` does.
    DisclosureError
        `E-DISCLOSURE-COHORT` where there are too few subjects to show anything.
    StudyError
        `E-REPORT-FOREIGN`, `E-REPORT-FOLDER`.
    """
    results = shown(plan if isinstance(plan, Results) else run(plan, progress=progress))
    contents = _contents(results)
    folder = Path(out)
    hashes = write_files(folder, contents)
    return Manifest(
        folder=folder,
        files=(*contents, MANIFEST),
        sha256=hashes,
        notices=results.notices,
        exit_code=int(strict and bool(results.notices)),
    )


def _contents(results: Results) -> dict[str, bytes]:
    """The bytes of every file that the study file asks for, in the order in which a reader meets them."""
    asked = results.plan.report
    contents: dict[str, bytes] = {}
    if "html" in asked.formats:
        from .drawing import doubt_drawings, drawings
        from .page import to_page

        pictures = drawings(results) if asked.figures else {}
        doubted = doubt_drawings(results, len(pictures) + 1) if asked.figures else {}
        contents["report.html"] = to_page(results, pictures, doubted)
        every = [*pictures.values(), *(picture for own in doubted.values() for picture in own.values())]
        contents |= {f"figures/{picture.file}": picture.svg for picture in every}
    if "json" in asked.formats:
        from .record import to_json

        contents["results.json"] = to_json(results)
    if "csv" in asked.formats:
        from .frames import csv_files

        contents |= csv_files(results)
    return contents
