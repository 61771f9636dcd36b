"""From the terms of a study file to a formula: names are looked up first and quoted where they must be, so no text of a
user becomes syntax.

A term is the name of a column, or names joined by colons (an interaction); a name that holds a colon stands in
back-quotes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from ..errors import Problem, did_you_mean

__all__ = ["check_terms", "formula", "split_term"]

VISIT_ROLES = ("visit", "years")
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
FACTOR = re.compile(r"\s*(?:`([^`]+)`|([^`:]+?))\s*(?::|\Z)")


def split_term(term: str, columns: Collection[str] = ()) -> tuple[str, ...]:
    """The names of a term; nothing where the text is not a term.

    >>> split_term("visit:sex")
    ('visit', 'sex')
    >>> split_term("visit:`work: hours`")
    ('visit', 'work: hours')
    >>> split_term("visit:")
    ()
    """
    if term in columns:
        return (term,)
    names: list[str] = []
    position = 0
    while position < len(term):
        match = FACTOR.match(term, position)
        if match is None:
            return ()
        names.append(match[1] if match[1] is not None else match[2])
        position = match.end()
    return tuple(names) if names and not term.rstrip().endswith(":") else ()


def check_terms(terms: Sequence[str], *, outcomes: Collection[str], covariates: Collection[str]) -> list[Problem]:
    """What is wrong with the terms of a model, given the columns that the study file declares."""
    known = (*VISIT_ROLES, *covariates)
    problems: list[Problem] = []
    seen: dict[frozenset[str], str] = {}
    for index, term in enumerate(terms):
        where = f"`analysis.terms[{index}]`"
        names = split_term(term, known)
        if not names:
            problems.append(
                Problem(
                    "E-STUDY-TERM",
                    f"{where} is {term!r}.",
                    "A term is the name of a column, or names joined by colons.",
                    'Write for example terms = ["visit", "sex", "visit:sex"].',
                )
            )
            continue
        for name in names:
            if name not in known:
                problems.append(_unknown(where, name, known, outcomes))
            elif "`" in name:
                problems.append(
                    Problem(
                        "E-STUDY-TERM",
                        f"{where} names the column {name!r}.",
                        "A column that a model uses may not have a back-quote in its name.",
                        "Rename the column in the file and under [covariates].",
                    )
                )
        if (key := frozenset(names)) in seen:
            problems.append(
                Problem(
                    "E-STUDY-TERM",
                    f"{where} says {term!r}, and so does {seen[key]!r} before it.",
                    "Each term stands once.",
                    "Remove one of the two.",
                )
            )
        seen.setdefault(key, term)
    if frozenset({"visit"}) not in seen:
        problems.append(
            Problem(
                "E-STUDY-TERM",
                f"`analysis.terms` is {list(terms)!r}, without the term 'visit'.",
                "The report is about means and changes by visit, so the model needs the visit.",
                'Add "visit" to the terms.',
            )
        )
    return problems


def formula(outcome: str, terms: Sequence[str], columns: Collection[str] = ()) -> str:
    """The formula of a model, every name quoted where it is not plain.

    >>> formula("exhaustion", ["visit", "work hours", "visit:work hours"])
    'exhaustion ~ visit + `work hours` + visit:`work hours`'
    """
    known = (*VISIT_ROLES, *columns)
    right = " + ".join(":".join(_quoted(name) for name in split_term(term, known)) for term in terms)
    return f"{_quoted(outcome)} ~ {right}"


def _quoted(name: str) -> str:
    return name if PLAIN.match(name) else f"`{name}`"


def _unknown(where: str, name: str, known: Sequence[str], outcomes: Collection[str]) -> Problem:
    if name in outcomes:
        advice = f"`{name}` is an outcome; an outcome explains no other outcome here. Leave it out of the terms."
    else:
        near = did_you_mean(name, known)
        advice = " ".join(part for part in (near, f"Or declare [covariates.{_key(name)}].") if part)
    return Problem(
        "E-STUDY-TERM", f"{where} names the column `{name}`.", f"Terms are made of: {', '.join(known)}.", advice
    )


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'
