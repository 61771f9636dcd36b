"""A first study file for data that have none: `draft_study(path) -> Draft`, commented TOML with a TODO wherever a
person has to decide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..cohort.opening import open_file
from ..cohort.read import as_path, data_bytes
from ..display import Column, Row, Shown, Table
from ..display.escape import clean
from ..errors import StudyError
from ..instruments import instrument
from .choosing import choose, ends_of, looks_coded
from .looking import Look, look
from .questions import contrast_names
from .recognition import better_end, instruments_of
from .study import Plan, plan_of
from .traits import Trait

__all__ = ["Draft", "draft_study"]

WIDTH = 100
SCALES = ((0, 1), (0, 3), (0, 4), (1, 4), (1, 5), (0, 6), (1, 6), (1, 7), (0, 10), (1, 10), (0, 21), (0, 27), (0, 100))
"""Scales that are often used, the narrow ones first."""

COUNTED = re.compile(r"\D{0,9}\d{1,2}(?:[.,]0)?")
"""A visit that is only counted: 0, t0, wave1."""

ESTIMAND = """\
# What is to be estimated, by the five attributes of ICH E9(R1). Take the marks away and say it in your own words.
# [estimand]
# population = "..."  # TODO: about whom do you want to say something?
# variable = "..."    # TODO: what is measured, and when?
# exposure = "..."    # TODO: what is compared: two times, or people with and without something?
# summary = "The difference of two means."
# intercurrent_events = [{ event = "full-time sick leave", strategy = "treatment policy" }]
# causal = false      # true needs assumptions = "..."; only then may you call a difference an effect

# The plan for missing data (TARMOS), best written before you look at them.
# [missing_data]
# reasons = "..."           # TODO: why do people leave, or not answer?
# mechanism = "missing at random"
# justification = "..."     # TODO: why is the analysis valid nevertheless?
# complete_records = "..."  # TODO: would those who answered every time be enough, and why not?
"""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Draft(Shown):
    """A study file that was drafted by looking at the data.

    Attributes
    ----------
    text : the study file, as TOML
    found : sentences on what the file seems to hold
    questions : what a person has to decide, in the order of the file
    """

    text: str
    found: tuple[str, ...]
    questions: tuple[str, ...]

    def plan(self, path: str | Path) -> Plan:
        """The plan that the draft makes as a study file of this path."""
        return plan_of(Path(path), self.text.encode("utf-8"))

    def _tables(self) -> tuple[Table, ...]:
        return (
            Table(
                title="A draft of a study file",
                columns=(Column("sentence", "What the data show, and what only you know"),),
                rows=tuple(
                    Row((sentence,), group)
                    for group, sentences in (("Found", self.found), ("To decide", self.questions))
                    for sentence in sentences
                ),
                notes=("The study file itself is in `.text`.",),
            ),
        )

    def __repr__(self) -> str:
        return f"<Draft: {len(self.found)} findings, {len(self.questions)} questions>"


def draft_study(
    data: str | Path,
    *,
    subject: str = "",
    visit: str = "",
    sheet: str | None = None,
    file: str = "",
) -> Draft:
    """Draft a study file by looking at a data file; nothing is written.

    Parameters
    ----------
    data : path
        What `read_cohort` reads: text, Excel, SPSS, Stata, SAS, Parquet, Feather.
    subject, visit : str, optional
        The columns that tell whose row it is and at which visit, where their names do not tell.
    sheet : str, optional
        Of a workbook that has several.
    file : str, optional
        How the study file names the data file, where it does not lie beside it.

    Raises
    ------
    StudyError
        `E-STUDY-DRAFT` where no column tells the person, or nothing tells the visit; `E-STUDY-FILE`, `E-STUDY-COLUMN`.
    DataError
        Where the file cannot be opened.
    """
    path = as_path(data)
    raw = data_bytes(path)
    opened = open_file(path, raw, sheet=sheet)
    for name in filter(None, (subject, visit)):
        if name not in opened.table.columns:
            listed = ", ".join(f"`{clean(column)}`" for column in list(opened.table.columns)[:30])
            raise StudyError(
                "E-STUDY-COLUMN", f"There is no column `{name}`.", f"The columns are: {listed}.", "Name one of them."
            )
    seen = look(opened.table, opened.labels, subject=subject, visit=visit)
    writer = _Writer(seen, file or path.name, sheet)
    return writer.draft()


class _Writer:
    """The lines of a draft, and the questions that stand in them."""

    def __init__(self, seen: Look, file: str, sheet: str | None) -> None:
        self.seen, self.file, self.sheet = seen, file, sheet
        self.labels = _visit_labels(seen)
        self.lines: list[str] = []
        self.questions: list[str] = []
        chosen = choose(seen.traits)
        self.outcomes, self.waiting, self.covariates = chosen.outcomes, chosen.waiting, chosen.covariates
        self.items, self.scores, self.unused = chosen.items, chosen.scores, chosen.unused

    def draft(self) -> Draft:
        """The study file."""
        self.head()
        self.data()
        self.visits()
        for trait in self.outcomes:
            self.outcome(trait)
        self.scored()
        if not self.outcomes and not self.scores:
            self.todo("Which column is a score? None was found that is a number and changes over the visits.")
        if self.waiting:
            self.todo(
                f"Further numbers that change over the visits: scores for [outcomes], or [covariates]? "
                f"{_named(self.waiting)}."
            )
            self.say()
        for trait in self.covariates:
            self.covariate(trait)
        if self.unused:
            self.comment(f"Not used: {_named(self.unused, why=True)}.")
            self.say()
        self.say(*ESTIMAND.splitlines(), "")
        self.analysis()
        return Draft(
            text="\n".join(self.lines).rstrip() + "\n", found=tuple(self.found()), questions=tuple(self.questions)
        )

    def say(self, *lines: str) -> None:
        """Lines as they are."""
        self.lines += lines or ("",)

    def comment(self, text: str) -> None:
        """Words of ours."""
        self.lines += _wrapped(text)

    def todo(self, question: str) -> None:
        """A question to the person who reads the draft."""
        self.questions.append(question)
        self.comment(f"TODO: {question}")

    def head(self) -> None:
        """The first lines."""
        self.comment(
            "Drafted by burnout-stats from a look at the data. Read it once: what it could not know stands as TODO."
        )
        self.say("config_version = 1", f"title = {_text(Path(self.file).stem.replace('_', ' ').strip().capitalize())}")
        self.say('description = ""  # TODO: setting, dates, who was eligible, how people were followed up')
        self.questions.append("Setting, dates, who was eligible, how people were followed up (description).")
        self.say()

    def data(self) -> None:
        """`[data]`."""
        seen = self.seen
        self.say("[data]", f"file = {_text(self.file)}")
        if self.sheet is not None:
            self.say(f"sheet = {_text(self.sheet)}")
        self.say(f"subject = {_text(seen.subject)}")
        if seen.wide:
            self.say(f"wide = {_text(seen.wide)}  # a row for each person, a column for each visit")
        else:
            self.say(f"visit = {_text(seen.visit)}  # a row for each person and visit")
        if seen.date and 0.0 in {years for years, _ in seen.years.values()}:
            self.say(
                f"date = {_text(seen.date)}  # dates of assessment; the report counts time from them, and keeps no date"
            )
        self.missing_codes()
        self.say()
        codes = {code: label for code, label in self.labels.items() if code != label}
        if codes:
            self.say("[data.visit_codes]  # what the file writes for a visit, and what the report calls it")
            self.say(*(f"{_key(code)} = {_text(label)}" for code, label in codes.items()), "")

    def missing_codes(self) -> None:
        """`missing_codes`, where some number or word seems to mean "no value" and nothing else."""
        traits = (*self.outcomes, *self.covariates, *(one for group in self.items.values() for one in group))
        codes = sorted({code for trait in traits for code in trait.codes})
        real = {code for code in codes if any(np.isin(code, trait.values) for trait in traits)}
        sure = [code for code in codes if code not in real]
        words = list(dict.fromkeys(word for trait in traits for word in trait.words))
        if sure or words:
            listed = ", ".join([*(f"{code:g}" for code in sure), *(_text(word) for word in words)])
            where = [trait for trait in traits if set(trait.codes) & set(sure) or trait.words]
            self.todo(f"Do these mean a missing value? They stand in {_named(where)}.")
            self.say(f"missing_codes = [{listed}]")
        for code in sorted(real):
            where = [trait for trait in traits if code in trait.codes]
            self.todo(
                f"Does {code:g} mean a missing value in {_named(where)}? Elsewhere it is a value, so mend the file."
            )
        declared = [trait for trait in traits if trait.declared]
        if declared:
            self.comment(f"The file's own codes for missing values are used as they are ({_named(declared)}).")

    def visits(self) -> None:
        """`[visits]`."""
        guessed = [label for label, (_, how) in self.seen.years.items() if not how]
        self.comment("Years since baseline by visit.")
        self.say("[visits]")
        if guessed:
            self.todo(
                f"How many years after baseline? The file only tells the order of {', '.join(map(clean, guessed))}."
            )
        for label, (years, how) in self.seen.years.items():
            told = f"  # {how}" if how and how != "the label says so" else "  # a guess" if not how else ""
            self.say(f"{_text(self.labels[label])} = {_number(years)}{told}")
        self.say()

    def outcome(self, trait: Trait) -> None:
        """`[outcomes.<column>]`."""
        self.say(f"[outcomes.{_key(trait.name)}]")
        if trait.label:
            self.say(f"label = {_text(trait.label)}")
        low, high = ends_of(trait)
        keys, is_named = instruments_of(trait.known_as, low, high)
        if is_named and len(keys) == 1:
            known = instrument(keys[0])
            part = next(iter(known.subscales.values()))
            limits = part.range(known.response)
            self.say(f"instrument = {_text(keys[0])}  # recognized by its name; check that it is this form")
            if limits is not None:
                self.say(f"range = [{_number(limits[0])}, {_number(limits[1])}]")
            self.say(f"better = {_text(part.better)}", "")
            return
        name = clean(trait.name)
        if keys:
            self.todo(f"Which instrument is `{name}`? It could be {', '.join(keys[:4])}.")
            self.say(f"# instrument = {_text(keys[0])}")
        scale = next((scale for scale in SCALES if scale[0] <= low and high <= scale[1]), None)
        self.todo(f"What are the lowest and the highest possible score of `{name}`?")
        self.say(f"# range = [{scale[0]}, {scale[1]}]" if scale else "# range = [0, 100]")
        end = better_end(trait.known_as)
        if end:
            self.say(f"better = {_text(end)}  # from its name")
        else:
            self.todo(f'Which end of `{name}` is better, "lower" or "higher"?')
            self.say('# better = "lower"')
        self.say()

    def scored(self) -> None:
        """`[scores]` of items of instruments that the package knows, and the items of others."""
        if self.scores:
            self.comment(
                "Made from items, by the rules of the instrument; `burnout-stats check` tells which are not verified."
            )
        for name, (key, items) in self.scores.items():
            self.say(f"[scores.{_key(name)}]", f"instrument = {_text(key)}", f"items = {_text(items)}", "")
        used = {items for _, items in self.scores.values()}
        others = {pattern: group for pattern, group in self.items.items() if pattern not in used}
        for pattern, group in others.items():
            self.todo(
                f"Items {clean(pattern)} ({len(group)} columns): of which instrument? Declare [scores.<name>] with "
                "instrument and items; docs/instruments.md lists what is known."
            )
        if others:
            self.say()

    def covariate(self, trait: Trait) -> None:
        """`[covariates.<column>]`."""
        self.say(f"[covariates.{_key(trait.name)}]")
        if trait.label:
            self.say(f"label = {_text(trait.label)}")
        if trait.kind == "category" and trait.levels:
            listed = ", ".join(level if trait.coded else _text(level) for level in trait.levels)
            self.say(f"levels = [{listed}]  # the first is the reference")
        elif trait.kind == "category":
            self.comment("Some categories have few people, so none is written here; they are sorted by name.")
        elif looks_coded(trait):
            self.todo(
                f"Is `{clean(trait.name)}` a number, or are these codes of categories? Then write levels = [...]."
            )
        self.say()

    def analysis(self) -> None:
        """`[analysis]` and `[report]`."""
        constant = [clean(trait.name) for trait in self.covariates if not trait.varies][:3]
        self.say("[analysis]")
        question = "Which properties belong in the model, beside the visit?"
        self.todo(
            question + (f' For example terms = ["visit", {", ".join(map(_text, constant))}].' if constant else "")
        )
        self.say('terms = ["visit"]')
        times = {self.labels[label]: years for label, (years, _) in self.seen.years.items()}
        names = contrast_names("vs_baseline", times)
        first = [trait.name for trait in self.outcomes] + list(self.scores)
        if first and names:
            self.say("", "# What the study was made to answer; everything else is then called secondary.")
            self.say("# [analysis.primary]", f"# outcomes = [{_text(clean(first[0]))}]")
            self.say(f"# contrasts = [{_text(clean(names[-1]))}]")
        self.say(
            "", "[report]", 'language = "en"  # or "nb"', 'formats = ["html", "json", "csv"]  # also docx, pdf, md, tex'
        )

    def found(self) -> Iterable[str]:
        """Sentences on what was found."""
        seen = self.seen
        how = "one row per person" if seen.wide else "one row per person and visit"
        yield f"{how}, {_count(len(seen.years), 'visit')}: {', '.join(map(clean, seen.years))}"
        scores = [*self.outcomes]
        names = [clean(trait.name) for trait in scores] + [clean(name) for name in self.scores]
        yield f"{_count(len(names), 'score')}: {', '.join(names) or '-'}"
        yield f"{_count(len(self.covariates), 'other property', 'other properties')}: " + (
            ", ".join(clean(trait.name) for trait in self.covariates) or "-"
        )


def _visit_labels(seen: Look) -> dict[str, str]:
    """What the report calls each visit: as the file does, or by its time where the file only counts (t0, t1)."""
    counts = all(COUNTED.fullmatch(label) for label in seen.years)
    if not counts or not all(how for _, how in seen.years.values()):
        return {label: label for label in seen.years}
    return {label: _time(years) for label, (years, _) in seen.years.items()}


def _time(years: float) -> str:
    if years == 0:
        return "baseline"
    if years == int(years):
        return _count(int(years), "year")
    months = round(12 * years)
    return _count(months, "month") if months and abs(12 * years - months) < 0.2 else f"{years:g} years"


WHY = {
    "date": "dates",
    "text": "free text, or too many categories",
    "identity": "names or numbers of persons",
    "empty": "empty",
    "number": "a name with another meaning here",
    "category": "a name with another meaning here",
}


def _named(traits: Sequence[Trait], *, why: bool = False) -> str:
    names = [f"`{clean(trait.name)}`" + (f" ({WHY[trait.kind]})" if why else "") for trait in traits[:12]]
    return ", ".join(names) + (f" and {len(traits) - 12} more" if len(traits) > 12 else "")


def _wrapped(text: str) -> list[str]:
    """A comment, in lines of a readable width."""
    lines, line = [], "#"
    for word in clean(text).split():
        if len(line) + len(word) + 1 > WIDTH and line != "#":
            lines.append(line)
            line = "#"
        line += f" {word}"
    return [*lines, line]


def _text(text: str) -> str:
    """A text as TOML writes it: in quotes, on one line."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _text(name)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(round(value, 4))


def _count(n: int, word: str, several: str = "") -> str:
    return f"{n} {word if n == 1 else several or word + 's'}"
