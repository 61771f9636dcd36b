"""Completers against lost, and the model of dropout, against R (script and output in `r/attrition.*`)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from cohorts import burnout_200
from tolerances import ESTIMATE, LOGISTIC, P_VALUE, PROFILE_LOGISTIC

from burnout_stats.describe import attrition, attrition_from_summaries, dropout_model

R = json.loads((Path(__file__).parent / "r" / "attrition.json").read_text(encoding="utf-8"))


@cache
def compared(**options):
    frame = attrition(burnout_200(), "v3", ["EE", "sex", "specialty"], **options).frame
    return frame.set_index(["outcome", "quantity", "level"])


@pytest.mark.parametrize("test", ["pooled", "welch"])
def test_t_tests(test):
    row, reference = compared(test=test).loc["EE", "difference", ""], R[test]
    assert row["estimate"] == pytest.approx(reference["difference"], rel=ESTIMATE)
    assert row["statistic"] == pytest.approx(-reference["t"], rel=ESTIMATE)  # R takes the first group less the second
    assert row["df"] == pytest.approx(reference["df"], rel=ESTIMATE)
    assert row["p_value"] == pytest.approx(reference["p"], abs=P_VALUE)
    assert [row["conf_low"], row["conf_high"]] == pytest.approx([reference["low"], reference["high"]], rel=ESTIMATE)


@pytest.mark.parametrize(("count_test", "name"), [("chi-square", "plain"), ("yates", "yates")])
def test_chi_square_of_two_levels(count_test, name):
    row, reference = compared(count_test=count_test).loc["sex", "test", ""], R["sex"][name]
    assert [row["statistic"], row["df"], row["p_value"]] == pytest.approx(list(reference.values()), rel=ESTIMATE)


def test_fisher_and_chi_square_of_several_levels():
    found = compared(count_test="fisher")
    assert found.loc[("sex", "test", ""), "p_value"] == pytest.approx(R["sex"]["fisher"], rel=ESTIMATE)
    row = found.loc["specialty", "test", ""]
    assert row["method"] == "chi-square"
    assert [row["statistic"], row["df"], row["p_value"]] == pytest.approx(list(R["specialty"].values()), rel=ESTIMATE)


def test_standardized_differences():
    found = compared().xs("standardized difference", level="quantity")["estimate"].droplevel("level")
    for name, reference in R["standardized"].items():
        assert found[name] == pytest.approx(reference, rel=ESTIMATE)


def test_printed_counts():
    counts = {"Sex": {"women": (101, 16), "men": (83, 27)}}
    yates = attrition_from_summaries(counts, count_test="yates").frame.iloc[0]
    assert [yates["statistic"], yates["df"], yates["p_value"]] == pytest.approx(list(R["printed"]["yates"].values()))
    fisher = attrition_from_summaries(counts, count_test="fisher").frame.iloc[0]
    assert fisher["p_value"] == pytest.approx(R["printed"]["fisher"], rel=ESTIMATE)


@pytest.mark.parametrize("interval", ["wald", "profile"])
def test_the_model_of_dropout(interval):
    frame = dropout_model(burnout_200(), "sex + EE + age", "v3", interval=interval).frame
    reference = R["model"]
    beta, se = np.array(reference["beta"])[1:], np.array(reference["se"])[1:]
    assert list(frame["term"]) == ["sex[M]", "EE", "age"]
    np.testing.assert_allclose(np.log(frame["estimate"]), beta, rtol=LOGISTIC)
    np.testing.assert_allclose(frame["std_error"] / frame["estimate"], se, rtol=LOGISTIC)
    np.testing.assert_allclose(frame["statistic"], beta / se, rtol=LOGISTIC)
    away = np.log(frame[["conf_low", "conf_high"]].to_numpy()) - np.array(reference[interval])[1:]
    tolerance = PROFILE_LOGISTIC if interval == "profile" else LOGISTIC
    assert (np.abs(away) < tolerance * se[:, None]).all()


def test_interactions_of_categorical_variables():
    frame = dropout_model(burnout_200(), "specialty * sex", "v3", interval="wald").frame
    reference = R["interaction"]
    np.testing.assert_allclose(np.log(frame["estimate"]), reference["beta"][1:], rtol=LOGISTIC)
    np.testing.assert_allclose(frame["std_error"] / frame["estimate"], reference["se"][1:], rtol=LOGISTIC)
