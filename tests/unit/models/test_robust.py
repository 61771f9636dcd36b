from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cohorts import cohort_of, scores

from burnout_stats.errors import ModelError, StudyError
from burnout_stats.models import LMM, MMRM, fit

L = np.eye(4)


@pytest.fixture(scope="module")
def fitted():
    return fit(MMRM("score ~ visit + age"), cohort_of(scores(40, seed=1, seen=0.8)))


@pytest.fixture(scope="module")
def weighted():
    frame = scores(40, seed=1, seen=0.8)
    frame["w"] = 1.0 + frame["id"].str[-1].astype(float) / 5
    return fit(MMRM("score ~ visit + age", weights="w", weights_kind="probability"), cohort_of(frame))


def test_the_answer_says_what_it_stands_on(fitted):
    assert fitted.answer(L).vcov_name == "model"
    assert fitted.answer(L).method == "kenward-roger"
    robust = fitted.answer(L, vcov="cr2")
    assert (robust.vcov_name, robust.method) == ("cr2", "satterthwaite")
    joint = fitted.answer_joint(L[1:3], vcov="cr3", df="residual")
    assert (joint.vcov_name, joint.method, joint.df) == ("cr3", "residual", fitted.n_obs - 4)
    np.testing.assert_array_equal(fitted.answer(L, df="satterthwaite", vcov="model").vcov, fitted.vcov)


def test_cr1_is_cr0_with_its_factor(fitted):
    zero, one = (fitted.answer(L, vcov=kind) for kind in ("cr0", "cr1"))
    np.testing.assert_allclose(one.vcov, zero.vcov * 40 / 39)
    np.testing.assert_array_equal(one.df, zero.df)


@pytest.mark.parametrize("vcov", ["model", "cr2"])
def test_df_that_only_count(fitted, vcov):
    between, within = 40 - 1 - 1, fitted.n_obs - 40 - 2
    rows = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [1, 0, 1, 47], [0, -1, 1, 0]], dtype=float)
    answer = fitted.answer(rows, df="between-within", vcov=vcov)
    np.testing.assert_array_equal(answer.df, [within, within, between, min(between, within), within])
    assert fitted.answer_joint(rows[1:3], df="between-within", vcov=vcov).df == between
    assert (fitted.answer(rows, df="residual", vcov=vcov).df == fitted.n_obs - 4).all()
    assert np.isinf(fitted.answer(rows, df="asymptotic", vcov=vcov).df).all()


def test_one_row_asked_jointly_is_its_t_squared(fitted):
    row = L[[1]]
    for df, vcov in (("satterthwaite", "cr2"), ("residual", "cr0"), ("between-within", "model")):
        one, joint = (ask(row, df=df, vcov=vcov) for ask in (fitted.answer, fitted.answer_joint))
        assert joint.statistic == pytest.approx(one.estimate[0] ** 2 / one.vcov[0, 0])
        assert joint.df == pytest.approx(one.df[0])


def test_robust_answers_of_aliased_columns_are_missing():
    frame = scores(40, seed=3, seen=0.8)
    doubled = frame.assign(months=12 * frame["age"] + 7)
    with pytest.warns(match="`months`"):
        aliased = fit(MMRM("score ~ visit + age + months"), cohort_of(doubled))
    plain = fit(MMRM("score ~ visit + age"), cohort_of(frame))
    for df in ("satterthwaite", "between-within", "residual"):
        ours = aliased.answer(np.eye(5), df=df, vcov="cr2")
        assert np.isnan(ours.df[[0, 3, 4]]).all()
        theirs = plain.answer(L, df=df, vcov="cr2")
        np.testing.assert_allclose(ours.vcov[1:3, 1:3], theirs.vcov[1:3, 1:3], rtol=1e-7)
        np.testing.assert_allclose(ours.df[1:3], theirs.df[1:3], rtol=1e-7)


def test_probability_weights_take_a_robust_covariance(weighted):
    answer = weighted.answer(L)
    assert (answer.vcov_name, answer.method) == ("cr2", "satterthwaite")
    np.testing.assert_allclose(weighted.vcov, answer.vcov)
    assert weighted.answer_joint(L[1:3]).vcov_name == "cr2"


@pytest.mark.raises_code("E-MODEL-VCOV")
@pytest.mark.parametrize("asked", [{"vcov": "model"}, {"df": "kenward-roger"}, {"df": "kenward-roger", "vcov": "cr0"}])
def test_probability_weights_refuse_the_covariance_of_the_model(weighted, asked):
    for ask in (weighted.answer, weighted.answer_joint):
        with pytest.raises(ModelError):
            ask(L[1:3], **asked)


@pytest.mark.raises_code("E-MODEL-VCOV")
def test_kenward_and_roger_have_no_robust_covariance(fitted):
    with pytest.raises(ModelError, match="or with vcov"):
        fitted.answer(L, df="kenward-roger", vcov="cr2")


@pytest.mark.raises_code("E-STUDY-OPTION")
@pytest.mark.parametrize("asked", [{"vcov": "cr4"}, {"vcov": "cr2", "df": "satterthwait"}])
def test_unknown_names(fitted, asked):
    with pytest.raises(StudyError, match="Did you mean"):
        fitted.answer(L, **asked)


@pytest.mark.raises_code("E-MODEL-NEEDS-ROWS")
@pytest.mark.parametrize("asked", [{"vcov": "cr0"}, {"df": "between-within"}])
def test_rows_are_needed(fitted, asked):
    with pytest.raises(ModelError):
        replace(fitted, rows=None).answer(L, **asked)


@pytest.mark.raises_code("E-MODEL-LEVERAGE")
@pytest.mark.parametrize("vcov", ["cr0", "cr1", "cr2", "cr2-mmrm", "cr3"])
def test_effects_that_rest_on_one_subject_have_no_robust_covariance(vcov):
    frame = scores(30, seed=2)
    frame["sex"] = np.where(frame["id"] == "S0004", "M", "F")
    ours = fit(MMRM("score ~ visit * sex"), cohort_of(frame))
    answer = ours.answer(np.eye(6), vcov=vcov)
    ones = [k for k, name in enumerate(ours.coef.index) if "sex" in name]
    assert np.isfinite(answer.estimate).all()
    assert np.isnan(answer.df[ones]).all()
    assert np.isnan(answer.vcov[ones]).all()
    with pytest.raises(ModelError, match="rests on one"):
        ours.answer_joint(np.eye(6)[ones], vcov=vcov)
    rest = [k for k in range(6) if k not in ones]
    alone = fit(MMRM("score ~ visit"), cohort_of(frame[frame["sex"] == "F"], covariates=["age"]))
    others = alone.answer(np.eye(3), vcov=vcov)
    if vcov != "cr1":  # which counts clusters
        np.testing.assert_allclose(answer.vcov[np.ix_(rest, rest)], others.vcov, rtol=1e-6)
    np.testing.assert_allclose(answer.df[rest], others.df, rtol=1e-6)


@pytest.mark.raises_code("E-MODEL-FEW-CLUSTERS")
def test_too_few_subjects_for_a_joint_test():
    ours = fit(MMRM("score ~ visit * sex + age", covariance="cs"), cohort_of(scores(8, seed=5)))
    with pytest.raises(ModelError):
        ours.answer_joint(np.eye(7), vcov="cr2")


def in_clinics(n_clinics, **more):
    frame = scores(40, seed=1, seen=0.8)
    number = frame["id"].str[1:].astype(int)
    return frame.assign(clinic="c" + (number % n_clinics).astype(str), **more)


@pytest.mark.parametrize(
    "spec",
    [MMRM("score ~ visit + age", cluster="clinic"), LMM("score ~ visit + age + (1 | subject)", cluster="clinic")],
)
def test_a_cluster_makes_standard_errors_robust(spec):
    ours = fit(spec, cohort_of(in_clinics(9)))
    answer = ours.answer(L)
    assert (answer.vcov_name, answer.method) == ("cr2", "satterthwaite")
    assert (answer.df < 9).all()
    np.testing.assert_allclose(ours.vcov, answer.vcov)
    assert ours.answer(L, vcov="model").method == "kenward-roger"
    zero, one = (ours.answer(L, vcov=kind).vcov for kind in ("cr0", "cr1"))
    np.testing.assert_allclose(one, zero * 9 / 8)


def test_every_subject_its_own_cluster_changes_nothing(fitted):
    frame = scores(40, seed=1, seen=0.8)
    frame["clinic"] = 1000.0 - frame["id"].str[1:].astype(int)
    ours = fit(MMRM("score ~ visit + age", cluster="clinic"), cohort_of(frame))
    np.testing.assert_allclose(
        ours.answer(L, vcov="cr2").vcov, fitted.answer(L, vcov="cr2").vcov, rtol=1e-8, atol=1e-14
    )


@pytest.mark.raises_code("E-MODEL-VCOV")
def test_no_frequency_weights_in_clusters():
    frame = in_clinics(9, w=2.0)
    with pytest.raises(ModelError, match="clinic"):
        fit(MMRM("score ~ visit + age", cluster="clinic", weights="w"), cohort_of(frame)).answer(L)


@pytest.mark.raises_code("E-MODEL-VCOV")
def test_a_random_effect_of_clusters_names_the_clusters():
    frame = in_clinics(9)
    frame["score"] += frame["clinic"].str[1:].astype(int) / 4
    ours = fit(MMRM("score ~ visit + age + (1 | clinic)"), cohort_of(frame))
    assert ours.answer(L).vcov_name == "model"
    zero, one = (ours.answer(L, vcov=kind) for kind in ("cr0", "cr1"))
    np.testing.assert_allclose(one.vcov, zero.vcov * 9 / 8)
    twice = fit(MMRM("score ~ visit + age + (1 | clinic)", cluster="clinic"), cohort_of(frame))
    with pytest.raises(ModelError, match="those of the random effect"):
        twice.answer(L)


@pytest.mark.raises_code("E-MODEL-FEW-CLUSTERS", "E-MODEL-CHANGES")
def test_clusters_that_are_none():
    with pytest.raises(ModelError, match="one cluster"):
        fit(MMRM("score ~ visit + age", cluster="clinic"), cohort_of(in_clinics(1))).answer(L)
    frame = in_clinics(2).assign(clinic=lambda d: d["visit"])
    with pytest.raises(ModelError):
        fit(MMRM("score ~ visit + age", cluster="clinic"), cohort_of(frame))


def test_random_effects_have_no_second_order():
    ours = fit(LMM("score ~ visit + age + (1 | subject)"), cohort_of(scores(40, seed=1, seen=0.8)))
    one, two = (ours.answer(L, df=df) for df in ("kenward-roger", "kenward-roger-second-order"))
    np.testing.assert_array_equal(one.vcov, two.vcov)


@pytest.mark.raises_code("E-MODEL-LARGE-CLUSTER")
def test_clusters_of_thousands_of_rows_are_refused(monkeypatch):
    monkeypatch.setattr("burnout_stats.models.robust.MOST_ROWS", 40)
    with pytest.raises(ModelError, match="A cluster has"):
        fit(MMRM("score ~ visit + age", cluster="clinic"), cohort_of(in_clinics(2))).answer(L)
