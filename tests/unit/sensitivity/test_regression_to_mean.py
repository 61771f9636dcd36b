"""Regression to the mean: the numbers of FACTS that need no individual data, what is refused, and what is said."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from cohorts import cohort_of, scores
from tolerances import CLOSED_FORM, IDENTITY

from burnout_stats.engine.regression_to_mean import (
    carried,
    cutoff_distance,
    expected_change,
    fieller,
    from_second_baseline,
    inverse_mills,
    share_kept,
)
from burnout_stats.errors import ModelError, StudyError
from burnout_stats.estimates import Sample
from burnout_stats.instruments.norms import Norm, Stability
from burnout_stats.notices import BurnoutStatsWarning
from burnout_stats.sensitivity._mee_chua import (
    mee_chua,
    mee_chua_from_summaries,
    mee_chua_range,
    mee_chua_range_from_summaries,
)
from burnout_stats.sensitivity._regression_to_mean import regression_to_the_mean, regression_to_the_mean_from_summaries
from burnout_stats.sensitivity._stability_curve import stability_curve, stability_curve_from_summaries
from burnout_stats.studies import example

BEFORE, AFTER = Sample(3.00, 0.94, 185), Sample(2.53, 0.76, 185)
DOCTORS = Norm(2.52, 0.92, 1070)
OUTSIDE = Stability(0.62, n=293)
NORM = Norm(2.6, 0.9, 400)
SLOPE = Stability(0.5, std_error=0.05, kind="slope")


def printed(stability=OUTSIDE, **more):
    return regression_to_the_mean_from_summaries(BEFORE, AFTER, t=6.76, stability=stability, **{"norm": DOCTORS} | more)


def values(found, column="estimate", **where):
    frame = found.frame
    for name, value in where.items():
        frame = frame[frame[name].eq(value)]
    return frame.set_index("measure")[column].to_dict()


def cohort(n=150, seen=0.8, seed=3):
    return cohort_of(scores(n, seed=seed, seen=seen))


# ---- golden numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stability", "decimals", "fall"),
    [
        (Stability(0.40), 2, 0.29),
        (Stability(0.40 * 0.76 / 0.94, kind="slope"), 3, 0.325),
        (OUTSIDE, 2, 0.18),
    ],
)
def test_expected_falls_of_the_villa_sana_doctors(stability, decimals, fall):
    found = values(printed(stability))
    assert round(found["observed change"], 2) == -0.47
    assert round(found["expected change"], decimals) == -fall
    assert found["observed minus expected"] == pytest.approx(found["observed change"] - found["expected change"])
    assert round(found["tipping stability"], 2) == 0.02


def test_mee_and_chua_from_the_printed_summaries():
    with pytest.warns(BurnoutStatsWarning, match="CIRCULAR"):
        frame = mee_chua_from_summaries(BEFORE, AFTER, t=6.76, norm=DOCTORS).frame
    assert frame["estimate"].round(3).tolist() == [0.321, -0.144, -0.144]
    assert frame["std_error"].round(3).tolist()[1:] == [0.058, 0.061]
    assert frame["df"].tolist()[1] == 183


def test_the_change_at_the_norm_mean_is_what_is_left_with_the_cohorts_own_slope():
    with warnings.catch_warnings(action="ignore"):
        slope, change, _ = mee_chua_from_summaries(BEFORE, AFTER, t=6.76, norm=DOCTORS).frame["estimate"]
    left = values(printed(Stability(slope, kind="slope")))["observed minus expected"]
    assert left == pytest.approx(change, abs=IDENTITY)


def test_a_mixture_of_like_with_unlike_is_refused():
    with pytest.raises(StudyError, match="whose change is told"):
        regression_to_the_mean_from_summaries(Sample(3.11, 0.94, 227), AFTER, t=6.76, norm=DOCTORS, stability=OUTSIDE)


# ---- identities ----------------------------------------------------------------------------------------------------


def test_nothing_is_expected_at_stability_1_or_of_a_cohort_at_the_norm():
    for found in (
        printed(Stability(1.0, kind="slope")),
        printed(None, selection="trait"),
        printed(OUTSIDE, norm=Norm(3.00, 0.92, 1070)),
    ):
        assert values(found)["expected change"] == pytest.approx(0.0, abs=IDENTITY)


def test_at_the_tipping_stability_nothing_is_left():
    tipping = values(printed())["tipping stability"]
    found = values(printed(Stability(tipping, kind="slope")))
    assert found["observed minus expected"] == pytest.approx(0.0, abs=IDENTITY)
    state = printed(selection="state", reliability=0.9)
    again = printed(Stability(values(state)["tipping stability"], kind="slope"), selection="state", reliability=0.9)
    assert values(again)["observed minus expected"] == pytest.approx(0.0, abs=IDENTITY)


@pytest.mark.parametrize("end", ["conf_low", "conf_high"])
def test_at_the_limits_of_the_tipping_stability_the_interval_of_what_is_left_ends_at_0(end):
    limit = values(printed(), end)["tipping stability"]
    found = printed(Stability(limit, kind="slope"))
    row = found.frame.set_index("measure").loc["observed minus expected"]
    nearer = min(abs(row["conf_low"]), abs(row["conf_high"]))
    assert nearer < 0.02 * row["std_error"], "their degrees of freedom differ a little"


def test_each_way_of_selection_keeps_its_share():
    found = printed(selection=["score", "state", "trait", "crisis"], reliability=0.8).frame
    shares = found[found["measure"].eq("share kept")].set_index("selection")["estimate"]
    assert shares.to_dict() == pytest.approx({"score": 0.62, "state": 0.62 / 0.8, "trait": 1.0, "crisis": 0.0})
    expected = found[found["measure"].eq("expected change")].set_index("selection")["estimate"]
    assert expected.to_dict() == pytest.approx({k: -(1 - share) * 0.48 for k, share in shares.items()})
    tipping = found[found["measure"].str.startswith("tipping")].set_index("selection")
    assert tipping["measure"].to_dict()["trait"] == "tipping share"
    assert tipping.loc["state", "estimate"] == pytest.approx(0.8 * tipping.loc["score", "estimate"])


def test_several_baselines_keep_more():
    once, thrice = (printed(selection=s, baselines=3) for s in ("score", "mean"))
    spearman_brown = 3 * 0.62 / (1 + 2 * 0.62)
    assert values(thrice)["share kept"] == pytest.approx(spearman_brown)
    assert values(once)["expected change"] < values(thrice)["expected change"] < 0
    assert "taken to be the stability" in " ".join(thrice.about.notes)
    alike = printed(selection="earlier", between=Stability(0.62, n=293))
    assert values(alike)["expected change"] == pytest.approx(0.0, abs=IDENTITY)  # Davis: all occasions alike
    assert "Correlation of two baselines: 0.62 (correlation, n = 293" in " ".join(alike.about.notes)


def test_shares_are_ratios_of_covariances():
    rng = np.random.default_rng(5)
    trait, before, after = rng.normal(size=(3, 400_000)) * np.array([[0.7], [0.5], [0.5]])
    passing = 0.6 * before + 0.8 * after  # goes with the state before by .6
    crisis = rng.normal(size=400_000)
    y0 = trait + before + 0.4 * rng.normal(size=400_000) + crisis
    y1 = trait + passing + 0.4 * rng.normal(size=400_000)
    signal, total = 0.49 + 0.25 + 1.0, 0.49 + 0.25 + 1.0 + 0.16
    beta = (0.49 + 0.6 * 0.25) / total
    for name, chosen in {"score": y0, "state": trait + before + crisis, "trait": trait, "crisis": crisis}.items():
        selected = chosen > 1.0
        kept = y1[selected].mean() / y0[selected].mean()
        share = float(share_kept(beta, selection=name, reliability=signal / total))
        assert kept == pytest.approx(share, abs=0.02), name


def test_a_norm_that_drifts_moves_what_is_expected():
    still, drifting = printed(years=2.0), printed(norm=Norm(2.52, 0.92, 1070, drift=-0.05), years=2.0)
    assert values(drifting)["expected change"] == pytest.approx(values(still)["expected change"] - 0.1)
    assert "by -0.05 per year" in " ".join(drifting.about.notes)
    with warnings.catch_warnings(action="ignore"):
        plain, moved = (
            mee_chua_from_summaries(BEFORE, AFTER, t=6.76, norm=Norm(2.52, 0.92, 1070, drift=drift), years=2.0)
            for drift in (0.0, -0.05)
        )
    assert moved.frame["estimate"].iloc[1] == pytest.approx(plain.frame["estimate"].iloc[1] + 0.1)


# ---- intervals -----------------------------------------------------------------------------------------------------


def test_the_covariance_is_that_of_the_bootstrap():
    """Persons resampled, with the norm and the slope drawn anew: covariances of all numbers at both visits."""
    whole = cohort(n=200)
    found = regression_to_the_mean(whole, "score", norm=NORM, stability=SLOPE)
    wide = whole.data.pivot(index="subject", columns="visit", values="score").to_numpy()
    rng = np.random.default_rng(2)
    B = 20_000
    weights = rng.multinomial(len(wide), np.full(len(wide), 1 / len(wide)), size=B).astype(float)
    mu = NORM.mean + NORM.std_error * rng.standard_normal(B)
    beta = SLOPE.value + SLOPE.std_error * rng.standard_normal(B)
    drawn = []
    for later in (1, 2):
        both = ~np.isnan(wide[:, [0, later]]).any(axis=1)
        n = weights[:, both].sum(axis=1)
        before, after = (weights[:, both] @ wide[both, visit] / n for visit in (0, later))
        change, expected = after - before, expected_change(before - mu, beta)
        drawn += [before - mu, change, expected, change - expected]
    measures = ["baseline less norm", "observed change", "expected change", "observed minus expected"]
    rows = found.frame.index[found.frame["measure"].isin(measures)].tolist()
    ours, theirs = found.vcov[np.ix_(rows, rows)], np.cov(drawn)
    scale = np.sqrt(np.outer(np.diag(ours), np.diag(ours)))
    assert np.abs((ours - theirs) / scale).max() < 0.05
    assert np.diag(ours) == pytest.approx(found.frame.loc[rows, "std_error"] ** 2, rel=CLOSED_FORM)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"selection": "state", "reliability": 0.85, "reliability_se": 0.03},
        {"cutoff": 3.2},
        {"selection": "mean", "baselines": 3},
        {"selection": "mean", "baselines": 2, "between": Stability(0.8, n=300)},
        {"selection": "earlier", "between": Stability(0.8, n=300)},
        {"carry": True, "years": 2.0, "stability": Stability(0.62, n=293, lag=5)},
        {"carry": True, "years": 2.0, "reliability": 0.9, "stability": Stability(0.62, n=293, lag=5)},
    ],
)
def test_simulated_intervals_are_those_of_the_delta_method(more):
    delta, simulated = printed(**more), printed(**more, draws=200_000, seed=1)
    for measure in ("expected change", "observed minus expected", "share kept"):
        a, b = (one.frame.set_index("measure").loc[measure] for one in (delta, simulated))
        assert b["method"] == "simulation"
        for end in ("conf_low", "conf_high"):
            assert abs(a[end] - b[end]) < 0.3 * a["std_error"], (
                measure,
                end,
            )  # the skewness that the delta method lacks
        assert (b["conf_high"] - b["conf_low"]) == pytest.approx(a["conf_high"] - a["conf_low"], rel=0.04)


def test_every_input_widens_the_interval():
    width = [
        values(one, "std_error")["observed minus expected"]
        for one in (
            printed(Stability(0.62), norm=Norm(2.52, 0.92)),
            printed(Stability(0.62)),
            printed(OUTSIDE),
            printed(Stability(0.62, n=50)),
        )
    ]
    assert width == sorted(width)
    assert len(set(width)) == 4


def test_a_seed_gives_the_same_interval():
    one, same, other = (printed(draws=500, seed=seed).frame["conf_low"].iloc[3] for seed in (1, 1, 2))
    assert one == same != other


def test_fieller_has_no_end_where_the_baseline_is_near_the_norm():
    found = printed(norm=Norm(2.95, 0.92, 1070)).frame.set_index("measure").loc["tipping stability"]
    assert (found["conf_low"], found["conf_high"]) == (-np.inf, np.inf)
    assert fieller(1.0, 0.0, np.eye(2), 1.96).conf_low == -np.inf


def test_the_interval_of_the_share_is_fishers_and_moves_with_what_is_made_of_it():
    plain = printed().frame.set_index("measure").loc["share kept"]
    assert (round(plain["conf_low"], 3), round(plain["conf_high"], 3)) == (0.544, 0.686)
    state = printed(selection="state", reliability=0.8).frame.set_index("measure").loc["share kept"]
    assert state["conf_low"] == pytest.approx(plain["conf_low"] / 0.8)


# ---- cut-off, lag, curve -------------------------------------------------------------------------------------------


def test_a_cut_off_takes_the_place_of_the_baseline_mean():
    found = values(printed(cutoff=3.5))
    distance = float(cutoff_distance(3.5, 2.52, 0.92)[0])
    assert found["distance by the cut-off"] == pytest.approx(distance)
    assert found["expected change"] == pytest.approx(-(1 - 0.62) * distance)
    low = values(printed(cutoff=2.0, norm=Norm(3.52, 0.92, 1070)))
    assert low["distance by the cut-off"] < 0 < low["expected change"]


def test_derivatives_of_the_distance_by_a_cut_off():
    step = 1e-6
    for above in (True, False):
        _, by_mean, by_sd = cutoff_distance(3.5, 2.52, 0.92, above=above)
        up, down = (cutoff_distance(3.5, 2.52 + h, 0.92, above=above)[0] for h in (step, -step))
        assert float(by_mean) == pytest.approx(float(up - down) / (2 * step), rel=1e-6)
        up, down = (cutoff_distance(3.5, 2.52, 0.92 + h, above=above)[0] for h in (step, -step))
        assert float(by_sd) == pytest.approx(float(up - down) / (2 * step), rel=1e-6)
    assert float(inverse_mills(-40.0)) == pytest.approx(0.0, abs=1e-300)


def test_a_second_baseline_is_further_back_only_where_it_goes_less_with_the_first():
    assert float(from_second_baseline(3.5, 2.52, 0.92, 0.7, 0.7)) == 0
    rng = np.random.default_rng(4)
    R = np.array([[1, 0.8, 0.5], [0.8, 1, 0.6], [0.5, 0.6, 1]])
    y = 2.52 + 0.92 * rng.multivariate_normal(np.zeros(3), R, size=400_000)
    chosen = y[y[:, 0] > 3.5]
    expected = float(from_second_baseline(3.5, 2.52, 0.92, 0.8, 0.5))
    assert (chosen[:, 2] - chosen[:, 1]).mean() == pytest.approx(expected, abs=0.02)


@pytest.mark.raises_code("N-SENSITIVITY-CUTOFF")
def test_a_cut_off_that_people_lie_below_is_told():
    with pytest.warns(BurnoutStatsWarning, match="CUTOFF"):
        regression_to_the_mean(cohort(), "score", norm=NORM, stability=SLOPE, cutoff=3.5)


@pytest.mark.raises_code("N-SENSITIVITY-LAG")
def test_a_stability_over_another_time_is_told_or_carried():
    five = Stability(0.62, n=293, lag=5)
    with pytest.warns(BurnoutStatsWarning, match="over 5 years, used for after"):
        printed(five, years=1.0)
    found = printed(five, years=1.0, carry=True)
    assert found.notices == ()
    assert values(found)["share kept"] == pytest.approx(0.62**0.2)
    assert "stability^(time/lag)" in " ".join(found.about.notes)
    known = printed(five, years=1.0, carry=True, reliability=0.9)
    assert values(known)["share kept"] == pytest.approx(0.9 * (0.62 / 0.9) ** 0.2)
    assert float(carried(0.62, 5, 5, 0.8)) == pytest.approx(0.62)
    with warnings.catch_warnings(action="error"):
        printed(Stability(0.62, n=293, lag=1.05), years=1.0)


@pytest.mark.raises_code("N-SENSITIVITY-CIRCULAR")
def test_a_stability_from_the_cohort_is_circular():
    with pytest.warns(BurnoutStatsWarning, match="CIRCULAR"):
        found = printed(Stability(0.40, n=185, from_cohort=True))
    assert "circular" in " ".join(found.about.notes)


def test_stabilities_may_differ_between_visits():
    own = {"1 year": Stability(0.7, n=200, lag=1), "3 years": Stability(0.5, n=200, lag=3)}
    found = regression_to_the_mean(cohort(), "score", norm=NORM, stability=own).frame
    assert found[found["measure"].eq("share kept")]["estimate"].tolist() == [0.7, 0.5]
    with pytest.raises(StudyError, match="For 3 years"):
        regression_to_the_mean(cohort(), "score", norm=NORM, stability={"1 year": SLOPE})


def test_the_numbers_of_a_cohort_are_those_of_its_pairs():
    whole = cohort()
    found = regression_to_the_mean(whole, "score", norm=NORM, stability=SLOPE, visits="3 years")
    wide = whole.data.pivot(index="subject", columns="visit", values="score").to_numpy()
    both = wide[~np.isnan(wide[:, [0, 2]]).any(axis=1)][:, [0, 2]]
    r = float(np.corrcoef(both.T)[0, 1])
    samples = [
        Sample(*(float(f(both[:, k])) for f in (np.mean, lambda y: np.std(y, ddof=1))), len(both)) for k in (0, 1)
    ]
    same = regression_to_the_mean_from_summaries(*samples, r=r, norm=NORM, stability=SLOPE)
    columns = ["estimate", "std_error", "conf_low", "conf_high", "n"]
    ours, theirs = (one.frame[columns].to_numpy(dtype=float) for one in (found, same))
    assert ours == pytest.approx(theirs, rel=IDENTITY, nan_ok=True)


def test_the_curve_runs_over_stabilities_and_marks_the_given_one():
    found = stability_curve_from_summaries(BEFORE, AFTER, t=6.76, norm=DOCTORS, stability=OUTSIDE)
    assert list(dict.fromkeys(found.frame["stability"]))[2:] == ["0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9"]
    assert values(found, stability="0.4")["expected change"] == pytest.approx(-0.288)
    assert values(found, stability="given")["stability"] == 0.62
    assert values(found, stability="any").keys() == {"observed change", "tipping stability"}
    state = stability_curve_from_summaries(
        BEFORE, AFTER, t=6.76, norm=DOCTORS, selection="state", reliability=0.65, stability=OUTSIDE
    )
    assert list(dict.fromkeys(state.frame["stability"]))[2:] == ["0.3", "0.4", "0.5", "0.6"]
    assert values(state, stability="0.6")["expected change"] == pytest.approx(-(1 - 0.6 / 0.65) * 0.48)


def test_every_table_says_what_it_cannot_tell():
    for found in (printed(), stability_curve(cohort(), "score", norm=NORM)):
        notes = " ".join(found.about.notes)
        assert "None of these numbers is a bound" in notes
        assert "not identified by a norm and a correlation" in notes
        assert "effect" not in notes


# ---- Mee and Chua over a range -------------------------------------------------------------------------------------


def test_mee_and_chua_over_means_agree_with_each_one_alone():
    with warnings.catch_warnings(action="ignore"):
        alone = mee_chua(cohort(), "score", norm=Norm(2.6, 0.9), visits="1 year")
        over = mee_chua_range(cohort(), "score", means=[2.0, 2.6], visits="1 year")
    row = over.frame.iloc[1]
    assert alone.frame["measure"].tolist() == ["slope", "change at the norm mean, taken as known"]
    for column in ("estimate", "std_error", "p_value"):
        assert row[column] == pytest.approx(alone.frame[column].iloc[1])


def test_where_a_change_is_shown_between_two_means_only_they_are_told():
    before, after = Sample(60, 8, 20), Sample(57, 8.5, 20)
    with pytest.warns(BurnoutStatsWarning, match="CIRCULAR"):
        found = mee_chua_range_from_summaries(before, after, r=0.85, means=[50, 62]).frame
    last = found.iloc[-1]
    assert last["measure"] == "means with a change"
    assert (round(last["conf_low"], 2), round(last["conf_high"], 2)) == (55.21, 73.41)
    assert np.isinf(found.set_index("measure").loc["mean without change", "conf_high"])


# ---- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.raises_code("E-STUDY-STABILITY")
@pytest.mark.parametrize(
    "stability",
    [
        0.9,
        None,
        Stability(0.5, n=100, kind="slope"),
    ],
)
def test_what_is_no_stability_is_refused(stability):
    with pytest.raises(StudyError) as caught:
        printed(stability)
    assert caught.value.code == "E-STUDY-STABILITY"


@pytest.mark.raises_code("E-STUDY-STABILITY")
@pytest.mark.parametrize("kind", ["alpha", "reliability", "Omega"])
def test_alpha_is_no_stability(kind):
    with pytest.raises(StudyError, match="on one day"):
        Stability(0.90, n=1000, kind=kind)


@pytest.mark.parametrize(
    "more",
    [
        {"carry": True},
        {"carry": True, "years": 1.0},
        {"stability": Stability(-0.1, n=50, lag=2), "carry": True, "years": 1.0},
        {"selection": "state", "reliability": 0.5},
        {"selection": "earlier", "between": Stability(-0.2, n=100)},
        {"selection": "earlier", "between": Stability(0.8, n=100, kind="slope")},
    ],
)
def test_a_stability_that_does_not_fit_is_refused(more):
    with pytest.raises(StudyError) as caught:
        printed(**more)
    assert caught.value.code == "E-STUDY-STABILITY"


@pytest.mark.parametrize(
    "more",
    [
        {"selection": "state"},
        {"selection": []},
        {"selection": "trait", "cutoff": 3.0},
        {"cutoff": np.inf},
        {"reliability": 1.2},
        {"reliability": 0.9, "reliability_se": -0.1},
        {"draws": 100},
        {"selection": "earlier"},
        {"selection": "mean"},
        {"selection": "mean", "baselines": 2, "carry": True, "years": 1.0, "stability": Stability(0.6, n=99, lag=5)},
        {"conf_level": 1.2},
        {"norm": Norm(2.5, 0.9, drift=0.1)},
    ],
)
def test_numbers_that_cannot_be_are_refused(more):
    with pytest.raises(StudyError) as caught:
        printed(**more)
    assert caught.value.code == "E-STUDY-VALUE"


def test_unknown_names_are_refused():
    with pytest.raises(StudyError, match="selection"):
        printed(selection="luck")
    with pytest.raises(StudyError, match="visits"):
        regression_to_the_mean(cohort(), "score", norm=NORM, stability=SLOPE, visits="baseline")
    with pytest.raises(StudyError, match="selection"):
        stability_curve(cohort(), "score", norm=NORM, selection="trait")
    with pytest.raises(StudyError, match="mean"):
        mee_chua_range(cohort(), "score", means=[])
    frame = scores(40, seed=1)
    with pytest.raises(StudyError) as caught:
        regression_to_the_mean(cohort_of(frame[frame["visit"].eq("baseline")]), "score", norm=NORM, stability=SLOPE)
    assert caught.value.code == "E-STUDY-VISITS"


def test_printed_numbers_that_cannot_be_of_the_same_persons_are_refused():
    for more in ({"t": 6.76, "r": 0.4}, {}, {"t": 0.5}, {"sd_change": 5.0}):
        with pytest.raises(StudyError) as caught:
            regression_to_the_mean_from_summaries(BEFORE, AFTER, norm=DOCTORS, stability=OUTSIDE, **more)
        assert caught.value.code == "E-STUDY-VALUE"


def test_a_visit_that_hardly_anyone_came_to_has_no_numbers():
    frame = scores(40, seed=1)
    few = cohort_of(frame[~(frame["visit"].eq("3 years") & frame["id"].gt("S0000"))])
    found = regression_to_the_mean(few, "score", norm=NORM, stability=SLOPE).frame
    assert found[found["visit"].eq("3 years")]["estimate"].isna().all()
    assert found[found["visit"].eq("1 year")]["estimate"].notna().all()
    with pytest.raises(ModelError), warnings.catch_warnings(action="ignore"):
        mee_chua(few, "score", norm=NORM)


def test_the_synthetic_cohort_has_an_answer_for_each_visit():
    found = regression_to_the_mean(example("villa_sana"), "exhaustion", norm=DOCTORS, stability=OUTSIDE)
    assert found.frame["visit"].unique().tolist() == ["1 year", "3 years"]
    assert found.frame["n"].unique().tolist() == [185.0, 184.0]
    assert "Regression to the mean" in str(found)


@pytest.mark.parametrize(("a", "b"), [(10.0, 3.0), (5.0, -1.0)])
@pytest.mark.parametrize("cutoff", [None, 3.5])
def test_other_units_and_a_scale_turned_round_change_nothing_but_the_units(a, b, cutoff):
    plain = printed(cutoff=cutoff)
    moved = [Sample(a + b * one.mean, abs(b) * one.sd, one.n) for one in (BEFORE, AFTER)]
    norm = Norm(a + b * DOCTORS.mean, abs(b) * DOCTORS.sd, DOCTORS.n)
    other = regression_to_the_mean_from_summaries(
        *moved, t=6.76, norm=norm, stability=OUTSIDE, cutoff=None if cutoff is None else a + b * cutoff
    )
    share = plain.frame["measure"].isin(["share kept", "tipping stability"])
    scale = np.where(share, 1.0, b)
    assert other.frame["estimate"].to_numpy() == pytest.approx(scale * plain.frame["estimate"], rel=1e-9)
    assert other.frame["std_error"].to_numpy() == pytest.approx(abs(scale) * plain.frame["std_error"], rel=1e-9)
    limits = np.sort(scale[:, None] * plain.frame[["conf_low", "conf_high"]].to_numpy(), axis=1)
    assert other.frame[["conf_low", "conf_high"]].to_numpy() == pytest.approx(limits, rel=1e-9)
