"""Single courses under their mean; each is the mean course of a few persons alike, so that no line is a person.

A line of one person is that person's data: whoever knows two of the scores can read off the third. So lines are those
of persons only where the cohort's policy has `min_cell = 1`; otherwise of groups of at least `min_cell` persons who
were seen at the same visits and whose courses are near each other.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..describe import by_visit
from ..describe._groups import Groups, groups_of
from ..describe._pairs import by_subject
from ..display.escape import clean
from ..display.styles import decimals_from, fixed
from ..errors import DisclosureError, StudyError
from ..estimates import About, Summaries
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import heading, in_sentence, shown
from ._figure import Figure, figure_size
from ._palette import INK, STROKES
from ._panels import panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["spaghetti"]

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

MOST_LINES = 400
MOST_GROUPS = 4
QUARTERS = 4
"""So many lines have quartiles worth telling."""
MEAN, COURSE = "mean", "course"


def spaghetti(
    cohort: Cohort,
    outcome: str,
    *,
    n: int = 60,
    seed: int = 1,
    by: str | None = None,
    ax: Axes | None = None,
    size: str | tuple[float, float] = "single",
    title: str = "",
) -> Figure:
    """Observed courses of one outcome over time, a sample of them, with the observed mean drawn over them.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
    n : int
        How many lines are drawn, at most, in each group.
    seed : int
        Which persons they are of: the same seed takes the same.
    by : str, optional
        A categorical covariate: a plot for each of its levels, side by side on one scale.
    ax : matplotlib Axes, optional
        Draws there too; the axes keep their own size and fonts.
    size : "single", "double", "slide" or (width, height) in mm
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for an unknown outcome or covariate; `E-STUDY-VALUE` for a number of lines that cannot be
        drawn, or more groups than can stand side by side.
    DisclosureError
        `E-DISCLOSURE-COHORT` where no group of enough persons was seen at the same two visits.

    Notes
    -----
    Under a policy with `min_cell` of 2 or more each line is the mean of at least so many persons, of those who were
    seen at the same visits (two or more) the nearest to each other. Persons whose visits too few others share are not
    drawn; they are in the mean. The frame has no identifiers and does not say how many persons a line is of. The mean
    is that of everyone seen at the visit, and drops out as people do: for a model's mean see `trajectory`.

    **Source.** Groups by the maximum distance to the average vector: Domingo-Ferrer & Mateo-Sanz 2002, IEEE Trans
    Knowl Data Eng 14:189, with the algorithm as in Domingo-Ferrer & Torra 2005, Data Min Knowl Discov 11:195.

    Examples
    --------
    >>> from burnout_stats.studies import example
    >>> spaghetti(example("villa_sana"), "exhaustion", n=20)
    <Figure: Observed courses: Emotional exhaustion; 89 × 72 mm>
    """
    if not 1 <= n <= MOST_LINES:
        raise StudyError(
            "E-STUDY-VALUE",
            f"{n} lines are asked for.",
            f"A plot can show from 1 to {MOST_LINES} of them.",
            "Leave `n` out for 60.",
        )
    courses = _Courses.of(cohort, outcome, n, seed, by)
    figure = Figure(
        title=title or f"Observed courses: {courses.label}",
        frame=courses.frame,
        alt=courses.alt(),
        long_description=courses.long_description(),
        draw=courses.draw,
        size=figure_size(size),
    )
    if ax is not None:
        figure.draw_on(ax)
    return figure


# ---- courses that are no person's ----------------------------------------------------------------------------------


def _alike(points: Array, least: int) -> list[Codes]:
    """Groups of at least so many rows that are near each other: maximum distance to the average vector.

    >>> [group.tolist() for group in _alike(np.array([[0.0], [9.0], [1.0], [8.0]]), 2)]
    [[0, 2], [1, 3]]
    """
    left: Codes = np.arange(len(points))
    groups: list[Codes] = []

    def away(place: int) -> Array:
        distance: Array = ((points[left] - points[place]) ** 2).sum(axis=1)
        return distance

    def taken(place: int) -> None:
        nonlocal left
        near = np.argsort(away(place), kind="stable")[:least]
        groups.append(np.sort(left[near]))
        left = np.delete(left, near)

    while len(left) >= 3 * least:
        far = int(left[np.argmax(((points[left] - points[left].mean(axis=0)) ** 2).sum(axis=1))])
        opposite = int(left[np.argmax(away(far))])
        taken(far)
        if opposite in left:
            taken(opposite)
    if len(left) >= 2 * least:
        taken(int(left[np.argmax(((points[left] - points[left].mean(axis=0)) ** 2).sum(axis=1))]))
    return [*groups, left] if len(left) else groups


def _lines(scores: Array, n: int, least: int, random: np.random.Generator) -> Iterator[tuple[Array, int]]:
    """At most `n` courses of (subjects × visits), NaN where not seen, and how many persons each is of."""
    seen = ~np.isnan(scores)
    eligible = np.flatnonzero(seen.sum(axis=1) >= 2)
    patterns, of = np.unique(seen[eligible], axis=0, return_inverse=True)
    of = of.ravel()
    enough = np.bincount(of, minlength=len(patterns)) >= least
    eligible, of = eligible[enough[of]], of[enough[of]]
    if len(eligible) > n * least:
        chosen = np.sort(random.choice(len(eligible), n * least, replace=False))
        eligible, of = eligible[chosen], of[chosen]
    found: list[tuple[Array, int]] = []
    for pattern in np.unique(of):
        members = eligible[of == pattern]
        if len(members) < least:
            continue
        visits = patterns[pattern]
        alike = _alike(scores[np.ix_(members, visits)], least)
        found += [(scores[members[group]].mean(axis=0), len(group)) for group in alike]
    keep = np.sort(random.permutation(len(found))[:n])
    yield from (found[place] for place in keep)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Courses:
    """What is drawn: `part` "course" with the number of its line, and "mean"; `group` where there are several."""

    frame: pd.DataFrame
    about: About
    groups: tuple[str, ...]
    least: int

    @classmethod
    def of(cls, cohort: Cohort, outcome: str, n: int, seed: int, by: str | None) -> _Courses:
        cohort.outcome(outcome)
        means = shown(by_visit(cohort, [outcome], by=by))
        least = max(cohort.policy.min_cell, 1)
        years = cohort.visits.by_label()
        labels = list(cohort.visits.labels)
        groups = _groups(cohort, by)
        scores = by_subject(cohort, outcome)
        rows: list[dict[str, object]] = []
        streams = np.random.default_rng(seed).spawn(len(groups.levels))
        for at, (level, random) in enumerate(zip(groups.levels, streams, strict=True)):
            own = _lines(scores[groups.codes == at], n, least, random)
            for number, (line, persons) in enumerate(own, start=1):
                rows += [
                    {"variable": outcome, "level": visit, "group": level, "line": number}
                    | {"statistic": COURSE, "value": float(value), "n": persons}
                    for visit, value in zip(labels, line, strict=True)
                    if not math.isnan(value)
                ]
        if not rows:
            raise DisclosureError(
                "E-DISCLOSURE-COHORT",
                f"No {least} persons have scores of `{outcome}` at the same two visits."
                if least > 1
                else f"Nobody has scores of `{outcome}` at two visits.",
                "A line is the course of at least that many persons, so that it is nobody's.",
                "Leave the figure out; set `min_cell` under [disclosure] only as the data owner allows.",
            )
        safe = shown(Summaries(frame=pd.DataFrame(rows), about=means.about))
        drawn = safe.frame.assign(part=COURSE).drop(columns="n")  # how many persons a line is of is not told
        observed = means.frame[means.frame["statistic"].eq("mean")]
        observed = observed.assign(part=MEAN, line=0, group=observed[by].astype(str) if by else "")
        frame = pd.concat([drawn, observed], ignore_index=True).rename(columns={"level": "visit"})
        frame["years"] = frame["visit"].astype(str).map(dict(years)).astype(float)
        frame["visit"] = frame["visit"].astype(str)
        frame = frame[["part", "group", "line", "visit", "years", "value", HIDDEN]].reset_index(drop=True)
        return cls(
            frame=frame.astype({HIDDEN: bool}),
            about=means.about,
            groups=groups.levels,
            least=least,
        )

    @property
    def label(self) -> str:
        return clean(next(iter(self.about.outcomes.values())))

    @property
    def outcome(self) -> str:
        return next(iter(self.about.outcomes))

    def _named(self, group: str) -> str:
        return clean(f"{heading(self.about.by[0])}: {group}") if self.about.by else ""

    def _part(self, part: str, group: str) -> pd.DataFrame:
        rows = self.frame[self.frame["part"].eq(part) & self.frame["group"].eq(group)]
        return rows[rows["value"].notna()]

    # ---- words

    @property
    def _decimals(self) -> int:
        spread = self.frame.loc[self.frame["part"].eq(COURSE), "value"].std()
        return decimals_from([spread / 10]) if spread > 0 else 2

    def _of_whom(self) -> str:
        if self.least == 1:
            return "of single persons"
        return f"each the mean of at least {self.least} persons with courses alike"

    def alt(self) -> str:
        lines = int(self.frame.loc[self.frame["part"].eq(COURSE), ["group", "line"]].drop_duplicates().shape[0])
        said = []
        for group in self.groups:
            rows = self._part(MEAN, group).sort_values("years")
            if len(rows):
                ends = [f"{fixed(row['value'], self._decimals)} at {clean(row['visit'])}" for _, row in rows.iterrows()]
                course = f"{ends[0]} to {ends[-1]}" if len(ends) > 1 else ends[0]
                said.append(", ".join(filter(None, (self._named(group), course))))
        means = "; ".join(said) or "hidden"
        return (
            f"{lines} observed courses of {in_sentence(self.label)}, {self._of_whom()}, and the observed mean: {means}."
        )

    def long_description(self) -> str:
        decimals = self._decimals
        sentences = []
        for group in self.groups:
            courses = self._part(COURSE, group)
            for row in self._means(group).to_dict("records"):
                told = "hidden" if math.isnan(row["value"]) else fixed(row["value"], decimals)
                visit = str(row["visit"])
                where = ", ".join(filter(None, (self._named(group), clean(visit))))
                there = courses.loc[courses["visit"].eq(visit), "value"].to_numpy(dtype=float)
                spread = f"; {len(there)} lines"
                if len(there) >= QUARTERS:
                    low, high = np.quantile(there, [0.25, 0.75])
                    spread += f", middle half {fixed(float(low), decimals)} to {fixed(float(high), decimals)}"
                sentences.append(f"{where}: mean {told}{spread}.")
        return " ".join([*sentences, f"Lines are {self._of_whom()}."])

    def _means(self, group: str) -> pd.DataFrame:
        """The observed means, those that are hidden too."""
        return self.frame[self.frame["part"].eq(MEAN) & self.frame["group"].eq(group)].sort_values("years")

    # ---- drawing

    def draw(self, ax: Axes) -> None:
        low, high = self._limits()
        several = len(self.groups) > 1
        each = (
            panels(ax, [self._named(group) for group in self.groups], len(self.groups), across=20.0)
            if several
            else (ax,)
        )
        for place, (own, group) in enumerate(zip(each, self.groups, strict=True)):
            self._draw_group(own, group, place)
            own.set_ylim(low, high)
            if place:
                own.tick_params(labelleft=False)
        first = each[0]
        scale = self.about.ranges.get(self.outcome)
        better = self.about.better.get(self.outcome)
        words = ", ".join(
            filter(
                None, (f"scale {scale[0]:g} to {scale[1]:g}" if scale else "", f"{better} is better" if better else "")
            )
        )
        name = textwrap.fill(self.label, 34)
        first.set_ylabel(f"{name}\n({words})" if words else name, parse_math=False)
        self._key(ax)

    def _draw_group(self, ax: Axes, group: str, place: int) -> None:
        stroke = STROKES[place]
        courses = self._part(COURSE, group).sort_values(["line", "years"])
        for _, rows in courses.groupby("line"):
            ax.plot(rows["years"], rows["value"], color=stroke.color, alpha=0.32, linewidth=0.7, zorder=2)
        mean = self._part(MEAN, group).sort_values("years")
        for color, width in (("white", 3.6), (INK, 1.9)):
            ax.plot(mean["years"], mean["value"], color=color, linewidth=width, zorder=4, solid_capstyle="round")
        ax.plot(
            mean["years"],
            mean["value"],
            color=INK,
            marker="o",
            markersize=4.4,
            markeredgecolor="white",
            markeredgewidth=0.7,
            linestyle="none",
            zorder=5,
        )
        visits = self.frame.drop_duplicates("visit").sort_values("years")
        years = visits["years"].to_numpy(dtype=float)
        names = [textwrap.fill(clean(visit), 12) for visit in visits["visit"]]
        ax.set_xticks(years, names, parse_math=False)
        span = float(years[-1] - years[0]) or 1.0
        width = ax.get_window_extent().width / ax.get_figure(root=True).dpi * 72  # type: ignore[union-attr]
        tight = np.diff(years) / span * width < 4.2 * np.minimum([len(name) for name in names[1:]], 12)
        if tight.any():
            for label in ax.get_xticklabels():
                label.set(rotation=35, ha="right", rotation_mode="anchor")
        ax.set_xlim(years[0] - 0.06 * span, years[-1] + 0.06 * span)
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)

    def _limits(self) -> tuple[float, float]:
        """The whole scale where there is one: a spaghetti plot shows how wide the scores lie."""
        values = self.frame["value"].dropna()
        low, high = float(values.min()), float(values.max())
        scale = self.about.ranges.get(self.outcome)
        if scale and high - low > 0.5 * (scale[1] - scale[0]):
            low, high = scale
        room = 0.04 * ((high - low) or 1.0)
        return low - room, high + room

    def _key(self, ax: Axes) -> None:
        from matplotlib.lines import Line2D
        from matplotlib.transforms import ScaledTranslation

        several = len(self.groups) > 1
        inches = ax.get_figure(root=True).dpi_scale_trans  # type: ignore[union-attr]
        look: dict[str, Any] = {"alpha": 0.6, "linewidth": 0.9}
        lines = Line2D([], [], color=INK if several else STROKES[0].color, **look)
        mean = Line2D([], [], color=INK, linewidth=1.9, marker="o", markersize=4.4, markeredgecolor="white")
        words = "One person" if self.least == 1 else f"Mean of {self.least} or more persons alike"
        key = ax.legend(
            [mean, lines],
            ["Observed mean", words],
            loc="lower left",
            bbox_to_anchor=(-0.02, 1.02),
            bbox_transform=ax.transAxes + ScaledTranslation(0, (13 if several else 0) / 72, inches),
            ncols=2,
            frameon=False,
            borderaxespad=0.2,
            borderpad=0.1,
            handlelength=1.6,
            handletextpad=0.5,
            columnspacing=1.4,
        )
        for text in key.get_texts():
            text.set_parse_math(False)


def _groups(cohort: Cohort, by: str | None) -> Groups:
    groups = groups_of(cohort, by)
    if len(groups.levels) > MOST_GROUPS:
        raise StudyError(
            "E-STUDY-VALUE",
            f"Courses were asked for {len(groups.levels)} groups.",
            f"At most {MOST_GROUPS} can stand side by side.",
            "Use another covariate, or cohort.subset() for one group at a time.",
        )
    return groups
