"""The cohort against a norm: scipy and statsmodels on the same samples, strata, drift, equivalence, shares."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.weightstats import ttost_ind
from tolerances import CLOSED_FORM

from burnout_stats import describe, tables
from burnout_stats.cohort import read_cohort
from burnout_stats.engine.norm_comparison import against, equivalence, standardized
from burnout_stats.engine.proportions import newcombe_independent
from burnout_stats.errors import StudyError
from burnout_stats.estimates import Sample, Share, protect
from burnout_stats.instruments.norms import Norm
from burnout_stats.studies import example

NORM = Norm(mean=2.52, sd=0.92, n=1070, label="Norwegian doctors 1993")


def row(estimates, visit, measure="difference"):
    frame = estimates.frame
    return frame[frame["visit"].eq(visit) & frame["measure"].eq(measure)].iloc[0]


def exactly(mean, sd, n, seed=1):
    """A sample with this mean and SD."""
    z = np.random.default_rng(seed).normal(size=n)
    return mean + sd * (z - z.mean()) / z.std(ddof=1)


def test_differences_are_welchs():
    cohort = example("villa_sana")
    found = describe.against_norm(cohort, "exhaustion", norm=NORM)
    for visit in cohort.visits.labels:
        scores = cohort.data.loc[cohort.data["visit"].eq(visit), "exhaustion"].dropna()
        theirs = stats.ttest_ind(scores, exactly(2.52, 0.92, 1070), equal_var=False)
        ours = row(found, visit)
        limits = theirs.confidence_interval(0.95)
        assert ours[["statistic", "p_value", "df", "conf_low", "conf_high"]].tolist() == pytest.approx(
            [theirs.statistic, theirs.pvalue, theirs.df, limits.low, limits.high], rel=1e-9, abs=1e-12
        )
        assert ours["n"] == len(scores)


def test_printed_numbers_give_the_same():
    found = describe.against_norm_from_summaries({"1 year": Sample(2.53, 0.76, 185)}, norm=NORM)
    theirs = stats.ttest_ind_from_stats(2.53, 0.76, 185, 2.52, 0.92, 1070, equal_var=False)
    ours = row(found, "1 year")
    assert (ours["statistic"], ours["p_value"]) == pytest.approx((theirs.statistic, theirs.pvalue), rel=CLOSED_FORM)


@pytest.mark.parametrize("margin", [(-0.2, 0.2), (-0.1, 0.3)])
def test_equivalence_is_the_two_one_sided_tests_of_statsmodels(margin):
    sample, norm = exactly(2.53, 0.76, 185), exactly(2.52, 0.92, 1070, seed=2)
    p, above, below = ttost_ind(sample, norm, *margin, usevar="unequal")
    found = equivalence(against(2.53, 185, 0.76, 184, 2.52, 0.92, 1070), *margin)
    assert found.p == pytest.approx(p, rel=1e-8)
    assert found.t == pytest.approx(above[0] if above[1] >= below[1] else below[0], rel=1e-8)


def test_the_interval_of_equivalence_decides_as_its_tests_do():
    for mean in np.linspace(2.2, 3.0, 33):
        found = describe.against_norm_from_summaries(Sample(mean, 0.8, 100), norm=NORM, margin=0.25)
        ours = row(found, "sample", "equivalence")
        assert (ours["conclusion"] == "equivalent") == (ours["p_value"] < 0.05)


def test_conclusions_and_their_words():
    def conclusion(mean, n):
        found = describe.against_norm_from_summaries(Sample(mean, 0.8, n), norm=NORM, margin=0.3)
        return row(found, "sample", "equivalence")["conclusion"], str(found)

    assert conclusion(2.52, 400)[0] == "equivalent"
    assert conclusion(3.52, 400)[0] == "beyond the margin"
    few, words = conclusion(2.52, 12)
    assert few == "neither shown"
    assert "may still be there" in words
    assert "not significant" not in words
    assert "may still be there" in str(describe.against_norm_from_summaries(Sample(2.6, 0.8, 9), norm=NORM))


def test_equivalence_alone_has_its_own_level():
    cohort = example("villa_sana")
    alone = describe.equivalent_to_norm(cohort, "exhaustion", norm=NORM, margin=0.3, alpha=0.025)
    assert alone.frame["measure"].eq("equivalence").all()
    both = describe.against_norm(cohort, "exhaustion", norm=NORM, margin=0.3)
    assert alone.about.conf_level == 0.95
    for visit in cohort.visits.labels:
        wide, narrow = row(alone, visit, "equivalence"), row(both, visit, "equivalence")
        assert wide["conf_high"] == pytest.approx(row(both, visit)["conf_high"])
        assert narrow["conf_high"] < wide["conf_high"]


def test_a_norm_of_unknown_size_is_known_without_error():
    found = describe.against_norm_from_summaries(Sample(3.0, 0.94, 185), norm=Norm(2.52, 0.92))
    theirs = stats.ttest_1samp(exactly(3.0, 0.94, 185), 2.52)
    ours = row(found, "sample")
    assert (ours["statistic"], ours["df"]) == pytest.approx((theirs.statistic, 184), rel=1e-9)
    assert any("without error" in note for note in found.about.notes)


def test_the_standardized_difference_covers_its_value():
    rng, mean, sd, n, N = np.random.default_rng(3), 1.5, 0.8, 60, 60
    x, y = rng.normal(mean, sd, (4000, n)), rng.normal(0, 1, (4000, N))
    deltas, errors = np.array(
        [
            standardized(against(a.mean(), n, a.std(ddof=1), n - 1, b.mean(), b.std(ddof=1), N))
            for a, b in zip(x, y, strict=True)
        ]
    ).T
    # 4,000 replicates: the SD of an SD is about 1.1%, the mean of the errors has hardly any
    assert errors.mean() == pytest.approx(deltas.std(ddof=1), rel=0.04)


def test_drift_moves_the_norm_with_the_years():
    cohort = example("villa_sana")
    still = describe.against_norm(cohort, "exhaustion", norm=NORM)
    drifting = describe.against_norm(cohort, "exhaustion", norm=Norm(2.52, 0.92, 1070, drift=0.02))
    away = still.frame["estimate"] - drifting.frame["estimate"]
    assert away[still.frame["measure"].eq("difference")].tolist() == pytest.approx([0, 0.02, 0.06])
    assert any("+0.02 per year" in note for note in drifting.about.notes)


# ---- strata --------------------------------------------------------------------------------------------------------


def of_strata():
    rng = np.random.default_rng(5)
    data = pd.DataFrame(
        {
            "id": range(60),
            "visit": "start",
            "sex": ["F", "M", "F"] * 20,
            "age": rng.uniform(30, 50, 60),
            "stress": rng.normal(3, 0.5, 60),
        }
    )
    return data, read_cohort(
        data,
        subject="id",
        visit="visit",
        times={"start": 0},
        outcomes=["stress"],
        covariates={"sex": {"levels": ["F", "M"]}, "age": {"unit": "years"}},
    )


STRATA = {
    ("F", "30-39"): Norm(2.5, 0.5, 100),
    ("M", "30-39"): Norm(2.6, 0.6, 110),
    ("F", "40+"): Norm(2.7, 0.7, 120),
    ("M", "40+"): Norm(2.8, 0.8, 130),
}


def by_hand(data, weights=None):
    strata = data["sex"] + np.where(data["age"] < 40, "30-39", "40+")
    residual = data["stress"] - data.groupby(strata)["stress"].transform("mean")
    s2 = (residual**2).sum() / (len(data) - 4)
    difference, variance = 0.0, 0.0
    for (sex, age), norm in STRATA.items():
        scores = data.loc[strata == sex + age, "stress"]
        w = len(scores) / len(data) if weights is None else weights[sex, age]
        difference += w * (scores.mean() - norm.mean)
        variance += w**2 * (s2 / len(scores) + norm.sd**2 / norm.n)
    return difference, np.sqrt(variance)


def test_direct_standardization_by_hand():
    data, cohort = of_strata()
    found = row(describe.against_norm(cohort, "stress", strata=STRATA, by=("sex", "age")), "start")
    assert (found["estimate"], found["std_error"]) == pytest.approx(by_hand(data), rel=1e-12)
    weights = dict(zip(STRATA, (0.1, 0.2, 0.3, 0.4), strict=True))
    found = row(describe.against_norm(cohort, "stress", strata=STRATA, by=("sex", "age"), weights=weights), "start")
    assert (found["estimate"], found["std_error"]) == pytest.approx(by_hand(data, weights), rel=1e-12)


def test_one_stratum_is_no_stratum():
    _, cohort = of_strata()
    one = describe.against_norm(cohort, "stress", strata={"30+": NORM}, by="age")
    none = describe.against_norm(cohort, "stress", norm=NORM)
    pd.testing.assert_frame_equal(one.frame, none.frame)


@pytest.mark.raises_code("E-STUDY-STRATA")
@pytest.mark.parametrize(
    ("strata", "by"),
    [
        ({("F", "30-39"): NORM}, ("sex", "age")),
        ({("F", "30-39"): NORM}, ("sex",)),
        ({"F": NORM, "K": NORM}, "sex"),
        ({"thirties": NORM}, "age"),
        ({"30-39": NORM, "39+": NORM}, "age"),
        ({}, "age"),
    ],
)
def test_strata_that_do_not_fit(strata, by):
    _, cohort = of_strata()
    with pytest.raises(StudyError):
        describe.against_norm(cohort, "stress", strata=strata, by=by)


@pytest.mark.raises_code("E-STUDY-STRATA")
def test_weights_have_the_keys_of_the_strata():
    _, cohort = of_strata()
    with pytest.raises(StudyError, match="weights"):
        describe.against_norm(cohort, "stress", strata=STRATA, by=("sex", "age"), weights={("F", "30-39"): 1.0})


@pytest.mark.raises_code("E-STUDY-COLUMN")
def test_strata_of_an_unknown_column():
    _, cohort = of_strata()
    with pytest.raises(StudyError, match="not a covariate"):
        describe.against_norm(cohort, "stress", strata={"F": NORM}, by="sexx")


# ---- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.raises_code("E-STUDY-EQUIVALENCE")
@pytest.mark.parametrize("margin", [None, 0.0, -0.3, (0.1, 0.3), np.inf])
def test_equivalence_has_no_default_margin(margin):
    with pytest.raises(StudyError):
        describe.equivalent_to_norm(example("villa_sana"), "exhaustion", norm=NORM, margin=margin)


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_one_of_norm_and_strata():
    cohort = example("villa_sana")
    with pytest.raises(StudyError, match="Neither"):
        describe.against_norm(cohort, "exhaustion")
    with pytest.raises(StudyError, match="one of `norm` and `strata`"):
        describe.against_norm(cohort, "exhaustion", norm=NORM, strata={"F": NORM}, by="sex")
    with pytest.raises(StudyError, match="years"):
        describe.against_norm_from_summaries(Sample(3, 1, 9), norm=Norm(2.5, 1, 99, drift=0.1))


# ---- shares and privacy --------------------------------------------------------------------------------------------


def test_shares_carry_the_uncertainty_of_both_samples():
    cohort = example("villa_sana")
    found = describe.share_against_norm(cohort, "exhaustion", cutoff=3, share=Share(268, 1070))
    scores = cohort.data.loc[cohort.data["visit"].eq("baseline"), "exhaustion"].dropna()
    count = int((scores >= 3).sum())
    low, high = newcombe_independent(count, len(scores), 268, 1070)
    first = found.frame.iloc[0]
    assert first[["estimate", "conf_low", "conf_high"]].tolist() == pytest.approx(
        [100 * (count / len(scores) - 268 / 1070), 100 * low, 100 * high]
    )


def test_few_on_one_side_of_the_cut_off_hide_the_share():
    data = pd.DataFrame({"id": range(40), "visit": "start", "stress": np.r_[np.full(3, 4.0), np.linspace(1, 2.9, 37)]})
    cohort = read_cohort(data, subject="id", visit="visit", times={"start": 0}, outcomes=["stress"])
    found = describe.share_against_norm(cohort, "stress", cutoff=3, share=Share(268, 1070))
    assert protect(found, cohort.policy).frame["hidden"].all()


def test_few_persons_have_neither_numbers_nor_a_conclusion():
    data = pd.DataFrame({"id": range(4), "visit": "start", "stress": [1.0, 2.0, 3.0, 2.0]})
    cohort = read_cohort(data, subject="id", visit="visit", times={"start": 0}, outcomes=["stress"])
    found = describe.against_norm(cohort, "stress", norm=NORM, margin=0.3)
    assert "conclusion" not in found.frame
    assert protect(found, cohort.policy).frame["hidden"].all()


def test_the_table_shows_conclusions_and_never_a_missing_difference_as_likeness():
    found = describe.against_norm(example("villa_sana"), "exhaustion", norm=NORM, margin=0.3)
    text = str(tables.against_norm(found))
    assert "beyond the margin" in text
    assert "n = 1070" in text
    shares = describe.share_against_norm(example("villa_sana"), "exhaustion", cutoff=3, share=Share(268, 1070))
    assert "percentage points" in str(tables.against_norm(shares))
