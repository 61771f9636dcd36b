"""What a run wrote, and the only way it writes: everything into a folder of its own first, then renamed into place.

A run replaces only files that an earlier run of this package left, as its `manifest.json` says; anything else in the
way stops it before a byte is written. Files of the earlier manifest that the new run does not make any more, and nobody
has changed, are removed.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from .._version import __version__
from ..display import Shown, Table
from ..display.escape import for_terminal
from ..display.showing import facts
from ..errors import StudyError
from ..notices import Notice

__all__ = ["MANIFEST", "Manifest", "slug", "slugs", "write_files"]

MANIFEST = "manifest.json"
SCHEMA = 1
PRODUCER = "burnout_stats"
FOLDERS = ("tables", "figures")
OWN = re.compile(r"(?:(?:tables|figures)/)?[a-z0-9_-]+(?:\.[a-z0-9]+){1,2}\Z")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Manifest(Shown):
    """The files of a run.

    Attributes
    ----------
    folder : Path
    files : tuple of str
        Paths below the folder, in the order in which a reader meets them; `manifest.json` itself is the last.
    sha256 : by file, all but the manifest's own
    notices : tuple of Notice
        Those of the results that were written.
    exit_code : int
        1 where notices count as failure (`strict`) and there are some, else 0.
    """

    folder: Path
    files: tuple[str, ...]
    sha256: Mapping[str, str]
    notices: tuple[Notice, ...] = ()
    exit_code: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha256", MappingProxyType(dict(self.sha256)))

    def _tables(self) -> tuple[Table, ...]:
        pairs = [("File", name) for name in self.files]
        return (facts("Files written", pairs, notes=tuple(map(str, self.notices))),)

    def __repr__(self) -> str:
        return for_terminal(f"<Manifest: {len(self.files)} files, {len(self.notices)} notices>")


def slug(name: str) -> str:
    """A file name from the name of a column: lower-case letters, digits, `_` and `-` only.

    >>> slug("Job stress (1-5)")
    'job-stress-1-5'
    """
    return re.sub(r"[^a-z0-9_]+", "-", name.casefold()).strip("-") or "outcome"


def slugs(names: Iterable[str]) -> dict[str, str]:
    """A file name for each name, all different."""
    found: dict[str, str] = {}
    for name in names:
        stem = slug(name)
        number, candidate = 1, stem
        while candidate in found.values():
            number += 1
            candidate = f"{stem}-{number}"
        found[name] = candidate
    return found


def write_files(folder: Path, contents: Mapping[str, bytes]) -> dict[str, str]:
    """Write files and their manifest into a folder, or nothing at all.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    contents : bytes by path below the folder

    Returns
    -------
    dict
        SHA-256 by path.

    Raises
    ------
    StudyError
        `E-REPORT-FOREIGN` where a file that no run of this package wrote is in the way; `E-REPORT-FOLDER` where the
        folder cannot be written.
    """
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        earlier = _earlier(folder)
        _refuse_foreign(folder, contents, earlier)
        for name in FOLDERS:
            if any(path.startswith(f"{name}/") for path in contents):
                (folder / name).mkdir(exist_ok=True)
        _place(folder, {MANIFEST: _document(hashes), **contents})
        _sweep(folder, earlier, hashes)
    except OSError as error:
        raise StudyError(
            "E-REPORT-FOLDER",
            f"The folder `{folder.name or folder}` cannot be written ({type(error).__name__}).",
            "A report needs a folder that it may write to.",
            "Choose another folder with -o.",
        ) from None
    return hashes


def _document(hashes: Mapping[str, str]) -> bytes:
    document = {"schema": SCHEMA, "producer": PRODUCER, "version": __version__, "files": dict(sorted(hashes.items()))}
    return (json.dumps(document, indent=2, ensure_ascii=True) + "\n").encode()


def _earlier(folder: Path) -> dict[str, str]:
    """Files of the last run by SHA-256; empty for a new folder, and for a manifest that is not ours."""
    path = folder / MANIFEST
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["producer"] != PRODUCER:
            return {}
        files = {str(name): str(digest) for name, digest in document["files"].items()}
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {name: digest for name, digest in files.items() if OWN.match(name)} | {MANIFEST: ""}


def _refuse_foreign(folder: Path, contents: Mapping[str, bytes], earlier: Mapping[str, str]) -> None:
    wanted = [MANIFEST, *contents]
    foreign = [name for name in wanted if (folder / name).is_symlink() or (folder / name).is_dir()]
    foreign += [name for name in wanted if name not in foreign and (folder / name).exists() and name not in earlier]
    foreign += [name for name in FOLDERS if (folder / name).is_symlink() or (folder / name).is_file()]
    if foreign:
        raise StudyError(
            "E-REPORT-FOREIGN",
            f"The output folder already holds `{foreign[0]}`"
            + (f" and {len(foreign) - 1} more" if len(foreign) > 1 else "")
            + ".",
            "A run replaces only files that an earlier run wrote, as its manifest.json says.",
            "Choose another folder with -o, or move the file away.",
        )


def _place(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write below a hidden folder beside the targets, then rename: a reader sees old files or new ones, never half a
    file.

    The manifest goes first, so that a run that is cut short still owns what it left behind.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unfinished-") as temporary:
        unfinished = Path(temporary)
        for number, data in enumerate(contents.values()):
            (unfinished / str(number)).write_bytes(data)
        for number, name in enumerate(contents):
            (unfinished / str(number)).replace(folder / name)


def _sweep(folder: Path, earlier: Mapping[str, str], hashes: Mapping[str, str]) -> None:
    for name, digest in earlier.items():
        path = folder / name
        if name in hashes or name == MANIFEST or path.is_symlink() or not path.is_file():
            continue
        if hashlib.sha256(path.read_bytes()).hexdigest() == digest:
            path.unlink()
    for name in FOLDERS:
        had_files = any(path.startswith(f"{name}/") for path in earlier)
        if had_files and (folder / name).is_dir() and not any((folder / name).iterdir()):
            (folder / name).rmdir()
