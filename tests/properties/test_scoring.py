"""Scores obey their rules for any answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from burnout_stats import instruments

KEYS = ("cbi", "olbi", "pss10", "hads", "scl5", "phq9", "job_satisfaction")


@st.composite
def answered(draw):
    """An instrument and answers to it, some of them missing."""
    key = instruments.instrument(draw(st.sampled_from(KEYS)))
    response = key.response
    steps = round((response.high - response.low) / response.step)
    row = st.lists(st.none() | st.integers(0, steps), min_size=len(key.numbers), max_size=len(key.numbers))
    rows = draw(st.lists(row, min_size=1, max_size=6))
    values = [[np.nan if place is None else response.low + response.step * place for place in row] for row in rows]
    return key, pd.DataFrame(values, columns=[f"x{number}" for number in key.numbers])


@given(answered())
def test_a_score_lies_on_its_scale_and_needs_enough_answers(given_answers):
    key, answers = given_answers
    found = instruments.scores(answers, key)
    for name, part in key.subscales.items():
        low, high = part.range(key.response)
        value = found.frame[name].to_numpy()
        assert ((value >= low - 1e-9) & (value <= high + 1e-9) | np.isnan(value)).all()
        needed = part.min_answered or part.n_items
        np.testing.assert_array_equal(~np.isnan(value), found.answered[name] >= needed)


@given(answered())
def test_answers_turned_beforehand_give_the_same_scores(given_answers):
    key, answers = given_answers
    by_hand = answers.copy()
    for number in key.reverse:
        by_hand[f"x{number}"] = key.response.low + key.response.high - by_hand[f"x{number}"]
    expected = instruments.scores(answers, key).frame
    pd.testing.assert_frame_equal(instruments.scores(by_hand, key, reverse=[]).frame, expected)


@given(answered(), st.randoms())
def test_neither_the_order_of_columns_nor_of_rows_matters(given_answers, random):
    key, answers = given_answers
    columns, rows = list(answers), list(answers.index)
    random.shuffle(columns)
    random.shuffle(rows)
    expected = instruments.scores(answers, key).frame.loc[rows]
    pd.testing.assert_frame_equal(instruments.scores(answers.loc[rows, columns], key, "x{item}").frame, expected)


@given(answered())
def test_a_subscale_alone_scores_as_in_the_whole(given_answers):
    key, answers = given_answers
    whole = instruments.scores(answers, key).frame
    for name in key.subscales:
        alone = instruments.scores(answers, key.only(name), "x{item}").frame
        pd.testing.assert_series_equal(alone[name], whole[name])
