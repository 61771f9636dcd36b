"""`power.assurance`: power over what is believed of its inputs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, stats

from burnout_stats import power
from burnout_stats.errors import StudyError
from burnout_stats.power._mmrm import planned

DESIGN = power.CohortDesign(
    (3.0, 2.9, 2.7), sd=0.9, correlation=0.5, patterns=power.monotone_patterns((1, 0.85, 0.7)), n=80
)


def column(found):
    return found.frame.set_index("measure")["estimate"]


@pytest.mark.parametrize("df", ["kenward-roger", "satterthwaite", "asymptotic", "residual", "between-within"])
def test_inputs_that_are_known_for_sure_give_the_power_of_the_formula(df):
    design = replace(DESIGN, df=df)
    known = {
        "difference": power.Grid((-0.3,)),
        "sd": power.Grid((0.9,)),
        "correlation": power.Grid((0.5,)),
        "lost": power.Grid((0.3,)),
    }
    found = column(power.assurance(design, **known, draws=100, seed=1))
    one_sided = replace(design, alternative="less", conf_level=0.975)
    assert found["assurance"] == pytest.approx(float(planned(one_sided).power()[0, 0]), rel=1e-9)
    assert found["power as assumed"] == pytest.approx(float(planned(design).power()[0, 0]), rel=1e-9)


@pytest.mark.parametrize(
    ("known", "other"),
    [
        ({"difference": power.Grid((-0.5,))}, {"means": (3.0, 2.833333333, 2.5)}),
        ({"sd": power.Grid((1.2,))}, {"sd": 1.2}),
        ({"correlation": power.Grid((0.7,))}, {"correlation": 0.7}),
        ({"lost": power.Grid((0.5,))}, {"patterns": {"111": 0.5, "110": 0.25, "100": 0.25}}),
    ],
)
def test_a_prior_stands_for_its_input(known, other):
    found = column(power.assurance(DESIGN, **known, draws=100, seed=1))
    design = replace(DESIGN, **other, alternative="less", conf_level=0.975)
    assert found["assurance"] == pytest.approx(float(planned(design).power()[0, 0]), rel=1e-6)


def test_the_mean_over_a_normal_prior_is_the_integral():
    found = power.assurance(DESIGN, difference=power.Normal(-0.3, 0.15), draws=5000, seed=2)
    one_sided = planned(replace(DESIGN, alternative="less", conf_level=0.975))
    d = np.linspace(-1.2, 0.6, 400)
    exact = integrate.trapezoid(one_sided.power(d[:, None])[:, 0] * stats.norm.pdf(d, -0.3, 0.15), d)
    row = found.frame[found.frame["measure"] == "assurance"].iloc[0]
    assert abs(row["estimate"] - exact) < 4 * row["std_error"]


def test_uncertainty_pulls_high_power_down_and_tells_its_spread():
    found = column(
        power.assurance(DESIGN, difference=power.Normal(-0.4, 0.2), lost=power.Beta(30, 70), draws=2000, seed=1)
    )
    assert found["assurance"] < 0.9
    ordered = [found[f"power, {q}% quantile"] for q in (10, 50, 90)]
    assert ordered == sorted(ordered)
    assert 0 < found["probability of a power of 80%"] < 1


def test_impossible_draws_are_left_out_and_told():
    found = power.assurance(DESIGN, correlation=power.Normal(0.5, 0.4), draws=1000, seed=1)
    assert any("impossible draws are left out" in note for note in found.about.notes)


def test_the_grid_takes_its_values_in_proportion():
    drawn = power.Grid((1, 2, 3), weights=(1, 2, 1)).draws(np.random.default_rng(1), 400)
    assert np.unique(drawn, return_counts=True)[1].tolist() == [100, 200, 100]


@pytest.mark.raises_code("E-STUDY-DESIGN")
@pytest.mark.parametrize(
    ("design", "asked"),
    [
        (DESIGN, {}),
        (DESIGN, {"sd": power.Grid((0.9,)), "draws": 10}),
        (replace(DESIGN, means=(3.0, 3.0, 3.0)), {"difference": power.Normal(-0.3, 0.1)}),
        (replace(DESIGN, patterns={"111": 1.0}), {"lost": power.Beta(2, 8)}),
        (DESIGN, {"sd": power.Normal(-1, 0.1)}),
    ],
)
def test_what_cannot_be_meant_is_refused(design, asked):
    with pytest.raises(StudyError) as caught:
        power.assurance(design, **{"seed": 1, **asked})
    assert caught.value.code == "E-STUDY-DESIGN"


@pytest.mark.parametrize("make", [lambda: power.Normal(0, 0), lambda: power.Beta(0, 1), lambda: power.Grid(())])
def test_a_prior_that_is_none_is_refused(make):
    with pytest.raises(StudyError):
        make()
