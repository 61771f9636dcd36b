"""Consistency of printed numbers: what the papers print, and data that are consistent by construction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnout_stats import describe, tables
from burnout_stats.describe import (
    Printed,
    PrintedF,
    PrintedMean,
    PrintedPairs,
    PrintedPercent,
    PrintedTest,
    consistency,
)
from burnout_stats.engine.consistency import correlation, grim, grimmer, reading, stood_for, t_range
from burnout_stats.errors import StudyError


def verdicts(*checks):
    return consistency(checks).frame["verdict"].tolist()


def test_one_year_of_villa_sana():
    row = consistency(PrintedPairs("3.00", "0.94", "2.53", "0.76", t="6.76", n=185)).frame.iloc[0]
    assert round(row["estimate"], 2) == 0.40
    assert row["conf_low"] < 0.40 < row["conf_high"]
    assert row["verdict"] == "consistent"


def test_rounding_leaves_the_three_year_correlation_open():
    row = consistency(PrintedPairs(3.01, 0.94, "2.4", "0.8", t="7.6", n=169)).frame.iloc[0]
    assert (round(row["estimate"], 2), round(row["conf_low"], 2), round(row["conf_high"], 2)) == (0.29, 0.11, 0.44)


@pytest.mark.parametrize(("n", "r"), [(147, 0.38), (169, 0.29), (184, 0.22)])
def test_three_year_correlations_by_n(n, r):
    exhaustion = PrintedPairs(3.01, 0.94, 2.4, 0.8, t=7.6, n=n)
    assert round(consistency(exhaustion).frame["estimate"].iloc[0], 2) == r


@pytest.mark.parametrize(("n", "r"), [(147, 0.41), (169, 0.32), (184, 0.26)])
def test_three_year_correlations_of_job_stress(n, r):
    stress = PrintedPairs(2.39, 0.72, 1.9, 0.6, t=8.2, n=n)
    assert round(consistency(stress).frame["estimate"].iloc[0], 2) == r


def test_an_analysis_of_variance_of_villa_sana():
    found = consistency(PrintedF("33.1", "1.8", "267.0", n=147, levels=3, eta_squared=".185")).frame
    assert found["verdict"].eq("consistent").all()
    assert found["estimate"].round(3).tolist() == [1.829, 0.914, 0.185]
    assert verdicts(PrintedF("33.1", "1.8", "267.0", n=169)) == ["not consistent"]


def test_attrition_tests_of_villa_sana():
    tests = [
        PrintedTest("t", "2.03", p=".04", df=225),
        PrintedTest("t", "2.12", p=".03", df=225),
        PrintedTest("t", "2.80", p=".006", df=225),
        PrintedTest("chi2", "4.36", p=".04", df=1),
    ]
    # 2.12 may have been 2.125, with p = .0347
    assert verdicts(*tests) == ["consistent", "consistent", "consistent", "consistent"]
    assert verdicts(PrintedTest("t", "2.03", p=".03", df=225)) == ["not consistent"]


def test_a_bound_of_p():
    assert verdicts(PrintedTest("t", "6.76", p="<.001", df=184)) == ["consistent"]
    assert verdicts(PrintedTest("t", "2.0", p="<.001", df=184)) == ["not consistent"]
    assert verdicts(PrintedTest("z", "1.2", p=">.05")) == ["consistent"]


def test_percentages_as_the_paper_prints_them():
    found = consistency([PrintedPercent("35", 63, 182), PrintedPercent("6", 10, 182), PrintedPercent("7", 10, 182)])
    assert found.frame["verdict"].tolist() == ["consistent", "consistent if rounded otherwise", "not consistent"]
    assert found.frame["reading"].iloc[1] == "not by the usual roundings; within one unit of the last digit"
    assert consistency(PrintedPercent("34", 63, 182)).frame["reading"].tolist() == ["cut off after the last digit"]


def test_half_up_and_half_even_are_both_usual():
    assert verdicts(PrintedPercent("12", 1, 8), PrintedPercent("13", 1, 8)) == ["consistent", "consistent"]


def test_grim_of_the_paper():
    # Brown & Heathers' example: a mean of 3.45 of 18 whole numbers cannot be, the nearest are 3.44 and 3.50
    sums, nearest = grim(*stood_for(3.45, 0.01, "half"), 18)
    assert not sums.size
    assert round(nearest, 2) == 3.44
    assert verdicts(PrintedMean("3.45", n=18)) != ["consistent"]
    assert verdicts(PrintedMean("3.45", n=18, items=10)) == ["consistent"]


def test_grimmer():
    assert verdicts(PrintedMean("5.23", "2.55", n=31)) == ["consistent", "consistent"]
    assert verdicts(PrintedMean("5.23", "2.55", n=35))[1] != "consistent"
    assert verdicts(PrintedMean("2.74", "0.96", n=63, items=2)) == ["consistent", "consistent"]


def test_grimmer_needs_a_sum_of_squares_that_can_be():
    # ten whole numbers with mean 2.5 cannot all be equal, so their SD is at least 0.53
    assert verdicts(PrintedMean("2.5", "0.10", n=10))[1] == "not consistent"
    assert verdicts(PrintedMean("2.5", "0.24", n=10))[1] == "not consistent"  # its sum of squares is whole, and odd
    assert verdicts(PrintedMean("2.5", "0.53", n=10))[1] == "consistent"


ANSWERS = st.integers(1, 3).flatmap(
    lambda items: st.lists(st.lists(st.integers(0, 6), min_size=items, max_size=items), min_size=3, max_size=40)
)


@given(ANSWERS, st.integers(1, 3))
def test_means_and_sds_of_whole_numbers_are_always_consistent(answers, decimals):
    scores = np.mean(answers, axis=1)
    mean, sd = f"{scores.mean():.{decimals}f}", f"{scores.std(ddof=1):.{decimals}f}"
    assert set(verdicts(PrintedMean(mean, sd, n=len(scores), items=len(answers[0])))) == {"consistent"}


@given(st.integers(0, 2**32 - 1), st.integers(3, 60), st.integers(1, 3))
def test_what_is_computed_from_pairs_is_always_consistent(seed, n, decimals):
    rng = np.random.default_rng(seed)
    x = rng.normal(3, 1, n)
    y = 0.5 * x + rng.normal(1, 0.8, n)
    change = y - x
    text = {
        name: f"{value:.{decimals}f}"
        for name, value in {
            "mean_1": x.mean(),
            "sd_1": x.std(ddof=1),
            "mean_2": y.mean(),
            "sd_2": y.std(ddof=1),
            "t": -change.mean() / change.std(ddof=1) * np.sqrt(n),
            "r": np.corrcoef(x, y)[0, 1],
            "change_sd": change.std(ddof=1),
            "change": change.mean(),
        }.items()
    }
    found = consistency(PrintedPairs(**text, n=n)).frame
    assert found["verdict"].eq("consistent").all()


def test_ranges_reach_what_a_fine_grid_reaches():
    rng = np.random.default_rng(2)
    for _ in range(50):
        low = rng.uniform(0.4, 1.5, 3)
        s_1, s_2, s_d = (tuple(pair) for pair in np.column_stack([low, low + rng.uniform(0, 0.3, 3)]).tolist())
        grid = np.meshgrid(*(np.linspace(*pair, 41) for pair in (s_1, s_2, s_d)))
        r = (grid[0] ** 2 + grid[1] ** 2 - grid[2] ** 2) / (2 * grid[0] * grid[1])
        assert correlation(s_1, s_2, s_d) == pytest.approx((r.min(), r.max()), abs=2e-3)
        rho = (-0.2, 0.4)
        grid = np.meshgrid(np.linspace(*s_1, 41), np.linspace(*s_2, 41), np.linspace(*rho, 5))
        t = 3 / np.sqrt(grid[0] ** 2 + grid[1] ** 2 - 2 * grid[2] * grid[0] * grid[1])
        assert t_range((1, 1), s_1, s_2, rho, 9) == pytest.approx((t.min(), t.max()), rel=2e-3)


def test_readings_are_tried_from_narrow_to_wide():
    assert [reading(5, 1, x, x) for x in (5.49, 5.99, 4.2, 6.0, 4.0)] == ["half", "cut", "unit", "none", "none"]
    assert reading(-5, 1, -5.9, -5.9) == "cut"
    assert reading(0.5, 0.0, 0.5, 0.5) == "half"


def test_decimals_are_kept():
    assert (Printed("3.00").value, Printed("3.00").unit, Printed(".05").unit, Printed("7").unit) == (3, 0.01, 0.01, 1)
    assert Printed("−1.6").value == -1.6
    assert Printed("< .001").bound == "<"


def test_nothing_of_it_is_hidden_and_the_table_names_the_range():
    found = consistency([PrintedPercent("6", 10, 182), PrintedTest("t", "2.03", p=".04", df=225)])
    table = tables.consistency(found)
    assert [column.header for column in table.columns] == [
        "Check",
        "Printed",
        "Verdict",
        "Reading",
        "Recomputed",
        "Range",
    ]
    assert "t(225) = 2.03; p = .04" in str(table)
    assert "CI" not in str(found)


@pytest.mark.raises_code("E-STUDY-PRINTED")
@pytest.mark.parametrize(
    "bad",
    [
        lambda: Printed("three"),
        lambda: consistency([]),
        lambda: consistency(PrintedPercent("6", 10.5, 182)),
        lambda: consistency(PrintedPercent(None, 10, 182)),
        lambda: consistency(PrintedTest("w", "2", p=".05")),
        lambda: consistency(PrintedMean("3.00")),
    ],
)
def test_what_cannot_be_read(bad):
    with pytest.raises(StudyError):
        bad()


def test_the_verb_is_public():
    assert describe.consistency is consistency
    assert grimmer(np.array([30]), 0.8, 0.9, 10, 1).size
