"""Panel models on many simulated cohorts at once: parameters come back without bias, intervals cover, chi-square has
its distribution under a true model, and the artefact checks flag cohorts in which nothing goes from one to the other.
"""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from burnout_stats.cohort import read_cohort
from burnout_stats.engine.structural import Saturated, fit_stack, stacked
from burnout_stats.notices import BurnoutStatsWarning
from burnout_stats.pathways import artefact_check, cross_lagged, random_intercept, synchronous

pytestmark = pytest.mark.slow

TIMES = {"v0": 0, "v1": 1, "v2": 3}
REPLICATES = 400
N = 400


def cohort_of(Y):
    """A cohort of scores (n, 6): x at three visits, then y."""
    rows = [
        pd.DataFrame({"id": np.arange(len(Y)), "visit": visit, "x": Y[:, k], "y": Y[:, 3 + k]})
        for k, visit in enumerate(TIMES)
    ]
    return read_cohort(
        pd.concat(rows).dropna(how="all", subset=["x", "y"]),
        subject="id",
        visit="visit",
        times=TIMES,
        outcomes=["x", "y"],
    )


def template_of(verb, **asked):
    """The model that a verb builds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BurnoutStatsWarning)
        rng = np.random.default_rng(0)
        level = rng.standard_normal((200, 2))
        Y = np.repeat(level, 3, axis=1) + rng.standard_normal((200, 6))
        return verb(cohort_of(Y), "x", "y", **asked).structure


LAGGED = {
    "x@v1 on x@v0": 0.5, "x@v1 on y@v0": 0.1, "y@v1 on x@v0": 0.25, "y@v1 on y@v0": 0.4,
    "x@v2 on x@v1": 0.4, "x@v2 on y@v1": 0.0, "y@v2 on x@v1": 0.15, "y@v2 on y@v1": 0.3,
}  # fmt: skip
MODELS = {
    "cross-lagged, 3 visits": (cross_lagged, {"waves": 3}, LAGGED),
    "cross-lagged, 2 visits": (cross_lagged, {}, LAGGED),
    "synchronous": (
        synchronous, {},
        {"x@v1 on x@v0": 0.5, "x@v1 on y@v1": 0.15, "y@v1 on y@v0": 0.5, "y@v1 on x@v1": 0.3},
    ),
    "random intercepts": (random_intercept, {}, LAGGED),
}  # fmt: skip


def truth(template, paths):
    """θ with these paths, variances of 1 (random intercepts 0.5), covariances of 0.3 (0.2), means of 3."""
    theta = np.zeros(len(template.labels))
    for k, label in enumerate(template.labels):
        if label in paths:
            theta[k] = paths[label]
        elif label.startswith("mean of"):
            theta[k] = 3.0
        elif label.startswith("variance of"):
            theta[k] = 0.5 if "between" in label else 1.0
        else:
            theta[k] = 0.2 if "between" in label else 0.3
    return theta


def samples_of(template, theta, *, seed, replicates=REPLICATES, n=N):
    """Samples (R, n, D) of a model; who scores high at the first visit is more often lost later on."""
    mu, Sigma = (part[0] for part in template.moments(theta[None]))
    rng = np.random.default_rng(seed)
    Y = rng.standard_normal((replicates, n, len(mu))) @ np.linalg.cholesky(Sigma).T + mu
    half = len(mu) // 2
    for k in range(1, half):
        gone = rng.random((replicates, n)) < 1 / (1 + np.exp(1.6 - 0.4 * k - 0.5 * (Y[..., 0] - mu[0])))
        Y[..., k] = np.where(gone, np.nan, Y[..., k])
        Y[..., half + k] = np.where(gone, np.nan, Y[..., half + k])
    return Y


@pytest.mark.parametrize("name", MODELS)
def test_parameters_come_back(name):
    verb, asked, paths = MODELS[name]
    template = template_of(verb, **asked)
    theta = truth(template, paths)
    assert set(paths) & set(template.labels)
    sums = stacked(samples_of(template, theta, seed=len(name)))
    fits = fit_stack(sums, template)
    good = fits.verified
    assert good.mean() > 0.97
    error = fits.theta[good] - theta
    R = good.sum()
    monte_carlo = error.std(0, ddof=1) / np.sqrt(R)
    bias = error.mean(0)
    path = np.array([" on " in label for label in template.labels])
    # four Monte-Carlo errors, and for variances the bias of order 1/n that maximum likelihood has
    allowed = 4 * monte_carlo + 0.01
    assert (np.abs(bias[path]) < 4 * monte_carlo[path] + 0.005).all()
    assert (np.abs(bias) < allowed).all(), np.array(template.labels)[np.abs(bias) >= allowed]
    se = np.sqrt(np.diagonal(fits.vcov[good], axis1=1, axis2=2))
    covered = (np.abs(error) < 1.959964 * se).mean(0)
    # 0.95 with a Monte-Carlo error of 0.011; intervals of variances are skewed at this size
    assert (covered[path] > 0.91).all()
    assert (covered[path] < 0.985).all()
    ratio = se.mean(0) / error.std(0, ddof=1)
    assert (np.abs(ratio[path] - 1) < 0.2).all()


def test_chi_square_has_its_distribution():
    verb, asked, paths = MODELS["cross-lagged, 3 visits"]
    template = template_of(verb, **asked)
    sums = stacked(samples_of(template, truth(template, paths), seed=11))
    model, saturated = fit_stack(sums, template), fit_stack(sums, Saturated(n_observed=6))
    T = 2 * (saturated.loglik - model.loglik)
    assert saturated.verified.all()
    assert (T > -1e-6).all()
    # mean 4 with a Monte-Carlo error of 0.14; 5% with one of 1.1%
    assert abs(T.mean() - 4) < 0.6
    assert abs((chi2.ppf(0.95, 4) < T).mean() - 0.05) < 0.045


def artefacts(seeds, scores):
    """How often the checks of x -> y disagree, and how often its path alone would be taken for something."""
    flagged, claimed = [], []
    for seed in seeds:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BurnoutStatsWarning)
            found = artefact_check(cohort_of(scores(np.random.default_rng(seed))), "x", "y")
        claimed.append(found.frame["conf_low"].iloc[0] > 0)
        flagged.append(any("X, v0" in notice.message for notice in found.notices))
    return np.mean(flagged), np.mean(claimed)


def without_a_cause(rng, n=400):
    """x and y share a lasting cause and have errors of measurement; nothing goes from one to the other."""
    lasting = rng.standard_normal((n, 2)) @ np.linalg.cholesky([[1.0, 0.6], [0.6, 1.0]]).T
    return np.repeat(lasting, 3, axis=1) + 0.7 * rng.standard_normal((n, 6))


def with_a_change(rng, n=400):
    """y rises more in those with a high earlier x, which has nothing to do with where y began."""
    x, y = rng.standard_normal((n, 3)), rng.standard_normal((n, 3))
    x[:, 1:] += x[:, :1]
    y[:, 1:] += 0.6 * y[:, :1] + 0.6 * x[:, :1]
    return np.column_stack([x, y])


def test_the_checks_flag_cohorts_without_a_cause():
    flagged, claimed = artefacts(range(60), without_a_cause)
    assert claimed > 0.9  # the cross-lagged path alone is there nearly always
    assert flagged > 0.95
    flagged, claimed = artefacts(range(60), with_a_change)
    assert claimed > 0.95
    assert flagged < 0.05
