"""What changed, in Norwegian bokmål: one sentence for each contrast.

The verb stands second, so a group in front of the sentence turns subject and verb round; where commas are decimal
marks, semicolons part the numbers.
"""

from __future__ import annotations

from ..estimates.tabulation import in_sentence
from ._finding import Finding

__all__ = ["sentence"]

_DOUBT = {
    "agreed": "",
    "adjusted": "; når p-verdien er justert for flere tester, er retningen fortsatt usikker",
}


def sentence(found: Finding) -> str:
    """The sentence of one contrast."""
    label = in_sentence(found.label)
    front = f"for {found.where} " if found.where else ""
    what = f"fra {found.visits[1]} til {found.visits[0]}" if found.visits else f"({found.contrast})"
    noun = f"{'endringen' if found.visits else 'forskjellen'} i {label} {what}"
    if found.state == "hidden":
        return f"{_clause(front, noun, 'er')} skjult: tallet bygger på for få personer."
    if found.state == "absent":
        return f"{_clause(front, noun, 'kan')} ikke estimeres fra disse dataene."
    numbers = f"({found.interval}; {found.test}; {found.p})"
    unit = found.unit or "poeng"
    if found.is_told_as_move:
        verb = "sank" if found.is_fall else "økte"
        judgment = {"better": ", en endring til det bedre", "worse": ", en endring til det verre"}
        moved = _clause(front, label if front else found.label, verb)
        return f"{moved} med {found.size} {unit} {what} {numbers}{judgment.get(found.judgment, '')}."
    told = _clause(front, f"den estimerte {noun}", "var")
    holds = "både en nedgang og en økning" if found.visits else "forskjeller i begge retninger"
    doubt = _DOUBT.get(found.state, f"; intervallet rommer {holds}")
    return f"{told} {found.size} {unit} {numbers}{doubt}."


def _clause(front: str, subject: str, verb: str) -> str:
    return f"{front}{verb} {subject}" if front else f"{subject} {verb}"
