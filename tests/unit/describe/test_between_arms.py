"""Change compared between arms, from a cohort and from printed changes."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.formula.api as smf
from cohorts import burnout_200
from scipy import stats

from burnout_stats import describe
from burnout_stats.errors import StudyError
from burnout_stats.estimates import Sample
from burnout_stats.studies import simulate

CONTROL, COACHED = Sample(1.5, 7.7, 44), Sample(-5.2, 8.7, 44)


def both_visits(cohort, later):
    wide = cohort.data.pivot(index="subject", columns="visit", values="EE")[["v0", later]].dropna()
    sex = cohort.data.drop_duplicates("subject").set_index("subject")["sex"].astype(str)
    return wide.assign(sex=sex).rename(columns={"v0": "x", later: "y"})


@pytest.mark.parametrize("equal_variances", [True, False])
def test_change_scores_are_compared_by_t(equal_variances):
    cohort = burnout_200()
    found = describe.between_arms(cohort, "EE", arm="sex", visit="v1", method="change", equal_variances=equal_variances)
    wide = both_visits(cohort, "v1")
    first, other = cohort.covariate_roles["sex"].levels
    moved = {level: (wide["y"] - wide["x"])[wide["sex"].eq(level)] for level in (first, other)}
    theirs = stats.ttest_ind(moved[other], moved[first], equal_var=equal_variances)
    row = found.frame.iloc[0]
    interval = theirs.confidence_interval(0.95)
    assert [row["statistic"], row["df"], row["p_value"]] == pytest.approx(
        [theirs.statistic, theirs.df, theirs.pvalue], rel=1e-9
    )
    assert [row["conf_low"], row["conf_high"]] == pytest.approx([interval.low, interval.high], rel=1e-9)
    assert row["n"] == len(wide)


def test_the_adjusted_difference_is_that_of_least_squares_for_score_and_for_change():
    cohort = burnout_200()
    found = describe.between_arms(cohort, "EE", arm="sex", visit="v1", method="ancova").frame.iloc[0]
    wide = both_visits(cohort, "v1").assign(moved=lambda frame: frame["y"] - frame["x"])
    for response in ("y", "moved"):
        theirs = smf.ols(f"{response} ~ x + C(sex)", wide).fit()
        assert found["estimate"] == pytest.approx(theirs.params["C(sex)[T.M]"], rel=1e-9)
        assert found["std_error"] == pytest.approx(theirs.bse["C(sex)[T.M]"], rel=1e-9)
        assert [found["df"], found["p_value"]] == pytest.approx(
            [theirs.df_resid, theirs.pvalues["C(sex)[T.M]"]], rel=1e-7
        )


def test_both_analyses_stand_beside_each_other_with_the_note_that_fits_the_design():
    cohort = simulate("villa_sana", n=120, seed=3)
    found = describe.between_arms(cohort, "exhaustion", arm="intervention")
    assert found.frame["analysis"].tolist() == ["change score", "baseline-adjusted"] * 2
    assert any("Lord's paradox" in note for note in found.about.notes)
    trial = describe.between_arms(cohort, "exhaustion", arm="intervention", randomized=True)
    assert not any("Lord's paradox" in note for note in trial.about.notes)
    assert found.frame["estimate"].tolist() == trial.frame["estimate"].tolist()


def test_dyrbye_2019_as_printed():
    found = describe.between_arms_from_summaries(first=CONTROL, second=COACHED, equal_variances=True).frame.iloc[0]
    theirs = stats.ttest_ind_from_stats(-5.2, 8.7, 44, 1.5, 7.7, 44)
    assert [found["statistic"], found["p_value"]] == pytest.approx([theirs.statistic, theirs.pvalue], rel=1e-9)
    assert found["p_value"] < 0.001  # as the paper prints it
    d = describe.standardized_between_arms_from_summaries(first=CONTROL, second=COACHED).frame.iloc[0]
    assert round(d["estimate"], 2) == -0.82  # derived in FACTS.md, section 9
    g = describe.standardized_between_arms_from_summaries(first=CONTROL, second=COACHED, corrected=True).frame.iloc[0]
    assert g["estimate"] == pytest.approx(d["estimate"] * (1 - 3 / (4 * 86 - 1)), rel=1e-4)
    assert d["std_error"] ** 2 == pytest.approx(2 / 44 + d["estimate"] ** 2 / (2 * 88))


def test_three_arms_share_one_slope():
    rng = np.random.default_rng(1)
    from burnout_stats.engine.two_arms import ancova, arms_of_scores

    arm = np.repeat([0, 1, 2], [20, 25, 30])
    x = rng.standard_normal((4, 75))
    y = 0.6 * x + 0.3 * arm + rng.standard_normal((4, 75))
    y[0, :5] = np.nan
    found = ancova(arms_of_scores(x, y, arm[:, None] == np.arange(3)))
    assert found.difference.shape == (4, 2)
    for k in range(4):
        seen = ~np.isnan(y[k])
        X = np.column_stack([np.ones(75), x[k], arm == 1, arm == 2]).astype(float)[seen]
        beta, rss = np.linalg.lstsq(X, y[k][seen], rcond=None)[:2]
        V = rss[0] / (len(X) - 4) * np.linalg.inv(X.T @ X)
        assert found.slope[k] == pytest.approx(beta[1], rel=1e-9)
        assert found.difference[k] == pytest.approx(beta[2:], rel=1e-9)
        assert found.std_error[k] == pytest.approx(np.sqrt(np.diag(V))[2:], rel=1e-9)


@pytest.mark.raises_code("E-STUDY-OPTION")
@pytest.mark.parametrize("wrong", [{"method": "gain"}, {"visit": "baseline"}])
def test_unknown_choices_are_refused(wrong):
    with pytest.raises(StudyError):
        describe.between_arms(simulate("villa_sana", n=40, seed=1), "exhaustion", arm="intervention", **wrong)


def test_small_arms_are_hidden():
    from burnout_stats.estimates.disclosure import HIDDEN
    from burnout_stats.estimates.tabulation import shown

    cohort = simulate("villa_sana", n=120, seed=3)
    first = cohort.data["subject"].le(3) & cohort.data["intervention"].eq("day")
    few = cohort.subset(cohort.data["intervention"].eq("week") | first)
    found = shown(describe.between_arms(few, "exhaustion", arm="intervention"))
    assert found.frame[HIDDEN].all()


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_the_table_says_which_analysis_a_row_is_of():
    from burnout_stats import tables

    cohort = simulate("villa_sana", n=120, seed=3)
    text = str(tables.between_arms(describe.between_arms(cohort, "exhaustion", arm="intervention")))
    assert "baseline-adjusted" in text
    assert "Lord's paradox" in text
    with pytest.raises(StudyError):
        tables.between_arms(describe.change(cohort, "exhaustion"))
