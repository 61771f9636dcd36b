"""Items and visits missing in one imputation: scored after imputing, against scoring first."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from cohorts import cohort_of

from burnout_stats.errors import StudyError
from burnout_stats.inference import emmeans
from burnout_stats.models import MMRM, fit
from burnout_stats.notices import BurnoutStatsWarning
from burnout_stats.sensitivity import analyse, chained, draws, impute, pool
from burnout_stats.sensitivity._items import score_imputed

ITEMS = ["a", "b", "c", "d", "e"]
MEANS = np.array([1.6, 1.9, 2.2, 2.5, 3.1])
"""Items differ in their means: the last one is agreed with most, and left out most often."""


def answers(n=150, seed=1, *, left_out=0.35):
    rng = np.random.default_rng(seed)
    trait = rng.multivariate_normal(np.zeros(3), [[1, 0.6, 0.5], [0.6, 1, 0.7], [0.5, 0.7, 1]], n) - [0, 0.4, 0.5]
    latent = MEANS + 0.6 * trait[..., None] + 0.5 * rng.standard_normal((n, 3, 5))
    whole = np.clip(np.round(latent), 1, 4)
    given = whole.copy()
    given[rng.random((n, 3)) < left_out, 4] = np.nan
    seen = rng.random((n, 3)) < [1.0, 0.85, 0.8]
    subject, visit = np.nonzero(seen)
    frame = pd.DataFrame(given[subject, visit], columns=ITEMS)
    frame.insert(0, "id", [f"S{k:04d}" for k in subject])
    frame.insert(1, "visit", np.array(["baseline", "1 year", "3 years"])[visit])
    return frame, whole.mean(-1).mean(0)


@pytest.fixture(scope="module")
def imputed():
    frame, truth = answers()
    cohort = cohort_of(frame, outcomes=ITEMS)
    found = chained(MMRM("a ~ visit"), cohort, outcomes=ITEMS[1:], n=40, cycles=10, seed=1)
    return cohort, found, truth


def test_scores_are_those_of_the_completed_items(imputed):
    _, found, _ = imputed
    scored = score_imputed(found, "scl5", ITEMS, names="distress")
    by_hand = np.mean([found.values(item) for item in ITEMS], axis=0)
    np.testing.assert_allclose(scored.values("distress"), by_hand, rtol=1e-12)
    np.testing.assert_allclose(scored.cohort(3).frame["distress"], by_hand[3].reshape(-1), rtol=1e-12)
    assert scored.notes[-1] == "Scored after imputing the items: Anxiety and depression (SCL-5)."
    turned = score_imputed(found, "scl5", ITEMS, names="distress", reverse=["a"]).values("distress")
    np.testing.assert_allclose(turned, by_hand + (5 - 2 * found.values("a")) / 5, rtol=1e-12)


def test_scoring_first_is_off_where_the_item_left_out_is_not_like_the_others(imputed):
    cohort, found, truth = imputed
    spec = MMRM("distress ~ visit")
    after = emmeans(pool(analyse(score_imputed(found, "scl5", ITEMS, names="distress"), spec)), "visit").frame
    with pytest.warns(BurnoutStatsWarning, match="answered items only"):
        first = cohort.with_scores("scl5", ITEMS, names="distress", missing="half")
    before = emmeans(fit(spec, first), "visit").frame
    away = [(frame["estimate"] - truth) / frame["std_error"] for frame in (after, before)]
    assert (np.abs(away[0]) < 1).all()  # the truth is that of these very people
    assert (away[1] < -1).all()
    assert (after["n"] < 150).all()  # those who were seen


def test_items_that_cannot_be_scored_are_refused(imputed):
    cohort, _, _ = imputed
    normal = impute(draws(MMRM("a ~ visit"), cohort, method="conditional-mean", seed=1))
    with pytest.raises(StudyError, match="not completed by chained equations"):
        score_imputed(normal, "scl5", ITEMS, names="distress")
    other = chained(MMRM("a ~ visit"), cohort, outcomes=ITEMS[1:], n=3, cycles=2, seed=1, methods={"e": "norm"})
    with pytest.raises(StudyError, match="`e` was imputed by norm"):
        score_imputed(other, "scl5", ITEMS, names="distress")
