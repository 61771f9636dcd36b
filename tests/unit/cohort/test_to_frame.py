"""A cohort goes out as a frame, long or wide, and comes back as the same cohort."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import burnout_200
from pandas.testing import assert_frame_equal

from burnout_stats.cohort import Cohort, read_cohort
from burnout_stats.errors import StudyError
from burnout_stats.studies import example

TIMES = {"start": 0, "1 year": 1, "3 years": 3}


def again(cohort: Cohort, frame: pd.DataFrame, wide: str | None = None) -> Cohort:
    """The cohort that is read from a frame of a cohort's own."""
    codes = {code for series in cohort.missing_as.values() for code in series.cat.categories}
    return read_cohort(
        frame,
        subject="subject",
        visit=None if wide else "visit",
        wide=wide,
        times=cohort.visits.by_label(),
        outcomes=cohort.outcome_roles,
        covariates=cohort.covariate_roles,
        missing_codes=sorted(codes),
    )


def assert_same(left: Cohort, right: Cohort) -> None:
    assert_frame_equal(left.data, right.data)
    assert left.missing_as.keys() == right.missing_as.keys()
    for name, series in left.missing_as.items():
        pd.testing.assert_series_equal(series.astype(object), right.missing_as[name].astype(object))


@pytest.mark.parametrize("layout", ["long", "wide"])
@pytest.mark.parametrize("ids", [False, True])
@pytest.mark.parametrize("make", [burnout_200, lambda: example("villa_sana")], ids=["burnout_200", "villa_sana"])
def test_there_and_back(make, layout, ids):
    cohort = make()
    cohort = cohort.subset(cohort.data[list(cohort.outcomes)].notna().any(axis=1))
    wide = "{outcome} at {visit}" if layout == "wide" else None
    frame = cohort.to_frame(layout, ids=ids, wide=wide or "{outcome}_{visit}")
    back = again(cohort, frame, wide)
    assert_same(back, cohort)
    assert back.ids.tolist() == (cohort.ids.tolist() if ids else list(range(1, cohort.n_subjects + 1)))
    assert len(frame) == (cohort.n_subjects if layout == "wide" else len(cohort.data))


def test_identifiers_leave_only_when_asked():
    frame = pd.DataFrame({"id": ["PERSON-1", "PERSON-2"], "visit": "start", "score": [1.0, 2.0]})
    cohort = read_cohort(frame, subject="id", visit="visit", times={"start": 0}, outcomes=["score"], covariates=[])
    for layout in ("long", "wide"):
        assert "PERSON" not in cohort.to_frame(layout).to_csv()
        assert cohort.to_frame(layout, ids=True)["subject"].tolist() == ["PERSON-1", "PERSON-2"]


cohort_with_codes = pytest.fixture(
    lambda: read_cohort(
        pd.DataFrame(
            {
                "id": [3, 3, 1, 1, 2],
                "visit": ["start", "1 year", "start", "3 years", "1 year"],
                "score": [1.5, 99, -9, 2, 99],
                "ward": ["a", ".", "b", "b", None],
                "age": [40.0, 41, 50, 53, 99],
            }
        ),
        subject="id",
        visit="visit",
        times=TIMES,
        outcomes=["score"],
        missing_codes=[99, -9, "."],
    )
)


@pytest.mark.parametrize("layout", ["long", "wide"])
def test_codes_go_out_and_come_back(cohort_with_codes, layout):
    frame = cohort_with_codes.to_frame(layout, ids=True, codes=True)
    back = again(cohort_with_codes, frame, "{outcome}_{visit}" if layout == "wide" else None)
    assert_same(back, cohort_with_codes)
    assert back.ids.tolist() == [1, 2, 3]
    without = cohort_with_codes.to_frame("long")
    assert without["score"].isna().tolist() == [True, False, True, False, True]


def test_a_frame_shares_nothing_with_its_cohort(cohort_with_codes):
    for layout in ("long", "wide"):
        frame = cohort_with_codes.to_frame(layout, codes=True, ids=True)
        before = cohort_with_codes.data.copy(), cohort_with_codes.ids.copy()
        for name in frame.columns:
            frame[name] = 0
        assert_frame_equal(cohort_with_codes.data, before[0])
        assert cohort_with_codes.ids.tolist() == before[1].tolist()


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_a_row_without_values_has_no_wide_form(cohort_with_codes):
    with pytest.raises(StudyError, match="1 rows of the cohort") as refused:
        cohort_with_codes.subset(np.array([True, True, True, False, False])).to_frame("wide")
    assert refused.value.code == "E-STUDY-VALUE"


@pytest.mark.raises_code("E-STUDY-LAYOUT")
@pytest.mark.parametrize("wide", ["{outcome}", "{outcome}{visit}{visit}", "x", "{visit}{outcome}"])
def test_a_pattern_that_cannot_be_read_back(wide):
    frame = pd.DataFrame({"id": ["p", "q"], "visit": ["a", "aa"], "score": [1.0, 2.0], "ascore": [1.0, 3.0]})
    cohort = read_cohort(frame, subject="id", visit="visit", times={"a": 0, "aa": 1}, outcomes=["score", "ascore"])
    with pytest.raises(StudyError) as refused:
        cohort.to_frame("wide", wide=wide)
    assert refused.value.code == "E-STUDY-LAYOUT"


@pytest.mark.raises_code("E-STUDY-OPTION")
def test_an_unknown_layout():
    with pytest.raises(StudyError, match="Did you mean `wide`"):
        burnout_200().to_frame("wid")
