"""Each strategy finds the truth where the missing values are made by it, and what its two variances are.

Of missing values only the mechanism matters: what was seen is the same whatever they are. So one set of simulated
cohorts serves all strategies, and the truth of each is the mean of a large population whose missing values were made by
it, from the errors e that the subjects would have had anyway: y_v = m_v + e_v where a strategy changes the mean, y_a +
noise where it follows what was seen. Two arms, three visits; dropout after each visit depends on the score there, and
some visits are missed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cohorts import TIMES, cohort_of

from burnout_stats.engine.incomplete_normal import Wide, posterior
from burnout_stats.engine.restricted_em import restricted_em
from burnout_stats.instruments.norms import Norm
from burnout_stats.models import MMRM
from burnout_stats.sensitivity import STRATEGIES, analyse, draws, fade, impute, jump_to_norm, pool

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("strategies")]

MU = np.array([[3.0, 2.8, 2.7], [3.2, 2.5, 2.3]])
"""Means of the reference arm (F) and the other."""
SIGMA = np.array([[0.88, 0.40, 0.35], [0.40, 0.70, 0.42], [0.35, 0.42, 0.75]])
YEARS = np.array(list(TIMES.values()))
NORM = Norm(2.4, 0.6, 1000, drift=0.05)
RATE = 0.3
HOW = {**STRATEGIES, "fade": fade(RATE), "jump_to_norm": jump_to_norm(NORM)}
N, REPLICATES, FEWER = 160, 240, 40
VARIANCES_OF = ("mar", "jump_to_reference", "return_to_baseline")


def simulated(arm, rng):
    """Errors, scores without anything missing, and what was seen, for subjects of these arms."""
    e = rng.multivariate_normal(np.zeros(3), SIGMA, len(arm))
    y = MU[arm] + e
    stays = 1 / (1 + np.exp(0.9 * (y[:, :2] - 3) - 1.2))
    seen = np.ones((len(arm), 3), dtype=bool)
    seen[:, 1] = rng.random(len(arm)) < stays[:, 0]
    seen[:, 2] = seen[:, 1] & (rng.random(len(arm)) < stays[:, 1])
    seen[seen[:, 2] & (rng.random(len(arm)) < 0.1), 1] = False
    return e, y, seen


def made_by(name, arm, e, y, seen):
    """The population with its missing values made by a strategy (up to noise of mean zero)."""
    mu, ref = MU[arm], MU[np.zeros_like(arm)]
    full = y.copy()
    for pattern in ((True, False, False), (True, True, False)):
        mine = np.flatnonzero((seen == pattern).all(1))
        a = 1 if pattern[1] else 0
        s = slice(0, a + 1)
        for v in range(a + 1, 3):
            m, r, own = mu[mine], ref[mine], e[mine]
            K = np.linalg.solve(SIGMA[s, s], SIGMA[s, v])
            full[mine, v] = {
                "mar": m[:, v] + own[:, v],
                "jump_to_reference": r[:, v] + own[:, v],
                "copy_reference": r[:, v] + own[:, v] + (m - r)[:, s] @ K,
                "copy_increments_in_reference": m[:, a] + r[:, v] - r[:, a] + own[:, v],
                "last_mean_carried_forward": m[:, a] + own[:, v],
                "return_to_baseline": m[:, 0] + own[:, v],
                "no_further_change": y[mine, a],
                "copy_increment": y[mine, a] + (y[mine, a] - y[mine, 0]) * (v - a),
                "fade": m[:, 0] + (1 - RATE) ** (YEARS[v] - YEARS[a]) * (m[:, a] - m[:, 0]) + own[:, v],
                "jump_to_norm": 2.4 + 0.05 * YEARS[v] + 0.6 / np.sqrt(SIGMA[v, v]) * own[:, v],
            }[name]
    return full


@pytest.fixture(scope="module")
def population():
    arm = np.repeat([0, 1], 400_000)
    return arm, *simulated(arm, np.random.default_rng(1))


@pytest.fixture(scope="module")
def template():
    """A cohort of N subjects in two arms, laid out for imputation; scores are put in later."""
    rng = np.random.default_rng(2)
    arm = np.repeat([0, 1], N // 2)
    frame = pd.DataFrame(
        {
            "id": np.repeat([f"S{k:03d}" for k in range(N)], 3),
            "visit": list(TIMES) * N,
            "score": rng.normal(size=3 * N),
            "arm": np.repeat(np.array(["F", "M"])[arm], 3),
        }
    )
    cohort = cohort_of(frame, covariates={"arm": {"levels": ["F", "M"]}})
    return arm, draws(MMRM("score ~ visit * arm"), cohort, n=2, seed=1)


@pytest.fixture(scope="module")
def replicates(template):
    arm, _ = template
    found = []
    for seed in np.random.SeedSequence(3).spawn(REPLICATES):
        _, y, seen = simulated(arm, np.random.default_rng(seed))
        found.append(np.where(seen, y, np.nan))
    return found


@pytest.fixture(scope="module")
def estimates(template, replicates):
    """Mean changes of the second arm, for each replicate and strategy, from conditional means."""
    arm, empty = template
    found = {name: np.zeros((REPLICATES, 2)) for name in HOW}
    for r, Y in enumerate(replicates):
        one = _estimated(empty, Y, np.ones((1, N)))
        for name, how in HOW.items():
            found[name][r] = _changes(impute(one, how, reference=("arm", "F")).Y[0][arm == 1])
    return found


@pytest.fixture(scope="module")
def variances(template, replicates):
    """Of the second arm's change at 3 years, for some replicates and strategies: by the jackknife, and by Rubin."""
    _, empty = template
    found = {name: np.zeros((FEWER, 2)) for name in VARIANCES_OF}
    for r, Y in enumerate(replicates[:FEWER]):
        expected = _estimated(empty, Y, np.concatenate([np.ones((1, N)), 1 - np.eye(N)]))
        drawn = posterior(expected.data.wide, 20, np.random.SeedSequence(r), burn_in=60, thin=1)
        proper = replace(expected, method="bayes", B=drawn.B, Sigma=drawn.Sigma)
        for name, row in found.items():
            fits = [pool(analyse(impute(one, name, reference=("arm", "F")))) for one in (expected, proper)]
            row[r] = [fit.answer(_change_at_three_years(fit)).vcov.item() for fit in fits]
    return found


@pytest.mark.parametrize("name", list(HOW))
def test_each_strategy_recovers_what_it_made(population, estimates, name):
    arm, e, y, seen = population
    truth = _changes(made_by(name, arm, e, y, seen)[arm == 1])
    found = estimates[name]
    error = found.std(0, ddof=1) / np.sqrt(REPLICATES)
    assert (np.abs(found.mean(0) - truth) < 4 * error).all()


@pytest.mark.parametrize("name", [name for name in HOW if name != "mar"])
def test_missing_at_random_does_not_find_what_another_strategy_made(population, estimates, name):
    """At 3 years, by more than six times the Monte-Carlo error: the simulation could tell."""
    arm, e, y, seen = population
    truth = _changes(made_by(name, arm, e, y, seen)[arm == 1])[1]
    found = estimates["mar"][:, 1]
    assert abs(found.mean() - truth) > 6 * found.std(ddof=1) / np.sqrt(REPLICATES)


@pytest.mark.parametrize("name", VARIANCES_OF)
def test_the_jackknife_has_the_variance_of_repeated_sampling_and_rubin_more(variances, estimates, name):
    """Standard errors of the second arm's change at 3 years, against the spread over the simulated cohorts (known to
    about 5%): the jackknife's agrees, Rubin's is larger where means are borrowed, so that its intervals over-cover.
    """
    spread = estimates[name][:, 1].std(ddof=1)
    jackknife, rubin = np.sqrt(variances[name].mean(0)) / spread
    assert jackknife == pytest.approx(1, abs=0.12)
    if name == "mar":
        assert rubin == pytest.approx(1, abs=0.12)
    else:
        assert rubin > 1.1 * jackknife


def _estimated(empty, Y, weights):
    wide = Wide.of(Y, empty.data.wide.W)
    best = restricted_em(wide, weights)
    assert best.converged.all()
    return replace(
        empty, data=replace(empty.data, wide=wide), method="conditional-mean", B=best.B, Sigma=best.Sigma, notices=()
    )


def _changes(Y):
    return (Y[:, 1:] - Y[:, :1]).mean(0)


def _change_at_three_years(fit):
    labels, L, *_ = fit.grid.means(("arm", "visit"), weights="proportional", at=None)
    arm, visit = labels["arm"].astype(str).eq("M"), labels["visit"].astype(str)
    return L[(arm & visit.eq("3 years")).to_numpy()] - L[(arm & visit.eq("baseline")).to_numpy()]
