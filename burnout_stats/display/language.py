"""Labels in the language of the reader: English, or Norwegian bokmål from the catalog `nb.toml` beside this file.

Labels are made in English and translated at the very end, when a writer renders them: CSV and JSON are for machines
and stay English. The catalog holds whole labels and patterns (`Change from baseline: {name}`); what it does not know,
such as the labels of a study file, stays as it is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from types import MappingProxyType

from ..errors import one_of

__all__ = ["ENGLISH", "LANGUAGES", "cell_label", "is_known", "label", "language_of", "word"]

ENGLISH = "en"
LANGUAGES: Mapping[str, str] = MappingProxyType({"en": "English", "nb": "Norwegian bokmål"})
"""The languages by the code that HTML gives them."""


def language_of(language: str) -> str:
    """The code of the language.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for a language that is not spoken here.
    """
    return one_of("language", language, LANGUAGES)


def word(name: str, language: str) -> str:
    """A word of the writers themselves, such as the one between two limits."""
    return _catalog(language).words[name]


def label(text: str, language: str) -> str:
    r"""The label in the language; what the catalog does not know stays as it is.

    >>> label("Estimate", "nb"), label("95% CI", "nb"), label("Emotional exhaustion", "nb")
    ('Estimat', '95\xa0% KI', 'Emotional exhaustion')
    """
    return text if language == ENGLISH else _told(text, language, "labels") or text


def cell_label(text: str, language: str) -> str:
    """The text of a cell in the language: cells have a catalog of their own, since most of them are the user's."""
    return text if language == ENGLISH else _told(text, language, "cells") or text


def is_known(text: str, language: str, *, within: str = "labels") -> bool:
    """Whether the catalog has the whole of the text, among its labels or its cells."""
    return language == ENGLISH or _told(text, language, within) is not None


@lru_cache(maxsize=4096)
def _told(text: str, language: str, kind: str) -> str | None:
    return _catalog(language, kind).translated(text)


_PLACE = re.compile(r"\{(name|unit|label|list|clauses|number|percent|interval)(\d?)\}")
_NUMBER = "[\u2212+<>-]?[0-9]*[.]?[0-9]+"
_FORMS = {
    "unit": "[^,:;.]+",
    "number": _NUMBER,
    "percent": "[0-9.]+%",
    "interval": rf"{_NUMBER} to {_NUMBER}|\[{_NUMBER}, {_NUMBER}\]",
}
_SENTENCE = re.compile(r"(?<=[.]) (?=[^a-z])")
_HELD = "\0"
_LONGEST = 1000
"""No label of ours is longer; what is longer is not compared with patterns, which would take its length squared."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A label with places for what it names, and what it says in the language.

    `{name}` and `{unit}` (a few words) keep what stands there, `{label}` must be a label itself and `{clauses}` several
    with semicolons, `{list}` holds labels or names with commas and an "and", `{number}`, `{percent}` and `{interval}`
    get the decimal mark.
    """

    pattern: re.Pattern[str]
    template: str


@dataclass(frozen=True, slots=True)
class _Catalog:
    words: Mapping[str, str]
    labels: Mapping[str, str]
    patterns: tuple[_Pattern, ...]

    def translated(self, text: str) -> str | None:
        """The text, or None where it is not known: as a whole, by its sentences, by a pattern, by its parts."""
        if text in self.labels:
            return self.labels[text]
        sentences = [self.translated(part) for part in parts] if len(parts := _SENTENCE.split(text)) > 1 else [None]
        if all(sentences):
            return " ".join(map(str, sentences))
        if len(text) > _LONGEST:
            return None
        for known in self.patterns:
            if (found := known.pattern.fullmatch(text)) and (told := self._filled(known.template, found)) is not None:
                return told
        if len(parts := text.split(" · ")) > 1:
            told_parts = [self.translated(part) for part in parts]
            joined = " · ".join(own or part for own, part in zip(told_parts, parts, strict=True))
            return joined if any(told_parts) else None
        head, colon, tail = text.partition(": ")
        return f"{self.labels[head]}: {tail}" if colon and head in self.labels else None

    def _filled(self, template: str, found: re.Match[str]) -> str | None:
        values = {place: self._put(place.rstrip("0123456789"), value) for place, value in found.groupdict().items()}
        if None in values.values():
            return None
        return _PLACE.sub(lambda place: str(values[place[1] + place[2]]), template)

    def _put(self, kind: str, value: str) -> str | None:
        if kind == "label":
            return self.translated(value)
        if kind == "clauses":
            clauses = [self.translated(clause) for clause in value.split("; ")]
            return "; ".join(map(str, clauses)) if all(clauses) else None
        if kind == "list":
            return self._listed(value)
        if kind in {"name", "unit"}:
            return value
        if kind == "interval":
            value = value.replace(", ", "; ").replace(" to ", f" {self.words['to']} ")
        return value.replace(".", self.words["decimal_mark"]).replace("%", self.words["percent"])

    def _listed(self, value: str) -> str:
        """Labels or names with commas and an "and" or "or" before the last; a label may hold a comma itself."""
        for known in self.labels:
            if ", " in known and known in value:
                value = value.replace(known, known.replace(", ", _HELD))
        joint = next((word for word in (" and ", " or ") if word in value), "")
        before, _, last = value.rpartition(joint) if joint else (value, "", "")
        items = [item.replace(_HELD, ", ") for item in (*before.split(", "), last) if item]
        told = [self.translated(item) or item for item in items]
        if not joint or len(told) < 2:
            return ", ".join(told)
        return f"{', '.join(told[:-1])} {self.words[joint.strip()]} {told[-1]}"


_ENGLISH_WORDS: Mapping[str, str] = MappingProxyType(
    {"decimal_mark": ".", "percent": "%"} | {name: name for name in ("to", "and", "or", "hidden", "adjusted")}
)


@cache
def _catalog(language: str, kind: str = "labels") -> _Catalog:
    if language == ENGLISH:
        return _Catalog(_ENGLISH_WORDS, {}, ())
    text = resources.files(__package__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    entries = tomllib.loads(text)
    labels = {english: told for english, told in entries[kind].items() if not _PLACE.search(english)}
    fullest_first = sorted(entries[kind].items(), key=lambda entry: -len(_PLACE.sub("", entry[0])))
    patterns = [_pattern(english, told) for english, told in fullest_first if _PLACE.search(english)]
    return _Catalog(MappingProxyType(entries["words"]), MappingProxyType(labels), tuple(patterns))


def _pattern(english: str, told: str) -> _Pattern:
    """The pattern of a label with places."""
    parts, end = [], 0
    for place in _PLACE.finditer(english):
        form = _FORMS.get(place[1], ".+?")
        parts += [re.escape(english[end : place.start()]), f"(?P<{place[1]}{place[2]}>{form})"]
        end = place.end()
    return _Pattern(re.compile("".join([*parts, re.escape(english[end:])])), told)
