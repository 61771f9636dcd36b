"""Autoregressive and cross-lagged coefficients as functions of the lag."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..display.escape import clean
from ..display.styles import fixed, interval
from ..errors import DisclosureError, StudyError
from ..estimates import About, Estimates
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import in_sentence, percent_of, shown
from ._figure import Figure, figure_size
from ._palette import STROKES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["lags"]

BAND = 0.14
"""How opaque a band is."""


def lags(
    estimates: Estimates,
    *,
    ax: Axes | None = None,
    size: str | tuple[float, float] = (120.0, 84.0),
    title: str = "",
) -> Figure:
    """What a difference at one time is associated with after each lag: a line with a band for each pair of outcomes.

    Parameters
    ----------
    estimates : Estimates
        From `pathways.lags`.
    ax : matplotlib Axes, optional
        Draws there too; the axes keep their own size and fonts.
    size : "single", "double", "slide" or (width, height) in mm
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind.
    DisclosureError
        `E-DISCLOSURE-COHORT` where nothing may be shown.

    **Source**: Voelkle, Oud, Davidov & Schmidt 2012, Psychol Methods 17:176, for coefficients over the lag.
    """
    if estimates.about.kind != "lags":
        raise StudyError(
            "E-STUDY-VALUE",
            f"Coefficients over lags were asked of {estimates.about.kind}.",
            "It draws a coefficient at each of several lags.",
            "Give it what pathways.lags() answers.",
        )
    drawn = _Lags.of(estimates)
    figure = Figure(
        title=title or "Coefficients by lag",
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
class _Lags:
    """The coefficients by pair of outcomes, and the words for them."""

    frame: pd.DataFrame
    about: About

    @classmethod
    def of(cls, estimates: Estimates) -> _Lags:
        safe = shown(estimates)
        if safe.frame[HIDDEN].any():
            raise DisclosureError(
                "E-DISCLOSURE-COHORT",
                f"The coefficients rest on fewer than {safe.about.min_cell} persons.",
                "A figure of so few would tell about single persons.",
                "Leave the figure out; set `min_cell` under [disclosure] only as the data owner allows.",
            )
        told = safe.frame[safe.frame["estimate"].notna()]
        if not len(told):
            raise StudyError(
                "E-STUDY-VALUE",
                "None of the lags has a coefficient.",
                "Where nothing is carried over, lags below the shortest gap between visits have no value.",
                "Ask pathways.lags() for lags as long as the gaps.",
            )
        return cls(frame=told.sort_values("lag", kind="stable").reset_index(drop=True), about=safe.about)

    def pairs(self) -> list[tuple[str, pd.DataFrame]]:
        """The rows of each arrow, those within one outcome first."""
        found = []
        for (outcome, source), rows in self.frame.groupby(["outcome", "from"], sort=False):
            to = self.about.outcomes.get(str(outcome), str(outcome))
            found.append((source != to, f"{clean(str(source))} → {in_sentence(clean(to))}", rows))
        return [(name, rows) for _, name, rows in sorted(found, key=lambda one: one[0])]

    # ---- words

    def alt(self) -> str:
        told = []
        for name, rows in self.pairs():
            first, last = rows.iloc[0], rows.iloc[-1]
            told.append(
                f"{name} {fixed(float(first['estimate']), 2)} at {first['lag']:.2g} years and "
                f"{fixed(float(last['estimate']), 2)} at {last['lag']:.2g}"
            )
        return f"Coefficients of earlier on later scores by the years between: {'; '.join(told)}."

    def long_description(self) -> str:
        level = percent_of(self.about.conf_level)
        told = []
        for name, rows in self.pairs():
            for _, row in rows.iterrows():
                low, high = float(row["conf_low"]), float(row["conf_high"])
                limits = "" if np.isnan(low) else f" ({level} CI {interval(low, high, 2)})"
                told.append(f"{name}, {row['lag']:.3g} years: {fixed(float(row['estimate']), 2)}{limits}.")
        return " ".join([*told, *self.about.notes])

    # ---- drawing

    def draw(self, ax: Axes) -> None:
        for side in ("top", "right"):
            ax.spines[side].set_visible(False)
        ax.axhline(0.0, color="#8c8c8c", linewidth=0.6, zorder=0)
        for (name, rows), stroke in zip(self.pairs(), STROKES, strict=False):
            at, low, high = (rows[key].to_numpy(dtype=float) for key in ("lag", "conf_low", "conf_high"))
            ax.fill_between(at, low, high, color=stroke.color, alpha=BAND, linewidth=0, zorder=1)
            line = rows["estimate"].to_numpy(dtype=float)
            ax.plot(at, line, color=stroke.color, linestyle=stroke.dash, linewidth=1.3, label=name, zorder=3)
        years = sorted(set(self.about.visit_years.values()))
        gaps = np.unique(np.diff(years)) if len(years) > 1 else np.zeros(0)
        inside = [float(gap) for gap in gaps if gap <= float(self.frame["lag"].max())]
        for gap in inside:
            ax.axvline(gap, color="#8c8c8c", linewidth=0.6, linestyle=(0.0, (1.0, 2.0)), zorder=0)
        ax.set_xlim(0.0, float(self.frame["lag"].max()))
        seen = "; dotted: gaps between visits" if inside else ""
        ax.set_xlabel(f"Lag in years{seen}", parse_math=False)
        ax.set_ylabel(f"Coefficient ({percent_of(self.about.conf_level)} CI)", parse_math=False)
        key = ax.legend(
            loc="lower left",
            bbox_to_anchor=(-0.02, 1.01),
            ncols=1,
            frameon=False,
            borderaxespad=0.2,
            borderpad=0.1,
            handlelength=2.6,
            handletextpad=0.6,
        )
        for text in key.get_texts():
            text.set_parse_math(False)
