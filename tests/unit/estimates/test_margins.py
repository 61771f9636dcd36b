"""The gate against subtraction: what a reader can work out from the counts that are shown."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnout_stats.estimates import About, Margins, Policy, Summaries, protect
from burnout_stats.estimates.suppression import suppressed

MIN_CELL = 5


def possible(margins: Margins, hidden: np.ndarray) -> np.ndarray:
    """Every table of whole numbers that agrees with what is shown, by trying them all."""
    total, k = int(margins.sizes.sum()), len(margins.sizes)
    shown = ~hidden
    known = margins.members[shown] @ margins.sizes
    tables = []
    for head in product(range(1, total), repeat=k - 1):
        last = total - sum(head)
        if last >= 1:
            table = np.array([*head, last])
            if (margins.members[shown] @ table == known).all():
                tables.append(table)
    return np.array(tables)


def can_be_hidden(member, margins, hidden):
    """Whether the total leaves room, when every count that is hidden has at least one person."""
    apart = sum(1 for row in margins.members[hidden] if row.sum() == 1 and not (row & member).any())
    return margins.sizes.sum() - apart >= MIN_CELL


@st.composite
def tables(draw):
    k = draw(st.integers(2, 4))
    sizes = np.array(draw(st.lists(st.integers(1, 7), min_size=k, max_size=k)))
    rows = draw(st.lists(st.lists(st.booleans(), min_size=k, max_size=k), min_size=1, max_size=5))
    members = np.vstack([np.array(rows, dtype=bool), np.eye(k, dtype=bool)])
    return Margins(members=members, sizes=sizes, tables=np.zeros(k, dtype=np.int64))


@settings(max_examples=150)
@given(tables())
def test_no_small_count_can_be_worked_out(margins):
    counts = margins.members @ margins.sizes
    small = (counts > 0) & (counts < MIN_CELL)
    hidden = small | suppressed(margins.members, margins.sizes, small, MIN_CELL)
    everything = possible(margins, hidden)
    assert (everything == margins.sizes).all(axis=1).any()
    for row in np.flatnonzero(small):
        if can_be_hidden(margins.members[row], margins, hidden):
            assert (everything @ margins.members[row]).max() >= MIN_CELL


@settings(max_examples=50)
@given(tables())
def test_nothing_is_hidden_where_no_count_is_small(margins):
    large = Margins(members=margins.members, sizes=margins.sizes + MIN_CELL, tables=margins.tables)
    assert not suppressed(large.members, large.sizes, np.zeros(len(large.members), dtype=bool), MIN_CELL).any()


def summaries(members, sizes, of_table=0, **more):
    counts = members @ sizes
    frame = pd.DataFrame({"variable": "v", "level": list(map(str, range(len(counts)))), "statistic": "n"})
    tables = np.broadcast_to(of_table, len(sizes))
    margins = Margins(members=members, sizes=sizes, tables=tables, **more)
    return Summaries(
        frame=frame.assign(value=counts.astype(float), n=counts), about=About(kind="flow"), margins=margins
    )


def test_tables_are_protected_each_for_itself():
    members = np.kron(np.eye(2, dtype=bool), np.eye(3, dtype=bool)).astype(bool)
    described = summaries(members, np.array([3, 9, 30, 8, 9, 30]), np.array([0, 0, 0, 1, 1, 1]))
    assert protect(described, Policy()).frame["hidden"].tolist() == [True, True, False, False, False, False]


def test_those_whom_no_row_counts_are_protected():
    described = summaries(np.array([[True, False]]), np.array([36, 4]), untold=np.array([[False, True]]))
    assert protect(described, Policy()).frame["hidden"].tolist() == [True]


# ---- descriptions that do not say what adds up to what -------------------------------------------------------------


def counts(*numbers, **more):
    rows = [
        {"variable": "specialty", "level": level, "statistic": statistic, "value": value, "n": n} | more
        for level, n in zip("abcdef", numbers, strict=False)
        for statistic, value in (("n", float(n)), ("percent", 100 * n / sum(numbers)), ("mean", 3.0))
    ]
    return Summaries(frame=pd.DataFrame(rows), about=About(kind="baseline"))


def hidden_levels(summaries, min_cell=MIN_CELL):
    frame = protect(summaries, Policy(min_cell)).frame
    assert frame.loc[frame["hidden"], ["value", "n"]].isna().all().all()
    n = frame[frame["statistic"] == "n"].set_index("level")["hidden"]
    percent = frame[frame["statistic"] == "percent"].set_index("level")["hidden"]
    assert n.equals(percent)
    return "".join(n.index[n])


@pytest.mark.raises_code("N-DISCLOSURE-HIDDEN")
@pytest.mark.parametrize(
    ("numbers", "hidden"),
    [((3, 20, 9, 40), "ac"), ((1, 1, 20), "abc"), ((4, 2, 20), "ab"), ((3, 0, 9), "ac"), ((2, 2), "ab")],
)
def test_parts_of_a_whole_are_never_hidden_alone(numbers, hidden):
    assert hidden_levels(counts(*numbers)) == hidden


def test_a_mean_of_many_stays_where_only_its_number_is_withheld():
    frame = protect(counts(3, 20, 9, 40), Policy()).frame.set_index(["level", "statistic"])
    assert frame.loc[("a", "mean"), "hidden"]
    assert not frame.loc[("c", "mean"), "hidden"]
    assert frame.loc[("c", "mean"), "value"] == 3.0
    assert np.isnan(frame.loc[("c", "mean"), "n"])


@pytest.mark.parametrize(("numbers", "min_cell"), [((5, 20), 5), ((1, 2), 1), ((0, 20), 5)])
def test_zeros_and_large_counts_are_shown(numbers, min_cell):
    assert hidden_levels(counts(*numbers), min_cell) == ""


def test_a_stricter_policy_hides_more():
    once = protect(counts(3, 20, 9, 40), Policy(5))
    assert hidden_levels(once, 5) == "ac"
    assert hidden_levels(once, 25) == "abcd"  # sizes that are hidden already are not counted on
