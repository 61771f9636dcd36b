"""The study file of the synthetic peer-support cohort, and the dictionary of its data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ._peer_support import ASSUMPTIONS, VISITS, covariates, outcomes

__all__ = ["dictionary", "study_file"]

Record = Mapping[str, Any]
SOURCES = "Rø, Veggeland & Aasland 2016; Horne et al. 2021, 2023, 2025"
REMARKS = {
    "sex": ("assumption", "Unrelated to every score."),
    "age": ("assumption", "Whole years; students are younger. Unrelated to every score."),
    "career": ("values seen, shares assumed", "The network is for doctors and medical students."),
    "category": (
        "values seen (2021), shares assumed",
        "Predicts the start and the course of both scores (assumption).",
    ),
    "county": ("number seen (11)", "Labels are made up; scores differ a little between counties (assumption)."),
    "supporter": (
        "number seen (about 90)",
        "Labels are made up; five doctors each and the spread between supporters are assumptions. Nested in county.",
    ),
    "choice": ("values seen, shares assumed", "Some choose a psychiatrist on purpose, some their own specialty."),
    "mode": ("values seen, shares assumed", "Face to face is usual."),
    "sessions": (
        "limit seen (three)",
        "Chosen by the doctor: more with greater need (assumption). It changes no score.",
    ),
    "treatment": (
        "crossing over seen, share assumed",
        "Known only at 12 months, so concurrent with the change: associated with it at most. It changes no score.",
    ),
    "consent": (
        "450, 22 and 12 seen (2023)",
        "Who returned the form depends on baseline exhaustion and category (assumption).",
    ),
    "exhaustion": ("assumption", "Mean score, 1-5, on a grid of 1/9."),
    "distress": ("assumption", "Mean of five items, 1-4."),
}


def study_file(plan: Record) -> str:
    """The study file of the cohort."""
    lines = [
        "config_version = 1",
        f"title = {_quoted(plan['title'])}",
        f"description = {_quoted(plan['description'])}",
        "",
        "[data]",
        'file = "peer_support.csv"',
        'subject = "id"',
        'visit = "visit"',
        'date = "date"',
        "",
        "[visits]",
        *(f"{_quoted(label)} = {years:g}" for label, years in VISITS.items()),
        "",
        "[visit_windows]",
        f'"12 months" = {plan["window"]}',
    ]
    for name, row in outcomes().items():
        low, high = row["range"]
        lines += ["", f"[outcomes.{name}]", f"label = {_quoted(row['label'])}"]
        lines += [f"instrument = {_quoted(row['instrument'])}", f"range = [{low}, {high}]", 'better = "lower"']
        lines += [f"note = {_quoted(row['note'])}"]
    for name, row in covariates().items():
        lines += ["", f"[covariates.{name}]", f"label = {_quoted(row['label'])}"]
        lines += [f"levels = {json.dumps(row['levels'], ensure_ascii=False)}"] if "levels" in row else []
        lines += [f"unit = {_quoted(row['unit'])}"] if "unit" in row else []
        lines += ["constant = true"] if row.get("constant") else []
    return "\n".join([*lines, "", *ANALYSIS]) + "\n"


ANALYSIS = (
    "[disclosure]",
    "min_cell = 5",
    "quasi_identifiers = []  # no row is a person",
    "",
    "[analysis]",
    'model = "mmrm"',
    'terms = ["visit", "category", "visit:category"]',
    'covariance = "us"',
    'df = "kenward-roger"',
    'contrasts = "vs_baseline"',
    "",
    "[report]",
    'formats = ["html", "json", "csv"]',
    'number_style = "plain"',
    "seed = 1",
)


def dictionary(plan: Record) -> str:
    """The Markdown text of `peer_support.md` beside the data."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Record) -> Iterator[str]:
    yield from (f"# {plan['title']}", "")
    yield (
        "**Synthetic: made by simulation, no row is a person.** The design is that of a nationwide service of peer "
        "support for doctors; its qualitative studies give the variables and no scores. Every score, share and "
        "relation here is an assumption, and nothing in the data supports a statement about any service."
    )
    yield from ("", f"Sources of the design: {SOURCES}.", "")
    yield f"- `peer_support.csv`: {plan['n']} doctors; a form at the first contact and one at 12 months."
    yield "- `peer_support.toml`: the study file for `burnout-stats report`."
    yield ""
    yield "`make data` writes these files again, byte for byte (with the libraries of `constraints.txt`)."
    yield f'In Python the cohort is `bs.example("peer_support")`; its seed is {plan["seed"]}, the first, taken unseen.'
    yield from ("", "## Columns", "", "| column | label | values | mark | remarks |", "| --- | --- | --- | --- | --- |")
    yield "| id | Subject | PS and 4 digits |  | A running number. |"
    yield f"| visit | Visit | {', '.join(VISITS)} | 12 months seen | A form that did not come back has no line. |"
    yield (
        f"| date | Day of the form | ISO dates | window seen (± {plan['window']} days) | From "
        f"{plan['first_contact']} to {plan['last_contact']} at first contact (assumption); the second form inside the "
        "window. |"
    )
    for name, row in {**covariates(), **outcomes()}.items():
        yield f"| {name} | {row['label']} | {_values(row)} | {' | '.join(REMARKS[name])} |"
    yield from ("", "## Help-seeking categories", "")
    yield "As the 2021 study words them; `category` holds the short level."
    yield ""
    yield from (f"- `{level}`: {label}" for level, label in plan["themes"].items())
    yield from ("", "## What the scores are drawn from", "", "Latent scores, before they are carried to the grid.", "")
    yield "| outcome | category | mean at baseline | true change to 12 months | mark |"
    yield "| --- | --- | --- | --- | --- |"
    for row in plan["outcomes"].values():
        for level, mean, change in zip(plan["levels"]["category"], row["baseline"], row["change"], strict=True):
            yield f"| {row['label']} | {level} | {mean:.2f} | {change:+.2f} | assumption |"
    yield ""
    for row in plan["outcomes"].values():
        first, second = row["sd"]
        yield (
            f"- {row['label']}: SD {first:g} and {second:g} between doctors of one supporter, correlation over time "
            f"{row['stability']:g}; SD {row['supporter_sd']:g} between supporters and {row['county_sd']:g} between "
            "counties."
        )
    yield (
        "- The form at 12 months comes back less often with more exhaustion at baseline and in the categories coping "
        "and way back: missing at random given these (assumption)."
    )
    yield from ("", "## Assumptions", "")
    yield from (f"- {line}" for line in ASSUMPTIONS)


def _values(row: Record) -> str:
    levels = row.get("levels")
    if levels is None:
        return f"{row['range'][0]} to {row['range'][1]}" if "range" in row else str(row.get("unit", ""))
    return ", ".join(levels) if len(levels) <= 3 else f"{levels[0]} to {levels[-1]}"


def _quoted(text: str) -> str:
    """A basic string of TOML."""
    return json.dumps(text, ensure_ascii=False)
