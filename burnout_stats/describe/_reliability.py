"""How reliable a score is by its own items: internal consistency at each visit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..cohort import Cohort
from ..engine import reliability as engine
from ..errors import StudyError, did_you_mean, one_of
from ..estimates import About, Estimates, Policy
from ..instruments import Instrument, columns_of
from ..instruments import instrument as instrument_by_key
from ..notices import Notice

__all__ = ["coefficient", "own_variances", "reliability", "reliability_from_summaries"]

Array = NDArray[np.float64]

INTERVALS: Mapping[str, str] = {
    "feldt": "from the F distribution",
    "bonett": "from the normal distribution of ln(1 - α)",
}
METHODS = {"alpha": "Cronbach's alpha", "omega": "McDonald's omega, one factor by maximum likelihood"}
ALL = "all rows"


def reliability(
    data: Cohort | pd.DataFrame,
    items: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None = None,
    *,
    instrument: str | Instrument | None = None,
    reverse: Iterable[str] = (),
    interval: str = "feldt",
    conf_level: float = 0.95,
) -> Estimates:
    """Cronbach's alpha and McDonald's omega (total) of each scale, at each visit.

    Parameters
    ----------
    data : Cohort or DataFrame
        The items are numeric columns of the cohort, or of a frame (which is then one occasion).
    items : names, or mapping of scale to names
        With `instrument`: as the `columns` of `score`; the scales are then its subscales.
    instrument : str or Instrument, optional
        Whose key deals the items out to subscales and says which are turned.
    reverse : names
        Further items that are worded the other way round: their sign is changed. Nothing is turned in silence.
    interval : "feldt" or "bonett"
        Of alpha.
    conf_level : float

    Returns
    -------
    Estimates
        Kind "reliability": rows by outcome (the scale), `visit` and `term` ("alpha", "omega"), from the subjects who
        answered every item at the visit (`n`). The standard error of alpha is Bonett's. Omega is that of the plain sum
        of the items, with the variance that the factor model implies as denominator; it needs three items, and has no
        interval where an item's own variance is estimated as 0. Negative correlations of an item with the rest bring a
        notice (`N-INSTRUMENT-TURNED`).

    Raises
    ------
    StudyError
        `E-STUDY-COLUMN` for items that are not there or no numbers, `E-STUDY-VALUE` for fewer than two items,
        `E-STUDY-INSTRUMENT` as `score`, `E-STUDY-OPTION`.

    Notes
    -----
    Source: Cronbach 1951; Feldt 1965; Bonett 2002; McDonald 1999; Raykov 2001; see `engine.reliability`.

    Examples
    --------
    >>> frame = pd.DataFrame({"a": [1, 2, 3, 4, 2], "b": [2, 2, 4, 4, 1], "c": [1, 3, 3, 5, 2]})
    >>> found = reliability(frame, {"strain": ["a", "b", "c"]}).frame
    >>> round(float(found.loc[found["term"].eq("alpha"), "estimate"].iloc[0]), 3)
    0.92
    """
    one_of("interval", interval, INTERVALS)
    frame = data.data if isinstance(data, Cohort) else data
    scales = _scales(frame, items, instrument, reverse)
    places = _places(data)
    rows, notices = [], []
    for scale in scales.values():
        values = np.column_stack([frame[name].to_numpy(dtype=float) for name in scale.items]) * scale.signs
        complete = ~np.isnan(values).any(axis=1)
        for label, at in places:
            Y = values[complete & at]
            rows += _consistency(Y, scale.name, label, interval, conf_level)
            notices += _turned(Y, scale, label)
    return Estimates(
        frame=pd.DataFrame(rows),
        vcov=own_variances(rows),
        about=About(
            kind="reliability",
            outcomes={scale.name: scale.label for scale in scales.values()},
            visit_years=data.visits.by_label() if isinstance(data, Cohort) else {},
            factors=("visit", "term"),
            conf_level=conf_level,
            notes=(
                f"Alpha: Cronbach's, its interval {INTERVALS[interval]}.",
                "Omega: McDonald's total, of one factor fitted by maximum likelihood, its interval on the logit scale.",
                "From subjects who answered every item of the scale at the visit.",
            ),
            min_cell=data.policy.min_cell if isinstance(data, Cohort) else Policy().min_cell,
        ),
        notices=tuple(dict.fromkeys(notices)),
    )


def reliability_from_summaries(
    *, alpha: float, n: int, n_items: int, name: str = "score", interval: str = "feldt", conf_level: float = 0.95
) -> Estimates:
    """The interval of an alpha that a paper prints, from the number of subjects and of items.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for an alpha above 1, fewer than 3 subjects or 2 items; `E-STUDY-OPTION`.

    Examples
    --------
    >>> found = reliability_from_summaries(alpha=0.90, n=227, n_items=9).frame
    >>> found[["conf_low", "conf_high"]].round(3).to_numpy().tolist()
    [[0.879, 0.918]]
    """
    one_of("interval", interval, INTERVALS)
    if not alpha <= 1 or n < 3 or n_items < 2:
        raise StudyError(
            "E-STUDY-VALUE",
            f"Alpha is {alpha}, n is {n}, n_items is {n_items}.",
            "Alpha is at most 1, of at least 3 subjects and 2 items.",
            "Write for example reliability_from_summaries(alpha=0.90, n=227, n_items=9).",
        )
    found = engine.alpha_interval(alpha, n, n_items, conf_level=conf_level, method=interval)
    rows = [coefficient(name, ALL, "alpha", found, n, METHODS["alpha"])]
    return Estimates(
        frame=pd.DataFrame(rows),
        vcov=own_variances(rows),
        about=About(
            kind="reliability",
            outcomes={name: name},
            factors=("visit", "term"),
            conf_level=conf_level,
            notes=(f"Alpha: as printed, its interval {INTERVALS[interval]}.",),
        ),
    )


# ---- the numbers ---------------------------------------------------------------------------------------------------


def _consistency(Y: Array, scale: str, visit: str, interval: str, conf_level: float) -> list[dict[str, object]]:
    n, k = Y.shape
    S = np.cov(Y, rowvar=False) if n > 1 else np.full((k, k), np.nan)
    nothing = engine.Interval(estimate=np.nan, std_error=np.nan, conf_low=np.nan, conf_high=np.nan)
    varies = n > k and bool((np.diag(S) > 0).all())
    found = engine.alpha_interval(engine.alpha(S), n, k, conf_level=conf_level, method=interval) if varies else nothing
    rows = [coefficient(scale, visit, "alpha", found, n, METHODS["alpha"])]
    if k >= 3:
        solid = varies and np.linalg.cond(S / np.sqrt(np.outer(np.diag(S), np.diag(S)))) < 1e10
        found = engine.omega(engine.one_factor(S, n), conf_level=conf_level) if solid else nothing
        rows.append(coefficient(scale, visit, "omega", found, n, METHODS["omega"]))
    return rows


def coefficient(scale: str, visit: str, term: str, found: engine.Interval, n: int, method: str) -> dict[str, object]:
    """A row of Estimates."""
    return {
        "outcome": scale,
        "visit": visit,
        "term": term,
        "estimate": found.estimate,
        "std_error": found.std_error,
        "df": np.nan,
        "statistic": np.nan,
        "p_value": np.nan,
        "conf_low": found.conf_low,
        "conf_high": found.conf_high,
        "n": n,
        "method": method,
    }


def own_variances(rows: Sequence[Mapping[str, object]]) -> Array:
    """The variances of the rows; how the rows vary together is not known."""
    vcov = np.full((len(rows), len(rows)), np.nan)
    np.fill_diagonal(vcov, np.square([float(row["std_error"]) for row in rows]))  # type: ignore[arg-type]
    return vcov


# ---- what is asked -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Scale:
    name: str
    label: str
    items: tuple[str, ...]
    signs: Array


def _scales(
    frame: pd.DataFrame,
    items: str | Sequence[str] | Mapping[str, str | Sequence[str]] | None,
    instrument: str | Instrument | None,
    reverse: Iterable[str],
) -> dict[str, _Scale]:
    present = [str(name) for name in frame.columns]
    turned = {reverse} if isinstance(reverse, str) else set(reverse)
    labels: dict[str, str] = {}
    if instrument is not None:
        key = instrument if isinstance(instrument, Instrument) else instrument_by_key(instrument)
        named = columns_of(key, items, [name for name in present if pd.api.types.is_numeric_dtype(frame[name])])
        for name, columns in named.items():
            labels[name] = key.subscales[name].label
            own = key.subscales[name].items
            turned |= {column for item, column in zip(own, columns, strict=False) if item in key.reverse}
    elif isinstance(items, Mapping):
        named = {name: (own,) if isinstance(own, str) else tuple(own) for name, own in items.items()}
    else:
        named = {"scale": (items,) if isinstance(items, str) else tuple(items or ())}
    for name, columns in named.items():
        for column in columns:
            if column not in present or not pd.api.types.is_numeric_dtype(frame[column]):
                raise StudyError(
                    "E-STUDY-COLUMN",
                    f"Item `{column}` is not a numeric column.",
                    f"The columns are: {', '.join(present[:12])}{' ...' if len(present) > 12 else ''}.",
                    did_you_mean(column, present),
                )
        if len(set(columns)) < 2:
            raise StudyError(
                "E-STUDY-VALUE",
                f"The scale `{name}` has {len(set(columns))} item{'' if len(set(columns)) == 1 else 's'}.",
                "Internal consistency needs two, and omega three.",
                "Name its items, or ask describe.test_retest() for a single item.",
            )
    unknown = sorted(turned - {column for columns in named.values() for column in columns})
    if unknown:
        raise StudyError(
            "E-STUDY-COLUMN", f"`reverse` names `{unknown[0]}`, which is not an item.", "", "Name items of the scales."
        )
    return {
        name: _Scale(
            name=name,
            label=labels.get(name, name),
            items=tuple(columns),
            signs=np.array([-1.0 if column in turned else 1.0 for column in columns]),
        )
        for name, columns in named.items()
    }


def _places(data: Cohort | pd.DataFrame) -> list[tuple[str, NDArray[np.bool_]]]:
    if not isinstance(data, Cohort):
        return [(ALL, np.ones(len(data), dtype=bool))]
    visit = data.data["visit"].cat.codes.to_numpy()
    return [(label, visit == at) for at, label in enumerate(data.visits.labels)]


def _turned(Y: Array, scale: _Scale, visit: str) -> list[Notice]:
    if len(Y) < 30:
        return []
    rest = engine.item_rest(np.cov(Y, rowvar=False))
    against = [name for name, r in zip(scale.items, rest, strict=True) if r < -0.1]
    if not against:
        return []
    return [
        Notice(
            "N-INSTRUMENT-TURNED",
            f"Of `{scale.name}` at {visit}, {', '.join(f'`{name}`' for name in against)} correlate"
            f"{'s' if len(against) == 1 else ''} negatively with the other items.",
            "Such an item is usually worded the other way round and was not turned: see `reverse`.",
        )
    ]
