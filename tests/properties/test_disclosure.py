"""The gate against an attacker: from everything that is shown of a small cohort, no small number of persons can be
worked out, not even with integer programs.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from burnout_stats import describe
from burnout_stats.cohort import read_cohort
from burnout_stats.estimates import Policy, protect_all
from burnout_stats.estimates.disclosure import COUNTS, HIDDEN, OF_N, SHARES

MIN_CELL = 5


@st.composite
def cohorts(draw):
    """A few dozen persons of two sexes at two or three visits, most of them seen."""
    n, n_visits = draw(st.integers(14, 40)), draw(st.integers(2, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    seen = rng.random((n, n_visits)) < draw(st.sampled_from([0.6, 0.85, 0.95]))
    seen[:, 0] |= ~seen.any(axis=1)
    person, visit = np.nonzero(seen)
    frame = pd.DataFrame({"id": person, "visit": [f"v{k}" for k in visit], "stress": rng.normal(size=len(person))})
    frame["sex"] = np.where(rng.random(n) < 0.7, "F", "M")[person]
    times = {f"v{k}": k for k in range(n_visits)}
    return read_cohort(frame, subject="id", visit="visit", times=times, outcomes=["stress"], levels={"sex": ["F", "M"]})


class Attacker:
    """Reads the protected frames, knows what each row is about and how many there are in all."""

    def __init__(self, raw, protected):
        codes = np.column_stack([result.margins.of_subject for result in raw])
        _, first, self.sizes = np.unique(codes, axis=0, return_index=True, return_counts=True)
        self.members = np.vstack([result.margins.members[:, codes[first, k]] for k, result in enumerate(raw)]).astype(
            float
        )
        frames = [result.frame for result in raw]
        self.is_count = np.concatenate([frame["statistic"].isin(COUNTS).to_numpy() for frame in frames])
        self.counts = self.members @ self.sizes
        truth = np.concatenate([frame["value"].to_numpy() for frame in frames])
        assert (self.counts == truth)[self.is_count].all()
        told = np.concatenate([_told(result.frame) for result in protected])
        self.told = told & self.is_count
        hidden = np.concatenate([result.frame[HIDDEN].to_numpy() for result in protected])
        self.least = hidden & self.is_count & (self.counts > 0)

    def highest(self, target, *, blind=False):
        """The largest value of the target that agrees with what is shown, in whole persons."""
        shown = self.members[self.told & (not blind)]
        known = self.counts[self.told & (not blind)]
        constraints = [LinearConstraint(np.ones((1, len(self.sizes))), self.sizes.sum(), self.sizes.sum())]
        constraints += [LinearConstraint(shown, known, known)] if len(shown) else []
        constraints += [LinearConstraint(self.members[self.least], 1, np.inf)] if self.least.any() else []
        found = milp(-target, integrality=np.ones(len(target)), bounds=Bounds(0, np.inf), constraints=constraints)
        assert found.status == 0
        return round(-found.fun)

    def small_numbers(self):
        """Every number from 1 to 4 that a count, the difference of two, or what they have in common would be."""
        rows = np.unique(self.members[self.is_count], axis=0)
        rows = np.vstack([rows, np.ones(len(self.sizes))])
        sets = [one * other for one in rows for other in rows] + [one * (1 - other) for one in rows for other in rows]
        found = np.unique(np.array(sets), axis=0)
        n = found @ self.sizes
        return found[(n > 0) & (n < MIN_CELL)]


def _told(frame):
    """Whether the count of a row can be read from any row of its cell: itself, a percentage, or the n of a mean."""
    names = [name for name in frame.columns if name not in ("statistic", "value", "n", HIDDEN)]
    direct = frame["value"].notna() & frame["statistic"].isin(COUNTS)
    other = (frame["statistic"].isin(SHARES) & frame["value"].notna()) | (
        ~frame["statistic"].isin(COUNTS) & frame["n"].notna()
    )
    through = other.groupby([frame[name] for name in names], dropna=False, observed=True).transform("any")
    return (direct | (through & frame["statistic"].isin(OF_N))).to_numpy()


@settings(max_examples=12)
@given(cohorts())
@pytest.mark.filterwarnings("ignore::burnout_stats.notices.BurnoutStatsWarning")
def test_no_small_number_can_be_worked_out_from_all_that_is_shown(cohort):
    raw = [
        describe.flow(cohort),
        describe.flow(cohort, by="sex"),
        describe.by_visit(cohort),
        describe.by_visit(cohort, by="sex"),
    ]
    attacker = Attacker(raw, protect_all(raw, Policy(MIN_CELL)))
    for target in attacker.small_numbers():
        if attacker.highest(target) < MIN_CELL:
            assert attacker.highest(target, blind=True) < MIN_CELL  # the total alone tells it: nothing can be done


def test_the_attacker_of_these_tests_can_succeed():
    """The attacker finds 3 persons as soon as he is shown 37 of 40: it is the gate that keeps them from him."""
    frame = pd.DataFrame({"id": range(40), "visit": "v0", "stress": np.arange(40.0)})
    frame["later"] = frame["stress"].where(frame["stress"] < 37)
    cohort = read_cohort(frame, subject="id", visit="visit", times={"v0": 0}, outcomes=["stress", "later"])
    raw = [describe.by_visit(cohort, "stress"), describe.by_visit(cohort, "later")]
    attacker = Attacker(raw, protect_all(raw, Policy(MIN_CELL)))
    assert (attacker.small_numbers() @ attacker.sizes).tolist() == [3]
    assert attacker.highest(attacker.small_numbers()[0]) >= MIN_CELL
    attacker.told |= attacker.is_count & (attacker.counts == 37)  # one number more, and it is out
    assert attacker.highest(attacker.small_numbers()[0]) == 3


def behind_shares(raw, protected):
    """The rows (n of a whole variable) that a reader finds as a count divided by its share, of Table 1."""
    frame, seen = raw.frame, protected.frame
    whole = frame["level"].eq("(all)") & frame["statistic"].eq("n")
    names = [name for name in frame.columns if name not in ("level", "statistic", "value", "n", HIDDEN)]
    is_told = seen["statistic"].isin(SHARES) & seen["value"].notna() & frame["value"].gt(0)
    telling = is_told & (seen["n"].notna() | _told(seen))
    return (whole & telling.groupby([frame[name] for name in names], dropna=False).transform("any")).to_numpy()


@st.composite
def known_in_part(draw):
    """A few dozen persons whose sex and arm are not known of everybody."""
    n, rng = draw(st.integers(18, 44)), np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    once = pd.DataFrame({"id": range(n), "visit": "v0", "stress": rng.normal(size=n)})
    for name, levels, shares in (("sex", "FM", (0.6, 0.4)), ("arm", "abc", (0.5, 0.35, 0.15))):
        known = rng.random(n) >= draw(st.sampled_from([0.0, 0.08, 0.2]))
        once[name] = pd.Series(rng.choice(list(levels), n, p=shares), dtype=object).where(known, None)
    later = once.assign(visit="v1", stress=rng.normal(size=n))[rng.random(n) < 0.85]
    return read_cohort(
        pd.concat([once, later]),
        subject="id",
        visit="visit",
        times={"v0": 0, "v1": 1},
        outcomes=["stress"],
        levels={"sex": ["F", "M"], "arm": ["a", "b", "c"]},
    )


@settings(max_examples=15)
@given(known_in_part(), st.sampled_from([None, "sex"]))
@pytest.mark.filterwarnings("ignore::burnout_stats.notices.BurnoutStatsWarning")
def test_no_share_tells_a_total_that_was_hidden(cohort, by):
    raw = [describe.flow(cohort), describe.by_visit(cohort), describe.baseline(cohort, by)]
    protected = protect_all(raw, Policy(MIN_CELL))
    attacker = Attacker(raw, protected)
    attacker.told[-len(raw[2].frame) :] |= behind_shares(raw[2], protected[2])
    for target in attacker.small_numbers():
        if attacker.highest(target) < MIN_CELL:
            assert attacker.highest(target, blind=True) < MIN_CELL
