"""Instruments by key, from the files that ship with the package, and users' own from theirs."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path

from ..errors import StudyError, did_you_mean
from ._instrument import Instrument

__all__ = ["instrument", "names", "read_instrument"]

MAX_BYTES = 200_000
"""An instrument file is written by a person; anything longer is another file."""


@cache
def names() -> tuple[str, ...]:
    """The keys of the instruments that ship with the package.

    Examples
    --------
    >>> "cbi" in names()
    True
    """
    folder = files("burnout_stats").joinpath("instruments", "keys")
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


@cache
def instrument(key: str) -> Instrument:
    """An instrument by its key; a score stands alone as `key_score` or `key.score`.

    Raises
    ------
    StudyError
        `E-STUDY-INSTRUMENT` for an unknown key.

    Examples
    --------
    >>> instrument("cbi")
    <Instrument cbi: 19 items; scores personal, work, client; ...>
    >>> instrument("hads_depression").numbers
    (2, 4, 6, 8, 10, 12, 14)
    """
    if key in names():
        text = files("burnout_stats").joinpath("instruments", "keys", f"{key}.toml").read_text(encoding="utf-8")
        return _parsed(text, key, f"{key}.toml")
    written = key.replace(".", "_")
    for whole in sorted(names(), key=len, reverse=True):
        if written.startswith(f"{whole}_"):
            return instrument(whole).only(written.removeprefix(f"{whole}_"))
    raise StudyError(
        "E-STUDY-INSTRUMENT",
        f"There is no instrument `{key}`.",
        f"The instruments are: {', '.join(names())}; a subscale stands alone as in cbi_personal.",
        did_you_mean(key, names()) or "Write your own as TOML and read it with bs.instruments.read_instrument(path).",
    )


def read_instrument(path: str | Path) -> Instrument:
    """An instrument from a TOML file of one's own; its key is the name of the file.

    Raises
    ------
    StudyError
        `E-STUDY-FILE` where it cannot be read, `E-STUDY-SYNTAX` where it is not TOML; with the key path `E-STUDY-KEY`,
        `E-STUDY-MISSING`, `E-STUDY-VALUE`.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise StudyError(
            "E-STUDY-FILE",
            f"The instrument file `{path.name}` cannot be read ({type(error).__name__}).",
            "An instrument file is a TOML file on this computer.",
            "Check the path.",
        ) from None
    if len(raw) > MAX_BYTES:
        raise StudyError(
            "E-STUDY-FILE",
            f"`{path.name}` is longer than {MAX_BYTES:,} bytes.",
            "An instrument file is a short TOML file.",
            "Give the path of the instrument file.",
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise StudyError(
            "E-STUDY-SYNTAX",
            f"Line {line} of `{path.name}` holds bytes that are not UTF-8 text.",
            "An instrument file is TOML, written in UTF-8.",
            "Save the file as UTF-8 in your editor.",
            lines=[line],
        ) from None
    return _parsed(text, path.stem, path.name)


def _parsed(text: str, key: str, name: str) -> Instrument:
    from ._form import instrument_of

    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise StudyError(
            "E-STUDY-SYNTAX",
            f"The instrument file `{name}` cannot be read: {str(error)[:1].lower()}{str(error)[1:]}.",
            "An instrument file is TOML: [tables], and lines such as key = value with texts in quotes.",
            "Look at that line and the one before it for a missing quote, bracket or equals sign.",
        ) from None
    return instrument_of(document, key)
