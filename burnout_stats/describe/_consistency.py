"""Whether printed numbers can belong together, tolerant of how sources round.

Each check is a small value made of printed numbers; `consistency` judges a list of them. A `Printed` number keeps its
decimals and stands for all numbers that are printed so; a plain number is known exactly.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..engine.consistency import (
    NEVER,
    READINGS,
    change_sd,
    correlation,
    grim,
    grimmer,
    nearest_sd,
    p_range,
    partial_eta_squared,
    reading,
    stood_for,
    t_range,
)
from ..errors import StudyError
from ..estimates import About, Estimates

__all__ = [
    "Printed",
    "PrintedF",
    "PrintedMean",
    "PrintedPairs",
    "PrintedPercent",
    "PrintedTest",
    "consistency",
]

Range = tuple[float, float]

CONSISTENT, OTHERWISE, NOT = "consistent", "consistent if rounded otherwise", "not consistent"
WORDS = {**READINGS, NEVER: "by no rounding"}
NUMBER = re.compile(r"(?P<bound>[<>]?)\s*(?P<number>[-−+]?(?:\d+(?:\.(?P<decimals>\d*))?|\.(?P<only>\d+)))%?")
NOTES = (
    "Recomputed from the other printed numbers; the range is what usual rounding (half up, half even) leaves open.",
    "Consistent if rounded otherwise: cut off, or within one unit of the last digit, as sources sometimes print.",
)


@dataclass(frozen=True, slots=True)
class Printed:
    """A number as a paper prints it: `Printed("3.00")`, `Printed(".04")`, `Printed("<.001")`.

    Raises
    ------
    StudyError
        `E-STUDY-PRINTED` for anything else.

    Examples
    --------
    >>> Printed("3.00").unit, Printed("<.001").bound
    (0.01, '<')
    """

    text: str

    def __post_init__(self) -> None:
        self._match()

    def _match(self) -> re.Match[str]:
        found = NUMBER.fullmatch(str(self.text).strip())
        if found is None:
            raise StudyError(
                "E-STUDY-PRINTED",
                f"{self.text!r} is not a printed number.",
                "It is text with digits, at most one decimal point, and < or > before it where it is a bound.",
                'Write for example Printed("3.00") or Printed("<.001").',
            )
        return found

    @property
    def value(self) -> float:
        """The number."""
        return float(self._match()["number"].replace("−", "-"))

    @property
    def unit(self) -> float:
        """What the last digit is worth."""
        decimals = self._match()["decimals"] or self._match()["only"] or ""
        return float(f"1e-{len(decimals)}")

    @property
    def bound(self) -> str:
        """`<` or `>` where only a bound is printed, else empty."""
        return self._match()["bound"]


Number = Printed | str | float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finding:
    """One comparison: what it is about, what was printed, what was recomputed and its range, and the reading."""

    check: str
    printed: str
    computed: float
    low: float
    high: float
    how: str


@dataclass(frozen=True, slots=True)
class PrintedMean:
    """Mean, and SD, of n persons on a score that is the mean of `items` whole numbers: GRIM, and GRIMMER for the SD.

    For a sum of items write items=1: the sum itself is a whole number. The tests of the papers ask for the usual
    roundings, so they are passed by "consistent" alone.

    Examples
    --------
    >>> consistency([PrintedMean("5.23", "2.55", n=35)]).frame["verdict"].tolist()
    ['consistent', 'consistent if rounded otherwise']
    """

    mean: Number
    sd: Number | None = None
    n: int = 0
    items: int = 1

    def findings(self) -> list[_Finding]:
        """The comparisons of this check."""
        n, items = _whole("n", self.n, 2), _whole("items", self.items, 1)
        mean = _printed(self.mean)
        told = f"{_text(self.mean)}, n = {n}{f', {items} items' if items > 1 else ''}"
        grains = n * items
        near = round(mean.value * grains)
        reach = [(near + step) / grains for step in (-1, 0, 1)]
        hows = [reading(mean.value, mean.unit, value, value) for value in reach]
        how = min(hows, key=[*READINGS, NEVER].index)
        best = reach[hows.index(how)] if how != NEVER else reach[1]
        found = [
            _Finding(check="mean of whole numbers", printed=told, computed=best, low=reach[0], high=reach[2], how=how)
        ]
        if self.sd is not None:
            found.append(self._sd(mean, _printed(self.sd), n, items))
        return found

    def _sd(self, mean: _Read, sd: _Read, n: int, items: int) -> _Finding:
        how, nearest = NEVER, np.nan
        for name in READINGS:
            sums, _ = grim(*stood_for(mean.value, mean.unit, name), n * items)
            nearest = nearest_sd(sums, sd.value, n, items) if sums.size else nearest
            if grimmer(sums, *stood_for(sd.value, sd.unit, name), n, items).size:
                how = name
                break
        told = f"{_text(self.mean)} ({_text(self.sd)}), n = {n}{f', {items} items' if items > 1 else ''}"
        return _Finding(check="SD of whole numbers", printed=told, computed=nearest, low=nearest, high=nearest, how=how)


@dataclass(frozen=True, slots=True)
class PrintedPercent:
    """A percentage of a count.

    Examples
    --------
    >>> consistency([PrintedPercent("6", 10, 182)]).frame["verdict"].tolist()
    ['consistent if rounded otherwise']
    """

    percent: Number
    count: int
    n: int

    def findings(self) -> list[_Finding]:
        """The comparisons of this check."""
        n, count = _whole("n", self.n, 1), _whole("count", self.count, 0)
        share = 100.0 * count / n
        return [_compared("percentage", f"{_text(self.percent)}% of {count}/{n}", self.percent, (share, share), share)]


@dataclass(frozen=True, slots=True)
class PrintedPairs:
    """Two means and SDs of the same n persons with their paired t: the correlation that follows, and what else is
    printed of `r`, the SD of the change, and the change.

    Examples
    --------
    >>> pairs = PrintedPairs("3.00", "0.94", "2.53", "0.76", t="6.76", n=185)
    >>> consistency([pairs]).frame["estimate"].round(2).tolist()
    [0.4]
    """

    mean_1: Number
    sd_1: Number
    mean_2: Number
    sd_2: Number
    t: Number | None = None
    n: int = 0
    r: Number | None = None
    change_sd: Number | None = None
    change: Number | None = None

    def findings(self) -> list[_Finding]:
        """The comparisons of this check."""
        n = _whole("n", self.n, 2)
        one, two = _printed(self.mean_1), _printed(self.mean_2)
        s_1, s_2 = _printed(self.sd_1), _printed(self.sd_2)
        difference = (two.low - one.high, two.high - one.low)
        D = two.value - one.value
        told = f"{_text(self.mean_1)} ({_text(self.sd_1)}) to {_text(self.mean_2)} ({_text(self.sd_2)}), n = {n}"
        found = []
        if self.change is not None:
            found.append(_compared("change from means", f"{told}; {_text(self.change)}", self.change, difference, D))
        if self.t is not None:
            t = _printed(self.t)
            exact = change_sd((D, D), (t.value, t.value), n)[0]
            spread = change_sd(difference, (t.low, t.high), n)
            told_t = f"{told}, t = {_text(self.t)}"
            if self.change_sd is not None:
                told_sd = f"{told_t}; {_text(self.change_sd)}"
                found.append(_compared("SD of change from t", told_sd, self.change_sd, spread, exact))
            r = correlation((s_1.value, s_1.value), (s_2.value, s_2.value), (exact, exact))[0]
            limits = correlation((s_1.low, s_1.high), (s_2.low, s_2.high), spread)
            if self.r is None:
                possible = "half" if limits[0] <= 1 and limits[1] >= -1 else NEVER
                found.append(_finding("correlation from t", told_t, r, limits, possible))
            else:
                found.append(_compared("correlation from t", f"{told_t}; {_text(self.r)}", self.r, limits, r))
            if self.r is not None:
                rho = _printed(self.r)
                reach = t_range(difference, (s_1.low, s_1.high), (s_2.low, s_2.high), (rho.low, rho.high), n)
                exact_t = t_range((D, D), (s_1.value,) * 2, (s_2.value,) * 2, (rho.value,) * 2, n)[0]
                sign = math.copysign(1.0, t.value)
                reach = reach if sign > 0 else (-reach[1], -reach[0])
                told_r = f"{told}, r = {_text(self.r)}; {_text(self.t)}"
                found.append(_compared("paired t from correlation", told_r, self.t, reach, sign * exact_t))
        return found


@dataclass(frozen=True, slots=True)
class PrintedTest:
    """A p value with its statistic: `kind` is "t", "z", "chi2" or "F" (F with two degrees of freedom).

    Examples
    --------
    >>> consistency([PrintedTest("t", "2.03", p=".04", df=225)]).frame["verdict"].tolist()
    ['consistent']
    """

    kind: str
    statistic: Number
    p: Number
    df: Number = math.inf
    df_2: Number = math.inf

    def findings(self) -> list[_Finding]:
        """The comparisons of this check."""
        if self.kind not in ("t", "z", "chi2", "F"):
            raise _unreadable(f"The kind of test is {self.kind!r}.", 'It is "t", "z", "chi2" or "F".')
        x, f, g = _printed(self.statistic), _printed(self.df), _printed(self.df_2)
        exact = p_range(self.kind, (x.value,) * 2, (f.value,) * 2, (g.value,) * 2)[0]
        limits = p_range(self.kind, (x.low, x.high), (f.low, f.high), (g.low, g.high))
        dfs = ", ".join(_text(df) for df in (self.df, self.df_2) if df != math.inf)
        told = f"{self.kind}{f'({dfs})' if dfs else ''} = {_text(self.statistic)}; p {_p_text(self.p)}"
        return [_compared("p value", told, self.p, limits, exact)]


@dataclass(frozen=True, slots=True)
class PrintedF:
    """The F test of a repeated-measures analysis: its degrees of freedom against each other and n, partial eta squared.

    With one factor within n subjects, df_2 = df_1 (n − 1), whatever correction for sphericity was made, and
    ε = df_1 / (levels − 1).

    Examples
    --------
    >>> found = consistency([PrintedF("33.1", "1.8", "267.0", n=147, levels=3, eta_squared=".185")]).frame
    >>> [round(value, 3) for value in found["estimate"]]
    [1.829, 0.914, 0.185]
    """

    F: Number
    df_1: Number
    df_2: Number
    n: int | None = None
    levels: int | None = None
    eta_squared: Number | None = None

    def findings(self) -> list[_Finding]:
        """The comparisons of this check."""
        F, f, g = _printed(self.F), _printed(self.df_1), _printed(self.df_2)
        first, limits = f.value, (f.low, f.high)
        told = f"F({_text(self.df_1)}, {_text(self.df_2)}) = {_text(self.F)}"
        found = []
        if self.n is not None:
            others = _whole("n", self.n, 2) - 1
            first, limits = g.value / others, (g.low / others, g.high / others)
            found.append(_compared("df 1 from df 2 and n", f"{told}, n = {self.n}", self.df_1, limits, first))
        if self.levels is not None:
            steps = _whole("levels", self.levels, 2) - 1
            bounds = (limits[0] / steps, limits[1] / steps)
            possible = "half" if bounds[1] >= 1 / steps and bounds[0] <= 1 else NEVER
            found.append(
                _finding("epsilon from df 1", f"{told}, {self.levels} levels", first / steps, bounds, possible)
            )
        if self.eta_squared is not None:
            exact = partial_eta_squared((F.value,) * 2, (first,) * 2, (g.value,) * 2)[0]
            eta = partial_eta_squared((F.low, F.high), limits, (g.low, g.high))
            told_eta = f"{told}; {_text(self.eta_squared)}"
            found.append(_compared("partial eta squared from F", told_eta, self.eta_squared, eta, exact))
        return found


Check = PrintedMean | PrintedPercent | PrintedPairs | PrintedTest | PrintedF


def consistency(checks: Check | Iterable[Check]) -> Estimates:
    """Judge whether printed numbers can belong together.

    Parameters
    ----------
    checks : one or several of PrintedMean, PrintedPercent, PrintedPairs, PrintedTest, PrintedF
        Made of text as printed ("3.00"), `Printed` values, or plain numbers that are known exactly.

    Returns
    -------
    Estimates
        Kind "consistency". For each comparison: `check`, what was `printed`, the `verdict` ("consistent", "consistent
        if rounded otherwise", "not consistent"), the `reading` under which they agree; `estimate` is the number
        recomputed from the others, and `conf_low`, `conf_high` the range that their rounding leaves open. For means of
        whole numbers it is the nearest mean that can be, between its neighbors; for their SDs the nearest SD.

    Raises
    ------
    StudyError
        `E-STUDY-PRINTED` for numbers that cannot be read.

    Notes
    -----
    The numbers that are computed from are read as usually rounded; only the number that is compared is also tried as
    cut off, and within one unit of its last digit. "Not consistent" says that no such rounding brings them together,
    not why: a misprint, other persons, or another method are as possible as an error.

    **Source**: as in `engine.consistency`.

    >>> consistency([PrintedPercent("35", 63, 182), PrintedPercent("36", 63, 182)]).frame["verdict"].tolist()
    ['consistent', 'not consistent']
    """
    listed = [checks] if isinstance(checks, Check) else list(checks)
    if not listed or not all(isinstance(check, Check) for check in listed):
        raise _unreadable("There is nothing to check.", 'Give for example [PrintedPercent("35", 63, 182)].')
    found = [finding for check in listed for finding in check.findings()]
    frame = pd.DataFrame(
        [
            {
                "outcome": "printed",
                "check": one.check,
                "printed": one.printed,
                "verdict": _verdict(one.how),
                "reading": WORDS[one.how],
                "estimate": one.computed,
                "std_error": np.nan,
                "df": np.nan,
                "statistic": np.nan,
                "p_value": np.nan,
                "conf_low": one.low,
                "conf_high": one.high,
                "n": np.nan,
                "method": "recomputed",
            }
            for one in found
        ]
    )
    return Estimates(
        frame=frame,
        vcov=np.full((len(frame), len(frame)), np.nan),
        about=About(
            kind="consistency",
            outcomes={"printed": "printed numbers"},
            factors=("check", "printed", "verdict", "reading"),
            notes=NOTES,
            min_cell=1,
        ),
    )


def _verdict(how: str) -> str:
    return CONSISTENT if how == "half" else NOT if how == NEVER else OTHERWISE


def _finding(check: str, printed: str, computed: float, limits: Range, how: str) -> _Finding:
    return _Finding(check=check, printed=printed, computed=computed, low=limits[0], high=limits[1], how=how)


def _compared(check: str, printed: str, number: Number, limits: Range, computed: float) -> _Finding:
    """A printed number against the range of the recomputed one."""
    asked = _printed(number)
    if asked.bound:
        meets = limits[0] < asked.value if asked.bound == "<" else limits[1] > asked.value
        how = "half" if meets else NEVER
    else:
        how = reading(asked.value, asked.unit, *limits)
    return _finding(check, printed, computed, limits, how)


@dataclass(frozen=True, slots=True)
class _Read:
    """A number that was read: its value, the worth of its last digit (0 where it is exact), and its bound."""

    value: float
    unit: float
    bound: str = ""

    @property
    def low(self) -> float:
        return stood_for(self.value, self.unit, "half")[0]

    @property
    def high(self) -> float:
        return stood_for(self.value, self.unit, "half")[1]


def _printed(number: object) -> _Read:
    if isinstance(number, str):
        number = Printed(number)
    if isinstance(number, Printed):
        return _Read(number.value, number.unit, number.bound)
    if isinstance(number, bool) or not isinstance(number, int | float | np.number) or math.isnan(float(number)):
        raise _unreadable(f"{number!r} is not a number.", 'Write for example "3.00".')
    return _Read(float(number), 0.0)


def _whole(name: str, value: object, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise _unreadable(f"`{name}` is {value!r}.", f"It is a whole number, {least} or more.")
    return int(value)


def _text(number: Number | None) -> str:
    if isinstance(number, Printed):
        return number.text
    return number if isinstance(number, str) else f"{_printed(number).value:g}"


def _p_text(number: Number) -> str:
    text = _text(number)
    return text if text[:1] in "<>" else f"= {text}"


def _unreadable(seen: str, advice: str) -> StudyError:
    return StudyError("E-STUDY-PRINTED", seen, "Printed numbers are text with their decimals, sizes are whole.", advice)
