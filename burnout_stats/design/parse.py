"""A small parser for model formulas. It reads names; it never evaluates text.

    formula  = name "~" sum
    sum      = ["-"] product { ("+" | "-") product }
    product  = interaction { "*" interaction }
    interaction = atom { ":" atom }
    atom     = "0" | "1" | name | transform "(" name { "," literal } ")" | "(" sum [ ("|" | "||") name ] ")"

Names are letters, digits, `_` and `.`, or anything between back-quotes. Transforms and codings are the tables
`TRANSFORMS` and, in `coding`, `CODINGS`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import StudyError, did_you_mean
from .coding import CODINGS, TRANSFORMS

__all__ = ["Factor", "Formula", "Random", "Term", "parse"]

TOKEN = re.compile(r"\s*(?:(`[^`]+`)|([^\W\d][\w.]*)|(\d+(?:\.\d+)?)|(\"[^\"]*\"|'[^']*')|(\|\||[~+:*\-(),|]))")


@dataclass(frozen=True, slots=True)
class Factor:
    """A variable in a term: its column, and the transform or coding asked for (empty where none), with literal
    arguments.
    """

    variable: str
    transform: str = ""
    arguments: tuple[float | str, ...] = ()

    def __str__(self) -> str:
        if not self.transform:
            return self.variable
        return f"{self.transform}({', '.join([self.variable, *map(str, self.arguments)])})"


Term = tuple[Factor, ...]
"""An interaction of factors; the empty one is the intercept."""


@dataclass(frozen=True, slots=True)
class Random:
    """Random effects `(terms | group)`; `correlated` is false for `||`."""

    terms: tuple[Term, ...]
    intercept: bool
    group: str
    correlated: bool

    def __str__(self) -> str:
        terms = [":".join(map(str, term)) for term in self.terms]
        return f"({' + '.join([str(int(self.intercept)), *terms])} {'|' if self.correlated else '||'} {self.group})"


@dataclass(frozen=True, slots=True)
class Formula:
    """A parsed formula: response, fixed terms by degree and then appearance, whether there is an intercept, random
    parts, and the text.
    """

    response: str
    terms: tuple[Term, ...]
    intercept: bool
    random: tuple[Random, ...]
    text: str

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns that the fixed part names, in order of appearance."""
        return tuple(dict.fromkeys(factor.variable for term in self.terms for factor in term))


def parse(text: str) -> Formula:
    """Read a formula.

    Raises
    ------
    StudyError
        `E-STUDY-FORMULA`, pointing at the place where reading stopped.

    >>> [":".join(map(str, term)) for term in parse("exhaustion ~ visit * sex + age").terms]
    ['visit', 'sex', 'age', 'visit:sex']
    """
    return _Parser(text).formula()


class _Parser:
    """Recursive descent over the tokens of one formula."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, int]] = []
        self.at = 0
        self.random: list[Random] = []
        position = 0
        while text[position:].strip():
            match = TOKEN.match(text, position)
            if match is None:
                start = position + len(text[position:]) - len(text[position:].lstrip())
                raise self.error(start, "Formulas hold names, `quoted names`, + : * - ( ) | and 0 or 1.")
            self.tokens.append((match.group().strip(), match.end() - len(match.group().strip())))
            position = match.end()

    def error(self, position: int, expected: str) -> StudyError:
        shown = self.text if len(self.text) <= 200 else self.text[:200] + "..."
        found = f"`{self.text[position : position + 20]}`" if position < len(self.text) else "its end"
        return StudyError(
            "E-STUDY-FORMULA",
            f"The formula `{shown}` could not be read at {found}.",
            expected,
            'Write for example "exhaustion ~ visit * sex + age".',
        )

    def peek(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def position(self) -> int:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else len(self.text)

    def take(self, *expected: str) -> str:
        token = self.peek()
        if expected and token not in expected:
            raise self.error(self.position(), f"Expected {' or '.join(f'`{mark}`' for mark in expected)} here.")
        self.at += 1
        return token

    def name(self) -> str:
        token = self.peek()
        if token.startswith("`"):
            self.at += 1
            return token.strip("`")
        if not token or not (token[0].isalpha() or token[0] == "_"):
            raise self.error(self.position(), "Expected the name of a column here.")
        self.at += 1
        return token

    def formula(self) -> Formula:
        response = self.name()
        self.take("~")
        intercept, terms = self.sum(top=True)
        if self.at < len(self.tokens):
            raise self.error(self.position(), "The formula should have ended here, or gone on with `+`.")
        return Formula(response, _by_degree(terms), intercept, tuple(self.random), self.text)

    def sum(self, *, top: bool = False) -> tuple[bool, list[Term]]:
        """Terms of a sum; an intercept is there unless removed by 0 or -1."""
        intercept, terms = True, list[Term]()
        sign = self.take("-") if self.peek() == "-" else "+"
        while True:
            found = self.product(top=top)
            for term in found:
                if term == (_ZERO,):
                    intercept = sign == "-"
                elif term == ():
                    intercept = sign == "+"
                elif sign == "-":
                    terms = [known for known in terms if set(known) != set(term)]
                elif not any(set(known) == set(term) for known in terms):
                    terms.append(term)
            if self.peek() not in ("+", "-"):
                return intercept, terms
            sign = self.take()

    def product(self, *, top: bool) -> list[Term]:
        terms = self.interaction(top=top)
        while self.peek() == "*":
            self.take()
            right = self.interaction(top=False)
            terms = [*terms, *right, *_cross(terms, right)]
        return terms

    def interaction(self, *, top: bool) -> list[Term]:
        terms = self.atom(top=top)
        while self.peek() == ":":
            self.take()
            terms = _cross(terms, self.atom(top=False))
        return terms

    def atom(self, *, top: bool) -> list[Term]:
        token = self.peek()
        if token == "(":
            return self.parenthesis(top=top)
        if token == "0":
            self.take()
            return [(_ZERO,)]
        if token == "1":
            self.take()
            return [()]
        where = self.position()
        name = self.name()
        if self.peek() == "(" and not token.startswith("`"):
            return [(self.transformed(name, where),)]
        return [(Factor(name),)]

    def transformed(self, transform: str, where: int) -> Factor:
        known = {**TRANSFORMS, "coded": None}
        if transform not in known:
            raise self.error(
                where, f"Transforms are: {', '.join(sorted(known))}. {did_you_mean(transform, known)}".rstrip()
            )
        self.take("(")
        variable = self.name()
        arguments: list[float | str] = []
        while self.peek() == ",":
            self.take()
            sign = -1.0 if self.peek() == "-" else 1.0
            if sign < 0:
                self.take()
            literal = self.take()
            if re.fullmatch(r"\d+(?:\.\d+)?", literal):
                arguments.append(sign * float(literal))
            elif literal[:1] in ("'", '"'):
                arguments.append(literal[1:-1])
            else:
                raise self.error(where, "The further arguments of a transform are numbers or quoted words.")
        self.take(")")
        if transform == "coded" and (len(arguments) != 1 or arguments[0] not in CODINGS):
            raise self.error(where, f'coded(name, "...") takes one of: {", ".join(CODINGS)}.')
        if transform != "coded" and len(arguments) != TRANSFORMS[transform].n_arguments:
            raise self.error(
                where, f"{transform}() takes {TRANSFORMS[transform].n_arguments} arguments after the name."
            )
        return Factor(variable, transform, tuple(arguments))

    def parenthesis(self, *, top: bool) -> list[Term]:
        where = self.position()
        self.take("(")
        intercept, terms = self.sum()
        if self.peek() in ("|", "||"):
            bar = self.take()
            group = self.name()
            self.take(")")
            if not top:
                raise self.error(where, "Random effects stand by themselves, joined by `+`.")
            self.random.append(Random(_by_degree(terms), intercept, group, bar == "|"))
            return []
        self.take(")")
        return terms


_ZERO = Factor("", "zero")


def _cross(left: list[Term], right: list[Term]) -> list[Term]:
    return [tuple(dict.fromkeys((*a, *b))) for a in left for b in right]


def _by_degree(terms: list[Term]) -> tuple[Term, ...]:
    return tuple(sorted(terms, key=len))
