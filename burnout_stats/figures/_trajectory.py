"""The course of an outcome: model means with their intervals on a true time axis, the numbers of subjects under it."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special

from ..display.escape import clean
from ..display.styles import decimals_from, fixed, interval
from ..errors import StudyError
from ..estimates import About, Estimates, Summaries
from ..estimates.disclosure import HIDDEN
from ..estimates.quantities import QUANTITIES, is_percent
from ..estimates.tabulation import heading, in_sentence, percent_of, shown
from ..instruments.norms import Norm
from ._figure import Figure, figure_size
from ._important import important
from ._palette import INK, STROKES, Stroke

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["trajectory"]

SLOT = 5.2
"""Points between neighboring marks at a visit, so that they do not cover each other; the ticks keep the true times."""
BAND, EDGE, QUIET = "#e6e6e6", "#8c8c8c", "#595959"
"""Of what is no result of the cohort: fill, lines and words."""
OUTWARD = 3.0
"""Points between the axes and their lines."""
_TIME = re.compile(r"\d\s*-?\s*(y|m|w|d|år|uk)", re.IGNORECASE)
_WHAT = {
    "probability": "model probabilities",
    "count": "model means",
    "log_odds": "log odds",
    "latent": "log odds of a higher category",
    "probits": "probits",
    "log_mean": "logarithms of means",
    "log_probability": "logarithms of probabilities",
}
LEAST_OF_SCALE = 0.3
"""The axis shows at least this part of an outcome's scale, so that a small difference looks small."""


def trajectory(
    means: Estimates,
    *,
    observed: Summaries | None = None,
    norm: Norm | None = None,
    mcid: float | None = None,
    ax: Axes | None = None,
    size: str | tuple[float, float] = "single",
) -> Figure:
    """Model means of one outcome over time, with intervals, on a true time axis.

    Parameters
    ----------
    means : Estimates
        From `emmeans(fit, "visit")`, with `by` for one line for each group.
    observed : Summaries, optional
        From `describe.by_visit` with the same `by`: the observed means, drawn as hollow points.
    norm : Norm, optional
        Of a reference sample: its mean with the confidence interval as a band, moved by its drift.
    mcid : float, optional
        The minimal clinically important difference: a line that far from the mean at the first visit, to the better
        side; with several groups a bar of that length.
    ax : matplotlib Axes, optional
        Draws there too; the axes keep their own size and fonts.
    size : "single", "double", "slide" or (width, height) in mm
        Across one column of a journal (89 mm), or two (183 mm); or a slide of 16 to 9.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` where these are not means by visit of one outcome, there are more groups than lines that can
        be told apart, or the difference is not positive.
    """
    _check(means)
    course = _Course.of(means, observed, norm, None if mcid is None else important(mcid))
    figure = Figure(
        title=f"{course.label} over time",
        frame=course.frame,
        alt=course.alt(),
        long_description=course.long_description(),
        draw=course.draw,
        size=figure_size(size),
    )
    if ax is not None:
        figure.draw_on(ax)
    return figure


def _check(means: Estimates) -> None:
    about, frame = means.about, means.frame
    outcomes = frame["outcome"].nunique()
    if about.kind != "means" or "visit" not in frame or not set(frame["visit"].astype(str)) <= set(about.visit_years):
        raise StudyError(
            "E-STUDY-VALUE",
            f"A trajectory was asked of {about.kind} without the times of visits.",
            "It draws means by visit.",
            'Give it emmeans(fit, "visit"), or emmeans(fit, "visit", by="sex").',
        )
    if outcomes != 1:
        raise StudyError(
            "E-STUDY-VALUE",
            f"A trajectory was asked of {outcomes} outcomes at once.",
            "It draws one outcome; each has its own scale.",
            "Draw one figure for each outcome.",
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Course:
    """What a trajectory shows: the frame it draws and the words for it."""

    frame: pd.DataFrame
    about: About
    outcome: str
    groups: tuple[str, ...]
    norm: Norm | None = None
    mcid: float | None = None

    @classmethod
    def of(cls, means: Estimates, observed: Summaries | None, norm: Norm | None, mcid: float | None) -> _Course:
        safe = shown(means)
        about = safe.about
        by = [name for name in safe.frame.columns if name in about.by]
        frame = safe.frame.reset_index(drop=True)
        visit = frame["visit"].astype(str)
        drawn = pd.DataFrame(
            {
                "outcome": frame["outcome"].astype(str),
                "visit": visit,
                **{name: frame[name].astype(str) for name in by},
                "years": visit.map(dict(about.visit_years)).astype(float),
                **{name: frame[name].astype(float) for name in ("estimate", "std_error", "conf_low", "conf_high", "n")},
                HIDDEN: frame[HIDDEN].astype(bool),
            }
        )
        if is_percent(about.quantity):
            drawn[["estimate", "std_error", "conf_low", "conf_high"]] *= 100
            outcome = str(drawn["outcome"].iloc[0])
            about = replace(about, units={outcome: "%"}, ranges={outcome: (0.0, 100.0)})
        if observed is not None:
            drawn = _with_observed(drawn, shown(observed), by)
        labels = [clean(" · ".join(f"{heading(name)}: {row[name]}" for name in by)) for row in drawn.to_dict("records")]
        drawn.insert(0, "group", labels)
        groups = tuple(dict.fromkeys(labels))
        if len(groups) > len(STROKES):
            raise StudyError(
                "E-STUDY-VALUE",
                f"A trajectory was asked of {len(groups)} groups.",
                f"It can draw {len(STROKES)} lines that are told apart by color, marker and dash.",
                "Use fewer `by` factors.",
            )
        if norm is not None:
            drawn = _with_norm(drawn, norm, about.conf_level)
        return cls(frame=drawn, about=about, outcome=str(drawn["outcome"].iloc[0]), groups=groups, norm=norm, mcid=mcid)

    @property
    def label(self) -> str:
        return clean(self.about.outcomes.get(self.outcome, self.outcome))

    @property
    def _sign(self) -> str:
        """What stands behind a number."""
        return "%" if is_percent(self.about.quantity) else ""

    @property
    def _what(self) -> str:
        """What is drawn, in words."""
        return _WHAT.get(self.about.quantity, "model means")

    @property
    def has_observed(self) -> bool:
        return "observed" in self.frame and bool(self.frame["observed"].notna().any())

    @property
    def _pace(self) -> float:
        """Points from one group to the next at a visit."""
        return SLOT * 1.9 if self.has_observed and len(self.groups) > 2 else SLOT

    def _side(self, away: float) -> float:
        """Points from a model mean to its observed mean: outward where there are two groups."""
        return -SLOT if len(self.groups) == 2 and away < 0 else SLOT

    def rows(self, group: str) -> pd.DataFrame:
        """The rows of a group that are drawn, in time."""
        rows = self.frame[self.frame["group"].eq(group)].sort_values("years")
        return rows[rows["estimate"].notna()]

    # ---- words

    def alt(self) -> str:
        decimals = decimals_from(self.frame["std_error"])
        level = percent_of(self.about.conf_level)
        ways = []
        for group in self.groups:
            rows = self.rows(group)
            if rows.empty:
                continue
            first, last = rows.iloc[0], rows.iloc[-1]
            way = f"{fixed(first['estimate'], decimals)}{self._sign} at {first['visit']}"
            if len(rows) > 1:
                way = f"from {way} to {fixed(last['estimate'], decimals)}{self._sign} at {last['visit']}"
            limits = f"{level} CI {interval(last['conf_low'], last['conf_high'], decimals)}"
            ways.append(f"{group + ', ' if group else ''}{way} ({limits})")
        course = "; ".join(ways) or "all hidden"
        beside = "".join(f"; {words}" for words in self._beside(decimals))
        of = ", " if self.about.quantity else " of "
        comma = "," if self.about.quantity else ""
        chart = f"Line chart of {self._what}{of}{in_sentence(self.label)}{comma} over {_span(self.frame['years'])}"
        return f"{chart}: {course}{beside}."

    def _beside(self, decimals: int) -> list[str]:
        """What stands beside the means, in words: the norm and the minimal important difference."""
        words = []
        if self.norm is not None:
            level = percent_of(self.about.conf_level)
            rows = self.frame.drop_duplicates("visit").sort_values("years").to_dict("records")
            moves = len({row["norm"] for row in rows}) > 1
            told = []
            for row in rows if moves else rows[:1]:
                known = ""
                if not math.isnan(row["norm_low"]):
                    known = f" ({level} CI {interval(row['norm_low'], row['norm_high'], decimals)})"
                told.append(f"{fixed(row['norm'], decimals)}{known}" + (f" at {clean(row['visit'])}" if moves else ""))
            words.append(f"{clean(self.norm.label)} {', '.join(told)}")
        if self.mcid is not None:
            words.append(f"minimal clinically important difference {self.mcid:g}")
        return words

    def long_description(self) -> str:
        decimals = decimals_from(self.frame["std_error"])
        level = percent_of(self.about.conf_level)
        sentences = []
        for row in self.frame.sort_values(["group", "years"], kind="stable").to_dict("records"):
            where = ", ".join(filter(None, (row["group"], row["visit"])))
            if row[HIDDEN]:
                sentences.append(f"{where}: hidden, too few persons.")
                continue
            if math.isnan(row["estimate"]):
                sentences.append(f"{where}: not estimable.")
                continue
            limits = interval(row["conf_low"], row["conf_high"], decimals)
            number = "" if math.isnan(row["n"]) else f", n = {row['n']:.0f}"
            seen = row.get("observed", math.nan)
            also = "" if math.isnan(seen) else f"; observed mean {fixed(seen, decimals)}"
            told = f"{fixed(row['estimate'], decimals)}{self._sign} ({level} CI {limits})"
            sentences.append(f"{where}: {told}{number}{also}.")
        sentences += [f"{words[:1].upper()}{words[1:]}." for words in self._beside(decimals)]
        return " ".join(sentences)

    # ---- drawing

    def draw(self, ax: Axes) -> None:
        from matplotlib.transforms import ScaledTranslation

        low, high, ticks = self._scale()
        for side, other in (("left", "right"), ("bottom", "top")):
            ax.spines[side].set_position(("outward", OUTWARD))  # it makes new ticks, so it comes first
            ax.spines[other].set_visible(False)
        self._norm_band(ax)
        self._important(ax, high)
        for place, group in enumerate(self.groups):
            stroke = STROKES[place]
            away = (place - (len(self.groups) - 1) / 2) * self._pace
            inches = ax.get_figure(root=True).dpi_scale_trans  # type: ignore[union-attr]
            aside = ax.transData + ScaledTranslation(away / 72, 0, inches)
            rows = self.rows(group)
            years, estimate = rows["years"].to_numpy(), rows["estimate"].to_numpy()
            ax.plot(
                years, estimate, transform=aside, color=stroke.color, linestyle=stroke.dash, linewidth=0.8, zorder=2
            )
            ax.vlines(
                years, rows["conf_low"], rows["conf_high"], transform=aside, color=stroke.color, linewidth=1.1, zorder=3
            )
            ax.plot(years, estimate, transform=aside, zorder=4, clip_on=False, **_solid(stroke))
            if self.has_observed:
                beside = ax.transData + ScaledTranslation((away + self._side(away)) / 72, 0, inches)
                ax.plot(
                    years, rows["observed"].to_numpy(), transform=beside, zorder=5, clip_on=False, **_hollow(stroke)
                )
        self._time_axis(ax)
        ax.set_ylim(low, high)
        ax.set_yticks(ticks)
        ax.spines["left"].set_bounds(low, high)
        height = ax.get_window_extent().height / ax.get_figure(root=True).dpi * 72  # type: ignore[union-attr]
        wrapped = textwrap.wrap(self.label, max(int(height / 4.2), 12))
        ax.set_ylabel("\n".join([*wrapped, *self._scale_words()]), labelpad=4, parse_math=False)
        self._name_groups(ax, low, high, height)
        self._count_subjects(ax)
        self._key(ax)

    def _scale(self) -> tuple[float, float, Sequence[float]]:
        """Limits and ticks of the y axis: around all that is drawn, within the scale, not less than a part of it."""
        from matplotlib.ticker import MaxNLocator

        wanted = ("estimate", "conf_low", "conf_high", "observed", "norm", "norm_low", "norm_high")
        names = [name for name in wanted if name in self.frame]
        values = np.append(self.frame[names].to_numpy(dtype=float), self._marks())
        values = values[np.isfinite(values)]
        scale = self.about.ranges.get(self.outcome)
        if not values.size:
            low, high = scale or (0.0, 1.0)
        else:
            low, high = float(values.min()), float(values.max())
        width = high - low
        least = max(width * 1.1, LEAST_OF_SCALE * (scale[1] - scale[0]) if scale else 0.0, 1e-6 * max(abs(high), 1.0))
        low, high = low - (least - width) / 2, high + (least - width) / 2
        ticks = MaxNLocator(nbins=5, steps=[1, 2, 5, 10]).tick_values(low, high)
        if scale:
            inside = [float(tick) for tick in ticks if scale[0] <= tick <= scale[1]]
            low, high = max(float(ticks[0]), scale[0]), min(float(ticks[-1]), scale[1])
            low, high = (min(low, values.min()), max(high, values.max())) if values.size else (low, high)
            return low, high, inside
        return float(ticks[0]), float(ticks[-1]), [float(tick) for tick in ticks]

    def _scale_words(self) -> list[str]:
        scale, better = self.about.ranges.get(self.outcome), self.about.better.get(self.outcome)
        unit = self.about.units.get(self.outcome)
        parts = [
            f"scale {scale[0]:g} to {scale[1]:g}" if scale and not self._sign else "",
            unit or (QUANTITIES[self.about.quantity].in_words if self.about.quantity else ""),
            f"{better} is better" if better else "",
        ]
        words = ", ".join(filter(None, parts))
        return [f"({words})"] if words else []

    def _time_axis(self, ax: Axes) -> None:
        visits = self.frame.drop_duplicates("visit").sort_values("years")
        years = visits["years"].to_numpy()
        span = float(years[-1] - years[0]) or 1.0
        ax.set_xlim(years[0] - 0.07 * span, years[-1] + 0.07 * span)
        labels = _staggered([_visit_label(*pair) for pair in zip(visits["visit"], years, strict=True)], years / span)
        ax.set_xticks(years, labels, parse_math=False)
        whole = np.arange(math.ceil(years[0]), math.floor(years[-1]) + 1)
        if len(whole) <= 20:
            ax.set_xticks(np.setdiff1d(whole, years), minor=True)
        ax.spines["bottom"].set_bounds(years[0], years[-1])

    def _marks(self) -> list[float]:
        """How far from the first mean a difference is important: to the better side, or to both where nobody said."""
        if self.mcid is None or len(self.groups) != 1:
            return []
        rows = self.rows(self.groups[0])
        if rows.empty:
            return []
        first, better = float(rows["estimate"].iloc[0]), self.about.better.get(self.outcome)
        signs = {"lower": (-1,), "higher": (1,)}.get(better or "", (-1, 1))
        return [first + sign * self.mcid for sign in signs]

    def _important(self, ax: Axes, high: float) -> None:
        if self.mcid is None:
            return
        years = self.frame["years"]
        for mark in self._marks():
            ax.hlines(mark, years.min(), years.max(), color=EDGE, linewidth=0.8, linestyle=(0, (1.5, 1.5)), zorder=1)
        if len(self.groups) > 1:
            ax.annotate(
                "",
                (1.0, high - self.mcid),
                xytext=(1.0, high),
                xycoords=ax.get_yaxis_transform(),
                arrowprops={
                    "arrowstyle": "|-|,widthA=0.18,widthB=0.18",
                    "color": EDGE,
                    "linewidth": 0.8,
                    "shrinkA": 0,
                    "shrinkB": 0,
                },
                annotation_clip=False,
            )
            ax.annotate(
                f"MCID {self.mcid:g}",
                (1.0, high - self.mcid / 2),
                xycoords=ax.get_yaxis_transform(),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                color=QUIET,
                annotation_clip=False,
            )

    def _norm_band(self, ax: Axes) -> None:
        if self.norm is None:
            return
        rows = self.frame.drop_duplicates("visit").sort_values("years")
        years = rows["years"].to_numpy()
        if rows["norm_low"].notna().any():
            ax.fill_between(years, rows["norm_low"], rows["norm_high"], color=BAND, linewidth=0, zorder=0)
        ax.plot(years, rows["norm"].to_numpy(), color=EDGE, linewidth=0.8, linestyle=(0, (6, 1.5)), zorder=1)

    def _name_groups(self, ax: Axes, low: float, high: float, height: float) -> None:
        """Each line is named at its end, in its color; names that would touch are moved apart."""
        aside = 7 + self._pace * (len(self.groups) - 1) / 2 + (SLOT if self.has_observed else 0)
        last = float(self.frame["years"].max())
        ends: list[tuple[str, float, float, float, str]] = []
        for place, group in enumerate(self.groups):
            rows = self.rows(group)
            if group and len(rows):
                at, y = float(rows["years"].iloc[-1]), float(rows["estimate"].iloc[-1])
                ends.append((textwrap.fill(group, 22), at, y, aside, STROKES[place].text))
        if self.norm is not None:
            y = float(self.frame.sort_values("years")["norm"].iloc[-1])
            mean = fixed(y, decimals_from(self.frame["std_error"]))
            ends.append((textwrap.fill(f"{clean(self.norm.label)} {mean}", 18), last, y, max(aside, 9 + SLOT), QUIET))
        ends += [
            (f"MCID: {self.mcid:g}\nfrom {clean(self._first_visit())}", last, mark, max(aside, 9 + SLOT), QUIET)
            for mark in self._marks()
        ]
        if not ends:
            return
        per_point = (high - low) / height
        heights = [1.5 + 4.5 * (1 + name.count("\n")) for name, *_ in ends]
        wanted = [y / per_point for _, _, y, _, _ in ends]
        gap = 2 * max(heights) if len(ends) > len([g for g in self.groups if g]) else 9.0
        for (name, at, _, away, color), aim, y in zip(ends, wanted, _apart(wanted, gap), strict=True):
            ax.annotate(
                name,
                (at, aim * per_point),
                xytext=(away, y - aim),
                textcoords="offset points",
                va="center",
                color=color,
                annotation_clip=False,
                parse_math=False,
            )

    def _first_visit(self) -> str:
        return str(self.frame.sort_values("years")["visit"].iloc[0])

    def _count_subjects(self, ax: Axes) -> None:
        """The numbers of subjects under the time axis, a line for each group."""
        ticks = ax.get_xticklabels()
        size = float(ticks[0].get_fontsize())
        lines = max(label.get_text().count("\n") + 1 for label in ticks)
        top = -(OUTWARD + 8.5 + 1.22 * size * lines)
        years = sorted(set(self.frame["years"]))
        low, high = ax.get_xlim()
        per_point = (high - low) / (ax.get_window_extent().width / ax.get_figure(root=True).dpi * 72)  # type: ignore[union-attr]
        places = [year / per_point for year in years]
        aside = dict(zip(years, np.subtract(_apart(places, 2.2 * size), places), strict=True))
        for place, group in enumerate(self.groups):
            rows = self.frame[self.frame["group"].eq(group)]
            y = top - 1.28 * size * place
            look = {"color": STROKES[place].text if group else INK, "fontsize": 0.9 * size}
            name = textwrap.shorten(f"n, {group.split(': ', 1)[-1]}" if group else "n", 14, placeholder="…")
            _under(ax, (0.0, 0.0), "axes fraction", (-6, y), name, ha="right", **look)
            for row in rows.to_dict("records"):
                number = "hidden" if row[HIDDEN] else "" if math.isnan(row["n"]) else f"{row['n']:.0f}"
                where = (row["years"], 0.0)
                _under(ax, where, ("data", "axes fraction"), (aside[row["years"]], y), number, ha="center", **look)

    def _key(self, ax: Axes) -> None:
        from matplotlib.lines import Line2D

        stroke = STROKES[0] if len(self.groups) == 1 else Stroke(INK, INK, "o", "-")
        limits = Line2D([], [], color=stroke.color, marker="|", markersize=8.5, markeredgewidth=1.1, linewidth=0.8)
        marks: list[Any] = [(limits, Line2D([], [], **_solid(stroke)))]
        what = QUANTITIES[self.about.quantity].mean if self.about.quantity else "Model mean"
        words = [f"{what}, {percent_of(self.about.conf_level)} CI"]
        if self.has_observed:
            marks.append(Line2D([], [], **_hollow(stroke)))
            words.append("Observed mean")
        key = ax.legend(
            marks,
            words,
            loc="lower left",
            bbox_to_anchor=(-0.02, 1.02),
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


def _with_observed(drawn: pd.DataFrame, observed: Summaries, by: Sequence[str]) -> pd.DataFrame:
    outcome = drawn["outcome"].iloc[0]
    frame = observed.frame
    rows = frame[frame["variable"].astype(str).eq(outcome) & frame["statistic"].astype(str).eq("mean")]
    if rows.empty or any(name not in frame for name in by):
        raise StudyError(
            "E-STUDY-VALUE",
            f"The observed scores hold no means of `{outcome}`" + (f" by {', '.join(by)}." if by else "."),
            "They are described for the same outcome and the same groups as the model means.",
            "Write describe.by_visit(cohort" + (f", by={list(by)!r})." if by else ")."),
        )
    right = pd.DataFrame({"visit": rows["level"].astype(str), "observed": rows["value"].astype(float)})
    for name in by:
        right[name] = rows[name].astype(str)
    return drawn.merge(right.drop_duplicates(["visit", *by]), on=["visit", *by], how="left")


def _with_norm(drawn: pd.DataFrame, norm: Norm, conf_level: float) -> pd.DataFrame:
    """The norm at each visit, with the interval of its mean (t, n − 1 df) where its size is known."""
    mean = norm.mean + norm.drift * drawn["years"]
    half = math.nan if norm.n is None else float(special.stdtrit(norm.n - 1, 0.5 + conf_level / 2)) * norm.std_error
    return drawn.assign(norm=mean, norm_low=mean - half, norm_high=mean + half)


def _solid(stroke: Stroke) -> dict[str, Any]:
    return {
        "color": stroke.color,
        "marker": stroke.marker,
        "markersize": 4.6,
        "markeredgewidth": 0.0,
        "linestyle": "none",
        "linewidth": 0.9,
    }


def _hollow(stroke: Stroke) -> dict[str, Any]:
    return {
        "color": stroke.color,
        "marker": stroke.marker,
        "markersize": 3.9,
        "markerfacecolor": "white",
        "markeredgecolor": stroke.color,
        "markeredgewidth": 0.9,
        "linestyle": "none",
    }


def _under(
    ax: Axes,
    where: tuple[float, float],
    within: str | tuple[str, str],
    away: tuple[float, float],
    words: str,
    **look: Any,
) -> None:
    ax.annotate(
        words,
        where,
        xycoords=within,
        xytext=away,
        textcoords="offset points",
        va="top",
        annotation_clip=False,
        parse_math=False,
        **look,
    )


def _apart(wanted: Sequence[float], gap: float) -> list[float]:
    """Positions at least a gap apart, as near to the wanted ones as pushing pairs apart brings them.

    >>> _apart([0.0, 1.0, 30.0], 9.0)
    [-4.0, 5.0, 30.0]
    """
    order = np.argsort(wanted, kind="stable")
    placed = np.asarray(wanted, dtype=float)[order]
    for _ in range(100):
        short = gap - np.diff(placed)
        if not (short > 1e-9).any():
            break
        for k in np.flatnonzero(short > 1e-9):
            push = max(gap - (placed[k + 1] - placed[k]), 0.0) / 2
            placed[k] -= push
            placed[k + 1] += push
    result = np.empty_like(placed)
    result[order] = placed
    return [float(value) for value in result]


def _visit_label(visit: str, years: float) -> str:
    r"""The visit's own label; with its years where the label tells no time.

    >>> _visit_label("6 months", 0.5), _visit_label("T1", 0.5)
    ('6 months', 'T1\n0.5 y')
    """
    visit = clean(visit)
    return visit if years == 0 or _TIME.search(visit) else f"{visit}\n{years:g} y"


def _staggered(labels: Sequence[str], places: np.ndarray) -> list[str]:
    """Labels whose neighbor stands too near go one line down."""
    moved, last = [], -np.inf
    for label, place in zip(labels, places, strict=True):
        near = place - last < 0.17
        moved.append("\n" + label if near else label)
        last = -np.inf if near else place
    return moved


def _span(years: pd.Series) -> str:
    span = float(years.max() - years.min())
    return "1 year" if span == 1 else f"{span:g} years"
