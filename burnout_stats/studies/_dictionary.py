"""The dictionary of a synthetic cohort's data: what each column holds, which numbers are published and which are
assumptions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ._design import Design

__all__ = ["dictionary"]

Record = Mapping[str, Any]

MARKS = {
    "seen": "read in the paper named",
    "derived": "computed from numbers read in the papers named, as the last column tells",
    "inferred": "the number was read in the paper named; that it belongs to this row was inferred, so it is not called "
    "published here",
    "assumption": "given by no source; chosen for this synthetic cohort",
}


def dictionary(plan: Design, told: Record) -> str:
    """The Markdown text of `README.md` beside the data, from the design and the truth."""
    return "\n".join(_lines(plan, told)) + "\n"


def _lines(plan: Design, told: Record) -> Iterator[str]:
    """One string a paragraph, list item or table row."""
    yield from (f"# {plan.tables['title']}", "")
    yield from _opening(plan, told)
    yield from ("", "## Columns", "")
    yield (
        f"`{plan.name}.csv` has one line per subject and visit answered. "
        "A missed visit has no line; a line has no empty cell."
    )
    yield ""
    yield from _table(("column", "label", "values", "changes over visits", "remarks"), _columns(plan))
    yield from ("", "## Missing visits", "")
    yield from _missing(plan, told)
    yield from ("", "## Targets", "")
    yield (
        "Reported scores, that is those of the subjects who answered, were to have these moments. *Reached* is the "
        f"value in the population that the cohort is drawn from (`{plan.name}.truth.json`), not in the one sample that "
        "ships."
    )
    yield ""
    for mark, meaning in MARKS.items():
        yield f"- **{mark}**: {meaning}."
    yield ""
    yield from _table(("what", "among", "target", "reached", "mark", "source or reason"), _targets(told["targets"]))
    yield from ("", "## Assumptions without a line above", "")
    yield from ASSUMPTIONS


def _opening(plan: Design, told: Record) -> Iterator[str]:
    counts = " / ".join(str(row["count"]) for row in plan.patterns)
    yield (
        "**Synthetic: made by simulation, no row is a person.** It imitates a published cohort of Norwegian doctors "
        "who came to a counseling center, so far as its papers give numbers. It holds no data of that cohort and "
        "supports no statement about it."
    )
    yield ""
    yield f"- `{plan.name}.csv`: {plan.n} subjects; visits {', '.join(plan.visits.labels)}."
    yield f"- `{plan.name}.toml`: the study file for `burnout-stats report`."
    yield f"- `{plan.name}.truth.json`: the true moments, the true changes, and the probabilities of missing a visit."
    yield ""
    yield (
        "`make data` writes all four files again, byte for byte (with the libraries of `constraints.txt`). In Python "
        f'the cohort is `bs.example("{plan.name}")`; others of its kind are '
        f'`bs.simulate("{plan.name}", n=..., seed=...)`.'
    )
    yield ""
    yield (
        f"The seed is {told['seed']}: the first one, counted from 1, whose patterns of visits come out exactly as "
        f"published ({counts}). Nothing else about the sample was looked at in choosing it."
    )
    yield ""
    yield "Sources: " + "; ".join(str(source) for source in plan.tables["sources"].values()) + "."


def _columns(plan: Design) -> Iterator[Sequence[str]]:
    yield "id", "Subject", f"{plan.tables['id_prefix']} and {plan.tables['id_digits']} digits", "", "A running number."
    yield (
        "visit",
        "Visit",
        ", ".join(plan.visits.labels),
        "",
        "At exactly these years (the papers give a range of months).",
    )
    for name in plan.tables["columns"]:
        if name in plan.tables["factors"]:
            table = plan.tables["factors"][name]
            shares = ", ".join(
                f"{level} ({count} of {plan.n})" for level, count in zip(table["levels"], table["counts"], strict=True)
            )
            yield (
                name,
                table["label"],
                shares,
                "no",
                f"{table['note']} Shares: {table['mark']} ({plan.source(table['source'])})",
            )
            continue
        table = plan.variables[name]
        lowest, highest = table["range"]
        step = round((highest - lowest) / table["steps"], 2)
        values = ", ".join(table["levels"]) if "levels" in table else f"{lowest} to {highest} by {step:g}"
        key = f" Instrument key: `{table['instrument']}`." if "instrument" in table else ""
        yield name, table["label"], values, "no" if len(table["moments"]) == 1 else "yes", table["note"] + key


def _missing(plan: Design, told: Record) -> Iterator[str]:
    yield (
        "Everybody has a baseline. Which later visits are there was drawn with probabilities that depend on sex and on "
        "baseline exhaustion, job stress and coping only: missing at random given these (an assumption). An analysis "
        "of one score alone does not condition on the others, so for it the visits are not quite missing at random. "
        + str(plan.tables["dropout"]["note"])
    )
    yield ""
    yield from _table(
        ("visits answered", "expected of " + str(plan.n)),
        (
            (
                ", ".join(label for label, seen in zip(plan.visits.labels, row["seen"], strict=True) if seen),
                f"{row['probability'] * plan.n:.1f}",
            )
            for row in told["missingness"]["patterns"]
        ),
    )


def _targets(targets: Sequence[Record]) -> Iterator[Sequence[str]]:
    for row in targets:
        among = row["among"] if row["among"] in {"everyone", "all visits"} else f"seen at {row['among']}"
        among = among.replace("seen at not", "not seen at")
        yield (
            row["what"].replace("@", " at "),
            among,
            f"{row['target']:g}",
            f"{row['reached']:.3f}",
            row["mark"],
            row["source"],
        )


def _table(head: Sequence[str], rows: Iterator[Sequence[str]] | Any) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "| " + " | ".join("---" for _ in head) + " |"
    for row in rows:
        yield "| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |"


ASSUMPTIONS = """\
- The shape of every distribution: beta-binomial on the grid of a scale, rounded normal for hours and age, a hurdle for
  weeks of leave.
- The number of steps of each scale, and ranges that no paper prints.
- Every correlation that no line above names, of a variable with itself at another visit and between variables; all
  stand in the parameter file of the study. The cross-lagged ones let coping and job stress come before exhaustion, as
  the 2010 paper reports in words.
- Joint behavior of the yes-or-no variables over time (the papers print margins only).
- Sex and form of intervention have no effect on any score or change; age is related to exhaustion and job stress only
  (-0.10).
- The subjects are independent of each other, and everybody answers all questions of a form.
""".splitlines()
