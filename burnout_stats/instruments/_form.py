"""The form of an instrument file (TOML) as pydantic models; loaded when a file is read, never before.

`schema()` is its JSON Schema.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from ..errors import Problem, StudyError, did_you_mean
from ._instrument import Composite, Cutoff, Instrument, Mark, Response, Subscale

__all__ = ["InstrumentForm", "instrument_of", "schema"]

NAME = re.compile(r"[a-z][a-z0-9_]*")


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError("a name has small letters, digits and underscores, and begins with a letter")
    return value


Name = Annotated[str, AfterValidator(_name)]
Direction = Literal["lower", "higher"]


class Marked(BaseModel):
    """A rule: unknown keys are errors, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    verified: bool = Field(description="Whether the rule was read in its source.")
    source: str = Field(min_length=1, description="Where the rule stands.")

    def mark(self) -> Mark:
        """What is known about the rule."""
        return Mark(self.verified, self.source)


class ItemsForm(Marked):
    """`[items]`: how many, and how their columns are usually named."""

    n: int | None = Field(None, ge=1, description="The number of items; left out where it is not known.")
    columns: str = Field("", description="How columns are usually named, such as cbi_{item}.")
    order: str = Field("", description="What the numbers of the items follow.")

    @model_validator(mode="after")
    def _pattern(self) -> ItemsForm:
        if self.columns and self.columns.count("{item}") != 1:
            raise ValueError("`columns` names {item} once")
        return self


class ResponseForm(Marked):
    """`[response]`: the answers of an item."""

    low: FiniteFloat = Field(description="The lowest answer.")
    high: FiniteFloat = Field(description="The highest answer.")
    step: FiniteFloat = Field(1.0, gt=0, description="From one answer to the next.")

    @model_validator(mode="after")
    def _order(self) -> ResponseForm:
        steps = (self.high - self.low) / self.step
        if not self.low < self.high or abs(steps - round(steps)) > 1e-9:
            raise ValueError("answers go from low to high in whole steps")
        return self


class ReverseForm(Marked):
    """`[reverse]`: the items that are turned, or the subscales where the user has to say which."""

    items: tuple[int, ...] = Field((), strict=False, description="The numbers of the turned items.")
    ask: tuple[str, ...] = Field((), strict=False, description="Subscales with turned items that are not known.")


class MissingForm(Marked):
    """`[subscales.<name>.missing]`: how many answers a score needs."""

    min_answered: int = Field(ge=1, description="So many answers are needed for a score.")


class SubscaleForm(Marked):
    """`[subscales.<name>]`: a score."""

    label: str = Field(min_length=1, description="What people call it.")
    items: tuple[int, ...] = Field((), strict=False, description="The numbers of its items; left out where not known.")
    all_items: bool = Field(False, description="Whether it is made of all items.")
    n_items: int | None = Field(None, ge=1, description="How many items it has, where their numbers are not known.")
    score: Literal["mean", "sum", "percent"] = Field(description="How answers become the score.")
    better: Direction = Field(description="Which end of the score is better.")
    missing: MissingForm | None = Field(None, description="The rule for missing answers; without one, all are needed.")

    @model_validator(mode="after")
    def _counts(self) -> SubscaleForm:
        if self.items and self.n_items not in (None, len(self.items)):
            raise ValueError(f"`n_items` is {self.n_items}, and `items` lists {len(self.items)}")
        if self.items and self.all_items:
            raise ValueError("`items` are listed, or `all_items` is true, not both")
        if len(set(self.items)) < len(self.items):
            raise ValueError("each item stands once")
        known = len(self.items) or self.n_items
        if self.missing is not None and known and self.missing.min_answered > known:
            raise ValueError("`min_answered` is more than the subscale has items")
        return self


class CompositeForm(Marked):
    """`[composites.<name>]`: a score made of subscales."""

    label: str = Field(min_length=1, description="What people call it.")
    kind: Literal["weighted", "ratio"] = Field("weighted", description="A weighted sum, or a ratio of mean items.")
    weights: dict[str, FiniteFloat] = Field(min_length=1, description="The weight of each subscale.")
    constant: FiniteFloat = Field(0.0, description="What is added to a weighted sum.")
    better: Direction = Field(description="Which end of the score is better.")

    @model_validator(mode="after")
    def _ratio(self) -> CompositeForm:
        if self.kind == "ratio" and (sorted(self.weights.values()) != [-1, 1] or self.constant):
            raise ValueError("a ratio has one subscale with weight 1, one with weight -1, and no constant")
        return self


class CutoffForm(Marked):
    """`[[cutoffs]]`: where a word begins to apply."""

    subscale: str = Field(description="The score that is cut.")
    at: FiniteFloat = Field(description="The value.")
    rule: Literal[">=", ">", "<=", "<"] = Field(description="Which side of the value is meant.")
    meaning: str = Field(min_length=1, description="The word for that side.")


class InstrumentForm(BaseModel):
    """An instrument file: how answers become scores. No item wording."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, title="burnout_stats instrument file")

    title: str = Field(min_length=1, description="The name of the instrument.")
    licence: str = Field("", description="On what terms the wording may be used.")
    note: str = Field("", description="A sentence for users.")
    items: ItemsForm
    response: ResponseForm
    reverse: ReverseForm | None = Field(None, description="The items that are turned before they are scored.")
    subscales: dict[Name, SubscaleForm] = Field(min_length=1, description="The scores, by name.")
    composites: dict[Name, CompositeForm] = Field(default_factory=dict, description="Scores made of subscales.")
    cutoffs: tuple[CutoffForm, ...] = Field((), strict=False, description="Where words begin to apply.")


def schema() -> dict[str, Any]:
    """The JSON Schema of instrument files."""
    return InstrumentForm.model_json_schema()


def instrument_of(document: object, key: str) -> Instrument:
    """The instrument that a TOML document describes.

    Raises
    ------
    StudyError
        With every problem found, by key path: `E-STUDY-KEY`, `E-STUDY-MISSING`, `E-STUDY-VALUE`.
    """
    try:
        form = InstrumentForm.model_validate(document)
    except ValidationError as error:
        raise StudyError.of([_problem(finding) for finding in error.errors(include_url=False)]) from None
    wrong = list(_contradictions(form))
    if wrong:
        raise StudyError.of(wrong)
    reverse = form.reverse
    turned = frozenset(reverse.items) if reverse else frozenset()
    asked = frozenset(reverse.ask) if reverse else frozenset()
    everything = tuple(range(1, (form.items.n or 0) + 1))
    own = {name: everything if part.all_items else part.items for name, part in form.subscales.items()}
    return Instrument(
        key=key,
        title=form.title,
        numbers=everything,
        columns=form.items.columns,
        order=form.items.order,
        items_mark=form.items.mark(),
        response=Response(
            low=form.response.low, high=form.response.high, step=form.response.step, mark=form.response.mark()
        ),
        reverse=tuple(sorted(turned)),
        reverse_mark=reverse.mark() if reverse else Mark(True, form.items.source),
        subscales={
            name: Subscale(
                name=name,
                label=part.label,
                items=own[name],
                takes_all=part.all_items,
                n_items=len(own[name]) or part.n_items,
                score=part.score,
                better=part.better,
                min_answered=part.missing.min_answered if part.missing else None,
                missing_mark=part.missing.mark() if part.missing else None,
                reverse="ask" if name in asked else "items" if turned & set(own[name]) else "no",
                mark=part.mark(),
            )
            for name, part in form.subscales.items()
        },
        composites={
            name: Composite(
                name=name,
                label=part.label,
                kind=part.kind,
                weights=part.weights,
                constant=part.constant,
                better=part.better,
                mark=part.mark(),
            )
            for name, part in form.composites.items()
        },
        cutoffs=tuple(
            Cutoff(subscale=part.subscale, at=part.at, rule=part.rule, meaning=part.meaning, mark=part.mark())
            for part in form.cutoffs
        ),
        licence=form.licence,
        note=form.note,
    )


def _contradictions(form: InstrumentForm) -> Iterator[Problem]:
    """What single rules cannot see: numbers of items that do not exist, names of subscales that are not there."""
    highest = form.items.n or 0
    listed = {f"subscales.{name}.items": part.items for name, part in form.subscales.items()}
    if form.reverse:
        listed["reverse.items"] = form.reverse.items
    for path, items in listed.items():
        beyond = sorted(item for item in items if not 1 <= item <= highest)
        if beyond:
            yield _wrong(path, beyond, f"The items have the numbers 1 to {highest} (`items.n`).")
    names: list[tuple[str, str, Mapping[str, Marked]]]
    names = [("reverse.ask", name, form.subscales) for name in (form.reverse.ask if form.reverse else ())]
    names += [
        (f"composites.{name}.weights", part, form.subscales)
        for name, c in form.composites.items()
        for part in c.weights
    ]
    scores: dict[str, Marked] = {**form.subscales, **form.composites}
    names += [(f"cutoffs[{at}].subscale", part.subscale, scores) for at, part in enumerate(form.cutoffs)]
    for path, name, known in names:
        if name not in known:
            yield Problem(
                "E-STUDY-VALUE",
                f"`{path}` names {name!r}.",
                f"The scores are: {', '.join(known)}.",
                did_you_mean(name, known) or "Write the name of one of them.",
            )
    twice = [name for name, count in Counter([*form.subscales, *form.composites]).items() if count > 1]
    if twice:
        yield _wrong("composites", twice, "A composite has another name than the subscales.")


def _wrong(path: str, seen: Sequence[object], expected: str) -> Problem:
    return Problem("E-STUDY-VALUE", f"`{path}` has {', '.join(map(str, seen))}.", expected, "Correct the list.")


def _problem(finding: Any) -> Problem:
    """A finding of pydantic in three sentences, with the key path as the file writes it."""
    path = ""
    for part in finding["loc"]:
        if part != "[key]":
            path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    kind, advice = finding["type"], "See docs/instruments.md for the keys of an instrument file."
    if kind == "extra_forbidden":
        above, _, last = path.rpartition(".")
        known = _fields(above)
        return Problem(
            "E-STUDY-KEY",
            f"Key `{path}` is not known.",
            f"{f'[{above}]' if above else 'An instrument file'} may hold: {', '.join(known)}.",
            did_you_mean(last, known) or advice,
        )
    if kind == "missing":
        return Problem("E-STUDY-MISSING", f"`{path}` is missing.", "It has no default.", f"Add it. {advice}")
    message = str(finding["msg"]).removeprefix("Value error, ")
    given = finding["input"]
    seen = f"[{path}] cannot be used as it stands." if isinstance(given, dict) else f"`{path}` is {given!r}."
    return Problem("E-STUDY-VALUE", seen, f"{message[:1].upper()}{message[1:].rstrip('.')}.", advice)


def _fields(path: str) -> list[str]:
    """The keys that a table of an instrument file may hold."""
    forms: dict[str, type[BaseModel]] = {
        "": InstrumentForm,
        "items": ItemsForm,
        "response": ResponseForm,
        "reverse": ReverseForm,
        "subscales": SubscaleForm,
        "composites": CompositeForm,
        "cutoffs": CutoffForm,
    }
    if path.endswith(".missing"):
        return list(MissingForm.model_fields)
    return list(forms[re.split(r"[.\[]", path)[0]].model_fields)
