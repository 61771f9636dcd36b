"""Analytic derivatives against central differences, positive definiteness, and what must not depend on order."""

from __future__ import annotations

import numpy as np
import pytest
from cohorts import cohort_of, scores
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tolerances import DERIVATIVE

from burnout_stats.design import build, parse
from burnout_stats.engine.basis import Basis
from burnout_stats.engine.covariance import STRUCTURES, Covariance
from burnout_stats.engine.likelihood import curvature, evaluate
from burnout_stats.engine.moments import moments_of_rows, moments_of_stack
from burnout_stats.engine.scoring import optimize
from burnout_stats.inference import contrast, emmeans
from burnout_stats.models import MMRM, fit

TIMES = np.array([0.0, 1.0, 3.0])
US = Covariance(STRUCTURES["us"], TIMES)
STEP = 1e-5


def moments(seed=1, n=40):
    design, rows = build(parse("score ~ visit * sex + age"), cohort_of(scores(n, seed, seen=0.7)))
    basis = Basis.centered(rows.z.mean(0), design.encoder.constant)
    return moments_of_rows(rows.z, rows.subject, rows.visit, 3, basis=basis).orthonormal()


thetas = arrays(float, 6, elements=st.floats(-1.0, 1.0))


@pytest.mark.parametrize("n_groups", [1, 2])
@pytest.mark.parametrize("n_visits", [1, 2, 4])
@pytest.mark.parametrize("code", STRUCTURES)
@settings(max_examples=8)
@given(data=st.data())
def test_every_structure_is_positive_definite_and_its_derivatives_are_its_own(code, n_visits, n_groups, data):
    covariance = Covariance(STRUCTURES[code], np.array([0.0, 1.0, 3.0, 3.5])[:n_visits], n_groups)
    m = covariance.n_parameters
    theta = data.draw(arrays(float, m, elements=st.floats(-1.5, 1.5)))
    sigma = covariance.sigma(theta)
    assert sigma.shape == (n_groups, n_visits, n_visits)
    assert np.linalg.eigvalsh(sigma).min() > 0
    first, second = covariance.derivatives(theta)
    size = np.abs(first).max() + np.abs(second).max()
    for i, step in enumerate(np.eye(m) * STEP):
        up, down = theta + step, theta - step
        slope = (covariance.sigma(up) - covariance.sigma(down)) / (2 * STEP)
        np.testing.assert_allclose(slope, first[i], atol=DERIVATIVE * size)
        slope = (covariance.derivatives(up)[0] - covariance.derivatives(down)[0]) / (2 * STEP)
        np.testing.assert_allclose(slope, second[i], atol=DERIVATIVE * size)


@pytest.mark.parametrize("code", STRUCTURES)
@given(theta=arrays(float, (3, 10), elements=st.floats(-1.0, 1.0)))
@settings(max_examples=8)
def test_structures_broadcast(code, theta):
    covariance = Covariance(STRUCTURES[code], np.array([0.0, 1.0, 3.0, 3.5]), 1)
    theta = theta[:, : covariance.n_parameters]
    first, second = covariance.derivatives(theta)
    for k in range(3):
        np.testing.assert_allclose(covariance.sigma(theta)[k], covariance.sigma(theta[k]))
        np.testing.assert_allclose(first[k], covariance.derivatives(theta[k])[0])
        np.testing.assert_allclose(second[k], covariance.derivatives(theta[k])[1])


@pytest.mark.parametrize("code", STRUCTURES)
def test_starts_reproduce_a_covariance_of_the_structure(code):
    covariance = Covariance(STRUCTURES[code], np.array([0.0, 1.0, 3.0]), 1)
    theta = np.linspace(-0.4, 0.5, covariance.n_parameters)
    sigma = covariance.sigma(theta)[0]
    np.testing.assert_allclose(covariance.sigma(covariance.start(sigma))[0], sigma, rtol=1e-8)


@pytest.mark.parametrize("reml", [True, False])
@settings(max_examples=15)
@given(theta=thetas)
def test_gradient_and_hessian_of_the_likelihood(reml, theta):
    m = moments()

    def at(x):
        return evaluate(m, US, x, reml=reml)

    def slope(x):
        return curvature(m, US, x, at(x), reml=reml)

    here = slope(theta)
    steps = np.eye(6) * STEP
    gradient = [(at(theta + h).criterion - at(theta - h).criterion) / (2 * STEP) for h in steps]
    hessian = [(slope(theta + h).gradient - slope(theta - h).gradient) / (2 * STEP) for h in steps]
    np.testing.assert_allclose(here.gradient, gradient, atol=10 * DERIVATIVE * (1 + np.abs(here.gradient).max()))
    np.testing.assert_allclose(here.observed, hessian, atol=DERIVATIVE * np.abs(here.observed).max())


def test_expected_information_is_the_mean_of_the_observed_one():
    """Over data simulated at θ; 4,000 data sets, within five Monte-Carlo standard errors (REML: there the score is
    unbiased).
    """
    rng = np.random.default_rng(7)
    n, theta = 25, np.array([0.1, -0.1, 0.0, 0.5, 0.3, 0.4])
    x = np.zeros((4000, n, 3, 4))
    x[..., 0] = 1
    x[:, :, 1, 1] = 1
    x[:, :, 2, 2] = 1
    x[..., 3] = np.linspace(-1, 1, n)[None, :, None]
    y = rng.multivariate_normal(np.zeros(3), US.sigma(theta)[0], size=(4000, n))
    seen = np.ones((4000, n, 3), dtype=bool)
    seen[:, ::3, 2] = False
    seen[:, 1::5, 1] = False
    m = moments_of_stack(np.concatenate([x, y[..., None]], -1), seen, constant=np.eye(4)[0])
    many = np.broadcast_to(theta, (4000, 6))
    slope = curvature(m, US, many, evaluate(m, US, many, reml=True), reml=True)
    spread = slope.observed.std(0) / np.sqrt(4000)
    assert (np.abs(slope.observed.mean(0) - slope.expected[0]) < 5 * spread + 1e-12).all()
    score_spread = slope.gradient.std(0) / np.sqrt(4000)
    assert (np.abs(slope.gradient.mean(0)) < 5 * score_spread).all()


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_order_and_names_do_not_matter(seed):
    frame = scores(25, seed=1, seen=0.8)
    rng = np.random.default_rng(seed)
    ids = frame["id"].unique()
    renamed = dict(zip(ids, rng.permutation([f"x{k}" for k in range(len(ids))]), strict=True))
    shuffled = frame.assign(id=frame["id"].map(renamed)).sample(frac=1, random_state=seed % 2**32)
    numbers = ["estimate", "std_error", "df", "p_value", "n"]
    one, two = (
        contrast(emmeans(fit(MMRM("score ~ visit * sex + age"), cohort_of(data)), "visit", by="sex")).frame[numbers]
        for data in (frame, shuffled)
    )
    np.testing.assert_allclose(one, two, rtol=1e-8)


def test_merged_moments_are_the_moments_of_merged_rows():
    design, rows = build(parse("score ~ visit * sex + age"), cohort_of(scores(50, 3, seen=0.7)))
    basis = Basis.centered(rows.z.mean(0), design.encoder.constant)
    whole = moments_of_rows(rows.z, rows.subject, rows.visit, 3, basis=basis)
    basis = whole.orthonormal().basis
    parts = [
        moments_of_rows(rows.z[part], rows.subject[part], rows.visit[part], 3, basis=basis)
        for part in (rows.subject < 17, rows.subject >= 17)
    ]
    merged, direct = parts[0] + parts[1], whole.orthonormal()
    order = np.lexsort(direct.patterns.T), np.lexsort(merged.patterns.T)
    np.testing.assert_array_equal(merged.patterns[order[1]], direct.patterns[order[0]])
    np.testing.assert_allclose(merged.n[order[1]], direct.n[order[0]])
    np.testing.assert_allclose(merged.T[order[1]], direct.T[order[0]], atol=1e-10)
    ends = [optimize(m, US, reml=True).at.criterion for m in (merged, direct)]
    assert ends[0] == pytest.approx(ends[1], rel=1e-10)


def test_moments_of_two_bases_are_not_added():
    with pytest.raises(ValueError, match="two bases"):
        moments(1) + moments(2)


def test_a_weight_counts_a_subject_as_often():
    design, rows = build(parse("score ~ visit + age"), cohort_of(scores(20, 3, seen=0.8)))
    basis = Basis.centered(rows.z.mean(0), design.encoder.constant)
    weights = np.random.default_rng(0).integers(0, 4, 20).astype(float)
    weighted = moments_of_rows(rows.z, rows.subject, rows.visit, 3, basis=basis, weights=weights)
    repeats = [np.flatnonzero(rows.subject == k) for k in range(20) for _ in range(int(weights[k]))]
    index = np.concatenate(repeats)
    subject = np.repeat(np.arange(len(repeats)), [len(r) for r in repeats])
    copied = moments_of_rows(rows.z[index], subject, rows.visit[index], 3, basis=basis)
    for pattern, n, T in zip(weighted.patterns, weighted.n, weighted.T, strict=True):
        same = (copied.patterns == pattern).all(1)
        np.testing.assert_allclose(copied.n[same].sum(), n)
        np.testing.assert_allclose(copied.T[same].sum(0), T, atol=1e-10)


def test_a_stack_is_fitted_as_its_members_are():
    rng = np.random.default_rng(2)
    z = np.zeros((6, 20, 3, 4))
    z[..., 0] = 1
    z[:, :, 1, 1] = 1
    z[:, :, 2, 2] = 1
    z[..., 3] = rng.multivariate_normal([3, 2.5, 2.4], US.sigma(np.array([0, 0, 0, 0.5, 0.4, 0.4]))[0], size=(6, 20))
    seen = rng.random((6, 20, 3)) < 0.8
    together = optimize(moments_of_stack(z, seen, constant=np.eye(4)[0][:3]).orthonormal(), US, reml=True)
    for k in range(6):
        alone = optimize(moments_of_stack(z[k], seen[k], constant=np.eye(4)[0][:3]).orthonormal(), US, reml=True)
        assert together.at.criterion[k] == pytest.approx(float(alone.at.criterion), rel=1e-10)
        assert together.status[k] == alone.status == 0
