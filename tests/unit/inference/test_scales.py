"""Means and contrasts of models of events, ordered categories and counts, on their scales."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

import burnout_stats as bs
from burnout_stats.cohort.roles import Outcome
from burnout_stats.engine.mean_scales import mean_of
from burnout_stats.inference.generalized import event_cells
from burnout_stats.inference.hurdle import hurdle_means
from burnout_stats.inference.scales import scaled
from burnout_stats.models import fit
from burnout_stats.models.gee import GEE
from burnout_stats.models.generalized import GLMM
from burnout_stats.models.generalized_fit import GeneralizedFit
from tests.tolerances import CLOSED_FORM, DERIVATIVE, IDENTITY


@pytest.fixture(scope="module")
def cohort() -> bs.Cohort:
    return bs.example("villa_sana")


@pytest.fixture(scope="module")
def leave(cohort: bs.Cohort) -> GeneralizedFit:
    return fit(GLMM("sick_leave ~ visit * sex + age + (1 | subject)"), cohort)


@pytest.fixture(scope="module")
def weeks(cohort: bs.Cohort) -> GeneralizedFit:
    with pytest.warns(bs.BurnoutStatsWarning, match="variance of the random"):
        return fit(GLMM("sick_leave_weeks ~ visit + (1 | subject)", family="negative_binomial"), cohort)


@pytest.fixture(scope="module")
def item(cohort: bs.Cohort) -> GeneralizedFit:
    codes = pd.cut(cohort.data["exhaustion"], [-1, 2, 2.7, 3.3, 4, 9], labels=False).astype(float)
    roles = {**cohort.outcome_roles, "item": Outcome("item", label="Burnout item")}
    other = replace(cohort, data=cohort.data.assign(item=codes), outcome_roles=roles)
    return fit(GLMM("item ~ visit + sex + (1 | subject)", family="ordinal"), other)


def test_response_is_the_inverse_link_and_its_limits_are_those_of_the_link(leave: GeneralizedFit) -> None:
    link, response = (bs.emmeans(leave, "visit", by="sex", scale=scale).frame for scale in ("link", "response"))
    for name in ("estimate", "conf_low", "conf_high"):
        np.testing.assert_allclose(response[name], expit(link[name]), rtol=IDENTITY)
    p = response["estimate"]
    np.testing.assert_allclose(response["std_error"], link["std_error"] * p * (1 - p), rtol=IDENTITY)
    assert response["p_value"].isna().all()


def test_marginal_probabilities_are_near_the_shares_that_were_seen(leave: GeneralizedFit) -> None:
    means = bs.emmeans(leave, "visit", scale="marginal")
    assert means.cells is not None
    seen = means.cells[:, 0] / means.cells.sum(axis=1)
    assert np.abs(means.frame["estimate"] - seen).max() < 0.01
    typical = bs.emmeans(leave, "visit", scale="response").frame["estimate"]
    assert np.abs(typical - seen).max() > 0.03  # they are not the same, as the note says
    assert "average over subjects" in means.about.notes[-1]


def test_derivatives_by_all_parameters(leave: GeneralizedFit, cohort: bs.Cohort) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bs.BurnoutStatsWarning)  # its correlation is at its end
        slopes = fit(GLMM("sick_leave ~ visit + (1 + years | subject)", n_nodes=5), cohort)
    for one in (leave, slopes):
        cells = one.grid.expanded(("visit",))
        mean = mean_of("binomial/logit")
        for scale in ("response", "marginal"):
            _, J = scaled(one, cells, mean, scale)
            for k in range(len(one.optimum.psi)):
                step = 1e-5 * np.eye(len(one.optimum.psi))[k]
                high, low = (scaled(_moved(one, sign * step), cells, mean, scale)[0] for sign in (1, -1))
                np.testing.assert_allclose(J[:, k], (high - low) / 2e-5, rtol=DERIVATIVE, atol=1e-8)


def _moved(one: GeneralizedFit, step: np.ndarray) -> GeneralizedFit:
    return replace(one, optimum=replace(one.optimum, psi=one.optimum.psi + step))


def test_an_average_over_a_factor_is_of_probabilities_where_it_is_marginal(leave: GeneralizedFit) -> None:
    shares = leave.grid.expanded(("visit",)).weights
    by_sex = bs.emmeans(leave, "visit", by="sex", scale="marginal").frame.pivot(index="visit", columns="sex")
    whole = bs.emmeans(leave, "visit", scale="marginal").frame.set_index("visit")["estimate"]
    np.testing.assert_allclose(by_sex["estimate"].to_numpy() @ shares, whole[by_sex.index], rtol=IDENTITY)


def test_odds_ratios_are_exponentials_of_differences_on_the_link(leave: GeneralizedFit) -> None:
    means = bs.emmeans(leave, "visit", by="sex")
    differences, ratios = bs.contrast(means), bs.contrast(means, measure="ratio")
    assert ratios.about.kind == "odds_ratios"
    for name in ("estimate", "conf_low", "conf_high"):
        np.testing.assert_allclose(ratios.frame[name], np.exp(differences.frame[name]), rtol=CLOSED_FORM)
    np.testing.assert_allclose(ratios.frame["p_value"], differences.frame["p_value"], rtol=CLOSED_FORM)
    assert ratios.frame["contrast"].iloc[0] == "1 year / baseline"
    response = bs.contrast(bs.emmeans(leave, "visit", by="sex", scale="response"), measure="odds_ratio")
    np.testing.assert_allclose(response.frame["estimate"], ratios.frame["estimate"], rtol=IDENTITY)
    np.testing.assert_allclose(response.frame["std_error"], ratios.frame["std_error"], rtol=IDENTITY)


def test_risk_differences_and_ratios_against_a_hand_computation(leave: GeneralizedFit) -> None:
    means = bs.emmeans(leave, "visit", scale="marginal")
    m, V = means.frame["estimate"].to_numpy(), means.vcov
    difference = bs.contrast(means).frame.iloc[0]
    assert difference["estimate"] == pytest.approx(m[1] - m[0], rel=CLOSED_FORM)
    assert difference["std_error"] == pytest.approx(np.sqrt(V[0, 0] + V[1, 1] - 2 * V[0, 1]), rel=CLOSED_FORM)
    ratio = bs.contrast(means, measure="ratio")
    D = np.array([-1 / m[0], 1 / m[1]])
    se = np.sqrt(D @ V[:2, :2] @ D)
    assert ratio.about.kind == "risk_ratios"
    assert ratio.frame["estimate"].iloc[0] == pytest.approx(m[1] / m[0], rel=CLOSED_FORM)
    assert ratio.frame["statistic"].iloc[0] == pytest.approx(np.log(m[1] / m[0]) / se, rel=CLOSED_FORM)
    both = bs.contrast(means, measure="odds_ratio").frame["estimate"].iloc[0]
    assert both == pytest.approx(np.exp(logit(m[1]) - logit(m[0])), rel=CLOSED_FORM)


def test_adjustment_and_joint_tests_of_probabilities(leave: GeneralizedFit) -> None:
    means = bs.emmeans(leave, "visit", scale="marginal")
    plain, holm = bs.contrast(means, "pairwise"), bs.contrast(means, "pairwise", adjust="holm")
    assert (holm.frame["p_value"] >= plain.frame["p_value"]).all()
    joint = bs.joint_test(leave, bs.contrast(means)).frame.iloc[0]
    d = bs.contrast(means)
    wald = d.frame["estimate"] @ np.linalg.solve(d.vcov, d.frame["estimate"]) / 2
    assert joint["statistic"] == pytest.approx(wald, rel=IDENTITY)
    assert joint["num_df"] == 2
    assert bs.term_tests(leave).frame["term"].tolist() == ["visit", "sex", "age", "visit:sex"]


def test_counts_have_means_and_rate_ratios(weeks: GeneralizedFit) -> None:
    link, response = (bs.emmeans(weeks, "visit", scale=scale) for scale in ("link", "response"))
    np.testing.assert_allclose(response.frame["estimate"], np.exp(link.frame["estimate"]), rtol=IDENTITY)
    ratios = bs.contrast(response, measure="ratio")
    assert (ratios.about.kind, response.about.quantity) == ("rate_ratios", "count")
    np.testing.assert_allclose(
        ratios.frame["estimate"], bs.contrast(link, measure="ratio").frame["estimate"], rtol=IDENTITY
    )


def test_ordered_categories(item: GeneralizedFit) -> None:
    each = bs.emmeans(item, "visit", scale="marginal")
    np.testing.assert_allclose(each.frame.groupby("visit")["estimate"].sum(), 1.0, rtol=IDENTITY)
    above = bs.emmeans(item, "visit", scale="marginal", categories="at_least")
    assert above.frame["category"].unique().tolist() == ["1 or higher", "2 or higher", "3 or higher", "4 or higher"]
    top = above.frame[above.frame["category"].eq("4 or higher")]["estimate"].to_numpy()
    np.testing.assert_allclose(top, each.frame[each.frame["category"].eq("4")]["estimate"], rtol=IDENTITY)
    changes = bs.contrast(above).frame
    assert len(changes) == 8
    assert (changes["estimate"] < 0).all()
    latent = bs.contrast(bs.emmeans(item, "visit"), measure="odds_ratio")
    assert latent.about.kind == "odds_ratios"
    # what the model says of every threshold is one odds ratio, for a typical subject
    typical = bs.contrast(bs.emmeans(item, "visit", scale="response", categories="at_least"), measure="odds_ratio")
    first = typical.frame[typical.frame["contrast"].eq("1 year / baseline")]["estimate"]
    np.testing.assert_allclose(first, latent.frame["estimate"].iloc[0], rtol=IDENTITY)


def test_averages_of_gee_are_averages_already(cohort: bs.Cohort) -> None:
    one = fit(GEE("sick_leave ~ visit"), cohort)
    response, marginal = (bs.emmeans(one, "visit", scale=scale) for scale in ("response", "marginal"))
    np.testing.assert_array_equal(response.frame["estimate"], marginal.frame["estimate"])
    np.testing.assert_allclose(response.frame["estimate"], expit(bs.emmeans(one, "visit").frame["estimate"]))
    assert np.isfinite(response.frame["df"]).all()
    assert "no random effects" in response.about.notes[-1]
    straight = fit(GEE("sick_leave ~ visit", link="identity"), cohort)
    with pytest.raises(bs.ModelError, match="identity"):
        bs.contrast(bs.emmeans(straight, "visit"), measure="ratio")


def test_without_variance_a_typical_subject_is_the_average(weeks: GeneralizedFit) -> None:
    assert not weeks.G.any()
    response, marginal = (bs.emmeans(weeks, "visit", scale=scale).frame for scale in ("response", "marginal"))
    np.testing.assert_allclose(response["std_error"], marginal["std_error"], rtol=IDENTITY)


def test_few_events_are_hidden(leave: GeneralizedFit) -> None:
    means = bs.emmeans(leave, "visit", by="sex", scale="marginal")
    assert means.cells is not None
    few = means.cells[:, 0] < 5
    assert few.any()
    assert event_cells(leave, means.frame[["visit", "sex"]]).tolist() == means.cells.tolist()  # type: ignore[union-attr]
    shown = bs.estimates.protect(means, leave.design.policy).frame
    assert shown.loc[few, "estimate"].isna().all()
    changes = bs.estimates.protect(bs.contrast(means, measure="ratio"), leave.design.policy).frame
    assert changes["hidden"].any()


@pytest.mark.raises_code("E-MODEL-SCALE")
def test_measured_outcomes_have_one_scale(cohort: bs.Cohort) -> None:
    measured = fit(bs.MMRM("exhaustion ~ visit"), cohort)
    with pytest.raises(bs.ModelError, match="one scale"):
        bs.emmeans(measured, "visit", scale="marginal")
    with pytest.raises(bs.ModelError, match="measured outcome"):
        bs.contrast(bs.emmeans(measured, "visit"), measure="ratio")


def test_what_is_not_made_for_probabilities_is_refused(leave: GeneralizedFit, item: GeneralizedFit) -> None:
    link, marginal = (bs.emmeans(leave, "visit", scale=scale) for scale in ("link", "marginal"))
    ratios = bs.contrast(marginal, measure="ratio")
    for question in (
        lambda: bs.standardize(bs.contrast(marginal), 0.5),
        lambda: bs.gain_kept(link),
        lambda: bs.area_under_curve(link),
        lambda: bs.noninferiority(ratios, margin=0.1, better="lower"),
        lambda: bs.contrast(ratios),
    ):
        with pytest.raises(bs.ModelError, match="asked of"):
            question()
    assert bs.gain_kept(marginal).frame["estimate"].iloc[0] > 0
    assert bs.noninferiority(bs.contrast(marginal), margin=0.1, better="lower").frame["p_value"].max() < 0.05
    with pytest.raises(bs.StudyError, match="categories"):
        bs.emmeans(leave, "visit", scale="marginal", categories="at_least")
    with pytest.raises(bs.StudyError, match="kind"):
        bs.combine(bs.contrast(link), bs.contrast(marginal))
    assert len(bs.combine(bs.contrast(marginal), bs.contrast(marginal))) == 4


@pytest.mark.raises_code("E-MODEL-MEASURED")
def test_questions_of_measured_outcomes_are_refused(leave: GeneralizedFit) -> None:
    for question in (
        lambda: bs.effect_sizes(leave),  # type: ignore[arg-type]
        lambda: bs.compare(leave, leave),  # type: ignore[arg-type]
        lambda: bs.confint(leave),  # type: ignore[arg-type]
        lambda: bs.bootstrap(leave, seed=1),  # type: ignore[arg-type]
        lambda: bs.influence(leave),  # type: ignore[arg-type]
        lambda: bs.icc(leave),  # type: ignore[arg-type]
        lambda: bs.r_squared(leave),  # type: ignore[arg-type]
        lambda: bs.predict(leave),  # type: ignore[arg-type]
        lambda: bs.residuals(leave),  # type: ignore[arg-type]
        lambda: bs.ranef(leave),  # type: ignore[arg-type]
        lambda: bs.term_tests(leave, 2),
    ):
        with pytest.raises(bs.ModelError, match="GLMM"):
            question()


def test_a_hurdle_has_the_mean_of_its_parts(cohort: bs.Cohort) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", bs.BurnoutStatsWarning)
        some = fit(GLMM("sick_leave_weeks ~ visit + (1 | subject)", case="> 0"), cohort)
        above = fit(GLMM("sick_leave_weeks ~ visit + (1 | subject)", family="negative_binomial", zeros="none"), cohort)
    found = hurdle_means(some, above, "visit")
    p, mu = (bs.emmeans(one, "visit", scale="marginal").frame for one in (some, above))
    np.testing.assert_allclose(found.frame["estimate"], p["estimate"] * mu["estimate"], rtol=CLOSED_FORM)
    variance = (mu["estimate"] * p["std_error"]) ** 2 + (p["estimate"] * mu["std_error"]) ** 2
    np.testing.assert_allclose(found.frame["std_error"] ** 2, variance, rtol=IDENTITY)
    seen = cohort.data.groupby("visit", observed=True)["sick_leave_weeks"].mean()
    assert np.abs(found.frame["estimate"].to_numpy() / seen.to_numpy() - 1).max() < 0.25
    assert bs.contrast(found, measure="ratio").about.kind == "rate_ratios"
    with pytest.raises(bs.StudyError, match="hurdle"):
        hurdle_means(above, some, "visit")
