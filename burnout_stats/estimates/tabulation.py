"""Estimates and Summaries as a `Table`, through the gate for privacy.

It is what notebooks show, and what the builders in `tables` start from.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from ..display import Cell, Column, Hidden, Interval, Missing, Row, Table
from ..display.styles import decimals_from
from .disclosure import HIDDEN, Results, protect
from .estimates import NUMBERS, About, Estimates
from .quantities import QUANTITIES, RATIOS, decimals_of_ratio
from .summaries import Summaries

__all__ = [
    "DF_NAMES",
    "WITHOUT_N",
    "heading",
    "hidden_note",
    "in_sentence",
    "percent_of",
    "scale_note",
    "shown",
    "summary_cell",
    "tabulate",
]

DF_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "kenward-roger": "Kenward-Roger",
        "kenward-roger-expected": "Kenward-Roger (expected information)",
        "satterthwaite": "Satterthwaite",
        "between-within": "between-within",
        "residual": "residual",
        "asymptotic": "asymptotic (normal distribution)",
        "subjects": "subjects less coefficients",
        "fay-graubard": "Fay & Graubard",
        "pan-wall": "Pan & Wall",
    }
)
"""The methods for degrees of freedom as people write them."""

_TITLES = {
    "reproduction": "Printed and reproduced",
    "as_printed": "The plan as printed",
    "reconstruction": "Reconstructed to the printed digits",
    "change_regression": "What goes with the fall",
    "specification_curve": "The analyst's choices",
    "left_out": "With a part left out",
    "joint_contrasts": "Contrasts tested together",
    "change_correlations": "Correlations between changes",
    "global_change": "Global change",
    "outcome_tests": "Tests over outcomes",
    "negative_control": "Beside negative controls",
    "exact_time": "Nominal and exact times",
    "singled_out": "Who stands out",
    "change_scores": "Scores before and after",
    "between_arms": "Change between arms",
    "person_effect_sizes": "Improvement of each person, in SDs at baseline",
    "caseness": "Cases",
    "caseness_change": "Change in cases",
    "transitions": "Movement between states",
    "rm_anova": "Repeated-measures analysis of variance",
    "level_and_change": "Change against level",
    "paths": "Paths",
    "artefact_check": "Artefact checks",
    "fit_indices": "Fit",
    "latent_changes": "Changes, observed and latent",
    "growth": "Growth",
    "model_comparison": "Shapes of growth",
    "mediation": "Mediation through change",
    "invariance": "Measurement invariance over visits",
    "means": "Estimated means",
    "contrasts": "Contrasts",
    "coefficients": "Coefficients",
    "tests": "Tests",
    "noninferiority": "Non-inferiority",
    "odds_ratios": "Odds ratios",
    "numbers_needed": "Numbers needed",
    "risk_ratios": "Risk ratios",
    "rate_ratios": "Rate ratios",
    "attrition": "Completed and lost at baseline",
    "baseline": "Characteristics at baseline",
    "follow_up": "Years since baseline",
    "missing_values": "What stood in place of a value",
    "floor_ceiling": "Scores at the ends of the scale",
    "reliability": "Reliability",
    "test_retest": "Test-retest reliability",
    "against_norm": "Against the norm",
    "share_against_norm": "Share against the norm",
    "screening": "Screening accuracy",
    "consistency": "Consistency",
    "follow_up_weights": "Weights by the probability of being seen",
    "balance": "Those seen against everybody",
    "bounds": "What the missing scores allow",
    "triangulation": "The change under different assumptions about missing scores",
    "regression_to_the_mean": "Regression to the mean",
    "stability_curve": "Regression to the mean over stabilities",
    "mee_chua": "Change at the norm mean",
    "mee_chua_range": "Change over norm means",
    "strategies": "Under other assumptions about missing scores",
    "continuous_time": "Panel in continuous time",
    "continuous_time_residuals": "Observed minus implied, panel in continuous time",
    "lags": "Coefficients by lag",
    "tipping_point": "Tipping point",
    "tipping_share": "Tipping share",
    "tipping_map": "Tipping map",
    "simulated_power": "By simulation",
    "power": "Power and precision",
    "power_curve": "Power and precision by number of persons and difference",
    "expected_fall": "What is expected without help",
    "assurance": "Assurance",
    "validation": "Simulation study",
}
_ESTIMATE = {
    "reproduction": "Synthetic median",
    "as_printed": "This cohort",
    "reconstruction": "Reconstructed",
    "specification_curve": "Difference",
    "left_out": "Difference",
    "joint_contrasts": "Difference",
    "change_correlations": "Correlation",
    "global_change": "Improvement",
    "negative_control": "Difference",
    "fit_indices": "Value",
    "change": "Change",
    "between_arms": "Difference",
    "caseness": "Proportion",
    "caseness_change": "Change",
    "rm_anova": "Eta squared",
    "sphericity": "Value",
    "means": "Mean",
    "contrasts": "Difference",
    "slopes": "Slope",
    "gain_kept": "Share",
    "area_under_curve": "Area",
    "noninferiority": "Difference",
    "odds_ratios": "Odds ratio",
    "numbers_needed": "Number needed",
    "risk_ratios": "Risk ratio",
    "rate_ratios": "Rate ratio",
    "consistency": "Recomputed",
    "bounds": "Change",
    "triangulation": "Change",
    "strategies": "Difference",
    "tipping_point": "Difference",
    "tipping_share": "Difference",
    "tipping_map": "Difference",
    "simulated_power": "Value",
    "power": "Value",
    "power_curve": "Value",
    "expected_fall": "Value",
    "assurance": "Value",
    "validation": "Value",
}
_INTERVAL = {"bounds": "Limits", "consistency": "Range", "reproduction": "95% of replicates"}
"""Kinds whose two limits are no confidence interval."""
_WITHOUT = {
    "continuous_time_residuals": frozenset({"std_error", "conf", "df", "statistic", "p_value"}),
    "caseness": frozenset({"df", "statistic", "p_value"}),
    "person_effect_sizes": frozenset({"std_error", "df", "statistic", "p_value"}),
    "caseness_change": frozenset({"df"}),
    "rm_anova": frozenset({"std_error"}),
    "sphericity": frozenset({"conf", "std_error"}),
    "reliability": frozenset({"df", "statistic", "p_value"}),
    "test_retest": frozenset({"df", "statistic", "p_value"}),
    "tests": frozenset({"estimate", "conf", "std_error"}),
    "outcome_tests": frozenset({"estimate", "conf", "std_error"}),
    "change_correlations": frozenset({"df"}),
    "standardized_differences": frozenset({"df", "statistic", "p_value"}),
    "screening": frozenset({"df", "statistic", "p_value"}),
    "share_against_norm": frozenset({"std_error", "df", "statistic", "p_value"}),
    "consistency": frozenset({"std_error", "df", "statistic", "p_value", "n"}),
    "as_printed": frozenset({"conf", "std_error", "df", "statistic", "p_value"}),
    "reproduction": frozenset({"std_error", "df", "statistic", "p_value", "n"}),
    "reconstruction": frozenset({"conf", "std_error", "df", "statistic", "p_value", "n"}),
    "numbers_needed": frozenset({"std_error", "df", "statistic"}),
    "paths": frozenset({"df"}),
    "artefact_check": frozenset({"df"}),
    "fit_indices": frozenset({"std_error", "statistic"}),
    "latent_changes": frozenset({"df", "statistic"}),
    "growth": frozenset({"df", "statistic"}),
    "mediation": frozenset({"df", "statistic"}),
    "bounds": frozenset({"df", "statistic", "p_value"}),
    "triangulation": frozenset({"df", "statistic"}),
    "simulated_power": frozenset({"df", "statistic", "p_value"}),
    "power": frozenset({"statistic", "p_value"}),
    "power_curve": frozenset({"conf", "std_error", "statistic", "p_value"}),
    "expected_fall": frozenset({"conf", "std_error", "statistic", "p_value"}),
    "assurance": frozenset({"df", "statistic", "p_value"}),
    "validation": frozenset({"df", "statistic", "p_value"}),
}
"""Numbers that results of a kind do not have."""
_DOWN = frozenset({"baseline"})
"""Kinds whose statistics stand under each other, because their variables have different ones."""
_MIXED = frozenset({"sphericity", "attrition"})
"""Kinds with several tests in one column."""
_COUNTS = frozenset({"n", "missing", "count", "n_subjects", "n_obs"})
_NOT_ESTIMABLE = Missing("not estimable from these data")
_NO_NUMBER = Missing("not available")


WITHOUT_N = ("estimate", "conf", "std_error", "num_df", "df", "statistic", "p_value")
"""Columns of several tables of one cohort shown side by side: their counts could be subtracted from each other, which
only the gate over a whole report watches.
"""


def percent_of(conf_level: float) -> str:
    """The coverage of an interval as people write it.

    >>> percent_of(0.95), percent_of(0.975)
    ('95%', '97.5%')
    """
    return f"{round(100 * conf_level, 6):g}%"


def shown(results: Results) -> Results:
    """The results as they may be shown: protected under their own policy."""
    return protect(results, results.about.policy)


_EACH_ITS_OWN = frozenset({"as_printed", "reproduction", "simulated_power", "assurance", "validation"})
"""Kinds whose rows are numbers of different scales, so that one standard error says nothing of another row."""


def tabulate(
    results: Estimates | Summaries,
    *,
    title: str = "",
    columns: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
    beside: Sequence[tuple[Column, Sequence[Cell]]] = (),
    decimals: int | None = None,
    per_row: bool = False,
) -> Table:
    """A table of everything in the results that may be shown.

    Parameters
    ----------
    results : Estimates or Summaries
    title : caption; where empty, made from the kind of the results
    columns : the numbers to show, of `estimate`, `conf`, `std_error`, `num_df`, `df`, `statistic`, `p_value`, `n`; all
        where empty
    headers : other headers by column
    beside : further columns with a cell for each row of the frame
    decimals : of estimates and limits; where None, from the standard errors of an outcome, or with `per_row` from each
        row's own
    """
    if isinstance(results, Summaries):
        return _summaries(shown(results), title)
    safe = shown(results)
    frame, about = safe.frame, safe.about
    by = [name for name in about.by if name in frame]
    naming = [name for name in frame.columns if name not in {"outcome", *NUMBERS, "n", "method", HIDDEN}]
    stub = [name for name in naming if name not in by] or naming
    by = [name for name in by if name not in stub]
    numbers = [column for key, column in _columns(frame, about, headers or {}).items() if not columns or key in columns]
    digits = _decimals(frame, decimals, per_row or results.about.kind in _EACH_ITS_OWN)
    if decimals is None and about.kind in RATIOS and "contrast" in frame:
        limits = frame[["estimate", "conf_low", "conf_high"]].to_numpy(dtype=float)
        digits = [decimals_of_ratio(*row) for row in limits]
    rows = []
    for place, record in enumerate(frame.to_dict("records")):
        cells: list[Cell] = [_label(record[name]) for name in stub]
        cells += [
            Hidden()
            if column.key == "n" and about.n_withheld and np.isnan(_float(record["n"]))
            else _cell(record, column.key)
            for column in numbers
        ]
        cells += [column[place] for _, column in beside]
        rows.append(Row(tuple(cells), _group(record, frame, about, by), digits[place]))
    groups = list(dict.fromkeys(row.group for row in rows))
    labels = [Column(name, heading(name), "contrast" if name == "contrast" else "label") for name in stub]
    return Table(
        title=title or _title(about, frame),
        columns=(*labels, *numbers, *(column for column, _ in beside)),
        rows=tuple(sorted(rows, key=lambda row: groups.index(row.group))),
        notes=_notes(safe),
    )


def _label(value: object) -> str:
    """What names a row; a number without the digits of its rounding."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _columns(frame: pd.DataFrame, about: About, headers: Mapping[str, str]) -> dict[str, Column]:
    infinite = bool(np.isinf(frame["df"].to_numpy(dtype=float)).all()) and len(frame) > 0
    statistic = "F" if "num_df" in frame else "z" if infinite else "t"
    statistic = "Statistic" if about.kind in _MIXED else statistic
    all_columns = (
        Column("estimate", _estimate(about), "estimate"),
        Column("conf", _INTERVAL.get(about.kind, f"{percent_of(about.conf_level)} CI"), "interval"),
        Column("std_error", "SE", "estimate"),
        Column("num_df", "numerator df", "df"),
        Column("df", "df", "df", symbol=True),
        Column("statistic", statistic, "statistic", symbol=len(statistic) == 1),
        Column("p_value", "p", "p", symbol=True),
        Column("n", "n", "count", symbol=True),
    )
    present = {column.key: column for column in all_columns if column.key in frame or column.key == "conf"}
    present = {key: column for key, column in present.items() if key not in _WITHOUT.get(about.kind, ())}
    if about.kind == "means" and about.quantity and frame["statistic"].isna().all():  # nobody asks if it is 0
        present = {key: column for key, column in present.items() if key not in {"statistic", "p_value"}}
    return {key: replace(column, header=headers.get(key, column.header)) for key, column in present.items()}


def _estimate(about: About) -> str:
    """What the column of estimates is called."""
    if about.quantity and about.kind in ("means", "contrasts"):
        quantity = QUANTITIES[about.quantity]
        return quantity.mean if about.kind == "means" else quantity.difference
    return _ESTIMATE.get(about.kind, "Estimate")


def _decimals(frame: pd.DataFrame, decimals: int | None, per_row: bool) -> list[int]:
    if decimals is not None or "std_error" not in frame:
        return [2 if decimals is None else decimals] * len(frame)
    if per_row:
        return [decimals_from([se]) for se in frame["std_error"]]
    shared = {outcome: decimals_from(rows["std_error"]) for outcome, rows in frame.groupby("outcome", sort=False)}
    return [shared[outcome] for outcome in frame["outcome"]]


def _cell(record: Mapping[Hashable, object], key: str) -> Cell:
    if record[HIDDEN]:
        return Hidden()
    absent = _NO_NUMBER if key == "n" or not np.isnan(_float(record["estimate"])) else _NOT_ESTIMABLE
    if key == "conf":
        low, high = _float(record["conf_low"]), _float(record["conf_high"])
        return absent if np.isnan(low) or np.isnan(high) else Interval(low, high)
    value = _float(record[key])
    if np.isnan(value):
        return absent
    return int(value) if key == "n" else value


def _float(value: object) -> float:
    return float(value)  # type: ignore[arg-type]  # a number of the frame, or its NaN


def _group(record: Mapping[Hashable, object], frame: pd.DataFrame, about: About, by: Sequence[str]) -> str:
    outcome = str(record["outcome"])
    names = [about.outcomes.get(outcome, outcome)] if frame["outcome"].nunique() > 1 else []
    return " · ".join([*names, *(f"{heading(name)}: {record[name]}" for name in by)])


def heading(name: str) -> str:
    """The name of a column as a heading."""
    return name[:1].upper() + name[1:].replace("_", " ")


def in_sentence(label: str) -> str:
    """A label as it stands inside a sentence.

    >>> in_sentence("Job stress"), in_sentence("HADS depression")
    ('job stress', 'HADS depression')
    """
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def _title(about: About, frame: pd.DataFrame) -> str:
    kind = _TITLES.get(about.kind, heading(about.kind))
    if about.kind == "means" and about.quantity:
        kind = QUANTITIES[about.quantity].mean
    outcomes = list(dict.fromkeys(frame["outcome"]))
    return f"{kind}: {about.outcomes.get(outcomes[0], outcomes[0])}" if len(outcomes) == 1 else kind


def _notes(results: Estimates) -> tuple[str, ...]:
    about, frame = results.about, results.frame
    notes = [note for name in dict.fromkeys(frame["outcome"]) if (note := scale_note(about, str(name)))]
    notes += about.notes
    said = " ".join(about.notes).casefold()
    if about.df_method and "degrees of freedom" not in said:
        notes.append(f"Degrees of freedom: {DF_NAMES.get(about.df_method, about.df_method)}.")
    if about.adjust != "none" and about.adjust not in said:
        notes.append(f"p values adjusted for several tests ({heading(about.adjust)}).")
    return (*notes, *hidden_note(results))


def scale_note(about: About, outcome: str) -> str:
    """What the scale of an outcome is, as far as anyone said."""
    parts = []
    if outcome in about.ranges:
        low, high = about.ranges[outcome]
        parts.append(f"scale {low:g} to {high:g}")
    if about.units.get(outcome):
        parts.append(f"in {about.units[outcome]}")
    if about.better.get(outcome):
        parts.append(f"{about.better[outcome]} is better")
    return f"{about.outcomes.get(outcome, outcome)}: {', '.join(parts)}." if parts else ""


def hidden_note(results: Estimates | Summaries) -> tuple[str, ...]:
    """The note that explains hidden cells, where there are any."""
    if HIDDEN not in results.frame or not results.frame[HIDDEN].any():
        return ()
    few = results.about.min_cell
    return (f"hidden: rests on fewer than {few} persons, or would tell a number that does.",)


def _summaries(results: Summaries, title: str) -> Table:
    """A row for each level of each variable, a column for each statistic; groups stand side by side under spanners."""
    if results.about.kind in _DOWN:
        return _statistics_down(results, title)
    frame, about = results.frame, results.about
    by = [name for name in about.by if name in frame]
    cells: dict[tuple[str, str], dict[tuple[str, str], Cell]] = {}
    columns: dict[tuple[str, str], Column] = {}
    for record in frame.to_dict("records"):
        group = " · ".join(f"{heading(name)}: {record[name]}" for name in by)
        key = (group, str(record["statistic"]))
        cells.setdefault((str(record["variable"]), str(record["level"])), {})[key] = summary_cell(record)
        columns.setdefault(key, _statistic(*key))
    groups = list(dict.fromkeys(group for group, _ in columns))
    order = sorted(columns, key=lambda key: groups.index(key[0]))
    return Table(
        title=title or _TITLES.get(about.kind, heading(about.kind)),
        columns=(Column("level", "Level"), *(columns[key] for key in order)),
        rows=tuple(
            Row((level, *(row.get(key) for key in order)), about.outcomes.get(variable, heading(variable)))
            for (variable, level), row in cells.items()
        ),
        notes=(*about.notes, *hidden_note(results)),
    )


def _statistics_down(results: Summaries, title: str) -> Table:
    """A row for each statistic of each level of each variable, a column for each group."""
    frame, about = results.frame, results.about
    by = [name for name in about.by if name in frame]
    cells: dict[tuple[str, str, str], dict[str, Cell]] = {}
    for record in frame.to_dict("records"):
        group = " · ".join(str(record[name]) for name in by)
        key = (str(record["variable"]), str(record["level"]), str(record["statistic"]))
        cells.setdefault(key, {})[group] = summary_cell(record)
    groups = list(dict.fromkeys(group for row in cells.values() for group in row))
    return Table(
        title=title or _TITLES.get(about.kind, heading(about.kind)),
        columns=(
            Column("level", "Level"),
            Column("statistic", "Statistic"),
            *(Column(group or "value", group or "All", "estimate") for group in groups),
        ),
        rows=tuple(
            Row(
                (level, _statistic("", statistic).header, *(row.get(group, "") for group in groups)),
                about.outcomes.get(variable, heading(variable)),
                0 if statistic in _COUNTS else 1 if statistic == "percent" else 2,
            )
            for (variable, level, statistic), row in cells.items()
        ),
        notes=(*about.notes, *hidden_note(results)),
    )


def summary_cell(record: Mapping[Hashable, object]) -> Cell:
    """The value of one row of Summaries as it may be shown; counts are whole numbers."""
    if record[HIDDEN]:
        return Hidden()
    value = _float(record["value"])
    if np.isnan(value):
        return Missing()
    return int(value) if record["statistic"] in _COUNTS else value


def _statistic(group: str, name: str) -> Column:
    key = f"{name} {group}".strip()
    if name == "percent":
        return Column(key, "%", "percent", spanner=group)
    if name in _COUNTS:
        return Column(key, "n" if name == "n" else heading(name), "count", symbol=name == "n", spanner=group)
    return Column(key, name.upper() if name in {"sd", "smd"} else heading(name), "estimate", spanner=group)
