"""Two arms, several visits, overlapping surveys: published studies beside their synthetic replicates."""

from __future__ import annotations

import numpy as np
import pytest

from burnout_stats import describe
from burnout_stats.describe import caseness_change_from_summaries, change_from_summaries
from burnout_stats.estimates import Sample, Share
from burnout_stats.inference import arm_differences, contrast, emmeans
from burnout_stats.models import LMM, fit
from burnout_stats.studies import names, study
from burnout_stats.studies._associations import associated
from burnout_stats.studies._reproduce import statistics_of
from burnout_stats.studies._stack import of_cohort

STUDIES = ("dyrbye_2019", "krasner_2009", "rosta_2020", "simpson_2021", "west_2014")
EXPLAINED = {
    "dyrbye_2019": {"qol_p", "resilience_p"},
    "krasner_2009": set(),
    "rosta_2020": set(),
    "simpson_2021": {"wellbeing_improved", "anxiety_improved"},
    "west_2014": {"dp_3_p", "dp_12_p"},
}


@pytest.mark.parametrize("name", STUDIES)
def test_the_replicates_agree_with_what_is_printed_or_the_table_says_why_not(name):
    found = study(name).reproduce(100 if name == "rosta_2020" else 300, seed=1)
    agrees = found.frame.set_index("id")["agrees"]
    assert not agrees.eq("no").any(), agrees[agrees.eq("no")]
    assert set(agrees.index[agrees.eq("no: see note")]) <= EXPLAINED[name]
    for key in agrees.index[agrees.ne("yes")]:
        assert any(study(name).number(key).why_not in note for note in found.about.notes)


@pytest.mark.parametrize("name", STUDIES)
def test_what_is_called_printed_was_read_or_derived_and_its_arithmetic_is_shown(name):
    assert name in names()
    for number in study(name).printed:
        assert number.mark in {"seen", "derived"}
        assert ("derived: " in number.source) == (number.mark == "derived")
        assert number.source.startswith(study(name).tables["sources"]["P"])
    assert study(name).design.assumptions


@pytest.mark.parametrize("name", [name for name in STUDIES if name != "rosta_2020"])
def test_the_verbs_find_what_the_array_formulas_find(name):
    cohort = study(name).simulate(seed=4)
    found = study(name).analyze(cohort)
    formulas = statistics_of(study(name), of_cohort(cohort))
    assert len(found.answers) > len(found.numbers) / 2
    for key in found.answers:
        assert found[key] == pytest.approx(formulas[key][0], rel=1e-9, abs=1e-12), key


def test_a_study_with_a_seed_is_the_first_replicate_of_its_stack():
    for name in STUDIES:
        one, stack = study(name).simulate(seed=7), study(name).stack(2, seed=7)
        assert one.n_subjects == stack.n_subjects
        outcome = study(name).design.main_outcome
        seen = stack.scores[outcome][0][stack.seen[0]]
        assert one.data[outcome].to_numpy() == pytest.approx(seen)


# ---- what the printed numbers say by themselves --------------------------------------------------------------------


def shares(n, decimals=1):
    return {f"{100 * k / n:.{decimals}f}" for k in range(n + 1)}


def test_dyrbye_prevalences_are_of_41_in_each_arm():
    printed = {"19.5", "9.8", "17.1", "4.9"}
    assert [n for n in range(2, 45) if printed <= shares(n)] == [41]


def test_west_prevalences_are_of_34_and_33():
    assert [n for n in range(30, 38) if {"34.3", "25.7", "42.9", "31.4"} <= shares(n)] == [35]
    for after, of in (((24.3 - 15.5), 34), ((25.7 + 0.8), 34), ((24.3 - 9.6), 34), ((25.7 - 1.5), 33)):
        near = [n for n in range(30, 38) if min(abs(after - 100 * k / n) for k in range(n)) < 0.06]
        assert of in near
        assert len(near) <= 2


def test_dyrbye_interval_is_narrower_than_persons_allow():
    def least(count):  # everybody who moved went one way
        moved = caseness_change_from_summaries(both=0, before_only=count, after_only=0, neither=41 - count)
        return float(moved.frame.loc[0, "std_error"])

    error = 100 * np.hypot(least(8), least(4))
    assert error == pytest.approx(7.7, abs=0.05)
    assert error / 3 > (34.0 - 24.6) / (2 * 1.96)
    assert Share(8, 41).value == pytest.approx(0.195, abs=5e-4)


def test_krasner_interval_gives_the_sd_of_the_change():
    sd = 2.0 * np.sqrt(70) / 1.9949
    found = change_from_summaries(before=Sample(26.8, 11.0, 70), after=Sample(20.0, 11.0, 70), sd_change=sd).frame
    assert found.loc[0, ["conf_low", "conf_high"]].tolist() == pytest.approx([-8.8, -4.8], abs=5e-3)
    assert float(found.loc[0, "statistic"]) == pytest.approx(-6.8, abs=0.05)


# ---- the plan of today ---------------------------------------------------------------------------------------------


def test_the_arms_share_a_baseline_only_where_persons_were_randomized():
    assert [study(name).design.randomized for name in STUDIES] == [True, False, False, False, True]
    cohort = study("dyrbye_2019").simulate(seed=1)
    found = arm_differences(cohort, "exhaustion", arm="arm", randomized=study("dyrbye_2019").design.randomized)
    assert found.frame["contrast"].tolist() == ["6 months: coaching - control"]
    adjusted = describe.between_arms(cohort, "exhaustion", arm="arm", method="ancova", randomized=True).frame
    # those without the second visit tell of the common baseline only: the difference is nearly that of complete pairs
    assert found.frame.loc[0, "estimate"] == pytest.approx(adjusted.loc[0, "estimate"], abs=0.3)
    assert found.frame.loc[0, "std_error"] == pytest.approx(adjusted.loc[0, "std_error"], rel=0.1)


@pytest.mark.parametrize("name", ["dyrbye_2019", "west_2014"])
def test_todays_plan_of_a_trial_is_the_model_with_a_common_baseline(name):
    cohort = study(name).simulate(seed=3)
    outcome = study(name).design.main_outcome
    found = study(name).today(cohort, dashboard=False).changes.frame
    ours = arm_differences(cohort, outcome, arm="arm", randomized=True).frame
    theirs = found[found["outcome"].eq(outcome)]
    for column in ("estimate", "std_error", "df"):
        assert theirs[column].to_numpy() == pytest.approx(ours[column].to_numpy(), rel=1e-5)


@pytest.mark.parametrize(("name", "changes"), [("krasner_2009", 15), ("simpson_2021", 5), ("rosta_2020", 12)])
def test_todays_plan_without_randomization_has_changes_or_their_differences_between_groups(name, changes):
    found = study(name).today(study(name).simulate(seed=3), dashboard=False)
    assert len(found.changes.frame) == changes
    assert found.changes.frame["estimate"].notna().all()


def test_change_and_adjusted_difference_estimate_the_same_in_a_trial():
    stack = study("dyrbye_2019").stack(400, seed=2)
    of = {"variable": "exhaustion", "visits": ["baseline", "6 months"], "factor": "arm"}
    of |= {"levels": ["control", "coaching"]}
    from burnout_stats.studies._statistics import statistic

    change, adjusted = (statistic(name)(stack, of) for name in ("difference_of_change", "ancova_difference"))
    error = change.std() / np.sqrt(len(change))
    assert change.mean() == pytest.approx(-6.7, abs=4 * error)
    assert adjusted.mean() == pytest.approx(change.mean(), abs=4 * error)
    assert adjusted.std() < change.std()


def test_overlapping_surveys_have_the_printed_numbers_of_answers():
    stack = study("rosta_2020").stack(3, seed=1)
    assert stack.seen.sum(axis=1).tolist() == [[1014, 1604, 1511]] * 3
    assert not stack.seen[0, :, 0].all()
    kinds, counts = np.unique(stack.seen[0], axis=0, return_counts=True)
    told = {tuple(row["seen"]): row["count"] for row in study("rosta_2020").tables["panel"]}
    assert {tuple(map(bool, kind)): count for kind, count in zip(kinds.tolist(), counts.tolist(), strict=True)} == told
    assert not np.isnan(stack.scores["age"]).any()


def test_the_mixed_model_knows_that_doctors_answered_twice():
    cohort = study("rosta_2020").simulate(seed=1)
    found = study("rosta_2020").analyze(cohort)
    printed = {n.id: n.value for n in study("rosta_2020").printed if n.statistic == "adjusted_mean"}
    for key, value in printed.items():
        assert found[key] == pytest.approx(value, abs=0.25)
    fitted = fit(LMM("effort ~ visit + sex + age + (1 | subject)"), cohort)
    change = contrast(emmeans(fitted, "visit", df="asymptotic"), "vs_baseline").frame.set_index("contrast")
    y = [cohort.data.loc[cohort.data["visit"].eq(visit), "effort"] for visit in ("2010", "2019")]
    as_if_independent = np.sqrt(sum(part.var(ddof=1) / len(part) for part in y))
    assert change.loc["2019 - 2010", "std_error"] < 0.9 * as_if_independent


@pytest.mark.raises_code("E-STUDY-CORRELATION")
def test_associations_that_cannot_be_together_are_refused():
    from burnout_stats.errors import StudyError

    arm = study("krasner_2009").arms()[0]
    with pytest.raises(StudyError, match="cannot be one"):
        associated(arm, {"exhaustion": {"depersonalization": 0.9, "accomplishment": 0.9}})


# ---- data sets with the printed digits -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dyrbye_2019", "west_2014", "krasner_2009"])
def test_a_data_set_with_the_printed_digits_misses_only_what_contradicts(name):
    found = study(name).reconstruct(seed=1)
    assert set(found.not_met) == EXPLAINED[name]
    assert len(found.met) >= 22
    reasons = study(name).tables["reconstruction"].get("cannot", {})
    assert set(found.not_met) == set(reasons)


def test_means_and_limits_of_simpson_are_met_and_shares_are_said_to_be_free():
    found = study("simpson_2021").reconstruct(seed=1)
    met = {f"{name}_{part}" for name in study("simpson_2021").design.outcomes for part in ("es", "low", "high")}
    assert met <= set(found.met)
    assert set(found.not_met) <= set(study("simpson_2021").tables["reconstruction"]["cannot"])


def test_the_digits_are_those_that_the_verbs_find():
    cohort = study("dyrbye_2019").reconstruct(seed=1).cohort
    row = describe.between_arms(cohort, "exhaustion", arm="arm", method="change").frame.iloc[0]
    printed = describe.between_arms_from_summaries(first=Sample(1.5, 7.7, 41), second=Sample(-5.2, 8.7, 41)).frame
    assert row["estimate"] == pytest.approx(-6.7, abs=1e-9)
    assert row["statistic"] == pytest.approx(printed.loc[0, "statistic"], rel=2e-3)  # the SDs have one decimal
    share = describe.caseness(cohort, "high_exhaustion", by="arm").frame.set_index(["arm", "visit"])["estimate"]
    assert share["coaching", "6 months"] == pytest.approx(15 / 41)


@pytest.mark.raises_code("E-STUDY-UNKNOWN")
def test_overlapping_surveys_have_no_such_data_set():
    from burnout_stats.errors import StudyError

    with pytest.raises(StudyError, match="no \\[reconstruction\\]"):
        study("rosta_2020").reconstruct(seed=1)
