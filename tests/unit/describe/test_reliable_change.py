"""Reliable change: the papers' examples, identities between the methods, refusals, privacy, table and figure."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure as Canvas

from burnout_stats import describe, figures, tables
from burnout_stats.cohort import read_cohort
from burnout_stats.describe import Reliability
from burnout_stats.engine.reliable_change import METHODS, Occasions, cutoff, verdicts
from burnout_stats.errors import DisclosureError, ModelError, StudyError
from burnout_stats.estimates import Sample, protect
from burnout_stats.instruments.norms import Norm
from burnout_stats.studies import example

ALPHA = Reliability(0.90, kind="alpha", source="Falkum 2000")
NORM = Norm(2.52, 0.92, 1070)


def criterion(found):
    frame = found.frame
    rows = frame[frame["variable"].eq("criterion")]
    return dict(zip(rows["level"], rows["value"], strict=True))


def counts(found):
    frame = found.frame
    rows = frame[frame["statistic"].eq("n") & ~frame["variable"].eq("criterion")]
    return dict(zip(rows["level"], rows["value"], strict=True))


def cohort_of(before, after, **kwargs):
    n = len(before)
    data = pd.DataFrame(
        {"id": [*range(n)] * 2, "visit": ["start"] * n + ["end"] * n, "stress": np.r_[before, after].astype(float)}
    )
    outcomes = {"stress": {"range": [0, 100], "better": "lower"} | kwargs}
    return read_cohort(data, subject="id", visit="visit", times={"start": 0, "end": 1}, outcomes=outcomes)


def random_cohort(n=60, seed=4):
    rng = np.random.default_rng(seed)
    before = rng.normal(60, 12, n).clip(5, 95)
    return cohort_of(before, (before * 0.6 + rng.normal(18, 10, n)).clip(1, 99))


def test_the_norwegian_mbi():
    found = describe.reliable_change_from_summaries(Sample(3.00, 0.94, 185), reliability=ALPHA, better="lower")
    assert round(criterion(found)["band: upper intercept"], 2) == 0.82
    assert criterion(found)["band: lower intercept"] == -criterion(found)["band: upper intercept"]


def test_the_example_of_jacobson_and_truax():
    # marital satisfaction, higher is better: s1 = 7.5, r_xx = .80, M1 = 40, M0 = 60, s0 = 7.5; 32.5 -> 47.5
    reliability = Reliability(0.80, kind="test-retest", source="Jacobson & Truax 1991")
    found = describe.reliable_change_from_summaries(
        Sample(40, 7.5, 50), reliability=reliability, better="higher", norm=Norm(60, 7.5)
    )
    numbers = criterion(found)
    assert round(numbers["standard error of measurement"], 2) == 3.35
    s_diff = numbers["band: upper intercept"] / 1.959963984540054
    assert round(s_diff, 2) == 4.74
    assert round((47.5 - 32.5) / s_diff, 2) == 3.16
    assert numbers["cut-off"] == 50
    assert [cutoff(kind, (40, 7.5), (60, 7.5), lower_is_better=False) for kind in "ab"] == [55, 45]


def test_cut_offs_mirror_when_the_scale_is_turned():
    for kind in "abc":
        up = cutoff(kind, (40, 7.5), (60, 6.0), lower_is_better=False)
        down = cutoff(kind, (-40, 7.5), (-60, 6.0), lower_is_better=True)
        assert up == -down


def test_cut_off_c_is_equally_many_sds_from_both_means():
    c = cutoff("c", (40, 8), (60, 4), lower_is_better=False)
    assert (c - 40) / 8 == pytest.approx((60 - c) / 4)


def group(reliability=0.8, **changes):
    numbers = {"mean_1": 60.0, "sd_1": 12.0, "mean_2": 52.0, "sd_2": 11.0, "r": 0.5} | changes
    return Occasions(**numbers, reliability=reliability, sem=numbers["sd_1"] * np.sqrt(1 - reliability))


def test_bands_are_where_the_papers_indices_pass_their_critical_value():
    x = np.linspace(20, 90, 15)
    g = group()
    sem, r_dd = g.sem, g.reliability_of_change
    s_d = g.sd_1**2 + g.sd_2**2 - 2 * g.r * g.sd_1 * g.sd_2
    r_1, r_2 = 1 - sem**2 / g.sd_1**2, 1 - sem**2 / g.sd_2**2
    assert r_dd == pytest.approx((g.sd_1**2 * r_1 + g.sd_2**2 * r_2 - 2 * g.r * g.sd_1 * g.sd_2) / s_d)
    indices = {
        "jacobson-truax": lambda a, b: (b - a) / np.sqrt(2 * sem**2),
        "edwards-nunnally": lambda a, b: (b - (0.8 * (a - g.mean_1) + g.mean_1)) / sem,
        "hageman-arrindell": lambda a, b: (
            ((b - a) * r_dd + (g.mean_2 - g.mean_1) * (1 - r_dd)) / (np.sqrt(r_dd) * np.sqrt(2 * sem**2))
        ),
    }
    for name, index in indices.items():
        critical = METHODS[name].critical(0.95)
        band = METHODS[name].band(g, critical)
        np.testing.assert_allclose(index(x, band.slope * x + band.high), critical, rtol=1e-12)
        np.testing.assert_allclose(index(x, band.slope * x + band.low), -critical, rtol=1e-12)
    assert METHODS["hageman-arrindell"].critical(0.95) == pytest.approx(1.645, abs=5e-4)


def test_persons_are_judged_one_by_one():
    before = np.array([80.0, 80, 80, 40, 60, 50, 80])
    after = np.array([40.0, 60, 79, 20, 90, 50, 50])
    band = METHODS["jacobson-truax"].band(group(), 1.96)  # a change of more than 14.9
    found = verdicts(before, after, band, lower_is_better=True, cut=50)
    assert found.tolist() == [0, 1, 2, 1, 3, 2, 1]  # on the cut-off is not past it
    assert verdicts(before, after, band, lower_is_better=True).tolist() == [1, 1, 2, 1, 3, 2, 1]
    turned = verdicts(-before, -after, band, lower_is_better=False, cut=-50)
    assert turned.tolist() == found.tolist()


def test_counts_add_up_and_percents_follow():
    found = describe.reliable_change(example("villa_sana"), "exhaustion", after="1 year", reliability=ALPHA, norm=NORM)
    numbers = counts(found)
    assert list(numbers) == ["recovered", "improved", "unchanged", "deteriorated"]
    frame = found.frame
    percents = frame[frame["statistic"].eq("percent")]["value"]
    assert percents.sum() == pytest.approx(100)
    wide = example("villa_sana").data.pivot(index="subject", columns="visit", values="exhaustion")
    pairs = wide[["baseline", "1 year"]].dropna()
    assert sum(numbers.values()) == len(pairs)
    limit = 1.959963984540054 * np.sqrt(2) * pairs["baseline"].std() * np.sqrt(0.1)
    change = pairs["1 year"] - pairs["baseline"]
    assert numbers["deteriorated"] == (change > limit).sum()
    assert numbers["recovered"] + numbers["improved"] == (change < -limit).sum()


def test_nobody_recovers_without_a_cut_off():
    found = describe.reliable_change(random_cohort(), "stress", after="end", reliability=ALPHA)
    assert list(counts(found)) == ["improved", "unchanged", "deteriorated"]
    assert "cut-off" not in criterion(found)


@pytest.mark.parametrize("method", METHODS)
def test_turning_the_scale_changes_nothing(method):
    cohort = random_cohort()
    data = cohort.data.pivot(index="subject", columns="visit", values="stress")
    turned = cohort_of(100 - data["start"], 100 - data["end"], better="higher")
    ours = describe.reliable_change(cohort, "stress", after="end", reliability=ALPHA, cutoff=55.0, method=method)
    theirs = describe.reliable_change(turned, "stress", after="end", reliability=ALPHA, cutoff=45.0, method=method)
    assert counts(ours) == counts(theirs)


def test_the_sd_of_the_reliability_may_be_given():
    found = describe.reliable_change(random_cohort(), "stress", after="end", reliability=ALPHA, sd=10.0)
    assert criterion(found)["standard error of measurement"] == pytest.approx(10 * np.sqrt(0.1))


# ---- refusals ------------------------------------------------------------------------------------------------------


@pytest.mark.raises_code("E-STUDY-RELIABILITY")
def test_the_reliability_and_its_source_must_be_given():
    with pytest.raises(StudyError, match="No reliability"):
        describe.reliable_change(random_cohort(), "stress", after="end")
    for arguments in ({"value": 0.9}, {"value": 1.2, "source": "x"}, {"value": 0.9, "kind": "beta", "source": "x"}):
        with pytest.raises(StudyError):
            Reliability(**arguments)


@pytest.mark.raises_code("E-STUDY-RETEST")
def test_a_correlation_across_the_intervention_is_no_reliability():
    with pytest.raises(StudyError, match="people changed"):
        Reliability(0.40, kind="test-retest", source="baseline and 1 year", from_cohort=True)
    assert Reliability(0.87, kind="alpha", source="this cohort", from_cohort=True).value == 0.87


@pytest.mark.raises_code("N-STUDY-RETEST")
def test_a_retest_that_equals_the_correlation_of_the_cohort_is_noticed():
    cohort = random_cohort()
    wide = cohort.data.pivot(index="subject", columns="visit", values="stress")
    r = Reliability(round(float(wide.corr().iloc[0, 1]), 2), kind="test-retest", source="a paper")
    found = describe.reliable_change(cohort, "stress", after="end", reliability=r)
    assert [notice.code for notice in found.notices] == ["N-STUDY-RETEST"]
    other = Reliability(r.value + 0.02, kind="test-retest", source="a paper")
    for reliability in (other, Reliability(r.value, kind="alpha", source="a paper")):
        assert not describe.reliable_change(cohort, "stress", after="end", reliability=reliability).notices


@pytest.mark.raises_code("E-MODEL-NO-TRUE-CHANGE")
def test_differences_that_are_all_error():
    low = Reliability(0.30, source="a paper")
    rng = np.random.default_rng(1)
    before = rng.normal(50, 10, 40)
    cohort = cohort_of(before, before + rng.normal(0, 2, 40))
    with pytest.raises(ModelError, match="no more than error"):
        describe.reliable_change(cohort, "stress", after="end", reliability=low, method="hageman-arrindell")


@pytest.mark.raises_code("E-STUDY-VALUE", "E-STUDY-OPTION", "E-STUDY-COLUMN", "E-MODEL-EMPTY")
def test_what_cannot_be_judged():
    cohort = random_cohort()
    asked = {"after": "end", "reliability": ALPHA}
    with pytest.raises(StudyError, match="no norm"):
        describe.reliable_change(cohort, "stress", cutoff="b", **asked)
    with pytest.raises(StudyError, match="not better"):
        describe.reliable_change(cohort, "stress", norm=Norm(90, 10), **asked)
    with pytest.raises(StudyError, match="`better`"):
        describe.reliable_change(cohort, "stress", **asked | {"after": "start"})
    with pytest.raises(StudyError, match="jacobson-truax"):
        describe.reliable_change(cohort, "stress", method="jacobson", **asked)
    with pytest.raises(StudyError, match="not an outcome"):
        describe.reliable_change(cohort, "stres", **asked)
    with pytest.raises(ModelError, match="fewer than 3"):
        describe.reliable_change(cohort_of([1, 2], [2, 3]), "stress", **asked)
    with pytest.raises(StudyError, match="later visit"):
        describe.reliable_change_from_summaries(
            Sample(3, 1, 50), reliability=ALPHA, better="lower", method="hageman-arrindell"
        )


# ---- points, figure, table, privacy --------------------------------------------------------------------------------


def points(cohort, outcome="exhaustion", after="1 year", **kwargs):
    return describe.reliable_change_points(cohort, outcome, after=after, reliability=ALPHA, **kwargs)


def test_bins_hold_everybody_and_lie_on_the_scale():
    cohort = example("villa_sana")
    found = points(cohort, norm=NORM)
    bins = found.frame[~found.frame["variable"].eq("criterion")]
    judged = describe.reliable_change(cohort, "exhaustion", after="1 year", reliability=ALPHA, norm=NORM)
    assert bins["value"].sum() == sum(counts(judged).values())
    assert bins[["before", "after"]].min().min() > 1
    assert bins[["before", "after"]].max().max() < 5
    assert not bins.duplicated(["before", "after"]).any()
    assert criterion(found) == criterion(judged)


def test_the_table_says_the_criterion():
    found = describe.reliable_change(example("villa_sana"), "exhaustion", after="1 year", reliability=ALPHA, norm=NORM)
    text = str(tables.reliable_change(found))
    assert "No reliable change: a change of −0.8" in text
    assert "reliability 0.9 (alpha), Falkum 2000" in text
    assert "Cut-off 2." in text
    sloped = describe.reliable_change(
        example("villa_sana"), "exhaustion", after="1 year", reliability=ALPHA, method="edwards-nunnally"
    )
    assert "0.90 × the score before" in str(tables.reliable_change(sloped))


def test_a_table_of_printed_numbers_has_the_criterion_only():
    found = describe.reliable_change_from_summaries(Sample(3.00, 0.94, 185), reliability=ALPHA, better="lower")
    table = tables.reliable_change(found)
    assert not len(table)
    assert "−0.82 to 0.82" in " ".join(table.notes)


def axes() -> mpl.axes.Axes:
    return Canvas(figsize=(5, 5)).add_subplot()


def test_the_figure_draws_counts_as_areas_and_small_bins_alike():
    cohort = example("villa_sana")
    ax = axes()
    figure = figures.reliable_change(points(cohort, norm=NORM), ax=ax)
    shown = figure.frame
    hidden = shown["hidden"].astype(bool)
    assert hidden.any()
    assert not hidden.all()
    assert (shown.loc[~hidden, "value"] >= 5).all()
    assert shown.loc[hidden, ["value", "n"]].isna().all().all()
    withheld, counted = (c for c in ax.collections if type(c).__name__ == "PathCollection")
    assert len(set(withheld.get_sizes())) == 1
    areas = counted.get_sizes() / shown.loc[~hidden, "value"].to_numpy()
    np.testing.assert_allclose(areas, areas[0])
    assert [text.get_text() for text in ax.texts if "cut-off" in text.get_text()]
    assert "further bins" in figure.long_description
    assert "not reliable" in figure.alt


def test_the_figure_stays_the_same_and_is_a_picture():
    figure = figures.reliable_change(points(example("villa_sana"), norm=NORM, method="edwards-nunnally"))
    assert figure.svg() == figure.svg()
    assert figure.png(dpi=50).startswith(b"\x89PNG")


@pytest.mark.raises_code("E-DISCLOSURE-COHORT")
def test_too_few_persons_have_no_scatter():
    cohort = cohort_of([10, 20, 30, 44], [8, 22, 11, 40])
    with pytest.raises(DisclosureError, match="Fewer than 5"):
        figures.reliable_change(points(cohort, "stress", "end"))


@pytest.mark.raises_code("E-STUDY-VALUE")
def test_other_kinds_are_refused():
    found = describe.reliable_change(random_cohort(), "stress", after="end", reliability=ALPHA)
    with pytest.raises(StudyError, match="binned"):
        figures.reliable_change(found)


def test_a_small_category_cannot_be_worked_out():
    rest = np.linspace(50, 90, 57)
    before = np.r_[np.full(3, 20.0), rest]
    after = np.r_[np.full(3, 80.0), rest[:30], rest[30:] - 40]
    cohort = cohort_of(before, after)
    found = describe.reliable_change(cohort, "stress", after="end", reliability=ALPHA)
    small = [name for name, n in counts(found).items() if 0 < n < 5]
    assert small == ["deteriorated"]
    frame = protect(found, cohort.policy).frame
    hidden = frame[frame["statistic"].eq("n") & frame["hidden"]]["level"].tolist()
    assert "deteriorated" in hidden
    assert len(hidden) >= 2  # else it is what is left of all persons, whose number stands elsewhere
