"""Whatever stands in a column of dates or identifiers, a cohort or a coded error comes out; dates are those of Python,
and check digits find what they are made for.
"""

from __future__ import annotations

import datetime as dt
import warnings

import numpy as np
import pandas as pd
from hypothesis import example, given
from hypothesis import strategies as st

from burnout_stats.codes import registry
from burnout_stats.cohort import read_cohort
from burnout_stats.cohort.columns import Column
from burnout_stats.cohort.dates import days_of
from burnout_stats.cohort.identity import identifying
from burnout_stats.cohort.legibility import is_damaged
from burnout_stats.cohort.places import Places
from burnout_stats.errors import BurnoutStatsError
from burnout_stats.notices import BurnoutStatsWarning

SAY = {"subject": "id", "visit": "visit", "times": {"start": 0, "1 year": 1}, "outcomes": ["score"], "date": "day"}
texts = st.one_of(
    st.dates(dt.date(1890, 1, 1), dt.date(2100, 1, 1)).map(str),
    st.sampled_from(["", " ", "2004-02-30", "38110", "1.5.2004", "2004-05-01 10:00", "9999-12-31", "0001-01-01"]),
    st.text(max_size=12),
)


@given(day=st.dates(), hour=st.integers(0, 23))
def test_an_iso_date_is_its_day(day, hour):
    expected = day.toordinal() - dt.date(1970, 1, 1).toordinal()
    assert days_of((str(day), f"{day}T{hour:02d}:30", f" {day} "))[:].tolist() == [expected] * 3


@given(cells=st.lists(st.tuples(texts, texts), min_size=1, max_size=8), frame=st.booleans())
@example(cells=[("0001-01-01", "9999-12-31")], frame=True)
@example(cells=[("2004-02-29", "2005-02-28")], frame=True)
def test_any_dates_give_a_cohort_or_a_coded_error(cells, frame):
    data = pd.DataFrame(
        {
            "id": np.repeat(np.arange(len(cells)), 2),
            "visit": ["start", "1 year"] * len(cells),
            "score": np.arange(2.0 * len(cells)),
            "day": [text for pair in cells for text in pair],
        }
    )
    if frame:
        data["day"] = pd.to_datetime(data["day"], errors="coerce", format="%Y-%m-%d")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BurnoutStatsWarning)
        try:
            cohort = read_cohort(data, **SAY)
        except BurnoutStatsError as refusal:
            cohort = refusal
    if isinstance(cohort, BurnoutStatsError):
        assert {problem.code for problem in cohort.problems} <= set(registry())
        return
    exact = cohort.data["exact_years"].to_numpy().reshape(-1, 2)
    assert set(exact[:, 0][~np.isnan(exact[:, 0])]) <= {0.0}
    assert not (exact[:, 1] <= 0).any()
    for (first, second), years in zip(cells, exact[:, 1], strict=True):
        if not np.isnan(years):
            days = dt.date.fromisoformat(second.strip()[:10]) - dt.date.fromisoformat(first.strip()[:10])
            assert abs(years * 365.25 - days.days) < 1e-6


def check_digits(nine: str) -> str | None:
    digits = [int(digit) for digit in nine]
    for weights in ((3, 7, 6, 1, 8, 9, 4, 5, 2), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)):
        digits.append(-sum(w * d for w, d in zip(weights, digits, strict=True)) % 11)
    return None if max(digits) > 9 else "".join(map(str, digits))


@given(
    day=st.integers(1, 28), month=st.integers(1, 12), rest=st.integers(0, 99_999), kind=st.sampled_from(["", "D", "H"])
)
def test_synthetic_norwegian_numbers_are_found_and_no_longer_when_a_digit_changes(day, month, rest, kind):
    day, month = day + 40 * (kind == "D"), month + (40 if kind == "H" else 80)
    number = check_digits(f"{day:02d}{month:02d}{rest:05d}")
    if number is None:
        return
    for text in (number, f"{number[:6]} {number[6:]}", f"nr {number}."):
        column = Column.of_cells(np.array(["P1", text, "P3"], dtype=object))
        found = identifying("id", column, Places(np.arange(3)))
        assert [(problem.code, problem.lines) for problem in found] == [("E-DATA-IDENTITY", (1,))]
        assert number not in found[0].sentence()
    wrong = number[:8] + str((int(number[8]) + 1) % 10) + number[9:]
    assert not identifying("id", Column.of_cells(np.array([wrong], dtype=object)), Places(np.arange(1)))


@given(text=st.text(alphabet="abcåäöøæéüßñÅØÆç -", min_size=1, max_size=12))
def test_letters_of_europe_are_whole_until_read_in_the_wrong_encoding(text):
    assert not is_damaged(text)
    if not text.isascii():
        assert is_damaged(text.encode("utf-8").decode("latin-1"))
