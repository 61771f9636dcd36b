"""The curve of an estimate along delta, with the place where the conclusion changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..display.escape import clean
from ..display.styles import decimals_from, fixed, interval
from ..errors import StudyError, one_of
from ..estimates import About, Estimates
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import in_sentence, percent_of, shown
from ._figure import Figure, figure_size
from ._palette import INK, STROKES
from ._tipping_map import TIPPING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["tipping_point"]

MINUS = " \N{MINUS SIGN} "
KINDS = ("tipping_point", "tipping_share")


def tipping_point(
    estimates: Estimates,
    contrast: str = "",
    *,
    ax: Axes | None = None,
    size: str | tuple[float, float] = "single",
    title: str = "",
) -> Figure:
    """An estimate with its interval along delta (or a share), the margin as a line, and each delta at which the
    conclusion changes marked with its value.

    Parameters
    ----------
    estimates : Estimates
        From `sensitivity.tipping_point` or `sensitivity.tipping_share`.
    contrast : str, optional
        Which one, where there are several; the last where left out.
    ax : matplotlib Axes, optional
        Draws there too; the axes keep their own size and fonts.
    size : "single", "double", "slide" or (width, height) in mm
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind, `E-STUDY-OPTION` for a contrast that is not there.
    """
    if estimates.about.kind not in KINDS:
        raise StudyError(
            "E-STUDY-VALUE",
            f"A tipping curve was asked of {estimates.about.kind}.",
            "It draws estimates along a delta or a share.",
            "Give it what sensitivity.tipping_point() answers.",
        )
    safe = shown(estimates)
    names = list(dict.fromkeys(safe.frame["contrast"]))
    chosen = one_of("contrast", contrast or names[-1], names)
    rows = safe.frame[safe.frame["contrast"].eq(chosen)].reset_index(drop=True)
    drawn = _Curve(frame=rows, about=safe.about, x=safe.about.factors[0])
    figure = Figure(
        title=title or f"Tipping point: {drawn.contrast}",
        frame=drawn.frame,
        alt=drawn.alt(),
        long_description=drawn.long_description(),
        draw=drawn.draw,
        size=figure_size(size),
    )
    if ax is not None:
        figure.draw_on(ax)
    return figure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Curve:
    frame: pd.DataFrame
    about: About
    x: str

    @property
    def contrast(self) -> str:
        return clean(str(self.frame["contrast"].iloc[0]))

    @property
    def label(self) -> str:
        outcome = str(self.frame["outcome"].iloc[0])
        return clean(self.about.outcomes.get(outcome, outcome))

    @property
    def is_tip(self) -> pd.Series:
        return self.frame["conclusion"].str.startswith(TIPPING)

    @property
    def start(self) -> pd.Series:
        return self.frame[self.frame[self.x].eq(0) & ~self.is_tip].iloc[0]

    @property
    def margin(self) -> float:
        return float(str(self.start["conclusion"]).rsplit(" ", 1)[1])

    def value(self, value: float) -> str:
        """A delta or share as people read it."""
        words = f"{100 * value:.0f}%" if self.x == "share" else f"{value:+.2f}"
        return words.replace("-", "\N{MINUS SIGN}")

    # ---- words

    def alt(self) -> str:
        start = self.start
        if start[HIDDEN]:
            return f"Curve of {self.contrast} of {in_sentence(self.label)} along {self.x}: hidden, too few persons."
        decimals = decimals_from(self.frame["std_error"])
        level = percent_of(self.about.conf_level)
        tips = self.frame.loc[self.is_tip, self.x]
        where = (
            f"changes at a {self.x} of {' and '.join(self.value(float(tip)) for tip in tips)}"
            if len(tips)
            else "changes nowhere on it"
        )
        return (
            f"Curve of {self.contrast} of {in_sentence(self.label)} along a {self.x} from "
            f"{self.value(float(self.frame[self.x].min()))} to {self.value(float(self.frame[self.x].max()))}: "
            f"{fixed(start['estimate'], decimals)} ({level} CI "
            f"{interval(start['conf_low'], start['conf_high'], decimals)}) at 0; the conclusion, an interval that "
            f"{_lies(str(start['conclusion']))}, {where}."
        )

    def long_description(self) -> str:
        decimals = decimals_from(self.frame["std_error"])
        sentences = []
        for row in self.frame.to_dict("records"):
            where = f"{self.x} {self.value(row[self.x])}"
            if row[HIDDEN]:
                sentences.append(f"{where}: hidden, too few persons.")
                continue
            limits = interval(row["conf_low"], row["conf_high"], decimals)
            sentences.append(f"{where}: {fixed(row['estimate'], decimals)} ({limits}), {row['conclusion']}.")
        return " ".join([*sentences, *self.about.notes])

    # ---- drawing

    def draw(self, ax: Axes) -> None:
        from matplotlib.ticker import FuncFormatter

        stroke = STROKES[0]
        rows = self.frame[self.frame["estimate"].notna()]
        x = rows[self.x].to_numpy(dtype=float)
        ax.axhline(self.margin, color=INK, linewidth=0.7, zorder=1)
        look: dict[str, Any] = {"color": stroke.color, "alpha": 0.18, "linewidth": 0, "zorder": 2}
        ax.fill_between(x, rows["conf_low"].to_numpy(dtype=float), rows["conf_high"].to_numpy(dtype=float), **look)
        for end in ("conf_low", "conf_high"):
            ax.plot(x, rows[end], color=stroke.color, linewidth=0.6, linestyle=(0, (3, 1.5)), zorder=3)
        ax.plot(x, rows["estimate"], color=stroke.color, linewidth=1.3, zorder=4)
        start = self.start
        ax.errorbar(
            [0.0],
            [start["estimate"]],
            yerr=[[start["estimate"] - start["conf_low"]], [start["conf_high"] - start["estimate"]]],
            color=stroke.color,
            marker="o",
            markersize=4.6,
            linewidth=1.1,
            zorder=5,
        )
        low, high = ax.get_ylim()
        for place, tip in enumerate(self.frame[self.is_tip].to_dict("records")):
            ax.plot([tip[self.x]] * 2, [low, self.margin], color=INK, linewidth=0.7, linestyle=(0, (2, 1.5)), zorder=3)
            ax.plot([tip[self.x]], [self.margin], marker="D", markersize=4.4, color="#D55E00", zorder=6)
            near_end = tip[self.x] > (x[0] + 3 * x[-1]) / 4
            ax.annotate(
                self.value(tip[self.x]),
                (tip[self.x], low),
                xytext=(-3 if near_end else 3, 4 + 8 * (place % 2)),
                textcoords="offset points",
                ha="right" if near_end else "left",
                color="#B34F00",
                fontweight="bold",
                parse_math=False,
            )
        ax.set_ylim(low, high)
        aside = 0.03 * (x[-1] - x[0])
        ax.set_xlim(x[0] - aside, x[-1] + aside)
        unit = self.about.units.get(str(start["outcome"])) or "points"
        lost = "Share of those lost" if self.x == "share" else f"Delta added to imputed values ({unit})"
        ax.set_xlabel(lost, parse_math=False)
        ax.set_ylabel(f"{self.label}\n{self.contrast.replace(' - ', MINUS)}", parse_math=False)
        if self.x == "share":
            ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f}%"))
        diamond = "; diamond: conclusion changes" if self.is_tip.any() else ""
        ax.annotate(
            f"Line: estimate; band: {percent_of(self.about.conf_level)} CI{diamond}",
            (0.0, 1.0),
            xytext=(0, 4),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=6.0,
            color=INK,
            annotation_clip=False,
        )


def _lies(conclusion: str) -> str:
    return conclusion if conclusion.startswith("includes") else f"lies {conclusion}"
