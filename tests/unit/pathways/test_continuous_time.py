"""Panels in continuous time as a user meets them: what is told, what is noticed, what is refused."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cohorts import cohort_of
from tolerances import IDENTITY

from burnout_stats.engine.continuous_time import ContinuousTime
from burnout_stats.errors import ModelError, StudyError
from burnout_stats.notices import BurnoutStatsWarning
from burnout_stats.pathways import continuous_time, drift, drift_residuals, lags
from burnout_stats.studies import example

DATA = Path(__file__).parents[2] / "reference" / "r" / "data" / "continuous_time.csv"
VISITS = {"0": "baseline", "1": "1 year", "3": "3 years"}


@cache
def cohort():
    wide = pd.read_csv(DATA)
    parts = [
        pd.DataFrame({"id": wide.index, "visit": label, "coping": wide[f"x{k}"], "exhaustion": wide[f"y{k}"]})
        for k, label in VISITS.items()
    ]
    return cohort_of(pd.concat(parts), outcomes=["coping", "exhaustion"])


@cache
def fit(**more):
    return continuous_time(cohort(), **more)


def test_lags_of_one_drift_follow_from_each_other():
    found = drift(fit(), at=(1.0, 2.0, 3.0)).frame

    def lag(name):
        rows = found[found["quantity"].eq(name)]
        return np.array([rows[rows["outcome"].eq(outcome)]["estimate"] for outcome in ("coping", "exhaustion")])

    np.testing.assert_allclose(lag("lag of 1 year") @ lag("lag of 2 years"), lag("lag of 3 years"), rtol=IDENTITY)
    A = lag("drift")
    values, vectors = np.linalg.eig(A)
    assert (values < 0).all()
    np.testing.assert_allclose(
        vectors @ np.diag(np.exp(values)) @ np.linalg.inv(vectors), lag("lag of 1 year"), rtol=1e-6
    )


def test_what_is_told():
    told = drift(fit())
    assert told.about.kind == "continuous_time"
    quantities = "drift, lag of 1 year, lag of 2 years, diffusion, in the long run, first visit, between persons, mean"
    assert ", ".join(dict.fromkeys(told.frame["quantity"])) == quantities
    notes = " ".join(told.about.notes)
    assert "21 variances and covariances; the model uses 13" in notes
    assert "on 8 df" in notes
    assert "associated with" in notes
    assert "need not be in balance" in notes
    variances = told.frame["term"].eq("variance")
    assert told.frame.loc[variances, "p_value"].isna().all()
    assert np.allclose(np.sqrt(np.diag(told.vcov)), told.frame["std_error"])
    assert "continuous time" in str(told)


def test_the_lag_of_the_model_is_the_one_asked_for():
    asked = lags(fit(), [1.0, 2.0]).frame
    told = drift(fit()).frame
    np.testing.assert_allclose(asked["estimate"][:4], told.loc[told["quantity"] == "lag of 1 year", "estimate"])
    many = lags(fit()).frame["lag"]
    assert (many.min(), many.max()) == (0.125, 3.0)


def test_a_shift_of_the_means_and_no_random_intercepts():
    shifted = fit(means="shift", random_intercepts=False)
    assert shifted.estimated.indices.df == 13
    told = drift(shifted).frame
    assert told["quantity"].tail(4).tolist() == ["mean", "mean", "shift", "shift"]
    assert "between persons" not in set(told["quantity"])
    assert any("stable differences between persons are mixed" in note for note in shifted.notes)


def test_robust_standard_errors_are_others():
    model, robust = drift(fit()), drift(fit(), vcov="robust")
    assert model.frame["estimate"].equals(robust.frame["estimate"])
    assert not np.allclose(model.frame["std_error"], robust.frame["std_error"], rtol=1e-3)
    assert any("Huber-White" in note for note in robust.about.notes)


def test_where_the_model_misses():
    missed = drift_residuals(fit())
    assert len(missed) == 21
    size = missed.frame["estimate"].abs()
    assert size.is_monotonic_decreasing
    poor = drift_residuals(fit(random_intercepts=False)).frame["estimate"].abs()
    assert poor.max() > size.max()
    assert "with" in str(missed)


def test_one_outcome_is_a_process_too():
    one = fit(outcomes="exhaustion")
    assert one.estimated.indices.df == 2
    assert repr(one) == "<ContinuousTimeFit: exhaustion, 3 visits, with random intercepts, 400 subjects, 2 df>"


@pytest.mark.raises_code("N-MODEL-DRIFT-BOUND")
def test_nothing_carried_over_is_a_bound_and_not_a_number():
    with pytest.warns(BurnoutStatsWarning, match="N-MODEL-DRIFT-BOUND"):
        held = continuous_time(example("villa_sana"), "coping")
    told = drift(held).frame.set_index("quantity")
    assert held.n_held == 1
    assert held.converged
    assert np.isnan(told.loc["drift", "estimate"])
    assert told.loc["lag of 1 year", "estimate"] == pytest.approx(0.0, abs=1e-4)
    assert np.isnan(told.loc["lag of 1 year", "std_error"])
    assert told.loc["between persons", "std_error"] > 0


@pytest.mark.raises_code("N-MODEL-DRIFT-BOUND")
def test_scores_that_swing_are_told():
    swinging = ContinuousTime((0.0, 1.0, 3.0), 2, has_traits=False, is_real=False)
    theta = np.array([-0.6, 0.7, -0.7, -0.6, 0.4, 0.1, 0.4, 0.6, 0.2, 0.7, *[3.0] * 6])
    mu, Sigma = swinging.moments(theta)
    Y = np.random.default_rng(3).multivariate_normal(mu, Sigma, size=300)
    parts = [
        pd.DataFrame({"id": range(300), "visit": label, "coping": Y[:, 2 * k], "exhaustion": Y[:, 2 * k + 1]})
        for k, label in enumerate(VISITS.values())
    ]
    cohort = cohort_of(pd.concat(parts), outcomes=["coping", "exhaustion"])
    with pytest.warns(BurnoutStatsWarning) as told:
        continuous_time(cohort, random_intercepts=False)
    assert any("come out equal" in str(one.message) for one in told)


@pytest.mark.raises_code("N-MODEL-IMPROPER-DRIFT")
def test_a_better_fit_that_no_process_has_is_told():
    with pytest.warns(BurnoutStatsWarning, match="N-MODEL-IMPROPER-DRIFT"):
        improper = continuous_time(example("villa_sana"))
    assert improper.converged
    assert any("higher where no process" in note for note in drift(improper).about.notes)


@pytest.mark.raises_code("E-STUDY-VISITS")
def test_two_visits_cannot_tell_stable_differences_from_lags():
    with pytest.raises(StudyError, match="at least 3"):
        continuous_time(cohort(), visits=["baseline", "1 year"])
    two = continuous_time(cohort(), visits=["baseline", "1 year"], random_intercepts=False)
    assert two.estimated.indices.df == 0


@pytest.mark.raises_code("E-STUDY-VALUE")
@pytest.mark.parametrize("at", [[], [0.0], [-1.0], [np.nan]])
def test_a_lag_is_a_time(at):
    with pytest.raises(StudyError, match="above 0"):
        lags(fit(outcomes="exhaustion"), at)


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_one_or_two_outcomes():
    with pytest.raises(StudyError, match="3 outcomes"):
        continuous_time(example("villa_sana"), ["exhaustion", "job_stress", "anxiety"])


@pytest.mark.raises_code("E-STUDY-OPTION")
def test_means_are_chosen_from_a_table():
    with pytest.raises(StudyError, match="means"):
        continuous_time(cohort(), means="slope")


@pytest.mark.raises_code("E-MODEL-NO-SPREAD")
def test_scores_must_vary():
    frame = cohort().frame.rename(columns={"subject": "id"}).drop(columns="years")
    frame.loc[frame["visit"].eq("1 year"), "coping"] = 2.0
    same = cohort_of(frame, outcomes=["coping", "exhaustion"])
    with pytest.raises(ModelError, match="does not vary at 1 year"):
        continuous_time(same)
