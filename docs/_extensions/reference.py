"""The reference pages, one for each room, written from the rooms' own lists of names before Sphinx reads its sources.

A name that a room exports cannot be missing from the site, and one that is gone cannot linger. The notebooks, which
live outside `docs/`, are copied beside them.
"""

from __future__ import annotations

import inspect
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

ROOMS = ("describe", "figures", "instruments", "pathways", "power", "sensitivity", "studies", "tables", "text")


def _kind(value: object) -> str:
    if inspect.isclass(value):
        return "exception" if issubclass(value, BaseException) else "class"
    return "function" if inspect.isroutine(value) else "data"


def _entry(module: str, name: str, value: object, told: set[object]) -> list[str]:
    """The entry of a name; one that the face has told already stands a second time without a target of its own."""
    lines = [f".. auto{_kind(value)}:: {module}.{name}"]
    if inspect.isclass(value) or inspect.isroutine(value):
        lines += ["   :no-index:"] if value in told else []
        told.add(value)
    if inspect.isclass(value) and not issubclass(value, BaseException):
        lines += ["   :members:"]
    return [*lines, ""]


def _page(module: str, title: str, names: list[str], introduction: str, told: set[object]) -> str:
    room = import_module(module)
    lines = [title, "=" * len(title), "", introduction, "", f".. currentmodule:: {module}", "", ".. autosummary::", ""]
    lines += [f"   {name}" for name in names]
    lines += [""]
    for name in names:
        lines += _entry(module, name, getattr(room, name), told)
    return "\n".join(lines)


def _write(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def gather(app: Any, _config: Any) -> None:
    """Write the reference pages and copy the notebooks."""
    import burnout_stats as bs

    source = Path(app.srcdir)
    reference = source / "reference"
    reference.mkdir(exist_ok=True)
    rooms = [room for room in ROOMS if room in bs.__all__]
    told: set[object] = set()
    face = [name for name in bs.__all__ if name not in rooms and not name.startswith("_")]
    _write(reference / "face.rst", _page("burnout_stats", "burnout_stats", face, inspect.getdoc(bs) or "", told))
    for room in rooms:
        module = f"burnout_stats.{room}"
        about = import_module(module)
        _write(
            reference / f"{room}.rst",
            _page(
                module, f"burnout_stats.{room}", sorted(about.__all__, key=str.lower), inspect.getdoc(about) or "", told
            ),
        )
    notebooks = source / "notebooks"
    notebooks.mkdir(exist_ok=True)
    for path in sorted((source.parent / "notebooks").glob("*.ipynb")):
        target = notebooks / path.name
        if not target.is_file() or target.read_bytes() != path.read_bytes():
            shutil.copyfile(path, target)


def setup(app: Any) -> dict[str, bool]:
    """Gather before the sources are read."""
    app.connect("config-inited", gather)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
