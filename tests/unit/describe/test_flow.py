"""Who was seen when."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import burnout_200

from burnout_stats import describe
from burnout_stats.cohort import read_cohort
from burnout_stats.errors import StudyError
from burnout_stats.estimates import Policy, protect

TIMES = {"baseline": 0, "1 year": 1, "3 years": 3}
VILLA_SANA = {(1, 1, 1): 169, (1, 1, 0): 16, (1, 0, 1): 15, (1, 0, 0): 27}


def of_patterns(patterns, *, sex=None, min_cell=5):
    rows = []
    subject = 0
    for (pattern, *level), n in ((key if isinstance(key[0], tuple) else (key,), n) for key, n in patterns.items()):
        for _ in range(n):
            subject += 1
            for visit, seen in zip(TIMES, pattern, strict=True):
                score = 2.0 + subject % 3
                rows.append((subject, visit, score if seen else np.nan, 6.0 - score if seen == 1 else np.nan, *level))
    names = ["id", "visit", "stress", "burnout", *(["sex"] if sex else [])]
    return read_cohort(
        pd.DataFrame(rows, columns=names),
        subject="id",
        visit="visit",
        times=TIMES,
        outcomes=["stress", "burnout"],
        covariates={"sex": {"levels": sex}} if sex else [],
        min_cell=min_cell,
    )


def values(summaries, statistic="n"):
    frame = summaries.frame[summaries.frame["statistic"] == statistic]
    keys = [name for name in frame.columns if name not in ("statistic", "value", "n", "hidden")]
    return {tuple(row[:-1]): row[-1] for row in frame[[*keys, "value"]].itertuples(index=False)}


def test_the_flow_of_villa_sana():
    found = describe.flow(of_patterns(VILLA_SANA))
    assert found.about.kind == "flow"
    assert list(found.frame) == ["variable", "level", "statistic", "value", "n"]
    assert values(found) == {
        ("subjects", "all"): 227,
        ("visit", "baseline"): 227,
        ("visit", "1 year"): 185,
        ("visit", "3 years"): 184,
        ("not_seen", "1 year"): 42,
        ("not_seen", "3 years"): 43,
        ("lost", "1 year"): 27,
        ("complete", "all visits"): 169,
        ("contributing", "Stress"): 227,
        ("contributing", "Burnout"): 227,
        ("pattern", "every visit"): 169,
        ("pattern", "only baseline and 1 year"): 16,
        ("pattern", "only baseline and 3 years"): 15,
        ("pattern", "only baseline"): 27,
    }
    percent = values(found, "percent")
    assert percent["visit", "1 year"] == pytest.approx(100 * 185 / 227)
    assert percent["pattern", "every visit"] == pytest.approx(100 * 169 / 227)
    assert (found.frame["n"] == found.frame.groupby(["variable", "level"])["value"].transform("first")).all()


def test_nothing_of_it_is_hidden_under_the_default_policy():
    assert not protect(describe.flow(of_patterns(VILLA_SANA)), Policy()).frame["hidden"].any()


def test_observed_at_a_visit_and_contributing_are_told_apart():
    # 2: stress observed, burnout not; a subject without any value still counts in the cohort
    found = values(describe.flow(of_patterns({(1, 1, 1): 10, (2, 0, 0): 6, (0, 2, 1): 5, (0, 0, 0): 7}, min_cell=1)))
    assert found["subjects", "all"] == 28
    assert found["visit", "baseline"] == 16
    assert found["visit", "1 year"] == 15
    assert found["contributing", "Stress"] == 21
    assert found["contributing", "Burnout"] == 15
    assert found["pattern", "no visit"] == 7


def test_the_flow_within_groups():
    patterns = {((1, 1, 1), "F"): 80, ((1, 0, 0), "F"): 20, ((1, 1, 1), "M"): 30, ((1, 1, 0), "M"): 10}
    found = describe.flow(of_patterns(patterns, sex=["F", "M"]), by="sex")
    assert found.about.by == ("sex",)
    n, percent = values(found), values(found, "percent")
    assert n["subjects", "all", "F"] == 100
    assert n["visit", "1 year", "F"] == 80
    assert percent["visit", "1 year", "M"] == 100
    assert percent["pattern", "only baseline and 1 year", "M"] == 25
    assert ("pattern", "only baseline", "M") not in n


def test_subjects_whose_group_is_not_known_are_a_group():
    data = pd.DataFrame(
        {
            "id": [1, 1, 2, 3],
            "visit": ["baseline", "1 year", "baseline", "baseline"],
            "stress": [3.0, 3.0, 2.0, 4.0],
            "sex": [None, "F", "M", None],
        }
    )
    cohort = read_cohort(data, subject="id", visit="visit", times={"baseline": 0, "1 year": 1}, outcomes=["stress"])
    found = values(describe.flow(cohort, by="sex"))
    assert [found["subjects", "all", level] for level in ("F", "M", "missing")] == [1, 1, 1]


def test_a_subject_belongs_to_the_group_of_the_first_visit():
    data = pd.DataFrame(
        {"id": [1, 1, 2], "visit": ["baseline", "1 year", "baseline"], "stress": 3.0, "work": ["full", "part", "part"]}
    )
    cohort = read_cohort(data, subject="id", visit="visit", times={"baseline": 0, "1 year": 1}, outcomes=["stress"])
    found = values(describe.flow(cohort, by="work"))
    assert (found["visit", "1 year", "full"], found["visit", "1 year", "part"]) == (1, 0)


def test_the_flow_of_a_cohort_of_200():
    found = values(describe.flow(burnout_200()))
    assert [found["visit", label] for label in ("v0", "v1", "v3")] == [200, 167, 157]
    assert sum(n for (variable, _), n in found.items() if variable == "pattern") == 200


@pytest.mark.raises_code("E-STUDY-COLUMN", "E-STUDY-VALUE")
def test_by_is_a_categorical_covariate():
    cohort = burnout_200()
    with pytest.raises(StudyError, match="Did you mean `sex`"):
        describe.flow(cohort, by="sexx")
    with pytest.raises(StudyError, match="is a number"):
        describe.flow(cohort, by="age")
    data = cohort.frame.assign(level="a").drop(columns=["years"])
    named = read_cohort(data, subject="subject", visit="visit", times={"v0": 0, "v1": 1, "v3": 3}, outcomes=["EE"])
    with pytest.raises(StudyError, match="Rename"):
        describe.by_visit(named, by="level")


def test_numbers_before_the_data_are_declared():
    found = describe.flow(
        of_patterns(VILLA_SANA),
        before={"Invited": 260, "Eligible": 242, "Consented": 227},
        reasons={"Invited": {"Not working": 10, "Abroad": 8}, "Eligible": {"Declined": 9}},
    )
    n = values(found)
    assert [n["before", stage] for stage in ("Invited", "Eligible", "Consented")] == [260, 242, 227]
    assert values(found, "percent")["before", "Consented"] == pytest.approx(100 * 227 / 260)
    assert n["left after Invited", "all"] == 18
    assert n["left after Invited", "Abroad"] == 8
    assert ("left after Invited", "Reason not known") not in n
    assert n["left after Eligible", "Reason not known"] == 6
    assert ("left after Consented", "all") not in n
    assert not protect(found, Policy()).frame["hidden"].any()


def test_a_reason_of_few_hides_all_reasons_of_its_stage():
    found = describe.flow(
        of_patterns(VILLA_SANA), before={"Invited": 242}, reasons={"Invited": {"Declined": 11, "Abroad": 4}}
    )
    shown = values(protect(found, Policy()))
    assert np.isnan([shown["left after Invited", reason] for reason in ("Declined", "Abroad")]).all()
    assert shown["left after Invited", "all"] == 15


def test_few_between_two_stages_are_not_told_by_either():
    shown = values(protect(describe.flow(of_patterns(VILLA_SANA), before={"Invited": 230}), Policy()))
    assert np.isnan(shown["before", "Invited"])
    assert np.isnan(shown["left after Invited", "all"])


@pytest.mark.raises_code("E-STUDY-VALUE")
@pytest.mark.parametrize(
    "declared",
    [
        {"before": {"Invited": 226}},
        {"before": {"Invited": 240, "Consented": 250}},
        {"before": {"Invited": 242}, "reasons": {"Invited": {"Declined": 16}}},
        {"before": {"Invited": 242}, "reasons": {"Consented": {"Declined": 1}}},
        {"before": {"Invited": 242.5}},
        {"before": {"Invited": 242}, "by": describe.Completed("3 years")},
    ],
)
def test_declared_numbers_that_cannot_be(declared):
    with pytest.raises(StudyError):
        describe.flow(of_patterns(VILLA_SANA), **declared)


def test_the_flow_of_those_who_completed():
    n = values(describe.flow(of_patterns(VILLA_SANA), by=describe.Completed("3 years")))
    assert n["subjects", "all", "completed"] == n["visit", "3 years", "completed"] == 184
    assert n["visit", "1 year", "lost"] == 16
    assert n["visit", "3 years", "lost"] == 0


# ---- privacy -------------------------------------------------------------------------------------------------------


def shown(patterns, **say):
    cohort = of_patterns(patterns, **say)
    found = protect(describe.flow(cohort), cohort.policy)
    frame = found.frame
    assert frame.loc[frame["hidden"], ["value", "n"]].isna().all().all()
    return values(found)


@pytest.mark.raises_code("N-DISCLOSURE-HIDDEN")
def test_a_pattern_of_few_is_hidden_with_every_count_that_would_tell_it():
    found = shown({(1, 1, 1): 100, (1, 1, 0): 20, (1, 0, 1): 3, (1, 0, 0): 10})
    assert np.isnan(found["pattern", "only baseline and 3 years"])
    # 3 = (3 years) - (every visit) = 133 - 100 - 20 - 10, so some of these are hidden too
    told = {key for key, n in found.items() if not np.isnan(n)}
    assert ("subjects", "all") in told
    assert not {("visit", "3 years"), ("pattern", "every visit")} <= told
    assert not {("visit", "3 years"), ("complete", "all visits")} <= told
    patterns = [n for (variable, _), n in found.items() if variable == "pattern"]
    assert np.isnan(patterns).sum() >= 2


def test_few_who_are_not_seen_are_hidden_too():
    found = shown({(1, 1, 1): 100, (1, 1, 0): 2, (1, 0, 1): 2})
    assert np.isnan(found["visit", "1 year"])
    assert np.isnan(found["visit", "3 years"])
    assert found["visit", "baseline"] == 104


def test_few_who_do_not_contribute_are_hidden_too():
    found = shown({(1, 1, 1): 40, (2, 2, 2): 2})  # 2: stress observed, burnout not
    assert np.isnan(found["contributing", "Burnout"])
    assert found["contributing", "Stress"] == found["visit", "1 year"] == 42


def test_every_count_is_shown_where_the_policy_allows_it():
    found = shown({(1, 1, 1): 100, (1, 1, 0): 2, (1, 0, 1): 1}, min_cell=1)
    assert not np.isnan(list(found.values())).any()


def test_the_protected_flow_keeps_no_sizes():
    cohort = of_patterns({(1, 1, 1): 100, (1, 1, 0): 2, (1, 0, 1): 2})
    assert protect(describe.flow(cohort), cohort.policy).margins is None


def test_to_protect_twice_changes_nothing():
    cohort = of_patterns({(1, 1, 1): 100, (1, 1, 0): 20, (1, 0, 1): 3, (1, 0, 0): 10})
    once = protect(describe.flow(cohort), cohort.policy)
    pd.testing.assert_frame_equal(protect(once, cohort.policy).frame, once.frame)
