"""draws, impute, analyse, pool: what they refuse, what they say, and that a seed decides everything."""

from __future__ import annotations

import numpy as np
import pytest
from cohorts import cohort_of, scores

from burnout_stats.errors import ModelError, StudyError
from burnout_stats.inference import contrast, emmeans, summarize, term_tests
from burnout_stats.models import MMRM, fit
from burnout_stats.notices import BurnoutStatsWarning
from burnout_stats.sensitivity import analyse, draws, impute, information, pool
from burnout_stats.studies import example

SPEC = MMRM("score ~ visit * sex")


def cohort(**roles):
    return cohort_of(scores(60, seed=1, seen=0.8), **roles)


def test_a_seed_gives_the_same_draws_and_other_seeds_give_others():
    one, same, other = (draws(SPEC, cohort(), n=6, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(impute(one).Y, impute(same).Y)
    assert not np.array_equal(one.B, other.B)


def test_what_was_seen_stays_as_it_was():
    found = impute(draws(SPEC, cohort(), n=6, seed=1), delta={"1 year": 3.0})
    seen = ~np.isnan(found.draws.data.wide.Y)
    assert np.array_equal(found.Y[3][seen], found.draws.data.wide.Y[seen])


def test_a_strategy_of_ones_own_has_the_last_word_on_what_follows_the_last_visit():
    def worst(pattern):
        mean = pattern.mean.copy()
        mean[..., pattern.places[pattern.last + 1 :]] = 100.0
        return mean, pattern.covariance

    frame = scores(60, seed=1, seen=0.8)
    found = impute(draws(SPEC, cohort_of(frame), method="conditional-mean", seed=1), worst)
    wide = found.draws.data.wide.Y
    dropped, gap = np.isnan(wide[:, 2]), np.isnan(wide[:, 1]) & ~np.isnan(wide[:, 2])
    assert dropped.any()
    assert gap.any()
    assert (found.Y[0][dropped, 2] > 50).all()
    assert (found.Y[0][gap, 1] < 10).all()
    assert (impute(found.draws, worst, gaps="strategy").Y[0][gap, 1] < 10).all(), (
        "the strategy leaves gaps as they were"
    )
    assert "Then: worst." in pool(analyse(found)).notes[0]


def test_numbers_say_what_missing_at_random_was_given():
    villa_sana = example("villa_sana")
    found = draws(
        MMRM("exhaustion ~ visit * sex"),
        villa_sana,
        auxiliaries=["job_stress[baseline]", "coping[baseline]"],
        n=4,
        seed=1,
    )
    notes = emmeans(pool(analyse(impute(found, delta={"3 years": 0.2}))), "visit").about.notes
    assert "Job stress (baseline), Emotion-focused coping (baseline), Sex" in " ".join(notes)
    assert "+0.2 at 3 years" in " ".join(notes)


def test_n_counts_those_who_were_seen():
    villa_sana = example("villa_sana")
    pooled = pool(analyse(impute(draws(MMRM("exhaustion ~ visit * sex"), villa_sana, n=4, seed=1))))
    means = emmeans(pooled, "visit", by="sex")
    seen = emmeans(fit(MMRM("exhaustion ~ visit * sex"), villa_sana), "visit", by="sex")
    assert means.frame["n"].tolist() == seen.frame["n"].tolist()
    assert contrast(means).frame["n"].max() < 117


def test_other_outcomes_are_imputed_together_and_analysed_by_models_of_their_own():
    found = impute(draws(MMRM("exhaustion ~ visit"), example("villa_sana"), outcomes=["job_stress"], n=5, seed=1))
    answers = summarize(pool(analyse(found, MMRM("job_stress ~ visit", covariance="cs")))).frame
    assert answers["outcome"].eq("job_stress").all()


def test_many_chains_do_not_change_what_the_first_ones_draw():
    few, many = (draws(SPEC, cohort(), n=n, seed=1, chains=chains) for n, chains in ((20, 20), (40, 40)))
    assert np.array_equal(few.B, many.B[:20])


@pytest.mark.raises_code("E-STUDY-IMPUTE")
@pytest.mark.parametrize(
    "spec",
    [
        MMRM("score ~ visit", weights="age"),
        MMRM("score ~ visit + (1 | sex)"),
        MMRM("score ~ visit", cluster="sex"),
    ],
)
def test_weights_and_clusters_are_refused(spec):
    with pytest.raises(StudyError):
        draws(spec, cohort(), n=4, seed=1)


@pytest.mark.raises_code("E-STUDY-IMPUTE")
@pytest.mark.parametrize("formula", ["score ~ visit + hours", "score ~ visit + leave", "score ~ visit + stress"])
def test_covariates_that_change_and_have_gaps_are_refused(formula):
    frame = scores(60, seed=1, seen=0.8)
    rng = np.random.default_rng(2)
    frame["hours"], frame["stress"] = rng.normal(40, 5, len(frame)), rng.normal(size=len(frame))
    frame["leave"] = rng.choice(["no", "yes"], len(frame))
    with pytest.raises(StudyError):
        draws(MMRM(formula), cohort_of(frame, outcomes=["score", "stress"]), n=4, seed=1)


@pytest.mark.raises_code("E-STUDY-IMPUTE")
def test_an_auxiliary_with_levels_that_change_is_refused():
    with pytest.raises(StudyError):
        draws(MMRM("exhaustion ~ visit"), example("villa_sana"), auxiliaries=["sick_leave"], n=4, seed=1)


@pytest.mark.raises_code("E-STUDY-COLUMN")
@pytest.mark.parametrize("name", ["cpoing", "age[2 years]"])
def test_unknown_auxiliaries_are_refused(name):
    with pytest.raises(StudyError):
        draws(SPEC, cohort(), auxiliaries=[name], n=4, seed=1)


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_one_draw_is_refused():
    with pytest.raises(StudyError):
        draws(SPEC, cohort(), n=1, seed=1)


@pytest.mark.raises_code("E-STUDY-VISITS")
def test_delta_at_an_unknown_visit_is_refused():
    with pytest.raises(StudyError):
        impute(draws(SPEC, cohort(), n=4, seed=1), delta={"2 years": 1.0})


@pytest.mark.raises_code("E-MODEL-IMPUTE")
@pytest.mark.parametrize("method", ["bayes", "conditional-mean"])
def test_more_columns_than_subjects_are_refused(method):
    with pytest.raises(ModelError):
        draws(SPEC, cohort_of(scores(4, seed=1)), method=method, n=4, seed=1)


@pytest.mark.raises_code("E-MODEL-CONDITIONAL-MEAN")
@pytest.mark.parametrize(
    "ask",
    [lambda f: f.covariance, lambda f: information(emmeans(f, "visit")), lambda f: f.analyses.imputations.cohort(0)],
)
def test_conditional_means_refuse_what_is_not_linear(ask):
    found = pool(analyse(impute(draws(SPEC, cohort(), method="conditional-mean", seed=1))))
    with pytest.raises(ModelError):
        ask(found)


@pytest.mark.raises_code("E-MODEL-POOLED")
def test_missing_information_of_a_single_fit_is_refused():
    with pytest.raises(ModelError):
        information(emmeans(fit(SPEC, cohort()), "visit"))


@pytest.mark.raises_code("E-MODEL-VCOV")
def test_robust_covariances_are_refused():
    with pytest.raises(ModelError):
        summarize(pool(analyse(impute(draws(SPEC, cohort(), n=4, seed=1)))), vcov="cr2")


@pytest.mark.raises_code("E-STUDY-OPTION")
def test_type_two_tests_are_refused():
    with pytest.raises(StudyError):
        term_tests(pool(analyse(impute(draws(SPEC, cohort(), n=4, seed=1)))), type=2)


@pytest.mark.raises_code("N-MODEL-NOT-MIXED")
def test_chains_that_have_not_mixed_are_told():
    frame = scores(60, seed=1, seen=0.15)
    with pytest.warns(BurnoutStatsWarning, match="R-hat"):
        found = draws(MMRM("score ~ visit"), cohort_of(frame), n=4, seed=1, burn_in=0, thin=1)
    assert found.notices[-1].code == "N-MODEL-NOT-MIXED"
