"""Regression to the mean told to a doctor: what was seen, what was assumed, and what would change the conclusion."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from ..display.escape import clean
from ..display.language import ENGLISH, label, language_of
from ..display.styles import NumberStyle, fixed, interval, number_style
from ..errors import StudyError
from ..estimates import About, Estimates
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import in_sentence, percent_of, shown

__all__ = ["regression_to_the_mean"]

Row = Mapping[Hashable, Any]

CAME: Mapping[str, str] = {
    "score": "people came because of this very score, with all that was chance in it",
    "state": "people came because of how they truly felt that day, which the score measures with error",
    "trait": "people came because of how they lastingly are",
    "crisis": "people came in a crisis that was over by then",
    "mean": "people came because of the mean of several scores, with all that was chance in it",
    "earlier": "people came because of an earlier score than the one from which their change is counted",
}
LIMITS = (
    "None of this is a bound. Why people seek help when they do cannot be known from a norm and a correlation, and "
    "only people who were not helped could show what would have happened."
)


def regression_to_the_mean(
    estimates: Estimates, *, style: str | NumberStyle = "plain", decimals: int = 2, language: str = ENGLISH
) -> str:
    """A paragraph for each visit: what was seen, assumed and expected, and what would change the conclusion.

    Parameters
    ----------
    estimates : Estimates
        From `sensitivity.regression_to_the_mean`, or its twin from summaries.
    style : str or NumberStyle
    decimals : int
        Of changes, shares and limits.
    language : str
        "en", or "nb" for Norwegian bokmål; a text with a sentence that the catalog does not know stays English.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for estimates of another kind, `E-STUDY-OPTION` for an unknown style or language.
    """
    if estimates.about.kind != "regression_to_the_mean":
        raise StudyError(
            "E-STUDY-VALUE",
            f"The text on regression to the mean was asked of {estimates.about.kind}.",
            "It tells an observed change against the expected one.",
            "Give it what sensitivity.regression_to_the_mean() answers.",
        )
    spoken = language_of(language)
    safe = shown(estimates)
    told = _Teller(safe.about, number_style(style), decimals)
    groups = safe.frame.groupby(["outcome", "visit"], sort=False)
    parts = [told.paragraph(str(outcome), str(visit), rows) for (outcome, visit), rows in groups]
    return label(clean(" ".join([*parts, LIMITS])), spoken)


class _Teller:
    """The words for the rows of one visit and one way of selection."""

    __slots__ = ("about", "decimals", "style")

    def __init__(self, about: About, style: NumberStyle, decimals: int) -> None:
        self.about, self.style, self.decimals = about, style, decimals

    def paragraph(self, outcome: str, visit: str, rows: pd.DataFrame) -> str:
        label = in_sentence(self.about.outcomes.get(outcome, outcome))
        first = next(iter(self.about.visit_years), "baseline")
        if rows[HIDDEN].any() or rows["estimate"].isna().all():
            return f"The change in {label} from {first} to {visit} is not told: it rests on too few persons."
        models: dict[str, dict[str, Row]] = {}
        for one in rows.to_dict("records"):
            models.setdefault(str(one["selection"]), {})[str(one["measure"])] = one
        row = next(iter(models.values()))
        n = float(row["observed change"]["n"])
        who = f"the {n:.0f} people" if not math.isnan(n) else "the people"
        unit = self.about.units.get(outcome) or "points"
        seen = (
            f"Among {who} seen at both visits, {label} {self._moved(row['observed change'], unit)} from {first} to "
            f"{visit}; at {first} they stood {self._away(row['baseline less norm'], unit)}."
        )
        told = [seen]
        for at, (selection, own) in enumerate(models.items()):
            told += [self._assumed(own, selection, again=at > 0), self._left(own)]
        return " ".join([*told, self._turns(row)])

    # ---- sentences

    def _assumed(self, row: Mapping[str, Row], selection: str, *, again: bool) -> str:
        by_cutoff = "distance by the cut-off" in row
        told = f"Suppose {'instead ' if again else ''}that {CAME[selection]}"
        if selection not in ("trait", "crisis"):
            share = self._with_interval(row["share kept"])
            told += f", and that without help {share} of a distance from the norm remains after this time"
        if by_cutoff:
            away = self._size(row["distance by the cut-off"])
            told += f", and that they were let in by a cut-off, which puts them {away} from the norm"
        expected = row["expected change"]
        estimate = float(expected["estimate"])
        if round(estimate, self.decimals) == 0:
            return f"{told}: then regression to the mean alone would bring no change that shows at this precision."
        noun = "fall" if estimate < 0 else "rise"
        return f"{told}: then regression to the mean alone would bring a {noun} of {self._flipped(expected)}."

    def _left(self, row: Mapping[str, Row]) -> str:
        left, observed = row["observed minus expected"], float(row["observed change"]["estimate"])
        estimate, low, high = (float(left[name]) for name in ("estimate", "conf_low", "conf_high"))
        numbers = self._flipped(left)
        if not (low > 0 or high < 0):
            return (
                f"What was observed differs from that by {numbers}, and the interval includes no difference: "
                "regression to the mean alone may account for what was seen."
            )
        if float(row["expected change"]["estimate"]) * observed < 0:
            return f"What was observed lies {'above' if estimate > 0 else 'below'} that, by {numbers}."
        noun = "fall" if observed < 0 else "rise"
        return f"The {noun} that was observed is {'larger' if estimate * observed > 0 else 'smaller'}, by {numbers}."

    def _turns(self, row: Mapping[str, Row]) -> str:
        what = "stability" if "tipping stability" in row else "share that remains"
        tipping = row["tipping stability"] if "tipping stability" in row else row["tipping share"]
        estimate, low, high = (float(tipping[key]) for key in ("estimate", "conf_low", "conf_high"))
        told = (
            f"What would change this: the whole change would be regression to the mean if the {what} were "
            f"{fixed(estimate, self.decimals)}"
        )
        if not (math.isfinite(low) and math.isfinite(high)):
            return (
                f"{told}, but its interval has no end, because at the start these people are not clearly away from the "
                "norm."
            )
        return (
            f"{told} ({self._level()} {interval(low, high, self.decimals, self.style)}); above and below that interval "
            "the observed change and the expected one are clearly apart."
        )

    # ---- numbers

    def _level(self) -> str:
        return f"{percent_of(self.about.conf_level)} CI"

    def _size(self, row: Row) -> str:
        return fixed(abs(float(row["estimate"])), self.decimals)

    def _moved(self, row: Row, unit: str) -> str:
        verb = "fell" if float(row["estimate"]) < 0 else "rose"
        flip = self._limits(row, flip=True)
        return f"{verb} by {self._size(row)} {unit} ({flip})"

    def _away(self, row: Row, unit: str) -> str:
        side = "above" if float(row["estimate"]) > 0 else "below"
        return f"{self._size(row)} {unit} {side} the norm ({self._limits(row, flip=True)})"

    def _flipped(self, row: Row) -> str:
        if math.isnan(float(row["conf_low"])):
            return self._size(row)
        return f"{self._size(row)} ({self._limits(row, flip=True)})"

    def _with_interval(self, row: Row) -> str:
        told = fixed(float(row["estimate"]), self.decimals)
        return told if math.isnan(float(row["conf_low"])) else f"{told} ({self._limits(row, flip=False)})"

    def _limits(self, row: Row, *, flip: bool) -> str:
        """The limits, turned round where the size of a negative number is told."""
        sign = -1.0 if flip and float(row["estimate"]) < 0 else 1.0
        low, high = sorted(sign * float(row[name]) for name in ("conf_low", "conf_high"))
        return f"{self._level()} {interval(low, high, self.decimals, self.style)}"
