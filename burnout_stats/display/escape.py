"""Labels come from files and may hold anything: each writer escapes them for its own language."""

from __future__ import annotations

import html as _html
import re
import unicodedata

__all__ = ["clean", "for_csv", "for_html", "for_markdown", "for_terminal", "for_xml"]

_JOINER = "\N{WORD JOINER}"
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MARKDOWN = re.compile(r"[\\`*_\[\]<>#|~$^&]|^[-+=]|:(?=:)|(?<=:):")
_MENTION = re.compile(r"@(?=\w)")
_COMMAND = re.compile(r"::|##(?=\[)")
_FORMULA = frozenset("=+-@＝＋－＠\t\r\0")


def clean(text: str) -> str:
    """The text on one line, without control characters (a terminal obeys them) or marks that turn the writing."""
    if (words := str(text)).isprintable():
        return words.strip()
    one_line = "".join(" " if unicodedata.category(char) in {"Cc", "Zl", "Zp", "Cs"} else char for char in words)
    return _BIDI.sub("", one_line).strip()


def for_html(text: str) -> str:
    """Text for HTML and SVG, in elements and in quoted attributes.

    >>> for_html("<b>5 & 6</b>")
    '&lt;b&gt;5 &amp; 6&lt;/b&gt;'
    """
    return _html.escape(clean(text), quote=True)


def for_markdown(text: str) -> str:
    r"""Text for Markdown, in a table too: no markup, no mathematics, no mention of a person, no command for a CI log.

    >>> print(for_markdown("a|b <i> ::error::"))
    a\|b \<i\> \:\:error\:\:
    """
    return _MENTION.sub("@" + _JOINER, _MARKDOWN.sub(r"\\\g<0>", clean(text)))


def for_terminal(text: str) -> str:
    """Text for a terminal or a CI log, where `::` would start a command."""
    return _COMMAND.sub(lambda match: _JOINER.join(match.group()), clean(text))


def for_csv(text: str) -> str:
    """Text for a cell of a CSV file: what a spreadsheet would take for a formula gets a leading quote (CWE-1236).

    >>> for_csv("=1+1"), for_csv("1 year - baseline"), for_csv("-")
    ("'=1+1", '1 year - baseline', '-')
    """
    raw = str(text)
    cleaned = clean(raw)
    if cleaned == "-" or not cleaned:
        return cleaned
    return f"'{cleaned}" if raw[0] in _FORMULA or cleaned[0] in _FORMULA else cleaned


def for_xml(text: str) -> str:
    r"""Text for a library that writes XML and escapes markup itself, without the characters that XML cannot hold.

    >>> for_xml("a\x00b\uffffc <d>")
    'a bc <d>'
    """
    return "".join(char for char in clean(text) if char not in "\ufffe\uffff")
