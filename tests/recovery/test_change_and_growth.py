"""Simulated cohorts with scores missing at random given earlier ones: change scores, growth curves, mediation and the
model of items find the parameters that were put in, without bias, and their intervals cover (R fits as one stack).

Bias is judged by its Monte-Carlo error (4 of them), coverage of 95% intervals by the binomial error of R replicates.
"""

from __future__ import annotations

import numpy as np
import pytest

from burnout_stats.engine.jets import parameters
from burnout_stats.engine.structural import Saturated, fit_stack, stacked
from burnout_stats.pathways._asymptotic import correlation
from burnout_stats.pathways._change_score import change_model
from burnout_stats.pathways._fitting import Wide
from burnout_stats.pathways._growth_curve import curve_of
from burnout_stats.pathways._invariance import measurement_model
from burnout_stats.pathways._mediation import _start, _template, chain

pytestmark = pytest.mark.slow
R, N = 300, 400
VISITS, YEARS = ("baseline", "1 year", "3 years"), np.array([0.0, 1.0, 3.0])
COVER = 4 * np.sqrt(0.05 * 0.95 / R)
"""How far coverage may be from 0.95."""


def lost(Y, rng):
    """(R, n, V, K) with later visits lost where the first variable was high at the first visit, which stays."""
    Y = Y.copy()
    high = Y[..., 0, :1] - Y[..., 0, :1].mean()
    gone = rng.random((*Y.shape[:2], 1, Y.shape[-1])) < 1 / (1 + np.exp(1.3 - high[..., None]))
    gone[..., 0] = False
    return np.where(gone, np.nan, Y)


def wide(Y, names):
    return Wide(Y=Y, names=names, labels=names, visits=VISITS[: Y.shape[-1]], years=YEARS[: Y.shape[-1]])


def fits(Y, model, start):
    found = fit_stack(stacked(Y.reshape(*Y.shape[:2], -1)), model, start=np.array([[start[k] for k in model.labels]]))
    assert found.verified.mean() > 0.98
    return found.theta[found.verified], found.vcov[found.verified]


def recovers(values, errors, truth, what):
    spread = values.std(ddof=1)
    assert abs(values.mean() - truth) < 4 * spread / np.sqrt(len(values)), (what, values.mean(), truth)
    covered = (np.abs(values - truth) < 1.959964 * errors).mean()
    assert abs(covered - 0.95) < COVER, (what, covered)


def all_recover(theta, vcov, labels, truth):
    for label, value in truth.items():
        at = labels.index(label)
        recovers(theta[:, at], np.sqrt(vcov[:, at, at]), value, label)


def test_latent_basis():
    rng = np.random.default_rng(61)
    growing = rng.multivariate_normal([3.0, -0.6], [[0.6, -0.15], [-0.15, 0.3]], (R, N))
    truth = {
        "mean level": 3.0,
        "mean change": -0.6,
        "share 1 year": 0.8,
        "cov level level": 0.6,
        "cov level change": -0.15,
        "cov change change": 0.3,
        "error": 0.2,
    }
    Y = growing[..., :1] + growing[..., 1:] * np.array([0, 0.8, 1]) + np.sqrt(0.2) * rng.normal(size=(R, N, 3))
    Y = lost(Y[:, :, None], rng)
    curve = curve_of(wide(Y[0], ("y",)), "latent_basis", 1, "equal", None)
    all_recover(*fits(Y, curve.template, curve.start), curve.template.labels, truth)


def test_two_pieces_with_a_known_error():
    rng = np.random.default_rng(62)
    means, V = [3.0, -0.5, -0.05], np.array([[0.6, -0.15, 0.0], [-0.15, 0.3, -0.02], [0.0, -0.02, 0.05]])
    growing = rng.multivariate_normal(means, V, (R, N))
    X = np.array([[1, 0, 0], [1, 1, 0], [1, 1, 2]])
    Y = lost((growing @ X.T + np.sqrt(0.2) * rng.normal(size=(R, N, 3)))[:, :, None], rng)
    curve = curve_of(wide(Y[0], ("y",)), "piecewise", 1, "equal", (0.2, ""))
    names = ("level", "change", "second")
    truth = {f"mean {name}": mean for name, mean in zip(names, means, strict=True)}
    truth |= {f"cov {a} {b}": V[i, j] for i, a in enumerate(names) for j, b in enumerate(names) if i <= j}
    all_recover(*fits(Y, curve.template, curve.start), curve.template.labels, truth)


def test_correlation_of_latent_changes():
    """Observed changes correlate less than latent ones, by what the errors add to their variances."""
    rng = np.random.default_rng(63)
    V = np.array([[0.7, -0.2, 0.35, -0.1], [-0.2, 0.4, -0.1, 0.2], [0.35, -0.1, 0.6, -0.15], [-0.1, 0.2, -0.15, 0.3]])
    latent = rng.multivariate_normal([3, -0.5, 2.4, -0.4], V, (R, N)).reshape(R, N, 2, 2)
    errors = {"x": 0.1, "y": 0.08}
    Y = np.stack([latent[..., 0], latent.sum(-1)], -1)
    Y = lost(Y + np.sqrt([[0.1], [0.08]]) * rng.normal(size=Y.shape), rng)
    model, start = change_model(wide(Y[0], ("x", "y")), "consecutive")
    theta, vcov = fits(Y, model, start)
    at = [model.labels.index(label) for label in ("cov x:1 y:1", "cov x:1 x:1", "cov y:1 y:1")]
    for off, truth in ((0.0, 0.2 / np.sqrt(0.6 * 0.46)), (1.0, 0.2 / np.sqrt(0.4 * 0.3))):
        values, spread = [], []
        for one, V in zip(theta, vcov, strict=True):
            jets = parameters(one)
            r = correlation(jets[at[0]], jets[at[1]] + (-2 * off * errors["x"]), jets[at[2]] + (-2 * off * errors["y"]))
            values.append(np.arctanh(r.value))
            spread.append(np.sqrt(r.gradient @ V @ r.gradient) / (1 - r.value**2))
        recovers(np.array(values), np.array(spread), np.arctanh(truth), f"r, error taken off: {off}")


def test_mediation_and_its_monte_carlo_interval():
    rng = np.random.default_rng(64)
    first = rng.multivariate_normal([2.9, 2.4, 3.0], [[0.6, 0.2, 0.2], [0.2, 0.5, 0.3], [0.2, 0.3, 0.9]], (R, N))
    dx = -0.4 - 0.3 * (first[..., 0] - 2.9) + 0.5 * rng.normal(size=(R, N))
    dm = -0.4 + 0.4 * dx - 0.4 * (first[..., 1] - 2.4) + 0.5 * rng.normal(size=(R, N))
    dy = -0.2 + 0.5 * dm + 0.1 * dx - 0.4 * (first[..., 2] - 3.0) + 0.6 * rng.normal(size=(R, N))
    Y = lost(np.stack([first, first + np.stack([dx, dm, dy], -1)], -1), rng)
    model = _template()
    theta, vcov = fits(Y, model, _start(Y[0].reshape(N, -1), model))
    all_recover(theta, vcov, model.labels, {"a": 0.4, "b": 0.5, "c": 0.1, "mean dx": -0.4 + 0.3 * 2.9})
    at = [model.labels.index(label) for label in "ab"]
    limits = [
        np.quantile(rng.multivariate_normal(one[at], V[np.ix_(at, at)], 2000).prod(1), [0.025, 0.975])
        for one, V in zip(theta, vcov, strict=True)
    ]
    low, high = np.array(limits).T
    assert abs(((low < 0.2) & (high > 0.2)).mean() - 0.95) < COVER
    saturated = Saturated(n_observed=6)
    again = fit_stack(stacked(Y.reshape(R, N, 6)), saturated)
    a, b, c = chain(saturated.moments(again.theta)[1])
    np.testing.assert_allclose(np.stack([a, b, c], 1), theta[:, [*at, model.labels.index("c")]], rtol=1e-4, atol=1e-5)


def test_items_over_visits():
    rng = np.random.default_rng(65)
    F = rng.multivariate_normal([3.0, 2.5, 2.4], [[0.6, 0.35, 0.3], [0.35, 0.6, 0.4], [0.3, 0.4, 0.65]], (R, N))
    loading, intercept = np.array([1.0, 0.8, 1.1]), np.array([0.0, 0.3, -0.2])
    own = 0.3 * rng.normal(size=(R, N, 3, 1))  # what is the item's own and lasts
    Y = intercept[:, None] + loading[:, None] * F[:, :, None] + own + 0.5 * rng.normal(size=(R, N, 3, 3))
    Y = lost(Y, rng)
    model, start = measurement_model(wide(Y[0], ("a", "b", "c")), "scalar")
    theta, vcov = fits(Y, model, start)
    truth = {"loading b": 0.8, "loading c": 1.1, "intercept b": 0.3, "mean factor@1 year": 2.5}
    truth |= {
        "cov factor@baseline factor@1 year": 0.35,
        "residual b@baseline b@1 year": 0.09,
        "residual c@1 year": 0.34,
    }
    all_recover(theta, vcov, model.labels, truth)
    weak, begin = measurement_model(wide(Y[0], ("a", "b", "c")), "configural")
    sums = stacked(Y.reshape(R, N, -1))
    free = fit_stack(sums, weak, start=np.array([[begin[k] for k in weak.labels]]))
    held = fit_stack(sums, model, start=np.array([[start[k] for k in model.labels]]))
    both = free.verified & held.verified
    cost = 2 * (free.loglik - held.loglik)[both]
    df = len(weak.labels) - len(model.labels)
    assert df == 8
    assert abs(cost.mean() - df) < 4 * np.sqrt(2 * df / both.sum())  # a chi-square where invariance holds
