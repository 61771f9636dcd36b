"""Answers become scores: by hand, with missing answers, turned items, and answers that cannot be."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from burnout_stats import instruments
from burnout_stats.errors import DataError, StudyError
from burnout_stats.notices import BurnoutStatsWarning


def table(rows, prefix="x"):
    return pd.DataFrame(rows, columns=[f"{prefix}{place + 1}" for place in range(len(rows[0]))])


def only(found):
    return found.frame.iloc[0].to_dict()


def test_copenhagen_turns_the_last_work_item():
    found = instruments.scores(table([[50] * 6 + [100] * 6 + [25] + [0, 25, 50, 75, 100, 50]]), "cbi")
    assert only(found) == {"personal": 50, "work": (600 + 75) / 7, "client": 50}
    alone = instruments.scores(table([[100] * 6 + [25]]), "cbi_work")
    assert only(alone) == {"work": (600 + 75) / 7}


def test_oldenburg_by_hand():
    answers = [4, 1, 1, 1, 4, 1, 4, 1, 1, 4, 1, 1, 4, 4, 4, 4]
    assert only(instruments.scores(table([answers]), "olbi")) == {"disengagement": 4, "exhaustion": 4}


def test_sums_and_turned_items_of_the_stress_scale():
    assert only(instruments.scores(table([[4] * 10]), "pss10")) == {"total": 6 * 4}
    assert only(instruments.scores(table([[4] * 10]), "pss10", reverse=[])) == {"total": 40}
    assert only(instruments.scores(table([[4] * 10]), "pss10", reverse=["x1"])) == {"total": 36}


def test_odd_items_are_anxiety():
    assert only(instruments.scores(table([[3, 0] * 7]), "hads")) == {"anxiety": 21, "depression": 0}


def test_columns_by_usual_names_pattern_list_and_mapping():
    rng = np.random.default_rng(1)
    answers = pd.DataFrame(rng.integers(1, 5, (6, 5)), columns=[f"scl_{item}" for item in (3, 1, 2, 5, 4)])
    wide = answers.assign(age=40)
    expected = answers.mean(axis=1).to_numpy()
    for columns in (None, "scl_{item}", list(answers), {"total": list(answers)}, {"total": "scl_{item}"}):
        got = instruments.scores(wide, "scl5", columns).frame["total"]
        np.testing.assert_allclose(got, expected, rtol=1e-15)


def test_items_of_the_maslach_inventory_are_named_by_the_user():
    answers = table([[6] * 9 + [2] * 5 + [1] * 8])
    columns = {"exhaustion": [f"x{i}" for i in range(1, 10)], "accomplishment": [f"x{i}" for i in range(15, 23)]}
    assert only(instruments.scores(answers, "mbi_hss", columns)) == {"exhaustion": 54, "accomplishment": 8}
    with pytest.raises(StudyError, match="does not know which items of `mbi_hss`"):
        instruments.scores(answers, "mbi_hss")
    with pytest.raises(StudyError, match=r"4 columns are named for `mbi_hss\.exhaustion`.*It has 9 items"):
        instruments.scores(answers, "mbi_hss", {"exhaustion": ["x1", "x2", "x3", "x4"]})


@pytest.mark.raises_code("N-INSTRUMENT-UNVERIFIED")
def test_the_weighted_score_is_said_to_be_unverified():
    answers = table([[3] * 5 + [2] * 5 + [1] * 6])
    names = list(answers)
    columns = {"exhaustion": names[:5], "cynicism": names[5:10], "efficacy": names[10:]}
    found = instruments.scores(answers, "mbi_gs", columns)
    assert only(found)["burnout"] == pytest.approx(0.4 * 3 + 0.3 * 2 + 0.3 * (6 - 1))
    assert found.unverified == ("composites.burnout",)
    with pytest.warns(BurnoutStatsWarning, match="nobody has looked up: composites.burnout"):
        instruments.score(answers, "mbi_gs", columns)
    assert instruments.scores(answers, "mbi_gs", {"exhaustion": names[:5]}).unverified == ()


def test_effort_and_reward_make_a_ratio_of_mean_items():
    answers = table([[4, 4, 4] + [2] * 7 + [1] * 6, [1, 1, 1] + [4] * 7 + [1] * 6])
    names = list(answers)
    columns = {"effort": names[:3], "reward": names[3:10], "overcommitment": names[10:]}
    found = instruments.scores(answers, "eri", columns, reverse=[])
    assert found.frame["ratio"].tolist() == [2.0, 0.25]
    assert found.frame["reward"].tolist() == [14, 28]
    with pytest.raises(StudyError, match="turned before scoring, and the package does not know which"):
        instruments.scores(answers, "eri", columns)
    turned = instruments.scores(answers, "eri", columns, reverse=["x4"])
    assert turned.frame["reward"].tolist() == [15, 25]


@pytest.mark.parametrize(
    ("key", "n_items", "needed"),
    [
        ("cbi_personal", 6, 3),
        ("cbi_work", 7, 4),
        ("scl5", 5, 4),
        ("hads_anxiety", 7, 4),
        ("phq9", 9, 7),
        ("gad7", 7, 7),
    ],
)
def test_the_rule_for_missing_answers(key, n_items, needed):
    low = instruments.instrument(key).response.low
    answers = np.full((n_items + 1, n_items), low)
    for gaps in range(n_items + 1):
        answers[gaps, :gaps] = np.nan
    found = instruments.scores(table(answers), key)
    name = found.frame.columns[0]
    assert found.frame[name].notna().tolist() == [n_items - gaps >= needed for gaps in range(n_items + 1)]
    assert found.answered[name].tolist() == [n_items - gaps for gaps in range(n_items + 1)]
    assert found.prorated[name] == n_items - needed
    assert found.incomplete[name] == needed - 1
    complete = instruments.scores(table(answers), key, missing="complete")
    assert complete.frame[name].notna().sum() == 1
    half = instruments.scores(table(answers), key, missing="half")
    assert half.frame[name].notna().sum() == n_items - (n_items + 1) // 2 + 1


@pytest.mark.raises_code("N-INSTRUMENT-PRORATED", "N-INSTRUMENT-INCOMPLETE", "N-INSTRUMENT-UNVERIFIED")
def test_a_prorated_sum_is_the_mean_of_the_answered_times_the_items():
    answers = table([[3, 3, 3, 1, 1, 1, 2, np.nan, np.nan], [1] * 6 + [np.nan] * 3])
    found = instruments.scores(answers, "phq9")
    assert found.frame["total"].iloc[0] == pytest.approx(14 / 7 * 9)
    assert np.isnan(found.frame["total"].iloc[1])
    assert [notice.code for notice in found.notices()] == [
        "N-INSTRUMENT-UNVERIFIED",
        "N-INSTRUMENT-PRORATED",
        "N-INSTRUMENT-INCOMPLETE",
    ]
    assert "1 of `total`" in found.notices()[1].message
    assert "fewer than 5 of `total`" in found.notices(min_cell=5)[1].message
    assert instruments.scores(answers.iloc[:0], "phq9").notices() == ()


@pytest.mark.raises_code("E-DATA-ITEM")
@pytest.mark.parametrize("wrong", [9, 1.5, -1, np.inf, "often"])
def test_an_answer_that_cannot_be_is_refused_with_its_rows(wrong):
    answers = table([[1, 1, 2, 2, 3]] * 4).astype(object)
    answers.loc[2, "x3"] = wrong
    with pytest.raises(
        DataError, match=r"Item `x3` has 1 answer that it cannot have \(row 2, counted from 0\)"
    ) as caught:
        instruments.scores(answers, "scl5")
    assert caught.value.lines == (2,)


@pytest.mark.raises_code("N-INSTRUMENT-RANGE", "N-INSTRUMENT-PRORATED")
def test_an_answer_that_cannot_be_is_missing_where_that_is_declared():
    answers = table([[1, 1, 2, 2, 9], [1, 1, 2, 2, 4]])
    with pytest.warns(BurnoutStatsWarning) as told:
        found = instruments.score(answers, "scl5", out_of_range="missing")
    assert found["total"].tolist() == [1.5, 2.0]
    assert found["total_answered"].tolist() == [4, 5]
    assert "were taken as missing: 1." in " ".join(str(warning.message) for warning in told)


def test_floor_and_ceiling_are_shares_of_the_scores():
    found = instruments.scores(table([[1] * 5, [4] * 5, [1] * 5, [1, 2, 3, 4, 4]]), "scl5")
    assert (found.floor["total"], found.ceiling["total"]) == (0.5, 0.25)


def test_the_frame_is_not_changed_and_its_rows_are_kept():
    answers = table([[4] * 10, [0] * 10]).set_axis(["b", "a"])
    before = answers.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = instruments.score(answers, "pss10")
    pd.testing.assert_frame_equal(answers, before)
    assert found.index.tolist() == ["b", "a"]
    assert list(found) == ["total", "total_answered"]


def test_categories_that_are_numbers_are_numbers():
    answers = table([[1, 2, 3, 4, 4], [1, 1, 1, 1, 1]])
    coded = answers.astype({"x1": "category", "x2": "Int64"})
    assert instruments.scores(coded, "scl5").frame["total"].tolist() == [2.8, 1.0]


def test_the_number_of_items_may_be_left_to_the_user():
    answers = table([[1, 2, 3], [5, 5, 5]])
    found = instruments.scores(answers, "cooper_job_stress")
    assert found.frame["total"].tolist() == [2, 5]
    both = instruments.scores(answers, "cooper_job_stress", {"total": list(answers), "social": ["x1", "x2"]})
    assert both.frame["social"].tolist() == [1.5, 5]
    assert instruments.scores(answers, "mbi_norwegian_ee").frame["ee"].tolist() == [2, 5]


@pytest.mark.raises_code("E-STUDY-INSTRUMENT")
@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (["x1", "x2", "x3", "x4"], "4 columns are named for `scl5`"),
        (["x1", "x2", "x3", "x4", "x9"], "There is no column `x9`"),
        (["x1", "x2", "x3", "x4", "x4"], "Column `x4` is named twice"),
        ("x", "The pattern of columns is 'x'"),
        ("y{item}", "There is no column `y1`"),
        ({"totl": ["x1"]}, "has no subscale `totl`.*Did you mean `total`"),
        (None, "Which of the 6 columns are the 5 items"),
    ],
)
def test_columns_that_cannot_be_told(columns, message):
    answers = table([[1, 2, 3, 4, 4, 40]])
    with pytest.raises(StudyError, match=message):
        instruments.scores(answers, "scl5", columns)


def test_options_and_turned_columns_are_checked():
    answers = table([[1, 2, 3, 4, 4]])
    with pytest.raises(StudyError, match="`missing` is 'some'"):
        instruments.scores(answers, "scl5", missing="some")
    with pytest.raises(StudyError, match="`out_of_range` is 'clip'"):
        instruments.scores(answers, "scl5", out_of_range="clip")
    with pytest.raises(StudyError, match="`reverse` names 'x7'"):
        instruments.scores(answers, "scl5", reverse="x7")
