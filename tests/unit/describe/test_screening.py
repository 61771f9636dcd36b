"""Screening accuracy: from tables, scores and cohorts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from burnout_stats import describe, tables
from burnout_stats.cohort import read_cohort
from burnout_stats.engine.screening import kappa, predictive_at
from burnout_stats.errors import StudyError
from burnout_stats.estimates import Policy, protect

SINGLE_ITEM = pd.DataFrame(
    [
        [748, 154, 34, 8, 4, 5, 2],
        [427, 805, 402, 412, 170, 137, 16],
        [9, 48, 76, 238, 207, 466, 189],
        [0, 4, 11, 37, 31, 194, 269],
        [2, 2, 0, 3, 1, 50, 243],
    ],
    index=[1, 2, 3, 4, 5],
    columns=range(7),
)
"""A single item against the MBI's item "burned out"."""


def by_measure(estimates, column="estimate"):
    return estimates.frame.set_index("measure")[column]


def test_the_single_item_against_the_mbi():
    found = describe.screening_from_table(SINGLE_ITEM, test_cut=3, reference_cut=4)
    assert by_measure(found)["sensitivity"] == 1650 / 1984
    assert by_measure(found)["specificity"] == 2990 / 3420
    assert round(100 * by_measure(found)["sensitivity"], 1) == 83.2
    assert round(100 * by_measure(found)["specificity"], 1) == 87.4
    assert by_measure(found, "n")[["sensitivity", "specificity"]].tolist() == [1984, 3420]


def test_scores_and_table_say_the_same():
    test = np.repeat(np.repeat(SINGLE_ITEM.index.to_numpy(), 7), SINGLE_ITEM.to_numpy().ravel())
    reference = np.repeat(np.tile(np.arange(7), 5), SINGLE_ITEM.to_numpy().ravel())
    shuffled = np.random.default_rng(1).permutation(len(test))
    test, reference = np.append(test[shuffled], np.nan), np.append(reference[shuffled], 3)
    one = describe.screening_from_scores(test, reference, test_cut=3, reference_cut=4, prevalence=0.1)
    two = describe.screening_from_table(SINGLE_ITEM, test_cut=3, reference_cut=4, prevalence=0.1)
    pd.testing.assert_frame_equal(one.frame, two.frame)


def test_predictive_values_at_the_sample_prevalence_are_those_of_the_sample():
    prevalence = 1984 / 5404
    found = by_measure(describe.screening_from_table(SINGLE_ITEM, test_cut=3, reference_cut=4, prevalence=prevalence))
    for side in ("positive", "negative"):
        at, observed = (name for name in found.index if name.startswith(f"{side} predictive value a")), None
        observed = found[f"{side} predictive value"]
        assert found[next(at)] == pytest.approx(observed, rel=1e-12)


def test_predictive_values_at_a_prevalence_follow_bayes():
    found = describe.screening_from_table(
        [[90, 20], [10, 80]][::-1],
        test_levels=[0, 1],
        reference_levels=[0, 1],
        test_cut=1,
        reference_cut=1,
        prevalence=0.1,
    )
    se, sp = by_measure(found)["sensitivity"], by_measure(found)["specificity"]
    name = "positive predictive value at a prevalence of 10%"
    assert by_measure(found)[name] == pytest.approx(0.1 * se / (0.1 * se + 0.9 * (1 - sp)))
    low, high = by_measure(found, "conf_low")[name], by_measure(found, "conf_high")[name]
    assert 0 < low < by_measure(found)[name] < high < 1


def test_who_is_well_is_found_as_who_is_ill():
    table = np.array([[90.0, 20], [15, 80]])
    turned = predictive_at(table[::-1, ::-1], 0.9)
    assert predictive_at(table, 0.1)["negative predictive value"] == pytest.approx(
        turned["positive predictive value"], nan_ok=True
    )


def test_a_perfect_test_has_no_interval_of_its_likelihood_ratio():
    found = describe.screening_from_table(
        [[40, 0], [0, 60]], test_levels=[0, 1], reference_levels=[0, 1], test_cut=1, reference_cut=1, prevalence=0.2
    )
    values = by_measure(found)
    assert values[["sensitivity", "specificity", "area under the curve", "kappa"]].tolist() == [1, 1, 1, 1]
    assert np.isnan(values["positive likelihood ratio"])
    assert by_measure(found, "conf_high")["sensitivity"] == 1
    assert by_measure(found, "conf_low")["sensitivity"] < 1


def test_whole_tables_with_equal_levels_have_weighted_kappa():
    square = SINGLE_ITEM.iloc[:, :5].set_axis([1, 2, 3, 4, 5], axis=1)
    found = by_measure(describe.screening_from_table(square, test_cut=3, reference_cut=4))
    assert (
        found["kappa of all levels, quadratic weights"] == kappa(square.to_numpy(dtype=float), weights="quadratic")[0]
    )
    assert "kappa of all levels" not in by_measure(
        describe.screening_from_table(SINGLE_ITEM, test_cut=3, reference_cut=4)
    )


def of_cells(a, b, c, d):
    n = a + b + c + d
    test = np.repeat([3, 3, 1, 1], [a, b, c, d])
    reference = np.repeat([5, 2, 5, 2], [a, b, c, d])
    data = pd.DataFrame({"id": range(n), "visit": "start", "item": test, "scale": reference})
    return read_cohort(data, subject="id", visit="visit", times={"start": 0}, outcomes=["item", "scale"])


def test_a_small_cell_hides_everything_that_tells_it():
    cohort = of_cells(30, 20, 3, 40)
    found = describe.screening(cohort, test="item", reference="scale", test_cut=3, reference_cut=4)
    hidden = protect(found, cohort.policy).frame.set_index("measure")["hidden"]
    assert hidden.drop("area under the curve").all()
    assert not hidden["area under the curve"]
    assert not protect(found, Policy(3)).frame["hidden"].any()
    enough = of_cells(30, 20, 5, 40)
    shown = describe.screening(enough, test="item", reference="scale", test_cut=3, reference_cut=4)
    assert not protect(shown, enough.policy).frame["hidden"].any()


def test_the_table_has_measures_and_intervals():
    table = tables.screening(describe.screening_from_table(SINGLE_ITEM, test_cut=3, reference_cut=4))
    assert [column.key for column in table.columns] == ["measure", "estimate", "conf", "n"]
    assert "0.832  0.815 to 0.847  1984" in str(table)


@pytest.mark.raises_code("E-STUDY-SCREENING")
@pytest.mark.parametrize(
    "arguments",
    [
        {"test_cut": 1, "reference_cut": 4},
        {"test_cut": 2.5, "reference_cut": 4},
        {"test_cut": 3, "reference_cut": 7},
    ],
)
def test_cuts_are_levels_above_the_lowest(arguments):
    with pytest.raises(StudyError, match="level above the lowest"):
        describe.screening_from_table(SINGLE_ITEM, **arguments)


@pytest.mark.raises_code("E-STUDY-SCREENING")
@pytest.mark.parametrize(
    ("counts", "levels"),
    [
        ([[1, 2], [3, 4]], None),
        ([[1, 2], [3, 4]], [1, 0]),
        ([[1, 2, 3], [3, 4, 5]], [0, 1]),
        ([[1, -2], [3, 4]], [0, 1]),
    ],
)
def test_tables_that_cannot_be(counts, levels):
    with pytest.raises(StudyError):
        describe.screening_from_table(counts, test_levels=levels, reference_levels=levels, test_cut=1, reference_cut=1)


@pytest.mark.raises_code("E-STUDY-SCREENING")
def test_nobody_is_ill():
    with pytest.raises(StudyError, match="one side"):
        describe.screening_from_scores([1, 2, 3], [0, 0, 0], test_cut=2, reference_cut=1)
