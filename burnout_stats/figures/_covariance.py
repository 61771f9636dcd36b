"""The covariance of the visits as a heat map: a number in every cell, standard deviations on the diagonal."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..display.escape import clean
from ..display.styles import decimals_from, fixed
from ..errors import one_of
from ..estimates import About
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import in_sentence, shown
from ..models.residuals import covariance_check
from ._figure import Figure, figure_size
from ._palette import ink_on
from ._panels import panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..models import Fit

__all__ = ["covariance"]

COLORS = "cividis"
PLAIN = (0.93, 0.93, 0.93, 1.0)
"""Of cells that are on no color scale: standard deviations, and what is hidden."""
KINDS = ("correlation", "covariance")


def covariance(
    fit: Fit,
    *,
    kind: Literal["correlation", "covariance"] = "correlation",
    ax: Axes | None = None,
    size: str | tuple[float, float] = "single",
    title: str = "",
) -> Figure:
    """A heat map of the residual covariance of the visits that the model fitted; one for each group that has its own.

    Parameters
    ----------
    fit : Fit
        With one covariance of the visits for all subjects, or for all of a group.
    kind : "correlation" or "covariance"
        Correlations with standard deviations on the diagonal, or covariances with variances there. The upper triangle,
        which would repeat the lower, is blank.
    ax : matplotlib Axes, optional
        Draws there too; the axes keep their own size and fonts.
    size : "single", "double", "slide" or (width, height) in mm
    title : str, optional
        The caption.

    Raises
    ------
    StudyError
        `E-STUDY-OPTION` for another kind.
    ModelError
        `E-MODEL-NOT-NOMINAL` where random effects give every subject a covariance of its own, `E-MODEL-CLUSTERED` where
        subjects are not independent.

    Notes
    -----
    A number is hidden where fewer persons than `min_cell` of the cohort's policy were seen at both visits.

    Examples
    --------
    >>> from burnout_stats.models import MMRM, fit
    >>> from burnout_stats.studies import example
    >>> covariance(fit(MMRM("exhaustion ~ visit"), example("villa_sana")))
    <Figure: Correlations of the visits: Emotional exhaustion; 89 × 72 mm>
    """
    one_of("kind", kind, list(KINDS))
    heat = _Heat.of(fit, kind)
    figure = Figure(
        title=title or f"{'Correlations' if kind == 'correlation' else 'Covariances'} of the visits: {heat.label}",
        frame=heat.frame,
        alt=heat.alt(),
        long_description=heat.long_description(),
        draw=heat.draw,
        size=figure_size(size),
    )
    if ax is not None:
        figure.draw_on(ax)
    return figure


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Heat:
    """What is drawn: a row for each visit and pair of visits, `correlation` or `covariance` beside the two SDs."""

    frame: pd.DataFrame
    about: About
    kind: str
    structure: str
    decimals: int

    @classmethod
    def of(cls, fit: Fit, kind: str) -> _Heat:
        safe = shown(covariance_check(fit))
        labels = [str(label) for label in fit.visits.labels]
        fitted = safe.frame[safe.frame["statistic"].str.endswith("fitted")].reset_index(drop=True)
        pairs = [(a, b) for a in range(len(labels)) for b in range(a, len(labels))]
        groups = [str(group) for group in fit.design.groups] or [""]
        rows = []
        for g, group in enumerate(groups):
            part = fitted.iloc[g * len(pairs) : (g + 1) * len(pairs)]
            value = dict(zip(pairs, part["value"].astype(float), strict=True))
            n = dict(zip(pairs, part["n"].astype(float), strict=True))
            for first, second in pairs:
                sd = value[first, first], value[second, second]
                r = 1.0 + 0.0 * sd[0] if first == second else value[first, second]
                number = r if kind == "correlation" else r * sd[0] * sd[1]
                if kind == "correlation" and first == second:
                    number = sd[0]
                rows.append(
                    {
                        "group": clean(group),
                        "visit": labels[second],
                        "other_visit": labels[first],
                        "quantity": _quantity(kind, first == second),
                        "value": number,
                        "n": n[first, second],
                        HIDDEN: math.isnan(number),
                    }
                )
        frame = pd.DataFrame(rows)
        same = frame[frame["visit"].eq(frame["other_visit"])]
        factor = 2.0 if kind == "covariance" else 0.5  # √(2/n) of a variance, √(1/2n) of an SD
        errors = same["value"] * np.sqrt(factor / same["n"].clip(lower=2))
        return cls(
            frame=frame.drop(columns="n"),  # another table may withhold how many were seen twice
            about=safe.about,
            kind=kind,
            structure=fit.spec.structure_name,
            decimals=decimals_from(errors.to_numpy(dtype=float)),
        )

    @property
    def label(self) -> str:
        return clean(next(iter(self.about.outcomes.values())))

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.frame["group"]))

    @property
    def visits(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.frame["visit"]))

    @property
    def off(self) -> pd.DataFrame:
        """The pairs of two visits."""
        return self.frame[self.frame["visit"].ne(self.frame["other_visit"])]

    def _decimals(self, row: Mapping[Hashable, Any]) -> int:
        """Two for correlations; for the others what their sampling error deserves."""
        return 2 if row["quantity"] == "correlation" else self.decimals

    # ---- words

    def alt(self) -> str:
        what = "correlations" if self.kind == "correlation" else "covariances"
        known = self.off["value"].dropna()
        words = f"Heat map of {what} of {in_sentence(self.label)} between {len(self.visits)} visits"
        if known.empty:
            return f"{words}: {'hidden' if len(self.off) else 'there is one visit only'}."
        decimals = self._decimals(self.off.iloc[0].to_dict())
        ends = [fixed(value, decimals) for value in (known.min(), known.max())]
        course = f"all {ends[0]}" if ends[0] == ends[1] else f"from {ends[0]} to {ends[1]}"
        return f"{words}: {course} ({self.structure})."

    def long_description(self) -> str:
        sentences = []
        for row in self.frame.to_dict("records"):
            where = row["visit"]
            if row["visit"] != row["other_visit"]:
                where = f"{row['other_visit']} and {row['visit']}"
            lead = ", ".join(filter(None, (row["group"], clean(where))))
            told = "hidden, too few persons" if row[HIDDEN] else fixed(row["value"], self._decimals(row))
            sentences.append(f"{lead}: {row['quantity']} {told}.")
        return " ".join([*sentences, f"Structure: {self.structure}."])

    # ---- drawing

    def draw(self, ax: Axes) -> None:
        groups = self.groups
        each = (ax,) if len(groups) == 1 else panels(ax, groups, min(len(groups), 3), across=46.0)
        for own, group in zip(each, groups, strict=True):
            self._draw_group(own, self.frame[self.frame["group"].eq(group)])
        words = "SD on the diagonal, correlations below" if self.kind == "correlation" else ""
        words = words or "Variances on the diagonal, covariances below"
        ax.annotate(
            words,
            (0.0, 1.0),
            xycoords="axes fraction",
            xytext=(0, 5 if len(groups) == 1 else 20),
            textcoords="offset points",
            va="bottom",
            annotation_clip=False,
        )

    def _draw_group(self, ax: Axes, rows: pd.DataFrame) -> None:
        from matplotlib import colormaps
        from matplotlib.patches import Rectangle

        visits = self.visits
        count = len(visits)
        low, high = self._limits()
        colors = colormaps[COLORS]
        extent = ax.get_window_extent()
        figure = ax.get_figure(root=True)
        assert figure is not None
        points = min(extent.width, extent.height) / figure.dpi * 72 / count
        font = float(np.clip(points / 3.4, 3.4, 9.0))
        for row in rows.to_dict("records"):
            x, y = visits.index(row["other_visit"]), visits.index(row["visit"])
            on_scale = not row[HIDDEN] and not (x == y and self.kind == "correlation")
            fill = colors((row["value"] - low) / ((high - low) or 1.0)) if on_scale else PLAIN
            ax.add_patch(
                Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=fill, edgecolor="white", linewidth=1.2, zorder=1)
            )
            words = "hidden" if row[HIDDEN] else fixed(row["value"], self._decimals(row))
            ax.text(
                x,
                y,
                words,
                ha="center",
                va="center",
                fontsize=0.7 * font if row[HIDDEN] else font,
                color=ink_on(fill),
                zorder=2,
                parse_math=False,
            )
        ax.set_xlim(-0.5, count - 0.5)
        ax.set_ylim(count - 0.5, -0.5)
        ax.set_aspect("equal", adjustable="box")
        for spine in ax.spines.values():
            spine.set_visible(False)
        ax.tick_params(length=0)
        names = [textwrap.fill(clean(visit), 14) for visit in visits]
        longest = max(len(line) for name in names for line in name.split("\n"))
        turned = points < 3.6 * longest
        ax.set_xticks(range(count), names, parse_math=False)
        if turned:
            for label in ax.get_xticklabels():
                label.set(rotation=45, ha="right", rotation_mode="anchor")
        ax.set_yticks(range(count), names, parse_math=False)

    def _limits(self) -> tuple[float, float]:
        """The ends of the color scale: 0 to 1 for correlations, and below 0 where one is."""
        values: NDArray[np.float64] = self.frame["value"].to_numpy(dtype=float)
        if self.kind == "correlation":
            known = self.off["value"].to_numpy(dtype=float)
            return (-1.0 if (known < 0).any() else 0.0), 1.0
        known = values[np.isfinite(values)]
        return (min(float(known.min()), 0.0), float(known.max())) if known.size else (0.0, 1.0)


def _quantity(kind: str, same: bool) -> str:
    if kind == "correlation":
        return "SD" if same else "correlation"
    return "variance" if same else "covariance"
