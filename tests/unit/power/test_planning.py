"""Planning by formula: what the verbs answer with, how they say it, and what they refuse."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import numpy as np
import pytest

from burnout_stats import power, studies
from burnout_stats.engine.regression_to_mean import beyond_cutoff
from burnout_stats.errors import StudyError
from burnout_stats.instruments import Norm, Stability
from burnout_stats.power.sections import PowerSection

LOST = {"111": 0.7, "110": 0.1, "101": 0.1, "100": 0.1}
ONE = power.CohortDesign(
    (3.0, 2.75, 2.7),
    sd=(0.94, 0.76, 0.8),
    correlation=((1, 0.4, 0.29), (0.4, 1, 0.47), (0.29, 0.47, 1)),
    patterns=LOST,
    n=100,
    outcome="Exhaustion",
    sources={"means": 'a "printed" table'},
)
TWO = power.CohortDesign(
    {"usual care": (3.0, 2.9, 2.8), "help": (3.0, 2.5, 2.4)},
    sd=0.9,
    correlation=0.5,
    patterns={"usual care": LOST, "help": {"111": 1.0}},
    allocation={"usual care": 1, "help": 2},
    contrasts=("1 year - baseline", "3 years - baseline"),
    n=91,
    baseline="common",
)
NORM, KEPT = Norm(2.52, 0.92, 1070), Stability(0.62, n=293, lag=5)


def told(found, contrast=None):
    frame = found.frame if contrast is None else found.frame[found.frame["contrast"].eq(contrast)]
    return dict(zip(frame["measure"], frame["estimate"], strict=True))


# ---- the design ----------------------------------------------------------------------------------------------------


def test_shapes_and_shares_of_a_design():
    assert ONE.X.shape == (1, 3, 3)
    assert TWO.X.shape == (2, 3, 5)
    assert TWO.columns == ("intercept", "within", "within", "within", "within")
    assert replace(TWO, baseline="free").columns.count("between") == 1
    assert TWO.n_by_arm.tolist() == [30, 61]
    np.testing.assert_allclose(TWO.X @ TWO.beta, TWO.mu)
    np.testing.assert_allclose(TWO.differences(), [-0.4, -0.4])
    np.testing.assert_allclose(TWO.probabilities.sum(1), 1)
    np.testing.assert_allclose(TWO.expected_n(), [[30, 24, 24], [61, 61, 61]])
    assert ONE.with_n(7).n == 7


def test_a_design_is_a_value():
    assert replace(ONE) == ONE
    assert replace(ONE, n=99) != ONE
    given = {"all": [3.0, 2.5, 2.4]}
    design = power.CohortDesign(given, sd=1, correlation=0.2)
    given["all"][0] = 9.0
    assert design.mu[0, 0] == 3.0


@pytest.mark.raises_code("E-STUDY-DESIGN")
@pytest.mark.parametrize(
    "wrong",
    [
        {"means": (3.0, 2.5)},
        {"means": {"a": (1, 2, 3), "b": (1, 2, 3), "c": (1, 2, 3)}},
        {"means": (3.0, 2.5, np.nan)},
        {"sd": (1.0, 0.0, 1.0)},
        {"correlation": 1.0},
        {"correlation": ((1, 0.9, -0.9), (0.9, 1, 0.9), (-0.9, 0.9, 1))},
        {"correlation": ((1, 0.2), (0.2, 1))},
        {"visits": {"baseline": 0, "1 year": 1, "3 years": 1}},
        {"patterns": {"111": 0.5}},
        {"patterns": {"11": 1.0}},
        {"patterns": {"112": 1.0}},
        {"patterns": {"help": LOST}},
        {"contrasts": ("3 years - week 4",)},
        {"allocation": {"help": 1}},
        {"n": 0},
        {"n": 10.5},
        {"conf_level": 0.3},
    ],
)
def test_designs_that_cannot_be(wrong):
    with pytest.raises(StudyError) as caught:
        replace(ONE, **wrong)
    assert caught.value.code == "E-STUDY-DESIGN"
    assert all((problem.seen, problem.expected, problem.advice) for problem in caught.value.problems)


@pytest.mark.raises_code("E-STUDY-DESIGN", "E-STUDY-OPTION")
def test_other_designs_that_cannot_be():
    refused = [
        lambda: replace(TWO, means={"usual care": (3.0, 2.9, 2.8), "help": (3.1, 2.5, 2.4)}),
        lambda: power.monotone_patterns((1, 0.5, 0.7)),
        lambda: power.independent_patterns((1, 1.2)),
        lambda: power.mmrm(replace(ONE, covariance="cs")),
        lambda: power.mmrm(replace(ONE, patterns={"110": 1.0})),
        lambda: power.sized(replace(ONE, null=-0.3), power=0.8),
        lambda: power.sized(ONE),
        lambda: power.sized(ONE, power=0.8, half_width=0.1),
        lambda: power.sized(ONE, power=1.0),
        lambda: power.sized(ONE, half_width=-1.0),
        lambda: power.sized(ONE, power=0.8, assurance=0.9),
        lambda: power.curve(ONE),
        lambda: power.curve(ONE, n=(10.5, 20)),
        lambda: power.paired(0.2, sd=(1.0, 1.0), n=10),
        lambda: power.paired(0.2, sd=1.0, correlation=0.5, n=10),
        lambda: power.paired(0.2, sd=1.0, n=1),
        lambda: power.paired(0.2, sd=1.0, n=10, retention=0.0),
        lambda: power.two_arms(0.2, sd=1.0, correlation=0.5, n=40, allocation=(0, 1)),
        lambda: power.equivalence(0.2, sd=1.0, difference=0.3, n=50),
        lambda: power.noninferiority(-0.2, sd=1.0, n=50),
        lambda: power.mcnemar(0.3, 0.2, n=50),
        lambda: power.mcnemar(0.3, 0.2, both=0.25, n=50),
        lambda: power.mcnemar(0.3, 0.3, both=0.3, n=50),
        lambda: power.proportion(1.2, n=50),
        lambda: power.expected_fall(TWO, norm=NORM, stability=KEPT),
        lambda: power.expected_fall(ONE, norm=NORM, stability=KEPT, selection="mean"),
        lambda: power.expected_fall(ONE, norm=NORM, stability={"1 year": KEPT}),
        lambda: power.expected_fall(ONE, norm=NORM, stability=Stability(0.6, n=50), carry=True),
    ]
    for ask in refused:
        with pytest.raises(StudyError) as caught:
            ask()
        assert caught.value.code == "E-STUDY-DESIGN"
    for ask in (
        lambda: replace(ONE, alternative="both"),
        lambda: replace(ONE, df="guess"),
        lambda: power.two_arms(0.2, sd=1.0, correlation=0.5, n=40, analysis="guess"),
        lambda: power.mcnemar(0.3, 0.2, both=0.1, n=50, method="guess"),
    ):
        with pytest.raises(StudyError) as caught:
            ask()
        assert caught.value.code == "E-STUDY-OPTION"


# ---- answers -------------------------------------------------------------------------------------------------------


def test_an_answer_has_three_rows_for_each_contrast_and_prints_its_assumptions():
    found = power.mmrm(TWO)
    assert found.about.kind == "power"
    assert found.frame["measure"].tolist() == ["difference", "power", "half-width"] * 2
    assert set(found.frame["contrast"]) == {
        "help vs usual care: 1 year - baseline",
        "help vs usual care: 3 years - baseline",
    }
    row = found.frame.iloc[0]
    width = found.frame["estimate"].iloc[2]
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((-0.4 - width, -0.4 + width))
    notes = " ".join(found.about.notes)
    assert "30 in usual care, 61 in help" in notes
    assert "one mean at the first visit" in notes
    assert "regression to the mean" not in notes
    assert "regression to the mean" in " ".join(power.mmrm(ONE).about.notes)
    assert 'Source of the means: a "printed" table.' in power.mmrm(ONE).about.notes
    assert "Power and precision: Exhaustion" in str(power.mmrm(ONE))


def test_every_contrast_reaches_the_goal():
    for goal in ({"power": 0.85}, {"half_width": 0.35}, {"half_width": 0.35, "assurance": 0.9}):
        chosen = power.sized(TWO, **goal)
        found = power.mmrm(chosen).frame.set_index(["measure", "contrast"])["estimate"]
        if "power" in goal:
            assert found["power"].min() >= 0.85
        elif "assurance" not in goal:
            assert found["half-width"].max() <= 0.35
        else:
            assert chosen.n > power.sized(TWO, half_width=0.35).n


def test_structures_with_fewer_parameters_have_more_degrees_of_freedom():
    same = power.CohortDesign((3, 2.7, 2.6), sd=0.9, correlation=0.5, patterns=LOST, n=20)
    cs = power.mmrm(replace(same, covariance="cs")).frame
    us = power.mmrm(same).frame
    assert cs["df"].iloc[0] > us["df"].iloc[0]
    assert told(power.mmrm(replace(same, covariance="cs")))["power"] > told(power.mmrm(same))["power"]


def test_enrolled_are_more_than_needed():
    found = power.paired(0.3, sd=0.9, power=0.9, retention=0.8)
    assert "122 are enrolled to have 97" in " ".join(found.about.notes)


def test_the_covariate_is_worth_most():
    found = power.two_arms(-0.3, sd=0.9, correlation=0.6, n=120).frame
    powers = found[found["measure"].eq("power")].set_index("analysis")["estimate"]
    assert powers["ancova"] > powers["change"] > powers["post"]


def test_exact_mcnemar_reaches_its_goal_for_all_larger_numbers_near():
    found = power.mcnemar(0.35, 0.15, both=0.1, power=0.8)
    n = int(found.frame["n"].iloc[0])
    later = [told(power.mcnemar(0.35, 0.15, both=0.1, n=m))["power"] for m in range(n, n + 20)]
    assert min(later) >= 0.8
    assert told(power.mcnemar(0.35, 0.15, both=0.1, n=n - 1))["power"] < 0.8
    by_correlation = power.mcnemar(0.35, 0.15, correlation=0.0, n=80)
    assert told(by_correlation) == pytest.approx(told(power.mcnemar(0.35, 0.15, both=0.35 * 0.15, n=80)))


# ---- regression to the mean ----------------------------------------------------------------------------------------


def test_power_against_zero_is_power_against_the_wrong_null():
    design = replace(ONE, means=(3.0, 2.7, 2.7), contrasts=("1 year - baseline",), n=80)
    found = told(power.expected_fall(design, norm=NORM, stability=KEPT))
    assert found["expected without help"] == pytest.approx(-(1 - 0.62) * 0.48)
    only = replace(design, means=(3.0, 3.0 + found["expected without help"], 2.7))
    assert found["rejected without help"] == pytest.approx(told(power.mmrm(only))["power"])
    right = replace(design, null=found["expected without help"])
    assert found["power against what is expected"] == pytest.approx(told(power.mmrm(right))["power"])
    assert found["power against 0"] > found["power against what is expected"]


def test_a_lasting_trait_does_not_fall_and_a_cut_off_says_how_far_people_lie():
    design = replace(ONE, contrasts=("1 year - baseline",))
    lasting = told(power.expected_fall(design, norm=NORM, stability=KEPT, selection="trait"))
    assert lasting["expected without help"] == 0
    assert lasting["rejected without help"] == pytest.approx(0.05, abs=2e-3)
    beyond = power.expected_fall(design, norm=NORM, stability=KEPT, cutoff=3.5)
    assert told(beyond)["expected without help"] == pytest.approx(float(beyond_cutoff(3.5, 2.52, 0.92, 0.62)))
    assert "cut-off 3.5" in " ".join(beyond.about.notes)
    carried = power.expected_fall(design, norm=NORM, stability=KEPT, carry=True)
    assert told(carried)["expected without help"] == pytest.approx(-(1 - 0.62**0.2) * 0.48)


# ---- a study as it was ----------------------------------------------------------------------------------------------


@pytest.mark.raises_code("E-STUDY-OPTION")
def test_a_published_cohort_is_the_start_of_the_next_plan():
    like = studies.planned("villa-sana", "exhaustion")
    assert like.n == 227
    np.testing.assert_allclose(like.expected_n(), [[227, 185, 184]])
    np.testing.assert_allclose(np.asarray(like.correlation)[0], [1, 0.40, 0.29])
    assert like.mu[0].tolist() == [3.0706, 2.53, 2.40]
    assert "BMJ 2008" in like.sources["correlations"]
    assert "assumption" in studies.planned(outcome="depression").sources["means and standard deviations"]
    assert told(power.mmrm(like))["power"] > 0.999
    with pytest.raises(StudyError):
        studies.planned(outcome="age")


# ---- words and the study file ---------------------------------------------------------------------------------------


def test_the_paragraph_says_what_was_asked_assumed_and_found():
    said = power.text(replace(ONE, contrasts=("3 years - baseline",)), power=0.9)
    n = power.sized(replace(ONE, contrasts=("3 years - baseline",)), power=0.9).n
    assert f"planned with {n} persons, the smallest number with a power of at least 0.9" in said
    assert "a difference of −0.3 in exhaustion (3 years - baseline)" in said
    assert "Kenward-Roger" in said
    assert 'Source of the means: a "printed" table.' in said
    assert "effect" not in said
    assert "half-width of the interval to 0.2 with a probability of at least 0.8" in power.text(
        ONE, half_width=0.2, assurance=0.8
    )
    assert "help less usual care" in power.text(TWO)


@pytest.mark.parametrize("design", [ONE, TWO, replace(ONE, n=5, unit="points", null=-0.1, alternative="less")])
def test_a_block_is_read_back_as_the_same_design(design):
    section = PowerSection.model_validate(tomllib.loads(power.block(design, power=0.9))["power"])
    again = section.design(design.visits)
    assert section.power == 0.9
    assert (again.means, again.sd, again.correlation, again.contrasts) == (
        design.means,
        design.sd,
        design.correlation,
        design.contrasts,
    )
    np.testing.assert_allclose(again.probabilities, design.probabilities)
    assert replace(again, patterns=design.patterns, allocation=design.allocation) == replace(
        design, allocation=design.allocation
    )
