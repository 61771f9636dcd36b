"""Formulas for pairs and proportions against scipy, statsmodels and pingouin, and what must hold of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pingouin
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from tolerances import CLOSED_FORM, IDENTITY

from burnout_stats.engine import paired, proportions
from burnout_stats.engine.level_and_change import blomqvist, oldham, pitman_morgan
from burnout_stats.engine.rm_anova import eta_limits, rm_anova, sphericity, within_sums

COUNTS = st.integers(0, 60)

NORMAL = "asymptotic" if Version(scipy.__version__) >= Version("1.13") else "approx"  # as scipy names it


# ---- proportions


@pytest.mark.parametrize(("count", "n"), [(0, 12), (3, 12), (12, 12), (63, 182), (1, 1)])
@pytest.mark.parametrize("level", [0.90, 0.99])
def test_one_proportion_as_statsmodels(count, n, level):
    for ours, theirs in ((proportions.wilson, "wilson"), (proportions.clopper_pearson, "beta")):
        wanted = np.nan_to_num(proportion_confint(count, n, alpha=1 - level, method=theirs), nan=0.0)
        np.testing.assert_allclose(ours(count, n, conf_level=level), wanted, rtol=CLOSED_FORM, atol=1e-14)


def test_limits_broadcast():
    low, high = proportions.wilson([[3, 4, 5]], [[10], [20]])
    assert low.shape == high.shape == (2, 3)
    assert proportions.tango([3, 4], 1, 20)[0].shape == (2,)
    assert proportions.mcnemar([3, 4], [[1], [2], [0]]).p_mid.shape == (3, 2)


def test_two_groups_as_statsmodels():
    ours = proportions.newcombe_independent(101, 117, 83, 110)
    np.testing.assert_allclose(ours, confint_proportions_2indep(101, 117, 83, 110, method="newcomb"), rtol=CLOSED_FORM)


@given(COUNTS, COUNTS)
def test_mcnemar_as_statsmodels(f, g):
    ours = proportions.mcnemar(f, g)
    table = [[5, f], [g, 7]]
    assert float(ours.p_exact) == pytest.approx(statsmodels_mcnemar(table, exact=True).pvalue, rel=1e-9)
    if f + g:
        plain = statsmodels_mcnemar(table, exact=False, correction=False)
        assert float(ours.z**2) == pytest.approx(plain.statistic, rel=1e-12)
        assert float(ours.p_chi_square) == pytest.approx(plain.pvalue, rel=1e-9)


@given(COUNTS, COUNTS)
def test_mid_p_counts_half_of_what_was_seen(f, g):
    m = f + g
    mass = stats.binom.pmf(np.arange(m + 1), m, 0.5)
    away = np.abs(np.arange(m + 1) - m / 2)
    wanted = mass[away > abs(f - g) / 2 + 1e-9].sum() + mass[np.abs(away - abs(f - g) / 2) < 1e-9].sum() / 2
    assert float(proportions.mcnemar(f, g).p_mid) == pytest.approx(wanted if m else 1.0, rel=1e-9)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_intervals_of_pairs_hold_the_estimate_and_turn_with_the_table(e, f, g, h):
    n = e + f + g + h
    if not n:
        return
    for limits, turned in (
        (proportions.newcombe_paired(e, f, g, h), proportions.newcombe_paired(e, g, f, h)),
        (proportions.tango(f, g, n), proportions.tango(g, f, n)),
    ):
        low, high = map(float, limits)
        assert -1 - 1e-12 <= low <= (f - g) / n + 1e-9
        assert (f - g) / n - 1e-9 <= high <= 1 + 1e-12
        np.testing.assert_allclose(turned, [-high, -low], atol=1e-9)


@given(COUNTS, COUNTS, st.integers(1, 80))
def test_tango_inverts_mcnemar(f, g, others):
    p = float(proportions.mcnemar(f, g).p_chi_square)
    if f == g or p < 1e-6:  # 1 - p would be rounded
        return
    inside = proportions.tango(f, g, f + g + others, conf_level=1 - p)
    assert min(abs(float(limit)) for limit in inside) < 1e-6


# ---- pairs


def test_paired_t_as_scipy():
    rng = np.random.default_rng(3)
    y = rng.normal(3, 1, (40, 2))
    moved = y[:, 1] - y[:, 0]
    ours = paired.paired_t(moved.mean(), moved.std(ddof=1), 40, conf_level=0.9)
    theirs = stats.ttest_rel(y[:, 1], y[:, 0])
    limits = theirs.confidence_interval(0.9)
    found = [ours.t, ours.p_value, ours.conf_low, ours.conf_high]
    np.testing.assert_allclose(found, [theirs.statistic, theirs.pvalue, *limits], rtol=CLOSED_FORM)


@given(st.floats(0.2, 3), st.floats(0.2, 3), st.floats(-0.95, 0.95), st.floats(0.05, 2), st.integers(3, 500))
def test_the_identities_come_back(sd_1, sd_2, r, change, n):
    s = paired.sd_of_change(sd_1, sd_2, r)
    t = paired.paired_t(-change, s, n).t
    assert float(paired.sd_of_change_from_t(-change, t, n)) == pytest.approx(float(s), rel=IDENTITY)
    assert float(paired.correlation_from_change(sd_1, sd_2, s)) == pytest.approx(r, abs=1e-9)


@pytest.mark.filterwarnings("ignore:Sample size too small")  # older scipy warns of it
@pytest.mark.parametrize("zeros", ["drop", "pratt"])
@pytest.mark.parametrize("n", [9, 60])
def test_signed_ranks_as_scipy(zeros, n):
    rng = np.random.default_rng(n)
    x = np.round(rng.normal(-0.4, 1.2, n), 1)
    ours = paired.signed_rank(x, zeros=zeros, exact=False)
    theirs = stats.wilcoxon(x, zero_method={"drop": "wilcox", "pratt": "pratt"}[zeros], method=NORMAL, correction=False)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=CLOSED_FORM)
    assert min(ours.w_plus, ours.w_minus) == theirs.statistic
    if zeros == "drop":
        assert ours.z == pytest.approx(-abs(theirs.zstatistic), rel=CLOSED_FORM)


@pytest.mark.parametrize("n", [1, 4, 25, 50])
def test_exact_signed_ranks_as_scipy(n):
    x = np.random.default_rng(n).normal(0.2, 1, n)
    ours = paired.signed_rank(x)
    assert ours.is_exact
    assert ours.p_value == pytest.approx(stats.wilcoxon(x, method="exact").pvalue, rel=1e-9)


def test_nothing_moved():
    found = paired.signed_rank(np.zeros(7))
    assert (found.n_ranked, found.n_zero) == (0, 7)
    assert np.isnan(found.z)
    assert np.isnan(found.p_value)
    assert paired.hodges_lehmann(np.zeros(7))[0] == 0.0
    assert np.isnan(paired.hodges_lehmann([])).all()
    assert np.isnan(paired.hodges_lehmann([1.0, 2.0])[1])  # no interval of two has this coverage


@given(st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=70), st.integers(0, 1))
def test_walsh_averages_are_found_without_writing_them_down(values, decimals):
    d = np.sort(np.round(np.array(values), decimals))
    walsh = np.sort(((d[:, None] + d) / 2)[np.triu_indices(len(d))])
    for k in {1, (len(walsh) + 1) // 2, len(walsh)}:
        assert paired._walsh(d, k) == pytest.approx(walsh[k - 1], abs=1e-12)


# ---- repeated-measures ANOVA


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # pingouin with pandas 3.1
def test_one_group_as_pingouin():
    rng = np.random.default_rng(8)
    y = rng.normal(3, 1, (25, 1)) + rng.normal(0, 0.5, (25, 4)) * [1, 1, 2, 3] - [0, 0.3, 0.4, 0.2]
    found = rm_anova(*within_sums(y, np.zeros(25, dtype=int)))
    long = pd.DataFrame(y).rename_axis("id").reset_index().melt("id", var_name="visit")
    theirs = pingouin.rm_anova(long, dv="value", within="visit", subject="id", correction=True, effsize="np2")
    theirs = theirs.rename(columns=lambda name: name.lower().replace("-", "_")).iloc[0]
    assert pytest.approx(theirs["f"], rel=1e-9) == found.within.F
    assert found.sphericity.greenhouse_geisser == pytest.approx(theirs["eps"], rel=1e-9)
    assert found.within.partial_eta_squared == pytest.approx(theirs["np2"], rel=1e-9)
    assert pytest.approx(theirs["w_spher"], rel=1e-9) == found.sphericity.W


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # pingouin with pandas 3.1
def test_two_groups_as_pingouin_where_they_are_of_one_size():
    rng = np.random.default_rng(9)
    y = rng.normal(3, 1, (30, 1)) + rng.normal(0, 0.7, (30, 3)) - [0, 0.3, 0.4]
    group = np.repeat([0, 1], 15)
    found = rm_anova(*within_sums(y, group))
    long = pd.DataFrame(y).assign(group=group).rename_axis("id").reset_index().melt(["id", "group"], var_name="visit")
    theirs = pingouin.mixed_anova(long, dv="value", within="visit", between="group", subject="id")
    ours = [found.between.F, found.within.F, found.interaction.F]
    np.testing.assert_allclose(ours, theirs["F"].to_numpy(dtype=float), rtol=1e-9)


def test_two_visits_are_a_paired_t():
    y = np.random.default_rng(1).normal(3, 1, (12, 2))
    found = rm_anova(*within_sums(y, np.zeros(12, dtype=int)))
    assert pytest.approx(stats.ttest_rel(*y.T).statistic ** 2, rel=IDENTITY) == found.within.F
    assert found.sphericity.greenhouse_geisser == 1.0
    assert np.isnan(found.sphericity.p_value)


def test_epsilon_between_its_bounds():
    assert sphericity(np.eye(3), 20).greenhouse_geisser == pytest.approx(1.0)
    one = np.diag([1.0, 1e-9, 1e-9])
    assert sphericity(one, 20).greenhouse_geisser == pytest.approx(1 / 3, rel=1e-6)
    assert sphericity(np.eye(3), 20).huynh_feldt == 1.0


@pytest.mark.pinned  # older scipy knows the noncentral F to five digits only
def test_limits_of_eta_squared_are_quantiles():
    low, high = eta_limits(5.2, 2, 80, conf_level=0.90)
    for eta, tail in ((low, 0.95), (high, 0.05)):
        noncentrality = eta / (1 - eta) * 83
        assert stats.ncf.cdf(5.2, 2, 80, noncentrality) == pytest.approx(tail, abs=1e-8)
    assert eta_limits(0.1, 2, 80) == (0.0, pytest.approx(eta_limits(0.1, 2, 80)[1]))
    assert np.isnan(eta_limits(float("nan"), 2, 80)).all()


# ---- level and change


def test_oldham_is_the_correlation_of_difference_and_mean():
    y = np.random.default_rng(4).multivariate_normal([3, 2.5], [[0.9, 0.3], [0.3, 0.5]], 60)
    sd, r = y.std(axis=0, ddof=1), np.corrcoef(y.T)[0, 1]
    theirs = stats.pearsonr(y[:, 1] - y[:, 0], y.mean(axis=1))
    ours = oldham(sd[0], sd[1], r, 60)
    assert ours.estimate == pytest.approx(theirs.statistic, rel=IDENTITY)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-7)
    np.testing.assert_allclose([ours.conf_low, ours.conf_high], theirs.confidence_interval(), rtol=1e-7)
    ratio = pitman_morgan(sd[0], sd[1], r, 60)
    assert ratio.p_value == ours.p_value


def test_the_interval_of_the_ratio_inverts_the_test():
    """At its limits, scores rescaled to equal variances are just rejected."""
    found = pitman_morgan(0.94, 0.76, 0.4, 50)
    for limit in (found.conf_low, found.conf_high):
        assert pitman_morgan(0.94, 0.76 / np.sqrt(limit), 0.4, 50).p_value == pytest.approx(0.05, abs=1e-9)


def test_blomqvist_finds_the_slope_that_error_hides():
    """True change = -0.3 (true level - 3) + noise; the score at baseline has reliability 0.6."""
    rng = np.random.default_rng(11)
    level = rng.normal(3, 1, 40_000)
    later = level - 0.3 * (level - 3) + rng.normal(0, 0.4, 40_000)
    error = np.sqrt(1 / 0.6 - 1)
    y = np.stack([level, later], axis=1) + rng.normal(0, error, (40_000, 2))
    sd, r = y.std(axis=0, ddof=1), np.corrcoef(y.T)[0, 1]
    for known in ({"reliability": 0.6}, {"error_variance": error**2}):
        found = blomqvist(sd[0], sd[1], r, 40_000, **known)
        assert abs(found.estimate + 0.3) < 4 * found.std_error
    assert blomqvist(sd[0], sd[1], r, 40_000, reliability=1.0).estimate < -0.5  # as observed


@pytest.mark.parametrize("known", [{"reliability": 0.7}, {"error_variance": 0.3}])
def test_blomqvists_standard_error_is_the_spread_of_the_slope(known):
    rng = np.random.default_rng(12)
    y = rng.multivariate_normal([0, 0], [[1.0, 0.5], [0.5, 0.9]], (4000, 80))
    y = y - y.mean(axis=1, keepdims=True)
    S = np.einsum("rij,rik->rjk", y, y) / 79
    if "reliability" in known:
        slopes = S[:, 0, 1] / S[:, 0, 0] / known["reliability"]
    else:
        slopes = S[:, 0, 1] / (S[:, 0, 0] - known["error_variance"])
    expected = blomqvist(1.0, np.sqrt(0.9), 0.5 / np.sqrt(0.9), 80, **known)
    assert np.std(slopes) == pytest.approx(expected.std_error, rel=0.06)


def test_blomqvist_without_error_is_the_regression():
    y = np.random.default_rng(5).multivariate_normal([3, 2.5], [[0.9, 0.3], [0.3, 0.5]], 30)
    sd, r = y.std(axis=0, ddof=1), np.corrcoef(y.T)[0, 1]
    theirs = stats.linregress(y[:, 0], y[:, 1] - y[:, 0])
    ours = blomqvist(sd[0], sd[1], r, 30, reliability=1.0)
    assert ours.estimate == pytest.approx(theirs.slope, rel=IDENTITY)
    assert ours.std_error == pytest.approx(theirs.stderr, rel=IDENTITY)
