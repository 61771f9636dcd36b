"""Families: derivatives against differences, probabilities that sum to 1, and limits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from burnout_stats.engine.families import FAMILIES, truncated, zero_inflated

POISSON, NB = FAMILIES["poisson/log"], FAMILIES["negative_binomial/log"]
CASES = {
    "logit": (FAMILIES["binomial/logit"], [0.0, 1.0], ()),
    "probit": (FAMILIES["binomial/probit"], [0.0, 1.0], ()),
    "poisson": (POISSON, [0.0, 1.0, 5.0], ()),
    "nb": (NB, [0.0, 1.0, 5.0], (0.4,)),
    "nb, large size": (NB, [0.0, 1.0, 5.0], (9.5,)),
    "truncated poisson": (truncated(POISSON), [1.0, 2.0, 7.0], ()),
    "truncated nb": (truncated(NB), [1.0, 2.0, 7.0], (0.4,)),
    "inflated poisson": (zero_inflated(POISSON), [0.0, 1.0, 5.0], (-0.3,)),
    "inflated nb": (zero_inflated(NB), [0.0, 1.0, 5.0], (0.4, -0.3)),
    "ordinal, middle": (FAMILIES["ordinal/logit"], [1.0, 1.0, 1.0], (1.2, -0.4)),
    "ordinal, top": (FAMILIES["ordinal/logit"], [2.0, 2.0, 2.0], (np.inf, 0.7)),
    "ordinal, bottom": (FAMILIES["ordinal/logit"], [0.0, 0.0, 0.0], (0.7, -np.inf)),
}
ETA = np.linspace(-2.5, 2.0, 7)


@pytest.mark.parametrize("name", list(CASES))
def test_derivatives(name):
    family, scores, further = CASES[name]
    step = 1e-5
    for score in scores:
        y = np.full_like(ETA, score)

        def at(eta, zeta, order=3, y=y, family=family):
            return family.density(y, eta, tuple(np.full_like(ETA, z) for z in zeta), order)

        here, up, down = at(ETA, further), at(ETA + step, further), at(ETA - step, further)
        for low, high in [("value", "first"), ("first", "second"), ("second", "third")]:
            numeric = (getattr(up, low) - getattr(down, low)) / (2 * step)
            np.testing.assert_allclose(getattr(here, high), numeric, atol=2e-8, rtol=1e-7)
        for k, z in enumerate(further):
            if np.isinf(z):
                continue
            above, below = list(further), list(further)
            above[k], below[k] = z + step, z - step
            plus, minus = at(ETA, above), at(ETA, below)
            for low, high in [("value", "own"), ("first", "first_own"), ("second", "second_own")]:
                numeric = (getattr(plus, low) - getattr(minus, low)) / (2 * step)
                np.testing.assert_allclose(getattr(here, high)[k], numeric, atol=2e-8, rtol=1e-6)
        short = at(ETA, further, 1)
        np.testing.assert_array_equal(short.first, here.first)
        assert short.second is None


@pytest.mark.parametrize(
    "name", ["poisson", "nb", "truncated poisson", "truncated nb", "inflated poisson", "inflated nb"]
)
def test_probabilities_sum_to_one_and_have_the_mean(name):
    family, _, further = CASES[name]
    y = np.arange(1.0 if "truncated" in name else 0.0, 400.0)
    zeta = tuple(np.full_like(y, z) for z in further)
    p = np.exp(family.density(y, np.full_like(y, 0.5), zeta, 1).value)
    assert p.sum() == pytest.approx(1.0, abs=1e-10)
    assert p @ y == pytest.approx(float(family.mean(np.array(0.5), tuple(np.array(z) for z in further))), rel=1e-9)


def test_against_scipy():
    y, mu, size = np.arange(8.0), 2.3, 1.7
    eta, zeta = np.full_like(y, np.log(mu)), (np.full_like(y, np.log(size)),)
    np.testing.assert_allclose(NB.density(y, eta, zeta, 1).value, stats.nbinom.logpmf(y, size, size / (size + mu)))
    np.testing.assert_allclose(POISSON.density(y, eta, (), 1).value, stats.poisson.logpmf(y, mu))


def test_a_size_without_end_is_poisson_and_nothing_jumps_where_the_series_begins():
    y, eta = np.array([0.0, 1.0, 5.0, 40.0]), np.array([0.3, -2.0, 1.5, 3.7])
    far = NB.density(y, eta, (np.full(4, 40.0),), 3)
    np.testing.assert_allclose(far.value, POISSON.density(y, eta, (), 3).value, atol=1e-10)
    below, above = (NB.density(y, eta, (np.full(4, np.log(1e4) + s),), 1) for s in (-1e-9, 1e-9))
    np.testing.assert_allclose(below.value, above.value, atol=1e-9)
    np.testing.assert_allclose(below.own[0], above.own[0], atol=1e-7)


def test_far_out_nothing_overflows():
    y, eta = np.array([0.0, 1.0]), np.array([700.0, -700.0])
    for name in ("binomial/logit", "binomial/probit"):
        found = FAMILIES[name].density(y, eta, (), 1)
        assert np.isfinite(found.value).all()
        assert (found.value < -100).all()
    small = truncated(POISSON).density(np.ones(3), np.array([-40.0, -100.0, -200.0]), (), 3)
    np.testing.assert_allclose(small.value, 0, atol=1e-12)
