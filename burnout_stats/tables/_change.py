"""Observed change as a table, with the scores before and after and the change in standard deviations beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..display import Cell, Column, Hidden, Interval, Missing, Table
from ..errors import StudyError
from ..estimates import Estimates, Summaries
from ..estimates.disclosure import HIDDEN
from ..estimates.tabulation import percent_of, shown, summary_cell, tabulate
from ._kinds import expect

__all__ = ["change"]

Key = tuple[str, ...]
BESIDE = (
    ("mean_before", "Mean", "Before"),
    ("sd_before", "SD", "Before"),
    ("mean_after", "Mean", "After"),
    ("sd_after", "SD", "After"),
    ("sd_change", "SD of change", ""),
    ("correlation", "r", ""),
)


def change(
    estimates: Estimates,
    scores: Summaries | None = None,
    standardized: Estimates | None = None,
    *,
    title: str = "",
    decimals: int | None = None,
) -> Table:
    """Change with its interval, standard error, test and n; the scores and the standardized change beside it.

    Parameters
    ----------
    estimates : Estimates
        From `describe.change`, `describe.rm_anova_contrasts` or `describe.change_from_summaries`.
    scores : Summaries, optional
        From `describe.change_scores` of the same visits and groups: mean and SD before and after of those seen at both,
        SD of the change, correlation; and how many were seen at the later visit at all.
    standardized : Estimates, optional
        From `describe.standardized_change` of the same rows; its note names the standard deviation.
    title : str, optional
        The caption.
    decimals : int, optional
        Of estimates, limits and standard errors; where left out, from the standard errors.

    Raises
    ------
    StudyError
        `E-STUDY-VALUE` for results of another kind, or of other rows.
    """
    expect(estimates, "change", "describe.change()")
    by = list(estimates.about.by)
    keys = [tuple(map(str, row)) for row in estimates.frame[["outcome", "contrast", *by]].itertuples(index=False)]
    beside: list[tuple[Column, Sequence[Cell]]] = []
    notes: tuple[str, ...] = ()
    if scores is not None:
        expect(scores, "change_scores", "describe.change_scores()")
        beside += _scores(scores, keys, by, _later(estimates))
        notes += scores.about.notes
    if standardized is not None:
        expect(standardized, "effect_sizes", "describe.standardized_change()")
        beside += _standardized(standardized, keys, by)
        notes += standardized.about.notes
    by_rank = len(estimates.frame) > 0 and bool(estimates.frame["std_error"].isna().all())
    columns = ("estimate", "conf", *(() if by_rank else ("std_error", "df")), "statistic", "p_value", "n")
    table = tabulate(
        estimates,
        title=title,
        columns=columns,
        headers={"estimate": "Change", "n": "n, both visits"},
        beside=beside,
        decimals=decimals,
    )
    return _scores_first(replace(table, notes=tuple(dict.fromkeys((*table.notes, *notes)))))


def _scores_first(table: Table) -> Table:
    """The scores before and after stand before the change that is made of them."""
    first = [at for at, column in enumerate(table.columns) if column.spanner in {"Before", "After"}]
    labels = [at for at, column in enumerate(table.columns) if column.kind in {"label", "contrast"}]
    order = [*labels, *first, *(at for at in range(len(table.columns)) if at not in {*labels, *first})]
    rows = tuple(replace(row, cells=tuple(row.cells[at] for at in order)) for row in table.rows)
    return replace(table, columns=tuple(table.columns[at] for at in order), rows=rows)


def _later(estimates: Estimates) -> Mapping[str, str]:
    """The later visit of each change."""
    visits = list(estimates.about.visit_years)
    return {f"{later} - {earlier}": later for later in visits for earlier in visits if later != earlier}


def _scores(
    scores: Summaries, keys: Sequence[Key], by: Sequence[str], later: Mapping[str, str]
) -> list[tuple[Column, Sequence[Cell]]]:
    found: dict[tuple[Key, str], Cell] = {}
    for record in shown(scores).frame.to_dict("records"):
        key = tuple(str(record[name]) for name in ("variable", "level", *by) if name in record)
        found[key, str(record["statistic"])] = summary_cell(record)
    wrong = [key for key in keys if (key, "mean_before") not in found]
    if wrong:
        raise _other_rows("scores", "describe.change_scores")
    columns: list[tuple[Column, Sequence[Cell]]] = [
        (Column(name, header, "estimate", spanner=spanner, decimals=2), [found[key, name] for key in keys])
        for name, header, spanner in BESIDE
    ]
    seen = [found.get(((key[0], later.get(key[1], ""), *key[2:]), "n"), Missing()) for key in keys]
    if any(not isinstance(cell, Missing) for cell in seen):
        columns.insert(0, (Column("n_later", "n, later visit", "count"), seen))
    return columns


def _standardized(
    standardized: Estimates, keys: Sequence[Key], by: Sequence[str]
) -> list[tuple[Column, Sequence[Cell]]]:
    safe = shown(standardized)
    found: dict[Key, tuple[Cell, Cell]] = {}
    for record in safe.frame.to_dict("records"):
        key = tuple(str(record[name]) for name in ("outcome", "contrast", *by) if name in record)
        limits = Interval(float(record["conf_low"]), float(record["conf_high"]))
        found[key] = (Hidden(), Hidden()) if record[HIDDEN] else (float(record["estimate"]), limits)
    if any(key not in found for key in keys):
        raise _other_rows("standardized changes", "describe.standardized_change")
    level = percent_of(safe.about.conf_level)
    spanner = "Standardized"
    return [
        (Column("standardized", "Change", "estimate", spanner=spanner, decimals=2), [found[key][0] for key in keys]),
        (
            Column("standardized_conf", f"{level} CI", "interval", spanner=spanner, decimals=2),
            [found[key][1] for key in keys],
        ),
    ]


def _other_rows(what: str, verb: str) -> StudyError:
    return StudyError(
        "E-STUDY-VALUE",
        f"The {what} have other rows than the changes.",
        "Both tell of the same outcomes, visits and groups.",
        f"Ask {verb} with the same outcomes, visits and by.",
    )
