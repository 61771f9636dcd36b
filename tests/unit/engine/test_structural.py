"""The engine of structural models: derivatives, optimum, weights, stacks, fit indices."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, ncx2
from tolerances import IDENTITY

from burnout_stats.engine.pattern_sums import Rows, coordinates, derivatives, loglik, meat, packed, scores, stacked
from burnout_stats.engine.structural import (
    Function,
    Saturated,
    Template,
    baseline_loglik,
    fit_stack,
    fit_structural,
    rmsea_interval,
)

FREE = -1


def sample(seed=3, n=120, gone=0.2):
    rng = np.random.default_rng(seed)
    S = np.array([[1.0, 0.5, 0.4, 0.3], [0.5, 1.2, 0.3, 0.5], [0.4, 0.3, 0.8, 0.3], [0.3, 0.5, 0.3, 1.0]])
    Y = rng.standard_normal((n, 4)) @ np.linalg.cholesky(S).T + [1.0, 2.0, 0.5, 10.0]
    Y[rng.random((n, 4)) < gone] = np.nan
    return Y


def factor_with_paths():
    """Four scores and a factor behind the first two, with a path between scores, a path from the factor, an equality
    of two paths, a covariance of what is left, and a mean of the factor.
    """
    A, S, m = np.zeros((5, 5)), np.zeros((5, 5)), np.zeros(5)
    A_free, S_free, m_free = (np.full(shape, FREE) for shape in ((5, 5), (5, 5), (5,)))
    A[0, 4] = 1.0
    A_free[1, 4], A_free[2, 4], A_free[3, 4], A_free[3, 2] = 0, 1, 1, 2
    for number, (i, j) in enumerate([(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (2, 1)], 3):
        S_free[i, j] = S_free[j, i] = number
    m_free[[1, 2, 3, 4]] = [9, 10, 11, 12]
    return Template(
        names=tuple("abcdf"),
        n_observed=4,
        A=A,
        S=S,
        m=m,
        A_free=A_free,
        S_free=S_free,
        m_free=m_free,
        labels=tuple(f"p{k}" for k in range(13)),
    )


def theta_of(template, seed=1):
    rng = np.random.default_rng(seed)
    theta = 0.3 * rng.standard_normal(len(template.labels))
    theta[list(template.variances())] = 1 + rng.random(len(template.variances()))
    return theta


def central(function, x, step=1e-6):
    out = []
    for k in range(len(x)):
        e = np.zeros(len(x))
        e[k] = step
        out.append((function(x + e) - function(x - e)) / (2 * step))
    return np.array(out)


def test_loglik_is_the_sum_of_normal_densities():
    Y = sample()
    mu, Sigma = np.array([1.0, 2.0, 0.5, 10.0]), np.eye(4) + 0.3
    one_by_one = sum(
        multivariate_normal.logpdf(y[o], mu[o], Sigma[np.ix_(o, o)]) for y in Y if (o := ~np.isnan(y)).any()
    )
    found = loglik(Rows.of(Y).sums(), mu[None], Sigma[None])
    assert found[0] == pytest.approx(one_by_one, rel=IDENTITY)


@pytest.mark.parametrize("expected", [False, True])
def test_hessian_of_the_saturated_likelihood(expected):
    rows = Rows.of(sample())
    sums, model = rows.sums(), Saturated(n_observed=4)
    theta = packed(np.array([1.1, 1.9, 0.4, 9.8]), np.eye(4) + 0.2)

    def gradient(x):
        _, by_mu, by_Sigma, _ = derivatives(sums, *model.moments(x[None]))
        i, j, twice = coordinates(4)
        return np.concatenate([by_mu[0], by_Sigma[0][i, j] * twice])

    np.testing.assert_allclose(
        gradient(theta), central(lambda x: loglik(sums, *model.moments(x[None]))[0], theta), rtol=1e-6, atol=1e-5
    )
    H = derivatives(sums, *model.moments(theta[None]), expected=expected)[3][0]
    if not expected:
        np.testing.assert_allclose(H, central(gradient, theta), rtol=1e-6, atol=1e-5)
    else:
        # at the saturated maximum of complete data the observed information is the expected one
        full = Rows.of(sample(gone=0.0)).sums()
        best = fit_stack(full, model).theta
        both = [derivatives(full, *model.moments(best), expected=sort)[3] for sort in (True, False)]
        np.testing.assert_allclose(both[0], both[1], rtol=1e-6, atol=1e-6 * np.abs(both[0]).max())


def test_scores_add_up_to_the_gradient():
    rows = Rows.of(sample())
    mu, Sigma = np.array([1.1, 1.9, 0.4, 9.8]), np.eye(4) + 0.2
    _, by_mu, by_Sigma, _ = derivatives(rows.sums(), mu[None], Sigma[None])
    i, j, twice = coordinates(4)
    u = scores(rows, mu, Sigma)
    np.testing.assert_allclose(u.sum(0), np.concatenate([by_mu[0], by_Sigma[0][i, j] * twice]), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(meat(rows, mu, Sigma, np.full(len(u), 2.0)), 4 * u.T @ u, rtol=IDENTITY)


def test_template_derivatives_are_those_of_its_moments():
    template = factor_with_paths()
    theta = theta_of(template)
    found = template.derivatives(theta[None])
    np.testing.assert_allclose(found.d_mu[0], central(lambda x: template.moments(x[None])[0][0], theta), atol=1e-8)
    np.testing.assert_allclose(found.d_Sigma[0], central(lambda x: template.moments(x[None])[1][0], theta), atol=1e-8)
    rng = np.random.default_rng(0)
    g, G = rng.standard_normal(4), rng.standard_normal((4, 4))
    G = G + G.T

    def along(x):
        own = template.derivatives(x[None])
        return np.einsum("qd,d->q", own.d_mu[0], g) + np.einsum("qde,de->q", own.d_Sigma[0], G)

    np.testing.assert_allclose(template.curvature(theta[None], g[None], G[None])[0], central(along, theta), atol=1e-7)


def test_a_function_gives_the_fit_of_the_template_that_it_repeats():
    template, Y = factor_with_paths(), sample(n=400)

    def of(theta):
        own = template.derivatives(theta[None])
        return own.mu[0], own.Sigma[0], own.d_mu[0], own.d_Sigma[0]

    one = fit_structural(Y, template)
    begin = template.start(np.nanmean(Y, axis=0)[None], np.nanvar(Y, axis=0)[None])[0]
    other = fit_structural(
        Y,
        Function(labels=template.labels, n_observed=4, of=of, begin=begin, variance_parameters=template.variances()),
    )
    assert one.verified
    assert other.verified
    assert one.identified
    assert one.loglik == pytest.approx(other.loglik, rel=IDENTITY)
    np.testing.assert_allclose(other.theta, one.theta, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(other.vcov, one.vcov, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(other.robust_vcov, one.robust_vcov, rtol=1e-5, atol=1e-9)


def test_the_hessian_of_a_fit_is_that_of_the_likelihood():
    template, rows = factor_with_paths(), Rows.of(sample())
    fit, sums = fit_structural(rows.Y, template), rows.sums()

    def slope(theta):
        return central(lambda x: loglik(sums, *template.moments(x[None]))[0], theta, 1e-4)

    np.testing.assert_allclose(slope(fit.theta), 0, atol=1e-3)
    np.testing.assert_allclose(fit.hessian, central(slope, fit.theta, 1e-4), rtol=1e-3, atol=0.02)
    np.testing.assert_allclose(fit.vcov @ fit.hessian, -np.eye(len(fit.theta)), atol=1e-8)


def test_weights_are_rows_taken_several_times():
    template, Y = factor_with_paths(), sample()
    weights = np.random.default_rng(5).integers(0, 4, len(Y)).astype(float)
    weighted = fit_structural(Y, template, weights=weights)
    repeated = fit_structural(np.repeat(Y, weights.astype(int), axis=0), template)
    assert weighted.n == repeated.n == weights[~np.isnan(Y).all(1)].sum()
    assert weighted.loglik == pytest.approx(repeated.loglik, rel=IDENTITY)
    np.testing.assert_allclose(weighted.theta, repeated.theta, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(weighted.vcov, repeated.vcov, rtol=1e-5, atol=1e-9)


def test_a_stack_is_its_samples_one_by_one():
    template = factor_with_paths()
    samples = np.stack([sample(seed, n=200) for seed in range(5)])
    stack = fit_stack(stacked(samples), template)
    assert stack.verified.all()
    for k, Y in enumerate(samples):
        alone = fit_structural(Y, template)
        assert stack.loglik[k] == pytest.approx(alone.loglik, rel=IDENTITY)
        np.testing.assert_allclose(stack.theta[k], alone.theta, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(stack.vcov[k], alone.vcov, rtol=1e-5, atol=1e-9)


def test_rows_without_a_value_change_nothing():
    template, Y = factor_with_paths(), sample()
    more = np.vstack([Y, np.full((7, 4), np.nan)])
    one, other = fit_structural(Y, template), fit_structural(more, template)
    assert (one.n, one.loglik) == (other.n, other.loglik)


def test_the_scale_of_a_column_goes_through():
    template, Y = factor_with_paths(), sample()
    one, other = fit_structural(Y, template), fit_structural(1e3 * Y, template)
    assert one.verified
    assert other.verified
    assert other.indices.chi_square == pytest.approx(one.indices.chi_square, rel=1e-6)
    np.testing.assert_allclose(other.theta[:3], one.theta[:3], rtol=1e-5)


def test_the_baseline_model_is_the_template_without_covariances():
    Y, free = sample(), np.full((4, 4), FREE)
    own = np.diag(np.arange(4) + 5) - 1
    template = Template(
        names=tuple("abcd"),
        n_observed=4,
        A=np.zeros((4, 4)),
        S=np.zeros((4, 4)),
        m=np.zeros(4),
        A_free=free,
        S_free=np.where(np.eye(4, dtype=bool), own, FREE),
        m_free=np.arange(4),
        labels=tuple("abcdefgh"),
    )
    fit = fit_structural(Y, template)
    assert fit.loglik == pytest.approx(fit.baseline_loglik, rel=IDENTITY)
    assert baseline_loglik(Rows.of(Y).sums())[0] == fit.baseline_loglik
    assert fit.indices.chi_square == pytest.approx(fit.indices.baseline_chi_square)
    assert fit.indices.cfi == pytest.approx(0)


def test_two_parameters_for_one_thing_are_not_identified():
    template = factor_with_paths()
    A_free = template.A_free.copy()
    A_free[0, 4] = 13  # the scale of the factor is free now
    twice = Template(
        names=template.names,
        n_observed=4,
        A=template.A,
        S=template.S,
        m=template.m,
        A_free=A_free,
        S_free=template.S_free,
        m_free=template.m_free,
        labels=(*template.labels, "scale"),
    )
    start = np.append(theta_of(template), 1.0)
    assert not fit_structural(sample(), twice, start=start).identified


def test_a_pair_never_seen_together_leaves_no_saturated_model():
    Y = sample(gone=0.0)
    Y[:60, 0], Y[60:, 3] = np.nan, np.nan
    fit = fit_structural(Y, factor_with_paths())
    assert np.isnan(fit.saturated_loglik)
    assert np.isnan(fit.indices.chi_square)
    assert np.isnan(fit.indices.cfi)
    assert np.isfinite(fit.loglik)


def test_rmsea_interval_holds_its_percentiles():
    low, high = rmsea_interval(20.0, 6, 150)
    assert ncx2.cdf(20.0, 6, low**2 * 150 * 6) == pytest.approx(0.95, abs=1e-8)
    assert ncx2.cdf(20.0, 6, high**2 * 150 * 6) == pytest.approx(0.05, abs=1e-8)
    assert rmsea_interval(1.0, 6, 150) == (0.0, 0.0)
