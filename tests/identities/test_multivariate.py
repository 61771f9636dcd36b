"""Several outcomes in one model: where one outcome, multivariate analysis of variance or a plain correlation says the
same.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import TIMES
from scipy import stats
from tolerances import IDENTITY

from burnout_stats.cohort import read_cohort
from burnout_stats.inference import contrast, emmeans, joint_test, summarize
from burnout_stats.inference.multivariate import (
    change_correlations,
    global_change,
    outcome_changes,
    outcome_means,
    outcome_tests,
)
from burnout_stats.models import MMRM, fit
from burnout_stats.models.multivariate import MultivariateMMRM, fit_multivariate

OUTCOMES = ("first", "second", "third")
ROOT = np.linalg.cholesky(0.3 + np.kron(0.4 + 0.6 * np.eye(3), 0.3 + 0.4 * np.eye(3)))
VISITS = list(TIMES)


def three(n=40, seed=1, *, missing=0.0):
    """Three outcomes on unlike scales at three visits, in two groups."""
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((n, 9)) @ ROOT.T * np.repeat([1.0, 5.0, 40.0], 3) + np.tile([3.0, 2.5, 2.4], 3)
    y[rng.random(y.shape) < missing] = np.nan
    group = np.where(np.arange(n) % 3, "b", "a")
    parts = [
        pd.DataFrame(
            {"id": np.arange(n), "visit": visit, "group": group} | dict(zip(OUTCOMES, y[:, v::3].T, strict=True))
        )
        for v, visit in enumerate(VISITS)
    ]
    frame = pd.concat(parts, ignore_index=True)
    cohort = read_cohort(
        frame,
        subject="id",
        visit="visit",
        times=TIMES,
        outcomes={name: {"better": "lower"} for name in OUTCOMES},
        covariates={"group": {"levels": ["a", "b"]}},
    )
    return cohort, y, group


def hotelling(d):
    """F of T² that the mean of the rows is 0, and its degrees of freedom."""
    n, k = d.shape
    t2 = n * d.mean(0) @ np.linalg.solve(np.cov(d.T).reshape(k, k), d.mean(0))
    return t2 * (n - k) / (k * (n - 1)), n - k


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_one_outcome_is_the_mmrm(method):
    cohort, _, _ = three(missing=0.1)
    alone = fit(MMRM("second ~ visit * group", method=method), cohort)
    ours = fit_multivariate(MultivariateMMRM(("second",), "visit * group", method=method), cohort)
    assert ours.loglik == pytest.approx(alone.loglik, rel=IDENTITY)
    assert (ours.aic, ours.bic) == pytest.approx((alone.aic, alone.bic), rel=IDENTITY)
    one, other = summarize(ours.of("second")).frame, summarize(alone).frame
    pd.testing.assert_frame_equal(one, other, rtol=1e-6)


def test_outcomes_without_missing_scores_are_as_if_alone():
    """Generalized least squares with the same columns everywhere is ordinary least squares (Zellner)."""
    cohort, _, _ = three()
    ours = fit_multivariate(MultivariateMMRM(OUTCOMES, "visit * group"), cohort)
    for name in OUTCOMES:
        alone = contrast(emmeans(fit(MMRM(f"{name} ~ visit * group"), cohort), "visit", by="group"))
        joint = contrast(emmeans(ours.of(name), "visit", by="group"))
        np.testing.assert_allclose(joint.frame["estimate"], alone.frame["estimate"], rtol=1e-7)
        np.testing.assert_allclose(joint.vcov, alone.vcov, rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(joint.frame["df"], alone.frame["df"], rtol=1e-6)


def test_changes_of_all_outcomes_are_hotelling():
    cohort, y, _ = three()
    tests = outcome_tests(fit_multivariate(MultivariateMMRM(OUTCOMES, "visit"), cohort)).frame.set_index("term")
    d = (y.reshape(-1, 3, 3)[:, :, 1:] - y.reshape(-1, 3, 3)[:, :, :1]).reshape(len(y), -1)
    wanted = {
        "1 year - baseline, all outcomes": d[:, ::2],
        "3 years - baseline, all outcomes": d[:, 1::2],
        "Second, all visits": d[:, 2:4],
        "all outcomes, all visits": d,
    }
    for term, columns in wanted.items():
        F, df = hotelling(columns)
        assert tests.loc[term, "statistic"] == pytest.approx(F, rel=1e-6)
        assert tests.loc[term, "df"] == pytest.approx(df, rel=1e-6)
        assert tests.loc[term, "p_value"] == pytest.approx(stats.f.sf(F, columns.shape[1], df), rel=1e-5)


def test_unequal_changes_of_two_groups_are_hotelling_of_two_samples():
    cohort, y, group = three()
    model = fit_multivariate(MultivariateMMRM(OUTCOMES, "visit * group"), cohort)
    tests = outcome_tests(model, by="group").frame.set_index("term")
    d = (y.reshape(-1, 3, 3)[:, :, 1:] - y.reshape(-1, 3, 3)[:, :, :1]).reshape(len(y), -1)
    a, b = d[group == "a"], d[group == "b"]
    pooled = ((len(a) - 1) * np.cov(a.T) + (len(b) - 1) * np.cov(b.T)) / (len(d) - 2)
    difference = b.mean(0) - a.mean(0)
    t2 = difference @ np.linalg.solve(pooled * (1 / len(a) + 1 / len(b)), difference)
    k = d.shape[1]
    row = tests.loc["all outcomes, all visits"]
    assert row["statistic"] == pytest.approx(t2 * (len(d) - k - 1) / (k * (len(d) - 2)), rel=1e-6)
    assert row["df"] == pytest.approx(len(d) - k - 1, rel=1e-6)


def test_correlations_of_complete_changes_are_those_of_the_changes():
    """And with the restricted likelihood the standard error of Fisher's z is 1 / √(n − 1)."""
    cohort, y, _ = three(n=60)
    model = fit_multivariate(MultivariateMMRM(OUTCOMES, "visit"), cohort)
    told = change_correlations(model, reliability={"first": 0.9, "third": 0.8}).frame
    y = y.reshape(-1, 3, 3)
    d = y[:, :, 2] - y[:, :, 0]
    where = told["contrast"].eq("3 years - baseline") & told["outcome"].eq("first") & told["other"].eq("Third")
    row = told[where].set_index("version")
    r = np.corrcoef(d[:, 0], d[:, 2])[0, 1]
    assert row.loc["change", "estimate"] == pytest.approx(r, rel=1e-6)
    assert row.loc["change", "statistic"] == pytest.approx(np.arctanh(r) * np.sqrt(59), rel=1e-6)
    X = np.column_stack([np.ones(60), y[:, 0, 0], y[:, 2, 0]])
    left = [y[:, k, 2] - X @ np.linalg.lstsq(X, y[:, k, 2], rcond=None)[0] for k in (0, 2)]
    assert row.loc["given baseline", "estimate"] == pytest.approx(np.corrcoef(*left)[0, 1], rel=1e-6)
    error = [(1 - rel) * (y[:, k, 0].var(ddof=1) + y[:, k, 2].var(ddof=1)) for k, rel in ((0, 0.9), (2, 0.8))]
    latent = np.cov(d[:, 0], d[:, 2])[0, 1] / np.sqrt(
        (d[:, 0].var(ddof=1) - error[0]) * (d[:, 2].var(ddof=1) - error[1])
    )
    assert row.loc["latent", "estimate"] == pytest.approx(latent, rel=1e-6)


def test_the_slopes_of_correlations_are_those_of_finite_differences():
    cohort, _, _ = three(n=50, missing=0.1)
    model = fit_multivariate(MultivariateMMRM(OUTCOMES[:2], "visit"), cohort)
    from burnout_stats.inference.multivariate import _correlation, _versions

    sigma, first, _ = model.sigma()
    four = np.array([0, 3, 2, 5])
    part, change = sigma[np.ix_(four, four)], first[:, four[:, None], four]
    error, h = np.array([0.1, 0.2, 0.1, 0.2]), 1e-6
    for version, _ in _versions(part, latent=True):
        noise = error if version == "latent" else 0 * error

        def r(at, version=version, noise=noise):
            return _correlation(at, change, dict(_versions(at, latent=True))[version], noise)[0]

        slope = _correlation(part, change, dict(_versions(part, latent=True))[version], noise)[1]
        differences = [(r(part + h * one) - r(part - h * one)) / (2 * h) for one in change]
        np.testing.assert_allclose(slope, differences, atol=1e-8)


def test_the_global_change_of_known_standardizers_is_a_paired_t_test():
    cohort, y, _ = three()
    model = fit_multivariate(MultivariateMMRM(OUTCOMES, "visit"), cohort)
    sd = dict(zip(OUTCOMES, (1.0, 5.0, 40.0), strict=True))
    told = global_change(model, standardizer=sd).frame.set_index("contrast").loc["1 year - baseline"]
    y = y.reshape(-1, 3, 3)
    g = -((y[:, :, 1] - y[:, :, 0]) / np.array(list(sd.values()))).mean(1)
    assert told["estimate"] == pytest.approx(g.mean(), rel=1e-6)
    assert told["statistic"] == pytest.approx(stats.ttest_1samp(g, 0).statistic, rel=1e-6)
    assert told["df"] == pytest.approx(len(g) - 1, rel=1e-6)


def test_estimated_standardizers_only_widen_the_interval():
    cohort, _, _ = three()
    model = fit_multivariate(MultivariateMMRM(OUTCOMES, "visit"), cohort)
    covariance = model.covariance
    sd = {name: float(np.sqrt(covariance.loc[(name, "baseline"), (name, "baseline")])) for name in OUTCOMES}
    known, estimated = (global_change(model, standardizer=s).frame for s in (sd, "baseline_sd"))
    np.testing.assert_allclose(known["estimate"], estimated["estimate"], rtol=1e-10)
    assert (estimated["std_error"] > known["std_error"]).all()


def test_the_smallest_variance_belongs_to_generalized_least_squares():
    cohort, _, _ = three(missing=0.1)
    model = fit_multivariate(MultivariateMMRM(OUTCOMES, "visit"), cohort)
    sd = dict(zip(OUTCOMES, (1.0, 5.0, 40.0), strict=True))
    alike, weighted = (global_change(model, standardizer=sd, weights=w).frame for w in ("ols", "gls"))
    assert (weighted["std_error"] < alike["std_error"]).all()


def test_means_and_changes_of_outcomes_are_those_of_each():
    cohort, _, _ = three(missing=0.1)
    model = fit_multivariate(MultivariateMMRM(OUTCOMES, "visit * group"), cohort)
    means, changes = outcome_means(model, by="group"), outcome_changes(model, by="group")
    own = contrast(emmeans(model.of("second"), "visit", by="group"))
    rows = changes.frame["outcome"].eq("second").to_numpy()
    np.testing.assert_allclose(changes.frame.loc[rows, "estimate"], own.frame["estimate"], rtol=1e-12)
    np.testing.assert_allclose(changes.vcov[np.ix_(rows, rows)], own.vcov, rtol=1e-9)
    assert len(means.frame) == 18
    assert np.linalg.eigvalsh(changes.vcov)[0] > 0


def test_a_unit_of_an_outcome_changes_nothing_but_its_unit():
    cohort, _, _ = three(missing=0.1)
    frame = cohort.frame.reset_index() if "subject" not in cohort.frame else cohort.frame
    scaled = read_cohort(
        frame.assign(second=frame["second"] * 1000 + 7)[["subject", "visit", *OUTCOMES]].rename(
            columns={"subject": "id"}
        ),
        subject="id",
        visit="visit",
        times=TIMES,
        outcomes=list(OUTCOMES),
    )
    one, other = (fit_multivariate(MultivariateMMRM(OUTCOMES, "visit"), c) for c in (cohort, scaled))
    a, b = (
        joint_test(model.of("second"), contrast(emmeans(model.of("second"), "visit"))).frame for model in (one, other)
    )
    assert a["statistic"][0] == pytest.approx(b["statistic"][0], rel=1e-6)
    np.testing.assert_allclose(
        change_correlations(one).frame["estimate"], change_correlations(other).frame["estimate"], rtol=1e-6
    )
