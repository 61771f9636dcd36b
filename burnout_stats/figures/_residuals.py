"""What the model leaves over, in four plots: against fitted scores, against the normal distribution, by visit, and
subject by subject. No point is a person: residuals are pooled until each mark stands for enough persons (`_Pooled`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from ..display.escape import clean
from ..display.styles import fixed
from ..errors import DisclosureError
from ..estimates import About, Summaries
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import in_sentence, shown
from ..models.residuals import mahalanobis
from ..models.residuals import residuals as residuals_of
from ._figure import Figure, figure_size
from ._palette import INK, STROKES
from ._panels import inches_of, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..models import Fit

__all__ = ["residuals"]

Array = NDArray[np.float64]
Codes = NDArray[np.intp]

FITTED, NORMAL, VISITS, SUBJECTS = "fitted", "normal", "visits", "subjects"
TITLES = {
    FITTED: "Against fitted scores",
    NORMAL: "Against the normal distribution",
    VISITS: "By visit",
    SUBJECTS: "Distances of subjects",
}
MOST_LEVELS = 10
"""Fitted scores are put into so many bins where they take more values than that."""
STEP = 0.5
"""Width of a bin of residuals, in standard deviations."""
FINE = 0.25
"""Width of a bin of expected quantiles, in standard deviations of a normal distribution."""
SEED = 1
DRAWS = 4_000_000
"""Numbers drawn for an envelope at most, in 20 to 500 samples."""
Z = 1.959963984540054
SHARES = {"p10": 0.1, "q1": 0.25, "median": 0.5, "q3": 0.75, "p90": 0.9}
BEYOND = 10
"""The 10th and 90th percentiles need so many times `min_cell` persons, so that enough lie beyond them."""
HEIGHTS = {"single": 230.0, "double": 128.0}
"""Of the sizes by name, in mm: four plots need more room than one."""
SMALL = 3.4
"""Inches of height below which the plots have titles only."""
GRAY = "#8c8c8c"
SHADE = "#dcdcdc"


def residuals(
    fit: Fit, *, ax: Axes | None = None, size: str | tuple[float, float] = "double", title: str = ""
) -> Figure:
    """Four plots of what a model leaves over, without a point that is a person.

    Against fitted scores: residuals divided by the standard deviation of their visit; a dot stands for the scores in a
    bin, the line for their mean and the dashes for one standard deviation around it. Against the normal distribution:
    residuals that are independent where the model is right, with what 95% of such samples would show. By visit:
    quartiles, and the 10th and 90th percentiles where enough persons lie beyond them. Distances of subjects: how far
    each lies from its expected scores, against the chi-squared distribution.

    Parameters
    ----------
    fit : Fit
        Made from rows.
    ax : matplotlib Axes, optional
        Draws there too; the axes keep their own size and fonts.
    size : "single", "double", "slide" or (width, height) in mm
        One above the other across one column (89 × 230 mm), two by two across two (183 × 128 mm).
    title : str, optional
        The caption.

    Raises
    ------
    ModelError
        `E-MODEL-NEEDS-ROWS` where the fit was made from moments only; `E-MODEL-CLUSTERED` where subjects are not
        independent.
    DisclosureError
        `E-DISCLOSURE-COHORT` where the fit rests on fewer persons than may be shown.

    Notes
    -----
    Neighboring residuals are pooled, from both ends inward, until every mark stands for at least `min_cell` persons of
    the cohort's policy; it is drawn at their means. Numbers are rounded, and counts are multiples of `min_cell`.
    Envelopes are means ± 1.96 standard deviations of the same means in simulated samples (a fixed seed), which takes
    the estimates for known. The distance of a subject seen at fewer visits is brought to the scale of those seen at all
    by its tail probability.

    **Source.** Pinheiro & Bates 2000, Mixed-Effects Models in S and S-PLUS, section 5.3; Atkinson 1985, Plots,
    Transformations and Regression, section 4.2, for envelopes.

    Examples
    --------
    >>> from burnout_stats.models import MMRM, fit
    >>> from burnout_stats.studies import example
    >>> residuals(fit(MMRM("exhaustion ~ visit"), example("villa_sana")))
    <Figure: Residuals: Emotional exhaustion; 183 × 128 mm>
    """
    left = _Left.of(fit)
    width, height = figure_size(size)
    if isinstance(size, str):
        height = HEIGHTS.get(size, height)
    figure = Figure(
        title=title or f"Residuals: {left.label}",
        frame=left.frame,
        alt=left.alt(),
        long_description=left.long_description(),
        draw=left.draw,
        size=(width, height),
    )
    if ax is not None:
        figure.draw_on(ax)
    return figure


# ---- numbers that are no person's --------------------------------------------------------------------------------


def _pooled(bins: Codes, subject: Codes, least: int) -> Codes:
    """The bins, neighbors joined from both ends inward until each holds enough persons.

    >>> _pooled(np.array([0, 1, 2, 3, 4]), np.arange(5), 2).tolist()
    [0, 0, 0, 1, 1]
    """
    labels, place = np.unique(bins, return_inverse=True)
    half = int(np.searchsorted(np.cumsum(np.bincount(place)), len(bins) / 2)) + 1
    from_left = _closed(range(half), place, subject, least)
    from_right = _closed(range(len(labels) - 1, half - 1, -1), place, subject, least)
    groups = [group for group, full in from_left if full]
    middle = [code for group, full in from_left + from_right if not full for code in group]
    back = [group for group, full in reversed(from_right) if full]
    if middle and groups:
        groups[-1] = groups[-1] + middle
    elif middle and back:
        back[0] = middle + back[0]
    elif middle:
        groups = [middle]
    joined = np.empty(len(labels), dtype=np.intp)
    for number, group in enumerate([*groups, *back]):
        joined[group] = number
    result: Codes = joined[place]
    return result


def _closed(order: range, place: Codes, subject: Codes, least: int) -> list[tuple[list[int], bool]]:
    """Bins in this order as groups, and whether each is of enough persons; only the last may be of fewer."""
    groups: list[tuple[list[int], bool]] = []
    codes: list[int] = []
    persons: set[int] = set()
    for code in order:
        codes.append(code)
        persons |= set(subject[place == code].tolist())
        if len(persons) >= least:
            groups.append((codes, True))
            codes, persons = [], set()
    return [*groups, (codes, False)] if codes else groups


def _against_fitted(frame: pd.DataFrame, least: int) -> Iterator[dict[str, object]]:
    fitted, residual = frame["fitted"].to_numpy(dtype=float), frame["residual"].to_numpy(dtype=float)
    subject = frame["subject"].to_numpy(dtype=np.intp)
    values = np.unique(np.round(fitted, 9))
    if len(values) > MOST_LEVELS:
        edges = np.linspace(values[0], values[-1], MOST_LEVELS + 1)[1:-1]
        level = np.searchsorted(edges, fitted).astype(np.intp)
    else:
        level = np.searchsorted(values, np.round(fitted, 9)).astype(np.intp)
    level = _pooled(level, subject, least)
    for number in np.unique(level):
        inside = level == number
        n = len(np.unique(subject[inside]))
        own = residual[inside]
        about = {
            "at": fitted[inside].mean(),
            "mean": own.mean(),
            "sd": own.std(ddof=1) if len(own) > 1 else math.nan,
            "n": n,
        }
        yield from _rows(FITTED, f"level {number + 1}", about, n)
        pool = _pooled(np.floor(own / STEP).astype(np.intp), subject[inside], least)
        for k in np.unique(pool):
            there = pool == k
            n = len(np.unique(subject[inside][there]))
            about = {
                "at": fitted[inside][there].mean(),
                "mean": own[there].mean(),
                "count": n,
            }
            yield from _rows(FITTED, f"level {number + 1}, bin {k + 1}", about, n)


def _quantiles(
    panel: str, value: Array, subject: Codes, least: int, quantile: Callable[[Array], Array], seed: int
) -> Iterator[dict[str, object]]:
    """Ordered values in pools against what their distribution expects there, with the envelope of samples from it."""
    order = np.argsort(value, kind="stable")
    size = len(value)
    p = (np.arange(size) + 0.5) / size
    pool = _pooled(np.floor(special.ndtri(p) / FINE).astype(np.intp), subject[order], least)
    members = np.bincount(pool)
    samples = int(np.clip(DRAWS // size, 20, 500))
    random = np.random.default_rng(seed)
    drawn = np.array(
        [np.bincount(pool, weights=quantile(np.sort(random.random(size)))) / members for _ in range(samples)]
    )
    center, spread = drawn.mean(axis=0), drawn.std(axis=0, ddof=1)
    expected = np.bincount(pool, weights=quantile(p)) / members
    seen = np.bincount(pool, weights=value[order]) / members
    for k in range(len(members)):
        n = len(np.unique(subject[order][pool == k]))
        about = {
            "expected": expected[k],
            "mean": seen[k],
            "low": center[k] - Z * spread[k],
            "high": center[k] + Z * spread[k],
        }
        yield from _rows(panel, f"pool {k + 1}", about, n)


def _by_visit(frame: pd.DataFrame, least: int) -> Iterator[dict[str, object]]:
    for visit, rows in frame.groupby("visit", observed=True, sort=True):
        own = rows["residual"].to_numpy(dtype=float)
        about = {name: float(np.quantile(own, share)) for name, share in SHARES.items()}
        if least > 1 and len(own) < BEYOND * least:
            about["p10"] = about["p90"] = math.nan
        about |= {"mean": own.mean(), "sd": own.std(ddof=1) if len(own) > 1 else math.nan, "n": len(own)}
        yield from _rows(VISITS, str(visit), about, len(own))


def _rows(panel: str, level: str, values: dict[str, float], n: int) -> Iterator[dict[str, object]]:
    for statistic, value in values.items():
        yield {"variable": panel, "level": level, "statistic": statistic, "value": float(value), "n": n}


# ---- the figure ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Left:
    """What is drawn: a row for each mark, with its panel."""

    frame: pd.DataFrame
    about: About
    most_visits: int

    @classmethod
    def of(cls, fit: Fit) -> _Left:
        policy = fit.design.policy
        least = max(policy.min_cell, 1)
        if fit.n_subjects < least:
            raise DisclosureError(
                "E-DISCLOSURE-COHORT",
                f"The model rests on fewer than {least} persons.",
                "Residuals of so few would show single persons.",
                "Leave the figure out; set `min_cell` under [disclosure] only as the data owner allows.",
            )
        pearson, normalized = residuals_of(fit, "pearson"), residuals_of(fit, "normalized")
        distances = mahalanobis(fit)
        most = int(distances["n_visits"].max())
        tail = distances["p_value"].to_numpy(dtype=float).clip(min=1e-300)
        same: Array = special.chdtri(most, tail)
        rows = [
            *_against_fitted(pearson, least),
            *_quantiles(
                NORMAL,
                normalized["residual"].to_numpy(dtype=float),
                normalized["subject"].to_numpy(dtype=np.intp),
                least,
                special.ndtri,
                SEED,
            ),
            *_by_visit(pearson, least),
            *_quantiles(
                SUBJECTS,
                same,
                distances["subject"].to_numpy(dtype=np.intp),
                least,
                lambda p: np.asarray(special.chdtri(most, 1.0 - p), dtype=float),
                SEED + 1,
            ),
        ]
        outcome = fit.outcome
        about = About(
            kind="residual_panel",
            outcomes={outcome.name: outcome.label},
            units={outcome.name: outcome.unit},
            visit_years=fit.design.visits.by_label(),
            factors=("level",),
            policy=policy,
        )
        safe = shown(Summaries(frame=pd.DataFrame(rows), about=about, notices=fit.notices))
        return cls(frame=_wide(safe.frame, least), about=safe.about, most_visits=most)

    @property
    def label(self) -> str:
        return clean(next(iter(self.about.outcomes.values())))

    def rows(self, panel: str) -> pd.DataFrame:
        """The marks of a panel that may be shown."""
        frame = self.frame[self.frame["panel"].eq(panel)]
        return frame[frame["mean"].notna()]

    # ---- words

    def _outside(self, panel: str) -> tuple[int, int]:
        rows = self.rows(panel)
        out = rows["mean"].lt(rows["low"]) | rows["mean"].gt(rows["high"])
        return int(out.sum()), len(rows)

    def alt(self) -> str:
        spread = self.rows(VISITS)["sd"].dropna()
        parts = []
        if len(spread):
            ends = fixed(spread.min(), 2), fixed(spread.max(), 2)
            parts.append(f"their SD is {ends[0]} to {ends[1]} over the visits" if len(spread) > 1 else f"SD {ends[0]}")
        for panel, words in ((NORMAL, "the normal distribution"), (SUBJECTS, "the chi-squared distribution")):
            out, total = self._outside(panel)
            parts.append(f"{out} of {total} points against {words} lie outside the 95% envelope")
        return f"Four plots of residuals of {in_sentence(self.label)}: {'; '.join(parts)}."

    def long_description(self) -> str:
        sentences = ["Standardized residuals by visit."]
        for row in self.rows(VISITS).to_dict("records"):
            half = ""
            if not math.isnan(row["q1"]):
                half = f", middle half {fixed(row['q1'], 2)} to {fixed(row['q3'], 2)}"
            sentences.append(f"{clean(row['level'])}: {_mean_and_sd(row)}{half}.")
        sentences.append("Against fitted scores.")
        sentences += [
            f"Fitted {fixed(row['at'], 2)}: {_mean_and_sd(row)}." for row in self._levels().to_dict("records")
        ]
        for panel, words in ((NORMAL, "Normal quantiles"), (SUBJECTS, "Distances of subjects")):
            sentences.append(f"{words}: expected, observed, envelope.")
            for row in self.rows(panel).to_dict("records"):
                limits = f"{fixed(row['low'], 2)} to {fixed(row['high'], 2)}"
                sentences.append(f"{fixed(row['expected'], 2)}: {fixed(row['mean'], 2)} ({limits}).")
        least = self.about.min_cell
        return " ".join(
            [*sentences, f"Every point is the mean of at least {least} persons." if least > 1 else ""]
        ).strip()

    def _levels(self) -> pd.DataFrame:
        rows = self.rows(FITTED)
        return rows[~rows["level"].str.contains(", bin ", regex=False)]

    # ---- drawing

    def draw(self, ax: Axes) -> None:
        width, height = inches_of(ax)
        columns = 2 if width > 0.8 * height else 1
        titles = [f"{letter}  {title}" for letter, title in zip("abcd", TITLES.values(), strict=True)]
        small = height < SMALL  # no room for keys and long names: the words of the figure have them
        first, second, third, fourth = each = panels(
            ax, titles, columns, across=34.0 if small else 40.0, between=40.0 if small else 50.0
        )
        self._draw_fitted(first)
        self._draw_quantiles(second, NORMAL, "Expected normal quantile", "Normalized residual")
        self._draw_visits(third)
        visits = f"{self.most_visits} visits" if self.most_visits > 1 else "1 visit"
        self._draw_quantiles(
            fourth, SUBJECTS, f"Expected χ² quantile, df {self.most_visits}", f"Distance², as if of {visits}"
        )
        for own in each if small else ():
            own.set_ylabel("Distance²" if own is fourth else "Residual")
            for key in list(own.texts):
                key.remove()
            own.set_title(own.get_title(loc="left"), loc="left", pad=4.0, parse_math=False)

    def _draw_fitted(self, ax: Axes) -> None:
        rows, levels = self.rows(FITTED), self._levels().sort_values("at")
        bins = rows[rows["level"].str.contains(", bin ", regex=False)]
        ax.axhline(0.0, color=GRAY, linewidth=0.6, zorder=1)
        most = float(bins["count"].max()) if len(bins) else 1.0
        ax.scatter(
            bins["at"],
            bins["mean"],
            s=42.0 * bins["count"].to_numpy(dtype=float) / most,
            facecolors=STROKES[0].color,
            alpha=0.75,
            linewidths=0,
            zorder=2,
        )
        at, mean, sd = (levels[name].to_numpy(dtype=float) for name in ("at", "mean", "sd"))
        ax.plot(at, mean, color=INK, linewidth=1.0, marker="_", markersize=9, markeredgewidth=1.2, zorder=4)
        for side in (-1, 1):
            ax.plot(at, mean + side * sd, color=INK, linewidth=0.8, linestyle=(0, (4, 2)), zorder=3)
        ax.margins(x=0.08, y=0.08)
        ax.set_xlabel(f"Fitted {in_sentence(_short(self.label))}", parse_math=False)
        ax.set_ylabel("Standardized residual")
        _says(ax, f"dots: persons, up to about {most:.0f}; line: mean; dashes: ± 1 SD")

    def _draw_quantiles(self, ax: Axes, panel: str, x_words: str, y_words: str) -> None:
        rows = self.rows(panel).sort_values("expected")
        x = rows["expected"].to_numpy(dtype=float)
        ax.fill_between(x, rows["low"], rows["high"], color=SHADE, linewidth=0, zorder=1)
        ends = [float(x.min()), float(x.max())] if len(x) else [0.0, 1.0]
        ax.plot(ends, ends, color=GRAY, linewidth=0.8, zorder=2)
        out = (rows["mean"].lt(rows["low"]) | rows["mean"].gt(rows["high"])).to_numpy(dtype=bool)
        seen = rows["mean"].to_numpy(dtype=float)
        look: dict[str, Any] = {"linestyle": "none", "zorder": 3}
        ax.plot(x[~out], seen[~out], marker="o", markersize=2.8, color=STROKES[0].color, markeredgewidth=0, **look)
        ax.plot(x[out], seen[out], marker="X", markersize=4.2, color=STROKES[1].color, markeredgewidth=0, **look)
        ax.set_xlabel(x_words)
        ax.set_ylabel(y_words)
        beyond = f"; crosses: {int(out.sum())} outside" if out.any() else ""
        _says(ax, f"shade: 95% of samples from the model{beyond}")

    def _draw_visits(self, ax: Axes) -> None:
        from matplotlib.patches import Rectangle

        rows = self.rows(VISITS)
        for share in SHARES.values():
            ax.axhline(float(special.ndtri(share)), color=GRAY, linewidth=0.6, linestyle=(0, (1.2, 1.6)), zorder=1)
        color = STROKES[0].color
        for place, row in enumerate(rows.to_dict("records")):
            if not math.isnan(row["q1"]):
                box = Rectangle(
                    (place - 0.22, row["q1"]), 0.44, row["q3"] - row["q1"], facecolor="white", edgecolor=color, zorder=3
                )
                box.set_linewidth(1.0)
                ax.add_patch(box)
                ax.plot([place - 0.22, place + 0.22], [row["median"]] * 2, color=color, linewidth=1.6, zorder=4)
            for near, far in (("q1", "p10"), ("q3", "p90")):
                ax.plot([place, place], [row[near], row[far]], color=color, linewidth=1.0, zorder=2)
            ax.plot([place], [row["mean"]], marker="D", markersize=3.4, color=INK, markeredgewidth=0, zorder=5)
        names = [_short(clean(str(level)), 16) for level in rows["level"]]
        ax.set_xticks(range(len(names)), names, parse_math=False)
        if sum(map(len, names)) > 46:
            for label in ax.get_xticklabels():
                label.set(rotation=30, ha="right", rotation_mode="anchor")
        ax.set_xlim(-0.5, max(len(names), 1) - 0.5)
        ax.margins(y=0.08)
        ax.set_ylabel("Standardized residual")
        _says(ax, "box: quartiles; bars: 10th, 90th percentile; ◆ mean; dots: normal")


def _says(ax: Axes, words: str) -> None:
    """The key of a panel, in small letters under its title."""
    ax.annotate(
        words,
        (0.0, 1.0),
        xycoords="axes fraction",
        xytext=(0, 1),
        textcoords="offset points",
        va="bottom",
        fontsize="small",
        color="#4d4d4d",
        annotation_clip=False,
        parse_math=False,
    )
    ax.set_title(ax.get_title(loc="left"), loc="left", pad=11.0, parse_math=False)


def _mean_and_sd(row: Mapping[Hashable, Any]) -> str:
    spread = "" if math.isnan(row["sd"]) else f", SD {fixed(row['sd'], 2)}"
    return f"mean {fixed(row['mean'], 2)}{spread}"


def _short(label: str, most: int = 34) -> str:
    return label if len(label) <= most else label[: most - 1].rstrip() + "…"


def _wide(frame: pd.DataFrame, least: int) -> pd.DataFrame:
    """A row for each mark, with its numbers as columns: rounded, and counts to multiples of the smallest that may be
    told, so that no sum of them tells how many were seen where another table withholds it.
    """
    names = list(dict.fromkeys(frame["statistic"]))
    wide = frame.pivot(index=["variable", "level"], columns="statistic", values="value")
    order = frame[["variable", "level"]].drop_duplicates()
    wide = wide.reindex(pd.MultiIndex.from_frame(order))[names].astype(float)
    wide = wide.drop(columns="n")
    wide = wide.round({name: 2 for name in wide.columns if name != "at"})  # scores have units of their own
    wide["count"] = wide["count"] // least * least
    wide.columns.name = None
    hidden = frame.groupby(["variable", "level"], sort=False)[HIDDEN].all()
    wide[HIDDEN] = hidden.reindex(wide.index).to_numpy(dtype=bool)
    return wide.reset_index().rename(columns={"variable": "panel"})
