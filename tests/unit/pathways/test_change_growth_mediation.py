"""The questions of change, growth, mediation and invariance: what they refuse, what they say, what they answer."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from burnout_stats import pathways, tables
from burnout_stats.cohort import read_cohort
from burnout_stats.engine.structural import Rows, Saturated, fit_stack
from burnout_stats.errors import ModelError, StudyError
from burnout_stats.notices import BurnoutStatsWarning
from burnout_stats.pathways import _mediation, change_scores, growth, growth_shapes, invariance, mediation
from burnout_stats.pathways._fitting import chosen
from burnout_stats.studies import example

TIMES = {"baseline": 0, "1 year": 1, "3 years": 3}
CHAIN = ("coping", "job_stress", "exhaustion")


@cache
def villa():
    return example("villa_sana")


def cohort(wide, names, times=None):
    """A cohort of wide scores (n, V, K)."""
    times = times or TIMES
    n, V, K = wide.shape
    long = pd.DataFrame({"id": np.repeat(np.arange(n), K), "visit": np.tile(list(times), n)})
    for v in range(V):
        long[names[v]] = wide[:, v].ravel()
    return read_cohort(long, subject="id", visit="visit", times=times, outcomes=list(names))


def scores(n=60, seed=3):
    rng = np.random.default_rng(seed)
    level = rng.normal(size=(n, 1, 1))
    return level + 0.5 * rng.normal(size=(n, 3, 3)) - np.array([0, 0.5, 0.5])


def terms(estimates, **named):
    frame = estimates.frame
    for name, value in named.items():
        frame = frame[frame[name] == value]
    return frame.set_index("term")


# ---- what is refused


@pytest.mark.raises_code("E-STUDY-COLUMN")
@pytest.mark.parametrize("name", ["exaustion", "sex"])
def test_only_numeric_columns_change(name):
    with pytest.raises(StudyError, match="numeric column"):
        change_scores(villa(), name)


@pytest.mark.raises_code("E-STUDY-VISITS")
@pytest.mark.parametrize(
    "ask",
    [
        lambda c: growth(c, "exhaustion", visits=["baseline", "1 year"]),
        lambda c: change_scores(c, "exhaustion", visits=["baseline", "2 years"]),
        lambda c: growth(c, "exhaustion", shape="piecewise", knot="3 years"),
        lambda c: mediation(c, *CHAIN, seed=1, visits=("baseline", "baseline")),
    ],
)
def test_visits_that_do_not_do(ask):
    with pytest.raises(StudyError):
        ask(villa())


@pytest.mark.raises_code("E-STUDY-OPTION")
@pytest.mark.parametrize(
    "ask",
    [
        lambda c: growth(c, "exhaustion", shape="quadratic"),
        lambda c: growth_shapes(c, "exhaustion", shapes=["cubic"]),
        lambda c: growth(c, "exhaustion", errors="some"),
        lambda c: change_scores(c, "exhaustion", changes="all_pairs"),
        lambda c: change_scores(c, "exhaustion", vcov="cr2"),
        lambda c: invariance(c, ["exhaustion", "job_stress", "coping"], levels=["weak"]),
    ],
)
def test_unknown_options(ask):
    with pytest.raises(StudyError):
        ask(villa())


@pytest.mark.raises_code("E-STUDY-VALUE")
@pytest.mark.parametrize(
    "ask",
    [
        lambda c: change_scores(c, []),
        lambda c: change_scores(c, ["exhaustion", "exhaustion"]),
        lambda c: change_scores(c, "exhaustion", reliability=0.8, error_variance=0.1),
        lambda c: change_scores(c, "exhaustion", reliability=1.2),
        lambda c: change_scores(c, ["exhaustion", "job_stress"], reliability={"exhaustion": 0.8}),
        lambda c: change_scores(c, "exhaustion", error_variance=9.0),
        lambda c: change_scores(c, "exhaustion", items={"exhaustion": ["job_stress", "coping"]}),
        lambda c: growth(c, "exhaustion", reliability=0.8, error_variance=0.1),
        lambda c: growth(c, "exhaustion", conf_level=95),
        lambda c: mediation(c, *CHAIN, seed=1, n_resamples=10),
        lambda c: invariance(c, ["exhaustion", "job_stress"]),
        lambda c: tables.growth(growth_shapes(c, "exhaustion")),
        lambda c: tables.growth_shapes(growth(c, "exhaustion")),
        lambda c: tables.change_scores(growth(c, "exhaustion")),
        lambda c: tables.mediation(growth(c, "exhaustion")),
        lambda c: tables.invariance(growth(c, "exhaustion")),
    ],
)
def test_values_that_do_not_do(ask):
    with pytest.raises(StudyError):
        ask(villa())


@pytest.mark.raises_code("E-MODEL-NOT-IDENTIFIED")
@pytest.mark.parametrize("shape", ["step", "piecewise"])
def test_three_visits_do_not_tell_level_from_a_step_with_an_error_of_its_own_at_every_visit(shape):
    with pytest.raises(ModelError):
        growth(villa(), "exhaustion", shape=shape, errors="free")


@pytest.mark.raises_code("E-MODEL-NO-SPREAD")
def test_a_score_that_is_the_same_for_all():
    Y = scores()
    Y[:, 0, 1] = 2.0
    with pytest.raises(ModelError, match="a at 1 year"):
        change_scores(cohort(Y, "abc"), "a")


@pytest.mark.raises_code("N-MODEL-NEGATIVE-VARIANCE")
def test_a_variance_below_0_is_told_and_its_correlation_withheld():
    rng = np.random.default_rng(4)
    Y = rng.normal(size=(80, 1, 1)) + rng.normal(size=(80, 1, 3)) * np.array([0.3, 0.9, 0.3])
    with pytest.warns(BurnoutStatsWarning, match="NEGATIVE-VARIANCE"):
        found = growth(cohort(Y, ("y",)), "y", shape="linear")
    at = terms(found)
    assert at.loc["variance of the change, per year", "estimate"] < 0
    assert np.isnan(at.loc["correlation of baseline with the change, per year", "estimate"])
    assert found.notices


@pytest.mark.raises_code("N-MODEL-NEGATIVE-VARIANCE")
def test_a_reliability_that_leaves_no_variance_of_the_change():
    with pytest.warns(BurnoutStatsWarning, match="leaves no variance"):
        found = change_scores(villa(), ["exhaustion", "job_stress"], reliability=0.3)
    latent = found.frame[found.frame["scores"] == "latent"].set_index("term")["estimate"]
    assert np.isnan(latent.loc["correlation of the changes, 3 years - 1 year"])
    assert found.notices


@pytest.mark.raises_code("E-MODEL-BOOTSTRAP")
def test_too_few_persons_for_resamples():
    with pytest.raises(ModelError):
        mediation(cohort(scores(8), "abc"), *"abc", seed=1, n_resamples=100)


@pytest.mark.raises_code("N-MODEL-REPLICATES")
def test_resamples_that_were_lost_are_told():
    with pytest.warns(BurnoutStatsWarning, match="REPLICATES"):
        found = mediation(cohort(scores(11, seed=8), "abc"), *"abc", seed=1, n_resamples=100)
    assert np.isfinite(found.frame["conf_low"]).all()


# ---- what is answered


def test_complete_changes_are_those_of_the_differences():
    Y = scores()
    found = change_scores(cohort(Y, "abc"), ["a", "b"], changes="vs_baseline")
    D = Y[:, :, 1:] - Y[:, :, :1]
    at = terms(found, outcome="a, b")
    for k, visit in enumerate(("1 year", "3 years")):
        r = np.corrcoef(D[:, 0, k], D[:, 1, k])[0, 1]
        row = at.loc[f"correlation of the changes, {visit} - baseline"]
        np.testing.assert_allclose(row["estimate"], r, rtol=1e-8)
        np.testing.assert_allclose(row["std_error"], (1 - r**2) / np.sqrt(len(Y)), rtol=1e-6)
        np.testing.assert_allclose(row["conf_low"], np.tanh(np.arctanh(r) - norm.ppf(0.975) / np.sqrt(len(Y))))
    mean = terms(found, outcome="a").loc["mean change, 3 years - baseline"]
    np.testing.assert_allclose(mean["estimate"], D[:, 0, 1].mean(), rtol=1e-8)
    np.testing.assert_allclose(mean["std_error"], D[:, 0, 1].std() / np.sqrt(len(Y)), rtol=1e-8)


def test_a_perfect_reliability_leaves_the_observed_numbers():
    found = change_scores(villa(), ["exhaustion", "job_stress"], reliability=1.0).frame
    latent = found[found["scores"] == "latent"].set_index(["outcome", "term"])
    observed = found[found["scores"] == "observed"].set_index(["outcome", "term"]).loc[latent.index]
    columns = ["estimate", "std_error", "conf_low", "conf_high"]
    np.testing.assert_allclose(latent[columns], observed[columns])


def test_errors_weaken_the_correlation_of_changes():
    """Cov of changes is untouched by unrelated errors, their variances lose 2 D: by hand."""
    found = change_scores(
        villa(),
        ["exhaustion", "job_stress"],
        visits=["baseline", "1 year"],
        error_variance={"exhaustion": 0.1, "job_stress": 0.05},
    )
    year = "1 year - baseline"
    r = terms(found, scores="observed").loc[f"correlation of the changes, {year}", "estimate"]
    spread = found.frame[found.frame["term"] == f"variance of the change, {year}"]
    spread = spread.set_index(["outcome", "scores"])["estimate"]
    e, j = (spread[name, "observed"] for name in ("exhaustion", "job_stress"))
    np.testing.assert_allclose(spread["exhaustion", "latent"], e - 0.2)
    expected = r * np.sqrt(e * j / ((e - 0.2) * (j - 0.1)))
    got = terms(found, scores="latent").loc[f"correlation of the changes, {year}", "estimate"]
    np.testing.assert_allclose(got, expected)


def test_two_pieces_with_a_known_error_are_the_latent_changes():
    pieces = terms(growth(villa(), "exhaustion", shape="piecewise", error_variance=0.1))
    changes = terms(change_scores(villa(), "exhaustion", error_variance=0.1))
    for piece, change, gap in (
        ("baseline to 1 year", "1 year - baseline", 1),
        ("1 year to 3 years", "3 years - 1 year", 2),
    ):
        yearly, whole = pieces.loc[f"mean change, per year, {piece}"], changes.loc[f"mean change, {change}"]
        np.testing.assert_allclose(
            gap * yearly[["estimate", "std_error"]].astype(float),
            whole[["estimate", "std_error"]].astype(float),
            rtol=1e-6,
        )
    own = pieces.loc["correlation of the changes, per year, baseline to 1 year with per year, 1 year to 3 years"]
    other = terms(change_scores(villa(), "exhaustion", error_variance=0.1), scores="latent")
    other = other.loc["correlation of the changes, 1 year - baseline with 3 years - 1 year"]
    np.testing.assert_allclose(own["estimate"], other["estimate"], rtol=1e-6)


def test_a_step_is_a_basis_whose_share_is_one():
    found = growth_shapes(villa(), "exhaustion").frame
    step = found[(found["model"] == "step") & (found["against"] == "latent basis")].set_index("measure")
    share = terms(growth(villa(), "exhaustion")).loc["share of the change reached, 1 year"]
    wald = ((share["estimate"] - 1) / share["std_error"]) ** 2
    np.testing.assert_allclose(step.loc["chi-square difference", "estimate"], wald, rtol=0.5)


def test_expected_means_of_a_saturated_mean_are_those_of_the_change_scores():
    at = terms(growth(villa(), "exhaustion", shape="piecewise", reliability=0.9))
    changes = terms(change_scores(villa(), "exhaustion"))
    total = (
        changes.loc["mean, baseline", "estimate"]
        + changes.loc[["mean change, 1 year - baseline", "mean change, 3 years - 1 year"], "estimate"].sum()
    )
    np.testing.assert_allclose(at.loc["expected mean, 3 years", "estimate"], total, rtol=1e-6)


def test_complete_mediation_is_least_squares():
    Y = scores()
    found = terms(mediation(cohort(Y, "abc"), *"abc", seed=1, n_resamples=100), interval="normal")
    first, later = Y[:, :, 0], Y[:, :, 2] - Y[:, :, 0]
    one = np.ones((len(Y), 1))
    a = np.linalg.lstsq(np.hstack([one, first, later[:, :1]]), later[:, 1], rcond=None)[0][-1]
    *_, b, c = np.linalg.lstsq(np.hstack([one, first, later[:, [1, 0]]]), later[:, 2], rcond=None)[0]
    np.testing.assert_allclose(found["estimate"], [a, b, c, c + a * b], rtol=1e-7)


def test_the_monte_carlo_interval_is_that_of_the_product_of_two_normals():
    found = mediation(villa(), *CHAIN, seed=2, n_resamples=100).frame.set_index(["interval"])
    (a, b), (s, t) = (found.loc["normal", name].iloc[:2] for name in ("estimate", "std_error"))
    limits = found.loc["Monte Carlo", ["conf_low", "conf_high"]]

    def below(q):
        """P(ab < q) for unrelated a and b."""
        return quad(lambda x: norm.pdf(x, a, s) * norm.cdf(q / x, b, t), max(1e-9, a - 8 * s), a + 8 * s)[0]

    assert a - 4 * s > 0  # else the sign of a would turn the inequality
    error = np.sqrt(0.025 * 0.975 / 20_000)
    np.testing.assert_allclose([below(q) for q in limits], [0.025, 0.975], atol=4 * error)


def test_what_is_refitted_to_resamples_is_the_model_itself():
    """a, b and c from the saturated mean and covariance, which the resamples are fitted by, and from the model."""
    data = chosen(villa(), CHAIN, ("baseline", "3 years")).flat
    saturated = Saturated(n_observed=6)
    Sigma = saturated.moments(fit_stack(Rows.of(data).sums(), saturated).theta)[1][0]
    ours = np.array(_mediation.chain(Sigma))
    found = terms(mediation(villa(), *CHAIN, seed=1, n_resamples=100), interval="normal")["estimate"]
    np.testing.assert_allclose(ours, found.iloc[:3], rtol=1e-6)


def test_resamples_do_not_depend_on_the_chunk(monkeypatch):
    ask = {"seed": 5, "n_resamples": 120, "n_draws": 1000}
    once = mediation(villa(), *CHAIN, **ask).frame
    monkeypatch.setattr(_mediation, "CHUNK", 50)
    pd.testing.assert_frame_equal(mediation(villa(), *CHAIN, **ask).frame, once)
    other = mediation(villa(), *CHAIN, **(ask | {"seed": 6})).frame
    assert (other["conf_low"].iloc[-2:] != once["conf_low"].iloc[-2:]).all()


def test_changes_over_different_times_lose_the_note_on_the_same_time():
    over = {
        "coping": ("baseline", "1 year"),
        "job_stress": ("1 year", "3 years"),
        "exhaustion": ("baseline", "3 years"),
    }
    apart = mediation(villa(), *CHAIN, seed=1, n_resamples=100, visits=over)
    together = mediation(villa(), *CHAIN, seed=1, n_resamples=100)
    assert not any("same time" in note for note in apart.about.notes)
    assert any("same time" in note for note in together.about.notes)
    assert any("No causal reading is claimed" in note for note in apart.about.notes)


def test_what_is_identified_is_said():
    said = " ".join(change_scores(villa(), "exhaustion").about.notes)
    assert "takes a reliability from elsewhere, or several indicators" in said
    assert "no fit index is given" in said
    said = " ".join(growth(villa(), "exhaustion", shape="piecewise").about.notes)
    assert "Three visits cannot tell a variance of the second change from error" in said
    said = " ".join(growth(villa(), "exhaustion", shape="linear").about.notes)
    assert "contradicts" in said


def test_four_visits_let_the_second_piece_vary():
    rng = np.random.default_rng(9)
    Y = rng.normal(size=(200, 1, 1)) + np.cumsum(0.6 * rng.normal(size=(200, 1, 4)), axis=2)
    Y += 0.4 * rng.normal(size=Y.shape)
    times = {"a": 0, "b": 1, "c": 2, "d": 4}
    found = growth(cohort(Y, ("y",), times), "y", shape="piecewise", knot="c")
    assert "variance of the change, per year, c to d" in set(found.frame["term"])
    assert not any("Three visits" in note for note in found.about.notes)


def test_robust_standard_errors_are_near_the_others_in_normal_data():
    model = change_scores(villa(), "exhaustion").frame["std_error"]
    robust = change_scores(villa(), "exhaustion", vcov="robust").frame["std_error"]
    np.testing.assert_allclose(robust, model, rtol=0.35)
    assert not np.allclose(robust, model, rtol=1e-6)


def test_items_of_two_variables():
    rng = np.random.default_rng(12)
    true = rng.multivariate_normal(
        [0, 0, -0.5, -0.3], [[1, 0.5, 0.6, 0.3], [0.5, 1, 0.3, 0.6], [0.6, 0.3, 1, 0.6], [0.3, 0.6, 0.6, 1]], 1500
    )
    answers = np.stack([true[:, [k % 2, 2 + k % 2]] + 0.6 * rng.normal(size=(1500, 2)) for k in range(4)], axis=1)
    names = ("x1", "y1", "x2", "y2")
    data = cohort(answers, names, {"start": 0, "end": 1})
    found = change_scores(data, ["x1", "y1"], items={"x1": ["x1", "x2"], "y1": ["y1", "y2"]})
    r = found.frame[found.frame["term"] == "correlation of the changes, end - start"].set_index("scores")["estimate"]
    np.testing.assert_allclose(r["observed"], 0.5 / (0.8 + 0.72), atol=0.08)  # by the covariances above
    np.testing.assert_allclose(r["latent"], 0.5 / 0.8, atol=0.12)


# ---- what is shown


def test_tables():
    villa_shapes = tables.growth_shapes(growth_shapes(villa(), "exhaustion"))
    assert [row.cells[0] for row in villa_shapes.rows] == ["linear", "step", "step", "latent basis", "piecewise"]
    assert villa_shapes.rows[2].cells[1:9] == ("",) * 8
    made = [
        tables.growth(growth(villa(), "exhaustion")),
        tables.change_scores(change_scores(villa(), "exhaustion", reliability=0.9)),
        tables.mediation(mediation(villa(), *CHAIN, seed=1, n_resamples=100)),
        tables.invariance(invariance(villa(), ["exhaustion", "job_stress", "depression"])),
    ]
    for table in made:
        assert "∞" not in str(table)
        assert table.notes


def test_the_verbs_are_public():
    assert {"change_scores", "growth", "growth_shapes", "invariance", "mediation"} <= set(pathways.__all__)
