"""The contrasts of Stata: linear combinations of coefficients, in which every subject counts once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from ..design.parse import Factor, Term
from ._calls_question import Question, is_transformed
from ._calls_quoting import comment
from ._calls_stata_columns import has_df, value_of

__all__ = ["contrasts"]


def contrasts(asked: Question) -> list[str]:
    """Shares and means, then one `lincom` for each contrast; nothing where none was asked."""
    want = asked.asked
    if want is None:
        return []
    if not asked.formula.intercept:
        return ["* Note: without an intercept the contrasts are not written out here."]
    names = asked.names
    terms = [term for term in asked.formula.terms if any(factor.variable == "visit" for factor in term)]
    lines = [f"bysort {names['subject']}: generate double _w = 1/_N"]
    shares = _Shares(asked)
    by_levels = range(1, len(asked.categories(want.by)) + 1) if want.by else [0]
    combinations = []
    for own in by_levels:
        for later, earlier in want.pairs:
            parts = []
            for position, sign in ((later, "+"), (earlier, "-")):
                if position:
                    parts += [
                        f"{sign} {piece}" for term in terms for piece in _pieces(asked, term, position + 1, own, shares)
                    ]
            small = ", small" if has_df(asked) else ""
            separator = " " if small else ", "
            level = f"{separator}level({100 * want.conf_level:.6g})"
            told = f"{asked.levels[later]} - {asked.levels[earlier]}"
            told += f", {want.by} {asked.categories(want.by)[own - 1]}" if own else ""
            combination = " ".join(parts).removeprefix("+ ")
            combinations += [f"* {comment(told)}", f"lincom {combination}{small}{level}"]
    return [*lines, *shares.lines, *combinations]


class _Shares:
    """Shares of levels and values of covariates, each found once and kept in a local macro."""

    __slots__ = ("asked", "lines", "macros")

    def __init__(self, asked: Question) -> None:
        self.asked, self.lines, self.macros = asked, list[str](), dict[str, str]()

    def share(self, levels: Mapping[str, int]) -> str:
        """Of the subjects at these levels."""
        assert self.asked.asked is not None
        if self.asked.asked.equal:
            share = 1.0
            for name in levels:
                share /= len(self.asked.categories(name))
            return f"{share!r}"
        what = " & ".join(f"{self.asked.names[name]} == {code}" for name, code in levels.items())
        if what not in self.macros:
            macro = f"share{len(self.macros) + 1}"
            self.macros[what] = macro
            self.lines += [
                f"generate byte _{macro} = {what}",
                f"summarize _{macro} [aweight=_w], meanonly",
                f"local {macro} = r(mean)",
            ]
        return f"`{self.macros[what]}'"

    def value(self, factor: Factor) -> str:
        """Of a covariate at the mean of its variable over subjects."""
        name = self.asked.names[factor.variable]
        made = f"value of {self.asked.made.get(factor, name)}"
        if made not in self.macros:
            macro = f"value{len(self.macros) + 1}"
            self.macros[made] = macro
            told = value_of(self.asked, factor, "r(mean)") if is_transformed(factor) else "r(mean)"
            self.lines += [f"summarize {name} [aweight=_w], meanonly", f"local {macro} = {told}"]
        return f"`{self.macros[made]}'"


def _pieces(asked: Question, term: Term, visit: int, own: int, shares: _Shares) -> Iterator[str]:
    """The coefficients of a term that the mean at a visit holds, with their weights."""
    assert asked.asked is not None
    by = asked.asked.by
    axes = []
    for factor in term:
        levels = asked.categories(factor.variable)
        if factor.variable == "visit":
            axes.append([visit])
        elif factor.variable == by:
            axes.append([own] if own > 1 else [])
        else:
            axes.append(list(range(2, len(levels) + 1)) if levels else [0])
    for choice in product(*axes):
        names, weights, averaged = [], [], {}
        for factor, code in zip(term, choice, strict=True):
            name = asked.made.get(factor, asked.names[factor.variable])
            names.append(f"{code}.{name}" if code else f"c.{name}")
            if not code:
                weights.append(shares.value(factor))
            elif factor.variable not in ("visit", by):
                averaged[factor.variable] = code
        if averaged:
            weights.append(shares.share(averaged))
        yield "*".join([*weights, "#".join(names)])
