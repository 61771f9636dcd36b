"""The common baseline of two arms: a hand-built design, and the analysis of covariance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tolerances import IDENTITY

from burnout_stats.cohort import Cohort
from burnout_stats.cohort.common_baseline import common_baseline
from burnout_stats.cohort.roles import Covariate, Outcome, Visits
from burnout_stats.engine.basis import Basis
from burnout_stats.engine.covariance import STRUCTURES, Covariance
from burnout_stats.engine.moments import moments_of_rows
from burnout_stats.engine.scoring import optimize
from burnout_stats.errors import StudyError
from burnout_stats.inference import arm_differences, arm_means, contrast, emmeans
from burnout_stats.models import MMRM, fit


def trial(visits=3, *, missing=0.0, n=60, seed=1, numeric=False):
    rng = np.random.default_rng(seed)
    arm = np.repeat([0, 1], n // 2)
    shared = rng.standard_normal((n, 1))
    y = 20 + 5 * shared + 4 * rng.standard_normal((n, visits)) - 3.0 * arm[:, None] * (np.arange(visits) > 0)
    y[:, 0] += 1.5 * arm  # a chance difference at baseline
    seen = rng.random(y.shape) >= missing
    seen[:, 0] = True
    subject, visit = np.nonzero(seen)
    labels = [f"v{k}" for k in range(visits)]
    data = pd.DataFrame(
        {
            "subject": subject + 1,
            "visit": pd.Categorical.from_codes(visit, categories=labels, ordered=True),
            "years": visit.astype(float),
            "score": y[subject, visit],
            "arm": pd.Categorical.from_codes(arm[subject], categories=["control", "treated"]),
        }
    )
    roles = {"arm": Covariate("arm", levels=("control", "treated"))}
    for k in range(1, visits) if numeric else ():
        data[f"treated_v{k}"] = ((visit == k) & (arm[subject] == 1)).astype(float)
        roles[f"treated_v{k}"] = Covariate(f"treated_v{k}")
    return Cohort(
        data=data,
        visits=Visits.of({label: float(k) for k, label in enumerate(labels)}),
        outcome_roles={"score": Outcome("score")},
        covariate_roles=roles,
        ids=np.array([f"S{k}" for k in range(n)], dtype=object),
    )


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_the_factor_gives_the_design_without_the_arm_at_baseline(missing):
    cohort = trial(missing=missing)
    data = cohort.data
    visit, treated = data["visit"].cat.codes.to_numpy(), data["arm"].cat.codes.to_numpy()
    X = np.column_stack(
        [np.ones(len(data)), visit == 1, visit == 2, (visit == 1) & (treated == 1), (visit == 2) & (treated == 1)]
    ).astype(float)
    z = np.column_stack([X, data["score"]])
    basis = Basis.centered(z.mean(axis=0), np.eye(5)[0])
    moments = moments_of_rows(z, data["subject"].to_numpy() - 1, visit.astype(np.int64), 3, basis=basis)
    by_hand = optimize(moments.orthonormal(), Covariance(STRUCTURES["us"], np.arange(3.0), 1), reml=True)
    fitted = fit(MMRM("score ~ arm_at_visit"), common_baseline(cohort, "arm"))
    assert fitted.loglik == pytest.approx(-0.5 * float(np.squeeze(by_hand.at.criterion)), rel=IDENTITY)
    numeric = fit(MMRM("score ~ visit + treated_v1 + treated_v2"), trial(missing=missing, numeric=True))
    assert fitted.loglik == pytest.approx(numeric.loglik, rel=IDENTITY)
    found = arm_differences(cohort, "score", arm="arm", randomized=True).frame
    names = ["treated_v1", "treated_v2"]
    assert found["estimate"].to_numpy() == pytest.approx(numeric.coef[names].to_numpy(), rel=1e-6)
    assert found["std_error"].to_numpy() == pytest.approx(
        contrast(emmeans(fitted, "arm_at_visit"), {"v1": [0, -1, 1, 0, 0], "v2": [0, 0, 0, -1, 1]}).frame["std_error"],
        rel=1e-6,
    )


def test_with_two_complete_visits_it_is_the_analysis_of_covariance():
    cohort = trial(visits=2)
    fitted = fit(MMRM("score ~ arm_at_visit", method="ml"), common_baseline(cohort, "arm"))
    difference = fitted.coef["arm_at_visit[v1, treated]"] - fitted.coef["arm_at_visit[v1, control]"]
    wide = cohort.data.pivot(index="subject", columns="visit", values="score").to_numpy()
    treated = cohort.data.drop_duplicates("subject")["arm"].cat.codes.to_numpy()
    X = np.column_stack([np.ones(len(wide)), wide[:, 0], treated])
    ancova = np.linalg.lstsq(X, wide[:, 1], rcond=None)[0][2]
    assert difference == pytest.approx(ancova, rel=1e-6)
    assert fitted.coef["Intercept"] == pytest.approx(wide[:, 0].mean(), rel=1e-6)


def test_without_randomization_it_is_the_difference_of_changes():
    cohort = trial(visits=2)
    found = arm_differences(cohort, "score", arm="arm", randomized=False).frame.iloc[0]
    wide = cohort.data.pivot(index="subject", columns="visit", values="score").to_numpy()
    treated = cohort.data.drop_duplicates("subject")["arm"].cat.codes.to_numpy() == 1
    moved = wide[:, 1] - wide[:, 0]
    assert found["estimate"] == pytest.approx(moved[treated].mean() - moved[~treated].mean(), rel=IDENTITY)


def test_the_design_says_which_model_and_the_result_says_it_too():
    cohort = trial()
    shared = arm_means(cohort, "score", arm="arm", randomized=True)
    own = arm_means(cohort, "score", arm="arm", randomized=False)
    assert shared.frame["arm_at_visit"].tolist()[0] == "v0"
    assert (len(shared), len(own)) == (5, 6)
    assert "share their baseline mean" in shared.about.notes[0]
    assert "each arm has its own baseline mean" in own.about.notes[0]


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_neither_the_arm_nor_the_baseline_is_a_covariate():
    with pytest.raises(StudyError, match="in the model already"):
        arm_differences(trial(), "score", arm="arm", randomized=True, adjust_for=["arm"])
    one = trial()
    one = replace(one, covariate_roles={"arm": Covariate("arm", levels=("control",))})
    with pytest.raises(StudyError, match="1 levels"):
        arm_differences(one, "score", arm="arm", randomized=True)


@pytest.mark.raises_code("E-STUDY-ROLES")
def test_the_name_of_the_factor_must_be_free():
    with pytest.raises(StudyError, match="has that name already"):
        common_baseline(trial(), "arm", name="score")
