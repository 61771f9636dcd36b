"""Follow-up time: what is counted, what is withheld, and its table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from burnout_stats import describe, tables
from burnout_stats.cohort import read_cohort
from burnout_stats.display import Hidden, Interval
from burnout_stats.errors import StudyError
from burnout_stats.estimates import Policy, protect

TIMES = {"baseline": 0, "1 year": 1, "3 years": 3}


def cohort(n=40, *, lost=12, min_cell=5, **say):
    """n subjects, the last `lost` of them without the third visit; each visit k days late for subject k."""
    rows = []
    for k in range(n):
        for visit, years in TIMES.items():
            late = k if years else 0
            day = np.datetime64("2004-02-01") + int(np.rint(years * 365.25)) + late
            score = np.nan if years == 3 and k >= n - lost else 2.0 + k % 5
            rows.append((f"P{k}", visit, day, score, "FM"[k % 2]))
    frame = pd.DataFrame(rows, columns=["id", "visit", "assessed", "score", "sex"])
    said = {"subject": "id", "visit": "visit", "times": TIMES, "outcomes": ["score"], "date": "assessed"}
    return read_cohort(frame, min_cell=min_cell, **(said | say))


def values(summaries, level):
    frame = summaries.frame[summaries.frame["level"] == level]
    return frame.set_index("statistic")["value"]


def test_time_counts_where_an_outcome_was_measured():
    found = describe.follow_up(cohort())
    days = np.arange(40)
    first, third, last = (values(found, level) for level in ("1 year", "3 years", "last visit"))
    assert (first["n"], first["missing"]) == (40, 0)
    assert (third["n"], third["missing"]) == (28, 12)
    np.testing.assert_allclose(first["mean"], (365 + days.mean()) / 365.25)
    np.testing.assert_allclose(third["sd"], days[:28].std(ddof=1) / 365.25)
    own = np.where(days < 28, 1096 + days, 365 + days) / 365.25
    np.testing.assert_allclose(last[["mean", "median"]], [own.mean(), np.median(own)])
    assert "baseline" not in found.frame["level"].tolist()


def test_the_range_is_withheld_unless_the_policy_allows_it():
    found = describe.follow_up(cohort())
    np.testing.assert_allclose(values(found, "1 year")[["min", "max"]], [365 / 365.25, 404 / 365.25])
    assert values(protect(found, found.about.policy), "1 year")[["min", "max"]].isna().all()
    assert [column.key for column in tables.follow_up(found).columns][-1] == "quartiles"
    open_hand = replace(cohort(), policy=Policy(1, extremes=True))
    table = tables.follow_up(describe.follow_up(open_hand))
    assert table.columns[-1].key == "range"
    assert table.rows[0].cells[-1] == Interval(365 / 365.25, 404 / 365.25)


def test_groups_and_small_cells():
    found = describe.follow_up(cohort(lost=3), by="sex")
    assert found.frame["sex"].unique().tolist() == ["F", "M"]
    safe = protect(found, cohort().policy).frame
    third = safe[(safe["level"] == "3 years") & (safe["statistic"] == "missing")]
    assert third["value"].isna().all()


def test_the_table_shows_what_may_be_shown():
    table = tables.follow_up(describe.follow_up(cohort(lost=37)))
    assert [column.key for column in table.columns] == ["visit", "n", "missing", "mean", "sd", "median", "quartiles"]
    assert [row.cells[0] for row in table.rows] == ["1 year", "3 years", "last visit"]
    assert table.rows[1].cells[3] == Hidden()
    assert table.rows[0].cells[1] == 40
    wide = tables.follow_up(describe.follow_up(cohort(), by="sex"))
    assert {row.group for row in wide.rows} == {"Sex: F", "Sex: M"}
    assert "2004" not in str(table) + str(wide)


@pytest.mark.raises_code("E-STUDY-DATES", "E-STUDY-VALUE")
def test_without_dates_there_is_no_follow_up_time():
    with pytest.raises(StudyError) as caught:
        describe.follow_up(cohort(date=None, covariates=["sex"]))
    assert caught.value.code == "E-STUDY-DATES"
    with pytest.raises(StudyError):
        tables.follow_up(describe.by_visit(cohort()))
