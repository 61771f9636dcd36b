"""docs/instruments.md tells every rule of every instrument that ships, with its mark and its source.

The page is written from the keys: `UPDATE_SNAPSHOTS=1 pytest tests/architecture/test_instruments_page.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from burnout_stats import instruments
from burnout_stats.instruments import Instrument

PAGE = Path(__file__).parents[2] / "docs" / "instruments.md"
MARK = "<!-- from here on written from the keys -->\n"


def test_the_page_tells_every_rule():
    head, _, told = PAGE.read_text(encoding="utf-8").partition(MARK)
    expected = "\n".join(page())
    if os.environ.get("UPDATE_SNAPSHOTS"):
        PAGE.write_text(f"{head}{MARK}{expected}", encoding="utf-8", newline="\n")
        return
    assert told == expected, "docs/instruments.md is not what the keys say: write it again (see this file)"


def test_the_head_of_the_page_counts_right():
    keys = [instruments.instrument(key) for key in instruments.names()]
    rules = sum(len(key.rules()) for key in keys)
    unverified = sum(len(key.unverified()) for key in keys)
    head = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    assert f"{len(keys)} instruments with {rules} rules, of which {unverified} are unverified" in head


def page() -> Iterator[str]:
    yield "## Unverified rules\n"
    yield "| instrument | rules that nobody has looked up |\n| --- | --- |"
    for name in instruments.names():
        rules = instruments.instrument(name).unverified()
        if rules:
            yield f"| `{name}` | {', '.join(f'`{rule}`' for rule in rules)} |"
    for name in instruments.names():
        yield from _instrument(instruments.instrument(name))
    yield ""


def _instrument(key: Instrument) -> Iterator[str]:
    yield f"\n## `{key.key}`: {key.title}\n"
    yield f"{' '.join(filter(None, (key.note, f'Licence: {key.licence}')))}\n"
    yield "| rule | what it says | mark | source |\n| --- | --- | --- | --- |"
    told = _rules(key)
    for rule, mark in key.rules().items():
        yield f"| `{rule}` | {told[rule]} | {'verified' if mark.verified else '**unverified**'} | {mark.source} |"


def _rules(key: Instrument) -> dict[str, str]:
    usual = f", usually `{key.columns}`" if key.columns else ""
    order = f"; {key.order}" if key.order else ""
    found = {
        "items": f"{len(key.numbers) or 'as many as the user names'}{usual}{order}",
        "response": str(key.response),
        "reverse": f"items {_listed(key.reverse)}" if key.reverse else "the user names the columns",
    }
    for name, part in key.subscales.items():
        of = (
            "all items"
            if part.takes_all
            else f"items {_listed(part.items)}"
            if part.items
            else "columns named by the user"
        )
        count = f" ({part.n_items})" if part.n_items and not part.items else ""
        found[f"subscales.{name}"] = f"{part.label}: {part.score} of {of}{count}; {part.better} is better"
        found[f"subscales.{name}.missing"] = f"at least {part.min_answered} answered"
    for name, made in key.composites.items():
        terms = " + ".join(f"{weight:g} × {part}" for part, weight in made.weights.items())
        above, below = sorted(made.weights, key=lambda part: -made.weights[part])[:: len(made.weights) - 1]
        formula = f"{above} / {below}, of mean items" if made.kind == "ratio" else f"{made.constant:g} + {terms}"
        found[f"composites.{name}"] = f"{made.label}: {formula}; {made.better} is better"
    for cutoff in key.cutoffs:
        found[f"cutoffs.{cutoff.subscale}{cutoff.rule}{cutoff.at:g}"] = str(cutoff)
    return found


def _listed(items: tuple[int, ...]) -> str:
    return ", ".join(map(str, items))
