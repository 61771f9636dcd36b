"""What is exact about scores of subjects, the joint covariance of several models, and the largest of several tests."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from cohorts import burnout_200, cohort_of, scores
from scipy import special
from tolerances import IDENTITY, LATTICE

from burnout_stats.engine import max_t
from burnout_stats.inference import combine, contrast, emmeans, summarize
from burnout_stats.inference.scores import scores as contributions
from burnout_stats.models import LMM, MMRM, fit
from burnout_stats.sensitivity import joint_contrasts, negative_control


@cache
def two_outcomes(seen=1.0):
    """60 subjects at three visits with two correlated outcomes."""
    frame = scores(60, seed=3, seen=seen)
    noise = np.random.default_rng(4).normal(size=len(frame))
    return cohort_of(frame.assign(other=10 + 3 * frame["score"] + noise), outcomes=["score", "other"])


def change(outcome, cohort, method="vs_baseline", right="visit", **asked):
    return contrast(emmeans(fit(MMRM(f"{outcome} ~ {right}"), cohort), "visit", **asked), method)


@pytest.mark.parametrize(
    "spec",
    [
        MMRM("EE ~ visit * group + age"),
        MMRM("EE ~ visit * group", covariance="cs", covariance_by="sex"),
        LMM("EE ~ visit + group + (1 + years | subject)"),
    ],
)
def test_scores_add_up_to_zero_and_their_squares_are_the_plain_sandwich(spec):
    part = summarize(fit(spec, burnout_200()), vcov="cr0", df="asymptotic")
    found = contributions([part])
    assert found.known.all()
    size = np.sqrt(np.diag(part.vcov))
    np.testing.assert_allclose(found.psi.sum(0) / size, 0.0, atol=1e-7)
    np.testing.assert_allclose(
        found.psi.T @ found.psi / np.outer(size, size), part.vcov / np.outer(size, size), atol=1e-8
    )


def test_each_model_keeps_its_own_covariance_and_the_whole_is_a_covariance():
    cohort = two_outcomes(0.8)
    a, b = change("score", cohort, right="visit + sex"), change("other", cohort)
    whole = combine(a, b)
    np.testing.assert_allclose(whole.vcov[:2, :2], a.vcov, rtol=IDENTITY)
    np.testing.assert_allclose(whole.vcov[2:, 2:], b.vcov, rtol=IDENTITY)
    assert np.linalg.eigvalsh(whole.vcov).min() > 0
    psi = contributions([a, b]).psi
    np.testing.assert_allclose(psi.T @ psi, whole.vcov, rtol=1e-7, atol=1e-12)


def test_two_questions_to_one_fit_have_the_covariance_of_the_fit():
    means = emmeans(fit(MMRM("score ~ visit * sex"), two_outcomes(0.8)), "visit")
    both = contrast(means, {"first": [-1, 1, 0], "second": [0, -1, 1]})
    apart = combine(contrast(means, {"first": [-1, 1, 0]}), contrast(means, {"second": [0, -1, 1]}))
    np.testing.assert_allclose(apart.vcov, both.vcov, rtol=1e-7)


def test_scores_do_not_depend_on_how_the_contrasts_are_written():
    """Redundant and rotated rows: the covariance between outcomes of a contrast is the same."""
    cohort = two_outcomes(0.8)
    other = change("other", cohort)
    pairs = combine(change("score", cohort, "pairwise"), other)
    few = combine(change("score", cohort), other)
    np.testing.assert_allclose(pairs.vcov[:2, 3:], few.vcov[:2, 2:], rtol=1e-7)


def test_with_complete_data_the_covariance_between_outcomes_is_that_of_paired_differences():
    cohort = two_outcomes()
    whole = combine(change("score", cohort), change("other", cohort))
    wide = [
        cohort.frame.pivot_table(index="subject", columns="visit", values=name, observed=True)
        for name in cohort.outcomes
    ]
    d = np.column_stack([y.iloc[:, k] - y.iloc[:, 0] for y in wide for k in (1, 2)])
    np.testing.assert_allclose(whole.vcov, np.cov(d.T) / len(d), rtol=1e-7)


def test_with_complete_data_the_difference_from_a_control_is_a_paired_t_test():
    cohort = two_outcomes()
    row = negative_control(MMRM("score ~ visit"), cohort, "other", difference=True).frame.iloc[-1]
    wide = [
        cohort.frame.pivot_table(index="subject", columns="visit", values=name, observed=True)
        for name in cohort.outcomes
    ]
    d = sum(sign * (y.iloc[:, 2] - y.iloc[:, 0]) / y.iloc[:, 0].std() for sign, y in zip((1, -1), wide, strict=True))
    np.testing.assert_allclose([row["estimate"], row["std_error"]], [d.mean(), d.std() / np.sqrt(60)], rtol=1e-7)
    assert row["df"] == pytest.approx(59)


def test_one_contrast_alone_keeps_its_p_value_and_interval():
    one = contrast(emmeans(fit(MMRM("score ~ visit"), two_outcomes(0.8)), "visit"), {"late": [0, -1, 1]})
    joint = joint_contrasts(one, method="exact", seed=1)
    for name in ("p_value", "conf_low", "conf_high", "std_error", "df"):
        assert joint.frame[name].iloc[0] == pytest.approx(one.frame[name].iloc[0], rel=1e-9)


def test_independent_tests_follow_sidak_and_equal_ones_count_once():
    z = np.array([2.5, 1.0, 0.2])
    alone = 2 * special.ndtr(-z)
    independent, c = max_t.exact(z, np.eye(3), 0.95)
    np.testing.assert_allclose(independent, 1 - (1 - alone) ** 3, atol=LATTICE)
    assert c == pytest.approx(special.ndtri((1 + 0.95 ** (1 / 3)) / 2), abs=1e-4)
    same, c = max_t.exact(z, np.ones((3, 3)), 0.95)
    np.testing.assert_allclose(same, alone, atol=1e-9)
    assert c == pytest.approx(special.ndtri(0.975))


def test_the_step_down_is_the_closed_loop_of_its_definition():
    rng = np.random.default_rng(1)
    draws = np.abs(rng.normal(size=(400, 5)) + rng.normal(size=(400, 1)))
    z = np.array([0.4, 2.6, 1.1, 3.0, 1.1])
    order = sorted(range(5), key=lambda j: -z[j])
    expected, so_far = np.empty(5), 0.0
    for place, j in enumerate(order):
        above = sum(max(row[left] for left in order[place:]) >= z[j] for row in draws.tolist())
        so_far = max(so_far, (1 + above) / 401)
        expected[j] = so_far
    np.testing.assert_allclose(max_t.step_down(z, draws), expected)
    single = [(1 + sum(max(row) >= value for row in draws.tolist())) / 401 for value in z]
    np.testing.assert_allclose(max_t.single_step(z, draws), single)
