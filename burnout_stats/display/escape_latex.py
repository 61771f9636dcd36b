r"""Text for LaTeX, one character after the other, so that no label can be a command.

What comes out is ASCII and compiles in pdflatex, xelatex and lualatex without any package: accents are commands, Greek
and signs are mathematics, the few letters that the old encoding of fonts lacks switch to T1, and what no font of TeX
holds stands as its code point (`[U+05D0]`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from .escape import clean

__all__ = ["for_latex"]

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\^{}",
    "~": r"\~{}",
    "`": r"\`{}",
    '"': "''",  # a straight one is a command of babel in many languages
    "<": r"\ensuremath{<}",
    ">": r"\ensuremath{>}",
    "|": r"\ensuremath{|}",
}
_TEXT = {
    "–": "--",
    "—": "---",
    "‐": "-",
    "‑": "-",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "…": r"\ldots{}",
    "\u00a0": "~",
    "\u2009": r"\,",
    "\u202f": r"\,",
    "⁄": "/",
    "£": r"\pounds{}",
    "€": "EUR",
    "§": r"\S{}",
    "¶": r"\P{}",
    "†": r"\dag{}",
    "‡": r"\ddag{}",
    "©": r"\copyright{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "ß": r"\ss{}",
    "ı": r"\i{}",
    "ȷ": r"\j{}",
    "¿": "?`",
    "¡": "!`",
}
_ONLY_T1 = {"ð": "dh", "Ð": "DH", "þ": "th", "Þ": "TH", "đ": "dj", "Đ": "DJ", "ŋ": "ng", "Ŋ": "NG"} | {
    "«": "guillemotleft",
    "»": "guillemotright",
    "„": "quotedblbase",
    "‚": "quotesinglbase",
}
_MATHEMATICS = {
    "−": "-",
    "×": r"\times",
    "÷": r"\div",
    "±": r"\pm",
    "·": r"\cdot",
    "•": r"\bullet",
    "°": r"^{\circ}",
    "≤": r"\leq",
    "≥": r"\geq",
    "≠": r"\neq",
    "≈": r"\approx",
    "≡": r"\equiv",
    "∼": r"\sim",
    "∞": r"\infty",
    "√": r"\surd",
    "∑": r"\sum",
    "∏": r"\prod",
    "∫": r"\int",
    "∂": r"\partial",
    "∆": r"\Delta",
    "∈": r"\in",
    "←": r"\leftarrow",
    "→": r"\rightarrow",
    "↑": r"\uparrow",
    "↓": r"\downarrow",
    "↔": r"\leftrightarrow",
    "⇒": r"\Rightarrow",
    "′": r"\prime",
    "¬": r"\neg",
    "µ": r"\mu",
    "ς": r"\varsigma",
    "ϵ": r"\epsilon",
    "ϕ": r"\phi",
}
_GREEK = frozenset(
    (
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi "
        "chi psi omega"
    ).split()
)
_UPPER_WITH_A_COMMAND = frozenset("gamma delta theta lambda xi pi sigma upsilon phi psi omega".split())
_ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0306": "u",
    "\u0307": ".",
    "\u0308": '"',
    "\u030a": "r",
    "\u030b": "H",
    "\u030c": "v",
    "\u0323": "d",
    "\u0327": "c",
    "\u0331": "b",
}
_OGONEK = "\u0328"
_SCRIPTS = {"<super>": "^", "<sub>": "_"}
_NOTHING = frozenset({"Mn", "Cf", "Me"})
_LIGATURE = re.compile(r"-(?=-)|'(?=')|`(?=`)|,(?=,)|[?!](?=`)")


def for_latex(text: str) -> str:
    r"""Text for LaTeX: nothing in it is a command, and pdflatex sets it without any package.

    >>> print(for_latex(r"5 % of \input{x} & β_1 − 2, bjørn"))
    5 \% of \textbackslash{}input\{x\} \& \ensuremath{\beta}\_1 \ensuremath{-} 2, bj\o{}rn
    """
    apart = _LIGATURE.sub("\\g<0>\u200b", clean(text))  # "--" is two hyphens, not a dash
    told = "".join(_clusters(unicodedata.normalize("NFD", apart)))
    return "{}" + told if told.startswith(("[", "*")) else told  # \\ would take these for its own


def _clusters(text: str) -> Iterator[str]:
    """Each letter with the accents that stand over it."""
    for found in re.finditer(r"(.)([\u0300-\u036f]*)", text, re.DOTALL):
        letter, accents = found.groups()
        whole = unicodedata.normalize("NFC", letter + accents)
        yield _accented(letter, accents) if accents and whole not in _MATHEMATICS else _single(whole)


def _accented(letter: str, accents: str) -> str:
    told = {"i": r"\i{}", "j": r"\j{}"}.get(letter) or _single(letter)
    if letter.isascii() and letter.isalpha():
        for accent in accents:
            if accent == _OGONEK:
                told = _in_t1(rf"\k{{{told}}}")
            elif accent in _ACCENTS:
                told = rf"\{_ACCENTS[accent]}{{{told}}}"
            else:
                told += _code_point(accent)
        return told
    return told + "".join(_code_point(accent) for accent in accents if accent not in "\u0301\u0308")  # Greek tonos


def _single(letter: str) -> str:
    if letter in _SPECIAL:
        return _SPECIAL[letter]
    if letter.isascii():
        return letter
    if letter == "\u200b":
        return "{}"
    if letter in _TEXT:
        return _TEXT[letter]
    if letter in _ONLY_T1:
        return _in_t1(rf"\{_ONLY_T1[letter]}")
    if mathematics := _MATHEMATICS.get(letter) or _greek(letter):
        return rf"\ensuremath{{{mathematics}}}"
    return _by_meaning(letter)


def _by_meaning(letter: str) -> str:
    """By what Unicode says that the letter stands for."""
    kind, _, meant = unicodedata.decomposition(letter).rpartition(">")
    plain = "".join(chr(int(code, 16)) for code in meant.split())
    if kind + ">" in _SCRIPTS and plain != letter:
        return rf"\ensuremath{{{_SCRIPTS[kind + '>']}{{{_inside(plain)}}}}}"
    if plain and plain != letter:
        return "".join(map(_single, plain))
    return "" if unicodedata.category(letter) in _NOTHING else _code_point(letter)


def _inside(text: str) -> str:
    """Text inside mathematics."""
    return "".join(
        letter
        if letter.isascii() and letter.isalnum()
        else _MATHEMATICS.get(letter) or _greek(letter) or _inside_text(letter)
        for letter in text
    )


def _inside_text(letter: str) -> str:
    return letter if letter in "+=()" else rf"\mbox{{{_single(letter)}}}"


def _greek(letter: str) -> str:
    try:
        script, size, _, name = unicodedata.name(letter).split()
    except ValueError:
        return ""
    name = {"lamda": "lambda"}.get(name.lower(), name.lower())
    if script != "GREEK" or name not in _GREEK:
        return ""
    if size == "SMALL":
        return "o" if name == "omicron" else rf"\{name}"
    return rf"\{name.capitalize()}" if name in _UPPER_WITH_A_COMMAND else rf"\mathrm{{{_LOOKS_LIKE[name]}}}"


_LOOKS_LIKE = dict(
    zip("alpha beta epsilon zeta eta iota kappa mu nu omicron rho tau chi".split(), "ABEZHIKMNOPTX", strict=True)
)


def _in_t1(command: str) -> str:
    return rf"{{\fontencoding{{T1}}\selectfont{command}}}"


def _code_point(letter: str) -> str:
    return f"{{[}}U+{ord(letter):04X}{{]}}"
