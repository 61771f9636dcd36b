"""Completers against those who were lost, and the model of dropout."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from cohorts import burnout_200, cohort_of, scores
from tolerances import LOGISTIC

from burnout_stats import describe
from burnout_stats.errors import ModelError, StudyError
from burnout_stats.estimates import Policy, Sample, Share, protect

EXHAUSTION = (Sample(3.01, 0.94, 184), Sample(3.33, 0.88, 43))
STRESS = (Sample(2.39, 0.72, 184), Sample(2.65, 0.74, 43))
COPING = (Sample(2.90, 0.76, 184), Sample(3.25, 0.63, 43))
SEX = {"women": Share(101, 117), "men": Share(83, 110)}


def row(estimates, outcome, quantity, level=""):
    frame = estimates.frame
    chosen = frame["outcome"].eq(outcome) & frame["quantity"].eq(quantity) & frame["level"].eq(level)
    assert chosen.sum() == 1
    return frame[chosen].iloc[0]


def test_the_attrition_table_of_the_three_year_paper():
    printed = {"exhaustion": EXHAUSTION, "stress": STRESS, "coping": COPING, "sex": SEX}
    found = describe.attrition_from_summaries(printed)
    for name, t, p in (("exhaustion", 2.03, 0.04), ("stress", 2.12, 0.04), ("coping", 2.80, 0.006)):
        difference = row(found, name, "difference")
        assert round(difference["statistic"], 2) == t
        assert difference["df"] == 225
        assert float(f"{difference['p_value']:.1g}") == p
    test = row(found, "sex", "test")
    assert [round(test["statistic"], 2), test["df"], round(test["p_value"], 3)] == [4.36, 1, 0.037]
    limits = [
        round(100 * row(found, "sex", "share completed", level)[limit], 1)
        for level in SEX
        for limit in ("conf_low", "conf_high")
    ]
    assert limits == [80.1, 92.6, 67.4, 83.5]


def test_the_options_of_tests_and_intervals():
    yates = row(describe.attrition_from_summaries({"sex": SEX}, count_test="yates"), "sex", "test")
    assert [round(yates["statistic"], 2), round(yates["p_value"], 3)] == [3.68, 0.055]
    fisher = row(describe.attrition_from_summaries({"sex": SEX}, count_test="fisher"), "sex", "test")
    assert np.isnan(fisher["statistic"])
    assert fisher["method"] == "fisher"
    wilson = row(
        describe.attrition_from_summaries({"sex": SEX}, share_interval="wilson"), "sex", "share completed", "women"
    )
    # Wilson's limits of 101/117 by his formula
    z, p, n = 1.959964, 101 / 117, 117
    centre, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    by_hand = [(centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)]
    assert [wilson["conf_low"], wilson["conf_high"]] == pytest.approx(by_hand, rel=1e-6)
    counts = describe.attrition_from_summaries({"sex": {"women": (101, 16), "men": (83, 27)}})
    pd.testing.assert_frame_equal(counts.frame, describe.attrition_from_summaries({"sex": SEX}).frame)


def test_from_data_and_from_its_own_summaries_the_answers_are_the_same():
    cohort = burnout_200()
    table = describe.baseline(cohort, describe.Completed("v3"), ["EE", "specialty"]).frame
    cells = table.set_index(["variable", "level", "completion", "statistic"])["value"]
    sides = ("completed", "lost")
    samples = tuple(
        Sample(*(cells["EE", "(all)", side, name] for name in ("mean", "sd")), int(cells["EE", "(all)", side, "n"]))
        for side in sides
    )
    levels = cohort.covariate_roles["specialty"].levels
    counts = {level: tuple(int(cells["specialty", level, side, "n"]) for side in sides) for level in levels}
    ours = describe.attrition(cohort, "v3", ["EE", "specialty"])
    theirs = describe.attrition_from_summaries({"EE": samples, "specialty": counts})
    pd.testing.assert_frame_equal(ours.frame, theirs.frame, rtol=1e-10)


def test_shares_and_tests_of_few_are_hidden_together():
    printed = {"sex": {"women": (100, 3), "men": (80, 20)}}
    found = describe.attrition_from_summaries(printed)
    assert not protect(found, Policy(1)).frame["hidden"].any()
    assert protect(found, Policy(5)).frame["hidden"].all()  # the share that completed would tell the 3


@pytest.mark.raises_code("E-STUDY-VALUE", "E-STUDY-OPTION", "E-STUDY-COLUMN")
def test_what_cannot_be_compared():
    cohort = burnout_200()
    with pytest.raises(StudyError, match="Nobody was lost"):
        describe.attrition(cohort, "v0")
    with pytest.raises(StudyError, match="visits are"):
        describe.attrition(cohort, "v2")
    with pytest.raises(StudyError, match="chi-square"):
        describe.attrition(cohort, "v3", count_test="g")
    with pytest.raises(StudyError, match="covariate nor an outcome"):
        describe.attrition(cohort, "v3", ["weight"])


# ---- the model of dropout ------------------------------------------------------------------------------------------


def test_statsmodels_agrees():
    cohort = burnout_200()
    found = describe.dropout_model(cohort, ["sex", "EE", "age"], "v3", interval="wald", conf_level=0.9).frame
    base = cohort.frame.query("visit == 'v0'")
    seen = cohort.frame.query("visit == 'v3'").dropna(subset="EE")["subject"]
    X = sm.add_constant(np.column_stack([base["sex"].eq("M"), base["EE"], base["age"]]).astype(float))
    theirs = sm.Logit((~base["subject"].isin(seen)).to_numpy(dtype=float), X).fit(disp=0)
    assert list(found["term"]) == ["sex[M]", "EE", "age"]
    np.testing.assert_allclose(np.log(found["estimate"]), theirs.params[1:], rtol=LOGISTIC)
    np.testing.assert_allclose(found["p_value"], theirs.pvalues[1:], rtol=1e-6)
    limits = np.log(found[["conf_low", "conf_high"]])
    np.testing.assert_allclose(limits, theirs.conf_int(0.1)[1:], rtol=1e-6)


def test_a_unit_ten_times_larger_takes_the_tenth_root():
    cohort = burnout_200()
    years = describe.dropout_model(cohort, "age", "v3").frame.iloc[0]
    frame = cohort.frame.assign(age=cohort.frame["age"] / 10).rename(columns={"subject": "id"}).drop(columns="years")
    roles = {"times": {"v0": 0, "v1": 1, "v3": 3}, "outcomes": ["EE"], "covariates": {"age": {}}}
    decades = describe.dropout_model(cohort_of(frame, **roles), "age", "v3").frame.iloc[0]
    for name in ("estimate", "conf_low", "conf_high"):
        assert decades[name] == pytest.approx(years[name] ** 10, rel=1e-6)
    assert decades["p_value"] == pytest.approx(years["p_value"], rel=1e-6)


def test_subjects_with_unknown_values_are_left_out_and_counted():
    frame = scores(120, 5, seen=0.7)
    frame.loc[frame["id"].isin(sorted(set(frame["id"]))[:9]), "age"] = np.nan
    found = describe.dropout_model(cohort_of(frame, covariates={"age": {}}), "age", "3 years")
    assert any(note.endswith("not known: 9.") for note in found.about.notes)
    few = frame.assign(age=frame["age"].fillna(50.0))
    few.loc[few["id"].eq("S0003"), "age"] = np.nan
    found = describe.dropout_model(cohort_of(few, covariates={"age": {}}), "age", "3 years")
    assert any(note.endswith("fewer than 5.") for note in found.about.notes)


@pytest.mark.raises_code("E-MODEL-SEPARATION", "E-MODEL-SINGULAR", "E-MODEL-EMPTY", "E-STUDY-VALUE")
def test_models_without_an_answer():
    frame = scores(120, 5, seen=0.7)
    seen = frame.loc[frame["visit"].eq("3 years"), "id"]
    level = np.where(frame["id"].isin(seen), "stayed", "left")
    frame = frame.assign(told=level, older=frame["age"] + 1)
    cohort = cohort_of(
        frame,
        covariates={"told": {"levels": ["stayed", "left"]}, "age": {}, "older": {}, "sex": {"levels": ["F", "M"]}},
    )
    with pytest.raises(ModelError, match=r"`told\[left\]`"):
        describe.dropout_model(cohort, "told + sex", "3 years")
    with pytest.raises(ModelError, match="`older` follows"):
        describe.dropout_model(cohort, "age + older", "3 years")
    with pytest.raises(ModelError, match="none were lost"):
        describe.dropout_model(cohort, "age", "baseline")
    with pytest.raises(StudyError, match="without random effects"):
        describe.dropout_model(cohort, "age + (1 | sex)", "3 years")
