"""More persons, larger differences and fewer lost visits never lower the power; numbers that are told are smallest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnout_stats import power
from burnout_stats.engine import power as engine
from burnout_stats.power._mmrm import planned

ROOM = 1e-9


@st.composite
def designs(draw, arms=(1, 2), df=("kenward-roger", "satterthwaite", "asymptotic", "between-within")):
    V = draw(st.integers(2, 4))
    A = draw(st.sampled_from(arms))
    later = draw(st.lists(st.floats(0.3, 1.0), min_size=V - 1, max_size=V - 1))
    pattern = draw(st.sampled_from([power.monotone_patterns, power.independent_patterns]))
    kept = np.array([1.0, *(np.minimum.accumulate(later) if pattern is power.monotone_patterns else later)])
    rows = draw(st.lists(st.floats(-1, 1), min_size=A * V, max_size=A * V))
    means = np.array(rows).reshape(A, V)
    return power.CohortDesign(
        {f"arm {a}": tuple(means[a]) for a in range(A)},
        sd=tuple(draw(st.lists(st.floats(0.3, 3), min_size=V, max_size=V))),
        correlation=draw(st.floats(-0.2, 0.9)),
        visits={f"v{v}": v for v in range(V)},
        patterns=pattern(kept.tolist()),
        n=draw(st.integers(40, 400)),
        df=draw(st.sampled_from(df)),
    )


@settings(max_examples=40)
@given(designs(df=("kenward-roger", "asymptotic")))  # others exceed their level, in small studies most
def test_twice_the_persons_are_better(design):
    few, many = (plan for plan in (planned(design), planned(design, [2 * design.n])))
    assert (many.power() >= few.power() - ROOM).all()
    assert (many.half_width() < few.half_width()).all()
    assert ((few.power() >= 0) & (few.power() <= 1 + ROOM)).all()
    assert (few.doubt >= 0).all()


@settings(max_examples=40)
@given(designs(), st.floats(0.05, 2))
def test_a_larger_difference_is_told_more_often(design, size):
    plan = planned(design)
    delta = np.full_like(plan.difference, size)
    assert (plan.power(2 * delta) >= plan.power(delta) - ROOM).all()
    np.testing.assert_allclose(plan.power(-delta), plan.power(delta), atol=ROOM)


@settings(max_examples=40)
@given(designs(arms=(1,)))
def test_lost_visits_cost(design):
    whole = power.CohortDesign(
        design.means, sd=design.sd, correlation=design.correlation, visits=design.visits, n=design.n, df=design.df
    )
    assert (planned(whole).variance <= planned(design).variance * (1 + ROOM)).all()


@settings(max_examples=25)
@given(designs(), st.floats(0.3, 0.95))
def test_the_number_told_is_the_smallest(design, target):
    if abs(design.differences()[0]) < 0.2:
        return
    chosen = power.sized(design, power=target)
    assert planned(chosen).power().min() >= target
    if chosen.n > len(design.labels) * len(design.arms) + 1:
        assert not planned(design, [chosen.n - 1]).power().min() >= target


@settings(max_examples=40)
@given(st.floats(0.02, 0.4), st.floats(0.02, 0.4), st.integers(5, 120))
def test_mcnemar_is_symmetric_and_mid_p_rejects_more(up, down, n):
    exact = engine.mcnemar_exact(up, down, n)
    assert exact == pytest.approx(engine.mcnemar_exact(down, up, n), abs=ROOM)
    assert exact <= engine.mcnemar_exact(up, down, n, mid_p=True) + ROOM
    assert engine.mcnemar_exact(up, up, n) <= 0.05 + ROOM


@settings(max_examples=60)
@given(st.floats(-0.2, 0.2), st.floats(0.02, 1), st.floats(2, 300))
def test_equivalence_is_no_likelier_than_either_side(difference, error, df):
    both = float(engine.equivalence_power(difference, error, df, -0.5, 0.5))
    sides = [
        float(engine.t_power((difference - null) / error, df, alternative=side))
        for null, side in ((-0.5, "greater"), (0.5, "less"))
    ]
    assert max(0.0, sum(sides) - 1) - 1e-7 <= both <= min(sides) + 1e-7


@settings(max_examples=80)
@given(st.floats(1.5, 500), st.floats(-40, 40))
def test_tails_are_probabilities_even_where_scipy_has_no_answer(df, ncp):
    powers = [float(engine.t_power(ncp, df, alternative=side)) for side in ("two-sided", "less", "greater")]
    assert np.isfinite(powers).all()
    assert all(-ROOM <= value <= 1 + 1e-7 for value in powers)
