"""Table 1: who the subjects were."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import burnout_200

from burnout_stats import describe
from burnout_stats.cohort import read_cohort
from burnout_stats.errors import StudyError
from burnout_stats.estimates import Policy, Sample, protect

PRINTED = {
    "Emotional exhaustion": (Sample(3.01, 0.94, 184), Sample(3.33, 0.88, 43)),
    "Job stress": (Sample(2.39, 0.72, 184), Sample(2.65, 0.74, 43)),
    "Coping": (Sample(2.90, 0.76, 184), Sample(3.25, 0.63, 43)),
    "Sex": {"women": (101, 16), "men": (83, 27)},
}
"""The three-year paper's table of attrition (BMC Public Health 2010)."""


def small(**more):
    frame = pd.DataFrame(
        {
            "id": [1, 1, 2, 2, 3, 4, 4, 5],
            "visit": ["start", "end", "start", "end", "start", "start", "end", "end"],
            "stress": [2.0, 1.0, 4.0, np.nan, 6.0, np.nan, 3.0, 5.0],
            "sex": ["F", "F", "M", "M", "F", None, "M", "F"],
            "work": ["full", "part", "full", "full", None, "part", "full", "part"],
            "age": [30.0, 30, 40, 40, 50, np.nan, np.nan, 60],
        }
    )
    roles = {"subject": "id", "visit": "visit", "times": {"start": 0, "end": 1}, "outcomes": ["stress"]}
    covariates = {"sex": {"levels": ["F", "M"]}, "work": {"levels": ["full", "part"]}, "age": {"unit": "years"}}
    return read_cohort(frame, **roles, covariates=covariates, min_cell=1, **more)


def cells(summaries):
    names = [name for name in summaries.frame.columns if name not in ("value", "n", "hidden")]
    return summaries.frame.set_index(names)["value"].to_dict()


def test_what_is_known_at_baseline():
    found = cells(describe.baseline(small()))
    assert found["subjects", "(all)", "n"] == 5
    # sex does not change, so it is taken from the first visit where it is known
    assert [found["sex", level, "n"] for level in ("F", "M")] == [3, 2]
    # work changes within a subject, so only the first visit counts: of two subjects it is not known there
    assert [found["work", level, "n"] for level in ("full", "part")] == [2, 1]
    assert found["work", "(all)", "missing"] == 2
    assert found["work", "full", "percent"] == pytest.approx(100 * 2 / 3)
    # an outcome is that of the first visit, never a later one
    assert [found["stress", "(all)", name] for name in ("n", "missing", "mean", "sd")] == [3, 2, 4, 2]
    assert found["age", "(all)", "mean"] == 45


def test_an_outcome_is_never_taken_from_a_later_visit():
    frame = pd.DataFrame(
        {
            "id": [1, 1, 2, 2, 3, 3],
            "visit": ["a", "b"] * 3,
            "y": [2.0, 2, np.nan, 3, 4, 4],
            "kin": [0.0, 0, np.nan, 1, 2, 2],
        }
    )
    roles = {"subject": "id", "visit": "visit", "times": {"a": 0, "b": 1}, "outcomes": ["y"], "covariates": {"kin": {}}}
    found = cells(describe.baseline(read_cohort(frame, **roles)))
    assert [found["y", "(all)", "n"], found["kin", "(all)", "n"]] == [2, 3]  # neither changes, but y is an outcome


def test_medians_are_declared():
    found = cells(describe.baseline(small(), medians=["stress"]))
    assert [found["stress", "(all)", name] for name in ("median", "q1", "q3")] == [4, 3, 5]
    assert ("stress", "(all)", "mean") not in found
    assert ("age", "(all)", "mean") in found


def test_groups_and_all():
    cohort = burnout_200()
    summaries = describe.baseline(cohort, "sex", ["EE", "age", "group"])
    found, base = cells(summaries), cohort.frame.query("visit == 'v0'")
    for sex in ("F", "M"):
        values = base.loc[base["sex"].eq(sex), "age"]
        assert found["age", "(all)", sex, "mean"] == pytest.approx(values.mean())
        assert found["age", "(all)", sex, "sd"] == pytest.approx(values.std())
        assert found["group", "control", sex, "n"] == (base["sex"].eq(sex) & base["group"].eq("control")).sum()
    assert found["age", "(all)", "Overall", "sd"] == pytest.approx(base["age"].std())
    men, women = base[base["sex"].eq("M")]["age"], base[base["sex"].eq("F")]["age"]
    smd = (men.mean() - women.mean()) / np.sqrt((men.var() + women.var()) / 2)
    assert found["age", "(all)", "Overall", "smd"] == pytest.approx(smd)
    assert ("sex", "F", "F", "n") not in found  # the groups themselves are not described
    without = describe.baseline(cohort, "sex", overall=False)
    assert set(without.frame["sex"]) == {"F", "M"}


def test_of_more_groups_the_largest_difference_stands_in_the_table():
    cohort = burnout_200()
    differences = describe.standardized_differences(cohort, "specialty", ["EE", "sex"])
    assert len(differences) == 2 * 10
    found = cells(describe.baseline(cohort, "specialty", ["EE", "sex"]))
    for name in ("EE", "sex"):
        largest = differences.frame.loc[differences.frame["outcome"].eq(name), "estimate"].abs().max()
        assert found[name, "(all)", "Overall", "smd"] == pytest.approx(largest)


def test_completers_are_a_group():
    cohort = burnout_200()
    by = describe.Completed("v3")
    found = cells(describe.baseline(cohort, by, ["EE"]))
    assert [found["subjects", "(all)", level, "n"] for level in ("completed", "lost", "Overall")] == [157, 43, 200]
    flow = describe.flow(cohort).frame.query("variable == 'visit' and level == 'v3' and statistic == 'n'")
    assert flow["value"].item() == 157
    seen = cells(describe.flow(cohort, by=describe.Completed(("v1", "v3"), need="any")))
    assert seen["visit", "v1", "lost", "n"] == seen["visit", "v3", "lost", "n"] == 0
    assert len(set(describe.Completed().visits(cohort))) == 2


def test_the_pooled_baseline_of_the_three_year_paper():
    found = cells(describe.baseline_from_summaries(PRINTED))
    for name, mean, sd in (("Emotional exhaustion", 3.07, 0.94), ("Job stress", 2.44, 0.73), ("Coping", 2.97, 0.75)):
        assert round(found[name, "(all)", "Overall", "mean"], 2) == mean
        assert round(found[name, "(all)", "Overall", "sd"], 2) == sd
    assert found["Sex", "women", "Overall", "n"] == 117
    assert found["Sex", "women", "completed", "percent"] == pytest.approx(100 * 101 / 184)


def test_from_data_and_from_its_own_summaries_the_differences_are_the_same():
    cohort = burnout_200()
    base = cohort.frame.query("visit == 'v0'")
    groups = [base[base["sex"].eq(sex)] for sex in ("F", "M")]
    printed = {
        "EE": tuple(Sample(part["EE"].mean(), part["EE"].std(), len(part)) for part in groups),
        "group": {
            level: tuple(int(part["group"].eq(level).sum()) for part in groups) for level in ("control", "intervention")
        },
    }
    columns = ["outcome", "contrast", "estimate", "std_error", "conf_low", "conf_high", "n", "method"]
    theirs = describe.standardized_differences_from_summaries(printed, groups=("F", "M"), conf_level=0.9)
    ours = describe.standardized_differences(cohort, "sex", ["EE", "group"], conf_level=0.9)
    pd.testing.assert_frame_equal(ours.frame[columns], theirs.frame[columns])


@pytest.mark.raises_code("E-STUDY-COLUMN", "E-STUDY-VALUE", "E-STUDY-OPTION")
def test_what_cannot_be_described():
    cohort = burnout_200()
    with pytest.raises(StudyError, match="Did you mean `age`"):
        describe.baseline(cohort, variables=["agee"])
    with pytest.raises(StudyError, match="median"):
        describe.baseline(cohort, medians=["sex"])
    with pytest.raises(StudyError, match="Did you mean `v3`"):
        describe.baseline(cohort, describe.Completed("v33"))
    with pytest.raises(StudyError):
        describe.Completed("v3", need="some")
    with pytest.raises(StudyError, match="one for each of the groups"):
        describe.baseline_from_summaries({"Age": (Sample(47, 9, 10),)})
    for wrong in (Sample(47, 9, 10), (47.0, 48.0), {}, {"women": 101}):
        with pytest.raises(StudyError, match="one for each of the groups"):
            describe.baseline_from_summaries({"Age": wrong})
    with pytest.raises(StudyError, match="whole numbers"):
        describe.baseline_from_summaries({"Sex": {"women": (54.9, 37.2)}})
    data = cohort.frame.assign(sex=lambda frame: frame["sex"].map({"F": "Overall", "M": "M"})).drop(columns="years")
    roles = {"subject": "subject", "visit": "visit", "times": {"v0": 0, "v1": 1, "v3": 3}, "outcomes": ["EE"]}
    with pytest.raises(StudyError, match="Rename"):
        describe.baseline(read_cohort(data, **roles, covariates={"sex": {"levels": ["Overall", "M"]}}), "sex")


# ---- privacy -------------------------------------------------------------------------------------------------------


def table_1(counts, min_cell=5):
    rows = [(level, group) for (level, group), n in counts.items() for _ in range(n)]
    frame = pd.DataFrame(rows, columns=["specialty", "sex"]).assign(visit="start")
    frame["id"] = np.arange(len(frame))
    frame["stress"] = 1.0 + frame["id"] % 5
    roles = {"subject": "id", "visit": "visit", "times": {"start": 0}, "outcomes": ["stress"], "min_cell": min_cell}
    levels = {"specialty": {"levels": ["gp", "surgeon", "other"]}, "sex": {"levels": ["F", "M"]}}
    cohort = read_cohort(frame, **roles, covariates=levels)
    return cells(protect(describe.baseline(cohort, "sex", ["specialty"]), cohort.policy).frame.pipe(_as_summaries))


def _as_summaries(frame):
    class Held:
        pass

    held = Held()
    held.frame = frame.drop(columns="hidden")
    return held


@pytest.mark.raises_code("N-DISCLOSURE-HIDDEN")
def test_a_cell_of_few_cannot_be_worked_out_from_the_rest_of_the_table():
    counts = {("gp", "F"): 40, ("gp", "M"): 30, ("surgeon", "F"): 3, ("surgeon", "M"): 20, ("other", "F"): 9}
    found = table_1(counts | {("other", "M"): 12})
    assert np.isnan(found["specialty", "surgeon", "F", "n"])
    assert np.isnan(found["specialty", "surgeon", "F", "percent"])
    # all less the men would tell it, and so would the women less the other specialties
    assert np.isnan(found["specialty", "surgeon", "M", "n"]) or np.isnan(found["specialty", "surgeon", "Overall", "n"])
    assert np.isnan([found["specialty", level, "F", "n"] for level in ("gp", "other")]).any()
    assert np.isnan(found["specialty", "(all)", "Overall", "smd"])


def test_everything_is_shown_where_the_policy_allows_it():
    found = table_1({("gp", "F"): 4, ("gp", "M"): 3, ("surgeon", "F"): 1, ("other", "M"): 2}, min_cell=1)
    assert not np.isnan([value for key, value in found.items() if key[-1] in ("n", "percent")]).any()


def test_differences_that_rest_on_few_are_hidden():
    differences = describe.standardized_differences(burnout_200(), "sex", ["specialty", "EE"])
    strict = Policy(int(differences.frame["n"].min()) + 1)
    assert list(protect(differences, strict).frame["hidden"]) == [True, False]
