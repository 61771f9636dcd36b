r"""Names and texts of a study, written so that no program takes them for anything else.

Columns get names that are plain words in every program (`plain_names`); what a column is called in the file stands once
in each script, quoted for its language. Texts (levels, file names) are quoted too. Where a language has no escape for a
character, the text is put together from pieces.

**Source**: R, `?Quotes`; SAS 9.4 Language Reference: Concepts, "Words and names in the SAS language" (name literals,
VALIDVARNAME=ANY; within single quotes a quote is doubled and macros are not resolved); Stata User's Guide, section
11.3 (names) and function `char()` (macros expand within quoted strings, so `$` and left quotes never stand there).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..display.escape import clean

__all__ = ["comment", "plain_names", "r_text", "sas_name", "sas_text", "stata_text"]

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,23}")
_TAKEN = frozenset(
    # R
    "if else repeat while function for in next break true false null na nan inf t f c q d w fit means raw data vec "
    # SAS
    "cohort people margins and or not eq ne gt lt ge le end do then output set drop keep where retain array delete "
    # Stata
    "byte double float int long strl using with alpha beta coef cons pi by "
    "intercept visit_n share first".split()
)
_UNSAFE = re.compile(r"[^\w .,;:()+=/|~*-]|/(?=[/*])|(?<=[/*])/|\*(?=/)")

_EXPANDS = re.compile(r"([\"`'$\\\x00-\x1f\x7f])")


def plain_names(names: Iterable[str]) -> dict[str, str]:
    """For each name one that is a plain word in R, SAS and Stata, different from the others in lower case too: itself
    where it can be.

    >>> plain_names(["age", "Age", "x`); system('')"])
    {'age': 'age', 'Age': 'column2', "x`); system('')": 'column3'}
    """
    given: dict[str, str] = {}
    used: set[str] = set()
    wanted = list(dict.fromkeys(names))
    kept = {name.lower() for name in wanted if _PLAIN.fullmatch(name)}
    for place, name in enumerate(wanted, start=1):
        word, lower = name, name.lower()
        if not _PLAIN.fullmatch(name) or lower in _TAKEN or lower in used or re.fullmatch(r"str\d+", lower):
            word, lower = f"column{place}", f"column{place}"
            while lower in used or lower in kept:
                word = lower = f"{lower}_"
        used.add(lower)
        given[name] = word
    return given


def r_text(text: str) -> str:
    r"""A string of R: quotes, backslashes and everything that is not plain ASCII or a letter are escaped.

    >>> print(r_text('a"b\\c'))
    "a\"b\\c"
    """
    return f'"{"".join(map(_r_character, text))}"'


def _r_character(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable() and (char.isascii() or char.isalnum()):
        return char
    return f"\\U{ord(char):08x}"


def sas_text(text: str) -> str:
    """A string of SAS, in single quotes.

    >>> print(sas_text("nurses' %x"))
    'nurses'' %x'
    """
    return "'" + clean(text).replace("'", "''") + "'"


def sas_name(name: str) -> str:
    """A name of SAS: itself where it is one, else a name literal."""
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,31}", name) else f"{sas_text(name)}n"


def stata_text(text: str) -> str:
    """An expression of Stata that is this text.

    >>> print(stata_text("1 year"), stata_text("a$b"))
    "1 year" ("a" + char(36) + "b")
    """
    parts = _EXPANDS.split(text)
    pieces = [f"char({ord(part)})" if _EXPANDS.fullmatch(part) else f'"{part}"' for part in parts if part]
    return pieces[0] if len(pieces) == 1 else f"({' + '.join(pieces)})" if pieces else '""'


def comment(text: str) -> str:
    """Text for a comment of any of the three: what could end the comment, or go on to the next line, is a `?`."""
    return _UNSAFE.sub("?", clean(text))
