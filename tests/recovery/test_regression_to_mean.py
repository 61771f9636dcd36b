"""2,000 cohorts of 100 for each way of selection, out of a population whose stability is known, helped by a known
amount. The interval of "observed minus expected" covers that amount, that of the tipping stability covers its own
truth; Mee and Chua's change covers where people are selected on the score, and fails where they are not. Norm and
stability are estimated anew in each, from samples of their own.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import stdtrit

from burnout_stats.engine.mee_chua import line
from burnout_stats.engine.regression_to_mean import inverse_mills
from burnout_stats.estimates import Sample
from burnout_stats.instruments.norms import Norm, Stability
from burnout_stats.sensitivity._before_after import of_samples
from burnout_stats.sensitivity._judged import Inputs, Question, judged

R, N, N_NORM, N_STABILITY = 2000, 100, 400, 200
HELP = -0.15
MEAN = 2.5
TRAIT, STATE, ERROR = 0.45, 0.25, 0.15
"""Variances of what lasts, of what passes (it goes with its later value by .4), and of the error of measurement."""
TOTAL = TRAIT + STATE + ERROR
STABILITY, RELIABILITY = (TRAIT + 0.4 * STATE) / TOTAL, (TRAIT + STATE) / TOTAL
BETWEEN = (TRAIT + 0.7 * STATE) / TOTAL
VARIANCE = {"state": TRAIT + STATE, "trait": TRAIT, "crisis": STATE, "mean": TOTAL * (1 + BETWEEN) / 2}
CUT = 0.8
"""People come where what they are selected on is so many SDs above its mean."""


COLUMNS = ("estimate", "std_error", "conf_low", "conf_high")


def people(rng, shape, selection=None):
    """Scores at baseline and after of people who come; of anybody without a selection.

    A crisis is a state that has gone. There may be two baselines, whose states go together by .7.
    """
    trait, state, other, fresh = rng.standard_normal((4, *shape))
    trait, errors = np.sqrt(TRAIT) * trait, np.sqrt(ERROR) * rng.standard_normal((3, *shape))
    second = 0.7 * state + np.sqrt(0.51) * other
    later = 0.4 / 1.7 * (state + second) + np.sqrt(1 - 2 * 0.16 / 1.7) * fresh
    later = np.sqrt(STATE) * (fresh if selection == "crisis" else later)
    first = trait + np.sqrt(STATE) * state + errors[0]
    second = trait + np.sqrt(STATE) * second + errors[1]
    y0 = {"mean": (first + second) / 2, "earlier": second}.get(selection, first)
    y1 = trait + later + errors[2]
    if selection == "pair":
        return MEAN + first, MEAN + second
    if selection is None:
        return MEAN + y0, MEAN + y1
    chosen = {"state": first - errors[0], "trait": trait, "crisis": np.sqrt(STATE) * state, "mean": y0}
    come = chosen.get(selection, first) > CUT * np.sqrt(VARIANCE.get(selection, TOTAL))
    places = np.argsort(~come, axis=1, kind="stable")[:, :N]
    assert np.take_along_axis(come, places, axis=1).all()
    return MEAN + np.take_along_axis(y0, places, axis=1), MEAN + np.take_along_axis(y1 + HELP, places, axis=1)


def truth(selection):
    """The share that is kept, and the distance at baseline of those who come."""
    share = {"state": STABILITY / RELIABILITY, "trait": 1.0, "crisis": 0.0, "earlier": STABILITY / BETWEEN}
    share["mean"] = 2 * STABILITY / (1 + BETWEEN)
    variance = VARIANCE.get(selection, TOTAL)
    distance = np.sqrt(variance) * float(inverse_mills(CUT))
    return share.get(selection, STABILITY), distance * (BETWEEN if selection == "earlier" else 1.0)


@pytest.fixture(scope="module", params=["score", "state", "trait", "crisis", "mean", "earlier"])
def replicates(request):
    selection = request.param
    rng = np.random.default_rng(sum(map(ord, selection)))
    before, after = people(rng, (R, 8 * N), selection)
    norm = people(rng, (R, N_NORM))[0]
    outside = np.stack(people(rng, (R, N_STABILITY)))
    r_outside = [float(np.corrcoef(outside[:, k])[0, 1]) for k in range(R)]
    twice = np.stack(people(rng, (R, N_STABILITY), "pair"))
    r_between = [float(np.corrcoef(twice[:, k])[0, 1]) for k in range(R)]
    found, lines, cut = [], [], []
    for k in range(R):
        samples = [Sample(float(y[k].mean()), float(y[k].std(ddof=1)), N) for y in (before, after)]
        r = float(np.corrcoef(before[k], after[k])[0, 1])
        known = Norm(float(norm[k].mean()), float(norm[k].std(ddof=1)), N_NORM)
        pairs = of_samples(*samples, r=r, t=None, sd_change=None, outcome="y", visit="after", years=None)
        stability = None if selection in ("trait", "crisis") else Stability(r_outside[k], n=N_STABILITY)
        between = Stability(r_between[k], n=N_STABILITY) if selection in ("mean", "earlier") else None
        rel = RELIABILITY if selection == "state" else 1.0
        inputs = Inputs(norm=known, reliability=rel, between=between, baselines=2)
        question = Question(pair=0, selection=selection, stability=stability, naming={})
        rows, _, _ = judged(pairs, inputs, [question])
        of = {row["measure"]: row for row in rows}
        left = of["observed minus expected"]
        if selection == "score":
            by_cutoff = replace(inputs, cutoff=MEAN + CUT * np.sqrt(TOTAL))
            cut.append({row["measure"]: row for row in judged(pairs, by_cutoff, [question])[0]}[left["measure"]])
        tipping = of.get("tipping stability") or of["tipping share"]
        found.append([*(left[c] for c in COLUMNS), *(tipping[c] for c in COLUMNS)])
        at = line(samples[0].mean, samples[1].mean, samples[0].sd, samples[1].sd, r, N)
        delta, error = (float(value) for value in at.change_at(known.mean))
        lines.append([delta, np.hypot(error, (1 - at.slope) * known.std_error)])
    cut = np.array([[row[column] for column in COLUMNS] for row in cut], dtype=float)
    return selection, np.array(found, dtype=float), np.array(lines), cut


def covered(low, high, true):
    return np.mean((low < true) & (true < high))


@pytest.mark.slow
def test_what_is_left_is_what_help_did(replicates):
    _, found, _, cut = replicates
    for way in (found[:, :4], *([cut] if len(cut) else [])):  # by distance, and by the cut-off where there was one
        estimate, error, low, high = way.T
        assert abs(estimate.mean() - HELP) < 3 * estimate.std() / np.sqrt(R)
        assert error.mean() == pytest.approx(estimate.std(), rel=3 / np.sqrt(2 * R))
        assert abs(covered(low, high, HELP) - 0.95) < 3 * np.sqrt(0.95 * 0.05 / R)


@pytest.mark.slow
def test_fiellers_interval_of_the_tipping_stability_covers(replicates):
    selection, found, _, _ = replicates
    share, distance = truth(selection)
    tipping = share + HELP / distance
    if selection == "state":
        tipping *= RELIABILITY
    _, _, low, high = found[:, 4:].T
    assert abs(covered(low, high, tipping) - 0.95) < 3 * np.sqrt(0.95 * 0.05 / R)


@pytest.mark.slow
def test_mee_and_chuas_change_covers_under_selection_on_the_score_only(replicates):
    selection, _, lines, _ = replicates
    delta, error = lines.T
    reach = float(stdtrit(N - 2, 0.975)) * error
    bias = abs(delta.mean() - HELP) / (delta.std() / np.sqrt(R))
    share = covered(delta - reach, delta + reach, HELP)
    if selection in ("score", "mean"):  # the mean of two baselines is the score that people were selected on
        assert bias < 3
        assert abs(share - 0.95) < 3 * np.sqrt(0.95 * 0.05 / R)
    else:
        assert bias > 10, "its line is that of selection on the score at baseline"
