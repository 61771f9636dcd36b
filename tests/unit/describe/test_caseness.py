"""Cases at each visit, their change, and movement between states."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint
from tolerances import CLOSED_FORM

from burnout_stats import describe
from burnout_stats.cohort import read_cohort
from burnout_stats.engine.proportions import newcombe_paired, tango
from burnout_stats.errors import StudyError
from burnout_stats.estimates import Policy, Share, protect
from burnout_stats.studies import example

TIMES = {"baseline": 0, "1 year": 1, "3 years": 3}
COURSES = {
    ("yes", "yes", "yes"): 6,
    ("yes", "no", "no"): 20,
    ("yes", "no", "yes"): 7,
    ("no", "no", "no"): 40,
    ("no", "no", "yes"): 8,
    ("no", "yes", "no"): 9,
    ("no", "yes", "yes"): 5,
    ("yes", None, "no"): 11,
    ("no", "no", None): 12,
}


def on_leave(courses=COURSES, **roles):
    rows = [
        (subject, visit, 1.0 + at, value, "F" if subject % 2 else "M")
        for subject, course in enumerate(course for course, n in courses.items() for _ in range(n))
        for at, (visit, value) in enumerate(zip(TIMES, course, strict=True))
    ]
    frame = pd.DataFrame(rows, columns=["id", "visit", "score", "leave", "sex"])
    asked = {
        "subject": "id",
        "visit": "visit",
        "times": TIMES,
        "outcomes": {"score": {"better": "lower"}},
        "covariates": {"leave": {"levels": ["no", "yes"]}, "sex": {"levels": ["F", "M"]}},
    }
    return read_cohort(frame, **(asked | roles))


def n_of(summaries):
    frame = summaries.frame
    frame = frame[frame["statistic"].eq("n")]
    return {(row.variable, row.level): int(row.value) for row in frame.itertuples()}


# ---- prevalence


def test_prevalence_of_a_level_at_each_visit():
    found = describe.caseness(on_leave(), "leave").frame
    assert found["visit"].tolist() == list(TIMES)
    assert (found["estimate"] * found["n"]).round(9).tolist() == [44, 20, 26]
    assert found["n"].tolist() == [118, 107, 106]
    for row in found.itertuples():
        wanted = proportion_confint(round(row.estimate * row.n), row.n, method="wilson")
        np.testing.assert_allclose([row.conf_low, row.conf_high], wanted, rtol=CLOSED_FORM)
    turned = describe.caseness(on_leave(), "leave", level="no").frame
    np.testing.assert_allclose(turned["estimate"], 1 - found["estimate"])


@pytest.mark.parametrize(("direction", "share"), [(None, 1.0), (">=", 1.0), (">", 0.0), ("<=", 1.0), ("<", 0.0)])
def test_the_side_of_the_cut_off(direction, share):
    found = describe.caseness(on_leave(), "score", 2.0, direction=direction).frame
    assert found.loc[1, "estimate"] == share
    assert found["estimate"].tolist()[::2] == ([0, 1] if direction in (None, ">=", ">") else [1, 0])


def test_the_worse_side_follows_from_the_better_one():
    higher = on_leave(outcomes={"score": {"better": "higher"}})
    assert describe.caseness(higher, "score", 2.0).frame["estimate"].tolist() == [1, 1, 0]
    with pytest.raises(StudyError, match="Nobody said which end"):
        describe.caseness(on_leave(outcomes={"score": {}}), "score", 2.0)


def test_cut_offs_of_the_instrument():
    cohort = example("villa_sana")
    first = describe.caseness(cohort, "depression", "instrument")
    pd.testing.assert_frame_equal(first.frame, describe.caseness(cohort, "depression", 8.0, direction=">=").frame)
    assert "possible case" in first.about.notes[0]
    second = describe.caseness(cohort, "depression", "probable case")
    pd.testing.assert_frame_equal(second.frame, describe.caseness(cohort, "depression", 11).frame)
    with pytest.raises(StudyError, match="which instrument"):
        describe.caseness(on_leave(), "score", "instrument")
    longer = on_leave(outcomes={"score": {"better": "lower", "instrument": "hads_depression", "range": [0, 42]}})
    with pytest.raises(StudyError, match="from 0 to 42"):
        describe.caseness(longer, "score", "instrument")


def test_groups_and_intervals():
    found = describe.caseness(on_leave(), "leave", by="sex", interval="clopper-pearson").frame
    assert found.groupby("sex")["n"].sum().sum() == 118 + 107 + 106
    assert found["method"].unique().tolist() == ["clopper-pearson"]
    printed = describe.caseness_from_summaries({"baseline": Share(63, 182), "1 year": Share(10, 182)}).frame
    assert printed["estimate"].round(3).tolist() == [0.346, 0.055]


def test_a_visit_where_nobody_was_asked():
    frame = on_leave().data.assign(leave=lambda d: d["leave"].where(d["visit"].ne("1 year")))
    cohort = read_cohort(
        frame.rename(columns={"subject": "person"}).drop(columns="years"),
        subject="person",
        visit="visit",
        times=TIMES,
        outcomes=["score"],
        covariates={"leave": {"levels": ["no", "yes"]}},
    )
    row = describe.caseness(cohort, "leave").frame.iloc[1]
    assert row["n"] == 0
    assert np.isnan(row["estimate"])
    change = describe.caseness_change(cohort, "leave").frame
    assert change.loc[:2, "estimate"].isna().all()


@pytest.mark.raises_code("E-STUDY-COLUMN", "E-STUDY-VALUE", "E-STUDY-OPTION", "E-STUDY-INSTRUMENT")
def test_refusals():
    cohort = on_leave()
    for wrong, words in (
        (("leav",), "Did you mean `leave`"),
        (("score",), "no cut-off is given"),
        (("leave", 3.0), "has levels"),
    ):
        with pytest.raises(StudyError, match=words):
            describe.caseness(cohort, *wrong)
    for wrong in ({"direction": "above"}, {"interval": "wald"}):
        with pytest.raises(StudyError, match="It is one of"):
            describe.caseness(cohort, "score", 2.0, **wrong)
    with pytest.raises(StudyError, match="a level is asked for"):
        describe.caseness(cohort, "score", 2.0, level="yes")
    with pytest.raises(StudyError, match="It is one of: no, yes"):
        describe.caseness(cohort, "leave", level="maybe")
    with pytest.raises(StudyError, match="has no cut-off"):
        describe.caseness(example("villa_sana"), "exhaustion", "instrument")


# ---- change


def test_change_in_the_same_persons():
    found = describe.caseness_change(on_leave(), "leave", visits="consecutive")
    rows = found.frame[found.frame["contrast"].eq("1 year - baseline")].set_index("rule")
    e, f, g, h = 6, 27, 14, 60
    assert rows["n"].unique().tolist() == [e + f + g + h]
    assert rows["estimate"].round(12).nunique() == 1
    assert rows["estimate"].iloc[0] == pytest.approx((g - f) / 107)
    low, high = newcombe_paired(e, f, g, h)
    limits = rows.loc["Newcombe, mid-p", ["conf_low", "conf_high"]].to_numpy(dtype=float)
    np.testing.assert_allclose(limits, [-high, -low])
    low, high = tango(f, g, 107)
    limits = rows.loc["Tango, chi-square", ["conf_low", "conf_high"]].to_numpy(dtype=float)
    np.testing.assert_allclose(limits, [-high, -low])
    exact, plain = mcnemar([[e, f], [g, h]]), mcnemar([[e, f], [g, h]], exact=False, correction=False)
    assert rows.loc["exact", "p_value"] == pytest.approx(exact.pvalue, rel=1e-9)
    assert rows.loc["Tango, chi-square", "statistic"] == pytest.approx(-np.sqrt(plain.statistic))
    assert rows.loc["Tango, chi-square", "p_value"] == pytest.approx(plain.pvalue)
    printed = describe.caseness_change_from_summaries(both=e, before_only=f, after_only=g, neither=h).frame
    numbers = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high", "n"]
    np.testing.assert_allclose(printed[numbers].to_numpy(), rows[numbers].to_numpy())


def test_margins_leave_a_range():
    """FACTS: full-time sick leave 63/182 to 10/182; b - c = 53."""
    found = describe.caseness_change_from_summaries(before=Share(63, 182), after=Share(10, 182)).frame
    assert found["moved"].unique().tolist() == ["fewest: 53 ceased, 0 became", "most: 63 ceased, 10 became"]
    least, most = (
        describe.caseness_change_from_summaries(both=e, before_only=f, after_only=g, neither=h).frame
        for e, f, g, h in ((10, 53, 0, 119), (0, 63, 10, 109))
    )
    for part, whole in (("fewest", least), ("most", most)):
        ours = found[found["moved"].str.startswith(part)].drop(columns="moved").reset_index(drop=True)
        pd.testing.assert_frame_equal(ours, whole)
    for became in range(1, 10):
        between = describe.caseness_change_from_summaries(
            both=10 - became, before_only=53 + became, after_only=became, neither=119 - became
        ).frame
        assert least.loc[2, "p_value"] < between.loc[2, "p_value"] < most.loc[2, "p_value"]
    rise = describe.caseness_change_from_summaries(before=Share(36, 182), after=Share(97, 182)).frame
    assert rise["moved"].iloc[0] == "fewest: 0 ceased, 61 became"
    assert rise["moved"].iloc[-1] == "most: 36 ceased, 97 became"


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_margins_and_counts_that_make_no_table():
    for wrong in (
        {"both": 3},
        {"both": 3, "before_only": -1, "after_only": 2, "neither": 5},
        {"both": 0, "before_only": 0, "after_only": 0, "neither": 0},
        {"before": Share(3, 9)},
        {"before": Share(3, 9), "after": Share(3, 10)},
    ):
        with pytest.raises(StudyError):
            describe.caseness_change_from_summaries(**wrong)


# ---- movement


def test_states_movements_and_courses():
    found = n_of(describe.transitions(on_leave(), "leave"))
    assert found["subjects", "all"] == 118
    assert [found["state", f"1 year: {state}"] for state in ("case", "not a case", "missing")] == [20, 87, 11]
    assert found["baseline → 1 year", "case → not a case"] == 27
    assert found["baseline → 1 year", "case → missing"] == 11
    assert found["1 year → 3 years", "missing → not a case"] == 11
    courses = {level: n for (variable, level), n in found.items() if variable == "course"}
    assert courses == {
        "case at every visit": 6,
        "recovered": 20,
        "recovered, then relapsed": 7,
        "never a case": 40,
        "incident case": 8 + 5,
        "incident case, then recovered": 9,
        "missing at a visit": 23,
    }


def test_everything_adds_up():
    found = n_of(describe.transitions(example("villa_sana"), "exhaustion", 3.0))
    variables = {variable for variable, _ in found}
    assert {"subjects", "state", "course", "baseline → 1 year", "1 year → 3 years"} == variables
    totals = {name: sum(n for (variable, _), n in found.items() if variable == name) for name in variables}
    assert totals == {"subjects": 227, "state": 3 * 227, "course": 227} | dict.fromkeys(
        ("baseline → 1 year", "1 year → 3 years"), 227
    )
    for state in ("case", "not a case", "missing"):
        out = sum(n for (variable, level), n in found.items() if level.startswith(f"{state} →") and "→ 3" in variable)
        assert out == found["state", f"1 year: {state}"]


def test_percentages_and_groups():
    found = describe.transitions(on_leave(), "leave", by="sex").frame
    percent = found[found["statistic"].eq("percent") & found["sex"].eq("F")].set_index(["variable", "level"])["value"]
    assert percent["state"][["1 year: case", "1 year: not a case"]].sum() == pytest.approx(100)
    assert percent["baseline → 1 year"].filter(like="case →").iloc[:3].sum() == pytest.approx(100)


def test_moving_to_and_fro():
    rows = [(1, 0.0, 5), (1, 1.0, 1), (1, 2.0, 5), (1, 3.0, 1), (2, 0.0, 1), (2, 1.0, 1), (2, 2.0, 1), (2, 3.0, 5)]
    cohort = read_cohort(
        pd.DataFrame([(i, f"v{t:g}", s) for i, t, s in rows], columns=["id", "visit", "score"]),
        subject="id",
        visit="visit",
        times={f"v{t}": t for t in range(4)},
        outcomes={"score": {"better": "lower"}},
    )
    found = n_of(describe.transitions(cohort, "score", 3))
    assert (found["course", "moved three times or more"], found["course", "incident case"]) == (1, 1)


# ---- privacy


def test_few_cases_hide_the_prevalence():
    few = dict(COURSES) | {("yes", "yes", "yes"): 0, ("no", "yes", "no"): 0}  # five persons are cases at one year
    shown = protect(describe.caseness(on_leave(few), "leave"), Policy(5)).frame
    assert shown["hidden"].tolist() == [False, False, False]
    shown = protect(describe.caseness(on_leave(few), "leave"), Policy(6)).frame
    assert shown["hidden"].tolist() == [False, True, False]
    assert shown.loc[1, ["estimate", "conf_low", "conf_high", "n"]].isna().all()


def test_few_who_moved_hide_the_test():
    few = dict(COURSES) | {("no", "yes", "no"): 0, ("no", "yes", "yes"): 3}
    change = describe.caseness_change(on_leave(few), "leave")
    assert protect(change, Policy(5)).frame["hidden"].tolist() == [True] * 3 + [False] * 3
    assert protect(change, Policy(3)).frame["hidden"].tolist() == [False] * 6
    assert change.frame["p_value"].notna().all()


@pytest.mark.raises_code("N-DISCLOSURE-HIDDEN")
def test_a_hidden_movement_cannot_be_worked_out():
    """In a row of three movements with a known total, one hidden number alone would tell itself."""
    few = dict(COURSES) | {("no", "yes", "no"): 0, ("no", "yes", "yes"): 3}
    shown = protect(describe.transitions(on_leave(few), "leave"), Policy(5)).frame
    counts = shown[shown["statistic"].eq("n")]
    moves = counts[counts["variable"].eq("baseline → 1 year") & counts["level"].str.startswith("not a case →")]
    assert moves["hidden"].sum() >= 2 or counts.loc[counts["level"].eq("baseline: not a case"), "hidden"].all()
    states = counts[counts["variable"].eq("state")].set_index("level")["hidden"]
    known = not states["1 year: case"] and not counts.loc[counts["level"].eq("case → case"), "hidden"].iloc[0]
    assert not known


@pytest.mark.raises_code("E-STUDY-VISITS")
def test_one_visit_has_no_movement():
    single = read_cohort(
        pd.DataFrame({"id": range(6), "visit": "baseline", "score": np.arange(6.0)}),
        subject="id",
        visit="visit",
        times={"baseline": 0},
        outcomes={"score": {"better": "lower"}},
    )
    with pytest.raises(StudyError, match="one visit"):
        describe.transitions(single, "score", 1)
