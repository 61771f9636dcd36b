"""Estimates one below the other, each with its interval and its numbers beside it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..display.escape import clean
from ..display.styles import decimals_from, fixed, interval
from ..errors import StudyError
from ..estimates import About, Estimates
from ..estimates.disclosure import HIDDEN
from ..estimates.estimates import NUMBERS
from ..estimates.quantities import QUANTITIES, RATIOS, decimals_of_ratio, is_percent
from ..estimates.tabulation import in_sentence, percent_of, shown
from ._figure import MM_PER_INCH, Figure, room
from ._important import important
from ._palette import INK, STROKES
from ._panels import broken, inches_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["forest"]

GUIDE = "#8c8c8c"
BAND = "#ececec"
ROW, FRAME = 5.0, 17.0
"""Height in mm of a row, and of everything around the rows."""
FIRST = {"left_out": "nobody", "negative_control": ""}
"""Kinds whose first row is the one that the others are held against, with the name of that row."""
WIDTH = 44
"""Characters of a label before it is broken."""


def forest(
    estimates: Estimates,
    *,
    ax: Axes | None = None,
    size: str | tuple[float, float] | None = None,
    title: str = "",
    mcid: float | Mapping[str, float] | None = None,
) -> Figure:
    """Dots with intervals, a row for each estimate, the numbers beside them; several outcomes in blocks.

    Parameters
    ----------
    estimates : Estimates
        With intervals: contrasts, slopes, joint contrasts, what is left out, negative controls, exact times (of these
        the changes, not the slopes).
    ax : matplotlib Axes, optional
        Draws there too; the axes keep their own size and fonts.
    size : "single", "double", "slide" or (width, height) in mm; by default as high as the rows need
    title : str, optional
        The caption.
    mcid : float, or mapping of outcome to float, optional
        The minimal clinically important difference in points: a band from −mcid to +mcid, within which differences are
        smaller than that.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates without intervals, or a difference that is not positive.
    """
    if "conf_low" not in estimates.frame or estimates.frame["conf_low"].isna().all():
        raise StudyError(
            "E-STUDY-VALUE",
            f"A forest plot was asked of {estimates.about.kind}.",
            "It draws estimates with intervals.",
            "Give it what contrast() answers, for example.",
        )
    if mcid is not None and estimates.about.kind in RATIOS:
        raise StudyError(
            "E-STUDY-VALUE",
            "A minimal important difference is given for ratios.",
            "It is a difference in points.",
            "Leave it out, or draw the differences.",
        )
    rows = _Rows.of(estimates, mcid)
    measures, larger = room(size, height=FRAME + ROW * rows.height)
    figure = Figure(
        title=title or rows.title(),
        frame=rows.frame,
        alt=rows.alt(),
        long_description=rows.long_description(),
        draw=rows.draw,
        size=measures,
        larger=larger,
    )
    if ax is not None:
        figure.draw_on(ax)
    return figure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """What is drawn, with the label and the place of each row, and the words for it."""

    frame: pd.DataFrame
    about: About

    @classmethod
    def of(cls, estimates: Estimates, mcid: float | Mapping[str, float] | None) -> _Rows:
        safe = shown(estimates)
        if safe.about.kind == "exact_time":  # slopes per year are on no axis with changes
            twice = safe.frame["contrast"].duplicated(keep=False)
            safe = replace(safe, frame=safe.frame[twice])
        naming = [name for name in safe.frame if name not in {"outcome", *NUMBERS, "n", "method", HIDDEN}]
        labels = safe.frame[naming].astype(str).agg(" · ".join, axis=1) if naming else safe.frame["outcome"]
        frame = pd.DataFrame({"outcome": safe.frame["outcome"].astype(str), "label": labels})
        for name in ("estimate", "std_error", "conf_low", "conf_high", "n"):
            frame[name] = safe.frame[name].astype(float)
        if is_percent(safe.about.quantity) and safe.about.kind not in RATIOS:
            frame[["estimate", "std_error", "conf_low", "conf_high"]] *= 100
            unit = "%" if safe.about.kind == "means" else "percentage points"
            units = dict.fromkeys(map(str, frame["outcome"].unique()), unit)
            safe = replace(safe, about=replace(safe.about, units=units))
        frame[HIDDEN] = safe.frame[HIDDEN].astype(bool)
        frame = frame.reset_index(drop=True)
        several = frame["outcome"].nunique() > 1
        block = frame["outcome"].ne(frame["outcome"].shift()).cumsum()
        frame.insert(2, "row", np.arange(len(frame)) + (1.6 * block - 0.6 if several else 0.0))
        if mcid is not None:
            each = mcid if isinstance(mcid, Mapping) else dict.fromkeys(frame["outcome"], mcid)
            frame["mcid"] = [important(each[name]) if name in each else math.nan for name in frame["outcome"]]
        return cls(frame=frame, about=safe.about)

    @property
    def outcomes(self) -> list[str]:
        return list(dict.fromkeys(self.frame["outcome"]))

    @property
    def is_ratio(self) -> bool:
        """Whether 1 is no difference, and the axis is logarithmic."""
        return self.about.kind in RATIOS

    @property
    def is_several(self) -> bool:
        return len(self.outcomes) > 1

    @property
    def height(self) -> float:
        """Rows, with those between the blocks."""
        return float(self.frame["row"].max()) + 1

    def _label(self, outcome: str) -> str:
        return clean(self.about.outcomes.get(outcome, outcome))

    def _decimals(self, outcome: str) -> int:
        return decimals_from(self.frame.loc[self.frame["outcome"] == outcome, "std_error"].dropna())

    def _numbers(self, row: pd.Series) -> str:
        if row[HIDDEN]:
            return "hidden"
        if math.isnan(row["estimate"]):
            return "no answer"
        decimals = self._decimals(row["outcome"])
        if self.is_ratio:
            decimals = decimals_of_ratio(row["estimate"], row["conf_low"], row["conf_high"])
        if math.isnan(row["conf_low"]):
            return fixed(row["estimate"], decimals)
        return f"{fixed(row['estimate'], decimals)} ({interval(row['conf_low'], row['conf_high'], decimals)})"

    # ---- words

    def title(self) -> str:
        names = {
            "left_out": "without a part of the subjects",
            "joint_contrasts": "tested together",
            "negative_control": "and negative controls",
            "exact_time": "at nominal and at exact times",
        }
        said = names.get(self.about.kind, self.about.kind.replace("_", " "))
        return f"{', '.join(self._label(name) for name in self.outcomes)}: {said}"

    def alt(self) -> str:
        known = self.frame[self.frame["estimate"].notna()]
        said = []
        for outcome in self.outcomes:
            own = known[known["outcome"] == outcome]
            if not len(own):
                said.append(f"{self._label(outcome)}: nothing may be shown")
                continue
            decimals = decimals_of_ratio(*own["estimate"]) if self.is_ratio else self._decimals(outcome)
            none = 1 if self.is_ratio else 0
            low, high = fixed(own["estimate"].min(), decimals), fixed(own["estimate"].max(), decimals)
            excludes = int(((own["conf_low"] > none) | (own["conf_high"] < none)).sum())
            rows = f"{len(own)} estimates from {low} to {high}" if len(own) > 1 else f"one estimate, {low}"
            beyond = self._beyond(own)
            said.append(f"{self._label(outcome)}: {rows}; {excludes} of {len(own)} intervals exclude {none}{beyond}")
        return f"Dots with {percent_of(self.about.conf_level)} intervals. {'. '.join(said)}."

    def _beyond(self, own: pd.DataFrame) -> str:
        """How many estimates are as large as the minimal important difference, in words."""
        if "mcid" not in own or own["mcid"].isna().all():
            return ""
        reached = int(own["estimate"].abs().ge(own["mcid"]).sum())
        return f", {reached} of {len(own)} estimates reach the MCID of {own['mcid'].iloc[0]:g}"

    def long_description(self) -> str:
        level = percent_of(self.about.conf_level)
        sentences = []
        for _, row in self.frame.iterrows():
            name = f"{self._label(row['outcome'])}, {row['label']}" if self.is_several else row["label"]
            count = "" if math.isnan(row["n"]) else f", n = {row['n']:.0f}"
            sentences.append(f"{name}: estimate ({level} CI) {self._numbers(row)}{count}.")
        return " ".join(sentences)

    # ---- drawing

    def draw(self, ax: Axes) -> None:
        stroke = STROKES[0]
        for side in ("left", "right", "top"):
            ax.spines[side].set_visible(False)
        ax.set_ylim(self.height - 0.4, -0.6 if not self.is_several else -0.3)
        points = self.frame[self.frame["estimate"].notna() & ~self.frame[HIDDEN]]
        self._important(ax)
        if self.is_ratio:
            _logarithmic(ax, points)
        ax.axvline(1 if self.is_ratio else 0, color=INK, linewidth=0.6, zorder=1)
        is_first = np.zeros(len(points), dtype=bool)
        if self.about.kind in FIRST and len(points):
            is_first = points.index.to_numpy() == self.frame.index[0]
        if is_first.any() and self.about.kind == "left_out":
            ax.axvline(points["estimate"].iloc[0], color=GUIDE, linewidth=0.6, linestyle=(0, (1, 2)), zorder=1)
        ax.hlines(points["row"], points["conf_low"], points["conf_high"], color=stroke.color, linewidth=1.1, zorder=3)
        for chosen, marker in ((is_first, "s"), (~is_first, "o")):
            ax.plot(
                points.loc[chosen, "estimate"].to_numpy(),
                points.loc[chosen, "row"].to_numpy(),
                linestyle="none",
                marker=marker,
                markersize=4.2,
                markerfacecolor=stroke.color if marker == "s" or not is_first.any() else "white",
                markeredgecolor=stroke.color,
                markeredgewidth=0.9,
                zorder=4,
            )
        wide = inches_of(ax)[0] * MM_PER_INCH
        letters = min(WIDTH, max(int(wide / 3.9), 16))
        labels = [textwrap.fill(clean(name).replace(" - ", " − "), letters) for name in self.frame["label"]]
        ax.set_yticks(self.frame["row"].to_numpy(), labels)
        ax.tick_params(axis="y", length=0)
        beside = ax.get_yaxis_transform()
        for _, row in self.frame.iterrows():
            ax.annotate(
                self._numbers(row),
                (1.0, row["row"]),
                xycoords=beside,
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                ha="left",
                color=INK,
                annotation_clip=False,
            )
        if self.is_several:
            for outcome in self.outcomes:
                top = self.frame.loc[self.frame["outcome"] == outcome, "row"].min() - 1
                ax.text(
                    0, top, self._label(outcome), transform=beside, va="center", fontweight="bold", color=INK
                )  # fmt: skip
        ax.set_xlabel(broken(ax, self._axis()), parse_math=False)

    def _important(self, ax: Axes) -> None:
        """A band of differences smaller than the minimal important one, behind the rows of its outcome."""
        from matplotlib.patches import Rectangle

        if "mcid" not in self.frame:
            return
        for outcome in self.outcomes:
            own = self.frame[self.frame["outcome"] == outcome]
            within = float(own["mcid"].iloc[0])
            if math.isnan(within):
                continue
            top, bottom = float(own["row"].min()) - 0.5, float(own["row"].max()) + 0.5
            band = Rectangle((-within, top), 2 * within, bottom - top, facecolor=BAND, linewidth=0, zorder=0)
            ax.add_patch(band)
            ax.vlines([-within, within], top, bottom, color=GUIDE, linewidth=0.6, linestyle=(0, (3, 2)), zorder=1)

    def _axis(self) -> str:
        level = percent_of(self.about.conf_level)
        units = {self.about.units.get(name, "") for name in self.outcomes}
        sides = {self.about.better.get(name, "") for name in self.outcomes}
        unit = units.pop() if len(units) == 1 else ""
        none = 1 if self.is_ratio else 0
        side = {"lower": f"below {none} is better", "higher": f"above {none} is better"}.get(
            sides.pop() if len(sides) == 1 else "", ""
        )
        if self.about.kind in {"means", "coefficients"}:
            side = ""
        what = f"{self._label(self.outcomes[0])}" if not self.is_several else "Each in its own points"
        kind = "simultaneous " if self.about.adjust == "max-t" else ""
        within = sorted(set(self.frame["mcid"].dropna())) if "mcid" in self.frame else []
        band = (
            f"band: within ± {within[0]:g}, the MCID" if len(within) == 1 else "band: within ± MCID" if within else ""
        )
        words = "; ".join(filter(None, (side, f"line: {kind}{level} CI", band)))
        name = what if self.is_several else f"Difference in {in_sentence(what)}"
        if self.is_ratio:
            ratio = RATIOS[self.about.kind].name.capitalize()
            name = ratio if self.is_several else f"{ratio}: {in_sentence(what)}"
        elif self.about.quantity and not self.is_several:
            quantity = QUANTITIES[self.about.quantity]
            name = f"{quantity.mean if self.about.kind == 'means' else quantity.difference}: {in_sentence(what)}"
        return f"{name}{f', {unit}' if unit else ''} ({words})"


def _logarithmic(ax: Axes, points: pd.DataFrame) -> None:
    """An axis on which half is as far from 1 as double, with numbers that are not written as powers."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    values = points[["estimate", "conf_low", "conf_high"]].to_numpy(dtype=float)
    known = np.append(values[np.isfinite(values) & (values > 0)], 1.0)
    low, high = float(known.min()) / 1.15, float(known.max()) * 1.15
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    powers = 10.0 ** np.arange(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    steps = (1.0, 2.0, 5.0) if high / low < 200 else (1.0,)
    ticks = [tick for tick in sorted(np.outer(powers, steps).ravel().tolist()) if low <= tick <= high]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
