"""The published studies by id; each is read from its files when it is first asked for."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.resources import files

from ..errors import StudyError, did_you_mean
from ._study import Study

__all__ = ["names", "study"]


@cache
def names() -> tuple[str, ...]:
    """The ids of the published studies.

    >>> "villa_sana_2010" in names()
    True
    """
    folder = files(__package__)
    found = {f.name for f in folder.iterdir()}
    known = {name[1:-3] for name in found if name.startswith("_") and name.endswith(".py")}
    return tuple(sorted(name for name in known if f"{name}.toml" in found and f"{name}.solved.toml" not in found))


@cache
def _load(name: str) -> Study:
    value: Study = import_module(f"._{name}", __package__).STUDY
    return value


def study(name: str) -> Study:
    """The published study with this id, hyphens or underscores.

    Raises
    ------
    StudyError
        `E-STUDY-UNKNOWN` for an id that no study bears.

    Examples
    --------
    >>> study("villa-sana-2010").name
    'villa_sana_2010'
    """
    key = name.replace("-", "_")
    if key not in names():
        raise StudyError(
            "E-STUDY-UNKNOWN",
            f"There is no published study `{name}`.",
            f"Studies are: {', '.join(names())}.",
            did_you_mean(key, names()),
        )
    return _load(key)
