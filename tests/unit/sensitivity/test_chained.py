"""chained: what it holds that a joint normal distribution does not, what it refuses, and what it says."""

from __future__ import annotations

import numpy as np
import pytest
from cohorts import cohort_of, scores

from burnout_stats.errors import ModelError, StudyError
from burnout_stats.inference import contrast, emmeans
from burnout_stats.models import MMRM
from burnout_stats.notices import BurnoutStatsWarning
from burnout_stats.sensitivity import analyse, chained, draws, impute, information, pool
from burnout_stats.studies import example

SPEC = MMRM("exhaustion ~ visit * sex + age")
SCORE = MMRM("score ~ visit * sex")


@pytest.fixture(scope="module")
def mixed():
    return chained(
        SPEC, example("villa_sana"), auxiliaries=["coping", "sick_leave"], methods={"coping": "norm"}, n=60, seed=1
    )


def frame_with(**columns):
    frame = scores(60, seed=1, seen=0.8)
    rng = np.random.default_rng(2)
    made = {
        "ward": np.array(["a", "b", "c"])[rng.integers(0, 3, len(frame))],
        "leave": np.where(rng.random(len(frame)) < 0.4, "yes", "no"),
        "same": np.ones(len(frame)),
    }
    return frame.assign(**{name: made[name] for name in columns.values()})


def test_it_is_analysed_and_pooled_as_other_imputations_are(mixed):
    change = contrast(emmeans(pool(analyse(mixed)), "visit"))
    joint = draws(SPEC, example("villa_sana"), auxiliaries=["coping"], n=60, seed=1)
    normal = contrast(emmeans(pool(analyse(impute(joint))), "visit"))
    apart = np.abs(change.frame["estimate"] - normal.frame["estimate"]) / normal.frame["std_error"]
    assert (apart < 0.3).all()
    np.testing.assert_allclose(change.frame["std_error"], normal.frame["std_error"], rtol=0.1)
    assert (information(change)["fmi"] > 0).all()


def test_it_says_how_each_variable_was_drawn(mixed):
    _, how, weakened, count = pool(analyse(mixed)).notes
    assert how == (
        "Chained equations, 20 cycles: predictive mean matching (5 donors) for Emotional exhaustion; normal regression "
        "for Emotion-focused coping; logistic regression for On full-time sick leave."
    )
    assert "weakens correlations" in weakened
    assert count.startswith("60 imputations, chained-equation draws")


def test_a_completed_cohort_holds_levels_and_what_was_seen(mixed):
    before, after = example("villa_sana").frame, mixed.cohort(7).frame
    assert after[["exhaustion", "coping", "sick_leave"]].notna().all(axis=None)
    kept = before.merge(after, on=["subject", "visit"], suffixes=("", "_after"))
    assert len(kept) == len(before)
    for name in ("exhaustion", "coping", "sick_leave"):
        assert (kept[name] == kept[f"{name}_after"]).all()
    assert set(after["exhaustion"]) <= set(before["exhaustion"])  # matching draws values that were seen
    assert not set(after["coping"]) <= set(before["coping"])


def test_a_level_that_some_lack_once_and_for_all_is_filled_in_at_every_visit():
    frame = scores(60, seed=1, seen=0.8)
    ward = np.array(["a", "b", "c", None], dtype=object)[np.random.default_rng(3).integers(0, 4, 60)]
    frame["ward"] = frame["id"].map(dict(zip(sorted(frame["id"].unique()), ward, strict=True)))
    found = chained(SCORE, cohort_of(frame), auxiliaries=["ward"], n=5, seed=1)
    assert found.draws.models["ward"] == "polytomous"
    filled = found.cohort(2).frame
    assert filled["ward"].notna().all()
    assert (filled.groupby("subject")["ward"].nunique() == 1).all()


def test_without_gaps_it_changes_nothing():
    cohort = cohort_of(scores(40, seed=2))
    found = chained(MMRM("score ~ visit"), cohort, n=3, seed=1)
    change = contrast(emmeans(pool(analyse(found)), "visit"))
    assert information(change)["fmi"].tolist() == [0.0, 0.0]


def test_a_seed_decides_everything_and_progress_is_told():
    told = []
    one, same, other = (
        chained(SCORE, cohort_of(frame_with()), n=60, cycles=2, seed=seed, progress=lambda *at: told.append(at)).Y
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert told[:4] == [(k, 4, "chained equations") for k in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"n": 1}, "`n` is 1"),
        ({"donors": 0}, "donors=0"),
        ({"methods": {"score": "logistic"}}, "which is a number"),
        ({"methods": {"ward": "logistic"}}, "3 levels"),
        ({"methods": {"leave": "norm"}}, "2 levels"),
        ({"methods": {"scoer": "norm"}}, "did you mean|Did you mean"),
        ({"methods": {"score": "forest"}}, "forest"),
    ],
)
def test_what_does_not_fit_is_refused(asked, message):
    cohort = cohort_of(frame_with(one="ward", two="leave"))
    with pytest.raises(StudyError, match=message):
        chained(SCORE, cohort, **({"auxiliaries": ["ward", "leave"], "n": 4, "seed": 1} | asked))


def test_a_column_in_which_all_are_alike_is_refused():
    frame = frame_with(one="leave")
    frame.loc[frame["visit"] == "baseline", "leave"] = "no"
    with pytest.raises(ModelError, match="All have the same value of Leave at baseline"):
        chained(SCORE, cohort_of(frame), auxiliaries=["leave"], n=4, seed=1)


def test_more_predictors_than_values_are_refused():
    frame = scores(60, seed=1)
    few = frame[(frame["visit"] != "3 years") | (frame["id"] < "S0005")]
    with pytest.raises(ModelError, match="5 values, and 5 coefficients"):
        chained(MMRM("score ~ visit * sex + age"), cohort_of(few), n=4, seed=1)


def test_chains_that_have_not_settled_are_told():
    rng = np.random.default_rng(4)
    n = 60
    frame = scores(n, seed=3)
    trait = rng.normal(size=n)
    where = frame["id"].map(dict(zip(sorted(frame["id"].unique()), range(n), strict=True))).to_numpy()
    frame["score"] = trait[where] + 0.05 * rng.normal(size=len(frame))
    frame["twin"] = trait[where] + 0.05 * rng.normal(size=len(frame))
    high = trait[where] > 0.2
    frame.loc[high & (frame["visit"] != "baseline"), "score"] = np.nan
    frame.loc[high, "twin"] = np.nan
    with pytest.warns(BurnoutStatsWarning, match="have not settled"):
        found = chained(
            MMRM("score ~ visit"),
            cohort_of(frame),
            auxiliaries=["twin"],
            n=200,
            cycles=8,
            seed=1,
            methods={"score": "norm", "twin": "norm"},
        )
    assert [notice.code for notice in found.draws.notices] == ["N-MODEL-NOT-MIXED"]
