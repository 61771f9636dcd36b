"""Reliability of a scale at each visit, and of two administrations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from burnout_stats import describe, tables
from burnout_stats.cohort import read_cohort
from burnout_stats.engine import reliability as engine
from burnout_stats.errors import StudyError
from burnout_stats.estimates import Sample

ITEMS = [f"b{item}" for item in range(1, 8)]


def cohort(n=60, seed=5, *, turned=False):
    """Answers to the work scale of the Copenhagen inventory at two visits, its last item worded the other way round."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"id": np.repeat(np.arange(n), 2), "visit": ["start", "later"] * n})
    person = np.repeat(rng.normal(size=n), 2)
    for place, name in enumerate(ITEMS):
        latent = person * (1 if place < 6 or turned else -1) + rng.normal(size=2 * n)
        frame[name] = 25.0 * np.clip(np.rint(2 + latent), 0, 4)
    frame["stress"] = person + rng.normal(size=2 * n) * 0.5 + 3
    frame.loc[3, "b1"] = np.nan
    return read_cohort(
        frame, subject="id", visit="visit", times={"start": 0, "later": 1}, outcomes=["stress"], covariates=ITEMS
    )


def rows(found):
    return found.frame.set_index(["visit", "term"])


def test_each_visit_has_its_alpha_and_omega_of_complete_answers():
    data = cohort()
    found = describe.reliability(data, ITEMS, instrument="cbi_work")
    assert found.about.kind == "reliability"
    assert set(found.frame["outcome"]) == {"work"}
    assert found.frame["n"].tolist() == [60, 60, 59, 59]
    own = data.data.loc[data.data["visit"].eq("later").to_numpy(), ITEMS].dropna()
    Y = own.to_numpy() * np.array([1, 1, 1, 1, 1, 1, -1])
    assert rows(found).loc[("later", "alpha"), "estimate"] == pytest.approx(engine.alpha(np.cov(Y.T)), rel=1e-12)
    assert np.isnan(found.vcov[0, 1])
    np.testing.assert_allclose(np.sqrt(np.diag(found.vcov)), found.frame["std_error"])
    assert found.notices == ()


def test_an_instrument_turns_what_reverse_turns():
    by_key = describe.reliability(cohort(), ITEMS, instrument="cbi_work").frame
    by_hand = describe.reliability(cohort(), {"work": ITEMS}, reverse=["b7"]).frame
    pd.testing.assert_frame_equal(by_key, by_hand)


@pytest.mark.raises_code("N-INSTRUMENT-TURNED")
def test_an_item_that_was_not_turned_is_told():
    (first, second) = describe.reliability(cohort(), ITEMS).notices
    assert "`b7` correlates negatively" in first.message
    assert "at start" in first.message
    assert "at later" in second.message
    assert describe.reliability(cohort(turned=True), ITEMS).notices == ()
    twice = describe.reliability(cohort(turned=True), ITEMS, instrument="cbi_work")
    assert {notice.code for notice in twice.notices} == {"N-INSTRUMENT-TURNED"}


def test_two_items_have_no_omega_and_few_persons_no_number():
    assert describe.reliability(cohort(), ITEMS[:2]).frame["term"].tolist() == ["alpha", "alpha"]
    few = describe.reliability(pd.DataFrame({"a": [1.0, 2], "b": [2.0, 2], "c": [1.0, 4]}), ["a", "b", "c"]).frame
    assert few[["estimate", "conf_low"]].isna().all(axis=None)
    constant = pd.DataFrame({"a": np.arange(9.0), "b": 1.0, "c": np.arange(9.0) ** 2})
    assert describe.reliability(constant, ["a", "b", "c"]).frame["estimate"].isna().all()
    same = pd.DataFrame({"a": np.arange(9.0), "b": np.arange(9.0), "c": np.arange(9.0) ** 2})
    found = describe.reliability(same, ["a", "b", "c"]).frame.set_index("term")["estimate"]
    assert found["alpha"] > 0
    assert np.isnan(found["omega"])


def test_items_that_cannot_be_used():
    with pytest.raises(StudyError, match="Item `b9` is not a numeric column"):
        describe.reliability(cohort(), ["b1", "b9"])
    with pytest.raises(StudyError, match="has 1 item"):
        describe.reliability(cohort(), ["b1"])
    with pytest.raises(StudyError, match="has 0 items"):
        describe.reliability(cohort())
    with pytest.raises(StudyError, match="`reverse` names `b7`"):
        describe.reliability(cohort(), ["b1", "b2"], reverse="b7")
    with pytest.raises(StudyError, match="`interval` is 'wald'"):
        describe.reliability(cohort(), ["b1", "b2"], interval="wald")
    with pytest.raises(StudyError, match=r"Alpha is 1\.2"):
        describe.reliability_from_summaries(alpha=1.2, n=100, n_items=5)


def test_a_printed_alpha_has_the_interval_of_the_data():
    data = cohort(turned=True)
    found = rows(describe.reliability(data, ITEMS)).loc[("start", "alpha")]
    printed = describe.reliability_from_summaries(alpha=found["estimate"], n=60, n_items=7).frame.iloc[0]
    for name in ("std_error", "conf_low", "conf_high"):
        assert printed[name] == pytest.approx(found[name], rel=1e-12)


def test_two_administrations_from_data_and_from_summaries_agree():
    data = cohort()
    found = describe.test_retest(data, "stress", ("start", "later"), nothing_between=True)
    wide = data.data.pivot(index="subject", columns="visit", values="stress")
    first, second = (Sample(wide[label].mean(), wide[label].std(), 60) for label in ("start", "later"))
    printed = describe.test_retest_from_summaries(
        first=first, second=second, correlation=wide.corr().iloc[0, 1], nothing_between=True
    )
    numbers = ["estimate", "std_error", "conf_low", "conf_high", "n"]
    np.testing.assert_allclose(found.frame[numbers], printed.frame[numbers], rtol=1e-10)
    got = found.frame.set_index("term")["estimate"]
    difference = wide["later"] - wide["start"]
    assert got["SEM"] == pytest.approx(difference.std() / np.sqrt(2), rel=1e-12)
    spread = np.sqrt((first.sd**2 + second.sd**2) / 2)
    assert got["SEM"] == pytest.approx(float(engine.sem(spread, got["ICC(C,1)"])), rel=1e-12)
    r = found.frame.set_index("term").loc["r"]
    assert r["std_error"] == pytest.approx((1 - r["estimate"] ** 2) / np.sqrt(57), rel=1e-12)
    error = found.frame.set_index("term").loc["SEM"]
    limits = [np.sqrt(59 / stats.chi2.ppf(p, 59)) for p in (0.975, 0.025)]
    np.testing.assert_allclose([error["conf_low"], error["conf_high"]], np.array(limits) * got["SEM"], rtol=1e-10)
    assert error["std_error"] == pytest.approx(got["SEM"] / np.sqrt(2 * 59), rel=1e-12)
    assert got["SDC"] == pytest.approx(1.959963984540054 * np.sqrt(2) * got["SEM"], rel=1e-12)


@pytest.mark.raises_code("E-STUDY-RETEST")
def test_a_correlation_across_an_intervention_is_no_reliability():
    with pytest.raises(StudyError, match="without an intervention between"):
        describe.test_retest(cohort(), "stress", ("start", "later"), nothing_between=False)
    with pytest.raises(StudyError, match="without an intervention between"):
        describe.test_retest_from_summaries(
            first=Sample(3, 1, 50), second=Sample(3, 1, 50), correlation=0.4, nothing_between=False
        )


def test_visits_and_samples_are_checked():
    with pytest.raises(StudyError, match=r"There is no visit `latr`.*Did you mean `later`"):
        describe.test_retest(cohort(), "stress", ("start", "latr"), nothing_between=True)
    with pytest.raises(StudyError, match="Too few subjects"):
        describe.test_retest(cohort(3), "stress", ("start", "later"), nothing_between=True)
    with pytest.raises(StudyError, match="n 50 and 51"):
        describe.test_retest_from_summaries(
            first=Sample(3, 1, 50), second=Sample(3, 1, 51), correlation=0.4, nothing_between=True
        )


def test_the_tables_show_coefficients_and_intervals():
    found = describe.reliability(cohort(), ITEMS, instrument="cbi_work")
    table = tables.reliability(found)
    assert [column.header for column in table.columns] == ["Visit", "Term", "Coefficient", "95% CI", "n"]
    assert table.title == "Reliability: Work-related burnout"
    text = str(tables.reliability(describe.test_retest(cohort(), "stress", ("start", "later"), nothing_between=True)))
    assert "SDC" in text
    assert "as was stated" in text
    with pytest.raises(StudyError, match="It shows reliabilities"):
        tables.reliability(describe.by_visit(cohort()))


def test_few_persons_are_hidden():
    data = cohort(4)
    assert "hidden" in str(tables.reliability(describe.reliability(data, ITEMS)))
    assert "hidden" in str(describe.reliability(data, ITEMS))
