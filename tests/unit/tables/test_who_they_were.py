"""Table 1, attrition, the model of dropout and patterns of missing values as tables."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from cohorts import burnout_200

from burnout_stats import describe, tables
from burnout_stats.display import Hidden, Interval, Pair, Table, to_csv, to_html, to_text
from burnout_stats.errors import StudyError
from burnout_stats.estimates import Policy, Sample, protect

PRINTED = {
    "Emotional exhaustion": (Sample(3.01, 0.94, 184), Sample(3.33, 0.88, 43)),
    "Job stress": (Sample(2.39, 0.72, 184), Sample(2.65, 0.74, 43)),
    "Sex": {"women": (101, 16), "men": (83, 27)},
}
LOST = describe.Completed("v3")


@cache
def by_completion(**options: object) -> object:
    return describe.baseline(burnout_200(), LOST, ["sex", "age", "EE"], **options)  # type: ignore[arg-type]


ALL: dict[str, Callable[[], Table]] = {
    "baseline": lambda: tables.baseline(
        describe.baseline(burnout_200(), LOST, medians=["EE"]), describe.standardized_differences(burnout_200(), LOST)
    ),
    "baseline_printed": lambda: tables.baseline(describe.baseline_from_summaries(PRINTED)),
    "standardized_differences": lambda: tables.standardized_differences(
        describe.standardized_differences_from_summaries(PRINTED)
    ),
    "attrition": lambda: tables.attrition(
        describe.attrition_from_summaries(PRINTED), describe.baseline_from_summaries(PRINTED)
    ),
    "attrition_alone": lambda: tables.attrition(describe.attrition_from_summaries(PRINTED, count_test="fisher")),
    "dropout_model": lambda: tables.dropout_model(describe.dropout_model(burnout_200(), "sex + EE + age", "v3")),
    "missingness": lambda: tables.missingness(describe.missingness(burnout_200(), by="sex")),
    "missing_values": lambda: tables.missing_values(describe.missing_values(burnout_200())),
}


@pytest.mark.pinned  # the CSV has all digits
@pytest.mark.parametrize("name", ALL)
def test_approved_texts(name: str, snapshot: Callable[[str, str], None]) -> None:
    table = ALL[name]()
    snapshot(f"tables/{name}.txt", f"{to_text(table)}\n\n{to_csv(table)}")
    assert to_html(table).count('scope="row"') == len(table)


@pytest.mark.parametrize("verb", sorted({name.split("_printed")[0].split("_alone")[0] for name in ALL}))
@pytest.mark.raises_code("E-STUDY-VALUE")
def test_results_of_another_kind_are_refused(verb: str) -> None:
    wrong = describe.flow(burnout_200())
    with pytest.raises(StudyError):
        getattr(tables, verb)(wrong)


def test_every_variable_has_a_row_for_missing() -> None:
    table = tables.baseline(by_completion())  # type: ignore[arg-type]
    groups = {row.group for row in table.rows}
    assert {row.group for row in table.rows if row.cells[0] == "Missing"} == groups == {"Sex", "Age (years)", "EE"}
    assert [column.header for column in table.columns[1:]] == [
        "Completed (N = 157)",
        "Lost (N = 43)",
        "Overall (N = 200)",
        "SMD",
    ]


def test_limits_stand_beside_the_differences() -> None:
    table = tables.baseline(
        by_completion(),  # type: ignore[arg-type]
        describe.standardized_differences(burnout_200(), LOST, ["sex", "age", "EE"], conf_level=0.9),
    )
    assert table.columns[-1].header == "90% CI"
    firsts = [row for place, row in enumerate(table.rows) if place == 0 or row.group != table.rows[place - 1].group]
    for row in firsts:
        difference, limits = row.cells[-2:]
        assert isinstance(limits, Interval)
        assert isinstance(difference, float)
        assert limits.low < difference < limits.high


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_limits_of_several_pairs_do_not_fit_beside_one_difference() -> None:
    cohort = burnout_200()
    with pytest.raises(StudyError, match="10 pairs"):
        tables.baseline(
            describe.baseline(cohort, "specialty", ["EE"]),
            describe.standardized_differences(cohort, "specialty", ["EE"]),
        )


def test_medians_are_named_in_both_tables() -> None:
    medians = describe.baseline(burnout_200(), LOST, ["EE"], medians=["EE"])
    assert tables.baseline(medians).rows[0].cells[0] == "Median (quartiles)"
    row = tables.attrition(describe.attrition(burnout_200(), "v3", ["EE"]), medians).rows[0]
    assert row.cells[0] == "Median (quartiles)"
    assert isinstance(row.cells[1], Pair)
    assert isinstance(row.cells[1].second, Interval)


def test_the_table_of_attrition_says_what_the_paper_printed() -> None:
    cells = [row.cells for row in ALL["attrition"]().rows]
    assert cells[0][1:3] == (Pair(3.01, 0.94, (2, 2)), Pair(3.33, 0.88, (2, 2)))
    text = to_text(ALL["attrition"]())
    assert all(number in text for number in ("2.03", "2.12", "4.36", "0.037", "80.1 to 92.6", "67.4 to 83.5"))


def test_few_are_hidden_in_every_cell_that_would_tell() -> None:
    counts = {"sex": {"women": (101, 3), "men": (83, 40)}}
    found = protect(describe.attrition_from_summaries(counts), Policy(5))
    assert all(Hidden() in row.cells and not any(isinstance(cell, float) for cell in row.cells)
               for row in tables.attrition(found).rows)  # fmt: skip
    strict = protect(describe.baseline(burnout_200(), "specialty", ["sex"]), Policy(12))
    row = next(row for row in tables.baseline(strict).rows if row.cells[0] == "M, n (%)")
    assert row.cells[2] == Hidden()  # 11 men in family medicine
    assert sum(cell == Hidden() for cell in row.cells) >= 2
