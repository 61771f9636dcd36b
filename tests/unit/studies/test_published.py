"""Published studies: what is called printed, replicates as stacks, the plan as printed by verbs, and the two plans told
apart.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from tolerances import CLOSED_FORM

import burnout_stats as bs
from burnout_stats import tables
from burnout_stats.errors import ModelError, StudyError
from burnout_stats.notices import BurnoutStatsWarning
from burnout_stats.pathways import cross_lagged, paths
from burnout_stats.studies import _draw, names, study
from burnout_stats.studies._change_regression import change_regression
from burnout_stats.studies._draw import Arm, draw, latent_correlation
from burnout_stats.studies._printed import MARKS, PrintedNumber
from burnout_stats.studies._reconstruct import shaped
from burnout_stats.studies._reproduce import (
    AGREES,
    EXPLAINED,
    MISSED,
    NOT_COMPUTED,
    is_missed,
    replicated,
    statistics_of,
)
from burnout_stats.studies._stack import among, of_cohort, subjects_among, to_cohort
from burnout_stats.studies._statistics import STATISTICS
from burnout_stats.studies._today import baseline_twice

OURS = ("villa_sana_2007", "villa_sana_2008", "villa_sana_2010", "villa_sana_2012", "villa_sana_nurses_2010")
WITH_RECONSTRUCTION = OURS[1:]


# ---- numbers -------------------------------------------------------------------------------------------------------


def test_studies_are_attributes_of_the_room_and_have_hyphens():
    assert set(OURS) <= set(names())
    assert "villa_sana" not in names()
    assert bs.studies.villa_sana_2010 is study("villa-sana-2010")
    with pytest.raises(AttributeError):
        _ = bs.studies.villa_sana_1910


@pytest.mark.raises_code("E-STUDY-UNKNOWN")
def test_an_unknown_study_names_the_nearest():
    with pytest.raises(StudyError, match="villa_sana_2010"):
        study("villa-sana-2011")


@pytest.mark.parametrize("name", OURS)
def test_what_is_called_printed_is_marked_sourced_and_produced_or_explained(name):
    for number in study(name).printed:
        assert number.mark in MARKS
        assert number.source
        assert number.statistic in STATISTICS if number.statistic else number.why_not


@pytest.mark.raises_code("E-STUDY-PRINTED")
@pytest.mark.parametrize(
    "changed", [{"mark": "recalled"}, {"mark": "inferred"}, {"statistic": ""}, {"text": "about 3"}]
)
def test_nothing_else_is_called_printed(changed):
    fine = {"id": "t", "quantity": "t", "text": "6.76", "mark": "seen", "source": "B", "statistic": "paired_t"}
    assert PrintedNumber(**fine).decimals == 2
    with pytest.raises(StudyError):
        PrintedNumber(**(fine | changed))


def test_the_facts_that_the_issue_names_stand_in_the_files():
    def text(name, key):
        return study(name).number(key).text

    assert text("villa_sana_2008", "exhaustion_t") == "6.76"
    scales = ("exhaustion", "job_stress", "coping", "neuroticism")
    assert [text("villa_sana_2010", f"{scale}_t") for scale in scales] == ["7.6", "8.2", "7.0", "5.0"]
    keys = ("anova_F", "anova_df_1", "anova_df_2", "anova_n", "coping_z", "stress_z")
    assert [text("villa_sana_2010", key) for key in keys] == ["33.1", "1.8", "267.0", "147", "4.05", "3.16"]


# ---- stacks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OURS)
def test_formulas_over_a_stack_and_verbs_on_a_cohort_find_the_same_numbers(name):
    one = study(name)
    verbs = one.analyze(one.simulate(seed=3))
    stacked = statistics_of(one, one.stack(1, seed=3))
    assert set(verbs.numbers) == set(stacked)
    assert len(verbs.answers) > 5
    for key, value in verbs.numbers.items():
        assert value == pytest.approx(stacked[key][0], rel=1e-7, abs=1e-9), key


def test_a_stack_does_not_depend_on_how_much_is_drawn_at_a_time(monkeypatch):
    one = study("villa_sana_2010")
    whole = one.stack(4, seed=7)
    monkeypatch.setattr(_draw, "CHUNK", 1)
    parts = one.stack(4, seed=7)
    assert np.array_equal(whole.scores["exhaustion"], parts.scores["exhaustion"], equal_nan=True)
    assert np.array_equal(whole.seen, parts.seen)


def test_a_cohort_and_its_stack_say_the_same():
    one = study("villa_sana_2010")
    stack = one.stack(1, seed=5)
    again = of_cohort(to_cohort(stack))
    assert np.array_equal(again.seen, stack.seen)
    assert np.array_equal(again.at("coping", "1 year"), stack.at("coping", "1 year"), equal_nan=True)
    assert np.array_equal(again.groups["complete_scales"], stack.groups["complete_scales"])
    lost = {"lost": ["3 years"], "where": {"sex": "M"}}
    assert np.array_equal(among(again, lost), among(stack, lost))


def test_latent_correlations_give_the_reported_ones():
    given = study("villa_sana_nurses_2010").arms()[0].parameters
    exhaustion, therapy = given.variable("exhaustion"), given.variable("psychotherapy")
    rho = latent_correlation((exhaustion, exhaustion.margins[0]), (therapy, therapy.margins[1]), 0.30)
    assert 0.30 < rho < 0.60  # a yes-or-no score hides much of it
    everyone = Arm(parameters=given, n=40_000, fixed_patterns=True)
    stack = draw([everyone], replicates=1, seed=2)
    before, after = (stack.at("exhaustion", visit)[0] for visit in given.visits.labels)
    both = ~np.isnan(after)
    assert np.corrcoef(before[both], after[both])[0, 1] == pytest.approx(0.449, abs=0.02)


def test_fixed_patterns_have_their_counts_in_every_replicate():
    seen = study("villa_sana_nurses_2010").stack(20, seed=1).seen[:, :, 1].sum(axis=1)
    assert (seen == 160).all()


@pytest.mark.raises_code("E-STUDY-SIZE")
def test_no_replicates_are_refused():
    with pytest.raises(StudyError):
        study("villa_sana_2008").reproduce(0)


@pytest.mark.raises_code("E-STUDY-OPTION")
def test_an_unknown_statistic_is_refused():
    from burnout_stats.studies._statistics import statistic

    with pytest.raises(StudyError):
        statistic("paired_u")


# ---- reproduction --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def one_year():
    return study("villa_sana_2008").reproduce(120, seed=4)


def test_a_reproduction_tells_median_range_and_verdict(one_year):
    values = replicated(study("villa_sana_2008"), 120, 4)["exhaustion_t"]
    row = one_year.frame.set_index("id").loc["exhaustion_t"]
    assert row["estimate"] == np.median(values)
    assert [row["conf_low"], row["conf_high"]] == np.quantile(values, [0.025, 0.975]).tolist()
    assert row["agrees"] == AGREES
    satisfied = one_year.frame.set_index("id").loc["satisfaction_beta_men"]
    assert satisfied["agrees"] == NOT_COMPUTED
    assert not is_missed(one_year)


def test_a_wide_range_alone_does_not_agree():
    one = study("villa_sana_2008")
    number = replace(one.number("exhaustion_t"), text="8.50")  # inside the range, far from the median
    found = replace(one, printed=(number,)).reproduce(120, seed=4)
    row = found.frame.iloc[0]
    assert row["conf_low"] < 8.50 < row["conf_high"]
    assert row["agrees"] == MISSED
    assert is_missed(found)
    explained = replace(one, printed=(replace(number, why_not="Another rule."),)).reproduce(120, seed=4)
    assert explained.frame.iloc[0]["agrees"] == EXPLAINED
    assert not is_missed(explained)
    assert any("Another rule." in note for note in explained.about.notes)


def test_a_near_median_outside_the_range_does_not_agree():
    one = study("villa_sana_nurses_2010")
    number = replace(one.number("n_1_year"), text="158", tolerance=5.0)  # every replicate has 160
    assert replace(one, printed=(number,)).reproduce(20, seed=1).frame.iloc[0]["agrees"] == MISSED


def test_the_table_has_what_the_issue_asks_for(one_year):
    text = str(tables.reproduction(one_year))
    for word in ("Printed", "Synthetic median", "95% of replicates", "Agrees", "6.76", "not computed", "Assumed:"):
        assert word in text
    assert "not computed" in one_year.frame["agrees"].to_numpy()


def test_one_cohort_beside_the_paper_is_no_replicate():
    one = study("villa_sana_nurses_2010")
    found = one.analyze(one.simulate(seed=1))
    text = str(found)
    assert "This cohort" in text
    assert "Synthetic median" not in text
    n = found.estimates.frame.set_index("id")["n"]
    assert n["exhaustion_t"] == 160
    assert n["n_women"] == found["n_women"]


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_the_table_refuses_other_results():
    with pytest.raises(StudyError):
        tables.reproduction(bs.describe.change(study("villa_sana_2008").simulate(seed=1), "exhaustion"))


# ---- reconstruction ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WITH_RECONSTRUCTION)
def test_a_reconstruction_has_the_printed_digits_by_the_verbs_too(name):
    one = study(name)
    made = one.reconstruct(seed=2)
    verbs = one.analyze(made.cohort)
    assert len(made.met) >= 9
    for key in made.met:
        number = one.number(key).number
        if number.bound:
            assert verbs[key] < number.value
        else:
            assert abs(verbs[key] - number.value) <= number.unit / 2 + 1e-6, key
    impossible = {"leave_1_year", "weeks_z", "coping_synchronous_z", "stress_synchronous_z"}
    assert set(made.not_met) <= impossible
    assert any("grid" in note for note in made.constraints.about.notes)


def test_what_cannot_be_met_together_is_named():
    made = study("villa_sana_2008").reconstruct(seed=1)
    assert made.not_met == ("leave_1_year",)
    assert any("5.49%" in note for note in made.constraints.about.notes)


def test_shaping_gives_mean_and_covariance_exactly():
    rng = np.random.default_rng(3)
    wanted = np.array([[0.9, 0.3, 0.1], [0.3, 0.6, 0.2], [0.1, 0.2, 0.5]])
    Y = shaped(rng.gamma(2.0, size=(30, 3)), np.array([3.0, 2.5, 2.4]), wanted)
    assert Y.mean(axis=0) == pytest.approx([3.0, 2.5, 2.4], rel=CLOSED_FORM)
    assert np.cov(Y.T) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.raises_code("E-STUDY-UNKNOWN")
def test_a_study_without_blocks_is_not_reconstructed():
    with pytest.raises(StudyError, match="reconstruction"):
        study("villa_sana_2007").reconstruct(seed=1)


# ---- regressions of change -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cohort():
    return study("villa_sana_2008").simulate(seed=11)


def wide_rows(cohort):
    frame = cohort.data.set_index(["subject", "visit"])
    at = {visit: frame.xs(visit, level="visit") for visit in ("baseline", "1 year")}
    joined = at["baseline"].add_suffix("_0").join(at["1 year"].add_suffix("_1"), how="inner")
    return pd.DataFrame(
        {
            "fall": joined["exhaustion_0"] - joined["exhaustion_1"],
            "hours": joined["work_hours_0"] - joined["work_hours_1"],
            "male": (joined["sex_0"] == "M").astype(float),
            "age": joined["age_0"],
            "start": joined["exhaustion_0"],
        }
    )


def test_change_regressions_are_least_squares(cohort):
    rows = wide_rows(cohort)
    found = change_regression(
        cohort, "exhaustion", "fall(work_hours)", visit="1 year", given=["sex=M", "age"], by="sex"
    ).frame
    for model, more in (("change score", []), ("adjusted for baseline", ["start"])):
        ours = found[found["model"].eq(model) & found["measure"].eq("B")].set_index("among")
        everyone = sm.OLS(rows["fall"], sm.add_constant(rows[["hours", "male", "age", *more]])).fit()
        for column, theirs in (
            ("estimate", everyone.params),
            ("std_error", everyone.bse),
            ("p_value", everyone.pvalues),
        ):
            assert ours.loc["everyone", column] == pytest.approx(theirs["hours"], rel=1e-8)
        product = rows.assign(both=rows["hours"] * rows["male"])
        crossed = sm.OLS(rows["fall"], sm.add_constant(product[["both", "hours", "male", "age", *more]])).fit()
        assert ours.loc["M less F", "estimate"] == pytest.approx(crossed.params["both"], rel=1e-8)
        men = rows[rows["male"].eq(1)]
        alone = sm.OLS(men["fall"], sm.add_constant(men[["hours", "age", *more]])).fit()
        assert ours.loc["sex: M", "std_error"] == pytest.approx(alone.bse["hours"], rel=1e-8)
    beta = found[found["measure"].eq("beta")].iloc[0]["estimate"]
    standardized = rows / rows.std()
    again = sm.OLS(standardized["fall"], sm.add_constant(standardized[["hours", "male", "age"]])).fit()
    assert beta == pytest.approx(again.params["hours"], rel=1e-8)


def test_both_answers_stand_side_by_side_with_their_notes(cohort):
    found = change_regression(cohort, "exhaustion", "sick_leave_weeks[1 year]", visit="1 year", by="sex")
    assert list(dict.fromkeys(found.frame["model"])) == ["change score", "adjusted for baseline"]
    said = " ".join(found.about.notes)
    for word in ("Lord's paradox", "concurrent", "associated with", "Gelman"):
        assert word in said
    assert "M less F" in found.frame["among"].to_numpy()
    before = change_regression(cohort, "exhaustion", "coping", visit="1 year")
    assert "concurrent" not in " ".join(before.about.notes)


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_an_interaction_needs_two_levels(cohort):
    with pytest.raises(StudyError):
        change_regression(cohort, "exhaustion", "coping", visit="1 year", by="age")


@pytest.mark.raises_code("E-MODEL-SATURATED")
def test_terms_that_repeat_each_other_are_refused(cohort):
    with pytest.raises(ModelError):
        change_regression(cohort, "exhaustion", "coping", visit="1 year", given=["coping[baseline]"])


# ---- today ---------------------------------------------------------------------------------------------------------


def test_today_is_the_mixed_model_of_each_outcome_and_told_apart(cohort):
    one = study("villa_sana_2008")
    found = one.today(cohort, dashboard=False)
    model = bs.MMRM("exhaustion ~ visit + sex + age")
    direct = bs.contrast(bs.emmeans(bs.fit(model, cohort), "visit", df="kenward-roger"), "vs_baseline").frame
    ours = found.changes.frame[found.changes.frame["outcome"].eq("exhaustion")]
    for column in ("estimate", "std_error", "df"):
        assert ours[column].to_numpy() == pytest.approx(direct[column].to_numpy(), rel=1e-9)
    assert set(found.formulas) == set(one.design.outcomes)
    text = str(found)
    assert text.index("As printed") < text.index("Today") < text.index("Contrasts")
    assert found.dashboard is None


@pytest.mark.raises_code("N-STUDY-BASELINE-TWICE")
def test_baseline_as_outcome_and_covariate_is_noticed(cohort):
    from burnout_stats.cohort.roles import Covariate

    first = cohort.data[cohort.data["visit"].eq("baseline")].set_index("subject")["exhaustion"]
    again = replace(
        cohort,
        data=cohort.data.assign(before=cohort.data["subject"].map(first)),
        covariate_roles={**cohort.covariate_roles, "before": Covariate("before")},
    )
    one = study("villa_sana_2008")
    one = replace(one, design=replace(one.design, outcomes=("exhaustion",)))
    with pytest.warns(BurnoutStatsWarning, match="BASELINE-TWICE"), pytest.raises(ModelError, match="NO-SPREAD"):
        one.today(again, covariates=["before"], dashboard=False)
    assert baseline_twice(again, "exhaustion", ["age", "before"]) is not None
    assert baseline_twice(again, "exhaustion", ["age", "sex"]) is None
    assert baseline_twice(again, "job_stress", ["before"]) is None


@pytest.mark.raises_code("E-STUDY-VISITS")
def test_one_visit_has_no_change_of_today():
    one = study("villa_sana_2007")
    with pytest.raises(StudyError):
        one.today(one.simulate(seed=1), dashboard=False)


@pytest.mark.filterwarnings("ignore::burnout_stats.notices.BurnoutStatsWarning")
def test_paths_as_printed_are_those_of_the_panel_model():
    one = study("villa_sana_2010")
    cohort = one.simulate(seed=2)
    kept = subjects_among(cohort, {"seen": ["3 years"]})
    frame = paths(cross_lagged(kept, "coping", "exhaustion", visits=["baseline", "3 years"])).frame
    z = frame[frame["outcome"].eq("exhaustion") & frame["path"].eq("cross-lagged")]["statistic"].item()
    assert statistics_of(one, one.stack(1, seed=2))["coping_z"][0] == pytest.approx(z, rel=1e-6)


def test_an_exact_cohort_is_the_reconstruction():
    one = study("villa-sana-2008")
    pd.testing.assert_frame_equal(one.simulate(1, exact=True).frame, one.reconstruct(1).cohort.frame)
