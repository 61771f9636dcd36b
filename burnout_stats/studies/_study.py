"""A published study as a value: its design, the numbers it prints, a synthetic cohort, its plan, and today's."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..cohort import Cohort
from ..display import Shown, Table
from ..display.escape import for_terminal
from ..display.showing import facts
from ..errors import StudyError
from ..estimates import Estimates
from ._draw import Arm, Selection, draw
from ._printed import PrintedNumber
from ._stack import Stack, to_cohort

if TYPE_CHECKING:
    from ._analyze import Analysis
    from ._reconstruct import Reconstruction
    from ._today import Today

__all__ = ["Assumption", "Study", "StudyDesign", "from_file"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A value or rule that no source gives, and why it was chosen."""

    what: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyDesign:
    """What a study was.

    Attributes
    ----------
    title, citation : str
    n : int
    visits : mapping of label to years
    arms : names, empty for a single arm
    randomized : bool
        Whether arms were assigned at random; only then are their baseline means held equal today.
    plan : sentences on the methods as printed
    today : sentences on the plan that we would use
    main_outcome, outcomes : names of outcomes in the synthetic cohort
    assumptions : tuple of Assumption
    """

    title: str
    citation: str
    n: int
    visits: Mapping[str, float]
    arms: tuple[str, ...] = ()
    randomized: bool = False
    plan: tuple[str, ...] = ()
    today: tuple[str, ...] = ()
    main_outcome: str = ""
    outcomes: tuple[str, ...] = ()
    adjusted_for: tuple[str, ...] = ()
    assumptions: tuple[Assumption, ...] = ()

    def __str__(self) -> str:
        lines = [self.title, self.citation, "", f"{self.n} subjects; visits: {', '.join(self.visits)}."]
        lines += ["", "As printed:", *(f"  {line}" for line in self.plan)]
        lines += ["", "Today:", *(f"  {line}" for line in self.today)]
        lines += ["", "Assumed:", *(f"  {a.what}{f' ({a.why})' if a.why else ''}" for a in self.assumptions)]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Study(Shown):
    """A published study.

    Attributes
    ----------
    name : str
        Its id, `villa_sana_2010`.
    design : StudyDesign
    printed : tuple of PrintedNumber
    arms : what makes the arms that synthetic cohorts are drawn from
    selections : tuple of Selection
    tables : mapping
        The data file as read.

    Examples
    --------
    >>> from burnout_stats.studies import study
    >>> study("villa-sana-2008").simulate(seed=1).n_subjects
    227
    """

    name: str
    design: StudyDesign
    printed: tuple[PrintedNumber, ...]
    arms: Callable[[], Sequence[Arm]]
    factors: Mapping[str, Any] = field(default_factory=dict)
    selections: tuple[Selection, ...] = ()
    tables: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tables", MappingProxyType(dict(self.tables)))
        object.__setattr__(self, "factors", MappingProxyType(dict(self.factors)))
        ids = [number.id for number in self.printed]
        twice = sorted({key for key in ids if ids.count(key) > 1})
        if twice:
            raise StudyError(
                "E-STUDY-PRINTED",
                f"Study `{self.name}` has two numbers with the id `{twice[0]}`.",
                "Each printed number has an id of its own.",
                "Rename one of them in the data file of the study.",
            )

    def _tables(self) -> tuple[Table, ...]:
        design = self.design
        pairs = [("Source", design.citation), ("Subjects", str(design.n)), ("Visits", ", ".join(design.visits))]
        pairs += [("As printed", line) for line in design.plan] + [("Today", line) for line in design.today]
        pairs += [("Assumed", f"{one.what}{f' ({one.why})' if one.why else ''}") for one in design.assumptions]
        return (facts(design.title, pairs, notes=(f"{len(self.printed)} printed numbers.",)),)

    def __repr__(self) -> str:
        return for_terminal(f"<Study {self.name}: {self.design.title}; {len(self.printed)} printed numbers>")

    def number(self, key: str) -> PrintedNumber:
        """The printed number with this id.

        Raises
        ------
        StudyError
            `E-STUDY-UNKNOWN` for an unknown id.
        """
        for number in self.printed:
            if number.id == key:
                return number
        raise StudyError(
            "E-STUDY-UNKNOWN",
            f"Study `{self.name}` has no printed number `{key}`.",
            f"It has: {', '.join(number.id for number in self.printed)}.",
            "Take one of these ids.",
        )

    def stack(self, n_replicates: int, *, seed: int | Sequence[int]) -> Stack:
        """So many synthetic cohorts of the study as arrays."""
        return draw(
            self.arms(),
            replicates=n_replicates,
            seed=seed,
            selections=self.selections,
            outcomes=self.design.outcomes,
            factors=self.factors,
        )

    def simulate(self, seed: int, *, exact: bool = False) -> Cohort:
        """One synthetic cohort of the study: the first replicate of `stack` with this seed.

        With `exact`, the cohort of `reconstruct(seed)`: its own summaries round to the printed digits, as far as these
        can be met together (`reconstruct` tells which were met), and its scores are on no grid.
        """
        return self.reconstruct(seed).cohort if exact else to_cohort(self.stack(1, seed=seed))

    def analyze(self, cohort: Cohort) -> Analysis:
        """The study's plan as printed, on a cohort with its columns: numbers by id, and the answers behind them."""
        from ._analyze import analyze

        return analyze(self, cohort)

    def reproduce(self, n_replicates: int = 1000, *, seed: int = 1) -> Estimates:
        """Printed numbers beside the median and the 95% range of synthetic replicates, and whether they agree.

        Parameters
        ----------
        n_replicates, seed : int

        Returns
        -------
        Estimates
            Kind "reproduction": for each printed number `id`, `quantity`, `printed` (its text), `mark`, `used`,
            `tolerance`, `agrees`; `estimate` is the median over the replicates, `conf_low` and `conf_high` the 2.5th
            and 97.5th percentile, `std_error` their SD.
        """
        from ._reproduce import reproduce

        return reproduce(self, n_replicates, seed)

    def reconstruct(self, seed: int) -> Reconstruction:
        """A data set whose own summaries round to the printed digits, with the constraints that it met and missed."""
        from ._reconstruct import reconstruct

        return reconstruct(self, seed)

    def today(
        self,
        cohort: Cohort,
        *,
        covariates: Sequence[str] = (),
        dashboard: bool = True,
        n_imputations: int = 50,
        seed: int = 1,
    ) -> Today:
        """The plan that we would use today, on the same cohort.

        Parameters
        ----------
        cohort : Cohort
        covariates : names, optional
            Beside those that the study adjusts for. A notice tells where one is the baseline score of an outcome.
        dashboard : bool
            Whether to ask the main outcome under every other assumption (slow).
        n_imputations, seed : int
            Of the dashboard.
        """
        from ._today import today

        return today(
            self, cohort, n_imputations=n_imputations, seed=seed, with_dashboard=dashboard, covariates=covariates
        )


def from_file(
    name: str,
    *,
    arms: Callable[[Mapping[str, Any]], Sequence[Arm]] | None = None,
    factors: Mapping[str, Any] | None = None,
) -> Study:
    """The study of `<name>.toml` beside this file.

    `arms` makes the arms from the file's tables; where left out, `[population]` says how (see `_population_file`).
    """
    from ._population_file import arms_of, factors_of

    tables = tomllib.loads(files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))
    plan = tables["design"]
    return Study(
        name=name,
        design=StudyDesign(
            title=plan["title"],
            citation=plan["citation"],
            n=int(plan["n"]),
            visits=dict(tables["visits"]),
            arms=tuple(plan.get("arms", ())),
            randomized=bool(plan.get("randomized", False)),
            plan=tuple(plan.get("plan", ())),
            today=tuple(plan.get("today", ())),
            main_outcome=str(plan.get("main_outcome", "")),
            outcomes=tuple(plan.get("outcomes", ())),
            adjusted_for=tuple(plan.get("adjusted_for", ())),
            assumptions=tuple(Assumption(**row) for row in tables.get("assumptions", ())),
        ),
        printed=tuple(PrintedNumber(**_record(row, tables)) for row in tables["printed"]),
        arms=cache(lambda: tuple((arms or arms_of)(tables))),
        factors=factors if factors is not None else factors_of(tables),
        selections=tuple(Selection(**row) for row in tables.get("selections", ())),
        tables=tables,
    )


def _record(row: Mapping[str, Any], tables: Mapping[str, Any]) -> dict[str, Any]:
    """A row of [[printed]] with its source spelled out."""
    key, comma, rest = str(row["source"]).partition(", ")
    long = tables.get("sources", {}).get(key, key)
    return dict(row) | {"source": f"{long}{comma}{rest}"}
