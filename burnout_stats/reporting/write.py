"""`report(plan, out)`: run a plan and write what it found, all files or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from ..display import Watched
from ..display.latex import to_latex
from ..display.markdown import to_markdown
from ..plan import Plan, Results, run
from .document import Document, Drawn, Set, blocks_of
from .gate import shown
from .manifest import MANIFEST, Manifest, write_files

__all__ = ["report"]


def report(plan: Plan | Results, out: str | Path, *, strict: bool = False, progress: Watched = None) -> Manifest:
    """Run a plan and write its report in the formats that the study file names: `report.html`, `report.docx`,
    `report.pdf`, `results.json`, `tables/` as CSV, Markdown or LaTeX, `figures/` as SVG (with docx as PNG too), and
    `manifest.json`, which lists them.

    Parameters
    ----------
    plan : Plan or Results
        What `read_study` gave, or what `run` made of it.
    out : path
        The folder to write to. A run replaces only files that an earlier run wrote.
    strict : bool
        Let notices count as failure: the files are written all the same, and the manifest's `exit_code` is 1.
    progress : callable or bool, optional
        Called as `progress(done, total, what)`; a bar where left out and somebody watches, none with False.

    Raises
    ------
    DataError, ModelError
        As `run` does.
    DisclosureError
        `E-DISCLOSURE-COHORT` where there are too few subjects to show anything.
    StudyError
        `E-REPORT-FOREIGN`, `E-REPORT-FOLDER`.
    SetupError
        `E-SETUP-EXTRA` where a format needs a library that is not installed; before anything is fitted.
    """
    asked = plan.plan.report.formats if isinstance(plan, Results) else plan.report.formats
    for name in asked:
        if name in NEEDS:
            NEEDS[name]()
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


Files = dict[str, bytes]
"""Bytes by path below the output folder."""


def _html(document: Document) -> Files:
    from .page import to_page

    return {"report.html": to_page(document)}


def _docx(document: Document) -> Files:
    from .word import to_docx

    return {"report.docx": to_docx(document)}


def _pdf(document: Document) -> Files:
    from .typeset import to_pdf

    return {"report.pdf": to_pdf(document)}


def _fragments(suffix: str, write: Callable[..., str], document: Document) -> Files:
    """The tables of the document as files that another text takes in; there they get numbers of their own."""
    found = {}
    for block in blocks_of(document):
        if isinstance(block, Set) and block.file:
            table = replace(block.table, title=block.table.title.removeprefix(f"{block.name}. "))
            text = write(table, document.number_style, language=document.language)
            found[f"tables/{block.file}.{suffix}"] = f"{text.rstrip()}\n".encode()
    return found


def _needs_docx() -> None:
    from .word import needs_docx

    needs_docx()


def _needs_pdf() -> None:
    from .typeset import needs_typst

    needs_typst()


def _json(results: Results) -> Files:
    from .provenance import to_provenance
    from .record import to_json, to_schema

    return {
        "results.json": to_json(results),
        "results.schema.json": to_schema(),
        "provenance.json": to_provenance(results),
    }


def _csv(results: Results) -> Files:
    from .frames import csv_files

    return csv_files(results)


NEEDS: Mapping[str, Callable[[], None]] = {"docx": _needs_docx, "pdf": _needs_pdf}
"""What a format needs that may not be installed; it is asked before a model is fitted."""

FORMATS: Mapping[str, Callable[[Document], Files]] = {
    "html": _html,
    "docx": _docx,
    "pdf": _pdf,
    "md": partial(_fragments, "md", to_markdown),
    "tex": partial(_fragments, "tex", to_latex),
}
"""Who writes the document in a format."""

RECORDS: Mapping[str, Callable[[Results], Files]] = {"json": _json, "csv": _csv}
"""Who writes the numbers in a format, for machines."""

ILLUSTRATED = frozenset({"html", "docx", "pdf"})
"""The formats that bring the figures with them, as files too."""


def _contents(results: Results) -> Files:
    """The bytes of every file that the study file asks for, in the order in which a reader meets them."""
    asked = results.plan.report.formats
    contents: Files = {}
    if FORMATS.keys() & set(asked):
        from .compose import compose

        document = compose(results)
        for name in FORMATS:
            if name in asked:
                contents |= FORMATS[name](document)
        if ILLUSTRATED & set(asked):
            contents |= _figures(document, pixels="docx" in asked)
    for name, write in RECORDS.items():
        if name in asked:
            contents |= write(results)
    return contents


def _figures(document: Document, *, pixels: bool) -> Files:
    """Every figure as SVG for the screen and for print; as PNG too for who works in a program that takes pixels."""
    found: Files = {}
    for block in blocks_of(document):
        if isinstance(block, Drawn):
            picture = block.picture
            found[f"figures/{picture.file}"] = picture.svg
            if pixels:
                found[f"figures/{picture.file.removesuffix('.svg')}.png"] = picture.figure.png()
    return found
