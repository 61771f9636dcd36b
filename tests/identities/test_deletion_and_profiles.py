"""Leaving a subject out is fitting without it; a profile limit is where the refitted likelihood has fallen by the
quantile; a model-based effect size of two complete visits is the formula from summaries.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cohorts import burnout_200, cohort_of, scores
from scipy import linalg, optimize, special
from tolerances import IDENTITY

from burnout_stats.engine import likelihood, profile
from burnout_stats.engine.effect_size import MEASURES, STANDARDIZERS, Pairs, effect_size
from burnout_stats.inference.effect_sizes import effect_sizes
from burnout_stats.inference.influence import influence
from burnout_stats.inference.profile import confint
from burnout_stats.models import LMM, MMRM, fit
from burnout_stats.models.residuals import mahalanobis, residuals

Q = float(special.chdtri(1, 0.05))


def weighted(frame):
    return frame.assign(count=(frame["id"].str[-1] == "3") * 2.0 + 1)


SPECS = [
    *(MMRM("score ~ visit * sex + age", covariance=code) for code in ("us", "cs", "ar1h", "adh", "sp_exp")),
    MMRM("score ~ visit + age", method="ml"),
    MMRM("score ~ visit + age", covariance="csh", covariance_by="sex"),
    MMRM("score ~ visit", weights="count"),
    LMM("score ~ years + (1 + years | subject)"),
]


@pytest.fixture(scope="module")
def cohort():
    return cohort_of(
        weighted(scores(45, seed=5, seen=0.8)),
        covariates={"sex": {"levels": ["F", "M"]}, "age": {"unit": "years"}, "count": {"unit": "subjects"}},
    )


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.structure_code}-{spec.method}-{spec.formula}")
def test_a_subject_left_out_is_a_fit_without_it(spec, cohort):
    whole = fit(spec, cohort)
    found = influence(whole)
    for row in (0, 7, 20, 43):
        record = found.frame.iloc[row]
        without = fit(spec, cohort.subset(cohort.frame["subject"] != record["subject"]))
        change = record.filter(like="dfbeta ").to_numpy(dtype=float)
        scale = np.sqrt(np.diag(whole.vcov))
        np.testing.assert_allclose(change / scale, (whole.coef - without.coef) / scale, atol=IDENTITY)
        sigma = without.covariance.to_numpy().reshape(found.covariance[row].shape)
        np.testing.assert_allclose(found.covariance[row], sigma, rtol=IDENTITY * 10, atol=IDENTITY)
        difference = (whole.coef - without.coef).to_numpy()
        cook = difference @ np.linalg.solve(whole.vcov, difference) / len(difference)
        assert record["cooks_distance"] == pytest.approx(cook, rel=1e-6)
        ratio = np.linalg.det(without.vcov) / np.linalg.det(whole.vcov)
        assert record["cov_ratio"] == pytest.approx(ratio, rel=1e-6)


def test_with_the_covariance_held_it_is_least_squares_without_the_rows(cohort):
    whole = fit(MMRM("score ~ visit * sex + age"), cohort)
    found = influence(whole, refit=False)
    rows, sigma = whole.rows, whole.covariance.to_numpy()
    X, y = rows.z[:, :-1], rows.z[:, -1]
    V = linalg.block_diag(
        *(sigma[np.ix_(rows.visit[rows.subject == k], rows.visit[rows.subject == k])] for k in range(45))
    )
    for k in (0, 9, 44):
        kept = rows.subject != k
        A = np.linalg.inv(V[np.ix_(kept, kept)])
        beta = np.linalg.solve(X[kept].T @ A @ X[kept], X[kept].T @ A @ y[kept])
        change = found.frame.iloc[k].filter(like="dfbeta ").to_numpy(dtype=float)
        np.testing.assert_allclose(change, whole.coef.to_numpy() - beta, atol=IDENTITY)
    H = X @ whole.vcov.to_numpy() @ X.T @ np.linalg.inv(V)
    np.testing.assert_allclose(found.frame["leverage"], np.bincount(rows.subject, weights=np.diag(H)), rtol=IDENTITY)
    assert found.frame["leverage"].sum() == pytest.approx(X.shape[1], rel=IDENTITY)


def test_at_the_limit_of_a_fixed_effect_the_likelihood_has_fallen_by_the_quantile(cohort):
    whole = fit(MMRM("score ~ visit + age", method="ml"), cohort)
    limits = confint(whole, method="profile", parm=["age", "visit[1 year]"]).frame.set_index("term")
    for limit in limits.loc["age", ["conf_low", "conf_high"]]:
        data = cohort.data.assign(score=cohort.data["score"] - limit * cohort.data["age"])
        held = fit(MMRM("score ~ visit", method="ml"), replace(cohort, data=data))
        assert -2 * held.loglik == pytest.approx(-2 * whole.loglik + Q, abs=1e-6)


@pytest.mark.parametrize("reml", [True, False])
def test_at_the_limit_of_a_covariance_parameter_the_likelihood_has_fallen_by_the_quantile(cohort, reml):
    whole = fit(MMRM("score ~ visit + age", covariance="cs", method="reml" if reml else "ml"), cohort)
    state = whole.state
    limits = confint(whole, method="profile", parm="covariance").frame.set_index("term")
    inner = profile.correlation(0, 1)

    def height(eta, coordinate, value):
        theta = np.array([eta, eta])
        theta[coordinate] = value
        return float(likelihood.evaluate(state.moments, state.covariance, theta, reml=reml).criterion)

    def of_correlation(phi):
        return float(profile.quantity_at(state.covariance, np.array([0.0, phi]), inner).value)

    eta, phi = state.optimum.theta
    for limit in limits.loc["sd", ["conf_low", "conf_high"]]:
        value = np.log(limit / float(state.basis.scale))
        best = optimize.minimize_scalar(height, bracket=(phi - 1, phi, phi + 1), args=(0, value), tol=1e-10).fun
        assert best == pytest.approx(-2 * whole.loglik + Q, abs=1e-6)
    for limit in limits.loc["cor[baseline, 1 year]", ["conf_low", "conf_high"]]:
        value = optimize.brentq(lambda x, r=limit: of_correlation(x) - np.arctanh(r), phi - 3, phi + 3, xtol=1e-13)
        best = optimize.minimize_scalar(height, bracket=(eta - 1, eta, eta + 1), args=(1, value), tol=1e-10).fun
        assert best == pytest.approx(-2 * whole.loglik + Q, abs=1e-6)


def test_at_the_limit_of_a_random_intercept_the_likelihood_has_fallen_by_the_quantile():
    """Low down, where R's lme4 interpolates the profile by a spline and is far off."""
    rng = np.random.default_rng(2)
    y = rng.normal(size=(20, 3)) + 0.5 * rng.normal(size=(20, 1))
    whole = fit(
        LMM("score ~ years + (1 | subject)", method="ml"), cohort_of(scores(20, seed=1).assign(score=y.ravel()))
    )
    X = np.column_stack([np.ones(3), [0.0, 1.0, 3.0]])

    def height(log_sigma, tau):
        A = np.linalg.inv(tau**2 + np.exp(2 * log_sigma) * np.eye(3))
        beta = np.linalg.solve(20 * X.T @ A @ X, X.T @ A @ y.sum(0))
        r = y - X @ beta
        return np.einsum("na,ab,nb->", r, A, r) - 20 * np.linalg.slogdet(A)[1] + 60 * np.log(2 * np.pi)

    row = confint(whole, method="profile", parm="sd[Intercept]").frame.iloc[0]
    for limit in (row["conf_low"], row["conf_high"]):
        assert limit > 0
        best = optimize.minimize_scalar(height, bracket=(-1, 0, 1), args=(limit,), tol=1e-10).fun
        assert best == pytest.approx(-2 * whole.loglik + Q, abs=1e-6)


def test_profile_limits_do_not_depend_on_the_parameterization():
    """Of an unstructured Σ the factor starts at the first visit: with visits in reverse it is another one."""
    cohort = burnout_200()
    whole = fit(MMRM("EE ~ visit + age"), cohort)
    limits = confint(whole, method="profile").frame.set_index("term")
    back = replace(cohort.visits, labels=("v3", "v1", "v0"), years=(0.0, 1.0, 3.0))
    data = cohort.data.assign(
        visit=cohort.data["visit"].cat.reorder_categories(back.labels, ordered=True),
        years=cohort.data["visit"].astype(str).map(back.by_label()),
    ).sort_values(["subject", "visit"], ignore_index=True)
    other = confint(fit(MMRM("EE ~ visit + age"), replace(cohort, data=data, visits=back)), method="profile")
    names = {"cor[v0, v1]": "cor[v1, v0]", "cor[v0, v3]": "cor[v3, v0]", "cor[v1, v3]": "cor[v3, v1]"}
    turned = other.frame.set_index("term").loc[[names.get(name, name) for name in limits.index]]
    for column in ("estimate", "std_error", "conf_low", "conf_high"):
        np.testing.assert_allclose(limits[column], turned[column], rtol=1e-7)


@pytest.mark.parametrize("standardizer", STANDARDIZERS)
def test_a_model_of_two_complete_visits_gives_the_effect_size_from_summaries(standardizer):
    """REML of saturated means has S with n − 1 degrees of freedom, so both variances differ in n against n − 1 only."""
    frame = scores(30, seed=2)
    cohort = cohort_of(frame[frame["visit"] != "3 years"])
    wide = frame.pivot_table(index="id", columns="visit", values="score")[["baseline", "1 year"]].to_numpy()
    S = np.cov(wide.T)
    sd = np.sqrt(np.diag(S))
    pairs = Pairs.of(
        n=30,
        mean_1=wide[:, 0].mean(),
        mean_2=wide[:, 1].mean(),
        sd_1=sd[0],
        sd_2=sd[1],
        r=S[0, 1] / sd.prod(),
    )
    code = {"average": "d_av", "repeated": "d_rm", "baseline": "glass", "change": "d_z", "pooled": "smcrph"}[
        standardizer
    ]
    ours = effect_sizes(fit(MMRM("score ~ visit"), cohort), measures=standardizer).frame.iloc[0]
    h = STANDARDIZERS[standardizer].h(*pairs.covariance)
    assert ours["estimate"] == pytest.approx(float(pairs.difference / h), rel=IDENTITY)
    v = float(S[0, 0] + S[1, 1] - 2 * S[0, 1]) / h**2
    if code == "d_z":
        wanted = v / 30 + ours["estimate"] ** 2 / (2 * 29)
    else:
        wanted = float(MEASURES[code].variance(pairs, ours["estimate"])) - v / 29 + v / 30
    assert ours["std_error"] ** 2 == pytest.approx(wanted, rel=1e-7)


def test_the_exact_interval_of_d_z_has_t_as_its_quantiles():
    for n, change in ((4, 2.0), (12, -0.7), (185, 0.47)):
        pairs = Pairs.of(n=n, mean_1=0.0, mean_2=change, sd_1=0.94, sd_2=0.76, r=0.4)
        size = effect_size(pairs, "d_z", conf_level=0.9)
        t = size.estimate * np.sqrt(n)
        ends = [special.nctdtr(n - 1, limit * np.sqrt(n), t) for limit in (size.conf_low, size.conf_high)]
        np.testing.assert_allclose(ends, [0.95, 0.05], atol=1e-9)


def test_distances_and_whitened_residuals_are_those_of_the_dense_matrix():
    frame = scores(30, seed=6, seen=0.7)
    time = np.random.default_rng(1).normal(0, 0.2, len(frame))
    cohort = cohort_of(frame.assign(time=frame["visit"].map({"baseline": 0, "1 year": 1, "3 years": 3}) + time))
    for spec in (MMRM("score ~ visit"), LMM("score ~ time + (1 + time | subject)")):
        whole = fit(spec, cohort)
        rows = whole.rows
        raw, white = (residuals(whole, kind)["residual"].to_numpy() for kind in ("response", "normalized"))
        far = mahalanobis(whole)
        for k in (0, 4, 17):
            mine = rows.subject == k
            if whole.random is None:
                V = whole.covariance.to_numpy()[np.ix_(rows.visit[mine], rows.visit[mine])]
            else:
                Z = whole.random.columns(rows)[mine]
                V = Z @ whole.random.G @ Z.T + whole.random.sigma**2 * np.eye(len(Z))
            L = np.linalg.cholesky(V)
            np.testing.assert_allclose(white[mine], linalg.solve_triangular(L, raw[mine], lower=True), rtol=IDENTITY)
            distance = raw[mine] @ np.linalg.solve(V, raw[mine])
            assert far["distance"].iloc[k] == pytest.approx(distance, rel=IDENTITY)
            assert far["p_value"].iloc[k] == pytest.approx(special.chdtrc(mine.sum(), distance), rel=1e-6)
