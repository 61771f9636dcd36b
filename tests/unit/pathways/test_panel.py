"""Panel models of a cohort: what they are identical to, what they say, and what they refuse."""

import warnings

import numpy as np
import pandas as pd
import pytest
from tolerances import IDENTITY

from burnout_stats import figures, tables
from burnout_stats.cohort import read_cohort
from burnout_stats.display import to_text
from burnout_stats.errors import DisclosureError, ModelError, StudyError
from burnout_stats.notices import BurnoutStatsWarning
from burnout_stats.pathways import artefact_check, cross_lagged, fit_indices, paths, random_intercept, synchronous

TIMES = {"start": 0, "1 year": 1, "3 years": 3}


def scores_of(n=150, seed=2, lasting=0.6, cause=0.0, noise=0.5):
    """x and y (n, 3) that share a lasting cause and have errors; `cause` adds to y at each visit what x was before."""
    rng = np.random.default_rng(seed)
    trait = rng.standard_normal((n, 2)) @ np.linalg.cholesky([[1.0, lasting], [lasting, 1.0]]).T
    x = trait[:, :1] + noise * rng.standard_normal((n, 3))
    y = trait[:, 1:] + noise * rng.standard_normal((n, 3))
    for k in (1, 2):
        y[:, k] += cause * x[:, k - 1] * k
    return x, y


def cohort_of(x, y, *, gone=0.0, seed=1):
    n = len(x)
    rng = np.random.default_rng(seed)
    stays = rng.random((n, 3)) >= gone
    stays[:, 0] = True
    sex, age = np.where(rng.random(n) < 0.5, "F", "M"), rng.normal(45, 8, n).round(1)
    parts = [
        pd.DataFrame({"id": np.arange(n), "visit": visit, "x": x[:, k], "y": y[:, k], "sex": sex, "age": age})[
            stays[:, k]
        ]
        for k, visit in enumerate(TIMES)
    ]
    return read_cohort(
        pd.concat(parts),
        subject="id",
        visit="visit",
        times=TIMES,
        outcomes=["x", "y"],
        covariates={"sex": {"levels": ["F", "M"]}, "age": {"unit": "years"}},
    )


def quiet(verb, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BurnoutStatsWarning)
        return verb(*args, **kwargs)


@pytest.fixture(scope="module")
def scores():
    return scores_of()


@pytest.fixture(scope="module")
def cohort(scores):
    return cohort_of(*scores)


@pytest.fixture(scope="module")
def incomplete(scores):
    return cohort_of(*scores, gone=0.25)


def row(estimates, source, to, path=""):
    frame = estimates.frame
    found = frame[frame["from"].eq(source) & frame["to"].eq(to) & frame["path"].str.startswith(path)]
    assert len(found) == 1
    return found.iloc[0]


def test_cross_lagged_paths_of_complete_data_are_least_squares(cohort, scores):
    x, y = scores
    found = paths(quiet(cross_lagged, cohort, "x", "y"))
    W = np.column_stack([np.ones(len(x)), x[:, 0], y[:, 0]])
    slopes, squares, *_ = np.linalg.lstsq(W, y[:, 1], rcond=None)
    assert row(found, "X, start", "Y, 1 year")["estimate"] == pytest.approx(slopes[1], rel=IDENTITY)
    error = np.sqrt(squares[0] / len(x) * np.linalg.inv(W.T @ W)[1, 1])  # the maximum likelihood one divides by n
    assert row(found, "X, start", "Y, 1 year")["std_error"] == pytest.approx(error, rel=1e-6)


def test_synchronous_paths_of_complete_data_are_instrumental_variables(cohort, scores):
    x, y = scores
    found = paths(synchronous(cohort, "x", "y"))
    Z = np.column_stack([np.ones(len(x)), x[:, 0], y[:, 0]])
    W = np.column_stack([np.ones(len(x)), x[:, 1], y[:, 0]])
    slopes = np.linalg.solve(Z.T @ W, Z.T @ y[:, 1])
    assert row(found, "X, 1 year", "Y, 1 year", "synchronous")["estimate"] == pytest.approx(slopes[1], rel=1e-6)


def test_the_two_families_fit_two_visits_alike(incomplete):
    lagged, together = quiet(cross_lagged, incomplete, "x", "y"), synchronous(incomplete, "x", "y")
    assert lagged.loglik == pytest.approx(together.loglik, rel=IDENTITY)
    assert lagged.loglik == pytest.approx(lagged.estimated.saturated_loglik, rel=IDENTITY)
    assert lagged.df == together.df == 0
    for fit in (lagged, together):
        notes = " ".join(paths(fit).about.notes)
        assert "cannot tell which family" in notes
        assert "no fit index is given" in notes
        assert "CFI" not in notes


@pytest.mark.raises_code("E-MODEL-JUST-IDENTIFIED")
def test_a_model_without_degrees_of_freedom_has_no_fit_index(cohort):
    with pytest.raises(ModelError):
        fit_indices(synchronous(cohort, "x", "y"))


def test_degrees_of_freedom(cohort):
    assert quiet(cross_lagged, cohort, "x", "y", waves=3).df == 4
    assert quiet(random_intercept, cohort, "x", "y").df == 1
    assert synchronous(cohort, "x", "y", direction="y_to_x").df == 1
    assert synchronous(cohort, "x", "y", residual_covariance=False).df == 1


def test_random_intercepts_say_what_three_visits_give(cohort):
    notes = " ".join(paths(quiet(random_intercept, cohort, "x", "y")).about.notes)
    assert "20 of 21" in notes
    assert "1 year, 2 years" in notes
    assert "not held equal" in notes


def test_notes_speak_of_associations_and_of_missing_scores(incomplete):
    for fit in (quiet(cross_lagged, incomplete, "x", "y", waves=3), quiet(random_intercept, incomplete, "x", "y")):
        text = to_text(tables.paths(paths(fit))).casefold()
        assert "missing at random" in text
        assert "associated" in text
        assert "effect" not in text


def test_a_covariate_enters_every_later_equation(cohort, scores):
    x, y = scores
    fit = quiet(cross_lagged, cohort, "x", "y", covariates=["sex", "age"])
    frame = cohort.to_frame("wide")
    W = np.column_stack([np.ones(len(x)), x[:, 0], y[:, 0], frame["sex"].eq("M").astype(float), frame["age"]])
    slopes = np.linalg.lstsq(W, y[:, 1], rcond=None)[0]
    found = paths(fit)
    assert fit.df == 0
    assert row(found, "Sex (M)", "Y, 1 year")["estimate"] == pytest.approx(slopes[3], rel=1e-6)
    assert row(found, "X, start", "Y, 1 year")["estimate"] == pytest.approx(slopes[1], rel=1e-6)


def test_standardized_paths_are_those_of_standardized_scores(scores):
    x, y = scores
    z = [(part - part.mean(0)) / part.std(0) for part in (x, y)]
    raw = paths(quiet(cross_lagged, cohort_of(*scores), "x", "y"), standardized=True)
    ready = paths(quiet(cross_lagged, cohort_of(*z), "x", "y"))
    lagged = raw.frame["path"].isin(["autoregressive", "cross-lagged"])
    np.testing.assert_allclose(raw.frame.loc[lagged, "estimate"], ready.frame.loc[lagged, "estimate"], rtol=1e-6)


def test_turning_x_and_y_round_changes_no_number(incomplete):
    one, other = (quiet(cross_lagged, incomplete, *pair, waves=3) for pair in (("x", "y"), ("y", "x")))
    assert one.loglik == pytest.approx(other.loglik, rel=IDENTITY)
    a, b = (row(paths(fit), "X, 1 year", "Y, 3 years") for fit in (one, other))
    assert a["estimate"] == pytest.approx(b["estimate"], rel=1e-6)


# ---- artefact checks


def test_checks_of_complete_data_are_three_regressions(cohort, scores):
    x, y = scores
    found = quiet(artefact_check, cohort, "x", "y").frame
    one = np.ones(len(x))
    expected = [
        np.linalg.lstsq(np.column_stack([one, x[:, 0], y[:, 0]]), y[:, 1], rcond=None)[0][1],
        np.linalg.lstsq(np.column_stack([one, x[:, 0], y[:, 1]]), y[:, 0], rcond=None)[0][1],
        np.linalg.lstsq(np.column_stack([one, x[:, 0]]), y[:, 1] - y[:, 0], rcond=None)[0][1],
    ]
    np.testing.assert_allclose(found.loc[found["outcome"].eq("y"), "estimate"], expected, rtol=1e-6)


@pytest.mark.parametrize("vcov", ["model", "robust"])
def test_the_first_check_is_the_cross_lagged_path(incomplete, vcov):
    check = quiet(artefact_check, incomplete, "x", "y", covariates=["age"], vcov=vcov).frame.iloc[0]
    path = row(paths(quiet(cross_lagged, incomplete, "x", "y", covariates=["age"]), vcov=vcov), "X, start", "Y, 1 year")
    assert check["estimate"] == pytest.approx(path["estimate"], rel=1e-6)
    # both are from all who have a score at the two visits
    assert check["std_error"] == pytest.approx(path["std_error"], rel=1e-6)


@pytest.mark.raises_code("N-MODEL-ARTEFACT")
def test_a_shared_lasting_cause_is_flagged(cohort):
    with pytest.warns(BurnoutStatsWarning, match="N-MODEL-ARTEFACT"):
        fit = cross_lagged(cohort, "x", "y")
    assert "disagree" in " ".join(paths(fit).about.notes)
    with pytest.warns(BurnoutStatsWarning, match="N-MODEL-ARTEFACT"):
        found = artefact_check(cohort, "x", "y")
    assert [notice.code for notice in found.notices] == ["N-MODEL-ARTEFACT"]


def test_a_change_that_goes_with_x_is_not_flagged():
    x, y = scores_of(n=400, lasting=0.0, cause=0.7)
    cohort = cohort_of(x, y)
    found = quiet(artefact_check, cohort, "x", "y").frame
    a, b, c = found.loc[found["outcome"].eq("y"), "estimate"]
    assert a > 0 > b
    assert c > 0
    assert "X, start" not in " ".join(n.message for n in quiet(artefact_check, cohort, "x", "y").notices)


# ---- trouble


@pytest.mark.raises_code("N-MODEL-NEGATIVE-VARIANCE")
def test_a_negative_variance_between_persons_is_told():
    rng = np.random.default_rng(8)
    e = rng.standard_normal((200, 3, 2))
    e[:, 1] += 0.8 * e[:, 0]
    e[:, 2] -= 0.9 * e[:, 0]  # the first and the last visit go against each other: no level that lasts
    with pytest.warns(BurnoutStatsWarning, match="N-MODEL-NEGATIVE-VARIANCE"):
        fit = random_intercept(cohort_of(e[:, :, 0], e[:, :, 1]), "x", "y")
    standard = paths(fit, standardized=True, which="all").frame
    assert (paths(fit, which="all").frame["estimate"].notna()).all()
    assert standard.loc[standard["path"].eq("between persons"), "estimate"].isna().all()
    assert "not estimable" in figures.path_diagram(paths(fit, standardized=True)).long_description


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda c: cross_lagged(c, "x", "z"), "E-STUDY-COLUMN"),
        (lambda c: cross_lagged(c, "x", "x"), "E-STUDY-VALUE"),
        (lambda c: cross_lagged(c, "x", "y", waves=7), "E-STUDY-VISITS"),
        (lambda c: cross_lagged(c, "x", "y", waves=2, visits=["start", "1 year"]), "E-STUDY-VISITS"),
        (lambda c: cross_lagged(c, "x", "y", visits=["start", "2 years"]), "E-STUDY-VISITS"),
        (lambda c: cross_lagged(c, "x", "y", covariates=["x"]), "E-STUDY-COLUMN"),
        (lambda c: synchronous(c, "x", "y", visits=list(TIMES)), "E-STUDY-VISITS"),
        (lambda c: synchronous(c, "x", "y", direction="up"), "E-STUDY-OPTION"),
        (lambda c: random_intercept(c, "x", "y", visits=["start", "1 year"]), "E-STUDY-VISITS"),
        (lambda c: artefact_check(c, "x", "y", visits=list(TIMES)), "E-STUDY-VISITS"),
        (lambda c: artefact_check(c, "x", "y", vcov="bayes"), "E-STUDY-OPTION"),
        (lambda c: paths(synchronous(c, "x", "y"), which="none"), "E-STUDY-OPTION"),
        (lambda c: paths(synchronous(c, "x", "y"), conf_level=95), "E-STUDY-VALUE"),
    ],
)
def test_questions_that_cannot_be_asked(cohort, ask, code):
    with pytest.raises(StudyError) as caught:
        ask(cohort)
    assert caught.value.code == code


def test_a_copy_of_a_score_has_no_answer(scores):
    x, _ = scores
    with pytest.raises(ModelError) as caught:
        quiet(cross_lagged, cohort_of(x, 2 * x + 1), "x", "y")
    assert caught.value.code == "E-MODEL-NOT-IDENTIFIED"


# ---- what is shown


def test_tables_set_standardized_values_beside(cohort):
    fit = quiet(cross_lagged, cohort, "x", "y", waves=3)
    text = to_text(tables.paths(paths(fit), paths(fit, standardized=True)))
    assert "Standardized" in text
    assert "autoregressive" in text
    assert "RMSEA" in to_text(tables.fit_indices(fit_indices(fit)))
    assert "earlier given later" in to_text(tables.artefact_check(quiet(artefact_check, cohort, "x", "y")))
    with pytest.raises(StudyError):
        tables.paths(paths(fit), paths(fit, standardized=True, which="all"))
    with pytest.raises(StudyError):
        tables.fit_indices(paths(fit))


@pytest.mark.parametrize("verb", [cross_lagged, synchronous, random_intercept])
def test_the_diagram_tells_its_numbers(cohort, verb):
    found = paths(quiet(verb, cohort, "x", "y"))
    figure = figures.path_diagram(found)
    lagged = found.frame[found.frame["path"].isin(["cross-lagged", "synchronous"])]
    for value in lagged["estimate"]:
        assert f"{abs(value):.2f}" in figure.alt
    drawn = figure.svg()
    assert drawn.startswith("<svg")
    assert "nan" not in drawn
    with pytest.raises(StudyError):
        figures.path_diagram(quiet(artefact_check, cohort, "x", "y"))


def test_few_persons_are_not_drawn(cohort):
    from dataclasses import replace

    from burnout_stats.estimates import Policy

    fit = replace(quiet(cross_lagged, cohort, "x", "y"), policy=Policy(min_cell=200))
    with pytest.raises(DisclosureError):
        figures.path_diagram(paths(fit))
    assert "hidden" in to_text(tables.paths(paths(fit)))
