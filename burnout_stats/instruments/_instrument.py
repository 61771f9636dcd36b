"""`Instrument`: how answers become scores, as data. Every rule carries a mark: whether it was looked up, and where.

Items have numbers, as the instrument prints them; no wording stands here or anywhere in the package.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from ..errors import StudyError, did_you_mean
from ..notices import Notice

__all__ = ["Composite", "Cutoff", "Instrument", "Mark", "Response", "Subscale"]

DIRECTIONS: Mapping[str, str] = MappingProxyType({">=": "at or above", ">": "above", "<=": "at or below", "<": "below"})


@dataclass(frozen=True, slots=True)
class Mark:
    """Whether a rule was read in its source (`verified`) or is only remembered, and what the source is."""

    verified: bool
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """The answers that an item can have: from `low` to `high` in steps of `step`."""

    low: float
    high: float
    step: float
    mark: Mark

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g} in steps of {self.step:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscale:
    """One score of an instrument.

    Attributes
    ----------
    name, label : str
    items : tuple of int
        The numbers of its items; empty where they are not known and the user has to name the columns.
    takes_all : bool
        Whether it is made of all items, however many there are.
    n_items : int or None
        How many it has; None where that is not known, or differs between versions.
    score : "mean", "sum" or "percent"
        Of the answered items; a sum is their mean times the number of items, a percent is how far the mean lies between
        the lowest and the highest answer.
    better : "lower" or "higher"
    min_answered : int or None
        So many answers are needed for a score; None means all.
    reverse : "no", "items" or "ask"
        Whether items are turned: none, those the instrument lists, or those that the user has to name.
    mark, missing_mark : Mark
        Of the items and their scoring, and of the rule for missing answers (None where no rule is known).
    """

    name: str
    label: str
    items: tuple[int, ...]
    takes_all: bool
    n_items: int | None
    score: str
    better: str
    min_answered: int | None
    reverse: str
    mark: Mark
    missing_mark: Mark | None = None

    def range(self, response: Response) -> tuple[float, float] | None:
        """The lowest and highest possible score; None for a sum of an unknown number of items."""
        if self.score == "percent":
            return (0.0, 100.0)
        if self.score == "mean":
            return (response.low, response.high)
        return None if self.n_items is None else (self.n_items * response.low, self.n_items * response.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Composite:
    """A score made of subscales: constant + Σ weight × subscale, or (`kind` "ratio") the mean item of the subscale with
    weight 1 divided by that of the subscale with weight -1.
    """

    name: str
    label: str
    kind: str
    weights: Mapping[str, float]
    constant: float
    better: str
    mark: Mark

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", MappingProxyType(dict(self.weights)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoff:
    """A value of a score beyond which a word applies: `at`, on which side (`rule`: >=, >, <= or <), and the word."""

    subscale: str
    at: float
    rule: str
    meaning: str
    mark: Mark

    @property
    def rule_name(self) -> str:
        """What the rule is called in `Instrument.rules()`."""
        return f"cutoffs.{self.subscale}{self.rule}{self.at:g}"

    def __str__(self) -> str:
        return f"{self.meaning}: {self.subscale} {DIRECTIONS[self.rule]} {self.at:g}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Instrument:
    """A questionnaire: its items, answers, subscales, cut-offs, and what is known about each rule.

    Attributes
    ----------
    key, title : str
    numbers : tuple of int
        The numbers of its items; empty where not known.
    columns : str
        How columns are usually named, with `{item}` for the number.
    response : Response
    reverse : tuple of int
        The items that are turned before they are scored: an answer x becomes low + high - x.
    subscales, composites : by name
    cutoffs : tuple of Cutoff
    items_mark, reverse_mark : Mark
    order, licence, note : str
        What the numbers of the items follow; on what terms the wording may be used; a sentence for users.
    root : str
        The key of the whole, where this is a score of it that stands alone.
    """

    key: str
    title: str
    numbers: tuple[int, ...]
    columns: str
    response: Response
    reverse: tuple[int, ...]
    subscales: Mapping[str, Subscale]
    items_mark: Mark
    reverse_mark: Mark
    composites: Mapping[str, Composite] = field(default_factory=dict)
    cutoffs: tuple[Cutoff, ...] = ()
    order: str = ""
    licence: str = ""
    note: str = ""
    root: str = ""

    def __post_init__(self) -> None:
        for name in ("subscales", "composites"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __repr__(self) -> str:
        scores = ", ".join((*self.subscales, *self.composites))
        items = f"{len(self.numbers)} items" if self.numbers else "items named by the user"
        unverified = len(self.unverified())
        return f"<Instrument {self.key}: {items}; scores {scores}; {unverified} unverified rules>"

    @property
    def scores(self) -> tuple[str, ...]:
        """The names of its scores: subscales, then composites."""
        return (*self.subscales, *self.composites)

    def key_of(self, score: str) -> str:
        """The key under which a score stands alone; that of the whole for a total or an only score."""
        whole = self.root or self.key
        return whole if score == "total" or (not self.root and len(self.scores) == 1) else f"{whole}_{score}"

    def rules(self) -> dict[str, Mark]:
        """Every rule by name, with its mark: what was looked up, and what is only remembered."""
        found = {"items": self.items_mark, "response": self.response.mark}
        if self.reverse or any(part.reverse != "no" for part in self.subscales.values()):
            found["reverse"] = self.reverse_mark
        for name, part in self.subscales.items():
            found[f"subscales.{name}"] = part.mark
            if part.missing_mark is not None:
                found[f"subscales.{name}.missing"] = part.missing_mark
        found |= {f"composites.{name}": part.mark for name, part in self.composites.items()}
        found |= {part.rule_name: part.mark for part in self.cutoffs}
        return found

    def unverified(self) -> tuple[str, ...]:
        """The rules that nobody looked up."""
        return tuple(name for name, mark in self.rules().items() if not mark.verified)

    def doubts(self, rules: Iterable[str]) -> tuple[Notice, ...]:
        """The notice that names those of the rules in use that nobody has looked up; none where all were."""
        asked = set(rules)
        doubtful = [name for name in self.unverified() if name in asked]
        if not doubtful:
            return ()
        return (
            Notice(
                "N-INSTRUMENT-UNVERIFIED",
                f"Rules of `{self.key}` were used that nobody has looked up: {', '.join(doubtful)}.",
                "Compare them with the manual before you publish; docs/instruments.md lists every rule.",
            ),
        )

    def _cut(self) -> set[str]:
        return {cutoff.subscale for cutoff in self.cutoffs}

    def only(self, name: str) -> Instrument:
        """The instrument with one of its scores: a subscale, or a composite with the subscales that it is made of.

        Raises
        ------
        StudyError
            `E-STUDY-INSTRUMENT` for an unknown score.
        """
        if name in self.composites:
            made = self.composites[name]
            return replace(
                self,
                key=f"{self.key}_{name}",
                root=self.root or self.key,
                title=f"{self.title}: {made.label}",
                subscales={part: self.subscales[part] for part in made.weights},
                composites={name: made},
                cutoffs=tuple(cutoff for cutoff in self.cutoffs if cutoff.subscale == name),
            )
        if name not in self.subscales:
            raise StudyError(
                "E-STUDY-INSTRUMENT",
                f"`{self.key}` has no score `{name}`.",
                f"Its scores are: {', '.join(self.scores)}.",
                did_you_mean(name, self.scores),
            )
        part = self.subscales[name]
        return replace(
            self,
            key=f"{self.key}_{name}",
            root=self.root or self.key,
            title=f"{self.title}: {part.label}",
            numbers=part.items,
            reverse=tuple(item for item in self.reverse if item in part.items),
            subscales={name: part},
            composites={},
            cutoffs=tuple(cutoff for cutoff in self.cutoffs if cutoff.subscale == name),
        )

    def cutoff(self, score: str = "", meaning: str = "") -> Cutoff:
        """A cut-off of a score (the first score that has one where none is named), the first one listed where no
        `meaning` is said.

        Raises
        ------
        StudyError
            `E-STUDY-INSTRUMENT` where there is none, or none with that meaning.
        """
        score = score or next((name for name in self.scores if name in self._cut()), self.scores[0])
        known = [cutoff for cutoff in self.cutoffs if cutoff.subscale == score]
        for cutoff in known:
            if meaning in ("", cutoff.meaning):
                return cutoff
        listed = "; ".join(map(str, known or self.cutoffs))
        raise StudyError(
            "E-STUDY-INSTRUMENT",
            f"`{self.key}` has no cut-off{f' with the meaning {meaning!r}' if meaning else ''} for `{score}`.",
            f"Its cut-offs are: {listed}." if listed else "Nobody has published one that the package knows.",
            "Give the value yourself, with its source.",
        )
