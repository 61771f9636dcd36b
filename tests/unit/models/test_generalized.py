"""Generalized mixed models: what they take, refuse and say; edges, empty cells, people who never change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cohorts import burnout_200

from burnout_stats.cohort import read_cohort
from burnout_stats.errors import ModelError, StudyError
from burnout_stats.inference import emmeans, summarize
from burnout_stats.inference.parallel_lines import parallel_lines
from burnout_stats.models import MMRM, fit, tally
from burnout_stats.models.generalized import GLMM
from burnout_stats.notices import BurnoutStatsWarning

CASE = ">= 27"


def cohort(y, *, n_visits=3, seen=None):
    """Scores y (n × visits) of n subjects, half of them men."""
    y = np.asarray(y, dtype=float)
    seen = np.ones(y.shape, dtype=bool) if seen is None else seen
    i, v = np.nonzero(seen)
    frame = pd.DataFrame(
        {"id": i, "visit": [f"v{k}" for k in v], "y": y[i, v], "sex": np.array(["F", "M"])[i % 2], "age": 40.0 + i % 7}
    )
    return read_cohort(
        frame,
        subject="id",
        visit="visit",
        times={f"v{k}": float(k) for k in range(n_visits)},
        outcomes=["y"],
        covariates={"sex": {"levels": ["F", "M"]}, "age": {}},
    )


def counts(mean=2.0, sd=0.6, size=np.inf, n=80, seed=1):
    rng = np.random.default_rng(seed)
    mu = mean * np.exp(rng.normal(0, sd, n))[:, None] * np.ones(3)
    return rng.poisson(mu if np.isinf(size) else mu * rng.gamma(size, 1 / size, (n, 3)))


def test_fit_dispatches_and_the_verbs_work():
    fitted = fit(GLMM("EE ~ visit * group + (1 | subject)", case=CASE), burnout_200())
    assert fitted.converged
    assert fitted.n_parameters == 1
    assert summarize(fitted).frame["df"].tolist() == [np.inf] * 6
    assert len(emmeans(fitted, "visit", by="group").frame) == 6
    assert "Counted: EE ≥ 27." in fitted.notes
    assert fitted.distribution == ("binomial/logit", None)


def test_the_smaller_of_columns_and_the_unit_do_not_matter():
    plain = fit(GLMM("EE ~ visit + age + (1 | subject)", case=CASE), burnout_200())
    data = burnout_200()
    moved = fit(
        GLMM("EE ~ visit + age + (1 | subject)", case=CASE),
        replace(data, data=data.data.assign(age=1e9 + 1e7 * data.data["age"])),
    )
    assert moved.converged
    assert moved.loglik == pytest.approx(plain.loglik, abs=1e-8)
    assert moved.coef["age"] * 1e7 == pytest.approx(plain.coef["age"], rel=1e-6)
    assert moved.vcov.loc["age", "age"] * 1e14 == pytest.approx(plain.vcov.loc["age", "age"], rel=1e-5)


def test_no_variance_is_an_edge_that_is_verified():
    rng = np.random.default_rng(3)
    y = (rng.random((60, 3)) < 0.5).astype(float)
    with pytest.warns(BurnoutStatsWarning, match="variance of the random intercept is 0"):
        fitted = fit(GLMM("y ~ visit + (1 | subject)"), cohort(y))
    assert fitted.converged
    assert fitted.varcorr["sd"].tolist() == [0.0]
    assert fitted.n_parameters == 1


def test_a_perfect_correlation_is_an_edge_that_is_verified():
    rng = np.random.default_rng(11)
    eta = rng.normal(0, 1.5, 90)[:, None] * np.array([1.0, 1.5, 2.0])
    y = (rng.random((90, 3)) < 1 / (1 + np.exp(-eta))).astype(float)
    with pytest.warns(BurnoutStatsWarning, match="perfectly correlated"):
        fitted = fit(GLMM("y ~ years + (1 + years | subject)"), cohort(y))
    assert fitted.converged
    assert abs(fitted.varcorr.iloc[0, -1]) == pytest.approx(1.0)
    assert fitted.n_parameters == 3


def test_counts_that_vary_as_poisson_make_a_size_without_end():
    y = cohort(counts(seed=2))
    with pytest.warns(BurnoutStatsWarning, match="no more than a Poisson"):
        fitted = fit(GLMM("y ~ visit + (1 | subject)", family="negative_binomial"), y)
    plain = fit(GLMM("y ~ visit + (1 | subject)", family="poisson"), y)
    assert fitted.converged
    assert fitted.distribution == ("poisson/log", None)
    np.testing.assert_allclose(fitted.coef, plain.coef)
    assert fitted.aic == pytest.approx(plain.aic + 2)


def test_no_extra_zeros():
    y = cohort(counts(mean=3.0, seed=4))
    with pytest.warns(BurnoutStatsWarning, match="no extra zeros"):
        fitted = fit(GLMM("y ~ visit + (1 | subject)", family="poisson", zeros="inflated"), y)
    assert fitted.converged
    assert fitted.distribution == ("poisson/log", None)


@pytest.mark.raises_code("E-MODEL-SEPARATION")
@pytest.mark.raises_code("N-MODEL-PENALIZED")
def test_an_empty_cell():
    rng = np.random.default_rng(5)
    y = (rng.random((80, 3)) < 0.4).astype(float)
    y[1::2, 2] = 0
    spec = "y ~ visit * sex + (1 | subject)"
    with pytest.raises(ModelError, match=r"sex\[M\]"):
        fit(GLMM(spec), cohort(y))
    with pytest.warns(BurnoutStatsWarning, match="soft penalty"):
        soft = fit(GLMM(spec, penalty="soft"), cohort(y))
    assert soft.converged
    assert -8 < soft.coef["visit[v2]:sex[M]"] < -1
    assert np.isfinite(soft.vcov.to_numpy()).all()


@pytest.mark.raises_code("E-MODEL-SEPARATION")
def test_people_who_never_change():
    y = np.repeat(np.arange(40) % 3 == 0, 3).reshape(40, 3)
    with pytest.raises(ModelError, match="no subject's score changes"):
        fit(GLMM("y ~ years + (1 | subject)"), cohort(y))


@pytest.mark.raises_code("E-MODEL-SEPARATION")
def test_a_group_without_counts():
    y = counts()
    y[1::2] = 0
    with pytest.raises(ModelError, match=r"sex\[M\]"):
        fit(GLMM("y ~ sex + (1 | subject)", family="poisson"), cohort(y))


@pytest.mark.raises_code("E-MODEL-RANDOM")
def test_one_score_each():
    rng = np.random.default_rng(5)
    seen = np.zeros((60, 3), dtype=bool)
    seen[np.arange(60), rng.integers(0, 3, 60)] = True
    with pytest.raises(ModelError, match="no subject has two scores"):
        fit(GLMM("y ~ sex + (1 | subject)"), cohort(rng.integers(0, 2, (60, 3)), seen=seen))


@pytest.mark.raises_code("E-MODEL-NO-SPREAD")
def test_only_events():
    with pytest.raises(ModelError, match="is the same"):
        fit(GLMM("EE ~ sex + (1 | subject)", case="> 1000"), burnout_200())


@pytest.mark.raises_code("E-MODEL-FAMILY")
@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_scores_that_are_not_counted(family):
    with pytest.raises(ModelError, match=family):
        fit(GLMM("EE ~ visit + (1 | subject)", family=family), burnout_200())


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_a_penalty_is_for_events():
    with pytest.raises(StudyError, match="soft penalty"):
        GLMM("y ~ visit + (1 | subject)", family="poisson", penalty="soft")


def test_parallel_lines():
    rng = np.random.default_rng(2)
    eta = rng.normal(0, 1, 150)[:, None] + rng.logistic(size=(150, 3)) + 0.5 * (np.arange(150) % 2)[:, None]
    fitted = fit(GLMM("y ~ sex + visit + (1 | subject)", family="ordinal"), cohort(np.digitize(eta, [-1, 0.5, 2])))
    found = parallel_lines(fitted).frame.set_index("term")
    assert list(found.index) == ["sex", "visit", "all terms"]
    assert found["num_df"].tolist() == [2, 4, 6]
    assert (found["p_value"] > 0.01).all()
    stretched = np.where((np.arange(150) % 2)[:, None] == 1, eta * 3, eta)
    broken = fit(
        GLMM("y ~ sex + visit + (1 | subject)", family="ordinal"), cohort(np.digitize(stretched, [-1, 0.5, 2]))
    )
    assert parallel_lines(broken).frame.set_index("term").loc["sex", "p_value"] < 0.001


@pytest.mark.raises_code("N-MODEL-EMPTY-CATEGORY")
def test_a_category_that_nobody_has():
    rng = np.random.default_rng(2)
    names = ["low", "some", "much", "high"]
    codes = rng.choice([0, 1, 3], (60, 3))
    i, v = np.indices(codes.shape).reshape(2, -1)
    frame = pd.DataFrame(
        {"id": i, "visit": [f"v{k}" for k in v], "z": 1.0 * i, "level": [names[k] for k in codes.ravel()]}
    )
    with pytest.warns(BurnoutStatsWarning, match="never occur"):
        given = read_cohort(
            frame,
            subject="id",
            visit="visit",
            times={f"v{k}": float(k) for k in range(3)},
            outcomes=["z"],
            covariates={"level": {"levels": names}},
        )
    with pytest.warns(BurnoutStatsWarning) as told:
        fitted = fit(GLMM("level ~ visit + (1 | subject)", family="ordinal"), given)
    assert any("Nobody" in str(one.message) for one in told)
    assert fitted.names_of_gamma == ("low|some", "some|high")


@pytest.mark.raises_code("E-MODEL-NEEDS-ROWS")
def test_a_stream_has_no_rows():
    with pytest.raises(ModelError, match="part by part"):
        fit(GLMM("EE ~ visit + (1 | subject)", case=CASE), tally(MMRM("EE ~ visit"), burnout_200()))
