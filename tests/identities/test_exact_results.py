"""Where theory gives the answer exactly: no reference software needed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import TIMES, cohort_of, potthoff_roy, scores
from scipy import linalg, stats
from tolerances import IDENTITY

from burnout_stats.inference import contrast, emmeans, joint_test, summarize
from burnout_stats.models import MMRM, fit

DF_METHODS = ["kenward-roger", "kenward-roger-expected", "satterthwaite"]


def two_visits(n, seed):
    frame = scores(n, seed)
    return frame[frame["visit"] != "3 years"]


@pytest.mark.parametrize("n", [5, 12, 60])
@pytest.mark.parametrize("df", DF_METHODS)
def test_two_complete_visits_are_the_paired_t_test(n, df):
    frame = two_visits(n, seed=n)
    wide = frame.pivot_table(index="id", columns="visit", values="score")
    reference = stats.ttest_rel(wide["1 year"], wide["baseline"])
    ours = summarize(fit(MMRM("score ~ visit"), cohort_of(frame)), df=df).frame.set_index("term").loc["visit[1 year]"]
    change = wide["1 year"] - wide["baseline"]
    assert ours["estimate"] == pytest.approx(change.mean(), rel=IDENTITY)
    assert ours["std_error"] == pytest.approx(change.std(ddof=1) / np.sqrt(n), rel=IDENTITY)
    assert ours["df"] == pytest.approx(n - 1, rel=IDENTITY)
    assert ours["statistic"] == pytest.approx(reference.statistic, rel=IDENTITY)
    assert ours["p_value"] == pytest.approx(reference.pvalue, rel=IDENTITY)
    interval = reference.confidence_interval(0.95)
    assert [ours["conf_low"], ours["conf_high"]] == pytest.approx([interval.low, interval.high], rel=IDENTITY)


def test_singletons_carry_information_about_a_paired_difference():
    frame = two_visits(30, seed=3)
    fewer = frame.drop(frame.index[[1, 5, 9]])
    paired = stats.ttest_rel(
        *(fewer.pivot_table(index="id", columns="visit", values="score").dropna()[v] for v in ("1 year", "baseline"))
    )
    ours = summarize(fit(MMRM("score ~ visit"), cohort_of(fewer))).frame.set_index("term").loc["visit[1 year]"]
    assert abs(ours["statistic"] - paired.statistic) > 1e-3


def test_potthoff_roy_interaction_is_hotelling():
    """Complete data, saturated in visit x group: the first-order Kenward-Roger F is Hotelling's exact one."""
    cohort = potthoff_roy()
    ours = fit(MMRM("distance ~ Sex * visit"), cohort)
    L = np.eye(8)[[k for k, name in enumerate(ours.coef.index) if ":" in name]]
    joint = joint_test(ours, L).frame.iloc[0]
    frame = cohort.frame
    wide = (
        frame.pivot_table(index="subject", columns="visit", values="distance", observed=True).diff(axis=1).iloc[:, 1:]
    )
    sex = frame.groupby("subject")["Sex"].first()
    a, b = (wide[sex == level].to_numpy() for level in ("Male", "Female"))
    pooled = ((len(a) - 1) * np.cov(a.T) + (len(b) - 1) * np.cov(b.T)) / (len(a) + len(b) - 2)
    d = a.mean(0) - b.mean(0)
    t2 = len(a) * len(b) / (len(a) + len(b)) * d @ np.linalg.solve(pooled, d)
    N, k = len(a) + len(b) - 2, 3
    assert joint["statistic"] == pytest.approx(t2 * (N - k + 1) / (N * k), rel=IDENTITY)
    assert joint["statistic"] == pytest.approx(2.69527, abs=5e-6)
    assert joint["df"] == pytest.approx(23, rel=IDENTITY)
    satterthwaite = joint_test(ours, L, df="satterthwaite").frame.iloc[0]
    assert satterthwaite["statistic"] == pytest.approx(2.92964, abs=5e-6)
    assert satterthwaite["df"] == pytest.approx(25, rel=1e-6)


def test_complete_saturated_means_are_the_cell_means():
    cohort = potthoff_roy()
    means = emmeans(fit(MMRM("distance ~ Sex * visit"), cohort), "visit", by="Sex").frame
    frame = cohort.frame
    cells = frame.groupby(["Sex", "visit"], observed=True)["distance"].agg(["mean", "count"])
    within = frame["distance"] - frame.groupby(["Sex", "visit"], observed=True)["distance"].transform("mean")
    pooled = (within**2).groupby(frame["visit"], observed=True).sum() / 25
    for _, row in means.iterrows():
        mean, count = cells.loc[(row["Sex"], row["visit"])]
        assert row["estimate"] == pytest.approx(mean, rel=IDENTITY)
        assert row["std_error"] == pytest.approx(np.sqrt(pooled[row["visit"]] / count), rel=IDENTITY)
        assert row["df"] == pytest.approx(25, rel=1e-6)


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_likelihood_by_pattern_is_the_sum_over_subjects(method):
    frame = scores(40, seed=8, seen=0.7)
    cohort = cohort_of(frame)
    ours = fit(MMRM("score ~ visit * sex + age", method=method), cohort)
    data = cohort.frame
    X = np.column_stack(
        [
            np.ones(len(data)),
            data["visit"] == "1 year",
            data["visit"] == "3 years",
            data["sex"] == "M",
            data["age"],
            (data["visit"] == "1 year") & (data["sex"] == "M"),
            (data["visit"] == "3 years") & (data["sex"] == "M"),
        ]
    ).astype(float)
    y, codes, sigma = data["score"].to_numpy(), data["visit"].cat.codes.to_numpy(), ours.covariance.to_numpy()
    V = linalg.block_diag(
        *(sigma[np.ix_(codes[rows], codes[rows])] for rows in data.groupby("subject").indices.values())
    )
    Vi = np.linalg.inv(V)
    XVX = X.T @ Vi @ X
    beta = np.linalg.solve(XVX, X.T @ Vi @ y)
    r = y - X @ beta
    n, p = X.shape
    loglik = -0.5 * (np.linalg.slogdet(V)[1] + r @ Vi @ r)
    loglik -= 0.5 * (
        (n - p) * np.log(2 * np.pi) + np.linalg.slogdet(XVX)[1] if method == "reml" else n * np.log(2 * np.pi)
    )
    assert ours.loglik == pytest.approx(loglik, rel=IDENTITY)
    order = [
        "Intercept",
        "visit[1 year]",
        "visit[3 years]",
        "sex[M]",
        "age",
        "visit[1 year]:sex[M]",
        "visit[3 years]:sex[M]",
    ]
    np.testing.assert_allclose(ours.coef[order], beta, rtol=IDENTITY)
    np.testing.assert_allclose(ours.vcov.loc[order, order], np.linalg.inv(XVX), rtol=IDENTITY, atol=1e-12)


@pytest.mark.parametrize("information", ["observed", "expected"])
def test_kenward_roger_from_moments_is_the_dense_formula(information):
    """Kenward & Roger 1997 written out with n x n matrices and Σ linear in its own elements."""
    frame = scores(25, seed=11, seen=0.65)
    cohort = cohort_of(frame)
    ours = fit(MMRM("score ~ visit + age"), cohort)
    data = cohort.frame
    X = np.column_stack(
        [np.ones(len(data)), data["visit"] == "1 year", data["visit"] == "3 years", data["age"]]
    ).astype(float)
    y, codes, sigma = data["score"].to_numpy(), data["visit"].cat.codes.to_numpy(), ours.covariance.to_numpy()
    subjects = list(data.groupby("subject").indices.values())

    def blocks(S):
        return linalg.block_diag(*(S[np.ix_(codes[rows], codes[rows])] for rows in subjects))

    units = []
    for a in range(3):
        for b in range(a, 3):
            unit = np.zeros((3, 3))
            unit[a, b] = unit[b, a] = 1.0
            units.append(blocks(unit))
    Vi = np.linalg.inv(blocks(sigma))
    Phi = np.linalg.inv(X.T @ Vi @ X)
    project = Vi - Vi @ X @ Phi @ X.T @ Vi
    m = len(units)
    info = np.zeros((m, m))
    for i in range(m):
        for j in range(m):
            expected = np.trace(project @ units[i] @ project @ units[j]) / 2
            observed = y @ project @ units[i] @ project @ units[j] @ project @ y - expected
            info[i, j] = expected if information == "expected" else observed
    W = np.linalg.inv(info)
    P = [-X.T @ Vi @ unit @ Vi @ X for unit in units]
    middle = sum(
        W[i, j] * (X.T @ Vi @ units[i] @ Vi @ units[j] @ Vi @ X - P[i] @ Phi @ P[j]) for i in range(m) for j in range(m)
    )
    adjusted = Phi + 2 * Phi @ middle @ Phi
    df = "kenward-roger" if information == "observed" else "kenward-roger-expected"
    order = ["Intercept", "visit[1 year]", "visit[3 years]", "age"]
    table = summarize(ours, df=df)
    assert list(table.frame["term"]) == order
    np.testing.assert_allclose(table.vcov, adjusted, rtol=1e-7, atol=1e-12)
    slopes = np.array([[-(Phi @ p @ Phi)[k, k] for p in P] for k in range(4)])
    np.testing.assert_allclose(
        table.frame["df"], 2 * np.diag(Phi) ** 2 / np.einsum("ki,ij,kj->k", slopes, W, slopes), rtol=1e-6
    )


def test_subjects_without_the_outcome_change_nothing():
    frame = scores(30, seed=5, seen=0.8)
    extra = pd.DataFrame(
        {
            "id": ["Z1", "Z2"],
            "visit": ["baseline", "1 year"],
            "score": [np.nan] * 2,
            "sex": ["F", "M"],
            "age": [80.0, 20.0],
        }
    )
    one, two = (fit(MMRM("score ~ visit * sex"), cohort_of(data)) for data in (frame, pd.concat([frame, extra])))
    assert (one.n_subjects, one.design.n_cohort, two.n_subjects, two.design.n_cohort) == (30, 30, 30, 32)
    pd.testing.assert_frame_equal(summarize(one).frame, summarize(two).frame)


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_location_and_scale(method):
    frame = scores(35, seed=6, seen=0.8)
    a, b = -7.0, 12.5
    one = fit(MMRM("score ~ visit * sex + age", method=method), cohort_of(frame))
    two = fit(MMRM("score ~ visit * sex + age", method=method), cohort_of(frame.assign(score=a + b * frame["score"])))
    n, p = one.n_obs, len(one.coef)
    factor = n - p if method == "reml" else n
    assert -2 * two.loglik == pytest.approx(-2 * one.loglik + 2 * factor * np.log(abs(b)), rel=IDENTITY)
    first, second = (summarize(f).frame.set_index("term").drop("Intercept") for f in (one, two))
    np.testing.assert_allclose(second["estimate"], b * first["estimate"], rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(second[["df", "p_value"]], first[["df", "p_value"]], rtol=1e-6)


def test_reml_does_not_depend_on_the_coordinates_of_x():
    cohort = cohort_of(scores(40, seed=9, seen=0.75))
    texts = [
        "score ~ visit * sex + age",
        "score ~ 0 + visit:sex + age",
        'score ~ coded(visit, "sum") * coded(sex, "sum") + standardize(age)',
        'score ~ coded(visit, "sequential") * sex + center(age)',
        'score ~ coded(visit, "polynomial") * coded(sex, "helmert") + per(age, 10)',
    ]
    fits = [fit(MMRM(text), cohort) for text in texts]
    changes = [contrast(emmeans(f, "visit", by="sex"), "vs_baseline").frame for f in fits]
    # The REML constant log|X'X| moves with the coordinates; everything that is about the data stays.
    for other, change in zip(fits[1:], changes[1:], strict=True):
        np.testing.assert_allclose(other.covariance, fits[0].covariance, rtol=1e-7)
        numbers = ["estimate", "std_error", "df", "p_value", "conf_low", "conf_high"]
        np.testing.assert_allclose(change[numbers], changes[0][numbers], rtol=1e-6)


def test_years_as_visits_in_a_saturated_polynomial():
    """Three visits: a quadratic in years says the same as a factor."""
    cohort = cohort_of(scores(30, seed=2, seen=0.8))
    factor = emmeans(fit(MMRM("score ~ visit"), cohort), "visit").frame
    curve = emmeans(fit(MMRM("score ~ years + power(years, 2)"), cohort), "years").frame
    assert list(curve["years"]) == list(TIMES.values())
    numbers = ["estimate", "std_error", "df", "n"]
    np.testing.assert_allclose(curve[numbers], factor[numbers], rtol=1e-7)


def test_one_visit_is_the_pooled_t_test():
    frame = scores(24, seed=4)
    frame = frame[frame["visit"] == "baseline"]
    a, b = (frame.loc[frame["sex"] == sex, "score"] for sex in ("M", "F"))
    reference = stats.ttest_ind(a, b)
    ours = summarize(fit(MMRM("score ~ sex"), cohort_of(frame))).frame.set_index("term").loc["sex[M]"]
    assert ours["statistic"] == pytest.approx(reference.statistic, rel=IDENTITY)
    assert ours["df"] == pytest.approx(22, rel=IDENTITY)
    assert ours["p_value"] == pytest.approx(reference.pvalue, rel=IDENTITY)
