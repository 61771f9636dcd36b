from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cohorts import burnout_200, cohort_of, scores
from scipy import stats

from burnout_stats.engine.effect_size import MEASURES, STANDARDIZERS, Pairs, effect_size
from burnout_stats.errors import ModelError, StudyError
from burnout_stats.estimates import Policy, protect
from burnout_stats.inference.comparison import WITHIN, compare
from burnout_stats.inference.effect_sizes import effect_sizes
from burnout_stats.inference.influence import influence
from burnout_stats.inference.profile import confint
from burnout_stats.inference.summary import summarize
from burnout_stats.inference.variance_shares import icc, r_squared
from burnout_stats.models import LMM, MMRM, fit
from burnout_stats.models.residuals import covariance_check, mahalanobis, residuals
from burnout_stats.notices import BurnoutStatsWarning

FORMULA = "EE ~ visit * group + sex + age"


@pytest.fixture(scope="module")
def cohort():
    return burnout_200()


@pytest.fixture(scope="module")
def us(cohort):
    return fit(MMRM(FORMULA), cohort)


@pytest.fixture(scope="module")
def by_weight():
    frame = scores(30, seed=4)
    frame["weight"] = 1.0 + (frame["id"] < "S0010")
    return cohort_of(frame, covariates={"weight": {"unit": "persons"}, "age": {"unit": "years"}})


@pytest.fixture(scope="module")
def own_times():
    frame = scores(30, seed=6)
    noise = np.random.default_rng(1).normal(0, 0.2, len(frame))
    frame["time"] = frame["visit"].map({"baseline": 0, "1 year": 1, "3 years": 3}) + noise
    return fit(LMM("score ~ time + (1 + time | subject)"), cohort_of(frame))


# ---- effect sizes --------------------------------------------------------------------------------------------------


def test_the_published_numbers_of_villa_sana():
    """Emotional exhaustion 3.00 (0.94) to 2.53 (0.76), n = 185, t = 6.76: d_av .55 and d_z .50."""
    n, t, change, sd = 185, 6.76, 0.47, np.array([0.94, 0.76])
    r = (sd @ sd - (change * np.sqrt(n) / t) ** 2) / (2 * sd.prod())
    assert r == pytest.approx(0.40, abs=0.005)
    pairs = Pairs.of(n=n, mean_1=3.00, mean_2=2.53, sd_1=sd[0], sd_2=sd[1], r=r)
    assert effect_size(pairs, "d_av").estimate == pytest.approx(-0.55, abs=0.005)
    assert effect_size(pairs, "d_z").estimate == pytest.approx(-0.50, abs=0.005)
    assert effect_size(pairs, "d_z").estimate * np.sqrt(n) == pytest.approx(-t, rel=1e-12)


@pytest.mark.parametrize("code", STANDARDIZERS)
def test_slopes_of_a_standardizer_are_its_own(code):
    standardizer, at = STANDARDIZERS[code], np.array([0.9, 0.6, 0.3])
    for k, step in enumerate(np.eye(3) * 1e-6):
        slope = (np.log(standardizer.h(*(at + step))) - np.log(standardizer.h(*(at - step)))) / 2e-6
        assert standardizer.slopes(*at)[k] == pytest.approx(float(slope), abs=1e-8)


def test_equal_variances_make_the_measures_agree():
    """With s₁ = s₂ all standardizers but that of the change are one number, and d_z is it over √(2(1 − r))."""
    pairs = Pairs.of(n=50, mean_1=1.0, mean_2=1.6, sd_1=1.2, sd_2=1.2, r=0.5)
    d = {code: float(effect_size(pairs, code).estimate) for code in MEASURES}
    assert d["d_av"] == pytest.approx(0.5)
    assert d["glass"] == d["d_rm"] == pytest.approx(d["d_av"])
    assert d["d_z"] == pytest.approx(0.5 / np.sqrt(2 * (1 - 0.5)))


@pytest.mark.parametrize("measure", ["smcrh", "smcrph", "d_av", "d_rm", "d_z"])
def test_intervals_from_summaries_cover(measure):
    """Samples of 40 normal pairs; the corrected estimate is unbiased within Monte-Carlo error."""
    rng = np.random.default_rng(8)
    samples = 1_500 if MEASURES[measure].exact else 20_000
    S = np.array([[1.0, 0.5 * 0.8], [0.5 * 0.8, 0.64]])
    y = rng.multivariate_normal([0.0, 1.2], S, size=(samples, 40))
    sd = y.std(1, ddof=1)
    centered = y - y.mean(1, keepdims=True)
    r = (centered[..., 0] * centered[..., 1]).sum(1) / 39 / sd.prod(1)
    pairs = Pairs.of(n=40, mean_1=y[..., 0].mean(1), mean_2=y[..., 1].mean(1), sd_1=sd[:, 0], sd_2=sd[:, 1], r=r)
    size = effect_size(pairs, measure)
    truth = 1.2 / float(STANDARDIZERS[MEASURES[measure].standardizer].h(1.0, 0.64, 0.4))
    covered = np.mean((size.conf_low < truth) & (truth < size.conf_high))
    assert covered == pytest.approx(0.95, abs=0.01 if samples > 2_000 else 0.017)
    assert size.variance.mean() == pytest.approx(size.estimate.var(), rel=0.15 if MEASURES[measure].exact else 0.1)
    if MEASURES[measure].m is not None:
        assert abs(size.estimate.mean() - truth) < 4 * size.estimate.std() / np.sqrt(samples)


def test_of_a_cohort_they_are_of_complete_pairs(cohort):
    table = effect_sizes(cohort, measures=["d_z", "smcrh"])
    wide = cohort.data.pivot_table(index="subject", columns="visit", values="EE", observed=True)
    pairs = wide[["v0", "v1"]].dropna()
    row = table.frame.iloc[0]
    assert (row["contrast"], row["measure"], row["n"]) == ("v1 - v0", "d_z", len(pairs))
    t = stats.ttest_rel(pairs["v1"], pairs["v0"]).statistic
    assert row["estimate"] == pytest.approx(t / np.sqrt(len(pairs)))
    assert table.about.min_cell == cohort.policy.min_cell
    assert any("the SD of the change" in note for note in table.about.notes)
    assert protect(table, Policy(min_cell=160)).frame["hidden"].tolist() == [False, False, True, True]


def test_of_a_fit_within_groups_and_by_several_standardizers(us):
    table = effect_sizes(us, measures=["baseline", "total"], by="group").frame
    assert table["group"].tolist() == ["control"] * 4 + ["intervention"] * 4
    sigma = us.covariance.to_numpy()
    ratio = table["estimate"].iloc[0] / table["estimate"].iloc[1]
    assert ratio == pytest.approx(np.sqrt(np.diag(sigma).mean() / sigma[0, 0]))


def test_a_score_that_never_varies_has_no_effect_size():
    frame = scores(12, seed=1)
    frame.loc[frame["visit"] == "1 year", "score"] = 2.0
    table = effect_sizes(cohort_of(frame), measures="d_av").frame
    assert table["estimate"].isna().tolist() == [True, False]


@pytest.mark.raises_code("E-STUDY-OPTION", "E-STUDY-VALUE")
def test_what_effect_sizes_refuse(cohort, us):
    two = cohort_of(scores(12, seed=1).assign(other=lambda d: d["score"].rank()), outcomes=["score", "other"])
    for call in (
        lambda: effect_sizes(cohort, measures="cohen"),
        lambda: effect_sizes(us, measures="d_av"),
        lambda: effect_sizes(cohort, by="group"),
        lambda: effect_sizes(two),
    ):
        with pytest.raises(StudyError):
            call()


def test_shares_of_variance_of_two_visits(cohort):
    cs = fit(MMRM("EE ~ visit", covariance="cs"), cohort)
    rho = cs.varcorr.iloc[0, 2]
    table = icc(cs).frame
    assert table["estimate"].iloc[0] == pytest.approx(rho)
    limits = confint(cs, parm="cor[v0, v1]").frame.iloc[0]
    np.testing.assert_allclose(
        table.loc[0, ["conf_low", "conf_high"]].astype(float), limits[["conf_low", "conf_high"]].astype(float)
    )
    assert table["estimate"].iloc[1] < rho
    assert r_squared(cs).frame["estimate"].between(0, 1).all()


def test_without_exchangeable_visits_there_is_no_conditional_share(us):
    assert r_squared(us).frame["term"].tolist() == ["R2, marginal"]
    assert any("Correlations differ" in note for note in icc(us).about.notes)


def test_shares_of_random_effects_at_times_of_their_own(own_times):
    table = icc(own_times).frame
    assert 0 < table["estimate"].iloc[1] < table["estimate"].iloc[0] < 1
    assert np.isnan(table["std_error"]).all()
    assert len(r_squared(own_times)) == 2


# ---- comparison ----------------------------------------------------------------------------------------------------


def test_likelihood_ratio_of_covariances_and_of_fixed_effects(cohort):
    small = fit(MMRM("EE ~ visit + group", covariance="cs", method="ml"), cohort)
    wide = fit(MMRM("EE ~ visit + group", method="ml"), cohort)
    large = fit(MMRM("EE ~ visit * group", method="ml"), cohort)
    table = compare(large, small, wide).frame
    assert table["model"].tolist() == [2, 3, 1]
    assert table["against"].isna().tolist() == [True, False, False]
    assert table["against"].tolist()[1:] == [2, 3]
    assert table["df"].tolist()[1:] == [4, 2]
    statistic = 2 * (large.loglik - wide.loglik)
    assert table["statistic"].iloc[2] == pytest.approx(statistic)
    assert table["p_value"].iloc[2] == pytest.approx(stats.chi2.sf(statistic, 2))
    assert table["aic"].tolist() == [small.aic, wide.aic, large.aic]


def test_what_is_not_nested_is_not_tested(cohort):
    fits = [fit(MMRM(FORMULA, covariance=code), cohort) for code in ("ar1h", "toep")]
    assert compare(*fits).frame["p_value"].isna().all()
    others = [fit(MMRM(f"EE ~ visit + {name}", method="ml"), cohort) for name in ("sex", "age + group")]
    assert compare(*others).frame["p_value"].isna().all()


def test_random_effects_lie_within_larger_ones_and_within_an_unstructured_covariance(cohort):
    specs = (
        LMM("EE ~ years + (1 | subject)", method="ml"),
        LMM("EE ~ years + (1 + years | subject)", method="ml"),
        MMRM("EE ~ years", method="ml"),
    )
    both = compare(*(fit(spec, cohort) for spec in specs))
    assert both.frame["df"].tolist()[1:] == [2, 2]
    assert any("mixture" in note for note in both.notes)
    assert "smallest AIC" in repr(both)
    assert "Log-likelihood" in str(both)


def test_a_covariance_by_group_contains_the_common_one(cohort, us):
    table = compare(us, fit(MMRM(FORMULA, covariance_by="group"), cohort)).frame
    assert table["df"].iloc[1] == 6
    assert table["covariance"].tolist() == ["us", "us by group"]


@pytest.mark.parametrize("small", WITHIN)
def test_a_structure_reaches_the_likelihood_of_those_within_it(small, cohort):
    """What the table of nested structures says, the likelihoods say."""
    inner = fit(MMRM("EE ~ visit", covariance=small), cohort).loglik
    for large in WITHIN[small]:
        assert fit(MMRM("EE ~ visit", covariance=large), cohort).loglik >= inner - 1e-8


@pytest.mark.raises_code("E-STUDY-NEEDS-ML")
def test_other_fixed_effects_are_not_compared_under_reml(cohort, us):
    other = fit(MMRM("EE ~ visit"), cohort)
    with pytest.raises(StudyError):
        compare(us, other)
    with pytest.raises(StudyError):
        compare(us, fit(MMRM(FORMULA, method="ml"), cohort))


@pytest.mark.raises_code("E-STUDY-OTHER-DATA", "E-STUDY-VALUE")
def test_other_data_are_not_compared(cohort, us):
    fewer = fit(MMRM(FORMULA), cohort.subset(cohort.frame["subject"] > 1))
    moved = cohort.data.assign(EE=cohort.data["EE"].to_numpy()[::-1])
    for other in (fewer, fit(MMRM(FORMULA), replace(cohort, data=moved))):
        with pytest.raises(StudyError):
            compare(us, other)
    with pytest.raises(StudyError):
        compare(us)


@pytest.mark.raises_code("E-MODEL-VCOV")
def test_probability_weights_make_no_likelihood(by_weight):
    fitted = fit(MMRM("score ~ visit", weights="weight", weights_kind="probability"), by_weight)
    for ask in (confint, effect_sizes, icc, lambda one: compare(one, one)):
        with pytest.raises(ModelError):
            ask(fitted)


# ---- intervals -----------------------------------------------------------------------------------------------------


def test_wald_intervals_are_those_of_the_summary_and_of_the_covariance(us):
    table = confint(us).frame.set_index("term")
    summary = summarize(us).frame.set_index("term")
    pd.testing.assert_frame_equal(table.loc[summary.index, list(summary)], summary)
    assert table.loc["sd[v1]", "estimate"] == pytest.approx(us.varcorr.loc["v1", "sd"])
    assert table.loc["cor[v0, v3]", "estimate"] == pytest.approx(us.varcorr.loc["v0", "v3"])
    assert table.loc["cor[v0, v3]", "n"] < table.loc["sd[v0]", "n"] == us.n_subjects
    assert (table["conf_low"] < table["estimate"]).all()


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("cs", ["sd", "cor[v0, v1]"]),
        ("ar1h", ["sd[v0]", "sd[v1]", "sd[v3]", "cor[v0, v1]"]),
        ("toep", ["sd", "cor[v0, v1]", "cor[v0, v3]"]),
        ("ad", ["sd", "cor[v0, v1]", "cor[v1, v3]"]),
        ("sp_exp", ["sd", "cor[v0, v1]"]),
    ],
)
def test_a_structure_is_told_by_as_many_numbers_as_it_has(code, names, cohort):
    fitted = fit(MMRM("EE ~ visit", covariance=code), cohort)
    table = confint(fitted, method="profile", parm="covariance").frame
    assert table["term"].tolist() == names
    assert len(names) == fitted.n_parameters
    assert ((table["conf_low"] < table["estimate"]) & (table["estimate"] < table["conf_high"])).all()


def test_a_large_sample_makes_profile_and_wald_agree():
    fitted = fit(MMRM("score ~ visit", method="ml"), cohort_of(scores(4000, seed=3, seen=0.8)))
    wald, profile = (confint(fitted, method=method).frame for method in ("wald", "profile"))
    width = wald["conf_high"] - wald["conf_low"]
    assert (np.abs(wald["conf_low"] - profile["conf_low"]) / width).max() < 0.01
    assert (np.abs(wald["conf_high"] - profile["conf_high"]) / width).max() < 0.01


def test_of_each_group_and_of_an_intercept_alone(cohort):
    table = confint(fit(MMRM("EE ~ 1", covariance="cs", covariance_by="sex", method="ml"), cohort), method="profile")
    assert table.frame["term"].tolist() == [
        "Intercept",
        "sd (F)",
        "cor[v0, v1] (F)",
        "sd (M)",
        "cor[v0, v1] (M)",
    ]
    assert table.frame[["conf_low", "conf_high"]].notna().all(axis=None)


@pytest.mark.raises_code("E-MODEL-NEEDS-ML", "E-STUDY-OPTION", "E-STUDY-VALUE")
def test_what_intervals_refuse(us):
    with pytest.raises(ModelError):
        confint(us, method="profile", parm="age")
    with pytest.raises(StudyError):
        confint(us, method="bayes")
    with pytest.raises(StudyError):
        confint(us, parm="sd[v9]")
    assert not set(confint(us, method="profile").frame["term"]) & set(us.coef.index)


def random_intercepts(seed, n=20, slope=0.0, noise=1.0, sd=0.5):
    frame = scores(n, seed=12)
    rng = np.random.default_rng(seed)
    frame["score"] = noise * rng.normal(size=3 * n) + sd * np.repeat(rng.normal(size=n), 3)
    frame["score"] += slope * np.tile([0.0, 1.0, 3.0], n) * np.repeat(rng.normal(size=n), 3)
    return cohort_of(frame)


def test_a_variance_that_may_be_zero_reaches_down_to_zero():
    fitted = fit(LMM("score ~ years + (1 | subject)", method="ml"), random_intercepts(4))
    row = confint(fitted, method="profile", parm="sd[Intercept]").frame.iloc[0]
    assert row["conf_low"] == 0
    assert row["conf_high"] > row["estimate"] > 0


def test_where_a_slope_may_be_zero_its_correlation_may_be_anything():
    fitted = fit(
        LMM("score ~ years + (1 + years | subject)", method="ml"),
        random_intercepts(0, 25, slope=0.3, noise=0.7, sd=0.7),
    )
    table = confint(fitted, method="profile", parm="covariance").frame.set_index("term")
    assert table.loc["sd[years]", "conf_low"] == 0
    assert table.loc["cor[Intercept, years]", ["conf_low", "conf_high"]].tolist() == [-1, 1]


@pytest.mark.raises_code("N-MODEL-PROFILE")
def test_a_limit_that_is_not_there_is_missing_and_said():
    """Both variances are above 0, but a correlation of 1 is no worse than the estimate by the quantile."""
    fitted = fit(
        LMM("score ~ years + (1 + years | subject)", method="ml"),
        random_intercepts(2, 25, slope=0.3, noise=0.7, sd=0.7),
    )
    with pytest.warns(BurnoutStatsWarning, match="profile"):
        table = confint(fitted, method="profile", parm="cor[Intercept, years]")
    row = table.frame.iloc[0]
    assert row["conf_low"] < row["estimate"]
    assert np.isnan(row["conf_high"])
    assert table.notices[-1].code == "N-MODEL-PROFILE"


# ---- influence and residuals ---------------------------------------------------------------------------------------


def test_influence_names_subjects_by_their_ordinal(us):
    found = influence(us)
    assert found.frame["subject"].tolist() == list(range(1, 201))
    assert list(found.frame)[:5] == ["subject", "n_visits", "leverage", "cooks_distance", "cov_ratio"]
    assert [name.removeprefix("dfbeta ") for name in found.frame.columns[5:]] == list(us.coef.index)
    assert found.covariance.shape == (200, 1, 3, 3)
    assert "200 subjects" in repr(found)
    assert not any(str(name) in repr(found) for name in ("leverage", "S0"))


def test_an_outlier_is_seen(cohort):
    data = cohort.data.copy()
    row = data.index[(data["subject"] == 18) & (data["visit"] == "v1")][0]
    data.loc[row, "EE"] += 80
    fitted = fit(MMRM(FORMULA), replace(cohort, data=data))
    assert influence(fitted).frame["cooks_distance"].idxmax() == 17
    assert mahalanobis(fitted)["distance"].idxmax() == 17
    worst = residuals(fitted, "normalized").loc[lambda frame: frame["residual"].abs().idxmax()]
    assert (worst["subject"], worst["visit"]) == (18, "v1")


@pytest.mark.raises_code("N-MODEL-ONE-SUBJECT")
def test_what_rests_on_one_subject_is_said():
    frame = scores(25, seed=9)
    frame["sex"] = np.where(frame["id"] == "S0003", "M", "F")
    fitted = fit(MMRM("score ~ visit + sex"), cohort_of(frame, covariates={"sex": {"levels": ["F", "M"]}}))
    for refit in (True, False):
        with pytest.warns(BurnoutStatsWarning, match="Without 1 of the subjects"):
            found = influence(fitted, refit=refit)
        assert found.frame["cooks_distance"].isna().tolist() == [k == 3 for k in range(25)]


def test_columns_that_were_left_out_stay_out():
    frame = scores(25, seed=9).assign(twice=lambda data: 2 * data["age"])
    cohort = cohort_of(frame, covariates={"age": {"unit": "years"}, "twice": {"unit": "years"}})
    with pytest.warns(BurnoutStatsWarning, match="twice"):
        fitted = fit(MMRM("score ~ visit + age + twice", method="ml"), cohort)
    assert influence(fitted).frame["dfbeta twice"].isna().all()
    table = confint(fitted, method="profile").frame.set_index("term")
    assert table.loc["twice", ["estimate", "conf_low", "conf_high"]].isna().all()
    assert table["conf_low"].notna().sum() == len(table) - 1
    assert residuals(fitted)["residual"].abs().max() < 10


@pytest.mark.raises_code("E-MODEL-NEEDS-ROWS")
def test_single_persons_need_rows(us):
    bare = replace(us, rows=None)
    for ask in (influence, residuals, mahalanobis, r_squared):
        with pytest.raises(ModelError):
            ask(bare)
    assert len(covariance_check(bare)) == 3 * (3 + 3)
    assert len(effect_sizes(bare)) == 2


@pytest.mark.raises_code("E-MODEL-NOT-NOMINAL")
def test_one_covariance_for_all_is_needed(own_times):
    for ask in (influence, covariance_check, effect_sizes, confint):
        with pytest.raises(ModelError):
            ask(own_times)
    assert len(residuals(own_times, "pearson")) == own_times.n_obs


def test_the_covariance_check_finds_a_structure_that_is_too_simple():
    """Correlations .9 and .1 between neighbors and ends do not fit compound symmetry; unstructured, they do."""
    rng = np.random.default_rng(4)
    frame = scores(300, seed=4)
    sigma = np.array([[1.0, 0.8, 0.1], [0.8, 1.0, 0.5], [0.1, 0.5, 1.0]])
    frame["score"] = rng.multivariate_normal(np.zeros(3), sigma, size=300).reshape(-1)
    cohort = cohort_of(frame)
    largest = {}
    for code in ("cs", "us"):
        check = covariance_check(fit(MMRM("score ~ visit", covariance=code), cohort)).frame
        largest[code] = check.loc[check["statistic"] == "z", "value"].abs().max()
    assert largest["cs"] > 4
    assert largest["us"] < 0.1
    assert set(check["statistic"]) == {"SD observed", "SD fitted", "correlation observed", "correlation fitted", "z"}
    assert (check["n"] == 300).all()


def test_the_covariance_check_of_groups_passes_the_gate(cohort):
    check = covariance_check(fit(MMRM("EE ~ visit", covariance_by="sex"), cohort))
    assert check.frame["group"].unique().tolist() == ["F", "M"]
    assert protect(check, Policy(min_cell=75)).frame["hidden"].any()
    assert "observed" in str(check)


@pytest.mark.raises_code("E-MODEL-CLUSTERED")
def test_clusters_above_the_subject():
    frame = scores(60, seed=7)
    clinic = frame["id"].str[-1]
    cohort = cohort_of(
        frame.assign(clinic="c" + clinic, score=frame["score"] + 0.6 * clinic.astype(int).map(np.sin)),
        covariates={"clinic": {"levels": [f"c{k}" for k in range(10)]}},
    )
    plain, within = fit(MMRM("score ~ visit"), cohort), fit(MMRM("score ~ visit + (1 | clinic)"), cohort)
    for ask in (influence, mahalanobis, covariance_check, effect_sizes, icc, r_squared, confint):
        with pytest.raises(ModelError):
            ask(within)
    np.testing.assert_allclose(residuals(within)["residual"], residuals(plain)["residual"], atol=0.5)
    both = compare(within, plain)
    assert both.frame["df"].tolist()[1:] == [1]
    assert both.frame["p_value"].iloc[1] < 0.05
    assert any("edge" in note for note in both.notes)
